package edge_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"example.org/c3i/edge"
)

// site is an HTTP server with limits; /hold answers when told to, /known after the
// connection was told to be somebody's who is known.
type site struct {
	t        *testing.T
	l        *edge.Listener
	hold     chan struct{}
	holding  chan struct{}
	refused  chan string
	dropped  atomic.Int32
	idleness chan struct{}
}

func serve(t *testing.T, limits edge.Limits) *site {
	t.Helper()
	s := &site{t: t, hold: make(chan struct{}), holding: make(chan struct{}, 100), refused: make(chan string, 100), idleness: make(chan struct{}, 100)}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limits.Refused = func(reason string) { s.refused <- reason }
	limits.Dropped = func() { s.dropped.Add(1) }
	s.l = edge.Listen(inner, limits)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/hold", func(http.ResponseWriter, *http.Request) {
		s.holding <- struct{}{}
		<-s.hold
	})
	mux.HandleFunc("/known", func(_ http.ResponseWriter, r *http.Request) {
		edge.Known(r.Context())
		s.holding <- struct{}{}
		<-s.hold
	})
	server := &http.Server{Handler: mux, ConnContext: edge.Context, ReadHeaderTimeout: time.Minute, ConnState: func(c net.Conn, state http.ConnState) {
		s.l.State(c, state)
		if state == http.StateIdle {
			s.idleness <- struct{}{}
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.l) }()
	t.Cleanup(func() {
		close(s.hold)
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve = %v", err)
		}
		if n := s.l.Open(); n != 0 {
			t.Errorf("%d connections counted after all were closed", n)
		}
	})
	return s
}

func (s *site) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.l.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *site) ask(c net.Conn, path string) {
	s.t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) answered(c net.Conn) {
	s.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// ends waits until the server closes a connection.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the server did not close the connection")
	}
}

func TestAClientWithTooManyConnectionsIsRefusedAndOthersAreNot(t *testing.T) {
	s := serve(t, edge.Limits{Connections: 100, PerRemote: 2})
	for range 2 {
		s.ask(s.dial(), "/hold")
		<-s.holding
	}
	ends(t, s.dial())
	if got := <-s.refused; got != "address" {
		t.Errorf("refused because of %q, want address", got)
	}
}

func TestAnExemptAddressIsBoundedWithAllOthersOnly(t *testing.T) {
	s := serve(t, edge.Limits{Connections: 3, PerRemote: 1, Exempt: netip.Addr.IsLoopback})
	for range 3 {
		s.ask(s.dial(), "/hold")
		<-s.holding
	}
	ends(t, s.dial())
	if got := <-s.refused; got != "all" {
		t.Errorf("refused because of %q, want all", got)
	}
}

func TestAnIdleConnectionGivesWayToANewOne(t *testing.T) {
	for name, limits := range map[string]edge.Limits{"of one address": {PerRemote: 2}, "of all": {Connections: 2}} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, limits)
			first, second := s.dial(), s.dial()
			for _, c := range []net.Conn{first, second} { // first is idle the longest
				s.ask(c, "/")
				s.answered(c)
				<-s.idleness
			}
			third := s.dial()
			s.ask(third, "/")
			s.answered(third)
			ends(t, first)
			s.ask(second, "/")
			s.answered(second)
			if n := s.dropped.Load(); n != 1 {
				t.Errorf("%d connections gave way, want 1", n)
			}
		})
	}
}

func TestWhoHasSignedOnIsNoLongerCountedWithTheirAddress(t *testing.T) {
	s := serve(t, edge.Limits{PerRemote: 1})
	for range 3 { // a station behind one address
		s.ask(s.dial(), "/known")
		<-s.holding
	}
	s.ask(s.dial(), "/hold")
	<-s.holding
	ends(t, s.dial())
}

func TestAPlaceIsFreeAgainOnceItsConnectionEnds(t *testing.T) {
	s := serve(t, edge.Limits{PerRemote: 1})
	c := s.dial()
	s.ask(c, "/hold")
	<-s.holding
	ends(t, s.dial())
	s.hold <- struct{}{}
	s.answered(c)
	<-s.idleness
	_ = c.Close()
	c = s.dial() // the other is idle still, or gone by now
	s.ask(c, "/")
	s.answered(c)
}

func TestWhatIsOneTooManyIsToldSo(t *testing.T) {
	s := serve(t, edge.Limits{Connections: 1, Refuse: func(c net.Conn) { _, _ = io.WriteString(c, "421 later\r\n") }})
	s.ask(s.dial(), "/hold")
	<-s.holding
	line, err := bufio.NewReader(s.dial()).ReadString('\n')
	if line != "421 later\r\n" {
		t.Errorf("told %q (%v)", line, err)
	}
}

func pair(t *testing.T) (*edge.Conn, net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	out, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	in, err := edge.Listen(inner, edge.Limits{}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return edge.Held(in), out
}

func TestAMessageThatStandsStillEndsWhateverDeadlinesAreSet(t *testing.T) {
	in, out := pair(t)
	late := errors.New("late")
	end := in.Pace(edge.Patience{Stall: 10 * time.Millisecond}, late)
	if err := in.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, late) {
		t.Fatalf("a message that stands still: %v", err)
	}
	end()
	if err := in.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(out, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(make([]byte, 1)); err != nil {
		t.Errorf("after the message: %v", err)
	}
}

func TestAReadThatWasLateIsTheLast(t *testing.T) {
	in, out := pair(t)
	in.EndWhenLate()
	if err := in.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := in.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(out, "the rest of something"); err != nil {
		t.Fatal(err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestNothingIsReadAfterTheLast(t *testing.T) {
	in, out := pair(t)
	in.LastUntil(time.Now())
	if err := in.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(out, "x"); err != nil {
		t.Fatal(err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
	if _, err := io.WriteString(in, "bye"); err != nil {
		t.Errorf("nothing can be written: %v", err)
	}
}

func TestWhoHasSignedOnIsKnownOverTLSToo(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := edge.Listen(inner, edge.Limits{PerRemote: 1})
	hold, holding := make(chan struct{}), make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			edge.Known(r.Context())
			holding <- struct{}{}
			<-hold
		}
	}))
	_ = s.Listener.Close()
	s.Listener, s.Config.ConnContext = l, edge.Context
	s.StartTLS()
	t.Cleanup(s.Close)
	ask := func(path string) error {
		client := &http.Client{Transport: s.Client().Transport.(*http.Transport).Clone()}
		resp, err := client.Get(s.URL + path)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	known := make(chan error, 1)
	go func() { known <- ask("/known") }()
	<-holding
	if err := ask("/"); err != nil {
		t.Errorf("beside one who is known: %v", err)
	}
	close(hold)
	if err := <-known; err != nil {
		t.Error(err)
	}
}
