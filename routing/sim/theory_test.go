package sim

import (
	"context"
	"fmt"
	"math"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// stationary is a source with a constant rate of calls: what queueing formulas
// speak of. Kinds are sent in turn by their shares.
type stationary struct {
	kinds    []kind
	service  Distribution
	patience Distribution
	shifts   []Shift
	length   contact.Duration
}

type kind struct {
	rate  float64 // a second
	queue routing.QueueID
}

const monday = contact.Instant(1_414_368_000 * contact.Second) // 2014-10-27T00:00Z

func (s stationary) Describe() (string, []string) { return "a constant rate", nil }

func (s stationary) Period() (from, to contact.Instant) { return monday, monday.Add(s.length) }

func (s stationary) Profiles() []string { return nil }

func (s stationary) Outside(seed uint64, replication int) (*Outside, error) {
	from, to := s.Period()
	dice := newStream(seed, replication)
	out := &Outside{From: from, To: to, Shifts: s.shifts, Answering: Answering{Delay: Constant(0)}, stream: dice}
	rate := 0.0
	for _, k := range s.kinds {
		rate += k.rate
	}
	facts := &contact.Facts{}
	at := 0.0
	for i := 0; ; i++ {
		at += exponential(dice.uniform(i, forArrival, 0)) / rate
		when := from.Add(span(at))
		if when >= to {
			return out, nil
		}
		pick := dice.uniform(i, forMix, 0) * rate
		k := 0
		for k < len(s.kinds)-1 && pick >= s.kinds[k].rate {
			pick -= s.kinds[k].rate
			k++
		}
		out.Arrivals = append(out.Arrivals, Arrival{
			At: when, Channel: contact.Phone, Queue: s.kinds[k].queue, Facts: facts,
			Talk: s.service.Quantile(dice.uniform(i, forTalk, 0)), Patience: s.patience.Quantile(dice.uniform(i, forPatience, 0)),
		})
	}
}

// bare is a plan with no wrap-up and the queues given, each needing a skill of
// its own name.
func bare(profiles map[string][]string, queues ...string) *routing.Plan {
	within := map[contact.Channel]contact.Duration{contact.Phone: contact.Minute, contact.Email: contact.Hour, contact.Web: contact.Hour}
	p := &routing.Plan{
		Version: 1, DefaultQueue: routing.QueueID(queues[0]), ShortAbandon: 5 * contact.Second,
		Offer: routing.OfferPolicy{RingFor: map[contact.Channel]contact.Duration{contact.Phone: contact.Minute}, NoAnswerRest: contact.Minute},
	}
	for _, q := range queues {
		p.Queues = append(p.Queues, routing.Queue{
			ID: routing.QueueID(q), Label: q, AnswerWithin: within,
			Needs: []routing.Need{{Skill: contact.Skill(q), Min: 1}},
		})
	}
	for _, name := range []string{"one", "two", "both"} {
		skills, is := profiles[name]
		if !is {
			continue
		}
		def := routing.Profile{Name: name, Capacity: map[contact.Channel]int{contact.Phone: 1}}
		for _, s := range skills {
			def.Skills = append(def.Skills, routing.SkillLevel{Skill: contact.Skill(s), Level: 1})
		}
		p.Profiles = append(p.Profiles, def)
	}
	return p
}

func (s *stationary) staff(profile string, n int) {
	from, to := s.Period()
	for i := range n {
		s.shifts = append(s.shifts, Shift{Agent: routing.AgentID(fmt.Sprintf("%s-%03d", profile, i)), Profile: profile, From: from, To: to})
	}
}

// measure runs replications and gives each figure of a group.
func measure(t *testing.T, p *routing.Plan, s stationary, o Options, groups ...Group) map[Group]map[Metric][]float64 {
	t.Helper()
	from, to := s.Period()
	ready := prepareCompiled("theory", p, contact.Zone{}, from, to, o.Within)
	o.Source, o.Plans = s, []PlanInput{{}}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	done, err := replicate(context.Background(), &o, []*prepared{ready})
	if err != nil {
		t.Fatal(err)
	}
	all := map[Group]map[Metric][]float64{}
	for _, g := range groups {
		all[g] = map[Metric][]float64{}
		for _, m := range Definitions(o.Formula) {
			for _, one := range done {
				all[g][m.Metric] = append(all[g][m.Metric], one[0].groups[g].value(m.Metric, o.Formula))
			}
		}
	}
	return all
}

// effort is how many replications of how many calls each.
func effort() (replications int, calls float64) {
	if raced {
		return 10, 450
	}
	return 20, 8_000
}

var whole = Group{Hour: -1}

// agree says that theory lies within the 99 % interval, and that the interval is
// narrow enough to mean something.
func agree(t *testing.T, what string, values []float64, theory, narrow float64) {
	t.Helper()
	e := estimateAt(values, 0.99)
	t.Logf("%-14s theory %9.4f  simulated %9.4f ± %.4f (99 %%)", what, theory, e.Mean, e.Half)
	if !e.Contains(theory) {
		t.Errorf("%s: theory says %.5g, simulated %.5g ± %.2g (99 %%)", what, theory, e.Mean, e.Half)
	}
	if e.Half > narrow && !raced {
		t.Errorf("%s: the interval ± %.3g is too wide to tell anything: wanted ± %.3g", what, e.Half, narrow)
	}
}

func TestAgreesWithErlangC(t *testing.T) {
	for n, c := range []struct {
		servers          int
		load, service, t float64
	}{
		{1, 0.5, 60, 60}, {2, 1.2, 180, 20}, {5, 4, 180, 30}, {10, 8, 240, 20}, {20, 17, 120, 20}, {50, 45, 300, 30},
	} {
		t.Run(fmt.Sprintf("%d servers, %g erlangs", c.servers, c.load), func(t *testing.T) {
			replications, calls := effort()
			rate := c.load / c.service
			s := stationary{kinds: []kind{{rate, "one"}}, service: Exponential(c.service), patience: never, length: span((calls + 60*float64(c.servers)) / rate)}
			s.staff("one", c.servers)
			seed := uint64(1917 + n)
			t.Logf("seed %d", seed)
			o := Options{Seed: seed, Replications: replications, Within: span(c.t), WarmUp: span(20 * c.service)}
			got := measure(t, bare(map[string][]string{"one": {"one"}}, "one"), s, o, whole)[whole]
			theory := MMC(rate, c.service, c.servers, c.t)
			agree(t, "mean wait", got[ASA], theory.MeanAnswered, 0.25*theory.MeanAnswered+0.1)
			agree(t, "service level", got[ServiceLevel], theory.Within, 0.04)
			agree(t, "occupancy", got[Occupancy], theory.Occupancy, 0.03)
		})
	}
}

// erlangACases are from hardly any queue to half as much again as the servers can do.
var erlangACases = []struct {
	servers                    int
	load, service, patience, t float64
}{
	{1, 0.8, 120, 120, 20},
	{4, 4, 180, 60, 20},
	{10, 12, 240, 180, 30},
	{20, 18, 300, 240, 20},
	{30, 45, 194, 80, 20},
	{50, 50, 60, 120, 10},
	{50, 48, 60, 120, 20},
}

func TestAgreesWithErlangA(t *testing.T) {
	for n, c := range erlangACases {
		t.Run(fmt.Sprintf("%d servers, %g erlangs", c.servers, c.load), func(t *testing.T) {
			replications, calls := effort()
			rate := c.load / c.service
			s := stationary{kinds: []kind{{rate, "one"}}, service: Exponential(c.service), patience: Exponential(c.patience), length: span((calls + 60*float64(c.servers)) / rate)}
			s.staff("one", c.servers)
			seed := uint64(2007 + n)
			t.Logf("seed %d", seed)
			o := Options{Seed: seed, Replications: replications, Within: span(c.t), WarmUp: span(10 * c.service)}
			got := measure(t, bare(map[string][]string{"one": {"one"}}, "one"), s, o, whole)[whole]
			theory := MMCM(rate, c.service, c.patience, c.servers, c.t)
			agree(t, "mean wait", got[ASA], theory.MeanAnswered, 0.05*theory.MeanAnswered+0.5)
			agree(t, "service level", got[ServiceLevel], theory.Within, 0.04)
			agree(t, "abandonment", got[AbandonRate], theory.Abandon, 0.01)
			agree(t, "occupancy", got[Occupancy], theory.Occupancy, 0.015)
		})
	}
}

// Two queues. Apart, each with its own handlers, they are two M/M/c; with every
// handler able to do both, one M/M/2c, which for equal laws waits far less
// (Smith and Whitt, "Resource sharing for efficiency in traffic systems", Bell
// System Technical Journal 60 (1981) 39–55). In the N model one pool does both
// and one does the second only: the wait lies between the two.
func TestTwoQueuesApartTogetherAndInN(t *testing.T) {
	replications, calls := effort()
	const service = 120.0
	rate := 4.2 / service
	run := func(profiles map[string][]string, staff map[string]int) map[Group]map[Metric][]float64 {
		s := stationary{kinds: []kind{{rate, "one"}, {rate, "two"}}, service: Exponential(service), patience: never, length: span(calls / rate)}
		for _, name := range []string{"one", "two", "both"} {
			s.staff(name, staff[name])
		}
		o := Options{Seed: 1981, Replications: replications, Within: 20 * contact.Second, WarmUp: span(30 * service)}
		return measure(t, bare(profiles, "one", "two"), s, o, whole, Group{Queue: "one", Hour: -1}, Group{Queue: "two", Hour: -1})
	}
	skills := map[string][]string{"one": {"one"}, "two": {"two"}, "both": {"one", "two"}}
	apart := run(skills, map[string]int{"one": 6, "two": 6})
	together := run(skills, map[string]int{"both": 12})
	n := run(skills, map[string]int{"two": 6, "both": 6})
	one, pooled := MMC(rate, service, 6, 20), MMC(2*rate, service, 12, 20)
	for _, q := range []Group{{Queue: "one", Hour: -1}, {Queue: "two", Hour: -1}} {
		agree(t, string(q.Queue)+" apart", apart[q][ASA], one.MeanAnswered, 0.15*one.MeanAnswered)
		agree(t, string(q.Queue)+" together", together[q][ASA], pooled.MeanAnswered, 0.2*pooled.MeanAnswered)
	}
	middle := estimateAt(n[whole][ASA], 0.99)
	t.Logf("N model: mean wait %.2f ± %.2f s, between %.2f (pooled) and %.2f (apart)", middle.Mean, middle.Half, pooled.MeanAnswered, one.MeanAnswered)
	if middle.Low() > one.MeanAnswered || middle.High() < pooled.MeanAnswered {
		t.Errorf("the N model waits %.2f ± %.2f s, which is not between %.2f and %.2f", middle.Mean, middle.Half, pooled.MeanAnswered, one.MeanAnswered)
	}
	if math.IsNaN(middle.Half) {
		t.Error("no interval")
	}
}
