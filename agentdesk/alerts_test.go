package agentdesk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

func (w *world) alerts(c, query string) agentdesk.AlertList {
	w.t.Helper()
	resp, _ := send(w.t, w, browser(w.t), "GET", "/api/alerts"+query, "", map[string]string{"Cookie": c})
	var list agentdesk.AlertList
	text := body(w.t, resp)
	if resp.StatusCode != 200 {
		w.t.Fatalf("GET /api/alerts%s: %d %s", query, resp.StatusCode, text)
	}
	must(w.t, json.Unmarshal([]byte(text), &list))
	return list
}

func (w *world) ask(c, method, path, text string) (int, string) {
	w.t.Helper()
	resp, _ := send(w.t, w, browser(w.t), method, path, text, map[string]string{"Cookie": c, "Content-Type": "application/json"})
	return resp.StatusCode, body(w.t, resp)
}

func (w *world) raise(a routing.Alert) {
	w.t.Helper()
	must(w.t, w.server.Do(w.t.Context(), a))
}

func TestAnAlertStandsUntilAPersonAcknowledgesIt(t *testing.T) {
	w := newWorld(t)
	for name, role := range map[string]agentdesk.Role{"h1": agentdesk.RoleHandler, "sup": agentdesk.RoleSupervisor} {
		w.add(name, func(u *agentdesk.UserSpec) { u.Role = role })
	}
	h1, sup := cookie(t, w, "h1"), cookie(t, w, "sup")
	if list := w.alerts(sup, ""); list.Standing != 0 || len(list.Alerts) != 0 {
		t.Errorf("before any was raised: %+v", list)
	}
	w.raise(routing.Alert{Code: "contact_not_taken", Contact: "C1", Queue: "general", Text: "3 times."})
	first := contact.Instant(w.now.Load())
	w.now.Add(int64(contact.Second))
	w.raise(routing.Alert{Code: "contact_not_taken", Contact: "C1", Queue: "general", Text: "6 times."})
	w.raise(routing.Alert{Code: "contact_not_taken", Contact: "C2", Queue: "general", Text: "3 times."})
	eventually(t, "both are listed", func() bool { l := w.alerts(sup, ""); return l.Standing == 2 && l.Alerts[1].Count == 2 })
	list := w.alerts(sup, "")
	got := list.Alerts[1]
	if got.Contact != "C1" || got.Text != "6 times." || got.First != first || got.Last != first.Add(contact.Second) || got.AcknowledgedBy != "" {
		t.Errorf("the one raised twice: %+v", got)
	}

	path := fmt.Sprintf("/api/alerts/%d/ack", got.ID)
	for _, c := range []struct {
		cookie, method, path, body string
		status                     int
		has                        string
	}{
		{h1, "GET", "/api/alerts", "", 403, agentdesk.CodeForbidden},
		{h1, "POST", path, "{}", 403, agentdesk.CodeForbidden},
		{sup, "GET", "/api/alerts?state=gone", "", 422, `"field":"state"`},
		{sup, "GET", "/api/alerts?before=x", "", 422, `"field":"before"`},
		{sup, "POST", "/api/alerts/999/ack", "{}", 404, agentdesk.CodeNotFound},
		{sup, "POST", "/api/alerts/x/ack", "{}", 404, agentdesk.CodeNotFound},
		{sup, "POST", path, `{"note":"` + strings.Repeat("x", 501) + `"}`, 422, `"field":"note"`},
		{sup, "POST", path, `{"note":"rang them"}`, 200, `"acknowledged_by":"sup"`},
		{sup, "POST", path, "{}", 409, agentdesk.CodeConflict},
	} {
		if status, text := w.ask(c.cookie, c.method, c.path, c.body); status != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, text, c.status, c.has)
		}
	}
	if list := w.alerts(sup, ""); list.Standing != 1 || list.Alerts[0].Contact != "C2" {
		t.Errorf("standing: %+v", list)
	}
	over := w.alerts(sup, "?state=acknowledged")
	if over.Standing != 1 || len(over.Alerts) != 1 || over.Alerts[0].Note != "rang them" || over.Alerts[0].Count != 2 {
		t.Errorf("acknowledged: %+v", over)
	}
	// Raised anew, it stands anew, under another number.
	w.raise(routing.Alert{Code: "contact_not_taken", Contact: "C1", Queue: "general", Text: "9 times."})
	eventually(t, "it stands again", func() bool { return w.alerts(sup, "").Standing == 2 })
	if again := w.alerts(sup, "").Alerts[0]; again.ID <= got.ID || again.Count != 1 {
		t.Errorf("raised anew: %+v", again)
	}
}

// Alerts outlive the desk server and a Redis that is away for a while, and a flood
// of them is listed page by page.
func TestAlertsAreNeitherLostNorUnbounded(t *testing.T) {
	w := newWorld(t)
	w.add("sup", func(u *agentdesk.UserSpec) { u.Role = agentdesk.RoleSupervisor })
	sup := cookie(t, w, "sup")
	w.redis.Pause()
	const n = 450
	for i := range n {
		w.raise(routing.Alert{Code: "waits_for_anyone_able", Contact: contact.ID(fmt.Sprintf("C%03d", i)), Text: "It waits."})
	}
	w.redis.Resume()
	eventually(t, "all are kept", func() bool { return w.alerts(sup, "").Standing == n })
	seen := map[contact.ID]bool{}
	for query := ""; ; {
		l := w.alerts(sup, query)
		for _, a := range l.Alerts {
			seen[a.Contact] = true
		}
		if l.Before == 0 {
			break
		}
		query = fmt.Sprintf("?before=%d", l.Before)
	}
	if len(seen) != n {
		t.Errorf("%d of %d were listed", len(seen), n)
	}
}

// Two supervisors acknowledge at once: one of them did.
func TestOneAcknowledgementCounts(t *testing.T) {
	w := newWorld(t)
	w.add("sup", func(u *agentdesk.UserSpec) { u.Role = agentdesk.RoleSupervisor })
	sup := cookie(t, w, "sup")
	w.raise(routing.Alert{Code: "surge_gone", Text: "Gone."})
	eventually(t, "it is listed", func() bool { return w.alerts(sup, "").Standing == 1 })
	path := fmt.Sprintf("/api/alerts/%d/ack", w.alerts(sup, "").Alerts[0].ID)
	var mu sync.Mutex
	var work sync.WaitGroup
	got := map[int]int{}
	for range 8 {
		work.Go(func() {
			status, _ := w.ask(sup, "POST", path, "{}")
			mu.Lock()
			got[status]++
			mu.Unlock()
		})
	}
	work.Wait()
	if got[200] != 1 || got[409] != 7 {
		t.Errorf("answers: %v", got)
	}
}

// What was written about a contact goes with it; the ledger of alerts stays.
func TestNotesOfAlertsGoWithTheirContact(t *testing.T) {
	w := newWorld(t)
	w.add("sup", func(u *agentdesk.UserSpec) { u.Role = agentdesk.RoleSupervisor })
	sup := cookie(t, w, "sup")
	for _, id := range []contact.ID{"C1", "C2"} {
		w.raise(routing.Alert{Code: "contact_not_taken", Contact: id, Queue: "general", Text: "3 times."})
	}
	eventually(t, "both are listed", func() bool { return w.alerts(sup, "").Standing == 2 })
	for n := 1; n <= 2; n++ {
		if code, text := w.ask(sup, "POST", fmt.Sprintf("/api/alerts/%d/ack", n), `{"note":"Spoke to the sister"}`); code != 200 {
			t.Fatalf("acknowledge: %d %s", code, text)
		}
	}
	forget := agentdesk.ForgetNotes(w.redis.Client())
	for range 2 {
		must(t, forget(t.Context(), "C1"))
	}
	for _, a := range w.alerts(sup, "?state=acknowledged").Alerts {
		if (a.Note == "") != (a.Contact == "C1") || a.AcknowledgedBy != "sup" || a.AcknowledgedAt == 0 {
			t.Errorf("after C1 was erased: %+v", a)
		}
	}
}
