package email_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/c3i/crm/blob"
	"example.org/c3i/intake/email"
)

// listen serves a receiver on loopback.
func (w *world) listen(change func(*email.ReceiverOptions)) string {
	w.t.Helper()
	return w.listenOn(func(l net.Listener) net.Listener { return l }, change)
}

func (w *world) listenOn(as func(net.Listener) net.Listener, change func(*email.ReceiverOptions)) string {
	w.t.Helper()
	o := email.ReceiverOptions{Gate: w.gate, Mailboxes: w.boxes, Domain: "mx.police.example.org"}
	if change != nil {
		change(&o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	r := email.NewReceiver(o)
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(as(l)) }()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Shutdown(ctx)
		if err := <-ended; err != nil {
			w.t.Errorf("Serve = %v", err)
		}
	})
	return l.Addr().String()
}

// certificate makes one for 127.0.0.1 and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func code(err error) int {
	var e *smtp.SMTPError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// send sends over SMTP and returns the code of the refusal, 250 for none.
func send(t *testing.T, address, to, raw string) int {
	t.Helper()
	c, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SendMail("alex@example.org", []string{to}, strings.NewReader(raw)); err != nil {
		return code(err)
	}
	return 250
}

func TestMailIsTakenOverSMTPWithSTARTTLS(t *testing.T) {
	w := newWorld(t)
	cert, pool := certificate(t)
	address := w.listen(func(o *email.ReceiverOptions) { o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
	c, err := smtp.DialStartTLS(address, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	raw := mail("s@example.org", "Over TLS", "My bicycle")
	if err := c.SendMail("alex@example.org", []string{"101+r123@police.example.org", "Found@police.example.org"}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	w.work()
	boxes := map[string]bool{}
	for _, c := range w.router.contacts() {
		boxes[c.Facts.Answers["mailbox"]] = true
	}
	// One message for two of our addresses is one matter: whichever is worked first
	// makes the contact, and the other is the same message in its thread.
	if len(boxes) == 0 || len(boxes) > 2 {
		t.Errorf("arrived for %v", boxes)
	}
}

func TestTheReceiverRefusesWhatIsNotForUs(t *testing.T) {
	w := newWorld(t)
	address := w.listen(nil)
	for to, want := range map[string]int{
		"101@police.example.org": 250, "nobody@police.example.org": 550, "101@elsewhere.example.org": 550, "someone@example.com": 550,
	} {
		if got := send(t, address, to, mail(to, "x", "x")); got != want {
			t.Errorf("%s: %d, want %d", to, got, want)
		}
	}
	if got := send(t, address, "101@police.example.org", mail("big@example.org", "big", strings.Repeat("0123456789\n", 200_000))); got != 552 {
		t.Errorf("a message beyond the limit: %d, want 552", got)
	}
}

// A page of HTML in one line was refused, again and again, until its sender gave up.
func TestLongLinesArriveAndTheEndlessAreRefusedForGood(t *testing.T) {
	w := newWorld(t)
	address := w.listen(func(o *email.ReceiverOptions) { o.Gate.Largest = 4 << 20 })
	for length, want := range map[int]int{3000: 250, 500_000: 250, 2_000_000: 554} {
		if got := send(t, address, "101@police.example.org", mail("", "long", strings.Repeat("x", length))); got != want {
			t.Errorf("a line of %d bytes: %d, want %d", length, got, want)
		}
	}
}

// fullDisk is a blob store without room.
type fullDisk struct{ blob.Store }

func (fullDisk) Put(context.Context, io.Reader, int64) (blob.Ref, int64, error) {
	return "", 0, blob.ErrFull
}

func TestAFullDiskAndARedisThatIsAwayAreTemporaryFailures(t *testing.T) {
	w := newWorld(t)
	full := w.listen(func(o *email.ReceiverOptions) { o.Gate.Blobs = fullDisk{w.blobs} })
	if got := send(t, full, "101@police.example.org", mail("full@example.org", "x", "x")); got != 452 {
		t.Errorf("full disk: %d, want 452", got)
	}
	address := w.listen(nil)
	raw := mail("redis@example.org", "x", "x")
	w.server.Kill()
	if got := send(t, address, "101@police.example.org", raw); got != 451 {
		t.Errorf("Redis away: %d, want 451", got)
	}
	w.server.Start()
	if got := send(t, address, "101@police.example.org", raw); got != 250 {
		t.Errorf("Redis back: %d, want 250", got)
	}
	w.work()
	if n := len(w.router.contacts()); n != 1 {
		t.Errorf("%d contacts, want 1: the one that was answered 250", n)
	}
}
