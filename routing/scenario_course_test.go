package routing_test

import (
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// course adds to a queue of the plan that the next publish puts in force:
//
//	relax QUEUE NAME AFTER [skill:min,...] [any-language]
//	overflow QUEUE AFTER TO
//	prefer QUEUE WAIT
//	surge NAME QUEUE [phone=90s] [overflow=AFTER:TO,...] [announce=FIRST:EVERY | announce=never]
//	announce QUEUE FIRST EVERY
//	callback QUEUE [over=5m] [attempts=3] [spacing=5m] [ring=30s] [hours]
func (s *scenario) course(verb string, args []string) {
	if verb == "surge" {
		s.surge(args)
		return
	}
	var q *routing.Queue
	if s.plan != nil && len(args) > 0 {
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
	case "callback":
		p := routing.CallbackDefault()
		for _, word := range args[1:] {
			switch key, value, _ := strings.Cut(word, "="); key {
			case "over":
				p.Over = s.duration(value)
			case "attempts":
				p.Attempts = s.number(value)
			case "spacing":
				p.Spacing = s.duration(value)
			case "ring":
				p.RingFor = s.duration(value)
			case "hours":
				p.Hours = func(contact.Local) bool { return true }
			default:
				s.fatalf("callback does not take %q", word)
			}
		}
		q.Callback = &p
	case "prefer":
		q.Preferred = &routing.PreferredPolicy{Wait: s.duration(args[1])}
	}
}

// surge adds what a surge changes in one queue.
func (s *scenario) surge(args []string) {
	over := routing.SurgeQueue{Queue: routing.QueueID(args[1])}
	for _, word := range args[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case key == "phone":
			over.AnswerWithin = map[contact.Channel]contact.Duration{contact.Phone: s.duration(value)}
		case key == "overflow":
			over.Overflow = []routing.OverflowStep{}
			for _, step := range strings.Split(value, ",") {
				if after, to, is := strings.Cut(step, ":"); is {
					over.Overflow = append(over.Overflow, routing.OverflowStep{After: s.duration(after), To: routing.QueueID(to)})
				}
			}
		case word == "announce=never":
			over.Silent = true
		case key == "announce":
			first, every, _ := strings.Cut(value, ":")
			over.Announce = &routing.AnnouncePolicy{First: s.duration(first), Every: s.duration(every)}
		default:
			s.fatalf("surge does not take %q", word)
		}
	}
	for i := range s.plan.Surges {
		if s.plan.Surges[i].Name == args[0] {
			s.plan.Surges[i].Queues = append(s.plan.Surges[i].Queues, over)
			return
		}
	}
	s.plan.Surges = append(s.plan.Surges, routing.Surge{Name: args[0], Label: args[0], Queues: []routing.SurgeQueue{over}})
}
