package routing

import "example.org/c3i/contact"

// timer is a deadline: of a contact (offer, connection or wrap-up, told by its
// phase, or the next step of one that waits) or of a handler's rest. Exactly one of c and h is set.
type timer struct {
	at   contact.Instant
	c    *inquiry
	h    *handler
	seat int32 // of c
}

func (c *inquiry) timerAt(at contact.Instant) timer { return timer{at: at, c: c, seat: c.seat} }

// before orders timers: by instant, contacts before handlers, then by id, so
// that the order never depends on how the heap grew.
func (t timer) before(o timer) bool {
	switch {
	case t.at != o.at:
		return t.at < o.at
	case (t.c != nil) != (o.c != nil):
		return t.c != nil
	case t.c != nil:
		return t.c.id < o.c.id
	default:
		return t.h.id < o.h.id
	}
}

// moveTo notes the timer's position; seated is where those of contacts are noted.
func (t *timer) moveTo(i int, seated []int32) {
	if t.c != nil {
		seated[t.seat] = int32(i)
	} else {
		t.h.timer = i
	}
}

type timerHeap []timer

func (th *timerHeap) push(t timer, seated []int32) {
	*th = append(*th, t)
	th.up(len(*th)-1, seated)
}

func (th *timerHeap) remove(i int, seated []int32) {
	s := *th
	last := len(s) - 1
	s[i].moveTo(-1, seated)
	moved := s[last]
	s[last] = timer{}
	*th = s[:last]
	if i == last {
		return
	}
	s[i] = moved
	if !th.down(i, seated) {
		th.up(i, seated)
	}
}

func (th *timerHeap) up(i int, seated []int32) {
	s := *th
	moving := s[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !moving.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		s[i].moveTo(i, seated)
		i = parent
	}
	s[i] = moving
	moving.moveTo(i, seated)
}

func (th *timerHeap) down(i int, seated []int32) (moved bool) {
	s := *th
	moving := s[i]
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if right := child + 1; right < len(s) && s[right].before(s[child]) {
			child = right
		}
		if !s[child].before(moving) {
			break
		}
		s[i] = s[child]
		s[i].moveTo(i, seated)
		i, moved = child, true
	}
	s[i] = moving
	moving.moveTo(i, seated)
	return moved
}

// setUntil gives the contact's phase a deadline, or none when until is zero.
func (e *Engine) setUntil(c *inquiry, until contact.Instant) {
	e.stopTimer(c)
	c.until = until
	if until != 0 {
		e.timers.push(c.timerAt(until), e.seats.timer)
	}
}

// setWake gives a waiting contact the instant to be looked at, or none when zero.
func (e *Engine) setWake(c *inquiry, at contact.Instant) {
	if c.wake == at {
		return
	}
	c.wake = at
	i := int(e.seats.timer[c.seat])
	switch {
	case at == 0:
		e.stopTimer(c)
	case i < 0:
		e.timers.push(c.timerAt(at), e.seats.timer)
	default:
		e.timers[i].at = at
		if !e.timers.down(i, e.seats.timer) {
			e.timers.up(i, e.seats.timer)
		}
	}
}

func (e *Engine) stopTimer(c *inquiry) {
	if i := e.seats.timer[c.seat]; i >= 0 {
		e.timers.remove(int(i), e.seats.timer)
	}
}

// setRest makes the handler rest until an instant, or ends the rest when zero.
func (e *Engine) setRest(h *handler, until contact.Instant, reason string) {
	if h.timer >= 0 {
		e.timers.remove(h.timer, e.seats.timer)
	}
	h.restUntil, h.restReason = until, reason
	if until != 0 {
		e.timers.push(timer{at: until, h: h}, e.seats.timer)
	}
}

// expire acts on a deadline that has come.
func (e *Engine) expire(t timer) {
	if t.h != nil {
		e.setRest(t.h, 0, "")
		t.h.idleSince = e.now
		e.settle(t.h)
		return
	}
	switch t.c.phase {
	case "":
		e.age(t.c)
	case PhaseRinging:
		e.missed(t.c, RetractNoAnswer)
	case PhaseConnecting:
		e.missed(t.c, RetractFailed)
	case PhaseCalling:
		e.notReached(t.c, false)
	case PhaseDeferred:
		e.waitAgain(t.c)
	case PhaseWrapUp:
		e.closeWork(t.c, "", true)
	}
}
