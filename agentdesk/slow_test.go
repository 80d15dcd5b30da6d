package agentdesk_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/edge"
)

// hasty lets a form stand still for half a second, a file for long.
func hasty(o *agentdesk.Options) {
	o.Times = edge.Times{
		Short: edge.Patience{Stall: 500 * time.Millisecond, Most: 500 * time.Millisecond},
		Files: edge.Patience{Stall: time.Minute, Most: time.Hour},
	}
}

// halfway sends all of a request but its last bytes, which are given back.
func halfway(t *testing.T, w *world, path, kind, body string, h http.Header) (c net.Conn, rest string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.web.URL, "http://"))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	req, err := http.NewRequest(http.MethodPost, w.web.URL+path, strings.NewReader(body))
	must(t, err)
	req.Header = h.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", kind)
	var whole strings.Builder
	must(t, req.Write(&whole))
	at := whole.Len() - 20
	_, err = io.WriteString(c, whole.String()[:at])
	must(t, err)
	return c, whole.String()[at:]
}

// answered reads an answer, and waits until the server has closed the connection
// when the answer says so.
func answered(t *testing.T, c net.Conn) (*http.Response, agentdesk.Error) {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	var e agentdesk.ErrorBody
	_ = json.Unmarshal(b, &e)
	if resp.Close {
		if _, err := io.Copy(io.Discard, in); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server did not close the connection")
		}
	}
	return resp, e.Error
}

// A slow POST to the sign-on used to hold its connection for ever.
func TestASignOnThatStallsEndsWhileADeskAndAFileThatMovesGoOn(t *testing.T) {
	w := newWorld(t, hasty)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	const boundary = "abc"
	form := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n" + strings.Repeat("words ", 1000) + "\r\n--" + boundary + "--\r\n"
	file, rest := halfway(t, w, "/api/uploads", "multipart/form-data; boundary="+boundary, form, s.Header())

	slow, _ := halfway(t, w, "/api/sign-on", "application/json", `{"user":"anna","password":"`+strings.Repeat("a", 100)+`"}`, nil)
	resp, e := answered(t, slow)
	if resp.StatusCode != http.StatusRequestTimeout || e.Code != agentdesk.CodeTooSlow || !resp.Close {
		t.Errorf("a sign-on that stalls is answered %d %+v, closing %t", resp.StatusCode, e, resp.Close)
	}

	w.ready(d) // the websocket has no deadline left
	_, err := io.WriteString(file, rest)
	must(t, err)
	if resp, e := answered(t, file); resp.StatusCode != http.StatusCreated {
		t.Errorf("the file is answered %d %+v", resp.StatusCode, e)
	}
}

func TestAFileThatStallsEndsAndIsNotKept(t *testing.T) {
	w := newWorld(t, hasty, func(o *agentdesk.Options) { o.Times.Files = o.Times.Short })
	w.add("anna")
	form := "--abc\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n" + strings.Repeat("words ", 1000) + "\r\n--abc--\r\n"
	file, _ := halfway(t, w, "/api/uploads", "multipart/form-data; boundary=abc", form, w.signOn("anna").Header())
	if resp, e := answered(t, file); resp.StatusCode != http.StatusRequestTimeout || e.Code != agentdesk.CodeTooSlow {
		t.Errorf("answered %d %+v", resp.StatusCode, e)
	}
	keys, err := w.redis.Client().Keys(w.ctx(), "desk:upload:*").Result()
	must(t, err)
	if len(keys) != 0 {
		t.Errorf("kept: %v", keys)
	}
}

// Sign-ons behind a proxy were all counted as the proxy's: one attacker locked
// everybody out.
func TestSignOnsBehindAProxyAreCountedByWhomItNames(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Proxies = edge.Networks{netip.MustParsePrefix("127.0.0.0/8")} })
	c := browser(t)
	try := func(from string) int {
		resp, _ := post(t, w, c, "/api/sign-on", `{"user":"x`+strings.NewReplacer(".", "", ":", "").Replace(from)+`","password":"p"}`,
			map[string]string{"Content-Type": "application/json", "X-Forwarded-For": from})
		return resp.StatusCode
	}
	tries := 0
	for n := 0; try("2001:db8:1:2::"+string(rune('a'+n%6))+string(rune('a'+n/6))) == http.StatusUnauthorized; n++ {
		if tries++; tries > 60 {
			t.Fatal("one /64 was never throttled")
		}
	}
	if got := try("2001:db8:1:3::1"); got != http.StatusUnauthorized {
		t.Errorf("another network is answered %d", got)
	}
}
