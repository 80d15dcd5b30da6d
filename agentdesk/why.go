package agentdesk

import (
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// whySentence says in one sentence why a contact came to this handler.
func whySentence(w routing.Why, plan *routing.Plan) string {
	var b strings.Builder
	b.WriteString("Sent to you because ")
	if w.Rule != "" {
		b.WriteString("the rule “" + w.Rule + "” put it in " + queueLabel(plan, w.Queue))
	} else {
		b.WriteString("it is waiting in " + queueLabel(plan, w.Queue))
	}
	if len(w.Needs) > 0 {
		b.WriteString(", which needs " + needsInWords(w.Needs, plan))
	}
	b.WriteString(", and ")
	n := w.EligibleCount
	switch w.Chosen {
	case "only_one":
		b.WriteString("you were the only handler free to take it")
	case "preferred":
		b.WriteString("you are the handler preferred for it")
	case "proficiency":
		b.WriteString("of the " + strconv.Itoa(n) + " handlers free to take it your skills fit best")
	case "longest_idle":
		b.WriteString("of the " + strconv.Itoa(n) + " handlers free to take it you had been free the longest")
	case "id":
		b.WriteString("you and other handlers were equally fit and free equally long")
	case "most_due":
		if w.Waiting > 1 {
			b.WriteString("when you became free it was the most due of the " + strconv.Itoa(w.Waiting) + " contacts waiting there")
		} else {
			b.WriteString("when you became free it was the most due contact you may take")
		}
	default:
		b.WriteString("you were free to take it")
	}
	if w.Credit > 0 {
		b.WriteString("; it was moved forward by " + w.Credit.Std().String())
	}
	b.WriteString(".")
	return b.String()
}

func needsInWords(needs []routing.Need, plan *routing.Plan) string {
	words := make([]string, len(needs))
	for i, n := range needs {
		words[i] = skillLabel(plan, n.Skill)
		if n.Min > 1 {
			words[i] += " at level " + strconv.Itoa(int(n.Min)) + " or above"
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// skillLabel is the plan's word for a skill, else its name.
func skillLabel(plan *routing.Plan, skill contact.Skill) string {
	if plan != nil {
		for _, s := range plan.Skills {
			if s.Code == string(skill) && s.Label != "" {
				return s.Label
			}
		}
	}
	return string(skill)
}
