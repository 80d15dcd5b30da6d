package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// Errors a caller may meet.
var (
	// ErrStopped says the driver was stopped, or never started.
	ErrStopped = errors.New("live: routing is stopped")
	// ErrStarted says that something must be done before Start.
	ErrStarted = errors.New("live: routing was started already")
)

// Sink performs actions. Do is called from one goroutine per sink, in the order
// of the actions; an error is logged and counted, and the next action follows.
// Actions are shared between sinks and must not be changed.
type Sink interface {
	Do(ctx context.Context, a routing.Action) error
}

// SinkFunc makes a Sink of a function.
type SinkFunc func(ctx context.Context, a routing.Action) error

// Do calls the function.
func (f SinkFunc) Do(ctx context.Context, a routing.Action) error { return f(ctx, a) }

// Options say how to drive. Only Store is required.
type Options struct {
	// Store is the journal.
	Store journal.Store
	// Compile compiles a published plan's source; plan.Load when nil.
	Compile journal.Compile
	// Zone tells the time zone of a plan's opening hours; plan.Zone when nil.
	Zone func(source string) (contact.Zone, error)
	// SpoolDir is a folder on local disk for records the journal cannot take at
	// the moment. It must exist, and belong to this journal alone. Empty keeps
	// such records in memory only, so a crash while the journal is away loses them.
	SpoolDir string
	// StallBound is how long an action may wait for the journal; 250 ms when zero.
	StallBound time.Duration
	// HashEvery n events, at the end of a batch, the state's hash is journalled
	// with the next record; 1000 when zero.
	HashEvery uint64
	// SnapshotEvery n events, at the end of a batch, a snapshot is saved, and on
	// Stop; 10,000 when zero.
	SnapshotEvery uint64
	// AuditEvery is the least time between two samples by the auditor; 10 s when
	// zero, never when negative.
	AuditEvery time.Duration
	// Now reads the clock, with its monotonic part; time.Now when nil.
	Now func() time.Time
	// Log receives what operators should know; it holds no personal data.
	Log zerolog.Logger
	// Metrics counts; nil counts nothing.
	Metrics *Metrics
}

// Driver drives one engine. All methods are safe for concurrent use.
type Driver struct {
	o       Options
	clock   *clock
	metrics *Metrics
	inbox   inbox
	sinks   []*sinkQueue
	state   atomic.Int32 // created, running, stopped
	mu      sync.Mutex   // guards Attach, Start and Stop

	recovered Recovered
	writer    journal.Writer
	out       *outlet
	ownerDone chan struct{}
	stop      context.CancelFunc
	stopErr   error

	// Owned by the owner goroutine once it runs.
	engine     *routing.Engine
	seq        uint64
	lastAt     contact.Instant
	hours      hours
	plan       *routing.Plan
	planSource string
	prepared   *prepared                    // the plan being published
	current    atomic.Pointer[routing.Plan] // plan, for other goroutines
	lastEpoch  uint64
	chain      []byte // the last record's
	nextHash   []byte // hash of the state now, for the next record
	sinceHash  uint64
	sinceSnap  uint64
	sinceAudit uint64
	dirty      bool // the gauges have not seen the latest events
	lastSample time.Time
	lastAudit  time.Time
	auditing   atomic.Bool
	auditGroup sync.WaitGroup
}

const (
	created = iota
	running
	stopping
)

// New returns a driver that does nothing until Start.
func New(o Options) (*Driver, error) {
	if o.Store == nil {
		return nil, errors.New("live: Options.Store is required")
	}
	if o.Compile == nil {
		o.Compile = plan.Load
	}
	if o.Zone == nil {
		o.Zone = plan.Zone
	}
	if o.StallBound == 0 {
		o.StallBound = 250 * time.Millisecond
	}
	if o.HashEvery == 0 {
		o.HashEvery = 1000
	}
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = 10_000
	}
	if o.AuditEvery == 0 {
		o.AuditEvery = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	d := &Driver{
		o: o, metrics: o.Metrics, clock: newClock(o.Now), inbox: newInbox(), engine: routing.New(),
		ownerDone: make(chan struct{}),
	}
	return d, nil
}

// Attach adds a sink that gets every action from now on. The name is for logs
// and metrics and must be unique. It must be called before Start.
func (d *Driver) Attach(name string, sink Sink) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Load() != created {
		return ErrStarted
	}
	for _, q := range d.sinks {
		if q.name == name {
			return fmt.Errorf("live: a sink named %q is attached already", name)
		}
	}
	d.sinks = append(d.sinks, newSinkQueue(name, sink, d.o.Log, d.metrics))
	return nil
}

// Start takes the journal over, brings the engine to the state the journal
// tells, and begins to drive. ctx bounds the recovery only: the driver runs
// until Stop. Actions of journalled events are not released again; Recovered
// tells what was found, and View lets the caller compare it with the world.
func (d *Driver) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Load() != created {
		return ErrStarted
	}
	spool, err := openSpool(d.o.SpoolDir)
	if err != nil {
		return err
	}
	if err := d.recover(ctx, spool); err != nil {
		return errors.Join(err, spool.close())
	}
	run, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	for _, q := range d.sinks {
		go q.run(run)
	}
	d.out = newOutlet(d, spool)
	go d.out.run(run)
	go d.own(run)
	d.state.Store(running)
	return nil
}

// Recovered tells what Start found. It is valid once Start has returned.
func (d *Driver) Recovered() Recovered { return d.recovered }

// Plan is the plan in force, nil before the first. It must not be changed.
func (d *Driver) Plan() *routing.Plan { return d.current.Load() }

// Submit accepts an event. Events are stepped in the order accepted. It never
// waits for the engine, the journal or a sink; the error is ErrStopped, why the
// driver failed, ctx's, or for a published plan why it does not compile.
func (d *Driver) Submit(ctx context.Context, ev routing.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	it, err := d.newItem(ev)
	if err != nil {
		return err
	}
	return d.accept(it)
}

// SubmitWait accepts an event and waits until it is stepped and its actions are
// released: journalled, or spooled when the journal stalls. It returns the
// actions of that step, deadlines that came due with it included; a Refused
// among them tells that the event changed nothing. An event that cannot be
// journalled (a plan that does not compile) gives an error and is not stepped.
// It must not be called inside View.
func (d *Driver) SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	it, err := d.newItem(ev)
	if err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	it.done = done
	if err := d.accept(it); err != nil {
		return nil, err
	}
	select {
	case r := <-done:
		return r.actions, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Performed returns once the named sink was handed every action released before
// the call: after SubmitWait, those of that event, so what the sink shows has
// them. The error is ctx's, or ErrStopped. It must not be called by that sink.
func (d *Driver) Performed(ctx context.Context, sink string) error {
	for _, q := range d.sinks {
		if q.name == sink {
			return q.wait(ctx)
		}
	}
	return fmt.Errorf("live: no sink is named %q", sink)
}

// View runs fn in the goroutine that owns the engine, after all events accepted
// before. fn must be quick, must not change the engine, keep it, or wait for
// the driver.
func (d *Driver) View(ctx context.Context, fn func(*routing.Engine)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan result, 1)
	if err := d.accept(item{view: fn, done: done}); err != nil {
		return err
	}
	select {
	case r := <-done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newItem prepares an event in the caller's goroutine: compiling a plan takes
// long enough to be noticed by callers who wait.
func (d *Driver) newItem(ev routing.Event) (item, error) {
	it := item{event: ev, submitted: d.o.Now()}
	if published, is := ev.(routing.PlanPublished); is {
		p, err := d.prepare(published.Version, published.Source)
		if err != nil {
			return item{}, &journal.DecodeError{Code: "bad_plan", Kind: ev.Kind(), Err: err}
		}
		it.prepared = p
	}
	return it, nil
}

func (d *Driver) accept(it item) error {
	if err := d.Err(); err != nil {
		return err
	}
	if d.state.Load() == created || !d.inbox.put(it) {
		return cmp.Or(d.Err(), ErrStopped)
	}
	return nil
}

// Ready reports nil while the driver runs and the journal keeps up, else why not.
// A driver that is not ready because of its journal still routes.
func (d *Driver) Ready() error {
	switch {
	case d.state.Load() != running:
		return ErrStopped
	case d.Err() != nil:
		return d.Err()
	}
	return d.out.ready()
}

// Err is nil until the driver fails for good, as it does when another process
// takes the journal over (journal.ErrFenced) or the engine panics.
func (d *Driver) Err() error {
	if d.state.Load() == created || d.out == nil {
		return nil
	}
	return d.out.failure()
}

// Failed is closed when the driver fails for good, see Err. It is valid once
// Start has returned.
func (d *Driver) Failed() <-chan struct{} { return d.out.failed }

// Stop accepts no more events, drives what was accepted to its end, saves a
// snapshot and waits for the sinks to finish. When ctx ends first, what is left
// is abandoned and ctx's error returned: accepted events not yet journalled are
// then in the spool, or lost with it. Stop may be called more than once.
func (d *Driver) Stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.state.Load() {
	case created:
		d.state.Store(stopping)
		d.inbox.close()
		return nil
	case stopping:
		return d.stopErr
	}
	d.state.Store(stopping)
	d.inbox.close()
	release := context.AfterFunc(ctx, d.stop)
	defer release()
	defer d.stop()
	<-d.ownerDone
	<-d.out.done
	d.auditGroup.Wait()
	for _, q := range d.sinks {
		q.close()
	}
	for _, q := range d.sinks {
		select {
		case <-q.done:
		case <-ctx.Done():
			d.stopErr = fmt.Errorf("live: sink %s did not finish: %w", q.name, ctx.Err())
		}
	}
	if d.stopErr == nil && ctx.Err() != nil {
		d.stopErr = ctx.Err()
	}
	return d.stopErr
}
