package routing_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEachFailureHasItsScenario holds the table of testdata/README.md to the
// scenarios there are.
func TestEachFailureHasItsScenario(t *testing.T) {
	text, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## What has gone wrong elsewhere")
	if !found {
		t.Fatal("the table is gone")
	}
	failures := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") || strings.Contains(line, "| scenario |") {
			continue
		}
		failures++
		names := regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("no scenario: %s", line)
		}
		for _, m := range names {
			if _, err := os.Stat(filepath.Join("testdata", m[1]+".txt")); err != nil {
				t.Errorf("%s names a scenario that is not there: %v", line, err)
			}
		}
	}
	if failures < 15 {
		t.Errorf("only %d failures are listed", failures)
	}
}
