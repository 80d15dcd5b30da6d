package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/routing"
)

const ourAddress = "101@police.example.org"

// letter is a message somebody writes.
type letter struct {
	from, name, subject, text string
	id                        string // without angle brackets
	references                string
	photo                     bool
}

// raw is the letter as it travels.
func (l letter) raw() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: %s <%s>", l.name, l.from)
	line("To: <%s>", ourAddress)
	line("Subject: %s", l.subject)
	line("Date: %s", time.Now().Format(time.RFC1123Z))
	line("Message-ID: <%s>", l.id)
	if l.references != "" {
		at := strings.Fields(l.references)
		line("In-Reply-To: %s", at[len(at)-1])
		line("References: %s", l.references)
	}
	line("MIME-Version: 1.0")
	if !l.photo {
		line("Content-Type: text/plain; charset=utf-8\r\n")
		line("%s", l.text)
		return []byte(b.String())
	}
	// As telephones send them: the photograph stands between the lines.
	line("Content-Type: multipart/alternative; boundary=either\r\n")
	line("--either\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", l.text)
	line("--either\r\nContent-Type: multipart/related; type=\"text/html\"; boundary=part\r\n")
	line("--part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body dir=auto>%s<div><img src=\"cid:window@phone\"></div></body></html>", html.EscapeString(l.text))
	line("--part\r\nContent-Type: image/png; name=window.png\r\nContent-Disposition: inline; filename=window.png\r\nContent-Transfer-Encoding: base64\r\nContent-Id: <window@phone>\r\n")
	for text := base64.StdEncoding.EncodeToString(photographPNG()); text != ""; {
		n := min(76, len(text))
		line("%s", text[:n])
		text = text[n:]
	}
	line("--part--\r\n--either--")
	return []byte(b.String())
}

// post hands a letter to a mail server over SMTP.
func post(t *testing.T, server string, l letter) {
	t.Helper()
	must(t, "send a mail", smtp.SendMail(server, nil, l.from, []string{ourAddress}, l.raw()))
}

// letterBox is where people get our mail: an LMTP server that keeps what a Postfix
// hands it.
type letterBox struct {
	addr string
	mu   sync.Mutex
	got  []*mail.Message
	text []string
}

type letterSession struct{ box *letterBox }

func (s letterSession) Mail(string, *gosmtp.MailOptions) error { return nil }
func (s letterSession) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (s letterSession) Reset()                                 {}
func (s letterSession) Logout() error                          { return nil }
func (s letterSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.got, s.box.text = append(s.box.got, m), append(s.box.text, string(raw))
	return nil
}

func newLetterBox(t *testing.T) *letterBox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, "listen for mail", err)
	box := &letterBox{addr: l.Addr().String()}
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return letterSession{box}, nil }))
	server.LMTP, server.Domain = true, "people.example.org"
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return box
}

// await waits for the n-th message that came, counted from 1.
func (b *letterBox) await(t *testing.T, n int) (*mail.Message, string) {
	t.Helper()
	harness.Await(t, fmt.Sprintf("%d messages in the letter box", n), 60*time.Second, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.got) >= n
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got[n-1], b.text[n-1]
}

// plainText is a message's text, decoded where it is one part.
func plainText(raw string) string {
	if strings.Contains(strings.ToLower(raw), "content-transfer-encoding: base64") {
		_, body, _ := strings.Cut(raw, "\r\n\r\n")
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), "")); err == nil {
			return string(b)
		}
	}
	return strings.ReplaceAll(raw, "=\r\n", "")
}

// writingDesk signs a handler on who takes what was written, ready.
func writingDesk(t *testing.T, s *harness.System, name, profile string) (*deskclient.Session, *deskclient.Desk) {
	t.Helper()
	return readyDesk(limit(t, time.Minute), t, s, name, s.AddUser(name, profile, "browser"))
}

// readyDesk signs on, opens the desk and is ready.
func readyDesk(ctx context.Context, t *testing.T, s *harness.System, name, password string) (*deskclient.Session, *deskclient.Desk) {
	t.Helper()
	session, err := deskclient.SignOn(ctx, s.URL, name, password)
	must(t, "sign on", err)
	t.Cleanup(session.Close)
	desk, err := session.Open(ctx, deskclient.Options{})
	must(t, "open the desk", err)
	t.Cleanup(desk.Close)
	must(t, "ready", desk.Ready(ctx))
	return session, desk
}

// offered waits until a written contact of which ok holds is offered, with what
// was written.
func offered(t *testing.T, d *deskclient.Desk, what string, ok func(agentdesk.WorkItem) bool) agentdesk.WorkItem {
	t.Helper()
	w, err := d.WaitWork(limit(t, 60*time.Second), func(w agentdesk.WorkItem) bool {
		return w.Phase == routing.PhaseRinging && w.Written != nil && len(w.Written.Messages) > 0 && ok(w)
	})
	if err != nil {
		t.Fatalf("%s is not offered: %v; in hand: %+v", what, err, d.State().Work)
	}
	return w
}

type workItem = agentdesk.WorkItem

// readyFor signs on and goes ready where something waits: it is offered at once.
func readyFor(t *testing.T, s *harness.System, user, subject string) *harness.Tab {
	t.Helper()
	tab := harness.Chromium(t, 0).Open("desk-"+user, s.URL+"/desk")
	tab.SignOn(user, s.Passwords[user], passphrase)
	tab.WaitText("Browser phone ready")
	tab.Press("Ready")
	tab.WaitText(subject)
	tab.WaitButton("Take it")
	return tab
}

// standingAlert waits for an alert as a supervisor sees it.
func standingAlert(t *testing.T, s *harness.System, code string) agentdesk.Alert {
	t.Helper()
	s.ChangePassword("manager", s.Passwords["manager"], passphrase)
	ctx := limit(t, time.Minute)
	session, err := deskclient.SignOn(ctx, s.URL, "manager", passphrase)
	must(t, "sign the manager on", err)
	t.Cleanup(session.Close)
	var found agentdesk.Alert
	harness.Await(t, "alert "+code, time.Minute, func() bool {
		var list agentdesk.AlertList
		must(t, "list the alerts", session.Call(ctx, "GET", "/api/alerts", nil, &list))
		for _, a := range list.Alerts {
			if a.Code == code {
				found = a
			}
		}
		return found.Code != ""
	})
	return found
}
