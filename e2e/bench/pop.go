package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/e2e/bench/measure"
)

// popFigure is how long the CRM takes to say who is calling.
type popFigure struct {
	People int     `json:"people"`
	Load   string  `json:"load"`
	Rate   float64 `json:"per_second"`
	// Identify is the look-up and record when a contact arrives, Pop the reading for
	// the desk, Both the two one after the other, as a desk waits for them.
	Identify measure.Summary `json:"identify"`
	Pop      measure.Summary `json:"pop"`
	Both     measure.Summary `json:"both"`
	Failed   int             `json:"faults"`
	// CPU is this process' and Redis' processor time for both, in milliseconds.
	CPU float64 `json:"cpu_ms"`
}

// number is the n-th person's. The first have those the bench's callers ring
// from; beyond them there are too few numbers kept for such use, so the rest lie
// under a country code nobody has.
func personNumber(n int) string {
	if n < callerNumbers {
		return callerNumber(n)
	}
	return fmt.Sprintf("+999%09d", n)
}

// earlierContacts is how many contacts the first people have had before.
const (
	earlierContacts = 5
	withHistory     = callerNumbers
)

// seed puts people into the CRM through its own API, and gives the first of them
// a history.
func seed(ctx context.Context, o options, db *redisServer) (*crm.Store, error) {
	store, err := crm.Open(ctx, crm.Options{Redis: db.client, Region: "GB"})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	people := max(o.people, callerNumbers)
	o.progress("loading %d people into Redis", people)
	ids := contact.NewIDs(nil)
	err = eachOf(ctx, people, 48, func(i int) error {
		number := personNumber(i)
		_, err := store.SavePerson(ctx, crm.Person{
			Name: fmt.Sprintf("Person %07d", i), Numbers: []string{number}, Language: "en",
			Vulnerable: i%50 == 0, RepeatVictim: i%75 == 0, Remarks: "Prefers to be rung in the evening.",
		})
		if err != nil || i >= withHistory {
			return err
		}
		for k := range earlierContacts {
			id := contact.ID(ids.New())
			at := contact.At(time.Now().Add(-time.Duration(k+1) * 9 * 24 * time.Hour))
			_, err := store.Identify(ctx, crm.Arrival{ID: id, Channel: contact.Phone, At: at, Caller: contact.Caller{Number: number, CLI: contact.CLIPresented, Dialled: "101"}})
			if err == nil {
				err = store.Ended(ctx, crm.Ending{ID: id, Queue: "general", Handler: phoneName(k), Answered: at, At: at, Ending: contact.Answered})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load people: %w", err)
	}
	o.progress("loaded in %s", time.Since(began).Round(100*time.Millisecond))
	return store, nil
}

// eachOf calls f for 0 to n-1 from several goroutines and stops at the first
// error.
func eachOf(ctx context.Context, n, workers int, f func(int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	working.Wait()
	return context.Cause(ctx)
}

// measurePops lets callers arrive and desks ask who they are: at the rate at
// which so many desks take calls, and with every desk asking within one second.
func measurePops(ctx context.Context, o options, store *crm.Store, redis int) ([]popFigure, error) {
	loads := []struct {
		name  string
		rate  float64
		count int
	}{
		{fmt.Sprintf("%d desks, one call each %s", o.desks, o.handling), float64(o.desks) / o.handling.Seconds(), o.pops},
		{fmt.Sprintf("%d desks within a second", o.desks), float64(o.desks), o.desks},
	}
	var figures []popFigure
	for _, l := range loads {
		o.progress("screen-pop: %s (%.0f/s), %d pops", l.name, l.rate, l.count)
		if _, err := popsAt(ctx, o, store, l.rate, min(l.count, 200)); err != nil {
			return nil, err
		}
		before, err := busyWith(redis)
		if err != nil {
			return nil, err
		}
		f, err := popsAt(ctx, o, store, l.rate, l.count)
		if err != nil {
			return nil, err
		}
		after, err := busyWith(redis)
		if err != nil {
			return nil, err
		}
		f.CPU = measure.Milliseconds(after-before) / float64(l.count)
		f.Load = l.name
		figures = append(figures, f)
	}
	return figures, nil
}

// popsAt makes contacts arrive on a schedule that does not wait for the store.
func popsAt(ctx context.Context, o options, store *crm.Store, rate float64, count int) (popFigure, error) {
	people := max(o.people, callerNumbers)
	f := popFigure{People: people, Rate: rate}
	ids := contact.NewIDs(nil)
	var (
		mu                    sync.Mutex
		identifies, pops, all []time.Duration
		faults                []error
		asking                sync.WaitGroup
	)
	timer := time.NewTimer(0)
	defer timer.Stop()
	began := time.Now()
	for i := range count {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return f, context.Cause(ctx)
		}
		// Every fourth caller has a history; a prime step spreads them over all people.
		person := (i * 7919) % people
		if i%4 == 0 {
			person %= withHistory
		}
		asking.Go(func() {
			id := contact.ID(ids.New())
			start := time.Now()
			facts, err := store.Identify(ctx, crm.Arrival{ID: id, Channel: contact.Phone, At: contact.At(start), Caller: contact.Caller{Number: personNumber(person), CLI: contact.CLIPresented, Dialled: "101"}})
			known := time.Now()
			var pop crm.Pop
			if err == nil {
				pop, err = store.Pop(ctx, id, facts)
			}
			end := time.Now()
			if err == nil && len(pop.People) != 1 {
				err = fmt.Errorf("a caller who is one person was shown as %d", len(pop.People))
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults = append(faults, err)
				return
			}
			identifies = append(identifies, known.Sub(start))
			pops = append(pops, end.Sub(known))
			all = append(all, end.Sub(start))
		})
	}
	asking.Wait()
	f.Identify, f.Pop, f.Both, f.Failed = measure.Summarise(identifies), measure.Summarise(pops), measure.Summarise(all), len(faults)
	if len(faults) > 0 && len(all) == 0 {
		return f, errors.Join(errors.New("no screen-pop worked"), faults[0])
	}
	return f, nil
}
