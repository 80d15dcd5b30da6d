package email_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/c3i/e2e/mailserver"
	"example.org/c3i/intake/email"
	"example.org/c3i/intake/inbox"
)

// until waits for something that other programs bring about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// running works the inbox in the background.
func (w *world) running() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.inbox.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Email: w.worker}) })
	wg.Go(func() { w.outbox.Run(ctx) })
	w.t.Cleanup(func() { cancel(); wg.Wait() })
}

func TestPostfixHandsOverByLMTPAndKeepsWhatWeCannotTakeYet(t *testing.T) {
	w := newWorld(t)
	lmtp := w.listen(func(o *email.ReceiverOptions) { o.LMTP = true })
	postfix := mailserver.StartPostfix(t, "police.example.org", lmtp)
	w.running()
	put := func(n int) {
		t.Helper()
		c, err := smtp.Dial(postfix.SMTP)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		raw := mail(fmt.Sprintf("pf%d@example.org", n), fmt.Sprintf("Matter %d", n), fmt.Sprintf("My bicycle number %d", n))
		if err := c.SendMail("alex@example.org", []string{"101@police.example.org"}, strings.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
	}
	put(1)
	until(t, "the first message arrives", func() bool { return len(w.router.contacts()) == 1 })
	w.server.Stop() // Redis is away: Postfix is told to try again, and does
	put(2)
	w.server.Start()
	until(t, "the second message arrives", func() bool { return len(w.router.contacts()) == 2 })
}

func TestAMailboxIsReadByIMAPAndNothingInItIsTouched(t *testing.T) {
	w := newWorld(t)
	dovecot := mailserver.StartDovecot(t)
	w.running()
	dovecot.Deliver(mail("old@example.org", "Old", "It lay there before"))
	start := func() (stop func()) {
		r := email.Reader{
			Account: email.Account{
				Name: "main", Host: dovecot.IMAP, TLS: "none", Username: dovecot.User, Password: dovecot.Password, Mailbox: "101", Existing: true,
			},
			Gate: w.gate, Threads: w.threads, Watch: time.Minute,
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { r.Run(ctx); close(ended) }()
		return func() { cancel(); <-ended }
	}
	stop := start()
	until(t, "what lay there is read", func() bool { return len(w.router.contacts()) == 1 })
	dovecot.Deliver(mail("new@example.org", "New", "It came while we watched"))
	until(t, "IDLE tells of a new message, long before the watchdog", func() bool { return len(w.router.contacts()) == 2 })

	// The server is away; mail comes meanwhile.
	dovecot.Stop()
	dovecot.Deliver(mail("away1@example.org", "Away", "It came while the server was away"))
	dovecot.Deliver(mail("", "Away too", "This one has no id"))
	dovecot.Start()
	until(t, "what came meanwhile is read", func() bool { return len(w.router.contacts()) == 4 })

	// We are away, then the server numbers everything anew.
	stop()
	dovecot.Stop()
	dovecot.Deliver(mail("late@example.org", "Late", "It came while we were away"))
	dovecot.Renumber()
	dovecot.Start()
	stop = start()
	until(t, "what came while we were away is read", func() bool { return len(w.router.contacts()) == 5 })
	stop()
	if n := len(w.router.contacts()); n != 5 {
		t.Errorf("%d contacts after everything was numbered anew, want 5", n)
	}
	for _, f := range dovecot.Files() {
		if _, flags, ok := strings.Cut(f, ":2,"); ok && flags != "" {
			t.Errorf("a message was flagged: %s", f)
		}
	}
	if n := len(dovecot.Files()); n != 5 {
		t.Errorf("%d messages in the mailbox, want 5", n)
	}
}
