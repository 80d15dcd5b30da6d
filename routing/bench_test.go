package routing_test

import (
	"fmt"
	"testing"

	"example.org/c3i/routing/routingbench"
)

// BenchmarkStep measures one event with 2,000 handlers in 200 profiles, all
// busy, and the given number of contacts waiting.
func BenchmarkStep(b *testing.B) {
	for _, waiting := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			l := routingbench.NewLoad(2000, 200, waiting)
			l.Drive(20_000)
			b.ReportAllocs()
			b.ResetTimer()
			l.Drive(b.N)
		})
	}
}

// BenchmarkWhole measures what looks at the whole state, with 2,000 handlers and
// 10,000 contacts waiting.
func BenchmarkWhole(b *testing.B) {
	l := routingbench.NewLoad(2000, 200, 10_000)
	l.Drive(50_000)
	for name, f := range map[string]func(){
		"Clone":   func() { l.Engine.Clone() },
		"Hash":    func() { l.Engine.Hash() },
		"Check":   func() { l.Engine.Check() },
		"Queues":  func() { l.Engine.Queues() },
		"Counts":  func() { l.Engine.Counts() },
		"Waiting": func() { l.Engine.Waiting("queue00", 20) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
