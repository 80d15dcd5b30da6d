package routing_test

import "example.org/c3i/routing"

// course adds to a queue of the plan that the next publish puts in force:
//
//	relax QUEUE NAME AFTER [skill:min,...] [any-language]
//	overflow QUEUE AFTER TO
//	prefer QUEUE WAIT
//	announce QUEUE FIRST EVERY
func (s *scenario) course(verb string, args []string) {
	var q *routing.Queue
	if s.plan != nil && len(args) > 1 {
		for i := range s.plan.Queues {
			if string(s.plan.Queues[i].ID) == args[0] {
				q = &s.plan.Queues[i]
			}
		}
	}
	if q == nil {
		s.fatalf("%s needs a queue of the plan and what to do there", verb)
	}
	switch verb {
	case "relax":
		step := routing.RelaxStep{Name: args[1], After: s.duration(args[2])}
		for _, word := range args[3:] {
			if word == "any-language" {
				step.AnyLanguage = true
			} else {
				step.Needs = s.needs(word)
			}
		}
		q.Relax = append(q.Relax, step)
	case "overflow":
		q.Overflow = append(q.Overflow, routing.OverflowStep{After: s.duration(args[1]), To: routing.QueueID(args[2])})
	case "announce":
		q.Announce = &routing.AnnouncePolicy{First: s.duration(args[1]), Every: s.duration(args[2])}
	case "prefer":
		q.Preferred = &routing.PreferredPolicy{Wait: s.duration(args[1])}
	}
}
