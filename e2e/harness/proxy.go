package harness

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy carries TCP connections to a server, until it is told to cut them.
type Proxy struct {
	// Addr is where it listens, host:port.
	Addr string

	to       string
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	refuse bool
	conns  map[net.Conn]bool
}

// NewProxy starts a proxy on loopback; it ends with the test.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), to: to, listener: l, conns: map[net.Conn]bool{}}
	p.work.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.work.Wait()
	})
	return p
}

func (p *Proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.carry(c) })
	}
}

// keep remembers connections so that they can be cut; false when they must not
// be made now.
func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *Proxy) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.keep(near, far) {
		return
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, near)
		delete(p.conns, far)
	}()
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close()
		_ = from.Close()
	}
	both.Go(func() { pass(far, near) })
	both.Go(func() { pass(near, far) })
	both.Wait()
}

// Cut closes every connection and, until Mend, each new one at once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// Mend lets connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = false
}
