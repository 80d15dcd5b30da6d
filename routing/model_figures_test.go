package routing_test

import (
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

func (m *model) input(c *item) routing.RuleInput {
	return routing.RuleInput{Channel: c.channel, Facts: c.facts, Figures: func(id routing.QueueID) routing.QueueFigures { return m.figures(id, c.channel) }}
}

// handled takes a finished contact into its queue's mean handling time.
func (m *model) handled(c *item) {
	if m.queue(c.queue) == nil {
		return
	}
	if m.handle[c.queue] == nil {
		m.handle[c.queue] = map[contact.Channel]contact.Duration{}
	}
	took := max(m.now.Sub(c.answered), 1)
	if mean, some := m.handle[c.queue][c.channel]; some {
		took = mean + (took-mean)/8
	}
	m.handle[c.queue][c.channel] = took
}

func (m *model) waitingIn(id routing.QueueID) int {
	n := 0
	for _, c := range m.contacts {
		if c.phase == "" && c.queue == id {
			n++
		}
	}
	return n
}

func (m *model) figuresNow(id routing.QueueID, ch contact.Channel) (f routing.QueueFigures) {
	q := m.queue(id)
	if q == nil {
		return f
	}
	f.Waiting = m.waitingIn(id)
	free := false
	for _, p := range m.people {
		if _, able := m.fit(p, ch, q.Needs); !able || !m.around(p, ch) {
			continue
		}
		f.Staffed++
		free = free || m.gate(p, &item{channel: ch, needs: q.Needs}) == ""
	}
	if !free || f.Waiting > 0 {
		f.EstimatedWait = m.estimate(id, ch, f.Waiting+1, f.Staffed)
	}
	return f
}

func (m *model) estimate(id routing.QueueID, ch contact.Channel, position, staffed int) contact.Duration {
	if staffed == 0 {
		return 24 * contact.Hour
	}
	mean, some := m.handle[id][ch]
	if !some {
		mean = 5 * minute
	}
	return min(24*contact.Hour, contact.Duration(position)*mean/contact.Duration(staffed))
}

func (m *model) figuresKept() func(routing.QueueID, contact.Channel) routing.QueueFigures {
	type key struct {
		id routing.QueueID
		ch contact.Channel
	}
	kept := map[key]routing.QueueFigures{}
	if m.plan != nil {
		for _, q := range m.plan.Queues {
			for _, ch := range contact.Channels() {
				kept[key{q.ID, ch}] = m.figuresNow(q.ID, ch)
			}
		}
	}
	return func(id routing.QueueID, ch contact.Channel) routing.QueueFigures { return kept[key{id, ch}] }
}

// announce tells a waiting caller position and wait.
func (m *model) announce(c *item) {
	position := 1
	for _, o := range m.contacts {
		if o.phase == "" && o.queue == c.queue && o.channel == contact.Phone && goesBefore(o, c) {
			position++
		}
	}
	position = min(position, 200)
	f := m.figuresNow(c.queue, contact.Phone)
	wait := m.estimate(c.queue, contact.Phone, position, f.Staffed)
	unknown := wait == 24*contact.Hour
	if over := wait % minute; over > 0 {
		wait += minute - over
	}
	longer := position == 200
	callback := m.offersBack(c, m.estimate(c.queue, contact.Phone, position, f.Staffed))
	if c.told > 0 && position > c.told {
		position = c.told
	}
	if unknown || c.toldWait > 0 && wait > c.toldWait {
		wait, longer = c.toldWait, true
	}
	c.told, c.toldWait = position, wait
	m.say(routing.Announce{Contact: c.id, Queue: c.queue, Position: position, Wait: wait, Longer: longer, Callback: callback})
}

func goesBefore(a, b *item) bool {
	switch {
	case a.class != b.class:
		return a.class < b.class
	case a.due != b.due:
		return a.due < b.due
	case a.arrival != b.arrival:
		return a.arrival < b.arrival
	}
	return a.id < b.id
}
