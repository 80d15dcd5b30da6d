package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/replay"
)

// client is as the product sets it up: an answer is awaited for a bounded time.
func client(t testing.TB, s *redistest.Server) *redis.Client {
	t.Helper()
	o := redistest.Options(s.Addr)
	o.ContextTimeoutEnabled = true
	c := redis.NewClient(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// verify replays the journal and checks that it holds n arrivals, without a gap,
// in the state the engine had.
func verify(t *testing.T, store journal.Store, want [32]byte, calls int) {
	t.Helper()
	report, err := replay.Replay(testContext(t), store, replay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Problem != nil {
		t.Fatalf("replay: %s", report.Problem.Text)
	}
	if report.Hash != want {
		t.Fatal("replay ends in another state than the driver had")
	}
	if got := report.Kinds["contact_arrived"]; got != calls {
		t.Fatalf("%d arrivals journalled, want %d", got, calls)
	}
}

func hash(t testing.TB, d *live.Driver) (h [32]byte) {
	t.Helper()
	if err := d.View(testContext(t), func(e *routing.Engine) { h = e.Hash() }); err != nil {
		t.Fatal(err)
	}
	return h
}

// A journal that is away must hold no call: what it cannot take is spooled, and
// is in the journal, in order and complete, once it is back.
func TestRedisAwayHoldsNoCallAndLosesNothing(t *testing.T) {
	away := 5 * time.Second
	if testing.Short() {
		away = time.Second
	}
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Start},
		"killed":  {(*redistest.Server).Kill, (*redistest.Server).Start},
		"frozen":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.New(t)
			store := journal.NewRedis(client(t, server), "journal", journal.Retention{})
			sink := newRecorder()
			d := start(t, live.Options{Store: store, SpoolDir: t.TempDir()}, sink)
			must(t, d, publish(t))
			const before, during, after = 20, 40, 20
			ready(t, d, "amber")
			n := 0
			for range before {
				must(t, d, call(n))
				n++
			}
			fault.begin(server)
			gone := time.Now()
			worst := time.Duration(0)
			ticker := time.NewTicker(away / during)
			defer ticker.Stop()
			for range during {
				began := time.Now()
				must(t, d, call(n))
				n++
				worst = max(worst, time.Since(began))
				<-ticker.C
			}
			if worst > 2*time.Second {
				t.Errorf("an event was held %s while the journal was away", worst)
			}
			if time.Since(gone) < away {
				t.Fatalf("the fault lasted only %s", time.Since(gone))
			}
			if err := d.Ready(); err == nil {
				t.Error("the driver called itself ready while its journal was away")
			}
			fault.end(server)
			for range after {
				must(t, d, call(n))
				n++
			}
			awaitReady(t, d)
			sink.await(t, "queued", n)
			want := hash(t, d)
			if err := d.Stop(testContext(t)); err != nil {
				t.Fatal(err)
			}
			verify(t, store, want, n)
			t.Logf("worst wait while away: %s", worst)
		})
	}
}

func awaitReady(t testing.TB, d *live.Driver) {
	t.Helper()
	ctx := testContext(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for d.Ready() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the driver did not become ready: %v", d.Ready())
		}
	}
}

// A process that ends while its journal is away leaves a spool; the next one
// puts it into the journal before it routes.
func TestASpoolLeftBehindIsTakenUp(t *testing.T) {
	server := redistest.New(t)
	dir := t.TempDir()
	store := journal.NewRedis(client(t, server), "journal", journal.Retention{})
	d := start(t, live.Options{Store: store, SpoolDir: dir})
	must(t, d, publish(t))
	ready(t, d, "amber")
	must(t, d, call(0))
	server.Kill()
	must(t, d, call(1), call(2))
	want := hash(t, d)
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	server.Start()
	d = start(t, live.Options{Store: store, SpoolDir: dir})
	got := d.Recovered()
	if got.Spooled != 2 || got.Differs != 0 || got.SetAside != "" {
		t.Errorf("recovered %+v, want 2 spooled records and no difference", got)
	}
	if got.PlanVersion != 1 || got.PlanSource != planSource(t) {
		t.Errorf("plan %d in force after recovery, want 1 with its source", got.PlanVersion)
	}
	if hash(t, d) != want {
		t.Error("the recovered state is not the one before")
	}
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	verify(t, store, want, 3)
}

// Two processes on one journal: the second fences the first off, whose spool is
// set aside because the journal went on without it.
func TestAnotherProcessFencesThisOneOff(t *testing.T) {
	server := redistest.New(t)
	store := journal.NewRedis(client(t, server), "journal", journal.Retention{})
	first := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	must(t, first, publish(t))
	second := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	ready(t, second, "amber")
	if _, err := first.SubmitWait(testContext(t), call(0)); !errors.Is(err, journal.ErrFenced) {
		t.Fatalf("the first driver gave %v, want ErrFenced", err)
	}
	select {
	case <-first.Failed():
	case <-testContext(t).Done():
		t.Fatal("the first driver did not fail")
	}
	if err := first.Submit(testContext(t), call(1)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("Submit after fencing gave %v, want ErrFenced", err)
	}
	if err := first.Ready(); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("Ready after fencing gave %v, want ErrFenced", err)
	}
	must(t, second, call(2))
}

// A spool left behind while another process went on does not continue the
// journal: it is kept for a person, and the journal rules.
func TestASpoolTheJournalWentOnWithoutIsSetAside(t *testing.T) {
	server := redistest.New(t)
	dir := t.TempDir()
	store := journal.NewRedis(client(t, server), "journal", journal.Retention{})
	first := start(t, live.Options{Store: store, SpoolDir: dir})
	must(t, first, publish(t))
	server.Kill()
	must(t, first, call(1), call(2), call(3))
	if err := first.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	server.Start()
	second := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	must(t, second, call(4))
	want := hash(t, second)
	if err := second.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	third := start(t, live.Options{Store: store, SpoolDir: dir})
	r := third.Recovered()
	if r.SetAside == "" || r.Spooled != 0 {
		t.Errorf("recovered %+v, want the spool set aside", r)
	}
	if hash(t, third) != want {
		t.Error("the recovered state is not the journal's")
	}
	if b, err := os.ReadFile(r.SetAside); err != nil || bytes.Count(b, []byte("\n")) != 3 {
		t.Errorf("the spool set aside reads %q, %v; want its three records", b, err)
	}
}

// A Redis that comes back without its latest records gets them again.
func TestRecordsTheStoreLostArePutBack(t *testing.T) {
	server := redistest.New(t)
	c := client(t, server)
	store := journal.NewRedis(c, "journal", journal.Retention{})
	d := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	must(t, d, publish(t))
	ready(t, d, "amber")
	if err := c.Del(testContext(t), "{journal}:stream", "{journal}:epoch").Err(); err != nil {
		t.Fatal(err)
	}
	must(t, d, call(0))
	want := hash(t, d)
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	verify(t, store, want, 1)
}

// With the lost records no longer held, the journal goes on from a snapshot.
func TestAJournalThatLostItsPastGoesOnFromASnapshot(t *testing.T) {
	server := redistest.New(t)
	c := client(t, server)
	store := journal.NewRedis(c, "journal", journal.Retention{})
	d := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	must(t, d, publish(t))
	ready(t, d, "amber")
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	d = start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	if err := c.FlushAll(testContext(t)).Err(); err != nil {
		t.Fatal(err)
	}
	must(t, d, call(0), call(1))
	awaitReady(t, d)
	want := hash(t, d)
	if err := d.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	d = start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	if hash(t, d) != want {
		t.Error("the recovered state is not the one before")
	}
	must(t, d, call(2))
}

// Recovery from a snapshot and the records after it gives the state, and the
// engine goes on where it was: offers keep their numbers and deadlines.
func TestRecoveryFromSnapshotAndTail(t *testing.T) {
	server := redistest.New(t)
	store := journal.NewRedis(client(t, server), "journal", journal.Retention{})
	d := start(t, live.Options{Store: store, SpoolDir: t.TempDir(), SnapshotEvery: 7, HashEvery: 3})
	must(t, d, publish(t))
	ready(t, d, "amber", "basil")
	for n := range 12 {
		must(t, d, call(n))
	}
	want := hash(t, d)
	// The next driver takes over without the first having stopped: a crash.
	next := start(t, live.Options{Store: store, SpoolDir: t.TempDir()})
	r := next.Recovered()
	if r.Snapshot == 0 || r.Replayed == 0 || r.Hashes == 0 || r.Differs != 0 {
		t.Errorf("recovered %+v, want a snapshot, a tail, hashes and no difference", r)
	}
	if hash(t, next) != want {
		t.Error("the recovered state is not the one before")
	}
	offers := 0
	err := next.View(testContext(t), func(e *routing.Engine) {
		n := e.Counts()
		offers = n.Ringing
	})
	if err != nil || offers != 2 {
		t.Errorf("%d contacts ring after recovery (%v), want 2", offers, err)
	}
}

// BenchmarkSubmitToRelease is the latency of one event on an idle driver, with
// Redis on a unix socket that flushes to disk now and then (everysec).
func BenchmarkSubmitToRelease(b *testing.B) {
	d, done := benchDriver(b, 0)
	defer done()
	ctx := context.Background()
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		if _, err := d.SubmitWait(ctx, routing.AgentPresence{Agent: "nobody", Up: n%2 == 0}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkThroughput is how many events a second go through the journal when
// many are submitted at once.
func BenchmarkThroughput(b *testing.B) {
	d, done := benchDriver(b, time.Hour) // nothing may pass by way of the spool
	defer done()
	ctx := context.Background()
	b.ResetTimer()
	for n := range b.N {
		if err := d.Submit(ctx, routing.ContactArrived{Contact: contact.ID(fmt.Sprintf("%026d", n)), Channel: contact.Phone, Arrival: 1}); err != nil {
			b.Fatal(err)
		}
		if err := d.Submit(ctx, routing.ContactReleased{Contact: contact.ID(fmt.Sprintf("%026d", n)), Cause: routing.ReleasedByCaller}); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := d.SubmitWait(ctx, routing.Tick{}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func benchDriver(b *testing.B, stall time.Duration) (*live.Driver, func()) {
	server := redistest.New(b)
	c := client(b, server)
	if err := c.ConfigSet(context.Background(), "appendfsync", "everysec").Err(); err != nil {
		b.Fatal(err)
	}
	d, err := live.New(live.Options{Store: journal.NewRedis(c, "journal", journal.Retention{}), StallBound: stall, SpoolDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	if err := d.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	must(b, d, publish(b))
	return d, func() {
		if err := d.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	}
}
