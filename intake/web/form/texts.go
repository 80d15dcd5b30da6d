package form

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Language is the words of one language.
type Language struct {
	// Code is BCP 47, for example "pl". Name is what the language calls itself.
	Code string `yaml:"language"`
	Name string `yaml:"name"`
	// Direction is "ltr" or "rtl".
	Direction string               `yaml:"direction"`
	UI        map[string]string    `yaml:"ui"`
	Errors    map[string]string    `yaml:"errors"`
	Steps     map[string]StepText  `yaml:"steps"`
	Fields    map[string]FieldText `yaml:"fields"`
}

// StepText is what a page says. Why says why the question is asked.
type StepText struct {
	Title string `yaml:"title"`
	Hint  string `yaml:"hint"`
	Why   string `yaml:"why"`
}

// FieldText is what stands beside a field. Errors replace the general sentence
// for a code.
type FieldText struct {
	Label   string            `yaml:"label"`
	Hint    string            `yaml:"hint"`
	Errors  map[string]string `yaml:"errors"`
	Options map[string]string `yaml:"options"`
}

// Texts is every language, the first the one that others are held against.
type Texts struct {
	Languages []*Language
}

// Language is the words of a language, or of the first when it is not there.
func (t *Texts) Language(code string) *Language {
	for _, l := range t.Languages {
		if l.Code == code {
			return l
		}
	}
	return t.Languages[0]
}

// Has tells whether a language is there.
func (t *Texts) Has(code string) bool {
	return slices.ContainsFunc(t.Languages, func(l *Language) bool { return l.Code == code })
}

// Match is the language that a browser's Accept-Language header prefers.
func (t *Texts) Match(accept string) *Language {
	for part := range strings.SplitSeq(accept, ",") {
		code, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		code, _, _ = strings.Cut(strings.ToLower(code), "-")
		if t.Has(code) {
			return t.Language(code)
		}
	}
	return t.Languages[0]
}

// LoadTexts reads every LANGUAGE.yaml of a folder, first's before the others in
// the order of their names, and checks them against the form: each word that is
// needed must be there in each language, and none that is not.
func LoadTexts(files fs.FS, dir, first string, f *Form) (*Texts, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	t := &Texts{}
	for _, name := range names {
		if path.Base(name) == "form.yaml" {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		l := &Language{}
		if err := yaml.UnmarshalWithOptions(text, l, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if l.Code+".yaml" != path.Base(name) {
			return nil, fmt.Errorf("%s: language: %q is not the file's name", name, l.Code)
		}
		if l.Direction != "ltr" && l.Direction != "rtl" {
			return nil, fmt.Errorf("%s: direction: must be ltr or rtl", name)
		}
		if l.Code == first {
			t.Languages = append([]*Language{l}, t.Languages...)
		} else {
			t.Languages = append(t.Languages, l)
		}
	}
	if len(t.Languages) == 0 || t.Languages[0].Code != first {
		return nil, fmt.Errorf("%s: there is no %s.yaml", dir, first)
	}
	return t, t.check(f)
}

// Codes are the problems an answer may have; each has a sentence.
func Codes() []string {
	return []string{"missing", "choose", "too_long", "invalid", "future", "born", "order", "one_of", "none_too"}
}

func (t *Texts) check(f *Form) error {
	var bad []error
	want := t.Languages[0]
	for _, l := range t.Languages {
		add := func(format string, args ...any) {
			bad = append(bad, fmt.Errorf("%s.yaml: %s", l.Code, fmt.Sprintf(format, args...)))
		}
		same := func(what string, have, need map[string]string) {
			for _, key := range slices.Sorted(maps.Keys(need)) {
				if strings.TrimSpace(have[key]) == "" {
					add("%s.%s is missing", what, key)
				}
				if got, need := placeholders(have[key]), placeholders(need[key]); have[key] != "" && !slices.Equal(got, need) {
					add("%s.%s has the places %v, not %v", what, key, got, need)
				}
			}
			for _, key := range slices.Sorted(maps.Keys(have)) {
				if _, ok := need[key]; !ok {
					add("%s.%s is not used", what, key)
				}
			}
		}
		same("ui", l.general(), want.general())
		for _, key := range slices.Sorted(maps.Keys(l.UI)) {
			base, form, ok := l.pluralOf(key)
			switch extra := placeholders(l.UI[key]); {
			case !ok:
			case !l.has(form):
				add("ui.%s is not used: the language has no such form", key)
			case slices.ContainsFunc(extra, func(p string) bool { return !slices.Contains(placeholders(l.UI[base]), p) }):
				add("ui.%s has the places %v, and ui.%s has not", key, extra, base)
			}
		}
		same("errors", l.Errors, want.Errors)
		for _, code := range Codes() {
			if l.Errors[code] == "" {
				add("errors.%s is missing", code)
			}
		}
		for _, s := range f.Steps {
			text := l.Steps[s.ID]
			if s.Stop == "" && text.Title == "" {
				add("steps.%s.title is missing", s.ID)
			}
			if s.Why && text.Why == "" {
				add("steps.%s.why is missing", s.ID)
			}
			if (text.Hint == "") != (want.Steps[s.ID].Hint == "") {
				add("steps.%s.hint is there in one language and not in the other", s.ID)
			}
			for _, field := range s.Fields {
				t, w := l.Fields[field.Name], want.Fields[field.Name]
				if t.Label == "" {
					add("fields.%s.label is missing", field.Name)
				}
				if (t.Hint == "") != (w.Hint == "") {
					add("fields.%s.hint is there in one language and not in the other", field.Name)
				}
				same("fields."+field.Name+".errors", t.Errors, w.Errors)
				for _, o := range field.Options {
					if t.Options[o] == "" {
						add("fields.%s.options.%s is missing", field.Name, o)
					}
				}
				for _, o := range slices.Sorted(maps.Keys(t.Options)) {
					if !slices.Contains(field.Options, o) {
						add("fields.%s.options.%s is not used", field.Name, o)
					}
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(l.Steps)) {
			if f.Step(id) == nil {
				add("steps.%s is not used", id)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
			if f.Field(name) == nil {
				add("fields.%s is not used", name)
			}
		}
	}
	return errors.Join(bad...)
}

// placeholders lists the {places} of a text, sorted.
func placeholders(s string) []string {
	var found []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			slices.Sort(found)
			return slices.Compact(found)
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return append(found, "{ without }")
		}
		found, s = append(found, name), after
	}
}

// Text is a text of the pages themselves, with its {places} filled in from pairs
// of name and value, in the plural form that the first number among them wants. A
// key that is not there is shown as it is, so that a test finds it.
func (l *Language) Text(key string, pairs ...string) string {
	return Fill(l.counted(key, pairs), key, pairs...)
}

// general are the texts without their plural forms.
func (l *Language) general() map[string]string {
	out := map[string]string{}
	for key, text := range l.UI {
		if _, _, ok := l.pluralOf(key); !ok {
			out[key] = text
		}
	}
	return out
}

// Fill fills in the {places} of a text.
func Fill(text, key string, pairs ...string) string {
	if text == "" {
		return "[" + key + "]"
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

// Sentence says what is wrong with an answer.
func (l *Language) Sentence(p Problem) string {
	field := l.Fields[p.Field]
	if own := field.Errors[p.Code]; own != "" {
		return own
	}
	return Fill(l.Errors[p.Code], p.Code, "field", field.Label, "most", fmt.Sprint(p.Most))
}

// Option is a choice as the public reads it.
func (l *Language) Option(field, option string) string {
	return l.Fields[field].Options[option]
}
