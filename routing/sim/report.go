package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Report is what a simulation found. It marshals to JSON.
type Report struct {
	// What was simulated, and Notes on what was assumed.
	What  string   `json:"what"`
	Notes []string `json:"notes"`
	// Warnings are what a reader must know before reading on.
	Warnings []string `json:"warnings,omitempty"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	// Period is From and To for people, in the first plan's zone.
	Period string `json:"period"`
	Seed   uint64 `json:"seed"`
	// Replications done, of those Asked for; Complete when all were.
	Replications int  `json:"replications"`
	Asked        int  `json:"replications_asked"`
	Complete     bool `json:"complete"`
	// Formula of the service level, and its threshold for people.
	Formula   Formula      `json:"service_level"`
	Threshold string       `json:"threshold"`
	Metrics   []Definition `json:"metrics"`
	Plans     []PlanReport `json:"plans"`
	// Comparisons of each further plan with the first.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	// Contacts and Steps count the work done: contacts simulated and engine events.
	Contacts int `json:"contacts"`
	Steps    int `json:"engine_events"`
}

// PlanReport is one plan's figures.
type PlanReport struct {
	Name  string `json:"name"`
	Total Row    `json:"total"`
	// Queues, Channels and Hours split the total one way, QueueHours and Cells
	// (queue, channel and hour) several ways.
	Queues     []Row `json:"queues"`
	Channels   []Row `json:"channels"`
	Hours      []Row `json:"hours"`
	QueueHours []Row `json:"queue_hours"`
	Cells      []Row `json:"cells"`
	// Rules and Steps tell what each rule and each relaxation and overflow step did.
	Rules []RuleEffect `json:"rules"`
	Steps []StepEffect `json:"steps"`
	// Spent counts alerts of contacts that had taken the last step and still waited.
	Spent Estimate `json:"steps_spent"`
}

// Row is the figures of one group.
type Row struct {
	Group
	Figures map[Metric]Estimate `json:"figures"`
}

// Comparison is how a plan differs from the first: paired differences, this plan
// less the first, over the same callers.
type Comparison struct {
	Plan string `json:"plan"`
	With string `json:"with"`
	// Total, and the same by queue and channel.
	Total    []Difference `json:"total"`
	Queues   []Row        `json:"queues"`
	Channels []Row        `json:"channels"`
}

// Difference is one figure's paired difference.
type Difference struct {
	Metric     Metric   `json:"metric"`
	Difference Estimate `json:"difference"`
	// Significant tells that the 95 % interval does not hold zero. Where it is
	// false the difference may be chance.
	Significant bool `json:"significant"`
	// Verdict is "better", "worse", "higher", "lower" or "not significant".
	Verdict string `json:"verdict"`
}

// Figure gives one figure's estimate, not Known when there is none.
func (r Row) Figure(m Metric) Estimate {
	if e, is := r.Figures[m]; is {
		return e
	}
	return estimate(nil)
}

func newReport(o *Options, plans []*prepared, done [][]result) *Report {
	from, to := o.Source.Period()
	what, notes := o.Source.Describe()
	r := &Report{
		What: what, Notes: notes, From: from.String(), To: to.String(), Seed: o.Seed,
		Replications: len(done), Asked: o.Replications, Complete: len(done) == o.Replications,
		Formula: o.Formula, Metrics: Definitions(o.Formula), Threshold: "each queue's own target",
	}
	if o.Within > 0 {
		r.Threshold = seconds(o.Within.Std().Seconds()) + " for calls, each queue's own target for written contacts"
	}
	r.Period = period(plans[0].zone, from, to)
	if o.Within <= 0 && !samePromises(plans) {
		r.Warnings = append(r.Warnings, "The plans promise different times, so their service levels measure different things: compare waits, or set one threshold for all (--within).")
	}
	for _, list := range done {
		for _, one := range list {
			r.Contacts += one.contacts
			r.Steps += one.steps
		}
	}
	x := newEstimator(0.95)
	for i, p := range plans {
		r.Plans = append(r.Plans, planReport(x, p, column(done, i), r.Metrics, o.Formula))
	}
	for i := 1; i < len(plans); i++ {
		r.Comparisons = append(r.Comparisons, compare(x, plans[i], plans[0], column(done, i), column(done, 0), r.Metrics, o.Formula))
	}
	return r
}

// period writes a period as civil dates, with times where it is not whole days.
func period(zone contact.Zone, from, to contact.Instant) string {
	first, last := zone.Local(from), zone.Local(to)
	if first.Minute == 0 && last.Minute == 0 {
		last = zone.Local(to - 1)
		if first.Date == last.Date {
			return first.Date
		}
		return first.Date + " to " + last.Date
	}
	clock := func(l contact.Local) string { return fmt.Sprintf("%s %02d:%02d", l.Date, l.Minute/60, l.Minute%60) }
	return clock(first) + " to " + clock(last)
}

// samePromises tells whether queues of the same name have the same targets in all
// plans, and no plan has a queue another lacks.
func samePromises(plans []*prepared) bool {
	for _, p := range plans[1:] {
		if len(p.plan.Queues) != len(plans[0].plan.Queues) {
			return false
		}
		for i, q := range p.plan.Queues {
			if q.ID != plans[0].plan.Queues[i].ID || p.within[i] != plans[0].within[i] {
				return false
			}
		}
	}
	return true
}

func column(done [][]result, plan int) []result {
	list := make([]result, len(done))
	for i, one := range done {
		list[i] = one[plan]
	}
	return list
}

// groupsIn lists every group any replication has, queues in the plan's order.
func groupsIn(p *prepared, lists ...[]result) []Group {
	seen := map[Group]bool{}
	var all []Group
	for _, list := range lists {
		for _, one := range list {
			for g := range one.groups {
				if !seen[g] {
					seen[g] = true
					all = append(all, g)
				}
			}
		}
	}
	place := map[routing.QueueID]int{"": -1}
	for i, q := range p.plan.Queues {
		place[q.ID] = i
	}
	order := map[contact.Channel]int{"": -1}
	for i, c := range channelList {
		order[c] = i
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(place[a.Queue], place[b.Queue]), cmp.Compare(order[a.Channel], order[b.Channel]), cmp.Compare(a.Hour, b.Hour))
	})
	return all
}

func planReport(x *estimator, p *prepared, list []result, metrics []Definition, f Formula) PlanReport {
	out := PlanReport{Name: p.name, Rules: ruleEffects(x, p, list), Steps: stepEffects(x, p, list)}
	values := make([]float64, len(list))
	for i, one := range list {
		values[i] = one.effect.spent
	}
	out.Spent = x.of(values)
	for _, g := range groupsIn(p, list) {
		row := Row{Group: g, Figures: make(map[Metric]Estimate, len(metrics))}
		for _, m := range metrics {
			for i, one := range list {
				values[i] = one.groups[g].value(m.Metric, f)
			}
			if e := x.of(values); e.Known() {
				row.Figures[m.Metric] = e
			}
		}
		switch {
		case g == Group{Hour: -1}:
			out.Total = row
		case g.Channel == "" && g.Hour < 0:
			out.Queues = append(out.Queues, row)
		case g.Queue == "" && g.Hour < 0:
			out.Channels = append(out.Channels, row)
		case g.Queue == "":
			out.Hours = append(out.Hours, row)
		case g.Channel == "":
			out.QueueHours = append(out.QueueHours, row)
		case g.Hour >= 0:
			out.Cells = append(out.Cells, row)
		}
	}
	return out
}

func compare(x *estimator, p, base *prepared, list, with []result, metrics []Definition, f Formula) Comparison {
	c := Comparison{Plan: p.name, With: base.name}
	values := make([]float64, len(list))
	for _, g := range groupsIn(p, list, with) {
		if g.Hour >= 0 || g.Queue != "" && g.Channel != "" {
			continue
		}
		row := Row{Group: g, Figures: map[Metric]Estimate{}}
		for _, m := range metrics {
			for i := range list {
				values[i] = list[i].groups[g].value(m.Metric, f) - with[i].groups[g].value(m.Metric, f)
			}
			e := x.of(values)
			if !e.Known() {
				continue
			}
			row.Figures[m.Metric] = e
			if g == (Group{Hour: -1}) {
				c.Total = append(c.Total, Difference{m.Metric, e, e.Significant(), Verdict(m, e)})
			}
		}
		switch {
		case g.Queue != "":
			c.Queues = append(c.Queues, row)
		case g.Channel != "":
			c.Channels = append(c.Channels, row)
		}
	}
	return c
}

// Verdict says what a difference means.
func Verdict(m Definition, e Estimate) string {
	switch {
	case e.Mean == 0 && (e.N < 2 || e.Half == 0):
		return "the same"
	case e.N < 2:
		return "one replication: cannot tell"
	case !e.Significant():
		return "not significant"
	}
	sign := 1
	if e.Mean < 0 {
		sign = -1
	}
	switch {
	case m.Better == sign:
		return "better"
	case m.Better == -sign:
		return "worse"
	case sign > 0:
		return "higher"
	}
	return "lower"
}

// Write writes a figure for people, with its interval.
func (d Definition) Write(e Estimate) string {
	if !e.Known() {
		return "–"
	}
	if e.N < 2 || e.Half != e.Half {
		return d.value(e.Mean)
	}
	return d.value(e.Mean) + " ± " + d.value(e.Half)
}

func (d Definition) value(v float64) string {
	if v < 0 {
		if positive := d.value(-v); strings.Trim(positive, "0. %s") != "" {
			return "−" + positive
		}
		v = 0
	}
	switch d.Unit {
	case Share:
		return fmt.Sprintf("%.1f %%", 100*v)
	case Seconds:
		return seconds(v)
	}
	if v >= 1000 {
		text := fmt.Sprintf("%.0f", v)
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
		return text
	}
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}
