package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

func run(t testing.TB, o Options) *Report {
	t.Helper()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func asJSON(t *testing.T, r *Report) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSameSeedSameReport(t *testing.T) {
	o := Options{
		Plans:  []PlanInput{{"a", smallPlan}, {"b", strings.Replace(smallPlan, "answer_within: {phone: 30s", "answer_within: {phone: 60s", 1)}},
		Source: modelled(t, small(t), 1), Replications: 3, Seed: 42, Workers: 1,
	}
	t.Log("seed 42")
	first := asJSON(t, run(t, o))
	o.Workers = 4
	if again := asJSON(t, run(t, o)); again != first {
		t.Error("another number of workers gives another report")
	}
	o.Seed = 43
	if other := asJSON(t, run(t, o)); other == first {
		t.Error("another seed gives the same report")
	}
}

// The auditor looks at the engine all the while, and every contact that arrived
// is in exactly one place at the end.
func TestNothingIsLostAndNoRuleBroken(t *testing.T) {
	seeds, every := 6, 25
	if raced {
		seeds, every = 2, 200
	}
	for seed := range seeds {
		t.Logf("seed %d", seed)
		m := small(t)
		// From idle to hopeless: 300 to 3,000 contacts a day for the same handlers.
		m.PerDay = 300 + 540*float64(seed)
		o := Options{Plans: []PlanInput{{"small", smallPlan}}, Source: modelled(t, m, 1), Replications: 2, Seed: uint64(seed), CheckEvery: every}
		p, err := prepare(o.Plans[0], 1, &o)
		if err != nil {
			t.Fatal(err)
		}
		for r := range o.Replications {
			out, err := o.Source.Outside(o.Seed, r)
			if err != nil {
				t.Fatal(err)
			}
			w, err := p.play(context.Background(), out, &o)
			if err != nil {
				t.Fatal(err)
			}
			got := w.tally(p, out.From)
			for g, s := range got.groups {
				if sum := s.answered + s.short + s.long + s.closed + s.failed + s.open; sum != s.offered {
					t.Errorf("%s: %g offered, %g accounted for", g.Label(), s.offered, sum)
				}
				if len(s.waits) != int(s.answered) {
					t.Errorf("%s: %g answered, %d waits", g.Label(), s.answered, len(s.waits))
				}
			}
			total := got.groups[whole]
			if int(total.offered) != len(out.Arrivals) {
				t.Errorf("%d arrived, %g counted", len(out.Arrivals), total.offered)
			}
			counts := w.engine.Counts()
			if counts.Arrived != len(out.Arrivals) || counts.AbandonedShort != int(total.short) || counts.AbandonedInQueue != int(total.long) ||
				counts.AbandonedAfterMessage != int(total.closed) || counts.Ended()+counts.Waiting+counts.Ringing+counts.Connecting+counts.Talking != counts.Arrived {
				t.Errorf("the engine counts %+v, the simulation %+v", counts, total)
			}
			if total.busy > total.staffed+1 {
				t.Errorf("handlers were busy %.0f s of %.0f s", total.busy, total.staffed)
			}
		}
	}
}

func TestAPlanComparedWithItselfIsTheSame(t *testing.T) {
	r := run(t, Options{Plans: []PlanInput{{"a", smallPlan}, {"b", smallPlan}}, Source: modelled(t, small(t), 1), Replications: 3, Seed: 5})
	for _, d := range r.Comparisons[0].Total {
		if d.Difference.Mean != 0 || d.Significant || d.Verdict != "the same" {
			t.Errorf("%s differs: %+v", d.Metric, d)
		}
	}
}

// Serving crime before all else must shorten its wait and lengthen the others',
// and the page must say so.
func TestAClearDifferenceIsFoundAndAChanceOneIsNot(t *testing.T) {
	m := small(t)
	m.PerDay = 1500
	first := strings.Replace(smallPlan, "queue: crime}", "queue: crime, risk_to_life: true}", 1)
	renamed := strings.Replace(smallPlan, "label: General", "label: Anything else", 1)
	r := run(t, Options{Plans: []PlanInput{{"plan", smallPlan}, {"crime first", first}, {"renamed", renamed}}, Source: modelled(t, m, 1), Replications: 16, Seed: 9})
	t.Log("seed 9")
	change := func(q routing.QueueID) Estimate {
		for _, row := range r.Comparisons[0].Queues {
			if row.Queue == q {
				return row.Figure(AbandonRate)
			}
		}
		return estimate(nil)
	}
	if e := change("crime"); !e.Significant() || e.Mean > 0 {
		t.Errorf("callers about crime give up %+v more often when they go first", e)
	}
	if e := change("general"); !e.Significant() || e.Mean < 0 {
		t.Errorf("the others give up %+v more often when crime goes first", e)
	}
	for _, d := range r.Comparisons[1].Total {
		if d.Significant {
			t.Errorf("a new label changes %s: %+v", d.Metric, d.Difference)
		}
	}
}

func TestStoppedEarlySaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := Options{
		Plans: []PlanInput{{"a", smallPlan}}, Source: modelled(t, small(t), 1), Replications: 50, Seed: 1, Workers: 1,
		Progress: func(done, _ int) {
			if done == 3 {
				cancel()
			}
		},
	}
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Complete || r.Replications != 3 || r.Asked != 50 {
		t.Errorf("%d of %d, complete %t", r.Replications, r.Asked, r.Complete)
	}
	var text, html bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteHTML(&html)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "STOPPED EARLY") || !strings.Contains(html.String(), "Stopped early: 3 of 50") {
		t.Error("the report does not say that it was stopped")
	}
	if _, err := Run(ctx, o); !errors.Is(err, ErrNothingDone) {
		t.Errorf("nothing was done, and the error is %v", err)
	}
}

func TestWhatCannotBeRunIsRefused(t *testing.T) {
	src := modelled(t, small(t), 1)
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"no plan":         {Options{Source: src}, "no plan"},
		"no source":       {Options{Plans: []PlanInput{{"a", smallPlan}}}, "no source"},
		"a broken plan":   {Options{Plans: []PlanInput{{"a.yaml", "queues: ["}}, Source: src}, "a.yaml:1"},
		"profile missing": {Options{Plans: []PlanInput{{"a.yaml", strings.ReplaceAll(smallPlan, "  general: {skills", "  other: {skills")}}, Source: src}, `no handler profile "general"`},
	} {
		if _, err := Run(context.Background(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// script is a source written by hand.
type script struct {
	arrivals []Arrival
	shifts   []Shift
	missed   float64
}

func (s script) Describe() (string, []string) { return "by hand", nil }
func (s script) Period() (contact.Instant, contact.Instant) {
	return monday, monday.Add(2 * contact.Hour)
}
func (s script) Profiles() []string { return nil }
func (s script) Outside(uint64, int) (*Outside, error) {
	return &Outside{
		From: monday, To: monday.Add(2 * contact.Hour), Arrivals: s.arrivals, Shifts: s.shifts,
		Answering: Answering{Delay: Constant(2), Missed: s.missed}, stream: newStream(1, 1),
	}, nil
}

func playScript(t *testing.T, s script) *world {
	t.Helper()
	o := Options{Plans: []PlanInput{{"small", smallPlan}}, Source: s, CheckEvery: 1}
	p, err := prepare(o.Plans[0], 1, &o)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := s.Outside(0, 0)
	w, err := p.play(context.Background(), out, &o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func after(seconds float64) contact.Instant { return monday.Add(span(seconds)) }

// An e-mail rests while its handler has a call, and goes on afterwards.
func TestACallInterruptsAnEmail(t *testing.T) {
	f := &contact.Facts{}
	w := playScript(t, script{
		shifts: []Shift{{"ann", "all", monday, after(7200)}},
		arrivals: []Arrival{
			{At: after(100), Channel: contact.Email, Facts: f, Talk: 300, Patience: never.Mean()},
			{At: after(200), Channel: contact.Phone, Facts: f, Talk: 60, WrapUp: 30, Patience: 500},
		},
	})
	mail, call := w.visits[0], w.visits[1]
	// The call rings 2 s, lasts 60 s and is wrapped up for 30 s; the e-mail was
	// taken at 102 s, put down at 202 s with 200 s left, taken up again at 292 s.
	if mail.answered != after(102) || call.answered != after(202) || call.over != after(262) || mail.over != after(492) {
		t.Errorf("e-mail %v to %v, call %v to %v", mail.answered, mail.over, call.answered, call.over)
	}
	if busy := w.time.busy[0]; math.Abs(busy-390) > 1e-6 {
		t.Errorf("busy %.1f s, want 390 s", busy)
	}
}

func TestPatienceEndsWhileRinging(t *testing.T) {
	w := playScript(t, script{
		shifts: []Shift{{"ann", "all", monday, after(7200)}},
		arrivals: []Arrival{
			{At: after(10), Channel: contact.Phone, Facts: &contact.Facts{}, Talk: 60, Patience: 1.5},
			{At: after(11), Channel: contact.Phone, Facts: &contact.Facts{}, Talk: 60, Patience: 100},
		},
	})
	if v := w.visits[0]; v.stage != leftShort || v.over != after(11.5) {
		t.Errorf("the first is %+v", v)
	}
	if v := w.visits[1]; v.answered != after(13.5) {
		t.Errorf("the second was answered at %v", v.answered)
	}
}

// Handlers who go finish what they have, and their paid time ends with it; the
// wrap-up is no longer than the plan lets it be.
func TestEndOfShift(t *testing.T) {
	w := playScript(t, script{
		shifts: []Shift{{"ann", "all", monday, after(100)}},
		arrivals: []Arrival{
			{At: after(50), Channel: contact.Phone, Facts: &contact.Facts{}, Talk: 200, WrapUp: 1000, Patience: 500},
			{At: after(60), Channel: contact.Phone, Facts: &contact.Facts{}, Talk: 60, Patience: 500},
		},
	})
	if v := w.visits[0]; v.over != after(252) || v.worked != 320 {
		t.Errorf("the first is %+v", v)
	}
	if v := w.visits[1]; v.stage != leftLong || v.over != after(560) {
		t.Errorf("the second is %+v", v)
	}
	if math.Abs(w.time.staffed[0]-372) > 1e-6 {
		t.Errorf("paid for %.1f s, want 372 s", w.time.staffed[0])
	}
}

func TestQueuesOpenAndCloseByTheirHours(t *testing.T) {
	r := run(t, Options{Plans: []PlanInput{{"small", smallPlan}}, Source: modelled(t, small(t), 7), Replications: 1, Seed: 3})
	closed, open := 0.0, 0.0
	for _, row := range r.Plans[0].QueueHours {
		if row.Queue != "property" {
			continue
		}
		if row.Hour < 8 || row.Hour >= 18 {
			if row.Figure(ClosedOut).Mean != row.Figure(Offered).Mean {
				t.Errorf("%s: %+v came in", row.Label(), row.Figures)
			}
			closed += row.Figure(ClosedOut).Mean
		} else {
			open += row.Figure(Offered).Mean - row.Figure(ClosedOut).Mean
		}
	}
	if closed == 0 || open == 0 {
		t.Errorf("%g met a closed queue, %g an open one", closed, open)
	}
}
