package agentdesk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// raw opens the desk's websocket without the client's manners.
func (w *world) raw(s *deskclient.Session, header http.Header) (*websocket.Conn, *http.Response, error) {
	h := s.Header()
	for k, v := range header {
		h[k] = v
	}
	ws, resp, err := websocket.DefaultDialer.DialContext(w.ctx(), "ws"+strings.TrimPrefix(w.web.URL, "http")+"/ws", h)
	if err == nil {
		w.t.Cleanup(func() { _ = ws.Close() })
		must(w.t, ws.SetReadDeadline(time.Now().Add(20*time.Second)))
	}
	return ws, resp, err
}

// closeCode reads until the connection ends and returns the close code.
func closeCode(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		var c *websocket.CloseError
		if errors.As(err, &c) {
			if c.Text == "" {
				t.Error("the close frame gives no reason")
			}
			return c.Code
		}
		if err != nil {
			t.Fatalf("the connection ended without a close frame: %v", err)
		}
	}
}

const hello = `{"id":1,"type":"hello","body":{"tab":"t1"}}`

func TestBadFramesEndTheConnectionByCode(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	large := `{"id":2,"type":"note.save","body":{"text":"` + strings.Repeat("a", agentdesk.MaxFrame) + `"}}`
	for name, c := range map[string]struct {
		frames []string
		kind   int
		code   int
	}{
		"not JSON":            {[]string{hello, "hello?"}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"empty":               {[]string{hello, ""}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"an array":            {[]string{hello, "[]"}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"null":                {[]string{hello, "null"}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"cut off":             {[]string{hello, `{"id":2,"type":"heartbeat"`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"id of another type":  {[]string{hello, `{"id":"two","type":"heartbeat"}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"negative id":         {[]string{hello, `{"id":-1,"type":"heartbeat"}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"unknown type":        {[]string{hello, `{"id":2,"type":"call.listen"}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"broken text":         {[]string{hello, "{\"id\":2,\"type\":\"heartbeat\",\"x\":\"\xff\"}"}, websocket.BinaryMessage, agentdesk.CloseBadFrame},
		"binary":              {[]string{hello}, websocket.BinaryMessage, agentdesk.CloseBadFrame},
		"deeply nested":       {[]string{hello, strings.Repeat("[", 60_000)}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"too large":           {[]string{hello, large}, websocket.TextMessage, agentdesk.CloseTooLarge},
		"hello missing":       {[]string{`{"id":1,"type":"heartbeat"}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"hello without a tab": {[]string{`{"id":1,"type":"hello"}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
		"hello with long tab": {[]string{`{"id":1,"type":"hello","body":{"tab":"` + strings.Repeat("t", 65) + `"}}`}, websocket.TextMessage, agentdesk.CloseBadFrame},
	} {
		t.Run(name, func(t *testing.T) {
			ws, _, err := w.raw(s, nil)
			must(t, err)
			for _, f := range c.frames {
				must(t, ws.WriteMessage(c.kind, []byte(f)))
			}
			if got := closeCode(t, ws); got != c.code {
				t.Fatalf("closed with %d, want %d", got, c.code)
			}
		})
	}
	// None of it left anything behind.
	w.ready(w.open(s))
}

func TestFramesThatAreNotTheirsToSendChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	anna, ben := w.desk("anna"), w.desk("ben")
	w.ready(anna)
	id := w.call("07700 900123")
	item := w.work(anna, func(i agentdesk.WorkItem) bool { return ringing(i) && popped(i) })
	before, _, _ := w.server.Shown("anna")
	asked := len(w.router.events)
	for name, c := range map[string]struct {
		kind, code string
		body       any
	}{
		"another's offer":           {agentdesk.TypeDecline, agentdesk.CodeNotYours, agentdesk.DeclineRequest{Offer: item.Offer}},
		"another's call":            {agentdesk.TypeControl, agentdesk.CodeNotYours, agentdesk.ControlRequest{Contact: id, Verb: routing.VerbHangup}},
		"another's wrap-up":         {agentdesk.TypeExtend, agentdesk.CodeNotYours, agentdesk.ExtendRequest{Contact: id}},
		"another's note":            {agentdesk.TypeSaveNote, agentdesk.CodeNotYours, agentdesk.SaveNoteRequest{Contact: id, Text: "not mine"}},
		"another's outcome":         {agentdesk.TypeClose, agentdesk.CodeNotYours, agentdesk.CloseRequest{Contact: id, Outcome: contact.Outcome{Code: "advice_given"}}},
		"another's person":          {agentdesk.TypeSavePerson, agentdesk.CodeNotYours, agentdesk.SavePersonRequest{Contact: id, Person: agentdesk.Person{Name: "X"}}},
		"another's attachment":      {agentdesk.TypeAttachPerson, agentdesk.CodeNotYours, agentdesk.AttachPersonRequest{Contact: id}},
		"a contact nobody knows":    {agentdesk.TypeSaveNote, agentdesk.CodeNotYours, agentdesk.SaveNoteRequest{Contact: "01NOBODY", Text: "x"}},
		"no contact":                {agentdesk.TypeSaveNote, agentdesk.CodeInvalid, agentdesk.SaveNoteRequest{Text: "x"}},
		"offer nobody made":         {agentdesk.TypeDecline, agentdesk.CodeNotYours, agentdesk.DeclineRequest{Offer: 99}},
		"state of the engine":       {agentdesk.TypeSetState, agentdesk.CodeInvalid, agentdesk.SetStateRequest{State: routing.StateBusy}},
		"no state":                  {agentdesk.TypeSetState, agentdesk.CodeInvalid, nil},
		"reason not in the plan":    {agentdesk.TypeSetState, agentdesk.CodeInvalid, agentdesk.SetStateRequest{State: routing.StateNotReady, Reason: "golf"}},
		"phone of one's own":        {agentdesk.TypePhoneState, agentdesk.CodeForbidden, agentdesk.PhoneStateRequest{Registered: false}},
		"unknown verb":              {agentdesk.TypeControl, agentdesk.CodeInvalid, agentdesk.ControlRequest{Contact: id, Verb: "listen"}},
		"digits with hold":          {agentdesk.TypeControl, agentdesk.CodeInvalid, agentdesk.ControlRequest{Contact: id, Verb: routing.VerbHold, Digits: "1"}},
		"no digits":                 {agentdesk.TypeControl, agentdesk.CodeInvalid, agentdesk.ControlRequest{Contact: id, Verb: routing.VerbDTMF}},
		"letters as digits":         {agentdesk.TypeControl, agentdesk.CodeInvalid, agentdesk.ControlRequest{Contact: id, Verb: routing.VerbDTMF, Digits: "12w3"}},
		"too many digits":           {agentdesk.TypeControl, agentdesk.CodeInvalid, agentdesk.ControlRequest{Contact: id, Verb: routing.VerbDTMF, Digits: strings.Repeat("1", 33)}},
		"outcome not in the plan":   {agentdesk.TypeClose, agentdesk.CodeInvalid, agentdesk.CloseRequest{Contact: id, Outcome: contact.Outcome{Code: "solved"}}},
		"person without a name":     {agentdesk.TypeSavePerson, agentdesk.CodeInvalid, agentdesk.SavePersonRequest{Contact: id, Person: agentdesk.Person{Name: "  "}}},
		"person with long name":     {agentdesk.TypeSavePerson, agentdesk.CodeInvalid, agentdesk.SavePersonRequest{Contact: id, Person: agentdesk.Person{Name: strings.Repeat("n", 201)}}},
		"person with many numbers":  {agentdesk.TypeSavePerson, agentdesk.CodeInvalid, agentdesk.SavePersonRequest{Contact: id, Person: agentdesk.Person{Name: "X", Numbers: make([]string, 21)}}},
		"language not in the list":  {agentdesk.TypeSavePerson, agentdesk.CodeInvalid, agentdesk.SavePersonRequest{Contact: id, Person: agentdesk.Person{Name: "X", Language: "tlh"}}},
		"note with a control code":  {agentdesk.TypeSaveNote, agentdesk.CodeInvalid, agentdesk.SaveNoteRequest{Contact: id, Text: "a\x00b"}},
		"note larger than it holds": {agentdesk.TypeSaveNote, agentdesk.CodeInvalid, agentdesk.SaveNoteRequest{Contact: id, Text: strings.Repeat("a", 33<<10)}},
		"body of another shape":     {agentdesk.TypeSetState, agentdesk.CodeBadRequest, map[string]any{"state": 3}},
		"unknown field":             {agentdesk.TypeSetState, agentdesk.CodeBadRequest, map[string]any{"state": "ready", "force": true}},
		"a second hello":            {agentdesk.TypeHello, agentdesk.CodeBadRequest, agentdesk.HelloRequest{Tab: "t2"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, ben.Send(c.kind, c.body).WaitFor(w.ctx()), c.code)
		})
	}
	if n := len(w.router.events); n != asked {
		t.Errorf("the engine was told %+v", w.router.events[asked:])
	}
	if after, _, _ := w.server.Shown("anna"); !bytes.Equal(before, after) {
		t.Errorf("the other desk changed from %s to %s", before, after)
	}
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Note.Text != "" || rec.Outcome.Code != "" || rec.Person != "" {
		t.Errorf("the record changed: %+v", rec)
	}
	// Their own, at the wrong time.
	refused(t, anna.Control(w.ctx(), id, routing.VerbHold, ""), agentdesk.CodeWrongPhase)
	refused(t, anna.Extend(w.ctx(), id), agentdesk.CodeWrongPhase)
	_, err = anna.SaveNote(w.ctx(), id, "before answering", 0)
	refused(t, err, agentdesk.CodeWrongPhase)
	must(t, anna.Decline(w.ctx(), item.Offer, ""))
	must(t, anna.Wait(w.ctx(), func(s agentdesk.Desk) bool { return len(s.Work) == 0 && s.Me.State == routing.StateResting }))
	refused(t, anna.Decline(w.ctx(), item.Offer, ""), agentdesk.CodeNotYours)
}

func TestCallControlReachesTheEngine(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.call("")
	w.answer("anna", w.work(d, ringing))
	w.work(d, phase(routing.PhaseTalking))
	for _, verb := range []routing.Verb{routing.VerbMute, routing.VerbHold} {
		must(t, d.Control(w.ctx(), id, verb, ""))
		w.submit(routing.ControlDone{Contact: id, Agent: "anna", Verb: verb})
	}
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Muted && i.Phase == routing.PhaseHeld })
	refused(t, d.Control(w.ctx(), id, routing.VerbDTMF, "12#"), routing.RefusedPhase) // on hold nobody would hear it
	must(t, d.Control(w.ctx(), id, routing.VerbResume, ""))
	w.submit(routing.ControlDone{Contact: id, Agent: "anna", Verb: routing.VerbResume})
	w.work(d, phase(routing.PhaseTalking))
	must(t, d.Control(w.ctx(), id, routing.VerbDTMF, "12#"))
	must(t, d.Control(w.ctx(), id, routing.VerbHangup, ""))
}

func TestWebsocketNeedsSessionOriginAndDesk(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Origins = []string{"https://desk.example.org"} })
	w.add("anna")
	w.add("boss", func(s *agentdesk.UserSpec) { s.Role, s.Profile = agentdesk.RoleManager, "" })
	s := w.signOn("anna")

	_, resp, err := websocket.DefaultDialer.DialContext(w.ctx(), "ws"+strings.TrimPrefix(w.web.URL, "http")+"/ws", nil)
	if err == nil || resp.StatusCode != 401 {
		t.Fatalf("without a session: %v", err)
	}
	must(t, resp.Body.Close())
	for _, origin := range []string{"https://evil.example.org", "null", "http://127.0.0.1", "file://", "https://desk.example.org.evil.example.org"} {
		_, resp, err := w.raw(s, http.Header{"Origin": {origin}})
		if err == nil || resp.StatusCode != 403 {
			t.Errorf("origin %q: %v", origin, err)
			continue
		}
		must(t, resp.Body.Close())
	}
	for _, origin := range []string{w.web.URL, "https://desk.example.org"} {
		ws, _, err := w.raw(s, http.Header{"Origin": {origin}})
		if err != nil {
			t.Errorf("origin %q: %v", origin, err)
			continue
		}
		_ = ws.Close()
	}
	ws, _, err := w.raw(w.signOn("boss"), nil)
	must(t, err)
	if code := closeCode(t, ws); code != agentdesk.CloseForbidden {
		t.Fatalf("a user without a profile: close code %d", code)
	}
	if resp, _ := send(t, w, browser(t), "GET", "/ws", "", map[string]string{"Cookie": s.Header().Get("Cookie")}); resp.StatusCode != 400 {
		t.Fatalf("plain HTTP to /ws: %d", resp.StatusCode)
	}
}

func TestSecondTabTakesOver(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	first := w.open(s)
	w.ready(first)
	second := w.open(s)
	wait(t, first.Done())
	closedWith(t, first, agentdesk.CloseTakenOver)
	if second.State().Me.State != routing.StateReady {
		t.Fatalf("the second tab shows %+v; the handler must stay ready", second.State().Me)
	}
	w.call("")
	w.work(second, ringing)
}

func TestSameTabReplacesItsOldConnection(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	tab := func(o *deskclient.Options) { o.Tab = "one" }
	first := w.open(s, tab)
	second := w.open(s, tab)
	wait(t, first.Done())
	var c *deskclient.CloseError
	if !errors.As(first.Err(), &c) || c.Code != websocket.CloseNormalClosure {
		t.Fatalf("the old connection ended with %v; want a normal closure", first.Err())
	}
	w.ready(second)
}

func TestBrowserPhoneDecidesTheDevice(t *testing.T) {
	w := newWorld(t)
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	s := w.signOn("anna")
	d := w.open(s)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
	p := d.State().Phone
	if p.Kind != "browser" || p.URI != "sip:"+p.User+"@c3i.invalid" || p.Password == "" || !strings.HasPrefix(p.Path, "/sip?tab=") {
		t.Fatalf("phone = %+v", p)
	}
	if dial, ok := w.server.Dial("anna"); !ok || dial != "PJSIP/"+p.User {
		t.Fatalf("Dial = %q, %v", dial, ok)
	}
	if d.State().Me.DeviceUp {
		t.Fatal("the phone counts as up before it registered")
	}
	w.ready(d)
	w.call("")
	if a := w.router.agent("anna"); len(a.Work) != 0 {
		t.Fatalf("offered to a phone that is down: %+v", a)
	}
	must(t, d.PhoneRegistered(w.ctx(), true))
	w.work(d, ringing)
	// A reload is a new page whose phone is not registered yet; a reconnect is not.
	second := w.open(s)
	must(t, second.Wait(w.ctx(), func(s agentdesk.Desk) bool {
		return !s.Me.DeviceUp && s.Phone.User != "" && s.Phone.User != p.User && len(s.Work) == 0
	}))
}

// next takes the next of a channel, or fails.
func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(15 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func wait(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(15 * time.Second):
		t.Fatal("it did not end")
	}
}

func TestNoCredentialsIsSaidAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.phones.fail = errors.New("the switch is away")
	w.add("anna", func(s *agentdesk.UserSpec) { s.Phone = agentdesk.PhoneBrowser })
	notices := make(chan agentdesk.Notice, 10)
	d := w.desk("anna", func(o *deskclient.Options) {
		o.OnDelta = func(delta agentdesk.Delta) {
			if delta.Notice != nil {
				notices <- *delta.Notice
			}
		}
	})
	if n := next(t, notices); n.Code != "phone_unavailable" || n.Level != "error" {
		t.Fatalf("notice = %+v", n)
	}
	w.phones.mu.Lock()
	w.phones.fail = nil
	w.phones.mu.Unlock()
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Phone.User != "" }))
}

func TestSilentDeskLeavesRoutingAndComesBackAsItWas(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Lease = 0 }) // the default, 8 s
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	w.call("")
	w.work(d, ringing)
	w.advance(7900 * time.Millisecond)
	if a := w.router.agent("anna"); !a.Present {
		t.Fatal("left routing before the lease was over")
	}
	must(t, d.Send(agentdesk.TypeHeartbeat, nil).WaitFor(w.ctx()))
	w.advance(7900 * time.Millisecond)
	if a := w.router.agent("anna"); !a.Present {
		t.Fatal("a heartbeat did not renew the lease")
	}
	w.advance(200 * time.Millisecond)
	eventually(t, "the silent desk leaves routing", func() bool { a := w.router.agent("anna"); return !a.Present && len(a.Work) == 0 })
	wait(t, d.Done())
	closedWith(t, d, agentdesk.CloseNoHeartbeat)
	back := w.open(s)
	eventually(t, "the desk is back in routing", func() bool { return w.router.agent("anna").Present })
	w.work(back, ringing) // the waiting call comes back without another click
}

func TestClosedTabKeepsTheCallAndLeavesRouting(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Lease = 0 })
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	id := w.call("07700 900123")
	w.answer("anna", w.work(d, ringing))
	w.work(d, phase(routing.PhaseTalking))
	d.Close()
	w.advance(9 * time.Second)
	eventually(t, "the desk leaves routing", func() bool { return !w.router.agent("anna").Present })
	back := w.open(s)
	item := w.work(back, func(i agentdesk.WorkItem) bool { return i.Contact == id && popped(i) })
	if item.Phase != routing.PhaseTalking || item.Why == "" {
		t.Fatalf("the call came back as %+v", item)
	}
}

func TestLongGoneDeskIsSignedOff(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	d.Close()
	eventually(t, "the connection is gone", func() bool { _, _, live := w.server.Shown("anna"); return !live })
	w.advance(31 * time.Minute)
	eventually(t, "the handler is signed off", func() bool { return w.router.agent("anna").Agent == "" })
}

func TestRestartAdoptsHandlers(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.Lease = 0 })
	w.add("anna")
	w.add("ben")
	for _, name := range []string{"anna", "ben"} {
		w.submit(routing.AgentSignedOn{Agent: routing.AgentID(name), Profile: "general", DeviceUp: true})
		w.submit(routing.AgentReady{Agent: routing.AgentID(name)})
	}
	id := w.call("07700 900123")
	who := "anna"
	if len(w.router.agent("ben").Work) == 1 {
		who = "ben"
	}
	w.answer(who, agentdesk.WorkItem{Work: w.router.agent(who).Work[0]})
	// The server knew none of this: it has just started.
	w.server.Adopt([]routing.AgentChanged{w.router.agent("anna"), w.router.agent("ben")})
	d := w.desk(who)
	item := w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == id && popped(i) })
	if item.Phase != routing.PhaseTalking || item.Caller.Number != "07700 900123" || d.State().Me.State != routing.StateBusy {
		t.Fatalf("adopted desk shows %+v", d.State())
	}
	other := map[string]string{"anna": "ben", "ben": "anna"}[who]
	must(t, d.Send(agentdesk.TypeHeartbeat, nil).WaitFor(w.ctx()))
	w.now.Add(int64(7 * time.Second))
	must(t, d.Send(agentdesk.TypeHeartbeat, nil).WaitFor(w.ctx()))
	w.advance(2 * time.Second)
	eventually(t, "the handler who did not come back leaves routing", func() bool { return !w.router.agent(other).Present })
	if !w.router.agent(who).Present {
		t.Fatal("the handler who came back left routing")
	}
}

func TestRouterAwayIsSaidAndNothingIsLost(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.router.broken.Store(true)
	d := w.desk("anna")
	refused(t, d.Ready(w.ctx()), agentdesk.CodeUnavailable)
	w.router.broken.Store(false)
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Me.State == routing.StateNotReady }))
	w.ready(d)
}

func TestUnknownProfileIsSaid(t *testing.T) {
	w := newWorld(t)
	w.add("anna", func(s *agentdesk.UserSpec) { s.Profile = "vanished" })
	notices := make(chan agentdesk.Notice, 10)
	d := w.desk("anna", func(o *deskclient.Options) {
		o.OnDelta = func(delta agentdesk.Delta) {
			if delta.Notice != nil {
				notices <- *delta.Notice
			}
		}
	})
	if n := next(t, notices); n.Code != routing.RefusedProfile {
		t.Fatalf("notice = %+v", n)
	}
	refused(t, d.Ready(w.ctx()), routing.RefusedAgent)
}

func TestSlowReaderIsDisconnectedByName(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	ws, _, err := w.raw(w.signOn("anna"), nil)
	must(t, err)
	must(t, ws.WriteMessage(websocket.TextMessage, []byte(hello)))
	eventually(t, "the desk is live", func() bool { _, _, live := w.server.Shown("anna"); return live })
	// Nothing is read while the engine says more than any queue holds.
	reason := strings.Repeat("long reason ", 4000)
	for i := range 2000 {
		must(t, w.server.Do(w.ctx(), routing.AgentChanged{Agent: "anna", State: routing.StateNotReady, Reason: fmt.Sprint(reason, i)}))
	}
	if got := closeCode(t, ws); got != agentdesk.CloseSlow {
		t.Fatalf("closed with %d, want %d", got, agentdesk.CloseSlow)
	}
	var metrics strings.Builder
	resp, _ := send(t, w, browser(t), "GET", "/metrics", "", nil)
	must(t, resp.Write(&metrics))
	if !strings.Contains(metrics.String(), "c3i_desk_slow_disconnects_total 1") {
		t.Error("the slow disconnect was not counted")
	}
}

func TestQueuesAreShownToThoseWhoMayServeThem(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("kasia", func(s *agentdesk.UserSpec) { s.Profile = "polish" })
	anna, kasia := w.desk("anna"), w.desk("kasia")
	if q := anna.State().Queues; len(q) != 1 || q[0].Queue != "general" {
		t.Fatalf("anna sees %+v", q)
	}
	w.call("", func(f *contact.Facts) { f.Language = "pl" })
	w.server.Sweep(w.clock())
	must(t, kasia.Wait(w.ctx(), func(s agentdesk.Desk) bool {
		return len(s.Queues) == 2 && s.Queues[1].Label == "Polish" && s.Queues[1].Waiting == 1 && s.Queues[1].Open
	}))
	_, before, _ := w.server.Shown("anna")
	w.server.Sweep(w.clock())
	if _, after, _ := w.server.Shown("anna"); after != before {
		t.Fatal("a desk was sent queues that had not changed for it")
	}
}

func TestTwoHundredDesksAtOnce(t *testing.T) {
	w := newWorld(t)
	const n = 200
	// One address signs all of them on: good sign-ons are not throttled.
	for i := range n {
		w.add(fmt.Sprintf("h%d", i))
	}
	desks := make([]*deskclient.Desk, n)
	var wg sync.WaitGroup
	lanes := make(chan struct{}, 20)
	for i := range n {
		wg.Go(func() {
			lanes <- struct{}{}
			defer func() { <-lanes }()
			s, err := deskclient.SignOn(w.ctx(), w.web.URL, fmt.Sprintf("h%d", i), password)
			if err != nil {
				t.Errorf("sign-on %d: %v", i, err)
				return
			}
			if desks[i], err = s.Open(w.ctx(), deskclient.Options{}); err != nil {
				t.Errorf("desk %d: %v", i, err)
				return
			}
			if err := desks[i].Ready(w.ctx()); err != nil {
				t.Errorf("ready %d: %v", i, err)
			}
			s.Close()
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	defer func() {
		for _, d := range desks {
			d.Close()
		}
	}()
	ids := map[contact.ID]bool{}
	for range n {
		ids[w.call("")] = true
	}
	rung := make(chan contact.ID, n)
	for _, d := range desks {
		wg.Go(func() {
			item, err := d.WaitWork(w.ctx(), func(i agentdesk.WorkItem) bool { return ringing(i) && popped(i) })
			if err != nil {
				t.Errorf("no call: %v", err)
				return
			}
			rung <- item.Contact
		})
	}
	wg.Wait()
	close(rung)
	for id := range rung {
		if !ids[id] {
			t.Errorf("%s rang twice or was never made", id)
		}
		delete(ids, id)
	}
	if len(ids) != 0 {
		t.Errorf("%d calls rang nowhere", len(ids))
	}
}

func TestAlertsGoToSupervisors(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("sue", func(s *agentdesk.UserSpec) { s.Role = agentdesk.RoleSupervisor })
	seen := make(chan string, 10)
	tell := func(who string) func(*deskclient.Options) {
		return func(o *deskclient.Options) {
			o.OnDelta = func(d agentdesk.Delta) {
				if d.Notice != nil {
					seen <- who + " " + d.Notice.Text
				}
			}
		}
	}
	anna, _ := w.desk("anna", tell("anna")), w.desk("sue", tell("sue"))
	must(t, w.server.Do(w.ctx(), routing.Alert{Code: "repeated_no_answer", Text: "A handler missed three calls."}))
	if got := next(t, seen); got != "sue A handler missed three calls." {
		t.Fatalf("told %q", got)
	}
	must(t, anna.Send(agentdesk.TypeHeartbeat, nil).WaitFor(w.ctx()))
	if len(seen) != 0 {
		t.Fatalf("also told %q", <-seen)
	}
}

func FuzzClientMessage(f *testing.F) {
	for _, seed := range []string{hello, `{}`, `null`, `[`, `{"id":1,"type":"heartbeat","body":{}}`, `{"id":1e400}`, "\xff", `{"id":18446744073709551616}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := agentdesk.DecodeMessage(frame)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("an accepted message cannot be written again: %v", err)
		}
		if back, err := agentdesk.DecodeMessage(again); err != nil || back.ID != m.ID || back.Type != m.Type {
			t.Fatalf("%q was read as %+v, then as %+v, %v", frame, m, back, err)
		}
	})
}
