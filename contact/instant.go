package contact

import (
	"encoding/json"
	"fmt"
	"time"
)

// Instant is a moment in nanoseconds since 1970-01-01T00:00:00Z. The engine
// never reads a clock: every Instant it sees arrived with an event. The zero
// value means "not set".
type Instant int64

// Duration is a span in nanoseconds, written in YAML and JSON as Go writes
// durations ("30s", "4h"). It exists so that packages that must not import the
// time package can still name spans.
type Duration int64

// Spans to build Durations from.
const (
	Millisecond Duration = 1e6
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
	Day                  = 24 * Hour
)

// At converts a wall-clock time.
func At(t time.Time) Instant { return Instant(t.UnixNano()) }

// Time converts back to a wall-clock time in UTC.
func (i Instant) Time() time.Time { return time.Unix(0, int64(i)).UTC() }

// IsZero reports whether the instant was never set.
func (i Instant) IsZero() bool { return i == 0 }

// Add returns the instant d later.
func (i Instant) Add(d Duration) Instant { return i + Instant(d) }

// Sub returns the span from j to i.
func (i Instant) Sub(j Instant) Duration { return Duration(i - j) }

// String gives RFC 3339 in UTC with milliseconds.
func (i Instant) String() string { return i.Time().Format("2006-01-02T15:04:05.000Z") }

// Std converts to the standard library's duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String gives Go's duration notation.
func (d Duration) String() string { return time.Duration(d).String() }

// ParseDuration reads Go's duration notation; it also accepts "d" for days
// ("2d"). The error quotes what was given.
func ParseDuration(s string) (Duration, error) {
	var days int
	if n, err := fmt.Sscanf(s, "%dd", &days); n == 1 && err == nil && fmt.Sprintf("%dd", days) == s {
		return Duration(days) * Day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a length of time: write it as 30s, 5m, 4h or 2d", s)
	}
	return Duration(d), nil
}

// MarshalJSON writes the duration in Go's notation.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads Go's notation.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a length of time must be text such as \"30s\": %w", err)
	}
	v, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}
