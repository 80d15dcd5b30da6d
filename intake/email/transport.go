package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Delivery is one message for recipients at one domain.
type Delivery struct {
	ID   string
	From string // empty: the null sender
	To   []string
	Raw  []byte
}

// Transport hands messages to the next mail server.
type Transport interface {
	// Deliver returns who got it, and of the others the gravest *SendError.
	Deliver(ctx context.Context, d Delivery) (got []string, err error)
	// Says is a sentence about a message that was delivered.
	Says() string
}

// SendError says why a message did not go.
type SendError struct {
	// Permanent says that trying again is of no use.
	Permanent bool
	// Insecure says that the policy of the destination was not met.
	Insecure bool
	// Detail is a sentence for people.
	Detail string
	err    error
}

func (e *SendError) Error() string { return e.Detail }
func (e *SendError) Unwrap() error { return e.err }

// TLSPolicy says how a connection to a mail server must be protected.
type TLSPolicy string

// Policies.
const (
	// TLSNone speaks in the clear: for a mail server on this machine.
	TLSNone TLSPolicy = "none"
	// TLSVerified wants TLS and a certificate that is valid for the host's name, or
	// nothing is sent.
	TLSVerified TLSPolicy = "verified"
	// TLSRequired also wants the server to promise as much for the rest of the way
	// (REQUIRETLS, RFC 8689).
	TLSRequired TLSPolicy = "required"
)

// Route is how mail for a domain goes out.
type Route struct {
	// Domain is the destination; a leading dot also means all below it. Empty is
	// every domain without a route of its own.
	Domain string
	// Host is the mail server's host:port.
	Host string
	TLS  TLSPolicy
	// Implicit speaks TLS from the first byte (port 465), else STARTTLS.
	Implicit bool
	Username string
	Password string
}

// SmartHost hands mail to mail servers chosen by the destination's domain.
type SmartHost struct {
	Routes []Route
	// Helo is our own name.
	Helo string
	// Roots verifies certificates; the system's if nil.
	TLS *tls.Config
	// Time bounds one delivery; 2 minutes if zero.
	Time time.Duration
}

// Says implements Transport.
func (s SmartHost) Says() string { return "Taken by the next mail server." }

func (s SmartHost) route(domain string) (Route, bool) {
	var best Route
	found := false
	for _, r := range s.Routes {
		d := strings.ToLower(r.Domain)
		if d == domain && d != "" {
			return r, true // its own, before one that is for all below as well
		}
		match := d == "" || d == domain || strings.HasPrefix(d, ".") && (strings.HasSuffix(domain, d) || domain == d[1:])
		if match && (!found || len(d) > len(best.Domain)) {
			best, found = r, true
		}
	}
	return best, found
}

// Deliver implements Transport.
func (s SmartHost) Deliver(ctx context.Context, d Delivery) ([]string, error) {
	if len(d.To) == 0 {
		return nil, nil
	}
	r, ok := s.route(domainOf(d.To[0]))
	if !ok {
		return nil, &SendError{Permanent: true, Detail: "No mail server is configured for this destination."}
	}
	limit := s.Time
	if limit == 0 {
		limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := s.dial(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	mail := &smtp.MailOptions{}
	if r.TLS == TLSRequired {
		if ok, _ := c.Extension("REQUIRETLS"); !ok {
			return nil, &SendError{Insecure: true, Detail: "The next mail server does not promise encryption for the rest of the way (REQUIRETLS)."}
		}
		mail.RequireTLS = true
	}
	if err := c.Mail(d.From, mail); err != nil {
		return nil, said(err)
	}
	var taken []string
	var worst error
	for _, to := range d.To {
		if err := c.Rcpt(to, nil); err != nil {
			worst = graver(worst, said(err))
			continue
		}
		taken = append(taken, to)
	}
	if len(taken) == 0 {
		return nil, worst
	}
	w, err := c.Data()
	if err != nil {
		return nil, said(err)
	}
	if _, err := bytes.NewReader(d.Raw).WriteTo(w); err != nil {
		return nil, said(err)
	}
	if err := w.Close(); err != nil {
		return nil, said(err)
	}
	_ = c.Quit()
	return taken, worst
}

func (s SmartHost) dial(ctx context.Context, r Route) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return nil, &SendError{Permanent: true, Detail: "The mail server's address is not host:port.", err: err}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", r.Host)
	if err != nil {
		return nil, &SendError{Detail: "The next mail server cannot be reached.", err: err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	var c *smtp.Client
	switch {
	case r.TLS == TLSNone:
		c = smtp.NewClient(conn)
	case r.Implicit:
		t := tls.Client(conn, config)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, insecure(err)
		}
		c = smtp.NewClient(t)
	default:
		if c, err = smtp.NewClientStartTLS(conn, config); err != nil {
			_ = conn.Close()
			var smtpErr *smtp.SMTPError
			if ctx.Err() != nil || errors.As(err, &smtpErr) && smtpErr.Code == 421 {
				return nil, &SendError{Detail: "The next mail server does not answer.", err: err}
			}
			return nil, insecure(err)
		}
	}
	if err := c.Hello(nonEmpty(s.Helo, "localhost")); err != nil {
		_ = c.Close()
		return nil, said(err)
	}
	if r.TLS != TLSNone {
		// Before the first command the client has done no handshake in some paths.
		if _, ok := c.TLSConnectionState(); !ok {
			_ = c.Close()
			return nil, insecure(errors.New("no TLS"))
		}
	}
	if r.Username != "" {
		if err := c.Auth(sasl.NewPlainClient("", r.Username, r.Password)); err != nil {
			_ = c.Close()
			return nil, &SendError{Detail: "The next mail server does not accept our sign-in.", err: err}
		}
	}
	return c, nil
}

func insecure(err error) error {
	return &SendError{Insecure: true, Detail: "The next mail server does not offer encryption that can be trusted.", err: err}
}

// said puts what a mail server answered into words.
func said(err error) error {
	var e *smtp.SMTPError
	if !errors.As(err, &e) {
		return &SendError{Detail: "The connection to the next mail server broke.", err: err}
	}
	return &SendError{Permanent: e.Code >= 500, Detail: clip(oneLine(fmt.Sprintf("The other mail server said: %d %s", e.Code, e.Message)), 400), err: err}
}

// Maildir keeps outgoing mail in a local folder, where no smart host is configured.
type Maildir struct{ Dir string }

// NewMaildir makes the folder.
func NewMaildir(dir string) (Maildir, error) {
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return Maildir{}, fmt.Errorf("email: outgoing mail has no place: %w", err)
		}
	}
	return Maildir{dir}, nil
}

// Says implements Transport.
func (m Maildir) Says() string {
	return "Kept in the local folder of outgoing mail: no smart host is configured."
}

// Deliver implements Transport. The same delivery again replaces its own file.
func (m Maildir) Deliver(_ context.Context, d Delivery) ([]string, error) {
	full := func(err error) error {
		return &SendError{Detail: "Outgoing mail cannot be kept in its local folder.", err: err}
	}
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == 0 || r == '\\' {
			return '_'
		}
		return r
	}, d.ID+"."+domainOf(d.To[0]))
	tmp := filepath.Join(m.Dir, "tmp", name)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, full(err)
	}
	_, err = f.Write(d.Raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, filepath.Join(m.Dir, "new", name))
	}
	if err == nil {
		err = syncFolder(filepath.Join(m.Dir, "new"))
	}
	if err != nil {
		return nil, full(err)
	}
	return d.To, nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
