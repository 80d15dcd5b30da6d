package ivr

import (
	"slices"

	"example.org/c3i/contact"
)

// Flow is a checked flow. It is immutable and safe for concurrent use by any
// number of sessions.
type Flow struct {
	name     string
	hash     string
	language string
	start    string
	keys     map[byte]string
	prompts  map[string]string
	answers  []answer
	steps    map[string]*step
	order    []string
	spoken   *Catalogue
}

// Name is the flow's name.
func (f *Flow) Name() string { return f.name }

// Hash is a fingerprint of the flow's source and of which languages there are:
// a session's state is good for the same hash only.
func (f *Flow) Hash() string { return f.hash }

// Language is spoken until the caller chooses one.
func (f *Flow) Language() string { return f.language }

// Destinations lists the names that transfers use, sorted. Each must be in the
// configuration.
func (f *Flow) Destinations() []string {
	return f.collect(func(s *step) string { return s.destination })
}

// transfer finds the first step that transfers to a destination, nil if none does.
func (f *Flow) transfer(destination string) *step {
	for _, id := range f.order {
		if s := f.steps[id]; s.kind == kindTransfer && s.destination == destination {
			return s
		}
	}
	return nil
}

// Queues lists the queues that routes name, sorted. Each must be in the plan.
func (f *Flow) Queues() []string {
	return f.collect(func(s *step) string { return s.queue })
}

// Answers lists the answers the flow may give, in its order, each with the
// values it may have; none for one that is keyed by the caller.
func (f *Flow) Answers() map[string][]string {
	out := map[string][]string{}
	for _, a := range f.answers {
		var values []string
		for _, v := range a.values {
			values = append(values, v.name)
		}
		out[a.name] = values
	}
	return out
}

// Words puts answers into words for the handler's screen, in the flow's order.
// Answers the flow does not know follow, by name, as they are.
func (f *Flow) Words(answers map[string]string) []AnswerLabel {
	out := []AnswerLabel{}
	known := map[string]bool{}
	for _, a := range f.answers {
		known[a.name] = true
		if value, given := answers[a.name]; given {
			out = append(out, AnswerLabel{Name: a.name, Value: value, Question: a.label, Answer: a.word(value)})
		}
	}
	var rest []string
	for name := range answers {
		if !known[name] {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	for _, name := range rest {
		out = append(out, AnswerLabel{Name: name, Value: answers[name], Question: name, Answer: answers[name]})
	}
	return out
}

// Callbacks lists the queues that callback steps name, sorted; "" when one leaves it
// to the plan's rules. Each must ring callers back by the plan.
func (f *Flow) Callbacks() []string {
	var out []string
	for _, id := range f.order {
		if s := f.steps[id]; s.kind == kindCallback && !contains(out, s.queue) {
			out = append(out, s.queue)
		}
	}
	slices.Sort(out)
	return out
}

func (f *Flow) collect(of func(*step) string) []string {
	var out []string
	for _, id := range f.order {
		if v := of(f.steps[id]); v != "" && !contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// kind is what a step does; it is the field that names it in the file.
type kind string

const (
	kindSay      kind = "say"
	kindMenu     kind = "menu"
	kindCollect  kind = "collect"
	kindLanguage kind = "language"
	kindBranch   kind = "branch"
	kindRoute    kind = "route"
	kindCallback kind = "callback"
	kindTransfer kind = "transfer"
	kindHangup   kind = "hangup"
)

var kinds = []string{"say", "menu", "collect", "language", "branch", "route", "callback", "transfer", "hangup"}

// step is one step of any kind; the fields a kind does not use are zero.
type step struct {
	id   string
	kind kind
	at   place

	prompts       []prompt
	interruptible bool
	typeAhead     bool
	next          link
	set           []assignment

	keys    []choice
	answer  string
	timeout contact.Duration
	tries   int
	tooMany link

	min, max int
	between  contact.Duration
	end      byte
	clear    byte
	check    string
	empty    link

	ask bool // language: ask even if remembered

	on        string
	cases     []branchCase
	otherwise link

	queue       string
	destination string
	failed      link
}

// link names another step.
type link struct {
	to string
	at place
}

type prompt struct {
	name     string
	language string // "" is the caller's
	at       place
}

type choice struct {
	key   byte
	at    place
	value string
	next  link
}

type branchCase struct {
	value string
	next  link
}

type assignment struct{ name, value string }

type answer struct {
	name   string
	label  string
	values []answerValue
}

type answerValue struct{ name, label string }

func (a answer) word(value string) string {
	for _, v := range a.values {
		if v.name == value {
			return v.label
		}
	}
	return value
}

// takesKeys tells whether keys mean something to the step itself.
func (s *step) takesKeys() bool {
	return s.kind == kindMenu || s.kind == kindCollect || s.kind == kindLanguage
}

// idle lists where a caller who presses nothing goes from here.
func (s *step) idle() []link {
	switch s.kind {
	case kindSay:
		return []link{s.next}
	case kindMenu, kindCollect:
		return []link{s.tooMany}
	case kindLanguage:
		// One language, or one remembered, is not asked for.
		return []link{s.tooMany, s.next}
	case kindBranch:
		out := []link{}
		for _, c := range s.cases {
			out = append(out, c.next)
		}
		return append(out, s.otherwise)
	case kindTransfer:
		return []link{s.failed}
	}
	return nil
}

// links lists every way out.
func (s *step) links() []link {
	out := s.idle()
	for _, c := range s.keys {
		out = append(out, c.next)
	}
	if s.kind == kindCollect {
		out = append(out, s.next)
	}
	if s.empty.to != "" {
		out = append(out, s.empty)
	}
	return out
}
