package routing

import (
	"slices"

	"example.org/c3i/contact"
)

// idleSet holds available handlers in order of idle since, then id. Most come in
// at the end and leave from the front.
type idleSet []idleEntry

type idleEntry struct {
	since contact.Instant
	h     *handler
}

func (a idleEntry) compare(b idleEntry) int {
	switch {
	case a.since < b.since:
		return -1
	case a.since > b.since:
		return 1
	case a.h.id < b.h.id:
		return -1
	case a.h.id > b.h.id:
		return 1
	}
	return 0
}

func (s *idleSet) add(e idleEntry) {
	i, _ := slices.BinarySearchFunc(*s, e, idleEntry.compare)
	*s = slices.Insert(*s, i, e)
}

func (s *idleSet) remove(e idleEntry) {
	if i, found := slices.BinarySearchFunc(*s, e, idleEntry.compare); found {
		*s = slices.Delete(*s, i, i+1)
	}
}

// first is the longest idle who has not refused the contact.
func (s idleSet) first(c *inquiry) (idleEntry, bool) {
	for _, e := range s {
		if len(c.refusers) == 0 || !c.refusedBy(e.h.id) {
			return e, true
		}
	}
	return idleEntry{}, false
}
