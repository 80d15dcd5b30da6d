package explain

import (
	"context"
	"encoding/json"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// Step is one thing that was decided or became known about a contact.
type Step struct {
	// Seq is the journal's record and At its instant.
	Seq uint64          `json:"seq"`
	At  contact.Instant `json:"at"`
	// After is the time since the contact arrived.
	After contact.Duration `json:"after"`
	// Kind is the kind of the event or action it is about.
	Kind string `json:"kind"`
	// Text is a sentence for people.
	Text string `json:"text"`
	// Data is the event, the action, or for "queued" a Placing.
	Data any `json:"data,omitempty"`
}

// Placing is how a contact came to its place in a queue. Due is Arrival + Target −
// Credit; a published plan may change the queue, never the due time.
type Placing struct {
	Queue       routing.QueueID  `json:"queue"`
	Label       string           `json:"label"`
	Rule        string           `json:"rule,omitempty"`
	PlanVersion int              `json:"plan_version"`
	RiskToLife  bool             `json:"risk_to_life,omitempty"`
	Target      contact.Duration `json:"target"`
	Credit      contact.Duration `json:"credit"`
	Due         contact.Instant  `json:"due"`
}

// Explanation is all there is to say about a contact.
type Explanation struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Arrival contact.Instant `json:"arrival"`
	// State is "waiting", "deferred", "ringing", "calling", "connecting", "talking",
	// "held", "wrap_up" or "ended", as of record Through; "refused" when routing never took it.
	State string `json:"state"`
	// Ending is set once it has one.
	Ending  contact.Ending `json:"ending,omitempty"`
	Through uint64         `json:"through"`
	// Partial tells that it arrived before the oldest state that is kept, so that
	// its first steps are missing.
	Partial bool   `json:"partial,omitempty"`
	Steps   []Step `json:"steps"`
	// Now tells how a contact that waits stands as of record Through, nil for others.
	Now *Standing `json:"now,omitempty"`
}

// Standing is where a waiting contact stands: its place, who could take it, what
// keeps the others out, and what its age alone will change.
type Standing struct {
	Text []string `json:"text"`
	routing.Explanation
	Handlers []routing.HandlerStanding `json:"handlers"`
}

// Contact explains a contact, live or past. Errors are *UnknownError,
// *TooOldError, and those of a journal that cannot be read.
func Contact(ctx context.Context, store journal.Store, id contact.ID) (Explanation, error) {
	b, err := store.Bounds(ctx)
	if err != nil {
		return Explanation{}, err
	}
	// The same id may have been sent again and refused: the first arrival counts,
	// and it is the last one found going back.
	seq, oldest := uint64(0), uint64(0)
	err = backwards(ctx, store, b, func(list []arrival) bool {
		for _, a := range list {
			if a.ev.Contact == id {
				seq = a.seq
				break
			}
		}
		return seq == 0
	})
	if err != nil {
		return Explanation{}, err
	}
	for seq != 0 && oldest != seq {
		x, duplicate, err := explainFrom(ctx, store, b, id, seq)
		if err != nil || !duplicate {
			return x, err
		}
		oldest = seq
		earlier := journal.Bounds{First: b.First, Last: seq - 1}
		err = backwards(ctx, store, earlier, func(list []arrival) bool {
			for _, a := range list {
				if a.ev.Contact == id {
					seq = a.seq
					break
				}
			}
			return seq == oldest
		})
		if err != nil {
			return Explanation{}, err
		}
	}
	return explainRest(ctx, store, b, id)
}

// explainFrom explains a contact that arrives with record seq; duplicate tells
// that it was known already by then.
func explainFrom(ctx context.Context, store journal.Store, b journal.Bounds, id contact.ID, seq uint64) (x Explanation, duplicate bool, err error) {
	s, ok, err := before(ctx, store, b, seq)
	if err != nil {
		return x, false, err
	}
	if !ok {
		list, err := store.Snapshots(ctx)
		if err != nil {
			return x, false, err
		}
		old := &TooOldError{Contact: id, Seq: seq}
		if len(list) > 0 {
			old.Snapshot = list[0].Seq
		}
		return x, false, old
	}
	t := newTeller(id, s.engine)
	err = s.run(ctx, func(_ journal.Record, ev routing.Event) { t.before(ev) }, func(r journal.Record, ev routing.Event, actions []routing.Action) error {
		if r.Seq < seq {
			return nil
		}
		if r.Seq == seq && refusedAsDuplicate(actions, id) {
			duplicate = true
			return errEnough
		}
		return t.tell(r, ev, actions)
	})
	return t.finish(s.seq), duplicate, err
}

// explainRest explains what is left of a contact that arrived before the journal
// begins, if it was still here then.
func explainRest(ctx context.Context, store journal.Store, b journal.Bounds, id contact.ID) (Explanation, error) {
	unknown := &UnknownError{id, b}
	list, err := store.Snapshots(ctx)
	if err != nil || len(list) == 0 {
		if err == nil {
			err = unknown
		}
		return Explanation{}, err
	}
	s, ok, err := before(ctx, store, b, list[0].Seq+1)
	if err != nil || !ok {
		if err == nil {
			err = unknown
		}
		return Explanation{}, err
	}
	was, here := s.engine.ContactState(id)
	if !here {
		return Explanation{}, unknown
	}
	t := newTeller(id, s.engine)
	t.x.Channel, t.x.Arrival, t.x.Partial, t.here = was.Channel, was.Arrival, true, true
	if was.Offer != 0 {
		t.offers[was.Offer] = was.Agent
	}
	err = s.run(ctx, func(_ journal.Record, ev routing.Event) { t.before(ev) }, t.tell)
	return t.finish(s.seq), err
}

func refusedAsDuplicate(actions []routing.Action, id contact.ID) bool {
	for _, a := range actions {
		if r, is := a.(routing.Refused); is && r.Contact == id && r.Code == routing.RefusedDuplicate {
			return true
		}
	}
	return false
}

// Brief is one line of the list of contacts.
type Brief struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Arrival contact.Instant `json:"arrival"`
	Queue   routing.QueueID `json:"queue"`
	State   string          `json:"state"`
	Ending  contact.Ending  `json:"ending,omitempty"`
	Agent   routing.AgentID `json:"agent,omitempty"`
}

// Latest lists the contacts that arrived last, newest first, at most n.
func Latest(ctx context.Context, store journal.Store, n int) ([]Brief, error) {
	b, err := store.Bounds(ctx)
	if err != nil || b.Last == 0 || n < 1 {
		return nil, err
	}
	var last []arrival
	err = backwards(ctx, store, b, func(list []arrival) bool {
		last = append(list, last...)
		return len(last) < n
	})
	if err != nil {
		return nil, err
	}
	last = last[max(0, len(last)-n):]
	if len(last) == 0 {
		return nil, nil
	}
	s, ok, err := before(ctx, store, b, last[0].seq)
	if err != nil {
		return nil, err
	}
	if !ok {
		if s, ok, err = before(ctx, store, b, b.Last+1); err != nil || !ok {
			return nil, err
		}
	}
	by := map[contact.ID]*Brief{}
	wanted := map[uint64]bool{}
	for _, a := range last {
		wanted[a.seq] = true
	}
	var order []*Brief
	err = s.run(ctx, nil, func(r journal.Record, ev routing.Event, actions []routing.Action) error {
		if in, is := ev.(routing.ContactArrived); is && wanted[r.Seq] {
			at, _ := s.engine.ContactState(in.Contact)
			arrived := at.Arrival
			if arrived == 0 {
				arrived = in.Arrival
			}
			if by[in.Contact] == nil && !refused(actions, in.Contact) {
				by[in.Contact] = &Brief{Contact: in.Contact, Channel: in.Channel, Arrival: arrived}
				order = append(order, by[in.Contact])
			}
		}
		for _, a := range actions {
			if e, is := a.(routing.Ended); is && by[e.Contact] != nil {
				x := by[e.Contact]
				x.Queue, x.Ending, x.Agent, x.Arrival = e.Queue, e.Ending, e.Agent, e.Arrival
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Brief, 0, len(order))
	for i := len(order) - 1; i >= 0; i-- {
		x := *order[i]
		x.State = "ended"
		if c, here := s.engine.ContactState(x.Contact); here {
			x.State, x.Queue, x.Agent = string(c.Phase), c.Queue, c.Agent
		}
		out = append(out, x)
	}
	return out, nil
}

func refused(actions []routing.Action, id contact.ID) bool {
	for _, a := range actions {
		if r, is := a.(routing.Refused); is && r.Contact == id {
			return true
		}
	}
	return false
}

// about tells which contact an action of a kind this package does not know is
// about.
func about(a routing.Action) contact.ID {
	data, err := json.Marshal(a)
	if err != nil {
		return ""
	}
	var x struct {
		Contact contact.ID `json:"contact"`
	}
	if json.Unmarshal(data, &x) != nil {
		return ""
	}
	return x.Contact
}
