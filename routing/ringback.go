package routing

import (
	"slices"

	"example.org/c3i/contact"
)

// LeaversRemembered is how many callers who hung up waiting have their place kept
// at most; the oldest are forgotten first.
const LeaversRemembered = 10_000

// leaver is a caller who hung up before being answered.
type leaver struct {
	Contact contact.ID      `json:"contact"`
	Line    string          `json:"line"` // Facts.Line
	Queue   QueueID         `json:"queue"`
	Arrival contact.Instant `json:"arrival"`
	At      contact.Instant `json:"at"`
}

// leavers remembers those who left, oldest first.
type leavers struct {
	list []leaver
	// lines counts entries by line, so that most arrivals look no further.
	lines map[string]int
}

func newLeavers() leavers { return leavers{lines: map[string]int{}} }

func (s *leavers) add(l leaver) {
	s.list = append(s.list, l)
	s.lines[l.Line]++
}

func (s *leavers) remove(i int) {
	s.unlist(s.list[i].Line)
	s.list = slices.Delete(s.list, i, i+1)
}

// forget drops those who left longer than the window ago.
func (s *leavers) forget(now contact.Instant, window contact.Duration) {
	old := 0
	for old < len(s.list) && now.Sub(s.list[old].At) >= window {
		old++
	}
	s.removeOldest(max(old, len(s.list)-LeaversRemembered))
}

// removeOldest drops the first n.
func (s *leavers) removeOldest(n int) {
	for _, l := range s.list[:max(n, 0)] {
		s.unlist(l.Line)
	}
	if n > 0 {
		clear(s.list[:n])
		s.list = s.list[n:]
	}
}

func (s *leavers) unlist(line string) {
	if s.lines[line]--; s.lines[line] == 0 {
		delete(s.lines, line)
	}
}

// find gives the position of the last who left a queue on a line within the
// window, -1 if none.
func (s *leavers) find(line string, id QueueID, now contact.Instant, window contact.Duration) int {
	if line == "" || s.lines[line] == 0 {
		return -1
	}
	for i, l := range slices.Backward(s.list) {
		if l.Line == line && l.Queue == id && now.Sub(l.At) < window {
			return i
		}
	}
	return -1
}

// keepPlace remembers the place of a caller who hung up before being answered.
func (e *Engine) keepPlace(c *inquiry, cause ReleaseCause) {
	if cause != ReleasedByCaller || c.channel != onPhone || c.facts.Line == "" || c.awaited() {
		return
	}
	window := e.plan.plan.RingBackWindow
	e.left.forget(e.now, window)
	if window <= 0 {
		return
	}
	if i := e.left.find(c.facts.Line, c.home, e.now, window); i >= 0 {
		e.left.remove(i)
	}
	e.left.add(leaver{Contact: c.id, Line: c.facts.Line, Queue: c.home, Arrival: c.arrival, At: e.now})
	e.left.forget(e.now, window)
}

// ringBack gives a call that comes back the arrival of the one that hung up.
func (e *Engine) ringBack(c *inquiry) {
	if c.channel != onPhone {
		return
	}
	if p := e.promisedTo(c); p != nil {
		c.keptFrom = p.id
		c.arrival = min(c.arrival, p.arrival)
		return
	}
	if i := e.left.find(c.facts.Line, c.home, e.now, e.plan.plan.RingBackWindow); i >= 0 {
		c.keptFrom = e.left.list[i].Contact
		c.arrival = min(c.arrival, e.left.list[i].Arrival)
	}
}

// backAgain forgets the place a call has taken over.
func (e *Engine) backAgain(c *inquiry) {
	if c.keptFrom == "" {
		return
	}
	if p := e.contacts[c.keptFrom]; p != nil {
		e.rangIn(p)
		return
	}
	i := slices.IndexFunc(e.left.list, func(l leaver) bool { return l.Contact == c.keptFrom })
	if i >= 0 {
		e.left.remove(i)
	}
}
