package email

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"example.org/c3i/crm/blob"
)

// ReceiverOptions configure a Receiver; Gate and Mailboxes are needed.
type ReceiverOptions struct {
	Gate      Gate
	Mailboxes Mailboxes
	// LMTP speaks LMTP (RFC 2033): a mail server of ours hands over, and who wrote
	// is not its address.
	LMTP bool
	// Domain is our name in the greeting.
	Domain string
	TLS    *tls.Config
	// Connections bounds those at one time, PerRemote those of one address.
	Connections, PerRemote int
	// MessagesPerMinute bounds what one address may send; loopback is not bounded.
	// Zero is no bound.
	MessagesPerMinute int
	Log               zerolog.Logger
	Metrics           *Metrics
}

// Receiver takes mail over SMTP or LMTP for addresses of ours, and for no others.
// It answers 250 only when the message is durable; a full disk or a store that is
// away is a temporary failure, and the sender keeps the message.
type Receiver struct {
	o      ReceiverOptions
	server *smtp.Server
	way    string

	mu    sync.Mutex
	open  int
	peers map[string]*peer
}

type peer struct {
	open  int
	limit *rate.Limiter
	seen  time.Time
}

// NewReceiver makes a Receiver.
func NewReceiver(o ReceiverOptions) *Receiver {
	if o.Connections == 0 {
		o.Connections = 100
	}
	if o.PerRemote == 0 {
		o.PerRemote = 20
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	r := &Receiver{o: o, peers: map[string]*peer{}, way: "smtp"}
	if o.LMTP {
		r.way = "lmtp"
	}
	s := smtp.NewServer(smtp.BackendFunc(r.session))
	s.LMTP, s.Domain, s.TLSConfig = o.LMTP, nonEmpty(o.Domain, "localhost"), o.TLS
	s.MaxMessageBytes, s.MaxRecipients = o.Gate.Largest, 50
	s.ReadTimeout, s.WriteTimeout = 2*time.Minute, time.Minute
	s.EnableSMTPUTF8 = true
	s.ErrorLog = quiet{o.Log}
	r.server = s
	return r
}

// Serve takes connections until Close.
func (r *Receiver) Serve(l net.Listener) error {
	err := r.server.Serve(l)
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Shutdown takes no more connections and waits for those there are, until ctx
// ends; then it closes them. A message not yet answered is sent again.
func (r *Receiver) Shutdown(ctx context.Context) error {
	if err := r.server.Shutdown(ctx); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return r.server.Close()
	}
	return nil
}

var (
	errBusy   = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many connections, try again later"}
	errSlow   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too many messages, try again later"}
	errNobody = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here"}
	errFull   = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "No space left, try again later"}
	errStore  = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The message cannot be stored now, try again later"}
	errSize   = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "The message is too large"}
	errSender = &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 1, 7}, Message: "The sender's address cannot be used"}
)

func (r *Receiver) session(c *smtp.Conn) (smtp.Session, error) {
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		host = c.Conn().RemoteAddr().String()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	p := r.peers[host]
	if p == nil {
		p = &peer{limit: rate.NewLimiter(rate.Inf, 1)}
		if n := r.o.MessagesPerMinute; n > 0 && !loopback(host) {
			p.limit = rate.NewLimiter(rate.Limit(float64(n)/60), n)
		}
		r.peers[host] = p
	}
	if r.open >= r.o.Connections || p.open >= r.o.PerRemote && !loopback(host) {
		r.o.Metrics.received.WithLabelValues(r.way, "later").Inc()
		return nil, errBusy
	}
	r.open++
	p.open++
	p.seen = time.Now()
	s := &session{r: r, conn: c, peer: p, remote: host}
	return s, nil
}

// forget drops addresses that have not been heard of for long.
func (r *Receiver) forget() {
	if len(r.peers) < 10_000 {
		return
	}
	for host, p := range r.peers {
		if p.open == 0 && time.Since(p.seen) > time.Minute {
			delete(r.peers, host)
		}
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip == nil || ip.IsLoopback()
}

// session is one connection.
type session struct {
	r      *Receiver
	conn   *smtp.Conn
	peer   *peer
	remote string
	from   string
	set    bool
	to     []string // mailboxes, each once
	given  []string // addresses as given, for LMTP one answer each
	boxes  map[string]string
	ended  bool
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.set, s.to, s.given, s.boxes = "", false, nil, nil, nil }

// Logout implements smtp.Session.
func (s *session) Logout() error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if !s.ended {
		s.ended = true
		s.r.open--
		s.peer.open--
		s.peer.seen = time.Now()
	}
	return nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if from != "" && canonicalAddress(from) == "" {
		s.r.o.Metrics.received.WithLabelValues(s.r.way, "refused").Inc()
		return errSender
	}
	s.r.mu.Lock()
	allowed := s.peer.limit.Allow()
	s.r.mu.Unlock()
	if !allowed {
		s.r.o.Metrics.received.WithLabelValues(s.r.way, "later").Inc()
		return errSlow
	}
	s.from, s.set = canonicalAddress(from), true
	if from == "" {
		s.from = nullSender
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	box, ok := s.r.o.Mailboxes.ByAddress(to)
	if !ok {
		s.r.o.Metrics.received.WithLabelValues(s.r.way, "refused").Inc()
		return errNobody
	}
	if s.boxes == nil {
		s.boxes = map[string]string{}
	}
	s.given = append(s.given, to)
	if s.boxes[box.Name] == "" {
		s.to = append(s.to, box.Name)
		s.boxes[box.Name] = canonicalAddress(to)
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(body io.Reader) error {
	envelope := map[string]string{"from": s.from, "to": strings.Join(addressesOf(s.boxes), " ")}
	if !s.r.o.LMTP {
		envelope["remote"], envelope["helo"] = s.remote, s.conn.Hostname()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	repeats, err := s.r.o.Gate.Take(ctx, body, s.to, envelope)
	count := func(result string) { s.r.o.Metrics.received.WithLabelValues(s.r.way, result).Inc() }
	var smtpErr *smtp.SMTPError
	switch {
	case err == nil && repeats == len(s.to):
		count("repeat")
		return nil
	case err == nil:
		count("accepted")
		return nil
	case errors.Is(err, ErrTooLarge), errors.Is(err, smtp.ErrDataTooLarge):
		count("too_large")
		_, _ = io.Copy(io.Discard, body)
		return errSize
	case errors.As(err, &smtpErr):
		count("refused")
		return smtpErr
	}
	count("later")
	s.r.o.Log.Error().Err(err).Msg("a message could not be stored; its sender was told to try again")
	// The rest is read, so that the answer is heard.
	_, _ = io.Copy(io.Discard, body)
	if errors.Is(err, blob.ErrFull) {
		return errFull
	}
	return errStore
}

// LMTPData implements smtp.LMTPSession: all recipients have one fate.
func (s *session) LMTPData(body io.Reader, status smtp.StatusCollector) error {
	err := s.Data(body)
	for _, to := range s.given {
		status.SetStatus(to, err)
	}
	return nil
}

func addressesOf(boxes map[string]string) []string {
	var out []string
	for _, a := range boxes {
		out = append(out, a)
	}
	return out
}

// quiet keeps the library's log, which names addresses, at debug.
type quiet struct{ log zerolog.Logger }

func (q quiet) Printf(string, ...any) { q.log.Debug().Msg("an SMTP connection ended with an error") }

func (q quiet) Println(...any) { q.log.Debug().Msg("an SMTP connection ended with an error") }
