package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"example.org/c3i/edge"
	"example.org/c3i/intake/web/form"
)

// Server is the public pages and the partners' API.
type Server struct {
	o       Options
	form    *form.Form
	texts   *form.Texts
	pages   *template.Template
	assets  *assets
	metrics *metrics
	limits  limiter
	key     []byte
	drafts  vault[Draft]
	tracks  vault[tracking]
	origins *http.CrossOriginProtection
	spec    []byte
	mux     http.Handler
	// working counts what goes on after its request was answered, at most busy at
	// a time.
	working sync.WaitGroup
	busy    chan struct{}
}

// keyName is where the key of hashes and challenges is kept, for all processes.
const keyName = "{web}:key"

// New loads the form, the words and the pages, and checks them against each other.
func New(ctx context.Context, o Options) (*Server, error) {
	o.defaults()
	s := &Server{o: o, drafts: vault[Draft]{o.Redis, "web:draft"}, tracks: vault[tracking]{o.Redis, "web:track"}, busy: make(chan struct{}, 64)}
	var err error
	if s.form, s.texts, err = Load(o); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(o.Registry); err != nil {
		return nil, err
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	if err := o.Redis.SetNX(ctx, keyName, fresh, 0).Err(); err != nil {
		return nil, fmt.Errorf("web: open: %w", err)
	}
	if s.key, err = o.Redis.Get(ctx, keyName).Bytes(); err != nil {
		return nil, fmt.Errorf("web: open: %w", err)
	}
	s.limits = limiter{o.Redis, o.Now, s.key}
	s.origins = http.NewCrossOriginProtection()
	for _, origin := range o.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	s.origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, http.StatusForbidden, "foreign")
	}))
	if s.spec, err = s.openAPI(); err != nil {
		return nil, err
	}
	s.mux = s.routes()
	return s, nil
}

// Load reads and checks the form and its words, for `c3i check`.
func Load(o Options) (*form.Form, *form.Texts, error) {
	o.defaults()
	text, err := readAll(o.Texts, "web/form.yaml")
	if err != nil {
		return nil, nil, err
	}
	f, err := form.Load("web/form.yaml", text)
	if err != nil {
		return nil, nil, err
	}
	t, err := form.LoadTexts(o.Texts, "web", o.Language, f)
	return f, t, err
}

// Handler serves /report, /track, /api/v1/reports, /api/openapi.json and
// /assets/public/.
func (s *Server) Handler() http.Handler { return s.mux }

// Patterns are the patterns that Handler is to be mounted at, in a ServeMux that
// serves other things too.
func Patterns() []string {
	return []string{"/report", "/report/", "/track", "/track/", "/api/v1/reports", "/api/v1/reports/", "/api/openapi.json", "/assets/public/"}
}

func (s *Server) routes() http.Handler {
	pages := http.NewServeMux()
	page := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		pages.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, h) })
	}
	page("GET /report", s.start)
	page("POST /report", s.begin)
	page("GET /report/sent", s.sent)
	page("POST /report/rating", s.rate)
	page("POST /report/save", s.save)
	page("POST /report/delete", s.discard)
	page("GET /report/check", s.check)
	page("POST /report/check", s.submit)
	page("GET /report/{step}", s.show)
	page("POST /report/{step}", s.take)
	page("GET /track", s.trackPage)
	page("POST /track", s.trackSignIn)
	page("GET /track/code", s.codePage)
	page("POST /track/code", s.codeAsk)
	page("POST /track/code/enter", s.codeEnter)
	page("GET /track/report", s.follow)
	page("POST /track/add", s.add)
	page("POST /track/preferences", s.prefer)
	page("POST /track/withdraw", s.withdraw)
	page("POST /track/leave", s.leave)
	pages.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.problem(w, r, http.StatusNotFound, "absent") })

	mux := http.NewServeMux()
	mux.Handle("/assets/public/", http.StripPrefix("/assets/public/", s.assets))
	mux.Handle("/api/", s.api())
	mux.Handle("/", s.origins.Handler(s.language(pages)))
	return edge.Handler(s.guard(mux), s.o.Times)
}

// contentSecurityPolicy allows what this origin serves as files, and nothing else.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// guard sets the headers of every answer, and keeps a panic from ending more than
// its request.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if s.o.TLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(p)
				}
				s.o.Log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Str("route", r.Pattern).Msg("a request handler panicked")
				s.problem(w, r, http.StatusInternalServerError, "broken")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// refusal ends a request with a page of its own.
type refusal struct {
	status int
	// page is the key of the page's words.
	page string
	wait time.Duration
	err  error
}

func (e *refusal) Error() string {
	if e.err != nil {
		return "web: " + e.page + ": " + e.err.Error()
	}
	return "web: " + e.page
}

func (e *refusal) Unwrap() error { return e.err }

// answer runs a page's handler and turns its error into a page.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request) error) {
	err := h(w, r)
	if err == nil {
		return
	}
	var no *refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &no):
	case errors.As(err, &large):
		no = &refusal{status: http.StatusRequestEntityTooLarge, page: "large"}
	case errors.Is(err, errGone):
		no = &refusal{status: http.StatusForbidden, page: "expired"}
	case r.Context().Err() != nil:
		return // whoever asked has gone
	default:
		no = &refusal{status: http.StatusServiceUnavailable, page: "broken", err: err}
	}
	if no.status >= http.StatusInternalServerError {
		s.o.Log.Error().Err(no.err).Str("route", r.Pattern).Msg("request failed")
	}
	if no.wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(no.wait.Seconds())+1))
	}
	if no.status == http.StatusTooManyRequests {
		s.metrics.refused.WithLabelValues(no.page).Inc()
	}
	s.problemAfter(w, r, no.status, no.page, no.wait)
}

// limited refuses when a limit is met.
func (s *Server) limited(r *http.Request, m limit, who string) error {
	wait, err := s.limits.take(r.Context(), m, who)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, page: "often", wait: wait}
	}
	return nil
}

// formMost bounds what a page without files posts.
const formMost = 64 << 10

// posted reads a posted form.
func posted(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, formMost)
	if err := r.ParseForm(); err != nil {
		return cut(err)
	}
	return nil
}

func redirect(w http.ResponseWriter, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (s *Server) now() time.Time { return s.o.Now() }

func (s *Server) render(w http.ResponseWriter, status int, name string, p *page) error {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, p); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang.Code)
	w.Header().Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil {
		return http.ErrAbortHandler
	}
	return nil
}

func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, key string) {
	s.problemAfter(w, r, status, key, 0)
}

func (s *Server) problemAfter(w http.ResponseWriter, r *http.Request, status int, key string, wait time.Duration) {
	p := s.page(r, "problem_"+key)
	p.Wait = wait
	p.Key = key
	if err := s.render(w, status, "problem", p); err != nil {
		s.o.Log.Error().Err(err).Msg("a page about a problem could not be made")
	}
}

// later does something after its request was answered. When too much waits it is
// left undone, as mail that is lost would be: whoever asked can ask again.
func (s *Server) later(do func()) {
	select {
	case s.busy <- struct{}{}:
	default:
		s.metrics.refused.WithLabelValues("later").Inc()
		return
	}
	s.working.Go(func() {
		defer func() { <-s.busy }()
		do()
	})
}

// Wait returns when nothing goes on any more after its request was answered.
func (s *Server) Wait() { s.working.Wait() }
