package agentdesk_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/routing"
)

// switches is a plan's surges that keep what they are told.
type switches struct {
	mu   sync.Mutex
	list []agentdesk.Surge
	fail error
}

func (s *switches) List(context.Context) ([]agentdesk.Surge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]agentdesk.Surge(nil), s.list...), s.fail
}

func (s *switches) Switch(_ context.Context, name string, on bool, by, reason string) (agentdesk.Surge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list {
		if s.list[i].Surge == name {
			s.list[i].On, s.list[i].By, s.list[i].Reason = on, by, reason
			return s.list[i], s.fail
		}
	}
	return agentdesk.Surge{}, &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "No such surge."}
}

// oracle repeats what it is asked.
type oracle struct{ fail error }

func (o oracle) Suppose(_ context.Context, ask json.RawMessage) (any, error) {
	return map[string]any{"asked": ask}, o.fail
}

func (o oracle) Fork(_ context.Context, ask agentdesk.ForkQuestion) (any, error) {
	return map[string]any{"asked": ask}, o.fail
}

func TestSurgesAndForesightOverHTTP(t *testing.T) {
	s := &switches{list: []agentdesk.Surge{{Surge: "flood", Label: "Flood", Queues: []routing.QueueID{"general"}}}}
	w := newWorld(t, func(o *agentdesk.Options) { o.Surges, o.Foresee = s, oracle{} })
	for name, role := range map[string]agentdesk.Role{"h1": agentdesk.RoleHandler, "sup": agentdesk.RoleSupervisor, "boss": agentdesk.RoleManager} {
		w.add(name, func(u *agentdesk.UserSpec) { u.Role = role })
	}
	clients := map[string]string{"nobody": "", "h1": cookie(t, w, "h1"), "sup": cookie(t, w, "sup"), "boss": cookie(t, w, "boss")}
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		has                     string
	}{
		{"nobody", "GET", "/api/surges", "", 401, agentdesk.CodeNotSignedOn},
		{"h1", "GET", "/api/surges", "", 403, agentdesk.CodeForbidden},
		{"h1", "POST", "/api/surges", `{"surge":"flood","on":true,"reason":"r"}`, 403, agentdesk.CodeForbidden},
		{"sup", "GET", "/api/surges", "", 200, `{"surges":[{"surge":"flood","label":"Flood","queues":["general"],"on":false}]}`},
		{"sup", "POST", "/api/surges", `{"surge":"flood","reason":"r"}`, 422, `"field":"on"`},
		{"sup", "POST", "/api/surges", `{"on":true,"reason":"r"}`, 422, `"field":"surge"`},
		{"sup", "POST", "/api/surges", `{"surge":"flood","on":true,"reason":" "}`, 422, `"field":"reason"`},
		{"sup", "POST", "/api/surges", `{"surge":"fire","on":true,"reason":"r"}`, 404, agentdesk.CodeNotFound},
		{"boss", "POST", "/api/surges", `{"surge":"flood","on":true,"reason":"the river"}`, 200, `"on":true,"by":"boss","reason":"the river"`},
		{"nobody", "POST", "/api/why", `{}`, 401, agentdesk.CodeNotSignedOn},
		{"h1", "POST", "/api/why", `{}`, 403, agentdesk.CodeForbidden},
		{"sup", "POST", "/api/why", `{"channel":"phone"}`, 200, `{"asked":{"channel":"phone"}}`},
		{"sup", "POST", "/api/why", `{`, 400, agentdesk.CodeBadRequest},
		{"h1", "POST", "/api/fork", `{}`, 403, agentdesk.CodeForbidden},
		{"sup", "POST", "/api/fork", `{"hours":2,"moves":[{"count":3,"from":"a","to":"b"}]}`, 200, `"moves":[{"count":3,"from":"a","to":"b"}]`},
		{"sup", "POST", "/api/fork", `{"hours":25}`, 422, `"field":"hours"`},
		{"sup", "POST", "/api/fork", `{"plan":"x","version":2}`, 422, `"field":"version"`},
		{"sup", "POST", "/api/fork", `{"moves":[{"count":3}]}`, 422, `"field":"moves.to"`},
		{"sup", "POST", "/api/fork", `{"moves":[{"to":"b"}]}`, 422, `"field":"moves.count"`},
		{"sup", "POST", "/api/fork", `{"replications":51}`, 422, `"field":"replications"`},
		{"sup", "POST", "/api/fork", `{"growth":11}`, 422, `"field":"growth"`},
		{"sup", "POST", "/api/fork", `{"weather":"wet"}`, 400, "weather"},
	} {
		h := map[string]string{"Cookie": clients[c.who]}
		if c.body != "" {
			h["Content-Type"] = "application/json"
		}
		resp, _ := send(t, w, browser(t), c.method, c.path, c.body, h)
		if text := body(t, resp); resp.StatusCode != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s %s %s %s: %d %.300s, want %d %s", c.who, c.method, c.path, c.body, resp.StatusCode, text, c.status, c.has)
		}
	}
	s.fail = errors.New("dial 10.0.0.7: refused")
	if status, text := w.ask(clients["sup"], "GET", "/api/surges", ""); status != 503 || strings.Contains(text, "10.0.0.7") {
		t.Errorf("a fault: %d %s", status, text)
	}
}

func TestWithoutSurgesOrForesight(t *testing.T) {
	w := newWorld(t)
	w.add("boss", func(u *agentdesk.UserSpec) { u.Role = agentdesk.RoleManager })
	c := cookie(t, w, "boss")
	for _, ask := range []string{"GET /api/surges", "POST /api/surges", "POST /api/why", "POST /api/fork"} {
		method, path, _ := strings.Cut(ask, " ")
		if status, text := w.ask(c, method, path, "{}"); status != 503 {
			t.Errorf("%s: %d %s", ask, status, text)
		}
	}
}

// Every desk is told of a surge, in the plan's words.
func TestASurgeIsANoticeOnDesks(t *testing.T) {
	plan := testPlan()
	plan.Surges = []routing.Surge{{Name: "flood", Label: "Flood"}}
	w := newWorld(t, func(o *agentdesk.Options) { o.Plan = func() *routing.Plan { return plan } })
	w.add("h1")
	notices := make(chan agentdesk.Notice, 10)
	w.desk("h1", func(o *deskclient.Options) {
		o.OnDelta = func(delta agentdesk.Delta) {
			if delta.Notice != nil {
				notices <- *delta.Notice
			}
		}
	})
	for _, on := range []bool{true, false} {
		must(t, w.server.Do(t.Context(), routing.SurgeChanged{Name: "flood", On: on, By: "sup"}))
	}
	for _, want := range []string{"surge_on", "surge_off"} {
		if n := next(t, notices); n.Code != want || !strings.Contains(n.Text, "“Flood”") {
			t.Errorf("notice: %+v", n)
		}
	}
}
