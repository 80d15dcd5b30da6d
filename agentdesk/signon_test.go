package agentdesk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
)

// post sends JSON with headers of the test's choosing.
func post(t *testing.T, w *world, c *http.Client, path, body string, header map[string]string) (*http.Response, agentdesk.Error) {
	t.Helper()
	return send(t, w, c, http.MethodPost, path, body, header)
}

func send(t *testing.T, w *world, c *http.Client, method, path, body string, header map[string]string) (*http.Response, agentdesk.Error) {
	t.Helper()
	req, err := http.NewRequestWithContext(w.ctx(), method, w.web.URL+path, strings.NewReader(body))
	must(t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := c.Do(req)
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	resp.Body = io.NopCloser(bytes.NewReader(b))
	var e agentdesk.ErrorBody
	if resp.StatusCode >= 400 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		must(t, json.Unmarshal(b, &e))
	}
	return resp, e.Error
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

const signOnBody = `{"user":"anna","password":"` + password + `"}`

func TestSignOnRotatesTheSessionAndHardensTheCookie(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	c := browser(t)
	first, _ := post(t, w, c, "/api/sign-on", signOnBody, nil)
	second, _ := post(t, w, c, "/api/sign-on", signOnBody, nil)
	if first.StatusCode != 200 || second.StatusCode != 200 {
		t.Fatalf("statuses %d, %d", first.StatusCode, second.StatusCode)
	}
	a, b := first.Cookies()[0], second.Cookies()[0]
	if a.Value == b.Value || len(a.Value) < 40 {
		t.Fatalf("cookies %q and %q: signing on must give a new token", a.Value, b.Value)
	}
	if !a.HttpOnly || a.SameSite != http.SameSiteStrictMode || a.Path != "/" || a.Domain != "" || a.Secure {
		t.Fatalf("cookie = %+v", a)
	}
	// The token from before the second sign-on is worth nothing.
	old := browser(t)
	old.Jar = nil
	resp, e := send(t, w, old, "GET", "/api/me", "", map[string]string{"Cookie": a.Name + "=" + a.Value})
	if resp.StatusCode != 401 || e.Code != agentdesk.CodeNotSignedOn {
		t.Fatalf("the old token: %d %+v", resp.StatusCode, e)
	}
	// A token planted by somebody else is not taken over.
	planted := strings.Repeat("x", 43)
	resp, _ = post(t, w, old, "/api/sign-on", signOnBody, map[string]string{"Cookie": a.Name + "=" + planted})
	if resp.StatusCode != 200 || resp.Cookies()[0].Value == planted {
		t.Fatalf("sign-on kept a planted token")
	}
}

func TestCookieIsSecureOverTLS(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.TLS = true })
	w.add("anna")
	resp, _ := post(t, w, browser(t), "/api/sign-on", signOnBody, nil)
	c := resp.Cookies()[0]
	if !c.Secure || c.Name != "__Host-c3i" || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Fatalf("cookie = %+v, headers = %v", c, resp.Header)
	}
}

func TestOneTimePasswordOpensNothingButItsChange(t *testing.T) {
	w := newWorld(t)
	one, err := w.users.Add(t.Context(), agentdesk.UserSpec{Name: "anna", Role: agentdesk.RoleManager, Profile: "general"})
	must(t, err)
	s, err := deskclient.SignOn(w.ctx(), w.web.URL, "anna", one)
	must(t, err)
	t.Cleanup(s.Close)
	if !s.Account.MustChangePassword {
		t.Fatalf("account = %+v", s.Account)
	}
	for _, path := range []string{"/api/queues", "/api/agents", "/api/people?number=1"} {
		refused(t, s.Call(w.ctx(), "GET", path, nil, nil), agentdesk.CodeChangePassword)
	}
	_, err = s.Open(w.ctx(), deskclient.Options{Stay: true})
	refused(t, err, agentdesk.CodeChangePassword)
	for next, field := range map[string]string{"short": "new", one: "new", strings.Repeat("long and ", 80): "new"} {
		if e := refused(t, s.ChangePassword(w.ctx(), one, next), agentdesk.CodeInvalid); e.Field != field {
			t.Errorf("field = %q", e.Field)
		}
	}
	if e := refused(t, s.ChangePassword(w.ctx(), "not it at all", "three random words"), agentdesk.CodeWrongPassword); e.Field != "current" {
		t.Errorf("field = %q", e.Field)
	}
	must(t, s.ChangePassword(w.ctx(), one, "three random words"))
	if s.Account.MustChangePassword {
		t.Fatal("the password must still be changed")
	}
	w.open(s)
}

func TestSignOnIsThrottledByUserAndByAddress(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	c := browser(t)
	try := func(user, pass string) (*http.Response, agentdesk.Error) {
		return post(t, w, c, "/api/sign-on", `{"user":"`+user+`","password":"`+pass+`"}`, nil)
	}
	for i := range 5 {
		resp, e := try("anna", "wrong")
		if resp.StatusCode != 401 || e.Code != agentdesk.CodeWrongPassword {
			t.Fatalf("attempt %d: %d %+v", i, resp.StatusCode, e)
		}
	}
	resp, e := try("anna", password)
	if resp.StatusCode != 429 || e.Code != agentdesk.CodeThrottled || resp.Header.Get("Retry-After") != "15" || !strings.Contains(e.Message, "15 seconds") {
		t.Fatalf("sixth attempt: %d %+v Retry-After %q", resp.StatusCode, e, resp.Header.Get("Retry-After"))
	}
	// Others at the same address are not held up by one name.
	if resp, _ := try("ben", "wrong"); resp.StatusCode != 401 {
		t.Fatalf("another name: %d", resp.StatusCode)
	}
	w.now.Add(int64(15 * time.Second))
	if resp, _ := try("anna", password); resp.StatusCode != 200 {
		t.Fatalf("after the wait: %d", resp.StatusCode)
	}
	// A good sign-on fills the bucket again.
	for i := range 5 {
		if resp, _ := try("anna", "wrong"); resp.StatusCode != 401 {
			t.Fatalf("attempt %d after success: %d", i, resp.StatusCode)
		}
	}
	// Many names from one address run into the address's own limit.
	got := 0
	for i := range 40 {
		resp, _ := try("name"+string(rune('a'+i%26))+string(rune('a'+i/26)), "wrong")
		if resp.StatusCode == 429 {
			got++
		}
	}
	if got == 0 {
		t.Fatal("forty names from one address were never throttled")
	}
}

func TestUnknownAndWrongAreToldAlike(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	c := browser(t)
	_, a := post(t, w, c, "/api/sign-on", `{"user":"anna","password":"wrong"}`, nil)
	_, b := post(t, w, c, "/api/sign-on", `{"user":"nobody","password":"wrong"}`, nil)
	_, l := post(t, w, c, "/api/sign-on", `{"user":"anna","password":"`+strings.Repeat("x", 2000)+`"}`, nil)
	if a != b || a != l || a.Code != agentdesk.CodeWrongPassword {
		t.Fatalf("answers differ: %+v, %+v, %+v", a, b, l)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Origins = []string{"https://desk.example.org"} })
	w.add("anna")
	c := browser(t)
	for name, h := range map[string]map[string]string{
		"fetch metadata": {"Sec-Fetch-Site": "cross-site"},
		"same site only": {"Sec-Fetch-Site": "same-site"},
		"origin":         {"Origin": "https://evil.example.org"},
		"null origin":    {"Origin": "null"},
	} {
		resp, e := post(t, w, c, "/api/sign-on", signOnBody, h)
		if resp.StatusCode != 403 || e.Code != agentdesk.CodeCrossOrigin {
			t.Errorf("%s: %d %+v", name, resp.StatusCode, e)
		}
	}
	for name, h := range map[string]map[string]string{
		"same origin": {"Sec-Fetch-Site": "same-origin"},
		"own origin":  {"Origin": w.web.URL},
		"trusted":     {"Origin": "https://desk.example.org", "Sec-Fetch-Site": "cross-site"},
		"a program":   {},
	} {
		if resp, e := post(t, w, c, "/api/sign-on", signOnBody, h); resp.StatusCode != 200 {
			t.Errorf("%s: %d %+v", name, resp.StatusCode, e)
		}
	}
}

func TestSignOffEndsSessionDeskAndRouting(t *testing.T) {
	w := newWorld(t)
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	s := w.signOn("anna")
	d := w.open(s)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
	must(t, s.SignOff(w.ctx()))
	wait(t, d.Done())
	closedWith(t, d, agentdesk.CloseSignedOut)
	refused(t, s.Call(w.ctx(), "GET", "/api/me", nil, nil), agentdesk.CodeNotSignedOn)
	eventually(t, "the engine sees the sign-off", func() bool { return w.router.agent("anna").Agent == "" })
	eventually(t, "the phone's credentials are withdrawn", func() bool {
		w.phones.mu.Lock()
		defer w.phones.mu.Unlock()
		return len(w.phones.withdrawn) == 1 && w.phones.withdrawn[0] == "anna"
	})
}

func closedWith(t *testing.T, d *deskclient.Desk, code int) {
	t.Helper()
	var c *deskclient.CloseError
	if !errors.As(d.Err(), &c) || c.Code != code || c.Reason == "" {
		t.Fatalf("the desk ended with %v; want close code %d and a reason", d.Err(), code)
	}
}

func TestSigningOffOneWorkstationLeavesTheOther(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	first := w.signOn("anna")
	a := w.open(first)
	b := w.desk("anna") // another session takes the desk over
	wait(t, a.Done())
	must(t, first.SignOff(w.ctx()))
	w.ready(b)
}

func TestChangingThePasswordKeepsTheDeskAndEndsOtherSessions(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	other := w.signOn("anna")
	s := w.signOn("anna")
	d := w.open(s)
	must(t, s.ChangePassword(w.ctx(), password, "three random words"))
	w.server.CheckSessions()
	w.ready(d)
	refused(t, other.Call(w.ctx(), "GET", "/api/me", nil, nil), agentdesk.CodeNotSignedOn)
}

// A request that read a session before it was ended used to write it back.
func TestEndedSessionCannotBeBroughtBack(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				_ = s.Call(w.ctx(), "GET", "/api/queues", nil, nil) // refused or not, by the moment
			}
		})
	}
	header := map[string]string{"Cookie": s.Header().Get("Cookie")}
	must(t, s.SignOff(w.ctx()))
	wg.Wait()
	if resp, _ := send(t, w, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "GET", "/api/me", "", header); resp.StatusCode != 401 {
		t.Fatalf("the ended session answers %d", resp.StatusCode)
	}
}

func TestDisabledUserIsThrownOut(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	must(t, w.users.Disable(t.Context(), "anna", true))
	w.server.CheckSessions()
	wait(t, d.Done())
	closedWith(t, d, agentdesk.CloseSignedOut)
	refused(t, s.Call(w.ctx(), "GET", "/api/queues", nil, nil), agentdesk.CodeNotSignedOn)
	resp, e := post(t, w, browser(t), "/api/sign-on", signOnBody, nil)
	if resp.StatusCode != 403 || e.Code != agentdesk.CodeForbidden {
		t.Fatalf("sign-on of a disabled user: %d %+v", resp.StatusCode, e)
	}
}

func TestRedisAwayThrowsNobodyOut(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.redis.Stop()
	w.server.CheckSessions()
	must(t, d.Send(agentdesk.TypeHeartbeat, nil).WaitFor(w.ctx()))
	resp, e := send(t, w, browser(t), "GET", "/api/me", "", map[string]string{"Cookie": "c3i=" + strings.Repeat("x", 43)})
	if resp.StatusCode != 503 || e.Code != agentdesk.CodeUnavailable {
		t.Fatalf("with Redis away: %d %+v", resp.StatusCode, e)
	}
	w.redis.Start()
}

func TestIdleSessionEndsByItself(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.SessionIdle = 200 * time.Millisecond })
	w.add("anna")
	s := w.signOn("anna")
	rdb := w.redis.Client()
	eventually(t, "the session's key expires", func() bool {
		keys, err := rdb.Keys(w.ctx(), "desk:session:*").Result()
		must(t, err)
		return len(keys) == 0
	})
	refused(t, s.Call(w.ctx(), "GET", "/api/me", nil, nil), agentdesk.CodeNotSignedOn)
}

func TestBusySessionEndsAtItsLifetime(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.SessionIdle, o.SessionLife = time.Hour, 500*time.Millisecond })
	w.add("anna")
	s := w.signOn("anna")
	eventually(t, "a session in use ends", func() bool {
		err := s.Call(w.ctx(), "GET", "/api/me", nil, nil)
		if err != nil {
			refused(t, err, agentdesk.CodeNotSignedOn)
		}
		return err != nil
	})
}

func TestMalformedBodies(t *testing.T) {
	w := newWorld(t)
	c := browser(t)
	for name, c2 := range map[string]struct {
		body, kind string
		status     int
		code       string
	}{
		"not JSON":       {`user=anna`, "application/json", 400, agentdesk.CodeBadRequest},
		"empty":          {``, "application/json", 400, agentdesk.CodeBadRequest},
		"an array":       {`[]`, "application/json", 400, agentdesk.CodeBadRequest},
		"wrong type":     {`{"user":1}`, "application/json", 400, agentdesk.CodeBadRequest},
		"unknown field":  {`{"usr":"anna"}`, "application/json", 400, agentdesk.CodeBadRequest},
		"two objects":    {`{}{}`, "application/json", 400, agentdesk.CodeBadRequest},
		"cut off":        {`{"user":"an`, "application/json", 400, agentdesk.CodeBadRequest},
		"a form":         {`user=anna`, "application/x-www-form-urlencoded", 400, agentdesk.CodeBadRequest},
		"far too large":  {`{"user":"` + strings.Repeat("a", 20<<10) + `"}`, "application/json", 413, agentdesk.CodeTooLarge},
		"nothing in it":  {`{}`, "application/json", 401, agentdesk.CodeWrongPassword},
		"a control code": {"{\"user\":\"a\\u0000\"}", "application/json", 401, agentdesk.CodeWrongPassword},
	} {
		t.Run(name, func(t *testing.T) {
			resp, e := post(t, w, c, "/api/sign-on", c2.body, map[string]string{"Content-Type": c2.kind})
			if resp.StatusCode != c2.status || e.Code != c2.code || e.Message == "" {
				t.Fatalf("%d %+v; want %d %s", resp.StatusCode, e, c2.status, c2.code)
			}
		})
	}
}
