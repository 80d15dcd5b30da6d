package agentdesk

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/c3i/crm/audit"
	"example.org/c3i/edge"
	"example.org/c3i/routing"
)

// SignOnRequest is the body of POST /api/sign-on.
type SignOnRequest struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// PasswordRequest is the body of POST /api/password.
type PasswordRequest struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

// Account is who is signed on: the answer of /api/sign-on, /api/password and
// /api/me.
type Account struct {
	User    string `json:"user"`
	Name    string `json:"name"`
	Role    Role   `json:"role"`
	Profile string `json:"profile,omitempty"`
	// Phone is "browser" or "sip".
	Phone string `json:"phone"`
	// MustChangePassword tells that nothing but /api/password works yet.
	MustChangePassword bool `json:"must_change_password"`
	// Desk tells whether the user has a desk: a profile and a role that may.
	Desk bool `json:"desk"`
}

// MeBody is the answer of sign-on, password change and GET /api/me.
type MeBody struct {
	Me Account `json:"me"`
}

func account(u User) Account {
	kind := "browser"
	if u.Phone != PhoneBrowser {
		kind = "sip"
	}
	return Account{User: u.Name, Name: u.Display, Role: u.Role, Profile: u.Profile, Phone: kind, MustChangePassword: u.OneTime, Desk: hasDesk(u)}
}

func hasDesk(u User) bool { return u.Profile != "" && u.Role.May(MayUseDesk) }

// throttled answers 429 and reports true when the user or the address has tried
// too often. Both buckets are asked before either is used up.
func (s *Server) throttled(w http.ResponseWriter, name, address string) bool {
	now := s.now()
	wait, ok := s.perAddress.take(address, now)
	if ok {
		if wait, ok = s.perUser.take(name, now); !ok {
			s.perAddress.giveBack(address)
		}
	}
	if ok {
		return false
	}
	s.metrics.signOnFailures.WithLabelValues("throttled").Inc()
	s.signedOn(context.Background(), name, CodeThrottled)
	s.refuseForNow(w, CodeThrottled, "There were too many attempts to sign on. Wait", wait)
	return true
}

// refuseForNow answers 429 with Retry-After and says in words how long to wait.
func (s *Server) refuseForNow(w http.ResponseWriter, code, sentence string, wait time.Duration) {
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	unit := " seconds"
	if seconds == 1 {
		unit = " second"
	}
	s.writeError(w, &Error{Code: code, Message: sentence + " " + strconv.Itoa(seconds) + unit + " and try again."})
}

func (s *Server) handleSignOn(w http.ResponseWriter, r *http.Request) {
	var in SignOnRequest
	if !s.readJSON(w, r, &in) {
		return
	}
	name, address := strings.ToLower(strings.TrimSpace(in.User)), edge.Client(r, s.o.Proxies)
	if len(name) > 64 || len(in.Password) > 4*PasswordMax {
		name = name[:min(len(name), 64)]
		in.Password = "" // cannot be right, and must not be hashed at length
	}
	if s.throttled(w, name, address) {
		return
	}
	ctx := r.Context()
	u, err := s.users.Check(ctx, name, in.Password)
	switch {
	case errors.Is(err, ErrWrongPassword):
		s.metrics.signOnFailures.WithLabelValues("password").Inc()
		s.log.Info().Str("address", address).Msg("sign-on refused: wrong name or password")
		s.signedOn(ctx, name, CodeWrongPassword)
		s.writeError(w, &Error{Code: CodeWrongPassword, Message: "The sign-on name or the password is not right."})
		return
	case errors.Is(err, ErrUserDisabled):
		s.metrics.signOnFailures.WithLabelValues("disabled").Inc()
		s.signedOn(ctx, name, "disabled")
		s.writeError(w, &Error{Code: CodeForbidden, Message: "This sign-on is disabled. Ask your manager."})
		return
	case err != nil:
		s.metrics.signOnFailures.WithLabelValues("error").Inc()
		s.perUser.giveBack(name)
		s.perAddress.giveBack(address)
		s.internal(w, r, err)
		return
	}
	s.perUser.forget(name)
	s.perAddress.giveBack(address)
	// Whoever cannot be put on the trail does not get in.
	err = s.openSession(r, u)
	if err == nil {
		err = s.trail(acting(ctx, u, s.sessions.Token(ctx)), audit.Entry{Operation: audit.SignOn, Object: "user", ObjectID: u.Name, Outcome: "ok"})
	}
	if err != nil {
		_ = s.sessions.Destroy(ctx)
		s.internal(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, MeBody{account(u)})
}

// signedOn puts a refused sign-on on the trail. A name that is no sign-on name is
// left out: people type passwords there.
func (s *Server) signedOn(ctx context.Context, name, outcome string) {
	if s.o.Trail == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	id := ""
	if _, err := s.users.Get(ctx, name); err == nil {
		id = name
	}
	err := s.trail(audit.With(ctx, audit.Public), audit.Entry{Operation: audit.SignOn, Object: "user", ObjectID: id, Outcome: outcome})
	if err != nil {
		s.log.Error().Err(err).Msg("a refused sign-on could not be put on the trail")
	}
}

// openSession starts a session under a new token. A desk the user has open under
// the old one goes on.
func (s *Server) openSession(r *http.Request, u User) error {
	ctx := r.Context()
	same := s.sessions.GetString(ctx, sessionUser) == u.Name
	if err := s.sessions.open(ctx, u); err != nil {
		return err
	}
	if d := s.hub.find(routing.AgentID(u.Name)); d != nil && same {
		d.moveSession(s.sessions.token(r), s.sessions.Token(ctx))
	}
	return nil
}

func (s *Server) handlePassword(w http.ResponseWriter, r *http.Request) {
	var in PasswordRequest
	if !s.readJSON(w, r, &in) {
		return
	}
	ctx := r.Context()
	u, err := s.sessions.user(ctx)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(in.Current) > 4*PasswordMax || len(in.New) > 4*PasswordMax {
		s.writeError(w, invalid("new", "The password may have at most 128 characters."))
		return
	}
	address := edge.Client(r, s.o.Proxies)
	if s.throttled(w, u.Name, address) {
		return
	}
	after, err := s.users.SetPassword(ctx, u.Name, in.Current, in.New)
	if errors.Is(err, ErrWrongPassword) {
		s.metrics.signOnFailures.WithLabelValues("password").Inc()
		s.writeError(w, &Error{Code: CodeWrongPassword, Message: "The old password is not right.", Field: "current"})
		return
	}
	s.perUser.giveBack(u.Name)
	s.perAddress.giveBack(address)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if err := s.openSession(r, after); err != nil {
		s.internal(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, MeBody{account(after)})
}

func (s *Server) handleSignOff(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	u, err := s.sessions.user(ctx)
	token := s.sessions.token(r)
	if derr := s.sessions.Destroy(ctx); derr != nil {
		s.internal(w, r, derr)
		return
	}
	if err == nil {
		s.signOff(u.Name, token)
		err := s.trail(acting(ctx, u, token), audit.Entry{Operation: audit.SignOff, Object: "user", ObjectID: u.Name, Outcome: "ok"})
		if err != nil { // nobody is kept signed on for that
			s.log.Error().Err(err).Msg("a sign-off could not be put on the trail")
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) handleMe(w http.ResponseWriter, r *http.Request) {
	u, err := s.sessions.user(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, MeBody{account(u)})
}
