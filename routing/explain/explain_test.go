package explain_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

var update = flag.Bool("update", false, "write the golden files")

const began = contact.Instant(1_800_000_000 * contact.Second)

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// book writes a journal as a driver does.
type book struct {
	t      *testing.T
	store  journal.Store
	w      journal.Writer
	engine *routing.Engine
	at     contact.Instant
	seq    uint64
	chain  []byte
}

func newBook(t *testing.T) *book {
	b := &book{t: t, store: journal.NewMemory(journal.Retention{}), engine: routing.New(), at: began}
	var err error
	if b.w, err = b.store.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	return b
}

// add journals events one second apart.
func (b *book) add(events ...routing.Event) []routing.Action {
	b.t.Helper()
	var all []routing.Action
	for _, ev := range events {
		b.at = b.at.Add(contact.Second)
		kind, data, err := journal.Encode(ev)
		if err != nil {
			b.t.Fatal(err)
		}
		decoded, err := journal.Decode(kind, data, plan.Load)
		if err != nil {
			b.t.Fatal(err)
		}
		b.seq++
		rec := journal.Record{Seq: b.seq, At: b.at, Epoch: b.w.Epoch(), Kind: kind, Event: data}
		rec.Chain = journal.Link(b.chain, rec)
		b.chain = rec.Chain
		if err := b.w.Append(testContext(b.t), []journal.Record{rec}); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, b.engine.Step(b.at, decoded)...)
	}
	return all
}

func (b *book) snapshot() {
	b.t.Helper()
	state, err := b.engine.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	h := b.engine.Hash()
	if err := b.w.SaveSnapshot(testContext(b.t), journal.Snapshot{Seq: b.seq, At: b.at, Hash: h[:], Chain: b.chain, State: state}); err != nil {
		b.t.Fatal(err)
	}
}

func shipped(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (b *book) opened() *book {
	b.t.Helper()
	b.add(routing.PlanPublished{Version: 1, Source: shipped(b.t)})
	for _, q := range []routing.QueueID{"crime", "existing", "general"} {
		b.add(routing.HoursChanged{Queue: q, Open: true})
	}
	return b
}

func (b *book) signOn(names ...routing.AgentID) {
	for _, n := range names {
		b.add(routing.AgentSignedOn{Agent: n, Profile: "crime-desk", DeviceUp: true}, routing.AgentReady{Agent: n})
	}
}

func (b *book) call(id contact.ID, change ...func(*routing.ContactArrived)) []routing.Action {
	ev := routing.ContactArrived{
		Contact: id, Channel: contact.Phone, Arrival: b.at.Add(-4 * contact.Second),
		Facts: contact.Facts{Language: "en", Answers: map[string]string{"menu": "crime"}, Dialled: "101", CLI: contact.CLIPresented, Line: "secret-line"},
	}
	for _, f := range change {
		f(&ev)
	}
	return b.add(ev)
}

func write(x explain.Explanation) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %s %s partial %t\n", x.Contact, x.Channel, x.State, x.Ending, x.Partial)
	for _, s := range x.Steps {
		fmt.Fprintf(&out, "%3d %6s %s: %s\n", s.Seq, s.After, s.Kind, s.Text)
	}
	return out.String()
}

// A call that meets most of what can happen, told from the journal.
func shift(t *testing.T) *book {
	b := newBook(t).opened()
	b.signOn("h1")
	b.call("C0")                                                     // takes h1
	b.add(routing.AgentSignedOn{Agent: "h9", Profile: "crime-desk"}) // not ready
	b.call("C1", func(ev *routing.ContactArrived) { ev.Facts.Vulnerable = true })
	b.call("C2")
	b.signOn("h2") // offer 2: C1 to h2
	b.add(routing.OfferDeclined{Offer: 2, Agent: "h2", Reason: "break"})
	b.add(routing.PlanPublished{Version: 2, Source: strings.Replace(shipped(t), "alert_after: 3", "alert_after: 4", 1)})
	b.signOn("h3") // C1 to h3
	b.at = b.at.Add(30 * contact.Second)
	b.add(routing.Tick{}) // nobody answers
	var open routing.OfferID
	var agent routing.AgentID
	b.signOn("h4", "h5")
	if c, here := b.engine.ContactState("C1"); here {
		open, agent = c.Offer, c.Agent
	}
	if open == 0 {
		t.Fatal("C1 is not offered to anybody")
	}
	b.add(routing.OfferAccepted{Offer: open, Agent: agent}, routing.Connected{Contact: "C1", Agent: agent},
		routing.ControlAsked{Contact: "C1", Agent: agent, Verb: routing.VerbHold}, routing.ControlDone{Contact: "C1", Agent: agent, Verb: routing.VerbHold},
		routing.ContactReleased{Contact: "C1", Cause: routing.ReleasedByCaller}, routing.WrapUpExtended{Contact: "C1", Agent: agent},
		routing.WrapUpDone{Contact: "C1", Agent: agent, Outcome: "advice_given"})
	b.call("C1") // sent twice
	return b
}

func TestToldAsItHappened(t *testing.T) {
	t.Parallel()
	b := shift(t)
	x, err := explain.Contact(testContext(t), b.store, "C1")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "shift.txt", write(x))
	again, err := explain.Contact(testContext(t), b.store, "C1")
	if err != nil {
		t.Fatal(err)
	}
	first, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Error("asked twice, it says two things")
	}
	if strings.Contains(string(first), "secret-line") {
		t.Error("the explanation holds what stands for the caller's number")
	}
}

// Where the telling begins must not change what is told.
func TestSnapshotsChangeNothing(t *testing.T) {
	t.Parallel()
	plain := shift(t)
	want, err := explain.Contact(testContext(t), plain.store, "C1")
	if err != nil {
		t.Fatal(err)
	}
	b := newBook(t)
	n := 0
	err = plain.store.Read(testContext(t), 1, func(r journal.Record) error {
		ev, err := journal.Decode(r.Kind, r.Event, plan.Load)
		if err != nil {
			return err
		}
		b.at = r.At.Add(-contact.Second)
		b.add(ev)
		if n++; n%4 == 0 {
			b.snapshot()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := explain.Contact(testContext(t), b.store, "C1")
	if err != nil {
		t.Fatal(err)
	}
	if write(got) != write(want) {
		t.Errorf("with snapshots\n%s\nwithout\n%s", write(got), write(want))
	}
}

func TestLiveClosedAndAbandoned(t *testing.T) {
	t.Parallel()
	b := newBook(t).opened()
	b.call("WAITS")
	b.call("SHUT", func(ev *routing.ContactArrived) { ev.Facts.Answers = map[string]string{"menu": "property"} })
	b.call("LEFT")
	b.at = b.at.Add(contact.Minute)
	b.add(routing.ContactReleased{Contact: "LEFT", Cause: routing.ReleasedByCaller})
	for id, want := range map[contact.ID]struct{ state, text string }{
		"WAITS": {"waiting", "The rule “report a crime” put it in the queue Report a crime (crime) by plan version 1. It is due 30s after it arrived: the queue's target of 30s."},
		"SHUT":  {"ended", "was closed: it heard the announcement closed."},
		"LEFT":  {"ended", "The caller left. It counts as abandoned in queue after 1m6s."},
	} {
		x, err := explain.Contact(testContext(t), b.store, id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if x.State != want.state || !strings.Contains(write(x), want.text) {
			t.Errorf("%s: state %s, want %s and %q in\n%s", id, x.State, want.state, want.text, write(x))
		}
	}
	list, err := explain.Latest(testContext(t), b.store, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		got = append(got, fmt.Sprintf("%s %s %s %s", l.Contact, l.Queue, l.State, l.Ending))
	}
	if want := "LEFT crime ended abandoned_in_queue|SHUT property ended abandoned_after_message"; strings.Join(got, "|") != want {
		t.Errorf("latest %v, want %s", got, want)
	}
	if list, err = explain.Latest(testContext(t), b.store, 100); err != nil || len(list) != 3 {
		t.Errorf("%d of all contacts, %v", len(list), err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	empty := newBook(t)
	var unknown *explain.UnknownError
	if _, err := explain.Contact(testContext(t), empty.store, "X"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "the journal is empty") {
		t.Errorf("empty journal: %v", err)
	}
	if list, err := explain.Latest(testContext(t), empty.store, 5); err != nil || len(list) != 0 {
		t.Errorf("empty journal: %v, %v", list, err)
	}
	b := newBook(t).opened()
	b.call("C1")
	if _, err := explain.Contact(testContext(t), b.store, "C2"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), `no contact "C2" in the journal, records 1 to 5`) {
		t.Errorf("another contact: %v", err)
	}
	early := newBook(t)
	early.call("C1")
	x, err := explain.Contact(testContext(t), early.store, "C1")
	if err != nil || x.State != "refused" || !strings.Contains(write(x), "Contact arrived changed nothing: no plan.") {
		t.Errorf("before any plan: %v\n%s", err, write(x))
	}
}

// trimmed is a journal whose first records are gone.
type trimmed struct {
	journal.Store
	first uint64
}

func (s trimmed) Bounds(ctx context.Context) (journal.Bounds, error) {
	b, err := s.Store.Bounds(ctx)
	b.First = s.first
	return b, err
}

func (s trimmed) Read(ctx context.Context, from uint64, f func(journal.Record) error) error {
	return s.Store.Read(ctx, max(from, s.first), f)
}

func TestTrimmedJournal(t *testing.T) {
	t.Parallel()
	b := newBook(t).opened()
	b.call("OLD")  // record 5
	b.call("LATE") // record 6
	b.snapshot()
	b.signOn("h1") // records 7 and 8
	// The arrival is gone, the state is not.
	x, err := explain.Contact(testContext(t), trimmed{b.store, 7}, "OLD")
	if err != nil || !x.Partial || x.State != "ringing" || len(x.Steps) == 0 || x.Steps[0].Kind != "offer" {
		t.Errorf("arrival gone: %v\n%s", err, write(x))
	}
	// The arrival is there, the state it changed is not.
	var old *explain.TooOldError
	if _, err = explain.Contact(testContext(t), trimmed{b.store, 6}, "LATE"); !errors.As(err, &old) || old.Seq != 6 || old.Snapshot != 6 {
		t.Errorf("state gone: %v", err)
	}
}
