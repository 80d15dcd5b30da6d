package explain_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
)

// crowd is a centre where some wait and handlers are kept out by every gate.
func crowd(t *testing.T) *book {
	b := newBook(t).opened()
	b.signOn("h1", "h2")
	b.add(routing.AgentSignedOn{Agent: "h3", Profile: "crime-desk", DeviceUp: true}, routing.AgentNotReady{Agent: "h3", Reason: "lunch"})
	b.add(routing.AgentSignedOn{Agent: "h4", Profile: "enquiries-bengali"}, routing.AgentReady{Agent: "h4"})
	b.signOn("h5")
	b.add(routing.AgentPresence{Agent: "h5"})
	for i := range 5 {
		b.call(contact.ID(fmt.Sprintf("C%d", i)))
	}
	b.add(routing.OfferDeclined{Offer: 1, Agent: "h1"})
	return b
}

func TestForetold(t *testing.T) {
	t.Parallel()
	b := crowd(t)
	var out strings.Builder
	for _, words := range []string{
		"channel=phone language=pl answers.menu=crime caller.vulnerable=true",
		"answers.menu=property",
		"answers.emergency=not_connected",
		"channel=email",
		"answers.menu=existing waited=12m",
		"queue=existing preferred=h2",
		"answers.menu=existing caller.known=yes caller.open_reports=2",
	} {
		s, err := explain.ParseSupposition([]string{words})
		if err != nil {
			t.Fatal(err)
		}
		now, err := explain.Present(testContext(t), b.store)
		if err != nil {
			t.Fatal(err)
		}
		if now.Engine.Hash() != b.engine.Hash() || now.Seq != b.seq || now.At != b.at {
			t.Fatalf("the present is record %d at %s, the journal ends with %d at %s", now.Seq, now.At, b.seq, b.at)
		}
		f, err := explain.Suppose(now.Engine, b.at, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "? %s\n", words)
		for _, line := range f.Text {
			fmt.Fprintf(&out, "  %s\n", line)
		}
		// What is foretold happens.
		clone := b.engine.Clone()
		ev := routing.ContactArrived{Contact: "new", Channel: f.Supposed.Channel, Arrival: f.Arrival, Queue: s.Queue, Facts: contact.Facts{
			Language: s.Language, Answers: s.Answers, Vulnerable: s.Vulnerable, OpenReports: s.OpenReports, Preferred: s.Preferred,
		}}
		for _, a := range clone.Step(b.at, ev) {
			switch a := a.(type) {
			case routing.Queued:
				if a.Queue != f.Why.Queue || a.Rule != f.Why.Rule || a.Due != f.Due {
					t.Errorf("%s: queued %+v, foretold %+v", words, a, f.Explanation)
				}
			case routing.Offer:
				if a.Agent != f.Agent {
					t.Errorf("%s: offered to %s, foretold %q", words, a.Agent, f.Agent)
				}
			case routing.QueueClosed:
				if f.Open {
					t.Errorf("%s: closed, foretold open", words)
				}
			}
		}
	}
	golden(t, "foretold.txt", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A contact that waits is told where it stands; one that does not is not.
func TestWaitingContactStandsSomewhere(t *testing.T) {
	t.Parallel()
	b := crowd(t)
	x, err := explain.Contact(testContext(t), b.store, "C3")
	if err != nil {
		t.Fatal(err)
	}
	if x.Now == nil || x.State != "waiting" || len(x.Now.Handlers) != 5 {
		t.Fatalf("%+v", x)
	}
	golden(t, "waiting.txt", strings.Join(x.Now.Text, "\n")+"\n")
	if x, err = explain.Contact(testContext(t), b.store, "C1"); err != nil || x.Now != nil {
		t.Errorf("one that rings: %+v, %v", x.Now, err)
	}
}

func TestSuppositionsThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	p := newBook(t).opened().engine.PlanInForce()
	answers := map[string][]string{"menu": {"crime", "existing"}, "note": nil}
	for words, says := range map[string]string{
		"channel":                              `channel: write it as name=value`,
		"chanel=phone":                         `chanel: it is not known: did you mean channel?`,
		"vulnerable=true":                      `vulnerable: it is not known: did you mean caller.vulnerable?`,
		"zzzzzzzz=1":                           `zzzzzzzz: it is not known: there are caller.contacts_30d, `,
		"channel=phone channel=web":            `channel: it is given twice`,
		"channel=fone":                         `channel: "fone" is not known: did you mean phone?`,
		"cli=hidden":                           `cli: "hidden" is not known: it is one of presented, withheld, unavailable`,
		"queue=crmie":                          `queue: "crmie" is not known: did you mean crime?`,
		"caller.known=perhaps":                 `caller.known: "perhaps" is neither true nor false`,
		"caller.contacts_30d=-1":               `caller.contacts_30d: "-1" is not a number from 0 up`,
		"waited=soon":                          `waited: "soon" is not a length of time`,
		"waited=31d":                           `waited: from 0 to 30 days are taken`,
		"answers.meny=crime":                   `answers.meny: the flow gives no such answer: did you mean answers.menu?`,
		"answers.menu=crim":                    `answers.menu: "crim" is not known: did you mean crime?`,
		"language=" + strings.Repeat("x", 101): `language: at most 100 characters are taken`,
	} {
		s, err := explain.ParseSupposition([]string{words})
		if err == nil {
			err = s.Check(p, answers)
		}
		var wrong *explain.SupposeError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s: %v, want %s", words, err, says)
		}
	}
	for text, says := range map[string]string{
		`{"chanel":"phone"}`: `chanel: it is not known: did you mean channel?`,
		`{"waited":5}`:       `a length of time must be text`,
		`{"known":"yes"}`:    `known: a string does not fit here`,
		`[]`:                 `cannot unmarshal`,
		`{} {}`:              `something follows the object`,
	} {
		_, err := explain.DecodeSupposition([]byte(text))
		var wrong *explain.SupposeError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %s", text, err, says)
		}
	}
	s, err := explain.DecodeSupposition([]byte(`{"channel":"web","waited":"2m","answers":{"note":"anything"}}`))
	if err != nil || s.Check(p, answers) != nil || s.Waited != 2*contact.Minute {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := explain.Suppose(routing.New(), 1, s, nil); !errors.Is(err, explain.ErrNoPlan) {
		t.Errorf("without a plan: %v", err)
	}
}

// Words are a person's text.
func FuzzParseSupposition(f *testing.F) {
	f.Add("channel=phone language=pl answers.menu=crime caller.contacts_30d=3 waited=2m")
	f.Add("answers.=x =y caller.known=maybe")
	p := &routing.Plan{}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := explain.ParseSupposition([]string{text})
		if err == nil {
			err = s.Check(p, nil)
		}
		var wrong *explain.SupposeError
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("%T %v", err, err)
		}
	})
}
