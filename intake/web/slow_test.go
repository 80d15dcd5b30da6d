package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/c3i/crm/audit"
	"example.org/c3i/edge"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/web"
)

// hasty lets a form stand still for half a second, a file for long.
func hasty(o *web.Options) {
	o.Times = edge.Times{
		Short: edge.Patience{Stall: 500 * time.Millisecond, Most: 500 * time.Millisecond},
		Files: edge.Patience{Stall: time.Minute, Most: time.Hour},
	}
}

// wire is one connection that a test writes by hand.
type wire struct {
	t testing.TB
	net.Conn
}

func (w *world) wire() wire {
	w.t.Helper()
	c, err := net.Dial("tcp", w.http.Listener.Addr().String())
	must(w.t, err)
	w.t.Cleanup(func() { _ = c.Close() })
	must(w.t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	return wire{w.t, c}
}

func (c wire) put(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	must(c.t, err)
}

// answer reads an answer and, when the answer says so, waits until the server has
// closed the connection.
func (c wire) answer() (*http.Response, string) {
	c.t.Helper()
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	must(c.t, err)
	b, err := io.ReadAll(resp.Body)
	must(c.t, err)
	must(c.t, resp.Body.Close())
	if resp.Close {
		if _, err := io.Copy(io.Discard, in); errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Error("the server did not close the connection")
		}
	}
	return resp, string(b)
}

func (b *browser) cookies() string {
	u, err := url.Parse(b.w.http.URL)
	must(b.w.t, err)
	u.Path = "/report"
	var out []string
	for _, c := range b.client.Jar.Cookies(u) {
		out = append(out, c.Name+"="+c.Value)
	}
	return strings.Join(out, "; ")
}

// A photograph on a slow connection used to have five minutes, however it moved,
// and whoever said "multipart" had them too.
func TestAFormThatStallsEndsAndAFileThatMovesArrives(t *testing.T) {
	w := newWorld(t, hasty)
	b := w.browser("en")
	b.begin()
	b.fill("files", map[string]string{"category": "damage"})
	body := "--abc\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.jpg\"\r\n\r\n" + jpeg + strings.Repeat("x", 10_000) + "\r\n--abc\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nupload\r\n--abc--\r\n"
	head := func(path, kind string, n int) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: " + b.cookies() + "\r\nContent-Type: " + kind + "\r\nContent-Length: " + strconv.Itoa(n) + "\r\n\r\n"
	}
	file := w.wire()
	file.put(head("/report/files", "multipart/form-data; boundary=abc", len(body)) + body[:5000])
	// One who has begun no report gets no time for files, whatever the form calls itself.
	for path, kind := range map[string]string{"/report": "application/x-www-form-urlencoded", "/track": "multipart/form-data; boundary=abc"} {
		slow := w.wire()
		slow.put(head(path, kind, 1000) + "do=n")
		if resp, text := slow.answer(); resp.StatusCode < 400 || !resp.Close {
			t.Errorf("%s that stalls is answered %d, closing %t: %s", path, resp.StatusCode, resp.Close, text)
		}
	}
	file.put(body[5000:])
	if resp, text := file.answer(); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the file is answered %d %s", resp.StatusCode, text)
	}
	b.get("/report/files")
	b.says("a.jpg")
}

func TestAFileThatStallsEndsAndIsNotKept(t *testing.T) {
	w := newWorld(t, hasty, func(o *web.Options) { o.Times.Files = o.Times.Short })
	b := w.browser("en")
	b.begin()
	b.fill("files", map[string]string{"category": "damage"})
	slow := w.wire()
	slow.put("POST /report/files HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: " + b.cookies() +
		"\r\nContent-Type: multipart/form-data; boundary=abc\r\nContent-Length: 100000\r\n\r\n" +
		"--abc\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.jpg\"\r\n\r\n" + jpeg + strings.Repeat("x", 5000))
	if resp, text := slow.answer(); resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
		t.Errorf("answered %d, closing %t: %s", resp.StatusCode, resp.Close, text)
	}
	staged, err := w.redis.ZCard(context.Background(), "{web}:staged").Result()
	must(t, err)
	if staged != 0 {
		t.Errorf("%d files were kept", staged)
	}
	b.get("/report/files")
	if strings.Contains(b.body, "a.jpg") {
		t.Error("the file is in the report")
	}
}

// Up to 16 MiB were read of anybody before the key was looked at.
func TestAPartnerWhoIsNobodyIsRefusedBeforeTheBody(t *testing.T) {
	w := newWorld(t)
	at := w.clock.now()
	for name, header := range map[string]string{
		"no signature":   "",
		"an unknown key": web.Sign("k2", "a secret of at least 32 characters", "POST", "/api/v1/reports", at, "nonce-number-0001", nil),
		"no key":         web.Sign("", "a secret of at least 32 characters", "POST", "/api/v1/reports", at, "nonce-number-0001", nil),
		"a short nonce":  web.Sign("k1", "a secret of at least 32 characters", "POST", "/api/v1/reports", at, "short", nil),
		"an old time":    web.Sign("k1", "a secret of at least 32 characters", "POST", "/api/v1/reports", at.Add(-time.Hour), "nonce-number-0001", nil),
	} {
		c := w.wire()
		// No byte of the body is ever sent.
		c.put("POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: " + header + "\r\nContent-Length: 16000000\r\n\r\n")
		if resp, text := c.answer(); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "/api/problems/unauthorised") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	c := w.wire()
	c.put("POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: " +
		web.Sign("k1", "whatever", "POST", "/api/v1/reports", at, "nonce-number-0001", nil) + "\r\nContent-Length: 17000000\r\n\r\n")
	if resp, _ := c.answer(); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is said to be too large: %d", resp.StatusCode)
	}
}

func TestWhoSignsWronglyAgainAndAgainIsReadNoMore(t *testing.T) {
	w := newWorld(t)
	header := func(secret, nonce string) string {
		return web.Sign("k1", secret, "POST", "/api/v1/reports", w.clock.now(), nonce, nil)
	}
	for n := range 30 {
		nonce := strings.Repeat("n", 16+n)
		status, _ := w.call("POST", "/api/v1/reports", []byte("{}"), nonce, "k", func(r *http.Request) { r.Header.Set("Authorization", header("guessed", nonce)) })
		if status == http.StatusTooManyRequests {
			c := w.wire()
			c.put("POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: " + header("guessed", "nonce-number-0001") + "\r\nContent-Length: 1000\r\n\r\n")
			if resp, _ := c.answer(); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
				t.Errorf("before the body: %d", resp.StatusCode)
			}
			w.clock.pass(time.Hour)
			if status, _ := w.call("GET", "/api/v1/reports/AAAA", nil, "nonce-number-0002", "", nil); status != http.StatusNotFound {
				t.Errorf("an hour later: %d", status)
			}
			return
		}
		if status != http.StatusUnauthorized {
			t.Fatalf("a wrong signature: %d", status)
		}
	}
	t.Error("thirty wrong signatures were read to the end")
}

func TestAPartnersBodyThatStallsEnds(t *testing.T) {
	w := newWorld(t, hasty, func(o *web.Options) { o.Times.Files = o.Times.Short })
	c := w.wire()
	c.put("POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: " +
		web.Sign("k1", "a secret of at least 32 characters", "POST", "/api/v1/reports", w.clock.now(), "nonce-number-0001", nil) + "\r\nContent-Length: 1000\r\n\r\n{")
	if resp, text := c.answer(); resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(text, "/api/problems/too-slow") || !resp.Close {
		t.Errorf("%d %s, closing %t", resp.StatusCode, text, resp.Close)
	}
}

// dump is everything that lies in Redis, as text.
func (w *world) dump() string {
	w.t.Helper()
	ctx := context.Background()
	var out strings.Builder
	keys, err := w.redis.Keys(ctx, "*").Result()
	must(w.t, err)
	for _, k := range keys {
		var v any
		switch kind, err := w.redis.Type(ctx, k).Result(); {
		case err != nil:
			w.t.Fatal(err)
		case kind == "string":
			v, err = w.redis.Get(ctx, k).Result()
			must(w.t, err)
		case kind == "hash":
			v, err = w.redis.HGetAll(ctx, k).Result()
			must(w.t, err)
		case kind == "zset":
			v, err = w.redis.ZRange(ctx, k, 0, -1).Result()
			must(w.t, err)
		case kind == "set":
			v, err = w.redis.SMembers(ctx, k).Result()
			must(w.t, err)
		case kind == "list":
			v, err = w.redis.LRange(ctx, k, 0, -1).Result()
			must(w.t, err)
		case kind == "stream":
			v, err = w.redis.XRange(ctx, k, "-", "+").Result()
			must(w.t, err)
		}
		b, err := json.Marshal(v)
		must(w.t, err)
		out.WriteString(k + " " + string(b) + "\n")
	}
	return out.String()
}

// The secret with which a reporter follows their report lay in Redis for seven days,
// so that a repeated request could be answered as the first.
func TestNothingInRedisOpensAReportThatAPartnerMade(t *testing.T) {
	w := newWorld(t)
	body := jsonOf(t, web.ExampleReport())
	status, made := w.call("POST", "/api/v1/reports", body, "nonce-number-0001", "key-1", nil)
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, made)
	}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { w.inbox.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Web: w.server}); close(ended) }()
	for {
		f, err := w.inbox.Pending(ctx, inbox.Web)
		must(t, err)
		if f.Pending == 0 {
			break
		}
	}
	cancel()
	<-ended
	reference, _ := made["reference"].(string)
	secret, _ := made["secret"].(string)
	dump := w.dump()
	if !strings.Contains(dump, reference) {
		t.Fatal("the dump is not the one of this report")
	}
	for _, form := range []string{secret, strings.ReplaceAll(secret, "-", "")} {
		if strings.Contains(dump, form) {
			t.Errorf("Redis holds the reporter's secret: %s", dump)
		}
	}
	if status, again := w.call("POST", "/api/v1/reports", body, "nonce-number-0002", "key-1", nil); status != http.StatusCreated || again["secret"] != secret {
		t.Errorf("repeated: %d %v", status, again)
	}
}

func TestARequestRememberedUnderAnotherSecretIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	body := jsonOf(t, web.ExampleReport())
	if status, made := w.call("POST", "/api/v1/reports", body, "nonce-number-0001", "key-1", nil); status != http.StatusCreated {
		t.Fatalf("%d %v", status, made)
	}
	const renewed = "another secret of 32 characters!!"
	w.restart(func(o *web.Options) { o.Partners[0].Secret = renewed })
	status, p := w.call("POST", "/api/v1/reports", body, "nonce-number-0002", "key-1", func(r *http.Request) {
		r.Header.Set("Authorization", web.Sign("k1", renewed, "POST", "/api/v1/reports", w.clock.now(), "nonce-number-0002", body))
	})
	if status != http.StatusUnprocessableEntity || p["type"] != "/api/problems/key-reused" {
		t.Errorf("%d %v", status, p)
	}
	if n := len(w.accepted()); n != 1 {
		t.Errorf("%d items", n)
	}
}

// A partner who asked for a report that had been restricted was told 503, for ever.
func TestARestrictedReportIsToAPartnerAsOneThatIsNotTheirs(t *testing.T) {
	w := newWorld(t)
	_, made := w.call("POST", "/api/v1/reports", jsonOf(t, web.ExampleReport()), "nonce-number-0001", "key-1", nil)
	reference, _ := made["reference"].(string)
	w.work()
	ctx := audit.With(context.Background(), audit.Actor{ID: "ann", Role: "supervisor", Reason: "a test"})
	r, err := w.store.ReportByReference(ctx, reference)
	must(t, err)
	r.Restricted = true
	_, err = w.store.SaveReport(ctx, r)
	must(t, err)
	status, got := w.call("GET", "/api/v1/reports/"+reference, nil, "nonce-number-0002", "", nil)
	nobodys, want := w.call("GET", "/api/v1/reports/BCDF-GHJK-M", nil, "nonce-number-0003", "", nil)
	if status != http.StatusNotFound || nobodys != status || string(jsonOf(t, got)) != string(jsonOf(t, want)) {
		t.Errorf("restricted: %d %v; nobody's: %d %v", status, got, nobodys, want)
	}
	// What somebody has to add is not lost for that.
	if status, p := w.call("POST", "/api/v1/reports/"+reference+"/information", []byte(`{"text":"the receipt was found"}`), "nonce-number-0004", "key-2", nil); status != http.StatusAccepted {
		t.Fatalf("more: %d %v", status, p)
	}
	w.work()
	var texts []string
	list, err := w.store.ReportMessages(ctx, r.ID)
	must(t, err)
	for _, m := range list {
		texts = append(texts, m.Text)
	}
	if !strings.Contains(strings.Join(texts, "\n"), "the receipt was found") {
		t.Errorf("filed: %q", texts)
	}
}
