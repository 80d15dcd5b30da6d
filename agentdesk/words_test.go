package agentdesk_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/c3i/crm"
)

// TestTheDeskOffersWhatTheRecordTakes holds the desk's words to the codes of the
// recording decision: a step or reason that only one of them knows cannot be given.
func TestTheDeskOffersWhatTheRecordTakes(t *testing.T) {
	b, err := os.ReadFile("web/src/report/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, code := range slices.Concat(crm.Steps(), crm.Reasons()) {
		if !strings.Contains(text, "{ code: '"+code+"',") {
			t.Errorf("the desk does not offer %q", code)
		}
	}
	_, after, found := strings.Cut(text, "export const steps")
	if !found {
		t.Fatal("the desk's steps are not where they were")
	}
	list, _, _ := strings.Cut(after, "\n];")
	offered := regexp.MustCompile(`(?m)^  \{ code: '(\w+)'`).FindAllStringSubmatch(list, -1)
	if len(offered) != len(crm.Steps()) {
		t.Errorf("the desk offers %d steps, the record takes %d", len(offered), len(crm.Steps()))
	}
	for _, m := range offered {
		if !slices.Contains(crm.Steps(), m[1]) {
			t.Errorf("the desk offers %q, which the record does not take", m[1])
		}
	}
}
