package crm_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/sample"
	"example.org/c3i/crm/search"
)

// filling is a store with a real index on a Redis of its own.
type filling struct {
	*crm.Store
	redis *redis.Client
	index *search.Index
}

func newFilling(t *testing.T, secret string) filling {
	t.Helper()
	c := redistest.Start(t)
	if secret != "" {
		if err := c.Set(t.Context(), "{crm}:secret", secret, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	x, err := search.Open(t.Context(), search.Options{Redis: c, Region: "GB"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB", Search: crm.Found{Index: x}, Now: start.Time})
	if err != nil {
		t.Fatal(err)
	}
	return filling{s, c, x}
}

func (f filling) secret(t *testing.T) string {
	t.Helper()
	s, err := f.redis.Get(t.Context(), "{crm}:secret").Result()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kept is all that Redis has, without the notes of what is owed, how often a
// record was changed, and fields that say nothing.
func (f filling) kept(t *testing.T) map[string]any {
	t.Helper()
	ctx := t.Context()
	must := func(v any, err error) any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	version := regexp.MustCompile(`^\d+ `)
	out := map[string]any{}
	for _, k := range must(f.redis.Keys(ctx, "*").Result()).([]string) {
		switch kind := must(f.redis.Type(ctx, k).Result()); kind {
		case "string":
			out[k] = must(f.redis.Get(ctx, k).Result())
		case "hash":
			h := must(f.redis.HGetAll(ctx, k).Result()).(map[string]string)
			delete(h, "v")
			maps.DeleteFunc(h, func(_, v string) bool { return v == "" })
			if strings.HasSuffix(k, ":entries") {
				for field, v := range h {
					h[field] = version.ReplaceAllString(v, "")
				}
			}
			out[k] = h
		case "zset":
			out[k] = must(f.redis.ZRangeWithScores(ctx, k, 0, -1).Result())
		default:
			t.Fatalf("%s is a %s", k, kind)
		}
	}
	delete(out, "{crm}:owed")
	return out
}

func same(t *testing.T, want, got map[string]any) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
		t.Errorf("keys (-one by one +filled in):\n%s", cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))))
	}
	for k, v := range want {
		if diff := cmp.Diff(v, got[k]); got[k] != nil && diff != "" {
			t.Errorf("%s (-one by one +filled in):\n%s", k, diff)
		}
	}
}

// What is filled in is byte for byte what saving people one by one makes, in the
// CRM and in the index.
func TestFilledPeopleAreWhatSavingThemMakes(t *testing.T) {
	w := sample.New(sample.Options{Seed: 9, People: 300, Now: start})
	one := newFilling(t, "")
	var people []crm.Person
	for i := range w.People() {
		p := w.Person(i)
		p.Changed = 0
		p.Restricted = i%50 == 0
		p, err := one.SavePerson(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, p)
	}
	many := newFilling(t, one.secret(t))
	if err := many.FillPeople(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	same(t, one.kept(t), many.kept(t))
}

// A contact filled in is what one makes that arrives, is taken and is closed.
func TestFilledContactsAreWhatTakingThemMakes(t *testing.T) {
	ctx := t.Context()
	one := newFilling(t, "")
	p, err := one.SavePerson(ctx, crm.Person{Name: "Ada Green", Numbers: []string{"+442079460101"}, Language: "pl"})
	if err != nil {
		t.Fatal(err)
	}
	var records []crm.Record
	for i, number := range []string{"+442079460101", "+442079460102", ""} {
		id := contact.ID(fmt.Sprintf("01JZZZZZZZZZZZZZZZZZZZZZZ%d", i))
		at := start.Add(-contact.Duration(10-i) * contact.Hour)
		a := crm.Arrival{ID: id, Channel: contact.Phone, At: at, Caller: contact.Caller{Number: number, CLI: contact.CLIPresented, Dialled: "101"}}
		if number == "" {
			a.Caller.CLI = contact.CLIWithheld
		}
		if _, err := one.Identify(ctx, a); err != nil {
			t.Fatal(err)
		}
		if _, err := one.SaveNote(ctx, id, 0, "A bicycle was taken.", "ann"); err != nil {
			t.Fatal(err)
		}
		err := one.Ended(ctx, crm.Ending{ID: id, Queue: "crime", Handler: "ann", Answered: at.Add(contact.Minute), At: at.Add(2 * contact.Minute), Ending: contact.Answered})
		if err != nil {
			t.Fatal(err)
		}
		if err := one.Close(ctx, id, contact.Outcome{Code: "advice_given"}, "ann"); err != nil {
			t.Fatal(err)
		}
		r, err := one.Record(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	many := newFilling(t, one.secret(t))
	if err := many.FillPeople(ctx, []crm.Person{p}); err != nil {
		t.Fatal(err)
	}
	if err := many.FillContacts(ctx, records); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if got, err := many.Record(ctx, r.ID); err != nil || cmp.Diff(r, got) != "" {
			t.Errorf("read as (-one by one +filled in) %v:\n%s", err, cmp.Diff(r, got))
		}
	}
	// Documents of one that changed have other numbers, and are found the same.
	for _, text := range []string{"bicycle", "0102", "020 7946 0101", "taken"} {
		var found [2][]search.Hit
		for i, f := range []filling{one, many} {
			res, err := f.index.Query(ctx, search.Query{Text: text, Kinds: []search.Kind{search.Contact}})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range res.Hits {
				h.Version = 0
				found[i] = append(found[i], h)
			}
		}
		if len(found[0]) == 0 {
			t.Errorf("%s finds nothing", text)
		}
		if diff := cmp.Diff(found[0], found[1]); diff != "" {
			t.Errorf("%s finds (-one by one +filled in):\n%s", text, diff)
		}
	}
	before, after := one.kept(t), many.kept(t)
	for _, kept := range []map[string]any{before, after} {
		maps.DeleteFunc(kept, func(k string, _ any) bool { return strings.HasPrefix(k, "s:c:") })
	}
	same(t, before, after)
}
