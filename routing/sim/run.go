package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// PlanInput is one plan to try.
type PlanInput struct {
	// Name is shown in the report, normally the file's name.
	Name string
	// Source is the plan's text.
	Source string
}

// Options say what to simulate.
type Options struct {
	// Plans to run, the first being what others are compared with. At least one.
	Plans []PlanInput
	// Source says what comes from outside.
	Source Source
	// Replications of each plan; 10 when zero. One gives no confidence interval.
	Replications int
	// Seed of all random numbers. The same seed gives the same report.
	Seed uint64
	// Formula is the service level's definition; SL-3 when its Name is empty.
	Formula Formula
	// Within is the service level's threshold for calls; each queue's own target
	// when zero. Written contacts always have their queue's.
	Within contact.Duration
	// Surges are switched on as they say, under each plan that has them.
	Surges []SurgeSpan
	// WarmUp leaves the contacts of the beginning out of the figures.
	WarmUp contact.Duration
	// CheckEvery so many events the engine is audited; never when zero.
	CheckEvery int
	// Workers run at once; as many as there are processors when zero. The report
	// does not depend on it.
	Workers int
	// Progress is told after each run of a plan how many are done; from one
	// goroutine at a time.
	Progress func(done, total int)
}

// DefaultReplications is enough for intervals a manager can use.
const DefaultReplications = 10

// ErrNothingDone says that the run was stopped before one replication was done.
var ErrNothingDone = errors.New("sim: stopped before one replication was done")

// prepared is a plan ready to run.
type prepared struct {
	name   string
	source string
	plan   *routing.Plan
	zone   contact.Zone
	hours  []hoursChange
	surges []surgeChange
	hourOf []uint8
	// within is the threshold in seconds by queue and channel.
	within [][channelCount]float64
	// start is a live state to begin from, nil to begin from nothing.
	start *forkStart
}

type queueHours struct {
	id   routing.QueueID
	open func(contact.Local) bool
}

// prepare compiles a plan and works out its opening hours for the period.
func prepare(in PlanInput, version int, o *Options) (*prepared, error) {
	doc, problems := plan.Parse(in.Name, []byte(in.Source))
	if doc == nil {
		return nil, problems.Err()
	}
	from, to := o.Source.Period()
	p := prepareCompiled(in.Name, doc.Plan(version), doc.Zone(), from, to, o.Within)
	p.source = in.Source
	p.surges = surgeChanges(o.Surges, p.plan, p.zone, from, to)
	for _, name := range o.Source.Profiles() {
		if !slices.ContainsFunc(p.plan.Profiles, func(have routing.Profile) bool { return have.Name == name }) {
			return nil, fmt.Errorf("%s has no handler profile %q, which the staffing uses", in.Name, name)
		}
	}
	return p, nil
}

func prepareCompiled(name string, compiled *routing.Plan, zone contact.Zone, from, to contact.Instant, within contact.Duration) *prepared {
	p := &prepared{name: name, source: name, plan: compiled, zone: zone, hourOf: hoursOf(zone, from, to)}
	var calendars []queueHours
	for _, q := range compiled.Queues {
		calendars = append(calendars, queueHours{q.ID, q.Hours})
		var t [channelCount]float64
		for ch, c := range channelList {
			t[ch] = q.AnswerWithin[c].Std().Seconds()
		}
		if within > 0 {
			t[0] = within.Std().Seconds()
		}
		p.within = append(p.within, t)
	}
	p.hours = hoursChanges(calendars, zone, from, to)
	return p
}

// simulate runs one replication under one plan.
func (p *prepared) simulate(ctx context.Context, out *Outside, o *Options) (result, error) {
	w, err := p.play(ctx, out, o)
	if err != nil {
		return result{}, err
	}
	return w.tally(p, out.From.Add(o.WarmUp)), nil
}

func (p *prepared) play(ctx context.Context, out *Outside, o *Options) (*world, error) {
	if p.start != nil {
		w := newWorld(p.start.engine.Clone(), p.plan, out, p.hours, p.hourOf, forkMark)
		w.checkEvery = o.CheckEvery
		w.residents(p.start)
		for _, ev := range p.start.events {
			w.step(ev)
		}
		return w, w.run(ctx)
	}
	engine := routing.New()
	for _, a := range engine.Step(out.From, routing.PlanPublished{Version: p.plan.Version, Source: p.source, Plan: p.plan}) {
		if r, is := a.(routing.Refused); is {
			return nil, fmt.Errorf("sim: the engine refused the plan %s: %s", p.name, r.Code)
		}
	}
	w := newWorld(engine, p.plan, out, p.hours, p.hourOf, idMark)
	w.checkEvery, w.time.since, w.surges = o.CheckEvery, out.From.Add(o.WarmUp), p.surges
	return w, w.run(ctx)
}

// Run simulates the plans. Cancelling the context stops it: the report then holds
// the replications done so far and says so, and the error is nil unless there are
// none.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	var plans []*prepared
	for i, in := range o.Plans {
		p, err := prepare(in, i+1, &o)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	notes, err := checkSurges(o.Surges, plans)
	if err != nil {
		return nil, err
	}
	done, err := replicate(ctx, &o, plans)
	if err != nil {
		return nil, err
	}
	r := newReport(&o, plans, done)
	r.Notes = append(r.Notes, notes...)
	return r, nil
}

func (o *Options) fill() error {
	if len(o.Plans) == 0 {
		return errors.New("sim: no plan given")
	}
	if o.Source == nil {
		return errors.New("sim: no source of arrivals given")
	}
	if o.Replications <= 0 {
		o.Replications = DefaultReplications
	}
	if o.Formula.of == nil {
		o.Formula = Formulas()[0]
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return nil
}

// replicate runs every plan in every replication, and returns those replications
// in which all plans were run to the end: [replication][plan].
func replicate(ctx context.Context, o *Options, plans []*prepared) ([][]result, error) {
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		results  = make([][]result, o.Replications)
		finished int
		first    error
		next     int
	)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	one := func(r int) error {
		out, err := o.Source.Outside(o.Seed, r)
		if err != nil {
			return err
		}
		list := make([]result, len(plans))
		for i, p := range plans {
			if list[i], err = p.simulate(inner, out, o); err != nil {
				return err
			}
			mu.Lock()
			finished++
			if o.Progress != nil {
				o.Progress(finished, o.Replications*len(plans))
			}
			mu.Unlock()
		}
		mu.Lock()
		results[r] = list
		mu.Unlock()
		return nil
	}
	for range min(o.Workers, o.Replications) {
		wg.Go(func() {
			for {
				mu.Lock()
				r := next
				next++
				stop := first != nil || r >= o.Replications
				mu.Unlock()
				if stop {
					return
				}
				if err := one(r); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	if first != nil && (!errors.Is(first, context.Canceled) || ctx.Err() == nil) {
		return nil, first
	}
	var done [][]result
	for _, list := range results {
		if list != nil {
			done = append(done, list)
		}
	}
	if len(done) == 0 {
		return nil, ErrNothingDone
	}
	return done, nil
}
