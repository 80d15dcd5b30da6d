package live_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start returns a running driver that is stopped with the test.
func start(t testing.TB, o live.Options, sinks ...live.Sink) *live.Driver {
	t.Helper()
	if o.Log.GetLevel() == zerolog.TraceLevel {
		o.Log = zerolog.New(zerolog.NewTestWriter(t))
	}
	d, err := live.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sinks {
		if err := d.Attach(string(rune('a'+i)), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(testContext(t)); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return d
}

func TestEventsAreJournalledInTheOrderSubmitted(t *testing.T) {
	store := journal.NewMemory(journal.Retention{})
	d := start(t, live.Options{Store: store})
	ctx := testContext(t)
	want := []string{"agent_ready", "agent_signed_off", "tick"}
	for _, ev := range []routing.Event{routing.AgentReady{Agent: "a"}, routing.AgentSignedOff{Agent: "a"}} {
		if err := d.Submit(ctx, ev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.SubmitWait(ctx, routing.Tick{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := store.Read(ctx, 1, func(r journal.Record) error { got = append(got, r.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("journalled %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("journalled %v, want %v", got, want)
		}
	}
}

// A sink that lags is waited for by who asks for it, and by nobody else.
func TestPerformedWaitsForTheSinkNamed(t *testing.T) {
	type handed struct {
		action routing.Action
		let    chan struct{}
	}
	slow := make(chan handed)
	performed := make(chan string, 64)
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{})},
		live.SinkFunc(func(_ context.Context, a routing.Action) error {
			h := handed{a, make(chan struct{})}
			slow <- h
			<-h.let
			performed <- a.ActionKind()
			return nil
		}),
		live.SinkFunc(func(context.Context, routing.Action) error { return nil }))
	ctx := testContext(t)
	actions, err := d.SubmitWait(ctx, routing.AgentReady{Agent: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	if len(actions) == 0 {
		t.Fatal("the event caused no action")
	}
	if err := d.Performed(ctx, "b"); err != nil {
		t.Fatalf("the quick sink: %v", err)
	}
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.Performed(impatient, "a"); !errors.Is(err, context.Canceled) {
		t.Fatalf("the slow sink, when nobody waits: %v", err)
	}
	heard := make(chan error, 1)
	go func() {
		err := d.Performed(ctx, "a")
		if n := len(performed); err == nil && n < len(actions) {
			err = fmt.Errorf("after %d of %d actions", n, len(actions))
		}
		heard <- err
	}()
	for range actions {
		close((<-slow).let)
	}
	if err := <-heard; err != nil {
		t.Fatalf("the slow sink: %v", err)
	}
	if err := d.Performed(ctx, "c"); err == nil {
		t.Error("a sink that is not there was waited for")
	}
}

func TestAStoppedDriverAcceptsNothing(t *testing.T) {
	d := start(t, live.Options{Store: journal.NewMemory(journal.Retention{})})
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := d.Submit(testContext(t), routing.Tick{}); err != live.ErrStopped {
		t.Errorf("Submit = %v, want ErrStopped", err)
	}
	if _, err := d.SubmitWait(testContext(t), routing.Tick{}); err != live.ErrStopped {
		t.Errorf("SubmitWait = %v, want ErrStopped", err)
	}
	if err := d.Ready(); err != live.ErrStopped {
		t.Errorf("Ready = %v, want ErrStopped", err)
	}
}

func TestBeforeStartAndAfterwards(t *testing.T) {
	if _, err := live.New(live.Options{}); err == nil {
		t.Error("a driver without a journal was made")
	}
	d, err := live.New(live.Options{Store: journal.NewMemory(journal.Retention{})})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Submit(testContext(t), routing.Tick{}); err != live.ErrStopped {
		t.Errorf("Submit before Start = %v, want ErrStopped", err)
	}
	if err := d.Attach("x", newRecorder()); err != nil {
		t.Error(err)
	}
	if err := d.Attach("x", newRecorder()); err == nil {
		t.Error("two sinks of one name were attached")
	}
	if err := d.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := d.Submit(testContext(t), routing.Tick{}); err != live.ErrStopped {
		t.Errorf("Submit after Stop = %v, want ErrStopped", err)
	}
	if err := d.Start(testContext(t)); err != live.ErrStarted {
		t.Errorf("Start after Stop = %v, want ErrStarted", err)
	}
	if err := d.Attach("y", newRecorder()); err != live.ErrStarted {
		t.Errorf("Attach after Stop = %v, want ErrStarted", err)
	}
}
