package agentdesk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.org/c3i/edge"
)

// bodyMax bounds the body of an API request.
const bodyMax = 16 << 10

// route is one entry of the HTTP API. The list routeTable is what docs/api.md
// must cover.
type route struct {
	method, path string
	handle       http.HandlerFunc
	// need is what the session's role must allow; empty for routes that need no
	// session or look at it themselves.
	need Permission
	// session tells that the session is loaded, and its idle expiry put off.
	session bool
}

func (s *Server) routeTable() []route {
	return []route{
		{method: "POST", path: "/api/sign-on", handle: s.handleSignOn, session: true},
		{method: "POST", path: "/api/password", handle: s.handlePassword, session: true},
		{method: "POST", path: "/api/sign-off", handle: s.handleSignOff, session: true},
		{method: "GET", path: "/api/me", handle: s.handleMe, session: true},
		{method: "GET", path: "/api/people", handle: s.handlePeople, session: true, need: MayReadPeople},
		{method: "GET", path: "/api/people/{id}", handle: s.handlePerson, session: true, need: MayReadPeople},
		{method: "GET", path: "/api/people/{id}/timeline", handle: s.handleTimeline, session: true, need: MayReadPeople},
		{method: "POST", path: "/api/search", handle: s.handleSearch, session: true, need: MaySearch},
		{method: "POST", path: "/api/uploads", handle: s.handleUpload, session: true, need: MayWrite},
		{method: "GET", path: "/api/messages/{id}", handle: s.handleMessage, session: true, need: MayReadReports},
		{method: "GET", path: "/api/messages/{id}/html", handle: s.handleMessageHTML, session: true, need: MayReadReports},
		{method: "GET", path: "/api/messages/{id}/raw", handle: s.handleMessageRaw, session: true, need: MayReadReports},
		{method: "GET", path: "/api/messages/{id}/attachments/{aid}", handle: s.handleAttachment, session: true, need: MayReadReports},
		{method: "GET", path: "/api/reports/{id}/attachments/{aid}", handle: s.handleReportAttachment, session: true, need: MayReadReports},
		{method: "GET", path: "/api/queues", handle: s.handleQueues, session: true, need: MayUseDesk},
		{method: "GET", path: "/api/agents", handle: s.handleAgents, session: true, need: MaySeeAgents},
		{method: "GET", path: "/api/plans", handle: s.handlePlans, session: true, need: MaySeePlans},
		{method: "POST", path: "/api/plans", handle: s.handlePublishPlan, session: true, need: MayPublishPlans},
		{method: "GET", path: "/api/plans/{version}", handle: s.handlePlan, session: true, need: MaySeePlans},
		{method: "POST", path: "/api/plans/{version}/approve", handle: s.handleApprovePlan, session: true, need: MayPublishPlans},
		{method: "POST", path: "/api/plans/{version}/rollback", handle: s.handleRollbackPlan, session: true, need: MayPublishPlans},
		{method: "GET", path: "/api/contacts/{id}/why", handle: s.handleWhy, session: true, need: MayAskWhy},
		{method: "POST", path: "/api/why", handle: s.handleSuppose, session: true, need: MayAskWhy},
		{method: "POST", path: "/api/fork", handle: s.handleFork, session: true, need: MayAskWhatIf},
		{method: "GET", path: "/api/surges", handle: s.handleSurges, session: true, need: MaySeePlans},
		{method: "POST", path: "/api/surges", handle: s.handleSwitchSurge, session: true, need: MaySwitchSurges},
		{method: "GET", path: "/api/alerts", handle: s.handleAlerts, session: true, need: MaySeeAlerts},
		{method: "POST", path: "/api/alerts/{id}/ack", handle: s.handleAcknowledgeAlert, session: true, need: MayAckAlerts},
		{method: "POST", path: "/api/public/call", handle: s.handlePublicCall},
		{method: "GET", path: "/ws", handle: s.handleDesk},
		{method: "GET", path: "/sip", handle: s.handleSIP},
		{method: "GET", path: "/healthz", handle: s.handleHealth},
		{method: "GET", path: "/readyz", handle: s.handleReady},
		{method: "GET", path: "/metrics", handle: promhttp.HandlerFor(s.o.Registry, promhttp.HandlerOpts{}).ServeHTTP},
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	known := map[string][]string{}
	for _, rt := range s.routeTable() {
		h := http.Handler(rt.handle)
		if rt.need != "" {
			h = s.needs(rt.need, h)
		}
		if rt.session {
			h = s.sessions.LoadAndSave(h)
		}
		mux.Handle(rt.method+" "+rt.path, h)
		known[rt.path] = append(known[rt.path], rt.method)
	}
	for path, methods := range known {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			s.writeError(w, &Error{Code: CodeMethod, Message: "This address answers " + strings.Join(methods, " and ") + " only."})
		})
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, &Error{Code: CodeNotFound, Message: "There is no such address in the API. See docs/api.md."})
	})
	mux.Handle("/", s.pages())
	s.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { s.internal(w, r, err) }
	s.origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, &Error{Code: CodeCrossOrigin, Message: "The request came from another site and was refused."})
	}))
	return edge.Handler(s.guard(s.origins.Handler(mux)), s.o.Times)
}

// guard sets the headers every answer carries and keeps a handler's panic from
// ending more than its request.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secureHeaders(w.Header(), s.o.TLS)
		if strings.HasPrefix(r.URL.Path, "/api/") {
			w.Header().Set("Cache-Control", "no-store")
		}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(p)
				}
				s.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Str("route", r.Pattern).Msg("a request handler panicked")
				s.writeError(w, &Error{Code: CodeInternal, Message: "Something went wrong on our side. Try again."})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

type userKey struct{}

// needs lets a request through when its session's user may do p.
func (s *Server) needs(p Permission, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := s.sessions.user(r.Context())
		if err == nil {
			err = allowed(u, p)
		}
		if u.Name != "" {
			r = s.actingRequest(r, u)
		}
		if err != nil {
			if u.Name != "" {
				s.denied(r.Context(), "route", "", asError(err).Code)
			}
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, u)))
	})
}

// allowed refuses a user who must change the password first or whose role may not.
func allowed(u User, p Permission) error {
	if u.OneTime {
		return &Error{Code: CodeChangePassword, Message: "Choose a password of your own first."}
	}
	if !u.Role.May(p) {
		return &Error{Code: CodeForbidden, Message: "Your role may not do this."}
	}
	return nil
}

func userOf(ctx context.Context) User {
	u, _ := ctx.Value(userKey{}).(User)
	return u
}

// readJSON reads one JSON object, strictly, or answers and reports false.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	return s.readLongJSON(w, r, into, bodyMax)
}

// readLongJSON is readJSON with another bound, in bytes.
func (s *Server) readLongJSON(w http.ResponseWriter, r *http.Request, into any, most int64) bool {
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		s.writeError(w, &Error{Code: CodeBadRequest, Message: "Send JSON, with the header Content-Type: application/json."})
		return false
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF { //nolint:errorlint // Decoder returns io.EOF itself
			err = errors.New("something follows the object")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.writeError(w, tooSlow())
	case errors.As(err, &tooLarge):
		s.writeError(w, &Error{Code: CodeTooLarge, Message: "The request is too large."})
	case err != nil:
		s.writeError(w, &Error{Code: CodeBadRequest, Message: "The request is not the JSON that was expected: " + jsonFault(err) + "."})
	}
	return err == nil
}

// tooSlow answers a request that did not come in within the time it had.
func tooSlow() *Error {
	return &Error{Code: CodeTooSlow, Message: "The request came in too slowly. Look at the connection and try again."}
}

// jsonFault says what was wrong with JSON without repeating its values.
func jsonFault(err error) string {
	var t *json.UnmarshalTypeError
	switch {
	case errors.As(err, &t):
		return "the field " + t.Field + " is a " + t.Value + ", which does not fit"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}

func (s *Server) writeJSON(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.log.Error().Err(err).Msg("an answer could not be written as JSON")
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

// ErrorBody is the body of every answer that is an error.
type ErrorBody struct {
	Error Error `json:"error"`
}

func (s *Server) writeError(w http.ResponseWriter, e *Error) {
	s.writeJSON(w, status(e.Code), ErrorBody{*e})
}

// fail answers err, and logs it when it is not the asker's doing.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	if status(e.Code) >= http.StatusInternalServerError {
		s.log.Error().Err(err).Str("route", r.Pattern).Msg("request failed")
	}
	s.writeError(w, e)
}

func (s *Server) internal(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Error().Err(err).Str("route", r.Pattern).Msg("request failed")
	s.writeError(w, asError(err))
}

// originAllowed is the websocket's origin rule: the page must come from this
// host or a trusted origin. A program that sends no Origin is not a browser, and
// no browser leaves it out.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	for _, o := range s.o.Origins {
		if strings.EqualFold(o, origin) {
			return true
		}
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, r.Host) {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && !s.o.TLS)
}

func (s *Server) upgradeError(w http.ResponseWriter, r *http.Request, code int, reason error) {
	e := &Error{Code: CodeCrossOrigin, Message: "The page that asked belongs to another site."}
	if code != http.StatusForbidden {
		e = &Error{Code: CodeBadRequest, Message: "This address is a websocket; " + reason.Error() + "."}
	}
	w.Header().Set("Sec-Websocket-Version", "13")
	s.writeError(w, e)
}

func (s *Server) handleHealth(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Readiness is the body of /readyz.
type Readiness struct {
	Ready bool `json:"ready"`
	// NotReady maps the name of each check that failed to a sentence.
	NotReady map[string]string `json:"not_ready,omitempty"`
}

func (s *Server) handleReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	type answer struct {
		name string
		err  error
	}
	answers := make(chan answer, len(s.o.Ready))
	for _, c := range s.o.Ready {
		go func() { answers <- answer{c.Name, c.Ready(ctx)} }()
	}
	out := Readiness{Ready: true}
	missing := map[string]string{}
	for _, c := range s.o.Ready {
		missing[c.Name] = "did not answer in time"
	}
	for range s.o.Ready {
		select {
		case a := <-answers:
			if delete(missing, a.name); a.err != nil {
				missing[a.name] = a.err.Error()
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	code := http.StatusOK
	if len(missing) > 0 {
		out, code = Readiness{NotReady: missing}, http.StatusServiceUnavailable
	}
	s.writeJSON(w, code, out)
}
