package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Memory is a journal in memory: a stand-in for tests of what uses a journal
// and for simulations. It passes the same contract suite as [Redis], and it
// keeps nothing when the process ends.
type Memory struct {
	retention Retention

	mu        sync.Mutex
	epoch     uint64
	records   []Record
	snapshots []Snapshot
}

// NewMemory returns an empty journal.
func NewMemory(r Retention) *Memory { return &Memory{retention: r.filled()} }

type memoryWriter struct {
	m           *Memory
	epoch, last uint64
}

// Open implements Store.
func (m *Memory) Open(context.Context) (Writer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	return &memoryWriter{m, m.epoch, m.last()}, nil
}

func (m *Memory) last() uint64 {
	if len(m.records) == 0 {
		return 0
	}
	return m.records[len(m.records)-1].Seq
}

func (m *Memory) kept(seq uint64) bool {
	return slices.ContainsFunc(m.snapshots, func(s Snapshot) bool { return s.Seq == seq })
}

// Bounds implements Store.
func (m *Memory) Bounds(context.Context) (Bounds, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.records) == 0 {
		return Bounds{}, nil
	}
	return Bounds{m.records[0].Seq, m.last()}, nil
}

// Read implements Store.
func (m *Memory) Read(ctx context.Context, from uint64, fn func(Record) error) error {
	m.mu.Lock()
	begin, _ := slices.BinarySearchFunc(m.records, from, func(r Record, seq uint64) int { return cmp.Compare(r.Seq, seq) })
	records := slices.Clone(m.records[begin:])
	m.mu.Unlock()
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// Snapshots implements Store.
func (m *Memory) Snapshots(context.Context) ([]Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.snapshots)
	for i := range list {
		list[i].State = nil
	}
	return list, nil
}

// Snapshot implements Store.
func (m *Memory) Snapshot(_ context.Context, seq uint64) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.snapshots {
		if s.Seq == seq {
			return s, nil
		}
	}
	return Snapshot{}, fmt.Errorf("journal: no snapshot %d", seq)
}

func (w *memoryWriter) Epoch() uint64 { return w.epoch }
func (w *memoryWriter) Last() uint64  { return w.last }

func (w *memoryWriter) Append(ctx context.Context, records []Record) error {
	if err := continuous(records); err != nil || len(records) == 0 {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if w.m.epoch > w.epoch {
		return ErrFenced
	}
	if last := w.m.last(); records[0].Seq > last+1 && !w.m.kept(records[0].Seq-1) {
		return &GapError{Last: last}
	}
	for _, r := range records {
		if r.Seq > w.m.last() {
			r.Epoch = w.epoch
			r.Event, r.Hash, r.Chain = slices.Clone(r.Event), slices.Clone(r.Hash), slices.Clone(r.Chain)
			w.m.records = append(w.m.records, r)
		}
	}
	return nil
}

func (w *memoryWriter) SaveSnapshot(ctx context.Context, s Snapshot) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := w.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch > w.epoch {
		return ErrFenced
	}
	s.Hash, s.State = slices.Clone(s.Hash), slices.Clone(s.State)
	m.snapshots = slices.DeleteFunc(m.snapshots, func(o Snapshot) bool { return o.Seq == s.Seq })
	m.snapshots = append(m.snapshots, s)
	slices.SortFunc(m.snapshots, func(a, b Snapshot) int { return cmp.Compare(a.Seq, b.Seq) })
	if drop := len(m.snapshots) - m.retention.Snapshots; drop > 0 {
		m.snapshots = slices.Clone(m.snapshots[drop:])
	}
	keep := keepFrom(m.snapshots[0].Seq, m.last(), m.retention.Records)
	m.records = slices.DeleteFunc(slices.Clone(m.records), func(r Record) bool { return r.Seq < keep })
	return nil
}

// keepFrom is the first record to keep: those after the oldest snapshot, and the
// last n in any case.
func keepFrom(oldestSnapshot, last, n uint64) uint64 {
	if last < n {
		return 1
	}
	return min(oldestSnapshot+1, last-n+1)
}
