package crm_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

func TestTheFourPlusOneRules(t *testing.T) {
	for name, code := range map[string]string{
		"": "", "Ada": "", "Mary Ann": "", "O'Neill": "", "O\u2019Neill": "", "Smith-Jones": "", "Łukasz": "", "বাবুল": "", "Master": "", "Lord": "",
		"Mr Green": "title", "Mrs": "title", "Dr Ada": "title", "unknown": "placeholder", "N/A": "placeholder", "-": "placeholder", "Not Known": "placeholder",
		"Ada2": "letters", "Green (work)": "letters", "Green & Sons": "letters", strings.Repeat("a", 101): "too_long",
	} {
		if got := crm.CheckName(name); got != code {
			t.Errorf("name %q is refused with %q, want %q", name, got, code)
		}
	}
	w := newWorld(t) // today is 2 March 2026
	for born, code := range map[string]string{
		"1980-02-29": "", "2026-03-01": "", "1905-03-03": "", "2026-03-02": "future", "2027-01-01": "future", "1905-03-02": "too_old",
		"1981-02-29": "form", "1/2/1980": "form",
	} {
		_, err := w.SavePerson(t.Context(), crm.Person{Name: "x", DateOfBirth: born})
		if codes(err)["date_of_birth"] != code {
			t.Errorf("born %s: %v, want %q", born, err, code)
		}
	}
	_, err := w.SavePerson(t.Context(), crm.Person{
		GivenName: "Mr Ada", Surname: "tbc", DateOfBirth: "2030-01-01", Gender: "yes", Emails: []string{"ada at example"},
		Addresses: []crm.Place{{Postcode: "XX"}}, Safe: crm.SafeContact{Rule: "often", Methods: []string{"pigeon"}},
	})
	want := map[string]string{
		"given_name": "title", "surname": "placeholder", "date_of_birth": "future", "gender": "choice", "emails[0]": "form",
		"addresses[0].postcode": "form", "safe.rule": "choice", "safe.methods": "choice",
	}
	if diff := cmp.Diff(want, codes(err)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	p := w.person(crm.Person{GivenName: " Ada ", Surname: "O\u2019Neill", Emails: []string{"Ada@Example.ORG", "ada@example.org"}})
	if p.Name != "Ada O'Neill" || !slices.Equal(p.Emails, []string{"ada@example.org"}) {
		t.Errorf("kept as %+v", p)
	}
	if diff := cmp.Diff([]string{"date_of_birth", "gender"}, p.FourPlusOne()); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if age := (crm.Person{DateOfBirth: "1980-03-03"}).Age(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)); age != 45 {
		t.Errorf("age on the day before the birthday = %d", age)
	}
}

func TestPostcodes(t *testing.T) {
	for typed, want := range map[string]string{
		"sw1a1aa": "SW1A 1AA", "M1 1AE": "M1 1AE", "B33 8TH": "B33 8TH", "CR2-6XH": "CR2 6XH", "dn55 1pt": "DN55 1PT", "EC1A 1BB": "EC1A 1BB", "gir 0aa": "GIR 0AA",
		"W1A 0AX": "W1A 0AX", "": "", "SW1A": "", "SW1A 1A": "", "Q1 1AA": "", "SW1A 1CA": "", "ABCDE": "", "12345": "",
	} {
		if got, ok := crm.CanonicalPostcode(typed); got != want || ok != (want != "") {
			t.Errorf("CanonicalPostcode(%q) = %q, %v; want %q", typed, got, ok, want)
		}
	}
}

func TestNamesThatSoundAlike(t *testing.T) {
	for _, alike := range [][]string{
		{"Smith", "Smyth", "Smithe"},
		{"Clark", "Clarke"},
		{"Stephen", "Steven"},
		{"Philip", "Phillip", "Filip"},
		{"Catherine", "Katherine", "Kathryn"},
		{"Mohammed", "Muhammad", "Mohamed"},
		{"MacDonald", "McDonald"},
		{"Knight", "Night"},
		{"Łukasz", "Lukasz"},
		{"O'Neill", "ONeil"},
		{"Schmidt", "Shmidt"},
		{"Wright", "Right"},
		{"Reece", "Rhys"},
	} {
		for _, other := range alike[1:] {
			if crm.Sound(alike[0]) != crm.Sound(other) {
				t.Errorf("%s sounds %q, %s %q", alike[0], crm.Sound(alike[0]), other, crm.Sound(other))
			}
		}
	}
	for _, unlike := range [][2]string{{"Green", "Brown"}, {"Ada", "Ben"}, {"Clark", "Clifford"}, {"Smith", "Jones"}} {
		if crm.Sound(unlike[0]) == crm.Sound(unlike[1]) {
			t.Errorf("%s and %s both sound %q", unlike[0], unlike[1], crm.Sound(unlike[0]))
		}
	}
}

func TestPeopleAreFoundAsCertainMaybeOrNew(t *testing.T) {
	w := newWorld(t)
	ada := w.person(crm.Person{
		GivenName: "Ada", Surname: "Smith", DateOfBirth: "1980-01-02", Numbers: []string{"07700 900110"}, Emails: []string{"ada@example.org"},
		Addresses: []crm.Place{{Postcode: "SW1A 1AA"}},
	})
	ben := w.person(crm.Person{GivenName: "Ben", Surname: "Smith", DateOfBirth: "1982-03-04", Numbers: []string{"07700 900110"}})
	namesake := w.person(crm.Person{GivenName: "Ada", Surname: "Smith", DateOfBirth: "1951-05-06"})
	type found struct {
		ID        contact.PersonID
		Certainty string
		Because   string
	}
	for name, c := range map[string]struct {
		clues crm.Clues
		want  []found
	}{
		"name, birth and number": {
			crm.Clues{Given: "ADA", Surname: "smith", DateOfBirth: "1980-01-02", Numbers: []string{"+447700900110"}},
			[]found{
				{ada.ID, crm.Certain, "number name date_of_birth"},
				{namesake.ID, crm.Maybe, "name date_of_birth_differs"},
				{ben.ID, crm.Maybe, "number date_of_birth_differs name_differs"},
			},
		},
		"as it sounds": {
			crm.Clues{Name: "Ada Smyth", DateOfBirth: "1980-01-02"},
			[]found{
				{ada.ID, crm.Maybe, "name_sounds date_of_birth"},
				{namesake.ID, crm.Maybe, "name_sounds date_of_birth_differs"},
			},
		},
		"a shared number": {
			crm.Clues{Numbers: []string{"07700 900110"}},
			[]found{
				{ada.ID, crm.Maybe, "number"},
				{ben.ID, crm.Maybe, "number"},
			},
		},
		"name and e-mail":      {crm.Clues{Name: "Ada Smith", Emails: []string{"ADA@example.org"}}, []found{{ada.ID, crm.Certain, "email name"}, {namesake.ID, crm.Maybe, "name"}}},
		"surname and postcode": {crm.Clues{Surname: "Smith", Postcode: "sw1a 1aa"}, []found{{ada.ID, crm.Maybe, "postcode name_differs"}}},
		"birthday alone":       {crm.Clues{DateOfBirth: "1980-01-02"}, nil},
		"somebody new":         {crm.Clues{Name: "Zoe Quick", DateOfBirth: "1999-09-09", Numbers: []string{"07700 900199"}}, nil},
		"nothing":              {crm.Clues{}, nil},
	} {
		ms, err := w.FindPeople(t.Context(), c.clues)
		w.must(err)
		var got []found
		for _, m := range ms {
			got = append(got, found{m.Person.ID, m.Certainty, strings.Join(m.Because, " ")})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if e := w.trail.last(); e.Operation != audit.Search {
		t.Errorf("a search left %+v on the trail", e)
	}
	// Whoever changes their name or moves is found under the new one only.
	ada.Surname, ada.Addresses = "Jones", nil
	w.person(ada)
	if ms, err := w.FindPeople(t.Context(), crm.Clues{Surname: "Smith", Postcode: "SW1A 1AA"}); err != nil || len(ms) != 0 {
		t.Errorf("found under what they are no longer: %+v, %v", ms, err)
	}
}

func TestRestrictedPeople(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{
		Name: "Ada Green", Numbers: []string{"07700 900111"}, Emails: []string{"ada@example.org"}, Restricted: true, Language: "pl",
		Safe: crm.SafeContact{Rule: "never"},
	})
	w.call("c1", "07700 900111")
	f := w.call("c2", "07700 900111")
	shown := pop(t, w.Store, "c2", f)
	if got := shown.People[0]; got.Name != "" || got.Numbers != nil || got.Language != "pl" || got.Safe.Rule != "never" || len(shown.History) != 0 {
		t.Errorf("a restricted person at the screen-pop = %+v, %d in the history", got, len(shown.History))
	}
	if got, err := w.Pop(w.as("ann", "on the line"), "c2", f); err != nil || got.People[0].Name != "Ada Green" || len(got.History) != 1 {
		t.Errorf("for a reason = %+v, %v", got, err)
	}
	if e := w.trail.last(); e.Operation != audit.BreakGlass {
		t.Errorf("the trail says %+v", e)
	}
	byNumber, err := w.ByNumber(t.Context(), "07700 900111")
	w.must(err)
	byMail, err := w.ByEmail(t.Context(), "Ada@example.org")
	w.must(err)
	if byNumber[0].Name != "" || byMail[0].Name != "" {
		t.Errorf("found as %q and %q", byNumber[0].Name, byMail[0].Name)
	}
	for name, look := range map[string]func() error{
		"person":   func() error { _, err := w.Person(t.Context(), p.ID); return err },
		"timeline": func() error { _, err := w.Timeline(t.Context(), p.ID, 0, 5); return err },
		"history":  func() error { _, err := w.PersonTimeline(t.Context(), p.ID, 0, 5); return err },
		"reports":  func() error { _, err := w.ReportsOf(t.Context(), p.ID); return err },
		"save":     func() error { _, err := w.SavePerson(t.Context(), p); return err },
	} {
		if err := look(); !errors.Is(err, crm.ErrRestricted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMergeBringsEverythingAndSplitTakesItBack(t *testing.T) {
	w := newWorld(t)
	a := w.person(crm.Person{Name: "A. Green", Numbers: []string{"07700 900112"}, Emails: []string{"a@example.org"}, Vulnerable: true, Safe: crm.SafeContact{Rule: "never"}})
	b := w.person(crm.Person{Name: "Ada Green", Numbers: []string{"07700 900113"}})
	w.call("a1", "07700 900112")
	w.wait(contact.Minute)
	w.call("b1", "07700 900113")
	r := w.create(crm.Report{Parties: []crm.Party{victim(a)}}, "")
	before, err := w.Person(t.Context(), b.ID)
	w.must(err)
	w.must(w.MergePeople(w.as("ann", ""), a.ID, b.ID, "same date of birth, told by herself"))
	merged, err := w.Person(t.Context(), b.ID)
	w.must(err)
	if len(merged.Numbers) != 2 || !merged.Vulnerable || merged.Safe.Rule != "never" || len(merged.Merged) != 1 || merged.Merged[0].By != "ann" {
		t.Errorf("merged = %+v", merged)
	}
	if e := w.trail.last(); w.trail.of("person", string(a.ID))[1] != audit.Combine {
		t.Errorf("the trail says %v, last %+v", w.trail.of("person", string(a.ID)), e)
	}
	w.wait(contact.Minute)
	f := w.call("a2", "07700 900112") // the number is b's now
	if f.Person != b.ID || f.OpenReports != 1 || f.Contacts30d != 2 {
		t.Errorf("facts = %+v", f)
	}
	timeline := func(p crm.Person) []contact.ID {
		t.Helper()
		tl, err := w.Timeline(t.Context(), p.ID, 0, 10)
		w.must(err)
		return ids(tl)
	}
	if diff := cmp.Diff([]contact.ID{"a2", "b1", "a1"}, timeline(b)); diff != "" {
		t.Errorf("b's timeline (-want +got):\n%s", diff)
	}
	// A note on an old contact reaches the timeline where it is read.
	if _, err := w.SaveNote(t.Context(), "a1", 0, "late note", "ann"); err != nil {
		t.Fatal(err)
	}
	tl, err := w.Timeline(t.Context(), b.ID, 0, 10)
	w.must(err)
	if tl[2].Note.Text != "late note" {
		t.Errorf("a1 on b's timeline = %+v", tl[2])
	}
	shown := pop(t, w.Store, "a1", contact.Facts{Person: a.ID, Line: f.Line})
	if shown.People[0].ID != b.ID || shown.Record.Person != b.ID || len(shown.Reports) != 1 || len(shown.History) != 2 {
		t.Errorf("a contact of somebody merged shows %+v", shown)
	}

	w.must(w.SplitPerson(w.as("ben", ""), a.ID, "two sisters"))
	after, err := w.Person(t.Context(), b.ID)
	w.must(err)
	after.Changed = before.Changed
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("b after the split (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff([]contact.ID{"a2", "b1"}, timeline(b)); diff != "" {
		t.Errorf("b's timeline after the split (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]contact.ID{"a1"}, timeline(a)); diff != "" {
		t.Errorf("a's timeline after the split (-want +got):\n%s", diff)
	}
	for p, want := range map[contact.PersonID]int{a.ID: 1, b.ID: 0} {
		if rs, err := w.ReportsOf(t.Context(), p); err != nil || len(rs) != want {
			t.Errorf("%s has %d reports, %v; want %d", p, len(rs), err, want)
		}
	}
	if f := w.call("a3", "07700 900112"); f.Person != a.ID {
		t.Errorf("the number leads to %s after the split", f.Person)
	}
	if err := w.SplitPerson(t.Context(), a.ID, "again"); !errors.Is(err, crm.ErrConflict) {
		t.Errorf("splitting who is not merged: %v", err)
	}
	_ = r
}

// Elsewhere two agents who merged the same two cases at once, one each way, closed
// both. Here one of the two is refused.
func TestOfTwoOppositeMergesOneIsRefused(t *testing.T) {
	w := newWorld(t)
	other := w.store(w.redis) // another process
	for round := range 10 {
		a, b := w.person(crm.Person{Name: fmt.Sprint("A", round)}), w.person(crm.Person{Name: fmt.Sprint("B", round)})
		var wg sync.WaitGroup
		var ab, ba error
		wg.Go(func() { ab = w.MergePeople(t.Context(), a.ID, b.ID, "same") })
		wg.Go(func() { ba = other.MergePeople(t.Context(), b.ID, a.ID, "same") })
		wg.Wait()
		if (ab == nil) == (ba == nil) || ab != nil && !errors.Is(ab, crm.ErrConflict) || ba != nil && !errors.Is(ba, crm.ErrConflict) {
			t.Fatalf("a into b: %v; b into a: %v", ab, ba)
		}
		pa, err := w.Person(t.Context(), a.ID)
		w.must(err)
		pb, err := w.Person(t.Context(), b.ID)
		w.must(err)
		if (pa.MergedInto == "") == (pb.MergedInto == "") {
			t.Fatalf("a is merged into %q, b into %q", pa.MergedInto, pb.MergedInto)
		}
	}
}

// Whatever is merged and split in whatever order: everybody ends with what they
// had and what whoever is merged into them has, each number leads to exactly those
// who are not merged, and each contact stands where its person is read.
func TestMergesAndSplitsKeepEverybodysOwn(t *testing.T) {
	w := newWorld(t)
	// Each case is some hundred writes, and Redis syncs every one.
	was := flag.Lookup("rapid.checks").Value.String()
	w.must(flag.Set("rapid.checks", "25"))
	defer func() { _ = flag.Set("rapid.checks", was) }()
	n := 0
	open := w.as("ann", "test")
	rapid.Check(t, func(rt *rapid.T) {
		n++
		const people = 4
		var ps []crm.Person
		for i := range people {
			number := fmt.Sprintf("+4420794%02d%03d", 60+i, n)
			p := w.person(crm.Person{
				Name: fmt.Sprint("P", i), Numbers: []string{number, fmt.Sprintf("+442079469%03d", n)}[:1+i%2], Restricted: rapid.Bool().Draw(rt, "restricted"),
				Needs: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"bsl", "large_print"}), rapid.ID).Draw(rt, "needs"),
				Safe: crm.SafeContact{
					Rule:    rapid.SampledFrom([]string{"", "any", "limited", "limited", "never"}).Draw(rt, "rule"),
					Methods: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"phone", "email", "post"}), rapid.ID).Draw(rt, "methods"),
				},
			})
			ps = append(ps, p)
			w.call(contact.ID(fmt.Sprintf("n%d-%d", n, i)), number)
		}
		into := map[int]int{}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			a, b := rapid.IntRange(0, people-1).Draw(rt, "from"), rapid.IntRange(0, people-1).Draw(rt, "into")
			_, aMerged := into[a]
			_, bMerged := into[b]
			if rapid.Bool().Draw(rt, "split") {
				err := w.SplitPerson(open, ps[a].ID, "no")
				if (err == nil) != aMerged {
					rt.Fatalf("split %d: %v, merged %v", a, err, aMerged)
				}
				delete(into, a)
				continue
			}
			err := w.MergePeople(open, ps[a].ID, ps[b].ID, "yes")
			already := aMerged && into[a] == b && a != b
			if (err == nil) != (a != b && !aMerged && !bMerged || already) {
				rt.Fatalf("merge %d into %d: %v with %v", a, b, err, into)
			}
			if err == nil {
				into[a] = b
			}
		}
		root := func(i int) int {
			for {
				next, ok := into[i]
				if !ok {
					return i
				}
				i = next
			}
		}
		rules := []string{"", "any", "limited", "never"}
		for i, was := range ps {
			got, err := w.Person(open, was.ID)
			if err != nil {
				rt.Fatal(err)
			}
			want := map[string]bool{}
			restricted, needs, rule, methods := false, map[string]bool{}, "", []string{"phone", "email", "post"}
			for j := range ps {
				for at := j; ; at = into[at] {
					if at == i {
						restricted = restricted || ps[j].Restricted
						for _, n := range ps[j].Needs {
							needs[n] = true
						}
						rule = rules[max(slices.Index(rules, rule), slices.Index(rules, ps[j].Safe.Rule))]
						if ps[j].Safe.Rule == "limited" {
							methods = slices.DeleteFunc(methods, func(m string) bool { return !slices.Contains(ps[j].Safe.Methods, m) })
						}
						for _, num := range ps[j].Numbers {
							want[num] = true
						}
					}
					if _, ok := into[at]; !ok {
						break
					}
				}
			}
			if len(got.Numbers) != len(want) || slices.ContainsFunc(got.Numbers, func(n string) bool { return !want[n] }) {
				rt.Fatalf("person %d has %v, want %v with %v", i, got.Numbers, want, into)
			}
			if got.Restricted != restricted || len(got.Needs) != len(needs) || got.Safe.Rule != rule || rule == "limited" && len(got.Safe.Methods) != len(methods) {
				rt.Fatalf("person %d is %+v; want restricted %v, needs %v, rule %q by %v with %v", i, got, restricted, needs, rule, methods, into)
			}
			if _, err := w.Person(t.Context(), was.ID); errors.Is(err, crm.ErrRestricted) != (restricted || ps[i].Restricted || func() bool {
				top, err := w.Person(open, ps[root(i)].ID)
				return err != nil || top.Restricted
			}()) {
				rt.Fatalf("person %d without a reason: %v", i, err)
			}
			tl, err := w.Timeline(open, ps[root(i)].ID, 0, 50)
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.Contains(ids(tl), contact.ID(fmt.Sprintf("n%d-%d", n, i))) {
				rt.Fatalf("the call of %d is not on the timeline of %d: %v", i, root(i), ids(tl))
			}
			if _, merged := into[i]; !merged {
				for j := range ps {
					own := slices.Contains(ids(tl), contact.ID(fmt.Sprintf("n%d-%d", n, j)))
					if root(i) == i && own != (root(j) == i) {
						rt.Fatalf("the call of %d on the timeline of %d: %v with %v", j, i, own, into)
					}
				}
			}
			leads, err := w.ByNumber(t.Context(), was.Numbers[0])
			if err != nil || len(leads) != 1 || leads[0].ID != ps[root(i)].ID {
				rt.Fatalf("the number of %d leads to %+v, %v", i, leads, err)
			}
		}
	})
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"Ada", "O'Neill", "Mr X", "n/a", "\u2019", "-", "\xff", strings.Repeat("é", 101), "বাবুল", "a\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		code := crm.CheckName(name)
		if code == "" && strings.ContainsAny(name, "0123456789@<>&;()") {
			t.Errorf("%q passes for a name", name)
		}
		_ = crm.Sound(name)
	})
}

func FuzzPostcode(f *testing.F) {
	for _, s := range []string{"SW1A 1AA", "gir0aa", "M11AE", "", "\u00a0", "SW1A1A", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := crm.CanonicalPostcode(typed)
		if !ok {
			if code != "" {
				t.Errorf("CanonicalPostcode(%q) = %q and not one", typed, code)
			}
			return
		}
		if again, ok := crm.CanonicalPostcode(code); !ok || again != code || len(code) < 6 || len(code) > 8 {
			t.Errorf("CanonicalPostcode(%q) = %q, which is read as %q, %v", typed, code, again, ok)
		}
		if email, ok := crm.CanonicalEmail(typed); ok {
			if again, ok := crm.CanonicalEmail(email); !ok || again != email {
				t.Errorf("CanonicalEmail(%q) = %q, which is read as %q, %v", typed, email, again, ok)
			}
		}
	})
}

// What a merge brings must not be undone by what stands on the reports already:
// and a split gives it back.
func TestAMergeReachesTheReportsOfBoth(t *testing.T) {
	w := newWorld(t)
	a := w.person(crm.Person{GivenName: "Ada", Surname: "Green", DateOfBirth: "1980-01-02", Safe: crm.SafeContact{Rule: "never"}, Vulnerable: true})
	b := w.person(crm.Person{Name: "A caller", Numbers: []string{"07700 900120"}})
	ofA := w.create(crm.Report{Summary: "first", Parties: []crm.Party{victim(a)}}, "")
	w.wait(contact.Hour)
	ofB := w.create(crm.Report{Summary: "second", Parties: []crm.Party{victim(b)}}, "")
	_, err := w.Decide(w.as("ann", ""), ofB.ID, crm.Decision{Step: crm.StepRecord})
	w.must(err)
	if !slices.Contains(w.open(ofB.ID), crm.TaskConfirmation) || w.report(ofB.ID).RepeatVictim {
		t.Fatalf("before: %v, %+v", w.open(ofB.ID), w.report(ofB.ID))
	}
	w.must(w.MergePeople(t.Context(), a.ID, b.ID, "the same"))
	got := w.report(ofB.ID)
	if slices.Contains(w.open(ofB.ID), crm.TaskConfirmation) {
		t.Errorf("somebody who must not be written to is still due a letter: %v", w.open(ofB.ID))
	}
	if !slices.Equal(got.RepeatBecause, []string{crm.RepeatPerson}) || !got.Vulnerable {
		t.Errorf("the second report of one person: repeat %v, vulnerable %v", got.RepeatBecause, got.Vulnerable)
	}
	if first := w.report(ofA.ID); first.RepeatVictim {
		t.Errorf("the first report is a repeat: %v", first.RepeatBecause)
	}
	// Who is merged is still found by what is known of them alone, as one person.
	ms, err := w.FindPeople(t.Context(), crm.Clues{Name: "Ada Green", DateOfBirth: "1980-01-02", Numbers: []string{"07700 900120"}})
	if err != nil || len(ms) != 1 || ms[0].Person.ID != b.ID {
		t.Errorf("found %+v, %v", ms, err)
	}
	if _, err := w.SavePerson(t.Context(), a); codes(err)["id"] != "merged" {
		t.Errorf("changing who is merged: %v", err)
	}
	w.must(w.SplitPerson(t.Context(), a.ID, "not the same"))
	if got = w.report(ofB.ID); got.RepeatVictim {
		t.Errorf("after the split it is a repeat: %v", got.RepeatBecause)
	}
	if ms, err = w.FindPeople(t.Context(), crm.Clues{Name: "Ada Green", DateOfBirth: "1980-01-02"}); err != nil || len(ms) != 1 || ms[0].Person.ID != a.ID {
		t.Errorf("found after the split %+v, %v", ms, err)
	}
}

// Restricted is whoever is known to be one person with somebody restricted,
// whichever record is opened, until a split.
func TestARestrictionFollowsMerges(t *testing.T) {
	for name, which := range map[string]int{"of the one merged": 0, "of the other": 1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ps := []crm.Person{{Name: "Ada", Numbers: []string{"07700 900121"}}, {Name: "Bea", Numbers: []string{"07700 900122"}}}
			ps[which].Restricted = true
			for i := range ps {
				ps[i] = w.person(ps[i])
			}
			hidden := func(want ...bool) {
				t.Helper()
				got, _, err := w.Restricted(t.Context(), []contact.PersonID{ps[0].ID, ps[1].ID}, nil)
				w.must(err)
				for i, p := range ps {
					_, err := w.Person(t.Context(), p.ID)
					_, terr := w.PersonTimeline(t.Context(), p.ID, 0, 5)
					_, rerr := w.ReportsOf(t.Context(), p.ID)
					for _, err := range []error{err, terr, rerr} {
						if errors.Is(err, crm.ErrRestricted) != want[i] || got[p.ID] != want[i] {
							t.Errorf("%s: %v, listed as restricted %v; want %v", p.Name, err, got[p.ID], want[i])
						}
					}
				}
			}
			w.must(w.MergePeople(w.as("ann", "told by her"), ps[0].ID, ps[1].ID, "same"))
			hidden(true, true)
			found, err := w.ByNumber(t.Context(), "07700 900121")
			if err != nil || len(found) != 1 || found[0].Name != "" || !found[0].Restricted {
				t.Errorf("by number: %+v, %v", found, err)
			}
			if err := w.SplitPerson(t.Context(), ps[0].ID, "not the same"); !errors.Is(err, crm.ErrRestricted) {
				t.Errorf("split without a reason to open: %v", err)
			}
			w.must(w.SplitPerson(w.as("ann", "told by her"), ps[0].ID, "not the same"))
			hidden(which == 0, which == 1)
		})
	}
}
