package sim

import (
	"example.org/c3i/routing"
)

// effect counts what a plan's rules and steps did in one replication.
type effect struct {
	// rules has a place for each of the plan's rules and a last one for none.
	rules []ruleCount
	// relax and overflow count by queue and step: answered under it, moved by it.
	relax, overflow [][]float64
	spent           float64
}

type ruleCount struct{ hits, answered, abandoned, waited float64 }

func newEffect(p *routing.Plan) effect {
	e := effect{rules: make([]ruleCount, len(p.Rules)+1)}
	for _, q := range p.Queues {
		e.relax = append(e.relax, make([]float64, len(q.Relax)))
		e.overflow = append(e.overflow, make([]float64, len(q.Overflow)))
	}
	return e
}

// count takes in a visit that counts.
func (e *effect) count(w *world, v *visit) {
	rule := int(v.rule)
	if rule < 0 || rule >= len(e.rules)-1 {
		rule = len(e.rules) - 1
	}
	r := &e.rules[rule]
	r.hits++
	switch {
	case v.answered != 0:
		r.answered++
		r.waited += v.answered.Sub(v.arrived).Std().Seconds()
	case v.stage == leftShort || v.stage == leftLong:
		r.abandoned++
	}
	if n := int(v.step); n > 0 && v.answered != 0 && n <= len(e.relax[v.queue]) {
		e.relax[v.queue][n-1]++
	}
	for step := range min(int(v.moves), len(e.overflow[v.home])) {
		e.overflow[v.home][step]++
	}
}

// RuleEffect is what one rule of a plan did.
type RuleEffect struct {
	// Rule is empty for contacts no rule matched, which go to the default queue.
	Rule  string          `json:"rule"`
	Queue routing.QueueID `json:"queue"`
	// Hits are the contacts the rule chose the queue of, Share of all offered.
	Hits  Estimate `json:"hits"`
	Share Estimate `json:"share"`
	// Abandoned of them, and the mean wait in seconds of those answered.
	Abandoned Estimate `json:"abandoned"`
	ASA       Estimate `json:"asa"`
	// Dead tells that it matched nobody in any replication.
	Dead bool `json:"dead"`
}

// StepEffect is what one relaxation or overflow step of a queue did.
type StepEffect struct {
	Queue routing.QueueID `json:"queue"`
	// Kind is "relax" or "overflow".
	Kind string `json:"kind"`
	// Name is the relaxation step's, or the queue overflowed to.
	Name string `json:"name"`
	// After is for people: how long a contact waits until then.
	After string `json:"after"`
	// Contacts answered under the relaxation step, or moved by the overflow step.
	Contacts Estimate `json:"contacts"`
	Dead     bool     `json:"dead"`
}

// ruleEffects estimates what each rule did, in the plan's order, those no rule
// matched last.
func ruleEffects(x *estimator, p *prepared, list []result) []RuleEffect {
	var out []RuleEffect
	for i := range len(p.plan.Rules) + 1 {
		r := RuleEffect{Queue: p.plan.DefaultQueue, Dead: true}
		if i < len(p.plan.Rules) {
			r.Rule, r.Queue = p.plan.Rules[i].Name, p.plan.Rules[i].Queue
		}
		each := func(of func(c ruleCount, all float64) float64) Estimate {
			values := make([]float64, len(list))
			for n, one := range list {
				values[n] = of(one.effect.rules[i], float64(one.contacts))
			}
			return x.of(values)
		}
		r.Hits = each(func(c ruleCount, _ float64) float64 { return c.hits })
		r.Share = each(func(c ruleCount, all float64) float64 { return c.hits / all })
		r.Abandoned = each(func(c ruleCount, _ float64) float64 { return c.abandoned })
		r.ASA = each(func(c ruleCount, _ float64) float64 { return c.waited / c.answered })
		r.Dead = r.Hits.Mean == 0
		out = append(out, r)
	}
	return out
}

// stepEffects estimates what each step did, in the plan's order.
func stepEffects(x *estimator, p *prepared, list []result) []StepEffect {
	var out []StepEffect
	for q := range p.plan.Queues {
		queue := &p.plan.Queues[q]
		add := func(kind, name string, after float64, of func(e *effect) float64) {
			values := make([]float64, len(list))
			for n := range list {
				values[n] = of(&list[n].effect)
			}
			s := StepEffect{Queue: queue.ID, Kind: kind, Name: name, After: seconds(after), Contacts: x.of(values)}
			s.Dead = s.Contacts.Mean == 0
			out = append(out, s)
		}
		for i, s := range queue.Relax {
			add("relax", s.Name, s.After.Std().Seconds(), func(e *effect) float64 { return e.relax[q][i] })
		}
		for i, s := range queue.Overflow {
			add("overflow", string(s.To), s.After.Std().Seconds(), func(e *effect) float64 { return e.overflow[q][i] })
		}
	}
	return out
}
