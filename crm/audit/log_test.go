package audit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact"}})
}

func open(t testing.TB, c *redis.Client, o ...audit.Option) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.Context(), c, "test", o...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func viewed(id string) audit.Entry {
	return audit.Entry{Operation: audit.Consult, Object: "person", ObjectID: id, Outcome: "ok"}
}

// fill appends n entries, about p1, p2, …, one after the other.
func fill(t testing.TB, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		if err := l.Append(t.Context(), viewed(fmt.Sprint("p", i+1))); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t testing.TB, l *audit.Log, anchors ...audit.Anchor) audit.Verified {
	t.Helper()
	v, err := l.Verify(t.Context(), anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEntriesTellWhoDidWhatAndFormAChain(t *testing.T) {
	l := open(t, redistest.Start(t))
	ctx := audit.With(t.Context(), audit.Actor{ID: "handler1", Role: "handler", Reason: "enquiry"})
	if err := l.Append(ctx, viewed("p1"), audit.Entry{Operation: audit.Alter, Object: "person", ObjectID: "p1", Fields: []string{"surname"}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), audit.Entry{Operation: audit.SignOn, Object: "user", ObjectID: "handler2", Actor: audit.Actor{ID: "handler2"}}); err != nil {
		t.Fatal(err)
	}
	p, err := l.Read(t.Context(), audit.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.Entries {
		got = append(got, fmt.Sprint(e.Seq, " ", e.Actor.ID, " ", e.Operation, " ", e.Object, " ", e.ObjectID, " ", e.Fields))
	}
	want := []string{
		"4 system consult audit  []", // the reading itself
		"3 handler2 sign_on user handler2 []", "2 handler1 alter person p1 [surname]", "1 handler1 consult person p1 []",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for i, e := range p.Entries[:3] {
		if e.Prev != p.Entries[i+1].Hash || e.Hash == "" || e.ID == "" || e.At == 0 {
			t.Errorf("entry %d does not follow the one before it: %+v", e.Seq, e)
		}
	}
	if v := verify(t, l); v.Entries != 4 {
		t.Errorf("verified %+v", v)
	}
}

func TestEmptyTrailIsWhole(t *testing.T) {
	if v := verify(t, open(t, redistest.Start(t))); v != (audit.Verified{}) {
		t.Errorf("verified %+v", v)
	}
}

func TestSeveralProcessesAppendToOneChain(t *testing.T) {
	c := redistest.Start(t)
	const logs, writers, each = 3, 8, 20
	var wg sync.WaitGroup
	for range logs {
		l := open(t, c)
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := l.Append(t.Context(), viewed(fmt.Sprintf("p%d-%d", w, i)), viewed("shared")); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	l := open(t, c)
	if v := verify(t, l); v.Entries != logs*writers*each*2 {
		t.Errorf("%d entries are in the chain, %d were appended", v.Entries, logs*writers*each*2)
	}
	p, err := l.Read(t.Context(), audit.Query{Object: "person", ObjectID: "shared"})
	if err != nil || len(p.Entries) != logs*writers*each {
		t.Errorf("read %d of one object, %v", len(p.Entries), err)
	}
}

// Each case does to Redis what somebody with its password could.
func TestVerifyNamesTheFirstEntryTamperedWith(t *testing.T) {
	const entries, head = "{audit:test}:entries", "{audit:test}:head"
	// take removes an entry and returns what it held.
	take := func(t *testing.T, c *redis.Client, n string) map[string]any {
		m, err := c.XRange(t.Context(), entries, n+"-0", n+"-0").Result()
		if err != nil || len(m) != 1 {
			t.Fatalf("entry %s: %v, %v", n, m, err)
		}
		if err := c.XDel(t.Context(), entries, n+"-0").Err(); err != nil {
			t.Fatal(err)
		}
		return m[0].Values
	}
	// rewrite makes the stream anew, with each entry changed by f.
	rewrite := func(t *testing.T, c *redis.Client, f func(n int, v map[string]any)) {
		all, err := c.XRange(t.Context(), entries, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		c.Del(t.Context(), entries)
		for i, m := range all {
			f(i+1, m.Values)
			if err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, ID: m.ID, Values: m.Values}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		tamper func(t *testing.T, c *redis.Client)
		kind   audit.FaultKind
		seq    uint64
	}{
		"a value changed": {func(t *testing.T, c *redis.Client) {
			rewrite(t, c, func(n int, v map[string]any) {
				if n == 4 {
					v["e"] = strings.Replace(v["e"].(string), "p4", "p9", 1)
				}
			})
		}, audit.Changed, 4},
		"a value and its hash changed": {func(t *testing.T, c *redis.Client) {
			rewrite(t, c, func(n int, v map[string]any) {
				if n == 4 {
					v["e"] = strings.Replace(v["e"].(string), "p4", "p9", 1)
					v["h"] = audit.Sum([]byte(v["e"].(string)))
				}
			})
		}, audit.Changed, 5},
		"one taken out":       {func(t *testing.T, c *redis.Client) { take(t, c, "6") }, audit.Missing, 6},
		"the first taken out": {func(t *testing.T, c *redis.Client) { take(t, c, "1") }, audit.Missing, 1},
		"two exchanged": {func(t *testing.T, c *redis.Client) {
			var third, fourth map[string]any
			rewrite(t, c, func(n int, v map[string]any) {
				switch n {
				case 3:
					third = map[string]any{"e": v["e"], "h": v["h"]}
				case 4:
					fourth = map[string]any{"e": v["e"], "h": v["h"]}
				}
			})
			rewrite(t, c, func(n int, v map[string]any) {
				switch n {
				case 3:
					v["e"], v["h"] = fourth["e"], fourth["h"]
				case 4:
					v["e"], v["h"] = third["e"], third["h"]
				}
			})
		}, audit.Reordered, 3},
		"the newest taken out": {func(t *testing.T, c *redis.Client) { take(t, c, "10") }, audit.Truncated, 10},
		"all taken out":        {func(t *testing.T, c *redis.Client) { c.Del(t.Context(), entries) }, audit.Truncated, 1},
		"one slipped in after the end": {func(t *testing.T, c *redis.Client) {
			c.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, ID: "11-0", Values: map[string]any{"e": "{}", "h": ""}})
		}, audit.Foreign, 11},
		"one slipped in between": {func(t *testing.T, c *redis.Client) {
			all, _ := c.XRange(t.Context(), entries, "-", "+").Result()
			c.Del(t.Context(), entries)
			for _, m := range all {
				c.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, ID: m.ID, Values: m.Values})
				if m.ID == "7-0" {
					c.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, ID: "7-1", Values: m.Values})
				}
			}
		}, audit.Foreign, 8},
		"the head changed": {func(t *testing.T, c *redis.Client) {
			c.HSet(t.Context(), head, "hash", strings.Repeat("0", 64))
		}, audit.Changed, 10},
		"an entry that cannot be read": {func(t *testing.T, c *redis.Client) {
			rewrite(t, c, func(n int, v map[string]any) {
				if n == 2 {
					v["e"], v["h"] = "nothing", audit.Sum([]byte("nothing"))
				}
			})
		}, audit.Changed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			client := redistest.Start(t)
			l := open(t, client)
			fill(t, l, 10)
			verify(t, l)
			c.tamper(t, client)
			_, err := l.Verify(t.Context())
			var f *audit.Fault
			if !errors.Is(err, audit.ErrBroken) || !errors.As(err, &f) {
				t.Fatalf("Verify says %v", err)
			}
			if f.Kind != c.kind || f.Seq != c.seq {
				t.Errorf("Verify says %s %d (%v), want %s %d", f.Kind, f.Seq, f, c.kind, c.seq)
			}
		})
	}
}

// Whoever takes off the newest entries and sets the head back leaves a chain that
// agrees with itself. Only an anchor kept elsewhere tells.
func TestAnAnchorProvesThatTheEndWasCutOffOrWrittenAnew(t *testing.T) {
	c := redistest.Start(t)
	file, err := audit.OpenAnchors(filepath.Join(t.TempDir(), "anchors"))
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, c, audit.AnchorTo(func(a audit.Anchor) {
		if err := file.Add(a); err != nil {
			t.Error(err)
		}
	}, 4))
	fill(t, l, 7)
	before, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, 3)
	if _, err := l.Mark(t.Context()); err != nil {
		t.Fatal(err)
	}
	anchors, err := file.Read()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(anchors); n != 3 || anchors[0].Seq != 4 || anchors[1].Seq != 8 || anchors[2].Seq != 10 {
		t.Fatalf("anchors = %v, want entries 4, 8 and 10", anchors)
	}
	if v := verify(t, l, anchors...); v.Anchored != 10 {
		t.Errorf("verified up to the anchor at %d, want 10", v.Anchored)
	}

	for _, n := range []string{"8-0", "9-0", "10-0"} {
		c.XDel(t.Context(), "{audit:test}:entries", n)
	}
	c.HSet(t.Context(), "{audit:test}:head", "seq", before.Seq, "hash", before.Hash)
	verify(t, l) // agrees with itself
	var f *audit.Fault
	if _, err := l.Verify(t.Context(), anchors...); !errors.As(err, &f) || f.Kind != audit.Truncated || f.Seq != 8 {
		t.Errorf("Verify against the anchors says %v, want truncated at 8", err)
	}
	// The XDELs keep the stream from taking the same numbers again; a copy does not.
	all, _ := c.XRange(t.Context(), "{audit:test}:entries", "-", "+").Result()
	c.Del(t.Context(), "{audit:test}:entries")
	for _, m := range all {
		c.XAdd(t.Context(), &redis.XAddArgs{Stream: "{audit:test}:entries", ID: m.ID, Values: m.Values})
	}
	fill(t, open(t, c), 3)
	verify(t, l)
	if _, err := l.Verify(t.Context(), anchors...); !errors.As(err, &f) || f.Kind != audit.Changed || f.Seq != 8 {
		t.Errorf("Verify of a tail written anew says %v, want changed at 8", err)
	}
}

func TestReadNarrows(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	l := open(t, redistest.Start(t), audit.Clock(func() time.Time { return now }))
	put := func(actor string, op audit.Operation, object, id string) {
		t.Helper()
		err := l.Append(audit.With(t.Context(), audit.Actor{ID: actor}), audit.Entry{Operation: op, Object: object, ObjectID: id})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("h1", audit.Consult, "person", "p1")
	put("h2", audit.Alter, "person", "p1")
	put("h1", audit.Alter, "report", "r1")
	now = now.Add(time.Hour)
	put("h1", audit.Erase, "person", "p1")
	put("h2", audit.Consult, "report", "r1")
	hour := contact.At(now)
	for name, c := range map[string]struct {
		q    audit.Query
		want []uint64
	}{
		"by object":           {audit.Query{Object: "person", ObjectID: "p1"}, []uint64{4, 2, 1}},
		"by actor":            {audit.Query{Actor: "h1"}, []uint64{4, 3, 1}},
		"by operation":        {audit.Query{Operation: audit.Alter}, []uint64{3, 2}},
		"by kind":             {audit.Query{Object: "report"}, []uint64{5, 3}},
		"from":                {audit.Query{From: hour, Object: "person"}, []uint64{4}},
		"to":                  {audit.Query{To: hour}, []uint64{3, 2, 1}},
		"several":             {audit.Query{Actor: "h1", Object: "person", ObjectID: "p1", Operation: audit.Erase}, []uint64{4}},
		"nothing of the sort": {audit.Query{Object: "person", ObjectID: "p9"}, nil},
		"before":              {audit.Query{Before: 3}, []uint64{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := l.Read(audit.With(t.Context(), audit.Actor{ID: "reader"}), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, e := range p.Entries {
				got = append(got, e.Seq)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
	// Pages join without gap or overlap, by list and by scan.
	for _, q := range []audit.Query{{Actor: "h1", Limit: 1}, {Operation: audit.Alter, Limit: 1}} {
		var got []uint64
		for range 10 {
			p, err := l.Read(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Entries {
				got = append(got, e.Seq)
			}
			if q.Before = p.Next; q.Before == 0 {
				break
			}
		}
		want := []uint64{4, 3, 1}
		if q.Actor == "" {
			want = []uint64{3, 2}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %+v (-want +got):\n%s", q, diff)
		}
	}
	p, err := l.Read(t.Context(), audit.Query{Object: "audit", Actor: "reader"})
	if err != nil || len(p.Entries) != 9 {
		t.Errorf("%d of 9 readings are on the trail, %v", len(p.Entries), err)
	}
}

func TestNothingIsReadWhenTheReadingCannotBeAudited(t *testing.T) {
	s := redistest.New(t)
	c := s.Client()
	l := open(t, c)
	fill(t, l, 2)
	// Redis answers reads and refuses writes, as with a full disk.
	if err := c.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if p, err := l.Read(t.Context(), audit.Query{}); err == nil || len(p.Entries) > 0 {
		t.Errorf("read %d entries, %v", len(p.Entries), err)
	}
}

func TestValuesAreRefused(t *testing.T) {
	l := open(t, redistest.Start(t))
	for field, e := range map[string]audit.Entry{
		"operation": {Object: "person"},
		"object":    {Operation: audit.Consult, Object: "somebody@example.org"},
		"object_id": {Operation: audit.Consult, Object: "person", ObjectID: "somebody@example.org"},
		"fields":    {Operation: audit.Alter, Object: "person", Fields: []string{"numbers", "07700 900123"}},
		"purpose":   {Operation: audit.Disclose, Object: "person", Purpose: strings.Repeat("x", 1001)},
	} {
		if err := l.Append(t.Context(), e); !errors.Is(err, audit.ErrInvalid) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if v := verify(t, l); v.Entries != 0 {
		t.Errorf("%d entries were kept", v.Entries)
	}
}

// A try whose answer is lost is repeated, and must not be appended twice; after a
// crash of Redis the chain goes on.
func TestAppendSurvivesRedisStoppingAndStarting(t *testing.T) {
	s := redistest.New(t)
	l := open(t, s.Client())
	fill(t, l, 2)
	stop := make(chan struct{})
	var kept []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			id := fmt.Sprint("k", i)
			if err := l.Append(context.Background(), viewed(id)); err == nil {
				kept = append(kept, id)
			}
		}
	})
	for range 3 {
		s.Kill()
		s.Start()
	}
	close(stop)
	wg.Wait()
	fill(t, l, 1)
	verify(t, l)
	seen := map[string]int{}
	for q := (audit.Query{Actor: "system"}); ; {
		p, err := l.Read(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Entries {
			seen[e.ObjectID]++
		}
		if q.Before = p.Next; q.Before == 0 {
			break
		}
	}
	for _, id := range kept {
		if seen[id] != 1 {
			t.Errorf("%s was acknowledged and is on the trail %d times", id, seen[id])
		}
	}
}

func TestACallerWhoGivesUpIsToldTheTruth(t *testing.T) {
	l := open(t, redistest.Start(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := l.Append(ctx, viewed("p1"))
	fill(t, l, 1)
	p, readErr := l.Read(t.Context(), audit.Query{Object: "person", ObjectID: "p1"})
	if readErr != nil {
		t.Fatal(readErr)
	}
	want := 1
	if err == nil {
		want = 2
	}
	if len(p.Entries) != want {
		t.Errorf("Append said %v, and %d entries are kept", err, len(p.Entries))
	}
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, redistest.Start(b))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Append(context.Background(), viewed("p1")); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	l := open(b, redistest.Start(b))
	es := make([]audit.Entry, audit.AppendLimit)
	for i := range es {
		es[i] = viewed("p1")
	}
	for range 20 {
		if err := l.Append(b.Context(), es...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		verify(b, l)
	}
	b.ReportMetric(20*audit.AppendLimit*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
