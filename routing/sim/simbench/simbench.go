// Package simbench measures simulation speed: one M/M/c+M queue through a bare event
// loop in Go with no rules at all (the limit), through routing/sim around the real
// engine, and in SimPy, side by side; a month at a large force; and a look ahead from
// live state.
package simbench

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"runtime/debug"
	"strconv"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/sim"
)

//go:embed queue.py
var simpyScript string

// Outcome is what one program found, and how fast.
type Outcome struct {
	Program  string  `json:"program"`
	Contacts int     `json:"contacts"`
	Wait     float64 `json:"wait"`    // seconds, mean of those answered
	Abandon  float64 `json:"abandon"` // share
	Took     float64 `json:"took"`    // seconds
}

// Rate is contacts a second.
func (o Outcome) Rate() float64 { return float64(o.Contacts) / o.Took }

// Names of the programs compared.
const (
	BareLoop = "bare event loop in Go, no rules"
	OneCore  = "C3i, one replication on one core"
	AllCores = "C3i, replications on all cores"
	SimPy    = "SimPy, one core"
)

// peak is the queue compared: the peak of a large force's day, without end.
func peak(contacts int) queue {
	return queue{Contacts: contacts, Rate: 0.4, Service: 390, Patience: 180, Servers: 160, Seconds: 30}
}

// About tells people what is compared, with what Erlang A says of it.
func About() (what string, theory Outcome) {
	q := peak(1)
	t := sim.MMCM(q.Rate, q.Service, q.Patience, q.Servers, q.Seconds)
	return fmt.Sprintf("M/M/%d+M: %g calls a second, service %g s, patience %g s", q.Servers, q.Rate, q.Service, q.Patience),
		Outcome{Program: "Erlang A (theory)", Wait: t.MeanAnswered, Abandon: t.Abandon}
}

// MissingError says that SimPy could not be run.
type MissingError struct{ Err error }

func (e *MissingError) Error() string {
	return fmt.Sprintf("SimPy is not measured: %v (Debian: apt-get install python3-simpy3)", e.Err)
}

func (e *MissingError) Unwrap() error { return e.Err }

// Compare runs the queue through each program, as often as tries, taking turns; the
// fastest try of each counts, because whatever else the machine does can only slow
// it. SimPy does a tenth of the contacts, enough for its rate. Without SimPy the
// others are there and the error is a *MissingError.
func Compare(ctx context.Context, contacts, tries, cores int, python string) ([]Outcome, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as c3i simulate sets it
	q, tenth := peak(contacts), peak(contacts/10)
	var missing *MissingError
	installed := true
	programs := []func() (Outcome, error){
		func() (Outcome, error) { return bareLoop(q), nil },
		func() (Outcome, error) { return throughEngine(ctx, q, 1) },
		func() (Outcome, error) { return throughEngine(ctx, q, cores) },
		func() (Outcome, error) {
			if !installed {
				return Outcome{}, nil
			}
			o, err := simpy(ctx, python, tenth)
			if err != nil {
				missing, installed = &MissingError{err}, false
			}
			return o, nil
		},
	}
	best := make([]Outcome, len(programs))
	for range tries {
		for i, run := range programs {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			o, err := run()
			if err != nil {
				return nil, err
			}
			if o.Took > 0 && (best[i].Took == 0 || o.Rate() > best[i].Rate()) {
				best[i] = o
			}
		}
	}
	if missing != nil {
		return best[:len(best)-1], missing
	}
	return best, nil
}

// MonthContacts is about how many contacts Month simulates.
const MonthContacts = 400_000

// Month simulates 31 days of a model, its volume changed to about MonthContacts,
// under a plan, once on one core. Took is everything: drawing what comes from
// outside, the plan's run and the report.
func Month(ctx context.Context, m *sim.Model, plan sim.PlanInput) (Outcome, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	began := time.Now()
	source, err := m.Modelled("2014-07-01", 31, MonthContacts/(31*m.PerDay)-1)
	if err != nil {
		return Outcome{}, err
	}
	r, err := sim.Run(ctx, sim.Options{Plans: []sim.PlanInput{plan}, Source: source, Replications: 1, Workers: 1, Seed: 1})
	if err != nil {
		return Outcome{}, err
	}
	total := r.Plans[0].Total
	return Outcome{"a month under the plan", r.Contacts, total.Figure(sim.ASA).Mean, total.Figure(sim.AbandonRate).Mean, time.Since(began).Seconds()}, nil
}

// Ahead measures sim.Fork as the console asks it: the next hour from a live state
// with so many calls waiting, if three handlers move to another profile. Took is from
// the clone of the live engine to the report.
func Ahead(ctx context.Context, m *sim.Model, plan *routing.Plan, zone contact.Zone, waiting int) (Outcome, error) {
	engine, profiles, now := live(plan, waiting)
	from, to := plan.Profiles[0].Name, plan.Profiles[1].Name
	began := time.Now()
	r, err := sim.Fork(ctx, engine.Clone(), sim.ForkOptions{At: now, Profiles: profiles, Model: m, Zone: zone, Moves: []sim.Move{{From: from, To: to, Count: 3}}})
	if err != nil {
		return Outcome{}, err
	}
	total := r.Plans[0].Total
	return Outcome{"an hour ahead", r.Contacts, total.Figure(sim.ASA).Mean, total.Figure(sim.AbandonRate).Mean, time.Since(began).Seconds()}, nil
}

// live is an engine with 150 handlers in a call each and so many calls waiting.
func live(plan *routing.Plan, waiting int) (*routing.Engine, map[routing.AgentID]string, contact.Instant) {
	const handlers = 150
	engine, now, profiles := routing.New(), start, map[routing.AgentID]string{}
	engine.Step(now, routing.PlanPublished{Version: plan.Version, Source: "live", Plan: plan})
	for _, q := range plan.Queues {
		engine.Step(now, routing.HoursChanged{Queue: q.ID, Open: true})
	}
	for i := range handlers {
		id := routing.AgentID(fmt.Sprintf("handler%04d", i))
		profiles[id] = plan.Profiles[i%len(plan.Profiles)].Name
		engine.Step(now, routing.AgentSignedOn{Agent: id, Profile: profiles[id], DeviceUp: true})
		engine.Step(now, routing.AgentReady{Agent: id})
	}
	waits, n := 0, 0
	for ; waits < waiting; n++ {
		now = now.Add(20 * contact.Millisecond)
		waits++
		ev := routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("live%08d", n)), Channel: contact.Phone, Arrival: now, Queue: plan.Queues[n%len(plan.Queues)].ID}
		for _, a := range engine.Step(now, ev) {
			if o, is := a.(routing.Offer); is {
				engine.Step(now, routing.OfferAccepted{Offer: o.Offer, Agent: o.Agent})
				engine.Step(now, routing.Connected{Contact: o.Contact, Agent: o.Agent})
				waits--
			}
		}
	}
	return engine, profiles, now
}

// queue is an M/M/c+M queue.
type queue struct {
	Contacts                   int
	Rate                       float64 // a second
	Service, Patience, Seconds float64 // means; threshold
	Servers                    int
}

// bareLoop is as little as simulates the queue: departures in a heap, waiting
// calls in a ring.
func bareLoop(q queue) Outcome {
	began := time.Now()
	dice := rand.New(rand.NewPCG(1, 2))
	draw := func(mean float64) float64 { return dice.ExpFloat64() * mean }
	type call struct{ arrived, leaves, service float64 }
	var departures []float64
	var line []call
	head, answered, left, waited := 0, 0, 0, 0.0
	next := draw(1 / q.Rate)
	for n := 0; n < q.Contacts || len(departures) > 0; {
		if n < q.Contacts && (len(departures) == 0 || next < departures[0]) {
			n++
			c := call{next, next + draw(q.Patience), draw(q.Service)}
			if len(departures) < q.Servers {
				departures = push(departures, c.arrived+c.service)
				answered++
			} else {
				line = append(line, c)
			}
			next += draw(1 / q.Rate)
			continue
		}
		now := departures[0]
		departures = pop(departures)
		for head < len(line) {
			c := line[head]
			head++
			if c.leaves < now {
				left++
				continue
			}
			answered++
			waited += now - c.arrived
			departures = push(departures, now+c.service)
			break
		}
		if head > 4096 && head*2 > len(line) {
			line = line[:copy(line, line[head:])]
			head = 0
		}
	}
	return Outcome{BareLoop, q.Contacts, waited / float64(answered), float64(left) / float64(answered+left), time.Since(began).Seconds()}
}

func push(h []float64, v float64) []float64 {
	h = append(h, v)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2] > v {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = v
	return h
}

func pop(h []float64) []float64 {
	v := h[len(h)-1]
	h = h[:len(h)-1]
	if len(h) == 0 {
		return h
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1] < h[c] {
			c++
		}
		if h[c] >= v {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = v
	return h
}

// steady is the queue as a source.
type steady struct{ queue }

const start = contact.Instant(1_400_000_000 * contact.Second)

func (s steady) Describe() (string, []string) { return "a constant rate", nil }

func (s steady) Period() (from, to contact.Instant) {
	return start, start.Add(contact.Duration(float64(s.Contacts) / s.Rate * 1e9))
}

func (s steady) Profiles() []string { return []string{"one"} }

func (s steady) Outside(seed uint64, replication int) (*sim.Outside, error) {
	from, to := s.Period()
	dice := rand.New(rand.NewPCG(seed, uint64(replication)))
	out := &sim.Outside{From: from, To: to, Answering: sim.Answering{Delay: sim.Constant(0)}, Arrivals: make([]sim.Arrival, 0, s.Contacts+s.Contacts/100)}
	for i := range s.Servers {
		out.Shifts = append(out.Shifts, sim.Shift{Agent: routing.AgentID(fmt.Sprintf("handler%04d", i)), Profile: "one", From: from, To: to})
	}
	facts := &contact.Facts{}
	for at := from; ; {
		at = at.Add(contact.Duration(dice.ExpFloat64() / s.Rate * 1e9))
		if at >= to {
			return out, nil
		}
		out.Arrivals = append(out.Arrivals, sim.Arrival{
			At: at, Channel: contact.Phone, Facts: facts,
			Talk: dice.ExpFloat64() * s.Service, Patience: dice.ExpFloat64() * s.Patience,
		})
	}
}

const plan = `
time_zone: Europe/London
default_queue: one
answer_within: {phone: 30s, email: 1h, web: 1h}
max_credit: 1m
short_abandon: 5s
skills: {one: One}
profiles:
  one: {skills: {one: 1}, capacity: {phone: 1}}
queues:
  one: {label: One, needs: {one: 1}}
offer:
  ring_for: {phone: 20s, email: 2m, web: 2m}
  no_answer_rest: 30s
  decline_rest: 10s
  failed_rest: 10s
  alert_after: 3
wrap_up: {limit: 0s, extension: 0s}
not_ready_reasons: {break: Break}
outcomes: {done: Done}
`

// throughEngine runs a replication on each of the cores at once.
func throughEngine(ctx context.Context, q queue, cores int) (Outcome, error) {
	began := time.Now()
	r, err := sim.Run(ctx, sim.Options{Plans: []sim.PlanInput{{Name: "plan", Source: plan}}, Source: steady{q}, Replications: cores, Workers: cores, Seed: 1})
	if err != nil {
		return Outcome{}, err
	}
	name := OneCore
	if cores > 1 {
		name = AllCores
	}
	total := r.Plans[0].Total
	return Outcome{name, r.Contacts, total.Figure(sim.ASA).Mean, total.Figure(sim.AbandonRate).Mean, time.Since(began).Seconds()}, nil
}

// simpy runs the same queue in SimPy, with its own interpreter's clock; the
// interpreter's start does not count.
func simpy(ctx context.Context, python string, q queue) (Outcome, error) {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	cmd := exec.CommandContext(ctx, python, "-c", simpyScript, strconv.Itoa(q.Contacts), text(q.Rate), text(q.Service), text(q.Patience), strconv.Itoa(q.Servers))
	printed, err := cmd.Output()
	if err != nil {
		return Outcome{}, fmt.Errorf("%s cannot run it: %w", python, err)
	}
	o := Outcome{Program: SimPy}
	if err := json.Unmarshal(printed, &o); err != nil || math.IsNaN(o.Took) || o.Took <= 0 {
		return Outcome{}, fmt.Errorf("%s printed %q", python, printed)
	}
	return o, nil
}
