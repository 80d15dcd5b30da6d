package plan

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Defaults of what a plan may leave out.
const (
	defaultRingPhone    = 20 * contact.Second
	defaultRingOther    = 2 * contact.Minute
	defaultNoAnswerRest = 30 * contact.Second
	defaultDeclineRest  = 10 * contact.Second
	defaultFailedRest   = 10 * contact.Second
	defaultAlertAfter   = 3
	defaultWrapUp       = 3 * contact.Minute
	defaultExtension    = 2 * contact.Minute
	defaultShortAbandon = 5 * contact.Second
)

type builder struct {
	r   *reader
	doc *Document

	skills    []string // declared names, in order
	queues    []string
	maxCredit contact.Duration
	holidays  map[string][]interval

	// Places for the checks made when all is read.
	skillAt map[string]place
	queueAt map[string]place
	ruleAt  []place
	stepAt  map[step]place
	rules   []condition
	// later reads what may name queues not read yet.
	later []func()
	// announcing is the plan's policy for queues that have none of their own.
	announcing *routing.AnnouncePolicy
}

func newBuilder(name string, src []byte) *builder {
	return &builder{
		r:       &reader{file: name, lines: strings.Split(string(src), "\n")},
		doc:     &Document{Name: name, Source: string(src)},
		skillAt: map[string]place{}, queueAt: map[string]place{}, stepAt: map[step]place{},
	}
}

// read reads the sections in the order they depend on each other, whatever
// their order in the text.
func (b *builder) read(src []byte) {
	root, ok := b.r.root(src)
	if !ok {
		return
	}
	m := b.r.fields(root, "time_zone", "default_queue", "max_credit", "short_abandon", "ring_back_window", "answer_within", "holidays", "skills",
		"profiles", "rota", "announce", "surges", "queues", "rules", "offer", "wrap_up", "not_ready_reasons", "outcomes")
	if !isMapping(root.node) {
		return
	}
	for _, key := range []string{"time_zone", "default_queue", "profiles", "queues", "not_ready_reasons", "outcomes"} {
		if _, is := m[key]; !is {
			b.r.errorf(place{root.at.line, root.at.column, key}, "missing_key", "the plan has no %q", key)
		}
	}
	p := &b.doc.plan
	p.ShortAbandon = defaultShortAbandon
	p.WrapUp = routing.WrapUpPolicy{Limit: defaultWrapUp, Extension: defaultExtension}
	if e, is := m["time_zone"]; is {
		b.timeZone(e.value)
	}
	if e, is := m["short_abandon"]; is {
		p.ShortAbandon = b.r.span(e.value, 0, 10*contact.Minute)
	}
	if e, is := m["ring_back_window"]; is {
		p.RingBackWindow = b.r.span(e.value, 0, contact.Day)
	}
	if e, is := m["max_credit"]; is {
		b.maxCredit = b.r.span(e.value, 0, 7*contact.Day)
	}
	if e, is := m["holidays"]; is {
		b.holidays = b.r.dates(e.value)
		b.doc.Holidays = sortedKeys(b.holidays)
	}
	if e, is := m["skills"]; is {
		b.skillSection(e.value)
	}
	if e, is := m["wrap_up"]; is {
		p.WrapUp = b.wrapUp(e.value, p.WrapUp)
	}
	p.Offer = b.offer(m["offer"])
	if e, is := m["profiles"]; is {
		b.profileSection(e.value)
	}
	if e, is := m["rota"]; is {
		b.rotaSection(e.value)
	}
	var targets map[contact.Channel]contact.Duration
	if e, is := m["answer_within"]; is {
		targets = b.perChannel(e.value, contact.Second, 30*contact.Day)
	}
	if e, is := m["announce"]; is {
		b.announcing = b.announce(e.value)
	}
	if e, is := m["queues"]; is {
		b.queueSection(e.value, targets)
	}
	if e, is := m["surges"]; is {
		b.surgeSection(e.value)
	}
	if e, is := m["default_queue"]; is {
		p.DefaultQueue = b.queueRef(e.value)
	}
	if e, is := m["rules"]; is {
		b.ruleSection(e.value)
	}
	if e, is := m["not_ready_reasons"]; is {
		p.NotReadyReasons = b.codes(e.value, "reason")
	}
	if e, is := m["outcomes"]; is {
		p.Outcomes = b.codes(e.value, "outcome")
	}
	b.check()
}

func (b *builder) timeZone(v value) {
	name, ok := b.r.text(v)
	if !ok {
		return
	}
	zone, err := contact.LoadZone(name)
	if err != nil || name == "" || name == "Local" {
		b.r.errorf(v.at, "unknown_time_zone", "time zone %q is not known: use an IANA name such as Europe/London", name)
		return
	}
	b.doc.TimeZone, b.doc.zone = name, zone
}

// name checks a name that other parts of the plan, journals and users refer to.
func (b *builder) name(at place, what, s string) bool {
	ok := len(s) <= 64
	for i, c := range s {
		letter := c >= 'a' && c <= 'z'
		ok = ok && (letter || i > 0 && (c >= '0' && c <= '9' || strings.ContainsRune("_.-", c)))
	}
	if !ok || s == "" {
		b.r.errorf(at, "bad_name", "%q cannot be a name (%s): use small letters, digits, and . _ - after a letter, at most 64", clip(s), what)
	}
	return ok && s != ""
}

func (b *builder) skillSection(v value) {
	list, _ := b.r.entries(v)
	for _, e := range list {
		if b.name(e.keyAt, "skill", e.key) {
			b.skills = append(b.skills, e.key)
			b.skillAt[e.key] = e.keyAt
			b.doc.Skills = append(b.doc.Skills, routing.Code{Code: e.key, Label: b.r.label(e.value)})
		}
	}
}

// codes reads a mapping of code to label.
func (b *builder) codes(v value, what string) []routing.Code {
	list, ok := b.r.entries(v)
	if ok && len(list) == 0 {
		b.r.errorf(v.at, "empty_section", "at least one %s is needed", what)
	}
	var codes []routing.Code
	for _, e := range list {
		if b.name(e.keyAt, what, e.key) {
			codes = append(codes, routing.Code{Code: e.key, Label: b.r.label(e.value)})
		}
	}
	return codes
}

// levels reads a mapping of skill to level, in order of name.
func (b *builder) levels(v value) []routing.SkillLevel {
	list, _ := b.r.entries(v)
	var levels []routing.SkillLevel
	for _, e := range list {
		if _, declared := b.skillAt[e.key]; !declared {
			b.r.unknown(e.keyAt, "unknown_skill", "skill", e.key, b.skills)
			continue
		}
		if n, ok := b.r.whole(e.value, 1, 5, "a level"); ok {
			levels = append(levels, routing.SkillLevel{Skill: contact.Skill(e.key), Level: contact.Level(n)})
		}
	}
	slices.SortFunc(levels, func(a, b routing.SkillLevel) int { return strings.Compare(string(a.Skill), string(b.Skill)) })
	return levels
}

func (b *builder) needs(v value) []routing.Need {
	var needs []routing.Need
	for _, l := range b.levels(v) {
		needs = append(needs, routing.Need{Skill: l.Skill, Min: l.Level})
	}
	return needs
}

func (b *builder) channelEntries(v value) []entry {
	var known []string
	for _, c := range contact.Channels() {
		known = append(known, string(c))
	}
	list, _ := b.r.entries(v)
	return slices.DeleteFunc(list, func(e entry) bool {
		if slices.Contains(known, e.key) {
			return false
		}
		b.r.unknown(e.keyAt, "unknown_channel", "channel", e.key, known)
		return true
	})
}

func (b *builder) perChannel(v value, least, most contact.Duration) map[contact.Channel]contact.Duration {
	m := map[contact.Channel]contact.Duration{}
	for _, e := range b.channelEntries(v) {
		m[contact.Channel(e.key)] = b.r.span(e.value, least, most)
	}
	return m
}

func (b *builder) profileSection(v value) {
	list, ok := b.r.entries(v)
	if ok && len(list) == 0 {
		b.r.errorf(v.at, "empty_section", "at least one profile is needed")
	}
	for _, e := range list {
		b.name(e.keyAt, "profile", e.key)
		m := b.r.fields(e.value, "skills", "capacity", "interruptible")
		p := routing.Profile{Name: e.key, Capacity: map[contact.Channel]int{contact.Phone: 1}}
		if s, is := m["skills"]; is {
			p.Skills = b.levels(s.value)
		}
		if c, is := m["capacity"]; is {
			p.Capacity = map[contact.Channel]int{}
			for _, ce := range b.channelEntries(c.value) {
				most := 100
				if ce.key == string(contact.Phone) {
					most = 1
				}
				if n, ok := b.r.whole(ce.value, 0, most, "capacity for "+ce.key); ok && n > 0 {
					p.Capacity[contact.Channel(ce.key)] = n
				}
			}
		}
		if f, is := m["interruptible"]; is {
			p.Interruptible = b.interruptible(f.value, p)
		}
		b.doc.plan.Profiles = append(b.doc.plan.Profiles, p)
	}
}

// interruptible reads the written channels a call may interrupt.
func (b *builder) interruptible(v value, p routing.Profile) []contact.Channel {
	list := []contact.Channel{}
	written := []string{string(contact.Email), string(contact.Web)}
	for _, item := range b.r.items(v) {
		name, ok := b.r.text(item)
		switch c := contact.Channel(name); {
		case !ok:
		case c == contact.Phone:
			b.r.errorf(item.at, "call_interrupted", "a call is never interrupted: it is one of %s", strings.Join(written, ", "))
		case !slices.Contains(written, name):
			b.r.unknown(item.at, "unknown_channel", "channel", name, written)
		case slices.Contains(list, c):
			b.r.errorf(item.at, "duplicate_name", "%s is given twice", name)
		default:
			list = append(list, c)
			if p.Capacity[c] == 0 {
				b.r.warnf(item.at, "never_interrupted", "profile %s has no capacity for %s, so none is ever interrupted", p.Name, name)
			}
		}
	}
	if p.Capacity[contact.Phone] == 0 {
		b.r.warnf(v.at, "never_interrupted", "profile %s takes no calls, so nothing interrupts it", p.Name)
	}
	return list
}

func (b *builder) queueSection(v value, targets map[contact.Channel]contact.Duration) {
	list, ok := b.r.entries(v)
	if ok && len(list) == 0 {
		b.r.errorf(v.at, "empty_section", "at least one queue is needed")
	}
	for _, e := range list {
		b.name(e.keyAt, "queue", e.key)
		b.queues = append(b.queues, e.key)
		b.queueAt[e.key] = e.keyAt
		b.doc.plan.Queues = append(b.doc.plan.Queues, b.queue(e, targets))
	}
	for _, read := range b.later {
		read()
	}
}

func (b *builder) queue(e entry, targets map[contact.Channel]contact.Duration) routing.Queue {
	m := b.r.fields(e.value, "label", "answer_within", "needs", "language_skill", "hours", "closed_announcement", "wrap_up", "relax", "overflow", "preferred", "announce", "callback")
	q := routing.Queue{ID: routing.QueueID(e.key), Label: e.key, AnswerWithin: map[contact.Channel]contact.Duration{}}
	for c, d := range targets {
		q.AnswerWithin[c] = d
	}
	if f, is := m["label"]; is {
		q.Label = b.r.label(f.value)
	}
	if f, is := m["answer_within"]; is {
		for c, d := range b.perChannel(f.value, contact.Second, 30*contact.Day) {
			q.AnswerWithin[c] = d
		}
	}
	for _, c := range contact.Channels() {
		if _, is := q.AnswerWithin[c]; !is {
			b.r.errorf(place{e.keyAt.line, e.keyAt.column, e.keyAt.path + ".answer_within"}, "missing_key",
				"no target for %s: give answer_within here or for the whole plan", c)
		}
	}
	if f, is := m["needs"]; is {
		q.Needs = b.needs(f.value)
	}
	if f, is := m["language_skill"]; is {
		q.LanguageSkill = b.r.truth(f.value)
	}
	if f, is := m["closed_announcement"]; is {
		if s, ok := b.r.text(f.value); ok && b.name(f.value.at, "prompt", s) {
			q.ClosedAnnouncement = s
		}
	}
	if f, is := m["wrap_up"]; is {
		w := b.wrapUp(f.value, b.doc.plan.WrapUp)
		q.WrapUp = &w
	}
	if f, is := m["relax"]; is {
		q.Relax = b.relax(f.value, len(b.doc.plan.Queues))
	}
	if f, is := m["overflow"]; is {
		b.later = append(b.later, func() {
			steps := b.overflow(q.ID, f.value)
			for i := range b.doc.plan.Queues {
				if b.doc.plan.Queues[i].ID == q.ID {
					b.doc.plan.Queues[i].Overflow = steps
				}
			}
		})
	}
	if f, is := m["preferred"]; is {
		q.Preferred = b.preferred(f.value)
	}
	q.Announce = b.announcing
	if f, is := m["announce"]; is {
		q.Announce = b.announce(f.value)
	}
	if f, is := m["callback"]; is {
		q.Callback = b.callback(f.value)
		if q.Announce == nil {
			b.r.warnf(f.value.at, "callback_not_offered", "callers who wait here are not offered to be rung back, because the queue announces nothing: only a flow's callback step does")
		}
	}
	if f, is := m["hours"]; is {
		if c := b.r.calendarOf(f.value, b.holidays); c != nil {
			q.Hours = c.open
			if q.ClosedAnnouncement == "" {
				b.r.errorf(place{e.keyAt.line, e.keyAt.column, e.keyAt.path + ".closed_announcement"}, "missing_key",
					"a queue with opening hours needs a closed_announcement: the prompt callers hear outside them")
			}
		}
	}
	return q
}

func (b *builder) wrapUp(v value, otherwise routing.WrapUpPolicy) routing.WrapUpPolicy {
	m := b.r.fields(v, "limit", "extension")
	if f, is := m["limit"]; is {
		otherwise.Limit = b.r.span(f.value, 0, 8*contact.Hour)
	}
	if f, is := m["extension"]; is {
		otherwise.Extension = b.r.span(f.value, 0, 8*contact.Hour)
	}
	return otherwise
}

func (b *builder) offer(section entry) routing.OfferPolicy {
	p := routing.OfferPolicy{
		RingFor: map[contact.Channel]contact.Duration{
			contact.Phone: defaultRingPhone, contact.Email: defaultRingOther, contact.Web: defaultRingOther,
		},
		NoAnswerRest: defaultNoAnswerRest, DeclineRest: defaultDeclineRest, FailedRest: defaultFailedRest, AlertAfter: defaultAlertAfter,
	}
	if section.key == "" {
		return p
	}
	m := b.r.fields(section.value, "ring_for", "no_answer_rest", "decline_rest", "failed_rest", "alert_after")
	if f, is := m["ring_for"]; is {
		for c, d := range b.perChannel(f.value, contact.Second, contact.Hour) {
			p.RingFor[c] = d
		}
	}
	for key, target := range map[string]*contact.Duration{
		"no_answer_rest": &p.NoAnswerRest, "decline_rest": &p.DeclineRest, "failed_rest": &p.FailedRest,
	} {
		if f, is := m[key]; is {
			*target = b.r.span(f.value, 0, contact.Hour)
		}
	}
	if f, is := m["alert_after"]; is {
		if n, ok := b.r.whole(f.value, 1, 100, "alert_after"); ok {
			p.AlertAfter = n
		}
	}
	return p
}

func (b *builder) queueRef(v value) routing.QueueID {
	s, ok := b.r.text(v)
	if _, is := b.queueAt[s]; ok && !is {
		b.r.unknown(v.at, "unknown_queue", "queue", s, b.queues)
	}
	return routing.QueueID(s)
}

func (b *builder) ruleSection(v value) {
	names := map[string]place{}
	for _, item := range b.r.items(v) {
		m := b.r.fields(item, "name", "when", "queue", "credit", "risk_to_life", "needs")
		rule := routing.Rule{}
		for _, key := range []string{"name", "when", "queue"} {
			if _, is := m[key]; !is {
				b.r.errorf(place{item.at.line, item.at.column, item.at.path + "." + key}, "missing_key", "the rule has no %q", key)
			}
		}
		if f, is := m["name"]; is {
			rule.Name = b.r.label(f.value)
			if first, again := names[rule.Name]; again {
				b.r.errorf(f.value.at, "duplicate_name", "the rule name %q is used twice, first on line %d", rule.Name, first.line)
			}
			names[rule.Name] = f.value.at
		}
		at := item.at
		var c condition
		if f, is := m["when"]; is {
			at = f.value.at
			c = b.condition(f.value)
		}
		rule.Match = c.match
		if f, is := m["queue"]; is {
			rule.Queue = b.queueRef(f.value)
		}
		if f, is := m["credit"]; is {
			rule.Credit = b.r.span(f.value, 0, 7*contact.Day)
			if rule.Credit > b.maxCredit {
				b.r.errorf(f.value.at, "credit_over_bound", "the credit %s is over the plan's max_credit, %s", brief(rule.Credit), brief(b.maxCredit))
			}
		}
		if f, is := m["risk_to_life"]; is {
			rule.Class0 = b.r.truth(f.value)
		}
		if f, is := m["needs"]; is {
			rule.Needs = b.needs(f.value)
		}
		b.doc.plan.Rules = append(b.doc.plan.Rules, rule)
		b.rules, b.ruleAt = append(b.rules, c), append(b.ruleAt, at)
	}
}

// condition compiles a rule's condition; "when: true" may be written bare.
func (b *builder) condition(v value) condition {
	var text string
	switch n := v.node.(type) {
	case *ast.BoolNode:
		text = n.GetToken().Value
	default:
		s, ok := b.r.text(v)
		if !ok {
			return condition{}
		}
		text = s
	}
	c, faults := compileCondition(text, b.queues)
	for _, f := range faults {
		b.r.add(Error, b.r.within(v, text, f.from), f.code, f.suggestion, "%s", f.message)
	}
	return c
}

// within finds the place of a character of a scalar in the source. Text that
// YAML has changed (escapes, folding) gives the scalar's own place.
func (r *reader) within(v value, text string, from int) place {
	at := v.at
	runes := []rune(text)
	from = min(from, len(runes))
	line, column := at.line, at.column
	if n, block := v.node.(*ast.LiteralNode); block {
		if !strings.HasPrefix(n.Start.Value, "|") {
			return at
		}
		row := strings.Count(string(runes[:from]), "\n")
		textLine := strings.Split(text, "\n")[row]
		before := from - len([]rune(strings.Join(strings.Split(text, "\n")[:row], "\n")))
		if row > 0 {
			before--
		}
		line = at.line + 1 + row
		if line > len(r.lines) {
			return at
		}
		i := strings.Index(r.lines[line-1], textLine)
		if i < 0 {
			return at
		}
		at.line, at.column = line, len([]rune(r.lines[line-1][:i]))+before+1
		return at
	}
	if line > len(r.lines) {
		return at
	}
	source := []rune(strings.TrimSuffix(r.lines[line-1], "\r"))
	for _, quote := range []int{0, 1} {
		begin := column - 1 + quote
		if begin+len(runes) <= len(source) && string(source[begin:begin+len(runes)]) == text {
			at.column = column + quote + from
			return at
		}
	}
	return at
}
