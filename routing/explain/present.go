package explain

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// State is the engine as the journal leaves it.
type State struct {
	Engine *routing.Engine
	// Seq and At are of the last record; both 0 with an empty journal.
	Seq uint64
	At  contact.Instant
}

// Present steps the journal to its end. The engine is the caller's: it is in the
// state that a running process has, or would have once it has started.
func Present(ctx context.Context, store journal.Store) (State, error) {
	b, err := store.Bounds(ctx)
	if err != nil {
		return State{}, err
	}
	s, ok, err := before(ctx, store, b, b.Last+1)
	if err != nil {
		return State{}, err
	}
	if !ok {
		return State{}, &TooOldError{Seq: b.Last}
	}
	out := State{Engine: s.engine, Seq: s.seq}
	if list, err := store.Snapshots(ctx); err != nil {
		return State{}, err
	} else if len(list) > 0 {
		out.At = list[len(list)-1].At
	}
	err = s.run(ctx, nil, func(r journal.Record, _ routing.Event, _ []routing.Action) error {
		out.At = r.At
		return nil
	})
	out.Seq = s.seq
	return out, err
}
