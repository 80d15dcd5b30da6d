package routing

import "example.org/c3i/contact"

// What estimates are made of.
const (
	// HandleDefault stands for the mean handling time until a queue has history.
	HandleDefault = 5 * contact.Minute
	// EstimateUnknown is the estimated wait when nobody within reach has what the
	// queue needs.
	EstimateUnknown = 24 * contact.Hour
	// PositionMost is the largest position announced: counting further would cost
	// more than it tells.
	PositionMost = 200
	// handleWeight is what one contact counts in the moving average: 1/8.
	handleWeight = 8
)

// handled takes one finished contact into the queue's moving average of handling
// time, from answer to the end of wrap-up.
func (e *Engine) handled(c *inquiry) {
	q := e.plan.queueOf[c.queue]
	if q == nil || c.answered == 0 {
		return
	}
	took := min(max(e.now.Sub(c.answered), 1), longest)
	mean := &q.handle[c.channel]
	if *mean == 0 {
		*mean = took
	} else {
		*mean += (took - *mean) / handleWeight
	}
}

// staff counts handlers within reach who have what the queue needs on a channel,
// and those of them available now.
func (q *queue) staff(ch int) (staffed, free int) {
	for _, p := range q.able[ch] {
		staffed += p.reach[ch]
		free += len(p.idle[ch])
	}
	return staffed, free
}

// estimate is the wait of the contact at a position: as many handling times as
// there are contacts up to it, shared among those who are staffed. It takes the
// handlers for this queue's alone, which a queue of several does not know.
func (q *queue) estimate(ch, position, staffed int) contact.Duration {
	if staffed == 0 {
		return EstimateUnknown
	}
	mean := q.handle[ch]
	if mean == 0 {
		mean = HandleDefault
	}
	if mean > longest/contact.Duration(position) {
		return EstimateUnknown
	}
	return min(mean*contact.Duration(position)/contact.Duration(staffed), EstimateUnknown)
}

// figures tells what rules may know of a queue.
func (q *queue) figures(ch int) QueueFigures {
	staffed, free := q.staff(ch)
	f := QueueFigures{Waiting: q.waiting, Staffed: staffed}
	if free == 0 || q.waiting > 0 {
		f.EstimatedWait = q.estimate(ch, q.waiting+1, staffed)
	}
	return f
}

// figuresNow answers rules from the state as it is.
func (e *Engine) figuresNow(ch int) func(QueueID) QueueFigures {
	return func(id QueueID) QueueFigures {
		q := e.plan.queueOf[id]
		if q == nil {
			return QueueFigures{}
		}
		return q.figures(ch)
	}
}

// figuresKept answers rules from the state as it is now, whatever becomes of it.
func (e *Engine) figuresKept() (of [channels]func(QueueID) QueueFigures) {
	for ch := range channels {
		kept := map[QueueID]QueueFigures{}
		if e.plan != nil {
			for _, q := range e.plan.queues {
				kept[q.ID] = q.figures(ch)
			}
		}
		of[ch] = func(id QueueID) QueueFigures { return kept[id] }
	}
	return of
}

// planAnnouncement sets when a caller in the queue is next told how long it may
// take. What fell due while the call rang somewhere is left out.
func (e *Engine) planAnnouncement(c *inquiry, q *queue) {
	policy := q.Announce
	switch {
	case c.channel != onPhone || policy == nil || policy.Every <= 0 || c.awaited():
		c.sayAt = 0
	case c.sayAt == 0:
		c.sayAt = e.after(policy.First)
	case c.sayAt <= e.now:
		c.sayAt = e.after(policy.Every)
	}
}

// announce tells a waiting caller position and wait, neither more than they
// heard before.
func (e *Engine) announce(c *inquiry) {
	q := c.line.queue
	position := q.position(placeOf(c))
	staffed, _ := q.staff(onPhone)
	wait := q.estimate(onPhone, position, staffed)
	known := wait < EstimateUnknown
	callback := e.offersCallback(c, wait)
	wait = (wait + contact.Minute - 1) / contact.Minute * contact.Minute
	a := Announce{Contact: c.id, Queue: c.queue, Position: position, Wait: wait, Callback: callback}
	if c.told != 0 {
		a.Position = min(position, c.told)
	}
	a.Longer = position == PositionMost
	if !known || c.toldWait != 0 && wait > c.toldWait {
		a.Wait, a.Longer = c.toldWait, true
	}
	c.told, c.toldWait = a.Position, a.Wait
	emitReused(e, &e.pad.announces, a)
}

// far is a place with at least that many calls of its queue before it: calls that
// come can only add to them, and each that goes takes one off.
type far struct {
	place place // without its contact
	ahead int
}

// position counts the calls waiting in the queue up to a place, up to PositionMost.
// Beyond, it counts on, to know for as long as possible who is that far down.
func (q *queue) position(at place) int {
	if q.far.ahead >= PositionMost-1 && at.behind(q.far.place) {
		return PositionMost
	}
	position := 1
	for _, l := range q.lines {
		if l.channel == onPhone {
			position += l.ahead(0, at, 2*PositionMost-position)
		}
	}
	if position > PositionMost*3/2 {
		at.c = nil
		q.far = far{at, position - 1}
	}
	return min(position, PositionMost)
}

// ahead counts contacts of the line at or below heap position i with a place
// before the given one, up to most. It looks at those and their children only.
func (l *line) ahead(i int, at place, most int) int {
	if most <= 0 || i >= len(l.heap) || !l.heap[i].before(at) {
		return 0
	}
	n := 1 + l.ahead(2*i+1, at, most-1)
	return n + l.ahead(2*i+2, at, most-n)
}
