package routing_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// witness watches events and actions from outside and knows only what they say.
type witness struct {
	arrived map[contact.ID]bool
	endings map[contact.ID]int
	open    map[contact.ID]routing.Offer // offers neither taken nor withdrawn
	with    map[contact.ID]routing.AgentID
	phase   map[contact.ID]string
	last    routing.OfferID
}

func newWitness() *witness {
	return &witness{
		arrived: map[contact.ID]bool{}, endings: map[contact.ID]int{}, open: map[contact.ID]routing.Offer{},
		with: map[contact.ID]routing.AgentID{}, phase: map[contact.ID]string{},
	}
}

// see takes in one step and returns the first promise found broken.
func (w *witness) see(ev routing.Event, actions []routing.Action) error {
	if a, is := ev.(routing.ContactArrived); is {
		if !refused(actions, ev) {
			if w.arrived[a.Contact] {
				return fmt.Errorf("contact %s was taken in twice", a.Contact)
			}
			w.arrived[a.Contact] = true
		}
	}
	if a, is := ev.(routing.OfferAccepted); is && !refused(actions, ev) {
		// A written contact accepted is in hand with no Connect.
		for id, o := range w.open {
			if o.Offer == a.Offer && o.Channel != contact.Phone {
				delete(w.open, id)
			}
		}
	}
	for _, act := range actions {
		switch a := act.(type) {
		case routing.Offer:
			if err := w.offer(a); err != nil {
				return err
			}
		case routing.Retract:
			if w.with[a.Contact] != a.Agent {
				return fmt.Errorf("offer %d of %s withdrawn from %s, who does not have it", a.Offer, a.Contact, a.Agent)
			}
			delete(w.open, a.Contact)
			delete(w.with, a.Contact)
			delete(w.phase, a.Contact)
		case routing.Connect:
			if w.open[a.Contact].Offer != a.Offer || w.with[a.Contact] != a.Agent {
				return fmt.Errorf("connect of offer %d of %s, which is not open to %s", a.Offer, a.Contact, a.Agent)
			}
			delete(w.open, a.Contact)
			w.phase[a.Contact] = "in hand"
		case routing.Forwarded:
			if w.with[a.Contact] != a.Agent {
				return fmt.Errorf("%s was forwarded by %s, who does not have it", a.Contact, a.Agent)
			}
			delete(w.with, a.Contact)
		case routing.Ended:
			w.endings[a.Contact]++
			if !w.arrived[a.Contact] || w.endings[a.Contact] > 1 {
				return fmt.Errorf("contact %s ended %d times (arrived: %v)", a.Contact, w.endings[a.Contact], w.arrived[a.Contact])
			}
		case routing.Closed:
			if w.endings[a.Contact] != 1 {
				return fmt.Errorf("work on %s closed after %d endings", a.Contact, w.endings[a.Contact])
			}
			delete(w.open, a.Contact)
			delete(w.with, a.Contact)
		case routing.AgentChanged:
			calls := 0
			for _, work := range a.Work {
				if work.Channel == contact.Phone {
					calls++
				}
			}
			if calls > 1 {
				return fmt.Errorf("%s has %d calls", a.Agent, calls)
			}
		}
	}
	return nil
}

// refused tells whether the step refused its event.
func refused(actions []routing.Action, ev routing.Event) bool {
	return slices.ContainsFunc(actions, func(act routing.Action) bool {
		r, is := act.(routing.Refused)
		return is && r.Event == ev.Kind()
	})
}

func (w *witness) offer(a routing.Offer) error {
	switch {
	case a.Offer <= w.last:
		return fmt.Errorf("offer %d comes after offer %d", a.Offer, w.last)
	case w.with[a.Contact] != "":
		return fmt.Errorf("%s is offered to %s while %s has it", a.Contact, a.Agent, w.with[a.Contact])
	case w.endings[a.Contact] > 0:
		return fmt.Errorf("%s is offered to %s after it ended", a.Contact, a.Agent)
	case a.Deadline <= a.Made:
		return fmt.Errorf("offer %d has its deadline at once", a.Offer)
	case len(a.Why.Eligible) == 0 || a.Why.Eligible[0].Agent != a.Agent || a.Why.EligibleCount < len(a.Why.Eligible):
		return fmt.Errorf("offer %d to %s is explained by %+v", a.Offer, a.Agent, a.Why)
	case a.Due != a.Arrival.Add(a.Why.Target-a.Why.Credit):
		return fmt.Errorf("offer %d is due at %v, explained as %v + %v - %v", a.Offer, a.Due, a.Arrival, a.Why.Target, a.Why.Credit)
	}
	for id, other := range w.open {
		if other.Agent == a.Agent {
			return fmt.Errorf("%s is offered %s while %s is open to them", a.Agent, a.Contact, id)
		}
	}
	w.last, w.open[a.Contact], w.with[a.Contact] = a.Offer, a, a.Agent
	return nil
}

// TestNothingIsLostAndNobodyDoubleBooked judges by events and actions alone,
// and at the end releases whoever is left: every arrival then has one ending.
func TestNothingIsLostAndNobodyDoubleBooked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choice := rapid.IntRange(0, 1<<30)
		w := newWorld(func(n int) int { return choice.Draw(t, "pick") % n })
		e, eye := routing.New(), newWitness()
		step := func(at contact.Instant, ev routing.Event) {
			actions := e.Step(at, ev)
			if err := eye.see(ev, actions); err != nil {
				t.Fatalf("%s %+v: %v\n%s", ev.Kind(), ev, err, show(actions, nil))
			}
			sound(t, e, ev.Kind())
			if next, some := e.NextDeadline(); some && next <= at {
				t.Fatalf("after %s at %d the next deadline is %d", ev.Kind(), at, next)
			}
			w.learn(actions)
		}
		for _, ev := range w.setUp() {
			step(w.now, ev)
		}
		for range rapid.IntRange(1, 150).Draw(t, "events") {
			step(w.next())
		}
		for id := range eye.arrived {
			step(w.now, routing.ContactReleased{Contact: id, Cause: routing.ReleasedByFailure})
		}
		for id := range eye.arrived {
			if eye.endings[id] != 1 {
				t.Fatalf("contact %s has %d endings after everything was released", id, eye.endings[id])
			}
		}
		if n := e.Counts(); n.Arrived != len(eye.arrived) || n.Ended() != n.Arrived {
			t.Fatalf("%d contacts arrived, the engine counts %d arrived and %d ended", len(eye.arrived), n.Arrived, n.Ended())
		}
	})
}

// run takes an engine through a seeded life and returns all actions as text.
func run(e *routing.Engine, w *world, events int) string {
	var b bytes.Buffer
	for range events {
		at, ev := w.next()
		actions := e.Step(at, ev)
		w.learn(actions)
		b.WriteString(ev.Kind() + "\n" + show(actions, nil))
	}
	return b.String()
}

func lived(seed uint64, events int) (*routing.Engine, *world) {
	r := rand.New(rand.NewPCG(seed, 2))
	e, w := routing.New(), newWorld(r.IntN)
	for _, ev := range w.setUp() {
		w.learn(e.Step(w.now, ev))
	}
	for range events { // run would write down what nobody reads
		at, ev := w.next()
		w.learn(e.Step(at, ev))
	}
	return e, w
}

// TestSameEventsSameDecisions lives one life twice.
func TestSameEventsSameDecisions(t *testing.T) {
	s := seed(t)
	for i := range uint64(20) {
		a, wa := lived(s+i, 300)
		b, wb := lived(s+i, 300)
		if ta, tb := run(a, wa, 200), run(b, wb, 200); ta != tb {
			t.Fatalf("seed %d: the same events led to other actions", s+i)
		}
		if a.Hash() != b.Hash() {
			t.Fatalf("seed %d: the same events led to another hash", s+i)
		}
	}
}

// TestRestoredAndClonedEnginesGoOnAlike takes an engine, its clone and one
// restored from its snapshot through the same future.
func TestRestoredAndClonedEnginesGoOnAlike(t *testing.T) {
	s := seed(t)
	for i := range uint64(30) {
		e, w := lived(s+i, 150+int(i)*10)
		snapshot, err := e.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		version, source, err := routing.SnapshotPlan(snapshot)
		if err != nil || version != e.PlanVersion() || source != fmt.Sprint("plan ", version-1) {
			t.Fatalf("seed %d: snapshot names plan %d %q (%v), in force is %d", s+i, version, source, err, e.PlanVersion())
		}
		restored, err := routing.Restore(snapshot, w.plans[version-1])
		if err != nil {
			t.Fatalf("seed %d: %v", s+i, err)
		}
		clone := e.Clone()
		before := e.Hash()
		if restored.Hash() != before || clone.Hash() != before {
			t.Fatalf("seed %d: restored or cloned engine has another hash", s+i)
		}
		// The future is drawn once, by what the original does, and replayed.
		var ats []contact.Instant
		var evs []routing.Event
		var did [][]routing.Action
		for range 200 {
			at, ev := w.next()
			actions := e.Step(at, ev)
			w.learn(actions)
			ats, evs, did = append(ats, at), append(evs, ev), append(did, actions)
		}
		if clone.Hash() != before {
			t.Fatalf("seed %d: the clone changed with the original", s+i)
		}
		for _, twin := range []*routing.Engine{clone, restored} {
			for j, ev := range evs {
				if got := twin.Step(ats[j], ev); !same(got, did[j]) {
					t.Fatalf("seed %d, event %d %+v:\ntwin:\n%soriginal:\n%s", s+i, j, ev, show(got, did[j]), show(did[j], got))
				}
			}
			if twin.Hash() != e.Hash() {
				t.Fatalf("seed %d: a twin has another hash after the same future", s+i)
			}
			sound(t, twin, "the twin's future")
		}
	}
}

// TestAgeWins is the starvation test: a routine contact waits while contacts with
// the largest credit keep coming faster than they are served. It must be served
// once those that arrive are due later than it: within its target plus the credit.
func TestAgeWins(t *testing.T) {
	plan := &routing.Plan{
		Version: 1, DefaultQueue: "q", ShortAbandon: 5 * second,
		Queues:   []routing.Queue{{ID: "q", AnswerWithin: targets(5*minute, contact.Day, contact.Day)}},
		Rules:    []routing.Rule{{Name: "urgent", Queue: "q", Credit: 4 * minute, Match: func(in routing.RuleInput) bool { return in.Facts.Vulnerable }}},
		Profiles: []routing.Profile{{Name: "p", Capacity: capacity(1, 0, 0)}},
		Offer:    routing.OfferPolicy{RingFor: targets(20*second, 0, 0)},
	}
	e := routing.New()
	now := began
	var offered []routing.Offer
	step := func(ev routing.Event) {
		for _, a := range e.Step(now, ev) {
			if o, is := a.(routing.Offer); is {
				offered = append(offered, o)
			}
		}
		sound(t, e, ev.Kind())
	}
	step(routing.PlanPublished{Version: 1, Plan: plan})
	step(routing.HoursChanged{Queue: "q", Open: true})
	step(routing.AgentSignedOn{Agent: "h", Profile: "p", DeviceUp: true})
	step(routing.AgentReady{Agent: "h"})
	for i := range 200 { // a backlog of urgent contacts, then the routine one
		step(routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("a%03d", i)), Channel: contact.Phone, Facts: contact.Facts{Vulnerable: true}})
	}
	step(routing.ContactArrived{Contact: "routine", Channel: contact.Phone})
	arrived := now
	for i := 0; ; i++ {
		o := offered[len(offered)-1]
		if o.Contact == "routine" {
			break
		}
		// Those that may rightly go first: arrived before the routine one's due
		// time plus the credit. The queue never empties.
		if o.Arrival > arrived.Add(4*minute) {
			t.Fatalf("%s arrived %v after the routine contact and went first", o.Contact, o.Arrival.Sub(arrived))
		}
		now = now.Add(2 * second)
		step(routing.OfferAccepted{Offer: o.Offer, Agent: "h"})
		step(routing.Connected{Contact: o.Contact, Agent: "h"})
		step(routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("b%06d", i)), Channel: contact.Phone, Facts: contact.Facts{Vulnerable: true}})
		step(routing.ContactReleased{Contact: o.Contact, Cause: routing.ReleasedByCaller})
		if i > 2000 {
			t.Fatal("the routine contact starves")
		}
	}
}

// TestEndedIDsAreForgottenInOrder fills the memory of ended contacts past its
// bound: the oldest id is taken for new again, the others are not.
func TestEndedIDsAreForgottenInOrder(t *testing.T) {
	e := routing.New()
	e.Step(began, routing.PlanPublished{Version: 1, Plan: worldPlans()[0]})
	id := func(i int) contact.ID { return contact.ID(fmt.Sprintf("c%06d", i)) }
	for i := range routing.EndedRemembered + 1 { // all queues are closed: each ends at once
		e.Step(began, routing.ContactArrived{Contact: id(i), Channel: contact.Phone})
	}
	code := func(i int) string {
		r, is := e.Clone().Step(began, routing.ContactArrived{Contact: id(i), Channel: contact.Phone})[0].(routing.Refused)
		if !is {
			return "taken"
		}
		return r.Code
	}
	if got := code(1); got != routing.RefusedDuplicate {
		t.Errorf("the oldest id remembered is %s, want %s", got, routing.RefusedDuplicate)
	}
	if got := code(routing.EndedRemembered); got != routing.RefusedDuplicate {
		t.Errorf("the newest id is %s, want %s", got, routing.RefusedDuplicate)
	}
	if got := code(0); got != "taken" {
		t.Errorf("an id past the bound is %s, want it taken", got)
	}
	sound(t, e, "filling the memory")
	if e.Clone().Hash() != e.Hash() {
		t.Error("a clone past the bound has another hash")
	}
}

// TestSenselessInstantsAreHarmless gives instants at the ends of the range.
func TestSenselessInstantsAreHarmless(t *testing.T) {
	for _, at := range []contact.Instant{-1 << 63, -1, 0, 1, 1 << 62, 1<<63 - 1} {
		e, w := lived(7, 50)
		for _, arrival := range []contact.Instant{-1 << 63, -1, 0, 1, 1<<63 - 1} {
			w.made++
			e.Step(at, routing.ContactArrived{Contact: contact.ID(fmt.Sprint("z", w.made)), Channel: contact.Phone, Arrival: arrival})
			e.Step(at, routing.Tick{})
			sound(t, e, fmt.Sprintf("instant %d, arrival %d", at, arrival))
		}
	}
}
