// Package asterisktest starts a real Asterisk for a test.
package asterisktest

import (
	"context"
	"os"
	"testing"
	"time"

	"example.org/c3i/configs/asterisk"
)

// Program returns the Asterisk to test with and fails the test, saying what to do, when there is none.
func Program(tb testing.TB) string {
	tb.Helper()
	program, err := asterisk.FindProgram()
	if err != nil {
		tb.Fatal(err)
	}
	return program
}

// Dir makes a short folder that the user Asterisk runs as may enter, and removes it when the test ends.
// [testing.T.TempDir] keeps others out.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "c3i-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Start runs Asterisk with s, on free ports of 127.0.0.1 and in a folder of its own unless s says otherwise, and
// stops it when the test ends. When the test has failed, the end of Asterisk's log goes into the test's.
func Start(tb testing.TB, s asterisk.Settings) *asterisk.Process {
	tb.Helper()
	if s.Dir == "" {
		s.Dir = Dir(tb)
	}
	if s.ARIPassword == "" {
		s.ARIPassword = "only-for-this-test"
	}
	s.EndWithParent = true
	p, err := asterisk.Start(tb.Context(), Program(tb), s)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			tb.Error(err)
		}
		if err := p.Err(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			if log, err := os.ReadFile(p.LogPath()); err == nil {
				tb.Logf("Asterisk's log:\n%s", log[max(0, len(log)-8192):])
			}
		}
	})
	return p
}
