package e2e

import (
	"fmt"
	"net/smtp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/harness"
	"example.org/c3i/routing"
)

// c3i is killed while mails come in a burst: each that was answered with 250, and
// the web report that was confirmed, is there once, and what waited or was in hand
// before still is.
func TestNothingAcceptedIsLostToAKill(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	session, desk := writingDesk(t, s, "h1", "crime-desk")
	ctx := limit(t, 4*time.Minute)
	write := func(subject string) letter {
		return letter{from: subject + "@example.org", name: "Ana", id: fmt.Sprintf("%s@example.org", subject), subject: subject, text: "When is the front desk open?"}
	}
	post(t, s.SMTP, write("in-hand"))
	inHand := offered(t, desk, "the first", func(w workItem) bool { return w.Written.Subject == "in-hand" })
	must(t, "take it", desk.Accept(ctx, inHand.Offer))
	must(t, "not ready", desk.NotReady(ctx, "break"))
	post(t, s.SMTP, write("waiting"))
	harness.Await(t, "the second to wait", time.Minute, func() bool { return len(s.Ledger().Open) == 2 })

	public := harness.Chromium(t, 0).Open("public", s.URL+"/report")
	reference, secret := reportOnTheWeb(t, public, "web-before-the-kill", false)

	var accepted sync.Map
	var n atomic.Int32
	enough := make(chan struct{})
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for j := range 500 {
				l := write(fmt.Sprintf("burst-%d-%d", i, j))
				if smtp.SendMail(s.SMTP, nil, l.from, []string{ourAddress}, l.raw()) != nil {
					return // killed
				}
				accepted.Store(l.subject, true)
				if n.Add(1) == 60 {
					close(enough)
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(2 * time.Minute):
		t.Fatal("no 60 mails were accepted within two minutes")
	}
	s.Kill()
	senders.Wait()
	desk.Close()
	session.Close()
	accepted.Store("in-hand", true)
	accepted.Store("waiting", true)
	s.Restart()

	// Once each, whatever was on its way.
	count := func() map[string]int {
		got := map[string]int{}
		for _, a := range s.Ledger().On(contact.Email) {
			got[s.Redis().HGet(ctx, "{c:"+string(a.Contact)+"}", "subject").Val()]++
		}
		return got
	}
	var missing []string
	harness.Await(t, "every accepted mail to be a contact", 2*time.Minute, func() bool {
		got := count()
		missing = missing[:0]
		accepted.Range(func(subject, _ any) bool {
			if got[subject.(string)] == 0 {
				missing = append(missing, subject.(string))
			}
			return true
		})
		return len(missing) == 0
	})
	for subject, times := range count() {
		if times != 1 {
			t.Errorf("%s is there %d times", subject, times)
		}
	}
	t.Logf("%d mails were accepted before the kill", n.Load())
	if web := s.Ledger().On(contact.Web); len(web) != 1 {
		t.Errorf("the web report is %d contacts", len(web))
	}
	follow(t, public, s, reference, secret)
	public.WaitText("Where it stands")

	session, err := deskclient.SignOn(ctx, s.URL, "h1", passphrase)
	must(t, "sign on again", err)
	t.Cleanup(session.Close)
	desk, err = session.Open(ctx, deskclient.Options{})
	must(t, "open the desk again", err)
	t.Cleanup(desk.Close)
	back, err := desk.WaitWork(ctx, func(w agentdesk.WorkItem) bool { return w.Contact == inHand.Contact && w.Written != nil })
	if err != nil || back.Phase != routing.PhaseTalking {
		t.Fatalf("what was in hand came back as %+v (%v)", back, err)
	}
	must(t, "close it", desk.CloseContact(ctx, back.Contact, contact.Outcome{Code: "advice_given"}))
	must(t, "ready", desk.Ready(ctx))
	next := offered(t, desk, "what waited", func(w workItem) bool { return w.Written.Subject == "waiting" })
	must(t, "take it", desk.Accept(ctx, next.Offer))
	must(t, "close it", desk.CloseContact(ctx, next.Contact, contact.Outcome{Code: "advice_given"}))
}
