package journal_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyWhatAJournalHolds(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing"}})
}
