package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.org/c3i/e2e/bench/measure"
)

// report is all that was measured; its JSON form is what --json writes.
type report struct {
	Began    time.Time       `json:"began"`
	Took     float64         `json:"took_seconds"`
	Machine  measure.Machine `json:"machine"`
	Asterisk string          `json:"asterisk,omitempty"`
	Arrivals []callFigure    `json:"arrivals,omitempty"`
	Backlog  []callFigure    `json:"backlog,omitempty"`
	Engine   []engineFigure  `json:"engine,omitempty"`
	Pops     []popFigure     `json:"screen_pops,omitempty"`
	Sim      *simFigures     `json:"simulation,omitempty"`
	Records  *recordsFigure  `json:"records,omitempty"`
	Mail     *mailFigures    `json:"mail,omitempty"`
	Targets  []target        `json:"targets"`
}

// target is one figure beside what it should be.
type target struct {
	Part   string  `json:"part"`
	What   string  `json:"what"`
	Figure float64 `json:"figure"`
	// Least tells that the figure should be at least the goal, else at most.
	Least bool    `json:"at_least,omitempty"`
	Goal  float64 `json:"goal"`
	Unit  string  `json:"unit"`
	Met   bool    `json:"met"`
}

func (r *report) expect(part, what string, figure, goal float64, least bool, unit string) {
	met := figure <= goal
	if least {
		met = figure >= goal
	}
	met = met && !math.IsNaN(figure) && figure > 0
	if math.IsNaN(figure) || math.IsInf(figure, 0) {
		figure = 0
	}
	r.Targets = append(r.Targets, target{part, what, figure, least, goal, unit, met})
}

// judge puts the figures beside the goals.
func (r *report) judge() {
	byRate := map[float64]map[string]callFigure{}
	for _, f := range r.Arrivals {
		if byRate[f.Rate] == nil {
			byRate[f.Rate] = map[string]callFigure{}
		}
		byRate[f.Rate][f.System] = f
	}
	for _, rate := range slices.Sorted(maps.Keys(byRate)) {
		of := byRate[rate]
		ours, bare := of["C3i"], of["bare ARI"]
		r.expect("a", fmt.Sprintf("%g calls/s: median, C3i to bare ARI", rate), ours.Time.Median/bare.Time.Median, 1.5, false, "×")
		r.expect("a", fmt.Sprintf("%g calls/s: p99 of C3i", rate), ours.Time.P99, 50, false, "ms")
		r.expect("d", fmt.Sprintf("%g calls/s: p99 of the person on the desk, from the caller's INVITE", rate), ours.Pop.P99, 30, false, "ms")
	}
	if len(r.Backlog) > 0 {
		of := map[string]callFigure{}
		for _, f := range r.Backlog {
			of[f.System] = f
		}
		ours, queue, bare := of["C3i"], of["app_queue"], of["bare ARI"]
		r.expect("b", "median, C3i to app_queue", ours.Time.Median/queue.Time.Median, 1.0/50, false, "×")
		r.expect("b", "median, C3i to bare ARI", ours.Time.Median/bare.Time.Median, 1.5, false, "×")
	}
	for i, f := range r.Engine {
		if f.Waiting == 10_000 || i == len(r.Engine)-1 {
			r.expect("c", fmt.Sprintf("events with %d waiting", f.Waiting), f.EventsPerSecond, 200_000, true, "/s")
		}
		if i > 0 {
			r.expect("c", fmt.Sprintf("dearer per doubling, %d to %d waiting", r.Engine[i-1].Waiting, f.Waiting), f.Growth, 1.15, false, "×")
		}
	}
	for _, f := range r.Pops {
		r.expect("d", fmt.Sprintf("p99 with %d people, %s", f.People, f.Load), f.Both.P99, 30, false, "ms")
	}
	if r.Records != nil {
		size := fmt.Sprintf("%d people, %d contacts", r.Records.People, r.Records.Contacts)
		for _, f := range r.Records.Searches {
			r.expect("e", fmt.Sprintf("p99 of a search with %s: %s", size, f.What), f.Time.P99, 50, false, "ms")
		}
		r.expect("e", "p99 of a screen-pop with "+size, r.Records.Pop.P99, 30, false, "ms")
		r.expect("e", "p99 of a timeline with "+size, r.Records.Timeline.P99, 50, false, "ms")
		r.expect("e", "p99 of a search at each keystroke with "+size, r.Records.Typing.P99, 50, false, "ms")
	}
	if r.Sim != nil {
		r.Sim.judge(r)
	}
	if r.Mail != nil {
		r.Mail.judge(r)
	}
	slices.SortStableFunc(r.Targets, func(a, b target) int { return strings.Compare(a.Part, b.Part) })
}

// faults counts what must not have happened.
func (r *report) faults() int {
	n := 0
	for _, f := range slices.Concat(r.Arrivals, r.Backlog) {
		n += f.Failed
	}
	for _, f := range r.Pops {
		n += f.Failed
	}
	if r.Records != nil {
		for _, f := range r.Records.Searches {
			n += f.Missed
		}
	}
	if r.Mail != nil {
		n += len(r.Mail.Faults)
	}
	return n
}

func (r *report) missed() int {
	n := 0
	for _, t := range r.Targets {
		if !t.Met {
			n++
		}
	}
	return n
}

func (r *report) save(name string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644)
}

// print writes the report for people.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%d cores, %s, Linux %s, %s, Asterisk %s; load before: %.2f; took %.0f s\n",
		r.Machine.Cores, r.Machine.Model, r.Machine.Kernel, r.Machine.Go, orDash(r.Asterisk), r.Machine.Load, r.Took)
	r.printCalls(out, "(a) Call in to an idle handler's phone ringing, ms", r.Arrivals, false)
	r.printCalls(out, "(b) Backlog: handler free to the next caller ringing there, ms", r.Backlog, true)
	if len(r.Engine) > 0 {
		fmt.Fprintf(out, "\n(c) Routing engine alone, one core, %d handlers in %d profiles\n\n", r.Engine[0].Handlers, r.Engine[0].Profiles)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "waiting\tevents/s\tns/event\tallocations\tbytes\tdearer per doubling\t")
		for _, f := range r.Engine {
			growth := "-"
			if f.Growth > 0 {
				growth = fmt.Sprintf("%.2f×", f.Growth)
			}
			fmt.Fprintf(w, "%d\t%.0f\t%.0f\t%.1f\t%.0f\t%s\t\n", f.Waiting, f.EventsPerSecond, f.NsPerEvent, f.AllocsPerEvent, f.BytesPerEvent, growth)
		}
		_ = w.Flush()
	}
	if len(r.Pops) > 0 {
		fmt.Fprintf(out, "\n(d) Screen-pop from Redis with %d people, ms\n\n", r.Pops[0].People)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "load\tper s\tcount\tfaults\tidentify median\tp99\tpop median\tp99\tboth median\tp90\tp99\tCPU\t")
		for _, f := range r.Pops {
			fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", f.Load, f.Rate, f.Both.Count, f.Failed,
				f.Identify.Median, f.Identify.P99, f.Pop.Median, f.Pop.P99, f.Both.Median, f.Both.P90, f.Both.P99, f.CPU)
		}
		_ = w.Flush()
	}
	if r.Records != nil {
		r.Records.print(out)
	}
	if r.Sim != nil {
		r.Sim.print(out)
	}
	if r.Mail != nil {
		r.Mail.print(out)
	}
	if len(r.Targets) > 0 {
		fmt.Fprint(out, "\nAgainst the goals\n\n")
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, t := range r.Targets {
			sign, met := "≤", "met"
			if t.Least {
				sign = "≥"
			}
			if !t.Met {
				met = "NOT MET"
			}
			fmt.Fprintf(w, "(%s)\t%s\t%s\t%s %s\t%s\n", t.Part, t.What, figure(t.Figure, t.Unit), sign, figure(t.Goal, t.Unit), met)
		}
		_ = w.Flush()
	}
	r.printFaults(out)
}

func (r *report) printCalls(out io.Writer, title string, figures []callFigure, backlog bool) {
	if len(figures) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n\n", title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "calls/s\tsystem\tcalls\tfaults\tcount\tmedian\tp90\tp99\tmax\tperson on desk p50\tp99\tCPU ms/call: controller\tAsterisk\tRedis\tother programs, cores\t")
	for _, f := range figures {
		pop50, pop99 := "-", "-"
		if f.Pop.Count > 0 {
			pop50, pop99 = fmt.Sprintf("%.1f", f.Pop.Median), fmt.Sprintf("%.1f", f.Pop.P99)
		}
		if backlog {
			pop50, pop99 = "-", "-" // it would be the wait in the queue
		}
		fmt.Fprintf(w, "%g\t%s\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t%.1f\t%s\t%.2f\t\n", f.Rate, f.System, f.Calls, f.Failed, f.Time.Count,
			f.Time.Median, f.Time.P90, f.Time.P99, f.Time.Max, pop50, pop99, some(f.CPU.Controller), f.CPU.Asterisk, some(f.CPU.Redis), f.Others)
	}
	_ = w.Flush()
}

// printFaults lists what must not have happened, alike ones once.
func (r *report) printFaults(out io.Writer) {
	if r.faults() == 0 {
		if len(r.Arrivals)+len(r.Backlog) > 0 {
			fmt.Fprint(out, "\nEvery call was answered by exactly one phone, which was in no other call.\n")
		}
		return
	}
	fmt.Fprintf(out, "\n%d FAULTS\n", r.faults())
	for _, f := range slices.Concat(r.Arrivals, r.Backlog) {
		count := map[string]int{}
		for _, fault := range f.Faults {
			count[fault]++
		}
		for _, fault := range slices.Sorted(maps.Keys(count)) {
			fmt.Fprintf(out, "  %s at %g calls/s: %d × %s\n", f.System, f.Rate, count[fault], fault)
		}
	}
	for _, f := range r.Pops {
		if f.Failed > 0 {
			fmt.Fprintf(out, "  screen-pop, %s: %d failed\n", f.Load, f.Failed)
		}
	}
	if r.Records != nil {
		for _, f := range r.Records.Searches {
			if f.Missed > 0 {
				fmt.Fprintf(out, "  search for %s: %d did not find what is there\n", f.What, f.Missed)
			}
		}
	}
	if r.Mail != nil {
		for _, fault := range r.Mail.Faults {
			fmt.Fprintf(out, "  mail: %s\n", fault)
		}
	}
}

func figure(v float64, unit string) string {
	switch unit {
	case "/s":
		return fmt.Sprintf("%.0f/s", v)
	case "ms":
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.3g%s", v, unit)
}

func some(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", v)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
