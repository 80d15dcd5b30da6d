package routing_test

import (
	"strings"
	"testing"

	"example.org/c3i/routing"
)

func TestRestoreRefusesWhatContradictsItself(t *testing.T) {
	var e *routing.Engine
	var w *world
	var good []byte
	for life := uint64(1); !strings.Contains(string(good), `"phase":"talking"`) || !strings.Contains(string(good), `"open":["`) || strings.Contains(string(good), `"left":`); life++ {
		e, w = lived(life, 60)
		var err error
		if good, err = e.Snapshot(); err != nil {
			t.Fatal(err)
		}
	}
	plan := w.plans[e.PlanVersion()-1]
	if _, err := routing.Restore(good, plan); err != nil {
		t.Fatalf("a good snapshot is refused: %v", err)
	}
	bad := *plan
	bad.DefaultQueue = "nowhere"
	swap := func(old, with string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the snapshot has no %q to spoil", old)
		}
		return strings.Replace(string(good), old, with, 1)
	}
	for name, c := range map[string]struct {
		snapshot string
		plan     *routing.Plan
		want     string
	}{
		"not JSON":            {"{", plan, "not readable"},
		"empty":               {"", plan, "not readable"},
		"another format":      {swap(`"format":1`, `"format":9`), plan, "format 9"},
		"an unknown field":    {swap(`"now":`, `"noon":1,"now":`), plan, "not readable"},
		"no plan":             {string(good), nil, "plan"},
		"a plan at odds":      {string(good), &bad, "plan"},
		"a clock set back":    {swap(`"now":17`, `"now":10`), plan, "contradicts itself"},
		"an arrival too many": {swap(`"arrived":`, `"arrived":1`), plan, "contradicts itself"},
		"an unknown phase":    {swap(`"phase":"talking"`, `"phase":"dancing"`), plan, "dancing"},
		"an unknown queue":    {swap(`"open":["`, `"open":["x`), plan, "not in the plan"},
		"work that is lost":   {swap(`"work":["c`, `"work":["x`), plan, "not there"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := routing.Restore([]byte(c.snapshot), c.plan); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v; want one that speaks of %q", err, c.want)
			}
		})
	}
}

func TestEmptyEngineHasASnapshot(t *testing.T) {
	b, err := routing.New().Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	version, source, err := routing.SnapshotPlan(b)
	if err != nil || version != 0 || source != "" {
		t.Fatalf("plan of an empty snapshot = %d %q %v", version, source, err)
	}
	e, err := routing.Restore(b, nil)
	if err != nil || e.Hash() != routing.New().Hash() {
		t.Fatalf("an empty engine does not come back: %v", err)
	}
}
