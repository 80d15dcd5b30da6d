package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.org/c3i/e2e/sipphone"
)

// Load is what one trial puts on a system.
type load struct {
	target string  // SIP URI to ring
	rate   float64 // calls a second, on a schedule that does not wait for the system
	calls  int
	// hold is how long a handler talks; each call's differs from it by up to a
	// fifth, so that the phones do not come free in step.
	hold time.Duration
	// backlog is how many callers must be waiting for the freeing of a handler to
	// count; 0 counts none.
	backlog int
	// patience is how long callers wait for everything after the last was placed.
	patience time.Duration
}

// observed is what a trial saw.
type observed struct {
	// rings are call in → handler's phone rings, frees are handler free → next call
	// rings at the same phone, pops are call in → the caller's person on the desk.
	rings, frees, pops []time.Duration
	// faults are what must not happen, one line each.
	faults []string
	took   time.Duration
}

// trial carries one load out. It is the only owner of who rang whom, so it can
// tell that every call was answered by exactly one phone.
type trial struct {
	load  load
	began time.Time

	mu       sync.Mutex
	calls    map[string]*callerRecord // by number
	handlers map[string]*handlerRecord
	placed   int
	rung     int
	frees    []time.Duration
	faults   []string
}

type callerRecord struct {
	sent, rang, popped time.Time
	answeredBy         []string
	ended              bool
}

type handlerRecord struct {
	busy  bool
	freed time.Time // zero when the freeing does not count
}

// callerNumber is the n-th of two thousand numbers that Ofcom keeps for drama.
func callerNumber(n int) string {
	n %= callerNumbers
	if n < 1000 {
		return fmt.Sprintf("07700900%03d", n)
	}
	return fmt.Sprintf("02079460%03d", n-1000)
}

const callerNumbers = 2000

func newTrial(l load) (*trial, error) {
	if l.calls > callerNumbers {
		return nil, fmt.Errorf("a trial has at most %d calls, each with its own number: %d were asked for", callerNumbers, l.calls)
	}
	t := &trial{load: l, calls: map[string]*callerRecord{}, handlers: map[string]*handlerRecord{}}
	for i := range l.calls {
		t.calls[callerNumber(i)] = &callerRecord{}
	}
	return t, nil
}

// run places the calls and waits until all have ended. It fails only when the
// caller's side cannot call.
func (t *trial) run(ctx context.Context, callers *sipphone.Phone) (observed, error) {
	var calling sync.WaitGroup
	last, give := context.WithCancel(ctx)
	defer give()
	t.began = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failed error
	for i := range t.load.calls {
		due := t.began.Add(time.Duration(float64(i) / t.load.rate * float64(time.Second)))
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			failed = context.Cause(ctx)
		}
		if failed != nil {
			break
		}
		number := callerNumber(i)
		t.mu.Lock()
		t.placed++
		t.mu.Unlock()
		call, err := callers.Call(ctx, t.load.target, sipphone.CallOptions{From: number, NoMedia: true})
		if err != nil {
			failed = err
			break
		}
		t.mu.Lock()
		t.calls[number].sent = call.Times().Invite
		t.mu.Unlock()
		calling.Go(func() { t.follow(last, number, call) })
	}
	patience := time.AfterFunc(t.load.patience, give)
	defer patience.Stop()
	if failed != nil {
		give()
	}
	calling.Wait()
	return t.results(), failed
}

// follow sees a caller's call to its end, which the handler's hang-up must bring.
func (t *trial) follow(ctx context.Context, number string, call *sipphone.Call) {
	end, err := call.WaitEnded(ctx)
	if err != nil {
		hangup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = call.Hangup(hangup) // it has failed already
		t.fault("a caller was neither served nor hung up in time")
		return
	}
	if end.Cause != sipphone.PeerHungUp {
		t.fault(fmt.Sprintf("a caller's call ended as %q with status %d", end.Cause, end.Status))
		return
	}
	t.mu.Lock()
	t.calls[number].ended = true
	t.mu.Unlock()
}

// invited is a handler's phone being rung: it answers at once, talks and hangs
// up.
func (t *trial) invited(ctx context.Context, in *sipphone.IncomingCall) {
	at, phone, number := in.Times().Invite, in.ToUser, in.From.User
	if fault := t.rang(at, phone, number); fault != "" {
		t.fault(fault)
		_ = in.Reject(486) // the fault is noted; the caller may have gone
		return
	}
	if err := errors.Join(in.Ring(), in.Answer(ctx, sipphone.AnswerOptions{NoMedia: true})); err != nil {
		t.free(phone, false)
		t.fault(fmt.Sprintf("a phone could not answer: %v", err))
		return
	}
	t.mu.Lock()
	record := t.calls[number]
	record.answeredBy = append(record.answeredBy, phone)
	t.mu.Unlock()

	timer := time.NewTimer(t.holdOf(number))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-in.Ended():
		t.free(phone, false)
		t.fault("a handler was cut off")
		return
	case <-ctx.Done():
		return
	}
	t.free(phone, true)
	ending, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := in.Hangup(ending); err != nil {
		t.fault(fmt.Sprintf("a handler's hang-up was not taken: %v", err))
	}
}

// holdOf spreads hold by a fifth either way, the same for the same caller.
func (t *trial) holdOf(number string) time.Duration {
	var sum uint32 = 2166136261 // FNV-1a
	for _, b := range []byte(number) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return time.Duration((0.8 + 0.4*float64(sum%1000)/1000) * float64(t.load.hold))
}

// rang notes that a phone is rung; what it returns must not happen.
func (t *trial) rang(at time.Time, phone, number string) (fault string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	record := t.calls[number]
	if record == nil || !record.rang.IsZero() && record.ended {
		return "a phone was rung for nobody"
	}
	h := t.handlers[phone]
	if h == nil {
		h = &handlerRecord{}
		t.handlers[phone] = h
	}
	if h.busy {
		return "a phone was rung during a call"
	}
	if !record.rang.IsZero() {
		return "a second phone was rung for a caller who had been answered"
	}
	record.rang = at
	t.rung++
	h.busy = true
	if !h.freed.IsZero() {
		t.frees = append(t.frees, at.Sub(h.freed))
	}
	return ""
}

// free notes that a handler is free, just before their phone says so.
func (t *trial) free(phone string, counts bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.handlers[phone]
	h.busy, h.freed = false, time.Time{}
	if counts && t.load.backlog > 0 && t.placed-t.rung >= t.load.backlog {
		h.freed = time.Now()
	}
}

// popped notes that a desk shows who is calling.
func (t *trial) popped(number string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if record := t.calls[number]; record != nil && record.popped.IsZero() {
		record.popped = at
	}
}

func (t *trial) fault(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, what)
}

func (t *trial) results() observed {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := observed{frees: t.frees, faults: t.faults, took: time.Since(t.began)}
	for i := range t.load.calls {
		record := t.calls[callerNumber(i)]
		switch {
		case record.sent.IsZero():
			continue
		case len(record.answeredBy) == 0:
			o.faults = append(o.faults, "a caller was not answered")
		case len(record.answeredBy) > 1:
			o.faults = append(o.faults, "a caller was answered more than once")
		}
		if !record.rang.IsZero() {
			o.rings = append(o.rings, record.rang.Sub(record.sent))
		}
		if !record.popped.IsZero() {
			o.pops = append(o.pops, record.popped.Sub(record.sent))
		}
	}
	return o
}
