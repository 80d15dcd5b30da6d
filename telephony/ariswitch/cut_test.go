package ariswitch_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/ariswitch"
	"example.org/c3i/telephony/switchtest"
)

// cable is the connection between us and Asterisk, to be cut.
type cable struct {
	to string
	l  net.Listener

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
	work  sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{to: to, l: l, conns: map[net.Conn]bool{}}
	c.work.Go(c.accept)
	t.Cleanup(func() {
		_ = l.Close()
		c.set(true)
		c.work.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		c.mu.Lock()
		if err != nil || c.cut {
			c.mu.Unlock()
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		c.conns[near], c.conns[far] = true, true
		c.mu.Unlock()
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			c.work.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_ = pair[0].Close()
				_ = pair[1].Close()
			})
		}
	}
}

// set cuts the cable or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			_ = conn.Close()
		}
		clear(c.conns)
	}
}

// While the connection is cut one caller gives up, one calls in and two talk.
// When it is back the first is known to be gone, the second was looked after by
// the dialplan and is taken over, and the two still talk.
func TestAsterisksSocketIsCut(t *testing.T) {
	s := newSite(t, nil, "desk1")
	s.sw.Close()
	wire := newCable(t, s.ast.HTTPAddress())
	sw, err := ariswitch.Open(ariswitch.Options{
		URL: "http://" + wire.l.Addr().String(), App: "c3i", Username: s.ast.Settings().ARIUser, Password: s.ast.Settings().ARIPassword, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sw.Close)
	s.sw = sw
	ctl, router, _ := s.control(switchtest.StraightToQueue, "desk1")
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()

	talking, leg := connected(ctx, t, s, router)
	waiting := s.ring(ctx, "02079460102")
	if err := waiting.WaitAnswered(ctx); err != nil {
		t.Fatal(err)
	}
	first := happened(ctx, t, router, func(routing.ContactArrived) bool { return true }).Contact
	second := happened(ctx, t, router, func(e routing.ContactArrived) bool { return e.Contact != first }).Contact

	wire.set(true)
	if err := waiting.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	late := s.ring(ctx, "02079460103")
	if err := late.WaitAnswered(ctx); err != nil {
		t.Fatalf("the dialplan did not look after the caller: %v", err)
	}
	if err := late.WaitAudio(ctx); err != nil {
		t.Fatalf("the caller hears nothing: %v", err)
	}
	if ctl.Ready() {
		t.Error("ready without a connection")
	}
	wire.set(false)

	happened(ctx, t, router, func(e routing.ContactReleased) bool { return e.Contact == second })
	hear(ctx, t, talking, leg.Call, 700)
	hear(ctx, t, leg.Call, talking, 1100)
	if err := router.Await(ctx, func(ev []routing.Event, _ []routing.Action) bool { return count[routing.ContactArrived](ev) == 3 }); err != nil {
		t.Fatalf("the caller in the fallback was not taken over: %v", err)
	}
	if got := ctl.Live(); got[telephony.StateTalking] != 1 || got[telephony.StateWaiting]+got[telephony.StateIdentifying] != 1 {
		t.Errorf("calls = %v", got)
	}
	if err := leg.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	next := s.nextLeg(ctx)
	if !strings.HasSuffix(next.From.User, "0103") {
		t.Errorf("the next call is from %q", next.From.User)
	}
	_ = late.Hangup(ctx)
}
