package sim

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyWhatDrivesTheEngine(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "routing/plan", "routing/journal"}})
}
