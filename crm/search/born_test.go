package search_test

import (
	"slices"
	"testing"

	"example.org/c3i/crm/search"
)

func TestDatesAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"12/03/1984": "19840312", "12/3/1984": "19840312", "12.03.1984": "19840312", "12-3-1984": "19840312", "12 03 1984": "19840312",
		"1984-03-12": "19840312", "1984/3/12": "19840312", "12 March 1984": "19840312", "12th march 1984": "19840312", "12 mar 1984": "19840312",
		"1st of May, 1984": "19840501", "3 Sept 1984": "19840903", "29/02/1984": "19840229", "01/12/1984": "19841201",
		"29/02/1985": "", "31/04/1984": "", "13/13/1984": "", "12/03/84": "", "0/3/1984": "", "12 Octember 1984": "", "12 m 1984": "", "": "", "1984": "", "12 March": "",
	} {
		if got := search.Date(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestPeopleAreFoundByDateOfBirth(t *testing.T) {
	x, _ := open(t)
	put := func(d search.Doc) {
		t.Helper()
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	put(search.Doc{Kind: search.Person, ID: "ada", Names: []string{"Ada Green"}, Born: "1984-03-12"})
	put(search.Doc{Kind: search.Person, ID: "bea", Names: []string{"Bea Green"}, Born: "1984-12-03"})
	put(search.Doc{Kind: search.Report, ID: "r1", Names: []string{"Ada Green"}, Text: "on 12/03/1984 it began"})
	for text, want := range map[string][]string{
		"12/03/1984": {"ada"}, "12 March 1984": {"ada"}, "1984-03-12": {"ada"}, "green 12 march 1984": {"ada"}, "12/3/1984 ada": {"ada"},
		"3 December 1984": {"bea"}, "bea 12/03/1984": nil, "13/03/1984": nil,
	} {
		res, err := x.Query(t.Context(), search.Query{Text: text, Kinds: []search.Kind{search.Person}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range res.Hits {
			got = append(got, h.ID)
			if !slices.Contains(h.Matched, search.FieldBorn) {
				t.Errorf("%q matched %v", text, h.Matched)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
	// The exact match is first: the date as a word of a narrative comes after it.
	res, err := x.Query(t.Context(), search.Query{Text: "12/03/1984"})
	if err != nil || len(res.Hits) == 0 || res.Hits[0].ID != "ada" {
		t.Errorf("of all kinds: %+v, %v", res.Hits, err)
	}
	if err := x.Drop(t.Context(), search.Person, "ada"); err != nil {
		t.Fatal(err)
	}
	if res, err = x.Query(t.Context(), search.Query{Text: "12/03/1984", Kinds: []search.Kind{search.Person}}); err != nil || len(res.Hits) != 0 {
		t.Errorf("after it was dropped: %+v, %v", res.Hits, err)
	}
}
