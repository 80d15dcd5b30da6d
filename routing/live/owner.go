package live

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
)

// retryTick bounds how often a deadline that a Tick did not clear is tried again.
const retryTick = 10 * time.Millisecond

// flushEvery events of one batch the journal hears of them, so that a long batch
// is journalled while it is stepped.
const flushEvery = 64

// own is the goroutine that owns the engine.
func (d *Driver) own(ctx context.Context) {
	defer close(d.ownerDone)
	defer d.out.close()
	var items []item
	var closed bool
	next := 0
	defer func() {
		if p := recover(); p != nil {
			d.engineFailed(p, items[min(next, len(items)):])
		}
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	d.hours.told(d.engine.Queues())
	d.hourly()
	d.out.flush()
	for {
		timer.Reset(d.untilNext())
		select {
		case <-d.inbox.wake:
		case <-timer.C:
			d.due()
		case <-ctx.Done():
			d.abandon()
			return
		case <-d.out.failed:
			d.abandon()
			return
		}
		items, closed = d.inbox.take()
		for next = 0; next < len(items); next++ {
			d.handle(items[next])
			if next%flushEvery == flushEvery-1 {
				d.out.flush()
			}
		}
		d.out.flush()
		d.quiet()
		if closed {
			// close happens after the last put, so nothing can be left.
			d.metrics.sample(d.engine.Counts())
			d.snapshot()
			d.out.flush()
			return
		}
	}
}

// engineFailed ends the driver when the engine panicked. The event it panicked on
// is not in the journal, so a new driver goes on from the one before; what was
// stepped earlier is still journalled and released.
func (d *Driver) engineFailed(p any, unanswered []item) {
	err := fmt.Errorf("live: the routing engine failed after record %d: %v", d.seq, p)
	d.o.Log.Error().Err(err).Bytes("stack", debug.Stack()).Msg("routing stops: start it again to go on from the journal")
	d.inbox.close()
	d.out.failWhenDone(err)
	late, _ := d.inbox.take()
	for _, it := range append(unanswered[:len(unanswered):len(unanswered)], late...) {
		it.reply(result{err: err})
	}
}

// abandon answers those who wait when the driver cannot go on.
func (d *Driver) abandon() {
	d.inbox.close()
	err := d.out.failure()
	if err == nil {
		err = ErrStopped
	}
	items, _ := d.inbox.take()
	for _, it := range items {
		it.reply(result{err: err})
	}
}

func (d *Driver) handle(it item) {
	if it.view != nil {
		it.reply(result{err: d.look(it.view)})
		return
	}
	d.step(it)
	if _, published := it.event.(routing.PlanPublished); published {
		d.hours.told(d.engine.Queues())
		d.hourly()
	}
}

// look runs a view; a panic in it is its caller's, not the engine's.
func (d *Driver) look(view func(*routing.Engine)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.o.Log.Error().Bytes("stack", debug.Stack()).Msg("a view of the routing engine panicked")
			err = fmt.Errorf("live: the view panicked: %v", p)
		}
	}()
	view(d.engine)
	return nil
}

// step journals and steps one event. The engine is given what the journal will
// give in replay, decoded from the very bytes, so both see the same event.
func (d *Driver) step(it item) {
	kind, data, err := journal.Encode(it.event)
	var ev routing.Event
	if err == nil {
		d.prepared = it.prepared
		ev, err = journal.Decode(kind, data, d.compile)
	}
	if err != nil {
		d.metrics.rejected.Inc()
		d.o.Log.Error().Err(err).Msg("an event that cannot be journalled was rejected")
		it.reply(result{err: err})
		return
	}
	at := d.clock.read()
	actions := d.engine.Step(at, ev)
	d.seq++
	d.lastAt = at
	rec := journal.Record{Seq: d.seq, At: at, Epoch: d.writer.Epoch(), Kind: kind, Event: data, Hash: d.nextHash}
	rec.Chain = journal.Link(d.chain, rec)
	d.nextHash, d.chain = nil, rec.Chain
	d.adopt(ev, actions)
	d.metrics.stepped(kind, actions)
	d.out.put(pending{record: rec, actions: actions, done: it.done, submitted: it.submitted, stepped: d.o.Now()})
	d.sinceSnap++
	d.sinceHash++
	d.sinceAudit++
	d.dirty = true
}

// adopt follows the plan in force: a published plan, unless the engine refused it.
func (d *Driver) adopt(ev routing.Event, actions []routing.Action) {
	published, is := ev.(routing.PlanPublished)
	if !is {
		return
	}
	for _, a := range actions {
		if r, is := a.(routing.Refused); is && r.Event == ev.Kind() {
			return
		}
	}
	d.inForce(published)
}

func (d *Driver) inForce(published routing.PlanPublished) {
	d.plan, d.planSource = published.Plan, published.Source
	d.current.Store(published.Plan)
	if d.prepared.is(published.Version, published.Source) {
		d.hours.zone = d.prepared.zone
		return
	}
	d.hours.zone = d.zone(published.Version, published.Source)
}

// due acts on what time has brought: engine deadlines and opening hours.
func (d *Driver) due() {
	at := d.clock.read()
	if next, is := d.engine.NextDeadline(); is && next <= at {
		d.step(item{event: routing.Tick{}, submitted: d.o.Now()})
	}
	d.hourly()
}

// hourly tells the engine of queues that opened or closed.
func (d *Driver) hourly() {
	at := d.clock.read()
	for _, ev := range d.hours.changes(d.plan, at) {
		d.step(item{event: ev, submitted: d.o.Now()})
	}
}

// untilNext is the time until the owner must look again without being asked.
func (d *Driver) untilNext() time.Duration {
	at := d.clock.read()
	wait := time.Minute
	if d.plan != nil {
		wait = nextMinute(at)
	}
	if next, is := d.engine.NextDeadline(); is {
		// A deadline still due after its Tick would otherwise spin.
		until := next.Sub(at).Std()
		if until <= 0 && d.lastAt >= next {
			until = retryTick
		}
		wait = min(wait, until)
	}
	if d.dirty {
		wait = min(wait, sampleEvery-d.o.Now().Sub(d.lastSample))
	}
	return max(0, wait)
}
