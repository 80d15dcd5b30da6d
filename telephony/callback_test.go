package telephony_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// mobile is where the caller is rung back.
const mobile = "PJSIP/" + number + "@out"

// backRig is a rig whose callers are rung back: told of it after 20 s and every
// minute, twice at most, a minute apart.
type backRig struct {
	*rig
	numbers *switchtest.Numbers
}

func ringingBack(t *testing.T, change func(*telephony.Options), test func(*testing.T, *backRig)) {
	t.Helper()
	numbers := &switchtest.Numbers{}
	inBubble(t, func(o *telephony.Options) {
		o.Outgoing = func(number string) (string, bool) { return "PJSIP/" + number + "@out", true }
		o.Numbers, o.CallerNumber = numbers, "101"
		if change != nil {
			change(o)
		}
	}, func(t *testing.T, r *rig) {
		p := switchtest.Plan()
		p.Version = 2
		p.Queues[0].Announce = &routing.AnnouncePolicy{First: 20 * contact.Second, Every: contact.Minute}
		p.Queues[0].Callback = &routing.CallbackPolicy{Attempts: 2, Spacing: contact.Minute, RingFor: 20 * contact.Second}
		if err := r.router.Submit(context.Background(), routing.PlanPublished{Version: 2, Plan: p}); err != nil {
			t.Fatal(err)
		}
		r.sw.AddPhone(mobile, switchtest.Phone{AnswerAfter: 5 * time.Second})
		test(t, &backRig{r, numbers})
	})
}

// plays tells the media of the playbacks begun so far on a channel.
func (r *backRig) plays(ch telephony.ChannelID) []string {
	var all []string
	for _, op := range r.sw.Now().Ops {
		if op.Name == "play" && op.Channel == ch {
			all = append(all, op.Media)
		}
	}
	return all
}

// asks is a caller who has asked to be rung back and hung up; it is their contact.
func (r *backRig) asks() contact.ID {
	r.t.Helper()
	ch := r.call()
	r.pass(21 * time.Second)
	r.sw.Press(ch, "11")
	r.pass(time.Second)
	r.sw.HangUp(ch)
	r.pass(time.Second)
	if _, noted := first[routing.CallbackNoted](r.router.Actions()); !noted {
		r.t.Fatalf("nobody noted the callback: %+v", r.router.Events())
	}
	return r.contact()
}

func first[A routing.Action](actions []routing.Action) (a A, ok bool) {
	for _, x := range actions {
		if a, ok = x.(A); ok {
			return a, true
		}
	}
	return a, false
}

// callerLeg is the leg of the caller who is being rung back.
func (r *backRig) callerLeg() telephony.ChannelID {
	r.t.Helper()
	leg := r.leg()
	if !strings.Contains(string(leg), "-leg-back-") {
		r.t.Fatalf("the caller is not rung; the last phone rung is %s", leg)
	}
	return leg
}

func (r *backRig) handlerLeg() telephony.ChannelID {
	r.t.Helper()
	var leg telephony.ChannelID
	for _, op := range r.sw.Now().Ops {
		if op.Name == "originate" && !strings.Contains(string(op.Channel), "-leg-back-") {
			leg = op.Channel
		}
	}
	return leg
}

func (r *backRig) ended(id contact.ID, ending contact.Ending, result routing.CallbackResult) {
	r.t.Helper()
	for _, a := range r.router.Actions() {
		if e, is := a.(routing.Ended); is && e.Contact == id {
			if e.Ending != ending || e.Callback != result {
				r.t.Errorf("%s ended %s (%s), want %s (%s)", id, e.Ending, e.Callback, ending, result)
			}
			return
		}
	}
	r.t.Errorf("%s has not ended", id)
}

func TestWaitingCallersHearTheirPlace(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		ch := r.call()
		r.pass(19 * time.Second)
		if !r.sw.Now().Music[ch] || len(r.plays(ch)) != 0 {
			t.Errorf("before the first announcement: music %v, played %q", r.sw.Now().Music[ch], r.plays(ch))
		}
		r.pass(2 * time.Second)
		if got := r.plays(ch); !slices.Equal(got, []string{"sound:en/position_1 sound:en/wait_longer sound:en/callback_offer"}) || r.sw.Now().Music[ch] {
			t.Errorf("played %q, music meanwhile %v", got, r.sw.Now().Music[ch])
		}
		r.pass(10 * time.Second)
		if !r.sw.Now().Music[ch] {
			t.Error("music does not go on")
		}
		r.pass(time.Minute)
		if n := len(r.plays(ch)); n != 2 {
			t.Errorf("%d announcements after a minute", n)
		}
		// A handler who is there cuts it off.
		r.pass(50 * time.Second)
		r.router.SignOn("ann")
		r.pass(5 * time.Second)
		v := r.sw.Now()
		if !v.Hear(ch, r.leg()) || v.Music[ch] || v.Playing != 0 {
			t.Errorf("not connected in silence: %+v", v)
		}
		r.sw.HangUp(ch)
	})
}

func TestCallerIsRungBack(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		ch := r.call()
		r.pass(21 * time.Second)
		r.sw.Press(ch, "1")
		r.pass(time.Second)
		if got := r.plays(ch); !strings.HasPrefix(got[len(got)-1], "sound:en/callback_number sound:en/digit_0 sound:en/digit_2") {
			t.Errorf("asked %q", got)
		}
		r.sw.Press(ch, "1")
		r.pass(time.Second)
		r.state(telephony.StateParting)
		if got := r.plays(ch); got[len(got)-1] != "sound:en/callback_taken" {
			t.Errorf("not told that they are rung back: %q", got)
		}
		r.pass(3 * time.Second)
		r.isGone(ch) // we hung up
		if len(r.ctl.Live()) != 0 {
			t.Errorf("calls left while nobody is on the line: %v", r.ctl.Live())
		}
		if _, released := switchtest.First[routing.ContactReleased](r.router.Events()); released {
			t.Error("hanging up after asking released the contact")
		}
		r.verdict("callback_taken", 1)

		r.pass(10 * time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		r.state(telephony.StateCalling)
		handler, caller := r.handlerLeg(), r.callerLeg()
		if got := r.plays(handler); !slices.Equal(got, []string{"tone:ring"}) {
			t.Errorf("the handler hears %q while the caller is rung", got)
		}
		r.pass(5 * time.Second)
		v := r.sw.Now()
		if !v.Hear(caller, handler) || v.Playing != 0 || v.Music[caller] {
			t.Fatalf("caller and handler do not hear each other alone: %+v", v)
		}
		r.state(telephony.StateTalking)
		r.sw.HangUp(caller)
		r.pass(time.Second)
		r.isGone(handler)
		r.ended(r.contact(), contact.CallbackTaken, routing.CallbackAnswered)
		if n := len(r.ledger.Entries()); n != 0 {
			t.Errorf("the ledger was told of %d contacts that routing knows", n)
		}
		if log := r.logs.String(); strings.Contains(log, number) {
			t.Error("the number is in the log")
		}
	})
}

func TestWhatBecomesOfRingingTheCaller(t *testing.T) {
	for _, tt := range []struct {
		name  string
		phone *switchtest.Phone
		lack  error
		fault *switchtest.Fault
		after time.Duration
		cause string
		final bool
	}{
		{"busy", &switchtest.Phone{RefuseWith: telephony.CauseUserBusy}, nil, nil, time.Second, "busy", false},
		{"declined", &switchtest.Phone{RefuseWith: telephony.CauseRejected}, nil, nil, time.Second, "rejected", false},
		{"not answered", &switchtest.Never, nil, nil, 21 * time.Second, "no_answer", false},
		{"no such line", &switchtest.Phone{RefuseWith: telephony.CauseUnallocated}, nil, nil, time.Second, "unknown_phone", false},
		{"no way out", &switchtest.Phone{Unreachable: true}, nil, nil, time.Second, "unreachable", false},
		{"the switch stalls", &switchtest.Phone{}, nil, &switchtest.Fault{Op: "originate", Times: 1, Stall: true}, 3 * time.Second, "switch_unavailable", false},
		{"answered and gone at once", &switchtest.Phone{HangupAfter: time.Millisecond}, nil, &switchtest.Fault{Op: "add_to_bridge", Delay: time.Second}, 3 * time.Second, "hung_up", false},
		{"a deaf line", &switchtest.Phone{AnswerAfter: time.Hour, Deaf: true}, nil, nil, 26 * time.Second, "", false},
		{"no number", nil, telephony.ErrNoNumber, nil, time.Second, "no_number", true},
		{"marked unsafe meanwhile", nil, telephony.ErrUnsafeNumber, nil, time.Second, "unsafe_to_call", true},
		{"the store is away", nil, errors.New("away"), nil, time.Second, "number_unavailable", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ringingBack(t, nil, func(t *testing.T, r *backRig) {
				id := r.asks()
				r.pass(15 * time.Second)
				if tt.phone != nil {
					r.sw.AddPhone(mobile, *tt.phone)
				}
				r.numbers.Missing = tt.lack
				r.router.SignOn("ann")
				r.pass(2900 * time.Millisecond)
				if tt.fault != nil {
					r.sw.Inject(*tt.fault)
				}
				r.pass(100*time.Millisecond + tt.after)
				r.sw.Heal()
				failed, told := switchtest.First[routing.CallbackFailed](r.router.Events())
				if !told && tt.cause != "" {
					t.Fatalf("routing was not told: %+v", r.router.Events())
				}
				if tt.cause != "" && failed != (routing.CallbackFailed{Contact: id, Agent: "ann", Cause: tt.cause, Final: tt.final}) {
					t.Errorf("told %+v, want %s (final %v)", failed, tt.cause, tt.final)
				}
				r.pass(time.Second)
				r.isGone(r.handlerLeg())
				if n := len(r.ctl.Live()); n != 0 {
					t.Errorf("calls left: %v", r.ctl.Live())
				}
				if v := r.sw.Now(); len(v.Bridges) != 0 {
					t.Errorf("bridges left: %+v", v.Bridges)
				}
				if tt.final {
					r.ended(id, contact.CallbackTaken, routing.CallbackNotMade)
					return
				}
				// The next attempt, a minute later, is the last.
				r.numbers.Missing = nil
				r.sw.AddPhone(mobile, switchtest.Phone{AnswerAfter: time.Second, HangupAfter: 10 * time.Second})
				r.pass(90 * time.Second)
				r.ended(id, contact.CallbackTaken, routing.CallbackAnswered)
			})
		})
	}
}

func TestHandlerLeavesWhileTheCallerIsRung(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		id := r.asks()
		r.pass(15 * time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		caller := r.callerLeg()
		r.sw.HangUp(r.handlerLeg())
		r.pass(time.Second)
		r.isGone(caller)
		if n := switchtest.Count(r.router.Events(), routing.ConnectFailed{Contact: id, Agent: "ann", Cause: "handler_gone"}); n != 1 {
			t.Errorf("routing was told %d times", n)
		}
		r.router.SignOn("bob")
		r.pass(9 * time.Second)
		if v := r.sw.Now(); !v.Hear(r.callerLeg(), r.handlerLeg()) {
			t.Errorf("the next handler does not have them: %+v", v)
		}
		r.sw.HangUp(r.callerLeg())
	})
}

// The caller answers, but cannot be joined: they are on the line, hear music and keep
// their place for the next handler.
func TestCallerAnswersAndWaitsOn(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		id := r.asks()
		r.pass(15 * time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		caller := r.callerLeg()
		r.sw.Inject(switchtest.Fault{Op: "add_to_bridge", Channel: caller, Times: 1, Err: switchtest.NotFound("add_to_bridge")})
		r.pass(5 * time.Second)
		r.state(telephony.StateWaiting)
		if v := r.sw.Now(); !v.Music[caller] {
			t.Errorf("the caller hears no music: %+v", v)
		}
		r.router.SignOn("bob")
		r.pass(4 * time.Second)
		if v := r.sw.Now(); !v.Hear(caller, r.handlerLeg()) || v.Music[caller] {
			t.Errorf("not connected to the next handler: %+v", v)
		}
		r.sw.HangUp(caller)
		r.pass(time.Second)
		r.ended(id, contact.CallbackTaken, routing.CallbackAnswered)
	})
}

func TestCallerRingsInInstead(t *testing.T) {
	ringingBack(t, func(o *telephony.Options) {
		o.Directory = switchtest.Directory{Answer: func(_ context.Context, f contact.Facts) (contact.Facts, error) {
			f.Line = "line"
			return f, nil
		}}
	}, func(t *testing.T, r *backRig) {
		id := r.asks()
		r.pass(15 * time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		rung := r.callerLeg()
		ch := r.call()
		r.pass(time.Second)
		r.isGone(rung)
		r.ended(id, contact.CallbackTaken, routing.CallbackRangIn)
		r.pass(4 * time.Second)
		if v := r.sw.Now(); !v.Hear(ch, r.handlerLeg()) {
			t.Errorf("the call does not have the place: %+v", v)
		}
		r.sw.HangUp(ch)
	})
}

// Keys that mean nothing, a wish to wait on, and a handler who comes first.
func TestTalkWhileWaiting(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		ch := r.call()
		r.sw.Press(ch, "1") // nobody has offered it yet
		r.pass(21 * time.Second)
		r.sw.Press(ch, "1*")
		r.pass(time.Second)
		r.state(telephony.StateWaiting)
		if v := r.sw.Now(); !v.Music[ch] || v.Playing != 0 {
			t.Errorf("who waits on does not hear music: %+v", v)
		}
		r.sw.Press(ch, "1")
		r.pass(time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		v := r.sw.Now()
		if !v.Hear(ch, r.leg()) || v.Playing != 0 || v.Music[ch] {
			t.Errorf("a handler who is there does not end the talk: %+v", v)
		}
		r.sw.Press(ch, "1") // too late, and harmless
		r.pass(time.Second)
		if _, asked := switchtest.First[routing.CallbackAsked](r.router.Events()); asked {
			t.Error("somebody asked to be rung back in a conversation")
		}
		r.sw.HangUp(ch)
	})
}

func TestCallersWhoCannotBeRungBackWaitOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		refuse error
		facts  contact.Facts
		stop   func(routing.Event) error
	}{
		{"a number that must not be rung", telephony.ErrUnsafeNumber, contact.Facts{}, nil},
		{"a store that is away", errors.New("away"), contact.Facts{}, nil},
		{"routing that is away", nil, contact.Facts{}, func(ev routing.Event) error {
			if _, is := ev.(routing.CallbackAsked); is {
				return errors.New("away")
			}
			return nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ringingBack(t, nil, func(t *testing.T, r *backRig) {
				r.numbers.Refuse = tt.refuse
				r.router.Refuse(tt.stop)
				ch := r.call()
				r.pass(21 * time.Second)
				r.sw.Press(ch, "11")
				r.pass(time.Second)
				if got := r.plays(ch); got[len(got)-1] != "sound:en/callback_refused" {
					t.Errorf("not told so: %q", got)
				}
				r.pass(3 * time.Second)
				r.state(telephony.StateWaiting)
				if !r.sw.Now().Music[ch] {
					t.Error("music does not go on")
				}
				r.router.Refuse(nil)
				r.sw.HangUp(ch)
				r.pass(time.Second)
				r.released(routing.ReleasedByCaller)
			})
		})
	}
}

// An unsafe line is not offered it, nor a number that somebody only says is theirs, nor
// anybody where there is no way out.
func TestWhoIsNotOfferedToBeRungBack(t *testing.T) {
	for name, change := range map[string]func(*telephony.Options){
		"unsafe line": func(o *telephony.Options) {
			o.Directory = switchtest.Directory{Answer: func(_ context.Context, f contact.Facts) (contact.Facts, error) {
				f.UnsafeToCall = true
				return f, nil
			}}
		},
		"no way out": func(o *telephony.Options) { o.Outgoing = nil },
	} {
		t.Run(name, func(t *testing.T) { ringingBack(t, change, notOffered(nil)) })
	}
	t.Run("unverified number", func(t *testing.T) {
		ringingBack(t, nil, notOffered([]string{"inbound", "dialled=101", "pres=allowed", "unverified"}))
	})
}

func notOffered(args []string) func(*testing.T, *backRig) {
	return func(t *testing.T, r *backRig) {
		ch := r.sw.Call(switchtest.Caller{Number: number, Args: args})
		synctest.Wait()
		r.pass(21 * time.Second)
		if got := r.plays(ch); !slices.Equal(got, []string{"sound:en/position_1 sound:en/wait_longer"}) {
			t.Errorf("heard %q", got)
		}
		r.sw.Press(ch, "11")
		r.pass(time.Second)
		if _, asked := switchtest.First[routing.CallbackAsked](r.router.Events()); asked {
			t.Error("and could ask for it")
		}
		r.sw.HangUp(ch)
	}
}

// A flow may ask before the queue.
func TestFlowAsksBeforeTheQueue(t *testing.T) {
	ask := func(ivr.Options) telephony.Session {
		return switchtest.Script(func(in ivr.Input) []ivr.Effect {
			if _, start := in.(ivr.Start); !start {
				return nil
			}
			return []ivr.Effect{ivr.Answer{}, ivr.Route{Language: "en", Callback: true, Answers: map[string]string{}}}
		})
	}
	ringingBack(t, func(o *telephony.Options) { o.Sessions = ask }, func(t *testing.T, r *backRig) {
		ch := r.sw.Call(switchtest.Caller{Args: []string{"inbound", "dialled=101", "pres=prohib"}})
		r.pass(time.Second)
		if got := r.plays(ch); !slices.Equal(got, []string{"sound:en/callback_key_number"}) {
			t.Fatalf("a caller whose number is withheld hears %q", got)
		}
		r.sw.Press(ch, number+"#1")
		r.pass(4 * time.Second)
		r.isGone(ch)
		r.pass(10 * time.Second)
		r.router.SignOn("ann")
		r.pass(9 * time.Second)
		if v := r.sw.Now(); !v.Hear(r.callerLeg(), r.handlerLeg()) {
			t.Errorf("they were not rung back: %+v", v)
		}
		r.sw.HangUp(r.callerLeg())
	})
	// Where there is no need, they are told so and wait.
	ringingBack(t, func(o *telephony.Options) { o.Sessions, o.Outgoing = ask, nil }, func(t *testing.T, r *backRig) {
		ch := r.call()
		r.pass(time.Second)
		if got := r.plays(ch); !slices.Equal(got, []string{"sound:en/callback_refused"}) {
			t.Errorf("heard %q", got)
		}
		r.sw.HangUp(ch)
	})
}

// A caller who is still hearing goodbye when a handler has time makes way for the call
// that rings them.
func TestHandlerIsFreeBeforeTheCallerHasGone(t *testing.T) {
	ringingBack(t, func(o *telephony.Options) {
		prompts := o.Prompts
		o.Prompts = func(name, language string) (telephony.Media, bool) {
			if name == "callback_taken" {
				return telephony.Media{URI: "endless:goodbye", Length: time.Hour}, true
			}
			return prompts(name, language)
		}
	}, func(t *testing.T, r *backRig) {
		r.router.SignOn("ann")
		if err := r.router.Submit(context.Background(), routing.AgentNotReady{Agent: "ann", Reason: "lunch"}); err != nil {
			t.Fatal(err)
		}
		ch := r.call()
		r.pass(21 * time.Second)
		r.sw.Press(ch, "11")
		r.pass(time.Second)
		r.state(telephony.StateParting)
		r.router.SignOn("ann")
		r.pass(15 * time.Second)
		r.isGone(ch)
		r.pass(5 * time.Second)
		if v := r.sw.Now(); !v.Hear(r.callerLeg(), r.handlerLeg()) {
			t.Errorf("they were not rung back: %+v", v)
		}
		r.sw.HangUp(r.callerLeg())
	})
}

// The event stream breaks while the caller is rung: what became of it is found out.
func TestStreamBreaksWhileTheCallerIsRung(t *testing.T) {
	ringingBack(t, nil, func(t *testing.T, r *backRig) {
		r.sw.AddPhone(mobile, switchtest.Never)
		id := r.asks()
		r.pass(15 * time.Second)
		r.router.SignOn("ann")
		r.pass(4 * time.Second)
		caller := r.callerLeg()
		r.sw.Disconnect()
		r.sw.Drop(caller, telephony.CauseUserBusy)
		r.pass(time.Second)
		r.sw.Connect()
		r.pass(2 * time.Second)
		failed, _ := switchtest.First[routing.CallbackFailed](r.router.Events())
		if failed.Contact != id || failed.Cause != "vanished" {
			t.Errorf("routing was told %+v", failed)
		}
		r.sw.AddPhone(mobile, switchtest.Phone{AnswerAfter: time.Second, HangupAfter: 5 * time.Second})
		r.pass(90 * time.Second)
		r.ended(id, contact.CallbackTaken, routing.CallbackAnswered)
	})
}
