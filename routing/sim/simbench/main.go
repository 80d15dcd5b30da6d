// Command simbench measures simulation speed: a bare M/M/c+M event loop in Go with
// no rules at all (the limit), this package around the real engine, and the same
// model in SimPy, side by side. Run it with
//
//	go run ./routing/sim/simbench
//
// SimPy is Debian's python3-simpy3; without it that line says so.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"text/tabwriter"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/sim"
)

//go:embed queue.py
var simpyScript string

// queue is an M/M/c+M queue: the peak of a large force's day, without end.
type queue struct {
	Contacts                   int
	Rate                       float64 // a second
	Service, Patience, Seconds float64 // means; threshold
	Servers                    int
}

// outcome is what one program found, and how fast.
type outcome struct {
	Contacts int     `json:"contacts"`
	Wait     float64 `json:"wait"`    // mean of those answered
	Abandon  float64 `json:"abandon"` // share
	Took     float64 `json:"took"`    // seconds
}

func main() {
	contacts := flag.Int("contacts", 400_000, "contacts to simulate; SimPy does a tenth")
	python := flag.String("python", "python3", "Python to run SimPy with")
	flag.Parse()
	if err := measure(*contacts, *python); err != nil {
		fmt.Fprintln(os.Stderr, "simbench:", err)
		os.Exit(1)
	}
}

func measure(contacts int, python string) error {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // as c3i simulate sets it
	q := queue{Contacts: contacts, Rate: 0.4, Service: 390, Patience: 180, Servers: 160, Seconds: 30}
	theory := sim.MMCM(q.Rate, q.Service, q.Patience, q.Servers, q.Seconds)
	fmt.Printf("M/M/%d+M: %g calls a second, service %g s, patience %g s; one core\n", q.Servers, q.Rate, q.Service, q.Patience)
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "program\tcontacts\tseconds\tcontacts/s\tmean wait\tabandoned")
	fmt.Fprintf(tw, "Erlang A (theory)\t\t\t\t%.2f s\t%.2f %%\n", theory.MeanAnswered, 100*theory.Abandon)
	line := func(name string, o outcome) {
		fmt.Fprintf(tw, "%s\t%d\t%.2f\t%.0f\t%.2f s\t%.2f %%\n", name, o.Contacts, o.Took, float64(o.Contacts)/o.Took, o.Wait, 100*o.Abandon)
	}
	bare := bareLoop(q)
	line("bare event loop in Go, no rules", bare)
	engine, err := throughEngine(q)
	if err != nil {
		return err
	}
	line("C3i: the real engine under a plan", engine)
	small := q
	small.Contacts /= 10
	python3, missing := simpy(python, small)
	if missing == nil {
		line("SimPy", python3)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	rate := func(o outcome) float64 { return float64(o.Contacts) / o.Took }
	fmt.Printf("C3i does %.2f of the bare loop's contacts a second", rate(engine)/rate(bare))
	if missing != nil {
		fmt.Printf("\nSimPy is not measured: %v (Debian: apt-get install python3-simpy3)\n", missing)
		return nil
	}
	fmt.Printf(" and %.0f times SimPy's\n", rate(engine)/rate(python3))
	return nil
}

// bareLoop is as little as simulates the queue: departures in a heap, waiting
// calls in a ring.
func bareLoop(q queue) outcome {
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
	return outcome{q.Contacts, waited / float64(answered), float64(left) / float64(answered+left), time.Since(began).Seconds()}
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

func throughEngine(q queue) (outcome, error) {
	began := time.Now()
	r, err := sim.Run(context.Background(), sim.Options{Plans: []sim.PlanInput{{Name: "plan", Source: plan}}, Source: steady{q}, Replications: 1, Workers: 1, Seed: 1})
	if err != nil {
		return outcome{}, err
	}
	took := time.Since(began).Seconds()
	total := r.Plans[0].Total
	return outcome{r.Contacts, total.Figure(sim.ASA).Mean, total.Figure(sim.AbandonRate).Mean, took}, nil
}

// simpy runs the same queue in SimPy, with its own interpreter's clock; the
// interpreter's start does not count.
func simpy(python string, q queue) (outcome, error) {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	cmd := exec.Command(python, "-c", simpyScript, strconv.Itoa(q.Contacts), text(q.Rate), text(q.Service), text(q.Patience), strconv.Itoa(q.Servers))
	printed, err := cmd.Output()
	if err != nil {
		return outcome{}, fmt.Errorf("%s cannot run it: %w", python, err)
	}
	var o outcome
	if err := json.Unmarshal(printed, &o); err != nil {
		return outcome{}, fmt.Errorf("%s printed %q", python, printed)
	}
	if math.IsNaN(o.Took) || o.Took <= 0 {
		return outcome{}, fmt.Errorf("%s printed %q", python, printed)
	}
	return o, nil
}
