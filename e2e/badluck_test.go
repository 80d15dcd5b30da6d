package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

func phonePassword(name string) string { return name + "-secret-password" }

// phonesFor is the settings' part for SIP phones with these names.
func phonesFor(names ...string) string {
	var b strings.Builder
	b.WriteString("asterisk:\n  phones:\n")
	for _, n := range names {
		fmt.Fprintf(&b, "    - {name: %s, password: %s}\n", n, phonePassword(n))
	}
	return b.String()
}

// handler is a call-handler with a SIP phone.
type handler struct {
	t, whole *testing.T // the subtest, and the test whose end closes the desk
	name     string
	session  *deskclient.Session
	desk     *deskclient.Desk
	phone    *sipphone.Phone
	line     *sipphone.Registration
}

// newHandler adds a user, registers the phone and opens the desk, not ready.
func newHandler(t *testing.T, s *harness.System, name, profile string) *handler {
	t.Helper()
	ctx := limit(t, 60*time.Second)
	password := s.AddUser(name, profile, "PJSIP/"+name)
	h := &handler{t: t, whole: t, name: name, phone: newPhone(t)}
	var err error
	h.line, err = h.phone.Register(ctx, sipphone.Account{User: name, Password: phonePassword(name), Registrar: "sip:" + s.SIP})
	must(t, "register "+name, err)
	h.session, err = deskclient.SignOn(ctx, s.URL, name, password)
	must(t, "sign on", err)
	t.Cleanup(h.session.Close)
	h.open()
	return h
}

// open opens the desk, again after it was closed.
func (h *handler) open() {
	h.t.Helper()
	desk, err := h.session.Open(limit(h.t, time.Minute), deskclient.Options{})
	must(h.t, "open the desk", err)
	h.desk = desk
	h.whole.Cleanup(desk.Close)
}

func (h *handler) ready() {
	h.t.Helper()
	must(h.t, h.name+" ready", h.desk.Ready(limit(h.t, time.Minute)))
}

func (h *handler) notReady() {
	h.t.Helper()
	must(h.t, h.name+" not ready", h.desk.NotReady(limit(h.t, time.Minute), "break"))
}

// is waits until the desk shows a state and nothing in hand.
func (h *handler) is(state routing.AgentState) {
	h.t.Helper()
	err := h.desk.Wait(limit(h.t, time.Minute), func(d agentdesk.Desk) bool { return d.Me.State == state && len(d.Work) == 0 })
	if err != nil {
		d := h.desk.State()
		h.t.Fatalf("%s is not %s without work: %v; the desk shows %s %s, %d in hand", h.name, state, err, d.Me.State, d.Me.Reason, len(d.Work))
	}
}

func (h *handler) work(what string, ok func(agentdesk.WorkItem) bool) agentdesk.WorkItem {
	h.t.Helper()
	w, err := h.desk.WaitWork(limit(h.t, time.Minute), ok)
	if err != nil {
		h.t.Fatalf("%s does not see %s: %v; in hand: %+v", h.name, what, err, h.desk.State().Work)
	}
	return w
}

func (h *handler) in(p routing.Phase) agentdesk.WorkItem {
	h.t.Helper()
	return h.work("a contact "+string(p), inPhase(p))
}

// answer takes the next call on the phone and waits until both talk.
func (h *handler) answer() (*sipphone.IncomingCall, agentdesk.WorkItem) {
	h.t.Helper()
	rang := incoming(h.t, h.phone)
	h.pickUp(rang)
	return rang, h.in(routing.PhaseTalking)
}

func (h *handler) pickUp(rang *sipphone.IncomingCall) {
	h.t.Helper()
	must(h.t, h.name+" answers", rang.Answer(limit(h.t, time.Minute), sipphone.AnswerOptions{}))
}

// wrapUp closes the contact in wrap-up.
func (h *handler) wrapUp() {
	h.t.Helper()
	w := h.in(routing.PhaseWrapUp)
	must(h.t, "close", h.desk.CloseContact(limit(h.t, time.Minute), w.Contact, contact.Outcome{Code: "advice_given"}))
}

// converse proves that both hear each other.
func converse(t *testing.T, caller *sipphone.Call, rang *sipphone.IncomingCall) {
	t.Helper()
	ctx := limit(t, time.Minute)
	must(t, "caller's tone", caller.SendTone(callerTone))
	must(t, "handler's tone", rang.SendTone(handlerTone))
	must(t, "handler hears the caller", rang.WaitTone(ctx, callerTone, 200*time.Millisecond))
	must(t, "caller hears the handler", caller.WaitTone(ctx, handlerTone, 200*time.Millisecond))
}

func hangUp(t *testing.T, c *sipphone.Call) {
	t.Helper()
	must(t, "hang up", c.Hangup(limit(t, time.Minute)))
}

func ended(t *testing.T, what string, c *sipphone.Call) sipphone.End {
	t.Helper()
	end, err := c.WaitEnded(limit(t, time.Minute))
	must(t, what, err)
	return end
}

// inState waits until so many calls are in a state of telephony's.
func inState(t *testing.T, s *harness.System, state string, n float64) {
	t.Helper()
	harness.Await(t, fmt.Sprintf("%v calls %s", n, state), time.Minute, func() bool {
		return s.Metric("c3i_calls", `state="`+state+`"`) == n
	})
}

// closedPlan is the built-in plan with callers who press 3 going to a queue that
// is closed now.
func closedPlan(t *testing.T) string {
	t.Helper()
	src, err := configs.Files.ReadFile("plan.yaml")
	must(t, "read the plan", err)
	day := strings.ToLower(time.Now().AddDate(0, 0, 3).Weekday().String()[:3])
	text := regexp.MustCompile(`(?m)^      mon-fri: .*\n      sat: .*$`).ReplaceAllString(string(src), "      "+day+": 10:00-10:01")
	text = strings.Replace(text, `answers.menu == "property"`, `answers.menu == "other"`, 1)
	if !strings.Contains(text, day+": 10:00-10:01") || strings.Count(text, `answers.menu == "other"`) != 1 {
		t.Fatal("the built-in plan is not as this test thinks")
	}
	file := filepath.Join(t.TempDir(), "plan.yaml")
	must(t, "write the plan", os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestBadLuck(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{
		Config: phonesFor("h1", "h2"), Args: []string{"--plan", closedPlan(t)}, Race: true,
	})
	ari := s.ARI()
	h1 := newHandler(t, s, "h1", "crime-desk")
	h2 := newHandler(t, s, "h2", "crime-desk-polish")
	ctx := limit(t, 4*time.Minute)
	nothingLeft := func(t *testing.T) {
		t.Helper()
		s.AwaitNoCalls(ari)
	}

	run := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			h1.t, h2.t = t, t
			f(t)
			nothingLeft(t)
		})
	}

	run("the caller hangs up in every state", func(t *testing.T) {
		const number = "07700900400"
		for _, c := range []struct{ state, keys string }{{"welcome", ""}, {"language", "*"}, {"menu", "1"}, {"collecting", "1212"}} {
			call := ring(t, s, number, c.keys)
			inState(t, s, "ivr", 1)
			hangUp(t, call)
			nothingLeft(t)
		}
		call := ring(t, s, number, "11")
		inState(t, s, "waiting", 1)
		hangUp(t, call)
		nothingLeft(t)

		h1.ready()
		call = ring(t, s, number, "11")
		rang := incoming(t, h1.phone)
		must(t, "ring", rang.Ring())
		h1.in(routing.PhaseRinging)
		hangUp(t, call)
		ended(t, "the phone stops ringing", rang.Call)
		h1.is(routing.StateReady)
		nothingLeft(t)

		// At the very moment of the answer, in both orders.
		for range 3 {
			call = ring(t, s, number, "11")
			rang = incoming(t, h1.phone)
			answered := make(chan error, 1)
			go func() { answered <- rang.Answer(ctx, sipphone.AnswerOptions{}) }()
			hangUp(t, call)
			if err := <-answered; err != nil && sipphone.CodeOf(err) != sipphone.CodeEnded {
				t.Errorf("answer: %v", err)
			}
			ended(t, "the handler's phone is hung up", rang.Call)
			nothingLeft(t)
			must(t, "the handler is free or wraps up", h1.desk.Wait(ctx, func(d agentdesk.Desk) bool {
				return d.Me.State == routing.StateReady && (len(d.Work) == 0 || d.Work[0].Phase == routing.PhaseWrapUp)
			}))
			if len(h1.desk.State().Work) > 0 {
				h1.wrapUp()
			}
			h1.is(routing.StateReady)
		}

		call = ring(t, s, number, "11")
		rang, _ = h1.answer()
		converse(t, call, rang)
		hangUp(t, call)
		ended(t, "the handler's phone is hung up", rang.Call)
		h1.wrapUp()
		nothingLeft(t)

		call = ring(t, s, number, "11")
		rang, w := h1.answer()
		must(t, "hold", h1.desk.Control(ctx, w.Contact, routing.VerbHold, ""))
		h1.in(routing.PhaseHeld)
		hangUp(t, call)
		ended(t, "the handler's phone is hung up", rang.Call)
		h1.wrapUp()
		h1.is(routing.StateReady)
		nothingLeft(t)

		// The next call shows all of them, each once.
		call = ring(t, s, number, "11")
		incoming(t, h1.phone)
		w = h1.work("the history", func(w agentdesk.WorkItem) bool { return len(w.History) > 0 })
		got, seen := map[contact.Ending]int{}, map[contact.ID]bool{}
		for _, e := range w.History {
			got[e.Ending]++
			if seen[e.Contact] {
				t.Errorf("contact %s is in the history twice", e.Contact)
			}
			seen[e.Contact] = true
		}
		short := got[contact.AbandonedShort] + got[contact.AbandonedInQueue]
		if len(w.History) != 11 || got[contact.LeftInIVR] != 4 || short < 2 || got[contact.Answered] < 2 || short+got[contact.Answered] != 7 {
			t.Errorf("history of 11 calls: %v", got)
		}
		hangUp(t, call)
		h1.is(routing.StateReady)
		nothingLeft(t)
		if n := s.Metric("c3i_call_verdicts_total"); n != 12 {
			t.Errorf("%v verdicts on 12 calls", n)
		}
		if n := s.Metric("c3i_call_verdicts_total", `verdict="impossible"`); n != 0 {
			t.Errorf("%v calls ended impossibly", n)
		}
		h1.notReady()
	})

	run("a busy phone and a declined offer go to the next handler", func(t *testing.T) {
		h1.ready()
		h2.ready()
		call := ring(t, s, "07700900401", "11")
		must(t, "busy", incoming(t, h1.phone).Reject(486))
		second := incoming(t, h2.phone)
		rest := h1.desk.Wait(ctx, func(d agentdesk.Desk) bool { return d.Me.State == routing.StateResting })
		must(t, "the first rests", rest)
		h1.ready() // ends the rest
		h1.is(routing.StateReady)
		must(t, "ring", second.Ring())
		w := h2.in(routing.PhaseRinging)
		must(t, "decline", h2.desk.Decline(ctx, w.Offer, ""))
		ended(t, "the declined phone stops ringing", second.Call)
		rang, _ := h1.answer()
		converse(t, call, rang)
		hangUp(t, rang.Call)
		ended(t, "the caller is hung up", call)
		h1.wrapUp()
		h1.notReady()
		h2.ready()
		h2.notReady()
	})

	run("a phone that is not registered", func(t *testing.T) {
		must(t, "unregister", h1.line.Unregister(ctx))
		h1.ready()
		h2.ready()
		call := ring(t, s, "07700900402", "11")
		began := time.Now()
		rang, _ := h2.answer()
		if took := time.Since(began); took > 15*time.Second { // a phone rings for 20
			t.Errorf("an unreachable phone held the caller up for %s", took)
		}
		converse(t, call, rang)
		hangUp(t, call)
		h2.wrapUp()
		h2.notReady()
		h1.notReady()
		var err error
		h1.line, err = h1.phone.Register(ctx, sipphone.Account{User: "h1", Password: phonePassword("h1"), Registrar: "sip:" + s.SIP})
		must(t, "register again", err)
	})

	run("answered twice", func(t *testing.T) {
		h1.ready()
		call := ring(t, s, "07700900403", "11")
		rang := incoming(t, h1.phone)
		h1.pickUp(rang)
		if err := rang.Answer(ctx, sipphone.AnswerOptions{}); err == nil {
			t.Error("the phone answered twice")
		}
		w := h1.in(routing.PhaseTalking)
		// The offer is accepted: it can be neither declined nor taken again.
		var refused *agentdesk.Error
		if err := h1.desk.Decline(ctx, w.Offer, ""); !errors.As(err, &refused) {
			t.Errorf("an accepted offer was declined: %v", err)
		}
		converse(t, call, rang)
		hangUp(t, call)
		h1.wrapUp()
		h1.notReady()
	})

	run("the desk closes while talking and comes back", func(t *testing.T) {
		h1.ready()
		call := ring(t, s, "07700900404", "11")
		rang, w := h1.answer()
		h1.desk.Close()
		converse(t, call, rang)
		h1.open()
		back := h1.in(routing.PhaseTalking)
		if back.Contact != w.Contact || back.Caller.Number != "07700900404" {
			t.Errorf("the desk came back to %+v", back)
		}
		must(t, "call control works", h1.desk.Control(ctx, w.Contact, routing.VerbHold, ""))
		h1.in(routing.PhaseHeld)
		must(t, "resume", h1.desk.Control(ctx, w.Contact, routing.VerbResume, ""))
		converse(t, call, rang)
		hangUp(t, call)
		h1.wrapUp()
		h1.ready()
		h1.is(routing.StateReady)
	})

	run("not ready while it rings", func(t *testing.T) {
		call := ring(t, s, "07700900405", "11")
		rang := incoming(t, h1.phone)
		must(t, "ring", rang.Ring())
		h1.in(routing.PhaseRinging)
		h2.ready()
		h1.notReady()
		ended(t, "the phone stops ringing", rang.Call)
		h1.is(routing.StateNotReady)
		next, _ := h2.answer()
		converse(t, call, next)
		hangUp(t, call)
		h2.wrapUp()
		h2.notReady()
	})

	run("nobody is ready", func(t *testing.T) {
		call := ring(t, s, "07700900406", "11")
		inState(t, s, "waiting", 1)
		must(t, "music", call.WaitAudio(ctx))
		began := time.Now()
		h2.ready()
		rang := incoming(t, h2.phone)
		t.Logf("ready to ringing: %s", time.Since(began))
		h2.pickUp(rang)
		h2.in(routing.PhaseTalking)
		converse(t, call, rang)
		hangUp(t, call)
		h2.wrapUp()
		h2.is(routing.StateReady)
	})

	run("a closed queue", func(t *testing.T) {
		call := ring(t, s, "07700900407", "13")
		inState(t, s, "closing", 1)
		must(t, "the announcement", call.WaitAudio(ctx))
		if end := ended(t, "hung up after the announcement", call); end.Cause != sipphone.PeerHungUp {
			t.Errorf("ended: %+v", end)
		}
		nothingLeft(t)
		if n := s.Metric("c3i_call_verdicts_total", `verdict="queue_closed"`); n != 1 {
			t.Errorf("%v calls were judged queue_closed", n)
		}
	})

	if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
		t.Errorf("replay says:\n%s", out)
	}
}
