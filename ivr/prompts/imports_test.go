package prompts

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "ivr"}})
}
