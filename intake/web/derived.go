package web

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/oklog/ulid/v2"

	"example.org/c3i/crm"
)

// derived is a ULID that is the same each time for a report and a purpose, so
// that what is done twice is done once. Its time is the report's.
func (s *Server) derived(report crm.ReportID, purpose string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("id\x00" + string(report) + "\x00" + purpose))
	var u ulid.ULID
	copy(u[6:], mac.Sum(nil))
	if base, err := ulid.ParseStrict(string(report)); err == nil {
		copy(u[:6], base[:6])
	}
	return u.String()
}
