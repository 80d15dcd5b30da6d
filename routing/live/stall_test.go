package live_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/plan"
)

// gated is a journal whose appends wait while it is held, or fail.
type gated struct {
	*journal.Memory
	mu   sync.Mutex
	hold chan struct{} // appends wait until it is closed
	fail error
}

func (g *gated) Open(ctx context.Context) (journal.Writer, error) {
	w, err := g.Memory.Open(ctx)
	return &gatedWriter{w, g}, err
}

type gatedWriter struct {
	journal.Writer
	g *gated
}

func (w *gatedWriter) Append(ctx context.Context, records []journal.Record) error {
	w.g.mu.Lock()
	hold, fail := w.g.hold, w.g.fail
	w.g.mu.Unlock()
	if fail != nil {
		return fail
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return w.Writer.Append(ctx, records)
}

func (g *gated) set(hold chan struct{}, fail error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold, g.fail = hold, fail
}

// inBubble runs a test in fake time with a driver that is stopped at its end.
func inBubble(t *testing.T, o live.Options, sink live.Sink, test func(t *testing.T, d *live.Driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Log = zerolog.Nop()
		d, err := live.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if sink != nil {
			if err := d.Attach("sink", sink); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, d)
		if err := d.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

// pass lets fake time pass.
func pass(d time.Duration) { <-time.After(d) }

func TestActionsWaitForTheJournalButNeverLongerThanTheBound(t *testing.T) {
	store := &gated{Memory: journal.NewMemory(journal.Retention{})}
	inBubble(t, live.Options{Store: store, StallBound: 250 * time.Millisecond}, nil, func(t *testing.T, d *live.Driver) {
		must(t, d, publish(t))
		hold := make(chan struct{})
		store.set(hold, nil)
		// Acknowledged within the bound: released then, not before.
		time.AfterFunc(100*time.Millisecond, func() { close(hold) })
		began := time.Now()
		must(t, d, call(1))
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("released after %s, want at the acknowledgement after 100ms", took)
		}
		// Never acknowledged: released at the bound.
		store.set(make(chan struct{}), nil)
		began = time.Now()
		must(t, d, call(2))
		if took := time.Since(began); took != 250*time.Millisecond {
			t.Errorf("released after %s, want at the bound of 250ms", took)
		}
		if d.Ready() == nil {
			t.Error("ready while the journal is stalled")
		}
		// While stalled nothing waits any more.
		began = time.Now()
		must(t, d, call(3), call(4))
		if took := time.Since(began); took != 0 {
			t.Errorf("held %s while the journal is known to be stalled", took)
		}
		store.set(nil, nil)
		pass(5 * time.Second) // fake time: the append that hangs is given up after two
		synctest.Wait()
		if err := d.Ready(); err != nil {
			t.Errorf("not ready after the journal came back: %v", err)
		}
		bounds, err := store.Bounds(t.Context())
		if err != nil || bounds.Last < 5 {
			t.Errorf("journal holds %+v (%v), want every event", bounds, err)
		}
	})
}

func TestAnAppendThatFailsAtOnceIsTriedAgainWithinTheBound(t *testing.T) {
	store := &gated{Memory: journal.NewMemory(journal.Retention{})}
	inBubble(t, live.Options{Store: store}, nil, func(t *testing.T, d *live.Driver) {
		must(t, d, publish(t))
		store.set(nil, errors.New("connection refused"))
		time.AfterFunc(15*time.Millisecond, func() { store.set(nil, nil) })
		began := time.Now()
		must(t, d, call(1))
		if took := time.Since(began); took < 15*time.Millisecond || took > 100*time.Millisecond {
			t.Errorf("released after %s, want soon after the journal answered again at 15ms", took)
		}
		if err := d.Ready(); err != nil {
			t.Errorf("not ready after a short failure: %v", err)
		}
	})
}

func TestASlowFailingOrPanickingSinkHoldsUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	slow := live.SinkFunc(func(ctx context.Context, _ routing.Action) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	})
	n := 0
	faulty := live.SinkFunc(func(context.Context, routing.Action) error {
		if n++; n%2 == 0 {
			panic("a fault in a sink")
		}
		return errors.New("a sink that fails")
	})
	good := newRecorder()
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{})}, slow, faulty, good)
	must(t, d, publish(t))
	for i := range 10 {
		must(t, d, call(i))
	}
	good.await(t, "queued", 10)
	close(release)
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if n < 10 {
		t.Errorf("the faulty sink was given %d actions, want all", n)
	}
}

func TestStopGivesUpOnASinkThatHangsWhenItsTimeIsUp(t *testing.T) {
	hang := live.SinkFunc(func(ctx context.Context, _ routing.Action) error { <-ctx.Done(); return ctx.Err() })
	synctest.Test(t, func(t *testing.T) {
		d, err := live.New(live.Options{Store: journal.NewMemory(journal.Retention{}), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Attach("hang", hang); err != nil {
			t.Fatal(err)
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		must(t, d, publish(t), call(1))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := d.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want its deadline", err)
		}
	})
}

func TestDeadlinesFireWithoutAnEvent(t *testing.T) {
	sink := newRecorder()
	inBubble(t, live.Options{Store: journal.NewMemory(journal.Retention{})}, sink, func(t *testing.T, d *live.Driver) {
		must(t, d, publish(t))
		ready(t, d, "amber")
		offer := find[routing.Offer](t, must(t, d, call(1)))
		if got := offer.Deadline.Sub(offer.Made); got != 20*contact.Second {
			t.Fatalf("the phone rings for %s, want the plan's 20s", got)
		}
		pass(20*time.Second - time.Millisecond)
		synctest.Wait()
		if sink.count("retract") != 0 {
			t.Fatal("the offer was withdrawn before its deadline")
		}
		pass(time.Millisecond)
		synctest.Wait()
		if sink.count("retract") != 1 {
			t.Fatal("the offer was not withdrawn at its deadline")
		}
	})
}

// The bubble's clock starts on Saturday 1 January 2000 at midnight UTC, which is
// London time in winter.
func TestQueuesOpenAndCloseOnTheMinute(t *testing.T) {
	const source = `
time_zone: Europe/London
default_queue: desk
answer_within: {phone: 30s, email: 4h, web: 4h}
profiles: {all: {}}
queues:
  desk:
    hours: {sat: "00:02-00:05"}
    closed_announcement: closed
  night: {}
not_ready_reasons: {break: Break}
outcomes: {done: Done}
`
	inBubble(t, live.Options{Store: journal.NewMemory(journal.Retention{})}, nil, func(t *testing.T, d *live.Driver) {
		must(t, d, routing.PlanPublished{Version: 1, Source: source})
		open := func() (desk, night bool) {
			synctest.Wait()
			if err := d.View(t.Context(), func(e *routing.Engine) {
				for _, q := range e.Queues() {
					switch q.Queue {
					case "desk":
						desk = q.Open
					case "night":
						night = q.Open
					}
				}
			}); err != nil {
				t.Fatal(err)
			}
			return desk, night
		}
		for minute := range 7 {
			if desk, night := open(); desk != (minute >= 2 && minute < 5) || !night {
				t.Errorf("at 00:%02d the desk is open: %v, the night queue: %v", minute, desk, night)
			}
			pass(time.Minute)
		}
	})
}

func TestAnEventThatCannotBeJournalledIsRejected(t *testing.T) {
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{})})
	_, err := d.SubmitWait(testContext(t), routing.PlanPublished{Version: 1, Source: "queues: ["})
	var bad *journal.DecodeError
	if !errors.As(err, &bad) || bad.Code != "bad_plan" {
		t.Fatalf("a plan that does not compile gave %v", err)
	}
	var problems plan.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Errorf("the plan's problems are not in the error: %v", err)
	}
	must(t, d, publish(t))
}

// What is stepped is what the journal says, not what was submitted: text that is
// not UTF-8 is changed by JSON, and replay would otherwise see another event.
func TestTheEngineSeesExactlyWhatTheJournalHolds(t *testing.T) {
	store := journal.NewMemory(journal.Retention{})
	d := start(t, live.Options{Store: store, HashEvery: 1})
	must(t, d, publish(t))
	odd := call(1)
	odd.Facts.Answers = map[string]string{"menu": "cr\xffime", "": ""}
	must(t, d, odd, call(2))
	want := hash(t, d)
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	verify(t, store, want, 2)
}
