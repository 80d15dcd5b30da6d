package live

import (
	"slices"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Hours of callbacks are told where a policy has them, once for each change, and
// what the engine was told before a start is not told again.
func TestHoursOfCallbacks(t *testing.T) {
	byDay := func(l contact.Local) bool { return l.Minute >= 8*60 && l.Minute < 21*60 }
	p := &routing.Plan{Queues: []routing.Queue{
		{ID: "limited", Callback: &routing.CallbackPolicy{Hours: byDay}},
		{ID: "always", Callback: &routing.CallbackPolicy{}},
		{ID: "never"},
	}}
	var h hours
	open := []routing.QueueStatus{{Queue: "limited", Open: true}, {Queue: "always", Open: true}, {Queue: "never", Open: true}}
	h.told(open)
	at := func(hour contact.Duration) contact.Instant { return contact.Instant(hour * contact.Hour) }
	for _, step := range []struct {
		at   contact.Instant
		want []routing.Event
	}{
		{at(7), nil},
		{at(8), []routing.Event{routing.CallbackHoursChanged{Queue: "limited", Open: true}}},
		{at(9), nil},
		{at(21), []routing.Event{routing.CallbackHoursChanged{Queue: "limited"}}},
	} {
		if got := h.changes(p, step.at); !slices.Equal(got, step.want) {
			t.Errorf("at %s: told %v, want %v", step.at, got, step.want)
		}
	}
	open[0].CallbacksOpen = true
	h.told(open)
	if got := h.changes(p, at(10)); len(got) != 0 {
		t.Errorf("told %v again after a start", got)
	}
}
