package agentdesk

import (
	"net/http"
	"strings"
)

// contentSecurityPolicy lets pages use what this origin serves and nothing else.
// A blob is the recorded ring tone; 'self' covers this origin's websockets.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; media-src 'self' blob: data:; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func secureHeaders(h http.Header, tls bool) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), autoplay=(self), speaker-selection=(self), camera=(), geolocation=(), payment=(), usb=()")
	if tls {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

const notFoundPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Page not found - C3i</title>
<h1>Page not found</h1>
<p>There is nothing at this address. If you typed it, check it.</p>
<ul>
<li><a href="/desk">Call-handlers' desk</a></li>
<li><a href="/call">Call us from this browser</a></li>
</ul>
<p>If it is happening now, ring 999.</p>
</html>
`

// pages serves the front end, with 404s in the product's own words.
func (s *Server) pages() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.o.Web == nil {
			writeNotFound(w, r)
			return
		}
		s.o.Web.ServeHTTP(&notFoundWriter{ResponseWriter: w, r: r}, r)
	})
}

// notFoundWriter replaces a 404's body by the product's page.
type notFoundWriter struct {
	http.ResponseWriter
	r        *http.Request
	replaced bool
}

// WriteHeader implements http.ResponseWriter.
func (w *notFoundWriter) WriteHeader(code int) {
	if code == http.StatusNotFound {
		w.replaced = true
		writeNotFound(w.ResponseWriter, w.r)
		return
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *notFoundWriter) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func writeNotFound(w http.ResponseWriter, r *http.Request) {
	w.Header().Del("Content-Length")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(notFoundPage))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("There is nothing at this address.\n"))
}
