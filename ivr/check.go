package ivr

import (
	"slices"
	"strings"
)

// check reports what is wrong with the flow as a whole: links to nowhere, keys
// with two meanings, prompts nobody recorded, steps nobody reaches, and places
// a caller cannot leave.
func (l *loader) check() {
	f := l.flow
	f.start = l.start.to
	if !l.startGiven {
		l.report(l.start.at, "no_start", "give the flow a \"start\" step", "the flow does not say where it starts")
	}
	l.checkLink(l.start)
	l.checkLink(l.safe)
	for _, k := range l.keys {
		l.checkLink(k.next)
		f.keys[k.key] = k.next.to
	}
	inherited := l.safe.at
	for _, id := range f.order {
		for _, to := range f.steps[id].links() {
			if to.at != inherited {
				l.checkLink(to)
			}
		}
		l.checkKeys(f.steps[id])
		l.checkPrompts(f.steps[id].prompts, "the step \""+id+"\"")
	}
	l.checkBuiltins()
	if f.start != "" && f.steps[f.start] != nil {
		l.checkReach()
	}
	l.checkLoops()
	l.checkEscape()
}

func (l *loader) checkLink(to link) {
	if to.to != "" && l.flow.steps[to.to] == nil {
		l.report(to.at, "unknown_step", suggest(to.to, l.flow.order), "there is no step %q", to.to)
	}
}

func (l *loader) checkKeys(s *step) {
	used := func(key byte) bool { _, is := l.flow.keys[key]; return is }
	const advice = "choose another key, or take it out of the flow's \"keys\""
	for _, c := range s.keys {
		if used(c.key) {
			l.report(c.at, "key_conflict", advice, "key %c of the menu %q already has a meaning in the whole flow", c.key, s.id)
		}
	}
	if s.kind == kindLanguage && len(l.flow.spoken.Languages) > 1 {
		for _, lang := range l.flow.spoken.Languages {
			if used(lang.Key) {
				l.report(s.at, "key_conflict", advice, "key %c, which chooses %s, already has a meaning in the whole flow", lang.Key, lang.English)
			}
		}
	}
	if s.kind == kindCollect {
		for _, key := range []byte{s.end, s.clear} {
			if key != 0 && used(key) {
				l.report(s.at, "key_conflict", advice, "key %c, which the step %q needs, already has a meaning in the whole flow", key, s.id)
			}
		}
	}
}

// checkPrompts reports each prompt that a language lacks; by names the user.
func (l *loader) checkPrompts(list []prompt, by string) {
	for _, p := range list {
		if p.name == "" {
			continue
		}
		var lack []string
		for _, lang := range l.flow.spoken.Languages {
			if p.language != "" && p.language != lang.Code {
				continue
			}
			if _, ok := lang.Prompts[p.name]; !ok {
				lack = append(lack, lang.English+" ("+lang.Code+")")
			}
		}
		if len(lack) == 0 {
			continue
		}
		advice := "add it to the prompt file"
		if names := l.flow.spoken.Names(); !contains(names, p.name) {
			advice = suggest(p.name, names)
		}
		l.report(p.at, "missing_prompt", advice, "%s plays the prompt %q, which is missing in %s", by, p.name, strings.Join(lack, ", "))
	}
}

// checkBuiltins looks only for prompts that some step can bring about.
func (l *loader) checkBuiltins() {
	l.checkPrompts(l.builtins, "the flow")
	needed := map[string]*step{}
	for _, id := range l.flow.order {
		s := l.flow.steps[id]
		if !s.takesKeys() {
			continue
		}
		for _, b := range []string{promptWrongKey, promptNoKey, promptTooMany, promptInvalid} {
			if needed[b] == nil && (b != promptInvalid || s.kind == kindCollect) {
				needed[b] = s
			}
		}
	}
	for _, b := range []string{promptWrongKey, promptNoKey, promptTooMany, promptInvalid} {
		if s := needed[b]; s != nil && l.flow.prompts[b] == defaultPrompts[b] {
			l.checkPrompts([]prompt{{name: defaultPrompts[b], at: s.at}}, "the step \""+s.id+"\"")
		}
	}
}

// checkReach reports steps no caller can come to.
func (l *loader) checkReach() {
	reached := map[string]bool{}
	var walk func(id string)
	walk = func(id string) {
		s := l.flow.steps[id]
		if s == nil || reached[id] {
			return
		}
		reached[id] = true
		for _, to := range s.links() {
			walk(to.to)
		}
	}
	walk(l.flow.start)
	for _, k := range l.keys {
		walk(k.next.to)
	}
	for _, id := range l.flow.order {
		if !reached[id] {
			l.report(l.flow.steps[id].at, "unreachable", "lead to it from another step, or remove it", "no caller can reach the step %q", id)
		}
	}
}

// checkLoops reports rounds that a caller who does nothing would go for ever:
// the graph of what happens without a key must have no cycle.
func (l *loader) checkLoops() {
	const unseen, open, done = 0, 1, 2
	state := map[string]int{}
	var trail []string
	var walk func(id string)
	walk = func(id string) {
		s := l.flow.steps[id]
		if s == nil || state[id] == done {
			return
		}
		if state[id] == open {
			round := append(slices.Clone(trail[slices.Index(trail, id):]), id)
			l.report(s.at, "endless_loop", "let one of them lead to a route, transfer or hangup step",
				"a caller who presses nothing goes round for ever: %s", strings.Join(round, " → "))
			return
		}
		state[id] = open
		trail = append(trail, id)
		for _, to := range s.idle() {
			walk(to.to)
		}
		trail = trail[:len(trail)-1]
		state[id] = done
	}
	for _, id := range l.flow.order {
		if state[id] == unseen {
			walk(id)
		}
	}
}

// checkEscape holds that nobody who gets no further is hung up on: where tries
// run out or a transfer fails, the way must not come to a hangup.
func (l *loader) checkEscape() {
	for _, id := range l.flow.order {
		s := l.flow.steps[id]
		from := s.tooMany
		if s.kind == kindTransfer {
			from = s.failed
		} else if !s.takesKeys() {
			continue
		}
		if end := l.idleHangup(from.to, map[string]bool{}); end != "" {
			l.report(s.at, "abandons_caller", "lead to a route step instead",
				"a caller who gets no further in the step %q would be hung up on by the step %q", id, end)
		}
	}
}

// idleHangup finds a hangup step that a caller comes to from here without
// pressing a key.
func (l *loader) idleHangup(id string, seen map[string]bool) string {
	s := l.flow.steps[id]
	if s == nil || seen[id] {
		return ""
	}
	seen[id] = true
	if s.kind == kindHangup {
		return id
	}
	for _, to := range s.idle() {
		if end := l.idleHangup(to.to, seen); end != "" {
			return end
		}
	}
	return ""
}
