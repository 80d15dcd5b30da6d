package contact

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// IDs makes ULIDs that sort in the order they were made, even within one
// millisecond. It is safe for concurrent use. Drivers make ids; the engine
// never does.
type IDs struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
	now     func() time.Time
}

// NewIDs makes a source of ids that reads the given clock, time.Now if nil.
func NewIDs(now func() time.Time) *IDs {
	if now == nil {
		now = time.Now
	}
	return &IDs{entropy: ulid.Monotonic(rand.Reader, 0), now: now}
}

// New returns the next ULID as text (26 characters, Crockford base 32).
func (s *IDs) New() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ulid.MustNew(ulid.Timestamp(s.now()), s.entropy).String()
}
