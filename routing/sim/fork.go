package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// Move is handlers who change to another profile.
type Move struct {
	// From narrows whom to take; empty takes from every profile but To.
	From string `json:"from,omitempty"`
	// To is the profile they get.
	To string `json:"to"`
	// Agents names them. When empty, Count handlers are taken: idle ones first,
	// then in order of id.
	Agents []routing.AgentID `json:"agents,omitempty"`
	Count  int               `json:"count,omitempty"`
}

// ForkOptions say what to try on the present.
type ForkOptions struct {
	// At is now, not earlier than the engine's last event.
	At contact.Instant
	// Profiles tells each handler's profile, which the engine's views do not.
	Profiles map[routing.AgentID]string
	// Moves and Events are what is tried: moves first, then the events, stepped at
	// At. Events may be a PlanPublished with a compiled draft.
	Moves  []Move
	Events []routing.Event
	// Zone is the plan's, for its opening hours.
	Zone contact.Zone
	// Horizon is how far to look; an hour when zero, at most a day.
	Horizon contact.Duration
	// Model says what comes, how long it takes and how long callers wait.
	Model *Model
	// Replications; 8 when zero.
	Replications int
	Seed         uint64
	Formula      Formula
	Within       contact.Duration
	Workers      int
	CheckEvery   int
}

// DefaultForkReplications keeps the answer under a second.
const DefaultForkReplications = 8

// Fork plays the time to come from a live state twice: as it is, and with the
// changes. engine should be a Clone of the live one; Fork does not step it and
// makes its own clones. Contacts waiting keep their places, and their patience is
// drawn beyond the wait they already had; talks under way go on for what is left
// of a time drawn beyond how long they have lasted. Nobody signs on or off but by
// the events given. Cancelling the context works as for Run.
func Fork(ctx context.Context, engine *routing.Engine, o ForkOptions) (*Report, error) {
	f, err := newFork(engine, o)
	if err != nil {
		return nil, err
	}
	options := Options{
		Source: f, Replications: o.Replications, Seed: o.Seed, Formula: o.Formula, Within: o.Within, Workers: o.Workers, CheckEvery: o.CheckEvery,
		Plans: []PlanInput{{Name: "as it is"}, {Name: "with the changes"}},
	}
	if options.Replications <= 0 {
		options.Replications = DefaultForkReplications
	}
	if err := options.fill(); err != nil {
		return nil, err
	}
	from, to := f.Period()
	var plans []*prepared
	for i, in := range options.Plans {
		start := &forkStart{fork: f, engine: engine}
		inForce := engine.PlanInForce()
		if i == 1 {
			start.events = append(slices.Clone(f.moves), o.Events...)
			for _, ev := range o.Events {
				if p, is := ev.(routing.PlanPublished); is && p.Plan != nil {
					inForce = p.Plan
				}
			}
		}
		p := prepareCompiled(in.Name, inForce, o.Zone, from, to, o.Within)
		p.start = start
		plans = append(plans, p)
	}
	done, err := replicate(ctx, &options, plans)
	if err != nil {
		return nil, err
	}
	return newReport(&options, plans, done), nil
}

// forkStart is the state one side of a fork begins in.
type forkStart struct {
	fork   *fork
	engine *routing.Engine
	events []routing.Event
}

// fork is the source of what comes after now.
type fork struct {
	o        ForkOptions
	modelled *Modelled
	from, to contact.Instant
	// present are the contacts that are here, in order of id.
	present []routing.ContactStatus
	agents  []routing.AgentChanged
	since   map[contact.ID]contact.Instant // of the phase, where a handler has it
	moves   []routing.Event
}

func newFork(engine *routing.Engine, o ForkOptions) (*fork, error) {
	inForce := engine.PlanInForce()
	switch {
	case inForce == nil:
		return nil, errors.New("sim: there is no plan in force yet")
	case o.Model == nil:
		return nil, errors.New("sim: a fork needs a model of what comes")
	case o.Horizon < 0 || o.Horizon > contact.Day:
		return nil, fmt.Errorf("sim: %s cannot be looked ahead: at most a day can", o.Horizon)
	}
	if o.Horizon == 0 {
		o.Horizon = contact.Hour
	}
	f := &fork{o: o, from: o.At, to: o.At.Add(o.Horizon), agents: engine.Agents(), since: map[contact.ID]contact.Instant{}}
	for _, a := range f.agents {
		for _, w := range a.Work {
			if s, here := engine.ContactState(w.Contact); here {
				f.present = append(f.present, s)
				f.since[w.Contact] = w.Since
			}
		}
	}
	for _, q := range inForce.Queues {
		f.present = append(f.present, engine.Waiting(q.ID, 0)...)
	}
	for _, c := range engine.Callbacks() {
		if c.Phase == routing.PhaseDeferred { // the others wait or are in a handler's hands
			f.present = append(f.present, c)
		}
	}
	slices.SortFunc(f.present, func(a, b routing.ContactStatus) int {
		if a.Contact < b.Contact {
			return -1
		}
		return 1
	})
	var err error
	f.modelled, err = o.Model.between(f.from, f.to)
	if err != nil {
		return nil, err
	}
	for _, m := range o.Moves {
		if err := f.move(inForce, m); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// move turns a move into sign-ons with the new profile, which keep readiness and
// contacts in hand.
func (f *fork) move(inForce *routing.Plan, m Move) error {
	known := func(name string) bool {
		return slices.ContainsFunc(inForce.Profiles, func(p routing.Profile) bool { return p.Name == name })
	}
	if !known(m.To) {
		return &ForkError{"moves.to", fmt.Sprintf("the plan has no handler profile %q%s", m.To, meant(m.To, inForce))}
	}
	if m.From != "" && !known(m.From) {
		return &ForkError{"moves.from", fmt.Sprintf("the plan has no handler profile %q%s", m.From, meant(m.From, inForce))}
	}
	views := map[routing.AgentID]routing.AgentChanged{}
	var able []routing.AgentID
	for _, idleFirst := range []bool{true, false} {
		for _, a := range f.agents {
			profile := f.o.Profiles[a.Agent]
			views[a.Agent] = a
			if a.State != routing.StateOffline && (a.State == routing.StateReady) == idleFirst && profile != m.To && (m.From == "" || profile == m.From) && !f.moved(a.Agent) {
				able = append(able, a.Agent)
			}
		}
	}
	chosen := m.Agents
	if len(chosen) == 0 {
		if m.Count < 1 || m.Count > len(able) {
			return &ForkError{"moves.count", fmt.Sprintf("%d handlers cannot move to %s: %d are signed on who could", m.Count, m.To, len(able))}
		}
		chosen = able[:m.Count]
	}
	for _, id := range chosen {
		a, is := views[id]
		if !is || a.State == routing.StateOffline {
			return &ForkError{"moves.agents", fmt.Sprintf("handler %q is not signed on", id)}
		}
		f.moves = append(f.moves, routing.AgentSignedOn{Agent: id, Profile: m.To, DeviceUp: a.DeviceUp})
	}
	return nil
}

// ForkError says which of what is to be tried is not possible.
type ForkError struct {
	Field, Message string
}

// Error says it for people.
func (e *ForkError) Error() string { return "sim: " + e.Message }

// meant suggests a profile or lists them.
func meant(name string, p *routing.Plan) string {
	var names []string
	for _, x := range p.Profiles {
		names = append(names, x.Name)
	}
	if n := plan.Nearest(name, names); n != "" {
		return fmt.Sprintf(": did you mean %q?", n)
	}
	return ": it has " + strings.Join(names, ", ")
}

func (f *fork) moved(id routing.AgentID) bool {
	return slices.ContainsFunc(f.moves, func(ev routing.Event) bool {
		s, is := ev.(routing.AgentSignedOn)
		return is && s.Agent == id
	})
}

// between is the model from one instant to another; shifts are left out.
func (m *Model) between(from, to contact.Instant) (*Modelled, error) {
	if to <= from || to.Sub(from) > maxDays*contact.Day {
		return nil, errors.New("sim: the period to model is empty or too long")
	}
	s := &Modelled{model: m, from: from, to: to, days: 1}
	s.fillRates()
	return s, nil
}

// Describe implements Source.
func (f *fork) Describe() (string, []string) {
	return fmt.Sprintf("the next %s from %s", f.o.Horizon, f.from), append([]string{
		fmt.Sprintf("Begins from the live state: %d contacts here, %d handlers. Nobody else signs on or off.", len(f.present), len(f.agents)),
		"Contacts who are here count as arrived when they did; those answered before now are not in the figures.",
	}, f.o.Model.notes()...)
}

// Period implements Source.
func (f *fork) Period() (from, to contact.Instant) { return f.from, f.to }

// Profiles implements Source.
func (f *fork) Profiles() []string { return nil }

// Outside implements Source. What belongs to those who are here is put after the
// arrivals to come, so that numbers and draws of the latter do not depend on it.
func (f *fork) Outside(seed uint64, replication int) (*Outside, error) {
	return f.modelled.Outside(seed, replication)
}

// residents makes the world know the contacts and handlers that are here.
func (w *world) residents(start *forkStart) {
	f := start.fork
	// Other draws than those of the contacts to come.
	dice := stream(mix(uint64(w.out.stream) ^ 0xf0f0))
	w.known = make(map[contact.ID]int32, len(f.present))
	all := f.o.Model.laws()
	w.out = w.out.with(len(f.present))
	for i, s := range f.present {
		n := int32(len(w.visits))
		l := all[s.Channel]
		waited := f.from.Sub(s.Arrival).Std().Seconds()
		a := Arrival{
			At: s.Arrival, Channel: s.Channel, Facts: &f.present[i].Facts,
			Patience: beyond(l.patience, waited, dice.uniform(i, forPatience, 0)),
			Talk:     l.talk.Quantile(dice.uniform(i, forTalk, 0)), WrapUp: l.wrapUp.Quantile(dice.uniform(i, forWrapUp, 0)),
		}
		v := visit{arrived: s.Arrival, channel: channelNumber(s.Channel), queue: w.queues[s.Queue], home: w.queues[s.Queue], rule: w.rules[s.Rule], agent: -1, offer: s.Offer, answered: s.Answered, resident: true}
		w.known[s.Contact] = n
		w.ids = append(w.ids, s.Contact)
		since := f.from.Sub(f.since[s.Contact]).Std().Seconds()
		if s.Callback != nil && !s.Callback.CallerHere {
			a.Patience = never.Mean() // nobody holds the line
		}
		switch s.Phase {
		case routing.PhaseWaiting, routing.PhaseDeferred:
			v.stage = waiting
		case routing.PhaseRinging:
			v.stage = ringing
		case routing.PhaseConnecting, routing.PhaseCalling:
			v.stage = connecting
		case routing.PhaseWrapUp:
			v.stage, v.over = wrapping, f.since[s.Contact]
			a.WrapUp = beyond(l.wrapUp, since, dice.uniform(i, forWrapUp, 0)) - since
		default:
			v.stage = talking
			talked := f.from.Sub(s.Answered).Std().Seconds()
			a.Talk = beyond(l.talk, talked, dice.uniform(i, forTalk, 0)) - talked
		}
		if s.Callback != nil {
			a.Patience = never.Mean() // they are not on the line
		}
		w.out.Arrivals = append(w.out.Arrivals, a)
		w.visits = append(w.visits, v)
		if v.channel == 0 && v.stage <= connecting && a.Patience < never.Mean() {
			w.agenda.put(happening{at: max(f.from, s.Arrival.Add(span(a.Patience))), what: patienceEnds, visit: n})
		}
	}
	for _, a := range f.agents {
		k := w.worker(a.Agent)
		worker := &w.workers[k]
		if a.State != routing.StateOffline {
			worker.on, worker.staffed = true, f.from
		}
		for _, work := range a.Work {
			w.resume(k, w.known[work.Contact])
		}
		w.takeUp(&w.workers[k])
	}
}

// resume puts a contact that is here into its handler's hands.
func (w *world) resume(k int32, i int32) {
	v, worker := &w.visits[i], &w.workers[k]
	v.agent = k
	if v.stage == ringing {
		w.agenda.put(happening{at: w.now.Add(span(w.out.Answering.Delay.Mean())), what: offerAnswered, visit: i, stamp: uint32(v.offer)})
		return
	}
	worker.busy = w.now
	if v.channel != 0 {
		worker.written = append(worker.written, i)
		worker.left = append(worker.left, math.Max(0, w.work(i)))
		return
	}
	worker.call = i
	switch v.stage {
	case connecting:
		w.agenda.put(happening{at: w.now.Add(span(w.out.Answering.Connect)), what: callConnects, visit: i, stamp: uint32(v.offer)})
	case talking:
		w.agenda.put(happening{at: w.now.Add(span(w.out.Arrivals[i].Talk)), what: talkEnds, visit: i})
	case wrapping:
		w.beginWrapUp(i)
	}
}

// with is a copy with room for more arrivals, which others do not see.
func (o *Outside) with(more int) *Outside {
	twin := *o
	twin.Arrivals = append(make([]Arrival, 0, len(o.Arrivals)+more), o.Arrivals...)
	return &twin
}
