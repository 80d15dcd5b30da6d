package routing_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// happen applies one event to the reference model.
func (m *model) happen(ev routing.Event) {
	no := func(code string, agent routing.AgentID, id contact.ID, offer routing.OfferID) {
		m.say(routing.Refused{Event: ev.Kind(), Code: code, Agent: agent, Contact: id, Offer: offer})
	}
	switch ev := ev.(type) {
	case routing.PlanPublished:
		m.publish(ev)
	case routing.SurgeSwitched:
		switch there, on := m.surgeNamed(ev.Name); {
		case m.plan == nil:
			no("no_plan", "", "", 0)
		case !there:
			no("surge_unknown", "", "", 0)
		case on == ev.On:
			no("no_change", "", "", 0)
		default:
			m.say(routing.SurgeChanged(ev))
			m.surges[ev.Name] = ev.On
			m.putInForce(m.published, m.version)
		}
	case routing.HoursChanged:
		switch {
		case m.plan == nil:
			no("no_plan", "", "", 0)
		case m.queue(ev.Queue) == nil:
			no("queue_unknown", "", "", 0)
		case m.open[ev.Queue] == ev.Open:
			no("no_change", "", "", 0)
		default:
			m.open[ev.Queue] = ev.Open
		}
	case routing.CallbackAsked, routing.CallbackFailed, routing.CallbackHoursChanged:
		m.callback(ev, no)
	case routing.AgentSignedOn:
		m.signOn(ev, no)
	case routing.AgentReady, routing.AgentNotReady, routing.AgentSignedOff, routing.AgentPresence, routing.DeviceChanged:
		m.change(ev, no)
	case routing.ContactArrived:
		m.arrive(ev, no)
	case routing.OfferAccepted:
		if c := m.ringing(ev.Offer, ev.Agent); c != nil {
			c.since, c.until, c.who.idleSince = m.now, 0, m.now
			if m.awaits(c) {
				m.interrupt(c)
				m.ringUp(c)
			} else if c.channel == contact.Phone {
				c.phase, c.until = routing.PhaseConnecting, m.now.Add(15*contact.Second)
				m.interrupt(c)
				m.say(routing.Connect{Offer: c.offer, Contact: c.id, Agent: ev.Agent})
			} else {
				m.talk(c)
			}
		} else {
			no("offer_not_open", ev.Agent, "", ev.Offer)
		}
	case routing.OfferDeclined:
		if c := m.ringing(ev.Offer, ev.Agent); c != nil {
			m.miss(c, routing.RetractDeclined)
		} else {
			no("offer_not_open", ev.Agent, "", ev.Offer)
		}
	case routing.OfferFailed:
		if c := m.ringing(ev.Offer, ev.Agent); c != nil {
			m.miss(c, routing.RetractFailed)
		} else {
			no("offer_not_open", ev.Agent, "", ev.Offer)
		}
	case routing.ContactReleased:
		m.release(ev, no)
	case routing.MessageJoined:
		m.join(ev, no)
	case routing.Connected, routing.ConnectFailed, routing.WrapUpDone, routing.WrapUpExtended, routing.ControlAsked, routing.ControlDone,
		routing.ContactParked, routing.ContactResumed, routing.ContactForwarded:
		m.inHand(ev, no)
	}
}

type refuse func(code string, agent routing.AgentID, id contact.ID, offer routing.OfferID)

func (m *model) publish(ev routing.PlanPublished) {
	if ev.Plan == nil {
		m.say(routing.Refused{Event: ev.Kind(), Code: "plan_invalid"})
		return
	}
	for _, name := range m.surgesOn() {
		if there := slices.ContainsFunc(ev.Plan.Surges, func(s routing.Surge) bool { return s.Name == name }); !there {
			m.surges[name] = false
			m.say(routing.Alert{Code: "surge_gone", Text: "The plan no longer has the surge " + name + ", which was on: it is off now."})
		}
	}
	m.putInForce(ev.Plan, ev.Version)
}

func (m *model) putInForce(plan *routing.Plan, version int) {
	m.figures = m.figuresKept()
	defer func() { m.figures = m.figuresNow }()
	m.published, m.version = plan, version
	m.plan = m.laid()
	maps.DeleteFunc(m.handle, func(id routing.QueueID, _ map[contact.Channel]contact.Duration) bool { return m.queue(id) == nil })
	maps.DeleteFunc(m.open, func(id routing.QueueID, _ bool) bool { return m.queue(id) == nil })
	maps.DeleteFunc(m.ring, func(id routing.QueueID, _ bool) bool { return m.queue(id) == nil })
	all := slices.Clone(m.contacts)
	slices.SortFunc(all, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.due, b.due), cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.id, b.id))
	})
	for _, c := range all {
		if c.answered == 0 {
			was := c.queue
			m.route(c)
			m.stand(c)
			if c.queue != was {
				m.queuedAction(c)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.people)) {
		p := m.people[id]
		gone := p.profileGone
		p.profileGone = false
		if _, there := m.profile(p); !there {
			p.profileGone = true
			if p.on && !gone {
				m.say(routing.Alert{Code: "profile_gone", Agent: id, Text: "The plan no longer has this handler's profile: they are offered nothing until they sign on with another."})
			}
		}
	}
	for _, c := range all {
		if c.phase == routing.PhaseRinging {
			if _, able := m.fit(c.who, c.channel, c.needs); !able {
				p := m.takeBack(c, routing.RetractPlan)
				m.moveOn(c)
				m.touch(p)
			}
		}
	}
}

func (m *model) signOn(ev routing.AgentSignedOn, no refuse) {
	if m.plan == nil {
		no("no_plan", ev.Agent, "", 0)
		return
	}
	if ev.Agent == "" {
		no("agent_id_missing", "", "", 0)
		return
	}
	p := &person{id: ev.Agent, profile: ev.Profile, state: routing.StateOffline}
	if _, there := m.profile(p); !there {
		no("profile_unknown", ev.Agent, "", 0)
		return
	}
	if m.people[ev.Agent] == nil {
		m.people[ev.Agent] = p
	}
	p = m.people[ev.Agent]
	if !p.on {
		p.on, p.ready, p.reason, p.misses = true, false, "", 0
	}
	p.present, p.device, p.profile, p.profileGone = true, ev.DeviceUp, ev.Profile, false
	m.greet[ev.Agent] = true
	if c := m.rings(p); c != nil {
		if _, able := m.fit(p, c.channel, c.needs); !able || c.channel == contact.Phone && !p.device {
			m.takeBack(c, routing.RetractHandler)
			m.moveOn(c)
		}
	}
	m.touch(p)
}

func (m *model) change(ev routing.Event, no refuse) {
	var p *person
	var id routing.AgentID
	same, leaves := false, false
	apply := func() {}
	switch ev := ev.(type) {
	case routing.AgentReady:
		id = ev.Agent
		if p = m.people[id]; p != nil {
			same = p.ready && p.restUntil == 0
			apply = func() { p.ready, p.reason, p.idleSince, p.restUntil, p.restReason = true, "", m.now, 0, "" }
		}
	case routing.AgentNotReady:
		id = ev.Agent
		if p = m.people[id]; p != nil {
			same, leaves = !p.ready && p.reason == ev.Reason, true
			apply = func() { p.ready, p.reason, p.restUntil, p.restReason = false, ev.Reason, 0, "" }
		}
	case routing.AgentSignedOff:
		id = ev.Agent
		if p = m.people[id]; p != nil {
			leaves = true
			apply = func() {
				*p = person{
					id: p.id, profile: p.profile, idleSince: p.idleSince, since: p.since, misses: p.misses, state: p.state,
					stateReason: p.stateReason, work: p.work, profileGone: p.profileGone,
				}
			}
		}
	case routing.AgentPresence:
		id = ev.Agent
		if p = m.people[id]; p != nil {
			same, leaves = p.present == ev.Up, !ev.Up
			apply = func() { p.present = ev.Up }
		}
	case routing.DeviceChanged:
		id = ev.Agent
		if p = m.people[id]; p != nil {
			c := m.rings(p)
			same, leaves = p.device == ev.Up, !ev.Up && c != nil && c.channel == contact.Phone
			apply = func() { p.device = ev.Up }
		}
	}
	switch {
	case p == nil || !p.on:
		no("agent_unknown", id, "", 0)
	case same:
		no("no_change", id, "", 0)
	default:
		apply()
		if c := m.rings(p); c != nil && leaves {
			m.takeBack(c, routing.RetractHandler)
			m.moveOn(c)
		}
		m.touch(p)
	}
}

func (m *model) rings(p *person) *item {
	for _, c := range p.work {
		if c.phase == routing.PhaseRinging {
			return c
		}
	}
	return nil
}

func (m *model) ringing(offer routing.OfferID, agent routing.AgentID) *item {
	for _, c := range m.contacts {
		if c.phase == routing.PhaseRinging && c.offer == offer && c.who.id == agent {
			return c
		}
	}
	return nil
}

func (m *model) arrive(ev routing.ContactArrived, no refuse) {
	switch {
	case m.plan == nil:
		no("no_plan", "", ev.Contact, 0)
		return
	case ev.Contact == "":
		no("contact_id_empty", "", "", 0)
		return
	case !slices.Contains(contact.Channels(), ev.Channel):
		no("channel_unknown", "", ev.Contact, 0)
		return
	case m.find(ev.Contact) != nil || slices.Contains(m.gone, ev.Contact):
		no("contact_duplicate", "", ev.Contact, 0)
		return
	}
	c := &item{id: ev.Contact, channel: ev.Channel, wanted: ev.Queue, facts: ev.Facts, arrival: ev.Arrival, queued: m.now, class: 1, fresh: true}
	if c.arrival <= 0 || c.arrival > m.now {
		c.arrival = m.now
	}
	if c.wanted != "" && m.queue(c.wanted) == nil {
		m.say(routing.Alert{Code: "queue_unknown", Contact: c.id, Queue: c.wanted, Text: "A contact asked for a queue the plan does not have; the rules chose another."})
	}
	rule := m.route(c)
	back := m.ringsBack(c)
	q := m.queue(c.home)
	if rule != nil && rule.Class0 {
		m.say(routing.Alert{Code: "risk_to_life", Contact: c.id, Queue: c.home, Text: "Somebody may be at risk: the rule “" + rule.Name + "” put this contact before everything else."})
	}
	if !m.open[c.home] && c.channel == contact.Phone {
		c.queue = c.home
		m.say(routing.QueueClosed{Contact: c.id, Queue: q.ID, Announcement: q.ClosedAnnouncement})
		m.end(c, contact.AbandonedAfterMessage, routing.ReleasedBySystem, "")
		m.contacts = append(m.contacts, c)
		m.drop(c)
		return
	}
	c.target = q.AnswerWithin[c.channel]
	if rule != nil {
		c.credit = rule.Credit
		if rule.Class0 {
			c.class = 0
		}
	}
	c.due = c.arrival.Add(c.target).Add(-c.credit)
	if p := m.find(c.keptFrom); p != nil {
		m.rangIn(p)
	}
	c.offerBack = m.offersBack(c, m.figuresNow(c.queue, c.channel).EstimatedWait)
	m.contacts = append(m.contacts, c)
	if back != nil {
		m.left = slices.DeleteFunc(m.left, func(o *item) bool { return o == back })
	}
	c.held = m.keeps(c) && !m.waited(c)
	m.queuedAction(c)
	c.offerBack = false
}

func (m *model) talk(c *item) {
	c.phase, c.since, c.until, c.answered, c.refused, c.who.misses = routing.PhaseTalking, m.now, 0, m.now, nil, 0
	c.held = false
}

func (m *model) release(ev routing.ContactReleased, no refuse) {
	c := m.find(ev.Contact)
	switch {
	case c == nil && !slices.Contains(m.gone, ev.Contact):
		no("contact_unknown", "", ev.Contact, 0)
		return
	case c == nil || c.phase == routing.PhaseWrapUp:
		no("contact_ended", "", ev.Contact, 0)
		return
	case ev.Cause == routing.ReleasedByHandler && c.joined > max(ev.Seen, 0):
		no("message_unseen", "", ev.Contact, 0)
		return
	case c.phase == routing.PhaseTalking || c.phase == routing.PhaseHeld || c.phase == routing.PhaseParked:
		m.end(c, contact.Answered, ev.Cause, c.who.id)
		if limit := m.wrapUp(c).Limit; limit > 0 {
			c.phase, c.since, c.until, c.muted, c.aside = routing.PhaseWrapUp, m.now, m.now.Add(limit), false, false
		} else {
			m.closeItem(c, "", false)
		}
		return
	}
	var p *person
	if c.who != nil {
		p = m.takeBack(c, routing.RetractCallerGone)
	}
	ending := contact.Failed
	if ev.Cause == routing.ReleasedByCaller {
		m.hangsUp(c)
		ending = contact.AbandonedInQueue
		if m.now.Sub(c.queued) < m.plan.ShortAbandon {
			ending = contact.AbandonedShort
		}
	}
	m.end(c, ending, ev.Cause, "")
	m.drop(c)
	if p != nil {
		m.touch(p)
	}
}

// inHand handles events about a contact a handler has accepted.
func (m *model) inHand(ev routing.Event, no refuse) {
	var id contact.ID
	var agent routing.AgentID
	switch ev := ev.(type) {
	case routing.Connected:
		id, agent = ev.Contact, ev.Agent
	case routing.ConnectFailed:
		id, agent = ev.Contact, ev.Agent
	case routing.WrapUpDone:
		id, agent = ev.Contact, ev.Agent
	case routing.WrapUpExtended:
		id, agent = ev.Contact, ev.Agent
	case routing.ControlAsked:
		id, agent = ev.Contact, ev.Agent
	case routing.ControlDone:
		id, agent = ev.Contact, ev.Agent
	case routing.ContactParked:
		id, agent = ev.Contact, ev.Agent
	case routing.ContactResumed:
		id, agent = ev.Contact, ev.Agent
	case routing.ContactForwarded:
		id, agent = ev.Contact, ev.Agent
	}
	c := m.find(id)
	code := ""
	switch {
	case c == nil && slices.Contains(m.gone, id):
		code = "contact_ended"
	case c == nil:
		code = "contact_unknown"
	case c.who == nil || c.who.id != agent || c.phase == routing.PhaseRinging:
		code = "contact_not_yours"
	}
	if code != "" {
		no(code, agent, id, 0)
		return
	}
	up := c.phase == routing.PhaseTalking || c.phase == routing.PhaseHeld
	call := c.channel == contact.Phone
	switch ev := ev.(type) {
	case routing.ContactParked, routing.ContactResumed, routing.ContactForwarded:
		if code = m.written(c, ev); code == "" {
			return
		}
	case routing.Connected:
		if c.phase == routing.PhaseConnecting || c.phase == routing.PhaseCalling {
			m.talk(c)
			return
		}
		code = "wrong_phase"
	case routing.ConnectFailed:
		if c.phase == routing.PhaseConnecting || c.phase == routing.PhaseCalling {
			c.here = c.here || ev.CallerHere && c.phase == routing.PhaseCalling
			m.miss(c, routing.RetractFailed)
			return
		}
		code = "wrong_phase"
	case routing.WrapUpDone:
		written := !call && (c.phase == routing.PhaseTalking || c.phase == routing.PhaseParked)
		if written && c.joined > max(ev.Seen, 0) {
			no("message_unseen", agent, id, 0)
			return
		}
		if written {
			m.end(c, contact.Answered, routing.ReleasedByHandler, agent)
		}
		if written || c.phase == routing.PhaseWrapUp {
			m.closeItem(c, ev.Outcome, false)
			return
		}
		code = "wrong_phase"
	case routing.WrapUpExtended:
		extra := m.wrapUp(c).Extension
		switch {
		case c.phase != routing.PhaseWrapUp:
			code = "wrong_phase"
		case c.extended:
			code = "already_extended"
		case extra <= 0:
			code = "no_extension"
		default:
			c.extended, c.until = true, c.until.Add(extra)
			return
		}
	case routing.ControlAsked:
		switch {
		case !call:
			code = "not_a_call"
		case !up:
			code = "wrong_phase"
		case !strings.Contains(" hold resume mute unmute hangup dtmf ", " "+string(ev.Verb)+" "):
			code = "verb_unknown"
		case ev.Verb == "hold" && c.phase == routing.PhaseHeld, ev.Verb == "resume" && c.phase == routing.PhaseTalking,
			ev.Verb == "mute" && c.muted, ev.Verb == "unmute" && !c.muted:
			code = "no_change"
		case ev.Verb == "dtmf" && c.phase == routing.PhaseHeld:
			code = "wrong_phase"
		case ev.Verb == "dtmf" && !dialable(ev.Digits):
			code = "digits_invalid"
		default:
			digits := ev.Digits
			if ev.Verb != "dtmf" {
				digits = ""
			}
			m.say(routing.Control{Contact: id, Agent: agent, Verb: ev.Verb, Digits: digits})
			return
		}
	case routing.ControlDone:
		held, muted := c.phase == routing.PhaseHeld, c.muted
		switch {
		case !call:
			code = "not_a_call"
		case !up:
			code = "wrong_phase"
		case ev.Cause != "":
			code = "control_failed"
		case ev.Verb == "hangup" || ev.Verb == "dtmf":
			return
		case ev.Verb == "hold" && !held:
			c.phase, c.since = routing.PhaseHeld, m.now
			return
		case ev.Verb == "resume" && held:
			c.phase, c.since = routing.PhaseTalking, m.now
			return
		case ev.Verb == "mute" && !muted || ev.Verb == "unmute" && muted:
			c.muted = !muted
			return
		case strings.Contains(" hold resume mute unmute ", " "+string(ev.Verb)+" "):
			code = "no_change"
		default:
			code = "verb_unknown"
		}
	}
	no(code, agent, id, 0)
}

func dialable(digits string) bool {
	for _, d := range digits {
		if !strings.ContainsRune("0123456789*#ABCD", d) {
			return false
		}
	}
	return len(digits) >= 1 && len(digits) <= 32
}
