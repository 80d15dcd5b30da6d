package ivr

import (
	"slices"

	"example.org/c3i/contact"

	"github.com/goccy/go-yaml/ast"
)

// builtinFacts are what a branch may look at besides the flow's answers.
var builtinFacts = []string{"language", "dialled", "cli"}

// readStep reads one step. What cannot be read is reported and left zero.
func (l *loader) readStep(f field) *step {
	s := &step{
		id: f.name, at: f.at, interruptible: true, typeAhead: true,
		tries: l.tries, timeout: l.timeout, between: defaultBetween,
		min: 1, max: maxDigits, end: '#', clear: '*', tooMany: l.safe,
	}
	fs, ok := l.fields(f.value, "the step "+f.name)
	if !ok {
		return s
	}
	var what []field
	for _, p := range fs {
		if contains(kinds, p.name) {
			what = append(what, p)
		}
	}
	switch len(what) {
	case 0:
		names := append([]string{}, kinds...)
		var given string
		if len(fs) > 0 {
			given = fs[0].name
		}
		l.report(f.at, "unknown_kind", suggest(given, names), "the step %q does not say what it does", f.name)
		return s
	case 1:
	default:
		l.report(what[1].at, "two_kinds", "make it two steps", "the step %q is both %s and %s", f.name, what[0].name, what[1].name)
		return s
	}
	s.kind = kind(what[0].name)
	l.known(fs, "a "+what[0].name+" step", append([]string{what[0].name}, stepFields[s.kind]...))
	if p, given := find(fs, "answer"); given {
		s.answer = l.text(p)
		l.checkAnswer(s.answer, valuePlace(p))
	}
	l.readWhat(s, what[0])
	for _, p := range fs {
		if contains(stepFields[s.kind], p.name) {
			l.readField(s, p)
		}
	}
	l.complete(s, fs)
	return s
}

// readWhat reads the value of the field that names the kind.
func (l *loader) readWhat(s *step, f field) {
	switch s.kind {
	case kindBranch:
		s.on = l.text(f)
		if !contains(builtinFacts, s.on) {
			l.checkBranch(s.on, valuePlace(f))
		}
	case kindRoute, kindCallback:
		// "route: {}" leaves the queue to the plan's rules.
		if m, is := f.value.(*ast.MappingNode); isNull(f.value) || is && len(m.Values) == 0 {
			return
		}
		if s.queue = l.text(f); s.queue != "" && !isName(s.queue) {
			l.report(valuePlace(f), "bad_name", "", "%q is not a name of a queue", s.queue)
		}
	case kindTransfer:
		if s.destination = l.text(f); s.destination != "" && !isName(s.destination) {
			l.report(valuePlace(f), "bad_name", "", "%q is not a name of a destination", s.destination)
		}
	default:
		s.prompts = l.promptList(f)
		if len(s.prompts) == 0 && s.kind != kindHangup && s.kind != kindLanguage {
			l.report(f.at, "no_prompt", "name at least one prompt", "the step %q says nothing", s.id)
		}
		if len(s.prompts) > maxPrompts {
			l.report(f.at, "too_large", "make it two steps", "the step %q has more than %d prompts", s.id, maxPrompts)
		}
	}
}

func (l *loader) checkBranch(on string, at place) {
	names := slices.Clone(builtinFacts)
	for _, a := range l.flow.answers {
		names = append(names, a.name)
	}
	if on != "" && !contains(names, on) {
		l.report(at, "unknown_answer", suggest(on, names), "there is no answer %q to branch on", on)
	}
}

// promptList reads a prompt name, or a list of names and of
// {prompt: name, language: code}.
func (l *loader) promptList(f field) []prompt {
	if isNull(f.value) {
		return nil
	}
	if m, is := f.value.(*ast.MappingNode); is && len(m.Values) == 0 {
		return nil
	}
	nodes := []ast.Node{f.value}
	if list, is := f.value.(*ast.SequenceNode); is {
		nodes = list.Values
	}
	var out []prompt
	for _, n := range nodes {
		if name, ok := scalar(n); ok {
			out = append(out, prompt{name: name, at: placeOf(n)})
			continue
		}
		fs, ok := l.fields(n, "a prompt")
		if !ok {
			continue
		}
		l.known(fs, "a prompt", []string{"prompt", "language"})
		p := prompt{at: placeOf(n)}
		if v, given := find(fs, "prompt"); given {
			p.name, p.at = l.text(v), valuePlace(v)
		} else {
			l.report(placeOf(n), "missing_field", "", "the prompt has no \"prompt\" that names it")
		}
		if v, given := find(fs, "language"); given {
			p.language = l.text(v)
			if _, known := l.flow.spoken.Language(p.language); !known {
				l.report(valuePlace(v), "unknown_language", suggest(p.language, l.codes()), "there is no prompt file for language %q", p.language)
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

func (l *loader) readField(s *step, f field) {
	switch f.name {
	case "next":
		s.next = l.link(f)
	case "too_many":
		s.tooMany = l.link(f)
	case "failed":
		s.failed = l.link(f)
	case "empty":
		s.empty = l.link(f)
	case "else":
		s.otherwise = l.link(f)
	case "interruptible":
		s.interruptible = l.truth(f)
	case "type_ahead":
		s.typeAhead = l.truth(f)
	case "timeout":
		s.timeout = l.span(f, contact.Second, contact.Minute)
	case "between":
		s.between = l.span(f, contact.Second, contact.Minute)
	case "tries":
		s.tries = l.number(f, 1, 10)
	case "min":
		s.min = l.number(f, 1, maxDigits)
	case "max":
		s.max = l.number(f, 1, maxDigits)
	case "end":
		s.end, _ = l.key(l.text(f), valuePlace(f), "*#")
	case "clear":
		s.clear, _ = l.key(l.text(f), valuePlace(f), "*#")
	case "check":
		if s.check = l.text(f); s.check != "" && checks[s.check] == nil {
			l.report(valuePlace(f), "unknown_check", suggest(s.check, checkNames()), "there is no check %q", s.check)
		}
	case "remembered":
		switch v := l.text(f); v {
		case "skip", "ask":
			s.ask = v == "ask"
		default:
			l.report(valuePlace(f), "wrong_type", "", "\"remembered\" must be skip or ask")
		}
	case "keys":
		s.keys = l.readKeys(f, s)
	case "set":
		list, _ := l.fields(f.value, "set")
		for _, v := range list {
			l.checkAnswer(v.name, v.at)
			value := l.text(v)
			if contains(l.answerNames(), v.name) {
				l.checkValue(v.name, value, valuePlace(v))
			}
			s.set = append(s.set, assignment{v.name, value})
		}
	case "when":
		list, _ := l.fields(f.value, "when")
		for _, v := range list {
			l.checkCase(s.on, v)
			s.cases = append(s.cases, branchCase{v.name, l.link(v)})
		}
	}
}

func (l *loader) answerNames() []string {
	var out []string
	for _, a := range l.flow.answers {
		out = append(out, a.name)
	}
	return out
}

// checkCase reports a case that can never be.
func (l *loader) checkCase(on string, v field) {
	switch on {
	case "language":
		if _, known := l.flow.spoken.Language(v.name); !known {
			l.report(v.at, "unknown_language", suggest(v.name, l.codes()), "there is no prompt file for language %q", v.name)
		}
	case "cli":
		all := []string{string(contact.CLIPresented), string(contact.CLIWithheld), string(contact.CLIUnavailable)}
		if !contains(all, v.name) {
			l.report(v.at, "unknown_answer", suggest(v.name, all), "a calling number is never %q", v.name)
		}
	case "dialled":
	default:
		for _, a := range l.flow.answers {
			if a.name == on && len(a.values) > 0 {
				l.checkValue(on, v.name, v.at)
			}
		}
	}
}

// complete reports what a step of this kind cannot do without.
func (l *loader) complete(s *step, fs []field) {
	need := func(name string, got link) {
		if got.to == "" && !has(fs, name) {
			l.report(s.at, "dead_end", "add \""+name+"\"", "the step %q leads nowhere", s.id)
		}
	}
	switch s.kind {
	case kindSay, kindLanguage, kindCollect:
		need("next", s.next)
	case kindMenu:
		if len(s.keys) == 0 {
			l.report(s.at, "dead_end", "add \"keys\"", "the menu %q has no keys", s.id)
		}
	case kindBranch:
		need("else", s.otherwise)
	case kindTransfer:
		if s.failed.to == "" {
			s.failed = l.safe
		}
		if s.failed.to == "" {
			l.report(s.at, "no_safe_step", "give the flow a \"safe\" step or this step a \"failed\"", "the transfer %q does not say where the caller goes when it fails", s.id)
		}
	}
	if s.kind == kindCollect {
		if s.answer == "" && !has(fs, "answer") {
			l.report(s.at, "missing_field", "", "the step %q does not say which \"answer\" it collects", s.id)
		}
		if s.min > s.max {
			l.report(s.at, "out_of_range", "", "the step %q wants at least %d digits but at most %d", s.id, s.min, s.max)
		}
		if s.end != 0 && s.end == s.clear {
			l.report(s.at, "key_conflict", "", "in the step %q key %c both ends and clears the number", s.id, s.end)
		}
	}
	if s.takesKeys() && s.tooMany.to == "" && !has(fs, "too_many") {
		l.report(s.at, "no_safe_step", "give the flow a \"safe\" step or this step a \"too_many\"", "the step %q does not say where a caller goes who presses nothing", s.id)
	}
}
