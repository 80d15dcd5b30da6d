package routing_test

import (
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// TestViewsOfAnEmptyEngine asks everything before there is a plan.
func TestViewsOfAnEmptyEngine(t *testing.T) {
	e := routing.New()
	_, agent := e.Agent("anna")
	_, here := e.ContactState("c1")
	_, deadline := e.NextDeadline()
	if agent || here || deadline || e.PlanVersion() != 0 || e.PlanInForce() != nil || e.Queues() != nil || len(e.Agents()) != 0 ||
		e.Waiting("general", 0) != nil || e.ServableBy("crime") != nil || e.Counts() != (routing.Counts{}) || e.Check() != nil {
		t.Error("an empty engine shows something")
	}
}

// TestViewsAgree looks at a lived-in engine from all sides.
func TestViewsAgree(t *testing.T) {
	for life := range uint64(20) {
		e, _ := lived(life, 250)
		n := e.Counts()
		waiting, offered := 0, 0
		for _, q := range e.Queues() {
			list := e.Waiting(q.Queue, 0)
			waiting, offered = waiting+q.Waiting, offered+q.Offered
			if len(list) != q.Waiting {
				t.Fatalf("life %d: queue %s counts %d waiting and lists %d", life, q.Queue, q.Waiting, len(list))
			}
			oldest, due := contact.Instant(0), contact.Instant(0)
			for i, c := range list {
				if one, here := e.ContactState(c.Contact); !here || one.Queue != q.Queue || one.Phase != routing.PhaseWaiting || one.Due != c.Due {
					t.Fatalf("life %d: %s is listed as %+v and is %+v", life, c.Contact, c, one)
				}
				if i > 0 && c.Class == list[i-1].Class && c.Due < list[i-1].Due {
					t.Fatalf("life %d: %s is listed after one due later", life, c.Contact)
				}
				if oldest == 0 || c.Arrival < oldest {
					oldest = c.Arrival
				}
				if due == 0 || c.Due < due {
					due = c.Due
				}
			}
			if q.OldestArrival != oldest || q.MostDue != due {
				t.Fatalf("life %d: queue %s has oldest %v and most due %v, listed are %v and %v", life, q.Queue, q.OldestArrival, q.MostDue, oldest, due)
			}
			if two := e.Waiting(q.Queue, 2); len(two) != min(2, len(list)) || len(two) > 0 && two[0].Contact != list[0].Contact {
				t.Fatalf("life %d: the first two of %s are %+v", life, q.Queue, two)
			}
		}
		if n.Waiting != waiting || n.Ringing != offered {
			t.Fatalf("life %d: counted %d waiting and %d ringing, queues say %d and %d", life, n.Waiting, n.Ringing, waiting, offered)
		}
		if n.Arrived != n.Ended()+n.Waiting+n.Ringing+n.Connecting+n.Talking+n.Held+n.Parked+n.Deferred+n.Calling {
			t.Fatalf("life %d: the ledger does not add up: %+v", life, n)
		}
		agents := e.Agents()
		if len(agents) != n.Ready+n.NotReady+n.Busy+n.Resting+n.Offline {
			t.Fatalf("life %d: %d handlers are listed, counted are %+v", life, len(agents), n)
		}
		for i, v := range agents {
			if one, here := e.Agent(v.Agent); !here || !sameView(one, v) || i > 0 && agents[i-1].Agent >= v.Agent {
				t.Fatalf("life %d: handler %s is listed as %+v and is %+v", life, v.Agent, v, one)
			}
		}
	}
}

// TestLaterStepsLeaveEarlierActionsAlone keeps actions while the engine
// goes on: what was handed out must not change under the reader.
func TestLaterStepsLeaveEarlierActionsAlone(t *testing.T) {
	e, w := lived(11, 50)
	var kept [][]routing.Action
	var told []string
	for range 300 {
		at, ev := w.next()
		actions := e.Step(at, ev)
		w.learn(actions)
		kept, told = append(kept, actions), append(told, show(actions, nil))
	}
	for i, actions := range kept {
		if now := show(actions, nil); now != told[i] {
			t.Fatalf("actions of step %d were\n%sand became\n%s", i, told[i], now)
		}
	}
}
