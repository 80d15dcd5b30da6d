package sipphone_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestAutoAnswer(t *testing.T) {
	ctx := testContext(t)
	b := mustListen(t, sipphone.Options{OnInvite: sipphone.AutoAnswer(50 * time.Millisecond)})
	a := mustListen(t, sipphone.Options{})
	c, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	must(t, err)
	must(t, c.WaitAnswered(ctx))
	times := c.Times()
	if rang := times.Answered.Sub(times.Ringing); times.Ringing.IsZero() || rang < 40*time.Millisecond {
		t.Errorf("rang for %v, want 50ms", rang)
	}
	must(t, c.Hangup(ctx))

	c, err = a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	must(t, err)
	must(t, c.WaitRinging(ctx))
	must(t, c.Hangup(ctx))
}

func TestNoMediaSendsNothing(t *testing.T) {
	p := ring(t, sipphone.CallOptions{NoMedia: true})
	must(t, p.callee.Answer(p.ctx, sipphone.AnswerOptions{}))
	must(t, p.caller.WaitAnswered(p.ctx))
	wantCode(t, p.caller.SendTone(440), sipphone.CodeNoMedia)
	wantCode(t, p.caller.WaitTone(p.ctx, 440, 0), sipphone.CodeNoMedia)
	wantCode(t, p.caller.WaitSilence(p.ctx, 0), sipphone.CodeNoMedia)
	wantCode(t, p.caller.SendDigits(p.ctx, "1", sipphone.DigitOptions{}), sipphone.CodeNoMedia)
	wantCode(t, p.caller.SaveWAV(filepath.Join(t.TempDir(), "x.wav")), sipphone.CodeNoMedia)
	must(t, p.callee.WaitSilence(p.ctx, 100*time.Millisecond))
	if s := p.callee.MediaStats(); s.Received != 0 || s.Sent == 0 {
		t.Errorf("with a silent caller: %+v", s)
	}
	// Holding is signalling and works without audio.
	must(t, p.caller.Hold(p.ctx, sipphone.HoldSendOnly))
	must(t, p.callee.WaitHeld(p.ctx, true))
	must(t, p.caller.Hangup(p.ctx))
}

func TestCodecs(t *testing.T) {
	type codecs = []sipphone.Codec
	for _, tt := range []struct {
		caller, callee codecs
		ok             bool
	}{
		{codecs{sipphone.PCMA}, nil, true},
		{codecs{sipphone.PCMU, sipphone.PCMA}, codecs{sipphone.PCMA}, true},
		{codecs{sipphone.PCMU}, codecs{sipphone.PCMA}, false},
	} {
		t.Run(fmt.Sprintf("%v to %v", tt.caller, tt.callee), func(t *testing.T) {
			ctx := testContext(t)
			a, b := mustListen(t, sipphone.Options{Codecs: tt.caller}), mustListen(t, sipphone.Options{Codecs: tt.callee})
			out, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
			must(t, err)
			in := mustTake(t, ctx, b)
			err = in.Answer(ctx, sipphone.AnswerOptions{})
			if !tt.ok {
				wantCode(t, err, sipphone.CodeUnsupported)
				wantEnd(t, ctx, out, sipphone.PeerRejected, 488)
				return
			}
			must(t, err)
			must(t, in.SendTone(1000))
			must(t, out.WaitTone(ctx, 1000, 200*time.Millisecond))
		})
	}
}

func TestSaveWAV(t *testing.T) {
	p := connect(t)
	must(t, p.callee.SendTone(1000))
	must(t, p.caller.WaitTone(p.ctx, 1000, 300*time.Millisecond))
	must(t, p.caller.Hangup(p.ctx))
	path := filepath.Join(t.TempDir(), "caller.wav")
	must(t, p.caller.SaveWAV(path))
	b, err := os.ReadFile(path)
	must(t, err)
	if len(b) < 44+2*2400 || string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " ||
		binary.LittleEndian.Uint32(b[24:]) != 8000 || int(binary.LittleEndian.Uint32(b[40:])) != len(b)-44 {
		t.Fatalf("not the WAV file expected: %d bytes, header % x", len(b), b[:min(44, len(b))])
	}
	last := make([]int16, 400)
	for i := range last {
		last[i] = int16(binary.LittleEndian.Uint16(b[len(b)-800+2*i:]))
	}
	if share, level := sipphone.ToneShare(last, 8000, 1000); share < 0.9 || level < -20 {
		t.Errorf("the end of the recording has a share of %.2f at %.0f dBFS, want the tone", share, level)
	}
	wantCode(t, p.caller.SaveWAV(filepath.Join(path, "no", "such", "folder.wav")), sipphone.CodeNetwork)
}

func TestWaitsEndWithTheirContext(t *testing.T) {
	p := connect(t)
	must(t, p.caller.SendTone(440))
	must(t, p.callee.WaitAudio(p.ctx))
	short, cancel := context.WithTimeout(p.ctx, 150*time.Millisecond)
	defer cancel()
	err := p.callee.WaitTone(short, 1000, 100*time.Millisecond)
	wantCode(t, err, sipphone.CodeNotHeard)
	if !contains(err.Error(), "0 of ") {
		t.Errorf("error %q does not say what was heard", err)
	}
	wantCode(t, p.callee.WaitSilence(short, time.Second), sipphone.CodeNotHeard)
	wantCode(t, p.callee.WaitDigits(short, "1"), sipphone.CodeNotHeard)
	wantCode(t, p.callee.WaitHeld(short, true), sipphone.CodeNoResponse)
	wantCode(t, p.caller.WaitAudio(short), sipphone.CodeNotHeard)
	_, err = p.callee.WaitEnded(short)
	wantCode(t, err, sipphone.CodeNoResponse)
	wantCode(t, p.caller.SendDigits(short, "123456789", sipphone.DigitOptions{}), sipphone.CodeNoResponse)
	q := ring(t, sipphone.CallOptions{})
	wantCode(t, q.caller.WaitAnswered(short), sipphone.CodeNoResponse)
}

func TestWaitsEndWithTheCall(t *testing.T) {
	p := connect(t)
	errs := make(chan error)
	waits := []func() error{
		func() error { return p.caller.WaitTone(p.ctx, 440, time.Second) },
		func() error { return p.caller.WaitSilence(p.ctx, time.Minute) },
		func() error { return p.caller.WaitAudio(p.ctx) },
		func() error { return p.caller.WaitDigits(p.ctx, "1") },
		func() error { return p.caller.WaitHeld(p.ctx, true) },
		func() error {
			return p.caller.SendDigits(p.ctx, strings.Repeat("1", 200), sipphone.DigitOptions{})
		},
	}
	for _, wait := range waits {
		go func() { errs <- wait() }()
	}
	must(t, p.callee.WaitDigits(p.ctx, "1"))
	must(t, p.callee.Hangup(p.ctx))
	for range waits {
		wantCode(t, <-errs, sipphone.CodeEnded)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	ctx := testContext(t)
	b := mustListen(t, sipphone.Options{})
	a, err := sipphone.Listen(ctx, sipphone.Options{})
	must(t, err)
	up, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	must(t, err)
	upIn := mustTake(t, ctx, b)
	must(t, upIn.Answer(ctx, sipphone.AnswerOptions{}))
	must(t, up.WaitAnswered(ctx))
	ringing, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	must(t, err)
	ringingIn := mustTake(t, ctx, b)
	must(t, ringingIn.Ring())
	back, err := b.Call(ctx, a.URI("101"), sipphone.CallOptions{})
	must(t, err)
	mustTake(t, ctx, a)

	must(t, a.Close())
	wantEnd(t, ctx, up, sipphone.HungUp, 0)
	wantEnd(t, ctx, upIn.Call, sipphone.PeerHungUp, 0)
	wantEnd(t, ctx, ringing, sipphone.Cancelled, 487)
	wantEnd(t, ctx, ringingIn.Call, sipphone.PeerCancelled, 487)
	wantEnd(t, ctx, back, sipphone.PeerRejected, 486)
	must(t, a.Close())
	_, err = a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	wantCode(t, err, sipphone.CodeClosed)
}

func TestCloseDoesNotWaitForTheDead(t *testing.T) {
	ctx := testContext(t)
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer dead.Close()
	a, err := sipphone.Listen(ctx, sipphone.Options{})
	must(t, err)
	c, err := a.Call(ctx, "sip:101@"+dead.LocalAddr().String(), sipphone.CallOptions{})
	must(t, err)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	wantCode(t, c.Cancel(short), sipphone.CodeNoResponse)
	began := time.Now()
	must(t, a.Close())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closing took %v", took)
	}
	if end := c.End(); end.Cause == "" {
		t.Error("the call has not ended")
	}
}

func TestWrongStates(t *testing.T) {
	p := ring(t, sipphone.CallOptions{})
	wantCode(t, p.caller.Hold(p.ctx, sipphone.HoldSendOnly), sipphone.CodeWrongState)
	wantCode(t, p.callee.Cancel(p.ctx), sipphone.CodeWrongState)
	wantCode(t, p.caller.SendDigits(p.ctx, "1", sipphone.DigitOptions{}), sipphone.CodeWrongState)
	must(t, p.callee.Answer(p.ctx, sipphone.AnswerOptions{}))
	must(t, p.caller.WaitAnswered(p.ctx))
	wantCode(t, p.callee.Answer(p.ctx, sipphone.AnswerOptions{}), sipphone.CodeWrongState)
	wantCode(t, p.callee.Reject(486), sipphone.CodeWrongState)
	wantCode(t, p.callee.Ring(), sipphone.CodeWrongState)
	wantCode(t, p.caller.Cancel(p.ctx), sipphone.CodeWrongState)
	must(t, p.caller.Hangup(p.ctx))
	must(t, p.caller.Hangup(p.ctx))
	must(t, p.caller.Cancel(p.ctx))
	wantCode(t, p.caller.Hold(p.ctx, sipphone.HoldSendOnly), sipphone.CodeEnded)
}

// Both sides hang up, hold or answer-and-cancel at once: whatever the order, both
// ends agree that the call is over, and nobody waits for ever.
func TestCrossings(t *testing.T) {
	for range 10 {
		p := connect(t)
		done := make(chan error)
		go func() { done <- p.callee.Hangup(p.ctx) }()
		must(t, p.caller.Hangup(p.ctx))
		must(t, <-done)

		p = ring(t, sipphone.CallOptions{})
		go func() { done <- p.callee.Answer(p.ctx, sipphone.AnswerOptions{}) }()
		// Too late to cancel is a fair outcome: then the call is up.
		if err := p.caller.Cancel(p.ctx); sipphone.CodeOf(err) == sipphone.CodeWrongState {
			must(t, <-done)
			must(t, p.caller.Hangup(p.ctx))
		} else {
			must(t, err)
			<-done
		}
		_, err := p.callee.WaitEnded(p.ctx)
		must(t, err)
		_, err = p.caller.WaitEnded(p.ctx)
		must(t, err)

		p = connect(t)
		go func() { done <- p.callee.Hold(p.ctx, sipphone.HoldSendOnly) }()
		mine, theirs := p.caller.Hold(p.ctx, sipphone.HoldSendOnly), <-done
		for _, err := range []error{mine, theirs} {
			if err != nil && sipphone.StatusOf(err) != 491 && sipphone.CodeOf(err) != sipphone.CodeWrongState {
				t.Errorf("holding at once: %v", err)
			}
		}
		must(t, p.caller.Hangup(p.ctx))
	}
}

// wire is a bare UDP socket that speaks SIP by hand.
type wire struct {
	conn *net.UDPConn
	to   net.Addr
}

func mustWire(t *testing.T, p *sipphone.Phone) *wire {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{conn, net.UDPAddrFromAddrPort(p.Addr())}
}

// send fills in {addr} and writes lines ended as SIP wants them.
func (w *wire) send(t *testing.T, message string) {
	t.Helper()
	head, body, _ := strings.Cut(message, "\n\n")
	body = strings.ReplaceAll(body, "\n", "\r\n")
	head = strings.ReplaceAll(strings.TrimSpace(head), "{addr}", w.conn.LocalAddr().String())
	head = strings.ReplaceAll(head, "\n", "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body))
	_, err := w.conn.WriteTo([]byte(head+body), w.to)
	must(t, err)
}

// want reads until a message that begins as told.
func (w *wire) want(t *testing.T, start string) string {
	t.Helper()
	must(t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 4096)
	for {
		n, _, err := w.conn.ReadFrom(buf)
		if err != nil {
			t.Fatalf("waiting for %q: %v", start, err)
		}
		if strings.HasPrefix(string(buf[:n]), start) {
			return string(buf[:n])
		}
	}
}

const wireInvite = `INVITE sip:101@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP {addr};branch=z9hG4bK-1;rport
From: <sip:wire@{addr}>;tag=w
To: <sip:101@127.0.0.1>
Call-ID: wire-1
CSeq: 1 INVITE
Contact: <sip:wire@{addr}>
Max-Forwards: 70
`

const wireSDP = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 0
`

func TestHostileSIP(t *testing.T) {
	tests := []struct {
		name, message, want string
	}{
		{"unusable offer", wireInvite + "Content-Type: application/sdp\n\nv=0\n", "SIP/2.0 488"},
		{"encrypted offer", wireInvite + "Content-Type: application/sdp\n\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/SAVP 0\n", "SIP/2.0 488"},
		{"no Contact", strings.ReplaceAll(wireInvite, "Contact: <sip:wire@{addr}>\n", ""), "SIP/2.0 400"},
		{"extension required", wireInvite + "Require: 100rel\n", "SIP/2.0 420"},
		{"BYE for no call", strings.NewReplacer("INVITE", "BYE", "To: <sip:101@127.0.0.1>", "To: <sip:101@127.0.0.1>;tag=x").Replace(wireInvite), "SIP/2.0 481"},
		{"re-INVITE for no call", strings.Replace(wireInvite, "To: <sip:101@127.0.0.1>", "To: <sip:101@127.0.0.1>;tag=x", 1), "SIP/2.0 481"},
		{"CANCEL of nothing", strings.ReplaceAll(wireInvite, "INVITE", "CANCEL"), "SIP/2.0 481"},
		{"no From, To or Call-ID", "OPTIONS sip:a@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {addr};branch=z9hG4bK-2;rport\nCSeq: 1 OPTIONS\n", "SIP/2.0 400"},
		{"unknown method", strings.ReplaceAll(wireInvite, "INVITE", "DANCE"), "SIP/2.0 405"},
		{"qualify", strings.ReplaceAll(wireInvite, "INVITE", "OPTIONS"), "SIP/2.0 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, p := testContext(t), mustListen(t, sipphone.Options{})
			w := mustWire(t, p)
			for _, garbage := range []string{"", "\x00", "hello", "\r\n\r\n", "INVITE", "SIP/2.0 200 OK\r\n\r\n", strings.Repeat("A", 9000)} {
				_, err := w.conn.WriteTo([]byte(garbage), w.to)
				must(t, err)
			}
			w.send(t, tt.message)
			w.want(t, tt.want)
			if n := p.Calls(); n != 0 {
				t.Errorf("%d calls are left", n)
			}
			// The phone still works.
			c, err := p.Call(ctx, p.URI("self"), sipphone.CallOptions{})
			must(t, err)
			must(t, mustTake(t, ctx, p).Answer(ctx, sipphone.AnswerOptions{}))
			must(t, c.WaitAnswered(ctx))
			must(t, c.Hangup(ctx))
		})
	}
}

// An INVITE without an offer is answered with one, and the ACK answers that
// (RFC 3264 section 4). The 200 is repeated until the ACK comes.
func TestDelayedOffer(t *testing.T) {
	ctx, p := testContext(t), mustListen(t, sipphone.Options{})
	w := mustWire(t, p)
	w.send(t, wireInvite)
	in := mustTake(t, ctx, p)
	answered := make(chan error, 1)
	go func() { answered <- in.Answer(ctx, sipphone.AnswerOptions{}) }()
	first := w.want(t, "SIP/2.0 200")
	if !contains(first, "m=audio") || !contains(first, "a=sendrecv") {
		t.Errorf("the answer holds no offer:\n%s", first)
	}
	w.want(t, "SIP/2.0 200")
	to := first[strings.Index(first, "To: "):]
	to = to[:strings.Index(to, "\r\n")]
	ack := strings.NewReplacer("INVITE", "ACK", "z9hG4bK-1", "z9hG4bK-2", "To: <sip:101@127.0.0.1>", to).Replace(wireInvite)
	w.send(t, ack+"Content-Type: application/sdp\n\n"+wireSDP)
	must(t, <-answered)
	must(t, in.SendTone(440))
	bye := strings.NewReplacer("INVITE", "BYE", "1 INVITE", "2 BYE", "z9hG4bK-1", "z9hG4bK-3", "To: <sip:101@127.0.0.1>", to).Replace(wireInvite)
	w.send(t, bye+"Reason: Q.850;cause=16\n")
	w.want(t, "SIP/2.0 200")
	if end := wantEnd(t, ctx, in.Call, sipphone.PeerHungUp, 0); end.Reason != "Q.850;cause=16" {
		t.Errorf("reason %q", end.Reason)
	}
}

func TestHostileRTP(t *testing.T) {
	ctx, p := testContext(t), mustListen(t, sipphone.Options{})
	w := mustWire(t, p)
	w.send(t, wireInvite+"Content-Type: application/sdp\n\n"+wireSDP)
	in := mustTake(t, ctx, p)
	go func() { _ = in.Answer(ctx, sipphone.AnswerOptions{}) }()
	ok := w.want(t, "SIP/2.0 200")
	var port int
	_, err := fmt.Sscanf(ok[strings.Index(ok, "m=audio"):], "m=audio %d", &port)
	must(t, err)
	rtp := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	packet := func(payload byte, sequence uint16, data ...byte) []byte {
		b := []byte{0x80, payload, byte(sequence >> 8), byte(sequence), 0, 0, 0, 1, 0, 0, 0, 1}
		return append(b, data...)
	}
	loud := make([]byte, 160)
	bad := [][]byte{{}, {0x80}, []byte("not RTP at all"), packet(99, 1, 1), packet(101, 2, 1), packet(0, 3), packet(0, 3), packet(0, 2), {0x8F, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}}
	for _, b := range bad {
		_, err := w.conn.WriteTo(b, rtp)
		must(t, err)
	}
	heard := make(chan error, 1)
	go func() { heard <- in.WaitAudio(ctx) }()
	for sequence := uint16(4); ; sequence++ {
		_, err := w.conn.WriteTo(packet(0, sequence, loud...), rtp)
		must(t, err)
		select {
		case err := <-heard:
			must(t, err)
			to := ok[strings.Index(ok, "To: "):]
			to = to[:strings.Index(to, "\r\n")]
			w.send(t, strings.NewReplacer("INVITE", "BYE", "1 INVITE", "2 BYE", "z9hG4bK-1", "z9hG4bK-3", "To: <sip:101@127.0.0.1>", to).Replace(wireInvite))
			wantEnd(t, ctx, in.Call, sipphone.PeerHungUp, 0)
			s := in.MediaStats()
			if s.Dropped != uint64(len(bad)-1) {
				t.Errorf("dropped %d of %d unusable packets", s.Dropped, len(bad)-1)
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestNobodyTakesTheCalls(t *testing.T) {
	ctx := testContext(t)
	b, a := mustListen(t, sipphone.Options{NoMedia: true}), mustListen(t, sipphone.Options{NoMedia: true})
	for b.Refused() == 0 {
		_, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
		must(t, err)
		if a.Calls() > 1500 {
			t.Fatal("1500 calls and none was refused")
		}
	}
	c, err := a.Call(ctx, b.URI("101"), sipphone.CallOptions{})
	must(t, err)
	wantEnd(t, ctx, c, sipphone.PeerRejected, 480)
	if in := mustTake(t, ctx, b); in.Reject(486) != nil {
		t.Error("a call that waited could not be taken")
	}
}
