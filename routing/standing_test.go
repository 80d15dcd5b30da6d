package routing_test

import (
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// TestStandingsAgreeWithWhy counts handlers one by one and finds what Explain
// counted, for contacts that might come and for those that wait.
func TestStandingsAgreeWithWhy(t *testing.T) {
	s := seed(t)
	gates, waiting := map[routing.Gate]int{}, 0
	agree := func(i uint64, x routing.Explanation, list []routing.HandlerStanding) {
		t.Helper()
		got := map[routing.Gate]int{}
		var eligible []routing.AgentID
		for j, h := range list {
			if j > 0 && h.Agent <= list[j-1].Agent {
				t.Fatalf("seed %d: %s after %s", s+i, h.Agent, list[j-1].Agent)
			}
			if h.Gate == "" {
				eligible = append(eligible, h.Agent)
				if len(h.Missing) > 0 || h.NoChannel || h.IdleSince == 0 {
					t.Fatalf("seed %d: eligible, yet %+v", s+i, h)
				}
				continue
			}
			if h.Gate == routing.GateSkill && len(h.Missing) == 0 && !h.NoChannel {
				t.Fatalf("seed %d: nothing is missing: %+v", s+i, h)
			}
			got[h.Gate]++
			gates[h.Gate]++
		}
		for _, g := range x.Why.Removed {
			if got[g.Gate] != g.Count {
				t.Fatalf("seed %d: gate %s: %d counted, %d found in %+v", s+i, g.Gate, g.Count, got[g.Gate], list)
			}
			delete(got, g.Gate)
		}
		if len(got) > 0 || len(eligible) != x.Why.EligibleCount {
			t.Fatalf("seed %d: found %v and %d eligible; why has %+v", s+i, got, len(eligible), x.Why)
		}
		for _, c := range x.Why.Eligible {
			found := false
			for _, h := range list {
				found = found || h.Agent == c.Agent && h.Gate == "" && h.Proficiency == c.Proficiency && h.IdleSince == c.IdleSince
			}
			if !found {
				t.Fatalf("seed %d: %+v is not among %+v", s+i, c, list)
			}
		}
	}
	for i := range uint64(300) {
		e, w := lived(s+i, 20+int(i))
		before := e.Hash()
		ev := w.arrival().(routing.ContactArrived)
		x, _ := e.Explain(ev)
		list, told := e.Standings(ev)
		if !told {
			t.Fatalf("seed %d: nothing was told", s+i)
		}
		agree(i, x, list)
		for _, id := range w.live {
			x, _ := e.ExplainContact(id)
			list, waits := e.StandingsOf(id)
			if waits != (x.Phase == routing.PhaseWaiting) {
				t.Fatalf("seed %d: %s is %s, told %v", s+i, id, x.Phase, waits)
			}
			if waits {
				waiting++
				agree(i, x, list)
			}
		}
		if e.Hash() != before {
			t.Fatalf("seed %d: asking changed the engine", s+i)
		}
	}
	if waiting < 50 || len(gates) < 5 {
		t.Errorf("only %d waited, gates %v: too few to tell", waiting, gates)
	}
	if _, told := routing.New().Standings(routing.ContactArrived{Channel: contact.Phone}); told {
		t.Error("told without a plan")
	}
}

// TestStandingsWhenTheCallerRingsIn asks about the line of a callback that rings at
// the only handler: the call would have its place, and so its handler.
func TestStandingsWhenTheCallerRingsIn(t *testing.T) {
	e := routing.New()
	e.Step(1, routing.PlanPublished{Version: 1, Source: "x", Plan: &routing.Plan{
		Version: 1, DefaultQueue: "q", Queues: []routing.Queue{{ID: "q", Callback: &routing.CallbackPolicy{Attempts: 1}}},
		Profiles: []routing.Profile{{Name: "a", Capacity: map[contact.Channel]int{contact.Phone: 1}}},
	}})
	e.Step(2, routing.HoursChanged{Queue: "q", Open: true})
	call := routing.ContactArrived{Contact: "c1", Channel: contact.Phone, Facts: contact.Facts{Line: "l"}}
	e.Step(3, call)
	e.Step(4, routing.CallbackAsked{Contact: "c1"})
	for _, ev := range []routing.Event{
		routing.AgentSignedOn{Agent: "h", Profile: "a"},
		routing.AgentPresence{Agent: "h", Up: true},
		routing.DeviceChanged{Agent: "h", Up: true},
		routing.AgentReady{Agent: "h"},
	} {
		e.Step(5, ev)
	}
	if due, some := e.NextDeadline(); some {
		e.Step(due, routing.Tick{})
	}
	if s, _ := e.ContactState("c1"); s.Phase != routing.PhaseRinging {
		t.Fatalf("the callback is %q", s.Phase)
	}
	call.Contact = "c2"
	if list, _ := e.Standings(call); len(list) != 1 || list[0].Gate != "" {
		t.Errorf("the caller who rings in: %+v", list)
	}
	call.Facts.Line = "other"
	if list, _ := e.Standings(call); len(list) != 1 || list[0].Gate != routing.GateCapacity {
		t.Errorf("somebody else: %+v", list)
	}
}

func TestProfilesAreTold(t *testing.T) {
	e := routing.New()
	e.Step(1, routing.PlanPublished{Version: 1, Source: "x", Plan: &routing.Plan{
		Version: 1, DefaultQueue: "q", Queues: []routing.Queue{{ID: "q"}}, Profiles: []routing.Profile{{Name: "a"}, {Name: "b"}},
	}})
	e.Step(2, routing.AgentSignedOn{Agent: "h1", Profile: "a"})
	e.Step(3, routing.AgentSignedOn{Agent: "h2", Profile: "b"})
	e.Step(4, routing.AgentSignedOn{Agent: "h1", Profile: "b"})
	if got := e.Profiles(); len(got) != 2 || got["h1"] != "b" || got["h2"] != "b" {
		t.Errorf("profiles: %v", got)
	}
}
