package plan

import (
	"strings"

	"example.org/c3i/contact"
)

// A credit beyond both lets newer calls pass older ones for so long that callers
// give up first.
const (
	creditTimes = 10 // the queue's target for calls
	creditLeast = 30 * contact.Minute
)

// starvingRules warns of rules whose contacts keep others waiting without bound
// while they keep coming.
func (b *builder) starvingRules() {
	plan := &b.doc.plan
	for i, rule := range plan.Rules {
		for _, q := range plan.Queues {
			target := q.AnswerWithin[contact.Phone]
			if q.ID == rule.Queue && rule.Credit > max(creditTimes*target, creditLeast) {
				b.r.warnf(b.ruleAt[i], "credit_starves",
					"a credit of %s puts each call by this rule before those that have waited up to %s longer, of a queue with a target of %s: while such calls keep coming the others wait without bound; give a credit near the target",
					brief(rule.Credit), brief(rule.Credit), brief(target))
			}
		}
		if rule.Class0 && b.rules[i].broad() {
			b.r.warnf(b.ruleAt[i], "risk_to_life_broad",
				"this rule marks a risk to life without looking at an answer or at who calls: what it matches goes before everything else, which then waits without bound")
		}
	}
}

// broad tells whether the condition may hold whatever the caller answered and
// whoever they are.
func (c condition) broad() bool {
	for _, t := range c.terms {
		narrow := false
		for _, a := range t {
			narrow = narrow || strings.HasPrefix(a.subject, "answers") || strings.HasPrefix(a.subject, "caller") ||
				a.op == "is" && (strings.Contains(a.subject, "answers") || strings.Contains(a.subject, "caller"))
		}
		if !narrow {
			return true
		}
	}
	return false
}
