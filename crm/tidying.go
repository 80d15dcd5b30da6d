package crm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
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

// later puts an arrival on the trail and brings the contact's timelines up to
// date. What fails is made good by Run.
func (s *Store) later(ctx context.Context, id contact.ID) {
	e := aboutContact(audit.Collect, id)
	e.ID, e.At, e.Actor, e.Outcome = s.ids.New(), contact.At(s.now()), actor(ctx), "ok"
	s.tidying.once.Do(func() { s.tidying.slots = make(chan struct{}, tidyingAtOnce) })
	s.tidying.under.Add(1)
	go func() {
		defer s.tidying.under.Add(-1)
		s.tidying.slots <- struct{}{}
		defer func() { <-s.tidying.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyingLimit)
		defer cancel()
		if s.trail != nil {
			if err := s.trail.Append(ctx, e); err != nil {
				s.backlog.owe(owed{Kind: "contact", ID: string(id), At: e.At, Entry: &e})
				return
			}
		}
		if err := s.refresh(ctx, id); err != nil {
			s.backlog.owe(owed{Kind: "contact", ID: string(id), At: e.At})
		}
	}()
}
