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
			if e := p.Total.Figure(d.Metric); e.Known() {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", d.Label, d.Write(e), d.Formula)
			}
		}
		tw.Flush()
		r.textRows(&b, "By queue", p.Queues)
		r.textRows(&b, "By channel", p.Channels)
		r.textRows(&b, "By hour of arrival", p.Hours)
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
var briefly = []Metric{Offered, Answered, Abandoned, StillOpen, ServiceLevel, AbandonRate, ASA, Wait90, Wait99, Longest, AHT}

func (r *Report) columns(rows []Row) []Definition {
	list := make([]Definition, 0, len(briefly)+2)
	for _, m := range append(append([]Metric{}, briefly...), Occupancy, Handlers) {
		for _, row := range rows {
			if row.Figure(m).Known() {
				list = append(list, r.definition(m))
				break
			}
		}
	}
	return list
}

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
	Offered: "offered", Answered: "answered", Abandoned: "abandoned", StillOpen: "open", ServiceLevel: "service level",
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
