package sipphone

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Times are when things happened to a call, each the zero time if it has not.
type Times struct {
	// Invite is when the INVITE was sent, or arrived.
	Invite time.Time
	// Ringing is when the 180 arrived, or was sent.
	Ringing time.Time
	// Answered is when the 200 arrived, or was sent.
	Answered time.Time
	// Ended is when the call was over for this side.
	Ended time.Time
	// FirstPacket is when the first RTP packet arrived.
	FirstPacket time.Time
	// FirstAudio is when the first audio louder than -45 dBFS arrived.
	FirstAudio time.Time
}

// Cause tells why a call ended and which side did it.
type Cause string

// The causes.
const (
	// HungUp: this side sent BYE.
	HungUp Cause = "hung up"
	// PeerHungUp: the far side sent BYE.
	PeerHungUp Cause = "peer hung up"
	// Cancelled: this side gave up before an answer.
	Cancelled Cause = "cancelled"
	// PeerCancelled: the caller gave up before we answered.
	PeerCancelled Cause = "peer cancelled"
	// Rejected: this side refused the call; Status says how.
	Rejected Cause = "rejected"
	// PeerRejected: the far side refused; Status and Reason are its own.
	PeerRejected Cause = "peer rejected"
	// Failed: neither; Err says what went wrong.
	Failed Cause = "failed"
)

// End is how a call ended.
type End struct {
	Cause Cause
	// Status is the SIP status of the final response when the call was not
	// answered, else 0.
	Status int
	// Reason is the phrase beside Status, or the Reason header of a BYE or
	// CANCEL (RFC 3326), as received.
	Reason string
	// Err is set when Cause is Failed.
	Err error
}

// Call is one call, placed or received.
type Call struct {
	phone *Phone
	key   dialogKey
	dlg   dialog
	cred  credentials

	ringing  chan struct{}
	answered chan struct{}
	ended    chan struct{}
	media    *media // nil without audio; set before the call is handed out or answered

	// responding makes final answers, and changes of the session, one at a time.
	responding sync.Mutex

	mu      sync.Mutex
	times   Times
	end     End
	session session
	acks    map[uint32]*pendingACK
	held    chan struct{} // closed and replaced when the far side holds or resumes

	outgoing *outgoing // of a call placed
	server   *sip.ServerTx
	request  *sip.Request // of a call received
}

// session is what both sides have agreed about the audio.
type session struct {
	local   netip.AddrPort
	id      uint64
	version uint64
	remote  description
	held    bool // by the far side
	codec   Codec
	event   uint8
	want    direction // ours: sendrecv, or sendonly or inactive while we hold
}

func newCall(p *Phone, callID, localTag string) *Call {
	return &Call{
		phone:    p,
		key:      dialogKey{callID, localTag},
		ringing:  make(chan struct{}),
		answered: make(chan struct{}),
		ended:    make(chan struct{}),
		held:     make(chan struct{}),
		acks:     map[uint32]*pendingACK{},
		session:  session{want: sendRecv},
	}
}

// ID is the Call-ID, the same on both sides unless something between changes it.
func (c *Call) ID() string { return c.key.callID }

// Ringing is closed at the first 180, or at the answer if none came before
// (then Times().Ringing stays zero).
func (c *Call) Ringing() <-chan struct{} { return c.ringing }

// Answered is closed when the call is answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Ended is closed when the call is over, however that came; [Call.End] says how.
func (c *Call) Ended() <-chan struct{} { return c.ended }

// End tells how the call ended; the zero End while it has not.
func (c *Call) End() End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// Times tells when what happened, so far.
func (c *Call) Times() Times {
	c.mu.Lock()
	t := c.times
	c.mu.Unlock()
	if m := c.audio(); m != nil {
		if first := m.firstPacket.Load(); first != 0 {
			t.FirstPacket = time.Unix(0, first)
		}
		m.ear.mu.Lock()
		t.FirstAudio = m.ear.firstSound
		m.ear.mu.Unlock()
	}
	return t
}

// MediaStats counts the call's RTP packets so far.
func (c *Call) MediaStats() MediaStats {
	m := c.audio()
	if m == nil {
		return MediaStats{}
	}
	return MediaStats{Sent: m.sent.Load(), Received: m.received.Load(), Dropped: m.dropped.Load()}
}

// WaitRinging waits until the call rings or is answered. The error is CodeRejected
// (with its status), CodeEnded or, when ctx ends first, CodeNoResponse.
func (c *Call) WaitRinging(ctx context.Context) error {
	return c.wait(ctx, "wait ringing", c.ringing)
}

// WaitAnswered waits until the call is answered. Errors as [Call.WaitRinging].
func (c *Call) WaitAnswered(ctx context.Context) error {
	return c.wait(ctx, "wait answer", c.answered)
}

// WaitEnded waits until the call is over and tells how.
func (c *Call) WaitEnded(ctx context.Context) (End, error) {
	select {
	case <-c.ended:
		return c.End(), nil
	case <-ctx.Done():
		return End{}, fail(CodeNoResponse, "wait end", context.Cause(ctx), "the call has not ended")
	}
}

func (c *Call) wait(ctx context.Context, op string, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-c.ended:
	case <-ctx.Done():
		return fail(CodeNoResponse, op, context.Cause(ctx), "it did not happen in time")
	}
	select {
	case <-done:
		return nil
	default:
		return c.endedError(op)
	}
}

// endedError says that, and how, the call ended.
func (c *Call) endedError(op string) error {
	end := c.End()
	if end.Cause == PeerRejected {
		e := fail(CodeRejected, op, nil, "the far side refused the call with %d %s", end.Status, end.Reason)
		e.Status = end.Status
		return e
	}
	return fail(CodeEnded, op, end.Err, "the call has ended: %s", end.Cause)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (c *Call) markRinging(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !isClosed(c.ringing) {
		c.times.Ringing = at
		close(c.ringing)
	}
}

func (c *Call) markAnswered(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isClosed(c.answered) {
		return
	}
	c.times.Answered = at
	if !isClosed(c.ringing) {
		close(c.ringing)
	}
	close(c.answered)
}

// finish ends the call once; the first to say why is believed. It sends nothing.
// It may be called from within the SIP stack's server transactions, so it must
// not touch those.
func (c *Call) finish(end End) bool {
	c.mu.Lock()
	if isClosed(c.ended) {
		c.mu.Unlock()
		return false
	}
	c.end = end
	c.times.Ended = time.Now()
	m := c.media
	close(c.ended)
	c.mu.Unlock()
	if m != nil {
		m.close()
	}
	c.phone.mu.Lock()
	delete(c.phone.calls, c.key)
	c.phone.mu.Unlock()
	return true
}

// audio is the call's media, nil if it has none (yet).
func (c *Call) audio() *media {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.media
}

// openAudio gives the call its address for RTP: a socket of its own or, for
// silent calls, the phone's.
func (c *Call) openAudio(op string, silent bool) error {
	var (
		m    *media
		addr netip.AddrPort
		err  error
	)
	if silent || c.phone.options.NoMedia {
		addr, err = c.phone.silentAddr()
	} else if m, err = openMedia(c.phone.addr.Addr(), c.phone.options.MaxRecording, &c.phone.wg); err == nil {
		addr = m.addr()
	}
	if err != nil {
		return fail(CodeNetwork, op, err, "could not open a socket for audio")
	}
	c.mu.Lock()
	c.media = m
	c.session.local, c.session.id = addr, uint64(time.Now().UnixMicro())
	over := isClosed(c.ended)
	c.mu.Unlock()
	if over && m != nil {
		m.close()
		return c.endedError(op)
	}
	return nil
}

// SendTone sends a sine of hz Hz at -13 dBFS from now on, instead of what was
// sent before. hz must lie between 0 and 4000.
func (c *Call) SendTone(hz float64) error {
	const op = "send tone"
	if !(hz > 0 && hz < sampleRate/2) {
		return fail(CodeBadInput, op, nil, "hz is %v, must be between 0 and 4000", hz)
	}
	return c.setSource(op, hz)
}

// SendSilence sends silence from now on, which is also how every call begins.
func (c *Call) SendSilence() error { return c.setSource("send silence", 0) }

func (c *Call) setSource(op string, hz float64) error {
	m := c.audio()
	if m == nil {
		return fail(CodeNoMedia, op, nil, "the call has no audio")
	}
	if isClosed(c.ended) {
		return c.endedError(op)
	}
	m.setSource(hz)
	return nil
}
