package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

// phones is the settings' part for SIP phones of the handlers' own.
const phones = `
asterisk:
  phones:
    - {name: h17, password: seventeen-secret}
    - {name: h18, password: eighteen-secret}
`

var phonePasswords = map[string]string{"h17": "seventeen-secret", "h18": "eighteen-secret"}

// Tones each side sends; far enough apart, and from DTMF, to be told apart.
const (
	callerTone  = 1000.0
	handlerTone = 1700.0
)

func limit(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func newPhone(t *testing.T) *sipphone.Phone {
	t.Helper()
	p, err := sipphone.Listen(t.Context(), sipphone.Options{})
	must(t, "open a SIP phone", err)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close the SIP phone: %v", err)
		}
	})
	return p
}

// handlerAt signs a handler with a SIP phone on: the desk, and the phone.
func handlerAt(t *testing.T, s *harness.System, name, profile string) (*deskclient.Desk, *sipphone.Phone) {
	t.Helper()
	ctx := limit(t, time.Minute)
	password := s.AddUser(name, profile, "PJSIP/"+name)
	phone := newPhone(t)
	_, err := phone.Register(ctx, sipphone.Account{User: name, Password: phonePasswords[name], Registrar: "sip:" + s.SIP})
	must(t, "register "+name, err)
	_, desk := readyDesk(ctx, t, s, name, password)
	return desk, phone
}

// ring rings 101 and presses keys in the menus.
func ring(t *testing.T, s *harness.System, from, keys string) *sipphone.Call {
	t.Helper()
	ctx := limit(t, time.Minute)
	call, err := newPhone(t).Call(ctx, "sip:101@"+s.SIP, sipphone.CallOptions{From: from, Withheld: from == ""})
	must(t, "ring 101", err)
	must(t, "be answered", call.WaitAnswered(ctx))
	must(t, "hear the welcome", call.WaitAudio(ctx))
	if keys != "" {
		must(t, "press "+keys, call.SendDigits(ctx, keys, sipphone.DigitOptions{}))
	}
	return call
}

func incoming(t *testing.T, p *sipphone.Phone) *sipphone.IncomingCall {
	t.Helper()
	select {
	case c := <-p.Incoming():
		return c
	case <-time.After(time.Minute):
		t.Fatal("the handler's phone did not ring within a minute")
		return nil
	}
}

func inPhase(want routing.Phase) func(agentdesk.WorkItem) bool {
	return func(w agentdesk.WorkItem) bool { return w.Phase == want }
}

func TestASIPPhoneHandlerTakesACallAndTheNextShowsIt(t *testing.T) {
	s := harness.Start(t, harness.Options{Config: phones, Race: true})
	desk, phone := handlerAt(t, s, "h17", "crime-desk")
	ctx := limit(t, 2*time.Minute)

	call := ring(t, s, "07700900123", "11")
	rang := incoming(t, phone)
	work, err := desk.WaitWork(ctx, func(w agentdesk.WorkItem) bool { return w.Phase == routing.PhaseRinging && w.Caller.Number != "" })
	must(t, "see the call ring on the desk", err)
	if work.Caller.Number != "07700900123" || work.Queue != "crime" || work.Facts.Language != "en" || work.Why == "" {
		t.Errorf("desk shows caller %+v, queue %s, language %s, why %q", work.Caller, work.Queue, work.Facts.Language, work.Why)
	}
	if len(work.Answers) == 0 || work.Answers[0].Answer != "Report a crime" {
		t.Errorf("desk shows IVR answers %+v", work.Answers)
	}
	if len(work.History) != 0 {
		t.Errorf("a first caller has history: %+v", work.History)
	}
	must(t, "answer", rang.Answer(ctx, sipphone.AnswerOptions{}))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "be talking", err)

	must(t, "caller's tone", call.SendTone(callerTone))
	must(t, "handler's tone", rang.SendTone(handlerTone))
	must(t, "handler hears the caller", rang.WaitTone(ctx, callerTone, 300*time.Millisecond))
	must(t, "caller hears the handler", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	must(t, "mute", desk.Control(ctx, work.Contact, routing.VerbMute, ""))
	must(t, "muted: caller hears silence", call.WaitSilence(ctx, 400*time.Millisecond))
	must(t, "muted: handler still hears", rang.WaitTone(ctx, callerTone, 300*time.Millisecond))
	must(t, "unmute", desk.Control(ctx, work.Contact, routing.VerbUnmute, ""))
	must(t, "unmuted: caller hears", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	must(t, "hold", desk.Control(ctx, work.Contact, routing.VerbHold, ""))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseHeld))
	must(t, "be held", err)
	must(t, "held: handler hears silence", rang.WaitSilence(ctx, 400*time.Millisecond))
	must(t, "resume", desk.Control(ctx, work.Contact, routing.VerbResume, ""))
	must(t, "resumed: handler hears", rang.WaitTone(ctx, callerTone, 300*time.Millisecond))
	must(t, "resumed: caller hears", call.WaitTone(ctx, handlerTone, 300*time.Millisecond))

	_, err = desk.SaveNote(ctx, work.Contact, "Bicycle taken from the station", 0)
	must(t, "save a note", err)
	must(t, "caller hangs up", call.Hangup(ctx))
	must(t, "the handler's phone is hung up too", waitEnded(ctx, rang.Call))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
	must(t, "wrap up", err)
	must(t, "close", desk.CloseContact(ctx, work.Contact, contact.Outcome{Code: "crime_recorded"}))
	must(t, "be ready again", desk.Wait(ctx, func(d agentdesk.Desk) bool { return d.Me.State == routing.StateReady && len(d.Work) == 0 }))

	call = ring(t, s, "+447700900123", "11")
	rang = incoming(t, phone)
	work, err = desk.WaitWork(ctx, func(w agentdesk.WorkItem) bool { return len(w.History) > 0 })
	must(t, "see the history on the second call", err)
	h := work.History[0]
	if h.Note != "Bicycle taken from the station" || h.Outcome != "crime_recorded" || h.OutcomeLabel != "Crime recorded" || h.Ending != contact.Answered {
		t.Errorf("history = %+v", h)
	}
	must(t, "answer", rang.Answer(ctx, sipphone.AnswerOptions{}))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "be talking", err)
	must(t, "handler hangs up", rang.Hangup(ctx))
	must(t, "the caller is hung up too", waitEnded(ctx, call))

	if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
		t.Errorf("replay says:\n%s", out)
	}
}

func TestNoAnswerMovesToTheNextHandler(t *testing.T) {
	s := harness.Start(t, harness.Options{Config: phones})
	desk1, phone1 := handlerAt(t, s, "h17", "crime-desk")
	desk2, phone2 := handlerAt(t, s, "h18", "crime-desk-polish")
	ctx := limit(t, 2*time.Minute)

	call := ring(t, s, "", "11")
	first := incoming(t, phone1) // the better at recording crimes
	must(t, "ring", first.Ring())
	second := incoming(t, phone2)
	// The second is not kept waiting for the first to be told, but told it is.
	must(t, "stop ringing the first phone", waitEnded(ctx, first.Call))
	must(t, "see the first rest", desk1.Wait(ctx, func(d agentdesk.Desk) bool {
		return d.Me.State == routing.StateResting && d.Me.Reason == "no_answer"
	}))
	must(t, "answer", second.Answer(ctx, sipphone.AnswerOptions{}))
	work, err := desk2.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "be talking", err)
	if work.Caller.CLI != contact.CLIWithheld || work.Caller.Number != "" {
		t.Errorf("a withheld caller is shown as %+v", work.Caller)
	}
	must(t, "hang up", call.Hangup(ctx))
	must(t, "second phone hung up", waitEnded(ctx, second.Call))
}

func TestTwoCallersOneHandler(t *testing.T) {
	s := harness.Start(t, harness.Options{Config: phones})
	desk, phone := handlerAt(t, s, "h17", "crime-desk")
	ctx := limit(t, 2*time.Minute)

	ring(t, s, "02079460001", "11")
	first := incoming(t, phone)
	must(t, "answer the first", first.Answer(ctx, sipphone.AnswerOptions{}))
	work, err := desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "be talking", err)
	call2 := ring(t, s, "02079460002", "11")
	must(t, "see one waiting", desk.Wait(ctx, func(d agentdesk.Desk) bool {
		for _, q := range d.Queues {
			if q.Queue == "crime" && q.Waiting == 1 {
				return true
			}
		}
		return false
	}))
	must(t, "hang up the first", desk.Control(ctx, work.Contact, routing.VerbHangup, ""))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
	must(t, "wrap up", err)
	must(t, "close", desk.CloseContact(ctx, work.Contact, contact.Outcome{Code: "advice_given"}))
	second := incoming(t, phone)
	// The caller gives up while the phone rings: it must stop at once.
	must(t, "second caller hangs up", call2.Hangup(ctx))
	must(t, "the ringing stops", waitEnded(ctx, second.Call))
	must(t, "be ready again", desk.Wait(ctx, func(d agentdesk.Desk) bool { return d.Me.State == routing.StateReady }))
}

func waitEnded(ctx context.Context, c *sipphone.Call) error {
	_, err := c.WaitEnded(ctx)
	return err
}
