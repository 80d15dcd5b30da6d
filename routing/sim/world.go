package sim

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// visit is one contact's way through the modelled world.
type visit struct {
	arrived, answered, over contact.Instant
	offer                   routing.OfferID
	agent                   int32
	queue                   int16
	// home is the queue the rule chose and rule its number in the plan, −1 for none.
	home, rule   int16
	offers, told uint16
	channel      uint8
	stage        stage
	// moves counts overflow steps taken; step is the relaxation step it was last
	// offered under, from 1, 0 before the first.
	moves, step uint8
	preferred   preference
	// fedUp marks a caller who hangs up because of what they were told.
	fedUp bool
	// worked is the handler's time on it, in seconds.
	worked float32
	// resident marks a contact that was here when a fork began.
	resident bool
}

// stage is how a visit stands; those from ended on are over.
type stage uint8

const (
	expected stage = iota
	waiting
	ringing
	connecting
	talking
	wrapping
	answeredAndOver
	leftShort
	leftLong
	closedOut
	failed
)

// worker is a handler in the modelled world.
type worker struct {
	id routing.AgentID
	on bool
	// call is the phone call in hand, -1 if none. Written contacts in hand are
	// worked on one at a time, oldest first, and rest while there is a call.
	call    int32
	written []int32
	// left is the work left on each of written, in seconds.
	left []float64
	// working is since when written[0] is worked on, zero when it rests; stamp
	// tells its end from one that was put off.
	working contact.Instant
	stamp   uint32
	// Since when they are signed on, and have work: zero if not.
	staffed, busy contact.Instant
}

// world is callers, handlers and a clock around one engine.
type world struct {
	engine  *routing.Engine
	plan    *routing.Plan
	out     *Outside
	now     contact.Instant
	agenda  agenda
	visits  []visit
	ids     []contact.ID
	known   map[contact.ID]int32 // those that were here before a fork
	workers []worker
	byAgent map[routing.AgentID]int32
	queues  map[routing.QueueID]int16
	rules   map[string]int16 // number in the plan by name, −1 for none
	// connects are calls to be connected within this instant.
	connects []int32

	shifts []shiftChange
	hours  []hoursChange
	surges []surgeChange
	next   struct{ arrival, shift, hours, surge int }
	// coming is how many of the arrivals are still to come when the world begins;
	// those after them are here already.
	coming  int
	prefix  byte
	offered int // offers made
	missed  int
	steps   int
	// spent counts contacts that had taken the last step and still waited.
	spent int

	time timesheet
	// checkEvery so many steps the auditor looks at the engine.
	checkEvery int
	// listen is told of each event, nil for nobody.
	listen func(contact.Instant, routing.Event)
}

type shiftChange struct {
	at    contact.Instant
	agent int32
	on    bool
	prof  string
}

// hoursChange is a queue that opens or closes.
type hoursChange struct {
	at    contact.Instant
	queue routing.QueueID
	open  bool
}

// surgeChange is a surge switched on or off.
type surgeChange struct {
	at   contact.Instant
	name string
	on   bool
}

const channelCount = 3

var channelList = contact.Channels()

func channelNumber(c contact.Channel) uint8 {
	switch c {
	case contact.Phone:
		return 0
	case contact.Email:
		return 1
	default:
		return 2
	}
}

// newWorld puts an engine into the world. The engine has its plan.
func newWorld(engine *routing.Engine, plan *routing.Plan, out *Outside, hours []hoursChange, hourOf []uint8, prefix byte) *world {
	w := &world{
		engine: engine, plan: plan, out: out, now: out.From, hours: hours,
		byAgent: map[routing.AgentID]int32{}, queues: map[routing.QueueID]int16{}, rules: map[string]int16{"": -1},
	}
	engine.Terse()
	w.time = timesheet{from: out.From, to: out.To, since: out.From, hourOf: hourOf}
	for i, q := range plan.Queues {
		w.queues[q.ID] = int16(i)
	}
	for i, r := range plan.Rules {
		w.rules[r.Name] = int16(i)
	}
	w.coming, w.prefix = len(out.Arrivals), prefix
	w.visits = make([]visit, len(out.Arrivals))
	w.ids = numberedIDs(len(out.Arrivals), prefix)
	for _, s := range out.Shifts {
		if s.To <= s.From || s.To <= out.From || s.From >= out.To {
			continue
		}
		i := w.worker(s.Agent)
		w.shifts = append(w.shifts, shiftChange{at: max(s.From, out.From), agent: i, on: true, prof: s.Profile})
		if s.To < out.To {
			w.shifts = append(w.shifts, shiftChange{at: s.To, agent: i})
		}
	}
	// Handlers who leave go before those who come, and in order of id.
	slices.SortStableFunc(w.shifts, func(a, b shiftChange) int {
		switch {
		case a.at != b.at:
			return int(max(-1, min(1, int64(a.at-b.at))))
		case a.on != b.on:
			if b.on {
				return -1
			}
			return 1
		}
		return strings.Compare(string(w.workers[a.agent].id), string(w.workers[b.agent].id))
	})
	return w
}

func (w *world) worker(id routing.AgentID) int32 {
	i, is := w.byAgent[id]
	if !is {
		i = int32(len(w.workers))
		w.workers = append(w.workers, worker{id: id, call: -1})
		w.byAgent[id] = i
	}
	return i
}

// Ids of modelled contacts: a mark and a number. In a fork the mark is another, so
// that a simulated engine can itself be forked.
const (
	idWidth  = 10
	idMark   = '~'
	forkMark = '^'
)

// numberedIDs makes ids that sort as the contacts arrive, out of one piece of
// memory.
func numberedIDs(n int, mark byte) []contact.ID {
	buf := make([]byte, 0, n*idWidth)
	for i := range n {
		buf = append(append(buf, mark), digits(i, idWidth-1)...)
	}
	all := string(buf)
	ids := make([]contact.ID, n)
	for i := range ids {
		ids[i] = contact.ID(all[i*idWidth : (i+1)*idWidth])
	}
	return ids
}

// find gives the number of a contact, false when it is not of this world.
func (w *world) find(id contact.ID) (int32, bool) {
	if len(id) == idWidth && id[0] == w.prefix {
		n := 0
		for _, c := range []byte(id[1:]) {
			n = n*10 + int(c-'0')
		}
		if n < len(w.visits) && w.ids[n] == id {
			return int32(n), true
		}
	}
	i, is := w.known[id]
	return i, is
}

// run lets time pass until to. It stops early when ctx is cancelled.
func (w *world) run(ctx context.Context) error {
	to := w.out.To
	for n := 0; ; n++ {
		if n&4095 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at, kind := w.soonest()
		if deadline, is := w.engine.NextDeadline(); is && deadline < at {
			at, kind = deadline, byEngine
		}
		if at >= to {
			break
		}
		w.now = at
		switch kind {
		case byEngine:
			w.step(routing.Tick{})
		case byHours:
			h := w.hours[w.next.hours]
			w.next.hours++
			w.step(routing.HoursChanged{Queue: h.queue, Open: h.open})
		case bySurge:
			s := w.surges[w.next.surge]
			w.next.surge++
			w.step(routing.SurgeSwitched{Name: s.name, On: s.on})
		case byShift:
			s := w.shifts[w.next.shift]
			w.next.shift++
			w.change(s)
		case byAgenda:
			w.happen(w.agenda.take())
		case byArrival:
			i := w.next.arrival
			w.next.arrival++
			w.arrive(int32(i))
		}
		if w.checkEvery > 0 && n%w.checkEvery == 0 {
			if faults := w.engine.Check(); len(faults) > 0 {
				return fmt.Errorf("sim: the engine broke a rule at %s: %s", w.now, faults[0])
			}
		}
	}
	w.now = to
	for i := range w.workers {
		w.endStaffed(&w.workers[i])
	}
	return nil
}

// by whom the next thing happens, in the order taken at one instant.
type by uint8

const (
	byHours by = iota
	bySurge
	byShift
	byAgenda
	byArrival
	byEngine
)

// soonest is when the world does something next.
func (w *world) soonest() (contact.Instant, by) {
	at, kind := contact.Instant(math.MaxInt64), byAgenda
	if i := w.next.hours; i < len(w.hours) {
		at, kind = w.hours[i].at, byHours
	}
	if i := w.next.surge; i < len(w.surges) && w.surges[i].at < at {
		at, kind = w.surges[i].at, bySurge
	}
	if i := w.next.shift; i < len(w.shifts) && w.shifts[i].at < at {
		at, kind = w.shifts[i].at, byShift
	}
	if len(w.agenda.heap) > 0 && w.agenda.heap[0].at < at {
		at, kind = w.agenda.heap[0].at, byAgenda
	}
	if i := w.next.arrival; i < w.coming && w.out.Arrivals[i].At < at {
		at, kind = w.out.Arrivals[i].At, byArrival
	}
	return at, kind
}

func (w *world) change(s shiftChange) {
	k := &w.workers[s.agent]
	if !s.on {
		k.on = false
		w.step(routing.AgentSignedOff{Agent: k.id})
		w.idleOut(k)
		return
	}
	k.on = true
	if k.staffed == 0 {
		k.staffed = w.now
	}
	w.step(routing.AgentSignedOn{Agent: k.id, Profile: s.prof, DeviceUp: true})
	w.step(routing.AgentReady{Agent: k.id})
}

func (w *world) arrive(i int32) {
	a := &w.out.Arrivals[i]
	v := &w.visits[i]
	v.arrived, v.channel, v.stage, v.agent = a.At, channelNumber(a.Channel), waiting, -1
	v.queue, v.rule = -1, -1
	if v.channel == 0 && a.Patience < never.Mean() {
		w.agenda.put(happening{at: a.At.Add(span(a.Patience)), what: patienceEnds, visit: i})
	}
	w.step(routing.ContactArrived{Contact: w.ids[i], Channel: a.Channel, Arrival: a.At, Facts: *a.Facts, Queue: a.Queue})
}

func (w *world) happen(h happening) {
	v := &w.visits[h.visit]
	switch h.what {
	case patienceEnds:
		if v.stage == waiting || v.stage == ringing || v.stage == connecting {
			w.step(routing.ContactReleased{Contact: w.ids[h.visit], Cause: routing.ReleasedByCaller})
		}
	case offerAnswered:
		if v.stage == ringing && uint32(v.offer) == h.stamp {
			w.accept(h.visit)
		}
	case callConnects:
		if v.stage == connecting && uint32(v.offer) == h.stamp {
			w.connect(h.visit)
		}
	case talkEnds:
		if v.stage == talking {
			w.step(routing.ContactReleased{Contact: w.ids[h.visit], Cause: routing.ReleasedByCaller})
			if v.stage == wrapping {
				w.beginWrapUp(h.visit)
			}
		}
	case wrapUpEnds:
		if v.stage == wrapping {
			w.step(routing.WrapUpDone{Contact: w.ids[h.visit], Agent: w.workers[v.agent].id})
		}
	case workEnds:
		if k := &w.workers[v.agent]; k.stamp == h.stamp && v.stage == talking {
			w.step(routing.WrapUpDone{Contact: w.ids[h.visit], Agent: k.id})
		}
	}
}

func (w *world) accept(i int32) {
	v := &w.visits[i]
	k := &w.workers[v.agent]
	if k.busy == 0 {
		k.busy = w.now
	}
	if v.channel == 0 {
		w.putDown(k)
		k.call = i
		v.stage = connecting
	} else {
		v.stage, v.answered = talking, w.now
		k.written = append(k.written, i)
		k.left = append(k.left, w.work(i))
	}
	w.step(routing.OfferAccepted{Offer: v.offer, Agent: k.id})
	w.takeUp(k)
	for len(w.connects) > 0 {
		c := w.connects[0]
		w.connects = w.connects[:copy(w.connects, w.connects[1:])]
		if w.visits[c].stage == connecting {
			w.connect(c)
		}
	}
}

func (w *world) work(i int32) float64 {
	a := &w.out.Arrivals[i]
	return a.Talk + a.WrapUp
}

func (w *world) connect(i int32) {
	v := &w.visits[i]
	v.stage, v.answered = talking, w.now
	w.agenda.put(happening{at: w.now.Add(span(w.out.Arrivals[i].Talk)), what: talkEnds, visit: i})
	w.step(routing.Connected{Contact: w.ids[i], Agent: w.workers[v.agent].id})
}

func (w *world) beginWrapUp(i int32) {
	w.agenda.put(happening{at: w.now.Add(span(w.out.Arrivals[i].WrapUp)), what: wrapUpEnds, visit: i})
}

// putDown stops work on the written contact in hand.
func (w *world) putDown(k *worker) {
	if k.working == 0 {
		return
	}
	k.left[0] = math.Max(0, k.left[0]-w.now.Sub(k.working).Std().Seconds())
	k.working = 0
	k.stamp++
}

// takeUp begins or resumes work on the oldest written contact in hand.
func (w *world) takeUp(k *worker) {
	if k.call >= 0 || k.working != 0 || len(k.written) == 0 {
		return
	}
	k.working = w.now
	k.stamp++
	w.agenda.put(happening{at: w.now.Add(span(k.left[0])), what: workEnds, visit: k.written[0], stamp: k.stamp})
}

// letGo takes a contact that is closed, or went back, out of a handler's hands.
func (w *world) letGo(k *worker, i int32) {
	if k.call == i {
		k.call = -1
	} else if n := slices.Index(k.written, i); n >= 0 {
		if n == 0 {
			w.putDown(k)
		}
		k.written = slices.Delete(k.written, n, n+1)
		k.left = slices.Delete(k.left, n, n+1)
	}
	if k.call < 0 && len(k.written) == 0 {
		if k.busy != 0 {
			w.time.addBusy(k.busy, w.now)
			k.busy = 0
		}
		w.idleOut(k)
	}
	w.takeUp(k)
}

// idleOut ends the paid time of a handler who signed off and has nothing left.
func (w *world) idleOut(k *worker) {
	if !k.on && k.busy == 0 {
		w.endStaffed(k)
	}
}

func (w *world) endStaffed(k *worker) {
	if k.busy != 0 {
		w.time.addBusy(k.busy, w.now)
		k.busy = 0
	}
	if k.staffed != 0 {
		w.time.addStaffed(k.staffed, w.now)
		k.staffed = 0
	}
}
