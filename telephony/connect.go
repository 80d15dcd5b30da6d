package telephony

import (
	"errors"

	"example.org/c3i/routing"
)

// makeBridge makes the call's bridge if there is none; it serves every offer of
// the call.
func (c *call) makeBridge() {
	if c.bridged != bridgeNone {
		return
	}
	c.bridged = bridgeMaking
	c.bridge = bridgeID(c.id, max(c.offer, 1))
	sw, b := c.ctl.o.Switch, c.bridge
	c.do(c.joins, "create_bridge", func(ctx ctxT) error { return sw.CreateBridge(ctx, b) }, func(err error) {
		if err == nil || errors.Is(err, ErrConflict) {
			c.bridged = bridgeReady
			return
		}
		c.bridged = bridgeNone // tried again when it is needed
	})
}

// joinLeg puts an answered leg into the bridge. The bridge's lane keeps this
// behind its making.
func (c *call) joinLeg(l *leg) {
	if l.joining {
		return
	}
	l.joining = true
	c.makeBridge()
	sw, b := c.ctl.o.Switch, c.bridge
	c.do(c.joins, "add_to_bridge", func(ctx ctxT) error { return sw.AddToBridge(ctx, b, l.channel) }, func(err error) {
		l.joining = false
		if l.dead || l.gone {
			return
		}
		if err != nil {
			switch {
			case b != c.bridge || c.bridged == bridgeNone: // taken away meanwhile
				if l.wanted {
					c.joinLeg(l)
				}
			case l.wanted:
				c.connectFailed(l, errCode(err))
			}
			return // else Connect tries again
		}
		l.joined = true
		if l.wanted {
			c.joinCaller(l)
		}
	})
}

// connect joins caller and handler, as routing has decided.
func (c *call) connect(a routing.Connect) {
	l := c.leg
	if l == nil || l.offer != a.Offer || l.dead || l.gone || c.gone {
		if l != nil && l.offer == a.Offer {
			c.connectFailed(l, "handler_gone")
			return
		}
		c.report(routing.ConnectFailed{Contact: c.id, Agent: a.Agent, Cause: "handler_gone"})
		return
	}
	if l.wanted {
		return // repeated
	}
	l.wanted = true
	c.hush()
	if l.answered.IsZero() {
		return // taken on the desk: the phone still rings, under its watchdog
	}
	l.stopTimer()
	c.enter(StateConnecting)
	c.wantMusic(false)
	if l.joined {
		c.joinCaller(l)
	} else {
		c.joinLeg(l)
	}
}

// joinCaller puts the caller to the handler who waits in the bridge.
func (c *call) joinCaller(l *leg) {
	if c.state != StateConnecting {
		return
	}
	sw, b, ch := c.ctl.o.Switch, c.bridge, c.channel
	c.do(c.hands, "add_to_bridge", func(ctx ctxT) error { return sw.AddToBridge(ctx, b, ch) }, func(err error) {
		if c.state != StateConnecting || c.leg != l {
			return
		}
		if err != nil {
			c.connectFailed(l, errCode(err))
			return
		}
		c.enter(StateTalking)
		took := c.ctl.o.Clock().Sub(l.answered)
		if !c.outgoing {
			c.ctl.o.Metrics.joined(took)
		}
		c.known = true
		c.log.Info().Str("agent", string(l.agent)).Dur("took", took).Msg("connected")
		c.report(routing.Connected{Contact: c.id, Agent: l.agent})
	})
}

// connectFailed puts the caller back to waiting.
func (c *call) connectFailed(l *leg, cause string) {
	if l.dead {
		return
	}
	c.ctl.o.Metrics.leg("connect_failed")
	c.log.Warn().Str("agent", string(l.agent)).Str("cause", cause).Msg("caller and handler could not be joined")
	here := c.outgoing && !c.gone
	if c.outgoing && !here && !c.known {
		c.report(routing.ConnectFailed{Contact: c.id, Agent: l.agent, Cause: cause})
		c.finish(ReasonRetracted)
		return
	}
	c.known = true // one who was rung back and has answered waits like any other
	c.dropLeg(l)
	c.report(routing.ConnectFailed{Contact: c.id, Agent: l.agent, Cause: cause, CallerHere: here})
}

// bridgeDestroyed puts a conversation whose bridge was taken away together
// again.
func (c *call) bridgeDestroyed(b BridgeID) {
	if b != c.bridge || c.bridged == bridgeNone || c.state == StateEnded {
		return
	}
	c.bridged = bridgeNone
	l := c.leg
	if l == nil || l.dead || l.answered.IsZero() {
		return
	}
	l.joined = false
	switch c.state {
	case StateTalking, StateHeld:
		c.rejoin(l)
	case StateConnecting:
		c.joinLeg(l)
	}
}

// rejoin repairs a conversation; if that fails it has ended.
func (c *call) rejoin(l *leg) {
	c.ctl.o.Metrics.watchdog("bridge")
	c.makeBridge()
	sw, b := c.ctl.o.Switch, c.bridge
	who := []ChannelID{l.channel}
	if c.state == StateTalking {
		who = append(who, c.channel)
	}
	c.do(c.joins, "add_to_bridge", func(ctx ctxT) error { return sw.AddToBridge(ctx, b, who...) }, func(err error) {
		if err != nil && c.leg == l && !l.dead {
			c.finish(ReasonSwitchFailed)
		}
	})
}
