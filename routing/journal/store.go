package journal

import (
	"context"
	"errors"
	"fmt"
)

// ErrFenced says that another writer has taken the journal. It is final for the
// writer that gets it.
var ErrFenced = errors.New("journal: another process has taken over this journal")

// GapError says that an append does not continue the journal: the store's last
// record is Last. A store that lost records (a restored backup) gives it; the
// writer appends again from Last + 1 if it still has the records, else it saves
// a snapshot and goes on from there, which leaves a hole in the history.
type GapError struct{ Last uint64 }

// Error tells where the store stands.
func (e *GapError) Error() string {
	return fmt.Sprintf("journal: the append does not continue the journal, whose last record is %d", e.Last)
}

// Bounds tells which records a store holds: First to Last. An empty journal has
// both 0.
type Bounds struct{ First, Last uint64 }

// Store is a journal.
type Store interface {
	// Open takes the journal over: every earlier writer is fenced off for good
	// before Open returns.
	Open(ctx context.Context) (Writer, error)
	// Bounds tells which records there are.
	Bounds(ctx context.Context) (Bounds, error)
	// Read calls fn for each record from seq on, in order, until the end or an
	// error, which it returns. Records appended meanwhile may or may not be read.
	Read(ctx context.Context, from uint64, fn func(Record) error) error
	// Snapshots lists the snapshots kept, oldest first, without their State.
	Snapshots(ctx context.Context) ([]Snapshot, error)
	// Snapshot gets one snapshot by its Seq.
	Snapshot(ctx context.Context, seq uint64) (Snapshot, error)
}

// Writer appends to a journal. It is safe for use by one goroutine at a time;
// SaveSnapshot may run beside Append.
type Writer interface {
	// Epoch is the fencing token, higher than any before it.
	Epoch() uint64
	// Last is the journal's last record when it was opened, 0 if none.
	Last() uint64
	// Append adds records, which must follow one another by Seq and continue the
	// journal or a kept snapshot, and returns once the store has acknowledged all
	// of them. Records already there are skipped,
	// so repeating an append whose answer was lost is harmless. Errors are
	// ErrFenced, *GapError (nothing was added) or the store's own, after which
	// the records may or may not have been added.
	Append(ctx context.Context, records []Record) error
	// SaveSnapshot keeps a snapshot, and lets go of the oldest snapshots and of
	// records nothing needs any more, as the store is set up to. ErrFenced as
	// for Append.
	SaveSnapshot(ctx context.Context, s Snapshot) error
}

// Latest returns the newest snapshot, or false when there is none.
func Latest(ctx context.Context, s Store) (Snapshot, bool, error) {
	list, err := s.Snapshots(ctx)
	if err != nil || len(list) == 0 {
		return Snapshot{}, false, err
	}
	snap, err := s.Snapshot(ctx, list[len(list)-1].Seq)
	return snap, err == nil, err
}

// Retention says how much history a store keeps beyond what recovery needs.
type Retention struct {
	// Snapshots kept, at least 2; 8 when zero.
	Snapshots int
	// Records kept at least; 1,000,000 when zero, about a day at 63,000 contacts
	// and some 400 MB. Records after the oldest kept snapshot are kept as well.
	Records uint64
}

func (r Retention) filled() Retention {
	if r.Snapshots == 0 {
		r.Snapshots = 8
	}
	r.Snapshots = max(2, r.Snapshots)
	if r.Records == 0 {
		r.Records = 1_000_000
	}
	return r
}

func continuous(records []Record) error {
	for i := 1; i < len(records); i++ {
		if records[i].Seq != records[i-1].Seq+1 {
			return fmt.Errorf("journal: record %d follows %d", records[i].Seq, records[i-1].Seq)
		}
	}
	if len(records) > 0 && records[0].Seq == 0 {
		return errors.New("journal: records count from 1")
	}
	return nil
}
