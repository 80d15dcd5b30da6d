package plan

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// longestStep bounds the age a step may wait for.
const longestStep = 7 * contact.Day

// step identifies a relaxation step: the queue's place in the plan and its own.
type step struct{ queue, step int }

// relax reads how a queue's needs widen with a contact's age. The last step must
// be named as such: nobody becomes able to take a contact unless the plan's author
// said that this is where it ends.
func (b *builder) relax(v value, queue int) []routing.RelaxStep {
	m := b.r.fields(v, "steps", "last")
	for _, key := range []string{"steps", "last"} {
		if _, is := m[key]; !is {
			b.r.errorf(place{v.at.line, v.at.column, under(v.at.path, key)}, "missing_key", "relaxation has no %q: it is steps, and last, the name of the safe last one", key)
		}
	}
	var steps []routing.RelaxStep
	var names []string
	if f, is := m["steps"]; is {
		items := b.r.items(f.value)
		if len(items) == 0 {
			b.r.errorf(f.value.at, "empty_section", "at least one step is needed")
		}
		for i, item := range items {
			b.stepAt[step{queue, i}] = item.at
			s := b.relaxStep(item, steps)
			if slices.Contains(names, s.Name) {
				b.r.errorf(item.at, "duplicate_name", "the step name %q is used twice in this queue", s.Name)
			}
			steps, names = append(steps, s), append(names, s.Name)
		}
	}
	if f, is := m["last"]; is && len(names) > 0 {
		last := b.r.label(f.value)
		switch i := slices.Index(names, last); {
		case i < 0:
			b.r.unknown(f.value.at, "unknown_step", "step", last, names)
		case i < len(names)-1:
			b.r.errorf(f.value.at, "last_not_final", "step %q is named as the last, but %q comes after it", last, names[i+1])
		}
	}
	return steps
}

func (b *builder) relaxStep(v value, before []routing.RelaxStep) routing.RelaxStep {
	m := b.r.fields(v, "after", "name", "needs", "any_language")
	s := routing.RelaxStep{}
	for _, key := range []string{"after", "name", "needs"} {
		if _, is := m[key]; !is {
			b.r.errorf(place{v.at.line, v.at.column, under(v.at.path, key)}, "missing_key", "the step has no %q", key)
		}
	}
	if f, is := m["name"]; is {
		s.Name = b.r.label(f.value)
	}
	if f, is := m["after"]; is {
		s.After = b.r.span(f.value, contact.Second, longestStep)
		if n := len(before); n > 0 && s.After <= before[n-1].After {
			b.r.errorf(f.value.at, "steps_out_of_order", "this step comes at %s, the one before it at %s: give later steps later ages", brief(s.After), brief(before[n-1].After))
		}
	}
	if f, is := m["needs"]; is {
		s.Needs = b.needs(f.value)
	}
	if f, is := m["any_language"]; is {
		s.AnyLanguage = b.r.truth(f.value)
	}
	return s
}

// overflow reads where contacts of a queue go as they age.
func (b *builder) overflow(id routing.QueueID, v value) []routing.OverflowStep {
	steps := []routing.OverflowStep{}
	been := []routing.QueueID{id}
	items := b.r.items(v)
	for _, item := range items {
		m := b.r.fields(item, "after", "to")
		o := routing.OverflowStep{}
		for _, key := range []string{"after", "to"} {
			if _, is := m[key]; !is {
				b.r.errorf(place{item.at.line, item.at.column, under(item.at.path, key)}, "missing_key", "the overflow step has no %q", key)
			}
		}
		if f, is := m["after"]; is {
			o.After = b.r.span(f.value, contact.Second, longestStep)
			if n := len(steps); n > 0 && o.After <= steps[n-1].After {
				b.r.errorf(f.value.at, "steps_out_of_order", "this step comes at %s, the one before it at %s: give later steps later ages", brief(o.After), brief(steps[n-1].After))
			}
		}
		if f, is := m["to"]; is {
			o.To = b.queueRef(f.value)
			if slices.Contains(been, o.To) {
				b.r.errorf(f.value.at, "overflow_loop", "a contact of %s would come back to %s, where it has been", id, o.To)
			}
			for _, q := range b.doc.plan.Queues {
				if q.ID == o.To && q.Hours != nil {
					b.r.warnf(f.value.at, "overflow_to_hours", "queue %s has opening hours: outside them a contact may wait there for handlers who have gone", o.To)
				}
			}
			been = append(been, o.To)
		}
		steps = append(steps, o)
	}
	return steps
}

func (b *builder) preferred(v value) *routing.PreferredPolicy {
	m := b.r.fields(v, "wait")
	p := &routing.PreferredPolicy{}
	if f, is := m["wait"]; is {
		p.Wait = b.r.span(f.value, 0, contact.Hour)
	} else {
		b.r.errorf(place{v.at.line, v.at.column, under(v.at.path, "wait")}, "missing_key", "preferred has no \"wait\": how long a contact waits for the handler it prefers")
	}
	return p
}

// idleSteps finds relaxation steps that let fewer take a contact than before
// (errors) and those that let nobody more (warnings).
func (b *builder) idleSteps() {
	plan := &b.doc.plan
	for i, q := range plan.Queues {
		needs, anyone := q.Needs, !q.LanguageSkill
		for j, s := range q.Relax {
			at := b.stepAt[step{i, j}]
			if narrows(needs, s.Needs) || anyone && !s.AnyLanguage && q.LanguageSkill {
				b.r.errorf(at, "step_narrows", "step %q asks for more than what stands before it (%s): a step may only ask for less", s.Name, orNothing(needs))
			} else if b.sameProfiles(needs, s.Needs) && anyone == (s.AnyLanguage || !q.LanguageSkill) && (j > 0 || !b.rulesAdd(q.ID)) {
				b.r.warnf(at, "step_widens_nothing", "step %q lets no kind of handler take a contact who could not before", s.Name)
			}
			needs, anyone = s.Needs, s.AnyLanguage || !q.LanguageSkill
			if j == len(q.Relax)-1 && !b.served(needs) {
				b.r.warnf(at, "step_nobody_serves", "no profile that takes calls has all the skills of the last step %q: %s", s.Name, needText(needs))
			}
		}
	}
}

// narrows tells whether a step asks for a skill or level not asked for before.
func narrows(before, after []routing.Need) bool {
	for _, n := range after {
		if !slices.ContainsFunc(before, func(o routing.Need) bool { return o.Skill == n.Skill && o.Min >= n.Min }) {
			return true
		}
	}
	return false
}

func (b *builder) sameProfiles(before, after []routing.Need) bool {
	for _, p := range b.doc.plan.Profiles {
		if meets(p, before) != meets(p, after) {
			return false
		}
	}
	return true
}

// rulesAdd tells whether some rule asks for more than the queue it leads to.
func (b *builder) rulesAdd(id routing.QueueID) bool {
	return slices.ContainsFunc(b.doc.plan.Rules, func(r routing.Rule) bool { return r.Queue == id && len(r.Needs) > 0 })
}

func orNothing(needs []routing.Need) string {
	if len(needs) == 0 {
		return "nothing"
	}
	return needText(needs)
}

// announce reads when waiting callers are told position and expected wait. "never"
// keeps a queue silent where the plan is not.
func (b *builder) announce(v value) *routing.AnnouncePolicy {
	if n, is := v.node.(*ast.StringNode); is && n.Value == "never" {
		return nil
	}
	if !isMapping(v.node) {
		b.r.errorf(v.at, "wrong_type", "expected never, or every with a length of time, found %s", describe(v.node))
		return nil
	}
	m := b.r.fields(v, "first", "every")
	p := &routing.AnnouncePolicy{}
	if f, is := m["every"]; is {
		p.Every = b.r.span(f.value, 15*contact.Second, contact.Hour)
	} else {
		b.r.errorf(place{v.at.line, v.at.column, under(v.at.path, "every")}, "missing_key", "announcements need \"every\": how long from one to the next")
	}
	p.First = p.Every
	if f, is := m["first"]; is {
		p.First = b.r.span(f.value, contact.Second, contact.Hour)
	}
	return p
}
