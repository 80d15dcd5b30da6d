package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/routing"
)

// What must appear neither in what c3i prints nor in the journal.
const (
	secretNote    = "Garnet brooch missing from the sideboard"
	secretName    = "Wilhelmina Testcaller"
	secretRemarks = "Keeps the spare key under the urn"
)

// spellings are the ways a national number may be written.
func spellings(number string) []string {
	n := strings.TrimPrefix(number, "0")
	return []string{number, "+44" + n, "44" + n, "0044" + n, number[:5] + " " + number[5:], number[:3] + " " + number[3:7] + " " + number[7:], n}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{
		Config: phonesFor("h1"), Args: []string{"--log.level", "debug", "--log.format", "json"},
	})
	h1 := newHandler(t, s, "h1", "crime-desk")
	ctx := limit(t, 2*time.Minute)
	h1.ready()

	// An answered call with note and person, in both spellings, one abandoned in
	// the flow, and one nobody could be rung for.
	const number = "07700900447"
	for _, from := range []string{number, "+44" + number[1:]} {
		call := ring(t, s, from, "11")
		rang, w := h1.answer()
		converse(t, call, rang)
		_, err := h1.desk.SaveNote(ctx, w.Contact, secretNote, 0)
		must(t, "save a note", err)
		_, err = h1.desk.SavePerson(ctx, w.Contact, agentdesk.Person{Name: secretName, Numbers: []string{number}, Remarks: secretRemarks})
		must(t, "save a person", err)
		must(t, "keypad", h1.desk.Control(ctx, w.Contact, routing.VerbDTMF, "7"))
		hangUp(t, call)
		h1.wrapUp()
	}
	hangUp(t, ring(t, s, number, "1"))
	must(t, "unregister", h1.line.Unregister(ctx))
	call := ring(t, s, number, "11")
	inState(t, s, "waiting", 1)
	must(t, "see that the phone is gone", h1.desk.Wait(ctx, func(d agentdesk.Desk) bool { return !d.Me.DeviceUp }))
	hangUp(t, call)
	s.AwaitNoCalls(s.ARI())

	secrets := append(spellings(number), secretNote, secretName, secretRemarks, "Wilhelmina", "brooch", phonePassword("h1"))
	records, err := s.Redis().XRange(ctx, "{journal}:stream", "-", "+").Result()
	must(t, "read the journal", err)
	if len(records) < 20 {
		t.Errorf("only %d journal records", len(records))
	}
	for _, r := range records {
		text := fmt.Sprint(r.Values)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("journal record %s holds %q: %.300s", r.ID, secret, text)
			}
		}
	}

	out := s.Output()
	lines, contacts, arrived := 0, map[string]map[string]bool{}, 0
	for line := range strings.Lines(out) {
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("printed %q in: %s", secret, line)
			}
		}
		if !strings.HasPrefix(line, "{") {
			continue // what people read at the start
		}
		lines++
		var e struct {
			Level, Message, Part, Contact string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("not JSON: %s", line)
			continue
		}
		if e.Message == "call arrived" {
			arrived++
		}
		if e.Contact != "" {
			if contacts[e.Contact] == nil {
				contacts[e.Contact] = map[string]bool{}
			}
			contacts[e.Contact][e.Message] = true
		}
	}
	if lines < 20 {
		t.Errorf("only %d log lines at level debug", lines)
	}
	// One correlation id per contact, from arrival to end.
	if arrived != 4 || len(contacts) != 4 {
		t.Errorf("%d calls arrived, %d contacts in the log", arrived, len(contacts))
	}
	for id, said := range contacts {
		if !said["call arrived"] || !said["call ended"] {
			t.Errorf("contact %s has only %v", id, said)
		}
	}
}

// What is written on every channel is neither printed, at level debug, nor in the
// journal, nor in the address of a page or of anything a page asks for.
func TestNothingPersonalOfWhatIsWrittenIsLogged(t *testing.T) {
	s := harness.Start(t, harness.Options{Args: []string{"--log.level", "debug", "--log.format", "json"}})
	const address, name, subject, text = "wilhelmina.testwriter@example.org", "Wilhelmina Testwriter", "A garnet brooch", "The brooch lay on the sideboard."
	session, desk := writingDesk(t, s, "h1", "crime-desk")
	tab := readyForNothing(t, s, "handler1")
	ctx := limit(t, 4*time.Minute)
	post(t, s.SMTP, letter{from: address, name: name, id: "private@example.org", subject: subject, text: text, photo: true})
	w := offered(t, desk, "the mail", func(w workItem) bool { return w.Written.Subject == subject })
	must(t, "take it", desk.Accept(ctx, w.Offer))
	_, err := desk.SavePerson(ctx, w.Contact, agentdesk.Person{Name: name, Emails: []string{address}})
	must(t, "save a person", err)
	const answer = "Thank you for the description of the clasp."
	sent, err := desk.SendMessage(ctx, w.Contact, "private-key-1", agentdesk.Draft{To: w.Written.ReplyTo, Subject: "Re: " + subject, Text: answer, InReplyTo: w.Written.Messages[0].ID})
	must(t, "send an answer", err)
	if sent.ID == "" {
		t.Error("nothing was sent")
	}
	file, err := session.File(ctx, w.Written.Messages[0].Attachments[0].URL, "")
	must(t, "open the photograph", err)
	_ = file.Body.Close()
	public := harness.Chromium(t, 0).Open("public", s.URL+"/report")
	reference, secret := reportOnTheWeb(t, public, "web-private", false)
	follow(t, public, s, reference, secret)
	public.WaitText("Where it stands")
	tab.Alt("l")
	tab.Fill("Look up", address)
	tab.Until("find her", `[...document.querySelectorAll('.app-hit')].some(h => h.textContent.includes('Wilhelmina'))`)
	harness.Await(t, "the web report to be a contact", time.Minute, func() bool { return len(s.Ledger().On(contact.Web)) == 1 })
	must(t, "close it", desk.CloseContact(ctx, w.Contact, contact.Outcome{Code: "advice_given"}))

	secrets := []string{
		address, "testwriter", "Wilhelmina", "garnet", "brooch", "sideboard", "clasp", "window.png", "window.jpg", secret,
		"sam@example.org", "window was broken", "A window was", "7700900123", "7700 900123",
	}
	holds := func(where, text string) {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s holds %q: %.300s", where, secret, text)
			}
		}
	}
	records, err := s.Redis().XRange(ctx, "{journal}:stream", "-", "+").Result()
	must(t, "read the journal", err)
	for _, r := range records {
		holds("a journal record", fmt.Sprint(r.Values))
	}
	lines := 0
	for line := range strings.Lines(s.Output()) {
		if strings.HasPrefix(line, "{") {
			lines++
		}
		holds("what is printed", line)
	}
	if lines < 5 || len(records) < 10 {
		t.Errorf("only %d log lines and %d journal records", lines, len(records))
	}
	for _, page := range []*harness.Tab{tab, public} {
		var asked []string
		page.Evaluate(`[location.href, ...performance.getEntriesByType('resource').map(e => e.name)]`, &asked)
		for _, url := range asked {
			holds("the address", url)
		}
	}
	_, metrics := s.Get("/metrics")
	holds("the metrics", metrics)
}

// readyForNothing opens a desk that is offered nothing.
func readyForNothing(t *testing.T, s *harness.System, user string) *harness.Tab {
	t.Helper()
	tab := harness.Chromium(t, 0).Open("desk-"+user, s.URL+"/desk")
	tab.SignOn(user, s.Passwords[user], passphrase)
	tab.WaitText("Browser phone ready")
	return tab
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Config: phonesFor("h1", "h2")})
	h1 := newHandler(t, s, "h1", "crime-desk")
	h2 := newHandler(t, s, "h2", "crime-desk")
	ctx := limit(t, time.Minute)
	h1.ready()
	h2.ready()
	call := ring(t, s, "07700900450", "11")
	rang, w := h1.answer()
	// The first who is ready has the call; the other's frames must not touch it.
	other := h2
	other.is(routing.StateReady)

	t.Run("not theirs", func(t *testing.T) {
		for name, err := range map[string]error{
			"control": other.desk.Control(ctx, w.Contact, routing.VerbHangup, ""),
			"close":   other.desk.CloseContact(ctx, w.Contact, contact.Outcome{Code: "advice_given"}),
			"note":    func() error { _, err := other.desk.SaveNote(ctx, w.Contact, "not mine", 0); return err }(),
			"person": func() error {
				_, err := other.desk.SavePerson(ctx, w.Contact, agentdesk.Person{Name: "Not Theirs"})
				return err
			}(),
			"decline": other.desk.Decline(ctx, w.Offer, ""),
		} {
			if refused := (*agentdesk.Error)(nil); !errors.As(err, &refused) {
				t.Errorf("%s: %v, want a refusal", name, err)
			}
		}
	})
	for name, c := range map[string]struct {
		frame []byte
		code  int
	}{
		"not JSON":      {[]byte("not json"), agentdesk.CloseBadFrame},
		"hello missing": {[]byte(`{"id":1,"type":"state.set","body":{"state":"ready"}}`), agentdesk.CloseBadFrame},
		"unknown first": {[]byte(`{"id":1,"type":"no.such.type"}`), agentdesk.CloseBadFrame},
		"too large":     {[]byte(`{"id":1,"type":"hello","body":{"tab":"` + strings.Repeat("x", agentdesk.MaxFrame) + `"}}`), agentdesk.CloseTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			ws, resp, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/ws", other.session.Header())
			must(t, "connect", err)
			defer resp.Body.Close()
			defer ws.Close()
			must(t, "send", ws.WriteMessage(websocket.TextMessage, c.frame))
			must(t, "deadline", ws.SetReadDeadline(time.Now().Add(10*time.Second)))
			for err == nil {
				_, _, err = ws.ReadMessage()
			}
			if !websocket.IsCloseError(err, c.code) {
				t.Errorf("closed with %v, want code %d", err, c.code)
			}
		})
	}
	t.Run("nobody signed on", func(t *testing.T) {
		ws, resp, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/ws", nil)
		if err == nil {
			ws.Close()
			t.Fatal("a stranger opened a desk")
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
	converse(t, call, rang)
	hangUp(t, call)
	h1.wrapUp()
	s.AwaitNoCalls(s.ARI())
}
