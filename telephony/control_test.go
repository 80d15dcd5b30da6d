package telephony_test

import (
	"context"
	"testing"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

func TestHoldAndResume(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.ask("ann", routing.VerbHold, "")
		v := r.sw.Now()
		if v.Hear(caller, leg) || !v.Music[caller] || v.Music[leg] {
			t.Fatalf("on hold: %+v", v)
		}
		r.state(telephony.StateHeld)
		r.ask("ann", routing.VerbResume, "")
		if v := r.sw.Now(); !v.Hear(caller, leg) {
			t.Fatalf("resumed: %+v", v)
		}
		r.state(telephony.StateTalking)
		r.done(routing.VerbHold, "")
		r.done(routing.VerbResume, "")
		r.sw.HangUp(caller)
	})
}

func (r *rig) done(verb routing.Verb, cause string) {
	r.t.Helper()
	for _, ev := range r.router.Events() {
		if d, is := ev.(routing.ControlDone); is && d.Verb == verb {
			if d.Cause != cause {
				r.t.Errorf("%s: cause %q, want %q", verb, d.Cause, cause)
			}
			return
		}
	}
	r.t.Errorf("%s was not reported", verb)
}

func TestHoldAndResumePressedAtOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.Inject(switchtest.Fault{Op: "remove_from_bridge", Delay: time.Second})
		id := r.contact()
		for _, v := range []routing.Verb{routing.VerbHold, routing.VerbResume, routing.VerbHold, routing.VerbResume} {
			_ = r.ctl.Do(context.Background(), routing.Control{Contact: id, Agent: "ann", Verb: v})
		}
		r.pass(5 * time.Second)
		if v := r.sw.Now(); !v.Hear(caller, leg) {
			t.Errorf("after hold, resume, hold, resume: %+v", v)
		}
		r.sw.HangUp(caller)
	})
}

func TestHoldThatFailsLeavesThemTalking(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.Inject(switchtest.Fault{Op: "remove_from_bridge", Times: 1, Err: switchtest.Unavailable("remove_from_bridge")})
		r.ask("ann", routing.VerbHold, "")
		r.done(routing.VerbHold, "switch_unavailable")
		r.state(telephony.StateTalking)
		if v := r.sw.Now(); !v.Hear(caller, leg) {
			t.Errorf("they do not hear each other: %+v", v)
		}
		r.sw.HangUp(caller)
	})
}

func TestMuteStopsTheHandlersSpeech(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.ask("ann", routing.VerbMute, "")
		if v := r.sw.Now(); !v.Muted[leg] || v.Muted[caller] {
			t.Errorf("muted: %+v", v.Muted)
		}
		r.done(routing.VerbMute, "")
		r.ask("ann", routing.VerbUnmute, "")
		if v := r.sw.Now(); !v.Hear(caller, leg) {
			t.Errorf("unmuted: %+v", v)
		}
		r.done(routing.VerbUnmute, "")
		r.sw.HangUp(caller)
	})
}

func TestKeysGoToTheCallersSide(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.ask("ann", routing.VerbDTMF, "12#")
		if got := r.sw.Sent(caller); got != "12#" {
			t.Errorf("sent %q", got)
		}
		if got := r.sw.Sent(leg); got != "" {
			t.Errorf("the handler heard %q", got)
		}
		r.done(routing.VerbDTMF, "")
		r.sw.HangUp(caller)
	})
}

func TestControlsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		control routing.Control
		cause   string
	}{
		"somebody else's call": {routing.Control{Agent: "bob", Verb: routing.VerbHold}, "not_connected"},
		"no keys":              {routing.Control{Agent: "ann", Verb: routing.VerbDTMF}, "bad_digits"},
		"not keys":             {routing.Control{Agent: "ann", Verb: routing.VerbDTMF, Digits: "1x"}, "bad_digits"},
		"too many keys":        {routing.Control{Agent: "ann", Verb: routing.VerbDTMF, Digits: "123456789012345678901234567890123"}, "bad_digits"},
		"unknown verb":         {routing.Control{Agent: "ann", Verb: "dance"}, "unknown_verb"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *rig) {
				caller, leg := r.talking()
				c.control.Contact = r.contact()
				_ = r.ctl.Do(context.Background(), c.control)
				r.pass(0)
				r.done(c.control.Verb, c.cause)
				if !r.sw.Now().Hear(caller, leg) {
					t.Error("the conversation was disturbed")
				}
				r.sw.HangUp(caller)
			})
		})
	}
}

func TestControlBeforeThereIsAConversation(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		_ = r.ctl.Do(context.Background(), routing.Control{Contact: r.contact(), Agent: "ann", Verb: routing.VerbHold})
		r.pass(0)
		r.done(routing.VerbHold, "not_connected")
		r.sw.HangUp(ch)
	})
}

func TestHandlerPressesHangUp(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.ask("ann", routing.VerbHangup, "")
		r.isGone(caller, leg)
		r.released(routing.ReleasedByHandler)
		r.done(routing.VerbHangup, "")
	})
}
