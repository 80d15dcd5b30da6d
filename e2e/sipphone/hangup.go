package sipphone

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Hangup ends the call whatever its state: an answered call by BYE, an
// unanswered one by CANCEL if it was placed and by 486 if it was received. It
// returns when the far side has agreed; a call that has ended already is no
// error. When ctx ends first the error is CodeNoResponse, and an answered call is
// over for this side all the same.
func (c *Call) Hangup(ctx context.Context) error {
	const op = "hang up"
	if isClosed(c.ended) {
		return nil
	}
	if !isClosed(c.answered) {
		var err error
		if c.outgoing != nil {
			err = c.Cancel(ctx)
		} else {
			err = c.reject(op, sip.StatusBusyHere)
		}
		if isClosed(c.ended) {
			return nil
		}
		if CodeOf(err) != CodeWrongState || !isClosed(c.answered) {
			return err
		}
	}
	if c.server != nil {
		// RFC 3261 section 15: the callee sends no BYE before the ACK.
		if err := c.settle(ctx, op); err != nil {
			return err
		}
	}
	// If the far side hangs up at the same time, its answer may never come.
	talking, cancel := context.WithCancel(ctx)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- c.bye(talking) }()
	select {
	case err := <-result:
		c.finish(End{Cause: HungUp})
		return err
	case <-c.ended:
		cancel()
		<-result
		return nil
	}
}

// settle waits until no 2xx of ours is unacknowledged, or the call is over.
func (c *Call) settle(ctx context.Context, op string) error {
	c.mu.Lock()
	waits := make([]chan struct{}, 0, len(c.acks))
	for _, pending := range c.acks {
		waits = append(waits, pending.over)
	}
	c.mu.Unlock()
	for _, over := range waits {
		select {
		case <-over:
		case <-c.ended:
			return nil
		case <-ctx.Done():
			return fail(CodeNoResponse, op, context.Cause(ctx), "the answer has not been acknowledged")
		}
	}
	return nil
}

// bye sends BYE and waits for the response. 481 and 408 mean that the far side
// knows of no call, which is what was wanted (RFC 3261 section 15.1.1).
func (c *Call) bye(ctx context.Context) error {
	const op = "hang up"
	req := c.phone.next(&c.dlg, sip.BYE, 0)
	res, err := c.phone.exchange(ctx, op, req, c.cred, c.numbered)
	switch {
	case err != nil:
		return err
	case res.IsSuccess(), res.StatusCode == 481, res.StatusCode == 408:
		return nil
	}
	e := fail(CodeRejected, op, nil, "BYE was refused with %d %s", res.StatusCode, res.Reason)
	e.Status = res.StatusCode
	return e
}

// numbered notes a sequence number used for a second try.
func (c *Call) numbered(number uint32) {
	c.dlg.mu.Lock()
	defer c.dlg.mu.Unlock()
	c.dlg.cseq = max(c.dlg.cseq, number)
}

// overtaking is how long a request within a call waits for the answer it may
// have overtaken: the SIP stack hands each datagram to a goroutine of its own.
const overtaking = 500 * time.Millisecond

// established waits for the answer of an outgoing call, briefly.
func (c *Call) established() bool {
	if isClosed(c.answered) {
		return true
	}
	timer := time.NewTimer(overtaking)
	defer timer.Stop()
	select {
	case <-c.answered:
		return true
	case <-c.ended:
	case <-timer.C:
	}
	return false
}

// serveBye takes the far side's hang-up.
func (c *Call) serveBye(req *sip.Request, tx *sip.ServerTx) {
	if c.outgoing != nil && !c.established() {
		c.phone.respond(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	}
	end := End{Cause: PeerHungUp}
	if h := req.GetHeader("reason"); h != nil {
		end.Reason = h.Value()
	}
	if c.server != nil && !isClosed(c.answered) {
		// A caller may end an early dialog by BYE; its INVITE needs an answer too.
		c.responding.Lock()
		defer c.responding.Unlock()
		if !isClosed(c.answered) && !isClosed(c.ended) {
			_ = c.server.Respond(c.reply(c.request, sip.StatusRequestTerminated, "Request Terminated", nil))
			end.Cause, end.Status = PeerCancelled, sip.StatusRequestTerminated
		}
	}
	c.finish(end)
	c.phone.respond(tx, req, 200, "OK")
}
