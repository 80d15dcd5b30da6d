package email

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Template is the wording of one kind of message in one language: a subject and
// a text with {names} to be filled in. "{{" is a brace.
type Template struct{ Subject, Text string }

// Templates holds wordings by name and language.
type Templates struct {
	byName map[string]map[string]Template
}

// placeholders lists the names that each template may use.
var placeholders = map[string][]string{
	"receipt": {"reference", "subject", "sender"},
	"reply":   {"text", "reference", "subject", "sender"},
	"report":  {"reference", "link", "sender"},
	"code":    {"code", "minutes", "sender"},
	"update":  {"text", "reference", "link", "sender"},
}

// LoadTemplates reads files named <name>.<language>.txt whose first line is
// "Subject: …", followed by an empty line and the text. Every problem is reported,
// with file and line. Each template must be there in English.
func LoadTemplates(files fs.FS) (*Templates, error) {
	t := &Templates{byName: map[string]map[string]Template{}}
	names, err := fs.Glob(files, "*.txt")
	if err != nil {
		return nil, err
	}
	var bad []error
	for _, file := range names {
		name, language, ok := strings.Cut(strings.TrimSuffix(path.Base(file), ".txt"), ".")
		allowed, known := placeholders[name]
		if !ok || !known || len(language) < 2 {
			bad = append(bad, fmt.Errorf("%s: a template is named receipt.en.txt: one of %s, and a language", file, strings.Join(TemplateNames(), ", ")))
			continue
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", file, err))
			continue
		}
		one, err := ParseTemplate(string(text), allowed)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%w", file, err))
			continue
		}
		if t.byName[name] == nil {
			t.byName[name] = map[string]Template{}
		}
		t.byName[name][language] = one
	}
	for _, name := range TemplateNames() {
		if _, ok := t.byName[name]["en"]; !ok {
			bad = append(bad, fmt.Errorf("%s.en.txt: is missing", name))
		}
	}
	return t, errors.Join(bad...)
}

// TemplateNames lists the templates there must be, in order.
func TemplateNames() []string {
	var out []string
	for name := range placeholders {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// ParseTemplate reads one template; an error begins with line and colon.
func ParseTemplate(text string, allowed []string) (Template, error) {
	text = plain(text)
	head, body, ok := strings.Cut(text, "\n")
	subject, is := strings.CutPrefix(head, "Subject:")
	if !ok || !is || strings.TrimSpace(subject) == "" {
		return Template{}, errors.New("1: the first line must be \"Subject: …\"")
	}
	if !strings.HasPrefix(body, "\n") {
		return Template{}, errors.New("2: an empty line must follow the subject")
	}
	t := Template{Subject: strings.TrimSpace(subject), Text: strings.TrimSpace(body) + "\n"}
	for i, line := range strings.Split(text, "\n") {
		if _, err := fill(line, func(name string) (string, bool) { return "", slices.Contains(allowed, name) }); err != nil {
			return Template{}, fmt.Errorf("%d: %w; it may use {%s}", i+1, err, strings.Join(allowed, "}, {"))
		}
	}
	return t, nil
}

// fill puts values in the place of {names}. A value is never read for names again.
func fill(s string, value func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if rest, ok := strings.CutPrefix(after, "{"); ok {
			b.WriteByte('{')
			s = rest
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", errors.New("a { is not closed")
		}
		v, ok := value(name)
		if !ok {
			return "", fmt.Errorf("{%s} means nothing here", name)
		}
		b.WriteString(v)
		s = rest
	}
}

// Render fills a template in the first of the languages that it exists in, else
// English, and tells which that was.
func (t *Templates) Render(name string, values map[string]string, languages ...string) (subject, text, language string, err error) {
	versions, ok := t.byName[name]
	if !ok {
		return "", "", "", fmt.Errorf("%w: template: %q is none", ErrInvalid, name)
	}
	language = "en"
	for _, l := range languages {
		if _, ok := versions[l]; ok && l != "" {
			language = l
			break
		}
	}
	value := func(n string) (string, bool) { return values[n], slices.Contains(placeholders[name], n) }
	one := versions[language]
	if subject, err = fill(one.Subject, func(n string) (string, bool) { v, ok := value(n); return oneLine(v), ok }); err != nil {
		return "", "", "", fmt.Errorf("email: template %s.%s: %w", name, language, err)
	}
	if text, err = fill(one.Text, value); err != nil {
		return "", "", "", fmt.Errorf("email: template %s.%s: %w", name, language, err)
	}
	return subject, text, language, nil
}
