package sim

import (
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// step steps the engine and lets the world react to what it wants done.
func (w *world) step(ev routing.Event) {
	w.steps++
	if w.listen != nil {
		w.listen(w.now, ev)
	}
	for _, act := range w.engine.Step(w.now, ev) {
		w.react(act)
	}
}

// react is what people and telephony do about one action; what is left out changes
// nothing outside the engine. A reaction never steps the engine: what follows from
// it goes on the agenda. The engine is terse, so the actions of routing.Reused are
// pointers.
func (w *world) react(act routing.Action) {
	switch a := act.(type) {
	case *routing.Queued:
		w.queued(a)
	case *routing.Offer:
		w.offer(a)
	case *routing.Retract:
		w.retract(a)
	case *routing.Connect:
		w.connecting(a.Contact)
	case routing.CallBack:
		// Whoever is rung back answers at once: nothing is known of how often they do.
		w.connecting(a.Contact)
	case *routing.Announce:
		w.announced(a)
	case *routing.Ended:
		w.ended(a)
	case *routing.Closed:
		w.closed(a)
	case routing.Alert:
		if a.Code == routing.AlertStepsSpent {
			w.spent++
		}
	}
}

// queued notes the rule and the queue it chose, and each queue the contact moves
// on to.
func (w *world) queued(a *routing.Queued) {
	i, is := w.find(a.Contact)
	if !is {
		return
	}
	v := &w.visits[i]
	to := w.queues[a.Queue]
	if a.From != "" && to != v.queue {
		v.moves++
	}
	v.queue = to
	if a.From == "" {
		v.home, v.rule = to, w.rules[a.Rule]
	} else {
		v.home = w.queues[a.From]
	}
}

func (w *world) connecting(id contact.ID) {
	i, is := w.find(id)
	if !is {
		return
	}
	v := &w.visits[i]
	v.stage = connecting
	if w.out.Answering.Connect > 0 {
		w.agenda.put(happening{at: w.now.Add(span(w.out.Answering.Connect)), what: callConnects, visit: i, stamp: uint32(v.offer)})
	} else {
		w.connects = append(w.connects, i)
	}
}

func (w *world) offer(a *routing.Offer) {
	i, is := w.find(a.Contact)
	k, known := w.byAgent[a.Agent]
	if !is || !known {
		return
	}
	v := &w.visits[i]
	v.stage, v.offer, v.agent = ringing, a.Offer, k
	v.offers++
	v.step = 0
	if a.Why.Step != "" {
		v.step = 1 + uint8(slices.IndexFunc(w.plan.Queues[v.queue].Relax, func(s routing.RelaxStep) bool { return s.Name == a.Why.Step }))
	}
	v.preferred = preferenceOf(a.Why.Preference)
	w.offered++
	answering, turn := &w.out.Answering, int(v.offers)
	if answering.Missed > 0 && w.out.stream.uniform(int(i), forMiss, turn) < answering.Missed {
		w.missed++
		return // the offer's deadline ends it
	}
	delay := span(answering.Delay.Quantile(w.out.stream.uniform(int(i), forAnswer, turn)))
	w.agenda.put(happening{at: w.now.Add(delay), what: offerAnswered, visit: i, stamp: uint32(a.Offer)})
}

// preference is whether a contact preferred a handler, and got them.
type preference uint8

const (
	noPreference preference = iota
	preferenceMet
	preferenceMissed
)

func preferenceOf(p routing.Preference) preference {
	switch p {
	case "":
		return noPreference
	case routing.PreferenceMet:
		return preferenceMet
	}
	return preferenceMissed
}

// announced lets a caller react to what they are told.
func (w *world) announced(a *routing.Announce) {
	i, is := w.find(a.Contact)
	if !is {
		return
	}
	v := &w.visits[i]
	v.told++
	share := w.out.Hearing.share(a)
	if share > 0 && w.out.stream.uniform(int(i), forHearing, int(v.told)) < share {
		v.fedUp = true
		w.agenda.put(happening{at: w.now.Add(span(w.out.Hearing.After)), what: patienceEnds, visit: i})
	}
}

func (w *world) retract(a *routing.Retract) {
	i, is := w.find(a.Contact)
	if !is {
		return
	}
	v := &w.visits[i]
	if v.stage == connecting || v.stage == talking {
		w.letGo(&w.workers[v.agent], i)
	}
	v.stage, v.offer, v.agent = waiting, 0, -1
}

func (w *world) ended(a *routing.Ended) {
	i, is := w.find(a.Contact)
	if !is {
		return
	}
	v := &w.visits[i]
	if a.Ending == contact.AbandonedAfterMessage {
		v.home = w.queues[a.Queue] // it was never queued
	}
	v.queue, v.over = w.queues[a.Queue], w.now
	switch a.Ending {
	case contact.Answered:
		v.stage = wrapping
	case contact.CallbackTaken: // of a call that was here when a fork began
		if v.stage = failed; a.Callback == routing.CallbackAnswered {
			v.stage = wrapping
		}
	case contact.AbandonedShort:
		v.stage = leftShort
	case contact.AbandonedInQueue:
		v.stage = leftLong
	case contact.AbandonedAfterMessage:
		v.stage = closedOut
	default:
		v.stage = failed
	}
}

func (w *world) closed(a *routing.Closed) {
	i, is := w.find(a.Contact)
	if !is {
		return
	}
	v := &w.visits[i]
	v.stage = answeredAndOver
	if v.channel == 0 {
		v.worked = float32(w.now.Sub(v.answered).Std().Seconds())
	} else {
		v.worked = float32(w.work(i))
	}
	w.letGo(&w.workers[v.agent], i)
}
