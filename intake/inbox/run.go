package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// Worker works the items of one kind. Both methods may be called again for an
// item after a crash, so every step they take must bear repeating; Item.Contact
// is the same each time.
type Worker interface {
	// Work brings an item into routing. An error means that it is tried again, at
	// most Options.MaxAttempts times; see [Later].
	Work(ctx context.Context, it Item) error
	// GiveUp hands an item that could not be worked to a person, with what it
	// failed with. It is repeated until it succeeds.
	GiveUp(ctx context.Context, it Item, cause error) error
}

// laterError is trouble that is not the item's own.
type laterError struct{ err error }

func (e laterError) Error() string { return e.err.Error() }
func (e laterError) Unwrap() error { return e.err }

// Later marks an error as one that says nothing about the item, such as a full
// disk or a store that is away: the attempt does not count towards quarantine.
func Later(err error) error {
	if err == nil {
		return nil
	}
	return laterError{err}
}

// orphanAge is when a name in line without an item is forgotten. It far exceeds
// what one acceptance may take.
const orphanAge = 10 * time.Minute

// errCrashed ends a worker in tests as if its process had died.
var errCrashed = errors.New("inbox: crashed")

// Run works items until ctx ends, and returns when no work is in hand any more.
// Kinds have budgets of their own: a flood of one does not hold up another, and
// an item that fails waits out its back-off while others go on.
func (b *Inbox) Run(ctx context.Context, workers map[Kind]Worker) {
	var wg sync.WaitGroup
	for kind, w := range workers {
		for range b.o.Parallel {
			wg.Go(func() { b.runOne(ctx, kind, w) })
		}
		wg.Go(func() { b.watch(ctx, kind) })
	}
	wg.Wait()
}

// watch keeps the gauges current.
func (b *Inbox) watch(ctx context.Context, kind Kind) {
	for {
		if f, err := b.Pending(ctx, kind); err == nil {
			b.o.Metrics.show(kind, f, b.o.Now())
		}
		if !sleep(ctx, 5*time.Second, nil) {
			return
		}
	}
}

func (b *Inbox) runOne(ctx context.Context, kind Kind, w Worker) {
	for ctx.Err() == nil {
		name, wait, err := b.claim(ctx, kind)
		switch {
		case err != nil && ctx.Err() == nil:
			b.o.Log.Error().Err(err).Str("kind", string(kind)).Msg("the line cannot be read; trying again")
			sleep(ctx, b.o.Poll, nil)
		case err != nil:
		case name == "":
			sleep(ctx, min(wait, b.o.Poll), b.wake[kind])
		default:
			if err := b.work(ctx, kind, name, w); errors.Is(err, errCrashed) {
				return
			} else if err != nil && ctx.Err() == nil {
				b.o.Log.Error().Err(err).Str("kind", string(kind)).Msg("an item was left for later")
			}
		}
	}
}

// claim takes the most due item, or tells how long until one is due.
func (b *Inbox) claim(ctx context.Context, kind Kind) (string, time.Duration, error) {
	now := b.o.Now()
	got, err := claimScript.Run(ctx, b.o.Redis, lineKeys(kind)[:1], now.UnixMilli(), now.Add(b.o.Lease).UnixMilli()).StringSlice()
	if err != nil {
		return "", 0, fmt.Errorf("inbox: claim: %w", err)
	}
	if got[0] != "" {
		// There may be more, and other workers asleep.
		select {
		case b.wake[kind] <- struct{}{}:
		default:
		}
		return got[0], 0, nil
	}
	at, err := strconv.ParseFloat(got[1], 64)
	if err != nil {
		return "", 0, fmt.Errorf("inbox: claim: %w", err)
	}
	if at < 0 {
		return "", b.o.Poll, nil
	}
	return "", max(time.Duration(int64(at)-now.UnixMilli())*time.Millisecond, time.Millisecond), nil
}

func (b *Inbox) work(ctx context.Context, kind Kind, name string, w Worker) error {
	if err := b.step("claimed"); err != nil {
		return err
	}
	got, err := beginScript.Run(ctx, b.o.Redis, []string{itemKey(name)}).StringSlice()
	if err != nil {
		return fmt.Errorf("inbox: begin: %w", err)
	}
	switch state(got[0]) {
	case "":
		return b.orphan(ctx, kind, name)
	case done:
		return b.leave(ctx, kind, name, false)
	case quarantined:
		return b.leave(ctx, kind, name, true)
	}
	if err := b.step("begun"); err != nil {
		return err
	}
	it, err := decode(got[2], got[1])
	if err != nil {
		return err
	}
	if state(got[0]) == givingUp || it.Attempts >= b.o.MaxAttempts {
		cause := got[3]
		if cause == "" {
			cause = "the program ended while working it"
		}
		return b.giveUp(ctx, name, it, w, errors.New(cause))
	}
	err = b.attempt(ctx, kind, name, func(ctx context.Context) error { return w.Work(ctx, it) })
	if e := b.step("worked"); e != nil {
		return e
	}
	switch {
	case err == nil:
		b.o.Metrics.done(it, b.o.Now())
		return b.finish(ctx, name, it)
	case errors.Is(err, errCrashed):
		return err
	case ctx.Err() != nil:
		// The process is being stopped: that is nobody's failure.
		return b.putBack(context.WithoutCancel(ctx), kind, name, err, 0, -1)
	}
	var later laterError
	if errors.As(err, &later) {
		b.o.Metrics.worked.WithLabelValues(string(kind), "later").Inc()
		return b.putBack(ctx, kind, name, err, b.o.Backoff(min(it.Attempts+1, 3)), -1)
	}
	if it.Attempts+1 >= b.o.MaxAttempts {
		return b.giveUp(ctx, name, it, w, err)
	}
	b.o.Metrics.worked.WithLabelValues(string(kind), "failed").Inc()
	b.o.Log.Warn().Err(err).Str("contact", string(it.Contact)).Int("attempt", it.Attempts+1).Msg("an item could not be worked and will be tried again")
	return b.putBack(ctx, kind, name, err, b.o.Backoff(it.Attempts+1), 0)
}

// attempt calls f with the lease held, and turns a panic into an error.
func (b *Inbox) attempt(ctx context.Context, kind Kind, name string, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	var held sync.WaitGroup
	held.Go(func() {
		for sleep(ctx, b.o.Lease/3, nil) {
			_ = b.o.Redis.ZAddXX(ctx, lineKeys(kind)[0], z(name, b.o.Now().Add(b.o.Lease))).Err()
		}
	})
	defer held.Wait()
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			b.o.Log.Error().Str("kind", string(kind)).Bytes("stack", debug.Stack()).Msg("a worker panicked")
			err = fmt.Errorf("the worker panicked: %v", p)
		}
	}()
	return f(ctx)
}

func (b *Inbox) finish(ctx context.Context, name string, it Item) error {
	ctx = context.WithoutCancel(ctx) // it was worked; that is to be kept
	trace, err := json.Marshal(it.trace())
	if err != nil {
		return err
	}
	if err := settleScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(done), trace, "", 0).Err(); err != nil {
		return fmt.Errorf("inbox: finish: %w", err)
	}
	if err := b.step("settled"); err != nil {
		return err
	}
	return b.leave(ctx, it.Kind, name, false)
}

// giveUp hands an item to a person, then lists it as quarantined.
func (b *Inbox) giveUp(ctx context.Context, name string, it Item, w Worker, cause error) error {
	if err := settleScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(givingUp), "", cause.Error(), 0).Err(); err != nil {
		return fmt.Errorf("inbox: give up: %w", err)
	}
	if err := b.step("giving_up"); err != nil {
		return err
	}
	err := b.attempt(ctx, it.Kind, name, func(ctx context.Context) error { return w.GiveUp(ctx, it, cause) })
	switch {
	case errors.Is(err, errCrashed):
		return err
	case err != nil:
		b.o.Log.Error().Err(err).Str("contact", string(it.Contact)).Msg("an item that cannot be worked could not be handed to a person yet")
		return b.putBackAs(context.WithoutCancel(ctx), givingUp, it.Kind, name, cause, b.o.Backoff(6), 0)
	}
	if err := b.step("given_up"); err != nil {
		return err
	}
	b.o.Metrics.worked.WithLabelValues(string(it.Kind), "quarantined").Inc()
	b.o.Log.Error().Err(cause).Str("contact", string(it.Contact)).Int("attempts", it.Attempts+1).Msg("an item could not be worked; it is in quarantine and a person has it")
	if err := settleScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(quarantined), "", cause.Error(), 0).Err(); err != nil {
		return fmt.Errorf("inbox: give up: %w", err)
	}
	if err := b.step("quarantined"); err != nil {
		return err
	}
	return b.leave(ctx, it.Kind, name, true)
}

func (b *Inbox) putBack(ctx context.Context, kind Kind, name string, cause error, wait time.Duration, attempts int) error {
	return b.putBackAs(ctx, accepted, kind, name, cause, wait, attempts)
}

func (b *Inbox) putBackAs(ctx context.Context, s state, kind Kind, name string, cause error, wait time.Duration, attempts int) error {
	if err := settleScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(s), "", cause.Error(), attempts).Err(); err != nil {
		return fmt.Errorf("inbox: put back: %w", err)
	}
	if err := b.o.Redis.ZAddXX(ctx, lineKeys(kind)[0], z(name, b.o.Now().Add(wait))).Err(); err != nil {
		return fmt.Errorf("inbox: put back: %w", err)
	}
	return nil
}

func (b *Inbox) leave(ctx context.Context, kind Kind, name string, bad bool) error {
	at := ""
	if bad {
		at = strconv.FormatInt(b.o.Now().UnixMilli(), 10)
	}
	if err := leaveScript.Run(ctx, b.o.Redis, lineKeys(kind), name, at).Err(); err != nil {
		return fmt.Errorf("inbox: take out of line: %w", err)
	}
	return nil
}

// orphan is a name without an item: its acceptance is under way or was broken
// off before anybody was told.
func (b *Inbox) orphan(ctx context.Context, kind Kind, name string) error {
	at, err := b.o.Redis.ZScore(ctx, lineKeys(kind)[1], name).Result()
	if err == nil && b.o.Now().Sub(time.UnixMilli(int64(at))) < orphanAge {
		return b.o.Redis.ZAddXX(ctx, lineKeys(kind)[0], z(name, b.o.Now().Add(b.o.Poll))).Err()
	}
	return b.leave(ctx, kind, name, false)
}

// sleep waits, and tells whether to go on.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-wake:
	}
	return true
}
