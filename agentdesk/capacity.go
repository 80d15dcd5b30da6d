package agentdesk

import (
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// capacityLocked works out how much of each channel the handler has in hand.
func (d *desk) capacityLocked() []ChannelCapacity {
	out := []ChannelCapacity{}
	plan := d.s.plan()
	i := slices.IndexFunc(plan.Profiles, func(p routing.Profile) bool { return p.Name == d.state.Me.Profile })
	if i < 0 {
		return out
	}
	for _, ch := range contact.Channels() {
		of := plan.Profiles[i].Capacity[ch]
		if ch == contact.Phone {
			of = min(of, 1)
		}
		used := 0
		for _, w := range d.state.Work {
			if w.Channel == ch {
				used++
			}
		}
		if of > 0 || used > 0 {
			out = append(out, ChannelCapacity{Channel: ch, Used: used, Of: of})
		}
	}
	return out
}

// showCapacityLocked shows the capacity if it changed.
func (d *desk) showCapacityLocked() {
	if now := d.capacityLocked(); !slices.Equal(now, d.state.Me.Capacity) {
		me := d.state.Me
		me.Capacity = now
		d.state.Me = me
		d.publishLocked(wireDelta{Me: &me})
	}
}

// forwardQueues are those a written contact may be given to.
func forwardQueues(plan *routing.Plan) []routing.Code {
	out := []routing.Code{}
	for _, q := range plan.Queues {
		out = append(out, routing.Code{Code: string(q.ID), Label: q.Label})
	}
	return out
}

func (s *Server) mailboxCodes() []routing.Code {
	out := []routing.Code{}
	for _, m := range s.o.Mailboxes {
		out = append(out, routing.Code{Code: m.Key, Label: m.Label})
	}
	return out
}
