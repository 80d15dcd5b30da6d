package ariswitch_test

import (
	"context"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// farEnd is a SIP phone that has called in.
type farEnd struct {
	t    *testing.T
	call *sipphone.Call
}

func (f farEnd) HangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := f.call.Hangup(ctx); err != nil {
		f.t.Error(err)
	}
}

func (f farEnd) Press(keys string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := f.call.WaitAnswered(ctx); err != nil {
		f.t.Fatal(err)
	}
	if err := f.call.SendDigits(ctx, keys, sipphone.DigitOptions{}); err != nil {
		f.t.Fatal(err)
	}
}

// behave makes each handler's phone do as its name says.
func behave(ctx context.Context, call *sipphone.IncomingCall) {
	switch call.ToUser {
	case "busy":
		_ = call.Reject(486)
	case "declines":
		_ = call.Reject(603)
	case "never":
		_ = call.Ring()
	default:
		_ = call.Ring()
		_ = call.Answer(ctx, sipphone.AnswerOptions{})
	}
}

func TestAsteriskFulfilsTheContract(t *testing.T) {
	switchtest.Contract(t, func(t *testing.T) switchtest.Subject {
		s := newSite(t, behave, "answers", "busy", "declines", "never")
		return switchtest.Subject{
			Switch: s.sw, App: "c3i",
			Ring: func(number string) switchtest.FarEnd {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				return farEnd{t, s.ring(ctx, number)}
			},
			Answers: "PJSIP/answers", Busy: "PJSIP/busy", Declines: "PJSIP/declines", Never: "PJSIP/never", Unreachable: "PJSIP/nobody",
			Sound: "sound:one-moment-please", Elsewhere: telephony.Location{Context: "c3i-fallback", Extension: "s", Priority: 1},
		}
	})
}
