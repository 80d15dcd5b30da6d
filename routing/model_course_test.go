package routing_test

import (
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// wake is when something next happens to a waiting contact by its age alone.
func (m *model) wake(c *item) contact.Instant {
	var all []contact.Instant
	home := m.queue(c.home)
	for i, o := range home.Overflow {
		if i >= c.moves {
			all = append(all, c.arrival.Add(o.After))
		}
	}
	for i, s := range m.queue(c.queue).Relax {
		if i >= c.step {
			all = append(all, c.arrival.Add(s.After))
		}
	}
	if c.held {
		all = append(all, c.queued.Add(home.Preferred.Wait))
	}
	if c.sayAt != 0 {
		all = append(all, c.sayAt)
	}
	if len(all) == 0 {
		return 0
	}
	return slices.Min(all)
}

// again looks at a waiting contact whose time has come.
func (m *model) again(c *item) {
	due := c.sayAt != 0 && c.sayAt <= m.now
	m.moveOn(c)
	c.fresh = true
	if due && c.sayAt != 0 {
		m.announce(c)
	}
}

// moveOn puts a contact where its age puts it and says so when it is elsewhere.
func (m *model) moveOn(c *item) {
	was := c.queue
	m.mature(c)
	m.stand(c)
	if c.queue != was {
		m.queuedAction(c)
	}
}

func (m *model) from(c *item) routing.QueueID {
	if c.queue == c.home {
		return ""
	}
	return c.home
}

// tellSpent alerts of contacts that wait with no step left.
func (m *model) tellSpent() {
	var all []*item
	for _, c := range m.contacts {
		if c.phase != "" || c.spent {
			continue
		}
		if steps := len(m.queue(c.home).Overflow) + len(m.queue(c.queue).Relax); steps > 0 && c.moves+c.step == steps {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *item) int { return strings.Compare(string(a.id), string(b.id)) })
	for _, c := range all {
		c.spent = true
		m.say(routing.Alert{
			Code: "waits_for_anyone_able", Contact: c.id, Queue: c.queue,
			Text: "This contact has taken the last step of its queue and still waits: for anyone able.",
		})
	}
}

func preferred(c *item) routing.AgentID { return routing.AgentID(c.facts.Preferred) }

// heeds tells whether the queue the rule chose looks at preferences.
func (m *model) heeds(c *item) bool {
	q := m.queue(c.home)
	return q != nil && q.Preferred != nil && c.facts.Preferred != ""
}

// around tells whether a person will be available on the channel by themselves.
func (m *model) around(p *person, ch contact.Channel) bool {
	return p != nil && p.on && p.ready && p.present && (ch != contact.Phone || p.device)
}

// keeps tells whether a contact is to wait for its preferred handler.
func (m *model) keeps(c *item) bool {
	if !m.heeds(c) {
		return false
	}
	p := m.people[preferred(c)]
	if !m.around(p, c.channel) || c.refused[p.id] {
		return false
	}
	_, able := m.fit(p, c.channel, c.needs)
	return able
}

// waited tells whether the wait for the preferred handler is over.
func (m *model) waited(c *item) bool {
	policy := m.queue(c.home).Preferred
	return policy == nil || m.now.Sub(c.queued) >= policy.Wait
}

// preference puts the preferred handler before others.
func (m *model) preference(c *item, a, b routing.Candidate) int {
	switch {
	case !m.heeds(c) || a.Agent == b.Agent:
	case a.Agent == preferred(c):
		return -1
	case b.Agent == preferred(c):
		return 1
	}
	return 0
}

func (m *model) explain(c *item, to *person, why *routing.Why) {
	why.KeptFrom = c.keptFrom
	why.Step, why.From, why.Surges = c.stepName, m.from(c), m.surgesOn()
	if !m.heeds(c) {
		return
	}
	why.Preferred = preferred(c)
	p := m.people[why.Preferred]
	switch {
	case to == p:
		why.Preference = "met"
	case c.refused[why.Preferred]:
		why.Preference = "refused"
	case p != nil && m.capacity(p, c.channel) == 0:
		why.Preference = "skill_missing"
	case !m.around(p, c.channel):
		why.Preference = "out_of_reach"
	default:
		why.Preference = "wait_ran_out"
		if _, able := m.fit(p, c.channel, c.needs); !able {
			why.Preference = "skill_missing"
		}
	}
}
