package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// compared matches where a condition compares an answer with one word or a list.
var compared = regexp.MustCompile(`answers\.([A-Za-z_]\w*)(?:\s*(?:==|!=)\s*("[^"]*"|'[^']*')|\s+(?:not\s+)?in\s*\[([^\]]*)\])?`)

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// checkAnswers warns of rules that wait for an answer the flow never gives: they
// work, but never match.
func (t *content) checkAnswers() {
	if t.plan == nil || t.flow == nil {
		return
	}
	answers := t.flow.Answers()
	line := 0
	for text := range strings.Lines(t.plan.Source) {
		line++
		text, _, _ = strings.Cut(text, " #")
		if strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		for _, m := range compared.FindAllStringSubmatchIndex(text, -1) {
			name := text[m[2]:m[3]]
			at := func(offset int) string {
				return fmt.Sprintf("%s:%d:%d: warning", t.plan.Name, line, utf8.RuneCountInString(text[:offset])+1)
			}
			values, known := answers[name]
			if !known && knownInWriting(name) {
				continue
			}
			if !known {
				t.warnings = append(t.warnings, fmt.Sprintf("%s: the flow %s gives no answer %q", at(m[2]), t.flow.Name(), name))
				continue
			}
			for _, group := range [][2]int{{m[4], m[5]}, {m[6], m[7]}} {
				if group[0] < 0 || len(values) == 0 {
					continue
				}
				for _, q := range quoted.FindAllStringIndex(text[group[0]:group[1]], -1) {
					value := strings.Trim(text[group[0]+q[0]:group[0]+q[1]], `"'`)
					if value != "" && !slices.Contains(values, value) {
						t.warnings = append(t.warnings, fmt.Sprintf("%s: the flow %s never answers %s with %q, only with %s",
							at(group[0]+q[0]), t.flow.Name(), name, value, list(values)))
					}
				}
			}
		}
	}
}

// list writes names for people: a, b or c.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
