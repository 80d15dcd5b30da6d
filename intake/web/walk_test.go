package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"example.org/c3i/intake/web/form"
)

var missingText = regexp.MustCompile(`\[[a-z_0-9]+\]|\{[a-z]+\}`)

// sound checks what every page must be.
func (b *browser) sound() {
	t := b.w.t
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s (%s): %s", b.url.Path, b.lang, fmt.Sprintf(format, args...))
	}
	lang := b.w.texts.Language(b.lang)
	root := find(b.doc, tag("html"))[0]
	if attr(root, "lang") != lang.Code || attr(root, "dir") != lang.Direction {
		bad("lang %q dir %q", attr(root, "lang"), attr(root, "dir"))
	}
	if m := missingText.FindString(textOf(b.doc)); m != "" {
		bad("a text is missing or has a place left: %s", m)
	}
	if h := find(b.doc, tag("h1")); len(h) != 1 || textOf(h[0]) == "" {
		bad("%d main headings", len(h))
	}
	if title := find(b.doc, tag("title")); len(title) != 1 || textOf(title[0]) == "" {
		bad("no title")
	}
	ids := map[string]bool{}
	for _, n := range find(b.doc, func(n *html.Node) bool { return hasAttr(n, "id") }) {
		if id := attr(n, "id"); ids[id] || id == "" {
			bad("the id %q is there twice", id)
		}
		ids[attr(n, "id")] = true
	}
	labels := map[string]bool{}
	for _, n := range find(b.doc, tag("label")) {
		if textOf(n) == "" {
			bad("a label without words, for %s", attr(n, "for"))
		}
		labels[attr(n, "for")] = true
	}
	for _, n := range find(b.doc, tag("input", "textarea", "select")) {
		if attr(n, "type") != "hidden" && !labels[attr(n, "id")] {
			bad("the field %s has no label", attr(n, "name"))
		}
		for _, id := range strings.Fields(attr(n, "aria-describedby")) {
			if !ids[id] {
				bad("%s is described by %s, which is not there", attr(n, "name"), id)
			}
		}
	}
	for _, n := range find(b.doc, tag("a")) {
		if h := attr(n, "href"); strings.HasPrefix(h, "#") && !ids[h[1:]] {
			bad("a link to %s, which is not there", h)
		}
	}
	for _, n := range find(b.doc, func(n *html.Node) bool {
		return hasAttr(n, "style") || hasAttr(n, "onclick") || n.Data == "style" || n.Data == "script" && attr(n, "src") == ""
	}) {
		bad("<%s> with script or style in the page", n.Data)
	}
}

// TestEveryWayThroughTheForm walks the form in every category until every rule
// was followed, in every language: no dead end, no text missing, and what was
// entered arrives.
func TestEveryWayThroughTheForm(t *testing.T) {
	w := newWorld(t)
	for _, l := range w.texts.Languages {
		followed := map[string]bool{}
		for _, category := range w.form.Field("category").Options {
			for walk := 0; ; walk++ {
				if walk > 40 {
					t.Fatalf("%s: %s: still new ways after 40 walks", l.Code, category)
				}
				before := len(followed)
				walkOnce(t, w, l.Code, category, followed)
				if len(followed) == before {
					break
				}
			}
		}
	}
}

// walkOnce goes through the form once, at each page by a rule not followed yet if
// there is one.
func walkOnce(t *testing.T, w *world, lang, category string, followed map[string]bool) {
	t.Helper()
	b := w.browser(lang)
	b.get("/report")
	b.sound()
	b.begin()
	for n := 0; n < 60; n++ {
		b.sound()
		id := strings.TrimPrefix(b.url.Path, "/report/")
		if id == form.Check {
			w.clock.pass(2 * time.Minute)
			b.post("/report/check", b.hidden("/report/check"))
			b.at("/report/sent")
			b.sound()
			return
		}
		step := w.form.Step(id)
		if step == nil {
			t.Fatalf("%s: the form stands at %s:\n%s", lang, b.url.Path, textOf(b.doc))
		}
		if step.Stop != "" {
			return
		}
		// Try the page empty first: it must say what is missing, beside the field.
		if strings.Contains(lang, "pl") && step.Fields[0].Kind != form.Files {
			b.answer(id, emptied(step))
			if b.status == http.StatusUnprocessableEntity {
				b.sound()
			} else {
				continue // everything on it is optional
			}
		}
		with := chosen(step, map[string]string{"category": category})
		for i, r := range step.Next {
			key := fmt.Sprintf("%s %d", id, i)
			if followed[key] || step.More != "" {
				continue
			}
			values, ok := satisfying(step, r, with)
			if !ok {
				continue
			}
			followed[key] = true
			maps.Copy(with, values)
			break
		}
		b.answer(id, with)
	}
	t.Fatalf("%s: %s: the form does not end; it stands at %s (%d):\n%s", lang, category, b.url.Path, b.status, textOf(b.doc))
}

func emptied(step *form.Step) url.Values {
	v := url.Values{}
	for _, f := range step.Fields {
		v[f.Name] = nil
		for _, p := range f.Parts() {
			v[p] = nil
		}
	}
	return v
}

// satisfying are answers of a page that make a rule hold: its own field decides,
// or it holds already, or not here.
func satisfying(step *form.Step, r form.Rule, with url.Values) (url.Values, bool) {
	v := url.Values{}
	for name, values := range r.When {
		own := slices.ContainsFunc(step.Fields, func(f *form.Field) bool { return f.Name == name })
		if !own || name == "category" {
			return nil, false
		}
		v.Set(name, values[0])
	}
	if len(r.When) == 0 {
		return v, len(step.Next) == 1 || len(step.Fields) > 0
	}
	return v, true
}
