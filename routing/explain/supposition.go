package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// Supposition is a contact that might arrive: what a rule may know of it.
type Supposition struct {
	// Channel is phone when empty.
	Channel  contact.Channel `json:"channel,omitempty"`
	Language string          `json:"language,omitempty"`
	Dialled  string          `json:"dialled,omitempty"`
	CLI      contact.CLI     `json:"cli,omitempty"`
	// Answers are what was chosen in the flow.
	Answers map[string]string `json:"answers,omitempty"`
	// Known tells that the caller is one person on record; the others are of that
	// person.
	Known        bool `json:"known,omitempty"`
	Contacts30d  int  `json:"contacts_30d,omitempty"`
	OpenReports  int  `json:"open_reports,omitempty"`
	Vulnerable   bool `json:"vulnerable,omitempty"`
	RepeatVictim bool `json:"repeat_victim,omitempty"`
	// Preferred is the sign-on name of the handler who should have it.
	Preferred string `json:"preferred,omitempty"`
	// Queue is named by the flow; empty leaves it to the rules.
	Queue routing.QueueID `json:"queue,omitempty"`
	// Waited is how long ago it reached us, 0 for just now.
	Waited contact.Duration `json:"waited,omitempty"`
}

// SupposeError says what of a supposition cannot be taken.
type SupposeError struct {
	// Field is its name, as in a condition: "channel", "answers.menu".
	Field   string
	Message string
}

// Error says it for people.
func (e *SupposeError) Error() string { return e.Field + ": " + e.Message }

func wrong(field, format string, args ...any) *SupposeError {
	return &SupposeError{field, fmt.Sprintf(format, args...)}
}

// Bounds of a supposition.
const (
	valueMax   = 100 // bytes
	answersMax = 50
	waitedMax  = 30 * contact.Day
	countMax   = 1_000_000
)

// setters set each name a supposition may give from its text.
var setters = map[string]func(s *Supposition, text string) error{
	"channel":              func(s *Supposition, t string) error { s.Channel = contact.Channel(t); return nil },
	"language":             func(s *Supposition, t string) error { s.Language = t; return nil },
	"dialled":              func(s *Supposition, t string) error { s.Dialled = t; return nil },
	"cli":                  func(s *Supposition, t string) error { s.CLI = contact.CLI(t); return nil },
	"queue":                func(s *Supposition, t string) error { s.Queue = routing.QueueID(t); return nil },
	"preferred":            func(s *Supposition, t string) error { s.Preferred = t; return nil },
	"waited":               func(s *Supposition, t string) (err error) { s.Waited, err = contact.ParseDuration(t); return err },
	"caller.known":         func(s *Supposition, t string) error { return setTruth(&s.Known, t) },
	"caller.vulnerable":    func(s *Supposition, t string) error { return setTruth(&s.Vulnerable, t) },
	"caller.repeat_victim": func(s *Supposition, t string) error { return setTruth(&s.RepeatVictim, t) },
	"caller.contacts_30d":  func(s *Supposition, t string) error { return setCount(&s.Contacts30d, t) },
	"caller.open_reports":  func(s *Supposition, t string) error { return setCount(&s.OpenReports, t) },
}

func setTruth(v *bool, t string) error {
	switch t {
	case "true", "yes":
		*v = true
	case "false", "no":
		*v = false
	default:
		return fmt.Errorf("%q is neither true nor false", t)
	}
	return nil
}

func setCount(v *int, t string) error {
	n, err := strconv.Atoi(t)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number from 0 up", t)
	}
	*v = n
	return nil
}

// SuppositionNames lists what ParseSupposition knows, answers left out.
func SuppositionNames() []string { return slices.Sorted(maps.Keys(setters)) }

// ParseSupposition reads words of the form name=value, named as in conditions, for
// example channel=phone language=pl answers.menu=crime caller.vulnerable=true. Words
// may also come in one text, split at spaces. Errors are *SupposeError.
func ParseSupposition(words []string) (Supposition, error) {
	var s Supposition
	given := map[string]bool{}
	for _, word := range words {
		for _, w := range strings.Fields(word) {
			name, text, is := strings.Cut(w, "=")
			if !is || name == "" {
				return s, wrong(w, "write it as name=value, for example channel=phone or answers.menu=crime")
			}
			if given[name] {
				return s, wrong(name, "it is given twice")
			}
			given[name] = true
			if label, is := strings.CutPrefix(name, "answers."); is && label != "" {
				if s.Answers == nil {
					s.Answers = map[string]string{}
				}
				s.Answers[label] = text
				continue
			}
			set := setters[name]
			if set == nil {
				return s, unknownName(name)
			}
			if err := set(&s, text); err != nil {
				return s, wrong(name, "%s", strings.TrimPrefix(err.Error(), "contact: "))
			}
		}
	}
	return s, nil
}

func unknownName(name string) *SupposeError {
	known := append(SuppositionNames(), "answers.<label>")
	if setters["caller."+name] != nil {
		return wrong(name, "it is not known: did you mean caller.%s?", name)
	}
	if near := plan.Nearest(name, known); near != "" {
		return wrong(name, "it is not known: did you mean %s?", near)
	}
	return wrong(name, "it is not known: there are %s", strings.Join(known, ", "))
}

// DecodeSupposition reads a supposition from JSON, strictly. "waited" is text such
// as "90s". Errors are *SupposeError.
func DecodeSupposition(data []byte) (Supposition, error) {
	var s Supposition
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&s)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return s, wrong(kind.Field, "a %s does not fit here", kind.Value)
	case err != nil:
		text := strings.TrimPrefix(err.Error(), "json: ")
		if name, is := strings.CutPrefix(text, "unknown field "); is {
			name = strings.Trim(name, `"`)
			if near := plan.Nearest(name, suppositionFields); near != "" {
				return s, wrong(name, "it is not known: did you mean %s?", near)
			}
			return s, wrong(name, "it is not known: there are %s", strings.Join(suppositionFields, ", "))
		}
		return s, wrong("", "%s", text)
	}
	return s, nil
}

var suppositionFields = []string{
	"channel", "language", "dialled", "cli", "answers", "known", "contacts_30d", "open_reports", "vulnerable", "repeat_victim", "preferred", "queue", "waited",
}

// Check finds what cannot be asked under a plan. answers lists the labels that the
// flow gives, with the values each may have where they are few; nil checks none.
// Errors are *SupposeError.
func (s *Supposition) Check(p *routing.Plan, answers map[string][]string) error {
	if s.Channel == "" {
		s.Channel = contact.Phone
	}
	var channels []string
	for _, c := range contact.Channels() {
		channels = append(channels, string(c))
	}
	if err := oneOf("channel", string(s.Channel), channels); err != nil {
		return err
	}
	if s.CLI != "" {
		if err := oneOf("cli", string(s.CLI), []string{string(contact.CLIPresented), string(contact.CLIWithheld), string(contact.CLIUnavailable)}); err != nil {
			return err
		}
	}
	if s.Queue != "" {
		var queues []string
		for _, q := range p.Queues {
			queues = append(queues, string(q.ID))
		}
		if err := oneOf("queue", string(s.Queue), queues); err != nil {
			return err
		}
	}
	for field, text := range map[string]string{"language": s.Language, "dialled": s.Dialled, "preferred": s.Preferred} {
		if err := short(field, text); err != nil {
			return err
		}
	}
	if len(s.Answers) > answersMax {
		return wrong("answers", "at most %d are taken", answersMax)
	}
	for _, label := range slices.Sorted(maps.Keys(s.Answers)) {
		field := "answers." + label
		if err := errors.Join(short(field, label), short(field, s.Answers[label])); err != nil {
			return wrong(field, "at most %d characters are taken", valueMax)
		}
		if answers == nil {
			continue
		}
		values, known := answers[label]
		if !known {
			labels := slices.Sorted(maps.Keys(answers))
			if near := plan.Nearest(label, labels); near != "" {
				return wrong(field, "the flow gives no such answer: did you mean answers.%s?", near)
			}
			return wrong(field, "the flow gives no such answer: there are %s", strings.Join(labels, ", "))
		}
		if text := s.Answers[label]; text != "" && len(values) > 0 {
			if err := oneOf(field, text, values); err != nil {
				return err
			}
		}
	}
	switch {
	case s.Waited < 0 || s.Waited > waitedMax:
		return wrong("waited", "from 0 to %d days are taken", waitedMax/contact.Day)
	case s.Contacts30d < 0 || s.Contacts30d > countMax:
		return wrong("contacts_30d", "a number from 0 to %d is taken", countMax)
	case s.OpenReports < 0 || s.OpenReports > countMax:
		return wrong("open_reports", "a number from 0 to %d is taken", countMax)
	}
	return nil
}

func short(field, text string) error {
	if len(text) > valueMax || !utf8.ValidString(text) {
		return wrong(field, "at most %d characters are taken", valueMax)
	}
	return nil
}

func oneOf(field, text string, known []string) error {
	if slices.Contains(known, text) {
		return nil
	}
	if near := plan.Nearest(text, known); near != "" {
		return wrong(field, "%q is not known: did you mean %s?", text, near)
	}
	return wrong(field, "%q is not known: it is one of %s", text, strings.Join(known, ", "))
}

// arrival makes the event of a contact that arrives at an instant. A person is
// named only so that caller.known is true.
func (s Supposition) arrival(at contact.Instant) routing.ContactArrived {
	f := contact.Facts{
		Language: s.Language, Answers: s.Answers, Dialled: s.Dialled, CLI: s.CLI, Contacts30d: s.Contacts30d, OpenReports: s.OpenReports,
		Vulnerable: s.Vulnerable, RepeatVictim: s.RepeatVictim, Preferred: s.Preferred,
	}
	if s.Known {
		f.Person = "supposed"
	}
	return routing.ContactArrived{Contact: "supposed", Channel: s.Channel, Arrival: at.Add(-s.Waited), Facts: f, Queue: s.Queue}
}
