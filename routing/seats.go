package routing

// seats numbers the contacts that are here and keeps, by number, where each stands
// in the heaps. A heap writes that of every contact it moves: kept close together
// it stays in the processor's caches, where contacts themselves, all over memory,
// do not. That is most of what an event costs when very many wait.
type seats struct {
	// place is the position in the line's heap and timer that in the timer heap,
	// -1 outside.
	place, timer []int32
	// spare are contacts that left, to be used for others: their seat is theirs.
	spare []*inquiry
	// gone left in this step, whose lists may still name them.
	gone []*inquiry
}

// unseated is the seat of a contact that is only thought of.
const unseated = -1

// block is how many contacts are allocated at once.
const block = 64

// next is an empty contact with a seat.
func (s *seats) next() *inquiry {
	if len(s.spare) == 0 {
		made := make([]inquiry, block)
		for i := range made {
			made[i] = inquiry{seat: int32(len(s.place)), heldAt: -1}
			s.place, s.timer = append(s.place, -1), append(s.timer, -1)
		}
		// The lowest seat is taken first.
		for i := range made {
			s.spare = append(s.spare, &made[block-1-i])
		}
	}
	last := len(s.spare) - 1
	c := s.spare[last]
	s.spare[last] = nil
	s.spare = s.spare[:last]
	return c
}

// free has the contact's seat given away after this step.
func (s *seats) free(c *inquiry) { s.gone = append(s.gone, c) }

// settle empties the seats of those who are gone. Nothing may point to them.
func (s *seats) settle() {
	for i, c := range s.gone {
		*c = inquiry{seat: c.seat, heldAt: -1}
		s.spare = append(s.spare, c)
		s.gone[i] = nil
	}
	s.gone = s.gone[:0]
}

// waits tells whether the contact stands in its line.
func (s *seats) waits(c *inquiry) bool { return c.seat != unseated && s.place[c.seat] >= 0 }
