package ivr

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"example.org/c3i/contact"

	"github.com/goccy/go-yaml/ast"
)

// Bounds and defaults of a flow.
const (
	defaultTimeout = 6 * contact.Second
	defaultBetween = 4 * contact.Second
	defaultTries   = 3
	maxDigits      = 32
	maxSteps       = 500
	maxPrompts     = 20

	digitKeys = "0123456789"
	allKeys   = digitKeys + "*#"
)

// The prompts a flow plays of its own accord, and the names they have unless
// the flow says otherwise.
const (
	promptWrongKey = "wrong_key"
	promptNoKey    = "no_key"
	promptInvalid  = "invalid"
	promptTooMany  = "too_many"
)

var defaultPrompts = map[string]string{
	promptWrongKey: "wrong_key",
	promptNoKey:    "no_key",
	promptInvalid:  "number_not_recognised",
	promptTooMany:  "too_many_tries",
}

var (
	flowFields   = []string{"flow", "start", "language", "timeout", "tries", "safe", "keys", "prompts", "answers", "steps"}
	answerFields = []string{"label", "values"}
	choiceFields = []string{"answer", "next"}
	stepFields   = map[kind][]string{
		kindSay:      {"set", "next", "interruptible", "type_ahead"},
		kindMenu:     {"set", "keys", "answer", "timeout", "tries", "too_many"},
		kindCollect:  {"set", "answer", "min", "max", "end", "clear", "check", "between", "empty", "timeout", "tries", "too_many", "next"},
		kindLanguage: {"set", "remembered", "timeout", "tries", "too_many", "next"},
		kindBranch:   {"set", "when", "else"},
		kindRoute:    {"set"},
		kindCallback: {"set"},
		kindTransfer: {"set", "failed"},
		kindHangup:   {"set"},
	}
)

// loader reads one flow. It keeps what the whole-flow checks need besides.
type loader struct {
	*reader
	flow     *Flow
	start    link
	safe     link
	keys     []choice
	builtins []prompt
	timeout  contact.Duration
	tries    int
	// startGiven tells that "start" is there, if perhaps unreadable.
	startGiven bool
}

// Load reads and checks a flow. File is the name that problems carry. All
// problems are reported, in order of place; the flow is nil when there is any.
// Without a catalogue (nil, because the prompt files are wrong themselves) all
// is checked but what concerns languages and prompts, and no flow is returned.
func Load(file string, src []byte, prompts *Catalogue) (*Flow, Problems) {
	speechless := prompts == nil
	if speechless {
		prompts = &Catalogue{}
	}
	l := &loader{
		reader:  &reader{file: file},
		flow:    &Flow{steps: map[string]*step{}, keys: map[byte]string{}, prompts: map[string]string{}, spoken: prompts, language: prompts.Default()},
		timeout: defaultTimeout,
		tries:   defaultTries,
	}
	if top, ok := l.parse(src); ok {
		if l.read(top) {
			l.check()
		}
	}
	if speechless {
		l.problems = slices.DeleteFunc(l.problems, func(p Problem) bool { return p.Code == "unknown_language" })
	}
	if len(l.problems) > 0 || speechless {
		l.problems.sort()
		return nil, l.problems
	}
	sum := sha256.New()
	sum.Write(src)
	for _, lang := range prompts.Languages {
		sum.Write([]byte{0, lang.Key})
		sum.Write([]byte(lang.Code))
	}
	l.flow.hash = hex.EncodeToString(sum.Sum(nil)[:16])
	return l.flow, nil
}

// read fills the flow; false when there are no steps to check.
func (l *loader) read(top ast.Node) bool {
	fs, ok := l.fields(top, "the flow")
	if !ok {
		return false
	}
	l.known(fs, "the flow", flowFields)
	for builtin, name := range defaultPrompts {
		l.flow.prompts[builtin] = name
	}
	l.safe.at, l.start.at = placeOf(top), placeOf(top)
	for _, f := range fs {
		switch f.name {
		case "flow":
			if l.flow.name = l.text(f); l.flow.name != "" && !isName(l.flow.name) {
				l.report(valuePlace(f), "bad_name", "", "%q is not a name: use small letters, digits, _ and -", l.flow.name)
			}
		case "start":
			l.start, l.startGiven = l.link(f), true
		case "language":
			l.flow.language = l.text(f)
			if _, known := l.flow.spoken.Language(l.flow.language); !known && l.flow.language != "" {
				l.report(valuePlace(f), "unknown_language", suggest(l.flow.language, l.codes()), "there is no prompt file for language %q", l.flow.language)
			}
		case "timeout":
			l.timeout = l.span(f, contact.Second, contact.Minute)
		case "tries":
			l.tries = l.number(f, 1, 10)
		case "safe":
			l.safe = l.link(f)
		case "answers":
			l.readAnswers(f)
		case "prompts":
			l.readBuiltins(f)
		case "keys":
			l.keys = l.readKeys(f, nil)
		}
	}
	if l.flow.name == "" && !has(fs, "flow") {
		l.report(placeOf(top), "missing_field", "", "the flow has no name: give it as \"flow\"")
	}
	steps, given := find(fs, "steps")
	if !given {
		l.report(placeOf(top), "missing_field", "", "the flow has no \"steps\"")
		return false
	}
	list, ok := l.fields(steps.value, "steps")
	if !ok || len(list) == 0 {
		if ok {
			l.report(steps.at, "missing_field", "", "the flow has no steps")
		}
		return false
	}
	if len(list) > maxSteps {
		l.report(steps.at, "too_large", "", "the flow has %d steps; at most %d are allowed", len(list), maxSteps)
		return false
	}
	for _, f := range list {
		if !isName(f.name) {
			l.report(f.at, "bad_name", "", "%q is not a name for a step: use small letters, digits, _ and -", f.name)
		}
		l.flow.steps[f.name] = l.readStep(f)
		l.flow.order = append(l.flow.order, f.name)
	}
	return true
}

func (l *loader) readAnswers(f field) {
	list, _ := l.fields(f.value, "answers")
	for _, a := range list {
		if !isName(a.name) {
			l.report(a.at, "bad_name", "", "%q is not a name for an answer: use small letters, digits, _ and -", a.name)
		}
		if contains(builtinFacts, a.name) {
			l.report(a.at, "reserved", "choose another name", "the name %q is taken", a.name)
		}
		got := answer{name: a.name, label: a.name}
		parts, _ := l.fields(a.value, "the answer "+a.name)
		l.known(parts, "an answer", answerFields)
		for _, p := range parts {
			switch p.name {
			case "label":
				got.label = l.text(p)
			case "values":
				values, _ := l.fields(p.value, "values")
				for _, v := range values {
					got.values = append(got.values, answerValue{v.name, l.text(v)})
				}
			}
		}
		l.flow.answers = append(l.flow.answers, got)
	}
}

func (l *loader) readBuiltins(f field) {
	list, _ := l.fields(f.value, "prompts")
	l.known(list, "prompts", []string{promptWrongKey, promptNoKey, promptInvalid, promptTooMany})
	for _, p := range list {
		if _, known := defaultPrompts[p.name]; known {
			name := l.text(p)
			l.flow.prompts[p.name] = name
			l.builtins = append(l.builtins, prompt{name: name, at: valuePlace(p)})
		}
	}
}

// readKeys reads keys with what each does. For a menu, s is its step.
func (l *loader) readKeys(f field, s *step) []choice {
	list, _ := l.fields(f.value, "keys")
	var out []choice
	for _, k := range list {
		key, ok := l.key(k.name, k.at, allKeys)
		if !ok {
			continue
		}
		c := choice{key: key, at: k.at}
		if _, plain := scalar(k.value); plain || s == nil {
			c.next = l.link(k)
		} else if parts, ok := l.fields(k.value, "key "+k.name); ok {
			l.known(parts, "a key", choiceFields)
			if p, given := find(parts, "answer"); given {
				c.value = l.text(p)
				l.checkValue(s.answer, c.value, valuePlace(p))
			}
			if p, given := find(parts, "next"); given {
				c.next = l.link(p)
			} else {
				l.report(k.at, "dead_end", "add \"next\"", "key %s leads nowhere", k.name)
			}
		}
		out = append(out, c)
	}
	return out
}

// checkValue reports a value that the answer does not declare.
func (l *loader) checkValue(name, value string, at place) {
	if name == "" {
		l.report(at, "missing_field", "give the step an \"answer\"", "the step has a value to keep but no \"answer\" to keep it in")
		return
	}
	i := slices.IndexFunc(l.flow.answers, func(a answer) bool { return a.name == name })
	if i < 0 {
		return // reported where the name stands
	}
	var values []string
	for _, v := range l.flow.answers[i].values {
		values = append(values, v.name)
	}
	if !contains(values, value) {
		l.report(at, "unknown_answer", suggest(value, values), "the answer %q has no value %q", name, value)
	}
}

func (l *loader) checkAnswer(name string, at place) {
	var names []string
	for _, a := range l.flow.answers {
		names = append(names, a.name)
	}
	if name != "" && !contains(names, name) {
		l.report(at, "unknown_answer", suggest(name, names), "there is no answer %q", name)
	}
}

func (l *loader) link(f field) link {
	return link{to: l.text(f), at: valuePlace(f)}
}

func (l *loader) codes() []string {
	var out []string
	for _, lang := range l.flow.spoken.Languages {
		out = append(out, lang.Code)
	}
	return out
}

func has(fs []field, name string) bool {
	_, ok := find(fs, name)
	return ok
}
