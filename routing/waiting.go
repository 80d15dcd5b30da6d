package routing

import (
	"cmp"

	"example.org/c3i/contact"
)

// inquiry is one contact's state from arrival until its wrap-up is closed.
type inquiry struct {
	id contact.ID
	// seat numbers it among those here: see seats.
	seat    int32
	channel int
	// wanted is the queue the arrival named, queue where it is.
	wanted QueueID
	queue  QueueID
	// rule and version chose the queue.
	rule    string
	version int
	facts   contact.Facts
	// home is the queue the rule chose; moves counts the overflow steps taken from
	// there and step the relaxation steps taken in queue.
	home        QueueID
	moves, step int
	// held keeps the contact for the handler it prefers.
	held bool
	// sayAt is when the caller is next told position and wait, zero if never; told
	// and toldWait are what they heard last, zero if nothing yet.
	sayAt    contact.Instant
	told     int
	toldWait contact.Duration
	// back is set once the caller asked to be rung back.
	back *callback
	// keptFrom is the contact whose arrival this one has, empty for its own.
	keptFrom contact.ID
	// spent tells that people were told that no step is left.
	spent bool

	arrival contact.Instant
	queued  contact.Instant
	due     contact.Instant
	// class is 0 for risk to life, else 1.
	class  uint8
	target contact.Duration
	credit contact.Duration

	phase   Phase // empty while waiting
	handler *handler
	offer   OfferID
	since   contact.Instant
	until   contact.Instant
	// wake is when a waiting contact must next be looked at, zero if never.
	wake     contact.Instant
	answered contact.Instant
	muted    bool
	extended bool
	// aside tells that the handler parked it, not a call.
	aside bool
	// joined counts the messages that came after a written contact arrived.
	joined int
	// capacity is what the handler had for the channel when it was offered.
	capacity int
	// refusers missed or declined it in this round; misses counts all rounds.
	refusers []AgentID
	misses   int

	// line holds contacts alike while the contact may still be offered.
	line *line
	// heldAt is the position in Engine.kept; -1 outside.
	heldAt int
	// fresh marks a contact that became offerable in this sub-step.
	fresh bool
}

// inHand tells whether the contact was accepted by a handler.
func (c *inquiry) inHand() bool { return c.handler != nil && c.phase != PhaseRinging }

// unseen tells that messages joined beyond those the handler has seen.
func (c *inquiry) unseen(seen int) bool { return c.joined > 0 && seen < c.joined }

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

// deniedTo tells whether the handler may not be offered the contact although
// their skills would do.
func (c *inquiry) deniedTo(id AgentID) bool {
	return c.held && id != c.prefers() || len(c.refusers) > 0 && c.refusedBy(id)
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
	c            *inquiry
	seat         int32
	class        uint8
}

func placeOf(c *inquiry) place { return place{c.due, c.arrival, c, c.seat, c.class} }

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

// behind tells whether the place comes after another whatever their ids.
func (p place) behind(o place) bool {
	return cmp.Or(cmp.Compare(p.class, o.class), cmp.Compare(p.due, o.due), cmp.Compare(p.arrival, o.arrival)) > 0
}

func comparePlaces(a, b *inquiry) int {
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.due, b.due), cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.id, b.id))
}

// push puts a contact in; at is where contacts stand, by seat.
func (l *line) push(c *inquiry, at []int32) {
	l.heap = append(l.heap, placeOf(c))
	l.up(len(l.heap)-1, at)
}

func (l *line) remove(c *inquiry, at []int32) {
	i, last := int(at[c.seat]), len(l.heap)-1
	moved := l.heap[last]
	l.heap[last] = place{}
	l.heap = l.heap[:last]
	if i != last {
		l.heap[i] = moved
		if !l.down(i, at) {
			l.up(i, at)
		}
	}
	at[c.seat] = -1
}

func (l *line) up(i int, at []int32) {
	moving := l.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !moving.before(l.heap[parent]) {
			break
		}
		l.heap[i] = l.heap[parent]
		at[l.heap[i].seat] = int32(i)
		i = parent
	}
	l.heap[i] = moving
	at[moving.seat] = int32(i)
}

func (l *line) down(i int, at []int32) (moved bool) {
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
		at[l.heap[i].seat] = int32(i)
		i, moved = child, true
	}
	l.heap[i] = moving
	at[moving.seat] = int32(i)
	return moved
}

// first finds the most due contact at or below heap position i that the handler
// may be offered, unless all is set leaving out those they refused. It looks only
// below those left out, so it costs one step for each of them.
func (l *line) first(i int, id AgentID, all bool) *inquiry {
	if i >= len(l.heap) {
		return nil
	}
	c := l.heap[i].c
	if (!c.held || id == c.prefers()) && (all || len(c.refusers) == 0 || !c.refusedBy(id)) {
		return c
	}
	left, right := l.first(2*i+1, id, all), l.first(2*i+2, id, all)
	if left == nil || right != nil && placeOf(right).before(placeOf(left)) {
		return right
	}
	return left
}

// wait puts a contact in its line.
func (e *Engine) wait(c *inquiry) {
	c.line.push(c, e.seats.place)
	c.line.queue.waiting++
	e.setWake(c, e.nextLook(c))
	if c.held {
		c.heldAt = len(e.kept)
		e.kept = append(e.kept, c)
		e.recheck = true
	}
}

// unwait takes a contact out of its line.
func (e *Engine) unwait(c *inquiry) {
	c.line.remove(c, e.seats.place)
	c.line.queue.waiting--
	c.line.queue.far.ahead--
	e.setWake(c, 0)
	e.unhold(c)
}

// unhold takes a contact off the list of those kept for one handler.
func (e *Engine) unhold(c *inquiry) {
	if c.heldAt < 0 {
		return
	}
	last := len(e.kept) - 1
	e.kept[c.heldAt] = e.kept[last]
	e.kept[c.heldAt].heldAt = c.heldAt
	e.kept[last] = nil
	e.kept = e.kept[:last]
	c.heldAt = -1
}

// makePending marks a waiting contact as offerable anew.
func (e *Engine) makePending(c *inquiry) {
	if !c.fresh {
		c.fresh = true
		e.pending = append(e.pending, c)
	}
}
