package live

import (
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// hours works out opening hours: the engine knows no time zones.
type hours struct {
	zone contact.Zone
	// open is what the engine was last told.
	open map[routing.QueueID]bool
	// ring is the same for the hours of callbacks.
	ring map[routing.QueueID]bool
}

// told takes over what the engine holds to be open, after a start or a publish.
func (h *hours) told(queues []routing.QueueStatus) {
	h.open, h.ring = make(map[routing.QueueID]bool, len(queues)), make(map[routing.QueueID]bool, len(queues))
	for _, q := range queues {
		h.open[q.Queue], h.ring[q.Queue] = q.Open, q.CallbacksOpen
	}
}

// changes lists the queues that opened or closed, and those whose callers may be
// rung back or no longer, since the engine was told.
func (h *hours) changes(p *routing.Plan, at contact.Instant) []routing.Event {
	if p == nil {
		return nil
	}
	local := h.zone.Local(at)
	var events []routing.Event
	for _, q := range p.Queues {
		if open := q.Hours == nil || q.Hours(local); h.open[q.ID] != open {
			h.open[q.ID] = open
			events = append(events, routing.HoursChanged{Queue: q.ID, Open: open})
		}
		if q.Callback == nil || q.Callback.Hours == nil {
			continue // asked of nobody
		}
		if ring := q.Callback.Hours(local); h.ring[q.ID] != ring {
			h.ring[q.ID] = ring
			events = append(events, routing.CallbackHoursChanged{Queue: q.ID, Open: ring})
		}
	}
	return events
}

// nextMinute is the time until the minute after at begins.
func nextMinute(at contact.Instant) time.Duration {
	return time.Minute - time.Duration(int64(at)%int64(time.Minute))
}
