package ariswitch_test

import (
	"context"
	"fmt"
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
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := at.WaitTone(within, hz, 200*time.Millisecond); err != nil {
		t.Fatal(fmt.Errorf("tone of %v Hz: %w", hz, err))
	}
	if err := from.SendSilence(); err != nil {
		t.Fatal(err)
	}
}
