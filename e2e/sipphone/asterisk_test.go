package sipphone_test

import (
	"context"
	"testing"
	"time"

	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/e2e/sipphone"
)

// A registered phone is rung by a real Asterisk for a caller from its trunk:
// tones pass both ways, keys arrive, hold takes the phone's tone away, and a
// hang-up reaches the other side.
func TestThroughAsterisk(t *testing.T) {
	server := asterisktest.Start(t, asterisk.Settings{
		Trunks:     []asterisk.Trunk{{Name: "exchange", Match: []string{"127.0.0.1/32"}}},
		Phones:     []asterisk.Phone{{Name: "handler1", Password: "open-sesame"}},
		Queues:     []asterisk.Queue{{Name: "test", Members: []string{"PJSIP/handler1"}}},
		Extensions: []asterisk.Extension{{Number: "900", Queue: "test"}},
	})
	ctx := testContext(t)
	handler, caller := mustListen(t, sipphone.Options{}), mustListen(t, sipphone.Options{})
	_, err := handler.Register(ctx, sipphone.Account{User: "handler1", Password: "guess", Registrar: "sip:" + server.SIPAddress()})
	wantCode(t, err, sipphone.CodeRejected)
	_, err = handler.Register(ctx, sipphone.Account{User: "handler1", Password: "open-sesame", Registrar: "sip:" + server.SIPAddress()})
	must(t, err)

	out, err := caller.Call(ctx, "sip:900@"+server.SIPAddress(), sipphone.CallOptions{From: "02079460123"})
	must(t, err)
	in := mustTake(t, ctx, handler)
	if in.ToUser != "handler1" {
		t.Errorf("rang for %q, want handler1", in.ToUser)
	}
	must(t, in.Ring())
	must(t, in.Answer(ctx, sipphone.AnswerOptions{}))
	must(t, out.WaitAnswered(ctx))

	must(t, out.SendTone(440))
	must(t, in.SendTone(1000))
	must(t, in.WaitTone(ctx, 440, 300*time.Millisecond))
	must(t, out.WaitTone(ctx, 1000, 300*time.Millisecond))
	must(t, out.SendDigits(ctx, "1#", sipphone.DigitOptions{}))
	must(t, in.WaitDigits(ctx, "1#"))

	must(t, in.Hold(ctx, sipphone.HoldInactive))
	// Asterisk may play music to the caller and go on sending to a phone that
	// holds; but the phone's own tone must be gone.
	held, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	wantCode(t, out.WaitTone(held, 1000, 200*time.Millisecond), sipphone.CodeNotHeard)
	must(t, in.Resume(ctx))
	must(t, in.WaitTone(ctx, 440, 200*time.Millisecond))
	must(t, out.WaitTone(ctx, 1000, 200*time.Millisecond))

	must(t, out.Hangup(ctx))
	end := wantEnd(t, ctx, in.Call, sipphone.PeerHungUp, 0)
	t.Logf("Asterisk's reason: %q", end.Reason)

	unknown, err := caller.Call(ctx, "sip:901@"+server.SIPAddress(), sipphone.CallOptions{From: "02079460123"})
	must(t, err)
	wantEnd(t, ctx, unknown, sipphone.PeerRejected, 404)
}
