package telephony_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

func withMenu(o *telephony.Options) { o.Sessions = menu }

func TestCallerHangsUpInEveryState(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*telephony.Options)
		reach   func(*rig) telephony.ChannelID
		state   telephony.State
		verdict string
		// release is empty when routing never heard of the contact; then ending
		// is what the ledger says.
		release routing.ReleaseCause
		ending  contact.Ending
	}{
		{"during the welcome", withMenu, func(r *rig) telephony.ChannelID { return r.call() }, telephony.StateIVR, "left_in_ivr", "", contact.LeftInIVR},
		{"in the menu", withMenu, func(r *rig) telephony.ChannelID {
			ch := r.call()
			r.pass(3 * time.Second)
			return ch
		}, telephony.StateIVR, "left_in_ivr", "", contact.LeftInIVR},
		{"while being looked up", func(o *telephony.Options) {
			o.Directory = switchtest.Directory{Answer: func(ctx context.Context, f contact.Facts) (contact.Facts, error) {
				<-ctx.Done()
				return f, ctx.Err()
			}}
		}, func(r *rig) telephony.ChannelID { return r.call() }, telephony.StateIdentifying, "abandoned", routing.ReleasedByCaller, ""},
		{"waiting", nil, func(r *rig) telephony.ChannelID { return r.call() }, telephony.StateWaiting, "abandoned", routing.ReleasedByCaller, ""},
		{"while the dial command is under way", nil, func(r *rig) telephony.ChannelID {
			r.sw.Inject(switchtest.Fault{Op: "originate", Delay: time.Second})
			r.router.SignOn("ann")
			return r.call()
		}, telephony.StateOffered, "abandoned", routing.ReleasedByCaller, ""},
		{"while a phone rings", nil, func(r *rig) telephony.ChannelID {
			r.router.SignOn("ann")
			ch := r.call()
			r.pass(time.Second)
			return ch
		}, telephony.StateOffered, "abandoned", routing.ReleasedByCaller, ""},
		{"while being connected", nil, func(r *rig) telephony.ChannelID {
			r.router.SignOn("ann")
			ch := r.call()
			r.sw.Inject(switchtest.Fault{Op: "add_to_bridge", Channel: ch, Delay: time.Second})
			r.pass(3 * time.Second)
			return ch
		}, telephony.StateConnecting, "abandoned_connecting", routing.ReleasedByCaller, ""},
		{"talking", nil, func(r *rig) telephony.ChannelID { ch, _ := r.talking(); return ch }, telephony.StateTalking, "caller_hung_up", routing.ReleasedByCaller, ""},
		{"on hold", nil, func(r *rig) telephony.ChannelID {
			ch, _ := r.talking()
			r.ask("ann", routing.VerbHold, "")
			return ch
		}, telephony.StateHeld, "abandoned_held", routing.ReleasedByCaller, ""},
		{"during the closed announcement", nil, func(r *rig) telephony.ChannelID {
			r.sw.Filter(func(b telephony.EventBody) int {
				if _, end := b.(telephony.PlaybackFinished); end {
					return 0 // else the call's end is told by the announcement's
				}
				return 1
			})
			_ = r.router.Submit(context.Background(), routing.HoursChanged{Queue: "general", Open: false})
			return r.call()
		}, telephony.StateClosing, "left_in_announcement", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, c.change, func(t *testing.T, r *rig) {
				ch := c.reach(r)
				r.state(c.state)
				r.sw.HangUp(ch)
				r.pass(3 * time.Second)
				r.verdict(c.verdict, 1)
				if n := len(r.ctl.Live()); n != 0 {
					t.Errorf("calls left after 3 s: %v", r.ctl.Live())
				}
				if c.release != "" {
					r.released(c.release)
				}
				if c.ending != "" {
					if got := r.ledger.Entries(); len(got) != 1 || got[0].Ending != c.ending {
						t.Errorf("ledger = %+v, want one %s", got, c.ending)
					}
				}
				for id := range r.sw.Now().Channels {
					t.Errorf("channel %s is still there", id)
				}
			})
		})
	}
}

func (r *rig) ask(agent routing.AgentID, verb routing.Verb, digits string) {
	r.t.Helper()
	_ = r.router.Submit(context.Background(), routing.ControlAsked{Contact: r.contact(), Agent: agent, Verb: verb, Digits: digits})
	r.pass(0)
}

func TestHandlerHangsUpAndTheCallerIsHungUpToo(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.HangUp(leg)
		r.pass(0)
		r.released(routing.ReleasedByHandler) // the handler is free at once
		r.pass(20 * time.Millisecond)         // and tidying up comes after the next dial
		r.isGone(caller, leg)
		r.verdict("handler_hung_up", 1)
	})
}

func TestBothHangUpAtOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		caller, leg := r.talking()
		r.sw.HangUp(caller)
		r.sw.HangUp(leg)
		r.pass(0)
		r.isGone(caller, leg)
		if n := len(r.ended()); n != 1 {
			t.Errorf("the contact ended %d times", n)
		}
	})
}

func (r *rig) ended() (all []routing.Ended) {
	for _, a := range r.router.Actions() {
		if e, is := a.(routing.Ended); is {
			all = append(all, e)
		}
	}
	return all
}

func TestCallersWaitWithMusicAndAreConnectedInOrder(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: time.Second})
		first := r.call()
		r.pass(time.Second)
		second := r.call()
		v := r.sw.Now()
		if !v.Music[first] || !v.Music[second] {
			t.Fatalf("music = %v", v.Music)
		}
		r.router.SignOn("ann")
		r.pass(2 * time.Second)
		leg := r.leg()
		if v := r.sw.Now(); !v.Hear(first, leg) || v.Hear(second, leg) || !v.Music[second] || v.Music[first] {
			t.Fatalf("after the first answer: %+v", v)
		}
		r.sw.HangUp(first)
		r.pass(2 * time.Second)
		if v := r.sw.Now(); !v.Hear(second, r.leg()) {
			t.Fatalf("the second caller was not connected: %+v", v)
		}
		r.sw.HangUp(second)
	})
}

func TestOneCallerAndNoHandlerWaits(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		r.pass(30 * time.Minute)
		r.state(telephony.StateWaiting)
		if !r.sw.Now().Music[ch] {
			t.Error("the caller hears nothing")
		}
		r.sw.HangUp(ch)
	})
}

func TestClosedQueueIsAnnouncedThenHungUp(t *testing.T) {
	for _, media := range []string{"sound:closed", "endless:closed", "bad:closed", ""} {
		t.Run("media "+media, func(t *testing.T) {
			inBubble(t, func(o *telephony.Options) {
				o.Prompts = func(string, string) (telephony.Media, bool) {
					return telephony.Media{URI: media, Length: switchtest.PlayTime}, media != ""
				}
			}, func(t *testing.T, r *rig) {
				_ = r.router.Submit(context.Background(), routing.HoursChanged{Queue: "general", Open: false})
				ch := r.call()
				r.pass(10 * time.Second)
				r.isGone(ch)
				r.verdict("queue_closed", 1)
			})
		})
	}
}

func TestPresentationAndDialledNumber(t *testing.T) {
	for _, c := range []struct {
		name   string
		caller switchtest.Caller
		want   contact.Caller
	}{
		{"presented", switchtest.Caller{Number: number}, contact.Caller{Number: number, CLI: contact.CLIPresented, Dialled: "101"}},
		{"withheld by indicator", switchtest.Caller{Number: number, Args: []string{"inbound", "dialled=101", "pres=prohib_passed_screen"}}, contact.Caller{CLI: contact.CLIWithheld, Dialled: "101"}},
		{"anonymous by name", switchtest.Caller{Number: "anonymous"}, contact.Caller{CLI: contact.CLIWithheld, Dialled: "101"}},
		{"unavailable by indicator", switchtest.Caller{Args: []string{"inbound", "dialled=101", "pres=unavailable"}}, contact.Caller{CLI: contact.CLIUnavailable, Dialled: "101"}},
		{"no number", switchtest.Caller{}, contact.Caller{CLI: contact.CLIUnavailable, Dialled: "101"}},
		{"read from variables", switchtest.Caller{Number: number, Args: []string{"inbound"}, Vars: map[string]string{"CALLERID(dnid)": "999", "CALLERID(num-pres)": "prohib"}}, contact.Caller{CLI: contact.CLIWithheld, Dialled: "999"}},
		{"odd number", switchtest.Caller{Number: "101"}, contact.Caller{Number: "101", CLI: contact.CLIPresented, Dialled: "101"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, withMenu, func(t *testing.T, r *rig) {
				ch := r.sw.Call(c.caller)
				r.pass(time.Second)
				r.sw.HangUp(ch)
				r.pass(0)
				if got := r.ledger.Entries(); len(got) != 1 || got[0].Caller != c.want {
					t.Errorf("caller = %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

func TestUnknownVariablesHoldNobodyUp(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.sw.Inject(switchtest.Fault{Op: "variables", Err: switchtest.Unavailable("variables")})
		ch := r.sw.Call(switchtest.Caller{Number: number, Args: []string{"inbound"}})
		r.pass(time.Second)
		r.state(telephony.StateWaiting)
		r.sw.HangUp(ch)
	})
}

func TestSlowOrFailingDirectoryMeansUnknownCaller(t *testing.T) {
	for name, answer := range map[string]func(context.Context, contact.Facts) (contact.Facts, error){
		"fails": func(_ context.Context, f contact.Facts) (contact.Facts, error) {
			f.Contacts30d = 99
			return f, errors.New("store is down")
		},
		"ignores its deadline": func(_ context.Context, f contact.Facts) (contact.Facts, error) {
			<-time.After(5 * time.Second)
			f.Contacts30d = 99
			return f, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *telephony.Options) { o.Directory = switchtest.Directory{Answer: answer} }, func(t *testing.T, r *rig) {
				ch := r.call()
				r.pass(200 * time.Millisecond)
				r.state(telephony.StateWaiting)
				ev, _ := switchtest.First[routing.ContactArrived](r.router.Events())
				if ev.Facts.Contacts30d != 0 || ev.Facts.Dialled != "101" {
					t.Errorf("facts = %+v", ev.Facts)
				}
				r.sw.HangUp(ch)
			})
		})
	}
}

func TestRoutingThatTakesNothingSendsCallersToTheFallback(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		to   telephony.Location
	}{
		"from the front door": {nil, telephony.Location{Context: "c3i-fallback", Extension: "s", Priority: 1}},
		"from the fallback":   {[]string{"inbound", "fallback", "dialled=101", "pres=allowed"}, telephony.Location{}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *rig) {
				r.router.Refuse(func(routing.Event) error { return errors.New("journal is away") })
				ch := r.sw.Call(switchtest.Caller{Number: number, Args: c.args})
				r.pass(time.Second)
				v := r.sw.Now()
				if len(v.Handed) != 1 || v.Handed[0] != (switchtest.Handed{Channel: ch, To: c.to}) {
					t.Fatalf("handed = %+v", v.Handed)
				}
				if len(v.Channels) != 1 || len(v.Music) != 0 {
					t.Errorf("after the hand-over: %+v", v)
				}
				r.verdict("not_routed", 1)
				if got := r.ledger.Entries(); len(got) != 1 || got[0].Ending != contact.Failed {
					t.Errorf("ledger = %+v", got)
				}
				r.router.Refuse(nil)
			})
		})
	}
}

func TestRoutingThatNeverDecidesIsNotWaitedForForEver(t *testing.T) {
	inBubble(t, func(o *telephony.Options) { o.Submit = mute{} }, func(t *testing.T, r *rig) {
		ch := r.call()
		r.pass(14 * time.Second)
		r.state(telephony.StateIdentifying)
		r.pass(2 * time.Second)
		if v := r.sw.Now(); len(v.Handed) != 1 || v.Handed[0].Channel != ch {
			t.Errorf("handed = %+v", v.Handed)
		}
	})
}

// mute takes events and does nothing.
type mute struct{}

func (mute) Submit(context.Context, routing.Event) error { return nil }

func TestNoPersonalDataIsLogged(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		r.router.SignOn("ann")
		ch := r.sw.Call(switchtest.Caller{Number: number, Name: "Chris Example"})
		r.pass(5 * time.Second)
		r.sw.HangUp(ch)
		r.pass(time.Second)
		text := r.logs.String()
		for _, secret := range []string{number, number[1:], "Chris", "Example"} {
			if strings.Contains(text, secret) {
				t.Errorf("the log names %q", secret)
			}
		}
		if !strings.Contains(text, `"contact":"`+string(r.contact())+`"`) {
			t.Error("the log lacks the contact's id")
		}
	})
}

func TestActionsForCallsThatAreGoneAreAnswered(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		const id = contact.ID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
		for _, a := range []routing.Action{
			routing.Offer{Offer: 7, Contact: id, Channel: contact.Phone, Agent: "ann"},
			routing.Queued{Contact: id, Channel: contact.Email},
			routing.Offer{Offer: 8, Contact: id, Channel: contact.Web, Agent: "ann"},
			routing.Connect{Offer: 8, Contact: id},
			routing.Retract{Offer: 7, Contact: id},
			routing.Ended{Contact: id},
		} {
			if err := r.ctl.Do(context.Background(), a); err != nil {
				t.Errorf("%s: %v", a.ActionKind(), err)
			}
		}
		r.pass(0)
		if n := switchtest.Count(r.router.Events(), routing.ContactReleased{Contact: id, Cause: routing.ReleasedByFailure}); n != 1 {
			t.Errorf("released %d times, want once, for the phone", n)
		}
		if r.sw.Now().Count("originate") != 0 {
			t.Error("a phone was rung")
		}
	})
}

func TestSettleReleasesContactsWithoutACall(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *rig) {
		ch := r.call()
		if err := r.ctl.Settle([]contact.ID{r.contact(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"}); err != nil {
			t.Fatal(err)
		}
		r.pass(0)
		r.state(telephony.StateWaiting)
		ev, ok := switchtest.First[routing.ContactReleased](r.router.Events())
		if !ok || ev.Contact != "01ARZ3NDEKTSV4RRFFQ69G5FAV" {
			t.Errorf("released %+v", ev)
		}
		r.sw.HangUp(ch)
	})
}

func TestNewNamesEveryMissingOption(t *testing.T) {
	_, err := telephony.New(telephony.Options{})
	for _, name := range []string{"Switch", "App", "Submit", "Directory", "Ledger", "Phones", "Sessions", "Prompts", "NewID"} {
		if err == nil || !strings.Contains(err.Error(), "Options."+name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}
