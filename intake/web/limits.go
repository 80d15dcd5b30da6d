package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed" // the Lua script
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/edge"
)

//go:embed lua/allow.lua
var allowLua string

var allowScript = redis.NewScript(allowLua)

// limit is how often something may happen: burst at once, then one more each
// every.
type limit struct {
	name  string
	burst int
	every time.Duration
}

// The limits. A library or a hostel shares one address, so those per address are
// wide; wrong secrets are counted more narrowly, by reference and by address.
var (
	startLimit  = limit{"start", 60, 20 * time.Second}
	sendLimit   = limit{"send", 20, time.Minute}
	uploadLimit = limit{"upload", 80, 10 * time.Second}
	everyone    = limit{"everyone", 300, 100 * time.Millisecond}
	wrongHere   = limit{"wrong-here", 20, time.Minute}
	wrongThere  = limit{"wrong-there", 6, 5 * time.Minute}
	unsigned    = limit{"unsigned", 20, 30 * time.Second}
	codeHere    = limit{"code-here", 10, 5 * time.Minute}
	codeThere   = limit{"code-there", 3, 10 * time.Minute}
)

// limiter counts in Redis, for all processes together. Keys hold keyed hashes,
// never an address or a reference.
type limiter struct {
	redis redis.UniversalClient
	now   func() time.Time
	key   []byte
}

func (l limiter) hash(kind, s string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(kind + "\x00" + s))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// take counts one event of who against a limit and gives how long to wait, nought
// when it is allowed.
func (l limiter) take(ctx context.Context, m limit, who string) (time.Duration, error) {
	return l.run(ctx, m, who, 1)
}

// look tells how long to wait without counting.
func (l limiter) look(ctx context.Context, m limit, who string) (time.Duration, error) {
	return l.run(ctx, m, who, 0)
}

func (l limiter) run(ctx context.Context, m limit, who string, cost int) (time.Duration, error) {
	key := "{web:limit:" + m.name + ":" + l.hash(m.name, who) + "}"
	ms, err := allowScript.Run(ctx, l.redis, []string{key}, l.now().UnixMilli(), m.burst, m.every.Milliseconds(), cost).Int64()
	if err != nil {
		return 0, fmt.Errorf("web: count against the limit %s: %w", m.name, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// remote is what requests are counted by.
func (s *Server) remote(r *http.Request) string { return edge.Client(r, s.o.Proxies) }
