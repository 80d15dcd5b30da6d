package sipphone

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Phone is one SIP user agent on one UDP socket. Make it with [Listen].
type Phone struct {
	options Options
	conn    net.PacketConn
	addr    netip.AddrPort
	ua      *sipgo.UserAgent
	client  *sipgo.Client
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	incoming chan *IncomingCall
	refused  atomic.Uint64

	mu       sync.Mutex
	closing  bool
	calls    map[dialogKey]*Call
	accounts map[string]*Registration
	drain    *net.UDPConn // where calls without audio pretend to listen
}

// dialogKey finds a call from our side: RFC 3261 section 12 without the remote
// tag, which is unknown at first.
type dialogKey struct{ callID, localTag string }

// incomingBacklog is how many calls may wait in [Phone.Incoming]; one more is
// refused with 480.
const incomingBacklog = 1024

// How long closing may take to end calls and registrations politely.
const closeTime = 3 * time.Second

// Listen opens the socket and starts the phone, which runs until [Phone.Close];
// ctx bounds the opening only.
func Listen(ctx context.Context, options Options) (*Phone, error) {
	const op = "listen"
	options.BindAddr = cmp.Or(options.BindAddr, "127.0.0.1:0")
	options.UserAgent = cmp.Or(options.UserAgent, "c3i-sipphone")
	options.MaxRecording = cmp.Or(options.MaxRecording, 5*time.Minute)
	if len(options.Codecs) == 0 {
		options.Codecs = []Codec{PCMU, PCMA}
	}
	for i, c := range options.Codecs {
		if !c.known() {
			return nil, fail(CodeBadInput, op, nil, "Codecs[%d] is %d, must be PCMU or PCMA", i, c)
		}
	}
	if err := checkText(op, "UserAgent", options.UserAgent); err != nil {
		return nil, err
	}
	if options.MaxRecording < 0 {
		return nil, fail(CodeBadInput, op, nil, "MaxRecording is negative")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	bind, err := netip.ParseAddrPort(options.BindAddr)
	if err != nil {
		return nil, fail(CodeBadInput, op, err, "BindAddr must be address:port")
	}
	if bind.Addr().IsUnspecified() {
		return nil, fail(CodeBadInput, op, nil, "BindAddr must name one address, not %s", bind.Addr())
	}
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", options.BindAddr)
	if err != nil {
		return nil, fail(CodeNetwork, op, err, "could not open the SIP socket")
	}
	// Bursts of calls arrive faster than they are read. The kernel may grant less.
	_ = conn.(*net.UDPConn).SetReadBuffer(4 << 20)
	_ = conn.(*net.UDPConn).SetWriteBuffer(4 << 20)
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent(options.UserAgent),
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerLogger(options.Logger),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(options.Logger)),
	)
	if err == nil {
		var client *sipgo.Client
		if client, err = newClient(ua, conn, options.Logger); err == nil {
			return start(ctx, options, conn, ua, client)
		}
	}
	return nil, fail(CodeNetwork, op, errors.Join(err, conn.Close()), "could not set up the SIP stack")
}

func start(ctx context.Context, options Options, conn net.PacketConn, ua *sipgo.UserAgent, client *sipgo.Client) (*Phone, error) {
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	p := &Phone{
		options:  options,
		conn:     conn,
		addr:     netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()),
		ua:       ua,
		client:   client,
		incoming: make(chan *IncomingCall, incomingBacklog),
		calls:    map[dialogKey]*Call{},
		accounts: map[string]*Registration{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	ua.TransactionLayer().OnRequest(func(req *sip.Request, tx *sip.ServerTx) { p.serve(req, tx) })
	reading := &announcedConn{PacketConn: conn, reading: make(chan struct{})}
	p.wg.Go(func() {
		if err := ua.TransportLayer().ServeUDP(reading); err != nil {
			options.Logger.Error("SIP socket failed", "error", err)
		}
	})
	// The stack sends from this socket only once its reader has registered it.
	select {
	case <-reading.reading:
		return p, nil
	case <-ctx.Done():
		return nil, fail(CodeNetwork, "listen", errors.Join(context.Cause(ctx), p.Close()), "the socket was not ready in time")
	}
}

// newClient makes the half of the stack that sends requests. Its name for us is
// used only where it remakes a Via, to answer a digest challenge.
func newClient(ua *sipgo.UserAgent, conn net.PacketConn, log *slog.Logger) (*sipgo.Client, error) {
	return sipgo.NewClient(ua, sipgo.WithClientLogger(log), sipgo.WithClientAddr(conn.LocalAddr().String()), sipgo.WithClientNAT())
}

// announcedConn tells when it is first read from.
type announcedConn struct {
	net.PacketConn
	once    sync.Once
	reading chan struct{}
}

func (c *announcedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.once.Do(func() { close(c.reading) })
	return c.PacketConn.ReadFrom(b)
}

// Addr is the address SIP is spoken on.
func (p *Phone) Addr() netip.AddrPort { return p.addr }

// URI is the SIP URI at which the phone can be called as user.
func (p *Phone) URI(user string) string {
	u := p.uri(user)
	return u.String()
}

func (p *Phone) uri(user string) sip.Uri {
	return sip.Uri{Scheme: "sip", User: user, Host: p.addr.Addr().String(), Port: int(p.addr.Port())}
}

// Incoming delivers new calls when [Options.OnInvite] is nil. Up to 1024 wait;
// a further one is refused with 480 and counted by [Phone.Refused]. The channel
// is never closed.
func (p *Phone) Incoming() <-chan *IncomingCall { return p.incoming }

// Refused counts the calls refused because nobody took them from [Phone.Incoming].
func (p *Phone) Refused() uint64 { return p.refused.Load() }

// Calls counts the calls that have not ended.
func (p *Phone) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// Close hangs up every call, removes every registration and stops the phone,
// all within about three seconds; what the far side has not acknowledged by then
// is dropped. It waits for every goroutine the phone has started, OnInvite
// included. Closing twice does nothing the second time.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		p.wg.Wait()
		return nil
	}
	p.closing = true
	calls := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	accounts := make([]*Registration, 0, len(p.accounts))
	for _, r := range p.accounts {
		accounts = append(accounts, r)
	}
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	var polite sync.WaitGroup
	slots := make(chan struct{}, 64)
	inSlot := func(f func()) {
		slots <- struct{}{}
		polite.Go(func() {
			defer func() { <-slots }()
			f()
		})
	}
	for _, c := range calls {
		inSlot(func() { _ = c.Hangup(ctx) })
	}
	for _, r := range accounts {
		inSlot(func() { _ = r.Unregister(ctx) })
	}
	polite.Wait()

	p.cancel()
	p.mu.Lock()
	left := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		left = append(left, c)
	}
	drain := p.drain
	p.mu.Unlock()
	for _, c := range left {
		c.finish(End{Cause: Failed, Err: fail(CodeClosed, "close", nil, "the phone was closed")})
	}
	p.ua.TransactionLayer().Close()
	errs := []error{p.conn.Close()}
	if drain != nil {
		errs = append(errs, drain.Close())
	}
	p.wg.Wait()
	errs = append(errs, p.ua.Close(), p.sweep())
	if err := errors.Join(errs...); err != nil && !errors.Is(err, net.ErrClosed) {
		return fail(CodeNetwork, "close", err, "a socket did not close")
	}
	return nil
}

// sweep closes what the SIP stack opens behind our back: it hands each datagram
// to a goroutine nobody can wait for, and a request that was being read while the
// socket closed makes it open another to respond from.
func (p *Phone) sweep() error {
	const settling = 25 * time.Millisecond
	timer := time.NewTimer(settling)
	defer timer.Stop()
	<-timer.C
	return p.ua.TransportLayer().Close()
}

// silentAddr is where calls without audio claim to listen: a bound socket that
// is never read, so the kernel drops what comes and no one is told.
func (p *Phone) silentAddr() (netip.AddrPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drain == nil {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.addr.Addr(), 0)))
		if err != nil {
			return netip.AddrPort{}, err
		}
		// The kernel rounds this up to its least; there is nothing to keep.
		_ = c.SetReadBuffer(1)
		p.drain = c
	}
	a := p.drain.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

// admit files a call unless the phone is closing.
func (p *Phone) admit(c *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.calls[c.key] = c
	return true
}

// spawn starts f unless the phone is closing.
func (p *Phone) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.wg.Go(f)
	return true
}

func (p *Phone) find(callID, localTag string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[dialogKey{callID, localTag}]
}

// serve handles one request; the SIP stack calls it in a goroutine of its own.
func (p *Phone) serve(req *sip.Request, tx *sip.ServerTx) {
	if req.To() == nil || req.From() == nil || req.CallID() == nil || req.CSeq() == nil {
		p.respond(tx, req, 400, "Missing Header")
		return
	}
	tag, inDialog := req.To().Params.Get("tag")
	switch {
	case req.Method == sip.ACK:
		if c := p.find(req.CallID().Value(), tag); c != nil {
			c.acknowledged(req)
		}
		tx.Terminate()
	case req.Method == sip.INVITE && !inDialog:
		p.serveInvite(req, tx)
	case req.Method == sip.INVITE, req.Method == sip.BYE:
		c := p.find(req.CallID().Value(), tag)
		if c == nil {
			p.respond(tx, req, 481, "Call/Transaction Does Not Exist")
			return
		}
		if req.Method == sip.BYE {
			c.serveBye(req, tx)
		} else {
			c.serveReinvite(req, tx)
		}
	case req.Method == sip.CANCEL:
		// A CANCEL that matches an INVITE is answered by the stack.
		p.respond(tx, req, 481, "Call/Transaction Does Not Exist")
	case req.Method == sip.OPTIONS, req.Method == sip.NOTIFY:
		p.respond(tx, req, 200, "OK")
	default:
		p.respond(tx, req, 405, "Method Not Allowed")
	}
}

const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY"

func (p *Phone) respond(tx *sip.ServerTx, req *sip.Request, status int, reason string) {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	res.AppendHeader(sip.NewHeader("Allow", allowed))
	if err := tx.Respond(res); err != nil {
		tx.Terminate()
	}
}
