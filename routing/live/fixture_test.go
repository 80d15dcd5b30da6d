package live_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/live"
)

func planSource(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// must submits events and fails the test when one is refused.
func must(t testing.TB, d *live.Driver, events ...routing.Event) []routing.Action {
	t.Helper()
	var all []routing.Action
	for _, ev := range events {
		actions, err := d.SubmitWait(testContext(t), ev)
		if err != nil {
			t.Fatalf("%s: %v", ev.Kind(), err)
		}
		for _, a := range actions {
			if r, is := a.(routing.Refused); is {
				t.Fatalf("%s was refused: %s", ev.Kind(), r.Code)
			}
		}
		all = append(all, actions...)
	}
	return all
}

func publish(t testing.TB) routing.Event {
	return routing.PlanPublished{Version: 1, Source: planSource(t)}
}

func call(n int) routing.ContactArrived {
	return routing.ContactArrived{
		Contact: contact.ID(fmt.Sprintf("01CALL%020d", n)), Channel: contact.Phone, Arrival: 1,
		Facts: contact.Facts{Language: "en", Answers: map[string]string{"menu": "crime"}},
	}
}

// ready signs handlers on and makes them ready.
func ready(t testing.TB, d *live.Driver, names ...routing.AgentID) {
	t.Helper()
	for _, n := range names {
		must(t, d, routing.AgentSignedOn{Agent: n, Profile: "crime-desk", DeviceUp: true}, routing.AgentReady{Agent: n})
	}
}

func find[A routing.Action](t testing.TB, actions []routing.Action) A {
	t.Helper()
	for _, a := range actions {
		if x, is := a.(A); is {
			return x
		}
	}
	var zero A
	t.Fatalf("no %s among %v", zero.ActionKind(), actions)
	return zero
}

// recorder is a sink that keeps what it is given.
type recorder struct {
	mu      sync.Mutex
	actions []routing.Action
	changed chan struct{}
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{}, 1)} }

func (r *recorder) Do(_ context.Context, a routing.Action) error {
	r.mu.Lock()
	r.actions = append(r.actions, a)
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return nil
}

func (r *recorder) count(kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, a := range r.actions {
		if a.ActionKind() == kind {
			n++
		}
	}
	return n
}

// await waits until n actions of a kind have come.
func (r *recorder) await(t testing.TB, kind string, n int) {
	t.Helper()
	ctx := testContext(t)
	for r.count(kind) < n {
		select {
		case <-r.changed:
		case <-ctx.Done():
			t.Fatalf("%d %s actions came, want %d", r.count(kind), kind, n)
		}
	}
}
