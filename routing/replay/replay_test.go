package replay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImportsOnlyWhatReplaySteps(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "routing/plan", "routing/journal"}})
}

// shift drives a shift of calls through a live driver in fake time and returns
// its journal: handlers sign on, answer, miss offers, close and sign off.
func shift(t *testing.T, calls int, r journal.Retention, o live.Options) (*journal.Memory, [32]byte) {
	t.Helper()
	source, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	store := journal.NewMemory(r)
	var end [32]byte
	synctest.Test(t, func(t *testing.T) {
		o.Store, o.Log = store, zerolog.Nop()
		d, err := live.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		submit := func(ev routing.Event) []routing.Action {
			actions, err := d.SubmitWait(t.Context(), ev)
			if err != nil {
				t.Fatal(err)
			}
			return actions
		}
		submit(routing.PlanPublished{Version: 1, Source: string(source)})
		for _, a := range []routing.AgentID{"amber", "basil"} {
			submit(routing.AgentSignedOn{Agent: a, Profile: "crime-desk", DeviceUp: true})
			submit(routing.AgentReady{Agent: a})
		}
		missed := 0
		answer := func(actions []routing.Action) {
			for len(actions) > 0 {
				offer, is := actions[0].(routing.Offer)
				actions = actions[1:]
				if !is {
					continue
				}
				if missed++; missed%4 == 0 {
					// No answer: the offer's deadline passes, in fake time.
					pass(25 * time.Second)
					synctest.Wait()
					continue
				}
				submit(routing.OfferAccepted{Offer: offer.Offer, Agent: offer.Agent})
				submit(routing.Connected{Contact: offer.Contact, Agent: offer.Agent})
				pass(3 * time.Second)
				submit(routing.ContactReleased{Contact: offer.Contact, Cause: routing.ReleasedByCaller})
				actions = append(actions, submit(routing.WrapUpDone{Contact: offer.Contact, Agent: offer.Agent, Outcome: "advice_given"})...)
			}
		}
		for n := range calls {
			answer(submit(routing.ContactArrived{
				Contact: contact.ID(fmt.Sprintf("01CALL%020d", n)), Channel: contact.Phone, Arrival: contact.At(time.Now()),
				Facts: contact.Facts{Language: "en", Answers: map[string]string{"menu": "crime"}},
			}))
			for _, a := range []routing.AgentID{"amber", "basil"} {
				answer(submit(routing.AgentReady{Agent: a}))
			}
		}
		if err := d.View(t.Context(), func(e *routing.Engine) { end = e.Hash() }); err != nil {
			t.Fatal(err)
		}
		if err := d.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	return store, end
}

// pass lets fake time pass.
func pass(d time.Duration) { <-time.After(d) }

func run(t *testing.T, s journal.Store, o replay.Options) replay.Report {
	t.Helper()
	r, err := replay.Replay(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAJournalReplaysToTheSameState(t *testing.T) {
	store, end := shift(t, 60, journal.Retention{}, live.Options{HashEvery: 10, SnapshotEvery: 50})
	r := run(t, store, replay.Options{CheckEvery: 7})
	if r.Problem != nil || r.Hash != end {
		t.Fatalf("%s", r)
	}
	if r.First != 1 || uint64(r.Events) != r.Last || r.Proved != r.Last || r.Hashes < r.Events/20 {
		t.Errorf("report %+v: want every event from the first, and a hash at the end", r)
	}
	if r.Kinds["contact_arrived"] != 60 || r.Actions["offer"] == 0 || r.Actions["retract"] == 0 || r.Actions["ended"] == 0 {
		t.Errorf("the shift was dull: %v %v", r.Kinds, r.Actions)
	}
	if !strings.Contains(r.String(), "gives the same state") {
		t.Errorf("report reads %q", r)
	}
}

func TestReplayBeginsAtASnapshot(t *testing.T) {
	store, end := shift(t, 60, journal.Retention{}, live.Options{HashEvery: 10, SnapshotEvery: 50})
	list, err := store.Snapshots(t.Context())
	if err != nil || len(list) < 3 {
		t.Fatalf("snapshots %v, %v", list, err)
	}
	from := list[1].Seq
	r := run(t, store, replay.Options{Snapshot: from})
	if r.Problem != nil || r.Hash != end || r.First != from+1 || r.Snapshot != from {
		t.Errorf("from snapshot %d: %+v", from, r)
	}
	r = run(t, store, replay.Options{Until: from})
	if r.Problem != nil || r.Last != from || r.Proved != from {
		t.Errorf("until %d: %+v", from, r)
	}
	if _, err := replay.Replay(t.Context(), store, replay.Options{Snapshot: from + 1}); err == nil {
		t.Error("a replay began at a snapshot that is not there")
	}
}

func TestATrimmedJournalReplaysFromItsOldestSnapshot(t *testing.T) {
	store, end := shift(t, 60, journal.Retention{Snapshots: 2, Records: 10}, live.Options{HashEvery: 10, SnapshotEvery: 50})
	r := run(t, store, replay.Options{})
	if r.Problem != nil || r.Hash != end || r.Snapshot == 0 {
		t.Errorf("%+v", r)
	}
}

// copyOf copies a journal, changing its records on the way. rechain makes the
// change one that the chain of records does not show.
func copyOf(t *testing.T, s journal.Store, rechain bool, change func([]journal.Record) []journal.Record) journal.Store {
	t.Helper()
	var list []journal.Record
	if err := s.Read(t.Context(), 1, func(r journal.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	list = change(list)
	var chain []byte
	for i := range list {
		if rechain {
			list[i].Chain = journal.Link(chain, list[i])
		}
		chain = list[i].Chain
	}
	return listed(list)
}

// listed is a journal that gives records as they are, holes and all.
type listed []journal.Record

func (l listed) Open(context.Context) (journal.Writer, error) { return nil, errors.New("read only") }

func (l listed) Bounds(context.Context) (journal.Bounds, error) {
	return journal.Bounds{First: l[0].Seq, Last: l[len(l)-1].Seq}, nil
}
func (l listed) Snapshots(context.Context) ([]journal.Snapshot, error) { return nil, nil }
func (l listed) Snapshot(context.Context, uint64) (journal.Snapshot, error) {
	return journal.Snapshot{}, errors.New("none")
}

func (l listed) Read(_ context.Context, from uint64, fn func(journal.Record) error) error {
	for _, r := range l {
		if r.Seq >= from {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestWhatDoesNotMatchIsFound(t *testing.T) {
	store, _ := shift(t, 60, journal.Retention{}, live.Options{HashEvery: 10, SnapshotEvery: 1000})
	arrival := func(list []journal.Record) int {
		for i := 99; i < len(list); i++ {
			if list[i].Kind == "contact_arrived" {
				return i
			}
		}
		t.Fatal("no arrival after record 100")
		return 0
	}
	var at uint64
	for name, c := range map[string]struct {
		rechain bool
		change  func([]journal.Record) []journal.Record
		code    string
		exact   bool
	}{
		"an event was changed": {false, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].Event = json.RawMessage(strings.Replace(string(l[i].Event), `"crime"`, `"other"`, 1))
			return l
		}, "altered", true},
		"an event and its chain were changed": {true, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].Event = json.RawMessage(strings.Replace(string(l[i].Event), `"crime"`, `"other"`, 1))
			return l
		}, "state", false},
		"an instant was changed": {false, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].At++
			return l
		}, "altered", true},
		"an instant goes back": {true, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].At = 1
			return l
		}, "time", true},
		"a record was taken out": {false, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq + 1
			return append(l[:i:i], l[i+1:]...)
		}, "missing", true},
		"two records changed places": {false, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].Kind, l[i+1].Kind = l[i+1].Kind, l[i].Kind
			l[i].Event, l[i+1].Event = l[i+1].Event, l[i].Event
			return l
		}, "altered", true},
		"a kind nobody knows": {true, func(l []journal.Record) []journal.Record {
			i := arrival(l)
			at = l[i].Seq
			l[i].Kind = "contact_vanished"
			return l
		}, "unreadable", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, copyOf(t, store, c.rechain, c.change), replay.Options{})
			p := r.Problem
			switch {
			case p == nil:
				t.Fatal("nothing was found")
			case p.Code != c.code:
				t.Errorf("found %+v, want code %s", p, c.code)
			case c.exact && p.Seq != at:
				t.Errorf("found at record %d, want %d", p.Seq, at)
			case !c.exact && (p.After >= at || p.Seq < at || p.Seq-p.After > 30):
				t.Errorf("found between %d and %d, want a narrow range around %d", p.After, p.Seq, at)
			}
			if !strings.Contains(r.String(), "DIFFERENT: "+p.Text) {
				t.Errorf("report reads %q", r)
			}
		})
	}
}

func TestANewJournalReplaysToNothing(t *testing.T) {
	r := run(t, journal.NewMemory(journal.Retention{}), replay.Options{})
	if r.Events != 0 || r.Problem != nil || r.Hash != routing.New().Hash() {
		t.Errorf("%+v", r)
	}
}

func BenchmarkReplay(b *testing.B) {
	store := journal.NewMemory(journal.Retention{})
	w, err := store.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	source, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var chain []byte
	seq := uint64(0)
	add := func(ev routing.Event) {
		kind, data, err := journal.Encode(ev)
		if err != nil {
			b.Fatal(err)
		}
		seq++
		rec := journal.Record{Seq: seq, At: contact.Instant(seq), Kind: kind, Event: data}
		rec.Chain = journal.Link(chain, rec)
		chain = rec.Chain
		if err := w.Append(b.Context(), []journal.Record{rec}); err != nil {
			b.Fatal(err)
		}
	}
	add(routing.PlanPublished{Version: 1, Source: string(source)})
	add(routing.HoursChanged{Queue: "general", Open: true})
	for n := range 10_000 {
		id := contact.ID(fmt.Sprintf("%026d", n))
		add(routing.ContactArrived{Contact: id, Channel: contact.Phone, Arrival: 1})
		add(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByCaller})
	}
	b.ResetTimer()
	for range b.N {
		r, err := replay.Replay(b.Context(), store, replay.Options{})
		if err != nil || r.Problem != nil {
			b.Fatal(err, r.Problem)
		}
		b.ReportMetric(r.PerSecond(), "events/s")
	}
}
