package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
	"example.org/c3i/routing/sim"
)

// foreseer tells what would happen, from copies of routing's state. One fork is
// played at a time: each uses every processor.
type foreseer struct {
	// state gives a copy that is the caller's, and the instant it holds for.
	state   func(ctx context.Context) (*routing.Engine, contact.Instant, error)
	archive *release.Archive
	store   journal.Store
	// answers are what the flow gives; nil checks none.
	answers map[string][]string
	// problems finds what is wrong with a plan's text here.
	problems func(source string) plan.Problems
	// budget is how long a fork may take; it then gives what is done. Zero waits.
	budget time.Duration

	one     chan struct{}
	mu      sync.Mutex
	past    *past
	reading chan struct{} // closed when done; nil while nobody reads
}

// past is what was read of the journal's recent past.
type past struct {
	history *sim.History // nil if it tells nothing
	read    time.Time
}

// How far the past is looked at, how long it is good for, and how long a question
// waits for the first reading.
const (
	pastLooked = 4 * contact.Hour
	pastGood   = 5 * time.Minute
	pastWaited = 400 * time.Millisecond
	pastBound  = time.Minute
)

// forkBudget keeps the answer to a fork under a second: what is not played by then
// is left out, and the answer says so.
const forkBudget = 800 * time.Millisecond

// profileForNow is the model where the journal tells too little.
const profileForNow = "large-force-2014-average"

func newForeseer(f *foreseer) *foreseer {
	f.one = make(chan struct{}, 1)
	return f
}

// liveState copies the engine of a running driver.
func liveState(d *live.Driver) func(context.Context) (*routing.Engine, contact.Instant, error) {
	return func(ctx context.Context) (*routing.Engine, contact.Instant, error) {
		var e *routing.Engine
		if err := d.View(ctx, func(live *routing.Engine) { e = live.Clone() }); err != nil {
			return nil, 0, err
		}
		return e, contact.At(time.Now()), nil
	}
}

// Suppose implements agentdesk.Foresight.
func (f *foreseer) Suppose(ctx context.Context, ask json.RawMessage) (any, error) {
	s, err := explain.DecodeSupposition(ask)
	if err != nil {
		return nil, supposed(err)
	}
	x, err := f.suppose(ctx, s)
	return x, supposed(err)
}

func (f *foreseer) suppose(ctx context.Context, s explain.Supposition) (explain.Foretold, error) {
	e, at, err := f.state(ctx)
	if err != nil {
		return explain.Foretold{}, err
	}
	return explain.Suppose(e, at, s, f.answers)
}

func supposed(err error) error {
	var wrong *explain.SupposeError
	switch {
	case errors.As(err, &wrong):
		return &agentdesk.Error{Code: agentdesk.CodeInvalid, Field: wrong.Field, Message: upper(wrong.Message)}
	case errors.Is(err, explain.ErrNoPlan):
		return &agentdesk.Error{Code: agentdesk.CodeConflict, Message: "No plan is in force yet."}
	}
	return err
}

// forkAnswer is the body of the answer to POST /api/fork.
type forkAnswer struct {
	At    contact.Instant  `json:"at"`
	Until contact.Instant  `json:"until"`
	Took  contact.Duration `json:"took"`
	// Summary tells the figures in sentences.
	Summary []string `json:"summary"`
	// Basis says what volume, mix, times and patience are taken from.
	Basis  string      `json:"basis"`
	Report *sim.Report `json:"report"`
}

// Fork implements agentdesk.Foresight.
func (f *foreseer) Fork(ctx context.Context, q agentdesk.ForkQuestion) (any, error) {
	select {
	case f.one <- struct{}{}:
		defer func() { <-f.one }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a, err := f.fork(ctx, q)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (f *foreseer) fork(ctx context.Context, q agentdesk.ForkQuestion) (*forkAnswer, error) {
	began := time.Now()
	inForce, ok, err := f.archive.InForce(ctx)
	if err != nil {
		return nil, asked(err)
	}
	if !ok {
		return nil, supposed(explain.ErrNoPlan)
	}
	events, err := f.changes(ctx, q, inForce)
	if err != nil {
		return nil, err
	}
	zone, err := plan.Zone(inForce.Source)
	if err != nil {
		return nil, err
	}
	history := f.recent(ctx)
	e, at, err := f.state(ctx)
	if err != nil {
		return nil, err
	}
	e.Step(at, routing.Tick{})
	base, err := readModel(profileForNow)
	if err != nil {
		return nil, err
	}
	model := base.Recent(history, sim.Staffed(e), at)
	model.PerDay *= 1 + q.Growth
	o := sim.ForkOptions{
		At: at, Profiles: e.Profiles(), Events: events, Zone: zone, Model: model, Replications: q.Replications, Seed: max(q.Seed, 1),
		Horizon: contact.Duration(q.Hours * float64(contact.Hour)),
	}
	if o.Horizon == 0 {
		o.Horizon = contact.Hour
	}
	for _, m := range q.Moves {
		o.Moves = append(o.Moves, sim.Move{From: m.From, To: m.To, Agents: m.Agents, Count: m.Count})
	}
	report, err := f.play(ctx, e, o, f.budget-time.Since(began))
	if err != nil {
		return nil, forked(err)
	}
	a := &forkAnswer{At: at, Until: at.Add(o.Horizon), Basis: model.Source, Report: report, Summary: forkSummary(report)}
	a.Took = contact.Duration(time.Since(began).Round(time.Millisecond))
	return a, nil
}

// play stops when the budget is used up, if there is one, and gives what is done;
// at least one replication is.
func (f *foreseer) play(ctx context.Context, e *routing.Engine, o sim.ForkOptions, budget time.Duration) (*sim.Report, error) {
	if f.budget == 0 {
		return sim.Fork(ctx, e, o)
	}
	bounded, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := time.AfterFunc(max(budget, 50*time.Millisecond), cancel)
	defer stop.Stop()
	report, err := sim.Fork(bounded, e, o)
	if errors.Is(err, sim.ErrNothingDone) && ctx.Err() == nil {
		o.Replications = 1
		return sim.Fork(ctx, e, o)
	}
	return report, err
}

func forked(err error) error {
	var cannot *sim.ForkError
	switch {
	case errors.As(err, &cannot):
		return &agentdesk.Error{Code: agentdesk.CodeInvalid, Field: cannot.Field, Message: upper(cannot.Message)}
	case errors.Is(err, sim.ErrNothingDone):
		return context.DeadlineExceeded
	}
	return err
}

// changes makes the events of what is tried: a plan, then surges of the plan that
// is then in force.
func (f *foreseer) changes(ctx context.Context, q agentdesk.ForkQuestion, inForce release.Release) ([]routing.Event, error) {
	source, version := inForce.Source, inForce.Number
	var events []routing.Event
	if q.Version > 0 {
		r, err := f.archive.Get(ctx, q.Version)
		if err != nil {
			return nil, asked(err)
		}
		q.Plan = r.Source
	}
	if q.Plan != "" {
		if problems := f.problems(q.Plan); problems.HasErrors() {
			return nil, &agentdesk.BadPlan{Problems: problemsOf(problems)}
		}
		source, version = q.Plan, inForce.Number+1
	}
	p, problems := plan.Compile("plan", version, []byte(source))
	if p == nil {
		return nil, problems
	}
	if q.Plan != "" {
		events = append(events, routing.PlanPublished{Version: version, Source: source, Plan: p})
	}
	var names []string
	for _, s := range p.Surges {
		names = append(names, s.Name)
	}
	for field, list := range map[string][]string{"surges_on": q.SurgesOn, "surges_off": q.SurgesOff} {
		for _, name := range list {
			if !slices.Contains(names, name) {
				message := fmt.Sprintf("The plan has no surge %q.", name)
				if near := plan.Nearest(name, names); near != "" {
					message = fmt.Sprintf("The plan has no surge %q: did you mean %q?", name, near)
				}
				return nil, &agentdesk.Error{Code: agentdesk.CodeInvalid, Field: field, Message: message}
			}
		}
	}
	for _, name := range q.SurgesOff {
		events = append(events, routing.SurgeSwitched{Name: name})
	}
	for _, name := range q.SurgesOn {
		events = append(events, routing.SurgeSwitched{Name: name, On: true})
	}
	return events, nil
}

// recent gives the journal's recent past as last read, and has it read again when
// that is old. nil when it tells nothing, or is not read yet.
func (f *foreseer) recent(ctx context.Context) *sim.History {
	f.mu.Lock()
	known := f.past
	if f.reading == nil && (known == nil || time.Since(known.read) > pastGood) {
		f.reading = make(chan struct{})
		go f.readPast(context.WithoutCancel(ctx), f.reading)
	}
	reading := f.reading
	f.mu.Unlock()
	if known != nil {
		return known.history
	}
	var late <-chan time.Time
	if f.budget > 0 {
		wait := time.NewTimer(pastWaited)
		defer wait.Stop()
		late = wait.C
	}
	select {
	case <-reading:
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.past.history
	case <-late:
	case <-ctx.Done():
	}
	return nil
}

// readPast reads beside whoever asked: it is good for the next question too.
func (f *foreseer) readPast(ctx context.Context, done chan struct{}) {
	defer close(done)
	ctx, cancel := context.WithTimeout(ctx, pastBound)
	defer cancel()
	h, err := sim.ReadHistory(ctx, f.store, contact.At(time.Now()).Add(-pastLooked), 0)
	if err != nil {
		h = nil // nothing came, or it cannot be read now: asked again later
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past, f.reading = &past{history: h, read: time.Now()}, nil
}

// forkSummary puts the totals that matter into sentences.
func forkSummary(r *sim.Report) []string {
	var out []string
	if len(r.Plans) < 2 || len(r.Comparisons) == 0 {
		return out
	}
	for _, d := range r.Metrics {
		if !slices.Contains([]sim.Metric{sim.Offered, sim.Answered, sim.Abandoned, sim.StillOpen, sim.ServiceLevel, sim.ASA, sim.Wait90, sim.Occupancy}, d.Metric) {
			continue
		}
		asIs, changed := r.Plans[0].Total.Figure(d.Metric), r.Plans[1].Total.Figure(d.Metric)
		if !asIs.Known() || !changed.Known() {
			continue
		}
		verdict := ""
		for _, c := range r.Comparisons[0].Total {
			if c.Metric == d.Metric {
				verdict = ": " + c.Verdict
			}
		}
		out = append(out, fmt.Sprintf("%s: %s as it is, %s with the changes%s.", d.Label, d.Write(asIs), d.Write(changed), verdict))
	}
	return out
}
