package telephony_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// reaches are ways to bring a call into each state, with what the state is.
var reaches = []struct {
	state telephony.State
	menu  bool
	reach func(*rig) telephony.ChannelID
}{
	{telephony.StateIVR, true, func(r *rig) telephony.ChannelID { return r.call() }},
	{telephony.StateWaiting, false, func(r *rig) telephony.ChannelID { return r.call() }},
	{telephony.StateOffered, false, func(r *rig) telephony.ChannelID {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: 8 * time.Second})
		r.router.SignOn("ann")
		ch := r.call()
		r.pass(time.Second)
		return ch
	}},
	{telephony.StateConnecting, false, func(r *rig) telephony.ChannelID {
		r.router.SignOn("ann")
		ch := r.call()
		r.sw.Inject(switchtest.Fault{Op: "add_to_bridge", Channel: ch, Delay: time.Second})
		r.pass(3 * time.Second)
		return ch
	}},
	{telephony.StateTalking, false, func(r *rig) telephony.ChannelID { ch, _ := r.talking(); return ch }},
	{telephony.StateHeld, false, func(r *rig) telephony.ChannelID {
		ch, _ := r.talking()
		r.ask("ann", routing.VerbHold, "")
		return ch
	}},
}

// The event socket is cut for five seconds. A call that is still up goes on; one
// whose caller hung up meanwhile has ended when the socket is back.
func TestSocketCutForFiveSecondsInEachState(t *testing.T) {
	for _, c := range reaches {
		for _, gone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, caller gone %v", c.state, gone), func(t *testing.T) {
				inBubble(t, func(o *telephony.Options) {
					if c.menu {
						o.Sessions = menu
					}
				}, func(t *testing.T, r *rig) {
					ch := c.reach(r)
					r.state(c.state)
					r.sw.Disconnect()
					r.pass(2 * time.Second)
					if gone {
						r.sw.HangUp(ch)
					}
					r.pass(3 * time.Second)
					r.sw.Connect()
					r.pass(1500 * time.Millisecond)
					if gone {
						if len(r.ctl.Live()) != 0 {
							t.Errorf("calls = %v", r.ctl.Live())
						}
						for id := range r.sw.Now().Channels {
							t.Errorf("%s was left", id)
						}
						return
					}
					if _, up := r.sw.Now().Channels[ch]; !up {
						t.Fatal("the caller was hung up")
					}
					if len(r.sw.Now().Handed) != 0 {
						t.Error("the caller was sent away")
					}
					switch c.state {
					case telephony.StateTalking, telephony.StateConnecting:
						if v := r.sw.Now(); !v.Hear(ch, r.leg()) {
							t.Errorf("they do not hear each other: %+v", v)
						}
					case telephony.StateHeld:
						if !r.sw.Now().Music[ch] {
							t.Error("the caller on hold hears nothing")
						}
					case telephony.StateOffered:
						r.pass(10 * time.Second)
					}
					r.sw.HangUp(ch)
				})
			})
		}
	}
}

// The handler answers while nobody is there to be told: the switch hangs the
// leg up, and the caller is offered again.
func TestHandlerAnswersWhileTheSocketIsCut(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.router.SignOn("ann")
		ch := r.call()
		first := r.leg()
		r.pass(time.Second)
		r.sw.Disconnect()
		r.pass(5 * time.Second)
		r.sw.Connect()
		r.pass(time.Second)
		r.isGone(first)
		if switchtest.Count(r.router.Events(), routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "vanished"}) != 1 {
			t.Errorf("events = %+v", r.router.Events())
		}
		r.pass(10 * time.Second) // ann has rested and answers the second offer
		if v := r.sw.Now(); !v.Hear(ch, r.leg()) {
			t.Errorf("not connected: %+v", v)
		}
		r.sw.HangUp(ch)
	})
}

func TestHandlerHangsUpWhileTheSocketIsCut(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.Disconnect()
		r.sw.HangUp(leg)
		r.pass(5 * time.Second)
		if _, up := r.sw.Now().Channels[caller]; !up {
			t.Fatal("a command was given while the switch was away")
		}
		r.sw.Connect()
		r.pass(time.Second)
		r.isGone(caller)
		r.released(routing.ReleasedByFailure)
	})
}

func TestCommandsAreHeldWhileTheSwitchIsAway(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		r.sw.Disconnect()
		r.pass(0)
		before := len(r.sw.Now().Ops)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		if got := len(r.sw.Now().Ops); got != before {
			t.Errorf("%d commands were given while the switch was away", got-before)
		}
		if r.ctl.Ready() {
			t.Error("ready without a switch")
		}
		r.sw.Connect()
		r.pass(4 * time.Second)
		if v := r.sw.Now(); !v.Hear(ch, r.leg()) {
			t.Errorf("not connected after all: %+v", v)
		}
		r.sw.HangUp(ch)
	})
}

// An offer withdrawn while its dial command is held must not ring a phone
// afterwards.
func TestHeldDialCommandIsDroppedWhenItsOfferIs(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		r.sw.Disconnect()
		r.pass(0)
		r.router.SignOn("ann")
		r.pass(16 * time.Second)
		_ = r.router.Submit(context.Background(), routing.AgentSignedOff{Agent: "ann"})
		r.sw.Connect()
		r.pass(5 * time.Second)
		if n := r.sw.Now().Count("originate"); n != 0 {
			t.Errorf("%d phones were rung", n)
		}
		r.state(telephony.StateWaiting)
		r.sw.HangUp(ch)
	})
}

// One command fails, in each way a command can; the call ends in order, and
// nobody is left in silence or up. What must hold afterwards is in rig.stop.
func TestEachCommandFailing(t *testing.T) {
	ops := []string{"answer", "start_music", "stop_music", "originate", "create_bridge", "add_to_bridge", "hangup", "destroy_bridge"}
	for _, op := range ops {
		for kind, f := range map[string]switchtest.Fault{
			"500":              {Err: switchtest.Unavailable(op)},
			"404":              {Err: switchtest.NotFound(op)},
			"500 but done":     {Err: switchtest.Unavailable(op), Done: true},
			"stalls":           {Stall: true},
			"stalls but done":  {Stall: true, Done: true},
			"takes one second": {Delay: time.Second},
		} {
			t.Run(op+" "+kind, func(t *testing.T) {
				inBubble(t, nil, func(t *testing.T, r *rig) {
					f.Op, f.Times = op, 1
					r.sw.Inject(f)
					r.router.SignOn("ann")
					ch := r.call()
					r.pass(30 * time.Second)
					v := r.sw.Now()
					_, up := v.Channels[ch]
					handed := len(v.Handed) == 1
					switch {
					case op == "answer" && strings.Contains(kind, "500"), op == "answer" && strings.Contains(kind, "stalls"):
						if !handed {
							t.Errorf("a call that cannot be answered was not given to the fallback: %+v", v)
						}
					case !up:
						t.Errorf("the caller was hung up: %+v", v)
					case !v.Hear(ch, r.leg()):
						t.Errorf("not connected: %+v", v)
					}
					r.sw.HangUp(ch)
					r.pass(30 * time.Second)
					if len(r.ctl.Live()) != 0 {
						t.Errorf("calls = %v", r.ctl.Live())
					}
				})
			})
		}
	}
}

func TestHangupIsRepeatedUntilItIsDone(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.Inject(switchtest.Fault{Op: "hangup", Times: 3, Err: switchtest.Unavailable("hangup")})
		r.sw.HangUp(leg)
		r.pass(5 * time.Second)
		r.isGone(caller)
	})
}

func TestEveryEventTwice(t *testing.T) {
	inBubble(t, withMenu, func(t *testing.T, r *rig) {
		r.sw.Filter(func(telephony.EventBody) int { return 2 })
		r.router.SignOn("ann")
		ch := r.call()
		r.sw.Press(ch, "1")
		r.pass(4 * time.Second)
		if v := r.sw.Now(); !v.Hear(ch, r.leg()) {
			t.Fatalf("not connected: %+v", v)
		}
		r.sw.HangUp(ch)
		r.pass(time.Second)
		if n := len(r.ledger.Entries()); n != 0 {
			t.Errorf("%d ghosts in the ledger", n)
		}
	})
}

// The end of a call is told to nobody. The audit finds out.
func TestLostEndsAreFoundByTheAudit(t *testing.T) {
	for name, lose := range map[string]func(r *rig, caller, leg telephony.ChannelID) telephony.ChannelID{
		"the caller's":  func(_ *rig, caller, _ telephony.ChannelID) telephony.ChannelID { return caller },
		"the handler's": func(_ *rig, _, leg telephony.ChannelID) telephony.ChannelID { return leg },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *rig) {
				caller, leg := r.talking()
				r.sw.Vanish(lose(r, caller, leg))
				r.pass(31 * time.Second)
				r.isGone(caller, leg)
				r.released(routing.ReleasedByFailure)
				r.verdict("vanished_talking", 1)
			})
		})
	}
}

func TestOrphansAreReleased(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		r.sw.Disconnect()
		r.sw.AddOrphan("c3i-01ARZ3NDEKTSV4RRFFQ69G5FAV-leg-4", "leg", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "4")
		r.sw.AddOrphan("1700000000.5", "inbound", "dialled=101")
		r.sw.AddOrphanBridge("c3i-01ARZ3NDEKTSV4RRFFQ69G5FAV-bridge-1")
		r.sw.AddOrphanBridge("somebody-elses")
		r.sw.Connect()
		r.pass(3 * time.Second)
		v := r.sw.Now()
		if len(v.Handed) != 1 || v.Handed[0].Channel != "1700000000.5" || v.Handed[0].To.Context != "c3i-fallback" {
			t.Errorf("handed = %+v", v.Handed)
		}
		r.isGone("c3i-01ARZ3NDEKTSV4RRFFQ69G5FAV-leg-4")
		if len(v.Bridges) != 1 || v.Bridges["somebody-elses"] == nil && len(v.Bridges["somebody-elses"]) != 0 {
			t.Errorf("bridges = %v", v.Bridges)
		}
		r.state(telephony.StateWaiting)
		r.sw.HangUp(ch)
		_ = r.sw.DestroyBridge(context.Background(), "somebody-elses")
	})
}

// A call whose entry is still under way when the lists are made is not an
// orphan.
func TestCallAStepAheadOfItsEventIsNoOrphan(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.Disconnect()
		r.sw.AddOrphan("1700000000.6", "inbound", "dialled=101", "pres=allowed")
		r.sw.Connect()
		r.pass(500 * time.Millisecond)
		r.sw.Tell(telephony.ChannelEntered{Channel: "1700000000.6", Args: []string{"inbound", "dialled=101", "pres=allowed"}, Number: number})
		r.pass(3 * time.Second)
		if v := r.sw.Now(); len(v.Handed) != 0 || !v.Music["1700000000.6"] {
			t.Errorf("the call was sent away: %+v", v)
		}
		r.state(telephony.StateWaiting)
		r.sw.HangUp("1700000000.6")
	})
}

func TestBridgeTakenAwayIsMadeAgain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		for b := range r.sw.Now().Bridges {
			r.sw.BreakBridge(b)
		}
		r.pass(0)
		if v := r.sw.Now(); !v.Hear(caller, leg) {
			t.Errorf("they do not hear each other: %+v", v)
		}
		r.sw.HangUp(caller)
	})
}

func TestReplacedStopsRatherThanFights(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.Replace()
		if err := <-r.ran; err != telephony.ErrReplaced { //nolint:errorlint // returned as it is
			t.Errorf("Run = %v", err)
		}
		if r.ctl.Ready() {
			t.Error("still ready")
		}
		r.ran <- nil // for stop
	})
}

func TestUnknownEventsAreCountedAndHarmless(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.Tell(telephony.Unknown{Type: "ChannelTransfer", Raw: "{}"})
		r.sw.Tell(telephony.Unknown{Type: `x"{} ` + number, Raw: "{}"})
		r.sw.Tell(telephony.DigitReceived{Channel: "nobody", Digit: '1'})
		r.sw.Tell(telephony.PlaybackFinished{Playback: "c3i--play-"})
		r.sw.Tell(telephony.BridgeDestroyed{Bridge: "c3i-x-bridge-1"})
		r.sw.Tell(telephony.ChannelLeft{Channel: "nobody"})
		r.sw.Tell(telephony.ChannelDestroyed{Channel: "nobody"})
		r.pass(0)
		families, err := r.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			if f.GetName() == "c3i_switch_unknown_events_total" {
				for _, m := range f.GetMetric() {
					got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
				}
			}
		}
		if got["ChannelTransfer"] != 1 || got["other"] != 1 || len(got) != 2 {
			t.Errorf("counted %v", got)
		}
	})
}

func TestEndpointChangesAreHandedOn(t *testing.T) {
	var got []string
	inBubble(t, func(o *telephony.Options) {
		o.Endpoint = func(e string, up bool) { got = append(got, fmt.Sprint(e, up)) }
	}, func(t *testing.T, r *rig) {
		r.sw.Tell(telephony.EndpointChanged{Endpoint: desk1, Up: true})
		r.sw.Tell(telephony.EndpointChanged{Endpoint: desk1, Up: false})
		r.pass(0)
	})
	if len(got) != 2 || got[0] != desk1+"true" || got[1] != desk1+"false" {
		t.Errorf("handed on %v", got)
	}
}

func TestDrain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		talking, leg := r.talking()
		waiting := r.call()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		drained := make(chan telephony.Drained, 1)
		go func() { drained <- r.ctl.Drain(ctx) }()
		r.pass(time.Second)
		late := r.sw.Call(switchtest.Caller{Number: number})
		r.pass(time.Second)
		if v := r.sw.Now(); len(v.Handed) != 1 || v.Handed[0].Channel != late {
			t.Errorf("a call that came while draining: handed = %+v", v.Handed)
		}
		select {
		case d := <-drained:
			t.Fatalf("drained too early: %+v", d)
		default:
		}
		r.pass(20 * time.Second)
		if d := <-drained; d != (telephony.Drained{HandedOver: 1, Talking: 1}) {
			t.Errorf("drained = %+v", d)
		}
		v := r.sw.Now()
		if len(v.Handed) != 2 || v.Handed[1].Channel != waiting {
			t.Errorf("handed = %+v", v.Handed)
		}
		if !v.Hear(talking, leg) {
			t.Error("the conversation was cut")
		}
		r.sw.HangUp(talking)
	})
}

func TestDrainEndsWhenTheLastCallDoes(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		talking, _ := r.talking()
		drained := make(chan telephony.Drained, 1)
		go func() { drained <- r.ctl.Drain(context.Background()) }()
		r.pass(time.Minute)
		r.sw.HangUp(talking)
		if d := <-drained; d != (telephony.Drained{}) {
			t.Errorf("drained = %+v", d)
		}
	})
}

func TestCallThatComesBackFromTheFallbackIsANewOne(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		fail := true
		r.router.Refuse(func(routing.Event) error {
			if fail {
				return context.DeadlineExceeded
			}
			return nil
		})
		ch := r.call()
		r.pass(time.Second)
		fail = false
		r.sw.Return(ch, "inbound", "fallback", "dialled=101", "pres=allowed")
		r.pass(time.Second)
		if v := r.sw.Now(); !v.Music[ch] {
			t.Errorf("the caller who came back hears nothing: %+v", v)
		}
		if n := r.ctl.Live()[telephony.StateWaiting]; n != 1 {
			t.Errorf("calls = %v", r.ctl.Live())
		}
		r.sw.HangUp(ch)
	})
}

func TestKeysInTheMenu(t *testing.T) {
	emergency := switchtest.Handed{To: telephony.Location{Context: "emergency", Extension: "999", Priority: 1}}
	for _, c := range []struct {
		name    string
		keys    string
		fault   *switchtest.Fault
		check   func(*rig, telephony.ChannelID)
		verdict string
	}{
		{"1 routes with language and answers", "1", nil, func(r *rig, ch telephony.ChannelID) {
			ev, ok := switchtest.First[routing.ContactArrived](r.router.Events())
			if !ok || ev.Facts.Language != "pl" || ev.Facts.Answers["menu"] != "crime" || ev.Channel != contact.Phone {
				r.t.Errorf("arrived = %+v", ev)
			}
			if r.sw.Now().Playing != 0 {
				r.t.Error("the welcome goes on")
			}
			r.sw.HangUp(ch)
		}, "abandoned"},
		{"9 goes to the emergency destination at once", "9", nil, func(r *rig, ch telephony.ChannelID) {
			emergency.Channel = ch
			if v := r.sw.Now(); len(v.Handed) != 1 || v.Handed[0] != emergency {
				r.t.Errorf("handed = %+v", v.Handed)
			}
			if got := r.ledger.Entries(); len(got) != 1 || got[0].Ending != contact.IVRContained || got[0].Language != "pl" {
				r.t.Errorf("ledger = %+v", got)
			}
		}, "transferred"},
		{"9 that fails once is tried again", "9", &switchtest.Fault{Op: "continue", Times: 1, Err: switchtest.Unavailable("continue")}, func(r *rig, _ telephony.ChannelID) {
			if v := r.sw.Now(); len(v.Handed) != 1 || v.Handed[0].To != emergency.To {
				r.t.Errorf("handed = %+v", v.Handed)
			}
		}, "transferred"},
		{"9 that fails gives the call back to the flow", "9", &switchtest.Fault{Op: "continue", Times: 2, Err: switchtest.Unavailable("continue")}, func(r *rig, ch telephony.ChannelID) {
			r.state(telephony.StateIVR)
			if r.sw.Now().Playing != 1 {
				r.t.Error("the caller hears nothing")
			}
			r.sw.HangUp(ch)
		}, "left_in_ivr"},
		{"0 hangs up", "0", nil, func(r *rig, ch telephony.ChannelID) {
			r.isGone(ch)
			if got := r.ledger.Entries(); len(got) != 1 || got[0].Ending != contact.IVRContained {
				r.t.Errorf("ledger = %+v", got)
			}
		}, "ivr_contained"},
		{"a key the flow does not know", "5", nil, func(r *rig, ch telephony.ChannelID) {
			r.state(telephony.StateIVR)
			r.sw.HangUp(ch)
		}, "left_in_ivr"},
		{"no key at all", "", nil, func(r *rig, ch telephony.ChannelID) {
			r.pass(switchtest.PlayTime + 6*time.Second)
			r.isGone(ch)
		}, "ivr_contained"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, withMenu, func(t *testing.T, r *rig) {
				if c.fault != nil {
					r.sw.Inject(*c.fault)
				}
				ch := r.call()
				r.pass(500 * time.Millisecond)
				r.sw.Press(ch, c.keys)
				r.pass(500 * time.Millisecond)
				c.check(r, ch)
				r.pass(time.Second)
				r.verdict(c.verdict, 1)
			})
		})
	}
}

// A playback whose end is never told, or that does not end, must not hold the
// caller.
func TestPlaybackWatchdog(t *testing.T) {
	for _, c := range []struct {
		name  string
		media telephony.Media
		lose  bool
		by    time.Duration
	}{
		{"lost end, known length", telephony.Media{URI: "sound:x", Length: switchtest.PlayTime}, true, switchtest.PlayTime + 3*time.Second},
		{"endless, known length", telephony.Media{URI: "endless:x", Length: switchtest.PlayTime}, false, switchtest.PlayTime + 3*time.Second},
		{"endless, unknown length", telephony.Media{URI: "endless:x"}, false, 63 * time.Second},
		{"cannot be played", telephony.Media{URI: "bad:x"}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(o *telephony.Options) {
				o.Sessions = menu
				o.Prompts = func(string, string) (telephony.Media, bool) { return c.media, true }
			}, func(t *testing.T, r *rig) {
				r.sw.Filter(func(b telephony.EventBody) int {
					if _, end := b.(telephony.PlaybackFinished); end && c.lose {
						return 0
					}
					return 1
				})
				ch := r.call()
				if c.by > 0 {
					r.pass(c.by - time.Millisecond)
				}
				r.pass(5 * time.Second) // the menu's silence, after which it hangs up
				r.pass(time.Second)
				r.isGone(ch)
			})
		})
	}
}

func TestPromptWithoutASoundIsPassedOver(t *testing.T) {
	inBubble(t, func(o *telephony.Options) {
		o.Sessions = menu
		o.Prompts = func(string, string) (telephony.Media, bool) { return telephony.Media{}, false }
	}, func(t *testing.T, r *rig) {
		ch := r.call()
		r.pass(6 * time.Second)
		r.isGone(ch)
	})
}
