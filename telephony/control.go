package telephony

import "example.org/c3i/routing"

// control carries out what a handler asked for, on the switch and therefore
// alike for browsers and telephones.
func (c *call) control(a routing.Control) {
	l := c.leg
	done := func(cause string) {
		c.report(routing.ControlDone{Contact: c.id, Agent: a.Agent, Verb: a.Verb, Cause: cause})
	}
	if l == nil || l.agent != a.Agent || c.state != StateTalking && c.state != StateHeld {
		done("not_connected")
		return
	}
	sw, ch, b := c.ctl.o.Switch, c.channel, c.bridge
	switch a.Verb {
	case routing.VerbHold:
		if c.state == StateHeld {
			done("")
			return
		}
		// The state changes with the command, not with its answer, so that a
		// resume pressed at once undoes what was begun.
		c.enter(StateHeld)
		c.do(c.hands, "remove_from_bridge", func(ctx ctxT) error { return sw.RemoveFromBridge(ctx, b, ch) }, func(err error) {
			if err != nil && c.state == StateHeld {
				c.wantMusic(false)
				c.enter(StateTalking)
			}
			done(errCode(err))
		})
		c.wantMusic(true)
	case routing.VerbResume:
		if c.state == StateTalking {
			done("")
			return
		}
		c.wantMusic(false)
		c.enter(StateTalking)
		c.do(c.hands, "add_to_bridge", func(ctx ctxT) error { return sw.AddToBridge(ctx, b, ch) }, func(err error) {
			if err != nil && c.state == StateTalking {
				c.enter(StateHeld)
				c.wantMusic(true)
			}
			done(errCode(err))
		})
	case routing.VerbMute, routing.VerbUnmute:
		// What the switch hears of the handler's phone is stopped, so that neither
		// the caller nor anybody else on the bridge hears it.
		op, f := "mute", sw.Mute
		if a.Verb == routing.VerbUnmute {
			op, f = "unmute", sw.Unmute
		}
		c.do(l.lane, op, func(ctx ctxT) error { return f(ctx, l.channel, DirectionIn) }, func(err error) {
			if err == nil {
				l.muted = a.Verb == routing.VerbMute
			}
			done(errCode(err))
		})
	case routing.VerbDTMF:
		if !validDigits(a.Digits) {
			done("bad_digits")
			return
		}
		c.do(c.hands, "dtmf", func(ctx ctxT) error { return sw.SendDTMF(ctx, ch, a.Digits) }, func(err error) { done(errCode(err)) })
	case routing.VerbHangup:
		done("")
		c.finish(ReasonHandlerAsked)
	default:
		done("unknown_verb")
	}
}

// validDigits accepts the keys of ITU-T Q.23, at most 32.
func validDigits(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && r != '*' && r != '#' && (r < 'A' || r > 'D') {
			return false
		}
	}
	return true
}
