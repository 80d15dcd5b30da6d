package search_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/search"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact"}})
}

// patient queries are not cut short on a busy machine.
const patient = time.Minute

func open(t testing.TB) (*search.Index, *redis.Client) {
	t.Helper()
	c := redistest.Start(t)
	x, err := search.Open(t.Context(), search.Options{Redis: c, Region: "GB", Within: patient})
	if err != nil {
		t.Fatal(err)
	}
	return x, c
}

func put(t testing.TB, x *search.Index, ds ...search.Doc) {
	t.Helper()
	for _, d := range ds {
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func query(t testing.TB, x *search.Index, q search.Query) search.Results {
	t.Helper()
	r, err := x.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found lists the ids a text finds, best first.
func found(t testing.TB, x *search.Index, text string) []string {
	t.Helper()
	out := []string{}
	for _, h := range query(t, x, search.Query{Text: text}).Hits {
		out = append(out, h.ID)
	}
	return out
}

func at(n int) contact.Instant { return contact.Instant(n) * contact.Instant(contact.Hour) }

// town is a small index with one of everything.
func town(t testing.TB) (*search.Index, *redis.Client) {
	t.Helper()
	x, c := open(t)
	put(
		t, x,
		search.Doc{
			Kind: search.Person, ID: "smith", When: at(1), Names: []string{"John Smith"}, Numbers: []string{"+442079460018"},
			Emails: []string{"john.smith@example.org"}, Postcodes: []string{"ZZ1 2AB"},
		},
		search.Doc{Kind: search.Person, ID: "smyth", When: at(2), Names: []string{"Joanna Smyth"}, Numbers: []string{"+447700900123"}},
		search.Doc{Kind: search.Person, ID: "smithson", When: at(3), Names: []string{"Johanna Smithson"}},
		search.Doc{Kind: search.Person, ID: "oneill", When: at(4), Names: []string{"Aoife O’Neill"}, Emails: []string{"a.oneill@example.com"}},
		search.Doc{Kind: search.Person, ID: "wojcik", When: at(5), Names: []string{"Łukasz Wójcik"}},
		search.Doc{Kind: search.Person, ID: "bengali", When: at(6), Names: []string{"রহিমা বেগম"}},
		search.Doc{
			Kind: search.Report, ID: "bike", When: at(7), Refs: []string{"7K3M-92QX-R", "0001234/26", "KDA-TRM-HXB"}, Vehicles: []string{"AB12 CDE"},
			Uniques: []string{"WBK-0098-7766"}, Postcodes: []string{"ZZ1 2AB"}, Text: "A red bicycle was stolen from the station by John",
		},
		search.Doc{Kind: search.Contact, ID: "call", When: at(8), Numbers: []string{"+442079460018"}, Text: "Rang about the bicycles at the station"},
	)
	return x, c
}

func TestWhatFindsWhat(t *testing.T) {
	x, _ := town(t)
	for text, want := range map[string][]string{
		// Names: whole, begun, as they sound, in any order, without their marks.
		"smith":        {"smith", "smithson", "smyth"},
		"smi":          {"smithson", "smith"},
		"john smith":   {"smith", "smithson", "smyth"},
		"smith john":   {"smith", "smyth"}, // Joanna sounds like it
		"smyth ":       {"smyth", "smith"},
		"o'neill":      {"oneill"},
		"ONEILL":       {"oneill"},
		"lukasz":       {"wojcik"},
		"Wójcik":       {"wojcik"},
		"রহি":          {"bengali"},
		"রহিমা বেগম":   {"bengali"},
		"smith nobody": {},
		// Numbers, any way written, and their ends and beginnings.
		"020 7946 0018":      {"call", "smith"},
		"+44 20 7946 0018":   {"call", "smith"},
		"+44 (0)20 79460018": {"call", "smith"},
		"0044 2079460018":    {"call", "smith"},
		"(020) 7946-0018":    {"call", "smith"},
		"0018":               {"call", "smith"},
		"460018":             {"call", "smith"},
		"020 7946":           {"call", "smith"},
		"07700 900123":       {"smyth"},
		"07700 9001":         {"smyth"},
		"07700 900124":       {},
		// Addresses.
		"john.smith@example.org":  {"smith"},
		"John.Smith@Example.ORG":  {"smith"},
		"john.smi":                {"smith", "smithson"},
		"a.oneill@":               {"oneill"},
		"john.smith@example.orgy": {},
		// References, whole and begun, with and without punctuation.
		"7K3M-92QX-R":   {"bike"},
		"7k3m92qxr":     {"bike"},
		"7K3M 92QX R":   {"bike"},
		"7k3m-9":        {"bike"},
		"0001234/26":    {"bike"},
		"7K3M-92QX-A":   {},
		"KDA-TRM-HXB":   {"bike"},
		"kdatrmhxb":     {"bike"},
		"kda trm hxb":   {"bike"},
		"kda-tr":        {"bike"},
		"kda-trm-hxc":   {},
		"AB12 CDE":      {"bike"},
		"ab12cde":       {"bike"},
		"ab12":          {"bike"},
		"WBK-0098-7766": {"bike"},
		"wbk00987766":   {"bike"},
		"zz1 2ab":       {"bike", "smith"},
		"ZZ12AB":        {"bike", "smith"},
		"zz1":           {"bike", "smith"},
		// Words of the narrative, together and with names and values.
		"bicycle":             {"bike", "call"},
		"stolen bicycle":      {"bike"},
		"the bicycle":         {"bike", "call"},
		"bicy":                {"call", "bike"},
		"bicycle zz1 2ab":     {"bike"},
		"smith 020 7946 0018": {"smith"},
		"john":                {"smith", "bike"},
		"stolen 07700 900123": {},
		"":                    {},
		" ":                   {},
		"?!":                  {},
		"j":                   {},
		"the":                 {},
	} {
		got := found(t, x, text)
		if text == "john" {
			got = got[:min(2, len(got))] // names that sound like it follow
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q finds (-want +got):\n%s", text, diff)
		}
	}
}

func TestHitsTellWhatMatched(t *testing.T) {
	x, _ := town(t)
	for text, want := range map[string][]search.Field{
		"smith ": {search.FieldName}, "0018": {search.FieldNumber}, "john.smith@example.org": {search.FieldEmail},
		"ab12cde": {search.FieldVehicle}, "7K3M-92QX-R": {search.FieldRef}, "stolen": {search.FieldText},
		"zz12ab": {search.FieldPostcode}, "wbk00987766": {search.FieldUnique}, "smith 0018": {search.FieldName, search.FieldNumber},
	} {
		r := query(t, x, search.Query{Text: text})
		if len(r.Hits) == 0 {
			t.Errorf("%q finds nothing", text)
			continue
		}
		if diff := cmp.Diff(want, r.Hits[0].Matched); diff != "" {
			t.Errorf("%q matched (-want +got):\n%s", text, diff)
		}
	}
}

func TestKindsLimitAndReadingOn(t *testing.T) {
	x, _ := town(t)
	r := query(t, x, search.Query{Text: "020 7946 0018", Kinds: []search.Kind{search.Person}})
	if len(r.Hits) != 1 || r.Hits[0].ID != "smith" || r.More {
		t.Errorf("people of the number: %+v", r)
	}
	var all []string
	q := search.Query{Text: "smith", Limit: 1}
	for range 5 {
		r = query(t, x, q)
		for _, h := range r.Hits {
			all = append(all, h.ID)
		}
		if r.More != (r.Next != "") {
			t.Errorf("more %v, next %q", r.More, r.Next)
		}
		if q.After = r.Next; q.After == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"smith", "smithson", "smyth"}, all); diff != "" {
		t.Errorf("one by one (-want +got):\n%s", diff)
	}
}

func TestPutReplacesAndDropLeavesNothing(t *testing.T) {
	x, c := open(t)
	keys := func() []string {
		ks, err := c.Keys(t.Context(), "*").Result()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(ks, func(k string) bool { return strings.HasSuffix(k, ":next") })
	}
	d := search.Doc{
		Kind: search.Report, ID: "r1", When: at(1), Names: []string{"Ann Brown"}, Numbers: []string{"+442079460018"},
		Emails: []string{"ann@example.org"}, Uniques: []string{"123456789"}, Text: "a silver watch",
	}
	put(t, x, d, d, d)
	if got := found(t, x, "watch"); len(got) != 1 {
		t.Errorf("put three times, found %v", got)
	}
	d.Names, d.Text = []string{"Ann Green"}, "a golden watch"
	put(t, x, d)
	for text, n := range map[string]int{"brown": 0, "silver": 0, "silv": 0, "green": 1, "golden": 1, "gold": 1, "watch": 1} {
		if got := found(t, x, text); len(got) != n {
			t.Errorf("after the change %q finds %v", text, got)
		}
	}
	if err := x.Drop(t.Context(), search.Report, "r1"); err != nil {
		t.Fatal(err)
	}
	if err := x.Drop(t.Context(), search.Report, "r1"); err != nil {
		t.Fatal(err)
	}
	if left := keys(); len(left) != 0 {
		t.Errorf("keys left: %q", left)
	}
}

func TestAnOlderVersionDoesNotReplaceANewer(t *testing.T) {
	x, _ := open(t)
	put(t, x, search.Doc{Kind: search.Report, ID: "r1", Version: 2, Text: "newer"}, search.Doc{Kind: search.Report, ID: "r1", Version: 1, Text: "older"})
	if got := found(t, x, "newer"); len(got) != 1 {
		t.Error("the newer version is not found")
	}
	if got := found(t, x, "older"); len(got) != 0 {
		t.Error("the older version is found")
	}
}

func TestARestrictedRecordMatchesWithoutSayingMore(t *testing.T) {
	x, _ := open(t)
	put(t, x, search.Doc{
		Kind: search.Person, ID: "p1", When: at(1), Names: []string{"Secret Person"}, Numbers: []string{"+442079460018"}, Restricted: true,
		Person: "p1", Postcodes: []string{"ZZ1 2AB"},
	})
	want := []search.Hit{{Doc: search.Doc{Kind: search.Person, ID: "p1", Restricted: true}}}
	r := query(t, x, search.Query{Text: "020 7946 0018"})
	if diff := cmp.Diff(want, r.Hits); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

func TestSeveralProcessesPutTheSameAndOthers(t *testing.T) {
	x, c := open(t)
	y, err := search.Open(t.Context(), search.Options{Redis: c, Region: "GB", Within: patient})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 30 {
				d := search.Doc{Kind: search.Report, ID: fmt.Sprint("r", i%5), Text: fmt.Sprintf("common word%d writer%d", i, w)}
				if err := []*search.Index{x, y}[w%2].Put(t.Context(), d); err != nil {
					t.Error(err)
				}
				own := search.Doc{Kind: search.Report, ID: fmt.Sprintf("own%d-%d", w, i), Text: "common"}
				if err := x.Put(t.Context(), own); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := query(t, x, search.Query{Text: "own", Limit: 100}); len(got.Hits) != 0 {
		t.Errorf("ids are not text: %v", got.Hits)
	}
	ids := map[string]int{}
	q := search.Query{Text: "common ", Limit: 100}
	for {
		r := query(t, x, q)
		for _, h := range r.Hits {
			ids[h.ID]++
		}
		if q.After = r.Next; q.After == "" {
			break
		}
	}
	if len(ids) != 185 {
		t.Errorf("%d documents are found, 185 were put", len(ids))
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%s is found %d times", id, n)
		}
	}
	for id := range ids {
		if err := y.Drop(t.Context(), search.Report, id); err != nil {
			t.Fatal(err)
		}
	}
	left, err := c.Keys(t.Context(), "*").Result()
	if err != nil || len(left) != 1 {
		t.Errorf("keys left: %q, %v", left, err)
	}
}

// The clever index against looking at every document.
func TestAgreesWithLookingAtEverything(t *testing.T) {
	x, _ := open(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	vocabulary := strings.Fields("red blue green bicycle station window broken stolen watch phone street market garden night morning")
	type plain struct {
		id    string
		words []string
	}
	live := map[string]plain{}
	var fresh []search.Doc
	const n = 12_000 // long lists: longer than the first window
	for i := range n {
		p := plain{id: fmt.Sprintf("d%05d", i)}
		for range 4 {
			p.words = append(p.words, vocabulary[r.IntN(len(vocabulary))])
		}
		if i == 17 || i == n-17 {
			p.words = append(p.words, "zebra")
		}
		live[p.id] = p
		fresh = append(fresh, search.Doc{Kind: search.Contact, ID: p.id, When: at(i), Text: strings.Join(append(p.words, "everywhere"), " ")})
		if len(fresh) == search.BatchLimit {
			if err := x.Fill(t.Context(), fresh); err != nil {
				t.Fatal(err)
			}
			fresh = nil
		}
	}
	for range 300 {
		id := fmt.Sprintf("d%05d", r.IntN(n))
		if id == "d00017" {
			continue
		}
		if r.IntN(2) == 0 {
			delete(live, id)
			if err := x.Drop(t.Context(), search.Contact, id); err != nil {
				t.Fatal(err)
			}
			continue
		}
		p := plain{id: id, words: []string{"garden", "changed"}}
		live[id] = p
		put(t, x, search.Doc{Kind: search.Contact, ID: id, Text: "garden changed everywhere"})
	}
	for range 60 {
		ask := []string{vocabulary[r.IntN(len(vocabulary))], vocabulary[r.IntN(len(vocabulary))], vocabulary[r.IntN(len(vocabulary))]}
		want := map[string]bool{}
		for _, p := range live {
			if slices.Contains(p.words, ask[0]) && slices.Contains(p.words, ask[1]) && slices.Contains(p.words, ask[2]) {
				want[p.id] = true
			}
		}
		q := search.Query{Text: "everywhere " + strings.Join(ask, " ") + " ", Limit: search.LimitMost}
		got := map[string]bool{}
		for {
			res := query(t, x, q)
			for _, h := range res.Hits {
				if !want[h.ID] || got[h.ID] {
					t.Fatalf("%q finds %s wrongly or twice", q.Text, h.ID)
				}
				got[h.ID] = true
			}
			if q.After = res.Next; q.After == "" {
				break
			}
		}
		if len(got) != min(len(want), search.DeepLimit) {
			t.Errorf("%q finds %d of %d", q.Text, len(got), len(want))
		}
	}
	// A rare word far from the newest end of a common one's list.
	if got := found(t, x, "everywhere zebra "); !slices.Contains(got, "d00017") {
		t.Errorf("the old document is not found: %v", got)
	}
}

func TestHostileQueriesAreBounded(t *testing.T) {
	x, _ := town(t)
	for _, text := range []string{
		strings.Repeat("a ", 100_000), strings.Repeat("smith ", 10_000), strings.Repeat("9", 100_000), "\xff\xfe\x00", "* OR 1=1", "[a TO z]",
		strings.Repeat("\u0301", 5000), "🚲🚲🚲🚲", "{s}:p:next", strings.Repeat("a@", 5000), "+", "-/-/-", "\u202e\u0000",
	} {
		if _, err := x.Query(t.Context(), search.Query{Text: text, Limit: 1 << 30}); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for field, q := range map[string]search.Query{
		"kinds": {Text: "smith", Kinds: []search.Kind{"house"}}, "after": {Text: "smith", After: "-1"},
	} {
		if _, err := x.Query(t.Context(), q); !errors.Is(err, search.ErrInvalid) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, d := range map[string]search.Doc{"kind": {ID: "x"}, "id": {Kind: search.Person}} {
		if err := x.Put(t.Context(), d); !errors.Is(err, search.ErrInvalid) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
