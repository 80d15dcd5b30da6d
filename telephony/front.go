package telephony

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
)

type (
	ctxT        = context.Context
	commandFunc = func(context.Context) error
)

// playing is the playback in progress.
type playing struct {
	id    PlaybackID
	watch *time.Timer
	// done is called once, in the call's goroutine.
	done func(failed bool)
}

// arrive meets the caller.
func (c *call) arrive(b ChannelEntered) {
	dialled, presentation := b.Dialled, ""
	c.caller.Unverified = slices.Contains(b.Args, "unverified")
	var failed string
	for _, arg := range b.Args {
		if v, is := strings.CutPrefix(arg, "dialled="); is && v != "" {
			dialled = v
		}
		if v, is := strings.CutPrefix(arg, "pres="); is {
			presentation = v
		}
		if v, is := strings.CutPrefix(arg, "failed="); is {
			failed = v
		}
	}
	c.log.Info().Str("cli", string(presented(b.Number, presentation))).Msg("call arrived")
	if dialled != "" && presentation != "" {
		c.begin(b.Number, presentation, dialled, failed)
		return
	}
	const dnid, pres = "CALLERID(dnid)", "CALLERID(num-pres)"
	var vars map[string]string
	c.do(c.hands, "variables", func(ctx ctxT) (err error) {
		vars, err = c.ctl.o.Switch.Variables(ctx, b.Channel, dnid, pres)
		return err
	}, func(error) {
		// Unknown is an answer: the call goes on either way.
		if dialled == "" {
			dialled = vars[dnid]
		}
		if presentation == "" {
			presentation = vars[pres]
		}
		c.begin(b.Number, presentation, dialled, failed)
	})
}

// begin starts the IVR; failed is the destination of a transfer that came back.
func (c *call) begin(number, presentation, dialled, failed string) {
	if c.state != StateArriving {
		return
	}
	cli := presented(number, presentation)
	c.caller.CLI, c.caller.Dialled = cli, dialled
	if cli == contact.CLIPresented {
		c.caller.Number = number
	}
	c.log.Debug().Str("caller", mask(c.caller.Number)).Str("dialled", dialled).Msg("caller")
	c.session = c.ctl.o.Sessions(ivr.Options{Dialled: dialled, CLI: cli, Failed: failed})
	c.enter(StateIVR)
	c.tell(ivr.Start{})
}

// presented reads the calling line's presentation. Networks write a withheld
// number as anonymous (RFC 3323 section 4.1) as well as by the presentation
// indicator (ITU-T Q.951.3).
func presented(number, presentation string) contact.CLI {
	p := strings.ToLower(presentation)
	switch {
	case strings.Contains(p, "prohib") || strings.Contains(p, "restrict"):
		return contact.CLIWithheld
	case strings.HasPrefix(p, "unavailable"):
		return contact.CLIUnavailable
	}
	switch strings.ToLower(strings.TrimSpace(number)) {
	case "":
		return contact.CLIUnavailable
	case "unknown", "unavailable", "asterisk":
		return contact.CLIUnavailable
	case "anonymous", "restricted", "private", "withheld":
		return contact.CLIWithheld
	}
	return contact.CLIPresented
}

// mask keeps the last two digits of a number.
func mask(number string) string {
	if len(number) <= 4 {
		return strings.Repeat("*", len(number))
	}
	return strings.Repeat("*", len(number)-2) + number[len(number)-2:]
}

// tell gives the IVR an input and performs what it answers.
func (c *call) tell(in ivr.Input) {
	if c.session == nil || c.state != StateIVR {
		return
	}
	for _, e := range c.session.Step(in) {
		c.effect(e)
		if c.state == StateEnded {
			return
		}
	}
}

func (c *call) effect(e ivr.Effect) {
	sw, ch := c.ctl.o.Switch, c.channel
	switch e := e.(type) {
	case ivr.Answer:
		c.do(c.hands, "answer", func(ctx ctxT) error { return sw.Answer(ctx, ch) }, func(err error) {
			if err != nil && !errors.Is(err, ErrNotFound) {
				c.handOver(ReasonSwitchFailed)
			}
		})
	case ivr.Play:
		c.playPrompts(e)
	case ivr.StopPlay:
		c.stopPlay()
	case ivr.StartTimer:
		c.stopTimer()
		c.timerID = e.ID
		c.timer = c.after(e.After.Std(), func() {
			if c.timerID == e.ID {
				c.timerID = 0
				c.input(ivr.TimerFired{ID: e.ID})
			}
		})
	case ivr.StopTimer:
		if c.timerID == e.ID {
			c.stopTimer()
		}
	case ivr.SetLanguage:
		c.language = e.Code
	case ivr.Route:
		c.route(e)
	case ivr.Transfer:
		c.transfer(e)
	case ivr.Hangup:
		c.finish(ReasonFlowDone)
	case ivr.RingBack:
		c.askBack(e.Number)
	case ivr.WaitOn:
		c.talk = nil
		c.musicAgain()
	}
}

func (c *call) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.timerID = 0
}

func (c *call) digit(ch ChannelID, d byte) {
	switch {
	case ch != c.channel:
	case c.talk == nil && c.offersBack && d == '1' && c.state == StateWaiting && !c.asking:
		c.beginTalk()
	default:
		c.input(ivr.Digit{Key: d})
	}
}

// playPrompts plays prompts for the IVR. A prompt without a sound counts as
// failed, which the session takes as played: silence must not hold a caller.
func (c *call) playPrompts(e ivr.Play) {
	var media []Media
	for _, p := range e.Prompts {
		m, ok := c.ctl.o.Prompts(p.Name, p.Language)
		if !ok {
			c.log.Warn().Str("prompt", p.Name).Str("language", p.Language).Msg("prompt has no sound")
			continue
		}
		media = append(media, m)
	}
	over := func(failed bool) {
		if failed {
			c.input(ivr.PlayFailed{ID: e.ID})
		} else {
			c.input(ivr.PlayDone{ID: e.ID})
		}
	}
	if len(media) == 0 {
		c.post(func() { over(true) })
		return
	}
	c.playMedia(media, over)
}

// playMedia plays media as one playback under a watchdog.
func (c *call) playMedia(media []Media, done func(failed bool)) {
	c.dropPlay()
	c.plays++
	p := &playing{id: playbackID(c.id, c.plays), done: done}
	c.play = p
	uris := make([]string, len(media))
	var length time.Duration
	for i, m := range media {
		uris[i] = m.URI
		if m.Length == 0 {
			length = -1
		}
		if length >= 0 {
			length += m.Length
		}
	}
	if length < 0 {
		length = c.ctl.o.Limits.PlayCap
	}
	p.watch = c.after(length+c.ctl.o.Limits.PlayMargin, func() {
		if c.play != p {
			return
		}
		c.ctl.o.Metrics.watchdog("playback")
		c.log.Warn().Msg("playback did not end in time")
		c.stopPlay()
		done(true)
	})
	sw, ch := c.ctl.o.Switch, c.channel
	c.do(c.hands, "play", func(ctx ctxT) error { return sw.Play(ctx, p.id, ch, uris) }, func(err error) {
		if err != nil && c.play == p {
			c.dropPlay()
			done(true)
		}
	})
}

// dropPlay forgets the playback without stopping it.
func (c *call) dropPlay() {
	if c.play != nil {
		c.play.watch.Stop()
		c.play = nil
	}
}

func (c *call) stopPlay() {
	if c.play == nil {
		return
	}
	id, sw := c.play.id, c.ctl.o.Switch
	c.dropPlay()
	c.do(c.hands, "stop_play", func(ctx ctxT) error { return sw.StopPlay(ctx, id) }, nil)
}

func (c *call) playbackFinished(id PlaybackID, failed bool) {
	p := c.play
	if p == nil || p.id != id {
		return
	}
	c.dropPlay()
	p.done(failed)
}

// route ends the IVR: the caller hears music from here on, is looked up, and
// becomes a contact.
func (c *call) route(e ivr.Route) {
	c.stopTimer()
	c.stopPlay()
	if e.Language != "" {
		c.language = e.Language
	}
	c.enter(StateIdentifying)
	c.wantsBack = e.Callback
	c.wantMusic(true)
	c.known = true
	facts := contact.Facts{Language: c.language, Answers: e.Answers, Dialled: c.caller.Dialled, CLI: c.caller.CLI}
	c.job(c.mouth, func() error {
		return c.ctl.submit(routing.ContactArrived{
			Contact: c.id, Channel: contact.Phone, Arrival: c.arrival,
			Facts: c.identify(facts), Queue: routing.QueueID(e.Queue),
		})
	}, func(err error) {
		if err != nil && c.state != StateEnded {
			c.log.Error().Str("cause", errCode(err)).Msg("routing did not take the contact: the caller goes to the fallback")
			c.handOver(ReasonNotRouted)
		}
	})
	c.decide = c.after(c.ctl.o.Limits.Decide, func() {
		if c.state == StateIdentifying {
			c.ctl.o.Metrics.watchdog("routing")
			c.log.Error().Msg("routing did not say what becomes of the contact")
			c.handOver(ReasonNotRouted)
		}
	})
}

// identify asks the directory, for its deadline and no longer. It runs in the
// mouth lane and reads only fields that no longer change.
func (c *call) identify(facts contact.Facts) contact.Facts {
	ctx, cancel := context.WithTimeout(c.ctl.ctx, c.ctl.o.Limits.Identify)
	defer cancel()
	type answer struct {
		facts contact.Facts
		err   error
	}
	// The directory may be slower than its context; the caller is not.
	got := make(chan answer, 1)
	c.ctl.spawn(func() {
		f, err := c.ctl.o.Directory.Identify(ctx, c.id, contact.Phone, c.caller, c.arrival, facts)
		got <- answer{f, err}
	})
	select {
	case a := <-got:
		if a.err == nil {
			return a.facts
		}
		c.log.Warn().Msg("caller look-up failed: treated as unknown")
	case <-ctx.Done():
		c.ctl.o.Metrics.watchdog("identify")
		c.log.Warn().Msg("caller look-up took too long: treated as unknown")
	}
	return facts
}

// transfer gives the call to a place in the dialplan.
func (c *call) transfer(e ivr.Transfer) {
	c.stopTimer()
	c.stopPlay()
	to, known := c.ctl.o.Transfers[e.Destination]
	if !known {
		c.log.Error().Str("destination", e.Destination).Msg("transfer to a place that is not configured")
		c.post(func() { c.tell(ivr.TransferFailed{}) })
		return
	}
	sw, ch := c.ctl.o.Switch, c.channel
	c.leaving = ReasonTransferred
	c.job(c.hands, func() error {
		move := func(ctx ctxT) error { return sw.Continue(ctx, ch, to) }
		err := c.ctl.command("continue", nil, move)
		if errors.Is(err, ErrUnavailable) {
			err = c.ctl.command("continue", nil, move) // a life may hang on it
		}
		return err
	}, func(err error) {
		c.leaving = ""
		switch {
		case c.state != StateIVR:
		case err == nil:
			c.gone = true
			c.finish(ReasonTransferred)
		case !errors.Is(err, ErrNotFound):
			c.log.Error().Str("destination", e.Destination).Str("cause", errCode(err)).Msg("transfer failed")
			c.tell(ivr.TransferFailed{})
		}
	})
}

// closed plays a closed queue's announcement and hangs up.
func (c *call) closed(a routing.QueueClosed) {
	c.decided()
	c.wantMusic(false)
	c.dropLeg(c.leg)
	c.enter(StateClosing)
	m, ok := c.ctl.o.Prompts(a.Announcement, c.language)
	if !ok {
		c.log.Error().Str("prompt", a.Announcement).Msg("closed announcement has no sound: a tone instead")
		m = Media{URI: "tone:congestion", Length: 4 * time.Second}
	}
	c.playMedia([]Media{m}, func(bool) { c.finish(ReasonQueueClosed) })
}
