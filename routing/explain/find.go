package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// UnknownError says that the journal holds no such contact.
type UnknownError struct {
	Contact contact.ID
	// Bounds tells which records were looked at.
	Bounds journal.Bounds
}

// Error says it for people.
func (e *UnknownError) Error() string {
	if e.Bounds.Last == 0 {
		return fmt.Sprintf("there is no contact %q: the journal is empty", e.Contact)
	}
	return fmt.Sprintf("there is no contact %q in the journal, records %d to %d", e.Contact, e.Bounds.First, e.Bounds.Last)
}

// TooOldError says that the journal still holds records about the contact, but
// no longer the state that they changed: it was trimmed, and the oldest snapshot
// was taken later.
type TooOldError struct {
	Contact  contact.ID
	Seq      uint64
	Snapshot uint64
}

// Error says it for people.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("contact %q arrived with record %d, before the oldest state that is kept (after record %d): its decisions can no longer be worked out",
		e.Contact, e.Seq, e.Snapshot)
}

// window is how many records are looked through first, from the end; each
// further window is twice as long.
const window = 20_000

// errEnough ends reading early.
var errEnough = errors.New("explain: enough was read")

// backwards calls f for the arrivals of one window of records after another, the
// newest window first, until f wants no more. Within a window they come in order.
func backwards(ctx context.Context, store journal.Store, b journal.Bounds, f func(arrivals []arrival) (more bool)) error {
	to := b.Last
	for size := uint64(window); to >= b.First && to > 0; size *= 2 {
		from := b.First
		if to-b.First >= size {
			from = to - size + 1
		}
		var found []arrival
		err := store.Read(ctx, from, func(r journal.Record) error {
			if r.Seq > to {
				return errEnough
			}
			if r.Kind != arrivedKind {
				return nil
			}
			var ev routing.ContactArrived
			if err := json.Unmarshal(r.Event, &ev); err != nil {
				return fmt.Errorf("explain: record %d: %w", r.Seq, err)
			}
			found = append(found, arrival{r.Seq, ev})
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if !f(found) || from == b.First {
			return nil
		}
		to = from - 1
	}
	return nil
}

var arrivedKind = routing.ContactArrived{}.Kind()

type arrival struct {
	seq uint64
	ev  routing.ContactArrived
}

// stepper steps the engine through the journal.
type stepper struct {
	store  journal.Store
	engine *routing.Engine
	seq    uint64 // of the last record stepped
}

// before makes a stepper that stands before a record, at the newest state that
// is kept. ok is false when the journal no longer reaches back so far.
func before(ctx context.Context, store journal.Store, b journal.Bounds, seq uint64) (s *stepper, ok bool, err error) {
	list, err := store.Snapshots(ctx)
	if err != nil {
		return nil, false, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Seq >= seq {
			continue
		}
		snap, err := store.Snapshot(ctx, list[i].Seq)
		if err != nil {
			return nil, false, err
		}
		e, _, _, err := journal.Restore(snap, plan.Load)
		if err != nil {
			return nil, false, fmt.Errorf("explain: snapshot %d: %w", snap.Seq, err)
		}
		return &stepper{store, e, snap.Seq}, true, nil
	}
	if b.First > 1 {
		return nil, false, nil
	}
	return &stepper{store, routing.New(), 0}, true, nil
}

// run steps record by record; around sees each event before and its actions
// after it, and ends the run by returning errEnough.
func (s *stepper) run(ctx context.Context, prepare func(journal.Record, routing.Event), done func(journal.Record, routing.Event, []routing.Action) error) error {
	err := s.store.Read(ctx, s.seq+1, func(r journal.Record) error {
		if r.Seq != s.seq+1 {
			return fmt.Errorf("explain: record %d is followed by %d: records are missing", s.seq, r.Seq)
		}
		ev, err := journal.Decode(r.Kind, r.Event, plan.Load)
		if err != nil {
			return fmt.Errorf("explain: record %d: %w", r.Seq, err)
		}
		if prepare != nil {
			prepare(r, ev)
		}
		actions := s.engine.Step(r.At, ev)
		s.seq = r.Seq
		return done(r, ev, actions)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// mentions tells whether JSON names the contact; ids are not escaped in JSON.
func mentions(data []byte, id contact.ID) bool {
	return bytes.Contains(data, []byte(`"`+string(id)+`"`))
}
