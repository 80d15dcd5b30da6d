// Package replay steps a journal again and compares what comes out with what
// was journalled: the proof that routing's decisions follow from its events
// alone, and the way to find the record where they did not.
package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// Options say how to replay.
type Options struct {
	// Compile compiles a plan's source; plan.Load when nil.
	Compile journal.Compile
	// Snapshot begins after the snapshot with that Seq. Zero begins at the first
	// record, or when the journal no longer has it at the oldest snapshot.
	Snapshot uint64
	// Until stops after that record; zero goes to the end.
	Until uint64
	// CheckEvery n events the auditor looks at the engine; never when zero.
	CheckEvery int
	// Now reads the clock, for the speed only; time.Now when nil.
	Now func() time.Time
}

// Problem is the first thing that did not match.
type Problem struct {
	// Code is "altered" (the record is not the one written), "missing" (records
	// are not there), "state" (the state differs from the journalled hash),
	// "snapshot" (it differs from a snapshot), "unreadable", "time" (instants go
	// back) or "invariant".
	Code string `json:"code"`
	// After and Seq bound where it happened: after record After, at or before
	// record Seq. For all codes but "state", "snapshot" and "invariant", After is
	// Seq−1: it is that very record.
	After uint64 `json:"after"`
	Seq   uint64 `json:"seq"`
	// Text says it in words.
	Text string `json:"text"`
}

// Report is what a replay found.
type Report struct {
	// Snapshot is where it began, 0 at the very first record.
	Snapshot uint64 `json:"snapshot"`
	// First and Last are the records stepped, both 0 if none.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Events counts the records stepped, Hashes the state hashes compared,
	// journalled ones and those of snapshots.
	Events int `json:"events"`
	Hashes int `json:"hashes"`
	// Proved is the last record up to which a hash matched.
	Proved uint64 `json:"proved"`
	// Kinds counts events by kind, Actions actions by kind.
	Kinds   map[string]int `json:"kinds"`
	Actions map[string]int `json:"actions"`
	// Hash is the state's at the end.
	Hash [32]byte `json:"-"`
	// Problem is the first thing that did not match; nil when all did. Nothing is
	// stepped after it.
	Problem *Problem      `json:"problem,omitempty"`
	Took    time.Duration `json:"took"`
}

// PerSecond is the speed in events.
func (r Report) PerSecond() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Events) / r.Took.Seconds()
}

// String says it in a few lines for people.
func (r Report) String() string {
	from := "the first record"
	if r.Snapshot > 0 {
		from = fmt.Sprintf("snapshot %d", r.Snapshot)
	}
	text := fmt.Sprintf("replayed %d events from %s to record %d in %s (%.0f a second)\n%d state hashes compared, equal up to record %d\n",
		r.Events, from, r.Last, r.Took.Round(time.Millisecond), r.PerSecond(), r.Hashes, r.Proved)
	if r.Problem != nil {
		return text + "DIFFERENT: " + r.Problem.Text + "\n"
	}
	return text + "the journal gives the same state\n"
}

// ErrNoSnapshot says that the journal's beginning is gone and no snapshot tells
// the state to begin from.
var ErrNoSnapshot = errors.New("replay: the journal's first records are gone and no snapshot is kept")

// errFound ends reading once a Problem is found.
var errFound = errors.New("replay: problem found")

type replayer struct {
	o         Options
	r         *Report
	engine    *routing.Engine
	chain     []byte
	at        contact.Instant
	snapshots map[uint64]journal.Snapshot
}

// Replay steps the journal again. The error tells that it could not be read;
// that it reads but does not match is the Report's Problem.
func Replay(ctx context.Context, store journal.Store, o Options) (Report, error) {
	if o.Compile == nil {
		o.Compile = plan.Load
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := Report{Kinds: map[string]int{}, Actions: map[string]int{}}
	p := &replayer{o: o, r: &r, engine: routing.New(), snapshots: map[uint64]journal.Snapshot{}}
	if err := p.begin(ctx, store); err != nil {
		return r, err
	}
	began := o.Now()
	err := store.Read(ctx, r.Snapshot+1, p.step)
	r.Took = o.Now().Sub(began)
	r.Hash = p.engine.Hash()
	if errors.Is(err, errFound) {
		err = nil
	}
	return r, err
}

// begin finds where to begin.
func (p *replayer) begin(ctx context.Context, store journal.Store) error {
	list, err := store.Snapshots(ctx)
	if err != nil {
		return err
	}
	bounds, err := store.Bounds(ctx)
	if err != nil {
		return err
	}
	seq := p.o.Snapshot
	if seq == 0 && bounds.First > 1 {
		if len(list) == 0 {
			return ErrNoSnapshot
		}
		seq = list[0].Seq
	}
	for _, s := range list {
		if s.Seq < seq {
			continue
		}
		if s, err = store.Snapshot(ctx, s.Seq); err != nil {
			return err
		}
		if s.Seq > seq {
			s.State = nil
			p.snapshots[s.Seq] = s
			continue
		}
		if p.engine, _, _, err = journal.Restore(s, p.o.Compile); err != nil {
			return fmt.Errorf("replay: snapshot %d: %w", s.Seq, err)
		}
		p.r.Snapshot, p.r.Proved, p.r.Last, p.chain, p.at = s.Seq, s.Seq, s.Seq, s.Chain, s.At
	}
	if p.r.Snapshot != seq {
		return fmt.Errorf("replay: there is no snapshot %d", seq)
	}
	return nil
}

func (p *replayer) found(code string, after, seq uint64, format string, args ...any) error {
	p.r.Problem = &Problem{Code: code, After: after, Seq: seq, Text: fmt.Sprintf(format, args...)}
	return errFound
}

func (p *replayer) step(rec journal.Record) error {
	r := p.r
	if p.o.Until > 0 && rec.Seq > p.o.Until {
		return errFound
	}
	if rec.Seq != r.Last+1 {
		return p.found("missing", r.Last, rec.Seq, "record %d is followed by %d: records are missing", r.Last, rec.Seq)
	}
	if !bytes.Equal(rec.Chain, journal.Link(p.chain, rec)) {
		return p.found("altered", r.Last, rec.Seq, "record %d (%s) is not the one that was written", rec.Seq, rec.Kind)
	}
	if rec.At < p.at {
		return p.found("time", r.Last, rec.Seq, "record %d is earlier than the one before it: %s after %s", rec.Seq, rec.At, p.at)
	}
	if err := p.compare(rec.Hash, "state", rec.Seq-1); err != nil {
		return err
	}
	ev, err := journal.Decode(rec.Kind, rec.Event, p.o.Compile)
	if err != nil {
		return p.found("unreadable", r.Last, rec.Seq, "record %d: %v", rec.Seq, err)
	}
	for _, a := range p.engine.Step(rec.At, ev) {
		r.Actions[a.ActionKind()]++
	}
	if r.First == 0 {
		r.First = rec.Seq
	}
	r.Last, p.chain, p.at = rec.Seq, rec.Chain, rec.At
	r.Events++
	r.Kinds[rec.Kind]++
	if s, is := p.snapshots[rec.Seq]; is {
		if err := p.compare(s.Hash, "snapshot", rec.Seq); err != nil {
			return err
		}
	}
	if p.o.CheckEvery > 0 && r.Events%p.o.CheckEvery == 0 {
		if broken := p.engine.Check(); len(broken) > 0 {
			return p.found("invariant", rec.Seq-uint64(min(p.o.CheckEvery, r.Events)), rec.Seq, "after record %d: %s", rec.Seq, broken[0])
		}
	}
	return nil
}

// compare checks the state after record seq against a hash.
func (p *replayer) compare(want []byte, code string, seq uint64) error {
	if len(want) == 0 {
		return nil
	}
	p.r.Hashes++
	got := p.engine.Hash()
	if len(want) == sha256.Size && bytes.Equal(got[:], want) {
		p.r.Proved = seq
		return nil
	}
	return p.found(code, p.r.Proved, seq, "the state after record %d differs from the journalled one: the cause is between record %d and %d",
		seq, p.r.Proved+1, seq)
}
