package sipphone

import (
	"context"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// HoldMode is how a hold is asked for.
type HoldMode string

// The ways of holding (RFC 6337 section 5.3). This phone sends nothing in
// either; they differ in what the far side is told.
const (
	HoldSendOnly HoldMode = "sendonly"
	HoldInactive HoldMode = "inactive"
)

// Hold puts the far side on hold by a re-INVITE and returns when it has agreed.
// What the far side goes on sending (Asterisk sometimes does) is still heard.
// The error is CodeWrongState if the call is not answered or another change is
// under way, CodeRejected with the status if the far side refuses (491 when both
// sides change at once), CodeEnded or CodeNoResponse.
func (c *Call) Hold(ctx context.Context, mode HoldMode) error {
	if mode != HoldSendOnly && mode != HoldInactive {
		return fail(CodeBadInput, "hold", nil, "mode is %q, must be sendonly or inactive", mode)
	}
	return c.reinvite(ctx, "hold", direction(mode))
}

// Resume takes the far side off hold. Errors as [Call.Hold].
func (c *Call) Resume(ctx context.Context) error {
	return c.reinvite(ctx, "resume", sendRecv)
}

func (c *Call) reinvite(ctx context.Context, op string, want direction) error {
	if isClosed(c.ended) {
		return c.endedError(op)
	}
	if !isClosed(c.answered) || !c.responding.TryLock() {
		return fail(CodeWrongState, op, nil, "the call is not answered, or another change is under way")
	}
	result := make(chan error, 1)
	// The exchange outlives an impatient caller, so that a late 2xx is acknowledged.
	if !c.phone.spawn(func() {
		defer c.responding.Unlock()
		result <- c.negotiate(op, want)
	}) {
		c.responding.Unlock()
		return fail(CodeClosed, op, nil, "the phone is closed")
	}
	select {
	case err := <-result:
		return err
	case <-c.ended:
		return c.endedError(op)
	case <-ctx.Done():
		return fail(CodeNoResponse, op, context.Cause(ctx), "the far side has not agreed yet")
	}
}

// negotiate sends a re-INVITE and takes its outcome (RFC 3261 section 14.1). It
// must be called with c.responding held.
func (c *Call) negotiate(op string, want direction) error {
	c.mu.Lock()
	before := c.session.want
	c.session.want = want
	c.mu.Unlock()
	err := c.exchangeOffer(op)
	if err != nil {
		c.mu.Lock()
		c.session.want = before
		c.mu.Unlock()
	}
	return err
}

func (c *Call) exchangeOffer(op string) error {
	req := c.phone.next(&c.dlg, sip.INVITE, 0)
	req.AppendHeader(c.phone.contact(c.dlg.local.Address.User))
	req.AppendHeader(sip.NewHeader("Allow", allowed))
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	req.SetBody(c.offer())
	tx, err := c.phone.client.TransactionRequest(c.phone.ctx, req, asIs)
	if err != nil {
		return fail(CodeNetwork, op, err, "the re-INVITE could not be sent")
	}
	for challenges := 0; ; {
		select {
		case res := <-tx.Responses():
			switch {
			case res.IsProvisional():
			case res.IsSuccess():
				remote, err := parseSDP(res.Body())
				if err == nil {
					err = c.learn(remote)
				}
				c.acknowledge(tx, res.CSeq().SeqNo)
				if err != nil {
					return fail(CodeUnsupported, op, err, "the answer's session description cannot be used")
				}
				return nil
			case c.cred.answers(res.StatusCode) && challenges < 2:
				challenges++
				tx.Terminate()
				again := req.Clone()
				next, err := c.phone.client.TransactionDigestAuth(c.phone.ctx, again, res, sipgo.DigestAuth{Username: c.cred.user, Password: c.cred.password})
				if err != nil {
					return fail(CodeNetwork, op, err, "the challenge could not be answered")
				}
				tx, req = next, again
				c.numbered(again.CSeq().SeqNo)
			default:
				e := fail(CodeRejected, op, nil, "the far side refused with %d %s", res.StatusCode, res.Reason)
				e.Status = res.StatusCode
				return e
			}
		case <-tx.Done():
			return fail(CodeNoResponse, op, tx.Err(), "the far side did not respond")
		case <-c.ended:
			tx.Terminate()
			return c.endedError(op)
		}
	}
}

// serveReinvite takes the far side's change of the session, or a refresh of it.
func (c *Call) serveReinvite(req *sip.Request, tx *sip.ServerTx) {
	contact := req.Contact()
	if !c.established() {
		c.phone.respond(tx, req, 491, "Request Pending")
		return
	}
	// RFC 3261 section 14.2: one change at a time.
	if !c.responding.TryLock() {
		c.phone.respond(tx, req, 491, "Request Pending")
		return
	}
	defer c.responding.Unlock()
	if isClosed(c.ended) {
		c.phone.respond(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	}
	var body []byte
	if len(req.Body()) == 0 {
		body = c.offer()
	} else {
		remote, err := parseSDP(req.Body())
		if err == nil {
			body, err = c.accept(remote)
		}
		if err != nil {
			c.phone.respond(tx, req, 488, "Not Acceptable Here")
			return
		}
	}
	if contact != nil {
		c.dlg.mu.Lock()
		c.dlg.target = *contact.Address.Clone()
		c.dlg.mu.Unlock()
	}
	// If it cannot be sent, the far side tries again or gives up.
	_, _ = c.succeed(tx, req, body, len(req.Body()) == 0)
}
