package agentdesk

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
)

//go:embed lua/session_commit.lua
var sessionCommitLua string

// sessionStore keeps sessions in Redis, one key each, expiring by themselves.
type sessionStore struct {
	rdb    redis.UniversalClient
	commit *redis.Script
	now    func() time.Time
}

// sessionTimeout bounds a store operation that comes without a context.
const sessionTimeout = 3 * time.Second

// endedFor is how long an ended session's key stays as a tombstone: longer than
// any request may last.
const endedFor = 2 * time.Minute

var _ scs.CtxStore = (*sessionStore)(nil)

func sessionKey(token string) string { return "desk:session:" + token }

// FindCtx implements scs.CtxStore.
func (s *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	b, err := s.rdb.Get(ctx, sessionKey(token)).Bytes()
	if errors.Is(err, redis.Nil) || (err == nil && len(b) == 0) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read session: %w", err)
	}
	return b, true, nil
}

// CommitCtx implements scs.CtxStore.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	left := expiry.Sub(s.now()).Milliseconds()
	if left <= 0 {
		return s.DeleteCtx(ctx, token)
	}
	if err := s.commit.Run(ctx, s.rdb, []string{sessionKey(token)}, b, left).Err(); err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

// DeleteCtx implements scs.CtxStore.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	if err := s.rdb.Set(ctx, sessionKey(token), "", endedFor).Err(); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// Find, Commit and Delete implement scs.Store for callers without a context.
func (s *sessionStore) Find(token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.FindCtx(ctx, token)
}

// Commit implements scs.Store.
func (s *sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.CommitCtx(ctx, token, b, expiry)
}

// Delete implements scs.Store.
func (s *sessionStore) Delete(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.DeleteCtx(ctx, token)
}

// Keys of session data.
const (
	sessionUser       = "user"
	sessionGeneration = "generation"
)

// sessions opens, checks and ends server-side sessions.
type sessions struct {
	*scs.SessionManager
	users *Users
}

func newSessions(rdb redis.UniversalClient, users *Users, o Options) *sessions {
	// scs.New would start a goroutine for a store we do not use, and stopping it
	// races with its start.
	m := &scs.SessionManager{
		Store: &sessionStore{rdb: rdb, commit: redis.NewScript(sessionCommitLua), now: time.Now},
		Codec: scs.GobCodec{},
	}
	m.Cookie.Path = "/"
	m.HashTokenInStore = true
	m.IdleTimeout = o.SessionIdle
	m.Lifetime = o.SessionLife
	m.Cookie.Name = "c3i"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteStrictMode
	m.Cookie.Persist = false
	if o.TLS {
		// The prefix makes the browser refuse the cookie from anywhere but this host over TLS.
		m.Cookie.Name = "__Host-c3i"
		m.Cookie.Secure = true
	}
	return &sessions{m, users}
}

// user tells who the loaded session belongs to: an *Error when nobody, or when
// the user was disabled or changed the password since.
func (s *sessions) user(ctx context.Context) (User, error) {
	name := s.GetString(ctx, sessionUser)
	if name == "" {
		return User{}, errNotSignedOn()
	}
	u, err := s.users.Get(ctx, name)
	if errors.Is(err, ErrNoUser) {
		return User{}, errNotSignedOn()
	}
	if err != nil {
		return User{}, err
	}
	if u.Disabled || u.Generation != s.GetInt64(ctx, sessionGeneration) {
		return User{}, errNotSignedOn()
	}
	return u, nil
}

func errNotSignedOn() *Error {
	return &Error{Code: CodeNotSignedOn, Message: "You are not signed on, or your session has ended. Sign on again."}
}

// open starts a session for u under a new token, so that a token planted before
// sign-on is worth nothing.
func (s *sessions) open(ctx context.Context, u User) error {
	if err := s.RenewToken(ctx); err != nil {
		return err
	}
	s.Put(ctx, sessionUser, u.Name)
	s.Put(ctx, sessionGeneration, u.Generation)
	return nil
}

// token is the session's secret as sent by the browser.
func (s *sessions) token(r *http.Request) string {
	c, err := r.Cookie(s.SessionManager.Cookie.Name)
	if err != nil {
		return ""
	}
	return c.Value
}

// touch checks a session outside a request that answers it (a websocket), and
// puts its idle expiry off.
func (s *sessions) touch(ctx context.Context, token string) (User, error) {
	if token == "" {
		return User{}, errNotSignedOn()
	}
	ctx, err := s.Load(ctx, token)
	if err != nil {
		return User{}, err
	}
	u, err := s.user(ctx)
	if err != nil {
		return User{}, err
	}
	if _, _, err := s.SessionManager.Commit(ctx); err != nil {
		return User{}, err
	}
	return u, nil
}
