package routing_test

import (
	"fmt"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// TestKeptPlacesAreBounded has more callers hang up than places are kept: the
// first one's is forgotten, the second one's is not.
func TestKeptPlacesAreBounded(t *testing.T) {
	e := routing.New()
	e.Step(began, routing.PlanPublished{Version: 1, Plan: &routing.Plan{
		Version: 1, DefaultQueue: "q", RingBackWindow: contact.Day,
		Queues: []routing.Queue{{ID: "q", AnswerWithin: targets(minute, minute, minute)}},
	}})
	e.Step(began, routing.HoursChanged{Queue: "q", Open: true})
	call := func(at contact.Instant, id string, line int) routing.Queued {
		for _, a := range e.Step(at, routing.ContactArrived{Contact: contact.ID(id), Channel: contact.Phone, Facts: contact.Facts{Line: fmt.Sprint("line ", line)}}) {
			if q, is := a.(routing.Queued); is {
				return q
			}
		}
		t.Fatalf("call %s was not queued", id)
		return routing.Queued{}
	}
	for i := range routing.LeaversRemembered + 1 {
		id := fmt.Sprint("a", i)
		call(began, id, i)
		e.Step(began, routing.ContactReleased{Contact: contact.ID(id), Cause: routing.ReleasedByCaller})
	}
	sound(t, e, "many hung up")
	later := began.Add(minute)
	if q := call(later, "b0", 0); q.Arrival != later || q.KeptFrom != "" {
		t.Errorf("the first to hang up has a place kept beyond the bound: %+v", q)
	}
	if q := call(later, "b1", 1); q.Arrival != began || q.KeptFrom != "a1" {
		t.Errorf("the second to hang up has lost their place: %+v", q)
	}
}
