package live_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/plan"
)

// An engine that panics ends its driver, not the process; the event it could not
// take is not in the journal, so the next driver goes on without it.
func TestAnEngineThatPanicsEndsTheDriverAndTheNextGoesOn(t *testing.T) {
	store := journal.NewMemory(journal.Retention{})
	poisoned := func(version int, source string) (*routing.Plan, error) {
		p, err := plan.Load(version, source)
		if err == nil {
			p.Rules = append([]routing.Rule{{Name: "poison", Queue: "general", Match: func(in routing.RuleInput) bool {
				return in.Facts.Dialled == "poison" && in.Facts.Answers["nil"] == [1]string{}[len(in.Facts.Dialled)]
			}}}, p.Rules...)
		}
		return p, err
	}
	sink := newRecorder()
	d := start(t, live.Options{Store: store, Compile: poisoned, Log: zerolog.Nop().Level(zerolog.Disabled)}, sink)
	must(t, d, publish(t), call(1))
	bad := call(2)
	bad.Facts.Dialled = "poison"
	if _, err := d.SubmitWait(testContext(t), bad); err == nil || !strings.Contains(err.Error(), "engine failed") {
		t.Fatalf("the poisonous event gave %v", err)
	}
	<-d.Failed()
	if err := d.Submit(testContext(t), call(3)); err == nil || !strings.Contains(err.Error(), "engine failed") {
		t.Errorf("Submit after the failure gave %v", err)
	}
	sink.await(t, "queued", 1)
	next := start(t, live.Options{Store: store})
	if r := next.Recovered(); r.Differs != 0 || r.Last == 0 {
		t.Errorf("recovered %+v", r)
	}
	must(t, next, call(2), call(3))
	if p := next.Plan(); p == nil || p.Version != 1 {
		t.Errorf("plan in force %+v", p)
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	reg := prometheus.NewRegistry()
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{}), Metrics: live.NewMetrics(reg)})
	must(t, d, publish(t))
	ready(t, d, "amber")
	must(t, d, call(1), call(2))
	if _, err := d.SubmitWait(testContext(t), call(2)); err != nil { // a duplicate
		t.Fatal(err)
	}
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			switch {
			case m.GetCounter() != nil:
				got[name] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				got[name] = m.GetGauge().GetValue()
			case m.GetHistogram() != nil:
				got[name] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	for name, want := range map[string]float64{
		"c3i_routing_events_total contact_arrived":                    3,
		"c3i_routing_actions_total offer":                             1,
		"c3i_routing_refused_total contact_duplicate contact_arrived": 1,
		"c3i_routing_journal_unacknowledged_records":                  0,
		"c3i_routing_invariant_violations_total":                      0,
		"c3i_routing_contacts waiting":                                1,
		"c3i_routing_contacts ringing":                                1,
	} {
		value, there := got[name]
		if !there || value != want {
			t.Errorf("%s is %v (there: %v), want %v", name, value, there, want)
		}
	}
	if got["c3i_routing_event_release_seconds"] < 6 {
		t.Errorf("%v events timed", got["c3i_routing_event_release_seconds"])
	}
	if got["c3i_routing_audits_total"] < 1 {
		t.Error("the auditor took no sample")
	}
}

func TestAViewThatPanicsIsItsCallersAffair(t *testing.T) {
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{}), Log: zerolog.Nop().Level(zerolog.Disabled)})
	if err := d.View(testContext(t), func(*routing.Engine) { panic("a fault in a view") }); err == nil {
		t.Error("the panic was swallowed")
	}
	must(t, d, publish(t))
}
