package agentdesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.org/c3i/crm/audit"
)

// acting names the user as the one who acts from here on, on the trail of the CRM.
func acting(ctx context.Context, u User, token string) context.Context {
	return audit.With(ctx, audit.Actor{ID: u.Name, Role: string(u.Role), Session: mark(token)})
}

// mark stands for a session on the trail: the token cannot be found from it.
func mark(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("trail " + token))
	return hex.EncodeToString(sum[:8])
}

// trail appends to the audit trail, if there is one. Its error means that what it
// was to tell of must not be done.
func (s *Server) trail(ctx context.Context, e audit.Entry) error {
	if s.o.Trail == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	return s.o.Trail.Append(ctx, e)
}

// denied puts a refused attempt on the trail. The refusal stands whether or not
// the trail can be written.
func (s *Server) denied(ctx context.Context, object, id, code string) {
	err := s.trail(ctx, audit.Entry{Operation: audit.Denied, Object: object, ObjectID: id, Outcome: code})
	if err != nil {
		s.log.Error().Err(err).Str("object", object).Msg("a refusal could not be put on the trail")
	}
}

// reasonMax and reasonMin bound the words of a reason, in characters.
const (
	reasonMin = 8
	reasonMax = 500
)

// reasonKept is how long a reason given for a restricted record holds for what
// its reader does with it next.
const reasonKept = 30 * time.Minute

// reasons remembers why users opened restricted records, so that reading on and
// fetching its files need not be explained each time. Every step is on the trail
// with the reason.
type reasons struct {
	mu    sync.Mutex
	given map[reasonKey]reason
	swept time.Time
}

type reasonKey struct{ session, object string }

type reason struct {
	words string
	until time.Time
}

func newReasons() *reasons { return &reasons{given: map[reasonKey]reason{}} }

func (r *reasons) give(session, object, words string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given[reasonKey{session, object}] = reason{words, now.Add(reasonKept)}
}

func (r *reasons) of(session, object string, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.given[reasonKey{session, object}]
	if !got.until.After(now) {
		return ""
	}
	return got.words
}

// sweep forgets reasons that no longer hold.
func (r *reasons) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.swept) < time.Minute {
		return
	}
	r.swept = now
	for k, g := range r.given {
		if !g.until.After(now) {
			delete(r.given, k)
		}
	}
}

// because adds the reason given for an object, or the one given for it before.
// Users whose role may not open restricted records have none.
func (s *Server) because(ctx context.Context, u User, object, words string) (context.Context, error) {
	words = strings.TrimSpace(words)
	if words != "" {
		if err := text("reason", words, reasonMax); err != nil {
			return ctx, err
		}
		if len([]rune(words)) < reasonMin {
			return ctx, invalid("reason", "Say in a few words why you need this record.")
		}
	}
	if !u.Role.May(MayOpenRestricted) {
		return ctx, nil
	}
	a := audit.From(ctx)
	if words == "" {
		words = s.reasons.of(a.Session, object, s.now())
	} else {
		s.reasons.give(a.Session, object, words, s.now())
	}
	if words == "" {
		return ctx, nil
	}
	a.Reason = words
	return audit.With(ctx, a), nil
}

// reasonHeader carries a reason for a restricted record with a GET, percent-encoded.
const reasonHeader = "C3i-Reason"

// reopened acts in ctx with the reason given for an object before, if any.
func (s *Server) reopened(ctx context.Context, object string) (context.Context, bool) {
	a := audit.From(ctx)
	if a.Reason = s.reasons.of(a.Session, object, s.now()); a.Reason == "" {
		return ctx, false
	}
	return audit.With(ctx, a), true
}

// headerReason is the reason a GET carries.
func (s *Server) headerReason(r *http.Request) string {
	words, err := url.QueryUnescape(r.Header.Get(reasonHeader))
	if err != nil {
		return ""
	}
	return words
}

// mayOpen tells whether the actor gave a reason for an object.
func (s *Server) mayOpen(ctx context.Context, object string) bool {
	return s.reasons.of(audit.From(ctx).Session, object, s.now()) != ""
}

func reportObject(id string) string { return "report " + id }
func personObject(id string) string { return "person " + id }

// actingRequest is acting for an HTTP request of a signed-on user.
func (s *Server) actingRequest(r *http.Request, u User) *http.Request {
	return r.WithContext(acting(r.Context(), u, s.sessions.token(r)))
}
