package live

import (
	"testing"
	"time"

	"example.org/c3i/contact"
)

// A wall clock that is set back must not freeze deadlines, and never gives an
// instant earlier than one already used.
func TestClockGoesOnWhenTheWallIsSetBack(t *testing.T) {
	base := time.Now()
	now := base
	c := newClock(func() time.Time { return now })
	first := c.read()
	if first != contact.At(base) {
		t.Fatalf("read %s, want the wall clock", first)
	}
	// An hour back on the wall; the monotonic reading cannot be forged, so the
	// journal's last instant stands for it.
	c.startAt(first.Add(contact.Hour))
	if got := c.read(); got != first.Add(contact.Hour) {
		t.Fatalf("read %s, want no earlier than the journal's last instant", got)
	}
	now = base.Add(10 * time.Second)
	if got, want := c.read(), first.Add(contact.Hour+9*contact.Second); got != want {
		t.Errorf("after 10s read %s, want %s: nine tenths of real speed", got, want)
	}
	now = base.Add(11 * time.Hour)
	if got := c.read(); got != contact.At(now) {
		t.Errorf("read %s once the wall has caught up, want %s", got, contact.At(now))
	}
}
