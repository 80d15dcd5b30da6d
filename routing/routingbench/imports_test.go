package routingbench_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyTheEngine(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing"}})
}
