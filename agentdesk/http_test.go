package agentdesk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return string(b)
}

func TestPagesHeadersAndNotFound(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/desk" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "the desk")
	})
	w := newWorld(t, func(o *agentdesk.Options) { o.Web = pages })
	c := browser(t)
	resp, _ := send(t, w, c, "GET", "/desk", "", nil)
	if resp.StatusCode != 200 || body(t, resp) != "the desk" {
		t.Fatalf("/desk: %d", resp.StatusCode)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s = %q", name, got)
		}
	}
	csp := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("Content-Security-Policy lacks %q: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy allows something unsafe: %s", csp)
	}
	resp, _ = send(t, w, c, "GET", "/nowhere", "", map[string]string{"Accept": "text/html"})
	if text := body(t, resp); resp.StatusCode != 404 || !strings.Contains(text, "Page not found") || !strings.Contains(text, "999") || strings.Contains(text, "404 page") {
		t.Errorf("/nowhere: %d %s", resp.StatusCode, text)
	}
	for _, c2 := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/api/nowhere", 404, agentdesk.CodeNotFound},
		{"GET", "/api/sign-on", 405, agentdesk.CodeMethod},
		{"DELETE", "/api/me", 405, agentdesk.CodeMethod},
		{"GET", "/api/me", 401, agentdesk.CodeNotSignedOn},
		{"GET", "/api/agents", 401, agentdesk.CodeNotSignedOn},
		{"GET", "/api/people?number=1", 401, agentdesk.CodeNotSignedOn},
	} {
		resp, e := send(t, w, c, c2.method, c2.path, "", nil)
		if resp.StatusCode != c2.status || e.Code != c2.code {
			t.Errorf("%s %s: %d %+v", c2.method, c2.path, resp.StatusCode, e)
		}
		if resp.Header.Get("Cache-Control") == "" {
			t.Errorf("%s %s may be cached", c2.method, c2.path)
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	var down atomic.Bool
	w := newWorld(t, func(o *agentdesk.Options) {
		o.Ready = []agentdesk.Check{
			{Name: "redis", Ready: func(context.Context) error { return nil }},
			{Name: "switch", Ready: func(context.Context) error {
				if down.Load() {
					return errors.New("the switch does not answer")
				}
				return nil
			}},
		}
	})
	c := browser(t)
	if resp, _ := send(t, w, c, "GET", "/healthz", "", nil); resp.StatusCode != 200 {
		t.Errorf("/healthz: %d", resp.StatusCode)
	}
	if resp, _ := send(t, w, c, "GET", "/readyz", "", nil); resp.StatusCode != 200 || body(t, resp) != `{"ready":true}` {
		t.Errorf("/readyz: %d", resp.StatusCode)
	}
	down.Store(true)
	resp, _ := send(t, w, c, "GET", "/readyz", "", nil)
	if text := body(t, resp); resp.StatusCode != 503 || text != `{"ready":false,"not_ready":{"switch":"the switch does not answer"}}` {
		t.Errorf("/readyz with the switch down: %d %s", resp.StatusCode, text)
	}
	resp, _ = send(t, w, c, "GET", "/metrics", "", nil)
	if text := body(t, resp); !strings.Contains(text, "c3i_desk_connections 0") {
		t.Errorf("/metrics: %s", text)
	}
}

func TestPeopleQueuesAndAgents(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("sue", func(s *agentdesk.UserSpec) { s.Role = agentdesk.RoleSupervisor })
	s, sue := w.signOn("anna"), w.signOn("sue")
	d := w.open(s)
	w.ready(d)
	id := w.call("07700 900123")
	w.answer("anna", w.work(d, ringing))
	w.work(d, phase(routing.PhaseTalking))
	person, err := d.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Caller One", Numbers: []string{"07700 900123"}})
	must(t, err)
	w.submit(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByCaller})
	w.work(d, phase(routing.PhaseWrapUp))
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "advice_given"}))

	var people agentdesk.PeopleList
	must(t, s.Call(w.ctx(), "GET", "/api/people?number=%2B447700900123", nil, &people))
	if len(people.People) != 1 || people.People[0].ID != person {
		t.Fatalf("people = %+v", people)
	}
	var one agentdesk.Person
	must(t, s.Call(w.ctx(), "GET", "/api/people/"+string(person), nil, &one))
	if one.Name != "Caller One" {
		t.Fatalf("person = %+v", one)
	}
	eventually(t, "the ending is written", func() bool { return w.server.Spooled() == 0 })
	var page agentdesk.TimelinePage
	must(t, s.Call(w.ctx(), "GET", "/api/people/"+string(person)+"/timeline", nil, &page))
	if len(page.Timeline) != 1 || page.Timeline[0].Contact == nil || page.Timeline[0].Contact.OutcomeLabel != "Advice given" || page.Timeline[0].Contact.Person != "Caller One" || page.Before != 0 {
		t.Fatalf("timeline = %+v", page)
	}
	must(t, s.Call(w.ctx(), "GET", fmt.Sprintf("/api/people/%s/timeline?before=%d", person, page.Timeline[0].At), nil, &page))
	if len(page.Timeline) != 0 {
		t.Fatalf("before the first: %+v", page)
	}
	for path, code := range map[string]string{
		"/api/people":                            agentdesk.CodeInvalid,
		"/api/people?number=":                    agentdesk.CodeInvalid,
		"/api/people?number=" + long(65):         agentdesk.CodeInvalid,
		"/api/people/01NOBODY":                   agentdesk.CodeNotFound,
		"/api/people/%7Bp:x%7D":                  agentdesk.CodeNotFound,
		"/api/people/01NOBODY/timeline":          agentdesk.CodeNotFound,
		"/api/people/01NOBODY/timeline?before=x": agentdesk.CodeInvalid,
	} {
		refused(t, s.Call(w.ctx(), "GET", path, nil, nil), code)
	}
	var queues agentdesk.QueueList
	must(t, s.Call(w.ctx(), "GET", "/api/queues", nil, &queues))
	if len(queues.Queues) != 1 {
		t.Fatalf("a handler sees %+v", queues)
	}
	must(t, sue.Call(w.ctx(), "GET", "/api/queues", nil, &queues))
	if len(queues.Queues) != 2 {
		t.Fatalf("a supervisor sees %+v", queues)
	}
	refused(t, s.Call(w.ctx(), "GET", "/api/agents", nil, nil), agentdesk.CodeForbidden)
	var agents agentdesk.AgentList
	must(t, sue.Call(w.ctx(), "GET", "/api/agents", nil, &agents))
	if len(agents.Agents) != 1 || agents.Agents[0].Name != "Handler anna" || agents.Agents[0].State == "" {
		t.Fatalf("agents = %+v", agents)
	}
}

func long(n int) string { return strings.Repeat("1", n) }

// sipSwitch is the switch's end of the SIP websocket: it answers each message
// with "ok: " and the message.
func sipSwitch(t *testing.T) (address string, ended <-chan struct{}) {
	t.Helper()
	done := make(chan struct{}, 16)
	up := websocket.Upgrader{Subprotocols: []string{"sip"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close(); done <- struct{}{} }()
		for {
			kind, b, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if string(b) == "hang up" || ws.WriteMessage(kind, append([]byte("ok: "), b...)) != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws", done
}

func register(user string) string {
	return "REGISTER sip:c3i.invalid SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:" + user + "@c3i.invalid>;tag=1\r\nTo: <sip:" + user + "@c3i.invalid>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
}

func dialSIP(t *testing.T, w *world, path string, h http.Header) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"sip"}}
	ws, resp, err := d.DialContext(w.ctx(), "ws"+strings.TrimPrefix(w.web.URL, "http")+path, h)
	if err == nil {
		t.Cleanup(func() { _ = ws.Close() })
		must(t, ws.SetReadDeadline(time.Now().Add(15*time.Second)))
	}
	return ws, resp, err
}

func TestSIPProxyCarriesOnlyTheDesksOwnPhone(t *testing.T) {
	address, ended := sipSwitch(t)
	w := newWorld(t, func(o *agentdesk.Options) { o.SIPUpstream = address })
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	s := w.signOn("anna")
	d := w.open(s)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
	p := d.State().Phone

	for name, c := range map[string]struct {
		path   string
		header http.Header
		status int
	}{
		"no session":     {p.Path, nil, 401},
		"another tab":    {"/sip?tab=other", s.Header(), 403},
		"no tab":         {"/sip", s.Header(), 403},
		"made-up token":  {"/sip?token=made-up", s.Header(), 401},
		"another origin": {p.Path, http.Header{"Cookie": s.Header()["Cookie"], "Origin": {"https://evil.example.org"}}, 403},
	} {
		_, resp, err := dialSIP(t, w, c.path, c.header)
		if err == nil || resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v", name, err)
			continue
		}
		must(t, resp.Body.Close())
	}

	ws, _, err := dialSIP(t, w, p.Path, s.Header())
	must(t, err)
	if ws.Subprotocol() != "sip" {
		t.Fatalf("subprotocol %q", ws.Subprotocol())
	}
	for _, m := range []string{register(p.User), "\r\n\r\n", "SIP/2.0 200 OK\r\nFrom: <sip:asterisk@c3i.invalid>\r\n\r\n"} {
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(m)))
		_, got, err := ws.ReadMessage()
		must(t, err)
		if string(got) != "ok: "+m {
			t.Fatalf("carried %q", got)
		}
	}
	must(t, ws.WriteMessage(websocket.TextMessage, []byte(register("b99"))))
	if code := closeCode(t, ws); code != websocket.ClosePolicyViolation {
		t.Fatalf("another user's name: close code %d", code)
	}
	wait(t, ended)

	// The phone of a tab that lost the desk loses its connection.
	ws, _, err = dialSIP(t, w, p.Path, s.Header())
	must(t, err)
	w.open(s)
	if code := closeCode(t, ws); code != websocket.ClosePolicyViolation {
		t.Fatalf("after a take-over: close code %d", code)
	}
	wait(t, ended)
}

func TestSIPProxyEndsWithEitherSide(t *testing.T) {
	address, ended := sipSwitch(t)
	w := newWorld(t, func(o *agentdesk.Options) { o.SIPUpstream = address })
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	s := w.signOn("anna")
	d := w.open(s)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
	ws, _, err := dialSIP(t, w, d.State().Phone.Path, s.Header())
	must(t, err)
	must(t, ws.Close())
	wait(t, ended)
	// A frame larger than any SIP message ends it too.
	ws, _, err = dialSIP(t, w, d.State().Phone.Path, s.Header())
	must(t, err)
	_ = ws.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("a", 65<<10)))
	wait(t, ended)
	// Many at once are refused.
	refusedOnes := 0
	for range 6 {
		ws, _, err := dialSIP(t, w, d.State().Phone.Path, s.Header())
		must(t, err)
		must(t, ws.WriteMessage(websocket.TextMessage, []byte("\r\n\r\n")))
		if _, _, err := ws.ReadMessage(); err != nil {
			refusedOnes++
		}
	}
	if refusedOnes != 2 {
		t.Errorf("%d of 6 connections of one handler were refused, want 2", refusedOnes)
	}
}

func TestSwitchAwayIsSaid(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	w := newWorld(t, func(o *agentdesk.Options) { o.SIPUpstream = "ws" + strings.TrimPrefix(dead.URL, "http") })
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	s := w.signOn("anna")
	d := w.open(s)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
	_, resp, err := dialSIP(t, w, d.State().Phone.Path, s.Header())
	if err == nil || resp == nil || resp.StatusCode != 503 {
		t.Fatalf("with the switch away: %v", err)
	}
	must(t, resp.Body.Close())
}

func TestPublicCallIsBoundedAndExpires(t *testing.T) {
	address, ended := sipSwitch(t)
	w := newWorld(t, func(o *agentdesk.Options) { o.SIPUpstream, o.PublicCalls = address, 3 })
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func() (*http.Response, agentdesk.Error) { return post(t, w, c, "/api/public/call", "", nil) }
	resp, e := ask()
	if resp.StatusCode != 200 {
		t.Fatalf("%d %+v", resp.StatusCode, e)
	}
	call := decode[agentdesk.PublicCall](t, resp)
	if call.Target != "sip:101@c3i.invalid" || call.Password == "" || call.ExpiresAt <= contact.Instant(w.now.Load()) {
		t.Fatalf("call = %+v", call)
	}
	ws, _, err := dialSIP(t, w, call.Path, nil)
	must(t, err)
	must(t, ws.WriteMessage(websocket.TextMessage, []byte(register(call.User))))
	_, _, err = ws.ReadMessage()
	must(t, err)
	if _, resp, err := dialSIP(t, w, call.Path, nil); err == nil || resp.StatusCode != 401 {
		t.Fatalf("a token let two in: %v", err)
	}
	ask()
	ask()
	if resp, e := ask(); resp.StatusCode != 503 || e.Code != agentdesk.CodeUnavailable {
		t.Fatalf("a fourth call with three lines: %d %+v", resp.StatusCode, e)
	}
	ask()
	if resp, e := ask(); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "20" {
		t.Fatalf("a sixth call from one address: %d %+v", resp.StatusCode, e)
	}
	// Tokens nobody used expire; the call that goes on does not.
	w.advance(3 * time.Minute)
	eventually(t, "the unused credentials are withdrawn", func() bool {
		w.phones.mu.Lock()
		defer w.phones.mu.Unlock()
		return len(w.phones.withdrawn) == 2
	})
	must(t, ws.WriteMessage(websocket.TextMessage, []byte(register(call.User))))
	_, _, err = ws.ReadMessage()
	must(t, err)
	must(t, ws.Close())
	wait(t, ended)
	eventually(t, "the ended call's credentials are withdrawn", func() bool {
		w.advance(31 * time.Second)
		w.phones.mu.Lock()
		defer w.phones.mu.Unlock()
		return len(w.phones.withdrawn) == 3
	})
	for _, body := range []string{`{"number":"evil"}`, `{"number":"<script>"}`, `{"number":1}`, `{`} {
		if resp, e := post(t, w, c, "/api/public/call", body, nil); resp.StatusCode != 422 && resp.StatusCode != 400 {
			t.Errorf("%s: %d %+v", body, resp.StatusCode, e)
		}
	}
	if resp, _ := post(t, w, c, "/api/public/call", "", map[string]string{"Sec-Fetch-Site": "cross-site"}); resp.StatusCode != 403 {
		t.Errorf("from another site: %d", resp.StatusCode)
	}
}

func TestPublicCallsCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.PublicPhones = nil })
	if resp, e := post(t, w, browser(t), "/api/public/call", "", nil); resp.StatusCode != 404 || !strings.Contains(e.Message, "101") {
		t.Fatalf("%d %+v", resp.StatusCode, e)
	}
}

func TestSIPFromReadsTheUser(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  bool
	}{
		"register":              {register("b1"), true},
		"another user":          {register("b2"), false},
		"user with a prefix":    {register("b11"), false},
		"display name":          {"INVITE sip:101@x SIP/2.0\r\nFrom: \"<sip:b2@x>\" <sip:b1@x>;tag=1\r\n\r\n", true},
		"forged display name":   {"INVITE sip:101@x SIP/2.0\r\nFrom: \"<sip:b1@x>\" <sip:b2@x>;tag=1\r\n\r\n", false},
		"compact form":          {"INVITE sip:101@x SIP/2.0\r\nf: sip:b1@x\r\n\r\n", true},
		"two From":              {"INVITE sip:101@x SIP/2.0\r\nFrom: <sip:b1@x>\r\nf: <sip:b2@x>\r\n\r\n", false},
		"two equal From":        {"INVITE sip:101@x SIP/2.0\r\nFrom: <sip:b1@x>\r\nf: <sip:b1@x>\r\n\r\n", false},
		"no From":               {"OPTIONS sip:x SIP/2.0\r\nTo: <sip:b1@x>\r\n\r\n", false},
		"folded":                {"INVITE sip:101@x SIP/2.0\r\nFrom:\r\n <sip:b1@x>\r\n\r\n", false},
		"space before colon":    {"INVITE sip:101@x SIP/2.0\r\nFrom : <sip:b2@x>\r\n\r\n", false},
		"digest of another":     {strings.Replace(register("b1"), "\r\n\r\n", "\r\nAuthorization: Digest username=\"b2\", realm=\"x\"\r\n\r\n", 1), false},
		"own digest":            {strings.Replace(register("b1"), "\r\n\r\n", "\r\nAuthorization: Digest realm=\"x\", username=\"b1\"\r\n\r\n", 1), true},
		"response":              {"SIP/2.0 180 Ringing\r\nFrom: <sip:x@x>\r\n\r\n", true},
		"keep-alive":            {"\r\n\r\n", true},
		"not SIP":               {"GET / HTTP/1.1\r\n\r\n", false},
		"bare line ends":        {"INVITE sip:101@x SIP/2.0\nFrom: <sip:b1@x>\n\n", false},
		"tel address":           {"INVITE sip:101@x SIP/2.0\r\nFrom: <tel:+442079460000>\r\n\r\n", false},
		"From in the body only": {"INVITE sip:101@x SIP/2.0\r\nTo: x\r\n\r\nFrom: <sip:b1@x>", false},
	} {
		if got := agentdesk.SIPFrom([]byte(c.frame), "b1"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if agentdesk.SIPFrom([]byte(register("")), "") {
		t.Error("nobody's phone may speak")
	}
}

func TestWhyInOneSentence(t *testing.T) {
	plan := testPlan()
	for want, why := range map[string]routing.Why{
		"Sent to you because the rule “polish speakers” put it in Polish, which needs lang.pl at level 2 or above, and you were the only handler free to take it.": {Rule: "polish speakers", Queue: "polish", Needs: []routing.Need{{Skill: "lang.pl", Min: 2}}, Chosen: "only_one", EligibleCount: 1},
		"Sent to you because it is waiting in General, and of the 3 handlers free to take it you had been free the longest.":                                       {Queue: "general", Chosen: "longest_idle", EligibleCount: 3},
		"Sent to you because it is waiting in General, and of the 2 handlers free to take it your skills fit best; it was moved forward by 1m0s.":                  {Queue: "general", Chosen: "proficiency", EligibleCount: 2, Credit: contact.Minute},
		"Sent to you because it is waiting in General, which needs a, b and c, and when you became free it was the most due of the 9 contacts waiting there.":      {Queue: "general", Chosen: "most_due", Waiting: 9, Needs: []routing.Need{{Skill: "a", Min: 1}, {Skill: "b", Min: 1}, {Skill: "c", Min: 1}}},
		"Sent to you because it is waiting in General, and you and other handlers were equally fit and free equally long.":                                         {Queue: "general", Chosen: "id", EligibleCount: 2},
	} {
		if got := agentdesk.WhySentence(why, plan); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func decode[T any](t *testing.T, r *http.Response) T {
	t.Helper()
	var v T
	must(t, json.Unmarshal([]byte(body(t, r)), &v))
	return v
}
