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
}

// changes lists the queues that opened or closed since the engine was told, or
// every queue when all is asked for.
func (h *hours) changes(p *routing.Plan, at contact.Instant, all bool) []routing.Event {
	if p == nil {
		return nil
	}
	local := h.zone.Local(at)
	var events []routing.Event
	for _, q := range p.Queues {
		open := q.Hours == nil || q.Hours(local)
		if before, told := h.open[q.ID]; all || !told || before != open {
			events = append(events, routing.HoursChanged{Queue: q.ID, Open: open})
			h.open[q.ID] = open
		}
	}
	return events
}

// nextMinute is the time until the minute after at begins.
func nextMinute(at contact.Instant) time.Duration {
	return time.Minute - time.Duration(int64(at)%int64(time.Minute))
}
