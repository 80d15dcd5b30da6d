package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/c3i/contact/importrule"
)

func TestImportsNothingOfOurs(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{}})
}

func TestHandlerServesTheBuiltFrontEnd(t *testing.T) {
	h := handler(fstest.MapFS{
		".gitkeep":           {Data: nil},
		"index.html":         {Data: []byte("<title>start</title>")},
		"desk.html":          {Data: []byte("<title>desk</title>")},
		"call.html":          {Data: []byte("<title>call</title>")},
		"assets/desk-abc.js": {Data: []byte("export {}")},
	})
	for _, c := range []struct {
		method, target string
		status         int
		body, cache    string
	}{
		{"GET", "/", 200, "start", "no-cache"},
		{"GET", "/desk", 200, "desk", "no-cache"},
		{"HEAD", "/desk", 200, "", "no-cache"},
		{"GET", "/call", 200, "call", "no-cache"},
		{"GET", "/assets/desk-abc.js", 200, "export", "immutable"},
		{"GET", "/assets/", 404, "", ""},
		{"GET", "/assets/none.js", 404, "", ""},
		{"GET", "/.gitkeep", 404, "", ""},
		{"GET", "/../embed.go", 404, "", ""},
		{"GET", "/nowhere", 404, "", ""},
		{"POST", "/desk", 405, "", ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path = c.target
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || !strings.Contains(w.Header().Get("Cache-Control"), c.cache) {
			t.Errorf("%s %s = %d %q cache %q; want %d with %q cache %q", c.method, c.target,
				w.Code, w.Body.String(), w.Header().Get("Cache-Control"), c.status, c.body, c.cache)
		}
	}
}

func TestHandlerSaysHowToBuildWhenNothingIsBuilt(t *testing.T) {
	h := handler(fstest.MapFS{".gitkeep": {}})
	for page := range Pages() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, page, nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make web") {
			t.Errorf("GET %s = %d %q; want 503 and how to build", page, w.Code, w.Body.String())
		}
	}
}

func TestBuiltPagesHoldNoInlineScriptOrStyle(t *testing.T) {
	if !Built() {
		t.Log("the front end is not built: nothing to check")
		return
	}
	for _, name := range Pages() {
		f, err := dist.ReadFile("dist/" + name)
		if err != nil {
			t.Fatal(err)
		}
		page := string(f)
		if strings.Contains(page, "<style") || strings.Contains(page, " style=") {
			t.Errorf("%s holds an inline style, which the content security policy forbids", name)
		}
		for _, tag := range strings.Split(page, "<script")[1:] {
			if !strings.Contains(strings.SplitN(tag, ">", 2)[0], " src=") {
				t.Errorf("%s holds an inline script, which the content security policy forbids", name)
			}
		}
	}
}
