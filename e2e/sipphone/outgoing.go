package sipphone

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// outgoing is the state of a call placed, guarded by its Call's mu.
type outgoing struct {
	invite      *sip.Request // the one last sent; never changed
	tx          sip.ClientTransaction
	provisional chan struct{} // closed at the first response
	cancelling  bool
}

// Call sends an INVITE to target, for example "sip:101@127.0.0.1:5060", and
// returns at once; what becomes of it is told by the Call. ctx bounds the
// sending only: the call lives until it ends.
func (p *Phone) Call(ctx context.Context, target string, options CallOptions) (*Call, error) {
	const op = "call"
	var to sip.Uri
	if err := sip.ParseUri(target, &to); err != nil || to.Scheme != "sip" || to.Host == "" {
		return nil, fail(CodeBadInput, op, err, "target must be a SIP URI such as sip:101@127.0.0.1:5060")
	}
	if err := checkText(op, "target", target); err != nil {
		return nil, err
	}
	options.From = cmp.Or(options.From, "phone")
	options.FromHost = cmp.Or(options.FromHost, p.addr.Addr().String())
	if err := options.check(op); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fail(CodeNoResponse, op, err, "there was no time to call")
	}
	tag := sip.GenerateTagN(16)
	c := newCall(p, sip.GenerateTagN(24)+"@"+p.addr.Addr().String(), tag)
	c.outgoing = &outgoing{provisional: make(chan struct{})}
	c.cred = p.credentials(options)
	c.dlg = dialog{
		callID: c.key.callID,
		local:  sip.FromHeader{DisplayName: quoted(options.DisplayName), Address: sip.Uri{Scheme: "sip", User: options.From, Host: options.FromHost}},
		remote: sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: to.User, Host: to.Host, Port: to.Port}},
		target: to,
	}
	if options.Withheld {
		c.dlg.local.DisplayName = "Anonymous"
		c.dlg.local.Address = sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
	}
	c.dlg.local.Params.Add("tag", tag)
	if !p.admit(c) {
		return nil, fail(CodeClosed, op, nil, "the phone is closed")
	}
	if err := c.openAudio(op, options.NoMedia); err != nil {
		c.finish(End{Cause: Failed, Err: err})
		return nil, err
	}
	req := p.next(&c.dlg, sip.INVITE, 0)
	req.AppendHeader(p.contact(options.From))
	req.AppendHeader(sip.NewHeader("Allow", allowed))
	if options.Asserted != "" {
		asserted := sip.FromHeader{DisplayName: quoted(options.DisplayName), Address: sip.Uri{Scheme: "sip", User: options.Asserted, Host: options.FromHost}}
		req.AppendHeader(sip.NewHeader("P-Asserted-Identity", asserted.Value()))
	}
	if options.Withheld {
		req.AppendHeader(sip.NewHeader("Privacy", "id"))
	}
	for _, h := range options.Headers {
		req.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	req.SetBody(c.offer())

	c.mu.Lock()
	c.times.Invite = time.Now()
	c.mu.Unlock()
	tx, err := p.client.TransactionRequest(ctx, req, asIs)
	if err != nil {
		err = fail(CodeNetwork, op, err, "the INVITE could not be sent")
		c.finish(End{Cause: Failed, Err: err})
		return nil, err
	}
	c.setInvite(req, tx)
	if !p.spawn(func() { c.follow(tx, req) }) {
		tx.Terminate()
		err := fail(CodeClosed, op, nil, "the phone is closed")
		c.finish(End{Cause: Failed, Err: err})
		return nil, err
	}
	return c, nil
}

func (o CallOptions) check(op string) error {
	if err := checkUser(op, "From", o.From); err != nil {
		return err
	}
	if err := checkUser(op, "Asserted", o.Asserted); err != nil {
		return err
	}
	if err := checkText(op, "DisplayName", o.DisplayName); err != nil {
		return err
	}
	if err := checkHost(op, "FromHost", o.FromHost); err != nil {
		return err
	}
	for _, h := range o.Headers {
		if err := checkHeader(op, h); err != nil {
			return err
		}
	}
	return nil
}

// credentials picks what to answer a challenge with.
func (p *Phone) credentials(o CallOptions) credentials {
	if o.AuthUser != "" || o.Password != "" {
		return credentials{cmp.Or(o.AuthUser, o.From), o.Password}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.accounts[o.From]; r != nil {
		return r.cred
	}
	return credentials{}
}

func (p *Phone) contact(user string) *sip.ContactHeader {
	return &sip.ContactHeader{Address: p.uri(user)}
}

func (c *Call) setInvite(req *sip.Request, tx sip.ClientTransaction) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outgoing.invite, c.outgoing.tx = req, tx
}

// follow takes the responses to the INVITE until a final one.
func (c *Call) follow(tx sip.ClientTransaction, req *sip.Request) {
	for challenges := 0; ; {
		select {
		case res := <-tx.Responses():
			now := time.Now()
			if !isClosed(c.outgoing.provisional) {
				close(c.outgoing.provisional)
			}
			switch {
			case res.IsProvisional():
				c.progress(res, now)
			case res.IsSuccess():
				c.accepted(tx, res, now)
				return
			case c.cred.answers(res.StatusCode) && challenges < 2 && !c.isCancelling():
				challenges++
				tx.Terminate()
				again := req.Clone()
				next, err := c.phone.client.TransactionDigestAuth(c.phone.ctx, again, res, sipgo.DigestAuth{Username: c.cred.user, Password: c.cred.password})
				if err != nil {
					c.finish(End{Cause: Failed, Err: fail(CodeNetwork, "call", err, "the challenge could not be answered")})
					return
				}
				tx, req = next, again
				c.dlg.mu.Lock()
				c.dlg.cseq = again.CSeq().SeqNo
				c.dlg.mu.Unlock()
				c.setInvite(again, next)
			default:
				end := End{Cause: PeerRejected, Status: res.StatusCode, Reason: res.Reason}
				if c.isCancelling() {
					end.Cause = Cancelled
				}
				c.finish(end)
				return
			}
		case <-tx.Done():
			if c.isCancelling() {
				c.finish(End{Cause: Cancelled, Err: tx.Err()})
				return
			}
			c.finish(End{Cause: Failed, Err: fail(CodeNoResponse, "call", tx.Err(), "the far side did not respond")})
			return
		}
	}
}

func (c *Call) isCancelling() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outgoing.cancelling
}

// progress takes a provisional response: ringing, early media or neither.
func (c *Call) progress(res *sip.Response, at time.Time) {
	if len(res.Body()) > 0 {
		// Early media that cannot be used is not a reason to give up the call.
		if remote, err := parseSDP(res.Body()); err == nil {
			_ = c.learn(remote)
		}
	}
	if res.StatusCode == sip.StatusRinging {
		c.markRinging(at)
	}
}

// accepted takes the 2xx: it completes the dialog (RFC 3261 section 12.1.2),
// acknowledges, and starts the audio.
func (c *Call) accepted(tx sip.ClientTransaction, res *sip.Response, at time.Time) {
	c.dlg.mu.Lock()
	if to := res.To(); to != nil {
		c.dlg.remote.Params = to.Params.Clone()
	}
	if contact := res.Contact(); contact != nil {
		c.dlg.target = *contact.Address.Clone()
	}
	c.dlg.routes = recorded(res)
	slices.Reverse(c.dlg.routes)
	number := res.CSeq().SeqNo
	c.dlg.mu.Unlock()

	remote, err := parseSDP(res.Body())
	if err == nil {
		err = c.learn(remote)
	}
	c.acknowledge(tx, number)
	switch {
	case err != nil:
		c.drop(End{Cause: Failed, Err: fail(CodeUnsupported, "call", err, "the answer's session description cannot be used")})
	case c.isCancelling():
		// The answer crossed our CANCEL (RFC 3261 section 9.1): hang up.
		c.drop(End{Cause: Cancelled})
	default:
		c.markAnswered(at)
	}
}

// acknowledge sends the ACK of a 2xx, and again each time the 2xx is repeated.
func (c *Call) acknowledge(tx sip.ClientTransaction, number uint32) {
	ack := c.phone.next(&c.dlg, sip.ACK, number)
	send := func() {
		// If the ACK is lost here, the far side repeats its 2xx and we try again.
		_ = c.phone.client.WriteRequest(ack.Clone(), asIs)
	}
	tx.OnRetransmission(func(*sip.Response) { send() })
	send()
}

// drop ends a call that the far side believes is up.
func (c *Call) drop(end End) {
	ctx, cancel := context.WithTimeout(c.phone.ctx, closeTime)
	defer cancel()
	// The far side not answering the BYE changes nothing for us.
	_ = c.bye(ctx)
	c.finish(end)
}

// recorded lists the Record-Route URIs of a message in order.
func recorded(m sip.Message) []sip.Uri {
	var routes []sip.Uri
	for _, h := range m.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			routes = append(routes, *rr.Address.Clone())
		}
	}
	return routes
}

// Cancel gives up a call that has been placed and not answered, and returns
// when it has ended. The error is CodeWrongState if the call was answered or is an
// incoming one (see [Call.Hangup]). If the answer crosses the CANCEL, the call
// is hung up.
func (c *Call) Cancel(ctx context.Context) error {
	const op = "cancel"
	c.mu.Lock()
	switch {
	case isClosed(c.ended):
		c.mu.Unlock()
		return nil
	case c.outgoing == nil || isClosed(c.answered):
		c.mu.Unlock()
		return fail(CodeWrongState, op, nil, "only an unanswered call that was placed can be cancelled")
	}
	first := !c.outgoing.cancelling
	c.outgoing.cancelling = true
	c.mu.Unlock()

	if first {
		// RFC 3261 section 9.1: no CANCEL before a response has come.
		if err := c.wait(ctx, op, c.outgoing.provisional); err != nil && !isClosed(c.ended) {
			return err
		}
		if !isClosed(c.ended) {
			c.mu.Lock()
			req := c.phone.cancelOf(c.outgoing.invite)
			c.mu.Unlock()
			if _, err := c.phone.exchange(ctx, op, req, credentials{}, nil); err != nil && !isClosed(c.ended) {
				return err
			}
		}
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fail(CodeNoResponse, op, context.Cause(ctx), "the far side did not end the call")
	}
}

// cancelOf makes the CANCEL of an INVITE (RFC 3261 section 9.1): the same
// branch and number.
func (p *Phone) cancelOf(invite *sip.Request) *sip.Request {
	req := sip.NewRequest(sip.CANCEL, invite.Recipient)
	req.SetTransport("UDP")
	req.SetDestination(invite.Destination())
	req.Laddr = invite.Laddr
	req.AppendHeader(sip.HeaderClone(invite.Via()))
	for _, h := range invite.GetHeaders("route") {
		req.AppendHeader(sip.HeaderClone(h))
	}
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	req.SetBody(nil)
	return req
}
