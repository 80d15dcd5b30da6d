package agentdesk_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
)

// shelf is an archive of plans that keeps what it is asked.
type shelf struct {
	mu    sync.Mutex
	plans []agentdesk.PlanRelease
	fail  error
}

func (s *shelf) List(context.Context) ([]agentdesk.PlanRelease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]agentdesk.PlanRelease(nil), s.plans...), s.fail
}

func (s *shelf) Get(_ context.Context, version int) (agentdesk.PlanRelease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.plans {
		if p.Version == version || version == 0 && p.State == "published" {
			return p, s.fail
		}
	}
	return agentdesk.PlanRelease{}, &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "No such version."}
}

func (s *shelf) Check(_ context.Context, source string) ([]agentdesk.PlanProblem, error) {
	if strings.HasPrefix(source, "bad") {
		return []agentdesk.PlanProblem{{Severity: "error", Line: 1, Column: 1, Code: "bad", Message: "It is bad."}}, s.fail
	}
	return []agentdesk.PlanProblem{{Severity: "warning", Line: 2, Column: 3, Code: "odd", Message: "It is odd."}}, s.fail
}

func (s *shelf) Publish(ctx context.Context, by string, p agentdesk.PlanProposal) (agentdesk.PlanRelease, error) {
	problems, err := s.Check(ctx, p.Source)
	if err != nil {
		return agentdesk.PlanRelease{}, err
	}
	if problems[0].Severity == "error" {
		return agentdesk.PlanRelease{}, &agentdesk.BadPlan{Problems: problems}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := agentdesk.PlanRelease{Version: len(s.plans) + 1, State: "scheduled", Author: by, Reason: p.Reason, Due: p.At, Source: p.Source, NeedsApproval: p.NeedsApproval}
	s.plans = append(s.plans, r)
	return r, nil
}

func (s *shelf) Approve(ctx context.Context, version int, by, _ string) (agentdesk.PlanRelease, error) {
	r, err := s.Get(ctx, version)
	if err == nil && r.Author == by {
		err = &agentdesk.Error{Code: agentdesk.CodeConflict, Message: "Somebody else must."}
	}
	r.ApprovedBy = by
	return r, err
}

func (s *shelf) Rollback(ctx context.Context, version int, by, reason string) (agentdesk.PlanRelease, error) {
	r, err := s.Get(ctx, version)
	r.RollbackOf, r.Author, r.Reason = version, by, reason
	return r, err
}

func withPlans(s *shelf) func(*agentdesk.Options) {
	return func(o *agentdesk.Options) {
		o.Plans = s
		o.Why = func(_ context.Context, id contact.ID) (any, error) {
			if id != "C1" {
				return nil, &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "No such contact."}
			}
			return map[string]string{"contact": string(id)}, nil
		}
	}
}

func TestPlansOverHTTP(t *testing.T) {
	s := &shelf{plans: []agentdesk.PlanRelease{
		{Version: 1, State: "superseded", Author: "c3i", Source: "one"}, {Version: 2, State: "published", Author: "boss", Source: "two"},
	}}
	w := newWorld(t, withPlans(s))
	for name, role := range map[string]agentdesk.Role{"h1": agentdesk.RoleHandler, "sup": agentdesk.RoleSupervisor, "boss": agentdesk.RoleManager} {
		w.add(name, func(u *agentdesk.UserSpec) { u.Role = role })
	}
	clients := map[string]string{"nobody": "", "h1": cookie(t, w, "h1"), "sup": cookie(t, w, "sup"), "boss": cookie(t, w, "boss")}
	long := strings.Repeat("#", 100<<10) + "\\n"
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		has                     string
	}{
		{"nobody", "GET", "/api/plans", "", 401, agentdesk.CodeNotSignedOn},
		{"h1", "GET", "/api/plans", "", 403, agentdesk.CodeForbidden},
		{"h1", "GET", "/api/contacts/C1/why", "", 403, agentdesk.CodeForbidden},
		{"sup", "GET", "/api/plans", "", 200, `{"in_force":2,"plans":[{"version":1,`},
		{"sup", "GET", "/api/plans/1", "", 200, `"source":"one"`},
		{"sup", "GET", "/api/plans/current", "", 200, `"source":"two"`},
		{"sup", "GET", "/api/plans/7", "", 404, agentdesk.CodeNotFound},
		{"sup", "GET", "/api/plans/0", "", 404, agentdesk.CodeNotFound},
		{"sup", "GET", "/api/plans/x", "", 404, agentdesk.CodeNotFound},
		{"sup", "POST", "/api/plans", `{"source":"x","reason":"r"}`, 403, agentdesk.CodeForbidden},
		{"sup", "POST", "/api/plans?check=true", `{"source":"x"}`, 403, agentdesk.CodeForbidden},
		{"sup", "POST", "/api/plans/1/rollback", `{"reason":"r"}`, 403, agentdesk.CodeForbidden},
		{"sup", "POST", "/api/plans/1/approve", `{"reason":"r"}`, 403, agentdesk.CodeForbidden},
		{"boss", "POST", "/api/plans?check=true", `{"source":"bad"}`, 200, `{"good":false,"problems":[{"severity":"error","line":1,`},
		{"boss", "POST", "/api/plans?check=true", `{"source":"good"}`, 200, `{"good":true,"problems":[{"severity":"warning"`},
		{"boss", "POST", "/api/plans?check=perhaps", `{"source":"good"}`, 422, `"field":"check"`},
		{"boss", "POST", "/api/plans", `{"source":"bad","reason":"r"}`, 422, `"field":"source"},"problems":[{"severity":"error"`},
		{"boss", "POST", "/api/plans", `{"source":"good"}`, 422, `"field":"reason"`},
		{"boss", "POST", "/api/plans", `{"source":"good","reason":"r","at":-1}`, 422, `"field":"at"`},
		{"boss", "POST", "/api/plans", `{"source":"good","reason":"r","colour":1}`, 400, agentdesk.CodeBadRequest},
		{
			"boss", "POST", "/api/plans", `{"source":"` + long + `","reason":"longer than other bodies may be","at":5,"needs_approval":true}`, 201,
			`"plan":{"version":3,"state":"scheduled","origin":"","author":"boss","reason":"longer than other bodies may be"`,
		},
		{"boss", "POST", "/api/plans", `{"source":"` + strings.Repeat("#", 3<<20) + `","reason":"r"}`, 413, agentdesk.CodeTooLarge},
		{"boss", "POST", "/api/plans/3/approve", `{"reason":"mine"}`, 409, agentdesk.CodeConflict},
		{"boss", "POST", "/api/plans/1/approve", `{"reason":"agreed"}`, 200, `"approved_by":"boss"`},
		{"boss", "POST", "/api/plans/1/approve", `{}`, 422, `"field":"reason"`},
		{"boss", "POST", "/api/plans/current/rollback", `{"reason":"r"}`, 404, agentdesk.CodeNotFound},
		{"boss", "POST", "/api/plans/1/rollback", `{"reason":"too slow"}`, 201, `"rollback_of":1`},
		{"boss", "DELETE", "/api/plans/1", ``, 405, agentdesk.CodeMethod},
		{"sup", "GET", "/api/contacts/C1/why", "", 200, `{"contact":"C1"}`},
		{"sup", "GET", "/api/contacts/C2/why", "", 404, agentdesk.CodeNotFound},
	} {
		h := map[string]string{"Cookie": clients[c.who]}
		if c.body != "" {
			h["Content-Type"] = "application/json"
		}
		resp, _ := send(t, w, browser(t), c.method, c.path, c.body, h)
		if text := body(t, resp); resp.StatusCode != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s %s %s: %d %.300s, want %d %s", c.who, c.method, c.path, resp.StatusCode, text, c.status, c.has)
		}
	}
	resp, _ := send(t, w, browser(t), "POST", "/api/plans/1/rollback", `{"reason":"r"}`,
		map[string]string{"Cookie": clients["boss"], "Content-Type": "application/json", "Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example.org"})
	if text := body(t, resp); resp.StatusCode != 403 || !strings.Contains(text, agentdesk.CodeCrossOrigin) {
		t.Errorf("from another site: %d %s", resp.StatusCode, text)
	}
	// A fault says nothing of what is behind it.
	s.fail = errors.New("dial 10.0.0.7: refused")
	resp, _ = send(t, w, browser(t), "GET", "/api/plans", "", map[string]string{"Cookie": clients["sup"]})
	if text := body(t, resp); resp.StatusCode != 503 || strings.Contains(text, "10.0.0.7") {
		t.Errorf("a fault: %d %s", resp.StatusCode, text)
	}
}

func TestWithoutAnArchive(t *testing.T) {
	w := newWorld(t)
	w.add("boss", func(u *agentdesk.UserSpec) { u.Role = agentdesk.RoleManager })
	c := cookie(t, w, "boss")
	for _, path := range []string{"/api/plans", "/api/plans/1", "/api/contacts/C1/why"} {
		resp, _ := send(t, w, browser(t), "GET", path, "", map[string]string{"Cookie": c})
		if text := body(t, resp); resp.StatusCode != 503 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
}

// cookie signs a user on and gives the session's cookie.
func cookie(t *testing.T, w *world, name string) string {
	t.Helper()
	ask, err := json.Marshal(map[string]string{"user": name, "password": password})
	must(t, err)
	resp, _ := send(t, w, browser(t), "POST", "/api/sign-on", string(ask), map[string]string{"Content-Type": "application/json"})
	if resp.StatusCode != 200 || len(resp.Cookies()) == 0 {
		t.Fatalf("sign-on of %s: %d", name, resp.StatusCode)
	}
	return resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
}
