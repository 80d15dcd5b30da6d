package sim

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// present is a live state: so many handlers of each profile, busy, and so many
// calls waiting for crime.
func present(t testing.TB, handlers, calls int) (*routing.Engine, map[routing.AgentID]string, contact.Instant) {
	t.Helper()
	e, now := routing.New(), monday.Add(10*contact.Hour)
	profiles := map[routing.AgentID]string{}
	e.Step(now, routing.PlanPublished{Version: 1, Source: smallPlan, Plan: compiled(t, "small", smallPlan)})
	for _, q := range []routing.QueueID{"crime", "general", "property"} {
		e.Step(now, routing.HoursChanged{Queue: q, Open: true})
	}
	for i := range handlers {
		for _, p := range []string{"all", "general"} {
			id := routing.AgentID(fmt.Sprintf("%s.%03d", p, i))
			profiles[id] = p
			e.Step(now, routing.AgentSignedOn{Agent: id, Profile: p, DeviceUp: true})
			e.Step(now, routing.AgentReady{Agent: id})
		}
	}
	for i := range calls + 2*handlers {
		facts := contact.Facts{Answers: map[string]string{"menu": "crime"}}
		if i%4 == 3 {
			facts.Answers = nil
		}
		now += contact.Instant(20 * contact.Millisecond)
		for _, a := range e.Step(now, routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("01HZZZZZZZ%016d", i)), Channel: contact.Phone, Arrival: now, Facts: facts}) {
			if o, is := a.(routing.Offer); is {
				e.Step(now, routing.OfferAccepted{Offer: o.Offer, Agent: o.Agent})
				e.Step(now, routing.Connected{Contact: o.Contact, Agent: o.Agent})
			}
		}
	}
	return e, profiles, now
}

func TestForkTellsWhatMovingHandlersDoes(t *testing.T) {
	e, profiles, now := present(t, 8, 60)
	before := e.Hash()
	m := small(t)
	m.PerDay = 4000
	r, err := Fork(context.Background(), e.Clone(), ForkOptions{
		At: now, Profiles: profiles, Moves: []Move{{From: "general", To: "all", Count: 5}},
		Zone: m.Zone, Model: m, Seed: 3, Replications: 6, CheckEvery: 50,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("seed 3")
	if e.Hash() != before {
		t.Error("the live engine was changed")
	}
	if r.Plans[0].Name != "as it is" || r.Plans[1].Name != "with the changes" {
		t.Errorf("%s, %s", r.Plans[0].Name, r.Plans[1].Name)
	}
	crime := func(rows []Row) Estimate {
		for _, row := range rows {
			if row.Queue == "crime" {
				return row.Figure(Answered)
			}
		}
		return estimate(nil)
	}
	if e := crime(r.Comparisons[0].Queues); !e.Significant() || e.Mean < 10 {
		t.Errorf("five more handlers for crime answer %+v more", e)
	}
	if e := r.Plans[0].Total.Figure(Handlers); e.Mean != 16 {
		t.Errorf("%g handlers, there are 16", e.Mean)
	}
}

func TestForkBeginsWhereTheEngineStands(t *testing.T) {
	e, profiles, now := present(t, 3, 10)
	o := ForkOptions{At: now, Profiles: profiles, Model: small(t), Horizon: contact.Minute}
	f, err := newFork(e, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Outside(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	clone := e.Clone()
	w := newWorld(clone, e.PlanInForce(), out, nil, nil, forkMark)
	w.residents(&forkStart{fork: f, engine: e})
	counts := e.Counts()
	waits, talks := 0, 0
	for i := range w.visits {
		switch v := &w.visits[i]; {
		case v.resident && v.stage == waiting:
			waits++
		case v.resident && v.stage == talking:
			talks++
			if w.workers[v.agent].call != int32(i) {
				t.Errorf("call %s is in nobody's hands", w.ids[i])
			}
		}
	}
	if waits != counts.Waiting || talks != counts.Talking || waits == 0 || talks == 0 {
		t.Errorf("%d wait and %d talk, in the engine %d and %d", waits, talks, counts.Waiting, counts.Talking)
	}
	for _, h := range w.agenda.heap {
		if h.at < now {
			t.Errorf("something is to happen at %s, before now", h.at)
		}
	}
	if err := w.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if faults := clone.Check(); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestForkMayTryAPlan(t *testing.T) {
	e, profiles, now := present(t, 4, 30)
	draft := strings.Replace(smallPlan, "queue: crime}", "queue: crime, risk_to_life: true}", 1)
	m := small(t)
	m.PerDay = 3000
	r, err := Fork(context.Background(), e, ForkOptions{
		At: now, Profiles: profiles, Model: m, Seed: 4,
		Events: []routing.Event{routing.PlanPublished{Version: 2, Source: draft, Plan: compiled(t, "draft", draft)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Comparisons[0]; len(d.Total) == 0 || r.Replications != DefaultForkReplications {
		t.Errorf("%+v", r)
	}
}

func TestForkRefusesWhatCannotBe(t *testing.T) {
	e, profiles, now := present(t, 2, 1)
	m := small(t)
	for name, c := range map[string]struct {
		o    ForkOptions
		want string
	}{
		"no such profile": {ForkOptions{At: now, Model: m, Moves: []Move{{To: "nobody", Count: 1}}}, `no handler profile "nobody"`},
		"no such origin":  {ForkOptions{At: now, Model: m, Moves: []Move{{From: "nobody", To: "all", Count: 1}}}, `no handler profile "nobody"`},
		"too many":        {ForkOptions{At: now, Model: m, Profiles: profiles, Moves: []Move{{From: "general", To: "all", Count: 3}}}, "2 are signed on who could"},
		"no such handler": {ForkOptions{At: now, Model: m, Moves: []Move{{To: "all", Agents: []routing.AgentID{"zoe"}}}}, `"zoe" is not signed on`},
		"too far":         {ForkOptions{At: now, Model: m, Horizon: 25 * contact.Hour}, "at most a day"},
		"without a model": {ForkOptions{At: now}, "needs a model"},
	} {
		if _, err := Fork(context.Background(), e, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := Fork(context.Background(), routing.New(), ForkOptions{Model: m}); err == nil {
		t.Error("a fork without a plan was made")
	}
}

// BenchmarkFork looks an hour ahead with 5,000 waiting, as the console asks.
func BenchmarkFork(b *testing.B) {
	e, profiles, now := present(b, 200, 5000)
	m := small(b)
	m.PerDay = 18_417
	for b.Loop() {
		if _, err := Fork(context.Background(), e, ForkOptions{At: now, Profiles: profiles, Model: m, Moves: []Move{{From: "general", To: "all", Count: 3}}}); err != nil {
			b.Fatal(err)
		}
	}
}
