package telephony

import "sync"

// mailbox is one call's inbox: unbounded, in order, one reader. Mail is what
// the call's goroutine must run.
type mailbox struct {
	mu    sync.Mutex
	mail  []func()
	ready chan struct{} // capacity 1: "there may be mail"
	// alarm is called once each time the depth passes limit.
	limit   int
	alarmed bool
	alarm   func(depth int)
}

func newMailbox(limit int, alarm func(int)) *mailbox {
	return &mailbox{ready: make(chan struct{}, 1), limit: limit, alarm: alarm}
}

// put never blocks.
func (m *mailbox) put(f func()) {
	m.mu.Lock()
	m.mail = append(m.mail, f)
	depth := len(m.mail)
	raise := depth > m.limit && !m.alarmed
	if raise {
		m.alarmed = true
	}
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
	if raise && m.alarm != nil {
		m.alarm(depth)
	}
}

// take returns all mail there is, oldest first, nil if none.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.mail
	m.mail = nil
	m.alarmed = false
	return all
}
