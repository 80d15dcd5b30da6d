package form_test

import (
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.org/c3i/configs"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/intake/web/form"
)

func TestImportsNothingOfOurs(t *testing.T) {
	importrule.Check(t, importrule.Rule{Forbid: map[string]string{"net/http": "the form is pure", "context": "the form is pure"}})
}

func shipped(t testing.TB) *form.Form {
	t.Helper()
	b, err := fs.ReadFile(configs.Files, "web/form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Load("form.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryLanguageHasEveryWord(t *testing.T) {
	texts, err := form.LoadTexts(configs.Files, "web", "en", shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"en", "pl", "bn"} {
		if !texts.Has(code) {
			t.Errorf("there is no %s", code)
		}
	}
}

func TestAWrongFormIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"dead end":     {"start: a\nmost_entries: 1\nsteps: [{id: a}]", "step a: leads nowhere"},
		"nowhere":      {"start: a\nmost_entries: 1\nsteps: [{id: a, next: [{go: b}]}]", `leads to "b", which is not there`},
		"unreachable":  {"start: a\nmost_entries: 1\nsteps: [{id: a, next: [{go: check}]}, {id: b, next: [{go: check}]}]", "step b: nothing leads to it"},
		"circle":       {"start: a\nmost_entries: 1\nsteps: [{id: a, next: [{go: b}]}, {id: b, next: [{go: a}]}]", "goes round in a circle"},
		"never":        {"start: a\nmost_entries: 1\nsteps: [{id: a, fields: [{name: x, kind: radios, options: [p]}], next: [{when: {x: [q]}, go: check}, {go: check}]}]", `x is never "q"`},
		"no last rule": {"start: a\nmost_entries: 1\nsteps: [{id: a, fields: [{name: x, kind: radios, options: [p]}], next: [{when: {x: [p]}, go: check}]}]", "last rule must hold always"},
		"unknown kind": {"start: a\nmost_entries: 1\nsteps: [{id: a, fields: [{name: x, kind: slider}], next: [{go: check}]}]", `"slider" is not a kind`},
		"typing error": {"start: a\nmost_entires: 1\n", "most_entires"},
	} {
		if _, err := form.Load("f.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListsKeepNoGaps(t *testing.T) {
	a := form.Answers{}
	for i, v := range []string{"one", "two", "three"} {
		a.SetEntry("item", i, form.Answers{"about": v})
	}
	a.SetEntry("item", 99, form.Answers{})
	a.DropEntry("item", 1)
	if a.Count("item") != 3 || a.Entry("item", 1)["about"] != "three" || a.Entry("item", 0)["about"] != "one" {
		t.Errorf("%v", a)
	}
	a.DropEntry("item", 7)
	a.DropEntry("item", -1)
	if a.Count("item") != 3 {
		t.Errorf("%v", a)
	}
}

func FuzzDecode(f *testing.F) {
	fm := shipped(f)
	f.Add("what=a%00b%FF&from_date-day=31&from_date-month=2&from_date-year=2026&email=a%40b&phone=%2B44&item_value=1e9&harm=none&harm=weapon")
	f.Add("given_name=%E2%80%AE&surname=O%27Neill&born-day=%E0%A7%A8&vehicle_plate=ab12+cde&from_time=2460")
	now := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		for _, s := range fm.Steps {
			answers, problems := s.Decode(values, now, time.UTC)
			for name, v := range answers {
				field := fm.Field(name)
				if field == nil || !utf8.ValidString(v) || strings.ContainsAny(v, "\x00\r\u202e") {
					t.Errorf("%s: %q", name, v)
				}
				if len(field.Options) == 0 && utf8.RuneCountInString(v) > max(field.Most, 12) {
					t.Errorf("%s is longer than %d: %q", name, field.Most, v)
				}
			}
			for _, p := range problems {
				if fm.Field(p.Field) == nil {
					t.Errorf("a problem of no field: %+v", p)
				}
			}
		}
	})
}
