package email_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/c3i/edge"
	"example.org/c3i/intake/email"
	"example.org/c3i/intake/inbox"
)

// line is an SMTP client that tests drive by hand.
type line struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func connect(t *testing.T, address string) *line {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &line{t, c, bufio.NewReader(c)}
}

// hears reads one answer and wants its code.
func (l *line) hears(code string) {
	l.t.Helper()
	for {
		text, err := l.in.ReadString('\n')
		if err != nil {
			l.t.Fatalf("waiting for %s: %v", code, err)
		}
		if strings.HasPrefix(text, code+"-") {
			continue
		}
		if !strings.HasPrefix(text, code+" ") {
			l.t.Fatalf("heard %q, want %s", text, code)
		}
		return
	}
}

// says sends text and wants the code of the answer; none when it is empty.
func (l *line) says(text, code string) {
	l.t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		l.t.Fatal(err)
	}
	if code != "" {
		l.hears(code)
	}
}

// ends waits until the server has closed the connection, and gives what it said.
func (l *line) ends() string {
	l.t.Helper()
	b, err := io.ReadAll(l.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.t.Fatal("the server did not close the connection")
	}
	return string(b)
}

func (l *line) begin() {
	l.t.Helper()
	l.hears("220")
	l.says("EHLO client.example.org\r\n", "250")
	l.says("MAIL FROM:<alex@example.org>\r\n", "250")
	l.says("RCPT TO:<101@police.example.org>\r\n", "250")
}

// kept counts files in the blob store and items in the inbox.
func (w *world) kept(dir string) (files, items int) {
	w.t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "lock" {
			files++
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := w.inbox.Pending(w.t.Context(), inbox.Email)
	if err != nil {
		w.t.Fatal(err)
	}
	return files, f.Pending
}

// The time of a message was that of a command, two minutes, so that a photograph
// from a slow link never arrived.
func TestAMessageThatMovesArrivesHoweverSlowTheLink(t *testing.T) {
	w := newWorld(t)
	address := w.listen(func(o *email.ReceiverOptions) {
		o.Line, o.Message = 300*time.Millisecond, edge.Patience{Stall: time.Minute}
	})
	raw := mail("slow@example.org", "Slow", strings.Repeat("A long letter. ", 1000))
	chunk := len(raw) / 2
	for name, send := range map[string]func(*line, func()){
		"DATA": func(l *line, pause func()) {
			l.says("DATA\r\n", "354")
			l.says(raw[:chunk], "")
			pause()
			l.says(raw[chunk:]+".\r\n", "250")
		},
		"BDAT": func(l *line, pause func()) {
			l.says(fmt.Sprintf("BDAT %d LAST\r\n%s", len(raw), raw[:chunk]), "")
			pause()
			l.says(raw[chunk:], "250")
		},
	} {
		t.Run(name, func(t *testing.T) {
			slow := connect(t, address)
			slow.begin()
			send(slow, func() {
				idle := connect(t, address)
				idle.hears("220")
				idle.says("EHLO client.example.org\r\n", "250")
				if said := idle.ends(); !strings.HasPrefix(said, "421 ") {
					t.Errorf("a connection that says nothing heard %q", said)
				}
			})
			slow.says("QUIT\r\n", "221")
		})
	}
	w.work()
	if n := len(w.router.contacts()); n != 1 {
		t.Errorf("%d contacts, want 1: the same message twice", n)
	}
}

func TestAMessageThatStandsStillOrDripsEndsAndNothingOfItIsKept(t *testing.T) {
	raw := mail("stalled@example.org", "Stalled", strings.Repeat("A long letter. ", 1000))
	for name, c := range map[string]struct {
		message edge.Patience
		lmtp    bool
		send    func(*line)
	}{
		"stands still": {message: edge.Patience{Stall: 200 * time.Millisecond}, send: func(l *line) {
			l.says("DATA\r\n", "354")
			l.says(raw[:5000], "")
		}},
		"stands still over LMTP": {lmtp: true, message: edge.Patience{Stall: 200 * time.Millisecond}, send: func(l *line) {
			l.says("DATA\r\n", "354")
			l.says(raw[:5000], "")
		}},
		"stands still in a chunk": {message: edge.Patience{Stall: 200 * time.Millisecond}, send: func(l *line) {
			l.says(fmt.Sprintf("BDAT %d LAST\r\n%s", len(raw), raw[:5000]), "")
		}},
		"drips": {message: edge.Patience{Stall: 200 * time.Millisecond, Rate: 1 << 30}, send: func(l *line) {
			l.says("DATA\r\n", "354")
			go drip(l)
		}},
		"has no end": {message: edge.Patience{Stall: time.Minute, Most: 200 * time.Millisecond}, send: func(l *line) {
			l.says("DATA\r\n", "354")
			go drip(l)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			address := w.listen(func(o *email.ReceiverOptions) { o.Message, o.LMTP = c.message, c.lmtp })
			l := connect(t, address)
			if c.lmtp {
				l.hears("220")
				l.says("LHLO client.example.org\r\n", "250")
				l.says("MAIL FROM:<alex@example.org>\r\n", "250")
				l.says("RCPT TO:<101@police.example.org>\r\n", "250")
			} else {
				l.begin()
			}
			c.send(l)
			l.hears("451")
			// What comes now is the rest of a letter, whatever it looks like.
			_, _ = io.WriteString(l, "\r\n.\r\nMAIL FROM:<forged@example.org>\r\nRCPT TO:<101@police.example.org>\r\nDATA\r\nforged\r\n.\r\n")
			if said := l.ends(); strings.Contains(said, "250") || strings.Contains(said, "354") {
				t.Errorf("afterwards it heard %q", said)
			}
			if files, items := w.kept(w.blobDir); files != 0 || items != 0 {
				t.Errorf("%d files and %d items were kept", files, items)
			}
		})
	}
}

// drip sends a letter a byte at a time until the server has had enough.
func drip(l *line) {
	for {
		if _, err := io.WriteString(l, "x"); err != nil {
			return
		}
	}
}

func TestAConnectionTooManyIsToldToComeBack(t *testing.T) {
	w := newWorld(t)
	all := w.listen(func(o *email.ReceiverOptions) { o.Connections = 2 })
	one := w.listen(func(o *email.ReceiverOptions) {
		o.PerRemote, o.Exempt = 2, func(netip.Addr) bool { return false }
	})
	for _, address := range []string{all, one} {
		first := connect(t, address)
		first.hears("220") // one that never says hello counts as well
		connect(t, address).hears("220")
		third := connect(t, address)
		third.hears("421")
		third.ends()
		first.says("QUIT\r\n", "221")
		first.ends()
	}
}

// from gives each connection the next of some addresses as its own.
type from struct {
	net.Listener
	mu        sync.Mutex
	addresses []string
}

type cameFrom struct {
	net.Conn
	address net.Addr
}

func (c cameFrom) RemoteAddr() net.Addr { return c.address }

func (f *from) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.addresses[0]
	f.addresses = f.addresses[1:]
	return cameFrom{c, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(next), 4711))}, nil
}

// Whoever has one IPv6 network has 2^64 addresses to send from.
func TestHowOftenSomebodyMayWriteIsCountedByNetwork(t *testing.T) {
	w := newWorld(t)
	steps := []struct {
		address string
		code    int
	}{
		{"2001:db8:1:2::1", 250},
		{"2001:db8:1:2::2", 250},
		{"2001:db8:1:2:ffff::3", 451}, // the third of one network
		{"2001:db8:1:3::1", 250},      // another
		{"192.0.2.1", 250},
		{"192.0.2.1", 250},
		{"::ffff:192.0.2.1", 451}, // the same, written otherwise
		{"192.0.2.2", 250},
		{"127.0.0.1", 250},
		{"127.0.0.1", 250},
		{"127.0.0.1", 250}, // ourselves
	}
	var addresses []string
	for _, s := range steps {
		addresses = append(addresses, s.address)
	}
	address := w.listenOn(func(l net.Listener) net.Listener { return &from{Listener: l, addresses: addresses} }, func(o *email.ReceiverOptions) { o.MessagesPerMinute = 2 })
	for n, s := range steps {
		if got := send(t, address, "101@police.example.org", mail(fmt.Sprintf("n%d@example.org", n), "x", "x")); got != s.code {
			t.Errorf("message %d, from %s: %d, want %d", n, s.address, got, s.code)
		}
	}
}

func TestARefusedMessageDoesNotEndItsConnectionBeforeTheAnswer(t *testing.T) {
	w := newWorld(t)
	c, err := smtp.Dial(w.listen(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	large := mail("big@example.org", "big", strings.Repeat("0123456789\r\n", 200_000))
	if got := code(c.SendMail("alex@example.org", []string{"101@police.example.org"}, strings.NewReader(large))); got != 552 {
		t.Errorf("too large: %d, want 552", got)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := c.SendMail("alex@example.org", []string{"101@police.example.org"}, strings.NewReader(mail("small@example.org", "x", "x"))); err != nil {
		t.Errorf("the next one on the same connection: %v", err)
	}
}
