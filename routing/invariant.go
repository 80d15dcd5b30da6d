package routing

import (
	"fmt"
	"maps"
	"slices"

	"example.org/c3i/contact"
)

// Check audits the engine and reports every rule found broken, in words; nil
// means none. It works from contacts and handlers themselves and trusts no
// index: the indexes are among what it checks. It looks at everything, so
// production calls it by sampling.
func (e *Engine) Check() []string {
	a := &audit{e: e, holders: map[*inquiry]int{}}
	if e.plan == nil {
		if len(e.contacts)+len(e.handlers)+len(e.timers)+len(e.offers) > 0 {
			a.fault("there is state but no plan")
		}
		return a.faults
	}
	a.handlers, a.contacts = e.sortedHandlers(), e.sortedContacts()
	for _, h := range a.handlers {
		a.handler(h)
	}
	for _, c := range a.contacts {
		a.contact(c)
	}
	a.lines()
	a.indexes()
	a.timers()
	a.ledger()
	a.nothingLeftUndone()
	return a.faults
}

type audit struct {
	e        *Engine
	handlers []*handler
	contacts []*inquiry
	holders  map[*inquiry]int // by how many handlers each is held
	faults   []string
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// contact checks that one contact is in exactly one place and tells one story.
func (a *audit) contact(c *inquiry) {
	e := a.e
	if e.contacts[c.id] != c {
		a.fault("contact %s is kept under another id", c.id)
	}
	if e.ended.has(c.id) {
		a.fault("contact %s is here and among the ended", c.id)
	}
	holders := a.holders[c]
	switch c.phase {
	case "":
		a.course(c)
		if holders != 0 || c.handler != nil || c.offer != 0 || c.until != 0 {
			a.fault("contact %s waits but has a handler, an offer or a deadline", c.id)
		}
	case PhaseDeferred:
		if holders != 0 || c.handler != nil || c.offer != 0 || e.seats.waits(c) || !c.awaited() || !e.early(c) {
			a.fault("contact %s is put off but in somebody's hands or a line, no callback, or could be made now", c.id)
		}
	case PhaseRinging, PhaseConnecting, PhaseTalking, PhaseHeld, PhaseParked, PhaseWrapUp, PhaseCalling:
		if holders != 1 || c.offer == 0 || c.offer > e.lastOffer {
			a.fault("contact %s is %s with %d handlers under offer %d of %d", c.id, c.phase, holders, c.offer, e.lastOffer)
		}
		if e.seats.waits(c) {
			a.fault("contact %s is %s and still in a line", c.id, c.phase)
		}
	default:
		a.fault("contact %s is in unknown phase %q", c.id, c.phase)
	}
	if c.aside && (c.phase != PhaseParked || c.channel == onPhone) {
		a.fault("contact %s is put aside but is %q on %s", c.id, c.phase, channelNames[c.channel])
	}
	if c.joined != 0 && c.channel == onPhone || c.joined < 0 {
		a.fault("contact %s on %s was joined by %d messages", c.id, channelNames[c.channel], c.joined)
	}
	a.callback(c)
	timed := c.phase == PhaseRinging || c.phase == PhaseConnecting || c.phase == PhaseWrapUp || c.phase == PhaseCalling ||
		c.phase == PhaseDeferred && c.back.after > e.now
	if timed != (c.until != 0) {
		a.fault("contact %s is %q with deadline %d", c.id, c.phase, c.until)
	}
	answered := c.phase == PhaseTalking || c.phase == PhaseHeld || c.phase == PhaseParked || c.phase == PhaseWrapUp
	if answered != (c.answered != 0) {
		a.fault("contact %s is %q and was answered at %d", c.id, c.phase, c.answered)
	}
	if answered == (c.line != nil) {
		a.fault("contact %s is %q and its line is set: %v", c.id, c.phase, c.line != nil)
	}
	if c.line != nil && (e.plan.queueOf[c.queue] != c.line.queue || c.channel != c.line.channel || !slices.Contains(e.plan.lines, c.line)) {
		a.fault("contact %s stands in a line that is not its own", c.id)
	}
	if c.arrival > c.queued || c.queued > e.now || c.since > e.now {
		a.fault("contact %s has instants out of order: arrival %d, queued %d, phase since %d, now %d", c.id, c.arrival, c.queued, c.since, e.now)
	}
	if c.due != c.arrival.Add(c.target-c.credit) {
		a.fault("contact %s is due at %d, not arrival + target - credit", c.id, c.due)
	}
}

// callback checks a contact whose caller asked to be rung back, and that only such
// a one is.
func (a *audit) callback(c *inquiry) {
	e := a.e
	listed := 0
	for _, p := range e.promised {
		if p == c {
			listed++
		}
	}
	promised := c.awaited() && c.line != nil
	if promised != (listed == 1) || listed > 1 {
		a.fault("contact %s is to be rung back: %v, and listed so %d times", c.id, promised, listed)
	}
	if c.phase == PhaseCalling && !c.awaited() {
		a.fault("contact %s is being rung back without having asked for it", c.id)
	}
	if !promised {
		return
	}
	if c.phase == PhaseConnecting {
		a.fault("contact %s is being connected but its caller is not on the line", c.id)
	}
	if c.phase == "" && e.early(c) {
		a.fault("contact %s waits to be rung back before it may be", c.id)
	}
	if c.facts.UnsafeToCall || c.class == 0 || c.channel != onPhone {
		a.fault("contact %s is to be rung back but must not be", c.id)
	}
	if c.sayAt != 0 {
		a.fault("contact %s is to be told its position but nobody is on the line", c.id)
	}
}

// handler checks that nobody is double-booked.
func (a *audit) handler(h *handler) {
	e := a.e
	if e.handlers[h.id] != h {
		a.fault("handler %s is kept under another id", h.id)
	}
	if !h.signedOn && (len(h.work) == 0 || h.ready || h.restUntil != 0) {
		a.fault("handler %s is signed off but still here idle, ready or resting", h.id)
	}
	if h.restUntil != 0 && !h.ready {
		a.fault("handler %s rests without being ready", h.id)
	}
	ringing, parked := 0, 0
	var held, allowed [channels]int
	for _, c := range h.work {
		if e.contacts[c.id] != c {
			a.fault("handler %s holds contact %s that is not here", h.id, c.id)
		}
		a.holders[c]++
		if c.handler != h {
			a.fault("contact %s is in %s's work but does not say so", c.id, h.id)
		}
		held[c.channel]++
		allowed[c.channel] = max(allowed[c.channel], c.capacity)
		if c.phase == PhaseParked && !c.aside {
			parked++
		}
		if c.phase == PhaseRinging {
			ringing++
			if !h.signedOn || !h.ready || !h.present || c.channel == onPhone && !h.deviceUp {
				a.fault("handler %s is offered %s but is not there to take it", h.id, c.id)
			}
		}
	}
	if ringing > 1 {
		a.fault("handler %s has %d open offers", h.id, ringing)
	}
	if parked > 0 && held[onPhone] == 0 {
		a.fault("handler %s has %d contacts parked but no call", h.id, parked)
	}
	if held[onPhone] > 1 {
		a.fault("handler %s has %d calls", h.id, held[onPhone])
	}
	for ch := range channels {
		if held[ch] > allowed[ch] {
			a.fault("handler %s has %d %s contacts but capacity for %d when the last was offered", h.id, held[ch], channelNames[ch], allowed[ch])
		}
	}
	if state, reason := h.state(); state != h.shown || reason != h.shownReason {
		a.fault("handler %s is shown %s (%s) but is %s (%s)", h.id, h.shown, h.shownReason, state, reason)
	}
	if h.since > e.now || h.idleSince > e.now {
		a.fault("handler %s has instants in the future", h.id)
	}
	if p := e.plan.named[h.profile.name]; p != nil && p != h.profile {
		a.fault("handler %s has a profile of an old plan", h.id)
	}
}

// lines checks heaps and queue counters against the contacts.
func (a *audit) lines() {
	e := a.e
	waiting, ringing, held := map[*queue]int{}, map[*queue]int{}, 0
	for _, c := range a.contacts {
		if c.line == nil {
			continue // in conversation, or a fault already reported
		}
		switch c.phase {
		case "":
			waiting[c.line.queue]++
			if at := int(e.seats.place[c.seat]); at < 0 || at >= len(c.line.heap) || c.line.heap[at].c != c {
				a.fault("contact %s waits but is not where its line has it", c.id)
			}
			if c.held {
				held++
				if c.heldAt < 0 || c.heldAt >= len(e.kept) || e.kept[c.heldAt] != c {
					a.fault("contact %s is kept for a handler but is not listed so", c.id)
				}
			}
		case PhaseRinging:
			ringing[c.line.queue]++
		}
	}
	if held != len(e.kept) {
		a.fault("%d contacts are listed as kept for a handler, %d are", len(e.kept), held)
	}
	inLines := 0
	for _, l := range e.plan.lines {
		inLines += len(l.heap)
		for i, p := range l.heap {
			if e.contacts[p.c.id] != p.c || p.c.phase != "" || p != placeOf(p.c) {
				a.fault("a line holds contact %s, which does not wait there", p.c.id)
			}
			if i > 0 && p.before(l.heap[(i-1)/2]) {
				a.fault("contact %s is before the one above it in its heap", p.c.id)
			}
		}
	}
	total := 0
	for _, q := range e.plan.queues {
		total += waiting[q]
		if q.waiting != waiting[q] || q.ringing != ringing[q] {
			a.fault("queue %s counts %d waiting and %d offered: there are %d and %d", q.ID, q.waiting, q.ringing, waiting[q], ringing[q])
		}
	}
	if total != inLines {
		a.fault("%d contacts wait but lines hold %d", total, inLines)
	}
}

// indexes checks idle sets, gate counters, reach counters and the offers table.
func (a *audit) indexes() {
	e := a.e
	type seat struct {
		p  *profile
		ch int
	}
	var gates [channels][gateCount]int
	idle, reach := map[seat]int{}, map[seat]int{}
	for _, h := range a.handlers {
		for ch := range channels {
			g := h.gateFor(ch)
			gates[ch][g]++
			if g == gateOpen {
				idle[seat{h.profile, ch}]++
				if _, found := slices.BinarySearchFunc(h.profile.idle[ch], idleEntry{h.idleSince, h}, idleEntry.compare); !found {
					a.fault("handler %s is available for %s but not listed so", h.id, channelNames[ch])
				}
			}
			if h.within(ch) {
				reach[seat{h.profile, ch}]++
			}
		}
	}
	for ch := range channels {
		for g := gateOpen; g < gateAway; g++ {
			if e.gates[ch][g] != gates[ch][g] {
				a.fault("gate %d on %s counts %d handlers: there are %d", g, channelNames[ch], e.gates[ch][g], gates[ch][g])
			}
		}
		for _, p := range e.plan.profiles {
			if len(p.idle[ch]) != idle[seat{p, ch}] || p.reach[ch] != reach[seat{p, ch}] {
				a.fault("profile %s on %s lists %d available and %d in reach: there are %d and %d",
					p.name, channelNames[ch], len(p.idle[ch]), p.reach[ch], idle[seat{p, ch}], reach[seat{p, ch}])
			}
		}
	}
	open := 0
	for _, c := range a.contacts {
		if c.phase == PhaseRinging {
			open++
			if e.offers[c.offer] != c {
				a.fault("offer %d of contact %s is open but not listed so", c.offer, c.id)
			}
		}
	}
	if open != len(e.offers) {
		a.fault("%d offers are listed as open, %d are", len(e.offers), open)
	}
}

// course checks that a waiting contact stands where its age puts it, is looked at
// when that changes, and is kept only for a handler who will be there.
func (a *audit) course(c *inquiry) {
	e := a.e
	if c.line == nil {
		return
	}
	home := e.plan.queueOf[c.home]
	if home == nil || c.moves > len(home.Overflow) {
		a.fault("contact %s was moved %d times from queue %s, which has no such course", c.id, c.moves, c.home)
		return
	}
	q, moves, step := e.plan.stage(home, e.now.Sub(c.arrival))
	if c.queue != q.ID || c.moves != moves || c.step != step {
		a.fault("contact %s is in %s after %d moves at step %d: its age puts it in %s after %d at step %d", c.id, c.queue, c.moves, c.step, q.ID, moves, step)
		return
	}
	if c.wake != e.nextLook(c) {
		a.fault("contact %s is looked at again at %d: it should be at %d", c.id, c.wake, e.nextLook(c))
	}
	if c.held && (!e.keptFor(c) || e.waitedOut(c)) {
		a.fault("contact %s is kept for %s, who will not take it", c.id, c.prefers())
	}
}

// timers checks that each deadline is set, once, and lies ahead.
func (a *audit) timers() {
	e := a.e
	want := 0
	for _, c := range a.contacts {
		if c.until != 0 {
			want++
			a.timer("contact "+string(c.id), int(e.seats.timer[c.seat]), c.timerAt(c.until))
		}
		if c.wake != 0 {
			want++
			a.timer("waiting contact "+string(c.id), int(e.seats.timer[c.seat]), c.timerAt(c.wake))
		}
	}
	for _, h := range a.handlers {
		if h.restUntil != 0 {
			want++
			a.timer("handler "+string(h.id), h.timer, timer{at: h.restUntil, h: h})
		}
	}
	if want != len(e.timers) {
		a.fault("%d deadlines are kept, %d are wanted", len(e.timers), want)
	}
	for i, t := range e.timers {
		if i > 0 && t.before(e.timers[(i-1)/2]) {
			a.fault("deadline %d is before the one above it in its heap", t.at)
		}
	}
}

func (a *audit) timer(whose string, i int, want timer) {
	if want.at <= a.e.now {
		a.fault("%s has deadline %d, not after %d", whose, want.at, a.e.now)
	}
	if i < 0 || i >= len(a.e.timers) || a.e.timers[i] != want {
		a.fault("%s has deadline %d that is not kept", whose, want.at)
	}
}

// ledger checks that every arrival is either open or has one ending.
func (a *audit) ledger() {
	e := a.e
	open := 0
	for _, c := range a.contacts {
		if !c.over() {
			open++
		}
	}
	if e.tally.Arrived != e.tally.Ended()+open {
		a.fault("%d contacts arrived, %d ended and %d are open", e.tally.Arrived, e.tally.Ended(), open)
	}
	if len(e.ended.set) != len(e.ended.ring) {
		a.fault("%d ended contacts are remembered as %d", len(e.ended.ring), len(e.ended.set))
	}
	lines := map[string]int{}
	for _, l := range e.left.list {
		lines[l.Line]++
		if e.contacts[l.Contact] != nil {
			a.fault("a place is kept for contact %s, which is here", l.Contact)
		}
	}
	if !maps.Equal(lines, e.left.lines) {
		a.fault("%d lines are listed as having left, %d have", len(e.left.lines), len(lines))
	}
	seen := map[contact.ID]bool{}
	for _, id := range e.ended.ring {
		if seen[id] {
			a.fault("contact %s ended twice", id)
		}
		seen[id] = true
	}
}

// nothingLeftUndone checks that no waiting contact could be offered to an
// available handler, and that none is kept from all who could take it.
func (a *audit) nothingLeftUndone() {
	e := a.e
	if len(e.pending)+len(e.freed) > 0 || e.recheck {
		a.fault("work of the last step was left undone")
	}
	for ch := range channels {
		var free []*handler
		for _, h := range a.handlers {
			if h.gateFor(ch) == gateOpen {
				free = append(free, h)
			}
		}
		for _, c := range a.contacts {
			if c.phase != "" || c.channel != ch || c.line == nil {
				continue
			}
			for _, h := range free {
				if _, able := h.profile.fits(ch, c.line.needs); able && (!c.held || h.id == c.prefers()) {
					a.fault("contact %s waits although %s could take it", c.id, h.id)
				}
			}
		}
	}
}
