package ariswitch_test

import (
	"testing"

	"go.uber.org/goleak"

	"example.org/c3i/contact/importrule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImportsOnlyContactAndTelephony(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "telephony"}, Forbid: map[string]string{
		"github.com/CyCoreSystems/ari/v5/client/native": "its socket dies on unknown events and its REST calls have no deadline",
	}})
}
