package email_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"example.org/c3i/crm"
	"example.org/c3i/intake/email"
)

// relay is a mail server that takes what is sent, or answers with an error.
type relay struct {
	mu   sync.Mutex
	got  []string
	fail map[string]*smtp.SMTPError // by recipient
	// requires tells that the last sender wanted encryption for the rest of the way.
	requires bool
}

func (r *relay) NewSession(*smtp.Conn) (smtp.Session, error) { return &relaySession{r: r}, nil }

type relaySession struct {
	r  *relay
	to []string
}

func (s *relaySession) Reset()        { s.to = nil }
func (s *relaySession) Logout() error { return nil }
func (s *relaySession) Mail(_ string, o *smtp.MailOptions) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.requires = o.RequireTLS
	return nil
}

func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if e := s.r.fail[to]; e != nil {
		if e.Code < 500 {
			delete(s.r.fail, to) // the next attempt succeeds
		}
		return e
	}
	s.to = append(s.to, to)
	return nil
}

func (s *relaySession) Data(body io.Reader) error {
	_, err := io.ReadAll(body)
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.got = append(s.r.got, s.to...)
	return err
}

func (r *relay) start(t *testing.T, config *tls.Config) string {
	t.Helper()
	return r.startAs(t, config, func(*smtp.Server) {})
}

func (r *relay) startAs(t *testing.T, config *tls.Config, change func(*smtp.Server)) string {
	t.Helper()
	s := smtp.NewServer(r)
	s.Domain, s.TLSConfig = "relay", config
	change(s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = s.Serve(l); close(ended) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String()
}

func outgoing(w *world, to ...string) email.Outgoing {
	w.take(mail("o@example.org", "Question", "When do you open?"), "lost") // no receipt there
	w.work()
	o := email.Outgoing{Contact: w.router.contacts()[0].Contact, From: "101", Subject: "Hours", Text: "At nine.", Author: "handler1", Key: "k"}
	for _, a := range to {
		o.To = append(o.To, crm.Mailbox{Address: a})
	}
	return o
}

func (w *world) delivered(o email.Outgoing) crm.Delivery {
	w.t.Helper()
	m, err := w.outbox.Send(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.work()
	m, err = w.store.Message(w.t.Context(), m.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return m.Delivery
}

func TestATemporaryRefusalIsTriedAgainAndNobodyGetsItTwice(t *testing.T) {
	r := &relay{fail: map[string]*smtp.SMTPError{"b@example.org": {Code: 451, Message: "try later"}}}
	address := r.start(t, nil)
	w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
		o.Transport = email.SmartHost{Routes: []email.Route{{Host: address, TLS: email.TLSNone}}}
	})
	d := w.delivered(outgoing(w, "a@example.org", "b@example.org"))
	if d.State != crm.DeliveryDelivered || strings.Join(r.got, " ") != "a@example.org b@example.org" {
		t.Errorf("%+v; taken for %v", d, r.got)
	}
}

func TestAPermanentRefusalIsShownAndIsATask(t *testing.T) {
	r := &relay{fail: map[string]*smtp.SMTPError{"gone@example.org": {Code: 550, Message: "no such user"}}}
	address := r.start(t, nil)
	w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
		o.Transport = email.SmartHost{Routes: []email.Route{{Host: address, TLS: email.TLSNone}}}
	})
	d := w.delivered(outgoing(w, "gone@example.org"))
	tasks, err := w.store.Tasks(t.Context(), crm.TaskQuery{Owner: "handler1"})
	if d.State != crm.DeliveryPermanent || !strings.Contains(d.Detail, "no such user") || err != nil || len(tasks) != 1 {
		t.Errorf("%+v; tasks %+v, %v", d, tasks, err)
	}
}

func TestWithoutTrustedTLSNothingIsSentAndAPersonKnows(t *testing.T) {
	cert, _ := certificate(t)
	for name, config := range map[string]*tls.Config{"no TLS": nil, "a certificate nobody vouches for": {Certificates: []tls.Certificate{cert}}} {
		t.Run(name, func(t *testing.T) {
			r := &relay{}
			address := r.start(t, config)
			w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
				o.Transport = email.SmartHost{Routes: []email.Route{{Host: address, TLS: email.TLSVerified}}}
			})
			d := w.delivered(outgoing(w, "a@example.org"))
			tasks, err := w.store.Tasks(t.Context(), crm.TaskQuery{Owner: "handler1"})
			if d.State != crm.DeliveryPermanent || len(r.got) != 0 || err != nil || len(tasks) != 1 {
				t.Errorf("%+v; taken for %v; tasks %+v, %v", d, r.got, tasks, err)
			}
		})
	}
}

func TestOverTrustedTLSItIsSent(t *testing.T) {
	cert, pool := certificate(t)
	r := &relay{}
	address := r.start(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
		o.Transport = email.SmartHost{Routes: []email.Route{{Host: address, TLS: email.TLSVerified}}, TLS: &tls.Config{RootCAs: pool}}
	})
	if d := w.delivered(outgoing(w, "a@example.org")); d.State != crm.DeliveryDelivered || len(r.got) != 1 {
		t.Errorf("%+v; taken for %v", d, r.got)
	}
}

func TestNoHeaderCanBeInjected(t *testing.T) {
	w := newWorld(t)
	o := outgoing(w, "a@example.org")
	o.Subject = "Hi\r\nBcc: evil@example.com\r\n\r\nbody"
	o.To[0].Name = "A\r\nBcc: evil@example.com"
	if d := w.delivered(o); d.State != crm.DeliveryDelivered {
		t.Fatalf("%+v", d)
	}
	sent := w.sent()[0]
	head, _, _ := strings.Cut(sent, "\r\n\r\n")
	if strings.Contains(strings.ToLower(head), "\r\nbcc:") || parse(t, sent).Text != "At nine." {
		t.Errorf("went out as\n%s", sent)
	}
	for _, bad := range []string{"a@example.org\r\nRCPT TO:<evil@example.com>", "a b@example.org", "@example.org", "a", "a@b>c"} {
		o := o
		o.Key, o.To = bad, []crm.Mailbox{{Address: bad}}
		if _, err := w.outbox.Send(t.Context(), o); !errors.Is(err, email.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", bad, err)
		}
	}
}

func TestAnOutboxKilledAfterKeepingAMessageSendsItOnce(t *testing.T) {
	w := newWorld(t)
	o := outgoing(w, "a@example.org")
	killed := errors.New("killed")
	w.outbox.CrashAt("kept", killed)
	if _, err := w.outbox.Send(t.Context(), o); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	w.outbox.CrashAt("", nil)
	first, err := w.outbox.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.work()
	again, err := w.outbox.Send(t.Context(), o)
	if err != nil || again.ID != first.ID {
		t.Errorf("%s and %s, %v", first.ID, again.ID, err)
	}
	w.work()
	out := 0
	for _, m := range w.messages(o.Contact) {
		if m.Direction == crm.Outgoing {
			out++
		}
	}
	if out != 1 || len(w.sent()) != 1 {
		t.Errorf("%d messages filed, %d sent; want one of each", out, len(w.sent()))
	}
}
