package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

// Tones recorded in place of prompts, so that what callers hear can be told.
const (
	placeTone  = 520.0
	offerTone  = 840.0
	numberTone = 1150.0
	takenTone  = 1480.0
)

// record writes a tone as a recording of an English prompt.
func record(t *testing.T, dir, prompt string, hz float64) {
	t.Helper()
	const rate, seconds = 8000, 2
	var b bytes.Buffer
	size := uint32(2 * rate * seconds)
	b.WriteString("RIFF")
	for _, v := range []any{36 + size, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"), size} {
		must(t, "make a recording", binary.Write(&b, binary.LittleEndian, v))
	}
	for i := range rate * seconds {
		must(t, "make a recording", binary.Write(&b, binary.LittleEndian, int16(9000*math.Sin(2*math.Pi*hz*float64(i)/rate))))
	}
	must(t, "make a folder", os.MkdirAll(filepath.Join(dir, "en"), 0o755))
	must(t, "write a recording", os.WriteFile(filepath.Join(dir, "en", prompt+".wav"), b.Bytes(), 0o644))
}

// callbackFiles are a plan that offers callbacks at any hour, after three seconds of
// waiting, and the prompts with tones in place of some.
func callbackFiles(t *testing.T) (plan, prompts string) {
	t.Helper()
	src, err := configs.Files.ReadFile("plan.yaml")
	must(t, "read the plan", err)
	text := string(src)
	for old, next := range map[string]string{
		"announce: {first: 30s, every: 1m}": "announce: {first: 3s, every: 20s}",
		"callback: {over: 5m, attempts: 3, spacing: 5m, ring: 30s, hours: {mon-sun: 08:00-21:00}}": "callback: {attempts: 2, spacing: 1m, ring: 20s}",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the plan does not have %q", old)
		}
		text = strings.ReplaceAll(text, old, next)
	}
	dir := t.TempDir()
	plan, prompts = filepath.Join(dir, "plan.yaml"), filepath.Join(dir, "prompts")
	must(t, "write the plan", os.WriteFile(plan, []byte(text), 0o600))
	must(t, "make a folder", os.MkdirAll(prompts, 0o755))
	files, err := fs.Glob(configs.Files, "prompts/*.yaml")
	must(t, "list the prompts", err)
	for _, name := range files {
		b, err := configs.Files.ReadFile(name)
		must(t, "read prompts", err)
		must(t, "write prompts", os.WriteFile(filepath.Join(prompts, filepath.Base(name)), b, 0o644))
	}
	record(t, prompts, "position_1", placeTone)
	record(t, prompts, "callback_offer", offerTone)
	record(t, prompts, "callback_number", numberTone)
	record(t, prompts, "callback_taken", takenTone)
	return plan, prompts
}

// All handlers are busy. A caller hears their place, would rather be rung back, hangs
// up, keeps the place and is rung when a handler is free.
func TestCallbackInTheQueue(t *testing.T) {
	const number = "07700900567"
	mobile := newPhone(t)
	plan, prompts := callbackFiles(t)
	s := harness.Start(t, harness.Options{Config: fmt.Sprintf(`
plan: %s
prompts: {dir: %s}
asterisk:
  trunks:
    - {name: local, match: [127.0.0.1], contact: "sip:%s", codecs: [ulaw, alaw]}
  phones:
    - {name: h17, password: seventeen-secret}
telephony:
  outgoing: PJSIP/%%s@local
`, plan, prompts, mobile.Addr())})
	desk, phone := handlerAt(t, s, "h17", "crime-desk")
	ctx := limit(t, 3*time.Minute)

	busy := ring(t, s, "02079460001", "11")
	rang := incoming(t, phone)
	must(t, "answer the first caller", rang.Answer(ctx, sipphone.AnswerOptions{}))
	first, err := desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "talk to the first caller", err)

	call, err := mobile.Call(ctx, "sip:101@"+s.SIP, sipphone.CallOptions{From: number})
	must(t, "ring 101", err)
	must(t, "be answered", call.WaitAnswered(ctx))
	must(t, "hear the welcome", call.WaitAudio(ctx))
	must(t, "choose", call.SendDigits(ctx, "11", sipphone.DigitOptions{}))
	must(t, "hear the place", call.WaitTone(ctx, placeTone, 500*time.Millisecond))
	must(t, "be offered to be rung back", call.WaitTone(ctx, offerTone, 500*time.Millisecond))
	must(t, "ask for it", call.SendDigits(ctx, "1", sipphone.DigitOptions{}))
	must(t, "hear on which number", call.WaitTone(ctx, numberTone, 500*time.Millisecond))
	must(t, "agree", call.SendDigits(ctx, "1", sipphone.DigitOptions{}))
	must(t, "hear that it is taken", call.WaitTone(ctx, takenTone, 500*time.Millisecond))
	must(t, "hang up", call.Hangup(ctx))

	// Somebody who rings later and holds the line is behind them.
	later := ring(t, s, "02079460002", "11")
	must(t, "the first caller hangs up", busy.Hangup(ctx))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
	must(t, "wrap up", err)
	// The caller has ten seconds to put their phone down: then they are first again.
	must(t, "see both waiting", desk.Wait(ctx, func(d agentdesk.Desk) bool {
		for _, q := range d.Queues {
			if q.Queue == "crime" && q.Waiting == 2 {
				return true
			}
		}
		return false
	}))
	must(t, "close", desk.CloseContact(ctx, first.Contact, contact.Outcome{Code: "crime_recorded"}))

	rang = incoming(t, phone)
	work, err := desk.WaitWork(ctx, func(w agentdesk.WorkItem) bool { return w.Phase == routing.PhaseRinging && w.Caller.Number != "" })
	must(t, "see the callback ring", err)
	if !work.Callback || work.Caller.Number != number {
		t.Errorf("the desk shows callback %v of %q", work.Callback, work.Caller.Number)
	}
	must(t, "answer", rang.Answer(ctx, sipphone.AnswerOptions{}))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseCalling))
	must(t, "see that the caller is rung", err)
	back := incoming(t, mobile)
	must(t, "let it ring", back.Ring())
	must(t, "the handler hears it ring", rang.WaitAudio(ctx))
	must(t, "answer at home", back.Answer(ctx, sipphone.AnswerOptions{}))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "talk", err)
	must(t, "caller's tone", back.SendTone(callerTone))
	must(t, "handler's tone", rang.SendTone(handlerTone))
	must(t, "the handler hears the caller", rang.WaitTone(ctx, callerTone, 300*time.Millisecond))
	must(t, "the caller hears the handler", back.WaitTone(ctx, handlerTone, 300*time.Millisecond))
	must(t, "hang up", back.Hangup(ctx))
	must(t, "the handler's phone is hung up too", waitEnded(ctx, rang.Call))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
	must(t, "wrap up", err)
	must(t, "close", desk.CloseContact(ctx, work.Contact, contact.Outcome{Code: "crime_recorded"}))

	rang = incoming(t, phone)
	must(t, "answer the one who held the line", rang.Answer(ctx, sipphone.AnswerOptions{}))
	last, err := desk.WaitWork(ctx, inPhase(routing.PhaseTalking))
	must(t, "talk", err)
	must(t, "hang up", later.Hangup(ctx))
	_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
	must(t, "wrap up", err)
	must(t, "close", desk.CloseContact(ctx, last.Contact, contact.Outcome{Code: "crime_recorded"}))

	// The ledger balances: three arrived, two were answered, one taken as a callback.
	_, metrics := s.Get("/metrics")
	for _, want := range []string{
		`c3i_routing_events_total{kind="contact_arrived"} 3`, `c3i_routing_contacts_ended_total{ending="answered"} 2`,
		`c3i_routing_contacts_ended_total{ending="callback_taken"} 1`, `c3i_routing_callbacks_ended_total{result="answered"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("/metrics does not have %s", want)
		}
	}
	if strings.Count(metrics, "\nc3i_routing_contacts_ended_total{") != 2 {
		t.Error("a contact ended in another way")
	}
	if why := s.Command("why", string(work.Contact)); !strings.Contains(why, "asked to be rung back") || !strings.Contains(why, "callback taken (answered)") {
		t.Errorf("why says:\n%s", why)
	}
	records, err := s.Redis().XRange(ctx, "{journal}:stream", "-", "+").Result()
	must(t, "read the journal", err)
	for _, r := range records {
		for _, spelling := range spellings(number) {
			if strings.Contains(fmt.Sprint(r.Values), spelling) {
				t.Errorf("journal record %s holds the number", r.ID)
			}
		}
	}
	if out := s.Command("replay"); !strings.Contains(out, "the journal gives the same state") {
		t.Errorf("replay says:\n%s", out)
	}
}
