package measure

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Linux reports processor time in ticks of 10 ms whatever the kernel's own clock
// (USER_HZ, see time(7)).
const tick = 10 * time.Millisecond

// ErrFormat means that a file of /proc does not look as proc(5) says.
var ErrFormat = errors.New("measure: unexpected form")

// CPU is the processor time a process has used, all its threads together but not
// its children.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseProcessStat(string(b))
}

// parseProcessStat adds user and system time of /proc/<pid>/stat. The program's
// name is in brackets and may itself hold blanks and brackets.
func parseProcessStat(line string) (time.Duration, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return 0, fmt.Errorf("%w: process status without a name", ErrFormat)
	}
	fields := strings.Fields(line[end+1:])
	const user, system = 14 - 3, 15 - 3 // proc(5) counts from 1, and state is 3
	if len(fields) <= system {
		return 0, fmt.Errorf("%w: process status with %d fields", ErrFormat, len(fields))
	}
	var ticks uint64
	for _, f := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseUint(f, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("%w: process status: %w", ErrFormat, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// SystemBusy is the time all processors together have spent on work since the
// machine started.
func SystemBusy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseSystemStat(string(b))
}

// parseSystemStat adds what the first line of /proc/stat calls user, nice,
// system, irq, softirq and steal; idle and iowait are not work, and guest time is
// in user already.
func parseSystemStat(text string) (time.Duration, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("%w: system status", ErrFormat)
	}
	var ticks uint64
	for i, f := range fields[1:9] {
		if i == 3 || i == 4 {
			continue
		}
		n, err := strconv.ParseUint(f, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("%w: system status: %w", ErrFormat, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
