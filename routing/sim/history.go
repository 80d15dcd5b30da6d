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
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// History is what a journal tells of a past period.
type History struct {
	// From and To bound the period: the first and the last record, within what was
	// asked for.
	From, To contact.Instant
	// Contacts that arrived, Answered and Abandoned of them.
	Contacts, Answered, Abandoned int
	// Patience by Kaplan and Meier: those who left are observed, those answered or
	// still waiting are censored.
	Patience Curve
	// Talk and WrapUp are by channel, in seconds.
	Talk, WrapUp map[contact.Channel][]float64
	// AnswerDelay are seconds from an offer to its acceptance; Offers made, Missed
	// of them by their deadline.
	AnswerDelay    []float64
	Offers, Missed int
	// PlanSource is the plan in force at the end.
	PlanSource string

	records  []record
	shifts   []Shift
	profiles []string
}

// ErrEmptyHistory says that no contact arrived in the period.
var ErrEmptyHistory = errors.New("sim: no contact arrived in that period of the journal")

// ReadHistory steps the journal through an engine and measures what it sees
// between from and to; a zero bound is the journal's own. It begins at the newest
// state kept from before from, else at the journal's first record, else at the
// oldest state kept.
func ReadHistory(ctx context.Context, store journal.Store, from, to contact.Instant) (*History, error) {
	h := &History{Talk: map[contact.Channel][]float64{}, WrapUp: map[contact.Channel][]float64{}}
	r := &historian{h: h, from: from, to: to, engine: routing.New(), contacts: map[contact.ID]*trace{}, ready: map[routing.AgentID]Shift{}, profile: map[routing.AgentID]string{}, focus: map[routing.AgentID]focus{}}
	first, err := r.begin(ctx, store)
	if err != nil {
		return nil, err
	}
	err = store.Read(ctx, first, func(rec journal.Record) error {
		ev, err := journal.Decode(rec.Kind, rec.Event, plan.Load)
		if err != nil {
			return fmt.Errorf("sim: record %d: %w", rec.Seq, err)
		}
		if to != 0 && rec.At >= to {
			return errPast
		}
		r.step(rec.At, ev)
		return nil
	})
	if err != nil && !errors.Is(err, errPast) {
		return nil, err
	}
	r.finish()
	if h.Contacts == 0 {
		return nil, ErrEmptyHistory
	}
	return h, nil
}

var errPast = errors.New("sim: past the period")

// historian watches an engine step a journal.
type historian struct {
	h        *History
	from, to contact.Instant
	engine   *routing.Engine
	now      contact.Instant
	contacts map[contact.ID]*trace
	order    []*trace
	ready    map[routing.AgentID]Shift
	profile  map[routing.AgentID]string
	// focus is what each handler works on, and since when.
	focus map[routing.AgentID]focus
}

type focus struct {
	on    contact.ID
	since contact.Instant
}

// trace is what was seen of one contact.
type trace struct {
	record
	offered, answered, over, closed contact.Instant
	left                            bool // gave up waiting
	// worked is the handler's time on a written contact, calls in between and other
	// written contacts before it left out.
	worked  contact.Duration
	written bool
}

func (r *historian) begin(ctx context.Context, store journal.Store) (uint64, error) {
	bounds, err := store.Bounds(ctx)
	if err != nil {
		return 1, err
	}
	list, err := store.Snapshots(ctx)
	if err != nil {
		return 0, err
	}
	seq, found := uint64(0), false
	for i, s := range list {
		if i == 0 && bounds.First > 1 || s.At < r.from {
			seq, found = s.Seq, true
		}
	}
	switch {
	case !found && bounds.First > 1:
		return 0, errors.New("sim: the journal's first records are gone and no snapshot is kept")
	case !found:
		return 1, nil
	}
	snap, err := store.Snapshot(ctx, seq)
	if err != nil {
		return 0, err
	}
	engine, _, source, err := journal.Restore(snap, plan.Load)
	if err != nil {
		return 0, err
	}
	r.engine, r.now, r.h.PlanSource, r.profile = engine, snap.At, source, engine.Profiles()
	for _, a := range engine.Agents() {
		ready := a.State == routing.StateReady || a.State == routing.StateResting || a.Next == routing.StateReady
		if ready && a.Present && r.profile[a.Agent] != "" {
			r.ready[a.Agent] = Shift{Agent: a.Agent, Profile: r.profile[a.Agent], From: snap.At}
		}
	}
	return snap.Seq + 1, nil
}

func (r *historian) step(at contact.Instant, ev routing.Event) {
	r.now = max(at, r.now)
	if r.h.From == 0 && r.now >= r.from {
		r.h.From = r.now
	}
	switch e := ev.(type) {
	case routing.PlanPublished:
		r.h.PlanSource = e.Source
	case routing.AgentSignedOn:
		if was, is := r.ready[e.Agent]; is && was.Profile != e.Profile {
			r.off(e.Agent)
			r.ready[e.Agent] = Shift{Agent: e.Agent, Profile: e.Profile, From: r.now}
		}
		r.profile[e.Agent] = e.Profile
	case routing.AgentReady:
		if _, is := r.ready[e.Agent]; !is && r.profile[e.Agent] != "" {
			r.ready[e.Agent] = Shift{Agent: e.Agent, Profile: r.profile[e.Agent], From: r.now}
		}
	case routing.AgentNotReady:
		r.off(e.Agent)
	case routing.AgentSignedOff:
		r.off(e.Agent)
	case routing.AgentPresence:
		if !e.Up {
			r.off(e.Agent)
		} else if s, is := r.engine.Agent(e.Agent); is && (s.State == routing.StateReady || s.Next == routing.StateReady) && r.profile[e.Agent] != "" {
			r.ready[e.Agent] = Shift{Agent: e.Agent, Profile: r.profile[e.Agent], From: r.now}
		}
	case routing.ContactArrived:
		if r.contacts[e.Contact] == nil && r.now >= r.from {
			facts := e.Facts
			// Who it is plays no part in routing, and has no place in a simulation.
			facts.Line, facts.Person = "", ""
			t := &trace{
				record:  record{at: r.now, channel: e.Channel, queue: e.Queue, facts: &facts, talk: math.NaN(), wrapUp: math.NaN(), patience: math.NaN()},
				written: e.Channel != contact.Phone,
			}
			r.contacts[e.Contact] = t
			r.order = append(r.order, t)
		}
	}
	for _, act := range r.engine.Step(at, ev) {
		r.see(act)
	}
	if c, is := ev.(routing.Connected); is {
		if t := r.contacts[c.Contact]; t != nil && t.answered == 0 {
			if s, here := r.engine.ContactState(c.Contact); here && s.Answered != 0 {
				t.answered = s.Answered
			}
		}
	}
	if a, is := ev.(routing.OfferAccepted); is {
		r.accepted(a)
	}
}

// accepted notes how long the offer rang, and that a written contact is in hand.
func (r *historian) accepted(e routing.OfferAccepted) {
	s, is := r.engine.Agent(e.Agent)
	if !is {
		return
	}
	for _, w := range s.Work {
		t := r.contacts[w.Contact]
		if w.Offer != e.Offer || t == nil || t.offered == 0 {
			continue
		}
		r.h.AnswerDelay = append(r.h.AnswerDelay, r.now.Sub(t.offered).Std().Seconds())
		if t.written && t.answered == 0 {
			t.answered = r.now
		}
	}
}

func (r *historian) see(act routing.Action) {
	switch a := act.(type) {
	case routing.Offer:
		if t := r.contacts[a.Contact]; t != nil {
			t.offered = a.Made
			r.h.Offers++
		}
	case routing.Retract:
		if t := r.contacts[a.Contact]; t != nil && a.Cause == routing.RetractNoAnswer {
			r.h.Missed++
		}
	case routing.AgentChanged:
		r.look(a)
	case routing.Ended:
		if t := r.contacts[a.Contact]; t != nil {
			t.over = a.At
			t.left = a.Ending == contact.AbandonedShort || a.Ending == contact.AbandonedInQueue
			if a.Answered != 0 {
				t.answered = a.Answered
			}
		}
	case routing.Closed:
		if t := r.contacts[a.Contact]; t != nil {
			t.closed = r.now
		}
	}
}

// look notes what a handler works on now: a call if they have one, else the oldest
// written contact in hand, as in the modelled world.
func (r *historian) look(a routing.AgentChanged) {
	on := contact.ID("")
	for _, w := range a.Work {
		switch {
		case w.Phase == routing.PhaseRinging:
		case w.Channel == contact.Phone:
			on = w.Contact
		case on == "":
			on = w.Contact
		}
	}
	was := r.focus[a.Agent]
	if was.on == on {
		return
	}
	if t := r.contacts[was.on]; t != nil && t.written {
		t.worked += r.now.Sub(was.since)
	}
	r.focus[a.Agent] = focus{on, r.now}
}

func (r *historian) off(id routing.AgentID) {
	if s, is := r.ready[id]; is {
		s.From, s.To = max(s.From, r.from), r.now
		if s.To > s.From {
			r.h.shifts = append(r.h.shifts, s)
		}
		delete(r.ready, id)
	}
}

func (r *historian) finish() {
	h := r.h
	h.To = r.now.Add(1)
	if r.to != 0 {
		h.To = r.to
	}
	r.now = h.To
	var still []routing.AgentID
	for id := range r.ready {
		still = append(still, id)
	}
	slices.Sort(still)
	for _, id := range still {
		r.off(id)
	}
	var waits []Observation
	for _, t := range r.order {
		h.Contacts++
		rec := t.record
		switch {
		case t.answered != 0:
			h.Answered++
			rec.patienceBeyond = t.answered.Sub(t.at).Std().Seconds()
			switch {
			case t.written && t.closed != 0:
				rec.talk, rec.wrapUp = t.worked.Std().Seconds(), 0
				h.Talk[t.channel] = append(h.Talk[t.channel], rec.talk)
			case !t.written && t.over != 0:
				rec.talk = t.over.Sub(t.answered).Std().Seconds()
				h.Talk[t.channel] = append(h.Talk[t.channel], rec.talk)
			}
			if !t.written && t.closed != 0 && t.over != 0 {
				rec.wrapUp = t.closed.Sub(t.over).Std().Seconds()
				h.WrapUp[t.channel] = append(h.WrapUp[t.channel], rec.wrapUp)
			}
		case t.left:
			h.Abandoned++
			rec.patience = t.over.Sub(t.at).Std().Seconds()
		default:
			rec.patienceBeyond = h.To.Sub(t.at).Std().Seconds()
			if t.over != 0 {
				rec.patienceBeyond = t.over.Sub(t.at).Std().Seconds()
			}
		}
		if !t.written {
			if t.left {
				waits = append(waits, Observation{Time: rec.patience})
			} else {
				waits = append(waits, Observation{Time: rec.patienceBeyond, Censored: true})
			}
		}
		h.records = append(h.records, rec)
	}
	h.Patience = KaplanMeier(waits)
	for _, s := range h.shifts {
		if !slices.Contains(h.profiles, s.Profile) {
			h.profiles = append(h.profiles, s.Profile)
		}
	}
	slices.Sort(h.profiles)
}

// fewTimes is how many observations make a law of their own; below it the next
// best is taken.
const fewTimes = 30

// Source makes the period's arrivals and shifts a source. What happened to a
// contact is kept where it is known and would be the same under another plan:
// its handling time if it was answered, its patience if it gave up. The patience
// of those answered is drawn from the Kaplan–Meier estimate beyond the wait they
// had; handling times of those never answered from a fitted log-normal law.
func (h *History) Source() *Recorded {
	s := &Recorded{from: h.From, to: h.To, records: h.records, shifts: h.shifts, profiles: h.profiles, laws: map[contact.Channel]laws{}}
	s.what = fmt.Sprintf("journal from %s to %s: %d contacts", h.From, h.To, h.Contacts)
	patience := Distribution(never)
	patienceNote := "Nobody gave up in that time, so callers wait for ever in the simulation: waits and queues may be too long."
	if d := h.Patience.Distribution(); d != nil {
		patience = d
		mean, _ := h.Patience.ExponentialMean()
		patienceNote = fmt.Sprintf("Patience by Kaplan and Meier from %d calls, %d of whom gave up and the others censored; mean if exponential %s.", h.Patience.N, h.Patience.Ended, seconds(mean))
	}
	var everyTalk, everyWrap []float64
	for _, c := range channelList {
		everyTalk = append(everyTalk, h.Talk[c]...)
		everyWrap = append(everyWrap, h.WrapUp[c]...) // of calls
	}
	var said []string
	for _, c := range channelList {
		l := laws{talk: fitted(h.Talk[c], everyTalk, LogNormalOf(240, 300)), wrapUp: empirical(h.WrapUp[c], everyWrap), patience: patience}
		if c != contact.Phone {
			l.wrapUp = Constant(0) // their work is measured as one
		}
		s.laws[c] = l
		if len(h.Talk[c]) > 0 {
			said = append(said, fmt.Sprintf("%s %s (%d observed)", c, l.talk, len(h.Talk[c])))
		}
	}
	s.answering = Answering{Delay: empirical(h.AnswerDelay, nil)}
	if h.Offers > 0 {
		s.answering.Missed = float64(h.Missed) / float64(h.Offers)
	}
	s.notes = []string{
		fmt.Sprintf("Arrivals, shifts (%d), and what is known of each contact are the journal's: %d answered, %d gave up.", len(h.shifts), h.Answered, h.Abandoned),
		patienceNote,
		"Handling times of contacts never answered are drawn from: " + strings.Join(said, "; ") + ".",
		fmt.Sprintf("Handlers answer an offer after: %s; %.1f %% of offers are missed.", s.answering.Delay, 100*s.answering.Missed),
	}
	return s
}

func fitted(times, every []float64, otherwise Distribution) Distribution {
	for _, list := range [][]float64{times, every} {
		if len(list) >= fewTimes {
			if l, err := FitLogNormal(list); err == nil {
				return l
			}
		}
	}
	if e := EmpiricalOf(slices.Concat(times, every)); e != nil {
		return e
	}
	return otherwise
}

func empirical(times, every []float64) Distribution {
	for _, list := range [][]float64{times, every} {
		if e := EmpiricalOf(list); e != nil {
			return e
		}
	}
	return Constant(3)
}
