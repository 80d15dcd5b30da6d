package form

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// forms are the plural forms (CLDR) that a text may have beside its general one, by
// what is put behind its key: exit_more_one beside exit_more.
var forms = map[plural.Form]string{plural.Zero: "_zero", plural.One: "_one", plural.Two: "_two", plural.Few: "_few", plural.Many: "_many"}

// formOf is the form that a language has for a number.
func (l *Language) formOf(n int) string {
	tag, err := language.Parse(l.Code)
	if err != nil {
		return ""
	}
	return forms[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]
}

// counted is the text of a key for the first number among pairs of name and value
// that it has a place for, or the general one.
func (l *Language) counted(key string, pairs []string) string {
	general := l.UI[key]
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(general, "{"+pairs[i]+"}") {
			continue
		}
		if n, err := strconv.Atoi(pairs[i+1]); err == nil && n >= 0 {
			if text := l.UI[key+l.formOf(n)]; text != "" {
				return text
			}
			break
		}
	}
	return general
}

// Forms are the plural forms of a text, by name ("one", "few"), for a script that
// chooses. The general one is "other", and is meant where a form is not there.
func (l *Language) Forms(key string, pairs ...string) map[string]string {
	found := map[string]string{"other": Fill(l.UI[key], key, pairs...)}
	for _, suffix := range forms {
		if text := l.UI[key+suffix]; text != "" {
			found[suffix[1:]] = Fill(text, key, pairs...)
		}
	}
	return found
}

// pluralOf is the key that a key is a plural form of, if the general text is there
// and counts something.
func (l *Language) pluralOf(key string) (general, form string, ok bool) {
	for _, suffix := range forms {
		if base, is := strings.CutSuffix(key, suffix); is && len(placeholders(l.UI[base])) > 0 {
			return base, suffix, true
		}
	}
	return "", "", false
}

// has tells whether a language uses a form for any whole number.
func (l *Language) has(form string) bool {
	for n := range 1000 {
		if l.formOf(n) == form {
			return true
		}
	}
	return l.formOf(1_000_000) == form
}
