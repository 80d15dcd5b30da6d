package ivr

import (
	"strings"

	"example.org/c3i/contact"
)

// Prompts of the talk about being rung back.
const (
	promptCallbackNumber  = "callback_number"
	promptCallbackConfirm = "callback_confirm"
	promptCallbackKey     = "callback_key_number"
	promptCallbackWrong   = "callback_wrong_number"
	promptDigit           = "digit_"
)

// Bounds of that talk.
const (
	callbackTimeout = 8 * contact.Second
	callbackBetween = 5 * contact.Second
	callbackTries   = 3
	// Digits of a number that is keyed: E.164 has 15 at most.
	callbackLeast = 5
	callbackMost  = 15
)

// CallbackPrompts lists every prompt of callbacks: of the offer, of the talk and of
// how it ends.
func CallbackPrompts() []string {
	out := []string{
		PromptCallbackOffer, promptCallbackNumber, promptCallbackConfirm, promptCallbackKey, PromptCallbackTaken, PromptCallbackRefused,
		defaultPrompts[promptWrongKey], promptCallbackWrong,
	}
	for d := range 10 {
		out = append(out, promptDigit+string(rune('0'+d)))
	}
	return out
}

// Callback is the talk with a caller who would rather be rung back: on which number,
// and is that right. It takes Digit, PlayDone, PlayFailed, TimerFired and HungUp, and
// ends with one RingBack or WaitOn, unless the caller hangs up. Like Session it is
// pure and awaits exactly one playback or timer between steps.
//
// 1 agrees to the number spoken, 2 gives another, * goes on waiting. While a number
// is keyed, # ends it and * goes on waiting. Three mistakes or silences go on waiting.
type Callback struct {
	language string
	number   string // the one spoken
	keyed    string
	keying   bool
	over     bool
	tries    int

	play, plays   PlayID
	timer, timers TimerID
	out           []Effect
}

// NewCallback begins the talk; Start makes it speak. A number that cannot be dialled
// is not spoken: the caller is asked to key one.
func NewCallback(language, number string) *Callback {
	c := &Callback{language: language}
	if Dialable(number) {
		c.number = number
	}
	return c
}

// Dialable tells whether a number is digits only, but for a + before them, and
// neither too short nor too long to be a line of somebody's own.
func Dialable(number string) bool {
	digits := strings.TrimPrefix(number, "+")
	return len(digits) >= callbackLeast && len(digits) <= callbackMost && strings.Trim(digits, "0123456789") == ""
}

// Step tells the talk what happened and returns what must be done, in order. It never
// fails; what does not fit has no effects.
func (c *Callback) Step(in Input) []Effect {
	c.out = nil
	if c.over {
		return nil
	}
	switch in := in.(type) {
	case Start:
		if c.plays == 0 {
			c.ask()
		}
	case Digit:
		c.pressed(in.Key)
	case PlayDone:
		c.played(in.ID)
	case PlayFailed:
		c.played(in.ID)
	case TimerFired:
		if in.ID != 0 && in.ID == c.timer {
			c.timer = 0
			c.timedOut()
		}
	case HungUp:
		c.over = true
	}
	return c.out
}

func (c *Callback) played(id PlayID) {
	if id != 0 && id == c.play {
		c.play = 0
		c.wait(callbackTimeout)
	}
}

func (c *Callback) pressed(key byte) {
	if c.plays == 0 {
		return
	}
	switch {
	case key == '*':
		c.end(WaitOn{})
	case c.keying && key == '#':
		c.keyedAll()
	case c.keying && key >= '0' && key <= '9':
		c.quiet()
		c.keyed += string(rune(key))
		if len(c.keyed) > callbackMost {
			c.again(promptCallbackWrong)
			return
		}
		c.wait(callbackBetween)
	case !c.keying && key == '1':
		c.end(RingBack{Number: c.number})
	case !c.keying && key == '2':
		c.number = ""
		c.ask()
	case key == '#' && !c.keying:
		// An "enter" after the key that was asked for.
	case key >= '0' && key <= '9':
		c.again(defaultPrompts[promptWrongKey])
	}
}

func (c *Callback) timedOut() {
	if c.keyed != "" {
		c.keyedAll()
		return
	}
	c.again("")
}

func (c *Callback) keyedAll() {
	if !Dialable(c.keyed) {
		c.again(promptCallbackWrong)
		return
	}
	c.number = c.keyed
	c.ask()
}

// again counts a mistake and asks once more, or lets the caller wait on.
func (c *Callback) again(why string) {
	c.tries++
	if c.tries >= callbackTries {
		c.end(WaitOn{})
		return
	}
	if why == "" {
		c.ask()
		return
	}
	c.ask(why)
}

// ask speaks the number and asks whether it is right, or asks for one.
func (c *Callback) ask(first ...string) {
	c.quiet()
	names := first
	c.keyed, c.keying = "", c.number == ""
	if c.keying {
		names = append(names, promptCallbackKey)
	} else {
		names = append(names, promptCallbackNumber)
		for _, d := range strings.TrimPrefix(c.number, "+") {
			names = append(names, promptDigit+string(d))
		}
		names = append(names, promptCallbackConfirm)
	}
	refs := make([]PromptRef, len(names))
	for i, name := range names {
		refs[i] = PromptRef{Name: name, Language: c.language}
	}
	c.plays++
	c.play = c.plays
	c.out = append(c.out, Play{ID: c.play, Prompts: refs, Interruptible: true})
}

func (c *Callback) wait(d contact.Duration) {
	c.timers++
	c.timer = c.timers
	c.out = append(c.out, StartTimer{ID: c.timer, After: d})
}

// quiet ends what is playing or timed.
func (c *Callback) quiet() {
	if c.play != 0 {
		c.out = append(c.out, StopPlay{ID: c.play})
		c.play = 0
	}
	if c.timer != 0 {
		c.out = append(c.out, StopTimer{ID: c.timer})
		c.timer = 0
	}
}

func (c *Callback) end(last Effect) {
	c.quiet()
	c.over = true
	c.out = append(c.out, last)
}
