package routing

import (
	"maps"
	"slices"

	"example.org/c3i/contact"
)

// under is the plan with surges laid over it; the plan itself when none is.
func (p *Plan) under(surges []string) *Plan {
	if len(surges) == 0 {
		return p
	}
	laid := *p
	laid.Queues = slices.Clone(p.Queues)
	for i := range laid.Queues {
		q := &laid.Queues[i]
		for _, s := range p.Surges {
			if !slices.Contains(surges, s.Name) {
				continue
			}
			for _, over := range s.Queues {
				if over.Queue == q.ID {
					over.layOver(q)
				}
			}
		}
	}
	return &laid
}

func (s SurgeQueue) layOver(q *Queue) {
	if len(s.AnswerWithin) > 0 {
		targets := make(map[contact.Channel]contact.Duration, channels)
		maps.Copy(targets, q.AnswerWithin)
		maps.Copy(targets, s.AnswerWithin)
		q.AnswerWithin = targets
	}
	if s.Overflow != nil {
		q.Overflow = s.Overflow
	}
	switch {
	case s.Silent:
		q.Announce = nil
	case s.Announce != nil:
		q.Announce = s.Announce
	}
}

// surviving sorts surges into those the plan has, in its order, and the others.
func (p *Plan) surviving(surges []string) (on, gone []string) {
	for _, s := range p.Surges {
		if slices.Contains(surges, s.Name) && !slices.Contains(on, s.Name) {
			on = append(on, s.Name)
		}
	}
	for _, name := range surges {
		if !slices.Contains(on, name) {
			gone = append(gone, name)
		}
	}
	return on, gone
}

func (e *Engine) surgeSwitched(ev SurgeSwitched) {
	code := ""
	var next *ruleset
	switch {
	case e.plan == nil:
		code = RefusedNoPlan
	case !slices.ContainsFunc(e.plan.base.Surges, func(s Surge) bool { return s.Name == ev.Name }):
		code = RefusedSurge
	case slices.Contains(e.plan.surges, ev.Name) == ev.On:
		code = RefusedNoChange
	default:
		on := slices.DeleteFunc(slices.Clone(e.plan.surges), func(name string) bool { return name == ev.Name })
		if ev.On {
			on, _ = e.plan.base.surviving(append(on, ev.Name))
		}
		if len(on) == 0 {
			on = nil
		}
		var good bool
		if next, good = prepare(e.plan.version, e.plan.source, e.plan.base, on); !good {
			code = RefusedPlan
		}
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code})
		return
	}
	e.emit(SurgeChanged(ev))
	e.putInForce(next)
}
