package agentdesk

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/edge"
)

// PublicCall is the body of the answer of POST /api/public/call: what the page's
// phone needs for one call.
type PublicCall struct {
	URI      string `json:"uri"`
	User     string `json:"user"`
	Password string `json:"password"`
	// Path is the SIP websocket on this origin.
	Path string `json:"path"`
	// Target is the SIP address to ring.
	Target    string          `json:"target"`
	ExpiresAt contact.Instant `json:"expires_at"`
}

// PublicCallRequest is the body of POST /api/public/call; it may be empty.
type PublicCallRequest struct {
	// Number is the caller's own, if they care to give it. Nobody has checked it:
	// the handler sees it as given by the caller.
	Number string `json:"number,omitempty"`
}

// givenNumber is what a person may type as their number.
var givenNumber = regexp.MustCompile(`^\+?[0-9 ()-]{3,24}$`)

// publicCallLife is how long a token lets a call begin; a call that has begun
// goes on as long as its SIP websocket, at most publicCallMax.
const (
	publicCallLife = 2 * time.Minute
	publicCallMax  = 2 * time.Hour
)

// publicCalls are the throw-away endpoints given out.
type publicCalls struct {
	s  *Server
	mu sync.Mutex
	by map[string]*publicCall // by token
	// asked counts those being made, so that the cap holds for a burst too.
	asked int
}

type publicCall struct {
	user    string
	until   time.Time
	streams int
}

func newPublicCalls(s *Server) *publicCalls { return &publicCalls{s: s, by: map[string]*publicCall{}} }

func (s *Server) handlePublicCall(w http.ResponseWriter, r *http.Request) {
	if s.o.PublicPhones == nil || s.o.SIPUpstream == "" {
		s.writeError(w, &Error{Code: CodeNotFound, Message: "Calls from the browser are switched off here. Ring 101."})
		return
	}
	var ask PublicCallRequest
	if r.ContentLength != 0 && !s.readJSON(w, r, &ask) {
		return
	}
	if ask.Number = strings.TrimSpace(ask.Number); ask.Number != "" && !givenNumber.MatchString(ask.Number) {
		s.writeError(w, &Error{Code: CodeInvalid, Message: "Enter a phone number, for example 020 7946 0018, or leave it empty.", Field: "number"})
		return
	}
	if wait, ok := s.perCaller.take(edge.Client(r, s.o.Proxies), s.now()); !ok {
		s.refuseForNow(w, CodeThrottled, "There were too many calls from your connection. Wait", wait)
		return
	}
	token, call, creds, err := s.public.open(r.Context(), ask.Number)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, PublicCall{
		URI: creds.URI, User: creds.User, Password: creds.Password, Path: "/sip?token=" + token,
		Target: "sip:" + s.o.PublicNumber + "@" + domainOf(creds.URI), ExpiresAt: contact.At(call.until),
	})
}

// domainOf is the host of a SIP address.
func domainOf(uri string) string {
	_, host, _ := strings.Cut(uri, "@")
	return host
}

func (p *publicCalls) open(ctx context.Context, number string) (string, publicCall, PhoneCredentials, error) {
	p.mu.Lock()
	if len(p.by)+p.asked >= p.s.o.PublicCalls {
		p.mu.Unlock()
		return "", publicCall{}, PhoneCredentials{}, &Error{Code: CodeUnavailable, Message: "All lines from the browser are taken. Try again in a minute, or ring 101."}
	}
	p.asked++
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.s.o.RequestTimeout)
	defer cancel()
	creds, err := p.s.o.PublicPhones.ProvisionPublic(ctx, number)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked--
	if err != nil {
		return "", publicCall{}, creds, err
	}
	token := rand.Text()
	call := &publicCall{user: creds.User, until: p.s.now().Add(publicCallLife)}
	p.by[token] = call
	return token, *call, creds, nil
}

// enter lets one SIP websocket in on a token, and gives the SIP user it is for.
func (p *publicCalls) enter(token string) (user string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := p.by[token]
	if call == nil || call.streams > 0 || !p.s.now().Before(call.until) {
		return "", false
	}
	call.streams++
	call.until = p.s.now().Add(publicCallMax)
	return call.user, true
}

// leave ends a SIP websocket: the page may connect again for a short while.
func (p *publicCalls) leave(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call := p.by[token]; call != nil {
		call.streams--
		call.until = p.s.now().Add(30 * time.Second)
	}
}

// sweep withdraws what has expired.
func (p *publicCalls) sweep(now time.Time) {
	p.mu.Lock()
	var expired []string
	for token, call := range p.by {
		if !now.Before(call.until) {
			expired = append(expired, call.user)
			delete(p.by, token)
		}
	}
	p.mu.Unlock()
	for _, user := range expired {
		p.s.sip.closeUser(user)
		p.s.spawn(func() {
			ctx, cancel := context.WithTimeout(p.s.life, p.s.o.RequestTimeout)
			defer cancel()
			if err := p.s.o.PublicPhones.WithdrawPublic(ctx, user); err != nil {
				p.s.log.Warn().Err(err).Msg("a public call's credentials could not be withdrawn; they expire by themselves")
			}
		})
	}
}
