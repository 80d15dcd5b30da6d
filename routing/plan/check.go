package plan

import (
	"fmt"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// check makes the checks that need the whole plan.
func (b *builder) check() {
	b.doc.queueAt = b.queueAt
	b.unreachableRules()
	if !b.r.problems.HasErrors() {
		b.idleSkills()
		b.unservedQueues()
		b.idleSteps()
		b.starvingRules()
		b.unservedHours()
	}
}

// unreachableRules finds rules that an earlier one always or equally matches.
func (b *builder) unreachableRules() {
	always := -1
	seen := map[string]int{}
	for i, c := range b.rules {
		if c.match == nil {
			continue
		}
		at := b.ruleAt[i]
		if always >= 0 {
			b.r.errorf(at, "unreachable_rule", "this rule is never reached: rule %q before it always matches", b.doc.plan.Rules[always].Name)
			continue
		}
		if first, again := seen[c.canonical]; again {
			b.r.errorf(at, "unreachable_rule", "this rule is never reached: rule %q before it has the same condition", b.doc.plan.Rules[first].Name)
			continue
		}
		seen[c.canonical] = i
		switch {
		case c.canonical == "true":
			always = i
		case c.apart && len(c.terms) == 0:
			b.r.warnf(at, "rule_never_matches", "this rule never matches")
		case c.apart:
			b.shadowedRule(i)
		}
	}
}

// shadowedRule warns of a rule whose every case an earlier one takes. The figures
// of queues are the same for all rules, so they count.
func (b *builder) shadowedRule(i int) {
	earlier := make([][]term, i)
	for j, c := range b.rules[:i] {
		if c.apart {
			earlier[j] = c.terms
		}
	}
	by := coveredBy(b.rules[i].terms, earlier)
	if len(by) == 0 {
		return
	}
	var names []string
	for _, j := range by {
		names = append(names, fmt.Sprintf("%q", b.doc.plan.Rules[j].Name))
	}
	what := "rule " + names[0] + " before it matches"
	if len(names) > 1 {
		what = "rules " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " before it match"
	}
	b.r.warnf(b.ruleAt[i], "unreachable_rule", "this rule is never reached: %s whatever it would. Put it before, or leave it out", what)
}

// idleSkills warns of skills that are declared but held by no profile.
func (b *builder) idleSkills() {
	held := map[contact.Skill]bool{}
	for _, p := range b.doc.plan.Profiles {
		for _, s := range p.Skills {
			held[s.Skill] = true
		}
	}
	for _, s := range b.skills {
		if !held[contact.Skill(s)] {
			b.r.warnf(b.skillAt[s], "skill_nobody_has", "no profile has the skill %s", s)
		}
	}
}

// unservedQueues warns of queues and rules whose needs no one profile meets on
// the telephone: their callers would wait for ever.
func (b *builder) unservedQueues() {
	plan := &b.doc.plan
	for _, q := range plan.Queues {
		at := b.queueAt[string(q.ID)]
		if !b.served(q.Needs) {
			if !b.reaches(q, "", nil, b.takesCalls) {
				b.r.warnf(at, "wait_unbounded", "a call of this queue waits for ever: no profile that takes calls has all its skills (%s), and no relaxation or overflow step reaches one", needText(q.Needs))
				continue
			}
			b.r.warnf(at, "queue_nobody_serves", "no profile that takes calls has all the skills of this queue: %s", needText(q.Needs))
			continue
		}
		if !q.LanguageSkill {
			continue
		}
		for _, s := range b.skills {
			if strings.HasPrefix(s, "lang.") {
				needs := append(append([]routing.Need{}, q.Needs...), routing.Need{Skill: contact.Skill(s), Min: 1})
				if !b.served(needs) && !b.reaches(q, contact.Skill(s), nil, b.takesCalls) {
					b.r.warnf(at, "wait_unbounded", "a call of this queue in %s waits for ever: no profile that takes calls can serve it (%s), and no relaxation or overflow step reaches one", s, needText(needs))
				} else if !b.served(needs) {
					b.r.warnf(at, "language_nobody_serves", "no profile that takes calls can serve this queue in %s: %s", s, needText(needs))
				}
			}
		}
	}
	for i, rule := range plan.Rules {
		if len(rule.Needs) == 0 {
			continue
		}
		needs := append([]routing.Need{}, rule.Needs...)
		for _, q := range plan.Queues {
			if q.ID == rule.Queue {
				needs = append(needs, q.Needs...)
			}
		}
		if !b.served(needs) && !b.ruleReaches(rule) {
			b.r.warnf(b.ruleAt[i], "wait_unbounded", "a call by this rule waits for ever: no profile that takes calls has all the skills it asks for (%s), and no relaxation or overflow step reaches one", needText(needs))
		} else if !b.served(needs) {
			b.r.warnf(b.ruleAt[i], "rule_nobody_serves", "no profile that takes calls has all the skills this rule asks for: %s", needText(needs))
		}
	}
}

// ruleReaches tells whether a call by the rule comes within reach of somebody.
func (b *builder) ruleReaches(rule routing.Rule) bool {
	for _, q := range b.doc.plan.Queues {
		if q.ID == rule.Queue {
			return b.reaches(q, "", rule.Needs, b.takesCalls)
		}
	}
	return false
}

func (b *builder) served(needs []routing.Need) bool {
	for _, p := range b.doc.plan.Profiles {
		if p.Capacity[contact.Phone] > 0 && meets(p, needs) {
			return true
		}
	}
	return false
}

func meets(p routing.Profile, needs []routing.Need) bool {
	for _, n := range needs {
		ok := false
		for _, s := range p.Skills {
			ok = ok || s.Skill == n.Skill && s.Level >= n.Min
		}
		if !ok {
			return false
		}
	}
	return true
}

func needText(needs []routing.Need) string {
	parts := make([]string, 0, len(needs))
	for _, n := range needs {
		parts = append(parts, string(n.Skill)+" "+string(rune('0'+n.Min)))
	}
	return strings.Join(parts, ", ")
}
