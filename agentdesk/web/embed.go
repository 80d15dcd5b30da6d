// Package web holds the built front end: the handlers' desk, the public call
// page and the start page. `npm run build` in this folder fills dist, which is
// embedded here; a binary built without it serves a plain page that says how to
// build it, so that Go alone always compiles.
package web

import (
	"embed"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:generate go run ./gen

//go:embed all:dist
var dist embed.FS

//go:embed stub.html
var stub []byte

// Pages maps the URL path of each page to its file in Files.
func Pages() map[string]string {
	return map[string]string{"/": "index.html", "/desk": "desk.html", "/call": "call.html"}
}

// Files is the built front end, with index.html at its root. It is empty but for
// .gitkeep when the front end was not built; see Built.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: dist is not embedded: " + err.Error())
	}
	return sub
}

// Built tells whether the binary carries the built front end.
func Built() bool { return built(Files()) }

func built(files fs.FS) bool {
	_, err := fs.Stat(files, "index.html")
	return err == nil
}

// Handler serves the pages of Pages and the files they need. Files below
// /assets/ carry a hash in their name and may be cached for ever; everything
// else must be revalidated. Without a built front end each page answers 503 with
// a page that says how to build it. Security headers are the caller's.
func Handler() http.Handler { return handler(Files()) }

func handler(files fs.FS) http.Handler {
	pages := Pages()
	ready := built(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are served here.", http.StatusMethodNotAllowed)
			return
		}
		name, page := pages[r.URL.Path]
		if page && !ready {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusServiceUnavailable)
			if r.Method == http.MethodGet {
				_, _ = w.Write(stub)
			}
			return
		}
		if !page {
			name = strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		}
		f, err := files.Open(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		content, seeks := f.(io.ReadSeeker)
		if err != nil || info.IsDir() || !seeks || strings.HasPrefix(path.Base(name), ".") {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			w.Header().Set("Cache-Control", "no-cache")
		}
		http.ServeContent(w, r, name, info.ModTime(), content)
	})
}
