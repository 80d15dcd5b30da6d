package live

import (
	"sync"
	"time"

	"example.org/c3i/routing"
)

// item is one thing for the owner to do: step an event, or run a view.
type item struct {
	event     routing.Event
	prepared  *prepared // for a PlanPublished
	view      func(*routing.Engine)
	done      chan result // nil when nobody waits; else has room for one
	submitted time.Time
}

type result struct {
	actions []routing.Action
	err     error
}

func (it item) reply(r result) {
	if it.done != nil {
		it.done <- r
	}
}

// inbox is an unbounded queue: accepting an event never waits. What bounds it is
// that the engine is faster than any site by some orders of magnitude.
type inbox struct {
	mu     sync.Mutex
	items  []item
	closed bool
	wake   chan struct{}
}

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) put(it item) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.items = append(b.items, it)
	b.mu.Unlock()
	b.signal()
	return true
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns all there is, and whether anything more can come.
func (b *inbox) take() (items []item, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	items, b.items = b.items, nil
	return items, b.closed
}

func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.signal()
}
