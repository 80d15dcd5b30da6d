package sipphone

import (
	"context"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Party is who a header names.
type Party struct {
	// Display is the display name, unquoted.
	Display string
	// User is the user part of a SIP URI, or the number of a tel URI.
	User string
	Host string
}

// IncomingCall is a call somebody placed to us. Times().Invite is when its
// INVITE arrived.
type IncomingCall struct {
	*Call
	// ToUser is the user part of the request URI: the identity being called.
	ToUser string
	// From is the From header.
	From Party
	// Asserted is the P-Asserted-Identity, nil if there is none.
	Asserted *Party
	// Withheld says that the caller asked for privacy (RFC 3323) or is anonymous.
	Withheld bool

	offer *description // nil if the INVITE had none
}

// Header returns the value of the INVITE's first header of that name, "" if none.
func (c *IncomingCall) Header(name string) string {
	if h := c.request.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}

// serveInvite takes a new call.
func (p *Phone) serveInvite(req *sip.Request, tx *sip.ServerTx) {
	arrived := time.Now()
	from, contact := req.From(), req.Contact()
	if contact == nil {
		p.respond(tx, req, 400, "Missing Contact")
		return
	}
	if h := req.GetHeader("require"); h != nil && strings.TrimSpace(h.Value()) != "" {
		res := sip.NewResponseFromRequest(req, 420, "Bad Extension", nil)
		res.AppendHeader(sip.NewHeader("Unsupported", h.Value()))
		if tx.Respond(res) != nil {
			tx.Terminate()
		}
		return
	}
	in := &IncomingCall{ToUser: req.Recipient.User, From: party(from.DisplayName, &from.Address)}
	if body := req.Body(); len(body) > 0 {
		d, err := parseSDP(body)
		if err != nil {
			p.respond(tx, req, 488, "Not Acceptable Here")
			return
		}
		in.offer = &d
	}
	in.Asserted = asserted(req)
	privacy := req.GetHeader("privacy")
	in.Withheld = privacy != nil && strings.TrimSpace(strings.ToLower(privacy.Value())) != "none" ||
		in.From.Host == "anonymous.invalid"

	tag := sip.GenerateTagN(16)
	c := newCall(p, req.CallID().Value(), tag)
	in.Call = c
	c.server, c.request = tx, req
	c.times.Invite = arrived
	c.dlg = dialog{
		callID: c.key.callID,
		local:  sip.FromHeader{Address: *req.To().Address.Clone()},
		remote: sip.ToHeader{DisplayName: quoted(from.DisplayName), Address: *from.Address.Clone(), Params: from.Params.Clone()},
		target: *contact.Address.Clone(),
		routes: recorded(req),
	}
	c.dlg.local.Params.Add("tag", tag)
	p.mu.Lock()
	if r := p.accounts[in.ToUser]; r != nil {
		c.cred = r.cred
	}
	p.mu.Unlock()
	if !p.admit(c) {
		p.respond(tx, req, 503, "Service Unavailable")
		return
	}
	gone := func(cancel *sip.Request) {
		end := End{Cause: PeerCancelled, Status: sip.StatusRequestTerminated}
		if h := cancel.GetHeader("reason"); h != nil {
			end.Reason = h.Value()
		}
		c.finish(end)
	}
	if !tx.OnCancel(gone) {
		c.finish(End{Cause: PeerCancelled, Status: sip.StatusRequestTerminated})
		return
	}
	if p.options.OnInvite != nil {
		if !p.spawn(func() { p.options.OnInvite(p.ctx, in) }) {
			_ = in.Reject(503)
		}
		return
	}
	select {
	case p.incoming <- in:
	default:
		p.refused.Add(1)
		_ = in.Reject(sip.StatusTemporarilyUnavailable)
	}
}

func party(display string, u *sip.Uri) Party {
	p := Party{Display: display, User: u.User, Host: u.Host}
	if raw := u.Raw(); raw != "" {
		p.User, _, _ = strings.Cut(raw, ";")
	}
	return p
}

func asserted(req *sip.Request) *Party {
	h := req.GetHeader("p-asserted-identity")
	if h == nil {
		return nil
	}
	var (
		u      sip.Uri
		params sip.HeaderParams
	)
	display, err := sip.ParseAddressValue(h.Value(), &u, &params)
	if err != nil {
		return nil
	}
	p := party(display, &u)
	return &p
}

// reply makes a response to the INVITE that carries our tag.
func (c *Call) reply(req *sip.Request, status int, reason string, body []byte) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	if status > 100 {
		res.To().Params.Add("tag", c.key.localTag)
	}
	if status < 300 {
		res.AppendHeader(c.phone.contact(req.Recipient.User))
	}
	res.AppendHeader(sip.NewHeader("Allow", allowed))
	if len(body) > 0 {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody(body)
	}
	return res
}

// Ring sends 180. The error is CodeEnded if the caller gave up, CodeWrongState if the
// call was answered.
func (c *IncomingCall) Ring() error {
	const op = "ring"
	c.responding.Lock()
	defer c.responding.Unlock()
	if err := c.mayRespond(op); err != nil {
		return err
	}
	at := time.Now()
	if err := c.server.Respond(c.reply(c.request, sip.StatusRinging, "Ringing", nil)); err != nil {
		return c.respondError(op, err)
	}
	c.markRinging(at)
	return nil
}

// Answer sends 200 and returns when the caller has acknowledged it. Audio, if
// any, flows before that. The error is CodeEnded if the caller gave up first,
// WrongState if the call was answered already, CodeUnsupported if the offer has no
// codec of ours (the call is then refused with 488), CodeNoResponse if ctx ends
// before the acknowledgement; the call stays up in that case, and is hung up if
// none comes in 32 s.
func (c *IncomingCall) Answer(ctx context.Context, options AnswerOptions) error {
	const op = "answer"
	acknowledged, err := c.answer(op, options)
	if err != nil {
		return err
	}
	return c.wait(ctx, op, acknowledged)
}

func (c *IncomingCall) answer(op string, options AnswerOptions) (<-chan struct{}, error) {
	c.responding.Lock()
	defer c.responding.Unlock()
	if err := c.mayRespond(op); err != nil {
		return nil, err
	}
	if err := c.openAudio(op, options.NoMedia); err != nil {
		return nil, err
	}
	var body []byte
	if c.offer != nil {
		var err error
		if body, err = c.accept(*c.offer); err != nil {
			c.refuse(488, "Not Acceptable Here")
			return nil, fail(CodeUnsupported, op, err, "the offer cannot be accepted")
		}
	} else {
		body = c.Call.offer()
	}
	at := time.Now()
	acknowledged, err := c.succeed(c.server, c.request, body, c.offer == nil)
	if err != nil {
		return nil, c.respondError(op, err)
	}
	c.markAnswered(at)
	return acknowledged, nil
}

// Reject refuses the call with a status from 300 to 699. The error is CodeEnded if
// the caller gave up first, CodeWrongState if the call was answered.
func (c *IncomingCall) Reject(status int) error { return c.Call.reject("reject", status) }

func (c *Call) reject(op string, status int) error {
	if status < 300 || status > 699 {
		return fail(CodeBadInput, op, nil, "status is %d, must be from 300 to 699", status)
	}
	c.responding.Lock()
	defer c.responding.Unlock()
	if err := c.mayRespond(op); err != nil {
		return err
	}
	c.refuse(status, phrase(status))
	return nil
}

// refuse must be called with c.responding held.
func (c *Call) refuse(status int, reason string) {
	// A caller that cannot be told will time out; for us the call is over.
	_ = c.server.Respond(c.reply(c.request, status, reason, nil))
	c.finish(End{Cause: Rejected, Status: status, Reason: reason})
}

func (c *Call) mayRespond(op string) error {
	switch {
	case isClosed(c.ended):
		return c.endedError(op)
	case c.server == nil:
		return fail(CodeWrongState, op, nil, "the call was placed, not received")
	case isClosed(c.answered):
		return fail(CodeWrongState, op, nil, "the call is answered already")
	}
	return nil
}

func (c *Call) respondError(op string, err error) error {
	if c.finish(End{Cause: Failed, Err: fail(CodeNetwork, op, err, "the response could not be sent")}) {
		return c.End().Err
	}
	return c.endedError(op)
}

// pendingACK is a 2xx of ours that waits for its ACK.
type pendingACK struct {
	body chan []byte   // takes the body of the ACK
	over chan struct{} // closed when nothing is waited for any more
}

// succeed sends a 2xx to an INVITE and repeats it until the ACK comes
// (RFC 3261 section 13.3.1.4). The channel is closed by the ACK. If the ACK is
// to carry the answer, that is put into effect.
func (c *Call) succeed(tx *sip.ServerTx, req *sip.Request, body []byte, answerInACK bool) (<-chan struct{}, error) {
	number := req.CSeq().SeqNo
	pending := &pendingACK{body: make(chan []byte, 1), over: make(chan struct{})}
	acknowledged := make(chan struct{})
	c.mu.Lock()
	c.acks[number] = pending
	c.mu.Unlock()
	settled := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.acks, number)
		close(pending.over)
	}
	res := c.reply(req, sip.StatusOK, "OK", body)
	if err := tx.Respond(res); err != nil {
		settled()
		return nil, err
	}
	spawned := c.phone.spawn(func() {
		defer settled()
		interval, giveUp := sip.T1, time.NewTimer(64*sip.T1)
		repeat := time.NewTimer(interval)
		defer giveUp.Stop()
		defer repeat.Stop()
		for {
			select {
			case sdp := <-pending.body:
				if answerInACK {
					remote, err := parseSDP(sdp)
					if err == nil {
						err = c.learn(remote)
					}
					if err != nil {
						c.drop(End{Cause: Failed, Err: fail(CodeUnsupported, "answer", err, "the session description in the ACK cannot be used")})
					}
				}
				close(acknowledged)
				return
			case <-repeat.C:
				// If this one cannot be sent, the next may.
				_ = tx.Respond(res)
				interval = min(2*interval, sip.T2)
				repeat.Reset(interval)
			case <-giveUp.C:
				c.drop(End{Cause: Failed, Err: fail(CodeNoResponse, "answer", nil, "the answer was never acknowledged")})
				return
			case <-c.ended:
				return
			}
		}
	})
	if !spawned {
		settled()
		return nil, fail(CodeClosed, "answer", nil, "the phone is closed")
	}
	return acknowledged, nil
}

// acknowledged takes the ACK of a 2xx.
func (c *Call) acknowledged(req *sip.Request) {
	c.mu.Lock()
	pending := c.acks[req.CSeq().SeqNo]
	c.mu.Unlock()
	if pending == nil {
		return
	}
	select {
	case pending.body <- req.Body():
	default: // a repeated ACK
	}
}

// phrase is the customary reason phrase of a status we send.
func phrase(status int) string {
	switch status {
	case 302:
		return "Moved Temporarily"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 480:
		return "Temporarily Unavailable"
	case 486:
		return "Busy Here"
	case 488:
		return "Not Acceptable Here"
	case 500:
		return "Server Internal Error"
	case 503:
		return "Service Unavailable"
	case 600:
		return "Busy Everywhere"
	case 603:
		return "Decline"
	}
	return "Rejected"
}
