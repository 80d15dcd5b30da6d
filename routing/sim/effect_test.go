package sim

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// coursePlan has everything that moves a waiting contact: relaxation, overflow,
// announcements, a preferred handler, a surge, and a rule nobody meets.
var coursePlan = strings.NewReplacer(
	"crime: {label: Crime, needs: {crime: 1}}", `crime:
    label: Crime
    needs: {crime: 4}
    relax: {steps: [{name: learners, after: 20s, needs: {crime: 1}}], last: learners}
    overflow: [{after: 90s, to: general}]
    announce: {first: 10s, every: 30s}
    preferred: {wait: 20s}`,
	"rules:", `surges:
  flood:
    label: Flood
    queues:
      crime: {overflow: [{after: 5s, to: general}], announce: never}
rules:
  - {name: nobody, when: 'dialled == "0"', queue: general}`,
).Replace(smallPlan)

func course(t *testing.T, change func(*Options, *Model)) *Report {
	t.Helper()
	m := small(t)
	m.PerDay = 1600
	o := Options{Plans: []PlanInput{{"course.yaml", coursePlan}}, Replications: 3, Seed: 5, CheckEvery: 500}
	if change != nil {
		change(&o, m)
	}
	o.Source = modelled(t, m, 1)
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("seed 5")
	return r
}

func row(t *testing.T, r *Report, queue string) Row {
	t.Helper()
	for _, row := range r.Plans[0].Queues {
		if string(row.Queue) == queue {
			return row
		}
	}
	t.Fatalf("no queue %s", queue)
	return Row{}
}

func TestReportTellsWhatRulesAndStepsDid(t *testing.T) {
	r := course(t, nil)
	p := r.Plans[0]
	hits := 0.0
	for _, e := range p.Rules {
		hits += e.Hits.Mean
		if e.Dead != (e.Rule == "nobody" || e.Hits.Mean == 0) {
			t.Errorf("%+v", e)
		}
	}
	if offered := p.Total.Figure(Offered).Mean; hits < offered-1e-9 || hits > offered+1e-9 {
		t.Errorf("rules account for %.1f contacts of %.1f", hits, offered)
	}
	if p.Rules[0].Rule != "nobody" || !p.Rules[0].Dead || p.Rules[1].Rule != "crime" || p.Rules[1].Dead {
		t.Errorf("%+v", p.Rules[:2])
	}
	if len(p.Steps) != 2 || p.Steps[0].Name != "learners" || p.Steps[1].Name != "general" || p.Steps[1].Kind != "overflow" {
		t.Fatalf("%+v", p.Steps)
	}
	moved := row(t, r, "crime").Figure(Overflowed).Mean
	if p.Steps[1].Dead || p.Steps[1].Contacts.Mean != moved || p.Total.Figure(Overflowed).Mean != moved {
		t.Errorf("the overflow step moved %+v, the queue lost %.1f", p.Steps[1].Contacts, moved)
	}
	if p.Steps[0].Contacts.Mean != p.Total.Figure(Relaxed).Mean {
		t.Errorf("%+v answered under the step, %+v in all", p.Steps[0].Contacts, p.Total.Figure(Relaxed))
	}
	if row(t, r, "crime").Figure(Announced).Mean == 0 {
		t.Error("nobody was told their position")
	}
	var text, page bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "DEAD: matched nobody") || !strings.Contains(page.String(), "2 rules matched nobody:</strong> nobody, vulnerable.") {
		t.Error("the dead rule is not told")
	}
}

// Callers who make nothing of announcements do as those of a plan without; those
// who mind hang up, the more the more mind.
func TestCallersReactToAnnouncements(t *testing.T) {
	calm := course(t, nil).Plans[0].Total
	if calm.Figure(FedUp).Mean != 0 {
		t.Errorf("%.1f left when told, though nobody minds", calm.Figure(FedUp).Mean)
	}
	quiet := course(t, func(o *Options, _ *Model) {
		o.Plans[0].Source = strings.Replace(coursePlan, "    announce: {first: 10s, every: 30s}\n", "", 1)
	}).Plans[0].Total
	if quiet.Figure(Abandoned) != calm.Figure(Abandoned) || quiet.Figure(ASA) != calm.Figure(ASA) {
		t.Errorf("announcements nobody minds changed %+v to %+v", quiet.Figure(Abandoned), calm.Figure(Abandoned))
	}
	some := course(t, func(_ *Options, m *Model) { m.Hearing = Hearing{Leave: 0.2, After: 2} }).Plans[0].Total
	all := course(t, func(_ *Options, m *Model) { m.Hearing = Hearing{Leave: 0.2, LeaveLong: 1, Long: 60, After: 2} }).Plans[0].Total
	if !(some.Figure(FedUp).Mean > 0 && all.Figure(FedUp).Mean > some.Figure(FedUp).Mean) {
		t.Errorf("%.1f left when some mind, %.1f when all mind long waits", some.Figure(FedUp).Mean, all.Figure(FedUp).Mean)
	}
	if some.Figure(Abandoned).Mean <= calm.Figure(Abandoned).Mean {
		t.Errorf("%.1f abandoned, %.1f before", some.Figure(Abandoned).Mean, calm.Figure(Abandoned).Mean)
	}
}

func TestSurgeIsOnWhenItShouldBe(t *testing.T) {
	off := row(t, course(t, nil), "crime").Figure(Overflowed).Mean
	always := course(t, func(o *Options, _ *Model) { o.Surges = []SurgeSpan{{Name: "flood"}} })
	night := course(t, func(o *Options, _ *Model) { o.Surges = []SurgeSpan{{Name: "flood", Since: 23 * 60, Until: 5 * 60}} })
	on, part := row(t, always, "crime"), row(t, night, "crime")
	if on.Figure(Announced).Mean != 0 || part.Figure(Announced).Mean == 0 {
		t.Errorf("announced %.1f times with the surge that silences, %.1f with it at night", on.Figure(Announced).Mean, part.Figure(Announced).Mean)
	}
	if !(on.Figure(Overflowed).Mean > part.Figure(Overflowed).Mean && part.Figure(Overflowed).Mean >= off) {
		t.Errorf("overflowed: %.1f off, %.1f at night, %.1f always", off, part.Figure(Overflowed).Mean, on.Figure(Overflowed).Mean)
	}
	if notes := strings.Join(night.Notes, "\n"); !strings.Contains(notes, "flood from 23:00 to 05:00") {
		t.Errorf("the surge is not told of: %s", notes)
	}
	o := Options{Plans: []PlanInput{{"small.yaml", smallPlan}}, Source: modelled(t, small(t), 1), Surges: []SurgeSpan{{Name: "flood"}}}
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), `no plan has a surge "flood"`) {
		t.Errorf("the error is %v", err)
	}
}

func TestParseSurge(t *testing.T) {
	for text, want := range map[string]SurgeSpan{
		"flood": {Name: "flood"}, "flood@18:00-22:30": {"flood", 18 * 60, 22*60 + 30}, "a b@23:00-05:00": {"a b", 23 * 60, 5 * 60},
	} {
		if got, err := ParseSurge(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "@18:00-22:00", "flood@", "flood@18-22", "flood@18:00", "flood@24:00-25:00", "flood@18:60-19:00", "flood@08:00-08:00", "flood@1:00-02:00"} {
		if got, err := ParseSurge(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

// A share of contacts prefer a handler, the same under each plan, and a plan that
// heeds it gets some of them there.
func TestContactsPreferHandlers(t *testing.T) {
	prefer := func(_ *Options, m *Model) { m.mix[0].preferred = 0.5 }
	r := course(t, prefer)
	met := row(t, r, "crime").Figure(PreferredMet)
	if !(met.Mean > 0 && met.Mean < 1) {
		t.Errorf("preferences met: %+v", met)
	}
	if row(t, course(t, nil), "crime").Figure(PreferredMet).Known() {
		t.Error("preferences met though nobody prefers anybody")
	}
}
