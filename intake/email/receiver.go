package email

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"example.org/c3i/crm/blob"
	"example.org/c3i/edge"
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
	// Connections bounds those at one time, PerRemote those of one address, of IPv6
	// one /64. PerRemote does not bound loopback.
	Connections, PerRemote int
	// MessagesPerMinute bounds what one address, of IPv6 one /64, may send; loopback
	// is not bounded. Zero is no bound.
	MessagesPerMinute int
	// Line is how long the next command is waited for; 2 minutes if zero. Message is
	// how a message must move once its sender was told to go on; as long as it moves,
	// within the hour, if zero.
	Line    time.Duration
	Message edge.Patience
	// Exempt tells which addresses are not bounded singly; loopback if nil.
	Exempt  func(netip.Addr) bool
	Log     zerolog.Logger
	Metrics *Metrics
}

// Receiver takes mail over SMTP or LMTP for addresses of ours, and for no others.
// It answers 250 only when the message is durable; a full disk or a store that is
// away is a temporary failure, and the sender keeps the message.
type Receiver struct {
	o      ReceiverOptions
	server *smtp.Server
	way    string

	mu    sync.Mutex
	peers map[string]*peer
}

// peer is how much a client, as edge.Remote counts it, may still send.
type peer struct {
	limit *rate.Limiter
	seen  time.Time
}

// moving is how a message must come in: a large photograph from a slow link
// arrives, and one that stands still or drips ends.
var moving = edge.Patience{Stall: 2 * time.Minute, Rate: 1 << 10, Most: time.Hour}

// longest bounds a line, in bytes. Mail programs write a whole page into one line,
// whatever the standard says; a command is held in memory, so there is a bound.
const longest = 1 << 20

// NewReceiver makes a Receiver.
func NewReceiver(o ReceiverOptions) *Receiver {
	if o.Connections == 0 {
		o.Connections = 100
	}
	if o.PerRemote == 0 {
		o.PerRemote = 20
	}
	if o.Line == 0 {
		o.Line = 2 * time.Minute
	}
	if o.Message == (edge.Patience{}) {
		o.Message = moving
	}
	if o.Exempt == nil {
		o.Exempt = netip.Addr.IsLoopback
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
	s.ReadTimeout, s.WriteTimeout = o.Line, time.Minute
	s.EnableSMTPUTF8 = true
	s.MaxLineLength = longest
	s.ErrorLog = quiet{o.Log}
	r.server = s
	return r
}

// busy is said to a connection that is one too many.
const busy = "421 4.7.0 Too many connections, try again later\r\n"

// Serve takes connections until Shutdown.
func (r *Receiver) Serve(l net.Listener) error {
	err := r.server.Serve(edge.Listen(l, edge.Limits{
		Connections: r.o.Connections, PerRemote: r.o.PerRemote, Exempt: r.o.Exempt,
		Refuse:  func(c net.Conn) { _, _ = io.WriteString(c, busy) },
		Refused: func(string) { r.o.Metrics.received.WithLabelValues(r.way, "later").Inc() },
	}))
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
	errSlow    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too many messages, try again later"}
	errNobody  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here"}
	errFull    = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "No space left, try again later"}
	errStalled = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "The message came in too slowly or was cut off, try again later"}
	errStore   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The message cannot be stored now, try again later"}
	errSize    = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "The message is too large"}
	errLine    = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "The message has a line longer than 1 MiB"}
	errSender  = &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 1, 7}, Message: "The sender's address cannot be used"}
)

func (r *Receiver) session(c *smtp.Conn) (smtp.Session, error) {
	address := c.Conn().RemoteAddr().String()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if held := edge.Held(c.Conn()); held != nil {
		held.EndWhenLate() // the rest of a message is no command
	}
	return &session{r: r, conn: c, remote: host}, nil
}

// mayDo counts a message against what its sender's network may send.
func (r *Receiver) mayDo(remote string) bool {
	a, err := netip.ParseAddr(remote)
	if r.o.MessagesPerMinute <= 0 || err != nil || r.o.Exempt(a.Unmap()) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	key := edge.Remote(remote)
	p := r.peers[key]
	if p == nil {
		n := r.o.MessagesPerMinute
		p = &peer{limit: rate.NewLimiter(rate.Limit(float64(n)/60), n)}
		r.peers[key] = p
	}
	p.seen = time.Now()
	return p.limit.Allow()
}

// forget drops networks that have not been heard of for so long that they may send
// as much as any new one.
func (r *Receiver) forget() {
	if len(r.peers) < 10_000 {
		return
	}
	for key, p := range r.peers {
		if time.Since(p.seen) > time.Minute {
			delete(r.peers, key)
		}
	}
}

// session is one connection.
type session struct {
	r      *Receiver
	conn   *smtp.Conn
	remote string
	from   string
	set    bool
	to     []string // mailboxes, each once
	given  []string // addresses as given, for LMTP one answer each
	boxes  map[string]string
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.set, s.to, s.given, s.boxes = "", false, nil, nil, nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if from != "" && canonicalAddress(from) == "" {
		s.r.o.Metrics.received.WithLabelValues(s.r.way, "refused").Inc()
		return errSender
	}
	if !s.r.mayDo(s.remote) {
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
	in := &incoming{r: body}
	held := edge.Held(s.conn.Conn())
	if held != nil {
		defer held.Pace(s.r.o.Message, errStalled)()
	}
	// Its bytes may take so long, and to store them a little more.
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(s.r.o.Message.Most, time.Hour)+time.Minute)
	defer cancel()
	repeats, err := s.r.o.Gate.Take(ctx, in, s.to, envelope)
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
		s.last(held)
		return errSize
	case errors.Is(in.err, smtp.ErrTooLongLine):
		count("refused")
		// The library reads no further; its sender hears an answer only when all is sent.
		rest(s.conn.Conn())
		return errLine
	case in.err != nil:
		count("cut_off")
		return errStalled
	case errors.As(err, &smtpErr):
		count("refused")
		return smtpErr
	}
	count("later")
	s.r.o.Log.Error().Err(err).Msg("a message could not be stored; its sender was told to try again")
	s.last(held)
	if errors.Is(err, blob.ErrFull) {
		return errFull
	}
	return errStore
}

// last lets the rest of a message that was refused come in, so that the answer is
// heard, but nothing else for longer than a command may take.
func (s *session) last(held *edge.Conn) {
	if held != nil {
		held.LastUntil(time.Now().Add(s.r.o.Line))
	}
}

// rest reads what is left of a message: until its end, or until it is late.
func rest(r io.Reader) {
	end := []byte("\r\n.\r\n")
	buffer, n := make([]byte, 32<<10), 0
	for {
		k, err := r.Read(buffer[n:])
		n += k
		if err != nil || bytes.Contains(buffer[:n], end) {
			return
		}
		keep := min(n, len(end)-1)
		copy(buffer, buffer[n-keep:n])
		n = keep
	}
}

// incoming remembers whether a message came to its end.
type incoming struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (i *incoming) Read(b []byte) (int, error) {
	n, err := i.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
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
