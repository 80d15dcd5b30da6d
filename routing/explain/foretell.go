package explain

import (
	"errors"
	"fmt"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Foretold is what would become of a contact that arrived at an instant.
type Foretold struct {
	Supposed Supposition `json:"supposed"`
	// Text tells it in sentences.
	Text []string `json:"text"`
	routing.Explanation
	// Label is the queue's, in the plan's words.
	Label string `json:"label"`
	// RiskToLife tells that it would go before everything else.
	RiskToLife bool `json:"risk_to_life,omitempty"`
	// Handlers tells of each handler signed on whether they could be offered it and
	// what keeps it from them.
	Handlers []routing.HandlerStanding `json:"handlers"`
}

// ErrNoPlan says that nothing can be foretold before a plan is in force.
var ErrNoPlan = errors.New("no plan is in force yet")

// Suppose tells what would become of a contact that arrived at an instant. engine
// is a copy that is the caller's: it is brought to that instant. answers are as for
// Supposition.Check, whose errors it gives, else ErrNoPlan.
func Suppose(engine *routing.Engine, at contact.Instant, s Supposition, answers map[string][]string) (Foretold, error) {
	p := engine.PlanInForce()
	if p == nil {
		return Foretold{}, ErrNoPlan
	}
	if err := s.Check(p, answers); err != nil {
		return Foretold{}, err
	}
	engine.Step(at, routing.Tick{})
	ev := s.arrival(at)
	x, told := engine.Explain(ev)
	handlers, _ := engine.Standings(ev)
	if !told {
		return Foretold{}, ErrNoPlan
	}
	f := Foretold{Supposed: s, Explanation: x, Label: string(x.Why.Queue), RiskToLife: x.Class == 0, Handlers: handlers}
	for _, q := range p.Queues {
		if q.ID == x.Why.Queue && q.Label != "" {
			f.Label = q.Label
		}
	}
	t := &teller{engine: engine}
	f.Text = t.foretell(f, ev)
	return f, nil
}

func (t *teller) foretell(f Foretold, ev routing.ContactArrived) []string {
	w := f.Why
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	say("It would come %s.%s", channelWords(f.Channel), factWords(ev.Facts))

	home := w.Queue
	if w.From != "" {
		home = w.From
	}
	who := "No rule matches, so the plan's default queue would take it"
	if ev.Queue != "" {
		who = "The flow would name the queue"
		if w.Rule != "" {
			who += fmt.Sprintf(", and the rule “%s” would match", w.Rule)
		}
	} else if w.Rule != "" {
		who = fmt.Sprintf("The rule “%s” would put it in a queue", w.Rule)
	}
	say("%s: %s, by plan version %d.", who, t.label(home), w.PlanVersion)
	if len(w.Surges) > 0 {
		say("These surges are on: %s.", strings.Join(w.Surges, ", "))
	}
	if !f.Open {
		say("That queue is closed now: it would hear the announcement and be gone.")
		return out
	}
	if w.From != "" {
		say("For its age it would have moved on to %s.", t.label(w.Queue))
	}
	out = append(out, dueSentence(f))
	if len(w.Needs) > 0 {
		say("Whoever takes it needs %s.", needWords(w.Needs))
	} else {
		say("Anyone who takes this channel will do.")
	}
	if w.Step != "" {
		say("For its age the relaxation step “%s” would be in force.", w.Step)
	}
	if w.Preference != "" {
		say("%s", preferenceWords(w))
	}
	t.outcome(f, say)
	for _, line := range keptOut(f.Handlers) {
		say("%s", line)
	}
	for _, c := range f.Next {
		say("%s", t.changeWords(f.Arrival, c))
	}
	if len(f.Next) == 0 && f.Agent == "" {
		say("Nothing about it would change by age alone: it would wait for whoever is able.")
	}
	return out
}

// standing tells how the contact stands, nil unless it waits.
func (t *teller) standing() *Standing {
	handlers, waits := t.engine.StandingsOf(t.id)
	x, here := t.engine.ExplainContact(t.id)
	if !waits || !here {
		return nil
	}
	s := &Standing{Explanation: x, Handlers: handlers}
	say := func(format string, args ...any) { s.Text = append(s.Text, fmt.Sprintf(format, args...)) }
	say("It waits as number %d of %d in the queue %s, %s.", x.Position, x.Why.Waiting, t.label(x.Why.Queue), waitWords(x.EstimatedWait))
	if len(x.Why.Needs) > 0 {
		say("Whoever takes it needs %s.", needWords(x.Why.Needs))
	}
	s.Text = append(s.Text, keptOut(handlers)...)
	for _, c := range x.Next {
		say("%s", t.changeWords(x.Arrival, c))
	}
	if len(x.Next) == 0 {
		say("Nothing about it changes by age alone: it waits for whoever is able.")
	}
	return s
}

func waitWords(d contact.Duration) string {
	if d >= routing.EstimateUnknown {
		return "how long cannot be said, because nobody within reach has what the queue needs"
	}
	return fmt.Sprintf("for about %s", span((d+contact.Second-1)/contact.Second*contact.Second))
}

func dueSentence(f Foretold) string {
	w := f.Why
	sum := fmt.Sprintf("the queue's target of %s", span(w.Target))
	if w.Credit > 0 {
		sum += fmt.Sprintf(" less the rule's credit of %s", span(w.Credit))
	}
	text := fmt.Sprintf("It would be due %s: %s.", dueWords(routing.Queued{Due: f.Due, Arrival: f.Arrival}), sum)
	if f.RiskToLife {
		text += " The rule marks a risk to life: it goes before everything else."
	}
	return text
}

func needWords(needs []routing.Need) string {
	words := make([]string, len(needs))
	for i, n := range needs {
		words[i] = fmt.Sprintf("%s at level %d", n.Skill, n.Min)
	}
	return strings.Join(words, " and ")
}

func preferenceWords(w routing.Why) string {
	switch w.Preference {
	case routing.PreferenceMet:
		return fmt.Sprintf("It would go to the handler it prefers, %s.", w.Preferred)
	case routing.PreferenceWaits:
		return fmt.Sprintf("It would be kept for the handler it prefers, %s, for now.", w.Preferred)
	case routing.PreferenceAway:
		return fmt.Sprintf("The handler it prefers, %s, is out of reach.", w.Preferred)
	case routing.PreferenceUnable:
		return fmt.Sprintf("The handler it prefers, %s, lacks a skill it needs.", w.Preferred)
	case routing.PreferenceRefused:
		return fmt.Sprintf("The handler it prefers, %s, did not take it.", w.Preferred)
	}
	return fmt.Sprintf("The handler it prefers, %s, was waited for in vain.", w.Preferred)
}

func (t *teller) outcome(f Foretold, say func(string, ...any)) {
	w := f.Why
	if f.Agent != "" {
		reason := map[string]string{
			"preferred": "the contact prefers them", "proficiency": "their skills fit best",
			"longest_idle": "they have been free the longest", "id": "they come first by name among equals",
		}[w.Chosen]
		if w.EligibleCount == 1 {
			say("It would be offered at once to %s, the only one who could take it now.", f.Agent)
			return
		}
		say("It would be offered at once to %s: of %d who could take it, %s.", f.Agent, w.EligibleCount, reason)
		if len(w.Eligible) > 1 {
			var next []string
			for _, c := range w.Eligible[1:] {
				next = append(next, string(c.Agent))
			}
			say("Next would be %s.", strings.Join(next, ", "))
		}
		return
	}
	say("Nobody could take it at once. It would wait as number %d of %d in the queue, %s.", f.Position, w.Waiting, waitWords(f.EstimatedWait))
}

// keptOut says which gate keeps out whom.
func keptOut(list []routing.HandlerStanding) []string {
	const named = 5
	if len(list) == 0 {
		return []string{"No handler is signed on."}
	}
	order := []routing.Gate{
		routing.GateState, routing.GatePresence, routing.GateDevice, routing.GateResting, routing.GateCapacity,
		routing.GateSkill, routing.GateRefused, routing.GateKept,
	}
	var out []string
	for _, g := range order {
		var who []string
		n := 0
		for _, h := range list {
			if h.Gate != g {
				continue
			}
			if n++; n <= named {
				who = append(who, standingWords(h))
			}
		}
		if n == 0 {
			continue
		}
		if n > named {
			who = append(who, fmt.Sprintf("%d more", n-named))
		}
		words := gateWords[g]
		if words == "" {
			words = strings.ReplaceAll(string(g), "_", " ")
		}
		out = append(out, fmt.Sprintf("Kept out, %s: %s.", words, strings.Join(who, ", ")))
	}
	return out
}

func standingWords(h routing.HandlerStanding) string {
	text := string(h.Agent)
	switch {
	case h.Gate == routing.GateSkill && h.NoChannel:
		text += " (does not take this channel)"
	case h.Gate == routing.GateSkill && len(h.Missing) > 0:
		text += " (lacks " + needWords(h.Missing) + ")"
	case h.Reason != "":
		text += " (" + h.Reason + ")"
	}
	return text
}

func (t *teller) changeWords(arrival contact.Instant, c routing.Change) string {
	age := span(c.At.Sub(arrival))
	switch c.What {
	case routing.ChangeRelaxed:
		return fmt.Sprintf("At an age of %s the relaxation step “%s” lets more handlers take it.", age, c.Step)
	case routing.ChangeOverflowed:
		return fmt.Sprintf("At an age of %s it moves on to %s.", age, t.label(c.To))
	case routing.ChangeLetGo:
		return fmt.Sprintf("After %s it is kept for the handler it prefers no longer.", age)
	case routing.ChangeAnnounced:
		return fmt.Sprintf("At an age of %s the caller is next told position and wait.", age)
	}
	return fmt.Sprintf("At an age of %s: %s.", age, strings.ReplaceAll(string(c.What), "_", " "))
}
