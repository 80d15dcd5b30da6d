package routing_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// eventsWanted is how many events the long differential run takes: 20,000, or
// the value of C3I_ROUTING_EVENTS.
func eventsWanted(t *testing.T) int {
	v := os.Getenv("C3I_ROUTING_EVENTS")
	if v == "" {
		return 20_000
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("C3I_ROUTING_EVENTS is %q: give a count of events", v)
	}
	return n
}

// seed is the value of C3I_ROUTING_SEED, else one drawn now; it is printed first.
func seed(t *testing.T) uint64 {
	s := uint64(time.Now().UnixNano())
	if v := os.Getenv("C3I_ROUTING_SEED"); v != "" {
		var err error
		if s, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("C3I_ROUTING_SEED is %q: give a number", v)
		}
	}
	t.Logf("seed %d: repeat with C3I_ROUTING_SEED=%d", s, s)
	return s
}

// TestEngineDecidesAsTheNaiveModelDoes runs many short lives, each of random
// events, through the engine and through the naive model, and wants every action
// of every step equal.
func TestEngineDecidesAsTheNaiveModelDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 1))
	for done := 0; done < eventsWanted(t); {
		life := 100 + r.IntN(800)
		done += life
		w := newWorld(r.IntN)
		e, m := routing.New(), newModel()
		for _, ev := range w.setUp() {
			compare(t, e, m, w, w.now, ev, 0)
		}
		for i := range life {
			at, ev := w.next()
			compare(t, e, m, w, at, ev, i)
		}
	}
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func compare(t failer, e *routing.Engine, m *model, w *world, at contact.Instant, ev routing.Event, i int) {
	t.Helper()
	got, want := e.Step(at, ev), m.step(at, ev)
	if !same(got, want) {
		t.Fatalf("event %d, %s %+v at %v:\nengine:\n%snaive model:\n%s", i, ev.Kind(), ev, at, show(got, want), show(want, got))
	}
	sound(t, e, fmt.Sprintf("event %d, %s %+v", i, ev.Kind(), ev))
	w.learn(got)
}

// TestEngineDecidesAsTheNaiveModelDoesShrunk is the same under rapid, which
// shrinks a failing life to its least events.
func TestEngineDecidesAsTheNaiveModelDoesShrunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choice := rapid.IntRange(0, 1<<30)
		w := newWorld(func(n int) int { return choice.Draw(t, "pick") % n })
		e, m := routing.New(), newModel()
		for _, ev := range w.setUp() {
			compare(t, e, m, w, w.now, ev, 0)
		}
		for i := range rapid.IntRange(1, 120).Draw(t, "events") {
			at, ev := w.next()
			compare(t, e, m, w, at, ev, i)
		}
	})
}
