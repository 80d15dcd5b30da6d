package edge

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Limits bound the connections of a listener.
type Limits struct {
	// Connections bounds those at one time, PerRemote those of one client as [Remote]
	// counts them. Zero is no bound.
	Connections, PerRemote int
	// Exempt tells which addresses PerRemote does not bound: proxies, this machine.
	// Nil for none.
	Exempt func(netip.Addr) bool
	// Refuse is given a connection that is one too many, to say so before it is
	// closed. It must not take long. Nil says nothing.
	Refuse func(net.Conn)
	// Refused is told why a connection was refused ("all" or "address"), and Dropped
	// that an idle one gave way. Nil is told nothing.
	Refused func(reason string)
	Dropped func()
}

// Listener bounds the connections of another. When there is no room for a new
// one, one that is idle gives way (see State), the longest idle first: of the same
// client when that has too many, of any when there are too many in all. If none is
// idle the new one is refused. Nobody waits in line behind the greedy.
type Listener struct {
	net.Listener
	limits Limits

	mu  sync.Mutex
	all map[*Conn]struct{}
	by  map[string]map[*Conn]struct{}
}

// Listen bounds the connections of l.
func Listen(l net.Listener, limits Limits) *Listener {
	return &Listener{Listener: l, limits: limits, all: map[*Conn]struct{}{}, by: map[string]map[*Conn]struct{}{}}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if held := l.admit(c); held != nil {
			return held, nil
		}
		if l.limits.Refuse != nil {
			_ = c.SetDeadline(time.Now().Add(time.Second))
			l.limits.Refuse(c)
		}
		_ = c.Close()
	}
}

// Open counts the connections that stand.
func (l *Listener) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// admit counts a connection, or gives nil when there is no room.
func (l *Listener) admit(c net.Conn) *Conn {
	held := &Conn{Conn: c, l: l}
	if a, ok := parse(c.RemoteAddr().String()); ok && (l.limits.Exempt == nil || !l.limits.Exempt(a)) {
		held.remote = count(a)
	}
	var gives *Conn
	reason := ""
	l.mu.Lock()
	switch peers := l.by[held.remote]; {
	case held.remote != "" && l.limits.PerRemote > 0 && len(peers) >= l.limits.PerRemote:
		gives, reason = longestIdle(peers), "address"
	case l.limits.Connections > 0 && len(l.all) >= l.limits.Connections:
		gives, reason = longestIdle(l.all), "all"
	}
	if reason != "" && gives == nil {
		l.mu.Unlock()
		if l.limits.Refused != nil {
			l.limits.Refused(reason)
		}
		return nil
	}
	if gives != nil {
		l.forgetLocked(gives)
	}
	l.all[held] = struct{}{}
	if held.remote != "" {
		if l.by[held.remote] == nil {
			l.by[held.remote] = map[*Conn]struct{}{}
		}
		l.by[held.remote][held] = struct{}{}
	}
	l.mu.Unlock()
	if gives != nil {
		_ = gives.Conn.Close()
		if l.limits.Dropped != nil {
			l.limits.Dropped()
		}
	}
	return held
}

// longestIdle is nil when none is idle.
func longestIdle(among map[*Conn]struct{}) *Conn {
	var found *Conn
	for c := range among {
		if !c.idle.IsZero() && (found == nil || c.idle.Before(found.idle)) {
			found = c
		}
	}
	return found
}

func (l *Listener) forgetLocked(c *Conn) {
	delete(l.all, c)
	l.releaseLocked(c)
}

// releaseLocked no longer counts a connection as its client's.
func (l *Listener) releaseLocked(c *Conn) {
	delete(l.by[c.remote], c)
	if len(l.by[c.remote]) == 0 {
		delete(l.by, c.remote)
	}
}

// State is an http.Server's ConnState: it tells which connections are idle.
func (l *Listener) State(c net.Conn, s http.ConnState) {
	held := Held(c)
	if held == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	held.idle = time.Time{}
	if s == http.StateIdle {
		held.idle = time.Now()
	}
}

// connKey is where a request's context holds its connection.
type connKey struct{}

// Context is an http.Server's ConnContext: with it [Known] finds the connection.
func Context(ctx context.Context, c net.Conn) context.Context {
	if held := Held(c); held != nil {
		return context.WithValue(ctx, connKey{}, held)
	}
	return ctx
}

// Known no longer counts a request's connection as its client's: whoever is behind
// it has signed on, and a whole station may share one address. It still counts
// among all.
func Known(ctx context.Context) {
	c, ok := ctx.Value(connKey{}).(*Conn)
	if !ok {
		return
	}
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.releaseLocked(c)
}

// Conn is a connection that a Listener counts until it is closed.
type Conn struct {
	net.Conn
	l      *Listener
	remote string    // empty when it is not counted by client
	idle   time.Time // since when; zero when it is not

	mu    sync.Mutex
	last  time.Time
	once  bool
	pace  *pace
	close sync.Once
}

// pace is how a message that is coming in must move.
type pace struct {
	Patience
	late  error
	begin time.Time
	moved int64
}

// Held finds the Conn below TLS and the like, nil if there is none.
func Held(c net.Conn) *Conn {
	for {
		switch in := c.(type) {
		case *Conn:
			return in
		case interface{ NetConn() net.Conn }:
			c = in.NetConn()
		default:
			return nil
		}
	}
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	err := net.ErrClosed
	c.close.Do(func() {
		c.l.mu.Lock()
		c.l.forgetLocked(c)
		c.l.mu.Unlock()
		err = c.Conn.Close()
	})
	return err
}

// Pace has what comes from now on move as p wants, whatever deadlines are set
// meanwhile; the function given back ends that. A read that it ends fails with
// late, and with os.ErrDeadlineExceeded if that is nil.
func (c *Conn) Pace(p Patience, late error) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := &pace{Patience: p, late: late, begin: time.Now()}
	c.pace = mine
	// Whoever reads already is held to it too.
	_ = c.Conn.SetReadDeadline(c.capped(p.until(mine.begin, mine.begin, 0)))
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pace == mine {
			c.pace = nil
		}
	}
}

// EndWhenLate makes a read that fails because its deadline has passed the last: in a
// protocol of lines what comes afterwards is the rest of something, and must not be
// taken for a beginning.
func (c *Conn) EndWhenLate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once = true
}

// LastUntil lets nothing be read after t, whatever deadlines are set later: what
// comes then must not be taken for the beginning of something else. What is written
// still goes out.
func (c *Conn) LastUntil(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last, c.pace = t, nil
	_ = c.Conn.SetReadDeadline(t)
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if p := c.pace; p != nil {
		if err := c.Conn.SetReadDeadline(c.capped(p.until(p.begin, time.Now(), p.moved))); err != nil {
			c.mu.Unlock()
			return 0, err
		}
	}
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pace != nil {
		c.pace.moved += int64(n)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	if c.once && c.last.IsZero() {
		c.last = time.Now()
	}
	if c.pace != nil && c.pace.late != nil {
		err = c.pace.late
	}
	return n, err
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pace != nil {
		return nil // Read sets it
	}
	return c.Conn.SetReadDeadline(c.capped(t))
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *Conn) capped(t time.Time) time.Time {
	if !c.last.IsZero() && (t.IsZero() || t.After(c.last)) {
		return c.last
	}
	return t
}
