package agentdesk

import (
	"sync"
	"time"
)

// throttle is a token bucket per key. An attempt takes a token before it is
// tried, so that a thousand at once cannot slip through together; a good one may
// give it back. Safe for concurrent use.
type throttle struct {
	burst float64
	every time.Duration // one token comes back each
	limit int           // most keys kept

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newThrottle(burst int, every time.Duration) *throttle {
	return &throttle{burst: float64(burst), every: every, limit: 100_000, buckets: map[string]bucket{}}
}

// take uses one token, or tells how long until there is one.
func (t *throttle) take(key string, now time.Time) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, known := t.buckets[key]
	if !known {
		if len(t.buckets) >= t.limit {
			t.sweepLocked(now)
		}
		if len(t.buckets) >= t.limit {
			return t.every, false
		}
		b = bucket{tokens: t.burst, at: now}
	}
	b = t.refill(b, now)
	if b.tokens < 1 {
		t.buckets[key] = b
		return time.Duration((1 - b.tokens) * float64(t.every)), false
	}
	b.tokens--
	t.buckets[key] = b
	return 0, true
}

// giveBack returns one token.
func (t *throttle) giveBack(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, known := t.buckets[key]; known {
		b.tokens = min(t.burst, b.tokens+1)
		t.buckets[key] = b
	}
}

// forget fills the bucket again.
func (t *throttle) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.buckets, key)
}

// sweep drops full buckets.
func (t *throttle) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweepLocked(now)
}

func (t *throttle) sweepLocked(now time.Time) {
	for key, b := range t.buckets {
		if t.refill(b, now).tokens >= t.burst {
			delete(t.buckets, key)
		}
	}
}

func (t *throttle) refill(b bucket, now time.Time) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(t.burst, b.tokens+float64(d)/float64(t.every))
		b.at = now
	}
	return b
}
