package routing_test

import (
	"fmt"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// show writes what a command asks to see.
func (s *scenario) show(verb string, args []string) {
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	switch verb {
	case "why":
		s.say("%s", reasons(s.offers[contact.ID(arg)]))
	case "agents":
		for _, v := range s.engine.Agents() {
			s.say("%s", telling(v))
		}
	case "queues":
		for _, q := range s.engine.Queues() {
			s.say("%s (%s) open=%v waiting=%d offered=%d oldest=%s most due=%s", q.Queue, q.Label, q.Open, q.Waiting, q.Offered, clock(q.OldestArrival), clock(q.MostDue))
		}
	case "waiting":
		for _, c := range s.engine.Waiting(routing.QueueID(arg), 0) {
			s.say("%s class %d due %s arrived %s", c.Contact, c.Class, clock(c.Due), clock(c.Arrival))
		}
	case "contact":
		c, here := s.engine.ContactState(contact.ID(arg))
		if !here {
			s.say("%s is not here", arg)
			return
		}
		s.say("%s %s in %s, with %q, arrived %s, due %s, missed %d, refused by %v", c.Contact, c.Phase, c.Queue, c.Agent, clock(c.Arrival), clock(c.Due), c.Misses, c.RefusedBy)
	case "counts":
		n := s.engine.Counts()
		parked := ""
		if n.Parked > 0 {
			parked = fmt.Sprintf(" + parked %d", n.Parked)
		}
		s.say("arrived %d = ended %d + waiting %d + ringing %d + connecting %d + talking %d + held %d%s; wrap-up %d",
			n.Arrived, n.Ended(), n.Waiting, n.Ringing, n.Connecting, n.Talking, n.Held, parked, n.WrapUp)
		s.say("answered %d, abandoned %d short %d in queue %d after a message, failed %d", n.Answered, n.AbandonedShort, n.AbandonedInQueue, n.AbandonedAfterMessage, n.Failed)
	case "servable":
		s.say("%v", s.engine.ServableBy(arg))
	case "deadline":
		at, some := s.engine.NextDeadline()
		s.say("%s %v", clock(at), some)
	default:
		s.fatalf("no command %q", verb)
	}
}

// clock writes an instant as time of day, with milliseconds if there are any.
func clock(i contact.Instant) string {
	if i == 0 {
		return "-"
	}
	return strings.TrimSuffix(i.Time().Format("15:04:05.000"), ".000")
}

// telling writes an action as a line a person reads.
func telling(a routing.Action) string {
	switch a := a.(type) {
	case routing.Queued:
		return fmt.Sprintf("queued %s in %s%s, due %s%s", a.Contact, a.Queue, optional(" from ", string(a.From)), clock(a.Due), optional(" by rule ", a.Rule)+optional(", keeps the place of ", string(a.KeptFrom))+is(a.Callback, ", may be rung back")+is(a.RingBack, ", to be rung back"))
	case routing.QueueClosed:
		return fmt.Sprintf("queue closed: %s came to %s, play %s", a.Contact, a.Queue, a.Announcement)
	case routing.Offer:
		return fmt.Sprintf("offer #%d: %s to %s until %s (%s)%s", a.Offer, a.Contact, a.Agent, clock(a.Deadline), a.Why.Chosen, is(a.Callback, ", to be rung back"))
	case routing.CallbackNoted:
		return fmt.Sprintf("noted: %s in %s is to be rung back", a.Contact, a.Queue)
	case routing.CallBack:
		return fmt.Sprintf("call back #%d: %s for %s, attempt %d, %s", a.Offer, a.Contact, a.Agent, a.Attempt, a.RingFor)
	case routing.Retract:
		return fmt.Sprintf("retract #%d: %s from %s (%s)", a.Offer, a.Contact, a.Agent, a.Cause)
	case routing.SurgeChanged:
		return fmt.Sprintf("surge %s on=%v by %s", a.Name, a.On, a.By)
	case routing.Parked:
		return fmt.Sprintf("parked %s at %s%s", a.Contact, a.Agent, optional(" for ", string(a.For)))
	case routing.Forwarded:
		return fmt.Sprintf("forwarded %s by %s from %s to %s", a.Contact, a.Agent, a.From, a.To)
	case routing.Resumed:
		return fmt.Sprintf("resumed %s at %s", a.Contact, a.Agent)
	case routing.Announce:
		longer := ""
		if a.Longer {
			longer = ", longer than that"
		}
		return fmt.Sprintf("announce to %s in %s: number %d, %s%s%s", a.Contact, a.Queue, a.Position, a.Wait, longer, is(a.Callback, ", may be rung back"))
	case routing.Connect:
		return fmt.Sprintf("connect #%d: %s and %s", a.Offer, a.Contact, a.Agent)
	case routing.Control:
		return fmt.Sprintf("control %s of %s by %s%s", a.Verb, a.Contact, a.Agent, optional(": ", a.Digits))
	case routing.AgentChanged:
		return handlerLine(a)
	case routing.Ended:
		return fmt.Sprintf("ended %s in %s: %s%s, by %s%s%s", a.Contact, a.Queue, a.Ending, optional(" ", string(a.Callback)), a.Cause, optional(", with ", string(a.Agent)), optional(", answered ", strings.Trim(clock(a.Answered), "-")))
	case routing.Closed:
		late := ""
		if a.TimedOut {
			late = ", time ran out"
		}
		return fmt.Sprintf("closed %s by %s%s%s", a.Contact, a.Agent, optional(": ", a.Outcome), late)
	case routing.Alert:
		return fmt.Sprintf("alert %s:%s%s%s", a.Code, optional(" contact ", string(a.Contact)), optional(" handler ", string(a.Agent)), optional(" queue ", string(a.Queue)))
	case routing.Refused:
		number := ""
		if a.Offer > 0 {
			number = fmt.Sprintf(" #%d", a.Offer)
		}
		return fmt.Sprintf("refused %s: %s%s%s%s", a.Event, a.Code, optional(" ", string(a.Agent)), optional(" ", string(a.Contact)), number)
	}
	return fmt.Sprintf("%s %+v", a.ActionKind(), a)
}

func is(so bool, text string) string {
	if so {
		return text
	}
	return ""
}

func optional(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func handlerLine(a routing.AgentChanged) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s", a.Agent, a.State)
	b.WriteString(optional(" ", strings.Trim("("+a.Reason+")", "()")))
	if a.Until != 0 {
		b.WriteString(" until " + clock(a.Until))
	}
	if a.Next == routing.StateNotReady {
		b.WriteString(", next not_ready" + optional(" ", a.NextReason))
	}
	if a.State != routing.StateOffline && !a.Present {
		b.WriteString(", desk lost")
	}
	if a.State != routing.StateOffline && !a.DeviceUp {
		b.WriteString(", phone down")
	}
	for _, w := range a.Work {
		fmt.Fprintf(&b, "; %s %s", w.Contact, w.Phase)
		if w.Aside {
			b.WriteString(" aside")
		}
		if w.Joined > 0 {
			fmt.Fprintf(&b, " joined by %d", w.Joined)
		}
		if w.Muted {
			b.WriteString(" muted")
		}
		if w.Until != 0 {
			b.WriteString(" until " + clock(w.Until))
		}
		if w.Extended {
			b.WriteString(" extended")
		}
	}
	return b.String()
}

// explain writes an Explanation.
func (s *scenario) explain(x routing.Explanation, told bool) {
	if !told {
		s.say("nothing is known of it")
		return
	}
	s.say("%s%s %s: number %d in %s (open=%v), class %d, wait %s, goes to %q", strings.TrimLeft(string(x.Contact)+" ", " "), x.Channel, x.Phase, x.Position, x.Why.Queue, x.Open, x.Class, x.EstimatedWait, x.Agent)
	s.say("%s", because(x.Why, x.Arrival, x.Due))
	for _, c := range x.Next {
		s.say("at %s %s%s%s", clock(c.At), c.What, optional(" ", c.Step), optional(" to ", string(c.To)))
	}
}

// reasons writes an offer's Why.
func reasons(o routing.Offer) string {
	return fmt.Sprintf("#%d %s", o.Offer, because(o.Why, o.Arrival, o.Due))
}

func because(w routing.Why, arrival, due contact.Instant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %d rule %q queue %s: due = %s + %s - %s = %s\n", w.PlanVersion, w.Rule, w.Queue, clock(arrival), w.Target, w.Credit, clock(due))
	fmt.Fprintf(&b, "needs %v, waiting %d, chosen by %s among %d:", w.Needs, w.Waiting, w.Chosen, w.EligibleCount)
	for _, c := range w.Eligible {
		fmt.Fprintf(&b, " %s(%d, idle since %s)", c.Agent, c.Proficiency, clock(c.IdleSince))
	}
	b.WriteString("\nremoved:")
	for _, g := range w.Removed {
		fmt.Fprintf(&b, " %s=%d", g.Gate, g.Count)
	}
	b.WriteString(optional("\nstep: ", w.Step) + optional("\noverflowed from ", string(w.From)) + optional("\nkeeps the place of ", string(w.KeptFrom)) + optional("\nsurges on: ", strings.Join(w.Surges, ", ")) + optional("\nprefers ", string(w.Preferred)) + optional(": ", string(w.Preference)))
	return b.String()
}
