package sim

import (
	"context"
	"testing"
)

// BenchmarkMonth simulates a month of about 400,000 contacts at a large force, on
// one goroutine.
func BenchmarkMonth(b *testing.B) {
	m, err := ParseModel("average", []byte(read(b, "../../configs/profiles/large-force-2014-average.yaml")))
	if err != nil {
		b.Fatal(err)
	}
	s, err := m.Modelled("2014-07-01", 31, 400_000/(31*12_538.0)-1)
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Plans: []PlanInput{{"plan.yaml", read(b, "../../configs/plan.yaml")}}, Source: s, Replications: 1, Workers: 1, Seed: 1}
	contacts := 0
	for b.Loop() {
		r, err := Run(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		contacts += r.Contacts
	}
	b.ReportMetric(float64(contacts)/b.Elapsed().Seconds(), "contacts/s")
	b.ReportMetric(float64(contacts)/float64(b.N), "contacts")
}
