package telephony

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
)

// Submitter takes events for routing. It returns once the event is taken; an
// error says it was not, or that this is not known. Sending one twice must be
// harmless.
type Submitter interface {
	Submit(ctx context.Context, ev routing.Event) error
}

// Directory knows callers. Identify is called once per contact, before
// ContactArrived, with a short deadline; facts holds what the call told, and the
// answer is the same with what is known of the person. Its failure means an
// unknown caller and holds nobody up.
type Directory interface {
	Identify(ctx context.Context, id contact.ID, ch contact.Channel, caller contact.Caller, arrival contact.Instant, facts contact.Facts) (contact.Facts, error)
}

// Ledger records contacts that routing never heard of because they ended
// before a queue. Recording one twice must be harmless.
type Ledger interface {
	EndedInIVR(ctx context.Context, id contact.ID, caller contact.Caller, arrival contact.Instant, ending contact.Ending, language string) error
}

// Phones knows which phone a handler uses: a dial string such as "PJSIP/desk1".
// It is called from a call's goroutine and must not block.
type Phones interface {
	Dial(agent routing.AgentID) (dial string, ok bool)
}

// Session is one caller's way through a flow; *ivr.Session is one.
type Session interface {
	Step(in ivr.Input) []ivr.Effect
	Ending() ivr.Ending
}

// Media is something the switch can play.
type Media struct {
	// URI is as the switch names it, for example "sound:/var/lib/c3i/welcome".
	URI string
	// Length is how long it plays, zero if not known.
	Length time.Duration
}

// Limits bound everything that could go on for ever. Zero fields take the
// default in their comment.
type Limits struct {
	// Identify is how long the directory may take. 150 ms.
	Identify time.Duration
	// Submit is how long routing may take to accept an event. 2 s.
	Submit time.Duration
	// Command is how long the switch may take over a command. 2 s.
	Command time.Duration
	// PlayMargin is added to a playback's known length, PlayCap bounds one whose
	// length is not known. 3 s and 60 s.
	PlayMargin, PlayCap time.Duration
	// DialMargin is how much longer than an offer a phone may ring. 5 s.
	DialMargin time.Duration
	// Decide is how long routing may take to say what becomes of a contact or of
	// an answered offer. 15 s.
	Decide time.Duration
	// Mailbox is the depth at which a call's mailbox raises an alarm. 200.
	Mailbox int
	// Audit is the pause between two comparisons with the switch's own lists,
	// which find what a lost event hid. 30 s.
	Audit time.Duration
	// Orphan is how long a channel without a call may still turn out to be one
	// whose event is under way. 1 s.
	Orphan time.Duration
	// HandOver bounds handing calls over when draining ends. 5 s.
	HandOver time.Duration
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&l.Identify, 150*time.Millisecond)
	set(&l.Submit, 2*time.Second)
	set(&l.Command, 2*time.Second)
	set(&l.PlayMargin, 3*time.Second)
	set(&l.PlayCap, 60*time.Second)
	set(&l.DialMargin, 5*time.Second)
	set(&l.Decide, 15*time.Second)
	set(&l.Audit, 30*time.Second)
	set(&l.Orphan, time.Second)
	set(&l.HandOver, 5*time.Second)
	if l.Mailbox == 0 {
		l.Mailbox = 200
	}
	return l
}

// Options are what a Controller is made of.
type Options struct {
	Switch Switch
	// App is our application's name in the switch: channels it lists under this
	// name and that belong to no call are released.
	App       string
	Submit    Submitter
	Directory Directory
	Ledger    Ledger
	Phones    Phones
	// Sessions starts the IVR for a call. It is called from the call's goroutine.
	Sessions func(ivr.Options) Session
	// Prompts finds a prompt's sound in a language; false means there is none.
	Prompts func(name, language string) (Media, bool)
	// Outgoing gives the dial string for a number, with Numbers; callers are rung back
	// only where both are given. CallerNumber is what they see.
	Outgoing     func(number string) (dial string, ok bool)
	Numbers      Numbers
	CallerNumber string
	// Music names the class of music on hold for a language; nil or an empty name
	// is the switch's default.
	Music func(language string) string
	// Transfers are the places the IVR's transfer steps name. "emergency" is
	// context emergency, extension 999, unless given.
	Transfers map[string]Location
	// Fallback is where a call goes that we cannot serve: context c3i-fallback,
	// extension s, unless given.
	Fallback Location
	// NewID makes contact ids.
	NewID func() contact.ID
	// Endpoint is told when a phone can or can no longer be rung; nil ignores it.
	// It must not block.
	Endpoint func(endpoint string, up bool)
	// Clock is time.Now unless given.
	Clock   func() time.Time
	Log     zerolog.Logger
	Metrics *Metrics
	Limits  Limits
}

func (o *Options) check() error {
	var missing []error
	need := func(name string, ok bool) {
		if !ok {
			missing = append(missing, fmt.Errorf("telephony: Options.%s is missing", name))
		}
	}
	need("Switch", o.Switch != nil)
	need("App", o.App != "")
	need("Submit", o.Submit != nil)
	need("Directory", o.Directory != nil)
	need("Ledger", o.Ledger != nil)
	need("Phones", o.Phones != nil)
	need("Sessions", o.Sessions != nil)
	need("Prompts", o.Prompts != nil)
	need("NewID", o.NewID != nil)
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Fallback == (Location{}) {
		o.Fallback = Location{Context: "c3i-fallback", Extension: "s", Priority: 1}
	}
	transfers := map[string]Location{"emergency": {Context: "emergency", Extension: "999", Priority: 1}}
	for name, to := range o.Transfers {
		transfers[name] = to
	}
	o.Transfers = transfers
	if o.Music == nil {
		o.Music = func(string) string { return "" }
	}
	o.Limits = o.Limits.withDefaults()
	return nil
}

// FlowSessions starts sessions of the flow in force when a call arrives.
func FlowSessions(current func() *ivr.Flow) func(ivr.Options) Session {
	return func(o ivr.Options) Session { return ivr.NewSession(current(), o) }
}
