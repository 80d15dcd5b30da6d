package measure

import (
	"errors"
	"os"
	"testing"
	"time"
)

func ms(values ...int) []time.Duration {
	out := make([]time.Duration, len(values))
	for i, v := range values {
		out[i] = time.Duration(v) * time.Millisecond
	}
	return out
}

func TestSummarise(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	tests := map[string]struct {
		in   []time.Duration
		want Summary
	}{
		"nothing":    {nil, Summary{}},
		"one":        {ms(7), Summary{1, 7, 7, 7, 7}},
		"two":        {ms(9, 3), Summary{2, 3, 9, 9, 9}},
		"a hundred":  {ms(hundred...), Summary{100, 50, 90, 99, 100}},
		"fractional": {[]time.Duration{1500 * time.Microsecond}, Summary{1, 1.5, 1.5, 1.5, 1.5}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Summarise(test.in); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSummariseLeavesSamplesInOrder(t *testing.T) {
	in := ms(3, 1, 2)
	Summarise(in)
	if in[0] != 3*time.Millisecond || in[2] != 2*time.Millisecond {
		t.Errorf("samples are now %v", in)
	}
}

func TestParseProcessStat(t *testing.T) {
	const rest = " S 1 42 42 0 -1 4194560 1 0 0 0 250 125 7 8 20 0 9 0 100 1 1"
	tests := map[string]struct {
		line string
		want time.Duration
		bad  bool
	}{
		"plain":             {"42 (c3i)" + rest, 3750 * time.Millisecond, false},
		"name with blanks":  {"42 (a b)" + rest, 3750 * time.Millisecond, false},
		"name with bracket": {"42 (a) S 1)" + rest, 3750 * time.Millisecond, false},
		"empty":             {"", 0, true},
		"cut short":         {"42 (c3i) S 1 42", 0, true},
		"not a number":      {"42 (c3i) S 1 42 42 0 -1 4194560 1 0 0 0 x 125 7", 0, true},
		"negative":          {"42 (c3i) S 1 42 42 0 -1 4194560 1 0 0 0 -1 125 7", 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseProcessStat(test.line)
			if got != test.want || errors.Is(err, ErrFormat) != test.bad {
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
		})
	}
}

func TestParseSystemStat(t *testing.T) {
	tests := map[string]struct {
		text string
		want time.Duration
		bad  bool
	}{
		"idle and iowait left out": {"cpu  100 20 30 9999 8888 4 5 6 77 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n", 1650 * time.Millisecond, false},
		"wrong first line":         {"intr 5\n", 0, true},
		"cut short":                {"cpu 1 2 3", 0, true},
		"not a number":             {"cpu 1 2 3 4 5 6 x 8 9 10", 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseSystemStat(test.text)
			if got != test.want || errors.Is(err, ErrFormat) != test.bad {
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
		})
	}
}

func TestCPUOfThisProcessGrows(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	system, err := SystemBusy()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for after := before; after == before; {
		if time.Now().After(deadline) {
			t.Fatal("working does not count as processor time")
		}
		if after, err = CPU(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := SystemBusy(); err != nil || now < system {
		t.Errorf("the machine's work went from %v to %v, %v", system, now, err)
	}
	if _, err := CPU(1 << 30); err == nil {
		t.Error("a process that cannot be has processor time")
	}
}

func TestMachine(t *testing.T) {
	if m := ThisMachine(); m.Cores < 1 || m.Go == "" {
		t.Errorf("machine = %+v", m)
	}
	if got := parseModel("processor\t: 0\nmodel name\t: Any Processor\nflags: a\n"); got != "Any Processor" {
		t.Errorf("model %q", got)
	}
	if got := parseModel(""); got != "unknown" {
		t.Errorf("model of nothing %q", got)
	}
	if got := parseLoad("1.25 0.5 0.1 1/2 3\n"); got != 1.25 {
		t.Errorf("load %v", got)
	}
	if got := parseLoad("none"); got != -1 {
		t.Errorf("load of nonsense %v", got)
	}
}
