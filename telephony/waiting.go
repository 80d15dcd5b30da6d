package telephony

import (
	"context"
	"errors"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
)

// ErrNoNumber says that no number is kept for a contact; ErrUnsafeNumber that a
// number must not be rung: somebody's safety may hang on it, or it is none that C3i
// rings.
var (
	ErrNoNumber     = errors.New("no number is kept for the contact")
	ErrUnsafeNumber = errors.New("the number must not be rung")
)

// Numbers keeps the numbers that callers asked to be rung back on: beside the
// journal, which never holds one, and durably, so that a restart loses none.
type Numbers interface {
	// KeepNumber keeps a contact's number; once it returns nil it is not lost. It
	// refuses with ErrUnsafeNumber.
	KeepNumber(ctx context.Context, id contact.ID, number string) error
	// NumberFor gives the number as it is dialled, or ErrNoNumber, or ErrUnsafeNumber
	// if it was marked so meanwhile.
	NumberFor(ctx context.Context, id contact.ID) (string, error)
}

// mayAskBack tells whether the caller may be offered to be rung back at all. A number
// that somebody gave on a web page is rung for nobody.
func (c *call) mayAskBack() bool {
	return c.ctl.o.Outgoing != nil && c.ctl.o.Numbers != nil && !c.caller.Unverified
}

// announced tells a waiting caller where they stand; music goes on afterwards. While
// they hear or say something else it is left out.
func (c *call) announced(a routing.Announce) {
	if c.state != StateWaiting || c.gone || c.talk != nil || c.asking || c.play != nil {
		return
	}
	c.offersBack = a.Callback && c.mayAskBack()
	c.sayWaiting(ivr.Announcement(a.Position, a.Wait, a.Longer, c.offersBack)...)
}

// sayWaiting speaks prompts between music.
func (c *call) sayWaiting(names ...string) {
	media := c.media(names...)
	if len(media) == 0 {
		return
	}
	c.wantMusic(false)
	c.playMedia(media, func(bool) { c.musicAgain() })
}

// media finds prompts in the caller's language; those without a sound are left out.
func (c *call) media(names ...string) []Media {
	var out []Media
	for _, name := range names {
		m, ok := c.ctl.o.Prompts(name, c.language)
		if !ok {
			c.log.Warn().Str("prompt", name).Str("language", c.language).Msg("prompt has no sound")
			continue
		}
		out = append(out, m)
	}
	return out
}

// musicAgain gives music to a caller who goes on waiting.
func (c *call) musicAgain() {
	if c.state == StateWaiting || c.state == StateOffered && (c.leg == nil || c.leg.answered.IsZero()) {
		c.wantMusic(true)
	}
}

// hush ends what a waiting caller hears and says, because a handler is there.
func (c *call) hush() {
	if c.state != StateWaiting && c.state != StateOffered {
		return
	}
	c.stopPlay()
	if c.talk != nil {
		c.talk = nil
		c.stopTimer()
	}
}

// beginTalk asks a caller who would rather be rung back on which number.
func (c *call) beginTalk() {
	c.stopPlay()
	c.wantMusic(false)
	number := ""
	if c.caller.CLI == contact.CLIPresented {
		number = c.caller.Number
	}
	c.talk = ivr.NewCallback(c.language, number)
	c.input(ivr.Start{})
}

// input gives what happened to the talk about being rung back, if there is one, else
// to the flow.
func (c *call) input(in ivr.Input) {
	if c.talk == nil {
		c.tell(in)
		return
	}
	for _, e := range c.talk.Step(in) {
		c.effect(e)
	}
}

// askBack has routing note that the caller wants to be rung back, once the number is
// kept.
func (c *call) askBack(number string) {
	c.talk, c.asking = nil, true
	c.wantMusic(true)
	c.job(c.mouth, func() error {
		ctx, cancel := context.WithTimeout(c.ctl.ctx, c.ctl.o.Limits.Submit)
		defer cancel()
		if err := c.ctl.o.Numbers.KeepNumber(ctx, c.id, number); err != nil {
			return err
		}
		return c.ctl.submit(routing.CallbackAsked{Contact: c.id})
	}, func(err error) {
		if err != nil {
			c.backRefused(numberCode(err))
		}
	})
	c.askTimer = c.after(c.ctl.o.Limits.Decide, func() {
		if c.asking {
			c.ctl.o.Metrics.watchdog("callback")
			c.backRefused("not_decided")
		}
	})
}

// numberCode is a code for why a number cannot be had or rung.
func numberCode(err error) string {
	switch {
	case errors.Is(err, ErrNoNumber):
		return "no_number"
	case errors.Is(err, ErrUnsafeNumber):
		return "unsafe_to_call"
	}
	return "number_unavailable"
}

func (c *call) stopAsking() {
	c.asking = false
	if c.askTimer != nil {
		c.askTimer.Stop()
		c.askTimer = nil
	}
}

// backRefused lets a caller who cannot be rung back wait on.
func (c *call) backRefused(code string) {
	if !c.asking {
		return
	}
	c.stopAsking()
	c.log.Info().Str("cause", code).Msg("the caller cannot be rung back")
	if c.gone {
		c.finish(ReasonCallerGone)
		return
	}
	if c.state == StateWaiting {
		c.sayWaiting(ivr.PromptCallbackRefused)
	}
}

// noted tells the caller that they will be rung back, and says goodbye.
func (c *call) noted() {
	c.stopAsking()
	if c.gone {
		c.finish(ReasonCallback)
		return
	}
	c.hush()
	c.wantMusic(false)
	c.dropLeg(c.leg)
	c.enter(StateParting)
	c.log.Info().Msg("the caller is to be rung back")
	media := c.media(ivr.PromptCallbackTaken)
	if len(media) == 0 {
		media = []Media{{URI: "tone:congestion", Length: 2 * time.Second}}
	}
	c.playMedia(media, func(bool) { c.finish(ReasonCallback) })
}
