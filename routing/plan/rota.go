package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// duty is when handlers of a profile are on duty; a nil calendar is always.
type duty struct {
	profile  string
	calendar *calendar
}

// HasRota tells whether the plan says who is on duty when.
func (d *Document) HasRota() bool { return d.rota != nil }

// OnDuty tells whether the plan's rota has handlers of a profile on duty in a civil
// minute. It is for checks: routing goes by who is signed on.
func (d *Document) OnDuty(profile string, at contact.Local) bool {
	for _, x := range d.rota {
		if x.profile == profile {
			return x.calendar == nil || x.calendar.open(at)
		}
	}
	return false
}

// rotaSection reads which profiles are on duty when.
func (b *builder) rotaSection(v value) {
	list, _ := b.r.entries(v)
	b.doc.rota = []duty{}
	var names []string
	for _, p := range b.doc.plan.Profiles {
		names = append(names, p.Name)
	}
	for _, e := range list {
		if !slices.Contains(names, e.key) {
			b.r.unknown(e.keyAt, "unknown_profile", "profile", e.key, names)
			continue
		}
		if isMapping(e.value.node) && !givesDays(e.value.node) {
			b.r.errorf(e.value.at, "empty_section", "say on which days and at what hours the profile is on duty, or always")
			continue
		}
		b.doc.rota = append(b.doc.rota, duty{e.key, b.r.calendarOf(e.value, nil)})
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(e entry) bool { return e.key == name }) {
			b.r.warnf(v.at, "profile_not_on_rota", "profile %s is not on the rota: the checks take it that none of them is ever on duty", name)
		}
	}
}

func givesDays(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return slices.ContainsFunc(n.Values, func(p *ast.MappingValueNode) bool { return p.Key.GetToken().Value != "holidays" })
	case *ast.MappingValueNode:
		return n.Key.GetToken().Value != "holidays"
	}
	return false
}

// hourStep is how fine the week is looked at, in minutes.
const hourStep = 15

// unservedHours warns of queues that are open while nobody on the rota can ever
// take a call that comes then, and of languages spoken by nobody on duty.
func (b *builder) unservedHours() {
	if b.doc.rota == nil {
		return
	}
	for _, q := range b.doc.plan.Queues {
		at := b.queueAt[string(q.ID)]
		if unserved := b.unservedWeek(q, ""); len(unserved) > 0 {
			b.r.warnf(at, "unserved_hours", "nobody on the rota can take calls of this queue, whatever its steps, %s: give it hours or an overflow, or put somebody on duty", weekText(unserved))
			continue
		}
		if !q.LanguageSkill {
			continue
		}
		for _, s := range b.skills {
			if !strings.HasPrefix(s, "lang.") || !b.reaches(q, contact.Skill(s), nil, b.takesCalls) {
				continue // nobody ever could: told already
			}
			if unserved := b.unservedWeek(q, contact.Skill(s)); len(unserved) > 0 {
				b.r.warnf(at, "language_unserved_hours", "nobody on the rota can take calls of this queue in %s, whatever its steps, %s: let a step drop the language, or put somebody on duty", s, weekText(unserved))
			}
		}
	}
}

// unservedWeek lists the minutes of the week, in steps, at which the queue is open
// and nobody on duty can ever take its calls.
func (b *builder) unservedWeek(q routing.Queue, language contact.Skill) []stretch {
	var list []stretch
	for day := range 7 {
		for minute := 0; minute < dayMinutes; minute += hourStep {
			local := contact.Local{Weekday: (day + 1) % 7, Minute: minute}
			if q.Hours != nil && !q.Hours(local) {
				continue
			}
			if b.reaches(q, language, nil, func(p routing.Profile) bool { return b.takesCalls(p) && b.doc.OnDuty(p.Name, local) }) {
				continue
			}
			from := day*dayMinutes + minute
			if n := len(list); n > 0 && list[n-1].to == from {
				list[n-1].to = from + hourStep
			} else {
				list = append(list, stretch{from, from + hourStep})
			}
		}
	}
	// The night from Sunday to Monday is one.
	if n := len(list); n > 1 && list[0].from == 0 && list[n-1].to == 7*dayMinutes {
		list[n-1].to += list[0].to
		list = list[1:]
	}
	return list
}

func (b *builder) takesCalls(p routing.Profile) bool { return p.Capacity[contact.Phone] > 0 }

// reaches tells whether a call of the queue, as it ages, comes within reach of a
// kind of handler that counts. extra is what its rule adds; it counts until the
// first relaxation or overflow step, and so does language until a step drops it.
func (b *builder) reaches(q routing.Queue, language contact.Skill, extra []routing.Need, counts func(routing.Profile) bool) bool {
	if b.within(q, language, extra, counts) {
		return true
	}
	for _, o := range q.Overflow {
		for _, to := range b.doc.plan.Queues {
			if to.ID == o.To && b.within(to, language, nil, counts) {
				return true
			}
		}
	}
	return false
}

// within is reaches without overflow.
func (b *builder) within(q routing.Queue, language contact.Skill, extra []routing.Need, counts func(routing.Profile) bool) bool {
	spoken := func(anyLanguage bool) []routing.Need {
		if language == "" || anyLanguage || !q.LanguageSkill {
			return nil
		}
		return []routing.Need{{Skill: language, Min: 1}}
	}
	stages := [][]routing.Need{slices.Concat(q.Needs, extra, spoken(false))}
	for _, s := range q.Relax {
		stages = append(stages, slices.Concat(s.Needs, spoken(s.AnyLanguage)))
	}
	for _, needs := range stages {
		if slices.ContainsFunc(b.doc.plan.Profiles, func(p routing.Profile) bool { return counts(p) && meets(p, needs) }) {
			return true
		}
	}
	return false
}

// stretch is minutes of the week from Monday 00:00.
type stretch struct{ from, to int }

// weekText writes stretches for people: "mon-fri 22:00-06:00, sat 20:00-24:00".
func weekText(list []stretch) string {
	if len(list) == 1 && list[0].to-list[0].from >= 7*dayMinutes {
		return "at any hour of the week"
	}
	type group struct {
		text string
		days []int
	}
	var groups []group
	for _, s := range list {
		day, from := s.from/dayMinutes, s.from%dayMinutes
		text := clock(from) + "-" + endClock(s)
		if days := (s.to - 1) / dayMinutes; days-day > 1 {
			text += " (" + weekdays[(days+1)%7] + ")"
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.text == text })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{text: text})
		}
		groups[i].days = append(groups[i].days, day)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(len(b.days), len(a.days)) })
	const most = 4
	var parts []string
	for i, g := range groups {
		if i == most {
			parts = append(parts, fmt.Sprintf("and at %d other times", len(groups)-most))
			break
		}
		parts = append(parts, daysText(g.days)+" "+g.text)
	}
	return strings.Join(parts, ", ")
}

func endClock(s stretch) string {
	if end := s.to % dayMinutes; end != 0 {
		return clock(end)
	}
	return "24:00"
}

// daysText writes days, 0 Monday, in order: "mon-fri, sun".
func daysText(days []int) string {
	name := func(d int) string { return weekdays[(d+1)%7] }
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && days[j+1] == days[j]+1 {
			j++
		}
		switch j {
		case i:
			parts = append(parts, name(days[i]))
		case i + 1:
			parts = append(parts, name(days[i]), name(days[j]))
		default:
			parts = append(parts, name(days[i])+"-"+name(days[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// WeekText writes hours of the week, 0 being Monday 00:00 to 01:00, for people:
// "mon-fri 09:00-12:00, sat 10:00-11:00".
func WeekText(hours [168]bool) string {
	var list []stretch
	for h, is := range hours {
		if !is {
			continue
		}
		if n := len(list); n > 0 && list[n-1].to == h*60 && h%24 != 0 {
			list[n-1].to += 60
		} else {
			list = append(list, stretch{h * 60, h*60 + 60})
		}
	}
	if !slices.Contains(hours[:], false) {
		list = []stretch{{0, 7 * dayMinutes}}
	}
	return weekText(list)
}
