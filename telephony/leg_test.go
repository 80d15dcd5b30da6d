package telephony_test

import (
	"context"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

func TestWhatBecomesOfRingingAPhone(t *testing.T) {
	for _, c := range []struct {
		name  string
		phone *switchtest.Phone // nil is a dial string nobody has
		fault *switchtest.Fault
		after time.Duration
		want  routing.Event
	}{
		{"busy here (486)", &switchtest.Phone{RefuseWith: telephony.CauseUserBusy}, nil, time.Second, routing.OfferDeclined{Offer: 1, Agent: "ann"}},
		{"declined (603)", &switchtest.Phone{RefuseWith: telephony.CauseRejected, RefuseAfter: 2 * time.Second}, nil, 3 * time.Second, routing.OfferDeclined{Offer: 1, Agent: "ann"}},
		{"temporarily unavailable (480)", &switchtest.Phone{RefuseWith: telephony.CauseNoAnswer}, nil, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "no_answer"}},
		{"not registered", &switchtest.Phone{Unreachable: true}, nil, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "unreachable"}},
		{"unknown to the switch", nil, nil, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "unreachable"}},
		{"network", &switchtest.Phone{RefuseWith: telephony.CauseCongestion}, nil, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "network"}},
		{"server error", &switchtest.Phone{AnswerAfter: time.Second}, &switchtest.Fault{Op: "originate", Times: 1, Err: switchtest.Unavailable("originate")}, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "switch_unavailable"}},
		{"dialled but the answer was lost", &switchtest.Phone{AnswerAfter: 3 * time.Second}, &switchtest.Fault{Op: "originate", Times: 1, Done: true, Err: switchtest.Unavailable("originate")}, time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "switch_unavailable"}},
		{"the switch stalls", &switchtest.Phone{AnswerAfter: time.Second}, &switchtest.Fault{Op: "originate", Times: 1, Stall: true}, 3 * time.Second, routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "switch_unavailable"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *rig) {
				if c.phone != nil {
					r.sw.AddPhone(desk1, *c.phone)
				} else {
					r.phones["ann"] = "PJSIP/nobody"
				}
				if c.fault != nil {
					r.sw.Inject(*c.fault)
				}
				r.router.SignOn("ann")
				ch := r.call()
				r.pass(c.after)
				found := false
				for _, ev := range r.router.Events() {
					found = found || ev == c.want
				}
				if !found {
					t.Errorf("no %+v among %+v", c.want, r.router.Events())
				}
				r.state(telephony.StateWaiting)
				v := r.sw.Now()
				if !v.Music[ch] || len(v.Channels) != 1 {
					t.Errorf("the caller does not wait alone with music: %+v", v)
				}
				r.sw.HangUp(ch)
			})
		})
	}
}

func TestHandlerWithoutAPhone(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		delete(r.phones, "ann")
		r.router.SignOn("ann")
		ch := r.call()
		if switchtest.Count(r.router.Events(), routing.OfferFailed{Offer: 1, Agent: "ann", Cause: "no_phone"}) != 1 {
			t.Errorf("events = %+v", r.router.Events())
		}
		r.sw.HangUp(ch)
	})
}

func TestNoAnswerMovesToTheNextHandler(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Never)
		r.router.SignOn("ann")
		ch := r.call()
		first := r.leg()
		r.pass(10 * time.Second)
		r.router.SignOn("bob")
		r.pass(6 * time.Second) // ann's 15 s are over, bob's phone rings
		r.isGone(first)
		if !r.sw.Now().Music[ch] {
			t.Error("the caller hears nothing meanwhile")
		}
		r.pass(3 * time.Second)
		if v := r.sw.Now(); !v.Hear(ch, r.leg()) {
			t.Errorf("not connected to the second handler: %+v", v)
		}
		r.sw.HangUp(ch)
	})
}

// An answer that crosses the withdrawal of its offer on the wire must not
// connect anybody, and the phone must not stay up.
func TestLateAnswerIsHungUpAtOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: 16 * time.Second, Deaf: true})
		r.router.SignOn("ann")
		ch := r.call()
		leg := r.leg()
		r.pass(15*time.Second + time.Millisecond)
		if _, there := r.sw.Now().Channels[leg]; !there {
			t.Fatal("the phone stopped ringing: this test shows nothing")
		}
		r.pass(time.Second)
		r.isGone(leg)
		r.state(telephony.StateWaiting)
		for _, ev := range r.router.Events() {
			if _, is := ev.(routing.OfferAccepted); is {
				t.Error("the late answer was taken")
			}
		}
		r.sw.HangUp(ch)
	})
}

// The same after the call is over and forgotten.
func TestLateAnswerAfterTheCallIsHungUpAtOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: 5 * time.Second, Deaf: true})
		r.router.SignOn("ann")
		ch := r.call()
		leg := r.leg()
		r.sw.HangUp(ch)
		r.pass(time.Second)
		if len(r.ctl.Live()) != 0 {
			t.Fatalf("calls = %v", r.ctl.Live())
		}
		r.pass(4 * time.Second)
		r.isGone(leg)
	})
}

func TestHandlerGoesNotReadyWhileRinging(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Never)
		r.router.SignOn("ann")
		ch := r.call()
		leg := r.leg()
		r.pass(time.Second)
		_ = r.router.Submit(context.Background(), routing.AgentPresence{Agent: "ann", Up: false})
		r.pass(0)
		r.isGone(leg)
		r.state(telephony.StateWaiting)
		r.sw.HangUp(ch)
	})
}

// The offer is withdrawn while the dial command is still under way: the phone
// that the command then rings must be hung up.
func TestRetractOvertakesTheDialCommand(t *testing.T) {
	for name, f := range map[string]switchtest.Fault{
		"slow":                  {Op: "originate", Delay: time.Second},
		"carried out, no reply": {Op: "originate", Stall: true, Done: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *rig) {
				r.sw.Inject(f)
				r.router.SignOn("ann")
				ch := r.call()
				_ = r.router.Submit(context.Background(), routing.AgentPresence{Agent: "ann", Up: false})
				r.pass(2500 * time.Millisecond)
				r.isGone(r.leg())
				r.state(telephony.StateWaiting)
				r.sw.HangUp(ch)
			})
		})
	}
}

func TestHandlerAnswersAndHangsUpBeforeBeingConnected(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: time.Second, HangupAfter: 100 * time.Millisecond})
		r.sw.Inject(switchtest.Fault{Op: "add_to_bridge", Delay: 200 * time.Millisecond})
		r.router.SignOn("ann")
		ch := r.call()
		r.pass(1500 * time.Millisecond)
		if _, failed := switchtest.First[routing.ConnectFailed](r.router.Events()); !failed {
			t.Errorf("events = %+v", r.router.Events())
		}
		if !r.sw.Now().Music[ch] {
			t.Error("the caller hears nothing")
		}
		r.sw.HangUp(ch)
	})
}

func TestAnsweredTwiceConnectsOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.Filter(func(telephony.EventBody) int { return 2 })
		ch, _ := r.talking()
		accepted := switchtest.Count(r.router.Events(), routing.OfferAccepted{Offer: 1, Agent: "ann"})
		connected := switchtest.Count(r.router.Events(), routing.Connected{Contact: r.contact(), Agent: "ann"})
		if accepted != 1 || connected != 1 {
			t.Errorf("accepted %d times, connected %d times", accepted, connected)
		}
		r.sw.HangUp(ch)
		r.pass(time.Second)
		if len(r.ended()) != 1 || len(r.ctl.Live()) != 0 {
			t.Errorf("ended %d times, calls %v", len(r.ended()), r.ctl.Live())
		}
	})
}

func TestAcceptanceThatRoutingCannotTake(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.router.Refuse(func(ev routing.Event) error {
			if _, is := ev.(routing.OfferAccepted); is {
				return context.DeadlineExceeded
			}
			return nil
		})
		r.router.SignOn("ann")
		ch := r.call()
		leg := r.leg()
		r.pass(3 * time.Second)
		r.isGone(leg)
		r.state(telephony.StateWaiting)
		if !r.sw.Now().Music[ch] {
			t.Error("the caller hears nothing")
		}
		r.sw.HangUp(ch)
	})
}

func TestTakenOnTheDeskBeforeThePhoneIsPickedUp(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.router.SignOn("ann")
		ch := r.call()
		_ = r.router.Submit(context.Background(), routing.OfferAccepted{Offer: 1, Agent: "ann"})
		r.pass(4 * time.Second)
		if !r.sw.Now().Hear(ch, r.leg()) {
			t.Errorf("not connected: %+v", r.sw.Now())
		}
		r.sw.HangUp(ch)
	})
}

func TestDialWatchdog(t *testing.T) {
	inBubble(t, func(o *telephony.Options) { o.Submit = mute{} }, func(t *testing.T, r *rig) {
		// Routing that forgets to withdraw, and a switch that forgets its own limit.
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: -1, Deaf: true})
		r.sw.Filter(func(b telephony.EventBody) int {
			if _, is := b.(telephony.ChannelDestroyed); is {
				return 0
			}
			return 1
		})
		ch := r.call()
		now := contact.At(time.Now())
		live := r.ctl.Live()
		if live[telephony.StateIdentifying] != 1 {
			t.Fatalf("calls = %v", live)
		}
		_ = r.ctl.Do(context.Background(), routing.Offer{Offer: 1, Contact: r.onlyContact(), Channel: contact.Phone, Agent: "ann", Deadline: now.Add(10 * contact.Second)})
		r.pass(time.Second)
		r.state(telephony.StateOffered)
		r.pass(15 * time.Second)
		r.state(telephony.StateWaiting)
		r.sw.Filter(nil)
		r.sw.HangUp(ch)
	})
}

// onlyContact reads the contact's id from a leg-less call's log line.
func (r *rig) onlyContact() contact.ID {
	r.t.Helper()
	text := r.logs.String()
	const key = `"contact":"`
	for i := range len(text) - len(key) - 26 {
		if text[i:i+len(key)] == key {
			return contact.ID(text[i+len(key) : i+len(key)+26])
		}
	}
	r.t.Fatal("no contact was logged")
	return ""
}

// Routing gives up on a connection at the moment it comes about: the handler is
// let go and the caller waits again, with music.
func TestRetractThatCrossesTheConnection(t *testing.T) {
	for _, held := range []bool{false, true} {
		inBubble(t, nil, func(t *testing.T, r *rig) {
			caller, leg := r.talking()
			if held {
				r.ask("ann", routing.VerbHold, "")
			}
			_ = r.ctl.Do(context.Background(), routing.Retract{Offer: 1, Contact: r.contact(), Agent: "ann", Cause: routing.RetractFailed})
			r.pass(0)
			r.isGone(leg)
			r.state(telephony.StateWaiting)
			v := r.sw.Now()
			for b, chs := range v.Bridges {
				if len(chs) != 0 {
					t.Errorf("%v are still in bridge %s", chs, b)
				}
			}
			if !v.Music[caller] {
				t.Error("the caller hears nothing")
			}
			r.sw.HangUp(caller)
		})
	}
}

func TestAnswerThatRoutingRefusesIsPutDown(t *testing.T) {
	inBubble(t, func(o *telephony.Options) { o.Submit = mute{} }, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: time.Second})
		ch := r.call()
		_ = r.ctl.Do(context.Background(), routing.Offer{
			Offer: 1, Contact: r.onlyContact(), Channel: contact.Phone, Agent: "ann", Deadline: contact.At(time.Now()).Add(10 * contact.Second),
		})
		r.pass(1500 * time.Millisecond)
		leg := r.leg()
		if r.sw.Now().Channels[leg] != telephony.ChannelUp {
			t.Fatal("the phone was not answered")
		}
		_ = r.ctl.Do(context.Background(), routing.Refused{Event: "offer_accepted", Code: "offer_not_open", Agent: "ann", Offer: 2})
		r.pass(0)
		if r.sw.Now().Channels[leg] != telephony.ChannelUp {
			t.Fatal("another offer's refusal put the phone down")
		}
		_ = r.ctl.Do(context.Background(), routing.Refused{Event: "offer_accepted", Code: "offer_not_open", Agent: "ann", Offer: 1})
		r.pass(0)
		r.isGone(leg)
		r.state(telephony.StateWaiting)
		if !r.sw.Now().Music[ch] {
			t.Error("the caller hears nothing")
		}
		r.sw.HangUp(ch)
	})
}
