package sim

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report as a table for a terminal.
func (r *Report) WriteText(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s, seed %d, %d replications", r.What, r.Period, r.Seed, r.Replications)
	if !r.Complete {
		fmt.Fprintf(&b, " of %d: STOPPED EARLY, what follows is what was done", r.Asked)
	}
	fmt.Fprintf(&b, "\nService level %s = %s, t: %s\n", r.Formula.Name, r.Formula.Text, r.Threshold)
	fmt.Fprintf(&b, "  %s\n", symbols)
	if r.Replications < 2 {
		b.WriteString("One replication: no confidence intervals.\n")
	} else {
		b.WriteString("Figures are means with 95 % confidence intervals (Student's t over replications).\n")
	}
	for _, n := range r.Warnings {
		b.WriteString("NOTE: " + n + "\n")
	}
	for _, n := range r.Notes {
		b.WriteString("- " + n + "\n")
	}
	for _, p := range r.Plans {
		fmt.Fprintf(&b, "\nPLAN %s\n", p.Name)
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, d := range r.Metrics {
			if e := p.Total.Figure(d.Metric); e.Known() && (e.Mean > 0 || !optional[d.Metric]) {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", d.Label, d.Write(e), d.Formula)
			}
		}
		tw.Flush()
		r.textRows(&b, "By queue", p.Queues)
		r.textRows(&b, "By channel", p.Channels)
		r.textRows(&b, "By hour of arrival", p.Hours)
		p.textEffects(&b)
	}
	for _, c := range r.Comparisons {
		fmt.Fprintf(&b, "\nDIFFERENCE %s less %s, paired over the same callers\n", c.Plan, c.With)
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, d := range c.Total {
			def := r.definition(d.Metric)
			fmt.Fprintf(tw, "%s\t%s\t%s\n", def.Label, def.signed(d.Difference), d.Verdict)
		}
		tw.Flush()
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// textEffects tells what rules and steps did, and which did nothing.
func (p *PlanReport) textEffects(b *strings.Builder) {
	count, wait, share := Definition{Unit: Count}, Definition{Unit: Seconds}, Definition{Unit: Share}
	b.WriteString("What each rule did\n")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  rule\tqueue\tcontacts\tshare\tabandoned\tmean wait\t")
	for _, r := range p.Rules {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Label(), r.Queue, count.Write(r.Hits), share.value(r.Share.Mean), meanOf(count, r.Abandoned), meanOf(wait, r.ASA), flag(r.Dead && r.Rule != "", "DEAD: matched nobody"))
	}
	_ = tw.Flush()
	if len(p.Steps) == 0 {
		return
	}
	b.WriteString("What each relaxation and overflow step did\n")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range p.Steps {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", s.Queue, s.Label(), count.Write(s.Contacts), flag(s.Dead, "never used"))
	}
	if p.Spent.Mean > 0 {
		fmt.Fprintf(tw, "  all\tstill waited after the last step\t%s\t\n", count.Write(p.Spent))
	}
	_ = tw.Flush()
}

func flag(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// meanOf writes a figure without its interval, a dash for none.
func meanOf(d Definition, e Estimate) string {
	if !e.Known() {
		return "–"
	}
	return d.value(e.Mean)
}

// Label names the rule for people.
func (e RuleEffect) Label() string {
	if e.Rule == "" {
		return "no rule matched"
	}
	return e.Rule
}

// Label says what the step does, for people.
func (s StepEffect) Label() string {
	if s.Kind == "overflow" {
		return "moved to " + s.Name + " after " + s.After
	}
	return "answered under step " + s.Name + " (after " + s.After + ")"
}

const symbols = "A answered, At of them within t; B abandoned, Bt of them within t, Bl later, Bs short abandons"

func (r *Report) definition(m Metric) Definition {
	for _, d := range r.Metrics {
		if d.Metric == m {
			return d
		}
	}
	return Definition{Metric: m, Label: string(m)}
}

// briefly are the figures of a row in a table.
var briefly = []Metric{Offered, Answered, Abandoned, Overflowed, StillOpen, ServiceLevel, AbandonRate, ASA, Wait90, Wait99, Longest, AHT}

func (r *Report) columns(rows []Row) []Definition {
	list := make([]Definition, 0, len(briefly)+2)
	for _, m := range append(append([]Metric{}, briefly...), Occupancy, Handlers) {
		for _, row := range rows {
			if e := row.Figure(m); e.Known() && (e.Mean > 0 || !optional[m]) {
				list = append(list, r.definition(m))
				break
			}
		}
	}
	return list
}

// optional figures are left out of tables for people while they are 0: plans need
// not have what they count.
var optional = map[Metric]bool{Overflowed: true, Relaxed: true, Announced: true, FedUp: true, FailedCount: true}

// Label names a row.
func (g Group) Label() string {
	var parts []string
	if g.Queue != "" {
		parts = append(parts, string(g.Queue))
	}
	if g.Channel != "" {
		parts = append(parts, string(g.Channel))
	}
	if g.Hour >= 0 {
		parts = append(parts, fmt.Sprintf("%02d:00", g.Hour))
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, ", ")
}

func (r *Report) textRows(b *strings.Builder, title string, rows []Row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", title)
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	columns := r.columns(rows)
	for _, d := range columns {
		fmt.Fprintf(tw, "\t%s", short[d.Metric])
	}
	fmt.Fprintln(tw, "\t")
	for _, row := range rows {
		fmt.Fprint(tw, row.Label())
		for _, d := range columns {
			e := row.Figure(d.Metric)
			text := "–"
			if e.Known() {
				text = d.value(e.Mean)
				if d.Metric == ServiceLevel && e.N > 1 {
					text = d.Write(e)
				}
			}
			fmt.Fprintf(tw, "\t%s", text)
		}
		fmt.Fprintln(tw, "\t")
	}
	tw.Flush()
}

// short are headings for narrow tables.
var short = map[Metric]string{
	Offered: "offered", Answered: "answered", Abandoned: "abandoned", Overflowed: "overflowed", StillOpen: "open", ServiceLevel: "service level",
	AbandonRate: "abandon rate", ASA: "ASA", Wait90: "p90 wait", Wait99: "p99 wait", Longest: "longest", AHT: "AHT", Occupancy: "occupancy", Handlers: "handlers",
}

// signed writes a difference with its sign.
func (d Definition) signed(e Estimate) string {
	text := d.Write(e)
	if e.Mean > 0 && strings.Trim(text, "0. %s±") != "" {
		return "+" + text
	}
	return text
}

// WriteCSV writes one line per plan, group and figure: plan, queue, channel, hour,
// metric, mean, low, high, replications. Shares are 0 to 1, times in seconds; the
// plan "A less B" holds paired differences.
func (r *Report) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	line := []string{"plan", "queue", "channel", "hour", "metric", "mean", "low", "high", "replications"}
	if err := w.Write(line); err != nil {
		return err
	}
	put := func(plan string, g Group, m Metric, e Estimate) error {
		hour, low, high := "", "", ""
		if g.Hour >= 0 {
			hour = strconv.Itoa(g.Hour)
		}
		if e.N > 1 {
			low, high = plain(e.Low()), plain(e.High())
		}
		return w.Write([]string{plan, string(g.Queue), string(g.Channel), hour, string(m), plain(e.Mean), low, high, strconv.Itoa(e.N)})
	}
	rows := func(plan string, lists ...[]Row) error {
		for _, list := range lists {
			for _, row := range list {
				for _, d := range r.Metrics {
					if e := row.Figure(d.Metric); e.Known() {
						if err := put(plan, row.Group, d.Metric, e); err != nil {
							return err
						}
					}
				}
			}
		}
		return nil
	}
	for _, p := range r.Plans {
		if err := rows(p.Name, []Row{p.Total}, p.Queues, p.Channels, p.Hours, p.QueueHours, p.Cells); err != nil {
			return err
		}
	}
	for _, c := range r.Comparisons {
		name := c.Plan + " less " + c.With
		for _, d := range c.Total {
			if err := put(name, Group{Hour: -1}, d.Metric, d.Difference); err != nil {
				return err
			}
		}
		if err := rows(name, c.Queues, c.Channels); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func plain(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }
