package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// records makes n records from seq on, chained after before.
func records(from, n uint64) []journal.Record {
	var list []journal.Record
	for seq := from; seq < from+n; seq++ {
		r := journal.Record{Seq: seq, Kind: "agent_ready", Event: json.RawMessage(fmt.Sprintf(`{"agent":"a%d"}`, seq)), At: 1}
		if seq%3 == 0 {
			r.Hash = []byte{byte(seq)}
		}
		r.Chain = journal.Link(nil, r)
		list = append(list, r)
	}
	return list
}

func read(t *testing.T, s journal.Store, from uint64) []journal.Record {
	t.Helper()
	var list []journal.Record
	if err := s.Read(testContext(t), from, func(r journal.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func open(t *testing.T, s journal.Store) journal.Writer {
	t.Helper()
	w, err := s.Open(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func appendAll(t *testing.T, w journal.Writer, list []journal.Record) {
	t.Helper()
	if err := w.Append(testContext(t), list); err != nil {
		t.Fatal(err)
	}
}

// TestContract holds every implementation of Store to the same promises.
func TestContract(t *testing.T) {
	server := redistest.New(t)
	n := 0
	for name, make := range map[string]func(r journal.Retention) journal.Store{
		"memory": func(r journal.Retention) journal.Store { return journal.NewMemory(r) },
		"redis": func(r journal.Retention) journal.Store {
			n++
			return journal.NewRedis(server.Client(), fmt.Sprintf("journal-%d", n), r)
		},
	} {
		t.Run(name, func(t *testing.T) { testStore(t, make) })
	}
}

func testStore(t *testing.T, create func(journal.Retention) journal.Store) {
	t.Run("an empty journal", func(t *testing.T) {
		s := create(journal.Retention{})
		b, err := s.Bounds(testContext(t))
		if err != nil || b != (journal.Bounds{}) {
			t.Errorf("bounds %+v, %v", b, err)
		}
		if list := read(t, s, 1); len(list) != 0 {
			t.Errorf("read %v", list)
		}
		if _, ok, err := journal.Latest(testContext(t), s); ok || err != nil {
			t.Errorf("latest snapshot %v, %v", ok, err)
		}
		if _, err := s.Snapshot(testContext(t), 4); err == nil {
			t.Error("a snapshot that is not there was read")
		}
		w := open(t, s)
		if w.Last() != 0 || w.Epoch() == 0 {
			t.Errorf("writer at %d with epoch %d", w.Last(), w.Epoch())
		}
	})
	t.Run("records come back as written", func(t *testing.T) {
		s := create(journal.Retention{})
		w := open(t, s)
		want := records(1, 700) // more than one batch
		appendAll(t, w, want[:1])
		appendAll(t, w, want[1:])
		for i := range want {
			want[i].Epoch = w.Epoch()
		}
		if diff := cmp.Diff(want, read(t, s, 1)); diff != "" {
			t.Errorf("-written +read:\n%s", diff)
		}
		if got := read(t, s, 600); len(got) != 101 || got[0].Seq != 600 {
			t.Errorf("read %d records from 600", len(got))
		}
		if got := read(t, s, 701); len(got) != 0 {
			t.Errorf("read %d records past the end", len(got))
		}
		b, err := s.Bounds(testContext(t))
		if err != nil || b != (journal.Bounds{First: 1, Last: 700}) {
			t.Errorf("bounds %+v, %v", b, err)
		}
		if again := open(t, s); again.Last() != 700 || again.Epoch() <= w.Epoch() {
			t.Errorf("reopened at %d with epoch %d after %d", again.Last(), again.Epoch(), w.Epoch())
		}
	})
	t.Run("reading stops when asked", func(t *testing.T) {
		s := create(journal.Retention{})
		appendAll(t, open(t, s), records(1, 10))
		stop, seen := errors.New("enough"), 0
		err := s.Read(testContext(t), 1, func(journal.Record) error {
			if seen++; seen == 3 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || seen != 3 {
			t.Errorf("read %d records, %v", seen, err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Read(ended, 1, func(journal.Record) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("reading under an ended context gave %v", err)
		}
	})
	t.Run("an append whose answer was lost is repeated harmlessly", func(t *testing.T) {
		s := create(journal.Retention{})
		w := open(t, s)
		appendAll(t, w, records(1, 5))
		appendAll(t, w, records(1, 5))
		appendAll(t, w, records(4, 4))
		if got := read(t, s, 1); len(got) != 7 || got[6].Seq != 7 {
			t.Errorf("%d records, want 7", len(got))
		}
		appendAll(t, w, nil)
	})
	t.Run("a gap is refused", func(t *testing.T) {
		s := create(journal.Retention{})
		w := open(t, s)
		appendAll(t, w, records(1, 3))
		var gap *journal.GapError
		if err := w.Append(testContext(t), records(5, 1)); !errors.As(err, &gap) || gap.Last != 3 {
			t.Errorf("a gap gave %v", err)
		}
		broken := records(4, 3)
		broken[2].Seq = 9
		if err := w.Append(testContext(t), broken); err == nil {
			t.Error("records with a hole were taken")
		}
		if err := w.Append(testContext(t), records(0, 2)); err == nil {
			t.Error("record 0 was taken")
		}
		if got := read(t, s, 1); len(got) != 3 {
			t.Errorf("%d records after refusals, want 3", len(got))
		}
	})
	t.Run("an older writer is fenced off", func(t *testing.T) {
		s := create(journal.Retention{})
		old := open(t, s)
		appendAll(t, old, records(1, 2))
		fresh := open(t, s)
		if err := old.Append(testContext(t), records(3, 1)); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("the older writer's append gave %v", err)
		}
		if err := old.SaveSnapshot(testContext(t), journal.Snapshot{Seq: 2}); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("the older writer's snapshot gave %v", err)
		}
		appendAll(t, fresh, records(3, 1))
		if got := read(t, s, 3); len(got) != 1 || got[0].Epoch != fresh.Epoch() {
			t.Errorf("read %+v", got)
		}
	})
	t.Run("snapshots come back and bound the history", func(t *testing.T) {
		s := create(journal.Retention{Snapshots: 2, Records: 10})
		w := open(t, s)
		appendAll(t, w, records(1, 100))
		for _, seq := range []uint64{30, 60, 90} {
			err := w.SaveSnapshot(testContext(t), journal.Snapshot{Seq: seq, At: 5, Hash: []byte{1}, Chain: []byte{2}, State: []byte(`{"x":"\u0000"}`)})
			if err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.Snapshots(testContext(t))
		if err != nil || len(list) != 2 || list[0].Seq != 60 || list[1].Seq != 90 {
			t.Fatalf("snapshots %+v, %v; want 60 and 90", list, err)
		}
		got, ok, err := journal.Latest(testContext(t), s)
		want := journal.Snapshot{Seq: 90, At: 5, Hash: []byte{1}, Chain: []byte{2}, State: []byte(`{"x":"\u0000"}`)}
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("latest %v, %v:\n%s", ok, err, diff)
		}
		// Records after the oldest snapshot stay, though only 10 were asked for.
		b, err := s.Bounds(testContext(t))
		if err != nil || b.First > 61 || b.Last != 100 {
			t.Errorf("bounds %+v, %v; want from 61 at the latest", b, err)
		}
	})
	t.Run("many records stay when asked for", func(t *testing.T) {
		s := create(journal.Retention{Snapshots: 2, Records: 1000})
		w := open(t, s)
		appendAll(t, w, records(1, 100))
		for _, seq := range []uint64{80, 90, 100} {
			if err := w.SaveSnapshot(testContext(t), journal.Snapshot{Seq: seq}); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := s.Bounds(testContext(t)); err != nil || b.First != 1 {
			t.Errorf("bounds %+v, %v; want all", b, err)
		}
	})
	t.Run("a record may follow a kept snapshot", func(t *testing.T) {
		s := create(journal.Retention{})
		w := open(t, s)
		appendAll(t, w, records(1, 3))
		if err := w.SaveSnapshot(testContext(t), journal.Snapshot{Seq: 8}); err != nil {
			t.Fatal(err)
		}
		appendAll(t, w, records(9, 2))
		if got := read(t, s, 1); len(got) != 5 || got[3].Seq != 9 {
			t.Errorf("read %d records", len(got))
		}
		if b, err := s.Bounds(testContext(t)); err != nil || b != (journal.Bounds{First: 1, Last: 10}) {
			t.Errorf("bounds %+v, %v", b, err)
		}
	})
}

func TestRedisRefusesToReadWhatNoJournalWrote(t *testing.T) {
	c := redistest.Start(t)
	ctx := testContext(t)
	for name, x := range map[string]struct {
		id     string
		values []any
	}{
		"an id of another form": {"5-1", []any{"at", 1, "epoch", 1, "kind", "tick", "event", "{}", "chain", ""}},
		"a missing field":       {"1-0", []any{"at", 1, "epoch", 1, "kind", "tick", "event", "{}"}},
		"an unknown field":      {"1-0", []any{"at", 1, "epoch", 1, "kind", "tick", "event", "{}", "chain", "", "note", "x"}},
		"an instant of words":   {"1-0", []any{"at", "noon", "epoch", 1, "kind", "tick", "event", "{}", "chain", ""}},
		"a hash that is no hex": {"1-0", []any{"at", 1, "epoch", 1, "kind", "tick", "event", "{}", "chain", "", "hash", "zz"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.FlushAll(ctx).Err(); err != nil {
				t.Fatal(err)
			}
			if err := c.Do(ctx, append([]any{"XADD", "{j}:stream", x.id}, x.values...)...).Err(); err != nil {
				t.Fatal(err)
			}
			if err := journal.NewRedis(c, "j", journal.Retention{}).Read(ctx, 1, func(journal.Record) error { return nil }); err == nil {
				t.Error("it was read")
			}
		})
	}
}

// The fence must hold even when the epoch key is lost: it rises above the last
// record's.
func TestRedisEpochRisesWhenItsKeyIsLost(t *testing.T) {
	c := redistest.Start(t)
	s := journal.NewRedis(c, "j", journal.Retention{})
	var w journal.Writer
	for range 5 {
		w = open(t, s)
	}
	appendAll(t, w, records(1, 1))
	if err := c.Del(testContext(t), "{j}:epoch").Err(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, s); again.Epoch() <= w.Epoch() {
		t.Errorf("epoch %d after %d", again.Epoch(), w.Epoch())
	}
	if err := w.Append(testContext(t), records(2, 1)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("the older writer's append gave %v", err)
	}
}

func TestRedisKeysShareASlot(t *testing.T) {
	c := redistest.Start(t)
	s := journal.NewRedis(c, "journal", journal.Retention{})
	w := open(t, s)
	appendAll(t, w, records(1, 1))
	if err := w.SaveSnapshot(testContext(t), journal.Snapshot{Seq: 1}); err != nil {
		t.Fatal(err)
	}
	keys, err := c.Keys(testContext(t), "*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	for _, k := range keys {
		if k[:10] != "{journal}:" {
			t.Errorf("key %s has another slot", k)
		}
	}
}

func TestLinkTellsRecordsApart(t *testing.T) {
	base := journal.Record{Seq: 1, At: 2, Kind: "tick", Event: json.RawMessage(`{}`)}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		before []byte
		r      journal.Record
	}{
		"base":           {nil, base},
		"another before": {[]byte{1}, base},
		"another seq":    {nil, journal.Record{Seq: 2, At: 2, Kind: "tick", Event: base.Event}},
		"another at":     {nil, journal.Record{Seq: 1, At: 3, Kind: "tick", Event: base.Event}},
		"another kind":   {nil, journal.Record{Seq: 1, At: 2, Kind: "tack", Event: base.Event}},
		"another event":  {nil, journal.Record{Seq: 1, At: 2, Kind: "tick", Event: json.RawMessage(`{ }`)}},
		"moved boundary": {nil, journal.Record{Seq: 1, At: 2, Kind: "tick{", Event: json.RawMessage(`}`)}},
	} {
		link := string(journal.Link(c.before, c.r))
		if other, is := seen[link]; is {
			t.Errorf("%s and %s have the same link", name, other)
		}
		seen[link] = name
	}
	fenced := base
	fenced.Epoch, fenced.Hash = 9, []byte{1}
	if string(journal.Link(nil, fenced)) != string(journal.Link(nil, base)) {
		t.Error("epoch or hash are in the link")
	}
}
