package sipphone

import (
	"context"
	"errors"
)

var errNoCommonCodec = errors.New("no codec in common")

// offer writes our session description for a new offer.
func (c *Call) offer() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.describe(c.phone.options.Codecs, eventPayload, c.session.want).marshal(nil)
}

// describe must be called with c.mu held.
func (c *Call) describe(codecs []Codec, event uint8, d direction) description {
	c.session.version++
	return description{
		addr: c.session.local, codecs: codecs, event: event, direction: d,
		id: c.session.id, version: c.session.version,
	}
}

// accept takes the far side's offer and writes our answer (RFC 3264 section 6).
func (c *Call) accept(remote description) ([]byte, error) {
	c.mu.Lock()
	codec, ok := commonCodec(remote.codecs, c.phone.options.Codecs)
	if !ok {
		c.mu.Unlock()
		return nil, errNoCommonCodec
	}
	want := c.session.want
	ours := directionOf(want.sends() && remote.direction.receives(), want.receives() && remote.direction.sends())
	answer := c.describe([]Codec{codec}, remote.event, ours).marshal(&remote)
	c.agree(remote, codec, true)
	c.mu.Unlock()
	return answer, nil
}

// learn takes the far side's answer to our offer.
func (c *Call) learn(remote description) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	codec, ok := commonCodec(remote.codecs, c.phone.options.Codecs)
	if !ok {
		return errNoCommonCodec
	}
	c.agree(remote, codec, c.session.want.sends())
	return nil
}

// agree puts the session into effect. telling is whether the far side's
// direction shows its own wish: an answer to our inactive must be inactive
// whatever it wishes. It must be called with c.mu held.
func (c *Call) agree(remote description, codec Codec, telling bool) {
	s := &c.session
	s.remote, s.codec, s.event = remote, codec, remote.event
	if held := !remote.direction.receives(); telling && held != s.held {
		s.held = held
		close(c.held)
		c.held = make(chan struct{})
	}
	if c.media != nil {
		// While we hold, nothing is sent, music included.
		c.media.connect(remote.addr, codec, remote.event, s.want == sendRecv && remote.direction.receives())
	}
}

// Held says whether the far side holds the call: its last session description
// was sendonly, inactive or had an unspecified address.
func (c *Call) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.held
}

// WaitHeld waits until [Call.Held] is as told. Errors as [Call.WaitRinging].
func (c *Call) WaitHeld(ctx context.Context, held bool) error {
	for {
		c.mu.Lock()
		now := c.session.held
		changed := c.held
		c.mu.Unlock()
		if now == held {
			return nil
		}
		if err := c.wait(ctx, "wait hold", changed); err != nil {
			return err
		}
	}
}
