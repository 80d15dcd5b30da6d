package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"example.org/c3i/contact"
)

// StaffPlan is the fewest handlers found, hour by hour, that meet a service level.
type StaffPlan struct {
	What string `json:"what"`
	Plan string `json:"plan"`
	Seed uint64 `json:"seed"`
	// Target is the service level to meet in each hour, as Formula has it.
	Target       float64     `json:"target"`
	Formula      Formula     `json:"formula"`
	Threshold    string      `json:"threshold"`
	Replications int         `json:"replications"`
	Hours        []StaffHour `json:"hours"`
	// HandlerHours is the sum over a day.
	HandlerHours int `json:"handler_hours"`
	// Met tells that every hour meets the target; Settled that no hour could be
	// given one handler less in the last round. Both are false when stopped early.
	Met     bool `json:"met"`
	Settled bool `json:"settled"`
	// Trials is how many staffings were simulated.
	Trials int `json:"trials"`
}

// StaffHour is one hour of the day.
type StaffHour struct {
	Hour int `json:"hour"`
	// Arrivals an hour, all channels.
	Arrivals float64 `json:"arrivals"`
	// ErlangA is where the search began; Handlers where it ended.
	ErlangA  int `json:"erlang_a"`
	Handlers int `json:"handlers"`
	// Profiles splits Handlers in the proportions of the model's staffing.
	Profiles     map[string]int `json:"profiles"`
	ServiceLevel Estimate       `json:"service_level"`
}

// restaffed is a source whose staffing can be set by hour of the day.
type restaffed interface {
	Source
	restaff(perHour map[string][24]int) Source
	mixOfHandlers() map[string]float64
}

func (s *Modelled) mixOfHandlers() map[string]float64 { return s.model.mixOfHandlers() }

func (m *Model) mixOfHandlers() map[string]float64 {
	out, total := map[string]float64{}, 0.0
	for _, x := range m.staff {
		for d := range x.days {
			for _, n := range x.perHour {
				if x.days[d] {
					out[x.profile] += float64(n)
					total += float64(n)
				}
			}
		}
	}
	for p := range out {
		out[p] /= math.Max(total, 1)
	}
	return out
}

func (s *Modelled) restaff(perHour map[string][24]int) Source {
	twin := *s
	twin.shifts = shiftsByHour(s.model, s.from, s.to, perHour)
	return &twin
}

func shiftsByHour(m *Model, from, to contact.Instant, perHour map[string][24]int) []Shift {
	var shifts []Shift
	hours := hoursOf(m.Zone, from, to)
	for _, p := range m.Profiles() {
		list := make([]int, len(hours))
		for i, h := range hours {
			list[i] = perHour[p][h]
		}
		shifts = append(shifts, shiftsOf(p, from, list)...)
	}
	return shifts
}

// ErrNoStaffing says that a source's shifts are facts and cannot be chosen.
var ErrNoStaffing = errors.New("sim: handlers per hour can be searched for with a model only")

// maxTrials bounds the search.
const maxTrials = 120

// Staff searches the fewest handlers per hour of the day for which the first
// plan's service level meets the target in every hour. Erlang A, hour by hour, is
// where it begins; simulation adds where the target is missed and takes away
// where it is not, because queues carry over from hour to hour and skills are not
// all alike. The result cannot be bettered by one handler in one hour that the
// last round tried; it is not proved to be the least of all. Stopped early, it is
// what was found so far.
func Staff(ctx context.Context, o Options, target float64) (*StaffPlan, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	base, can := o.Source.(restaffed)
	if !can {
		return nil, ErrNoStaffing
	}
	report := o.Progress
	o.Progress = nil
	p, err := prepare(o.Plans[0], 1, &o)
	if err != nil {
		return nil, err
	}
	what, _ := o.Source.Describe()
	s := &staffer{ctx: ctx, o: &o, base: base, plan: p, target: target, report: report}
	s.out = &StaffPlan{What: what, Plan: p.name, Seed: o.Seed, Target: target, Formula: o.Formula, Replications: o.Replications, Threshold: "each queue's own target"}
	if o.Within > 0 {
		s.out.Threshold = seconds(o.Within.Std().Seconds()) + " for calls"
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	err = s.search()
	if err != nil && (ctx.Err() == nil || s.best == nil) {
		return nil, err
	}
	return s.finish(), nil
}

type staffer struct {
	ctx    context.Context
	o      *Options
	base   restaffed
	plan   *prepared
	target float64
	report func(done, total int)
	out    *StaffPlan
	start  [24]int
	least  int
	now    [24]int
	// best is the cheapest staffing that met the target in each hour.
	best   *[24]int
	levels [24]Estimate
	bestSL [24]Estimate
	needed [24]bool // contacts arrive in this hour
}

// begin sets Erlang A's answer for each hour.
func (s *staffer) begin() error {
	hours := s.plan.hourOf
	var arrivals, handling, days [24]float64
	patience, calls := 0.0, 0.0
	for r := range min(s.o.Replications, 5) {
		out, err := s.base.Outside(s.o.Seed, r)
		if err != nil {
			return err
		}
		for _, h := range hours {
			days[h]++
		}
		for _, a := range out.Arrivals {
			h := int(hours[a.At.Sub(out.From)/contact.Hour])
			arrivals[h]++
			handling[h] += a.Talk + a.WrapUp + out.Answering.Delay.Mean() + out.Answering.Connect
			if a.Channel == contact.Phone {
				patience += math.Min(a.Patience, 86400)
				calls++
			}
		}
	}
	within := s.o.Within.Std().Seconds()
	if within <= 0 {
		within = math.Inf(1)
		for _, q := range s.plan.within {
			within = math.Min(within, q[0])
		}
	}
	s.least = len(s.base.Profiles())
	for h := range 24 {
		s.out.Hours = append(s.out.Hours, StaffHour{Hour: h, Profiles: map[string]int{}})
		if arrivals[h] == 0 {
			s.start[h] = s.least
			continue
		}
		s.needed[h] = true
		rate := arrivals[h] / days[h]
		s.out.Hours[h].Arrivals = rate
		s.start[h] = max(s.least, ErlangAStaff(rate/3600, handling[h]/arrivals[h], patience/math.Max(1, calls), within, s.target, maxStaff))
	}
	for h := range 24 {
		s.out.Hours[h].ErlangA = s.start[h]
	}
	s.now = s.start
	return nil
}

// split gives each profile its share of n handlers, by largest remainder, and at
// least one.
func (s *staffer) split(n int) map[string]int {
	mix := s.base.mixOfHandlers()
	names := s.base.Profiles()
	out, left := map[string]int{}, n
	for _, p := range names {
		out[p] = max(1, int(mix[p]*float64(n)))
		left -= out[p]
	}
	order := slices.Clone(names)
	slices.SortStableFunc(order, func(a, b string) int {
		ra, rb := mix[a]*float64(n)-float64(out[a]), mix[b]*float64(n)-float64(out[b])
		switch {
		case ra > rb:
			return -1
		case ra < rb:
			return 1
		}
		return 0
	})
	for i := 0; left != 0; i++ {
		p := order[i%len(order)]
		if left > 0 {
			out[p]++
			left--
		} else if last := order[len(order)-1-i%len(order)]; out[last] > 1 {
			out[last]--
			left++
		}
	}
	return out
}

// try simulates the staffing and tells which hours miss the target.
func (s *staffer) try(counts [24]int) (missed []int, err error) {
	perHour := map[string][24]int{}
	for h, n := range counts {
		for p, k := range s.split(n) {
			list := perHour[p]
			list[h] = k
			perHour[p] = list
		}
	}
	o := *s.o
	o.Source = s.base.restaff(perHour)
	done, err := replicate(s.ctx, &o, []*prepared{s.plan})
	if err != nil {
		return nil, err
	}
	if len(done) < o.Replications {
		return nil, context.Canceled
	}
	s.out.Trials++
	if s.report != nil {
		s.report(s.out.Trials, maxTrials)
	}
	for h := range 24 {
		values := make([]float64, len(done))
		for i, one := range done {
			values[i] = one[0].groups[Group{Hour: h}].value(ServiceLevel, s.o.Formula)
		}
		s.levels[h] = estimate(values)
		if s.needed[h] && s.levels[h].Mean < s.target {
			missed = append(missed, h)
		}
	}
	if len(missed) == 0 && (s.best == nil || total(counts) < total(*s.best)) {
		best := counts
		s.best, s.bestSL = &best, s.levels
	}
	return missed, nil
}

func total(counts [24]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func (s *staffer) search() error {
	// Up, until every hour meets the target.
	for s.out.Trials < maxTrials {
		missed, err := s.try(s.now)
		if err != nil {
			return err
		}
		if len(missed) == 0 {
			break
		}
		for _, h := range missed {
			gap := s.target - s.levels[h].Mean
			s.now[h] += max(1, int(float64(s.now[h])*gap/4))
		}
	}
	if s.best == nil {
		return nil
	}
	// Down, every other hour at a time, because neighbours share their queues.
	var frozen [24]bool
	for s.out.Trials < maxTrials {
		lowered := 0
		for parity := range 2 {
			next := *s.best
			var tried []int
			for h := parity; h < 24; h += 2 {
				if !frozen[h] && next[h] > s.least {
					next[h]--
					tried = append(tried, h)
				}
			}
			n, err := s.lower(next, tried, &frozen)
			if err != nil {
				return err
			}
			lowered += n
		}
		if lowered == 0 {
			s.out.Settled = true
			return nil
		}
	}
	return nil
}

// lower tries a staffing in which some hours have one handler less, and gives
// back where the target is missed until it is met. It tells how many hours kept
// the saving.
func (s *staffer) lower(next [24]int, tried []int, frozen *[24]bool) (int, error) {
	for len(tried) > 0 && s.out.Trials < maxTrials {
		missed, err := s.try(next)
		if err != nil {
			return 0, err
		}
		if len(missed) == 0 {
			return len(tried), nil
		}
		back := map[int]bool{}
		for _, m := range missed {
			// An hour that misses pays for itself, else for the hour before, whose
			// queue it inherited, else for the one after.
			for _, h := range []int{m, (m + 23) % 24, (m + 1) % 24} {
				if slices.Contains(tried, h) {
					back[h] = true
					break
				}
			}
		}
		if len(back) == 0 {
			for _, h := range tried {
				back[h] = true
			}
		}
		var keep []int
		for _, h := range tried {
			if back[h] {
				next[h]++
				frozen[h] = true
			} else {
				keep = append(keep, h)
			}
		}
		tried = keep
	}
	return 0, nil
}

func (s *staffer) finish() *StaffPlan {
	counts, levels := s.now, s.levels
	if s.best != nil {
		counts, levels, s.out.Met = *s.best, s.bestSL, true
	}
	for h := range 24 {
		x := &s.out.Hours[h]
		x.Handlers, x.ServiceLevel, x.Profiles = counts[h], levels[h], s.split(counts[h])
		s.out.HandlerHours += counts[h]
	}
	return s.out
}

// WriteText writes the hours as a table, and the staffing ready to be put into a
// profile.
func (p *StaffPlan) WriteText(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nplan %s, seed %d, %d replications, %d staffings tried\n", p.What, p.Plan, p.Seed, p.Replications, p.Trials)
	fmt.Fprintf(&b, "target in every hour: %.1f %% of %s = %s, t: %s\n\n", 100*p.Target, p.Formula.Name, p.Formula.Text, p.Threshold)
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "hour\tarrivals\tErlang A\thandlers\tservice level\t")
	for _, h := range p.Hours {
		level := "–"
		if h.ServiceLevel.Known() {
			level = Definition{Unit: Share}.Write(h.ServiceLevel)
		}
		fmt.Fprintf(tw, "%02d:00\t%.0f\t%d\t%d\t%s\t\n", h.Hour, h.Arrivals, h.ErlangA, h.Handlers, level)
	}
	tw.Flush()
	fmt.Fprintf(&b, "\n%d handler hours a day, breaks and absence not included.\n", p.HandlerHours)
	switch {
	case !p.Met:
		b.WriteString("NOT MET: some hour misses the target with the staffing above.\n")
	case !p.Settled:
		b.WriteString("Stopped early: fewer may do.\n")
	default:
		b.WriteString("No hour tried in the last round could spare one handler. Fewer in other combinations are not ruled out.\n")
	}
	b.WriteString("\nstaff:\n")
	var names []string
	for name := range p.Hours[0].Profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		list := make([]string, 24)
		for h := range list {
			list[h] = fmt.Sprint(p.Hours[h].Profiles[name])
		}
		fmt.Fprintf(&b, "  - profile: %s\n    per_hour: [%s]\n", name, strings.Join(list, ", "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}
