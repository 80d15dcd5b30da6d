package sim

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// WriteHTML writes the report as one page that needs nothing else: no script, no
// font, no picture from elsewhere. Every chart has its figures in a table.
func (r *Report) WriteHTML(out io.Writer) error {
	return pageTemplate.Execute(out, r.page())
}

type page struct {
	*Report
	Symbols     string
	Heading     string
	Headline    []headline
	Differences []pageDifference
	Charts      []chart
	Sections    []section
	Effects     []pageEffects
}

// pageEffects is what a plan's rules and steps did.
type pageEffects struct {
	Plan  string
	Rules []effectRow
	Steps []effectRow
	// Dead names rules that matched nobody.
	Dead []string
	// Spent is how many contacts still waited after the last step, empty for none.
	Spent string
}

type effectRow struct {
	Label, Queue, Contacts, Share, Abandoned, Wait string
	// Percent is the share's bar.
	Percent float64
	Dead    bool
}

// headline is the first table: a figure under each plan.
type headline struct {
	Label, Formula string
	Values         []string
}

type pageDifference struct {
	Plan, With string
	Sentences  []string
	Rows       []differenceRow
	Heads      []string
	Queues     []queueRow
	// Moved tells that some queue gets other contacts under the two plans.
	Moved bool
}

type queueRow struct {
	Label string
	Cells []differenceRow
}

type differenceRow struct{ Label, Value, Verdict, Class string }

type section struct {
	Title string
	First string // heading of the first column
	Plan  string
	Heads []string
	Rows  []sectionRow
}

type sectionRow struct {
	Label  string
	Values []string
}

func (r *Report) page() page {
	p := page{Report: r, Symbols: symbols, Heading: strings.ToUpper(r.What[:1]) + r.What[1:]}
	for _, d := range r.Metrics {
		h := headline{Label: d.Label, Formula: d.Formula}
		known := false
		for _, plan := range r.Plans {
			e := plan.Total.Figure(d.Metric)
			known = known || e.Known() && (e.Mean > 0 || !optional[d.Metric])
			h.Values = append(h.Values, d.Write(e))
		}
		if known {
			p.Headline = append(p.Headline, h)
		}
	}
	for _, c := range r.Comparisons {
		p.Differences = append(p.Differences, r.pageDifference(c))
	}
	p.Charts = r.charts()
	for i := range r.Plans {
		p.Effects = append(p.Effects, r.Plans[i].effects())
	}
	for _, plan := range r.Plans {
		p.Sections = append(p.Sections, r.section("By queue", "Queue", plan.Name, plan.Queues), r.section("By channel", "Channel", plan.Name, plan.Channels),
			r.section("By hour of arrival", "Hour", plan.Name, plan.Hours))
	}
	return p
}

func (p *PlanReport) effects() pageEffects {
	count, wait, share := Definition{Unit: Count}, Definition{Unit: Seconds}, Definition{Unit: Share}
	e := pageEffects{Plan: p.Name}
	for _, r := range p.Rules {
		row := effectRow{
			Label: r.Label(), Queue: string(r.Queue), Contacts: count.Write(r.Hits), Share: share.value(r.Share.Mean), Percent: 100 * r.Share.Mean,
			Abandoned: meanOf(count, r.Abandoned), Wait: meanOf(wait, r.ASA), Dead: r.Dead && r.Rule != "",
		}
		if row.Dead {
			e.Dead = append(e.Dead, r.Rule)
		}
		e.Rules = append(e.Rules, row)
	}
	for _, s := range p.Steps {
		e.Steps = append(e.Steps, effectRow{Label: strings.ToUpper(s.Label()[:1]) + s.Label()[1:], Queue: string(s.Queue), Contacts: count.Write(s.Contacts), Dead: s.Dead})
	}
	if p.Spent.Mean > 0 {
		e.Spent = count.Write(p.Spent)
	}
	return e
}

func (r *Report) pageDifference(c Comparison) pageDifference {
	d := pageDifference{Plan: c.Plan, With: c.With}
	for _, x := range c.Total {
		def := r.definition(x.Metric)
		d.Rows = append(d.Rows, differenceRow{def.Label, def.signed(x.Difference), x.Verdict, classOf(x.Verdict)})
		switch x.Metric {
		case ServiceLevel, AbandonRate, ASA, Longest:
			d.Sentences = append(d.Sentences, sentence(def, x))
		}
	}
	telling := []Metric{Answered, Abandoned, ServiceLevel, ASA, Wait90, Longest}
	for _, m := range telling {
		d.Heads = append(d.Heads, r.definition(m).Label)
	}
	for _, row := range c.Queues {
		q := queueRow{Label: row.Label()}
		for _, m := range telling {
			def, e := r.definition(m), row.Figure(m)
			if def.Unit == Count && row.Figure(Offered).Mean != 0 {
				def.Better, d.Moved = 0, true
			}
			cell := differenceRow{Value: "–", Class: "no"}
			if e.Known() {
				cell.Value, cell.Verdict = def.signed(e), Verdict(def, e)
				cell.Class = classOf(cell.Verdict)
			}
			q.Cells = append(q.Cells, cell)
		}
		d.Queues = append(d.Queues, q)
	}
	return d
}

func classOf(verdict string) string {
	switch verdict {
	case "better", "worse":
		return verdict
	case "higher", "lower":
		return "other"
	}
	return "no"
}

// sentence says one difference in words.
func sentence(d Definition, x Difference) string {
	e := x.Difference
	name := strings.ToUpper(d.Label[:1]) + d.Label[1:]
	if !x.Significant {
		return name + ": no significant difference" + because(d, e) + "."
	}
	direction := "higher"
	if e.Mean < 0 {
		direction = "lower"
	}
	amount := d.value(math.Abs(e.Mean))
	if d.Unit == Share {
		amount = fmt.Sprintf("%.1f percentage points", 100*math.Abs(e.Mean))
	}
	return fmt.Sprintf("%s: %s %s, which is %s%s.", name, amount, direction, x.Verdict, because(d, e))
}

func because(d Definition, e Estimate) string {
	if e.N < 2 {
		return " can be told from one replication"
	}
	return fmt.Sprintf(" (95 %% interval %s to %s)", d.value(e.Low()), d.value(e.High()))
}

func (r *Report) section(title, first, plan string, rows []Row) section {
	s := section{Title: title, First: first, Plan: plan}
	columns := r.columns(rows)
	for _, d := range columns {
		s.Heads = append(s.Heads, d.Label)
	}
	for _, row := range rows {
		x := sectionRow{Label: row.Label()}
		for _, d := range columns {
			e := row.Figure(d.Metric)
			text := "–"
			if e.Known() {
				text = d.value(e.Mean)
				if (d.Metric == ServiceLevel || d.Metric == ASA) && e.N > 1 {
					text = d.Write(e)
				}
			}
			x.Values = append(x.Values, text)
		}
		s.Rows = append(s.Rows, x)
	}
	return s
}
