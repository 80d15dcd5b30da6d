package routing_test

import (
	"fmt"
	"testing"

	"example.org/c3i/routing/routingbench"
)

// BenchmarkStep measures one event with 2,000 handlers in 200 profiles, all
// busy, and the given number of contacts waiting.
func BenchmarkStep(b *testing.B) {
	for _, waiting := range []int{1000, 2500, 5000, 10000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			l := routingbench.NewLoad(2000, 200, waiting)
			l.Drive(20_000)
			b.ReportAllocs()
			b.ResetTimer()
			l.Drive(b.N)
		})
	}
}
