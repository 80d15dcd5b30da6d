package search_test

import (
	"fmt"
	"testing"

	"example.org/c3i/crm/search"
)

func BenchmarkFill(b *testing.B) {
	x, _ := open(b)
	n := 0
	for b.Loop() {
		ds := make([]search.Doc, search.BatchLimit)
		for i := range ds {
			n++
			ds[i] = search.Doc{
				Kind: search.Person, ID: fmt.Sprintf("01JZZZZZZZZZZZZZZZ%08d", n), When: at(n), Names: []string{"John Smith"},
				Numbers: []string{fmt.Sprintf("+4477009%05d", n%100000)}, Emails: []string{fmt.Sprintf("john.smith%d@example.org", n)}, Postcodes: []string{"ZZ1 2AB"},
			}
		}
		if err := x.Fill(b.Context(), ds); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "docs/s")
}

func BenchmarkPut(b *testing.B) {
	x, _ := open(b)
	n := 0
	for b.Loop() {
		n++
		put(b, x, search.Doc{Kind: search.Report, ID: fmt.Sprint("r", n%100), Names: []string{"John Smith"}, Text: fmt.Sprintf("A bicycle was stolen, again, for the time %d", n)})
	}
}
