package sim

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// chart is a drawing and the figures it shows.
type chart struct {
	Title, About string
	SVG          template.HTML
	Heads        []string
	Rows         []sectionRow
}

// series is one line of a chart, told from others by colour, dashes and marks.
type series struct {
	name   string
	values [24]Estimate
}

// looks are dark enough on white for text (contrast above 4.5) and differ in
// dashes and mark, so that colour is not the only signal.
var looks = []struct{ colour, dash, mark string }{
	{"#1d70b8", "", "circle"}, {"#b5500b", "7 4", "square"}, {"#4c2c92", "2 3", "diamond"}, {"#00703c", "10 3 2 3", "triangle"},
}

func (r *Report) charts() []chart {
	var list []chart
	draw := func(m Metric, title, about string) {
		d := r.definition(m)
		var lines []series
		for _, p := range r.Plans {
			s := series{name: p.Name}
			for h := range s.values {
				s.values[h] = estimate(nil)
			}
			some := false
			for _, row := range p.Hours {
				s.values[row.Hour] = row.Figure(m)
				some = some || s.values[row.Hour].Known()
			}
			if some {
				lines = append(lines, s)
			}
		}
		if len(lines) > 0 {
			list = append(list, drawChart(title, about, d, lines))
		}
	}
	draw(ServiceLevel, "Service level by hour of arrival", "Share of contacts answered in time, under "+r.Formula.Name+". Thin bars are 95 % confidence intervals.")
	draw(ASA, "Average speed of answer by hour of arrival", "Mean wait of those answered. Thin bars are 95 % confidence intervals.")
	draw(AbandonRate, "Abandon rate by hour of arrival", "Share of callers who gave up.")
	draw(Offered, "Contacts by hour of arrival", "All days together, the same for every plan.")
	draw(Handlers, "Handlers signed on by hour", "Mean over the days.")
	draw(Occupancy, "Occupancy by hour", "Share of signed-on time with a contact in hand.")
	return list
}

const (
	chartWidth, chartHeight               = 860, 300
	plotLeft, plotTop, plotRight, plotLow = 70, 16, 846, 250
)

func drawChart(title, about string, d Definition, lines []series) chart {
	if d.Metric == Offered || d.Metric == Handlers {
		lines = lines[:1] // causes from outside: the same for all
		lines[0].name = "every plan"
	}
	top := 0.0
	for _, s := range lines {
		for _, e := range s.values {
			if e.Known() {
				top = math.Max(top, e.Mean)
				if !math.IsNaN(e.Half) {
					top = math.Max(top, math.Min(e.Mean+e.Half, 2*e.Mean))
				}
			}
		}
	}
	ticks := scale(top, d.Unit)
	top = ticks[len(ticks)-1]
	x := func(h int) float64 { return plotLeft + 18 + (plotRight-plotLeft-36)*float64(h)/23 }
	y := func(v float64) float64 {
		return plotLow - (plotLow-plotTop)*math.Min(1, math.Max(0, v/top))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s. The figures are in the table below." xmlns="http://www.w3.org/2000/svg">`,
		chartWidth, chartHeight, template.HTMLEscapeString(title))
	for _, t := range ticks {
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="grid"/><text x="%d" y="%.1f" class="tick end">%s</text>`,
			plotLeft, plotRight, y(t), y(t), plotLeft-8, y(t)+4, template.HTMLEscapeString(d.tick(t)))
	}
	for h := 0; h < 24; h += 2 {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" class="tick mid">%02d</text>`, x(h), plotLow+18, h)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" class="tick mid">hour of the day</text>`, (plotLeft+plotRight)/2, plotLow+38)
	for i, s := range lines {
		drawSeries(&b, i, s, x, y)
	}
	b.WriteString("</svg>")
	c := chart{Title: title, About: about, Heads: []string{}}
	var legend strings.Builder
	if len(lines) > 1 {
		legend.WriteString(`<ul class="legend">`)
		for i, s := range lines {
			fmt.Fprintf(&legend, `<li><svg viewBox="0 0 44 14" width="44" height="14" aria-hidden="true">%s</svg> %s</li>`, sample(i), template.HTMLEscapeString(s.name))
		}
		legend.WriteString("</ul>")
	}
	c.SVG = template.HTML(legend.String() + b.String()) //nolint:gosec // drawn here from numbers; names are escaped above
	for _, s := range lines {
		c.Heads = append(c.Heads, s.name)
	}
	for h := range 24 {
		row := sectionRow{Label: fmt.Sprintf("%02d:00", h)}
		some := false
		for _, s := range lines {
			some = some || s.values[h].Known()
			row.Values = append(row.Values, d.Write(s.values[h]))
		}
		if some {
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}

func drawSeries(b *strings.Builder, i int, s series, x func(int) float64, y func(float64) float64) {
	look := looks[i%len(looks)]
	shift := 0.0
	if i > 0 {
		shift = 3 * float64(i) // intervals of several plans beside each other
	}
	path, open := "", false
	for h, e := range s.values {
		if !e.Known() {
			open = false
			continue
		}
		verb := "L"
		if !open {
			verb = "M"
		}
		open = true
		path += fmt.Sprintf("%s%.1f %.1f", verb, x(h), y(e.Mean))
		if !math.IsNaN(e.Half) && e.Half > 0 {
			fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="1.2"/>`, x(h)+shift, x(h)+shift, y(e.Low()), y(e.High()), look.colour)
		}
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2.5" stroke-dasharray="%s"/>`, path, look.colour, look.dash)
	for h, e := range s.values {
		if e.Known() {
			b.WriteString(mark(look.mark, look.colour, x(h), y(e.Mean)))
		}
	}
}

func mark(kind, colour string, x, y float64) string {
	switch kind {
	case "square":
		return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="7" height="7" fill="%s"/>`, x-3.5, y-3.5, colour)
	case "diamond":
		return fmt.Sprintf(`<path d="M%.1f %.1fl5 5-5 5-5-5z" fill="%s"/>`, x, y-5, colour)
	case "triangle":
		return fmt.Sprintf(`<path d="M%.1f %.1fl5 8h-10z" fill="%s"/>`, x, y-5, colour)
	}
	return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="3.8" fill="%s"/>`, x, y, colour)
}

func sample(i int) string {
	look := looks[i%len(looks)]
	return fmt.Sprintf(`<path d="M0 7H44" fill="none" stroke="%s" stroke-width="2.5" stroke-dasharray="%s"/>`, look.colour, look.dash) +
		mark(look.mark, look.colour, 22, 7)
}

// scale gives the marks of an axis from 0 to at least top.
func scale(top float64, unit Unit) []float64 {
	if unit == Share && top > 0.5 {
		return []float64{0, 0.25, 0.5, 0.75, 1}
	}
	if !(top > 0) {
		top = 1
	}
	steps := []float64{1, 2, 2.5, 5, 10}
	var base float64
	if unit == Seconds && top >= 60 {
		steps, base = []float64{0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440}, 60
	} else {
		base = math.Pow(10, math.Floor(math.Log10(top/4)))
	}
	step := steps[len(steps)-1] * base
	for _, s := range steps {
		if 5*s*base >= top {
			step = s * base
			break
		}
	}
	if unit == Count && step < 1 {
		step = 1
	}
	list := []float64{0}
	for v := step; ; v += step {
		list = append(list, v)
		if v >= top || len(list) > 12 {
			return list
		}
	}
}

func (d Definition) tick(v float64) string {
	switch d.Unit {
	case Share:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*v), ".0") + " %"
	case Seconds:
		switch {
		case v == 0 || v == math.Trunc(v) && v < 60:
			return fmt.Sprintf("%.0f s", v)
		case v < 3600 && math.Mod(v, 60) == 0:
			return fmt.Sprintf("%.0f min", v/60)
		}
		return seconds(v)
	}
	return fmt.Sprintf("%.0f", v)
}
