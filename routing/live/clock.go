package live

import (
	"time"

	"example.org/c3i/contact"
)

// clock gives instants that follow the wall clock and never go back. When the
// wall clock is set back, instants go on at nine tenths of real speed until the
// wall has caught up: deadlines neither freeze nor fire early.
type clock struct {
	now  func() time.Time
	last time.Time // with its monotonic reading
	at   contact.Instant
}

func newClock(now func() time.Time) *clock { return &clock{now: now} }

// startAt makes the clock begin no earlier than a journalled instant.
func (c *clock) startAt(at contact.Instant) { c.at, c.last = max(c.at, at), c.now() }

func (c *clock) read() contact.Instant {
	t := c.now()
	elapsed := time.Duration(0)
	if !c.last.IsZero() {
		elapsed = max(0, t.Sub(c.last))
	}
	c.last = t
	// Rounding drops the monotonic reading: this is the wall.
	if wall := contact.At(t.Round(0)); wall >= c.at {
		c.at = wall
	} else {
		c.at = c.at.Add(contact.Duration(elapsed / 10 * 9))
	}
	return c.at
}
