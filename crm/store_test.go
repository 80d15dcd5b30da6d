package crm_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm"
	"example.org/c3i/crm/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "crm/audit", "crm/blob", "crm/ref", "crm/search"}})
}

var start = contact.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

func open(t *testing.T) (*crm.Store, *redis.Client) {
	t.Helper()
	c := redistest.Start(t)
	s, err := crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB"})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func arrive(t *testing.T, s *crm.Store, id contact.ID, number string, at contact.Instant) contact.Facts {
	t.Helper()
	cli := contact.CLIPresented
	if number == "" {
		cli = contact.CLIWithheld
	}
	f, err := s.Identify(t.Context(), crm.Arrival{
		ID: id, Channel: contact.Phone, At: at,
		Caller: contact.Caller{Number: number, CLI: cli, Dialled: "101"}, Facts: contact.Facts{Language: "en"},
	})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, s)
	return f
}

// settled waits until arrivals are on their timelines.
func settled(t *testing.T, s *crm.Store) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.Backlog() > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d arrivals are not on their timelines", s.Backlog())
		}
		runtime.Gosched()
	}
}

func save(t *testing.T, s *crm.Store, p crm.Person) crm.Person {
	t.Helper()
	got, err := s.SavePerson(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func pop(t *testing.T, s *crm.Store, id contact.ID, f contact.Facts) crm.Pop {
	t.Helper()
	p, err := s.Pop(t.Context(), id, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ids(rs []crm.Record) []contact.ID {
	out := []contact.ID{}
	for _, r := range rs {
		out = append(out, r.ID)
	}
	return out
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"020 7946 0018": "+442079460018", "(020) 7946-0018": "+442079460018", "+44 20 7946 0018": "+442079460018",
		"0044 20 7946 0018": "+442079460018", "07700 900123": "+447700900123", "tel:+447700900123": "+447700900123",
		"101": "101", "999": "999", "18000": "18000", "": "", "  ": "", "+1 202-555-0143": "+12025550143",
		"h17": "h17", "Front-Desk": "frontdesk", "00000000000000000000000": "00000000000000000000000",
	} {
		if got := crm.Canonical(in, "GB"); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSecondCallShowsTheFirst(t *testing.T) {
	s, _ := open(t)
	f := arrive(t, s, "c1", "07700 900123", start)
	if f.Line == "" || f.Person != "" || f.Contacts30d != 0 {
		t.Fatalf("first call's facts = %+v", f)
	}
	if n, err := s.SaveNote(t.Context(), "c1", 0, "Bicycle taken", "handler1"); err != nil || n.Revision != 1 {
		t.Fatalf("SaveNote = %+v, %v", n, err)
	}
	end := crm.Ending{ID: "c1", Queue: "crime", Handler: "handler1", Answered: start.Add(contact.Second), At: start.Add(contact.Minute), Ending: contact.Answered}
	if err := s.Ended(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context(), "c1", contact.Outcome{Code: "advice_given"}, "handler1"); err != nil {
		t.Fatal(err)
	}

	f = arrive(t, s, "c2", "+447700900123", start.Add(contact.Hour))
	if f.Contacts30d != 1 {
		t.Errorf("second call counts %d contacts in 30 days, want 1", f.Contacts30d)
	}
	got := pop(t, s, "c2", f)
	if len(got.History) != 1 {
		t.Fatalf("history = %v, want the first call only", ids(got.History))
	}
	h := got.History[0]
	if h.ID != "c1" || h.Outcome.Code != "advice_given" || h.Note.Text != "Bicycle taken" || h.Handler != "handler1" || h.Ending != contact.Answered || h.Queue != "crime" {
		t.Errorf("history entry = %+v", h)
	}
}

func TestManyPeoplePerNumberAndManyNumbersPerPerson(t *testing.T) {
	s, _ := open(t)
	a := save(t, s, crm.Person{Name: "First  Tenant", Numbers: []string{"020 7946 0001", "07700 900001", "02079460001"}, Vulnerable: true})
	if diff := cmp.Diff([]string{"+442079460001", "+447700900001"}, a.Numbers); diff != "" {
		t.Errorf("numbers kept (-want +got):\n%s", diff)
	}
	f := arrive(t, s, "c1", "07700900001", start)
	if f.Person != a.ID || !f.Vulnerable {
		t.Fatalf("one person on the line: facts = %+v", f)
	}
	b := save(t, s, crm.Person{Name: "Second Tenant", Numbers: []string{"020 7946 0001"}})
	f = arrive(t, s, "c2", "020 7946 0001", start.Add(contact.Minute))
	if f.Person != "" || f.Vulnerable {
		t.Fatalf("two people share the line, so nobody is presumed: facts = %+v", f)
	}
	got := pop(t, s, "c2", f)
	if len(got.People) != 2 {
		t.Fatalf("people offered = %+v", got.People)
	}
	if err := s.Attach(t.Context(), "c2", b.ID); err != nil {
		t.Fatal(err)
	}
	got = pop(t, s, "c2", f)
	if got.People[0].ID != b.ID || got.Record.Person != b.ID {
		t.Errorf("after attaching: people = %+v, record's person %s", got.People, got.Record.Person)
	}
	// Moving the contact to the other person takes it off the first's timeline.
	if err := s.Attach(t.Context(), "c2", a.ID); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[contact.PersonID][]contact.ID{a.ID: {"c2", "c1"}, b.ID: {}} {
		tl, err := s.Timeline(t.Context(), person, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ids(tl)); diff != "" {
			t.Errorf("timeline of %s (-want +got):\n%s", person, diff)
		}
	}
	// Taking a number away from a person takes the person off the line.
	a.Numbers = []string{"07700 900001"}
	save(t, s, a)
	people, err := s.ByNumber(t.Context(), "0044 2079460001")
	if err != nil || len(people) != 1 || people[0].ID != b.ID {
		t.Errorf("ByNumber = %+v, %v", people, err)
	}
}

func TestWithheldNumberIsNormal(t *testing.T) {
	s, _ := open(t)
	for i := range 2 {
		id := contact.ID(fmt.Sprintf("c%d", i))
		f := arrive(t, s, id, "", start.Add(contact.Duration(i)*contact.Minute))
		if f.Line != "" || f.Person != "" || f.Contacts30d != 0 || f.CLI != contact.CLIWithheld {
			t.Fatalf("facts = %+v", f)
		}
		if p := pop(t, s, id, f); len(p.History) != 0 || len(p.People) != 0 {
			t.Errorf("a withheld caller was shown somebody's history: %+v", p)
		}
	}
}

func TestHistoryIsBoundedAndNewestFirst(t *testing.T) {
	s, _ := open(t)
	var f contact.Facts
	for i := range crm.HistoryListed + 5 {
		f = arrive(t, s, contact.ID(fmt.Sprintf("c%03d", i)), "07700 900002", start.Add(contact.Duration(i)*contact.Minute))
	}
	last := contact.ID(fmt.Sprintf("c%03d", crm.HistoryListed+4))
	got := ids(pop(t, s, last, f).History)
	if len(got) != crm.HistoryListed || got[0] != contact.ID(fmt.Sprintf("c%03d", crm.HistoryListed+3)) {
		t.Errorf("history has %d entries, first %v", len(got), got[0])
	}
}

func TestTimelinePages(t *testing.T) {
	s, _ := open(t)
	p := save(t, s, crm.Person{Name: "A caller", Numbers: []string{"07700 900003"}})
	for i := range 5 {
		arrive(t, s, contact.ID(fmt.Sprintf("c%d", i)), "07700 900003", start.Add(contact.Duration(i)*contact.Minute))
	}
	page, err := s.Timeline(t.Context(), p.ID, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.Timeline(t.Context(), p.ID, page[1].Arrival, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]contact.ID{"c4", "c3", "c2", "c1"}, append(ids(page), ids(next)...)); diff != "" {
		t.Errorf("two pages (-want +got):\n%s", diff)
	}
}

func TestNoteConflictWritesNothing(t *testing.T) {
	s, _ := open(t)
	f := arrive(t, s, "c1", "07700 900004", start)
	if _, err := s.SaveNote(t.Context(), "c1", 0, "first", "handler1"); err != nil {
		t.Fatal(err)
	}
	// The same save again, as after a lost answer, is no conflict.
	if n, err := s.SaveNote(t.Context(), "c1", 0, "first", "handler1"); err != nil || n.Revision != 1 {
		t.Errorf("repeated save = %+v, %v", n, err)
	}
	n, err := s.SaveNote(t.Context(), "c1", 0, "other", "handler2")
	if !errors.Is(err, crm.ErrConflict) || n.Revision != 1 {
		t.Errorf("save from an old revision = %+v, %v; want 1, ErrConflict", n, err)
	}
	if n := pop(t, s, "c1", f).Record.Note; n.Text != "first" || n.Author != "handler1" {
		t.Errorf("note = %+v", n)
	}
	if _, err := s.SaveNote(t.Context(), "c1", 1, strings.Repeat("x", crm.NoteLimit+1), "handler1"); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("oversized note: %v", err)
	}
}

func TestPersonConflict(t *testing.T) {
	s, _ := open(t)
	p := save(t, s, crm.Person{Name: "A caller"})
	one, other := p, p
	one.Remarks = "prefers mornings"
	one = save(t, s, one)
	other.Name = "Somebody else"
	if _, err := s.SavePerson(t.Context(), other); !errors.Is(err, crm.ErrConflict) {
		t.Fatalf("stale save: %v", err)
	}
	if got, err := s.Person(t.Context(), p.ID); err != nil || got.Name != "A caller" || got.Remarks != one.Remarks {
		t.Errorf("person = %+v, %v", got, err)
	}
	if _, err := s.Person(t.Context(), "nobody"); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("unknown person: %v", err)
	}
	if err := s.Attach(t.Context(), "nothing", p.ID); err != nil && !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("attach an unknown contact: %v", err)
	}
	for field, bad := range map[string]crm.Person{
		"name": {Name: strings.Repeat("é", crm.NameLimit+1)}, "remarks": {Remarks: strings.Repeat("x", crm.RemarksLimit+1)},
	} {
		if _, err := s.SavePerson(t.Context(), bad); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("bad %s: %v", field, err)
		}
	}
}

// Notes, endings and outcomes arrive from different goroutines; whichever copy
// is written to the timeline last must be the newest.
func TestRacingWritesLeaveTheNewestOnTheTimeline(t *testing.T) {
	s, _ := open(t)
	p := save(t, s, crm.Person{Name: "A caller", Numbers: []string{"07700 900005"}})
	for round := range 20 {
		id := contact.ID(fmt.Sprintf("c%02d", round))
		arrive(t, s, id, "07700 900005", start.Add(contact.Duration(round)*contact.Minute))
		var wg sync.WaitGroup
		for _, f := range []func() error{
			func() error { _, err := s.SaveNote(context.Background(), id, 0, "text", "h"); return err },
			func() error {
				return s.Ended(context.Background(), crm.Ending{ID: id, Ending: contact.Answered, At: start})
			},
			func() error { return s.Close(context.Background(), id, contact.Outcome{Code: "done"}, "h") },
		} {
			wg.Go(func() {
				if err := f(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		tl, err := s.Timeline(t.Context(), p.ID, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if r := tl[0]; r.ID != id || r.Note.Text != "text" || r.Outcome.Code != "done" || r.Ending != contact.Answered {
			t.Fatalf("round %d: timeline shows %+v", round, r)
		}
	}
}

// roundTrips counts what a client sends: one per command or pipeline.
type roundTrips struct{ n atomic.Int32 }

func (r *roundTrips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (r *roundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { r.n.Add(1); return next(ctx, cmd) }
}

func (r *roundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { r.n.Add(1); return next(ctx, cmds) }
}

func TestIdentifyIsOneRoundTripForACallerNobodyKnows(t *testing.T) {
	s, c := open(t)
	trips := &roundTrips{}
	c.AddHook(trips)
	caller := contact.Caller{Number: "07700 900009", CLI: contact.CLIPresented}
	if _, err := s.Identify(t.Context(), crm.Arrival{ID: "c1", Channel: contact.Phone, At: start, Caller: caller}); err != nil {
		t.Fatal(err)
	}
	if n := trips.n.Load(); n > 3 { // and at most two that nobody waits for: reading the record and writing timelines
		t.Errorf("identifying a caller took %d round trips", n)
	}
	settled(t, s)
	if r, err := s.Record(t.Context(), "c1"); err != nil || r.Number != "+447700900009" || r.Facts.Line == "" {
		t.Errorf("record = %+v, %v", r, err)
	}
}

func TestPopIsOneRoundTrip(t *testing.T) {
	s, c := open(t)
	save(t, s, crm.Person{Name: "A caller", Numbers: []string{"07700 900006"}})
	arrive(t, s, "c1", "07700 900006", start)
	f := arrive(t, s, "c2", "07700 900006", start.Add(contact.Minute))
	trips := &roundTrips{}
	c.AddHook(trips)
	if p := pop(t, s, "c2", f); len(p.People) != 1 || len(p.History) != 1 {
		t.Fatalf("pop = %+v", p)
	}
	if n := trips.n.Load(); n != 1 {
		t.Errorf("a screen-pop took %d round trips", n)
	}
}

// A cluster refuses a script whose keys live in different slots; a single server
// does not, so the rule is checked on what is sent.
func TestEachCommandStaysInOneSlot(t *testing.T) {
	s, c := open(t)
	c.AddHook(slotHook{t})
	p := save(t, s, crm.Person{Name: "A caller", Numbers: []string{"07700 900007"}})
	f := arrive(t, s, "c1", "07700 900007", start)
	pop(t, s, "c1", f)
	if _, err := s.SaveNote(t.Context(), "c1", 0, "x", "h"); err != nil {
		t.Fatal(err)
	}
	if err := s.Attach(t.Context(), "c1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Timeline(t.Context(), p.ID, 0, 5); err != nil {
		t.Fatal(err)
	}
}

type slotHook struct{ t *testing.T }

func (h slotHook) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h slotHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { h.check(cmd); return next(ctx, cmd) }
}

func (h slotHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, c := range cmds {
			h.check(c)
		}
		return next(ctx, cmds)
	}
}

func (h slotHook) check(cmd redis.Cmder) {
	args := cmd.Args()
	if name := cmd.Name(); name != "eval" && name != "evalsha" {
		return
	}
	tag := ""
	for _, k := range args[3 : 3+args[2].(int)] {
		key := k.(string)
		this, _, found := strings.Cut(key, "}")
		if !found {
			h.t.Errorf("key %q has no hash tag", key)
		}
		if tag != "" && this != tag {
			h.t.Errorf("one script touches %s} and %s}", tag, this)
		}
		tag = this
	}
}

func TestArrivalsWhileRedisIsAwayAreRecordedLater(t *testing.T) {
	srv := redistest.New(t)
	opts := redistest.Options(srv.Addr)
	opts.MaxRetries = -1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	s, err := crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	srv.Kill()
	_, err = s.Identify(t.Context(), crm.Arrival{
		ID: "c1", Channel: contact.Phone, At: start,
		Caller: contact.Caller{Number: "07700 900008", CLI: contact.CLIPresented},
	})
	if err == nil {
		t.Fatal("Identify succeeded without Redis")
	}
	srv.Start()
	deadline := time.After(10 * time.Second)
	for {
		r, err := s.Record(t.Context(), "c1")
		if err == nil && r.Number == "+447700900008" {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("never recorded: %v, backlog %d", err, s.Backlog())
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	<-done
}
