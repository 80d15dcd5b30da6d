package agentdesk

import (
	"crypto/sha256"

	"github.com/oklog/ulid/v2"

	"example.org/c3i/contact"
)

// isULID tells whether text is an id as the system makes them.
func isULID(id string) bool {
	_, err := ulid.ParseStrict(id)
	return err == nil
}

// derivedID makes an id that is always the same for the same seed, so that what
// is asked for twice is made once. It sorts with others of its time.
func derivedID(at contact.Instant, seed string) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(max(at.Time().UnixMilli(), 0))) //nolint:gosec // not negative, and the year 10889 is far
	sum := sha256.Sum256([]byte(seed))
	_ = id.SetEntropy(sum[:10])
	return id.String()
}
