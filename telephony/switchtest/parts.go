package switchtest

import (
	"context"
	"sync"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
)

// StraightToQueue is an IVR that answers and routes at once.
func StraightToQueue(ivr.Options) telephony.Session {
	return Script(func(in ivr.Input) []ivr.Effect {
		if _, start := in.(ivr.Start); !start {
			return nil
		}
		return []ivr.Effect{ivr.Answer{}, ivr.SetLanguage{Code: "en"}, ivr.Route{Language: "en", Answers: map[string]string{}}}
	})
}

// Script makes a session of a function. It ends with Route, Transfer or Hangup,
// or when the caller hangs up.
func Script(step func(ivr.Input) []ivr.Effect) telephony.Session { return &script{step: step} }

type script struct {
	step   func(ivr.Input) []ivr.Effect
	ending ivr.Ending
}

func (s *script) Step(in ivr.Input) []ivr.Effect {
	if _, gone := in.(ivr.HungUp); gone && s.ending == ivr.Open {
		s.ending = ivr.LeftInIVR
		return nil
	}
	effects := s.step(in)
	for _, e := range effects {
		switch e.(type) {
		case ivr.Route:
			s.ending = ivr.Routed
		case ivr.Transfer:
			s.ending = ivr.Transferred
		case ivr.Hangup:
			s.ending = ivr.IVRContained
		}
	}
	return effects
}

func (s *script) Ending() ivr.Ending { return s.ending }

// Phones is a telephony.Phones of fixed dial strings.
type Phones map[routing.AgentID]string

// Dial gives a handler's dial string.
func (p Phones) Dial(a routing.AgentID) (string, bool) {
	d, ok := p[a]
	return d, ok
}

// Directory is a telephony.Directory that knows nobody, unless Answer is set.
type Directory struct {
	// Answer replaces the answer; nil gives facts back as they are.
	Answer func(ctx context.Context, facts contact.Facts) (contact.Facts, error)
}

// Identify answers.
func (d Directory) Identify(ctx context.Context, _ contact.ID, _ contact.Channel, _ contact.Caller, _ contact.Instant, facts contact.Facts) (contact.Facts, error) {
	if d.Answer == nil {
		return facts, nil
	}
	return d.Answer(ctx, facts)
}

// Entry is one record of a Ledger.
type Entry struct {
	Contact  contact.ID
	Caller   contact.Caller
	Ending   contact.Ending
	Language string
}

// Ledger is a telephony.Ledger in memory.
type Ledger struct {
	mu      sync.Mutex
	entries []Entry
}

// EndedInIVR keeps the record.
func (l *Ledger) EndedInIVR(_ context.Context, id contact.ID, caller contact.Caller, _ contact.Instant, ending contact.Ending, language string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, Entry{id, caller, ending, language})
	return nil
}

// Entries returns all records.
func (l *Ledger) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Entry(nil), l.entries...)
}

// Numbers is a telephony.Numbers in memory.
type Numbers struct {
	mu   sync.Mutex
	kept map[contact.ID]string
	// Refuse, if not nil, replaces the answer of KeepNumber, Missing that of NumberFor.
	Refuse, Missing error
}

// KeepNumber keeps a number.
func (n *Numbers) KeepNumber(_ context.Context, id contact.ID, number string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Refuse != nil {
		return n.Refuse
	}
	if n.kept == nil {
		n.kept = map[contact.ID]string{}
	}
	n.kept[id] = number
	return nil
}

// NumberFor gives it.
func (n *Numbers) NumberFor(_ context.Context, id contact.ID) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Missing != nil {
		return "", n.Missing
	}
	number, kept := n.kept[id]
	if !kept {
		return "", telephony.ErrNoNumber
	}
	return number, nil
}
