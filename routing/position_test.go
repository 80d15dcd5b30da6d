package routing_test

import (
	"fmt"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// TestPositionsAreCountedUpToABound has more callers wait than are counted.
func TestPositionsAreCountedUpToABound(t *testing.T) {
	e, m := routing.New(), newModel()
	said := map[contact.ID]routing.Announce{}
	step := func(at contact.Instant, ev routing.Event) {
		got := e.Step(at, ev)
		if want := m.step(at, ev); !same(got, want) {
			t.Fatalf("%s: engine:\n%snaive model:\n%s", ev.Kind(), show(got, want), show(want, got))
		}
		for _, a := range got {
			if a, is := a.(routing.Announce); is {
				said[a.Contact] = a
			}
		}
	}
	step(began, routing.PlanPublished{Version: 1, Plan: &routing.Plan{
		Version: 1, DefaultQueue: "q",
		Profiles: []routing.Profile{{Name: "p", Capacity: capacity(1, 0, 0)}},
		Queues:   []routing.Queue{{ID: "q", AnswerWithin: targets(minute, minute, minute), Announce: &routing.AnnouncePolicy{First: minute, Every: minute}}},
	}})
	step(began, routing.HoursChanged{Queue: "q", Open: true})
	step(began, routing.AgentSignedOn{Agent: "h", Profile: "p"})
	for i := range routing.PositionMost + 20 {
		step(began, routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("c%03d", i)), Channel: contact.Phone})
	}
	step(began.Add(minute), routing.Tick{})
	for id, want := range map[contact.ID]int{"c000": 1, "c100": 101, "c198": 199, "c199": 200, "c219": 200} {
		if a := said[id]; a.Position != want {
			t.Errorf("%s was told number %d, want %d", id, a.Position, want)
		}
	}
	x, _ := e.ExplainContact("c219")
	if x.Position != 220 {
		t.Errorf("the last is explained as number %d, want 220", x.Position)
	}
}
