package sipphone

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Digit is a key press received as telephone events (RFC 4733).
type Digit struct {
	// Key is one of 0-9, *, #, A-D.
	Key byte
	// At is when its first packet arrived.
	At time.Time
	// Duration is the longest its packets have told so far.
	Duration time.Duration
}

// keypad collects the keys the far side presses.
type keypad struct {
	mu      sync.Mutex
	digits  []Digit
	ssrc    uint32
	stamp   uint32
	changed chan struct{} // closed and replaced at each new digit
}

func newKeypad() *keypad { return &keypad{changed: make(chan struct{})} }

// maxDigits bounds what a flood of events can make the phone remember.
const maxDigits = 1024

// event takes one packet; those of one press share SSRC and timestamp
// (RFC 4733 section 2.5.1.2), so lost and repeated packets do no harm.
func (k *keypad) event(e telephoneEvent, ssrc, stamp uint32, at time.Time) {
	if int(e.event) >= len(keys) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	length := time.Duration(e.duration) * time.Second / sampleRate
	if n := len(k.digits); n > 0 && k.ssrc == ssrc && k.stamp == stamp {
		k.digits[n-1].Duration = max(k.digits[n-1].Duration, length)
		return
	}
	if len(k.digits) >= maxDigits {
		return
	}
	k.ssrc, k.stamp = ssrc, stamp
	k.digits = append(k.digits, Digit{Key: keys[e.event], At: at, Duration: length})
	close(k.changed)
	k.changed = make(chan struct{})
}

// Digits returns the keys received so far, in order.
func (c *Call) Digits() []Digit {
	if c.audio() == nil {
		return nil
	}
	c.audio().keys.mu.Lock()
	defer c.audio().keys.mu.Unlock()
	return append([]Digit(nil), c.audio().keys.digits...)
}

// WaitDigits waits until the keys received since the call began contain want,
// for example "1#". The error is CodeNotHeard when ctx ends first (and says what
// came), CodeEnded when the call does, CodeNoMedia when it has no audio.
func (c *Call) WaitDigits(ctx context.Context, want string) error {
	const op = "wait digits"
	if err := checkDigits(op, want); err != nil {
		return err
	}
	if c.audio() == nil {
		return fail(CodeNoMedia, op, nil, "the call has no audio")
	}
	k := c.audio().keys
	for {
		k.mu.Lock()
		var got strings.Builder
		for _, d := range k.digits {
			got.WriteByte(d.Key)
		}
		changed := k.changed
		k.mu.Unlock()
		if strings.Contains(got.String(), want) {
			return nil
		}
		err := c.await(ctx, op, changed, func() string {
			return fmt.Sprintf("%d digits came and %q is not among them", got.Len(), want)
		})
		if err != nil {
			return err
		}
	}
}

func checkDigits(op, digits string) error {
	if digits == "" {
		return fail(CodeBadInput, op, nil, "digits is empty")
	}
	for i := range len(digits) {
		if strings.IndexByte(keys, digits[i]) < 0 {
			return fail(CodeBadInput, op, nil, "digits[%d] is %q, must be one of %s", i, digits[i], keys)
		}
	}
	return nil
}

// DigitOptions shape key presses. The zero value is 100 ms on, 60 ms off.
type DigitOptions struct {
	// On is how long a key is held, rounded up to 20 ms; at most 8 s.
	On time.Duration
	// Off is the pause after it, rounded up to 20 ms.
	Off time.Duration
}

// press is a key being sent.
type press struct {
	event   uint8
	on, off int // frames
	frame   int
	stamp   uint32
	done    chan struct{}
	stopped bool // the sender went away first
}

// endRepeats is how often the last packet of an event is sent
// (RFC 4733 section 2.5.1.4).
const endRepeats = 3

// step turns frame into the press's next packet. It says whether that is the
// first, how often to send it (0 in the pause), and whether the press is over.
func (p *press) step(frame rtpPacket, payload uint8) (_ rtpPacket, started bool, repeats int, over bool) {
	p.frame++
	over = p.frame >= p.on+p.off
	if p.frame > p.on {
		return frame, false, 0, over
	}
	started = p.frame == 1
	if started {
		p.stamp = frame.timestamp
	}
	e := telephoneEvent{event: p.event, volume: 10, duration: uint16(p.frame * frameSize), end: p.frame == p.on}
	frame.timestamp, frame.payload = p.stamp, payload
	frame.data = appendTelephoneEvent(nil, e)
	repeats = 1
	if e.end {
		repeats = endRepeats
	}
	return frame, started, repeats, over
}

func (m *media) finishPress(p *press) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.presses) > 0 && m.presses[0] == p {
		m.presses = m.presses[1:]
		close(p.done)
	}
}

func (m *media) dropPresses() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.presses {
		p.stopped = true
		close(p.done)
	}
	m.presses = nil
}

// SendDigits presses the keys (0-9, *, #, A-D) one after the other and returns
// when the pause after the last is over. It may be used as soon as the far side
// has told its audio address, so also in early media. Several SendDigits at
// once take turns by whole sequences. When ctx ends, the keys not begun are not
// pressed. The error is CodeNoMedia if the far side did not agree to telephone
// events.
func (c *Call) SendDigits(ctx context.Context, digits string, options DigitOptions) error {
	const op = "send digits"
	if err := checkDigits(op, digits); err != nil {
		return err
	}
	if c.audio() == nil {
		return fail(CodeNoMedia, op, nil, "the call has no audio")
	}
	frames := func(d, zero time.Duration) int {
		if d <= 0 {
			d = zero
		}
		return int((d + frameTime - 1) / frameTime)
	}
	on, off := frames(options.On, 100*time.Millisecond), frames(options.Off, 60*time.Millisecond)
	if on > 0xFFFF/frameSize {
		return fail(CodeBadInput, op, nil, "On is %v, must be at most 8s", options.On)
	}
	m := c.audio()
	all := make([]*press, len(digits))
	for i := range all {
		all[i] = &press{event: uint8(strings.IndexByte(keys, digits[i])), on: on, off: off, done: make(chan struct{})}
	}
	m.mu.Lock()
	switch {
	case m.closed:
		m.mu.Unlock()
		return c.endedError(op)
	case !m.started:
		m.mu.Unlock()
		return fail(CodeWrongState, op, nil, "the far side has not told its audio address yet")
	case m.event == 0:
		m.mu.Unlock()
		return fail(CodeNoMedia, op, nil, "the far side did not agree to telephone events")
	}
	m.presses = append(m.presses, all...)
	m.mu.Unlock()

	last := all[len(all)-1]
	select {
	case <-last.done:
		if last.stopped {
			return c.endedError(op)
		}
		return nil
	case <-ctx.Done():
		m.forget(all)
		return fail(CodeNoResponse, op, context.Cause(ctx), "not all keys could be pressed in time")
	}
}

// forget takes the presses that have not begun out of the queue.
func (m *media) forget(all []*press) {
	m.mu.Lock()
	defer m.mu.Unlock()
	drop := make(map[*press]bool, len(all))
	for _, p := range all {
		drop[p] = true
	}
	var kept []*press
	for i, p := range m.presses {
		if i == 0 || !drop[p] {
			kept = append(kept, p)
		}
	}
	m.presses = kept
}
