package telephony_test

import (
	"testing"

	"go.uber.org/goleak"

	"example.org/c3i/contact/importrule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImportsOnlyContactRoutingAndIVR(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "ivr"}, Forbid: map[string]string{
		"github.com/CyCoreSystems/ari/v5": "only ariswitch knows Asterisk",
	}})
}
