package measure

import (
	"math"
	"slices"
	"time"
)

// Summary describes a set of durations. Durations are in milliseconds, so that
// the JSON form needs no explanation.
type Summary struct {
	Count  int     `json:"count"`
	Median float64 `json:"median_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

// Summarise describes samples, in any order, which it leaves as they are. No
// samples give the zero Summary.
func Summarise(samples []time.Duration) Summary {
	if len(samples) == 0 {
		return Summary{}
	}
	s := slices.Sorted(slices.Values(samples))
	return Summary{
		Count:  len(s),
		Median: Milliseconds(Percentile(s, 50)),
		P90:    Milliseconds(Percentile(s, 90)),
		P99:    Milliseconds(Percentile(s, 99)),
		Max:    Milliseconds(s[len(s)-1]),
	}
}

// Percentile is the nearest-rank percentile of sorted samples: the least sample
// that at least p of a hundred do not exceed. p lies in (0, 100]; there must be a
// sample.
func Percentile(sorted []time.Duration, p float64) time.Duration {
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Milliseconds is a duration in milliseconds.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
