package simbench

import (
	"context"
	"math"
	"testing"

	"example.org/c3i/contact/importrule"
	"example.org/c3i/routing/sim"
)

func TestImportsOnlyTheSimulator(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "routing/sim"}})
}

// What is compared is the same queue: both programs agree with Erlang A.
func TestBothProgramsSimulateTheSameQueue(t *testing.T) {
	q := queue{Contacts: 8000, Rate: 0.1, Service: 120, Patience: 90, Servers: 12, Seconds: 30}
	theory := sim.MMCM(q.Rate, q.Service, q.Patience, q.Servers, q.Seconds)
	engine, err := throughEngine(context.Background(), q, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Outcome{"bare loop": bareLoop(q), "engine": engine} {
		if math.Abs(o.Abandon-theory.Abandon) > 0.025 || math.Abs(o.Wait-theory.MeanAnswered) > 0.25*theory.MeanAnswered {
			t.Errorf("%s: %.4f abandon and wait %.2f s, Erlang A says %.4f and %.2f s", name, o.Abandon, o.Wait, theory.Abandon, theory.MeanAnswered)
		}
	}
}
