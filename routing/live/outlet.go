package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

const (
	// appendBatch bounds the records of one append.
	appendBatch = 256
	// appendTimeout bounds one append; a client may have shorter ones.
	appendTimeout = 2 * time.Second
	// Back-off between appends that failed.
	retryFirst = 20 * time.Millisecond
	retryMost  = 500 * time.Millisecond
	// recentKept is how many acknowledged records are kept to put back what a
	// store that restarted turns out to have lost.
	recentKept = 16384
)

// pending is one stepped event on its way out.
type pending struct {
	record    journal.Record
	actions   []routing.Action
	done      chan result
	submitted time.Time
	stepped   time.Time
}

// outlet takes stepped events to the journal and then releases their actions.
// Its goroutine (run) never waits for the journal: a second one (write) does.
type outlet struct {
	d     *Driver
	spool *spool

	mu       sync.Mutex
	incoming []pending
	snapshot *journal.Snapshot
	closed   bool
	ended    bool // run is over: nothing put now will be released
	cause    error
	wake     chan struct{}

	done   chan struct{}
	failed chan struct{}
	fail   atomic.Pointer[error]
	// spoolingSince is a UnixNano while the journal is behind, else 0.
	spoolingSince atomic.Int64

	// Owned by run.
	unacked    []journal.Record // not acknowledged by the store, in order
	unreleased []pending        // actions not released, in order
	recent     []journal.Record // acknowledged lately, in order
	acked      uint64
	spooled    uint64 // highest record on the spool
	writing    bool
	rebasing   bool // a snapshot must be saved before appends can go on
	asked      bool // the owner was asked for it
	retryAt    time.Time
	backoff    time.Duration
	toWrite    chan []journal.Record
	written    chan writeResult
}

type writeResult struct {
	records []journal.Record
	err     error
	took    time.Duration
}

func newOutlet(d *Driver, s *spool) *outlet {
	return &outlet{
		d: d, spool: s, acked: d.seq, spooled: d.seq,
		wake: make(chan struct{}, 1), done: make(chan struct{}), failed: make(chan struct{}),
		toWrite: make(chan []journal.Record, 1), written: make(chan writeResult, 1),
	}
}

// put queues an event; flush lets the outlet see what was put.
func (o *outlet) put(p pending) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		p.fail(o.reason())
		return
	}
	o.incoming = append(o.incoming, p)
}

// reason is why nothing is released any more.
func (o *outlet) reason() error {
	if err := o.failure(); err != nil {
		return err
	}
	return ErrStopped
}

// end answers everybody who still waits.
func (o *outlet) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	if o.cause != nil {
		o.giveUp(o.cause)
	}
	for _, p := range append(o.unreleased, o.incoming...) {
		p.fail(o.reason())
	}
	o.unreleased, o.incoming = nil, nil
}

func (p pending) fail(err error) {
	if p.done != nil {
		p.done <- result{err: err}
	}
}

func (o *outlet) flush() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outlet) offerSnapshot(s journal.Snapshot) {
	o.mu.Lock()
	o.snapshot = &s
	o.mu.Unlock()
}

func (o *outlet) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.flush()
}

// failWhenDone makes the driver fail once what was put is journalled and released.
func (o *outlet) failWhenDone(err error) {
	o.mu.Lock()
	o.cause = err
	o.mu.Unlock()
}

func (o *outlet) failure() error {
	if p := o.fail.Load(); p != nil {
		return *p
	}
	return nil
}

func (o *outlet) ready() error {
	if since := o.spoolingSince.Load(); since != 0 {
		return fmt.Errorf("live: the journal has not kept up since %s: events go to the spool", time.Unix(0, since).UTC().Format(time.RFC3339))
	}
	return nil
}

// run is the outlet's goroutine.
func (o *outlet) run(ctx context.Context) {
	defer close(o.done)
	defer o.end()
	var group sync.WaitGroup
	group.Add(1)
	go func() { defer group.Done(); o.write(ctx) }()
	defer group.Wait()
	defer close(o.toWrite)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	saver := newSaver(o.d, &group)
	for {
		o.mu.Lock()
		batch, closed := o.incoming, o.closed
		o.incoming = nil
		snap := o.snapshot
		o.mu.Unlock()
		for _, p := range batch {
			o.unacked = append(o.unacked, p.record)
		}
		o.unreleased = append(o.unreleased, batch...)
		if o.spoolingSince.Load() != 0 {
			o.spoolAll()
		}
		o.next()
		if snap != nil && (snap.Seq <= o.acked || o.rebasing) && saver.start(ctx, *snap) {
			o.mu.Lock()
			if o.snapshot == snap {
				o.snapshot = nil
			}
			o.mu.Unlock()
		}
		if closed && len(o.unreleased) == 0 && (len(o.unacked) == 0 || o.spool.holds(o.unacked)) && (snap == nil || len(o.unacked) > 0) && !saver.busy() {
			return
		}
		timer.Reset(o.untilNext())
		select {
		case <-o.wake:
		case w := <-o.written:
			o.finished(w)
		case s := <-saver.done:
			saver.finish()
			o.saved(s)
		case <-timer.C:
			o.stalled()
		case <-ctx.Done():
			return
		}
		if o.failure() != nil {
			return
		}
	}
}

// next starts the next append when none is under way.
func (o *outlet) next() {
	o.d.metrics.unacked.Set(float64(len(o.unacked)))
	if o.writing || len(o.unacked) == 0 || (!o.retryAt.IsZero() && o.d.o.Now().Before(o.retryAt)) {
		return
	}
	if o.rebasing {
		if !o.asked {
			o.asked = o.d.inbox.put(item{view: func(*routing.Engine) { o.d.snapshot() }})
		}
		return
	}
	o.writing = true
	o.toWrite <- o.unacked[:min(len(o.unacked), appendBatch)]
}

// write is the goroutine that waits for the journal.
func (o *outlet) write(ctx context.Context) {
	for records := range o.toWrite {
		began := o.d.o.Now()
		bounded, cancel := context.WithTimeout(ctx, appendTimeout)
		err := o.d.writer.Append(bounded, records)
		cancel()
		o.written <- writeResult{records, err, o.d.o.Now().Sub(began)}
	}
}

// finished deals with an append that came back.
func (o *outlet) finished(w writeResult) {
	o.writing = false
	var gap *journal.GapError
	switch {
	case w.err == nil:
		o.d.metrics.appendSeconds.Observe(w.took.Seconds())
		o.retryAt, o.backoff = time.Time{}, 0
		o.acknowledge(w.records)
	case errors.Is(w.err, journal.ErrFenced):
		o.d.o.Log.Error().Msg("another process has taken over the journal: this one stops routing")
		o.giveUp(w.err)
	case errors.As(w.err, &gap) && o.refill(gap.Last):
		o.d.o.Log.Warn().Uint64("last", gap.Last).Msg("the journal lost its latest records: they are put back")
	case gap != nil:
		o.d.o.Log.Error().Uint64("last", gap.Last).Uint64("next", w.records[0].Seq).
			Msg("the journal lost records that are no longer held: it goes on from a snapshot, with a hole in its history")
		o.rebasing = true
	default:
		o.d.metrics.appendErrors.Inc()
		o.retryLater()
		if o.spoolingSince.Load() == 0 {
			o.d.o.Log.Warn().Err(w.err).Msg("the journal did not take an append")
		}
	}
}

func (o *outlet) acknowledge(records []journal.Record) {
	n := len(records)
	o.recent = append(o.recent, records...)
	if len(o.recent) > 2*recentKept {
		o.recent = append([]journal.Record(nil), o.recent[len(o.recent)-recentKept:]...)
	}
	o.unacked = o.unacked[n:]
	o.acked = max(o.acked, records[n-1].Seq)
	k := 0
	for k < len(o.unreleased) && o.unreleased[k].record.Seq <= o.acked {
		k++
	}
	o.release(k)
	if len(o.unacked) == 0 {
		o.unacked = nil
		o.caughtUp()
	}
}

// refill puts back acknowledged records the store lost.
func (o *outlet) refill(last uint64) bool {
	for i, r := range o.recent {
		if r.Seq == last+1 {
			o.unacked = append(append([]journal.Record(nil), o.recent[i:]...), o.unacked...)
			o.recent = o.recent[:i]
			return true
		}
	}
	return false
}

func (o *outlet) retryLater() {
	o.backoff = min(retryMost, max(retryFirst, 2*o.backoff))
	o.retryAt = o.d.o.Now().Add(o.backoff)
}

// saved deals with a snapshot that was saved, or not.
func (o *outlet) saved(s saved) {
	switch {
	case errors.Is(s.err, journal.ErrFenced):
		o.giveUp(s.err)
	case !o.rebasing:
	case s.err != nil:
		o.asked = false
		o.retryLater()
	default:
		o.rebasing, o.asked = false, false
		n := 0
		for n < len(o.unacked) && o.unacked[n].Seq <= s.seq {
			n++
		}
		o.recent = nil
		if n > 0 {
			o.acknowledge(o.unacked[:n])
		}
	}
}

// caughtUp ends spooling: the journal has everything.
func (o *outlet) caughtUp() {
	since := o.spoolingSince.Swap(0)
	if since == 0 {
		return
	}
	if err := o.spool.reset(); err != nil {
		o.d.o.Log.Error().Err(err).Msg("the spool could not be emptied; its records are in the journal")
	}
	o.d.metrics.spoolLength.Set(0)
	o.d.o.Log.Info().Dur("after", time.Duration(o.d.o.Now().UnixNano()-since)).Msg("the journal has caught up")
}

// stalled is called when a timer fires: nothing may be held longer.
func (o *outlet) stalled() {
	if len(o.unreleased) == 0 || o.d.o.Now().Sub(o.unreleased[0].stepped) < o.d.o.StallBound {
		return
	}
	if o.spoolingSince.Load() == 0 {
		o.spoolingSince.Store(o.d.o.Now().UnixNano())
		o.d.metrics.stalls.Inc()
		o.d.o.Log.Error().Dur("bound", o.d.o.StallBound).Msg("the journal does not keep up: routing goes on and events go to the spool")
	}
	o.spoolAll()
}

// spoolAll puts on disk what is not acknowledged and releases all actions.
func (o *outlet) spoolAll() {
	var fresh []journal.Record
	for _, r := range o.unacked {
		if r.Seq > o.spooled {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 {
		if err := o.spool.write(fresh); err != nil {
			o.d.metrics.spoolErrors.Inc()
			o.d.o.Log.Error().Err(err).Msg("events could not be spooled: they are in memory only")
		}
		o.spooled = fresh[len(fresh)-1].Seq
	}
	o.d.metrics.spoolLength.Set(float64(len(o.unacked)))
	o.release(len(o.unreleased))
}

// release hands the actions of the first n events to every sink, and answers
// those who wait.
func (o *outlet) release(n int) {
	now := o.d.o.Now()
	for i := range n {
		p := &o.unreleased[i]
		for _, q := range o.d.sinks {
			q.put(p.actions)
		}
		o.d.metrics.lag.Observe(now.Sub(p.submitted).Seconds())
		if p.done != nil {
			p.done <- result{actions: p.actions}
		}
		*p = pending{}
	}
	o.unreleased = o.unreleased[n:]
	if len(o.unreleased) == 0 {
		o.unreleased = nil
	}
}

func (o *outlet) giveUp(err error) {
	if o.failure() != nil {
		return
	}
	o.fail.Store(&err)
	close(o.failed)
}

// untilNext is the time until the outlet must look again without being woken.
func (o *outlet) untilNext() time.Duration {
	wait := time.Hour
	now := o.d.o.Now()
	if len(o.unreleased) > 0 {
		wait = min(wait, o.unreleased[0].stepped.Add(o.d.o.StallBound).Sub(now))
	}
	if !o.writing && !o.asked && len(o.unacked) > 0 && !o.retryAt.IsZero() {
		wait = min(wait, o.retryAt.Sub(now))
	}
	return max(0, wait)
}
