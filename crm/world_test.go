package crm_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/redistest"
)

// recorded is the real trail, which also remembers what it took, so that a test
// may look without leaving a line, and may be away.
type recorded struct {
	log   *audit.Log
	mu    sync.Mutex
	lines []audit.Entry
	fail  error
}

func (r *recorded) Append(ctx context.Context, e ...audit.Entry) error {
	r.mu.Lock()
	fail := r.fail
	r.mu.Unlock()
	if fail != nil {
		return fail
	}
	if err := r.log.Append(ctx, e...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range e {
		if e.Actor == (audit.Actor{}) {
			e.Actor = audit.From(ctx)
		}
		r.lines = append(r.lines, e)
	}
	return nil
}

// of lists what was done to an object, in order.
func (r *recorded) of(object, id string) []audit.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []audit.Operation
	for _, e := range r.lines {
		if e.Object == object && (id == "" || e.ObjectID == id) {
			out = append(out, e.Operation)
		}
	}
	return out
}

func (r *recorded) last() audit.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[len(r.lines)-1]
}

func (r *recorded) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// indexed is a search index that keeps what it was told.
type indexed struct {
	mu   sync.Mutex
	docs map[string]crm.SearchDoc
	fail bool
}

func (x *indexed) Put(_ context.Context, d crm.SearchDoc) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fail {
		return errors.New("the index is away")
	}
	x.docs[d.Kind+" "+d.ID] = d
	return nil
}

func (x *indexed) Drop(_ context.Context, kind, id string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.docs, kind+" "+id)
	return nil
}

func (x *indexed) doc(kind, id string) (crm.SearchDoc, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	d, ok := x.docs[kind+" "+id]
	return d, ok
}

func (x *indexed) away(yes bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fail = yes
}

// world is a store on a real Redis with a clock of the test's own.
type world struct {
	t *testing.T
	*crm.Store
	redis redis.UniversalClient
	trail *recorded
	index *indexed
	now   *atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, redistest.Start(t))
}

func newWorldOn(t *testing.T, c redis.UniversalClient) *world {
	t.Helper()
	w := &world{t: t, redis: c, trail: &recorded{}, index: &indexed{docs: map[string]crm.SearchDoc{}}, now: &atomic.Int64{}}
	w.now.Store(int64(start))
	w.redis.AddHook(slotHook{t})
	var err error
	w.trail.log, err = audit.Open(t.Context(), w.redis, "test", audit.Clock(func() time.Time { return w.at().Time() }))
	w.must(err)
	w.Store = w.store(w.redis)
	return w
}

// store opens another store on the same data, as another process would.
func (w *world) store(c redis.UniversalClient) *crm.Store {
	w.t.Helper()
	s, err := crm.Open(w.t.Context(), crm.Options{
		Redis: c, Region: "GB", Audit: w.trail, Search: w.index, Now: func() time.Time { return w.at().Time() },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) wait(d contact.Duration) { w.now.Add(int64(d)) }

func (w *world) at() contact.Instant { return contact.Instant(w.now.Load()) }

// as is a context in which a handler acts, for a reason or none.
func (w *world) as(who, reason string) context.Context {
	return audit.With(w.t.Context(), audit.Actor{ID: who, Role: "handler", Reason: reason})
}

func (w *world) create(r crm.Report, from contact.ID) crm.Report {
	w.t.Helper()
	out, err := w.CreateReport(w.as("ann", ""), r, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) report(id crm.ReportID) crm.Report {
	w.t.Helper()
	out, err := w.Report(w.as("ann", "test"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) person(p crm.Person) crm.Person { w.t.Helper(); return save(w.t, w.Store, p) }

func (w *world) call(id contact.ID, number string) contact.Facts {
	w.t.Helper()
	return arrive(w.t, w.Store, id, number, w.at())
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// owed counts the notes of what writes still owe.
func (w *world) owed() int {
	w.t.Helper()
	n, err := w.Owed(w.t.Context())
	w.must(err)
	return n
}

// open lists the kinds of a report's open tasks.
func (w *world) open(id crm.ReportID) []string {
	w.t.Helper()
	ts, err := w.Tasks(w.t.Context(), crm.TaskQuery{Report: id})
	w.must(err)
	out := []string{}
	for _, t := range ts {
		out = append(out, t.Kind)
	}
	slices.Sort(out)
	return out
}

func (w *world) task(id crm.ReportID, kind string) crm.Task {
	w.t.Helper()
	ts, err := w.Tasks(w.t.Context(), crm.TaskQuery{Report: id, Kind: kind, Done: true})
	w.must(err)
	if len(ts) == 0 {
		w.t.Fatalf("report %s has no task %s", id, kind)
	}
	return ts[len(ts)-1]
}

func codes(err error) map[string]string {
	out := map[string]string{}
	for _, f := range crm.FieldErrors(err) {
		out[f.Field] = f.Code
	}
	return out
}

func yes() *bool { b := true; return &b }

func victim(p crm.Person) crm.Party {
	return crm.Party{Person: p.ID, Roles: []crm.PartyRole{crm.RoleVictim}}
}
