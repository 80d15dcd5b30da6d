package sim

import (
	"math"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// withFirst is the bare plan with contacts of queue one before all others.
func withFirst(profiles map[string][]string) *routing.Plan {
	p := bare(profiles, "one", "two")
	p.Rules = []routing.Rule{{Name: "one first", Queue: "one", Class0: true, Match: func(routing.RuleInput) bool { return true }}}
	return p
}

// Two queues, one before the other, served by the same handlers: for equal laws of
// service the mean waits are C/(cμ(1−σ₁)) and C/(cμ(1−σ₁)(1−σ₂)), C being Erlang C of
// all, σₖ the occupancy by queues up to k (Cobham, "Priority assignment in waiting
// line problems", Operations Research 2 (1954) 70–76).
func TestPriorityAgreesWithCobham(t *testing.T) {
	replications, calls := effort()
	const service, servers = 120.0, 8
	first, second := 2.4/service, 4.2/service
	s := stationary{kinds: []kind{{first, "one"}, {second, "two"}}, service: Exponential(service), patience: never, length: span(2 * calls / (first + second))}
	s.staff("both", servers)
	t.Log("seed 1954")
	o := Options{Seed: 1954, Replications: replications, Within: 20 * contact.Second, WarmUp: span(30 * service)}
	one, two := Group{Queue: "one", Hour: -1}, Group{Queue: "two", Hour: -1}
	got := measure(t, withFirst(map[string][]string{"both": {"one", "two"}}), s, o, one, two)
	wait := ErlangC(servers, (first+second)*service) * service / servers
	sigma1, sigma2 := first*service/servers, (first+second)*service/servers
	agree(t, "one", got[one][ASA], wait/(1-sigma1), 0.15*wait/(1-sigma1))
	agree(t, "two", got[two][ASA], wait/(1-sigma1)/(1-sigma2), 0.2*wait/(1-sigma1)/(1-sigma2))
}

// The N model: some handlers do the second queue only, and are asked first because
// they are the better at it; the others do both and take the first queue before the
// second. The mean waits follow from the Markov chain of (specialists busy, others
// busy, waiting for one, waiting for two), solved here by iteration.
func TestSkillsAgreeWithTheMarkovChainOfTheNModel(t *testing.T) {
	replications, calls := effort()
	const service = 120.0
	const specialists, others = 3, 3
	loads := [2]float64{1.8, 2.8}
	waitOne, waitTwo := solveN(specialists, others, loads)
	s := stationary{kinds: []kind{{loads[0] / service, "one"}, {loads[1] / service, "two"}}, service: Exponential(service), patience: never, length: span(2 * calls * service / (loads[0] + loads[1]))}
	s.staff("two", specialists)
	s.staff("both", others)
	p := withFirst(map[string][]string{"two": {"two"}, "both": {"one", "two"}})
	for i := range p.Profiles {
		if p.Profiles[i].Name == "two" {
			p.Profiles[i].Skills[0].Level = 3
		}
	}
	t.Log("seed 1906")
	o := Options{Seed: 1906, Replications: replications, Within: 20 * contact.Second, WarmUp: span(30 * service)}
	one, two := Group{Queue: "one", Hour: -1}, Group{Queue: "two", Hour: -1}
	got := measure(t, p, s, o, one, two)
	agree(t, "one", got[one][ASA], waitOne*service, 0.15*waitOne*service)
	agree(t, "two", got[two][ASA], waitTwo*service, 0.2*waitTwo*service)
}

// solveN gives the mean waits of the N model in service times.
func solveN(specialists, others int, loads [2]float64) (one, two float64) {
	const most = 120 // waiting for each
	type state struct{ s, f, q1, q2 int }
	index := map[state]int{}
	var states []state
	add := func(x state) {
		index[x] = len(states)
		states = append(states, x)
	}
	for s := range specialists + 1 {
		for f := range others + 1 {
			if f < others {
				add(state{s: s, f: f})
				continue
			}
			for q1 := range most + 1 {
				if s < specialists {
					add(state{s, f, q1, 0})
					continue
				}
				for q2 := range most + 1 {
					add(state{s, f, q1, q2})
				}
			}
		}
	}
	type flow struct {
		to   int
		rate float64
	}
	flows := make([][]flow, len(states))
	top := loads[0] + loads[1] + float64(specialists+others)
	for i, x := range states {
		go1, go2 := x, x
		if x.f < others {
			go1.f++
		} else {
			go1.q1 = min(x.q1+1, most)
		}
		switch {
		case x.s < specialists:
			go2.s++
		case x.f < others:
			go2.f++
		default:
			go2.q2 = min(x.q2+1, most)
		}
		flows[i] = append(flows[i], flow{index[go1], loads[0]}, flow{index[go2], loads[1]})
		if x.s > 0 {
			done := x
			if x.q2 > 0 {
				done.q2--
			} else {
				done.s--
			}
			flows[i] = append(flows[i], flow{index[done], float64(x.s)})
		}
		if x.f > 0 {
			done := x
			switch {
			case x.q1 > 0:
				done.q1--
			case x.q2 > 0:
				done.q2--
			default:
				done.f--
			}
			flows[i] = append(flows[i], flow{index[done], float64(x.f)})
		}
	}
	p, next := make([]float64, len(states)), make([]float64, len(states))
	p[0] = 1
	for range 20_000 {
		clear(next)
		for i, list := range flows {
			stay := p[i]
			for _, f := range list {
				moved := p[i] * f.rate / top
				next[f.to] += moved
				stay -= moved
			}
			next[i] += stay
		}
		change := 0.0
		for i := range p {
			change += math.Abs(p[i] - next[i])
		}
		p, next = next, p
		if change < 1e-11 {
			break
		}
	}
	for i, x := range states {
		one += p[i] * float64(x.q1) / loads[0]
		two += p[i] * float64(x.q2) / loads[1]
	}
	return one, two
}
