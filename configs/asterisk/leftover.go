package asterisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// StillRunningError says that an Asterisk runs on these folders already: one whose C3i was killed, or another C3i's.
// Its calls may still be up.
type StillRunningError struct {
	PID int
	etc string
}

// Error is a sentence for people.
func (e *StillRunningError) Error() string {
	return fmt.Sprintf("an Asterisk already runs on %s (process %d): another C3i uses this data directory, or one ended without stopping it; `kill %d` stops it and hangs up its calls", filepath.Dir(e.etc), e.PID, e.PID)
}

// Stop ends that Asterisk and waits until it is gone or ctx ends; it is not killed.
func (e *StillRunningError) Stop(ctx context.Context) error {
	if err := syscall.Kill(e.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping the Asterisk left running (process %d): %w", e.PID, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for runsOn(e.PID, e.etc) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopping the Asterisk left running (process %d): %w", e.PID, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// findRunning looks for a live process that the run folder's process id names and that was started with etc.
func findRunning(d Dirs) error {
	data, err := os.ReadFile(filepath.Join(d.Run, "asterisk.pid"))
	if err != nil {
		return nil //nolint:nilerr // no file to read is no Asterisk
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 0 || !runsOn(pid, d.Etc) {
		return nil //nolint:nilerr // what is in the file names no process of ours
	}
	return &StillRunningError{PID: pid, etc: d.Etc}
}

// runsOn reports whether the process is an Asterisk that read its configuration in etc; numbers are used again.
func runsOn(pid int, etc string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && bytes.Contains(line, []byte(filepath.Join(etc, "asterisk.conf")+"\x00"))
}
