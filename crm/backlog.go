package crm

import (
	"context"
	"sync"
	"time"

	"example.org/c3i/contact"
)

// BacklogLimit bounds the arrivals kept in memory while Redis is away: an hour
// of a surge at seven a second.
const BacklogLimit = 25_000

// backlog keeps arrivals that could not be recorded, so that a call taken while
// Redis was away still has its record when it returns.
type backlog struct {
	mu   sync.Mutex
	list []Arrival
	owed []owed
	wake chan struct{}
}

func (b *backlog) add(a Arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) >= BacklogLimit {
		b.list = b.list[1:]
	}
	b.list = append(b.list, a)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// owe keeps what an arrival still owes until Redis takes the note of it.
func (b *backlog) owe(o owed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.owed) < BacklogLimit {
		b.owed = append(b.owed, o)
	}
}

func (b *backlog) takeOwed() []owed {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.owed
	b.owed = nil
	return out
}

func (b *backlog) take() (Arrival, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) == 0 {
		return Arrival{}, false
	}
	a := b.list[0]
	b.list = b.list[1:]
	return a, true
}

func (b *backlog) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list)
}

// Backlog tells how many arrivals wait to be recorded, or to be put on their
// timelines.
func (s *Store) Backlog() int { return s.backlog.size() + int(s.tidying.under.Load()) }

// Run records arrivals that Identify could not, as soon as Redis takes them, and
// pays what writes still owe: copies, the search index, the trail. It returns when
// ctx ends.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(owedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.settle(ctx, owedAge) // what fails stays noted
			continue
		case <-s.backlog.wake:
		}
		for a, ok := s.backlog.take(); ok; a, ok = s.backlog.take() {
			if _, err := s.identify(ctx, a); err == nil {
				continue
			}
			s.backlog.add(a)
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}
}

// settle notes what arrivals owe and pays every note older than age.
func (s *Store) settle(ctx context.Context, age contact.Duration) error {
	for _, o := range s.backlog.takeOwed() {
		if err := s.note(ctx, s.ids.New(), o); err != nil {
			s.backlog.owe(o)
		}
	}
	_, err := s.collect(ctx, age)
	return err
}
