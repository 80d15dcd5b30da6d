package telephony

import (
	"context"
	"errors"
	"sync"
	"time"
)

// lane carries out jobs one after another beside a call's own goroutine, which
// therefore never waits for the switch or for routing. It has a goroutine only
// while it has work.
type lane struct {
	ctl  *Controller
	mu   sync.Mutex
	jobs []func()
	busy bool
}

func (l *lane) add(job func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, job)
	if l.busy {
		return
	}
	l.busy = true
	l.ctl.spawn(l.run)
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.jobs) == 0 {
			l.busy = false
			l.jobs = nil
			l.mu.Unlock()
			return
		}
		job := l.jobs[0]
		l.jobs = l.jobs[1:]
		l.mu.Unlock()
		job()
	}
}

// errSkipped is the outcome of a command whose reason went away before it ran.
var errSkipped = errors.New("no longer wanted")

// command runs one switch command with its deadline once the switch is there.
// skip, if not nil, is asked just before.
func (ctl *Controller) command(op string, skip func() bool, f func(context.Context) error) error {
	if err := ctl.gate.wait(ctl.ctx); err != nil {
		return &Error{Op: op, Kind: ErrUnavailable, Err: err}
	}
	if skip != nil && skip() {
		return errSkipped
	}
	ctx, cancel := context.WithTimeout(ctl.ctx, ctl.o.Limits.Command)
	defer cancel()
	began := time.Now()
	err := f(ctx)
	ctl.o.Metrics.command(op, time.Since(began), err)
	if err != nil && !errors.Is(err, ErrNotFound) {
		ctl.o.Log.Debug().Str("op", op).Str("cause", errCode(err)).Msg("switch command failed")
	}
	return err
}

// persist repeats a command that must succeed: while the switch is unavailable,
// with growing pauses, up to six times. Gone is success.
func (ctl *Controller) persist(op string, f func(context.Context) error) error {
	pause := 100 * time.Millisecond
	for try := 1; ; try++ {
		err := ctl.command(op, nil, f)
		if err == nil || errors.Is(err, ErrNotFound) {
			return nil
		}
		if try == 6 || !errors.Is(err, ErrUnavailable) {
			return err
		}
		if !ctl.sleep(pause) {
			return err
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// sleep pauses, false if the controller stopped meanwhile.
func (ctl *Controller) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctl.ctx.Done():
		return false
	}
}
