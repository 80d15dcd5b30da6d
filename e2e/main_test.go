// Package e2e tests C3i from end to end on real parts: the built program, its own
// Redis and Asterisk, SIP and RTP, and a real Chromium.
package e2e

import (
	"os"
	"testing"

	"example.org/c3i/e2e/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.RemovePrograms()
	os.Exit(code)
}
