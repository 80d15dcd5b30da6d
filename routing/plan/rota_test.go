package plan_test

import (
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

func TestTheRotaIsForChecksOnly(t *testing.T) {
	src := readFile(t, "testdata/broken/nobody-works-at-night.yaml")
	doc, problems := plan.Parse("plan.yaml", []byte(src))
	if doc == nil {
		t.Fatal(problems)
	}
	at := func(day, hour int) contact.Local { return contact.Local{Weekday: day, Minute: hour * 60} }
	for _, c := range []struct {
		profile string
		at      contact.Local
		on      bool
	}{
		{"fraud-desk", at(1, 9), true},
		{"fraud-desk", at(1, 18), false},
		{"fraud-desk", at(6, 10), true},
		{"fraud-desk", at(0, 10), false},
		{"general-desk", at(0, 3), true},
		{"nobody", at(1, 9), false},
	} {
		if doc.OnDuty(c.profile, c.at) != c.on {
			t.Errorf("%s on day %d at %d minutes: want %t", c.profile, c.at.Weekday, c.at.Minute, c.on)
		}
	}
	if !doc.HasRota() {
		t.Error("it has no rota")
	}
	// Routing is the same without it.
	before, rest, _ := strings.Cut(src, "rota:\n")
	_, after, _ := strings.Cut(rest, "queues:\n")
	bare, problems := plan.Parse("plan.yaml", []byte(before+"queues:\n"+after))
	if bare == nil || bare.HasRota() || len(problems) != 0 {
		t.Errorf("without its rota: %v", problems)
	}
}

func TestQueuesNoUserServes(t *testing.T) {
	doc, problems := plan.Parse("plan.yaml", []byte(readFile(t, "../../configs/plan.yaml")))
	if doc == nil {
		t.Fatal(problems)
	}
	if got := doc.Unstaffed([]string{"crime-desk", "crime-desk-polish"}); len(got) != 0 {
		t.Errorf("served: %v", got)
	}
	got := doc.Unstaffed([]string{"nobody"})
	if len(got) != len(doc.Plan(1).Queues) || got[0].Code != "no_user_serves" || got[0].Path != "queues.crime" || got[0].Line < 2 || got.HasErrors() {
		t.Errorf("with nobody: %v", got)
	}
}
