package routing_test

import (
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// FuzzStep reads a byte string as choices: mostly sensible events, some not, at
// any instants. Nothing may panic, and the auditor must find nothing.
func FuzzStep(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a shift with calls, e-mails and web forms, and one plan published in the middle of it all"))
	f.Add([]byte{0, 4, 9, 255, 1, 2, 3, 17, 5, 5, 5, 0, 5, 0, 1, 128, 200, 31, 7, 5, 5, 13, 1, 0, 0, 6, 6, 6})
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) > 4000 {
			return
		}
		pick := func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0])
			choices = choices[1:]
			if n > 256 && len(choices) > 0 {
				c = c<<8 | int(choices[0])
				choices = choices[1:]
			}
			return c % n
		}
		w := newWorld(pick)
		e, eye := routing.New(), newWitness()
		if pick(8) > 0 {
			for _, ev := range w.setUp() {
				w.learn(e.Step(w.now, ev))
			}
		}
		for len(choices) > 0 {
			at, ev := w.next()
			switch pick(40) {
			case 0:
				at = []contact.Instant{-1 << 63, 0, 1<<63 - 1, began}[pick(4)]
			case 1:
				ev = nonsense(pick)
			}
			actions := e.Step(at, ev)
			if err := eye.see(ev, actions); err != nil {
				t.Fatalf("%+v: %v", ev, err)
			}
			w.learn(actions)
			if faults := e.Check(); len(faults) > 0 {
				t.Fatalf("after %+v the auditor finds %v", ev, faults)
			}
		}
		if e.Clone().Hash() != e.Hash() {
			t.Fatal("a clone has another hash")
		}
	})
}

// stranger is an event the engine does not know.
type stranger struct{}

func (stranger) Kind() string { return "stranger" }

func nonsense(pick func(int) int) routing.Event {
	return []routing.Event{
		nil,
		stranger{},
		routing.PlanPublished{},
		routing.PlanPublished{Version: 9, Plan: &routing.Plan{}},
		routing.HoursChanged{},
		routing.AgentSignedOn{},
		routing.AgentSignedOn{Agent: "", Profile: "crime"},
		routing.AgentReady{},
		routing.ContactArrived{},
		routing.ContactArrived{Contact: "x", Channel: contact.Web, Arrival: -5, Queue: "\x00"},
		routing.OfferAccepted{Offer: 1<<64 - 1},
		routing.ContactReleased{Contact: "x", Cause: "meteor"},
		routing.WrapUpDone{Contact: "x"},
		routing.MessageJoined{},
		routing.ControlAsked{Contact: "c000001", Agent: "h1", Verb: ""},
	}[pick(15)]
}
