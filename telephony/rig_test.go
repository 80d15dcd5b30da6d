package telephony_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/switchtest"
)

// rig is a controller between a scripted switch and the real routing engine, in
// a bubble of virtual time.
type rig struct {
	t      *testing.T
	sw     *switchtest.Switch
	ctl    *telephony.Controller
	router *switchtest.Router
	ledger *switchtest.Ledger
	phones switchtest.Phones
	reg    *prometheus.Registry
	logs   *logs

	cancel context.CancelFunc
	ran    chan error
}

// logs collects what is logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	number = "02079460123"
	desk1  = "PJSIP/desk1"
	desk2  = "PJSIP/desk2"
)

// inBubble runs a test in virtual time with a rig. Afterwards nothing may be
// left: no call, no leg, no bridge, and every contact ended once.
func inBubble(t *testing.T, change func(*telephony.Options), test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, change)
		defer r.stop()
		test(t, r)
	})
}

func newRig(t *testing.T, change func(*telephony.Options)) *rig {
	t.Helper()
	r := &rig{
		t: t, sw: switchtest.New(), ledger: &switchtest.Ledger{}, logs: &logs{}, reg: prometheus.NewRegistry(),
		phones: switchtest.Phones{"ann": desk1, "bob": desk2}, ran: make(chan error, 1),
	}
	r.sw.AddPhone(desk1, switchtest.Phone{AnswerAfter: 3 * time.Second})
	r.sw.AddPhone(desk2, switchtest.Phone{AnswerAfter: 3 * time.Second})
	r.router = switchtest.NewRouter()
	ids := contact.NewIDs(nil)
	o := telephony.Options{
		Switch: r.sw, App: switchtest.App, Submit: r.router, Directory: switchtest.Directory{}, Ledger: r.ledger, Phones: r.phones,
		Sessions: switchtest.StraightToQueue,
		Prompts: func(name, language string) (telephony.Media, bool) {
			return telephony.Media{URI: "sound:" + language + "/" + name, Length: switchtest.PlayTime}, name != "missing"
		},
		NewID: func() contact.ID { return contact.ID(ids.New()) },
		Log:   zerolog.New(r.logs).Level(zerolog.DebugLevel), Metrics: telephony.NewMetrics(r.reg),
	}
	if change != nil {
		change(&o)
	}
	ctl, err := telephony.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.ctl = ctl
	r.router.Attach(func(a routing.Action) { _ = ctl.Do(context.Background(), a) })
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ran <- ctl.Run(ctx) }()
	synctest.Wait()
	return r
}

// stop ends everything and checks that nothing was left.
func (r *rig) stop() {
	r.t.Helper()
	r.sw.Heal()
	r.sw.Filter(nil)
	r.pass(2 * time.Minute)
	if n := len(r.ctl.Live()); n != 0 {
		r.t.Errorf("calls left: %v", r.ctl.Live())
	}
	v := r.sw.Now()
	for ch := range v.Channels {
		if strings.Contains(string(ch), "-leg-") {
			r.t.Errorf("leg %s was left", ch)
		}
	}
	for b := range v.Bridges {
		r.t.Errorf("bridge %s was left", b)
	}
	ended := map[contact.ID]int{}
	for _, a := range r.router.Actions() {
		if e, is := a.(routing.Ended); is {
			ended[e.Contact]++
		}
	}
	for _, ev := range r.router.Events() {
		if e, is := ev.(routing.ContactArrived); is && ended[e.Contact] != 1 {
			r.t.Errorf("contact %s ended %d times", e.Contact, ended[e.Contact])
		}
	}
	r.cancel()
	if err := <-r.ran; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	r.router.Stop()
	r.sw.Close()
	if r.t.Failed() {
		r.t.Log(r.logs.String())
	}
}

// pass lets virtual time go by and everything settle.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (r *rig) call() telephony.ChannelID {
	ch := r.sw.Call(switchtest.Caller{Number: number})
	synctest.Wait()
	return ch
}

// leg is the channel of the newest offer.
func (r *rig) leg() telephony.ChannelID {
	r.t.Helper()
	var leg telephony.ChannelID
	for _, op := range r.sw.Now().Ops {
		if op.Name == "originate" {
			leg = op.Channel
		}
	}
	if leg == "" {
		r.t.Fatal("no phone was rung")
	}
	return leg
}

func (r *rig) contact() contact.ID {
	r.t.Helper()
	ev, ok := switchtest.First[routing.ContactArrived](r.router.Events())
	if !ok {
		r.t.Fatal("no contact arrived")
	}
	return ev.Contact
}

// talking is a call connected to ann.
func (r *rig) talking() (caller, leg telephony.ChannelID) {
	r.t.Helper()
	r.router.SignOn("ann")
	caller = r.call()
	r.pass(4 * time.Second)
	leg = r.leg()
	if !r.sw.Now().Hear(caller, leg) {
		r.t.Fatalf("caller and handler do not hear each other: %+v", r.sw.Now())
	}
	return caller, leg
}

func (r *rig) state(want telephony.State) {
	r.t.Helper()
	if got := r.ctl.Live(); len(got) != 1 || got[want] != 1 {
		r.t.Fatalf("calls = %v, want one %s", got, want)
	}
}

func (r *rig) released(want routing.ReleaseCause) {
	r.t.Helper()
	ev, ok := switchtest.First[routing.ContactReleased](r.router.Events())
	if !ok || ev.Cause != want {
		r.t.Errorf("released = %+v (%v), want cause %s", ev, ok, want)
	}
}

func (r *rig) isGone(chs ...telephony.ChannelID) {
	r.t.Helper()
	v := r.sw.Now()
	for _, ch := range chs {
		if s, there := v.Channels[ch]; there {
			r.t.Errorf("channel %s is still there (%s)", ch, s)
		}
	}
}

func (r *rig) verdict(code string, want float64) {
	r.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	got := 0.0
	for _, f := range families {
		if f.GetName() != "c3i_call_verdicts_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "verdict" && l.GetValue() == code {
					got += m.GetCounter().GetValue()
				}
			}
		}
	}
	if got != want {
		r.t.Errorf("verdict %s counted %v times, want %v", code, got, want)
	}
}

// menu is an IVR that answers, plays a welcome that keys interrupt, and on key 1
// routes, on 9 transfers to the emergency destination, on 0 hangs up.
func menu(ivr.Options) telephony.Session {
	return switchtest.Script(func(in ivr.Input) []ivr.Effect {
		switch in := in.(type) {
		case ivr.Start:
			return []ivr.Effect{ivr.Answer{}, ivr.SetLanguage{Code: "pl"}, ivr.Play{ID: 1, Prompts: []ivr.PromptRef{{Name: "welcome", Language: "pl"}}, Interruptible: true}}
		case ivr.PlayDone, ivr.PlayFailed:
			return []ivr.Effect{ivr.StartTimer{ID: 1, After: 5 * contact.Second}}
		case ivr.TimerFired:
			return []ivr.Effect{ivr.Hangup{Reason: ivr.HangupFinished}}
		case ivr.TransferFailed:
			return []ivr.Effect{ivr.Play{ID: 2, Prompts: []ivr.PromptRef{{Name: "sorry", Language: "pl"}}}}
		case ivr.Digit:
			stop := []ivr.Effect{ivr.StopPlay{ID: 1}, ivr.StopTimer{ID: 1}}
			switch in.Key {
			case '1':
				return append(stop, ivr.Route{Language: "pl", Answers: map[string]string{"menu": "crime"}})
			case '9':
				return append(stop, ivr.Transfer{Destination: "emergency", Language: "pl"})
			case '0':
				return append(stop, ivr.Hangup{Reason: ivr.HangupFinished})
			}
		}
		return nil
	})
}
