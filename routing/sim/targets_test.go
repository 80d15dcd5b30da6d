package sim

import (
	"context"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

func parsed(t *testing.T, source string) *plan.Document {
	t.Helper()
	doc, problems := plan.Parse("plan.yaml", []byte(source))
	if doc == nil {
		t.Fatal(problems)
	}
	return doc
}

const flatTraffic = `
name: flat
per_day: 2400
start: 2014-10-27
talk: {law: constant, mean: 5m}
patience: {law: exponential, mean: 3m}
mix:
  - {name: crime, share: 1, answers: {menu: crime}}
  - {name: other, share: 1}
staff:
`

// 100 calls an hour, half for crime: 50 of 5 minutes are 4.2 erlangs.
func TestTargetsThatCannotBeMet(t *testing.T) {
	staffed := func(all, general string) *Traffic {
		t.Helper()
		m, err := ParseModel("flat.yaml", []byte(flatTraffic+"  - {profile: all, per_hour: ["+all+"]}\n  - {profile: general, per_hour: ["+general+"]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return m.Traffic()
	}
	day := func(n string) string { return strings.TrimSuffix(strings.Repeat(n+",", 24), ",") }
	doc := parsed(t, smallPlan)
	if got := CheckTargets(doc, staffed(day("8"), day("6")), 0.8); len(got) != 0 {
		t.Errorf("enough: %v", got)
	}
	// By night nobody has the skill; all together are enough.
	night := strings.TrimSuffix(strings.Repeat("1,", 6)+strings.Repeat("8,", 18), ",")
	got := CheckTargets(doc, staffed(night, day("13")), 0.8)
	if len(got) != 1 || got[0].Code != "target_unmet" || got[0].Path != "queues.crime" || got[0].Line != 12 || got[0].Severity != plan.Warning ||
		!strings.Contains(got[0].Message, "cannot be met mon-sun 00:00-06:00") || !strings.Contains(got[0].Message, "50 calls an hour of 5 min each for 1 handler, 5 % within 30 s") {
		t.Errorf("too few by night: %v", got)
	}
	// Each queue alone could be served by all, both together not.
	got = CheckTargets(doc, staffed(day("7"), day("0")), 0.8)
	if len(got) != 1 || got[0].Code != "targets_unmet_together" || !strings.Contains(got[0].Message, "at any hour of the week") {
		t.Errorf("too few for both: %v", got)
	}
	// The formula's own figure decides.
	s := callStream{50, 300, 180}
	if a, b := s.within(5, 30), MMCM(50.0/3600, 300, 180, 5, 30).Within; a != b {
		t.Errorf("%g, %g", a, b)
	}
}

// A journal's week tells who was on duty and what came.
func TestTrafficOfAJournal(t *testing.T) {
	t.Log("seed 31")
	store, w := recordDay(t, 31)
	h, err := ReadHistory(context.Background(), store, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := small(t)
	tr := h.Traffic(m)
	sum, hours := 0.0, 0
	for _, x := range tr.hours {
		if x.rate == nil {
			continue
		}
		hours++
		for _, r := range x.rate {
			sum += r
		}
	}
	near(t, "contacts of the day", sum, float64(len(w.visits)), 0.03*float64(len(w.visits)))
	if hours < 23 || hours > 25 {
		t.Errorf("%d hours are known of one day", hours)
	}
	if on := tr.OnDuty(); len(on) != 2 {
		t.Errorf("on duty: %v", on)
	}
	local := m.Zone.Local(monday.Add(10 * contact.Hour))
	at := tr.hours[(local.Weekday+6)%7*24+local.Minute/60]
	want := map[string]float64{}
	for _, s := range w.out.Shifts {
		if s.From <= monday.Add(10*contact.Hour) && s.To >= monday.Add(11*contact.Hour) {
			want[s.Profile]++
		}
	}
	for p, n := range want {
		near(t, "on duty at ten, "+p, at.staff[p], n, 0.2*n+0.5)
	}
	if got := CheckTargets(parsed(t, smallPlan), tr, 0.999999); len(got) == 0 {
		t.Error("a target nobody meets is met")
	}
}
