package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/c3i/routing/journal"
)

// Recovered tells what Start found in the journal.
type Recovered struct {
	// Epoch is this driver's fencing token.
	Epoch uint64
	// Snapshot is the record the snapshot used was taken after, 0 when none was.
	Snapshot uint64
	// Last is the last record the engine has seen; 0 is a new journal.
	Last uint64
	// Replayed counts the records stepped after the snapshot, Spooled those of
	// them that came from a spool a former process left.
	Replayed, Spooled int
	// Hashes counts the journalled state hashes that were compared, and matched.
	Hashes int
	// Differs is the first record whose hash or chain did not match, 0 if none.
	Differs uint64
	// SetAside names a spool that does not continue this journal, because
	// another process has written since; empty normally.
	SetAside string
	// PlanVersion and PlanSource are of the plan in force, 0 and empty when none
	// was published yet.
	PlanVersion int
	PlanSource  string
	// Took is how long recovery took.
	Took time.Duration
}

// recover brings the engine to the state the journal tells: the newest
// snapshot, the records after it, and the spool a former process left.
func (d *Driver) recover(ctx context.Context, s *spool) error {
	began := d.o.Now()
	w, err := d.o.Store.Open(ctx)
	if err != nil {
		return err
	}
	d.writer = w
	r := &d.recovered
	r.Epoch = w.Epoch()
	if err := d.restore(ctx); err != nil {
		return err
	}
	err = d.o.Store.Read(ctx, d.seq+1, func(rec journal.Record) error {
		r.Replayed++
		return d.restep(rec)
	})
	if err != nil {
		return err
	}
	if err := d.recoverSpool(ctx, s); err != nil {
		return err
	}
	d.clock.startAt(d.lastAt)
	r.Last = d.seq
	if d.plan != nil {
		r.PlanVersion, r.PlanSource = d.plan.Version, d.planSource
	}
	r.Took = d.o.Now().Sub(began)
	return nil
}

func (d *Driver) recoverSpool(ctx context.Context, s *spool) error {
	records, err := s.read()
	var damaged *damagedSpool
	if err != nil && !errors.As(err, &damaged) {
		return err
	}
	if len(records) > 0 && d.lastEpoch == 0 && d.seq > 0 {
		err := d.o.Store.Read(ctx, d.seq, func(rec journal.Record) error {
			d.lastEpoch = rec.Epoch
			return nil
		})
		if err != nil {
			return err
		}
	}
	after := records[:0:0]
	foreign := false
	for _, rec := range records {
		switch {
		case rec.Seq == d.seq+uint64(len(after))+1:
			after = append(after, rec)
		case rec.Seq > d.seq:
			foreign = true
		}
	}
	// Another process wrote under a later epoch after the spool's records were
	// made: the two histories differ, and the journal's is the one in force.
	if len(after) > 0 && d.lastEpoch > after[0].Epoch || len(records) > 0 && len(after) == 0 && d.lastEpoch > records[len(records)-1].Epoch {
		foreign = true
	}
	if foreign || damaged != nil {
		name, errAside := s.setAside(d.writer.Epoch())
		if errAside != nil {
			return errAside
		}
		d.recovered.SetAside = name
		d.o.Log.Error().AnErr("damage", err).Str("file", name).Int("records", len(records)).Msg("a spool does not continue the journal and was set aside")
	}
	if foreign || len(after) == 0 {
		if d.recovered.SetAside == "" {
			return s.reset()
		}
		return nil
	}
	for _, rec := range after {
		if err := d.restep(rec); err != nil {
			return err
		}
	}
	if err := d.writer.Append(ctx, after); err != nil {
		return fmt.Errorf("live: put the spool into the journal: %w", err)
	}
	d.recovered.Replayed += len(after)
	d.recovered.Spooled = len(after)
	return s.reset()
}

// restep steps a journalled record.
func (d *Driver) restep(rec journal.Record) error {
	if rec.Seq != d.seq+1 {
		return fmt.Errorf("live: the journal's record %d is followed by %d: records are missing", d.seq, rec.Seq)
	}
	d.compare(rec)
	ev, err := journal.Decode(rec.Kind, rec.Event, d.o.Compile)
	if err != nil {
		return fmt.Errorf("live: record %d: %w", rec.Seq, err)
	}
	actions := d.engine.Step(rec.At, ev)
	d.seq, d.lastAt, d.lastEpoch, d.chain = rec.Seq, rec.At, rec.Epoch, rec.Chain
	d.adopt(ev, actions)
	return nil
}
