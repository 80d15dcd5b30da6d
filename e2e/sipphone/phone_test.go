package sipphone_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; none should come near it.
const patience = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func mustListen(t *testing.T, options sipphone.Options) *sipphone.Phone {
	t.Helper()
	p, err := sipphone.Listen(testContext(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func mustTake(t *testing.T, ctx context.Context, p *sipphone.Phone) *sipphone.IncomingCall {
	t.Helper()
	select {
	case in := <-p.Incoming():
		return in
	case <-ctx.Done():
		t.Fatal("no call came in")
		return nil
	}
}

// pair is a call that has been placed and delivered.
type pair struct {
	ctx    context.Context
	caller *sipphone.Call
	callee *sipphone.IncomingCall
}

func ring(t *testing.T, options sipphone.CallOptions) pair {
	t.Helper()
	ctx := testContext(t)
	a, b := mustListen(t, sipphone.Options{}), mustListen(t, sipphone.Options{})
	out, err := a.Call(ctx, b.URI("101"), options)
	if err != nil {
		t.Fatal(err)
	}
	return pair{ctx, out, mustTake(t, ctx, b)}
}

func connect(t *testing.T) pair {
	t.Helper()
	p := ring(t, sipphone.CallOptions{From: "02079460123"})
	must(t, p.callee.Ring())
	must(t, p.caller.WaitRinging(p.ctx))
	must(t, p.callee.Answer(p.ctx, sipphone.AnswerOptions{}))
	must(t, p.caller.WaitAnswered(p.ctx))
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantEnd(t *testing.T, ctx context.Context, c *sipphone.Call, cause sipphone.Cause, status int) sipphone.End {
	t.Helper()
	end, err := c.WaitEnded(ctx)
	must(t, err)
	if end.Cause != cause || end.Status != status {
		t.Fatalf("call ended %q with status %d (%v), want %q with %d", end.Cause, end.Status, end.Err, cause, status)
	}
	return end
}

func wantCode(t *testing.T, err error, code sipphone.Code) {
	t.Helper()
	if sipphone.CodeOf(err) != code {
		t.Fatalf("error is %v (code %q), want code %q", err, sipphone.CodeOf(err), code)
	}
}

func TestRingAnswerToneBothWaysHangUp(t *testing.T) {
	p := connect(t)
	must(t, p.caller.SendTone(440))
	must(t, p.callee.SendTone(1000))
	heard := make(chan error, 1)
	go func() { heard <- p.callee.WaitTone(p.ctx, 440, 300*time.Millisecond) }()
	must(t, p.caller.WaitTone(p.ctx, 1000, 300*time.Millisecond))
	must(t, <-heard)

	must(t, p.caller.SendSilence())
	must(t, p.callee.WaitSilence(p.ctx, 200*time.Millisecond))

	must(t, p.caller.Hangup(p.ctx))
	wantEnd(t, p.ctx, p.caller, sipphone.HungUp, 0)
	wantEnd(t, p.ctx, p.callee.Call, sipphone.PeerHungUp, 0)

	for side, times := range map[string]sipphone.Times{"caller": p.caller.Times(), "callee": p.callee.Times()} {
		order := []time.Time{times.Invite, times.Ringing, times.Answered, times.FirstAudio, times.Ended}
		for i := 1; i < len(order); i++ {
			if order[i].IsZero() || order[i].Before(order[i-1]) {
				t.Errorf("%s: times are not in order: %+v", side, times)
				break
			}
		}
		if times.FirstPacket.IsZero() {
			t.Errorf("%s: no first packet", side)
		}
	}
	if p.caller.ID() != p.callee.ID() {
		t.Errorf("Call-IDs differ: %q and %q", p.caller.ID(), p.callee.ID())
	}
}

func TestCalleeHangsUp(t *testing.T) {
	p := connect(t)
	must(t, p.callee.Hangup(p.ctx))
	wantEnd(t, p.ctx, p.callee.Call, sipphone.HungUp, 0)
	wantEnd(t, p.ctx, p.caller, sipphone.PeerHungUp, 0)
	wantCode(t, p.caller.WaitTone(p.ctx, 440, time.Second), sipphone.CodeEnded)
	wantCode(t, p.caller.SendTone(440), sipphone.CodeEnded)
}

func TestCancel(t *testing.T) {
	for _, ringFirst := range []bool{true, false} {
		p := ring(t, sipphone.CallOptions{})
		if ringFirst {
			must(t, p.callee.Ring())
			must(t, p.caller.WaitRinging(p.ctx))
		}
		must(t, p.caller.Cancel(p.ctx))
		wantEnd(t, p.ctx, p.caller, sipphone.Cancelled, 487)
		wantEnd(t, p.ctx, p.callee.Call, sipphone.PeerCancelled, 487)
		wantCode(t, p.callee.Answer(p.ctx, sipphone.AnswerOptions{}), sipphone.CodeEnded)
		wantCode(t, p.callee.Ring(), sipphone.CodeEnded)
	}
}

func TestReject(t *testing.T) {
	for _, tt := range []struct {
		status int
		reason string
	}{{486, "Busy Here"}, {480, "Temporarily Unavailable"}, {603, "Decline"}, {404, "Not Found"}} {
		p := ring(t, sipphone.CallOptions{})
		must(t, p.callee.Reject(tt.status))
		end := wantEnd(t, p.ctx, p.caller, sipphone.PeerRejected, tt.status)
		if end.Reason != tt.reason {
			t.Errorf("reason %q, want %q", end.Reason, tt.reason)
		}
		wantEnd(t, p.ctx, p.callee.Call, sipphone.Rejected, tt.status)
		err := p.caller.WaitAnswered(p.ctx)
		wantCode(t, err, sipphone.CodeRejected)
		if sipphone.StatusOf(err) != tt.status {
			t.Errorf("status %d, want %d", sipphone.StatusOf(err), tt.status)
		}
	}
}

func TestHangupBeforeAnswer(t *testing.T) {
	p := ring(t, sipphone.CallOptions{})
	must(t, p.caller.Hangup(p.ctx))
	wantEnd(t, p.ctx, p.caller, sipphone.Cancelled, 487)
	p = ring(t, sipphone.CallOptions{})
	must(t, p.callee.Hangup(p.ctx))
	wantEnd(t, p.ctx, p.caller, sipphone.PeerRejected, 486)
}

func TestHoldBySilence(t *testing.T) {
	for _, mode := range []sipphone.HoldMode{sipphone.HoldSendOnly, sipphone.HoldInactive} {
		t.Run(string(mode), func(t *testing.T) {
			p := connect(t)
			must(t, p.caller.SendTone(440))
			must(t, p.callee.SendTone(1000))
			must(t, p.caller.WaitTone(p.ctx, 1000, 100*time.Millisecond))
			must(t, p.callee.WaitTone(p.ctx, 440, 100*time.Millisecond))

			must(t, p.callee.Hold(p.ctx, mode))
			must(t, p.caller.WaitHeld(p.ctx, true))
			if !p.caller.Held() || p.callee.Held() {
				t.Error("the wrong side says it is held")
			}
			must(t, p.caller.WaitSilence(p.ctx, 200*time.Millisecond))
			must(t, p.callee.WaitSilence(p.ctx, 200*time.Millisecond))

			must(t, p.callee.Resume(p.ctx))
			must(t, p.caller.WaitHeld(p.ctx, false))
			must(t, p.caller.WaitTone(p.ctx, 1000, 100*time.Millisecond))
			must(t, p.callee.WaitTone(p.ctx, 440, 100*time.Millisecond))
		})
	}
}

func TestDigits(t *testing.T) {
	p := connect(t)
	must(t, p.caller.SendTone(440))
	must(t, p.caller.SendDigits(p.ctx, "119*0#D", sipphone.DigitOptions{On: 60 * time.Millisecond, Off: 40 * time.Millisecond}))
	must(t, p.callee.WaitDigits(p.ctx, "119*0#D"))
	var got strings.Builder
	for _, d := range p.callee.Digits() {
		got.WriteByte(d.Key)
		if d.Duration != 60*time.Millisecond {
			t.Errorf("key %c lasted %v, want 60ms", d.Key, d.Duration)
		}
	}
	if got.String() != "119*0#D" {
		t.Errorf("got %q: repeated packets must count once, repeated keys twice", got.String())
	}
	must(t, p.callee.WaitTone(p.ctx, 440, 100*time.Millisecond))

	must(t, p.callee.SendDigits(p.ctx, "1#", sipphone.DigitOptions{}))
	must(t, p.caller.WaitDigits(p.ctx, "1#"))
}
