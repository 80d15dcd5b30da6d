package release_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
	"example.org/c3i/routing/replay"
)

// centre is routing on a real journal, with a publisher on a real archive.
type centre struct {
	t       *testing.T
	server  *redistest.Server
	clock   *clock
	archive *release.Archive
	store   journal.Store
	driver  *live.Driver
	pub     *release.Publisher
	stopRun func()
}

func newCentre(t *testing.T) *centre {
	c := &centre{t: t, server: redistest.New(t), clock: newClock()}
	client := c.server.Client()
	c.archive = release.New(client, "plans", c.clock.now)
	c.store = journal.NewRedis(client, "journal", journal.Retention{})
	return c
}

func document(t testing.TB, source string) *plan.Document {
	t.Helper()
	doc, problems := plan.Parse("plan.yaml", []byte(source))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return doc
}

// start starts routing as a process does, with the plan its settings name.
func (c *centre) start(source string, named bool, change ...func(*release.PublisherOptions)) release.Release {
	c.t.Helper()
	ctx := testContext(c.t)
	driver, err := live.New(live.Options{Store: c.store, Log: zerolog.Nop()})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := driver.Start(ctx); err != nil {
		c.t.Fatal(err)
	}
	c.driver = driver
	o := release.PublisherOptions{Archive: c.archive, Router: driver, Every: 5 * time.Millisecond, Log: zerolog.Nop()}
	for _, f := range change {
		f(&o)
	}
	if c.pub, err = release.NewPublisher(o); err != nil {
		c.t.Fatal(err)
	}
	was := driver.Recovered()
	r, err := c.pub.Begin(ctx, release.Beginning{Version: was.PlanVersion, Source: was.PlanSource, Plan: document(c.t, source), Named: named, Surges: c.surgesOn()})
	if err != nil {
		c.t.Fatal(err)
	}
	run, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		if err := c.pub.Run(run); err != nil {
			c.t.Errorf("Run: %v", err)
		}
	})
	stopped := false
	c.stopRun = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		work.Wait()
		if err := driver.Stop(context.Background()); err != nil {
			c.t.Errorf("Stop: %v", err)
		}
	}
	c.t.Cleanup(c.stopRun)
	return r
}

func (c *centre) submit(events ...routing.Event) []routing.Action {
	c.t.Helper()
	var all []routing.Action
	for _, ev := range events {
		actions, err := c.driver.SubmitWait(testContext(c.t), ev)
		if err != nil {
			c.t.Fatalf("%s: %v", ev.Kind(), err)
		}
		all = append(all, actions...)
	}
	return all
}

// await waits until a release has been acted on.
func (c *centre) await(r release.Release, err error) release.Release {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	r, err = c.archive.Await(testContext(c.t), r.Number)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// places lists each queue's waiting contacts in the order they will be served.
func (c *centre) places() map[routing.QueueID][]string {
	c.t.Helper()
	out := map[routing.QueueID][]string{}
	err := c.driver.View(testContext(c.t), func(e *routing.Engine) {
		for _, q := range e.Queues() {
			for _, w := range e.Waiting(q.Queue, q.Waiting) {
				out[q.Queue] = append(out[q.Queue], fmt.Sprintf("%s due %d", w.Contact, w.Due))
			}
		}
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

func (c *centre) inForce(want int) {
	c.t.Helper()
	p := c.driver.Plan()
	if p == nil || p.Version != want {
		c.t.Errorf("the plan in force is %+v, want version %d", p, want)
	}
	r, ok, err := c.archive.InForce(testContext(c.t))
	if err != nil || !ok || r.Number != want {
		c.t.Errorf("the archive has version %d in force (%v), want %d", r.Number, err, want)
	}
}

func proposal(source string) release.Proposal {
	return release.Proposal{Name: "draft.yaml", Source: source, Author: "manager1", Reason: "test"}
}

// People wait while a plan is published and rolled back, and each keeps the place
// they had, whatever the plans say about new arrivals.
func TestPublishAndRollBackWhileContactsWait(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	c.start(shipped(t), false)
	const calls = 200
	answers := []string{"crime", "existing", "other", "property"}
	base := contact.At(time.Now()).Add(-5 * contact.Minute) // nobody overflows meanwhile
	for i := range calls {
		facts := contact.Facts{Language: []string{"en", "pl"}[i%2], Answers: map[string]string{"menu": answers[i%len(answers)]}, Vulnerable: i%7 == 0}
		c.submit(routing.ContactArrived{
			Contact: contact.ID(fmt.Sprintf("01CALL%020d", i)), Channel: contact.Phone, Facts: facts,
			// Not in the order of their ids.
			Arrival: base.Add(contact.Duration((i*37)%calls) * contact.Second),
		})
	}
	before := c.places()
	waiting := 0
	for _, q := range before {
		waiting += len(q)
	}
	if waiting == 0 || len(before) < 3 {
		t.Fatalf("%d contacts wait in %d queues: too few to show anything", waiting, len(before))
	}

	quicker := variant(t, 5)
	if r := c.await(c.archive.Create(testContext(t), proposal(quicker))); r.State != release.Published || r.Number != 2 {
		t.Fatalf("published: %+v", r)
	}
	c.inForce(2)
	samePlaces(t, "after publishing", before, c.places())

	// A plan under which they wait in other queues: due times stay.
	moved := strings.Replace(shipped(t), "    queue: existing\n  - name: lost", "    queue: general\n  - name: lost", 1)
	if r := c.await(c.archive.Create(testContext(t), proposal(moved))); r.State != release.Published {
		t.Fatalf("published: %+v", r)
	}
	elsewhere := c.places()
	if len(elsewhere["existing"]) >= len(before["existing"]) {
		t.Fatal("the changed rule moved nobody: the test shows nothing")
	}
	samePlaces(t, "of all after moving", map[routing.QueueID][]string{"": all(before)}, map[routing.QueueID][]string{"": all(elsewhere)})

	r := c.await(c.archive.Rollback(testContext(t), 1, "manager2", "too many in general"))
	if r.State != release.Published || r.Number != 4 || r.RollbackOf != 1 || r.RolledBackFrom != 3 {
		t.Fatalf("rolled back: %+v", r)
	}
	c.inForce(4)
	samePlaces(t, "after rolling back", before, c.places())

	// Handlers come: who is offered first is who was due first.
	order := before["crime"]
	actions := c.submit(
		routing.AgentSignedOn{Agent: "h1", Profile: "crime-desk-polish", DeviceUp: true}, routing.AgentReady{Agent: "h1"})
	var offered contact.ID
	for _, a := range actions {
		if o, is := a.(routing.Offer); is {
			offered = o.Contact
			if o.Why.PlanVersion != 4 {
				t.Errorf("the offer was decided by version %d", o.Why.PlanVersion)
			}
		}
	}
	first := all(before)[0]
	if !strings.HasPrefix(first, string(offered)) || offered == "" {
		t.Errorf("%q was offered first; the most due is %s (crime: %s)", offered, first, order[0])
	}

	var hash [32]byte
	if err := c.driver.View(testContext(t), func(e *routing.Engine) { hash = e.Hash() }); err != nil {
		t.Fatal(err)
	}
	c.stopRun()
	report, err := replay.Replay(testContext(t), c.store, replay.Options{CheckEvery: 50})
	if err != nil || report.Problem != nil || report.Hash != hash {
		t.Errorf("the journal does not give the same state: %v %+v", err, report.Problem)
	}
	if err := c.archive.Verify(testContext(t)); err != nil {
		t.Error(err)
	}
}

// all lists who waits anywhere in the order they are due.
func all(places map[routing.QueueID][]string) []string {
	var list []string
	for _, q := range places {
		list = append(list, q...)
	}
	slices.SortFunc(list, func(a, b string) int {
		_, x, _ := strings.Cut(a, " due ")
		_, y, _ := strings.Cut(b, " due ")
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return list
}

func samePlaces(t *testing.T, when string, want, got map[routing.QueueID][]string) {
	t.Helper()
	for q, list := range want {
		if !slices.Equal(list, got[q]) {
			t.Errorf("places %s in queue %q:\n%v\nwere\n%v", when, q, got[q], list)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d queues %s, were %d", len(got), when, len(want))
	}
}

func TestABadPlanNeverReplacesAGoodOne(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	c.start(shipped(t), false, func(o *release.PublisherOptions) {
		o.Check = func(doc *plan.Document) plan.Problems {
			if !strings.Contains(doc.Source, "property:") {
				return plan.Problems{{Severity: plan.Error, File: doc.Name, Line: 1, Column: 1, Code: "flow", Message: "the flow needs the queue property"}}
			}
			return nil
		}
	})
	// Good for the language of plans, but not for the place it is to run.
	source := shipped(t)
	for _, part := range []string{"queue: property", "property:", "property\n", "property\""} {
		source = strings.ReplaceAll(source, part, strings.Replace(part, "property", "belongings", 1))
	}
	source = strings.ReplaceAll(source, "property: ", "belongings: ")
	r := c.await(c.archive.Create(testContext(t), proposal(source)))
	if r.State != release.Draft || !strings.Contains(r.Refused, "the flow needs the queue property") {
		t.Errorf("refused: %+v", r)
	}
	c.inForce(1)
	// Damaged in the archive after it was checked.
	if err := c.server.Client().HSet(testContext(t), "{plans}:sources", "3", "rubbish").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.archive.Create(testContext(t), proposal(variant(t, 44))); err == nil {
		t.Error("a release was made over a text that was there")
	}
	c.inForce(1)
	if err := c.archive.Verify(testContext(t)); err != nil {
		t.Error(err)
	}
}

func TestScheduledReleasesComeInOrder(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	c.start(shipped(t), false)
	ctx := testContext(t)
	soon, later := proposal(variant(t, 41)), proposal(variant(t, 42))
	soon.At, later.At = c.clock.instant().Add(contact.Minute), c.clock.instant().Add(contact.Hour)
	second := must[release.Release](t)(c.archive.Create(ctx, later))
	first := must[release.Release](t)(c.archive.Create(ctx, soon))
	c.inForce(1)
	c.clock.advance(2 * time.Minute)
	if r := c.await(first, nil); r.State != release.Published {
		t.Fatalf("first: %+v", r)
	}
	c.inForce(first.Number)
	state(t, c.archive, second.Number, release.Scheduled)
	// Both become due while nobody runs: the last is in force in the end.
	third := proposal(variant(t, 43))
	third.At = c.clock.instant().Add(contact.Minute)
	made := must[release.Release](t)(c.archive.Create(ctx, third))
	c.stopRun()
	if running, err := c.archive.Running(ctx); err != nil || running {
		t.Errorf("running %t after the end, %v", running, err)
	}
	c.clock.advance(2 * time.Hour)
	if r := c.start(shipped(t), false); r.Number != second.Number {
		t.Errorf("in force at the start: %+v", r)
	}
	c.inForce(second.Number)
	state(t, c.archive, made.Number, release.Superseded)
}

func TestWhatIsInForceAtStart(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	ctx := testContext(t)
	begin := func(what, source string, named bool, want int, origin release.Origin) {
		t.Helper()
		r := c.start(source, named)
		if r.Number != want || r.Origin != origin {
			t.Errorf("%s: version %d from %s, want %d from %s", what, r.Number, r.Origin, want, origin)
		}
		c.inForce(want)
		c.stopRun()
	}
	begin("first start", shipped(t), false, 1, release.FromFirstStart)
	begin("again", variant(t, 31), false, 1, release.FromFirstStart)
	begin("a file named", variant(t, 32), true, 2, release.FromSettings)
	begin("the file still named", variant(t, 32), true, 2, release.FromSettings)
	begin("no file named any more", shipped(t), false, 2, release.FromSettings)
	must[release.Release](t)(c.archive.Create(ctx, proposal(variant(t, 33))))
	begin("published while nobody ran", shipped(t), false, 3, release.FromPerson)
	begin("the file of before still named", variant(t, 32), true, 3, release.FromPerson)
	begin("the file changed", variant(t, 34), true, 4, release.FromSettings)
	begin("the first file again", variant(t, 32), true, 5, release.FromSettings)

	// The journal is lost: the archive's plan comes back under its number.
	if err := c.server.Client().Del(ctx, "{journal}:stream", "{journal}:epoch", "{journal}:snapshots").Err(); err != nil {
		t.Fatal(err)
	}
	begin("a new journal", shipped(t), false, 5, release.FromSettings)
	// The archive is lost: the journal's plan is archived under its number.
	if err := c.server.Client().Del(ctx, "{plans}:releases", "{plans}:sources", "{plans}:audit").Err(); err != nil {
		t.Fatal(err)
	}
	begin("a new archive", shipped(t), false, 5, release.FromJournal)
	if err := c.archive.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestPublishedBeforeTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	must[release.Release](t)(c.archive.Create(testContext(t), proposal(variant(t, 33))))
	if r := c.start(shipped(t), false); r.Number != 1 || r.Origin != release.FromPerson {
		t.Errorf("in force: %+v", r)
	}
	c.inForce(1)
}

// A process that dies between the journal and the archive leaves the archive
// behind by one; the next start brings it in line and publishes nothing twice.
func TestDiesBetweenJournalAndArchive(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	c.start(shipped(t), false)
	c.stopRun()
	ctx := testContext(t)
	made := must[release.Release](t)(c.archive.Create(ctx, proposal(variant(t, 33))))
	driver, err := live.New(live.Options{Store: c.store})
	if err != nil {
		t.Fatal(err)
	}
	if err := driver.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.SubmitWait(ctx, routing.PlanPublished{Version: made.Number, Source: variant(t, 33)}); err != nil {
		t.Fatal(err)
	}
	if err := driver.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	c.start(shipped(t), false)
	c.inForce(made.Number)
	c.stopRun()
	n := 0
	err = c.store.Read(ctx, 1, func(r journal.Record) error {
		if r.Kind == (routing.PlanPublished{}).Kind() {
			n++
		}
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%d plans in the journal (%v), want 2", n, err)
	}
}

// flaky fails as routing does when it is away.
type flaky struct {
	release.Router
	mu   sync.Mutex
	fail int
}

func (f *flaky) SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail > 0 {
		f.fail--
		return nil, errors.New("routing is away")
	}
	return f.Router.SubmitWait(ctx, ev)
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	f := &flaky{}
	c.start(shipped(t), false, func(o *release.PublisherOptions) {
		f.Router = o.Router
		o.Router = f
	})
	f.mu.Lock()
	f.fail = 3
	f.mu.Unlock()
	if r := c.await(c.archive.Create(testContext(t), proposal(variant(t, 33)))); r.State != release.Published {
		t.Errorf("after three failures: %+v", r)
	}
	c.inForce(2)
	if running, err := c.archive.Running(testContext(t)); err != nil || !running {
		t.Errorf("running %t, %v", running, err)
	}
}
