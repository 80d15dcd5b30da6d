package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// teller collects the steps of one contact.
type teller struct {
	id     contact.ID
	engine *routing.Engine
	x      Explanation
	// offers made of this contact, with whom.
	offers map[routing.OfferID]routing.AgentID
	here   bool
	was    routing.ContactStatus // before the event at hand
	wasIn  bool
	rec    journal.Record
}

func newTeller(id contact.ID, e *routing.Engine) *teller {
	return &teller{id: id, engine: e, x: Explanation{Contact: id, Steps: []Step{}}, offers: map[routing.OfferID]routing.AgentID{}}
}

func (t *teller) before(ev routing.Event) {
	if _, published := ev.(routing.PlanPublished); published {
		t.was, t.wasIn = t.engine.ContactState(t.id)
	}
}

func (t *teller) add(kind string, data any, format string, args ...any) {
	t.x.Steps = append(t.x.Steps, Step{
		Seq: t.rec.Seq, At: t.rec.At, After: max(0, t.rec.At.Sub(t.x.Arrival)), Kind: kind, Text: fmt.Sprintf(format, args...), Data: data,
	})
}

func (t *teller) finish(through uint64) Explanation {
	t.x.Through = through
	t.x.State = "ended"
	if t.x.Ending == "" {
		t.x.State = "refused"
	}
	if c, here := t.engine.ContactState(t.id); here {
		t.x.State = string(c.Phase)
		t.x.Now = t.standing()
	}
	return t.x
}

// tell adds what one record says about the contact; errEnough once it is over.
func (t *teller) tell(r journal.Record, ev routing.Event, actions []routing.Action) error {
	t.rec = r
	if in, is := ev.(routing.ContactArrived); is && in.Contact == t.id && !t.here {
		t.here = true
		t.arrived(in)
	} else if !t.here {
		return nil
	}
	t.event(r, ev)
	for _, a := range actions {
		t.action(ev, a)
	}
	if _, published := ev.(routing.PlanPublished); published {
		t.published(actions)
	}
	if _, here := t.engine.ContactState(t.id); !here {
		return errEnough // it ended, or routing never took it
	}
	return nil
}

func (t *teller) arrived(ev routing.ContactArrived) {
	t.x.Channel, t.x.Arrival = ev.Channel, ev.Arrival
	if now, here := t.engine.ContactState(t.id); here {
		t.x.Arrival = now.Arrival // as the engine took it
	} else if t.x.Arrival <= 0 || t.x.Arrival > t.rec.At {
		t.x.Arrival = t.rec.At
	}
	ev.Facts.Line = "" // it stands for the calling number
	t.add(ev.Kind(), ev, "It came to routing %s.%s", channelWords(ev.Channel), factWords(ev.Facts))
	if ev.Queue != "" {
		t.x.Steps[0].Text += fmt.Sprintf(" It named the queue %s.", ev.Queue)
	}
}

func channelWords(c contact.Channel) string {
	switch c {
	case contact.Phone:
		return "by telephone"
	case contact.Email:
		return "by e-mail"
	case contact.Web:
		return "from the website"
	}
	return "by " + string(c)
}

func factWords(f contact.Facts) string {
	var known []string
	if f.Dialled != "" {
		known = append(known, "rang "+f.Dialled)
	}
	if f.Language != "" {
		known = append(known, "language "+f.Language)
	}
	for _, k := range slices.Sorted(maps.Keys(f.Answers)) {
		known = append(known, "answered "+k+" with "+f.Answers[k])
	}
	if f.Person != "" {
		known = append(known, "a person on record")
	}
	if f.Contacts30d > 0 {
		known = append(known, plural(f.Contacts30d, "contact", "contacts")+" in the last 30 days")
	}
	if f.OpenReports > 0 {
		known = append(known, plural(f.OpenReports, "open report", "open reports"))
	}
	if f.Vulnerable {
		known = append(known, "marked vulnerable")
	}
	if f.UnsafeToCall {
		known = append(known, "not safe to ring back")
	}
	if f.RepeatVictim {
		known = append(known, "marked a repeat victim")
	}
	if len(known) == 0 {
		return " Nothing was known about it."
	}
	return " Known about it: " + strings.Join(known, "; ") + "."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// span writes a length of time, to the millisecond.
func span(d contact.Duration) string { return d.Std().Round(time.Millisecond).String() }

// dueWords tells the due time; a credit above the target puts it before the arrival.
func dueWords(a routing.Queued) string {
	if d := a.Due.Sub(a.Arrival); d >= 0 {
		return span(d) + " after it arrived"
	}
	return span(a.Arrival.Sub(a.Due)) + " before it arrived"
}

func (t *teller) label(q routing.QueueID) string {
	if p := t.engine.PlanInForce(); p != nil {
		for _, x := range p.Queues {
			if x.ID == q && x.Label != "" && x.Label != string(q) {
				return fmt.Sprintf("%s (%s)", x.Label, q)
			}
		}
	}
	return string(q)
}

// event tells of events whose actions do not say it all.
func (t *teller) event(r journal.Record, ev routing.Event) {
	switch ev := ev.(type) {
	case routing.ContactArrived, routing.PlanPublished, routing.OfferAccepted, routing.OfferDeclined, routing.OfferFailed,
		routing.ContactReleased, routing.WrapUpDone, routing.ControlAsked,
		routing.ContactParked, routing.ContactResumed, routing.ContactForwarded:
		// The actions tell.
	case routing.Connected:
		if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "The caller and %s were connected.", ev.Agent)
		}
	case routing.MessageJoined:
		if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "The sender wrote again and the message joined it.")
		}
	case routing.ConnectFailed:
		if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "It could not be connected to %s (%s) and went back to its original place.", ev.Agent, ev.Cause)
		}
	case routing.CallbackAsked:
		// CallbackNoted or Refused tells.
	case routing.CallbackFailed:
		if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "The caller was rung for %s and not reached (%s).", ev.Agent, strings.ReplaceAll(ev.Cause, "_", " "))
		}
	case routing.WrapUpExtended:
		if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "%s asked for more time to finish.", ev.Agent)
		}
	case routing.ControlDone:
		if ev.Contact == t.id && ev.Cause != "" {
			t.add(ev.Kind(), ev, "The switch could not do %s: %s.", ev.Verb, ev.Cause)
		} else if ev.Contact == t.id {
			t.add(ev.Kind(), ev, "The switch did %s.", ev.Verb)
		}
	default:
		if mentions(r.Event, t.id) {
			t.add(ev.Kind(), ev, "%s.", sentence(ev.Kind()))
		}
	}
}

func sentence(kind string) string {
	s := strings.ReplaceAll(kind, "_", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

func (t *teller) action(ev routing.Event, a routing.Action) {
	switch a := a.(type) {
	case routing.AgentChanged:
		// About handlers.
	case routing.Queued:
		if a.Contact == t.id {
			t.queued(ev, a)
		}
	case routing.QueueClosed:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "The queue %s was closed: it heard the announcement %s.", t.label(a.Queue), a.Announcement)
		}
	case routing.Offer:
		if a.Contact == t.id {
			t.offers[a.Offer] = a.Agent
			a.Facts = contact.Facts{}
			t.add(a.ActionKind(), a, "%s", t.offerWords(a))
		}
	case routing.Retract:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s", t.retractWords(ev, a))
		}
	case routing.Connect:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s took offer %d; the two are being joined.", a.Agent, a.Offer)
		}
	case routing.CallbackNoted:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "The caller asked to be rung back. It keeps its place in the queue %s.", t.label(a.Queue))
		}
	case routing.CallBack:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s took offer %d and holds the line; the caller is rung, attempt %d, for up to %s.", a.Agent, a.Offer, a.Attempt, span(a.RingFor))
		}
	case routing.Announce:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s", announceWords(a))
		}
	case routing.Control:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s asked for %s.", a.Agent, a.Verb)
		}
	case routing.Ended:
		if a.Contact == t.id {
			t.x.Ending = a.Ending
			t.add(a.ActionKind(), a, "%s", t.endedWords(a))
		}
	case routing.Closed:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s", closedWords(a))
		}
	case routing.Alert:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "Supervisors were alerted (%s): %s", a.Code, a.Text)
		}
	case routing.Refused:
		_, ours := t.offers[a.Offer]
		if a.Contact == t.id || a.Offer != 0 && ours {
			t.add(a.ActionKind(), a, "%s changed nothing: %s.", sentence(a.Event), strings.ReplaceAll(a.Code, "_", " "))
		}
	case routing.Parked:
		if a.Contact == t.id && a.For == "" {
			t.add(a.ActionKind(), a, "%s put it aside.", a.Agent)
		} else if a.Contact == t.id {
			t.add(a.ActionKind(), a, "It waits in the hands of %s for the call %s to end.", a.Agent, a.For)
		}
	case routing.Resumed:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s took it up again.", a.Agent)
		}
	case routing.Forwarded:
		if a.Contact == t.id {
			t.add(a.ActionKind(), a, "%s forwarded it from the queue %s to %s.", a.Agent, t.label(a.From), t.label(a.To))
		}
	default:
		if about(a) == t.id {
			t.add(a.ActionKind(), a, "%s.", sentence(a.ActionKind()))
		}
	}
}

func (t *teller) placing(a routing.Queued) Placing {
	p := Placing{Queue: a.Queue, Label: string(a.Queue), Rule: a.Rule, PlanVersion: a.PlanVersion, Due: a.Due}
	now, here := t.engine.ContactState(t.id)
	p.RiskToLife = here && now.Class == 0
	inForce := t.engine.PlanInForce()
	if inForce == nil {
		return p
	}
	for _, q := range inForce.Queues {
		if q.ID == a.Queue {
			p.Target = q.AnswerWithin[a.Channel]
			if q.Label != "" {
				p.Label = q.Label
			}
		}
	}
	for _, r := range inForce.Rules {
		if r.Name == a.Rule {
			p.Credit = r.Credit
		}
	}
	return p
}

func (t *teller) queued(ev routing.Event, a routing.Queued) {
	p := t.placing(a)
	who := "The plan's default queue took it"
	if p.Rule != "" {
		who = fmt.Sprintf("The rule “%s” put it", p.Rule)
	}
	if _, given := ev.(routing.ContactForwarded); given {
		p.Target, p.Credit = 0, 0
		t.add(a.ActionKind(), p, "%s in the queue %s under plan version %d, due %s.", who, t.label(p.Queue), p.PlanVersion, dueWords(a))
		return
	}
	if _, arrives := ev.(routing.ContactArrived); !arrives {
		// It keeps the due time it had: target and credit are of another place.
		p.Target, p.Credit = 0, 0
		t.add(a.ActionKind(), p, "%s in the queue %s under plan version %d. It keeps its due time, %s.",
			who, t.label(p.Queue), p.PlanVersion, dueWords(a))
		return
	}
	sum := fmt.Sprintf("the queue's target of %s", span(p.Target))
	if p.Credit > 0 {
		sum += fmt.Sprintf(" less the rule's credit of %s", span(p.Credit))
	}
	if a.Due != a.Arrival.Add(p.Target-p.Credit) {
		sum = "see the data"
	}
	text := fmt.Sprintf("%s in the queue %s by plan version %d. It is due %s: %s.", who, t.label(p.Queue), p.PlanVersion, dueWords(a), sum)
	if p.RiskToLife {
		text += " The rule marks a risk to life: it goes before everything else."
	}
	t.add(a.ActionKind(), p, "%s", text)
}

// published tells of a new plan under which a waiting contact did not change its
// queue; a new queue was told as "queued".
func (t *teller) published(actions []routing.Action) {
	now, here := t.engine.ContactState(t.id)
	if !here || !t.wasIn || now.PlanVersion == t.was.PlanVersion || now.Queue != t.was.Queue {
		return
	}
	rule := "no rule"
	if now.Rule != "" {
		rule = fmt.Sprintf("the rule “%s”", now.Rule)
	}
	t.add((routing.PlanPublished{}).Kind(), map[string]any{"plan_version": now.PlanVersion, "queue": now.Queue, "rule": now.Rule, "due": now.Due},
		"Plan version %d came into force: %s applies, and it keeps its queue and its due time.", now.PlanVersion, rule)
}

var gateWords = map[routing.Gate]string{
	routing.GateState: "not ready", routing.GatePresence: "with their desk lost", routing.GateDevice: "with their phone down",
	routing.GateResting: "resting", routing.GateCapacity: "at capacity", routing.GateSkill: "without the skills", routing.GateRefused: "who had this contact before and did not take it",
	routing.GateKept: "because it is kept for another",
}

func (t *teller) offerWords(o routing.Offer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Offer %d to %s, for %s: ", o.Offer, o.Agent, span(o.Deadline.Sub(o.Made)))
	w := o.Why
	switch w.Chosen {
	case "only_one":
		b.WriteString("nobody else could take it")
	case "proficiency":
		fmt.Fprintf(&b, "of %d who could take it their skills fit best", w.EligibleCount)
	case "longest_idle":
		fmt.Fprintf(&b, "of %d who could take it they had been free the longest", w.EligibleCount)
	case "id":
		fmt.Fprintf(&b, "of %d who could take it equally well the first by name", w.EligibleCount)
	case "most_due":
		b.WriteString("they became free, and of the contacts they may take this one was the most due")
	default:
		b.WriteString(strings.ReplaceAll(w.Chosen, "_", " "))
	}
	b.WriteString(".")
	if len(w.Needs) > 0 {
		var needs []string
		for _, n := range w.Needs {
			needs = append(needs, fmt.Sprintf("%s at level %d", n.Skill, n.Min))
		}
		fmt.Fprintf(&b, " It needs %s.", strings.Join(needs, " and "))
	}
	var others []string
	for _, c := range w.Eligible {
		if c.Agent != o.Agent {
			others = append(others, string(c.Agent))
		}
	}
	if more := w.EligibleCount - 1 - len(others); more > 0 && len(others) > 0 {
		others = append(others, fmt.Sprintf("%d more", more))
	}
	if len(others) > 0 {
		fmt.Fprintf(&b, " Next would have been %s.", strings.Join(others, ", "))
	}
	var out []string
	for _, g := range w.Removed {
		words := gateWords[g.Gate]
		if words == "" {
			words = strings.ReplaceAll(string(g.Gate), "_", " ")
		}
		out = append(out, fmt.Sprintf("%d %s", g.Count, words))
	}
	if len(out) > 0 {
		fmt.Fprintf(&b, " Kept out: %s.", strings.Join(out, ", "))
	}
	if o.Callback {
		b.WriteString(" The caller is to be rung back.")
	}
	if w.Waiting > 1 {
		fmt.Fprintf(&b, " %d contacts waited in the queue, this one included.", w.Waiting)
	}
	return b.String()
}

func announceWords(a routing.Announce) string {
	text := fmt.Sprintf("The caller was told: number %d in the queue", a.Position)
	if a.Wait > 0 {
		text += ", about " + span(a.Wait)
	}
	if a.Longer {
		text += ", and that it takes longer"
	}
	if a.Callback {
		text += ", and offered to be rung back"
	}
	return text + "."
}

func (t *teller) retractWords(ev routing.Event, a routing.Retract) string {
	back := "; it went back to its original place."
	switch a.Cause {
	case routing.RetractNoAnswer:
		return fmt.Sprintf("%s did not answer offer %d in time%s", a.Agent, a.Offer, back)
	case routing.RetractDeclined:
		reason := ""
		if d, is := ev.(routing.OfferDeclined); is && d.Reason != "" {
			reason = " (" + d.Reason + ")"
		}
		return fmt.Sprintf("%s declined offer %d%s%s", a.Agent, a.Offer, reason, back)
	case routing.RetractFailed:
		cause := ""
		if f, is := ev.(routing.OfferFailed); is && f.Cause != "" {
			cause = " (" + f.Cause + ")"
		}
		return fmt.Sprintf("%s could not be reached with offer %d%s%s", a.Agent, a.Offer, cause, back)
	case routing.RetractCallerGone:
		return fmt.Sprintf("Offer %d to %s was withdrawn: the caller was gone.", a.Offer, a.Agent)
	case routing.RetractHandler:
		return fmt.Sprintf("Offer %d was withdrawn: %s was no longer there for it%s", a.Offer, a.Agent, back)
	case routing.RetractNotReached:
		return fmt.Sprintf("%s was let go: the caller was not reached.", a.Agent)
	case routing.RetractPlan:
		return fmt.Sprintf("Offer %d was withdrawn: under the plan that came into force %s may not take it%s", a.Offer, a.Agent, back)
	}
	return fmt.Sprintf("Offer %d to %s was withdrawn: %s.", a.Offer, a.Agent, strings.ReplaceAll(string(a.Cause), "_", " "))
}

func (t *teller) endedWords(a routing.Ended) string {
	who := map[routing.ReleaseCause]string{
		routing.ReleasedByCaller: "The caller left", routing.ReleasedByHandler: "The handler ended it",
		routing.ReleasedByFailure: "A failure ended it", routing.ReleasedBySystem: "The system ended it",
	}[a.Cause]
	if who == "" {
		who = "It ended"
	}
	text := fmt.Sprintf("%s. It counts as %s", who, strings.ReplaceAll(string(a.Ending), "_", " "))
	if a.Callback != "" {
		text += " (" + strings.ReplaceAll(string(a.Callback), "_", " ") + ")"
	}
	if a.Answered > 0 {
		return fmt.Sprintf("%s: it waited %s and was with %s for %s.", text, span(a.Answered.Sub(a.Arrival)), a.Agent, span(a.At.Sub(a.Answered)))
	}
	return fmt.Sprintf("%s after %s.", text, span(a.At.Sub(a.Arrival)))
}

func closedWords(a routing.Closed) string {
	if a.TimedOut {
		return fmt.Sprintf("The time %s had to finish it ran out.", a.Agent)
	}
	if a.Outcome == "" {
		return fmt.Sprintf("%s finished it.", a.Agent)
	}
	return fmt.Sprintf("%s finished it with the outcome %s.", a.Agent, a.Outcome)
}
