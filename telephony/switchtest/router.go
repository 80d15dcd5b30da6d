package switchtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Router runs the real routing engine without journal or plan files: Submit
// steps it, its actions go to the sinks in order. It keeps all events and
// actions for tests to look at.
type Router struct {
	sinks []func(routing.Action)

	mu      sync.Mutex
	engine  *routing.Engine
	events  []routing.Event
	actions []routing.Action
	// refuse, if not nil, is asked whether Submit fails.
	refuse  func(routing.Event) error
	timer   *time.Timer
	changed chan struct{}
	stopped bool
}

// NewRouter starts an engine with Plan in force and its queue open. Every action
// goes to each sink, which must not block and must not call back.
func NewRouter(sinks ...func(routing.Action)) *Router {
	r := &Router{engine: routing.New(), sinks: sinks, changed: make(chan struct{})}
	p := Plan()
	r.step(routing.PlanPublished{Version: p.Version, Plan: p})
	r.step(routing.HoursChanged{Queue: p.DefaultQueue, Open: true})
	return r
}

// Plan is a plan with one queue, "general", which takes everything; a profile
// "all"; 15 s of ringing, rests of 5 s, and no wrap-up.
func Plan() *routing.Plan {
	per := func(d contact.Duration) map[contact.Channel]contact.Duration {
		return map[contact.Channel]contact.Duration{contact.Phone: d, contact.Email: d, contact.Web: d}
	}
	return &routing.Plan{
		Version: 1, DefaultQueue: "general", ShortAbandon: 5 * contact.Second,
		Queues:   []routing.Queue{{ID: "general", Label: "General", AnswerWithin: per(30 * contact.Second), ClosedAnnouncement: "closed"}},
		Profiles: []routing.Profile{{Name: "all", Capacity: map[contact.Channel]int{contact.Phone: 1}}},
		Offer: routing.OfferPolicy{
			RingFor: per(15 * contact.Second), NoAnswerRest: 5 * contact.Second,
			DeclineRest: 5 * contact.Second, FailedRest: 5 * contact.Second, AlertAfter: 5,
		},
	}
}

// Attach adds a sink.
func (r *Router) Attach(sink func(routing.Action)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sinks = append(r.sinks, sink)
}

// Submit steps the engine.
func (r *Router) Submit(_ context.Context, ev routing.Event) error {
	r.mu.Lock()
	refuse := r.refuse
	r.mu.Unlock()
	if refuse != nil {
		if err := refuse(ev); err != nil {
			return err
		}
	}
	r.step(ev)
	return nil
}

// Refuse makes Submit fail where f gives an error; nil ends that.
func (r *Router) Refuse(f func(routing.Event) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = f
}

// SignOn brings handlers in and makes them ready.
func (r *Router) SignOn(agents ...routing.AgentID) {
	for _, a := range agents {
		r.step(routing.AgentSignedOn{Agent: a, Profile: "all", DeviceUp: true})
		r.step(routing.AgentReady{Agent: a})
	}
}

// Stop ends the router: no timer fires after it.
func (r *Router) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

func (r *Router) step(ev routing.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	if _, tick := ev.(routing.Tick); !tick {
		r.events = append(r.events, ev)
	}
	for _, a := range r.engine.Step(contact.At(time.Now()), ev) {
		r.actions = append(r.actions, a)
		for _, sink := range r.sinks {
			sink(a)
		}
	}
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if at, ok := r.engine.NextDeadline(); ok {
		r.timer = time.AfterFunc(time.Until(at.Time()), func() { r.step(routing.Tick{}) })
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events returns all events so far.
func (r *Router) Events() []routing.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]routing.Event(nil), r.events...)
}

// Actions returns all actions so far.
func (r *Router) Actions() []routing.Action {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]routing.Action(nil), r.actions...)
}

// Await waits until done is true of the events and actions so far, looking
// again after each step; the error lists what happened instead.
func (r *Router) Await(ctx context.Context, done func(events []routing.Event, actions []routing.Action) bool) error {
	for {
		r.mu.Lock()
		ok, changed := done(r.events, r.actions), r.changed
		r.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("it did not happen; events: %s", kinds(r.Events()))
		}
	}
}

// Has is a condition for Await: an event equal to ev has come.
func Has[E interface {
	comparable
	routing.Event
}](ev E) func([]routing.Event, []routing.Action) bool {
	return func(events []routing.Event, _ []routing.Action) bool { return Count(events, ev) > 0 }
}

// Count tells how often an event equal to ev is among events.
func Count[E interface {
	comparable
	routing.Event
}](events []routing.Event, ev E) int {
	n := 0
	for _, e := range events {
		if got, is := e.(E); is && got == ev {
			n++
		}
	}
	return n
}

// First finds the first event of a type.
func First[E routing.Event](events []routing.Event) (e E, ok bool) {
	for _, ev := range events {
		if got, is := ev.(E); is {
			return got, true
		}
	}
	return e, false
}

func kinds(events []routing.Event) []string {
	var names []string
	for _, e := range events {
		names = append(names, fmt.Sprintf("%T%+v", e, e))
	}
	return names
}
