package web_test

import (
	"encoding/json"
	"maps"
	"testing"

	"golang.org/x/net/html"

	"example.org/c3i/intake/web/form"
)

func TestPagesGiveTheirScriptEveryFormThatItMaySay(t *testing.T) {
	w := newWorld(t)
	b := w.browser("pl")
	b.begin()
	exit := find(b.doc, func(n *html.Node) bool { return hasAttr(n, "data-exit-status") })
	if len(exit) != 1 || attr(exit[0], "data-1") != "Aby wyjść, naciśnij Escape jeszcze 2 razy." || attr(exit[0], "data-2") != "Aby wyjść, naciśnij Escape jeszcze raz." {
		t.Errorf("a press of Escape is answered with %v", exit[0].Attr)
	}
	for _, s := range w.form.Steps {
		for _, f := range s.Fields {
			if f.Kind != form.Area || f.Most <= 1000 {
				continue
			}
			b.fill(s.ID, map[string]string{"category": "damage"})
			count := find(b.doc, func(n *html.Node) bool { return hasAttr(n, "data-left") })
			if len(count) == 0 {
				t.Fatalf("%s has no count", s.ID)
			}
			for name, want := range map[string]map[string]string{
				"data-left": {"other": "Pozostało % znaków", "one": "Pozostał % znak", "few": "Pozostały % znaki"},
				"data-over": {"other": "O % znaków za dużo", "one": "O % znak za dużo", "few": "O % znaki za dużo"},
			} {
				var got map[string]string
				must(t, json.Unmarshal([]byte(attr(count[0], name)), &got))
				if !maps.Equal(got, want) {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			return
		}
	}
	t.Error("no page counts characters")
}
