package routing_test

import (
	"testing"

	"example.org/c3i/routing"
	"example.org/c3i/routing/routingbench"
)

// A terse engine decides as any other does: it is in the same state after each of
// many events, and what it says is the same but for what only people read.
func TestTerseEngineDecidesTheSame(t *testing.T) {
	plain, brief := routingbench.NewLoad(40, 8, 200), routingbench.NewLoad(40, 8, 200)
	brief.Engine.Terse()
	said := 0
	brief.Listen = func(list []routing.Action) {
		for _, a := range list {
			if _, is := a.(routing.AgentChanged); is {
				t.Fatalf("a terse engine reports %+v", a)
			}
			if o, is := a.(*routing.Offer); is && (o.Why.Eligible != nil || o.Why.Removed != nil) {
				t.Fatalf("a terse engine tells who else could have taken offer %d", o.Offer)
			}
			said++
		}
	}
	told := 0
	plain.Listen = func(list []routing.Action) {
		for _, a := range list {
			if _, is := a.(routing.AgentChanged); !is {
				told++
			}
		}
	}
	for i := range 200 {
		plain.Drive(50)
		brief.Drive(50)
		if plain.Engine.Hash() != brief.Engine.Hash() {
			t.Fatalf("the terse engine is in another state after %d rounds", i+1)
		}
	}
	if said == 0 || said != told {
		t.Errorf("the terse engine said %d things, the other %d", said, told)
	}
}
