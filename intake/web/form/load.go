package form

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
)

type fieldYAML struct {
	Name         string   `yaml:"name"`
	Kind         Kind     `yaml:"kind"`
	Optional     bool     `yaml:"optional"`
	Options      []string `yaml:"options"`
	None         string   `yaml:"none"`
	Most         int      `yaml:"most"`
	Autocomplete string   `yaml:"autocomplete"`
	Past         bool     `yaml:"past"`
	Born         bool     `yaml:"born"`
}

type stepYAML struct {
	ID     string      `yaml:"id"`
	Fields []fieldYAML `yaml:"fields"`
	Next   []struct {
		When map[string][]string `yaml:"when"`
		Go   string              `yaml:"go"`
	} `yaml:"next"`
	Stop  string   `yaml:"stop"`
	List  string   `yaml:"list"`
	More  string   `yaml:"more"`
	OneOf []string `yaml:"one_of"`
	Span  bool     `yaml:"span"`
	Why   bool     `yaml:"why"`
}

type formYAML struct {
	Start string     `yaml:"start"`
	Most  int        `yaml:"most_entries"`
	Steps []stepYAML `yaml:"steps"`
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Load reads a form and checks it. Every problem is reported, joined.
func Load(file string, text []byte) (*Form, error) {
	var y formYAML
	if err := yaml.UnmarshalWithOptions(text, &y, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	f := &Form{Start: y.Start, Most: y.Most, byID: map[string]*Step{}, fields: map[string]*Field{}}
	var bad []error
	add := func(format string, args ...any) { bad = append(bad, fmt.Errorf(file+": "+format, args...)) }
	if f.Most < 1 {
		add("most_entries must be at least 1")
	}
	for _, sy := range y.Steps {
		s := &Step{ID: sy.ID, Stop: sy.Stop, List: sy.List, More: sy.More, OneOf: sy.OneOf, Span: sy.Span, Why: sy.Why}
		switch {
		case !nameForm.MatchString(s.ID) || s.ID == Check:
			add("step %q: not a name for a page", s.ID)
		case f.byID[s.ID] != nil:
			add("step %s: there are two", s.ID)
		}
		for _, r := range sy.Next {
			s.Next = append(s.Next, Rule{When: r.When, Go: r.Go})
		}
		for _, fy := range sy.Fields {
			field := Field(fy)
			if _, ok := kinds[field.Kind]; !ok {
				add("step %s: field %s: %q is not a kind of field", s.ID, field.Name, field.Kind)
			}
			if !nameForm.MatchString(field.Name) {
				add("step %s: %q is not a name for a field", s.ID, field.Name)
			}
			if f.fields[field.Name] != nil {
				add("step %s: field %s was asked before", s.ID, field.Name)
			}
			if kinds[field.Kind] != (len(field.Options) > 0) {
				add("step %s: field %s: radios and checkboxes have options, others have none", s.ID, field.Name)
			}
			if field.None != "" && !slices.Contains(field.Options, field.None) {
				add("step %s: field %s: %q is not one of its options", s.ID, field.Name, field.None)
			}
			if field.Most == 0 {
				field.Most = 200
			}
			f.fields[field.Name] = &field
			s.Fields = append(s.Fields, &field)
		}
		f.Steps = append(f.Steps, s)
		f.byID[s.ID] = s
	}
	bad = append(bad, f.check(file)...)
	return f, errors.Join(bad...)
}

// check finds dead ends, pages nothing leads to, and rules that can never hold.
func (f *Form) check(file string) []error {
	var bad []error
	add := func(format string, args ...any) { bad = append(bad, fmt.Errorf(file+": "+format, args...)) }
	if f.byID[f.Start] == nil {
		add("start: there is no step %q", f.Start)
		return bad
	}
	lists := map[string]string{}
	for _, s := range f.Steps {
		if s.List != "" {
			lists[s.List] = s.ID
		}
	}
	for _, s := range f.Steps {
		switch {
		case s.Stop != "" && (len(s.Next) > 0 || len(s.Fields) > 0):
			add("step %s: a stop asks nothing and leads nowhere", s.ID)
		case s.Stop != "" && s.Stop != "emergency" && s.Stop != "harm":
			add("step %s: %q is not a stop: emergency or harm", s.ID, s.Stop)
		case s.Stop == "" && len(s.Next) == 0:
			add("step %s: leads nowhere", s.ID)
		case s.Stop == "" && len(s.Next[len(s.Next)-1].When) > 0:
			add("step %s: its last rule must hold always", s.ID)
		}
		if s.More != "" && lists[s.More] == "" {
			add("step %s: no page fills the list %q", s.ID, s.More)
		}
		for i, r := range s.Next {
			if r.Go != Check && f.byID[r.Go] == nil {
				add("step %s: leads to %q, which is not there", s.ID, r.Go)
			}
			if len(r.When) == 0 && i < len(s.Next)-1 {
				add("step %s: the rules after the one to %s never hold", s.ID, r.Go)
			}
			for _, name := range slices.Sorted(maps.Keys(r.When)) {
				field := f.fields[name]
				if field == nil || len(field.Options) == 0 {
					add("step %s: asks about %q, which no radios or checkboxes ask", s.ID, name)
					continue
				}
				for _, v := range r.When[name] {
					if !slices.Contains(field.Options, v) {
						add("step %s: %s is never %q", s.ID, name, v)
					}
				}
			}
		}
		for _, name := range s.OneOf {
			if !slices.ContainsFunc(s.Fields, func(x *Field) bool { return x.Name == name }) {
				add("step %s: one_of names %q, which it does not ask", s.ID, name)
			}
		}
	}
	if len(bad) > 0 {
		return bad
	}
	reached := map[string]bool{}
	var walk func(id string, above []string)
	walk = func(id string, above []string) {
		if slices.Contains(above, id) {
			add("step %s: the form goes round in a circle", id)
			return
		}
		if reached[id] || id == Check {
			return
		}
		reached[id] = true
		for _, r := range f.byID[id].Next {
			walk(r.Go, append(slices.Clone(above), id))
		}
	}
	walk(f.Start, nil)
	for _, s := range f.Steps {
		if !reached[s.ID] {
			add("step %s: nothing leads to it", s.ID)
		}
	}
	return bad
}
