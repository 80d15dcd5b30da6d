package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
)

// ruleset is a plan made ready: lookups, and the state that belongs to the
// plan's queues and profiles. A new one is made for each published plan.
type ruleset struct {
	version int
	source  string
	// base is the plan as published, plan the same with the surges that are on.
	base, plan *Plan
	surges     []string
	queues     []*queue
	queueOf    map[QueueID]*queue
	profiles   []*profile
	named      map[string]*profile
	ruleOf     map[string]int
	// languages maps a language to its skill, for those some profile holds.
	languages map[string]contact.Skill
	lines     []*line
	lineOf    map[lineKey]*line
	lineLike  map[string]*line
}

// queue is a queue of the plan with its state.
type queue struct {
	*Queue
	index   int
	open    bool
	waiting int
	ringing int
	// mayRing is what the driver said of the hours of callbacks.
	mayRing bool
	lines   []*line
	// able lists profiles per channel that have what the queue itself needs.
	able [channels][]*profile
	// handle is the moving average of handling time per channel, 0 before any.
	handle [channels]contact.Duration
	far    far
}

// profile is a profile of the plan with the handlers who have it.
type profile struct {
	name     string
	index    int
	skills   map[contact.Skill]contact.Level
	capacity [channels]int
	// blocks tells on which channels a contact in hand keeps calls away, and parks
	// on which it is parked for one.
	blocks, parks [channels]bool
	// lines are those a handler of the profile may take from.
	lines []*line
	// idle holds available handlers per channel, longest idle first.
	idle [channels]idleSet
	// reach counts handlers per channel who are available or will be without
	// doing anything: signed on, ready, present, device up.
	reach [channels]int
}

// lineKey identifies how a contact came to its line; several keys may lead to
// one line.
type lineKey struct {
	queue, rule, channel, step int
	language                   string
}

// noRule stands for "no rule matched" in lookups.
const noRule = -1

// prepare checks that the plan holds together and makes it ready.
func prepare(version int, source string, base *Plan, surges []string) (*ruleset, bool) {
	if base == nil || len(base.Queues) == 0 {
		return nil, false
	}
	p := base.under(surges)
	r := &ruleset{
		version: version, source: source, base: base, plan: p, surges: surges,
		queueOf: map[QueueID]*queue{}, named: map[string]*profile{}, ruleOf: map[string]int{},
		languages: map[string]contact.Skill{}, lineOf: map[lineKey]*line{}, lineLike: map[string]*line{},
	}
	for i := range p.Queues {
		q := &queue{Queue: &p.Queues[i], index: i}
		if _, twice := r.queueOf[q.ID]; twice || q.ID == "" {
			return nil, false
		}
		r.queueOf[q.ID] = q
		r.queues = append(r.queues, q)
	}
	if r.queueOf[p.DefaultQueue] == nil {
		return nil, false
	}
	for i := range p.Queues {
		if !r.leads(p.Queues[i].Overflow) {
			return nil, false
		}
	}
	for i, s := range p.Surges {
		if s.Name == "" || slices.ContainsFunc(p.Surges[:i], func(o Surge) bool { return o.Name == s.Name }) {
			return nil, false
		}
		for _, over := range s.Queues {
			if r.queueOf[over.Queue] == nil || !r.leads(over.Overflow) {
				return nil, false
			}
		}
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if _, twice := r.ruleOf[rule.Name]; twice || rule.Name == "" || rule.Match == nil || r.queueOf[rule.Queue] == nil {
			return nil, false
		}
		r.ruleOf[rule.Name] = i
	}
	for i := range p.Profiles {
		def := &p.Profiles[i]
		if r.named[def.Name] != nil || def.Name == "" {
			return nil, false
		}
		made := &profile{name: def.Name, index: i, skills: map[contact.Skill]contact.Level{}}
		for _, s := range def.Skills {
			made.skills[s.Skill] = s.Level
			if language, is := strings.CutPrefix(string(s.Skill), languagePrefix); is && language != "" {
				r.languages[language] = s.Skill
			}
		}
		for ch, name := range channelNames {
			made.capacity[ch] = max(def.Capacity[name], 0)
		}
		if def.Interruptible != nil {
			for ch, name := range channelNames {
				made.parks[ch] = ch != onPhone && slices.Contains(def.Interruptible, name)
				made.blocks[ch] = !made.parks[ch]
			}
		}
		made.capacity[onPhone] = min(made.capacity[onPhone], 1)
		r.named[def.Name] = made
		r.profiles = append(r.profiles, made)
		for _, q := range r.queues {
			for ch := range channels {
				if _, able := made.fits(ch, q.Needs); able {
					q.able[ch] = append(q.able[ch], made)
				}
			}
		}
	}
	return r, true
}

// leads tells whether every step of an overflow leads to a queue of the plan.
func (r *ruleset) leads(steps []OverflowStep) bool {
	return !slices.ContainsFunc(steps, func(o OverflowStep) bool { return r.queueOf[o.To] == nil })
}

const languagePrefix = "lang."

// unskilled is a profile for a handler whose own is gone: no skill, no capacity.
func unskilled(name string) *profile { return &profile{name: name, index: -1} }

// route finds the rule and queue for a contact. When the contact names a queue,
// only rules that lead to it are tried, for their credit, class and needs.
func (r *ruleset) route(ch int, facts contact.Facts, wanted QueueID, figures func(QueueID) QueueFigures) (rule int, q *queue) {
	target := r.queueOf[wanted]
	in := RuleInput{Channel: channelNames[ch], Facts: facts, Figures: figures}
	for i := range r.plan.Rules {
		candidate := &r.plan.Rules[i]
		if target != nil && candidate.Queue != wanted {
			continue
		}
		if candidate.Match(in) {
			return i, r.queueOf[candidate.Queue]
		}
	}
	if target == nil {
		target = r.queueOf[r.plan.DefaultQueue]
	}
	return noRule, target
}

// ruleName names a rule, empty for none.
func (r *ruleset) ruleName(rule int) string {
	if rule == noRule {
		return ""
	}
	return r.plan.Rules[rule].Name
}

// lineFor finds or makes the line for contacts so routed, after that many steps
// of the queue's relaxation.
func (r *ruleset) lineFor(q *queue, rule, ch, step int, language string) *line {
	var spoken contact.Skill
	if q.LanguageSkill && (step == 0 || !q.Relax[step-1].AnyLanguage) {
		spoken = r.languages[language]
	}
	if spoken == "" {
		language = ""
	}
	key := lineKey{q.index, rule, ch, step, language}
	if l := r.lineOf[key]; l != nil {
		return l
	}
	needs := slices.Clone(q.Needs)
	if rule != noRule {
		needs = append(needs, r.plan.Rules[rule].Needs...)
	}
	if step > 0 {
		needs = slices.Clone(q.Relax[step-1].Needs)
	}
	if spoken != "" {
		needs = append(needs, Need{Skill: spoken, Min: 1})
	}
	needs = tidy(needs)
	like := signature(q, ch, needs)
	l := r.lineLike[like]
	if l == nil {
		l = r.newLine(q, ch, needs)
		r.lineLike[like] = l
	}
	r.lineOf[key] = l
	return l
}

func (r *ruleset) newLine(q *queue, ch int, needs []Need) *line {
	l := &line{queue: q, channel: ch, needs: needs}
	for _, p := range r.profiles {
		if fit, able := p.fits(ch, needs); able {
			l.able = append(l.able, ableProfile{p, fit})
			p.lines = append(p.lines, l)
		}
	}
	slices.SortStableFunc(l.able, func(a, b ableProfile) int { return cmp.Compare(b.fit, a.fit) })
	q.lines = append(q.lines, l)
	r.lines = append(r.lines, l)
	return l
}

// fits tells whether handlers of the profile may take such contacts, and their
// proficiency: the sum of levels over the needs.
func (p *profile) fits(ch int, needs []Need) (fit int, able bool) {
	if p.capacity[ch] == 0 {
		return 0, false
	}
	for _, n := range needs {
		level, held := p.skills[n.Skill]
		if !held || level < n.Min {
			return 0, false
		}
		fit += int(level)
	}
	return fit, true
}

// tidy sorts needs by skill and keeps the highest minimum of each.
func tidy(needs []Need) []Need {
	slices.SortFunc(needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Skill, b.Skill), cmp.Compare(b.Min, a.Min))
	})
	return slices.CompactFunc(needs, func(a, b Need) bool { return a.Skill == b.Skill })
}

func signature(q *queue, ch int, needs []Need) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(q.index))
	b.WriteByte(' ')
	b.WriteString(strconv.Itoa(ch))
	for _, n := range needs {
		b.WriteByte(' ')
		b.WriteString(strconv.Quote(string(n.Skill)))
		b.WriteString(strconv.Itoa(int(n.Min)))
	}
	return b.String()
}

// wrapUp is the policy for a queue, which may be gone from the plan.
func (r *ruleset) wrapUp(id QueueID) WrapUpPolicy {
	if q := r.queueOf[id]; q != nil && q.WrapUp != nil {
		return *q.WrapUp
	}
	return r.plan.WrapUp
}
