package agentdesk_test

import (
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsOnlyContactRoutingAndCRM(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "crm", "crm/audit", "crm/blob", "edge"}})
}
