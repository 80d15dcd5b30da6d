package plan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// FuzzParse: any text gives a plan or errors, never both, and never a panic; each
// problem is placed; a plan that compiles is usable as it stands.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range append(files, "../../configs/plan.yaml") {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, problems := plan.Parse("f", src)
		if (doc == nil) != problems.HasErrors() {
			t.Fatalf("document %v with problems:\n%s", doc != nil, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" || p.File != "f" {
				t.Fatalf("problem %+v is not placed or says nothing", p)
			}
		}
		if doc == nil {
			return
		}
		p := doc.Plan(3)
		known := map[routing.QueueID]bool{}
		for _, q := range p.Queues {
			known[q.ID] = true
			for _, c := range contact.Channels() {
				if q.AnswerWithin[c] <= 0 {
					t.Fatalf("queue %s has no target for %s", q.ID, c)
				}
			}
			if q.Hours != nil {
				q.Hours(contact.Local{Date: "2026-01-01", Weekday: 4, Minute: 600})
			}
		}
		if !known[p.DefaultQueue] {
			t.Fatalf("the default queue %q does not exist", p.DefaultQueue)
		}
		for _, r := range p.Rules {
			if !known[r.Queue] {
				t.Fatalf("rule %q names a queue that does not exist", r.Name)
			}
			r.Match(routing.RuleInput{})
		}
		again, err := plan.Load(3, doc.Source)
		if err != nil || len(again.Rules) != len(p.Rules) {
			t.Fatalf("the same source gave another plan: %v", err)
		}
	})
}

// FuzzExpression: any condition compiles or is refused, and one that compiles
// gives the same answer each time, whatever the contact.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		`channel == "phone"`, `caller.contacts_30d >= 3 and not caller.known`, `language in ["pl", "bn"]`, `answers.menu == "crime"`,
		`1 < caller.open_reports < 4`, `answers["a b"] != ''`, `len(language)`, `all([1], # > 0)`, `a..b`, `$env`, `let x = 1; x == 1`,
		`channel ?? "x"`, `true ? true : false`, `if true { true } else { false }`, `caller.known | f()`, `"\x00" == cli`, `not not true`, `-1 < -2.5e3`,
		`[[[`, `answers.menu.x == "y"`, `channel[0:1] == "p"`, `caller.contacts_30d == 99999999999999999999`, "true // comment",
	} {
		f.Add(s)
	}
	facts := contact.Facts{Language: "pl", Answers: map[string]string{"menu": "crime"}, Person: "p", Contacts30d: 3, Vulnerable: true}
	f.Fuzz(func(t *testing.T, condition string) {
		p, problems := plan.Compile("f", 1, []byte(small+fmt.Sprintf("rules: [{name: r, when: %q, queue: desk}]\n", condition)))
		if problems.HasErrors() {
			return
		}
		for _, in := range []routing.RuleInput{{}, {Channel: contact.Phone, Facts: facts}} {
			first := p.Rules[0].Match(in)
			for range 3 {
				if p.Rules[0].Match(in) != first {
					t.Fatalf("%q changes its mind", condition)
				}
			}
		}
	})
}

// BenchmarkRule is one condition of the seed plan.
func BenchmarkRule(b *testing.B) {
	p := seed(b)
	in := routing.RuleInput{Channel: contact.Phone, Facts: contact.Facts{Answers: map[string]string{"menu": "crime"}, Vulnerable: true}}
	b.ReportAllocs()
	for b.Loop() {
		p.Rules[0].Match(in)
	}
}
