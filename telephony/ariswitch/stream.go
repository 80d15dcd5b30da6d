package ariswitch

import (
	"sync"

	"example.org/c3i/telephony"
)

// stream is an unbounded queue between the socket's reader, which must never
// wait, and whoever reads Events.
type stream struct {
	mu     sync.Mutex
	queue  []telephony.Event
	closed bool
	ready  chan struct{} // capacity 1
	out    chan telephony.Event
	quit   chan struct{}
}

func newStream() *stream {
	return &stream{ready: make(chan struct{}, 1), out: make(chan telephony.Event, 64), quit: make(chan struct{})}
}

func (s *stream) put(ev telephony.Event) {
	s.mu.Lock()
	if !s.closed {
		s.queue = append(s.queue, ev)
	}
	s.mu.Unlock()
	s.poke()
}

// end lets what is queued be read and then closes the stream.
func (s *stream) end() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.poke()
}

func (s *stream) poke() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// depth is how many events wait to be read.
func (s *stream) depth() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) + len(s.out)
}

// run moves events to the reader until end or quit.
func (s *stream) run() {
	defer close(s.out)
	for {
		s.mu.Lock()
		batch, closed := s.queue, s.closed
		s.queue = nil
		s.mu.Unlock()
		for _, ev := range batch {
			select {
			case s.out <- ev:
			case <-s.quit:
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		if closed {
			return
		}
		select {
		case <-s.ready:
		case <-s.quit:
			return
		}
	}
}
