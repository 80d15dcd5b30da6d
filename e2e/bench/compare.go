package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"example.org/c3i/e2e/bench/measure"
)

// usage is processor time per call, in milliseconds.
type usage struct {
	Controller float64 `json:"controller_ms"`
	Asterisk   float64 `json:"asterisk_ms"`
	Redis      float64 `json:"redis_ms"`
}

// callFigure is what one system did under one load.
type callFigure struct {
	System string  `json:"system"`
	Rate   float64 `json:"calls_per_second"`
	Calls  int     `json:"calls"`
	Failed int     `json:"faults"`
	// Time is what is compared: call in to ring, or handler free to next ring.
	Time measure.Summary `json:"time"`
	// Ring is call in to ring, for a backlog the whole wait; Pop is call in to the
	// caller's person on the desk.
	Ring measure.Summary `json:"ring"`
	Pop  measure.Summary `json:"pop"`
	CPU  usage           `json:"cpu_per_call"`
	// Others is how busy other programs kept the machine meanwhile, in cores.
	Others float64  `json:"other_programs_cores"`
	Faults []string `json:"fault_list,omitempty"`

	samples, rings, pops       []time.Duration
	took                       time.Duration
	busyController, busyOthers time.Duration
	busyAsterisk, busyRedis    time.Duration
}

// add pools another round.
func (f *callFigure) add(g callFigure) {
	f.Calls += g.Calls
	f.Faults = append(f.Faults, g.Faults...)
	f.samples = append(f.samples, g.samples...)
	f.rings = append(f.rings, g.rings...)
	f.pops = append(f.pops, g.pops...)
	f.took += g.took
	f.busyController += g.busyController
	f.busyAsterisk += g.busyAsterisk
	f.busyRedis += g.busyRedis
	f.busyOthers += g.busyOthers
}

// finish works the figures out from what was pooled.
func (f *callFigure) finish() {
	f.Failed = len(f.Faults)
	f.Time, f.Ring, f.Pop = measure.Summarise(f.samples), measure.Summarise(f.rings), measure.Summarise(f.pops)
	each := func(d time.Duration) float64 { return measure.Milliseconds(d) / float64(max(f.Calls, 1)) }
	f.CPU = usage{each(f.busyController), each(f.busyAsterisk), each(f.busyRedis)}
	if f.took > 0 {
		f.Others = max(0, f.busyOthers.Seconds()/f.took.Seconds())
	}
}

// processorTimes are readings taken together.
type processorTimes struct{ controller, asterisk, redis, own, system time.Duration }

func readTimes(r *rig, s *system) (p processorTimes, err error) {
	for _, of := range []struct {
		pid int
		to  *time.Duration
	}{{s.controller, &p.controller}, {r.asterisk.PID(), &p.asterisk}, {s.redis, &p.redis}, {os.Getpid(), &p.own}} {
		if of.pid == 0 {
			continue
		}
		if *of.to, err = measure.CPU(of.pid); err != nil {
			return p, fmt.Errorf("read processor time: %w", err)
		}
	}
	p.system, err = measure.SystemBusy()
	return p, err
}

// once runs one load on one system.
func once(ctx context.Context, r *rig, s *system, l load) (callFigure, error) {
	f := callFigure{System: s.name, Rate: l.rate, Calls: l.calls}
	l.target = s.target
	if err := r.settle(ctx); err != nil {
		return f, fmt.Errorf("%s: %w", s.name, err)
	}
	t, err := newTrial(l)
	if err != nil {
		return f, err
	}
	before, err := readTimes(r, s)
	if err != nil {
		return f, err
	}
	r.current.Store(t)
	o, err := t.run(ctx, r.callers)
	if err == nil {
		err = r.settle(ctx)
	}
	r.current.Store(nil)
	if err != nil {
		return f, fmt.Errorf("%s: %w", s.name, err)
	}
	after, err := readTimes(r, s)
	if err != nil {
		return f, err
	}
	f.busyController, f.busyAsterisk, f.busyRedis = after.controller-before.controller, after.asterisk-before.asterisk, after.redis-before.redis
	f.busyOthers = after.system - before.system - f.busyController - f.busyAsterisk - f.busyRedis - (after.own - before.own)
	f.took, f.rings, f.pops, f.Faults = o.took, o.rings, o.pops, o.faults
	f.samples = o.rings
	if l.backlog > 0 {
		f.samples = o.frees
	}
	return f, nil
}

// compareArrivals measures call in to ring for every rate, the systems in turn and
// the whole in rounds, so that a busy moment of the machine does not fall on one
// system alone.
func compareArrivals(ctx context.Context, o options, r *rig, systems []*system) ([]callFigure, error) {
	figures := make([]callFigure, 0, len(o.rates)*len(systems))
	for i, rate := range o.rates {
		for _, s := range systems {
			figures = append(figures, callFigure{System: s.name, Rate: rate})
		}
		for round := range o.rounds {
			for turn := range systems {
				k := (round + turn) % len(systems)
				s, l := systems[k], load{rate: rate, calls: o.warmUp, hold: o.hold, patience: o.patience}
				if round == 0 {
					if _, err := once(ctx, r, s, l); err != nil {
						return nil, err
					}
				}
				l.calls = share(o.calls[i], o.rounds, round)
				o.progress("arrivals: %g calls/s, %s, round %d of %d: %d calls", rate, s.name, round+1, o.rounds, l.calls)
				f, err := once(ctx, r, s, l)
				if err != nil {
					return nil, err
				}
				figures[i*len(systems)+k].add(f)
			}
		}
	}
	for i := range figures {
		figures[i].finish()
	}
	return figures, nil
}

// share is how many of n calls fall to one of several rounds; at least one does.
func share(n, rounds, round int) int {
	return max(1, n*(round+1)/rounds-n*round/rounds)
}

// compareBacklog measures handler free to next ring while callers wait.
func compareBacklog(ctx context.Context, o options, r *rig, systems []*system) ([]callFigure, error) {
	figures := make([]callFigure, len(systems))
	for i, s := range systems {
		figures[i] = callFigure{System: s.name, Rate: o.backlogRate}
	}
	for round := range o.backlogRounds {
		for turn := range systems {
			i := (round + turn) % len(systems)
			s := systems[i]
			if round == 0 {
				warm := load{rate: o.backlogRate, calls: min(o.warmUp, o.backlogHandlers), hold: o.hold, patience: o.patience}
				if _, err := once(ctx, r, s, warm); err != nil {
					return nil, err
				}
			}
			l := load{
				rate: o.backlogRate, calls: share(o.backlogCalls, o.backlogRounds, round), hold: o.backlogHold,
				backlog: o.backlogHandlers, patience: o.patience + time.Duration(o.backlogCalls/o.backlogHandlers)*2*o.backlogHold,
			}
			o.progress("backlog: %s, round %d of %d: %d calls for %d handlers", s.name, round+1, o.backlogRounds, l.calls, o.backlogHandlers)
			f, err := once(ctx, r, s, l)
			if err != nil {
				return nil, err
			}
			figures[i].add(f)
		}
	}
	for i := range figures {
		figures[i].finish()
	}
	return figures, nil
}

// compare runs both parts that need telephones.
func compare(ctx context.Context, o options, dir string, db *redisServer, rep *report) (err error) {
	o.progress("starting Asterisk with %d phones", o.handlers)
	r, err := newRig(ctx, dir, o.handlers, o.backlogHandlers)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.close(); err == nil {
			err = e
		}
	}()
	rep.Asterisk = r.asterisk.Version().Text
	program := o.program
	if program == "" {
		o.progress("building c3i")
		if program, err = build(ctx, dir); err != nil {
			return err
		}
	}
	o.progress("starting C3i and signing %d handlers on", o.handlers)
	c, err := startC3i(ctx, program, r, db, o.handlers)
	if err != nil {
		return err
	}
	defer func() {
		if e := c.stop(); err == nil {
			err = e
		}
	}()
	run := func(phones int, queue string, part func([]*system) error) error {
		bare, err := startBare(ctx, r, phones)
		if err != nil {
			return err
		}
		err = part([]*system{&c.system, {name: "app_queue", target: r.uri(queue), stop: func() error { return nil }}, bare})
		if e := bare.stop(); err == nil {
			err = e
		}
		return err
	}
	if o.parts["arrivals"] {
		err := run(o.handlers, numberQueue, func(systems []*system) (err error) {
			rep.Arrivals, err = compareArrivals(ctx, o, r, systems)
			return err
		})
		if err != nil {
			return err
		}
		if err := c.metrics(filepath.Join(dir, "metrics-arrivals.txt")); err != nil {
			return err
		}
	}
	if o.parts["backlog"] {
		if err := c.staff(ctx, o.backlogHandlers); err != nil {
			return err
		}
		err := run(o.backlogHandlers, numberFewQueue, func(systems []*system) (err error) {
			rep.Backlog, err = compareBacklog(ctx, o, r, systems)
			return err
		})
		if err != nil {
			return err
		}
		if err := c.metrics(filepath.Join(dir, "metrics-backlog.txt")); err != nil {
			return err
		}
	}
	return nil
}
