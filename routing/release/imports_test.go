package release_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyPlansAndWhatTakesThem(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "routing/plan"}})
}
