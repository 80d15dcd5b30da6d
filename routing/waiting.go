package routing

import (
	"cmp"

	"example.org/c3i/contact"
)

// inquiry is one contact's state from arrival until its wrap-up is closed.
type inquiry struct {
	id      contact.ID
	channel int
	// wanted is the queue the arrival named, queue where it is.
	wanted QueueID
	queue  QueueID
	// rule and version chose the queue.
	rule    string
	version int
	facts   contact.Facts

	arrival contact.Instant
	queued  contact.Instant
	due     contact.Instant
	// class is 0 for risk to life, else 1.
	class  uint8
	target contact.Duration
	credit contact.Duration

	phase    Phase // empty while waiting
	handler  *handler
	offer    OfferID
	since    contact.Instant
	until    contact.Instant
	answered contact.Instant
	muted    bool
	extended bool
	// capacity is what the handler had for the channel when it was offered.
	capacity int
	// refusers missed or declined it since it last waited for anybody; misses counts
	// all.
	refusers []AgentID
	misses   int

	// line holds contacts alike while the contact may still be offered.
	line *line
	// Positions in the line's heap and the timer heap; -1 outside.
	place, timer int
	// fresh marks a contact that became offerable in this sub-step.
	fresh bool
}

func newInquiry() *inquiry { return &inquiry{place: -1, timer: -1} }

// inHand tells whether the contact was accepted by a handler.
func (c *inquiry) inHand() bool { return c.phase != "" && c.phase != PhaseRinging }

// over tells whether the contact's ending was reported.
func (c *inquiry) over() bool { return c.phase == PhaseWrapUp }

func (c *inquiry) refusedBy(id AgentID) bool {
	for _, r := range c.refusers {
		if r == id {
			return true
		}
	}
	return false
}

// line is the contacts waiting that are alike in queue, channel and needs, as a
// heap with the most due on top.
type line struct {
	queue   *queue
	channel int
	needs   []Need
	// able lists profiles that may take from the line, best fit first.
	able []ableProfile
	heap []place
}

type ableProfile struct {
	*profile
	fit int
}

// place is a contact's place: class, due, arrival, id.
type place struct {
	due, arrival contact.Instant
	class        uint8
	c            *inquiry
}

func placeOf(c *inquiry) place { return place{c.due, c.arrival, c.class, c} }

func (p place) before(o place) bool {
	if p.class != o.class {
		return p.class < o.class
	}
	if p.due != o.due {
		return p.due < o.due
	}
	if p.arrival != o.arrival {
		return p.arrival < o.arrival
	}
	return p.c.id < o.c.id
}

func comparePlaces(a, b *inquiry) int {
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.due, b.due), cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.id, b.id))
}

func (l *line) push(c *inquiry) {
	l.heap = append(l.heap, placeOf(c))
	c.place = len(l.heap) - 1
	l.up(c.place)
}

func (l *line) remove(c *inquiry) {
	i, last := c.place, len(l.heap)-1
	if i != last {
		l.heap[i] = l.heap[last]
		l.heap[i].c.place = i
	}
	l.heap[last] = place{}
	l.heap = l.heap[:last]
	if i != last && !l.down(i) {
		l.up(i)
	}
	c.place = -1
}

func (l *line) up(i int) {
	moving := l.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !moving.before(l.heap[parent]) {
			break
		}
		l.heap[i] = l.heap[parent]
		l.heap[i].c.place = i
		i = parent
	}
	l.heap[i] = moving
	moving.c.place = i
}

func (l *line) down(i int) (moved bool) {
	moving := l.heap[i]
	for {
		child := 2*i + 1
		if child >= len(l.heap) {
			break
		}
		if right := child + 1; right < len(l.heap) && l.heap[right].before(l.heap[child]) {
			child = right
		}
		if !l.heap[child].before(moving) {
			break
		}
		l.heap[i] = l.heap[child]
		l.heap[i].c.place = i
		i, moved = child, true
	}
	l.heap[i] = moving
	moving.c.place = i
	return moved
}

// wait puts a contact in its line.
func (e *Engine) wait(c *inquiry) {
	c.line.push(c)
	c.line.queue.waiting++
}

// unwait takes a contact out of its line.
func (e *Engine) unwait(c *inquiry) {
	c.line.remove(c)
	c.line.queue.waiting--
}

// makePending marks a waiting contact as offerable anew.
func (e *Engine) makePending(c *inquiry) {
	if !c.fresh {
		c.fresh = true
		e.pending = append(e.pending, c)
	}
}
