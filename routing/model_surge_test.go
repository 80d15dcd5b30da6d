package routing_test

import (
	"maps"

	"example.org/c3i/routing"
)

func (m *model) surgeNamed(name string) (there, on bool) {
	if m.published != nil {
		for _, s := range m.published.Surges {
			there = there || s.Name == name
		}
	}
	return there, m.surges[name]
}

// surgesOn lists surges that are on in the order of the plan.
func (m *model) surgesOn() (names []string) {
	if m.published != nil {
		for _, s := range m.published.Surges {
			if m.surges[s.Name] {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// laid is the published plan with the surges that are on written into it.
func (m *model) laid() *routing.Plan {
	if m.surges == nil {
		m.surges = map[string]bool{}
	}
	p := *m.published
	p.Queues = nil
	for _, q := range m.published.Queues {
		q.AnswerWithin = maps.Clone(q.AnswerWithin)
		for _, s := range m.published.Surges {
			for _, over := range s.Queues {
				if !m.surges[s.Name] || over.Queue != q.ID {
					continue
				}
				for ch, d := range over.AnswerWithin {
					q.AnswerWithin[ch] = d
				}
				if over.Overflow != nil {
					q.Overflow = over.Overflow
				}
				if over.Announce != nil {
					q.Announce = over.Announce
				}
				if over.Silent {
					q.Announce = nil
				}
			}
		}
		p.Queues = append(p.Queues, q)
	}
	return &p
}
