package routing_test

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// model is the naive reference: it keeps plain lists, works everything out anew
// each time, sorts all contacts and all handlers, and takes the first. It shares
// no code with the engine.
type model struct {
	now contact.Instant
	// published is the plan without surges, plan with those that are on.
	published *routing.Plan
	surges    map[string]bool
	plan      *routing.Plan
	version   int
	open      map[routing.QueueID]bool
	people    map[routing.AgentID]*person
	contacts  []*item
	gone      []contact.ID
	offers    routing.OfferID
	out       []routing.Action
	// greet are people reported even if nothing changed in the end: they signed
	// on, or were offered something and lost it within the step.
	greet map[routing.AgentID]bool
	// endings counts endings by contact.
	endings map[contact.ID]int
	left    []*item // callers who hung up, oldest first
	handle  map[routing.QueueID]map[contact.Channel]contact.Duration
	ring    map[routing.QueueID]bool // hours of callbacks
	// figures answers rules; while a plan is published, as things stood before.
	figures func(routing.QueueID, contact.Channel) routing.QueueFigures
}

type person struct {
	id                          routing.AgentID
	profile                     string
	on, present, device, ready  bool
	reason, restReason          string
	restUntil, idleSince, since contact.Instant
	misses                      int
	state                       routing.AgentState
	stateReason                 string
	work                        []*item
	profileGone                 bool
}

type item struct {
	id             contact.ID
	channel        contact.Channel
	wanted, queue  routing.QueueID
	rule           string
	needs          []routing.Need
	version        int
	facts          contact.Facts
	arrival, since contact.Instant
	queued, until  contact.Instant
	due, answered  contact.Instant
	class          int
	target, credit contact.Duration
	phase          routing.Phase
	who            *person
	offer          routing.OfferID
	muted          bool
	extended       bool
	aside          bool
	joined         int
	refused        map[routing.AgentID]bool
	misses         int
	fresh          bool
	home           routing.QueueID
	ruleNeeds      []routing.Need
	moves, step    int
	stepName       string
	held, spent    bool
	sayAt          contact.Instant
	keptFrom       contact.ID
	hungUp         contact.Instant
	told           int
	toldWait       contact.Duration
	// asked tells that the caller asked to be rung back, here that they answered and
	// are on the line again.
	asked, here, offerBack bool
	tries                  int
	mayRing                contact.Instant // rung not before
	result                 routing.CallbackResult
}

func newModel() *model {
	m := &model{
		open: map[routing.QueueID]bool{}, people: map[routing.AgentID]*person{}, endings: map[contact.ID]int{},
		handle: map[routing.QueueID]map[contact.Channel]contact.Duration{}, ring: map[routing.QueueID]bool{},
	}
	m.figures = m.figuresNow
	return m
}

func (m *model) step(at contact.Instant, ev routing.Event) []routing.Action {
	m.now = max(m.now, at)
	m.out, m.greet = nil, map[routing.AgentID]bool{}
	before := m.views()
	for {
		c, p := m.nextDue()
		switch {
		case c == nil && p == nil:
			m.happen(ev)
			m.match()
			after := m.views()
			for _, id := range slices.Sorted(maps.Keys(union(before, after))) {
				b, was := before[id]
				a, is := after[id]
				if !is {
					a = routing.AgentChanged{Agent: id, State: routing.StateOffline, Since: m.now}
					if was && b.State == routing.StateOffline {
						a.Since = b.Since
					}
				}
				if was != is || !sameView(a, b) || m.greet[id] {
					m.out = append(m.out, a)
				}
			}
			return m.out
		case c != nil && c.phase == "":
			m.again(c)
		case c != nil && c.phase == routing.PhaseDeferred:
			m.moveOn(c)
			c.fresh = true
		case c != nil && c.phase == routing.PhaseCalling:
			m.notReached(c, false)
		case c != nil && c.phase == routing.PhaseWrapUp:
			m.closeItem(c, "", true)
		case c != nil && c.phase == routing.PhaseRinging:
			m.miss(c, routing.RetractNoAnswer)
		case c != nil:
			m.miss(c, routing.RetractFailed)
		default:
			p.restUntil, p.restReason, p.idleSince = 0, "", m.now
			m.touch(p)
		}
		m.match()
	}
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	u := maps.Clone(a)
	maps.Copy(u, b)
	return u
}

func sameView(a, b routing.AgentChanged) bool {
	return slices.Equal(a.Work, b.Work) && func() bool { a.Work, b.Work = nil, nil; return sameScalars(a, b) }()
}

func sameScalars(a, b routing.AgentChanged) bool {
	return a.Agent == b.Agent && a.State == b.State && a.Reason == b.Reason && a.Next == b.Next && a.NextReason == b.NextReason &&
		a.Since == b.Since && a.Until == b.Until && a.DeviceUp == b.DeviceUp && a.Present == b.Present
}

// nextDue finds the first deadline that has come: contacts before people, then
// by id.
func (m *model) nextDue() (first *item, rest *person) {
	at := m.now + 1
	for _, c := range m.contacts {
		until := c.until
		if c.phase == "" {
			until = m.wake(c)
		}
		if until != 0 && (until < at || first != nil && until == at && c.id < first.id) {
			first, at = c, until
		}
	}
	for _, p := range m.people {
		if p.restUntil != 0 && (p.restUntil < at || rest != nil && p.restUntil == at && p.id < rest.id) {
			first, rest, at = nil, p, p.restUntil
		}
	}
	return first, rest
}

func (m *model) views() map[routing.AgentID]routing.AgentChanged {
	all := map[routing.AgentID]routing.AgentChanged{}
	for id, p := range m.people {
		v := routing.AgentChanged{Agent: id, State: p.state, Reason: p.stateReason, Since: p.since, Until: p.restUntil, DeviceUp: p.device, Present: p.present}
		if p.state == routing.StateBusy {
			v.Next = routing.StateReady
			if !p.ready {
				v.Next, v.NextReason = routing.StateNotReady, p.reason
			}
		}
		for _, c := range p.work {
			v.Work = append(v.Work, routing.Work{
				Contact: c.id, Channel: c.channel, Queue: c.queue, Offer: c.offer, Phase: c.phase,
				Muted: c.muted, Since: c.since, Until: c.until, Extended: c.extended, Aside: c.aside, Joined: c.joined, Due: c.due, Callback: c.asked,
			})
		}
		all[id] = v
	}
	return all
}

// touch works out a person's state anew.
func (m *model) touch(p *person) {
	state, reason := routing.StateReady, ""
	switch {
	case !p.on:
		state = routing.StateOffline
	case len(p.work) > 0:
		state, reason = routing.StateBusy, p.restReason
	case !p.ready:
		state, reason = routing.StateNotReady, p.reason
	case p.restUntil != 0:
		state, reason = routing.StateResting, p.restReason
	}
	if state != p.state || reason != p.stateReason {
		p.state, p.stateReason, p.since = state, reason, m.now
	}
	if !p.on && len(p.work) == 0 {
		delete(m.people, p.id)
	}
}

func (m *model) profile(p *person) (routing.Profile, bool) {
	for _, def := range m.plan.Profiles {
		if def.Name == p.profile && !p.profileGone {
			return def, true
		}
	}
	return routing.Profile{}, false
}

func (m *model) capacity(p *person, ch contact.Channel) int {
	def, _ := m.profile(p)
	n := def.Capacity[ch]
	if ch == contact.Phone {
		n = min(n, 1)
	}
	return n
}

func (m *model) fit(p *person, ch contact.Channel, needs []routing.Need) (int, bool) {
	def, _ := m.profile(p)
	if m.capacity(p, ch) <= 0 {
		return 0, false
	}
	sum := 0
	for _, n := range needs {
		level := contact.Level(0)
		for _, s := range def.Skills {
			if s.Skill == n.Skill {
				level = s.Level
			}
		}
		if level < n.Min || level == 0 {
			return 0, false
		}
		sum += int(level)
	}
	return sum, true
}

// gate is the first gate that keeps a person from a contact, empty if none.
func (m *model) gate(p *person, c *item) routing.Gate {
	if !p.ready {
		return routing.GateState
	}
	if !p.present {
		return routing.GatePresence
	}
	if c.channel == contact.Phone && !p.device {
		return routing.GateDevice
	}
	if p.restUntil != 0 {
		return routing.GateResting
	}
	same := 0
	for _, w := range p.work {
		if w.channel == contact.Phone || w.phase == routing.PhaseRinging || w.phase == routing.PhaseWrapUp {
			return routing.GateCapacity
		}
		if def, _ := m.profile(p); c.channel == contact.Phone && def.Interruptible != nil && !slices.Contains(def.Interruptible, w.channel) && !w.aside {
			return routing.GateCapacity
		}
		if w.channel == c.channel {
			same++
		}
	}
	if same >= m.capacity(p, c.channel) {
		return routing.GateCapacity
	}
	if _, able := m.fit(p, c.channel, c.needs); !able {
		return routing.GateSkill
	}
	if c.refused[p.id] {
		return routing.GateRefused
	}
	if c.held && p.id != preferred(c) {
		return routing.GateKept
	}
	return ""
}

// match goes through all waiting contacts in order of place, and then once more
// for those whom only handlers who refused them could take at once.
func (m *model) match() {
	var waiting []*item
	for _, c := range m.contacts {
		if c.phase != "" {
			continue
		}
		waiting = append(waiting, c)
		if c.held && !m.keeps(c) {
			c.held, c.fresh = false, true
		}
	}
	slices.SortFunc(waiting, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.due, b.due), cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.id, b.id))
	})
	for _, c := range waiting {
		m.place(c)
	}
	for _, c := range waiting {
		if c.phase == "" && len(c.refused) > 0 {
			refused := c.refused
			c.refused = nil
			if m.place(c); c.phase == "" {
				c.refused = refused
			}
		}
	}
	for _, c := range m.contacts {
		c.fresh = false
	}
	m.tellSpent()
}

func (m *model) place(c *item) {
	var eligible []routing.Candidate
	removed := map[routing.Gate]int{}
	for _, p := range m.people {
		if !p.on {
			continue
		}
		if g := m.gate(p, c); g != "" {
			removed[g]++
			continue
		}
		fit, _ := m.fit(p, c.channel, c.needs)
		eligible = append(eligible, routing.Candidate{Agent: p.id, Proficiency: fit, IdleSince: p.idleSince})
	}
	if len(eligible) == 0 {
		return
	}
	slices.SortFunc(eligible, func(a, b routing.Candidate) int {
		return cmp.Or(m.preference(c, a, b), cmp.Compare(b.Proficiency, a.Proficiency), cmp.Compare(a.IdleSince, b.IdleSince), cmp.Compare(a.Agent, b.Agent))
	})
	why := routing.Why{PlanVersion: c.version, Rule: c.rule, Queue: c.queue, Target: c.target, Credit: c.credit, Needs: c.needs, EligibleCount: len(eligible)}
	switch {
	case !c.fresh:
		why.Chosen = "most_due"
	case len(eligible) == 1:
		why.Chosen = "only_one"
	case m.heeds(c) && eligible[0].Agent == preferred(c):
		why.Chosen = "preferred"
	case eligible[0].Proficiency > eligible[1].Proficiency:
		why.Chosen = "proficiency"
	case eligible[0].IdleSince < eligible[1].IdleSince:
		why.Chosen = "longest_idle"
	default:
		why.Chosen = "id"
	}
	why.Eligible = eligible[:min(len(eligible), 5)]
	for _, g := range []routing.Gate{"not_ready", "desk_lost", "phone_down", "resting", "at_capacity", "skill_missing", "refused_this_contact", "kept_for_preferred"} {
		if removed[g] > 0 {
			why.Removed = append(why.Removed, routing.GateCount{Gate: g, Count: removed[g]})
		}
	}
	for _, other := range m.contacts {
		if other.phase == "" && other.queue == c.queue {
			why.Waiting++
		}
	}
	p := m.people[eligible[0].Agent]
	m.explain(c, p, &why)
	m.offers++
	ring := m.plan.Offer.RingFor[c.channel]
	if ring <= 0 {
		ring = 20 * contact.Second
	}
	c.phase, c.who, c.offer, c.since, c.until = routing.PhaseRinging, p, m.offers, m.now, m.now.Add(ring)
	p.work = append(p.work, c)
	m.touch(p)
	m.out = append(m.out, routing.Offer{
		Offer: c.offer, Contact: c.id, Channel: c.channel, Agent: p.id, Queue: c.queue, Arrival: c.arrival,
		Due: c.due, Made: m.now, Deadline: c.until, Facts: c.facts, Why: why, Callback: m.awaits(c),
	})
}

func (m *model) say(a routing.Action) { m.out = append(m.out, a) }

func (m *model) takeBack(c *item, cause routing.RetractCause) *person {
	p := c.who
	m.greet[p.id] = true
	m.say(routing.Retract{Offer: c.offer, Contact: c.id, Agent: p.id, Cause: cause})
	p.work = slices.DeleteFunc(p.work, func(w *item) bool { return w == c })
	c.phase, c.who, c.offer, c.since, c.until, c.fresh = "", nil, 0, 0, 0, true
	m.resume(p)
	return p
}

func (m *model) miss(c *item, cause routing.RetractCause) {
	p := m.takeBack(c, cause)
	if c.refused == nil {
		c.refused = map[routing.AgentID]bool{}
	}
	c.refused[p.id] = true
	m.moveOn(c)
	c.misses++
	p.misses++
	o := m.plan.Offer
	rest := map[routing.RetractCause]contact.Duration{
		routing.RetractNoAnswer: o.NoAnswerRest,
		routing.RetractDeclined: max(o.DeclineRest, contact.Second),
		routing.RetractFailed:   max(o.FailedRest, contact.Second),
	}[cause]
	if p.on && p.ready {
		if rest <= 0 {
			p.ready, p.reason = false, "no_answer"
		} else if until := m.now.Add(rest); until > p.restUntil {
			p.restUntil, p.restReason = until, string(cause)
		}
	}
	m.touch(p)
	if n := o.AlertAfter; n > 0 {
		if c.misses%n == 0 {
			m.say(routing.Alert{
				Code: "contact_not_taken", Contact: c.id, Queue: c.queue,
				Text: "Offers of this contact were missed, declined or failed " + strconv.Itoa(c.misses) + " times.",
			})
		}
		if p.misses%n == 0 {
			m.say(routing.Alert{
				Code: "repeated_no_answer", Contact: c.id, Agent: p.id,
				Text: "This handler missed or declined " + strconv.Itoa(p.misses) + " offers in a row, or their phone failed.",
			})
		}
	}
}

// interrupt parks what a person has in hand and a call may interrupt.
func (m *model) interrupt(call *item) {
	def, _ := m.profile(call.who)
	for _, c := range call.who.work {
		if c.phase == routing.PhaseTalking && c.channel != contact.Phone && slices.Contains(def.Interruptible, c.channel) {
			c.phase, c.since = routing.PhaseParked, m.now
			m.say(routing.Parked{Contact: c.id, Agent: call.who.id, For: call.id})
		}
	}
}

// resume gives back what a call interrupted once there is none.
func (m *model) resume(p *person) {
	if slices.ContainsFunc(p.work, func(c *item) bool { return c.channel == contact.Phone }) {
		return
	}
	for _, c := range p.work {
		if c.phase == routing.PhaseParked && !c.aside {
			c.phase, c.since = routing.PhaseTalking, m.now
			m.say(routing.Resumed{Contact: c.id, Agent: p.id})
		}
	}
}

func (m *model) end(c *item, ending contact.Ending, cause routing.ReleaseCause, agent routing.AgentID) {
	m.endings[c.id]++
	var result routing.CallbackResult
	if c.asked {
		ending, result = contact.CallbackTaken, m.callbackResult(c, cause)
	}
	m.say(routing.Ended{Contact: c.id, Queue: c.queue, Ending: ending, Cause: cause, Agent: agent, Arrival: c.arrival, Answered: c.answered, At: m.now, Callback: result})
}

func (m *model) drop(c *item) {
	m.contacts = slices.DeleteFunc(m.contacts, func(o *item) bool { return o == c })
	m.gone = append(m.gone, c.id)
	if len(m.gone) > 10_000 {
		m.gone = m.gone[1:]
	}
}

func (m *model) closeItem(c *item, outcome string, timedOut bool) {
	p := c.who
	m.say(routing.Closed{Contact: c.id, Agent: p.id, Outcome: outcome, TimedOut: timedOut})
	p.work = slices.DeleteFunc(p.work, func(w *item) bool { return w == c })
	p.idleSince = m.now
	m.handled(c)
	m.drop(c)
	m.resume(p)
	m.touch(p)
}

func (m *model) find(id contact.ID) *item {
	for _, c := range m.contacts {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (m *model) queue(id routing.QueueID) *routing.Queue {
	for i := range m.plan.Queues {
		if m.plan.Queues[i].ID == id {
			return &m.plan.Queues[i]
		}
	}
	return nil
}

func (m *model) wrapUp(c *item) routing.WrapUpPolicy {
	if q := m.queue(c.queue); q != nil && q.WrapUp != nil {
		return *q.WrapUp
	}
	return m.plan.WrapUp
}

// route stamps queue, rule and needs, and returns the rule.
func (m *model) route(c *item) *routing.Rule {
	c.version = m.version
	named := m.queue(c.wanted)
	var rule *routing.Rule
	for i, r := range m.plan.Rules {
		if (named == nil || r.Queue == c.wanted) && r.Match(m.input(c)) {
			rule = &m.plan.Rules[i]
			break
		}
	}
	c.rule, c.home, c.ruleNeeds = "", m.plan.DefaultQueue, nil
	if named != nil {
		c.home = named.ID
	}
	if rule != nil {
		c.rule, c.home, c.ruleNeeds = rule.Name, rule.Queue, rule.Needs
	}
	m.mature(c)
	return rule
}

// mature works out from the contact's age where it stands and what it needs.
func (m *model) mature(c *item) {
	age := m.now.Sub(c.arrival)
	c.queue, c.moves, c.step, c.stepName = c.home, 0, 0, ""
	if m.waited(c) {
		c.held = false
	}
	for _, o := range m.queue(c.home).Overflow {
		if o.After <= age {
			c.queue = o.To
			c.moves++
		}
	}
	q := m.queue(c.queue)
	switch {
	case c.channel != contact.Phone || q.Announce == nil || m.awaits(c):
		c.sayAt = 0
	case c.sayAt == 0:
		c.sayAt = m.now.Add(q.Announce.First)
	case c.sayAt <= m.now:
		c.sayAt = m.now.Add(q.Announce.Every)
	}
	needs, speak := slices.Clone(q.Needs), q.LanguageSkill
	if c.moves == 0 {
		needs = append(needs, c.ruleNeeds...)
	}
	for _, s := range q.Relax {
		if s.After <= age {
			needs, speak, c.stepName = s.Needs, q.LanguageSkill && !s.AnyLanguage, s.Name
			c.step++
		}
	}
	least := map[contact.Skill]contact.Level{}
	for _, n := range needs {
		least[n.Skill] = max(least[n.Skill], n.Min)
	}
	if speak {
		skill := contact.Skill("lang." + c.facts.Language)
		for _, p := range m.plan.Profiles {
			for _, s := range p.Skills {
				if s.Skill == skill {
					least[skill] = max(least[skill], 1)
				}
			}
		}
	}
	c.needs = nil
	for _, s := range slices.Sorted(maps.Keys(least)) {
		c.needs = append(c.needs, routing.Need{Skill: s, Min: least[s]})
	}
}

func (m *model) queuedAction(c *item) {
	m.say(routing.Queued{Contact: c.id, Channel: c.channel, Queue: c.queue, Arrival: c.arrival, Due: c.due, Facts: c.facts, Rule: c.rule, PlanVersion: c.version, From: m.from(c), KeptFrom: c.keptFrom, Callback: c.offerBack, RingBack: m.awaits(c)})
}
