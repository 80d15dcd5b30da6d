package telephony_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// Calls, phones and troubles drawn from a seed: whatever happens, every contact
// ends once and nothing is left in the switch. What must hold is in rig.stop.
func TestManyTroubles(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inBubble(t, func(o *telephony.Options) {
				if seed%2 == 1 {
					o.Sessions = menu
				}
			}, func(_ *testing.T, r *rig) { trouble(r, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

func trouble(r *rig, rnd *rand.Rand) {
	draw := func(n int) int { return rnd.IntN(n) }
	ms := func(n int) time.Duration { return time.Duration(draw(n)) * time.Millisecond }
	behaviour := func() switchtest.Phone {
		switch draw(7) {
		case 0:
			return switchtest.Never
		case 1:
			return switchtest.Phone{RefuseWith: telephony.CauseUserBusy, RefuseAfter: ms(3000)}
		case 2:
			return switchtest.Phone{Unreachable: true}
		case 3:
			return switchtest.Phone{AnswerAfter: ms(20000), Deaf: true}
		case 4:
			return switchtest.Phone{AnswerAfter: ms(5000), HangupAfter: 1 + ms(5000)}
		}
		return switchtest.Phone{AnswerAfter: ms(4000)}
	}
	ops := []string{"answer", "start_music", "stop_music", "originate", "create_bridge", "add_to_bridge", "remove_from_bridge", "hangup", "destroy_bridge", "play", "list_channels", "mute"}
	var callers []telephony.ChannelID
	r.router.SignOn("ann", "bob")
	up := true
	for range 60 {
		switch draw(14) {
		case 0, 1, 2:
			if up {
				callers = append(callers, r.call())
			}
		case 3:
			if len(callers) > 0 {
				r.sw.HangUp(callers[draw(len(callers))])
			}
		case 4:
			if len(callers) > 0 {
				r.sw.Press(callers[draw(len(callers))], string("190#5"[draw(5)]))
			}
		case 5:
			r.sw.AddPhone([]string{desk1, desk2}[draw(2)], behaviour())
		case 6:
			op := ops[draw(len(ops))]
			f := switchtest.Fault{Op: op, Times: 1 + draw(2), Delay: ms(1500), Done: draw(2) == 0, Stall: draw(4) == 0}
			if draw(2) == 0 {
				f.Err = switchtest.Unavailable(op)
			}
			r.sw.Inject(f)
		case 7:
			if up {
				r.sw.Disconnect()
			} else {
				r.sw.Connect()
			}
			up = !up
		case 8:
			p := draw(3)
			r.sw.Filter(func(b telephony.EventBody) int {
				switch b.(type) {
				case telephony.PlaybackFinished, telephony.ChannelLeft, telephony.ChannelDestroyed:
					return p
				}
				return 1
			})
		case 9:
			r.sw.Filter(nil)
		case 10:
			for _, ev := range r.router.Events() {
				if c, is := ev.(routing.Connected); is && draw(2) == 0 {
					verbs := []routing.Verb{routing.VerbHold, routing.VerbResume, routing.VerbMute, routing.VerbHangup, routing.VerbDTMF}
					_ = r.router.Submit(r.t.Context(), routing.ControlAsked{Contact: c.Contact, Agent: c.Agent, Verb: verbs[draw(len(verbs))], Digits: "1"})
				}
			}
		case 11:
			_ = r.router.Submit(r.t.Context(), routing.AgentPresence{Agent: []routing.AgentID{"ann", "bob"}[draw(2)], Up: draw(3) > 0})
		case 12:
			if len(callers) > 0 {
				r.sw.Vanish(callers[draw(len(callers))])
			}
		case 13:
			for b := range r.sw.Now().Bridges {
				r.sw.BreakBridge(b)
				break
			}
		}
		r.pass(ms(4000))
		r.together()
	}
	r.sw.Heal()
	r.sw.Filter(nil)
	if !up {
		r.sw.Connect()
	}
	r.pass(time.Minute)
	for _, ch := range callers {
		r.sw.HangUp(ch)
	}
}

// together checks that nobody is in two bridges and no bridge joins two callers
// or two handlers.
func (r *rig) together() {
	r.t.Helper()
	for b, chs := range r.sw.Now().Bridges {
		if len(chs) > 2 {
			r.t.Errorf("bridge %s joins %v", b, chs)
		}
	}
}
