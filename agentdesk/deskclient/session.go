package deskclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"example.org/c3i/agentdesk"
)

// Session is one user's signed-on session. It is safe for concurrent use, but
// for ChangePassword, which changes Account.
type Session struct {
	base    *url.URL
	http    *http.Client
	Account agentdesk.Account
}

// SignOn opens a session at a server, for example "http://127.0.0.1:8080".
// Errors of the server are *agentdesk.Error.
func SignOn(ctx context.Context, base, user, password string) (*Session, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("deskclient: %q is not a server's address: write it as http://host:port", base)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s := &Session{base: u, http: &http.Client{Jar: jar, Timeout: 60 * time.Second, Transport: &http.Transport{}}}
	var body agentdesk.MeBody
	err = s.Call(ctx, http.MethodPost, "/api/sign-on", agentdesk.SignOnRequest{User: user, Password: password}, &body)
	if err != nil {
		s.http.CloseIdleConnections()
		return nil, err
	}
	s.Account = body.Me
	return s, nil
}

// ChangePassword replaces the password; it is required while
// Account.MustChangePassword is set.
func (s *Session) ChangePassword(ctx context.Context, old, next string) error {
	var body agentdesk.MeBody
	err := s.Call(ctx, http.MethodPost, "/api/password", agentdesk.PasswordRequest{Current: old, New: next}, &body)
	if err == nil {
		s.Account = body.Me
	}
	return err
}

// SignOff ends the session and the handler's time at the desk.
func (s *Session) SignOff(ctx context.Context) error {
	defer s.http.CloseIdleConnections()
	return s.Call(ctx, http.MethodPost, "/api/sign-off", nil, nil)
}

// Call makes one request of the HTTP API and decodes the answer into out, unless
// it is nil. An error answer is an *agentdesk.Error.
func (s *Session) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var e agentdesk.ErrorBody
		if json.Unmarshal(answer, &e) != nil || e.Error.Code == "" {
			return fmt.Errorf("deskclient: %s %s answered %s", method, path, resp.Status)
		}
		return &e.Error
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// Close frees the session's idle connections without signing off.
func (s *Session) Close() { s.http.CloseIdleConnections() }
