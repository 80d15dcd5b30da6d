package e2e

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

// sipDevice is a phone registered under a name, that nobody signs on at.
func sipDevice(t *testing.T, s *harness.System, name string) *sipphone.Phone {
	t.Helper()
	p := newPhone(t)
	_, err := p.Register(limit(t, time.Minute), sipphone.Account{User: name, Password: phonePassword(name), Registrar: "sip:" + s.SIP})
	must(t, "register "+name, err)
	return p
}

// freeAddress is an address nobody listens on, kept over restarts.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, "find a port", err)
	must(t, "free the port", l.Close())
	return l.Addr().String()
}

// ringAway rings 101 while C3i is away, and returns once the announcement is heard.
func ringAway(t *testing.T, s *harness.System, from string) *sipphone.Call {
	t.Helper()
	ctx := limit(t, time.Minute)
	call, err := newPhone(t).Call(ctx, "sip:101@"+s.SIP, sipphone.CallOptions{From: from})
	must(t, "ring 101", err)
	must(t, "be answered by the fallback", call.WaitAnswered(ctx))
	must(t, "hear the announcement", call.WaitAudio(ctx))
	return call
}

// comesBack waits until the desk has connected to the new process by itself.
func comesBack(t *testing.T, h *handler, seen int) {
	t.Helper()
	harness.Await(t, h.name+"'s desk to come back", time.Minute, func() bool { return h.desk.Stats().Snapshots > seen })
}

const fallbackSettings = `
telephony:
  fallback_retry: 1s
  fallback_group: [PJSIP/group]
`

func TestC3iKilled(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{
		Config: phonesFor("h1", "group") + fallbackSettings,
		Args:   []string{"--http.listen", freeAddress(t), "--asterisk.sip_listen", freeAddress(t)},
	})
	h1 := newHandler(t, s, "h1", "crime-desk")
	group := sipDevice(t, s, "group")
	ctx := limit(t, 3*time.Minute)

	h1.ready()
	talking := ring(t, s, "07700900410", "11")
	rang, w := h1.answer()
	converse(t, talking, rang)
	_, err := h1.desk.SaveNote(ctx, w.Contact, "Shed broken into", 0)
	must(t, "save a note", err)
	waiting := ring(t, s, "07700900411", "11")
	inState(t, s, "waiting", 1)

	seen := h1.desk.Stats().Snapshots
	s.Kill()
	must(t, "the waiting caller is not met by silence", waiting.WaitAudio(ctx))
	converse(t, talking, rang) // Asterisk carries it on
	newcomer := ringAway(t, s, "07700900412")
	atGroup := incoming(t, group)
	must(t, "the ring group answers", atGroup.Answer(ctx, sipphone.AnswerOptions{}))
	converse(t, newcomer, atGroup)
	converse(t, talking, rang)

	s.Restart()
	s.AwaitReady(true, time.Minute)
	s.AwaitNoCalls(s.ARI()) // nothing of before is left half served
	for what, c := range map[string]*sipphone.Call{"talking": talking, "waiting": waiting, "at the ring group": newcomer} {
		ended(t, "the call "+what, c)
	}
	// The desk comes back by itself, to a contact that waits for its outcome.
	comesBack(t, h1, seen)
	h1.wrapUp()
	h1.is(routing.StateReady)

	again := ring(t, s, "07700900410", "11")
	rang, _ = h1.answer()
	converse(t, again, rang)
	w = h1.work("the history", func(w agentdesk.WorkItem) bool { return len(w.History) > 0 })
	if e := w.History[0]; e.Note != "Shed broken into" || e.Outcome != "advice_given" {
		t.Errorf("the contact from before the crash: %+v", e)
	}
	hangUp(t, again)
	h1.wrapUp()
	again = ring(t, s, "07700900411", "11")
	h1.answer()
	w = h1.work("the history", func(w agentdesk.WorkItem) bool { return len(w.History) > 0 })
	if e := w.History[0]; e.Ending != contact.Failed {
		t.Errorf("the caller who waited during the crash: %+v", e)
	}
	hangUp(t, again)
	h1.wrapUp()
	if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
		t.Errorf("replay says:\n%s", out)
	}
}

func TestInterruptDrains(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{
		Config: phonesFor("h1", "group") + fallbackSettings,
		Args:   []string{"--telephony.drain", "90s", "--http.listen", freeAddress(t), "--asterisk.sip_listen", freeAddress(t)},
	})
	h1 := newHandler(t, s, "h1", "crime-desk")
	h1.ready()
	call := ring(t, s, "07700900415", "11")
	rang, _ := h1.answer()

	seen := h1.desk.Stats().Snapshots
	s.Interrupt()
	s.AwaitReady(false, time.Minute)
	newcomer := ringAway(t, s, "07700900416")
	inState(t, s, "ivr", 0)
	converse(t, call, rang)
	select {
	case <-s.Exited():
		t.Fatal("c3i ended while a call was up")
	default:
	}
	hangUp(t, call)
	ended(t, "the handler's phone is hung up", rang.Call)
	if code := s.AwaitExit(time.Minute); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.Output())
	}
	ended(t, "the newcomer's call ends with Asterisk", newcomer)
	if left := s.Processes(); len(left) > 0 {
		t.Errorf("still running: %s", strings.Join(left, "\n"))
	}

	// A second Ctrl-C does not wait.
	s.Restart()
	comesBack(t, h1, seen)
	h1.wrapUp()
	h1.is(routing.StateReady)
	ring(t, s, "07700900417", "11")
	h1.answer()
	s.Interrupt()
	s.AwaitReady(false, time.Minute)
	s.Interrupt()
	if code := s.AwaitExit(time.Minute); code != 0 { // sooner than the drain's 90 s
		t.Errorf("after the second Ctrl-C: code %d", code)
	}
	if left := s.Processes(); len(left) > 0 {
		t.Errorf("still running: %s", strings.Join(left, "\n"))
	}
}

func TestEmergency(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Config: phonesFor("h1", "control") + "telephony:\n  emergency: PJSIP/control\n"})
	ari := s.ARI()
	control := sipDevice(t, s, "control")
	h1 := newHandler(t, s, "h1", "crime-desk")
	ctx := limit(t, 3*time.Minute)

	for name, keys := range map[string]string{"during the welcome": "", "in the menu": "1"} {
		t.Run("key 9 "+name, func(t *testing.T) {
			call := ring(t, s, "07700900420", keys)
			pressed := time.Now()
			must(t, "press 9", call.SendDigits(ctx, "9", sipphone.DigitOptions{}))
			rang := incoming(t, control)
			t.Logf("key 9 to ringing: %s", time.Since(pressed))
			must(t, "answer", rang.Answer(ctx, sipphone.AnswerOptions{}))
			converse(t, call, rang)
			hangUp(t, call)
			ended(t, "the emergency phone is hung up", rang.Call)
			s.AwaitNoCalls(ari)
		})
	}
	t.Run("busy: a message, then a handler", func(t *testing.T) {
		h1.t = t
		h1.ready()
		call := ring(t, s, "07700900421", "")
		must(t, "press 9", call.SendDigits(ctx, "9", sipphone.DigitOptions{}))
		must(t, "busy", incoming(t, control).Reject(486))
		toHandlerAfterEmergency(ctx, t, call, h1)
		s.AwaitNoCalls(ari)
	})
}

func TestEmergencyWithoutADestination(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Config: phonesFor("h1")})
	h1 := newHandler(t, s, "h1", "crime-desk")
	ctx := limit(t, 2*time.Minute)
	h1.ready()
	call := ring(t, s, "07700900422", "")
	must(t, "press 9", call.SendDigits(ctx, "9", sipphone.DigitOptions{}))
	toHandlerAfterEmergency(ctx, t, call, h1)
	s.AwaitNoCalls(s.ARI())
}

// toHandlerAfterEmergency proves that a caller whose emergency call failed hears
// so and is then answered by a handler, who sees it.
func toHandlerAfterEmergency(ctx context.Context, t *testing.T, call *sipphone.Call, h *handler) {
	t.Helper()
	must(t, "the message", call.WaitAudio(ctx))
	rang := incoming(t, h.phone)
	w := h.work("who calls", func(w agentdesk.WorkItem) bool { return w.Caller.Number != "" })
	if w.Facts.Answers["emergency"] != "not_connected" || w.Facts.Dialled != "101" {
		t.Errorf("the handler sees %+v", w.Facts)
	}
	h.pickUp(rang)
	h.in(routing.PhaseTalking)
	converse(t, call, rang)
	hangUp(t, call)
	h.wrapUp()
}
