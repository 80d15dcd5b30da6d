package telephony

import (
	"context"
	"errors"
	"time"
)

// startAudit compares what we know with what the switch lists: at every
// connection, because events were missed, and now and then, because one may
// have been lost. Calls whose channel is not listed are told that it is gone,
// channels and bridges of ours without a call are released.
func (ctl *Controller) startAudit(epoch uint64) {
	ctl.spawn(func() { ctl.audit(epoch) })
}

func (ctl *Controller) audit(epoch uint64) {
	current := func() bool { return ctl.epoch.Load() == epoch && ctl.gate.isOpen() && ctl.ctx.Err() == nil }
	// Channels known before the lists are made: a later one may be missing in
	// them and yet be there.
	began, before := ctl.o.Clock(), ctl.known()
	channels, bridges, err := ctl.list()
	for pause := 100 * time.Millisecond; err != nil; pause = min(2*pause, 5*time.Second) {
		if !current() || !ctl.sleep(pause) {
			return
		}
		began, before = ctl.o.Clock(), ctl.known()
		channels, bridges, err = ctl.list()
	}
	if !current() {
		return // the next connection has its own audit
	}
	listed := make(map[ChannelID]bool, len(channels))
	for _, ch := range channels {
		listed[ch.ID] = true
	}
	for ch, c := range before {
		if !listed[ch] {
			c.post(func() { c.missing(ch, began) })
		}
	}
	var orphans []Channel
	for _, ch := range channels {
		if (ch.App == ctl.o.App || isOurLeg(ch.ID)) && ctl.onChannel(ch.ID) == nil {
			orphans = append(orphans, ch)
		}
	}
	var empty []Bridge
	for _, b := range bridges {
		if isOurBridge(b.ID) && ctl.onObject(string(b.ID), "-bridge-") == nil {
			empty = append(empty, b)
		}
	}
	if len(orphans)+len(empty) == 0 || !ctl.sleep(ctl.o.Limits.Orphan) || !current() {
		return
	}
	// What is still without a call now is not just a step ahead of its event.
	for _, ch := range orphans {
		if ctl.onChannel(ch.ID) == nil {
			ctl.releaseOrphan(ch.ID, isOurLeg(ch.ID), ch.Args)
		}
	}
	for _, b := range empty {
		if ctl.onObject(string(b.ID), "-bridge-") == nil {
			ctl.o.Metrics.orphan("bridge")
			_ = ctl.persist("destroy_bridge", func(ctx context.Context) error { return ctl.o.Switch.DestroyBridge(ctx, b.ID) })
		}
	}
}

// known lists the channels that belong to calls.
func (ctl *Controller) known() map[ChannelID]*call {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	m := make(map[ChannelID]*call, len(ctl.channels))
	for ch, c := range ctl.channels {
		m[ch] = c
	}
	return m
}

func (ctl *Controller) list() (channels []Channel, bridges []Bridge, err error) {
	err = ctl.command("list_channels", nil, func(ctx context.Context) (err error) {
		channels, err = ctl.o.Switch.Channels(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = ctl.command("list_bridges", nil, func(ctx context.Context) (err error) {
		bridges, err = ctl.o.Switch.Bridges(ctx)
		return err
	})
	return channels, bridges, err
}

// missing handles a channel that the switch did not list when asked at an
// instant. One whose dial command was still under way then may be there now.
func (c *call) missing(ch ChannelID, asked time.Time) {
	if l := c.legs[ch]; l != nil && l.answered.IsZero() && (l.dialled.IsZero() || !l.dialled.Before(asked)) {
		return
	}
	if t := c.try; t != nil && ch == c.channel && c.gone && (t.dialled.IsZero() || !t.dialled.Before(asked)) {
		return
	}
	c.ctl.mu.Lock()
	if c.ctl.channels[ch] == c {
		delete(c.ctl.channels, ch)
	}
	c.ctl.mu.Unlock()
	c.log.Warn().Msg("a channel is gone without notice")
	c.channelGone(ch, CauseNone, true)
}

// releaseOrphan ends what belongs to no call: a leg is hung up, a caller goes to
// the fallback.
func (ctl *Controller) releaseOrphan(ch ChannelID, isLeg bool, args []string) {
	if !isLeg {
		ctl.o.Metrics.orphan("caller")
		ctl.o.Log.Warn().Msg("a caller without a call goes to the fallback")
		ctl.giveBack(ch, args)
		return
	}
	ctl.o.Metrics.orphan("leg")
	ctl.spawn(func() {
		err := ctl.persist("hangup", func(ctx context.Context) error { return ctl.o.Switch.Hangup(ctx, ch, CauseNormal) })
		if err != nil && !errors.Is(err, ErrNotFound) {
			ctl.o.Metrics.leaked()
		}
	})
}

// watchLegs asks anew to be told of the end of legs that ring: with the
// connection the switch forgot that we had asked.
func (ctl *Controller) watchLegs() {
	began := ctl.o.Clock()
	for ch, c := range ctl.known() {
		if ch == c.channel && !c.outgoing {
			continue
		}
		ctl.spawn(func() {
			err := ctl.command("watch", nil, func(ctx context.Context) error { return ctl.o.Switch.Watch(ctx, ch) })
			if errors.Is(err, ErrNotFound) {
				c.post(func() { c.missing(ch, began) })
			}
		})
	}
}
