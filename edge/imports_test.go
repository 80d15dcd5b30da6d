package edge_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsNothingOfOurs(t *testing.T) {
	importrule.Check(t, importrule.Rule{})
}
