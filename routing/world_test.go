package routing_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// began is when the tests' time starts: 2026-01-05 09:00 UTC.
const began = contact.Instant(1_767_603_600_000_000_000)

const (
	second = contact.Second
	minute = contact.Minute
)

func targets(phone, email, web contact.Duration) map[contact.Channel]contact.Duration {
	return map[contact.Channel]contact.Duration{contact.Phone: phone, contact.Email: email, contact.Web: web}
}

func capacity(phone, email, web int) map[contact.Channel]int {
	return map[contact.Channel]int{contact.Phone: phone, contact.Email: email, contact.Web: web}
}

// worldPlans are three plans that differ in everything: rules, queues, profiles
// and limits. Publishing one after another exercises each change.
func worldPlans() []*routing.Plan {
	answered := func(step, value string) func(routing.RuleInput) bool {
		return func(in routing.RuleInput) bool { return in.Facts.Answers[step] == value }
	}
	first := &routing.Plan{
		Version: 1, DefaultQueue: "general", ShortAbandon: 5 * second, RingBackWindow: 60 * second,
		Queues: []routing.Queue{
			{
				ID: "crime", Label: "Crime", AnswerWithin: targets(30*second, 40*minute, 60*minute), Needs: []routing.Need{{Skill: "crime", Min: 2}}, LanguageSkill: true, ClosedAnnouncement: "closed",
				Preferred: &routing.PreferredPolicy{Wait: 25 * second},
				Announce:  &routing.AnnouncePolicy{First: 5 * second, Every: 12 * second},
				Callback:  &routing.CallbackPolicy{Over: 4 * minute, Attempts: 3, Spacing: 20 * second, RingFor: 8 * second},
				Relax: []routing.RelaxStep{
					{Name: "beginners", After: 30 * second, Needs: []routing.Need{{Skill: "crime", Min: 1}}},
					{Name: "interpreter", After: 70 * second, Needs: []routing.Need{{Skill: "crime", Min: 1}}, AnyLanguage: true},
				},
				Overflow: []routing.OverflowStep{{After: 45 * second, To: "updates"}, {After: 100 * second, To: "general"}},
			},
			{
				ID: "general", Label: "General", AnswerWithin: targets(60*second, 30*minute, 45*minute), LanguageSkill: true, ClosedAnnouncement: "closed",
				Preferred: &routing.PreferredPolicy{},
				Relax:     []routing.RelaxStep{{Name: "any language", After: 50 * second, AnyLanguage: true}},
				Callback:  &routing.CallbackPolicy{Attempts: 1, RingFor: 5 * second, Hours: func(contact.Local) bool { return true }},
			},
			{ID: "updates", Label: "Updates", AnswerWithin: targets(2*minute, 20*minute, 30*minute), WrapUp: &routing.WrapUpPolicy{}, ClosedAnnouncement: "closed"},
		},
		Rules: []routing.Rule{
			{Name: "danger", Queue: "crime", Class0: true, Match: answered("risk", "yes")},
			{Name: "vulnerable", Queue: "crime", Credit: 40 * second, Match: func(in routing.RuleInput) bool { return in.Facts.Vulnerable }},
			{Name: "crime is full", Queue: "general", Match: func(in routing.RuleInput) bool {
				f := in.Figures("crime")
				return in.Facts.Answers["menu"] == "crime" && (f.Waiting > 3 && f.EstimatedWait > 2*minute || f.Staffed < 2)
			}},
			{Name: "crime", Queue: "crime", Match: answered("menu", "crime")},
			{Name: "fraud", Queue: "crime", Match: answered("menu", "fraud"), Needs: []routing.Need{{Skill: "crime", Min: 3}, {Skill: "fraud", Min: 1}}},
			{Name: "update", Queue: "updates", Match: answered("menu", "update")},
		},
		Profiles: []routing.Profile{
			{Name: "crime", Capacity: capacity(1, 2, 1), Interruptible: []contact.Channel{contact.Email}, Skills: []routing.SkillLevel{{Skill: "crime", Level: 3}, {Skill: "lang.en", Level: 5}}},
			{Name: "expert", Capacity: capacity(1, 0, 0), Skills: []routing.SkillLevel{{Skill: "crime", Level: 5}, {Skill: "fraud", Level: 4}, {Skill: "lang.en", Level: 5}, {Skill: "lang.pl", Level: 2}}},
			{Name: "general", Capacity: capacity(1, 3, 3), Interruptible: []contact.Channel{contact.Email, contact.Web}, Skills: []routing.SkillLevel{{Skill: "lang.en", Level: 4}, {Skill: "lang.pl", Level: 4}}},
			{Name: "writer", Capacity: capacity(0, 2, 2), Skills: []routing.SkillLevel{{Skill: "crime", Level: 2}, {Skill: "lang.en", Level: 3}}},
		},
		Surges: []routing.Surge{
			{Name: "storm", Queues: []routing.SurgeQueue{
				{Queue: "crime", AnswerWithin: targets(90*second, 50*minute, 60*minute), Overflow: []routing.OverflowStep{{After: 10 * second, To: "general"}}},
				{Queue: "general", Announce: &routing.AnnouncePolicy{First: 3 * second, Every: 9 * second}},
			}},
			{Name: "flood", Queues: []routing.SurgeQueue{
				{Queue: "crime", Overflow: []routing.OverflowStep{}, Silent: true},
				{Queue: "updates", Overflow: []routing.OverflowStep{{After: 25 * second, To: "crime"}}},
			}},
		},
		Offer:  routing.OfferPolicy{RingFor: targets(10*second, 30*second, 0), NoAnswerRest: 20 * second, DeclineRest: 10 * second, FailedRest: 5 * second, AlertAfter: 3},
		WrapUp: routing.WrapUpPolicy{Limit: 30 * second, Extension: 60 * second},
	}
	changed := *first
	changed.Version, changed.RingBackWindow = 2, 0
	changed.Queues = slices.Clone(first.Queues)
	changed.Queues[0].Relax, changed.Queues[0].Overflow = changed.Queues[0].Relax[:1], []routing.OverflowStep{{After: 20 * second, To: "general"}}
	changed.Queues[1].Relax = nil
	changed.Queues[0].Announce, changed.Queues[1].Announce = nil, &routing.AnnouncePolicy{First: 10 * second, Every: 10 * second}
	changed.Queues[2].Preferred = &routing.PreferredPolicy{Wait: 40 * second}
	changed.Queues[0].Callback = nil
	changed.Queues[2].Callback = &routing.CallbackPolicy{Attempts: 2, Spacing: 40 * second, RingFor: 6 * second, Hours: func(contact.Local) bool { return true }}
	changed.Offer = routing.OfferPolicy{RingFor: targets(8*second, 20*second, 25*second), AlertAfter: 2}
	changed.WrapUp = routing.WrapUpPolicy{Limit: 15 * second}
	changed.Rules = slices.Clone(first.Rules[1:])
	changed.Profiles = []routing.Profile{
		{Name: "crime", Capacity: capacity(1, 1, 0), Skills: []routing.SkillLevel{{Skill: "crime", Level: 1}, {Skill: "lang.en", Level: 2}}},
		{Name: "expert", Capacity: capacity(1, 1, 1), Interruptible: []contact.Channel{}, Skills: first.Profiles[1].Skills},
		{Name: "general", Capacity: capacity(1, 1, 1), Skills: []routing.SkillLevel{{Skill: "crime", Level: 2}, {Skill: "lang.bn", Level: 1}, {Skill: "lang.en", Level: 4}}},
	}
	third := *first
	third.Version, third.RingBackWindow = 3, 20*second
	third.Queues = slices.Clone(first.Queues[:2])
	third.Queues[0].Overflow = nil
	third.Surges = slices.Clone(first.Surges[:1])
	third.Queues = append(third.Queues, routing.Queue{ID: "night", Label: "Night", AnswerWithin: targets(90*second, 90*minute, 90*minute), ClosedAnnouncement: "night"})
	third.DefaultQueue = "night"
	third.Rules = slices.Clone(first.Rules[:4])
	third.Offer.AlertAfter = 0
	return []*routing.Plan{first, &changed, &third}
}

// world draws events that mostly make sense from a source of choices; what it
// knows of the engine it learned from the engine's actions.
type world struct {
	plans []*routing.Plan
	pick  func(n int) int
	// brisk worlds let little time pass between events, so that offers are answered.
	brisk  bool
	now    contact.Instant
	plan   int
	made   int
	states map[routing.AgentID]routing.AgentChanged
	live   []contact.ID
	offers []routing.Offer
}

func newWorld(pick func(n int) int) *world {
	return &world{plans: worldPlans(), pick: pick, brisk: pick(2) == 1, now: began, plan: -1, states: map[routing.AgentID]routing.AgentChanged{}}
}

const worldAgents = 9

func (w *world) agent() routing.AgentID {
	return routing.AgentID(fmt.Sprintf("h%d", w.pick(worldAgents)))
}

func (w *world) queueID() routing.QueueID {
	return []routing.QueueID{"crime", "general", "updates", "night"}[w.pick(4)]
}

// setUp are the events every run begins with: a plan, open queues, people in.
func (w *world) setUp() []routing.Event {
	w.plan = 0
	evs := []routing.Event{routing.PlanPublished{Version: 1, Source: "plan 0", Plan: w.plans[0]}}
	for _, q := range w.plans[0].Queues {
		evs = append(evs, routing.HoursChanged{Queue: q.ID, Open: true})
	}
	for i := range worldAgents - 2 {
		id := routing.AgentID(fmt.Sprintf("h%d", i))
		evs = append(evs, routing.AgentSignedOn{Agent: id, Profile: w.plans[0].Profiles[i%4].Name, DeviceUp: true}, routing.AgentReady{Agent: id})
	}
	return evs
}

// next draws the next instant and event.
func (w *world) next() (contact.Instant, routing.Event) {
	if w.brisk && w.pick(10) > 0 {
		w.now = w.now.Add(contact.Duration(w.pick(300)) * contact.Millisecond)
		return w.now, w.event()
	}
	switch w.pick(12) {
	case 0: // at the same instant
	case 1, 2:
		w.now = w.now.Add(contact.Duration(1+w.pick(30)) * second)
	case 3:
		return w.now.Add(-contact.Duration(w.pick(10)) * second), w.event()
	default:
		w.now = w.now.Add(contact.Duration(w.pick(3000)) * contact.Millisecond)
	}
	return w.now, w.event()
}

func (w *world) event() routing.Event {
	switch w.pick(22) {
	case 20, 21:
		return w.callback()
	case 0, 1, 2, 3:
		return w.arrival()
	case 4:
		return w.signing()
	case 5:
		return w.oddity()
	case 6:
		if len(w.live) > 0 {
			return routing.ContactReleased{Contact: w.live[w.pick(len(w.live))], Cause: w.cause()}
		}
		return routing.Tick{}
	case 7:
		return routing.Tick{}
	case 8:
		return routing.AgentReady{Agent: w.agent()}
	default:
		return w.progress()
	}
}

func (w *world) cause() routing.ReleaseCause {
	return []routing.ReleaseCause{"caller", "caller", "caller", "handler", "failure", "system"}[w.pick(6)]
}

func (w *world) arrival() routing.Event {
	w.made++
	ev := routing.ContactArrived{
		Contact: contact.ID(fmt.Sprintf("c%06d", w.made)),
		Channel: []contact.Channel{contact.Phone, contact.Phone, contact.Phone, contact.Email, contact.Web}[w.pick(5)],
		Arrival: w.now.Add(-contact.Duration(w.pick(40)) * second),
		Facts: contact.Facts{
			Language: []string{"en", "en", "pl", "bn", "xx", ""}[w.pick(6)], Vulnerable: w.pick(5) == 0,
			Answers: map[string]string{"menu": []string{"crime", "fraud", "update", "other"}[w.pick(4)]},
		},
	}
	if w.pick(3) == 0 {
		ev.Facts.Preferred = string(w.agent())
	}
	if w.pick(2) == 0 {
		ev.Facts.Line = []string{"line a", "line b", "line c"}[w.pick(3)]
	}
	ev.Facts.UnsafeToCall = w.pick(8) == 0
	if w.pick(15) == 0 {
		ev.Facts.Answers["risk"] = "yes"
	}
	if w.pick(4) == 0 {
		ev.Queue = w.queueID()
	}
	return ev
}

func (w *world) signing() routing.Event {
	id := w.agent()
	switch w.pick(9) {
	case 0, 1, 2:
		return routing.AgentSignedOn{Agent: id, Profile: []string{"crime", "expert", "general", "writer"}[w.pick(4)], DeviceUp: w.pick(4) > 0}
	case 3:
		return routing.AgentSignedOff{Agent: id}
	case 4:
		return routing.AgentNotReady{Agent: id, Reason: []string{"lunch", "training", ""}[w.pick(3)]}
	case 5:
		return routing.AgentPresence{Agent: id, Up: w.pick(3) > 0}
	case 6:
		return routing.DeviceChanged{Agent: id, Up: w.pick(3) > 0}
	default:
		return routing.AgentReady{Agent: id}
	}
}

// progress moves some handler's work on, mostly as it should go.
func (w *world) progress() routing.Event {
	v := w.states[w.agent()]
	if len(v.Work) == 0 {
		return routing.AgentReady{Agent: v.Agent}
	}
	c := v.Work[w.pick(len(v.Work))]
	switch c.Phase {
	case routing.PhaseRinging:
		switch w.pick(10) {
		case 0:
			return routing.OfferDeclined{Offer: c.Offer, Agent: v.Agent, Reason: "busy"}
		case 1:
			return routing.OfferFailed{Offer: c.Offer, Agent: v.Agent, Cause: "unreachable"}
		case 2:
			return routing.OfferAccepted{Offer: c.Offer, Agent: w.agent()}
		default:
			return routing.OfferAccepted{Offer: c.Offer, Agent: v.Agent}
		}
	case routing.PhaseCalling:
		switch w.pick(4) {
		case 0:
			return routing.Connected{Contact: c.Contact, Agent: v.Agent}
		case 1:
			return routing.ConnectFailed{Contact: c.Contact, Agent: v.Agent, Cause: "handler_gone", CallerHere: w.pick(2) == 0}
		default:
			return routing.CallbackFailed{Contact: c.Contact, Agent: v.Agent, Cause: "busy", Final: w.pick(8) == 0}
		}
	case routing.PhaseConnecting:
		if w.pick(6) == 0 {
			return routing.ConnectFailed{Contact: c.Contact, Agent: v.Agent, Cause: "leg_lost"}
		}
		return routing.Connected{Contact: c.Contact, Agent: v.Agent}
	case routing.PhaseTalking, routing.PhaseHeld, routing.PhaseParked:
		if (c.Channel != contact.Phone || w.pick(20) == 0) && w.pick(2) == 0 {
			switch w.pick(4) {
			case 0:
				return routing.ContactParked{Contact: c.Contact, Agent: v.Agent}
			case 1, 2:
				return routing.ContactResumed{Contact: c.Contact, Agent: v.Agent}
			default:
				return routing.ContactForwarded{Contact: c.Contact, Agent: v.Agent, Queue: w.queueID()}
			}
		}
		verb := []routing.Verb{"hold", "resume", "mute", "unmute", "dtmf", "hangup", "shout"}[w.pick(7)]
		switch w.pick(6) {
		case 0:
			return routing.ControlAsked{Contact: c.Contact, Agent: v.Agent, Verb: verb, Digits: []string{"1#", "", "x", "0123456789*#ABCD"}[w.pick(4)]}
		case 1:
			return routing.ControlDone{Contact: c.Contact, Agent: v.Agent, Verb: verb, Cause: []string{"", "", "", "timeout"}[w.pick(4)]}
		case 2:
			return routing.WrapUpDone{Contact: c.Contact, Agent: v.Agent, Outcome: "replied", Seen: c.Joined - w.pick(2)}
		default:
			if c.Channel != contact.Phone && w.pick(3) == 0 {
				return routing.MessageJoined{Contact: c.Contact}
			}
			return routing.ContactReleased{Contact: c.Contact, Cause: w.cause(), Seen: c.Joined - w.pick(2)}
		}
	default:
		if w.pick(5) == 0 {
			return routing.WrapUpExtended{Contact: c.Contact, Agent: v.Agent}
		}
		return routing.WrapUpDone{Contact: c.Contact, Agent: v.Agent, Outcome: "advice_given"}
	}
}

// callback draws what callers who would rather be rung back do.
func (w *world) callback() routing.Event {
	switch w.pick(8) {
	case 0:
		return routing.CallbackHoursChanged{Queue: w.queueID(), Open: w.pick(3) > 0}
	case 1:
		return routing.CallbackFailed{Contact: contact.ID(fmt.Sprintf("c%06d", w.pick(w.made+2))), Agent: w.agent(), Cause: "busy"}
	case 2:
		return routing.CallbackAsked{Contact: contact.ID(fmt.Sprintf("c%06d", w.pick(w.made+2)))}
	default:
		if len(w.live) > 0 {
			return routing.CallbackAsked{Contact: w.live[w.pick(len(w.live))]}
		}
		return routing.Tick{}
	}
}

// oddity draws rare and senseless events.
func (w *world) oddity() routing.Event {
	id := contact.ID(fmt.Sprintf("c%06d", w.pick(w.made+2)))
	switch w.pick(20) {
	case 18:
		return routing.MessageJoined{Contact: id}
	case 19:
		if len(w.live) > 0 {
			return routing.MessageJoined{Contact: w.live[w.pick(len(w.live))]}
		}
		return routing.Tick{}
	case 15:
		return routing.ContactParked{Contact: id, Agent: w.agent()}
	case 16:
		return routing.ContactResumed{Contact: id, Agent: w.agent()}
	case 17:
		return routing.ContactForwarded{Contact: id, Agent: w.agent(), Queue: w.queueID()}
	case 13:
		return routing.SurgeSwitched{Name: []string{"storm", "flood", "drizzle"}[w.pick(3)], On: w.pick(2) == 0, By: "sue"}
	case 0:
		w.plan = w.pick(len(w.plans))
		return routing.PlanPublished{Version: w.plan + 1, Source: fmt.Sprint("plan ", w.plan), Plan: w.plans[w.plan]}
	case 1, 2:
		return routing.HoursChanged{Queue: w.queueID(), Open: w.pick(4) > 0}
	case 3:
		return routing.OfferAccepted{Offer: routing.OfferID(w.pick(w.made + 3)), Agent: w.agent()}
	case 4:
		return routing.Connected{Contact: id, Agent: w.agent()}
	case 5:
		return routing.ConnectFailed{Contact: id, Agent: w.agent()}
	case 6:
		return routing.WrapUpDone{Contact: id, Agent: w.agent()}
	case 7:
		return routing.WrapUpExtended{Contact: id, Agent: w.agent()}
	case 8:
		return routing.ContactArrived{Contact: id, Channel: contact.Phone, Arrival: w.now}
	case 9:
		return routing.ContactReleased{Contact: id, Cause: w.cause()}
	case 10:
		return routing.ContactArrived{Contact: "odd", Channel: "fax", Arrival: w.now}
	case 11:
		return routing.ControlAsked{Contact: id, Agent: w.agent(), Verb: "hold"}
	case 12:
		return routing.AgentSignedOn{Agent: w.agent(), Profile: "nobody"}
	default:
		return routing.ControlDone{Contact: id, Agent: w.agent(), Verb: "mute"}
	}
}

// learn takes over what actions tell.
func (w *world) learn(actions []routing.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case routing.AgentChanged:
			w.states[a.Agent] = a
		case routing.Queued:
			if !slices.Contains(w.live, a.Contact) {
				w.live = append(w.live, a.Contact)
			}
		case routing.Ended:
			w.live = slices.DeleteFunc(w.live, func(id contact.ID) bool { return id == a.Contact })
		case routing.Offer:
			w.offers = append(w.offers, a)
		}
	}
}

// show writes actions one a line, leaving out those equal in the other list up
// to the first difference.
func show(actions, other []routing.Action) string {
	var b strings.Builder
	for i, a := range actions {
		if i < len(other) && same(actions[:i+1], other[:i+1]) {
			continue
		}
		fmt.Fprintf(&b, "  %d: %s %+v\n", i, a.ActionKind(), a)
	}
	return b.String()
}

// same compares two action lists, taking nil and empty lists for equal.
func same(a, b []routing.Action) bool {
	return slices.EqualFunc(a, b, func(x, y routing.Action) bool { return reflect.DeepEqual(plain(x), plain(y)) })
}

func plain(a routing.Action) routing.Action {
	switch a := a.(type) {
	case routing.Offer:
		if len(a.Why.Needs) == 0 {
			a.Why.Needs = nil
		}
		if len(a.Why.Removed) == 0 {
			a.Why.Removed = nil
		}
		return a
	case routing.AgentChanged:
		if len(a.Work) == 0 {
			a.Work = nil
		}
		return a
	}
	return a
}

// sound fails the test when the auditor finds a fault.
func sound(t interface {
	Helper()
	Fatalf(string, ...any)
}, e *routing.Engine, after string,
) {
	t.Helper()
	if faults := e.Check(); len(faults) > 0 {
		t.Fatalf("after %s the auditor finds:\n  %s", after, strings.Join(faults, "\n  "))
	}
}
