package routing_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyContactAndNothingThatReadsTheWorld(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact"}, Forbid: importrule.Pure()})
}
