package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/e2e/mailserver"
)

// fits fails when the page scrolls sideways at 320 px, and goes back to its size.
func fits(t *testing.T, tab *harness.Tab, name string) {
	t.Helper()
	tab.Resize(320, 720)
	var wide int
	tab.Evaluate(`document.documentElement.scrollWidth`, &wide)
	if wide > 320 {
		t.Errorf("%s scrolls sideways at 320 px: it is %d wide", name, wide)
	}
	tab.Screenshot(name + "-320.png")
	tab.Resize(1280, 720)
}

// looks keeps a picture of a desk page, checks it with axe and at 320 px.
func looks(t *testing.T, tab *harness.Tab, name string) {
	t.Helper()
	tab.Screenshot(name + ".png")
	axe(t, tab, name, true)
	fits(t, tab, name)
}

// An e-mail with a photograph, from the sender's mail program to the outcome, and
// the answer back through a real mail server.
func TestAnEMailIsTakenAnsweredAndContinued(t *testing.T) {
	box := newLetterBox(t)
	postfix := mailserver.StartPostfix(t, "people.example.org", box.addr)
	s := harness.Start(t, harness.Options{Config: fmt.Sprintf("mail:\n  routes:\n    - {host: %q, tls: none}\n", postfix.SMTP)})
	desk := deskTab(t, s, "handler1")

	first := letter{
		from: "sam@people.example.org", name: "Sam Example", id: "first@people.example.org", photo: true,
		subject: "My bicycle was stolen", text: "It was locked to the railings outside the library. Here is a photograph of the lock.",
	}
	post(t, s.SMTP, first)

	// The receipt, and the offer.
	receipt, raw := box.await(t, 1)
	if receipt.Header.Get("In-Reply-To") != "<first@people.example.org>" || receipt.Header.Get("Auto-Submitted") != "auto-replied" {
		t.Errorf("the receipt is not an automatic answer to the message:\n%s", raw)
	}
	desk.WaitText("My bicycle was stolen")
	looks(t, desk, "desk-mail-offered")
	desk.Alt("a")
	desk.WaitText("It was locked to the railings")
	desk.WaitText("window.png")
	desk.WaitText("Send")
	looks(t, desk, "desk-mail-taken")
	// The photograph is drawn when the handler asks for it.
	desk.Press("Show")
	desk.Until("draw the photograph", `[...document.querySelectorAll('img')].some((i) => i.alt.includes('window.png') && i.complete && i.naturalWidth === 640)`)
	looks(t, desk, "desk-mail-photograph")
	desk.Press("Hide")
	desk.Press("As laid out")
	desk.Until("lay the message out", `document.querySelector('iframe.app-message__html') !== null`)
	looks(t, desk, "desk-mail-laid-out")
	desk.Press("As text")

	// A report is made of it.
	desk.Alt("g")
	desk.Choose("What it is about", "Bicycle theft")
	looks(t, desk, "desk-mail-new-report")
	desk.Press("Make the report")
	desk.WaitText("Assessment and grade")
	looks(t, desk, "desk-mail-report")

	// The answer is typed and sent from the keyboard.
	desk.Alt("w")
	desk.Until("be at the answer", `document.activeElement?.id === 'reply'`)
	desk.Keys("Thank you. Do you know the frame number?")
	desk.Alt("s")
	desk.WaitText("Taken by the next mail server")
	answer, raw := box.await(t, 2)
	if got := answer.Header.Get("In-Reply-To"); got != "<first@people.example.org>" {
		t.Errorf("the answer is In-Reply-To %q", got)
	}
	if !strings.Contains(answer.Header.Get("References"), "<first@people.example.org>") || !strings.Contains(answer.Header.Get("To"), "sam@people.example.org") {
		t.Errorf("the answer is not threaded or not to the sender:\n%s", raw)
	}
	if !strings.Contains(plainText(raw), "Do you know the frame number?") {
		t.Errorf("the answer does not hold what was typed:\n%s", raw)
	}
	if !strings.Contains(answer.Header.Get("Subject"), "My bicycle was stolen") {
		t.Errorf("the answer's subject is %q", answer.Header.Get("Subject"))
	}
	looks(t, desk, "desk-mail-answered")

	// The sender answers while the contact is open: it joins at once.
	references := "<first@people.example.org> " + answer.Header.Get("Message-ID")
	post(t, s.SMTP, letter{from: first.from, name: first.name, id: "second@people.example.org", subject: answer.Header.Get("Subject"), references: references, text: "It is WBK1234567."})
	desk.WaitText("It is WBK1234567.")
	if n := len(s.Ledger().On(contact.Email)); n != 1 {
		t.Errorf("%d contacts after an answer in an open one", n)
	}

	// The outcome ends it.
	desk.Choose("Outcome", "Crime recorded")
	desk.Press("Finish")
	desk.WaitText("You are ready")

	// What comes after is a contact of its own in the same thread, for whoever knows it
	// before somebody who is better at such contacts and is free too.
	writingDesk(t, s, "h2", "crime-desk-polish")
	post(t, s.SMTP, letter{from: first.from, name: first.name, id: "third@people.example.org", subject: answer.Header.Get("Subject"), references: references, text: "I found it again, thank you."})
	desk.WaitButton("Take it")
	desk.WaitText("I found it again")
	desk.WaitText("It is WBK1234567.")
	desk.Screenshot("desk-mail-again.png")
	mails := s.Ledger().On(contact.Email)
	if len(mails) != 2 || mails[1].Facts.Preferred != "handler1" {
		t.Fatalf("the second contact is %+v", mails)
	}
	threads := make([]string, 2)
	for i, m := range mails {
		threads[i] = s.Redis().HGet(t.Context(), "{c:"+string(m.Contact)+"}", "thread").Val()
	}
	if threads[0] == "" || threads[0] != threads[1] {
		t.Errorf("the threads are %q", threads)
	}
	desk.Alt("a")
	desk.WaitText("Put aside")
	desk.Choose("Outcome", "Answered in writing")
	desk.Press("Finish")
	desk.WaitText("You are ready")
	l := s.Ledger()
	for _, m := range mails {
		if e := l.Endings[m.Contact]; len(e) != 1 || e[0] != contact.Answered {
			t.Errorf("contact %s ended %v", m.Contact, e)
		}
	}
	// An answer in a thread has no second receipt.
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.got) != 2 {
		t.Errorf("%d messages were sent, want a receipt and an answer", len(box.got))
	}
}

// Mail that a Postfix hands over by LMTP, and mail that lies in a Dovecot's mailbox,
// both reach the desk.
func TestMailByLMTPAndIMAPReachesTheDesk(t *testing.T) {
	dovecot := mailserver.StartDovecot(t)
	s := harness.Start(t, harness.Options{
		Args: []string{"--mail.lmtp_listen", "127.0.0.1:0"},
		Config: fmt.Sprintf("mail:\n  imap:\n    - {name: old, host: %q, tls: none, username: %s, password: %s, mailbox: \"101\", existing: true}\n",
			dovecot.IMAP, dovecot.User, dovecot.Password),
	})
	postfix := mailserver.StartPostfix(t, "police.example.org", s.LMTP)
	_, desk := writingDesk(t, s, "h1", "crime-desk")
	for _, l := range []letter{
		{from: "ana@example.org", name: "Ana", id: "lmtp@example.org", subject: "Handed over by Postfix", text: "Noise in the street every night."},
		{from: "ben@example.org", name: "Ben", id: "imap@example.org", subject: "Read from Dovecot", text: "Noise in the street every night."},
	} {
		if strings.HasPrefix(l.id, "lmtp") {
			post(t, postfix.SMTP, l)
		} else {
			dovecot.Deliver(string(l.raw()))
		}
		w := offered(t, desk, l.subject, func(w workItem) bool { return w.Written.Subject == l.subject })
		if m := w.Written.Messages[0]; m.From.Address != l.from || !strings.Contains(m.Text, "Noise in the street") {
			t.Errorf("the desk shows %+v", m)
		}
		ctx := limit(t, time.Minute)
		must(t, "take it", desk.Accept(ctx, w.Offer))
		must(t, "close it", desk.CloseContact(ctx, w.Contact, contact.Outcome{Code: "advice_given"}))
	}
	if files := dovecot.Files(); len(files) != 1 {
		t.Errorf("the mailbox holds %q: nothing may be deleted", files)
	}
}

// An e-mail whose words suggest a risk to life goes before everything else that
// waits, with the reason, and a supervisor is alerted.
func TestWordsOfRiskGoFirst(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for i := range 3 {
		post(t, s.SMTP, letter{from: "ana@example.org", name: "Ana", id: fmt.Sprintf("calm%d@example.org", i), subject: fmt.Sprintf("Opening hours %d", i), text: "When is the front desk open?"})
	}
	harness.Await(t, "three contacts to wait", time.Minute, func() bool { return len(s.Ledger().Open) == 3 })
	post(t, s.SMTP, letter{from: "cy@example.org", name: "Cy", id: "risk@example.org", subject: "Please help", text: "I am sorry for everything. I want to end my life tonight."})
	harness.Await(t, "the fourth to wait", time.Minute, func() bool { return len(s.Ledger().Open) == 4 })

	desk := readyFor(t, s, "handler1", "Please help")
	desk.WaitText("Somebody may take their own life.")
	desk.WaitText("end my life")
	desk.Until("show the words, not the receipt below them", `(() => { const m = document.querySelector('.app-message:not(.app-message--out)').getBoundingClientRect(), b = document.querySelector('.app-conversation').getBoundingClientRect(); return m.top >= b.top - 1 && m.top < b.bottom; })()`)
	looks(t, desk, "desk-mail-risk")
	risk := s.Ledger().On(contact.Email)[3]
	if risk.Facts.Answers["risk"] != "life" {
		t.Errorf("the facts are %+v", risk.Facts)
	}
	if why := s.Command("why", string(risk.Contact)); !strings.Contains(why, "before everything else") {
		t.Errorf("why says:\n%s", why)
	}
	alert := standingAlert(t, s, "risk_to_life")
	if alert.Contact != risk.Contact || !strings.Contains(alert.Text, "risk to life") {
		t.Errorf("the alert is %+v", alert)
	}
}
