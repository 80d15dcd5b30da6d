package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/bits"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// effortBits is how many leading noughts a solved challenge has: some seconds of
// a phone's time, once. slowPath is how long a browser that solves nothing waits
// instead. Both matter only when many reports come at once.
const (
	effortBits = 17
	slowPath   = 45 * time.Second
	effortLife = 2 * time.Hour
)

// busyLimit counts reports sent; while it is met, effort is asked for.
func (s *Server) busyLimit() limit {
	return limit{"busy", s.o.Busy, time.Minute / time.Duration(s.o.Busy)}
}

// challenge makes a signed, time-stamped challenge for one sending.
func (s *Server) challenge() string {
	text := fmt.Sprintf("%s.%d.%d", rand.Text(), s.now().Unix(), effortBits)
	return text + "." + s.sign(text)
}

func (s *Server) sign(text string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("challenge\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// solved tells that a solution makes the challenge's hash begin with enough
// noughts.
func solved(challenge, solution string) bool {
	if len(solution) > 20 || solution == "" {
		return false
	}
	sum := sha256.Sum256([]byte(challenge + ":" + solution))
	zeros := 0
	for _, b := range sum {
		zeros += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return zeros >= effortBits
}

// human decides whether what was posted may be a person's: the form was filled in
// no shorter time than a person needs, nothing stands in the field nobody sees,
// and when many reports come at once the browser has worked or waited. It gives
// the key of what to say and how long to wait; an empty key lets it pass. Nobody
// is locked out: to wait and press the button again always helps.
func (s *Server) human(ctx context.Context, r *http.Request, started time.Time) (notice string, wait time.Duration, err error) {
	now := s.now()
	if strings.TrimSpace(r.PostForm.Get("website")) != "" {
		return "notice_trap", 0, nil
	}
	if took := now.Sub(started); took < s.o.FillLeast {
		return "notice_fast", s.o.FillLeast - took, nil
	}
	busy, err := s.limits.look(ctx, s.busyLimit(), "")
	if err != nil || busy == 0 {
		return "", 0, err
	}
	text := r.PostForm.Get("challenge")
	i := strings.LastIndexByte(text, '.')
	if i < 0 || !hmac.Equal([]byte(text[i+1:]), []byte(s.sign(text[:i]))) {
		return "notice_busy", slowPath, nil
	}
	parts := strings.Split(text, ".")
	unix, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return "notice_busy", slowPath, nil //nolint:nilerr // it was signed; what does not parse is as good as none
	}
	age := now.Sub(time.Unix(unix, 0))
	if age > effortLife {
		return "notice_busy", slowPath, nil
	}
	if !solved(text, r.PostForm.Get("solution")) && age < slowPath {
		return "notice_busy", slowPath - age, nil
	}
	fresh, err := s.o.Redis.SetNX(ctx, "{web:effort:"+s.limits.hash("effort", text)+"}", 1, effortLife).Result()
	if err != nil {
		return "", 0, err
	}
	if !fresh {
		return "notice_busy", slowPath, nil
	}
	return "", 0, nil
}
