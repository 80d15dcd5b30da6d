// Command bench measures C3i beside app_queue and a bare ARI program on one
// Asterisk, the routing engine, and the screen-pop, and prints each figure beside
// its goal. docs/benchmarks.md says what the figures mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.org/c3i/e2e/bench/measure"
)

// options are what the flags say.
type options struct {
	parts    map[string]bool
	jsonFile string
	keep     bool
	strict   bool
	program  string

	handlers int
	rates    []float64
	calls    []int
	rounds   int
	warmUp   int
	hold     time.Duration
	patience time.Duration

	backlogHandlers int
	backlogRate     float64
	backlogCalls    int
	backlogHold     time.Duration
	backlogRounds   int

	engineHandlers, profiles, events, engineTries int
	waiting                                       []int

	simContacts, simTries int

	recordPeople, recordContacts, searches int
	recordRedis                            string

	mails, mailConnections, mailRounds int

	people, desks, pops int
	handling            time.Duration

	began    time.Time
	progress func(format string, args ...any)
}

var partNames = []string{"arrivals", "backlog", "engine", "pop", "records", "sim", "mail"}

func main() {
	if len(os.Args) == 2 && os.Args[1] == bareCommand {
		if err := runBare(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns 0 when everything was measured, 1 when something failed or must not
// have happened, or with --strict a goal was missed, and 2 for wrong flags.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	o, err := parse(args, errOut)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(errOut, "bench: %v\n", err)
		return 2
	}
	o.began = time.Now()
	o.progress = func(format string, args ...any) {
		fmt.Fprintf(errOut, "%5.0fs  %s\n", time.Since(o.began).Seconds(), fmt.Sprintf(format, args...))
	}
	rep := &report{Began: o.began.UTC().Truncate(time.Second), Machine: measure.ThisMachine()}
	err = measureAll(ctx, o, rep)
	rep.Took = time.Since(o.began).Seconds()
	rep.judge()
	rep.print(out)
	if o.jsonFile != "" {
		err = errors.Join(err, rep.save(o.jsonFile))
	}
	if err != nil {
		fmt.Fprintf(errOut, "bench: %v\n", err)
		return 1
	}
	if rep.faults() > 0 || o.strict && rep.missed() > 0 {
		return 1
	}
	return 0
}

// measureAll fills the report in; on an error what was measured before stays.
func measureAll(ctx context.Context, o options, rep *report) (err error) {
	if o.parts["engine"] {
		if rep.Engine, err = measureEngine(ctx, o); err != nil {
			return err
		}
	}
	if o.parts["sim"] {
		if rep.Sim, err = measureSim(ctx, o); err != nil {
			return err
		}
	}
	if o.parts["records"] {
		if rep.Records, err = recordsAlone(ctx, o); err != nil {
			return err
		}
	}
	if o.parts["mail"] {
		if err := measureMail(ctx, o, rep); err != nil {
			return err
		}
	}
	if !o.parts["arrivals"] && !o.parts["backlog"] && !o.parts["pop"] {
		return nil
	}
	dir, err := temporary()
	if err != nil {
		return err
	}
	defer func() {
		if o.keep {
			o.progress("logs are in %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	db, err := startRedis(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.stop()) }()
	store, err := seed(ctx, o, db)
	if err != nil {
		return err
	}
	if o.parts["pop"] {
		if rep.Pops, err = measurePops(ctx, o, store, db.pid()); err != nil {
			return err
		}
	}
	if o.parts["arrivals"] || o.parts["backlog"] {
		return compare(ctx, o, dir, db, rep)
	}
	return nil
}

// build makes the program that is measured.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "c3i-program")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "example.org/c3i/cmd/c3i")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build c3i: %w\n%s", err, text)
	}
	return program, nil
}

func parse(args []string, errOut io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(errOut)
	parts := fs.String("parts", strings.Join(partNames, ","), "what to measure")
	fs.StringVar(&o.jsonFile, "json", "", "also write the figures to this file as JSON")
	fs.BoolVar(&o.keep, "keep", false, "keep the logs of Asterisk, Redis and C3i")
	fs.BoolVar(&o.strict, "strict", false, "exit 1 when a goal is missed")
	fs.StringVar(&o.program, "c3i", "", "c3i program to measure (default: built from this source)")
	fs.IntVar(&o.handlers, "handlers", 200, "arrivals: SIP handlers signed on")
	rates := fs.String("rates", "5,20,50", "arrivals: calls a second, each measured")
	calls := fs.String("calls", "150,400,1000", "arrivals: calls at each rate")
	fs.IntVar(&o.rounds, "rounds", 4, "arrivals: rounds the calls are spread over; in each the systems take turns")
	fs.IntVar(&o.warmUp, "warm-up", 20, "calls before the measured ones, not counted")
	fs.DurationVar(&o.hold, "hold", 500*time.Millisecond, "arrivals: how long a handler talks")
	fs.DurationVar(&o.patience, "patience", 15*time.Second, "how long the last caller waits")
	fs.IntVar(&o.backlogHandlers, "backlog-handlers", 20, "backlog: handlers")
	fs.Float64Var(&o.backlogRate, "backlog-rate", 50, "backlog: calls a second")
	fs.IntVar(&o.backlogCalls, "backlog-calls", 600, "backlog: calls")
	fs.DurationVar(&o.backlogHold, "backlog-hold", time.Second, "backlog: how long a handler talks")
	fs.IntVar(&o.backlogRounds, "backlog-rounds", 2, "backlog: rounds the calls are spread over")
	fs.IntVar(&o.engineHandlers, "engine-handlers", 2000, "engine: handlers")
	fs.IntVar(&o.profiles, "engine-profiles", 200, "engine: profiles among them")
	fs.IntVar(&o.events, "engine-events", 300_000, "engine: events in each try")
	fs.IntVar(&o.engineTries, "engine-tries", 5, "engine: tries, of which the fastest counts")
	waiting := fs.String("engine-waiting", "1000,10000,100000", "engine: contacts waiting, each measured")
	fs.IntVar(&o.simContacts, "sim-contacts", 400_000, "sim: contacts of the queue compared; SimPy does a tenth")
	fs.IntVar(&o.simTries, "sim-tries", 3, "sim: tries, of which the fastest counts")
	fs.IntVar(&o.people, "people", 200_000, "pop: people in the CRM")
	fs.IntVar(&o.desks, "desks", 2000, "pop: desks")
	fs.DurationVar(&o.handling, "handling", 40*time.Second, "pop: how long a desk has a call, so how often it pops")
	fs.IntVar(&o.recordPeople, "record-people", 50_000, "records: people; 1000000 is a large force")
	fs.IntVar(&o.recordContacts, "record-contacts", 150_000, "records: contacts; 3000000 is a large force")
	fs.StringVar(&o.recordRedis, "record-redis", "", "records: unix socket of a Redis to fill, which must be empty, or to measure again once it is filled")
	fs.IntVar(&o.searches, "searches", 200, "records: searches of each kind")
	fs.IntVar(&o.mails, "mails", 1000, "mail: small mails to each system; a quarter as many of 100 kB, a fortieth of 5 MB")
	fs.IntVar(&o.mailConnections, "mail-connections", 8, "mail: connections at a time; one alone is measured too")
	fs.IntVar(&o.mailRounds, "mail-rounds", 2, "mail: rounds the mails are spread over; in each the systems take turns")
	fs.IntVar(&o.pops, "pops", 1000, "pop: pops at that rate")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("%q is not a flag; --help lists them", fs.Arg(0))
	}
	var errs []error
	o.parts = map[string]bool{}
	for _, p := range strings.Split(*parts, ",") {
		known := false
		for _, name := range partNames {
			known = known || p == name
		}
		if !known {
			errs = append(errs, fmt.Errorf("--parts: %q is not one of %s", p, strings.Join(partNames, ", ")))
		}
		o.parts[p] = true
	}
	var err error
	if o.rates, err = list(*rates, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); err != nil {
		errs = append(errs, fmt.Errorf("--rates: %w", err))
	}
	if o.calls, err = list(*calls, strconv.Atoi); err != nil {
		errs = append(errs, fmt.Errorf("--calls: %w", err))
	}
	if o.waiting, err = list(*waiting, strconv.Atoi); err != nil {
		errs = append(errs, fmt.Errorf("--engine-waiting: %w", err))
	}
	if len(o.rates) != len(o.calls) {
		errs = append(errs, errors.New("--rates and --calls must list as many"))
	}
	return o, errors.Join(append(errs, o.check()...)...)
}

// check refuses sizes that cannot be measured.
func (o options) check() []error {
	var errs []error
	least := func(flag string, v, bound float64) {
		if !(v >= bound) {
			errs = append(errs, fmt.Errorf("--%s: %g is too small, must be at least %g", flag, v, bound))
		}
	}
	most := func(flag string, v, bound int) {
		if v > bound {
			errs = append(errs, fmt.Errorf("--%s: %d is too many, must be at most %d", flag, v, bound))
		}
	}
	for _, r := range o.rates {
		least("rates", r, 0.1)
	}
	for _, n := range o.calls {
		least("calls", float64(n), 1)
		most("calls", n/max(o.rounds, 1), callerNumbers)
	}
	for _, n := range o.waiting {
		least("engine-waiting", float64(n), 1)
	}
	for flag, v := range map[string]int{
		"handlers": o.handlers, "rounds": o.rounds, "backlog-rounds": o.backlogRounds, "warm-up": o.warmUp, "backlog-handlers": o.backlogHandlers, "backlog-calls": o.backlogCalls,
		"engine-handlers": o.engineHandlers, "engine-profiles": o.profiles, "engine-events": o.events, "engine-tries": o.engineTries, "sim-tries": o.simTries,
		"record-people": o.recordPeople, "record-contacts": o.recordContacts, "searches": o.searches, "mails": o.mails, "mail-connections": o.mailConnections, "mail-rounds": o.mailRounds, "people": o.people, "desks": o.desks, "pops": o.pops,
	} {
		least(flag, float64(v), 1)
	}
	most("mail-connections", o.mailConnections, 100)
	least("sim-contacts", float64(o.simContacts), 1000)
	least("backlog-rate", o.backlogRate, 0.1)
	most("backlog-handlers", o.backlogHandlers, o.handlers)
	most("backlog-calls", o.backlogCalls/max(o.backlogRounds, 1), callerNumbers)
	most("people", o.people, 1_000_000)
	most("handlers", o.handlers, 2000)
	for flag, v := range map[string]time.Duration{"hold": o.hold, "patience": o.patience, "backlog-hold": o.backlogHold, "handling": o.handling} {
		least(flag, v.Seconds(), 0.001)
	}
	return errs
}

// list reads what is separated by commas.
func list[T any](text string, read func(string) (T, error)) ([]T, error) {
	var out []T
	for _, s := range strings.Split(text, ",") {
		v, err := read(strings.TrimSpace(s))
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		out = append(out, v)
	}
	return out, nil
}
