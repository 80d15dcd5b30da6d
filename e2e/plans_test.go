package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/routing"
)

type listed struct {
	Contact contact.ID `json:"contact"`
	Queue   string     `json:"queue"`
	State   string     `json:"state"`
}

// waiting waits until n callers are in a queue, and lists them, oldest first.
func waiting(t *testing.T, s *harness.System, n int) []listed {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		var list, in []listed
		must(t, "read the list", json.Unmarshal([]byte(s.Command("why", "--list", "--json")), &list))
		for _, l := range list {
			if l.State == "waiting" {
				in = append([]listed{l}, in...)
			}
		}
		if len(in) == n {
			return in
		}
		select {
		case <-deadline.C:
			t.Fatalf("%d callers wait, want %d: %v", len(in), n, list)
		case <-beat.C:
		}
	}
}

// A manager publishes a plan and takes it back while people wait on the line. None
// is cut off, none loses a place, and the journal tells afterwards how it went.
func TestPublishAndRollBackWhileCallersWait(t *testing.T) {
	s := harness.Start(t, harness.Options{Config: phones})
	ctx := limit(t, 3*time.Minute)
	first := ring(t, s, "02079460001", "11")
	waiting(t, s, 1)
	second := ring(t, s, "02079460002", "11")
	before := waiting(t, s, 2)

	text := s.Command("plan", "show", "current", "--text")
	moved := strings.Replace(text, "  - name: report a crime\n    when: answers.menu == \"crime\"\n    queue: crime\n",
		"  - name: report a crime\n    when: answers.menu == \"crime\"\n    queue: general\n", 1)
	if moved == text {
		t.Fatal("the shipped plan no longer has the rule this test changes")
	}
	file := filepath.Join(t.TempDir(), "plan.yaml")
	must(t, "write the plan", os.WriteFile(file, []byte(moved), 0o600))
	if out := s.Command("plan", "publish", file, "--as", "manager1", "--reason", "everybody takes crime"); !strings.Contains(out, "plan version 2 is in force") {
		t.Fatalf("publish: %s", out)
	}
	for i, c := range waiting(t, s, 2) {
		if c.Contact != before[i].Contact || c.Queue != "general" {
			t.Errorf("after publishing, at place %d waits %+v; it was %+v", i+1, c, before[i])
		}
	}
	if out := s.Command("plan", "rollback", "1", "--as", "manager1", "--reason", "they do not"); !strings.Contains(out, "plan version 3 is in force") {
		t.Fatalf("roll back: %s", out)
	}
	for i, c := range waiting(t, s, 2) {
		if c != before[i] {
			t.Errorf("after rolling back, at place %d waits %+v; it was %+v", i+1, c, before[i])
		}
	}

	desk, phone := handlerAt(t, s, "h17", "crime-desk")
	for i, call := range []*sipphone.Call{first, second} {
		in := incoming(t, phone)
		must(t, "answer", in.Answer(ctx, sipphone.AnswerOptions{}))
		work, err := desk.WaitWork(ctx, func(w agentdesk.WorkItem) bool { return w.Phase == routing.PhaseTalking })
		must(t, "be talking", err)
		if work.Contact != before[i].Contact {
			t.Errorf("caller %d in the queue is %s, but %s was answered", i+1, before[i].Contact, work.Contact)
		}
		must(t, "the caller hangs up", call.Hangup(ctx))
		_, err = desk.WaitWork(ctx, inPhase(routing.PhaseWrapUp))
		must(t, "wrap up", err)
		must(t, "close", desk.CloseContact(ctx, work.Contact, contact.Outcome{Code: "advice_given"}))
	}

	why := s.Command("why", string(before[0].Contact))
	at := 0
	for _, part := range []string{
		"is over\n", "It came to routing by telephone. Known about it: rang 101; language en; answered ",
		"The rule “report a crime” put it in the queue Report a crime (crime) by plan version 1. It is due ",
		"The rule “report a crime” put it in the queue General enquiries (general) under plan version 2. It keeps its due time",
		"The rule “report a crime” put it in the queue Report a crime (crime) under plan version 3. It keeps its due time",
		"Offer 1 to h17, for 20s: they became free, and of the contacts they may take this one was the most due.",
		"2 contacts waited in the queue, this one included.", "h17 took offer 1; the two are being joined.", "The caller and h17 were connected.",
		"The caller left. It counts as answered: it waited ", "h17 finished it with the outcome advice_given.",
	} {
		next := strings.Index(why[at:], part)
		if next < 0 {
			t.Fatalf("c3i why does not say, in its place, %q:\n%s", part, why)
		}
		at += next + len(part)
	}
	for _, private := range []string{"02079460001", "2079460001"} {
		if strings.Contains(why, private) {
			t.Errorf("c3i why tells the caller's number:\n%s", why)
		}
	}
}
