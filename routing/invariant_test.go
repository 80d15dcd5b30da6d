package routing

import (
	"fmt"
	"strings"
	"testing"

	"example.org/c3i/contact"
)

// audited is an engine with something of everything: anna talks, ben is offered
// a call, carl rests after refusing it, dora is in wrap-up; two calls wait.
func audited(t *testing.T) *Engine {
	t.Helper()
	e := New()
	at := contact.Instant(1_767_603_600_000_000_000)
	step := func(ev Event) {
		at = at.Add(contact.Second)
		for _, a := range e.Step(at, ev) {
			if r, is := a.(Refused); is {
				t.Fatalf("setting up: %+v", r)
			}
		}
	}
	step(PlanPublished{Version: 1, Plan: &Plan{
		DefaultQueue: "q", Queues: []Queue{{ID: "q", Relax: []RelaxStep{{Name: "late", After: 2 * contact.Hour}}}},
		Profiles: []Profile{{Name: "p", Capacity: map[contact.Channel]int{contact.Phone: 1}}},
		Offer:    OfferPolicy{DeclineRest: contact.Hour, RingFor: map[contact.Channel]contact.Duration{contact.Phone: contact.Hour}},
		WrapUp:   WrapUpPolicy{Limit: contact.Hour},
	}})
	step(HoursChanged{Queue: "q", Open: true})
	for i, id := range []AgentID{"anna", "dora", "carl", "ben"} {
		step(AgentSignedOn{Agent: id, Profile: "p", DeviceUp: true})
		step(AgentReady{Agent: id})
		if i < 2 {
			call := contact.ID(fmt.Sprintf("c%d", i))
			step(ContactArrived{Contact: call, Channel: contact.Phone})
			step(OfferAccepted{Offer: OfferID(i + 1), Agent: id})
			step(Connected{Contact: call, Agent: id})
		}
	}
	step(ContactReleased{Contact: "c1", Cause: ReleasedByCaller})
	step(ContactArrived{Contact: "c2", Channel: contact.Phone})
	step(OfferDeclined{Offer: 3, Agent: "carl"})
	for i := 3; i < 6; i++ {
		step(ContactArrived{Contact: contact.ID(fmt.Sprintf("c%d", i)), Channel: contact.Phone})
	}
	step(ContactReleased{Contact: "c3", Cause: ReleasedByCaller})
	if faults := e.Check(); len(faults) > 0 {
		t.Fatalf("a sound engine is faulted: %v", faults)
	}
	return e
}

// TestAuditorFindsWhatIsBroken spoils one thing at a time behind the engine's
// back; an auditor that stays silent would prove nothing in other tests.
func TestAuditorFindsWhatIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(e *Engine)
		want  string
	}{
		"a contact lost":              {func(e *Engine) { delete(e.contacts, "c4") }, "does not wait there"},
		"a contact in two hands":      {func(e *Engine) { e.handlers["carl"].work = append(e.handlers["carl"].work, e.contacts["c0"]) }, "with 2 handlers"},
		"a contact waits and rings":   {func(e *Engine) { e.contacts["c2"].line.push(e.contacts["c2"], e.seats.place) }, "still in a line"},
		"a contact in nobody's hands": {func(e *Engine) { e.handlers["anna"].work = nil }, "with 0 handlers"},
		"two calls at one desk":       {func(e *Engine) { e.handlers["ben"].work = append(e.handlers["ben"].work, e.contacts["c0"]) }, "has 2 calls"},
		"two open offers at one desk": {func(e *Engine) {
			e.contacts["c0"].phase = PhaseRinging
			e.handlers["ben"].work = append(e.handlers["ben"].work, e.contacts["c0"])
		}, "2 open offers"},
		"beyond capacity":             {func(e *Engine) { e.contacts["c0"].capacity = 0 }, "capacity for 0"},
		"an offer to one who left":    {func(e *Engine) { e.handlers["ben"].present = false }, "not there to take it"},
		"an offer nobody can accept":  {func(e *Engine) { delete(e.offers, 4) }, "not listed so"},
		"an ended contact still here": {func(e *Engine) { e.ended.add("c0") }, "among the ended"},
		"a contact ended twice":       {func(e *Engine) { e.ended.ring = append(e.ended.ring, "c3") }, "ended twice"},
		"an ending too many":          {func(e *Engine) { e.tally.Failed++ }, "contacts arrived"},
		"a place kept unlisted":       {func(e *Engine) { e.left.list = append(e.left.list, leaver{Contact: "z", Line: "l"}) }, "listed as having left"},
		"a place kept for one here":   {func(e *Engine) { e.left.add(leaver{Contact: "c5", Line: "l"}) }, "which is here"},
		"parked with no call": {func(e *Engine) {
			c := e.contacts["c0"]
			c.channel, c.phase = onEmail, PhaseParked
			c.handler.profile.capacity[onEmail] = 1
		}, "parked but no call"},
		"fewer messages than none":        {func(e *Engine) { e.contacts["c0"].joined = -1 }, "joined by -1 messages"},
		"put aside while being worked on": {func(e *Engine) { e.contacts["c0"].aside = true }, "put aside but is"},
		"a step not taken":                {func(e *Engine) { e.now = e.now.Add(3 * contact.Hour) }, "its age puts it in"},
		"a step forgotten":                {func(e *Engine) { e.setWake(e.contacts["c5"], 0) }, "looked at again"},
		"kept for nobody":                 {func(e *Engine) { c := e.contacts["c5"]; e.unwait(c); c.held = true; e.wait(c) }, "who will not take it"},
		"kept and not listed":             {func(e *Engine) { e.contacts["c5"].held = true }, "not listed so"},
		"moved too often":                 {func(e *Engine) { e.contacts["c5"].moves = 2 }, "no such course"},
		"a heap out of order":             {func(e *Engine) { h := e.plan.lines[0].heap; h[0], h[1] = h[1], h[0] }, "not where its line has it"},
		"a place that moved":              {func(e *Engine) { e.contacts["c5"].due++ }, "is due at"},
		"a deadline that passed":          {func(e *Engine) { e.now = e.contacts["c2"].until }, "not after"},
		"a deadline forgotten":            {func(e *Engine) { e.timers.remove(0, e.seats.timer) }, "not kept"},
		"a deadline too many":             {func(e *Engine) { e.timers.push(timer{at: e.now + 1, h: e.handlers["anna"]}, e.seats.timer) }, "are wanted"},
		"a miscounted queue":              {func(e *Engine) { e.plan.queues[0].waiting++ }, "counts"},
		"a miscounted gate":               {func(e *Engine) { e.gates[onPhone][gateResting]++ }, "there are"},
		"an idle handler not listed":      {func(e *Engine) { e.handlers["carl"].restUntil = 0 }, "not listed so"},
		"a handler shown wrongly":         {func(e *Engine) { e.handlers["carl"].shown = StateReady }, "is shown ready"},
		"a call left with a free desk": {func(e *Engine) {
			e.setRest(e.handlers["carl"], 0, "")
			e.settle(e.handlers["carl"])
			e.freed, e.changed = nil, nil
		}, "could take it"},
		"work left undone":           {func(e *Engine) { e.recheck = true }, "left undone"},
		"a phase nobody knows":       {func(e *Engine) { e.contacts["c0"].phase = "dancing" }, "unknown phase"},
		"a contact under another id": {func(e *Engine) { e.contacts["c0"].id = "other" }, "under another id"},
		"state without a plan":       {func(e *Engine) { e.plan = nil }, "no plan"},
	} {
		t.Run(name, func(t *testing.T) {
			e := audited(t)
			c.spoil(e)
			if faults := strings.Join(e.Check(), "\n"); !strings.Contains(faults, c.want) {
				t.Errorf("the auditor finds:\n%s\nwant a fault that says %q", faults, c.want)
			}
		})
	}
}
