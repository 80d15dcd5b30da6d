package live

import (
	"context"
	"sync"

	"example.org/c3i/routing/journal"
)

// saver saves snapshots beside the appends, one at a time.
type saver struct {
	d       *Driver
	group   *sync.WaitGroup
	running bool
	done    chan saved
}

type saved struct {
	seq uint64
	err error
}

func newSaver(d *Driver, group *sync.WaitGroup) *saver {
	return &saver{d: d, group: group, done: make(chan saved, 1)}
}

func (s *saver) busy() bool { return s.running }

func (s *saver) finish() { s.running = false }

// start begins to save, or reports false when one is being saved.
func (s *saver) start(ctx context.Context, snap journal.Snapshot) bool {
	if s.running {
		return false
	}
	s.running = true
	s.group.Add(1)
	go func() {
		defer s.group.Done()
		bounded, cancel := context.WithTimeout(ctx, 10*appendTimeout)
		defer cancel()
		err := s.d.writer.SaveSnapshot(bounded, snap)
		if err != nil {
			s.d.metrics.snapshotErrors.Inc()
			s.d.o.Log.Warn().Err(err).Uint64("seq", snap.Seq).Msg("a snapshot was not saved")
		}
		s.done <- saved{snap.Seq, err}
	}()
	return true
}
