package switchtest_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"example.org/c3i/contact/importrule"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing", "ivr", "telephony"}})
}

// farEnd is the far end of a scripted call; it waits for its channel to be
// known.
type farEnd struct {
	sw *switchtest.Switch
	ch telephony.ChannelID
}

func (f farEnd) HangUp()           { f.sw.HangUp(f.ch) }
func (f farEnd) Press(keys string) { f.sw.Press(f.ch, keys) }

func TestSwitchFulfilsTheContract(t *testing.T) {
	switchtest.Contract(t, func(t *testing.T) switchtest.Subject {
		sw := switchtest.New()
		t.Cleanup(sw.Close)
		sw.AddPhone("PJSIP/answers", switchtest.Phone{AnswerAfter: 10 * time.Millisecond})
		sw.AddPhone("PJSIP/busy", switchtest.Phone{RefuseWith: telephony.CauseUserBusy})
		sw.AddPhone("PJSIP/declines", switchtest.Phone{RefuseWith: telephony.CauseRejected})
		sw.AddPhone("PJSIP/never", switchtest.Never)
		return switchtest.Subject{
			Switch: sw, App: switchtest.App,
			Ring: func(number string) switchtest.FarEnd {
				return farEnd{sw, sw.Call(switchtest.Caller{Number: number, Args: []string{"inbound"}})}
			},
			Answers: "PJSIP/answers", Busy: "PJSIP/busy", Declines: "PJSIP/declines", Never: "PJSIP/never", Unreachable: "PJSIP/nobody",
			Sound: "sound:x", Elsewhere: telephony.Location{Context: "c3i-fallback", Extension: "s", Priority: 1},
		}
	})
}
