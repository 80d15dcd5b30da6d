package live

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// sampleEvery is the least time between two samples of the gauges.
const sampleEvery = time.Second

// restore sets the engine to the newest snapshot that can be used. With none,
// the engine stays new and the journal must begin at its first record.
func (d *Driver) restore(ctx context.Context) error {
	list, err := d.o.Store.Snapshots(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for i := len(list) - 1; i >= 0; i-- {
		s, err := d.o.Store.Snapshot(ctx, list[i].Seq)
		if err == nil {
			err = d.use(s)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		d.o.Log.Error().Err(err).Uint64("seq", list[i].Seq).Msg("a snapshot cannot be used: an older one is tried")
		problems = append(problems, fmt.Errorf("snapshot %d: %w", list[i].Seq, err))
	}
	bounds, err := d.o.Store.Bounds(ctx)
	if err != nil {
		return err
	}
	if bounds.First > 1 {
		return fmt.Errorf("live: the journal begins at record %d and no snapshot can be used: %w", bounds.First, errors.Join(problems...))
	}
	return nil
}

// use sets the engine to a snapshot.
func (d *Driver) use(s journal.Snapshot) error {
	e, p, source, err := journal.Restore(s, d.o.Compile)
	if err != nil {
		return err
	}
	d.engine, d.seq, d.lastAt, d.chain = e, s.Seq, s.At, s.Chain
	d.recovered.Snapshot = s.Seq
	if p != nil {
		d.inForce(routing.PlanPublished{Version: p.Version, Source: source, Plan: p})
	}
	return nil
}

// compare checks a record against the one before it and against the state its
// writer had. A difference does not keep routing from starting: it is what an
// upgraded engine may give, and replay says more about it.
func (d *Driver) compare(rec journal.Record) {
	differs := ""
	if len(rec.Hash) > 0 {
		if h := d.engine.Hash(); bytes.Equal(h[:], rec.Hash) {
			d.recovered.Hashes++
		} else {
			differs = "the state before this record differs from the journalled one"
		}
	}
	if !bytes.Equal(rec.Chain, journal.Link(d.chain, rec)) {
		differs = "this record is not the one that was written"
	}
	if differs != "" && d.recovered.Differs == 0 {
		d.recovered.Differs = rec.Seq
		d.o.Log.Error().Uint64("seq", rec.Seq).Msg(differs + ": run replay to find out more")
	}
}

// quiet does what may wait until a batch is on its way to the journal, so that
// its cost delays nobody who waits for an action.
func (d *Driver) quiet() {
	if d.sinceHash >= d.o.HashEvery {
		d.sinceHash = 0
		h := d.engine.Hash()
		d.nextHash = h[:]
	}
	if d.sinceSnap >= d.o.SnapshotEvery {
		d.snapshot()
	}
	now := d.o.Now()
	if d.dirty && now.Sub(d.lastSample) >= sampleEvery {
		d.lastSample, d.dirty = now, false
		d.metrics.sample(d.engine.Counts())
	}
	if d.sinceAudit > 0 && d.o.AuditEvery > 0 && now.Sub(d.lastAudit) >= d.o.AuditEvery && d.auditing.CompareAndSwap(false, true) {
		d.lastAudit, d.sinceAudit = now, 0
		d.audit(d.engine.Clone(), d.seq)
	}
}

// audit checks a copy of the engine in the background.
func (d *Driver) audit(twin *routing.Engine, seq uint64) {
	d.auditGroup.Add(1)
	go func() {
		defer d.auditGroup.Done()
		defer d.auditing.Store(false)
		broken := twin.Check()
		d.metrics.audits.Inc()
		d.metrics.violations.Add(float64(len(broken)))
		for _, text := range broken {
			d.o.Log.Error().Uint64("seq", seq).Str("invariant", text).Msg("the auditor found a broken invariant")
		}
	}()
}

// snapshot hands the state to the outlet, which saves it once the journal has
// every record it covers.
func (d *Driver) snapshot() {
	if d.seq == 0 {
		return
	}
	d.sinceSnap = 0
	state, err := d.engine.Snapshot()
	if err != nil {
		d.metrics.snapshotErrors.Inc()
		d.o.Log.Error().Err(err).Msg("the routing state could not be written as a snapshot")
		return
	}
	hash := sha256.Sum256(state) // as Engine.Hash is defined
	d.out.offerSnapshot(journal.Snapshot{Seq: d.seq, At: d.lastAt, Hash: hash[:], Chain: d.chain, State: state})
}
