package crm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.org/c3i/contact"
)

// tidying puts contacts on their timelines behind the caller's back: a few at a
// time, so that a burst of arrivals does not open a connection each.
type tidying struct {
	once  sync.Once
	slots chan struct{}
	under atomic.Int64
}

const (
	tidyingAtOnce = 4
	tidyingLimit  = 5 * time.Second
)

// later brings a contact's timelines up to date. What fails is made good by the
// contact's next change, which writes the same copies.
func (s *Store) later(id contact.ID) {
	s.tidying.once.Do(func() { s.tidying.slots = make(chan struct{}, tidyingAtOnce) })
	s.tidying.under.Add(1)
	go func() {
		defer s.tidying.under.Add(-1)
		s.tidying.slots <- struct{}{}
		defer func() { <-s.tidying.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), tidyingLimit)
		defer cancel()
		_ = s.refresh(ctx, id)
	}()
}
