package sipphone

import (
	"context"
	"sync"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// dialog is what RFC 3261 section 12 has each side remember.
type dialog struct {
	callID string
	// local and remote are the From and To of requests we send.
	local  sip.FromHeader
	remote sip.ToHeader

	mu     sync.Mutex
	target sip.Uri
	routes []sip.Uri // in the order to send them
	cseq   uint32
}

// next makes a request within the dialog, with a fresh sequence number unless
// it is the ACK of the one given.
func (p *Phone) next(d *dialog, method sip.RequestMethod, ackOf uint32) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	number := ackOf
	if method != sip.ACK {
		d.cseq++
		number = d.cseq
	}
	req := p.request(method, d.target, d.callID, number)
	from, to := d.local, d.remote
	from.Params, to.Params = from.Params.Clone(), to.Params.Clone()
	req.AppendHeader(&from)
	req.AppendHeader(&to)
	for _, r := range d.routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	req.SetBody(nil)
	if len(d.routes) > 0 {
		first := d.routes[0]
		req.SetDestination(destination(&first))
	} else {
		req.SetDestination(destination(&d.target))
	}
	return req
}

// request makes a request with everything but From, To and the body.
func (p *Phone) request(method sip.RequestMethod, target sip.Uri, callID string, cseq uint32) *sip.Request {
	target.Headers = nil
	req := sip.NewRequest(method, target)
	req.SetTransport("UDP")
	via := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP",
		Host: p.addr.Addr().String(), Port: int(p.addr.Port()),
	}
	via.Params.Add("branch", sip.GenerateBranchN(24))
	via.Params.Add("rport", "")
	id, hops := sip.CallIDHeader(callID), sip.MaxForwardsHeader(70)
	req.AppendHeader(via)
	req.AppendHeader(&hops)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	req.AppendHeader(sip.NewHeader("User-Agent", p.options.UserAgent))
	req.Laddr = sip.Addr{IP: p.addr.Addr().AsSlice(), Port: int(p.addr.Port())}
	return req
}

func destination(u *sip.Uri) string {
	v := *u
	if v.Port == 0 {
		v.Port = sip.DefaultUdpPort
	}
	return v.HostPort()
}

// asIs keeps the SIP library from changing a request that is complete.
func asIs(*sipgo.Client, *sip.Request) error { return nil }

// credentials answer a digest challenge (RFC 3261 section 22).
type credentials struct{ user, password string }

func (c credentials) answers(status int) bool {
	return c.password != "" && (status == 401 || status == 407)
}

// exchange sends a request that is not an INVITE and returns its final
// response, having answered one challenge. numbered tells of a second sequence
// number used.
func (p *Phone) exchange(ctx context.Context, op string, req *sip.Request, cred credentials, numbered func(uint32)) (*sip.Response, error) {
	res, err := p.client.Do(ctx, req, asIs)
	if err == nil && cred.answers(res.StatusCode) {
		again := req.Clone()
		res, err = p.client.DoDigestAuth(ctx, again, res, sipgo.DigestAuth{Username: cred.user, Password: cred.password})
		if numbered != nil {
			numbered(again.CSeq().SeqNo)
		}
	}
	if err != nil {
		return nil, p.noAnswer(ctx, op, err)
	}
	return res, nil
}

// noAnswer explains why no final response came.
func (p *Phone) noAnswer(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if p.ctx.Err() != nil {
		return fail(CodeClosed, op, err, "the phone was closed")
	}
	return fail(CodeNoResponse, op, err, "no answer came")
}
