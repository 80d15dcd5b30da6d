package e2e

import (
	"context"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

// outage is how long a part is away.
const outage = 5 * time.Second

func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Config: phonesFor("h1", "h2", "h3")})
	ari := s.ARI()
	h1 := newHandler(t, s, "h1", "crime-desk")
	h2 := newHandler(t, s, "h2", "crime-desk")
	h3 := newHandler(t, s, "h3", "crime-desk")
	records, err := crm.Open(t.Context(), crm.Options{Redis: s.Redis(), Region: "GB", IDs: contact.NewIDs(nil)})
	must(t, "open the CRM", err)

	for _, c := range []struct {
		name    string
		numbers []string
		// away takes Redis away and returns what brings it back.
		away func() (back func())
		// seen tells that /readyz must show it.
		seen bool
	}{
		{"frozen for five seconds", []string{"07700900460", "07700900461", "07700900462", "07700900463"}, func() func() {
			pid := s.RedisPID()
			s.Signal(pid, syscall.SIGSTOP)
			over := time.After(outage)
			return func() {
				<-over
				s.Signal(pid, syscall.SIGCONT)
			}
		}, true},
		{"killed", []string{"07700900464", "07700900465", "07700900466", "07700900467"}, func() func() {
			s.Signal(s.RedisPID(), syscall.SIGKILL)
			return func() {}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h1.t, h2.t, h3.t = t, t, t
			ctx := limit(t, 90*time.Second)
			contacts := map[string]contact.ID{}

			h1.ready()
			talking := ring(t, s, c.numbers[0], "11")
			rang1, w := h1.answer()
			contacts[c.numbers[0]] = w.Contact
			h2.ready()
			ringing := ring(t, s, c.numbers[1], "11")
			rang2 := incoming(t, h2.phone)
			must(t, "ring", rang2.Ring())
			contacts[c.numbers[1]] = h2.in(routing.PhaseRinging).Contact
			waiting := ring(t, s, c.numbers[2], "11")
			inState(t, s, "waiting", 1)

			back := c.away()
			typed := h1.desk.Send(agentdesk.TypeSaveNote, agentdesk.SaveNoteRequest{Contact: w.Contact, Text: "Front door forced"})
			if c.seen {
				s.AwaitReady(false, time.Minute)
			}
			newcomer := ring(t, s, c.numbers[3], "11")
			inState(t, s, "waiting", 2)
			began := time.Now()
			h3.ready()
			rang3 := incoming(t, h3.phone)
			t.Logf("ready to ringing without Redis: %s", time.Since(began))
			h3.pickUp(rang3)
			contacts[c.numbers[2]] = h3.in(routing.PhaseTalking).Contact
			converse(t, waiting, rang3)
			h2.pickUp(rang2)
			h2.in(routing.PhaseTalking)
			converse(t, ringing, rang2)
			converse(t, talking, rang1)
			must(t, "the newcomer is not met by silence", newcomer.WaitAudio(ctx))

			back()
			s.AwaitReady(true, time.Minute)
			// The note was saved, or refused so that the desk keeps it and asks again.
			if err := typed.WaitFor(ctx); err != nil {
				t.Logf("the note had to be sent again: %v", err)
				_, err := h1.desk.SaveNote(ctx, w.Contact, "Front door forced", 0)
				must(t, "save the note afterwards", err)
			}
			hangUp(t, talking)
			h1.wrapUp()
			rang1, w = h1.answer()
			contacts[c.numbers[3]] = w.Contact
			converse(t, newcomer, rang1)
			hangUp(t, newcomer)
			h1.wrapUp()
			hangUp(t, rang2.Call)
			ended(t, "the caller who rang is hung up", ringing)
			h2.wrapUp()
			hangUp(t, waiting)
			h3.wrapUp()
			for _, h := range []*handler{h1, h2, h3} {
				h.is(routing.StateReady)
				h.notReady()
			}
			s.AwaitNoCalls(ari)

			if len(contacts) != 4 {
				t.Errorf("contacts %v", contacts)
			}
			for number, id := range contacts {
				harness.Await(t, "the history of "+number, time.Minute, func() bool {
					r, err := records.Record(ctx, id)
					return err == nil && r.Ending == contact.Answered && r.Caller.Number == number && r.Outcome.Code == "advice_given"
				})
			}
			r, err := records.Record(ctx, contacts[c.numbers[0]])
			must(t, "read the note", err)
			if r.Note.Text != "Front door forced" {
				t.Errorf("note %+v", r.Note)
			}
			if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
				t.Errorf("replay says:\n%s", out)
			}
		})
	}
}

func TestTheConnectionToAsteriskIsCut(t *testing.T) {
	t.Parallel()
	names := []string{"h1", "h2", "h3", "h4"}
	settings := asterisk.Settings{Trunks: []asterisk.Trunk{{Name: "local", Match: []string{"127.0.0.1"}, Codecs: []string{"ulaw", "alaw"}}}}
	for _, n := range names {
		settings.Phones = append(settings.Phones, asterisk.Phone{Name: n, Password: phonePassword(n)})
	}
	private := asterisktest.Start(t, settings)
	proxy := harness.NewProxy(t, private.HTTPAddress())
	s := harness.Start(t, harness.Options{
		Args: []string{"--asterisk.url", "http://" + proxy.Addr, "--asterisk.ari_password", private.Settings().ARIPassword},
	})
	s.SIP = private.SIPAddress()
	ari := harness.ARI{URL: private.URL(), User: "c3i", Password: private.Settings().ARIPassword}
	var hs []*handler
	for _, n := range names {
		hs = append(hs, newHandler(t, s, n, "crime-desk"))
	}
	ctx := limit(t, 2*time.Minute)

	// Two calls in each state: one stays, one hangs up during the cut.
	number := func(i int) string {
		return []string{"07700900470", "07700900471", "07700900472", "07700900473", "07700900474", "07700900475", "07700900476", "07700900477", "07700900478"}[i]
	}
	var talking [2]*sipphone.Call
	var talkers [2]*sipphone.IncomingCall
	for i := range talking {
		hs[i].ready()
		talking[i] = ring(t, s, number(i), "11")
		talkers[i], _ = hs[i].answer()
	}
	inIVR := [2]*sipphone.Call{ring(t, s, number(2), "1"), ring(t, s, number(3), "1")}
	var ringing [2]*sipphone.Call
	var ringers [2]*sipphone.IncomingCall
	for i := range ringing {
		hs[2+i].ready()
		ringing[i] = ring(t, s, number(4+i), "11")
		ringers[i] = incoming(t, hs[2+i].phone)
		must(t, "ring", ringers[i].Ring())
		hs[2+i].in(routing.PhaseRinging)
	}
	waiting := [2]*sipphone.Call{ring(t, s, number(6), "11"), ring(t, s, number(7), "11")}
	inState(t, s, "waiting", 2)
	inState(t, s, "ivr", 2)

	proxy.Cut()
	over := time.After(outage)
	s.AwaitReady(false, time.Minute)
	for _, c := range []*sipphone.Call{talking[1], inIVR[1], ringing[1], waiting[1]} {
		hangUp(t, c)
	}
	converse(t, talking[0], talkers[0])
	must(t, "who waits is not met by silence", waiting[0].WaitAudio(ctx))
	newcomer := ringAway(t, s, number(8))
	<-over
	proxy.Mend()
	s.AwaitReady(true, time.Minute)

	ended(t, "the handler of the caller who is gone is hung up", talkers[1].Call)
	hs[1].wrapUp()
	hs[1].notReadyNow()
	converse(t, talking[0], talkers[0])
	ended(t, "the phone rung for a caller who is gone stops", ringers[1].Call)
	hs[2].pickUp(ringers[0])
	hs[2].in(routing.PhaseTalking)
	converse(t, ringing[0], ringers[0])

	served := map[string]int{}
	serve := func(h *handler, calls ...*sipphone.Call) {
		t.Helper()
		rang, _ := h.answer()
		w := h.work("who calls", func(w agentdesk.WorkItem) bool { return w.Phase == routing.PhaseTalking && w.Caller.Number != "" })
		served[w.Caller.Number]++
		for i, c := range calls {
			if w.Caller.Number == []string{number(6), number(2), number(8)}[i] && c != nil {
				converse(t, c, rang)
				hangUp(t, c)
			}
		}
		h.wrapUp()
	}
	must(t, "keys still work", inIVR[0].SendDigits(ctx, "1", sipphone.DigitOptions{}))
	inState(t, s, "ivr", 1) // the newcomer, whom the fallback has given back
	must(t, "keys work for the newcomer", newcomer.SendDigits(ctx, "11", sipphone.DigitOptions{}))
	for range 3 {
		serve(hs[3], waiting[0], inIVR[0], newcomer)
	}
	for _, i := range []int{6, 2, 8} {
		if served[number(i)] != 1 {
			t.Errorf("served %v, want each of the three who stayed once", served)
		}
	}
	hangUp(t, ringing[0])
	hs[2].wrapUp()
	hangUp(t, talking[0])
	ended(t, "the handler's phone is hung up", talkers[0].Call)
	hs[0].wrapUp()
	s.AwaitNoCalls(ari)
	for _, h := range hs {
		if n := len(h.phone.Incoming()); n != 0 {
			t.Errorf("%s was rung %d times more", h.name, n)
		}
	}
	if n := s.Metric("c3i_call_verdicts_total"); n != 9 {
		t.Errorf("%v verdicts on 9 calls", n)
	}

	// A handler answers during the cut: C3i cannot hear of it. The caller is
	// offered again and is connected once.
	for _, h := range hs {
		h.ready()
	}
	call := ring(t, s, number(0), "11")
	answering := hs[0]
	harness.Await(t, "a phone to ring", time.Minute, func() bool {
		for _, h := range hs {
			if len(h.phone.Incoming()) > 0 {
				answering = h
				return true
			}
		}
		return false
	})
	rang := incoming(t, answering.phone)
	must(t, "ring", rang.Ring())
	answering.in(routing.PhaseRinging)
	proxy.Cut()
	s.AwaitReady(false, time.Minute)
	answering.pickUp(rang)
	must(t, "the caller is not met by silence", call.WaitAudio(ctx))
	proxy.Mend()
	s.AwaitReady(true, time.Minute)
	next := rang
	select { // either the answer counts or another phone rings
	case <-rang.Ended():
		harness.Await(t, "another offer", time.Minute, func() bool {
			for _, h := range hs {
				select {
				case next = <-h.phone.Incoming():
					answering = h
					return true
				default:
				}
			}
			return false
		})
		answering.pickUp(next)
	case <-talkingOf(ctx, answering):
	}
	answering.in(routing.PhaseTalking)
	converse(t, call, next)
	hangUp(t, call)
	answering.wrapUp()
	s.AwaitNoCalls(ari)
	if n := s.Metric("c3i_call_verdicts_total", `verdict="impossible"`); n != 0 {
		t.Errorf("%v calls ended impossibly", n)
	}
	if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
		t.Errorf("replay says:\n%s", out)
	}
}

// talkingOf is closed when the handler's desk shows a conversation.
func talkingOf(ctx context.Context, h *handler) <-chan struct{} {
	shown := make(chan struct{})
	go func() {
		if _, err := h.desk.WaitWork(ctx, inPhase(routing.PhaseTalking)); err == nil {
			close(shown)
		}
	}()
	return shown
}

// notReadyNow withdraws a handler who may be rung at this moment.
func (h *handler) notReadyNow() {
	h.t.Helper()
	h.notReady()
	h.is(routing.StateNotReady)
	for {
		select {
		case rang := <-h.phone.Incoming():
			ended(h.t, "a withdrawn offer stops ringing", rang.Call)
		default:
			return
		}
	}
}

func TestAsteriskKilled(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{})
	desk := deskTab(t, s, "handler1")
	call := ring(t, s, "07700900480", "11")
	must(t, "caller's tone", call.SendTone(callerTone))
	desk.WaitText("07700 900480")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.WaitHears(callerTone)
	ring(t, s, "07700900481", "11")
	inState(t, s, "waiting", 1)

	s.Signal(s.AsteriskPID(), syscall.SIGKILL)
	s.AwaitReady(false, time.Minute)
	s.AwaitReady(true, time.Minute)
	desk.WaitText("Wrap-up")
	desk.Choose("Outcome", "Advice given")
	desk.Press("Finish")
	desk.WaitText("You are ready")
	s.AwaitNoCalls(s.ARI())

	desk.WaitText("Browser phone ready")
	call = ring(t, s, "07700900480", "11")
	must(t, "caller's tone", call.SendTone(callerTone))
	desk.WaitText("07700 900480")
	desk.Press("Answer")
	desk.WaitText("Talking")
	desk.WaitHears(callerTone)
	must(t, "the caller hears the browser", call.WaitTone(limit(t, time.Minute), handlerTone, 300*time.Millisecond))
	hangUp(t, call)
	desk.WaitText("Wrap-up")
	s.AwaitNoCalls(s.ARI())
}

// originateFailed is the counter's line, which is not there before the first.
var originateFailed = regexp.MustCompile(`c3i_switch_command_failures_total\{[^}]*op="originate"`)

func TestAsteriskFrozen(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Config: phonesFor("h1", "h2")})
	h1 := newHandler(t, s, "h1", "crime-desk")
	h2 := newHandler(t, s, "h2", "crime-desk")
	h1.ready()
	talking := ring(t, s, "07700900490", "11")
	rang1, _ := h1.answer()
	h1.notReady() // after this call, so that the next is not kept for them
	waiting := ring(t, s, "07700900491", "11")
	inState(t, s, "waiting", 1)

	pid := s.AsteriskPID()
	s.Signal(pid, syscall.SIGSTOP)
	thawed := false
	defer func() {
		if !thawed {
			s.Signal(pid, syscall.SIGCONT) // else it could not be stopped
		}
	}()
	over := time.After(outage)
	h2.ready() // the dial command is sent and not answered in time
	harness.Await(t, "the dial command to time out", time.Minute, func() bool {
		_, text := s.Get("/metrics")
		return originateFailed.MatchString(text)
	})
	<-over
	s.Signal(pid, syscall.SIGCONT)
	thawed = true

	converse(t, talking, rang1)
	h2.ready() // ends the rest after the failure
	rang2, w := answerStanding(t, h2)
	if w.Caller.Number != "" && w.Caller.Number != "07700900491" {
		t.Errorf("connected to %s", w.Caller.Number)
	}
	converse(t, waiting, rang2)
	hangUp(t, waiting)
	h2.wrapUp()
	hangUp(t, rang1.Call)
	ended(t, "the caller is hung up", talking)
	h1.wrapUp()
	s.AwaitNoCalls(s.ARI())
	if n := s.Metric("c3i_call_verdicts_total"); n != 2 {
		t.Errorf("%v verdicts on 2 calls", n)
	}
}

// answerStanding answers the phone until a conversation stands: a late dial
// command may ring it for an offer that is over.
func answerStanding(t *testing.T, h *handler) (*sipphone.IncomingCall, agentdesk.WorkItem) {
	t.Helper()
	for {
		rang := incoming(t, h.phone)
		if err := rang.Answer(limit(t, time.Minute), sipphone.AnswerOptions{}); err != nil {
			if code := sipphone.CodeOf(err); code != sipphone.CodeEnded {
				t.Fatalf("answer: %v", err)
			}
			continue
		}
		select {
		case <-rang.Ended():
		case <-talkingOf(limit(t, time.Minute), h):
			return rang, h.in(routing.PhaseTalking)
		}
	}
}
