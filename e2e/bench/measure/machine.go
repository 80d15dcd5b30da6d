package measure

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what the figures were measured on.
type Machine struct {
	Cores  int    `json:"cores"`
	Model  string `json:"processor"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	// Load is the one-minute load average before the measurement; -1 if unknown.
	Load float64 `json:"load_before"`
}

// ThisMachine describes the machine as far as it tells.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Model: "unknown", Kernel: "unknown", Go: runtime.Version(), Load: Load()}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Model = parseModel(string(b))
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	return m
}

// Load is the one-minute load average, -1 if unknown.
func Load() float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	return parseLoad(string(b))
}

func parseLoad(text string) float64 {
	first, _, _ := strings.Cut(text, " ")
	v, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return v
}

func parseModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
