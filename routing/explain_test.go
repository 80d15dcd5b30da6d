package routing_test

import (
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// TestExplainForetells asks what would become of a contact, then sends it to a
// clone: what was foretold happens, and asking changed nothing.
func TestExplainForetells(t *testing.T) {
	s := seed(t)
	offered, queued, closed := 0, 0, 0
	for i := range uint64(300) {
		e, w := lived(s+i, 20+int(i))
		before := e.Hash()
		ev := w.arrival().(routing.ContactArrived)
		ev.Contact = "asked" // the world may have used the next id out of turn
		x, told := e.Explain(ev)
		if e.Hash() != before {
			t.Fatalf("seed %d: asking changed the engine", s+i)
		}
		if ev.Arrival > x.At {
			t.Fatalf("seed %d: the world is ahead of the engine", s+i)
		}
		if !told {
			t.Fatalf("seed %d: nothing was foretold", s+i)
		}
		sound(t, e, "asking")
		clone := e.Clone()
		var to routing.AgentID
		for _, a := range clone.Step(x.At, ev) {
			switch a := a.(type) {
			case routing.QueueClosed:
				closed++
				if x.Open {
					t.Fatalf("seed %d: %s is closed, foretold open", s+i, a.Queue)
				}
			case routing.Queued:
				queued++
				if !x.Open && ev.Channel == contact.Phone || a.Queue != x.Why.Queue || a.Due != x.Due || a.Rule != x.Why.Rule || a.From != x.Why.From || a.PlanVersion != x.Why.PlanVersion {
					t.Fatalf("seed %d: %+v was queued, foretold %+v", s+i, a, x)
				}
			case routing.Offer:
				if a.Contact != ev.Contact { // it took a ringing callback's place, whose handler goes to one before it
					continue
				}
				offered++
				to = a.Agent
				if !same([]routing.Action{routing.Offer{Why: a.Why}}, []routing.Action{routing.Offer{Why: x.Why}}) {
					t.Fatalf("seed %d: offered because of\n%+v\nforetold\n%+v", s+i, a.Why, x.Why)
				}
			}
		}
		if (x.Open || ev.Channel != contact.Phone) && x.Agent != to {
			t.Fatalf("seed %d: %+v offered to %q, foretold %+v", s+i, ev, to, x)
		}
		if status, here := clone.ContactState(ev.Contact); here && status.Phase == routing.PhaseWaiting {
			y, _ := clone.ExplainContact(ev.Contact)
			if list := clone.Waiting(y.Why.Queue, 0); list[y.Position-1].Contact != ev.Contact || y.Position != x.Position {
				t.Fatalf("seed %d: foretold as number %d, explained as %d among %v", s+i, x.Position, y.Position, list)
			}
			if y.Agent != "" || y.Why.Chosen != "" || y.Why.Waiting != x.Why.Waiting || len(y.Next) != len(x.Next) {
				t.Fatalf("seed %d: waiting, explained as %+v", s+i, y)
			}
			if next, some := clone.NextDeadline(); len(y.Next) > 0 && (!some || next > y.Next[0].At) {
				t.Fatalf("seed %d: changes at %v, the engine's next deadline is %v", s+i, y.Next[0].At, next)
			}
		}
	}
	if offered < 10 || queued < 50 || closed < 3 {
		t.Errorf("only %d offered, %d queued and %d closed: too few to tell", offered, queued, closed)
	}
}

// Whoever is here can be explained, whatever their phase.
func TestExplainContactInEveryPhase(t *testing.T) {
	s := seed(t)
	seen := map[routing.Phase]int{}
	for i := range uint64(60) {
		e, w := lived(s+i, 300)
		before := e.Hash()
		for _, id := range w.live {
			status, _ := e.ContactState(id)
			x, here := e.ExplainContact(id)
			if !here || x.Phase != status.Phase || x.Agent != status.Agent || x.Due != status.Due || x.Why.Queue != status.Queue {
				t.Fatalf("seed %d: %+v is explained as %+v", s+i, status, x)
			}
			seen[x.Phase]++
		}
		if e.Hash() != before {
			t.Fatalf("seed %d: asking changed the engine", s+i)
		}
	}
	for _, phase := range []routing.Phase{routing.PhaseWaiting, routing.PhaseRinging, routing.PhaseConnecting, routing.PhaseTalking, routing.PhaseDeferred, routing.PhaseCalling} {
		if seen[phase] == 0 {
			t.Errorf("nobody was %s: %v", phase, seen)
		}
	}
	if _, here := routing.New().ExplainContact("x"); here {
		t.Error("a contact nobody knows was explained")
	}
	if _, told := routing.New().Explain(routing.ContactArrived{Channel: contact.Phone}); told {
		t.Error("an engine without a plan foretold something")
	}
}
