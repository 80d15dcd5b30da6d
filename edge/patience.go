package edge

import "time"

// Patience is how long is waited for something that a client sends: as long as it
// moves, within bounds. The zero value waits for ever.
type Patience struct {
	// Stall is how long it may stand still. Zero is no bound.
	Stall time.Duration
	// Rate is what it must bring on average once Stall has passed, in bytes a second:
	// a byte now and then is no progress. Zero is no bound.
	Rate int64
	// Most is how long all of it may take. Zero is no bound.
	Most time.Duration
}

// until is when the next byte must have come of what began at begin and has moved
// n bytes so far; zero for never.
func (p Patience) until(begin, now time.Time, n int64) time.Time {
	var out time.Time
	sooner := func(t time.Time) {
		if out.IsZero() || t.Before(out) {
			out = t
		}
	}
	if p.Stall > 0 {
		sooner(now.Add(p.Stall))
	}
	if p.Rate > 0 {
		sooner(begin.Add(p.Stall + p.forBytes(n)))
	}
	if p.Most > 0 {
		sooner(begin.Add(p.Most))
	}
	return out
}

// writing is when n bytes given to a client at now must have been taken.
func (p Patience) writing(now time.Time, n int) time.Time {
	if p.Stall == 0 {
		return time.Time{}
	}
	return now.Add(p.Stall + p.forBytes(int64(n)))
}

// forBytes is how long n bytes take at the slowest rate.
func (p Patience) forBytes(n int64) time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	// Whole seconds, so that nothing overflows; a century is as good as for ever.
	return time.Duration(min((n+p.Rate-1)/p.Rate, 100*365*24*3600)) * time.Second
}
