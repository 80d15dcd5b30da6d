package sample_test

import (
	"slices"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/sample"
	"example.org/c3i/crm/search"
)

// What is filled in is read like anything that was recorded one by one, and can
// be changed like it.
func TestLoadedRecordsAreReadFoundAndChanged(t *testing.T) {
	c := redistest.Start(t)
	x, err := search.Open(t.Context(), search.Options{Redis: c, Region: "GB", Within: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now.Time().Add(time.Hour) }
	s, err := crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB", Search: crm.Found{Index: x}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Empty(t.Context()); err != nil || !empty {
		t.Fatalf("empty = %v, %v", empty, err)
	}
	w := sample.New(sample.Options{Seed: 5, People: 60, Contacts: 400, Reports: 80, Now: now})
	if err := sample.Load(t.Context(), s, w, nil); err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Empty(t.Context()); err != nil || empty {
		t.Fatalf("empty = %v, %v", empty, err)
	}
	theirs := map[contact.PersonID][]contact.ID{}
	for n := range w.Contacts() {
		r := w.Contact(n)
		got, err := s.Record(t.Context(), r.ID)
		if err != nil || got.Arrival != r.Arrival || got.Outcome != r.Outcome || got.Note != r.Note || got.Person != r.Person || got.Report != r.Report || got.Handler != r.Handler {
			t.Fatalf("contact %d is %+v, %v; want %+v", n, got, err, r)
		}
		if r.Person != "" {
			theirs[r.Person] = append(theirs[r.Person], r.ID)
		}
	}
	for n := range w.People() {
		p := w.Person(n)
		timeline, err := s.Timeline(t.Context(), p.ID, 0, 1000)
		if err != nil || len(timeline) != len(theirs[p.ID]) {
			t.Errorf("%d contacts on the timeline of person %d, %v; want %d", len(timeline), n, err, len(theirs[p.ID]))
		}
		byNumber, err := s.ByNumber(t.Context(), p.Numbers[0])
		if err != nil || !slices.ContainsFunc(byNumber, func(o crm.Person) bool { return o.ID == p.ID }) {
			t.Errorf("person %d is not found by number: %v", n, err)
		}
		hits, err := x.Query(t.Context(), search.Query{Text: p.Name, Kinds: []search.Kind{search.Person}, Limit: 100})
		if err != nil || !slices.ContainsFunc(hits.Hits, func(h search.Hit) bool { return h.ID == string(p.ID) }) {
			t.Errorf("person %d is not found by name: %v", n, err)
		}
	}
	for n := range w.Reports() {
		r, from := w.Report(n)
		got, err := s.Report(t.Context(), r.ID)
		if err != nil || got.Summary != r.Summary || got.Reference == "" || !slices.Contains(got.Contacts, from.ID) {
			t.Fatalf("report %d is %+v, %v", n, got, err)
		}
		for _, reference := range []string{got.Reference, got.IncidentNumber} {
			if same, err := s.ReportByReference(t.Context(), reference); err != nil || same.ID != r.ID {
				t.Errorf("report %d by %s is %s, %v", n, reference, same.ID, err)
			}
			hits, err := x.Query(t.Context(), search.Query{Text: reference, Kinds: []search.Kind{search.Report}})
			if err != nil || len(hits.Hits) == 0 || hits.Hits[0].ID != string(r.ID) {
				t.Errorf("report %d is not found by %s: %+v, %v", n, reference, hits, err)
			}
		}
		got.Summary = "A changed summary about a marmalade cat."
		if _, err := s.SaveReport(t.Context(), got); err != nil {
			t.Fatalf("report %d cannot be changed: %v", n, err)
		}
	}
	hits, err := x.Query(t.Context(), search.Query{Text: "marmalade", Limit: 100})
	if err != nil || len(hits.Hits) != w.Reports() {
		t.Errorf("%d changed reports are found, %v; want %d", len(hits.Hits), err, w.Reports())
	}
	p := w.Person(0)
	p.Numbers = []string{"+447700900999"}
	if _, err := s.SavePerson(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if old, err := s.ByNumber(t.Context(), w.Person(0).Numbers[0]); err != nil || slices.ContainsFunc(old, func(o crm.Person) bool { return o.ID == p.ID }) {
		t.Errorf("a changed person is still found by the old number: %v, %v", old, err)
	}
}
