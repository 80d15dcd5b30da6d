package routing

import "example.org/c3i/contact"

// HandlerStanding tells whether a handler could be offered a contact now, and
// what keeps it from them.
type HandlerStanding struct {
	Agent   AgentID `json:"agent"`
	Profile string  `json:"profile"`
	// Gate is the first that keeps them out, empty for who could be offered it.
	Gate Gate `json:"gate,omitempty"`
	// Missing lists the needs they do not meet, whatever the gate.
	Missing []Need `json:"missing,omitempty"`
	// NoChannel tells that their profile does not take contacts of the channel.
	NoChannel bool `json:"no_channel,omitempty"`
	// Proficiency is the sum of their levels over the needs they meet.
	Proficiency int             `json:"proficiency"`
	IdleSince   contact.Instant `json:"idle_since,omitempty"`
	// Reason goes with not ready and resting.
	Reason string `json:"reason,omitempty"`
}

// Standings tells of every handler signed on, in order of id, how they stand to a
// contact that arrived at the instant of the last Step, as Explain does. False when
// no plan is in force or the channel is not known. The engine is not changed.
func (e *Engine) Standings(ev ContactArrived) ([]HandlerStanding, bool) {
	ch, known := channelIndex(ev.Channel)
	if e.plan == nil || !known {
		return nil, false
	}
	c := &inquiry{seat: unseated, heldAt: -1}
	home := e.take(c, ev, ch)
	e.spent = e.spent[:0]
	if home.open && e.contacts[c.keptFrom] != nil {
		return e.tryTakingOver(ev, c).standings(), true
	}
	return e.standings(c), true
}

// StandingsOf is Standings for a contact that waits; false for any other.
func (e *Engine) StandingsOf(id contact.ID) ([]HandlerStanding, bool) {
	c := e.contacts[id]
	if c == nil || c.phase != "" || c.line == nil {
		return nil, false
	}
	return e.standings(c), true
}

func (e *Engine) standings(c *inquiry) []HandlerStanding {
	list := []HandlerStanding{}
	for _, h := range e.sortedHandlers() {
		if !h.signedOn {
			continue
		}
		s := HandlerStanding{Agent: h.id, Profile: h.profile.name, NoChannel: h.profile.capacity[c.channel] == 0}
		for _, n := range c.line.needs {
			if level := h.profile.skills[n.Skill]; level >= n.Min && level > 0 {
				s.Proficiency += int(level)
			} else {
				s.Missing = append(s.Missing, n)
			}
		}
		_, able := h.profile.fits(c.channel, c.line.needs)
		switch g := h.gateFor(c.channel); {
		case g != gateOpen:
			s.Gate = gateNames[g]
		case !able:
			s.Gate = GateSkill
		case c.refusedBy(h.id):
			s.Gate = GateRefused
		case c.held && h.id != c.prefers():
			s.Gate = GateKept
		}
		switch s.Gate {
		case "":
			s.IdleSince = h.idleSince
		case GateState, GateResting:
			s.Reason = h.view().Reason
		}
		list = append(list, s)
	}
	return list
}

// Profiles tells the profile of every handler signed on or with a contact in hand.
func (e *Engine) Profiles() map[AgentID]string {
	m := make(map[AgentID]string, len(e.handlers))
	for id, h := range e.handlers {
		m[id] = h.profile.name
	}
	return m
}
