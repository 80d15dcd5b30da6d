package web_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsNeitherTelephonyNorDesk(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "crm/...", "crm", "edge", "intake/inbox", "intake/triage", "intake/web/form"}})
}
