package ariswitch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/contact"
	"example.org/c3i/e2e/sipphone"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/ariswitch"
	"example.org/c3i/telephony/switchtest"
)

// site is a real Asterisk with a trunk and handlers' phones, all SIP phones of
// the test's own.
type site struct {
	t       testing.TB
	ast     *asterisk.Process
	callers *sipphone.Phone
	phones  *sipphone.Phone
	sw      *ariswitch.Switch
}

// newSite starts Asterisk with handlers' phones by these names. They ring when
// called and then do as incoming says; nil leaves them to phones.Incoming.
func newSite(t testing.TB, incoming func(context.Context, *sipphone.IncomingCall), names ...string) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	s := &site{t: t, callers: phone(ctx, t, nil), phones: phone(ctx, t, incoming)}
	settings := asterisk.Settings{Trunks: []asterisk.Trunk{{Name: "trunk", Match: []string{"127.0.0.1"}}}}
	for _, n := range names {
		settings.Phones = append(settings.Phones, asterisk.Phone{Name: n, Contact: s.phones.URI(n)})
	}
	s.ast = asterisktest.Start(t, settings)
	t.Cleanup(func() { // calls end while there is an Asterisk to agree
		_ = s.callers.Close()
		_ = s.phones.Close()
	})
	s.sw = s.open()
	t.Cleanup(s.sw.Close)
	return s
}

func phone(ctx context.Context, t testing.TB, incoming func(context.Context, *sipphone.IncomingCall)) *sipphone.Phone {
	t.Helper()
	p, err := sipphone.Listen(ctx, sipphone.Options{OnInvite: incoming})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func (s *site) open() *ariswitch.Switch {
	s.t.Helper()
	sw, err := ariswitch.Open(ariswitch.Options{
		URL: s.ast.URL(), App: "c3i", Username: s.ast.Settings().ARIUser, Password: s.ast.Settings().ARIPassword, Log: zerolog.Nop(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sw
}

// ring calls 101.
func (s *site) ring(ctx context.Context, from string) *sipphone.Call {
	s.t.Helper()
	c, err := s.callers.Call(ctx, "sip:101@"+s.ast.SIPAddress(), sipphone.CallOptions{From: from})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// control runs a controller with real routing over the site's switch.
func (s *site) control(flow func(ivr.Options) telephony.Session, agents ...routing.AgentID) (*telephony.Controller, *switchtest.Router, *switchtest.Ledger) {
	s.t.Helper()
	ledger, ids, phones := &switchtest.Ledger{}, contact.NewIDs(nil), switchtest.Phones{}
	for _, a := range agents {
		phones[a] = "PJSIP/" + string(a)
	}
	var ctl *telephony.Controller
	router := switchtest.NewRouter(func(a routing.Action) {
		if ctl != nil {
			_ = ctl.Do(context.Background(), a)
		}
	})
	ctl, err := telephony.New(telephony.Options{
		Switch: s.sw, App: "c3i", Submit: router, Directory: switchtest.Directory{}, Ledger: ledger, Phones: phones, Sessions: flow,
		Prompts: func(name, _ string) (telephony.Media, bool) { return telephony.Media{URI: "sound:" + name}, true },
		NewID:   func() contact.ID { return contact.ID(ids.New()) },
		Log:     zerolog.New(zerolog.NewTestWriter(s.t)).Level(zerolog.InfoLevel),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	router.SignOn(agents...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ctl.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		router.Stop()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return ctl, router, ledger
}

func TestACallIsQueuedRungConnectedAndHungUp(t *testing.T) {
	s := newSite(t, nil, "desk1")
	_, router, _ := s.control(switchtest.StraightToQueue, "desk1")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	call := s.ring(ctx, "02079460101")
	var leg *sipphone.IncomingCall
	select {
	case leg = <-s.phones.Incoming():
	case <-ctx.Done():
		t.Fatal("the handler's phone was not called")
	}
	t.Logf("call in to phone called: %v", leg.Times().Invite.Sub(call.Times().Invite))
	if leg.From.User != "02079460101" {
		t.Errorf("the phone shows %q", leg.From.User)
	}
	if err := leg.Ring(); err != nil {
		t.Fatal(err)
	}
	answered := time.Now()
	if err := leg.Answer(ctx, sipphone.AnswerOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := router.Await(ctx, func(ev []routing.Event, _ []routing.Action) bool {
		_, ok := switchtest.First[routing.Connected](ev)
		return ok
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("answer to connected: %v", time.Since(answered))
	hear(ctx, t, call, leg.Call, 700)
	hear(ctx, t, leg.Call, call, 1100)
	if err := call.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := leg.WaitEnded(ctx); err != nil {
		t.Fatal(err)
	}
	arrived, _ := switchtest.First[routing.ContactArrived](router.Events())
	if arrived.Facts.CLI != contact.CLIPresented || arrived.Facts.Dialled != "101" {
		t.Errorf("facts = %+v", arrived.Facts)
	}
	if err := router.Await(ctx, switchtest.Has(routing.ContactReleased{Contact: arrived.Contact, Cause: routing.ReleasedByCaller})); err != nil {
		t.Error(err)
	}
}

// hear fails the test unless a tone from one call is heard at the other.
func hear(ctx context.Context, t *testing.T, from, at *sipphone.Call, hz float64) {
	t.Helper()
	if err := from.SendTone(hz); err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := at.WaitTone(within, hz, 200*time.Millisecond); err != nil {
		t.Fatal(fmt.Errorf("tone of %v Hz: %w", hz, err))
	}
	if err := from.SendSilence(); err != nil {
		t.Fatal(err)
	}
}

// connected rings, answers and waits until both are joined.
func connected(ctx context.Context, t *testing.T, s *site, router *switchtest.Router) (*sipphone.Call, *sipphone.IncomingCall) {
	t.Helper()
	call := s.ring(ctx, "02079460101")
	leg := s.nextLeg(ctx)
	if err := leg.Answer(ctx, sipphone.AnswerOptions{}); err != nil {
		t.Fatal(err)
	}
	happened(ctx, t, router, func(routing.Connected) bool { return true })
	return call, leg
}

func (s *site) nextLeg(ctx context.Context) *sipphone.IncomingCall {
	s.t.Helper()
	select {
	case leg := <-s.phones.Incoming():
		return leg
	case <-ctx.Done():
		s.t.Fatal("no handler's phone was called")
		return nil
	}
}

// happened waits for an event of a type.
func happened[E routing.Event](ctx context.Context, t *testing.T, router *switchtest.Router, is func(E) bool) E {
	t.Helper()
	var found E
	err := router.Await(ctx, func(events []routing.Event, _ []routing.Action) bool {
		for _, ev := range events {
			if e, ok := ev.(E); ok && is(e) {
				found = e
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("%T: %v", found, err)
	}
	return found
}

func TestHoldMuteKeysAndHangUpByTheHandler(t *testing.T) {
	s := newSite(t, nil, "desk1")
	ctl, router, _ := s.control(switchtest.StraightToQueue, "desk1")
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	call, leg := connected(ctx, t, s, router)
	id := happened(ctx, t, router, func(routing.ContactArrived) bool { return true }).Contact
	ask := func(v routing.Verb, digits string) {
		t.Helper()
		if err := ctl.Do(ctx, routing.Control{Contact: id, Agent: "desk1", Verb: v, Digits: digits}); err != nil {
			t.Fatal(err)
		}
		if d := happened(ctx, t, router, func(d routing.ControlDone) bool { return d.Verb == v }); d.Cause != "" {
			t.Fatalf("%s: %s", v, d.Cause)
		}
	}
	if err := call.SendTone(700); err != nil {
		t.Fatal(err)
	}
	if err := leg.SendTone(1100); err != nil {
		t.Fatal(err)
	}
	hears := func(at *sipphone.Call, hz float64, want bool) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if want {
			if err := at.WaitTone(within, hz, 200*time.Millisecond); err != nil {
				t.Fatalf("tone of %v Hz: %v", hz, err)
			}
			return
		}
		// What was on its way may still be heard; then no more of the tone.
		for {
			short, cancel := context.WithTimeout(within, 500*time.Millisecond)
			err := at.WaitTone(short, hz, 100*time.Millisecond)
			cancel()
			if sipphone.CodeOf(err) == sipphone.CodeNotHeard {
				return
			}
			if within.Err() != nil {
				t.Fatalf("tone of %v Hz is still heard", hz)
			}
		}
	}
	hears(leg.Call, 700, true)
	hears(call, 1100, true)
	ask(routing.VerbMute, "")
	hears(call, 1100, false)
	hears(leg.Call, 700, true)
	ask(routing.VerbUnmute, "")
	hears(call, 1100, true)
	ask(routing.VerbHold, "")
	hears(call, 1100, false)
	hears(leg.Call, 700, false)
	ask(routing.VerbResume, "")
	hears(call, 1100, true)
	hears(leg.Call, 700, true)
	ask(routing.VerbDTMF, "12#")
	if err := call.WaitDigits(ctx, "12#"); err != nil {
		t.Error(err)
	}
	ask(routing.VerbHangup, "")
	for _, c := range []*sipphone.Call{call, leg.Call} {
		if _, err := c.WaitEnded(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestHandlersPhoneHangsUp(t *testing.T) {
	s := newSite(t, nil, "desk1")
	_, router, _ := s.control(switchtest.StraightToQueue, "desk1")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	call, leg := connected(ctx, t, s, router)
	if err := leg.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := call.WaitEnded(ctx); err != nil {
		t.Fatal(err)
	}
	if e := happened(ctx, t, router, func(routing.ContactReleased) bool { return true }); e.Cause != routing.ReleasedByHandler {
		t.Errorf("released by %s", e.Cause)
	}
}

func TestDeclinedThenNextHandlerThenCallerGivesUp(t *testing.T) {
	s := newSite(t, nil, "desk1", "desk2")
	_, router, _ := s.control(switchtest.StraightToQueue, "desk1", "desk2")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	call := s.ring(ctx, "02079460101")
	first := s.nextLeg(ctx)
	if err := first.Reject(486); err != nil {
		t.Fatal(err)
	}
	second := s.nextLeg(ctx)
	if second.ToUser == first.ToUser {
		t.Errorf("%s was rung again", first.ToUser)
	}
	if err := second.Ring(); err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAudio(ctx); err != nil {
		t.Errorf("the caller hears no music: %v", err)
	}
	if err := call.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	if end, err := second.WaitEnded(ctx); err != nil || end.Cause != sipphone.PeerCancelled {
		t.Errorf("the second phone: %+v, %v", end, err)
	}
	happened(ctx, t, router, func(d routing.OfferDeclined) bool { return string(d.Agent) == first.ToUser })
	if e := happened(ctx, t, router, func(routing.ContactReleased) bool { return true }); e.Cause != routing.ReleasedByCaller {
		t.Errorf("released by %s", e.Cause)
	}
}

func TestPushedEndpointRegistersAndIsRung(t *testing.T) {
	s := newSite(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	const id, dial = "web-ann", "PJSIP/web-ann"
	e := ariswitch.Endpoint{ID: id, Password: "short-lived-secret", Context: "handlers"}
	if err := s.sw.PushEndpoint(ctx, e); err != nil {
		t.Fatal(err)
	}
	if up, err := s.sw.WatchPhone(ctx, dial); err != nil || up {
		t.Errorf("before it registers: up %v, %v", up, err)
	}
	account := sipphone.Account{User: id, Password: e.Password, Registrar: "sip:" + s.ast.SIPAddress()}
	if _, err := s.phones.Register(ctx, account); err != nil {
		t.Fatal(err)
	}
	for up := false; !up; {
		select {
		case ev := <-s.sw.Events():
			if c, is := ev.Body.(telephony.EndpointChanged); is && c.Endpoint == dial {
				up = c.Up
			}
		case <-ctx.Done():
			t.Fatal("nothing was told of the phone")
		}
	}
	if err := s.sw.Originate(ctx, telephony.Originate{Channel: "c3i-x-leg-1", Endpoint: dial, Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	_ = s.nextLeg(ctx).Reject(486)
	// A browser's endpoint takes the options that go with it.
	if err := s.sw.PushEndpoint(ctx, ariswitch.Endpoint{ID: "web-bob", Password: "another-secret", Context: "handlers", WebRTC: true, CallerNumber: "100"}); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := s.sw.RemoveEndpoint(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.phones.Register(ctx, account); sipphone.CodeOf(err) != sipphone.CodeRejected {
		t.Errorf("registering with withdrawn credentials: %v", err)
	}
	// Asterisk forgets it once the call it refused is gone, and tells nobody when.
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for up := true; up; <-look.C {
		var err error
		if up, err = s.sw.PhoneUp(ctx, dial); err != nil {
			t.Fatalf("after it was removed: up %v, %v", up, err)
		}
	}
}

// BenchmarkCall measures, on a real Asterisk, how long after a caller's INVITE
// the idle handler's phone gets its own, and how long after the handler's 200
// caller and handler are joined.
func BenchmarkCall(b *testing.B) {
	s := newSite(b, nil, "desk1")
	_, router, _ := s.control(switchtest.StraightToQueue, "desk1")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var ring, join []time.Duration
	for range b.N {
		connectedSoFar := count[routing.Connected](router.Events())
		call, err := s.callers.Call(ctx, "sip:101@"+s.ast.SIPAddress(), sipphone.CallOptions{From: "02079460101", NoMedia: true})
		if err != nil {
			b.Fatal(err)
		}
		leg := s.nextLeg(ctx)
		ring = append(ring, leg.Times().Invite.Sub(call.Times().Invite))
		began := time.Now()
		if err := leg.Answer(ctx, sipphone.AnswerOptions{NoMedia: true}); err != nil {
			b.Fatal(err)
		}
		if err := router.Await(ctx, func(ev []routing.Event, _ []routing.Action) bool {
			return count[routing.Connected](ev) > connectedSoFar
		}); err != nil {
			b.Fatal(err)
		}
		join = append(join, time.Since(began))
		if err := call.Hangup(ctx); err != nil {
			b.Fatal(err)
		}
		if _, err := leg.WaitEnded(ctx); err != nil {
			b.Fatal(err)
		}
		if err := router.Await(ctx, func(ev []routing.Event, _ []routing.Action) bool {
			return count[routing.ContactReleased](ev) > connectedSoFar
		}); err != nil {
			b.Fatal(err)
		}
	}
	for name, all := range map[string][]time.Duration{"ring": ring, "join": join} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
}

func count[E routing.Event](events []routing.Event) int {
	n := 0
	for _, ev := range events {
		if _, is := ev.(E); is {
			n++
		}
	}
	return n
}
