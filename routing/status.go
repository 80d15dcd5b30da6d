package routing

import (
	"slices"

	"example.org/c3i/contact"
)

// Tally counts what happened since the engine was new.
type Tally struct {
	// Arrived counts contacts taken in; each is in one of the endings below or
	// still open.
	Arrived               int `json:"arrived"`
	Answered              int `json:"answered"`
	AbandonedShort        int `json:"abandoned_short"`
	AbandonedAfterMessage int `json:"abandoned_after_message"`
	AbandonedInQueue      int `json:"abandoned_in_queue"`
	Failed                int `json:"failed"`
	// CallbackTaken counts contacts that ended as callbacks, and of them those that
	// reached the caller and those given up.
	CallbackTaken      int `json:"callback_taken,omitempty"`
	CallbackAnswered   int `json:"callback_answered,omitempty"`
	CallbackNotReached int `json:"callback_not_reached,omitempty"`
	// Offers made, and how many of them were not taken by fault or choice.
	Offers        int `json:"offers"`
	NoAnswers     int `json:"no_answers"`
	Declines      int `json:"declines"`
	OfferFailures int `json:"offer_failures"`
}

func (t *Tally) count(ending contact.Ending) {
	switch ending {
	case contact.Answered:
		t.Answered++
	case contact.AbandonedShort:
		t.AbandonedShort++
	case contact.AbandonedAfterMessage:
		t.AbandonedAfterMessage++
	case contact.AbandonedInQueue:
		t.AbandonedInQueue++
	case contact.CallbackTaken:
		t.CallbackTaken++
	default:
		t.Failed++
	}
}

func (t *Tally) countCallback(result CallbackResult) {
	switch result {
	case CallbackAnswered:
		t.CallbackAnswered++
	case CallbackNotReached, CallbackNotMade:
		t.CallbackNotReached++
	}
}

// Ended is how many contacts have an ending.
func (t Tally) Ended() int {
	return t.Answered + t.AbandonedShort + t.AbandonedAfterMessage + t.AbandonedInQueue + t.Failed + t.CallbackTaken
}

// Counts is the Tally and what is going on now.
type Counts struct {
	Tally
	// Contacts by phase. Those in wrap-up have ended; the others are open.
	Waiting    int `json:"waiting"`
	Ringing    int `json:"ringing"`
	Connecting int `json:"connecting"`
	Talking    int `json:"talking"`
	Held       int `json:"held"`
	WrapUp     int `json:"wrap_up"`
	// Parked contacts wait in a handler's hands for a call to end or to be taken up.
	Parked int `json:"parked,omitempty"`
	// Deferred contacts are callbacks that may not be made yet; Calling ones are
	// being made.
	Deferred int `json:"deferred,omitempty"`
	Calling  int `json:"calling,omitempty"`
	// Handlers by state.
	Ready    int `json:"ready"`
	NotReady int `json:"not_ready"`
	Busy     int `json:"busy"`
	Resting  int `json:"resting"`
	// Offline handlers still have a contact in hand.
	Offline int `json:"offline"`
}

// Counts reports the ledger: Arrived = Ended() + Waiting + Ringing + Connecting
// + Talking + Held + Parked + Deferred + Calling at all times. It looks at every contact and handler.
func (e *Engine) Counts() Counts {
	n := Counts{Tally: e.tally}
	for _, c := range e.contacts {
		switch c.phase {
		case PhaseRinging:
			n.Ringing++
		case PhaseConnecting:
			n.Connecting++
		case PhaseTalking:
			n.Talking++
		case PhaseHeld:
			n.Held++
		case PhaseParked:
			n.Parked++
		case PhaseDeferred:
			n.Deferred++
		case PhaseCalling:
			n.Calling++
		case PhaseWrapUp:
			n.WrapUp++
		default:
			n.Waiting++
		}
	}
	for _, h := range e.handlers {
		switch h.shown {
		case StateReady:
			n.Ready++
		case StateNotReady:
			n.NotReady++
		case StateBusy:
			n.Busy++
		case StateResting:
			n.Resting++
		default:
			n.Offline++
		}
	}
	return n
}

// PlanVersion is the version of the plan in force, 0 before the first.
func (e *Engine) PlanVersion() int {
	if e.plan == nil {
		return 0
	}
	return e.plan.version
}

// QueueStatus is a queue as desks and wallboards show it.
type QueueStatus struct {
	Queue QueueID `json:"queue"`
	Label string  `json:"label"`
	Open  bool    `json:"open"`
	// Waiting counts contacts with no offer out; Offered those ringing at a
	// handler.
	Waiting int `json:"waiting"`
	Offered int `json:"offered"`
	// Callbacks counts callers of the queue who are to be rung back; those who may be
	// rung now are among Waiting.
	Callbacks int `json:"callbacks,omitempty"`
	// CallbacksOpen is what the driver said of the hours of callbacks.
	CallbacksOpen bool `json:"callbacks_open,omitempty"`
	// OldestArrival and MostDue are of those waiting, zero when none is.
	OldestArrival contact.Instant `json:"oldest_arrival,omitempty"`
	MostDue       contact.Instant `json:"most_due,omitempty"`
	// Channels tells of those waiting by channel, for channels where any is.
	Channels []ChannelStatus `json:"channels,omitempty"`
}

// ChannelStatus is what waits in a queue on one channel.
type ChannelStatus struct {
	Channel       contact.Channel `json:"channel"`
	Waiting       int             `json:"waiting"`
	OldestArrival contact.Instant `json:"oldest_arrival"`
	MostDue       contact.Instant `json:"most_due"`
}

// Queues reports every queue in the plan's order. It looks at every contact
// waiting.
func (e *Engine) Queues() []QueueStatus {
	if e.plan == nil {
		return nil
	}
	all := make([]QueueStatus, len(e.plan.queues))
	for i, q := range e.plan.queues {
		s := QueueStatus{Queue: q.ID, Label: q.Label, Open: q.open, Waiting: q.waiting, Offered: q.ringing, CallbacksOpen: q.mayRing}
		for _, c := range e.promised {
			if c.queue == q.ID {
				s.Callbacks++
			}
		}
		var by [channels]ChannelStatus
		for _, l := range q.lines {
			on := &by[l.channel]
			for _, p := range l.heap {
				if on.Waiting == 0 || p.arrival < on.OldestArrival {
					on.OldestArrival = p.arrival
				}
				if on.Waiting == 0 || p.due < on.MostDue {
					on.MostDue = p.due
				}
				on.Waiting++
			}
		}
		for ch, on := range by {
			if on.Waiting == 0 {
				continue
			}
			if s.Channels == nil || on.OldestArrival < s.OldestArrival {
				s.OldestArrival = on.OldestArrival
			}
			if s.Channels == nil || on.MostDue < s.MostDue {
				s.MostDue = on.MostDue
			}
			on.Channel = channelNames[ch]
			s.Channels = append(s.Channels, on)
		}
		all[i] = s
	}
	return all
}

// Agents reports every handler signed on or with a contact in hand, in order of
// id.
func (e *Engine) Agents() []AgentChanged {
	all := make([]AgentChanged, 0, len(e.handlers))
	for _, h := range e.sortedHandlers() {
		all = append(all, h.view())
	}
	return all
}

// Agent reports one handler, false when they are signed off.
func (e *Engine) Agent(id AgentID) (AgentChanged, bool) {
	h := e.handlers[id]
	if h == nil {
		return AgentChanged{}, false
	}
	return h.view(), true
}

// PhaseWaiting is the phase of a contact with no offer out, in ContactStatus.
const PhaseWaiting Phase = "waiting"

// ContactStatus is one contact as the engine knows it.
type ContactStatus struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Queue   QueueID         `json:"queue"`
	Phase   Phase           `json:"phase"`
	// Agent and Offer are set unless it waits.
	Agent       AgentID         `json:"agent,omitempty"`
	Offer       OfferID         `json:"offer,omitempty"`
	Class       int             `json:"class"`
	Arrival     contact.Instant `json:"arrival"`
	Due         contact.Instant `json:"due"`
	Answered    contact.Instant `json:"answered,omitempty"`
	Facts       contact.Facts   `json:"facts"`
	Rule        string          `json:"rule,omitempty"`
	PlanVersion int             `json:"plan_version"`
	// Misses counts offers of it that were missed, declined or failed; RefusedBy
	// lists the handlers it is not offered to in this round.
	Misses    int       `json:"misses,omitempty"`
	RefusedBy []AgentID `json:"refused_by,omitempty"`
	// Callback is set once the caller asked to be rung back.
	Callback *CallbackStatus `json:"callback,omitempty"`
}

func (c *inquiry) status() ContactStatus {
	s := ContactStatus{
		Contact: c.id, Channel: channelNames[c.channel], Queue: c.queue, Phase: c.phase, Offer: c.offer, Class: int(c.class),
		Arrival: c.arrival, Due: c.due, Answered: c.answered, Facts: c.facts, Rule: c.rule, PlanVersion: c.version,
		Misses: c.misses, RefusedBy: slices.Clone(c.refusers), Callback: c.back.status(),
	}
	if c.phase == "" {
		s.Phase = PhaseWaiting
	}
	if c.handler != nil {
		s.Agent = c.handler.id
	}
	return s
}

// ContactState reports a contact that is here: waiting, offered, connected or in
// wrap-up.
func (e *Engine) ContactState(id contact.ID) (ContactStatus, bool) {
	c := e.contacts[id]
	if c == nil {
		return ContactStatus{}, false
	}
	return c.status(), true
}

// Waiting lists contacts waiting in a queue, most due first, at most limit of
// them, all when limit is 0.
func (e *Engine) Waiting(id QueueID, limit int) []ContactStatus {
	if e.plan == nil || e.plan.queueOf[id] == nil {
		return nil
	}
	q := e.plan.queueOf[id]
	all := make([]*inquiry, 0, q.waiting)
	for _, l := range q.lines {
		for _, p := range l.heap {
			all = append(all, p.c)
		}
	}
	slices.SortFunc(all, comparePlaces)
	if limit > 0 && limit < len(all) {
		all = all[:limit]
	}
	out := make([]ContactStatus, len(all))
	for i, c := range all {
		out[i] = c.status()
	}
	return out
}

// ServableBy lists the queues, in the plan's order, whose own needs handlers of
// the profile meet on some channel. Rules and languages may ask for more.
func (e *Engine) ServableBy(name string) []QueueID {
	if e.plan == nil || e.plan.named[name] == nil {
		return nil
	}
	p := e.plan.named[name]
	var out []QueueID
	for _, q := range e.plan.queues {
		for ch := range channels {
			if _, able := p.fits(ch, q.Needs); able {
				out = append(out, q.ID)
				break
			}
		}
	}
	return out
}

// PlanInForce is the plan in force as published, without surges, nil before the first. It must not be changed.
func (e *Engine) PlanInForce() *Plan {
	if e.plan == nil {
		return nil
	}
	return e.plan.base
}

// SurgesOn names the surges that are on, in the plan's order.
func (e *Engine) SurgesOn() []string {
	if e.plan == nil {
		return nil
	}
	return slices.Clone(e.plan.surges)
}
