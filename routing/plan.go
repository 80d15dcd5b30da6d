package routing

import "example.org/c3i/contact"

// Plan is a compiled plan: what managers tune, ready for the engine. Package
// plan makes it from YAML; tests may build one by hand. The engine never
// changes it. All lists have a fixed order, and the engine uses that order.
type Plan struct {
	Version  int
	Queues   []Queue
	Rules    []Rule
	Profiles []Profile
	// Offer is how offers are made.
	Offer OfferPolicy
	// WrapUp is the default wrap-up; a queue may override it.
	WrapUp WrapUpPolicy
	// Skills lists the declared skills with the words people see.
	Skills []Code
	// NotReadyReasons and Outcomes list the codes handlers may use.
	NotReadyReasons []Code
	Outcomes        []Code
	// ShortAbandon bounds a short abandon; 5 s by domain.md 3.1.
	ShortAbandon contact.Duration
	// Surges are named overlays a supervisor may switch on and off.
	Surges []Surge
	// RingBackWindow is how long the place of a caller who hung up before being
	// answered is kept for their line; zero keeps none.
	RingBackWindow contact.Duration
	// DefaultQueue takes contacts no rule matched. It always exists.
	DefaultQueue QueueID
}

// Code is a code with the words people see.
type Code struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Queue is one queue of the plan.
type Queue struct {
	ID    QueueID
	Label string
	// AnswerWithin is the target per channel; every channel has one.
	AnswerWithin map[contact.Channel]contact.Duration
	// Needs are skills every contact of the queue needs, in order of name.
	Needs []Need
	// LanguageSkill adds the skill "lang.<language>" of the contact at Min 1 when
	// the plan declares that skill.
	LanguageSkill bool
	// WrapUp overrides the plan's default when not nil.
	WrapUp *WrapUpPolicy
	// Relax widens who may take a contact as it ages, in order of After; the last
	// step is the one the plan's author named safe. Empty means never.
	Relax []RelaxStep
	// Overflow moves a contact that was routed here on to other queues as it ages,
	// in order of After. It keeps its place. It is the whole course: the overflow of
	// the queues it moves to does not apply.
	Overflow []OverflowStep
	// Preferred is how a contact waits for its Facts.Preferred; nil means that
	// nobody is preferred.
	Preferred *PreferredPolicy
	// Announce is when callers who wait are told their position and expected wait;
	// nil means never.
	Announce *AnnouncePolicy
	// Callback is when and how callers who wait may be rung back instead; nil means
	// that none is.
	Callback *CallbackPolicy
	// ClosedAnnouncement is the prompt played when the queue is closed.
	ClosedAnnouncement string
	// Hours is the opening calendar, evaluated by the driver; nil is always open.
	Hours func(contact.Local) bool
}

// RelaxStep replaces what contacts of a queue need once they have waited After
// from their arrival: Needs stand instead of the queue's and the rule's.
type RelaxStep struct {
	// Name is shown in Why.
	Name  string
	After contact.Duration
	// Needs in order of name; empty means that any handler of the channel will do.
	Needs []Need
	// AnyLanguage drops the language skill too.
	AnyLanguage bool
}

// OverflowStep moves contacts to another queue After from their arrival. There
// they need what that queue needs, not what the rule added.
type OverflowStep struct {
	After contact.Duration
	To    QueueID
}

// PreferredPolicy keeps a contact for the handler its facts prefer.
type PreferredPolicy struct {
	// Wait, from joining the queue, is how long only they may take it, provided
	// they are within reach (signed on, ready, desk there, phone up; busy and
	// resting count) and have the skills. Zero prefers them without waiting.
	Wait contact.Duration
}

// AnnouncePolicy says when a waiting caller is told how long it may take.
type AnnouncePolicy struct {
	// First counts from joining the queue, Every from the announcement before.
	First contact.Duration
	Every contact.Duration
}

// CallbackPolicy says when callers are offered to be rung back, and how they are.
// That of the queue the rule chose counts.
type CallbackPolicy struct {
	// Over is the expected wait above which it is offered; zero offers it to all who
	// have to wait.
	Over contact.Duration
	// Attempts is how often a caller is rung before the contact ends, Spacing how
	// long after one that failed the next may be made, RingFor how long each rings.
	Attempts int
	Spacing  contact.Duration
	RingFor  contact.Duration
	// Hours is when people may be rung, evaluated by the driver; nil is always.
	Hours func(contact.Local) bool
}

// CallbackDefault stands for the policy of a queue that has none, where a plan left
// callbacks behind: what was promised is kept.
func CallbackDefault() CallbackPolicy {
	return CallbackPolicy{Attempts: 3, Spacing: 5 * contact.Minute, RingFor: 30 * contact.Second}
}

// Surge changes some queues while it is switched on. Where two that are on change
// the same, the later in the plan wins.
type Surge struct {
	Name   string
	Label  string
	Queues []SurgeQueue
}

// SurgeQueue is what a surge changes in one queue; what is nil stays as it is.
type SurgeQueue struct {
	Queue QueueID
	// AnswerWithin replaces the targets of the channels it has, for contacts that
	// arrive from then on: those waiting keep their place.
	AnswerWithin map[contact.Channel]contact.Duration
	// Overflow replaces the steps; empty and not nil means none.
	Overflow []OverflowStep
	// Announce replaces the policy; Silent removes it.
	Announce *AnnouncePolicy
	Silent   bool
}

// Rule sends matching contacts to a queue; the first match wins.
type Rule struct {
	// Name is unique in the plan and shown in Why.
	Name string
	// Match is the compiled condition: pure, total, never panics.
	Match func(RuleInput) bool
	Queue QueueID
	// Credit makes the contact due earlier, within the plan's bound.
	Credit contact.Duration
	// Class0 marks risk to life.
	Class0 bool
	// Needs are added to the queue's.
	Needs []Need
}

// RuleInput is what conditions see.
type RuleInput struct {
	Channel contact.Channel
	Facts   contact.Facts
	// Figures tells what is going on in a queue, for contacts of the channel, as
	// the contact comes to be routed; zeros for a queue that is not there. Nil is
	// taken for a plan whose queues are all empty and unstaffed.
	Figures func(QueueID) QueueFigures
}

// QueueFigures is what rules may know of a queue.
type QueueFigures struct {
	// Waiting counts contacts of any channel that wait with no offer out.
	Waiting int
	// Staffed counts handlers within reach (ready, busy or resting; desk there,
	// phone up) whose profile has what the queue needs. They may serve others too.
	Staffed int
	// EstimatedWait is what the next contact may expect: see EstimateUnknown.
	EstimatedWait contact.Duration
}

// Profile is a kind of handler.
type Profile struct {
	Name string
	// Skills in order of name, each with the level held.
	Skills []SkillLevel
	// Capacity is how many contacts of each channel may be in hand; a channel
	// absent means none. Phone is at most 1.
	Capacity map[contact.Channel]int
	// Interruptible lists the written channels whose contacts in hand a call may
	// interrupt: they are parked when the call is accepted and come back to the same
	// handler when its wrap-up is over. Contacts of other channels keep calls away.
	// Nil, not only empty, means that written contacts leave room for a call and go
	// on beside it, parked by nobody.
	Interruptible []contact.Channel
}

// SkillLevel is a skill held at a level.
type SkillLevel struct {
	Skill contact.Skill
	Level contact.Level
}

// OfferPolicy governs offers.
type OfferPolicy struct {
	// RingFor is the deadline of an offer per channel.
	RingFor map[contact.Channel]contact.Duration
	// NoAnswerRest, DeclineRest and FailedRest are how long a handler rests,
	// visibly, after each. Zero NoAnswerRest means not ready until they say so.
	NoAnswerRest contact.Duration
	DeclineRest  contact.Duration
	FailedRest   contact.Duration
	// AlertAfter missed or declined offers of one contact, or by one handler in a
	// row, a supervisor is alerted.
	AlertAfter int
}

// WrapUpPolicy bounds the work after a conversation.
type WrapUpPolicy struct {
	// Limit ends wrap-up by itself; zero means no wrap-up at all.
	Limit contact.Duration
	// Extension may be asked for once.
	Extension contact.Duration
}
