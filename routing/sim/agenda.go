package sim

import "example.org/c3i/contact"

// what says what happens in the modelled world.
type what uint8

const (
	patienceEnds what = iota
	offerAnswered
	callConnects
	talkEnds
	wrapUpEnds
	workEnds
)

// happening is something to come. Those at the same instant happen in the order
// they were put down.
type happening struct {
	at    contact.Instant
	order uint32
	visit int32
	stamp uint32
	what  what
}

func (h happening) before(o happening) bool {
	if h.at != o.at {
		return h.at < o.at
	}
	return h.order < o.order
}

// agenda is a heap of what is to come, four children to a node: shallower than
// two, and a node's children share a cache line or two.
type agenda struct {
	heap  []happening
	order uint32
}

func (a *agenda) put(h happening) {
	a.order++
	h.order = a.order
	s := append(a.heap, h)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !h.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = h
	a.heap = s
}

func (a *agenda) take() happening {
	s := a.heap
	first, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	a.heap = s
	if len(s) == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(s) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(s)); c++ {
			if s[c].before(s[least]) {
				least = c
			}
		}
		if !s[least].before(last) {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = last
	return first
}
