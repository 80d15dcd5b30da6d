package sipphone

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Registration is an identity at its registrar, kept alive until it is removed.
type Registration struct {
	phone   *Phone
	account Account
	cred    credentials
	aor     sip.Uri
	target  sip.Uri
	callID  string
	tag     string

	sending sync.Mutex // one REGISTER at a time, RFC 3261 section 10.2.4
	cseq    uint32

	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	expires time.Duration
	err     error
}

// Register binds account.User to this phone at the registrar, answering a digest
// challenge, and keeps the binding alive by registering again at half its life.
// Calls with From equal to the user use its password. Registering a user a
// second time replaces the first. The error is CodeRejected with the status if the
// registrar refuses, CodeNoResponse if ctx ends or it says nothing.
func (p *Phone) Register(ctx context.Context, account Account) (*Registration, error) {
	const op = "register"
	account.AuthUser = cmp.Or(account.AuthUser, account.User)
	account.Expires = cmp.Or(account.Expires, time.Hour)
	if account.User == "" {
		return nil, fail(CodeBadInput, op, nil, "User is empty")
	}
	if err := checkUser(op, "User", account.User); err != nil {
		return nil, err
	}
	if account.Expires < 0 {
		return nil, fail(CodeBadInput, op, nil, "Expires is negative")
	}
	var target sip.Uri
	if err := sip.ParseUri(account.Registrar, &target); err != nil || target.Scheme != "sip" || target.Host == "" {
		return nil, fail(CodeBadInput, op, err, "Registrar must be a SIP URI such as sip:127.0.0.1:5060")
	}
	target.User = ""
	r := &Registration{
		phone:   p,
		account: account,
		cred:    credentials{account.AuthUser, account.Password},
		aor:     sip.Uri{Scheme: "sip", User: account.User, Host: target.Host, Port: target.Port},
		target:  target,
		callID:  sip.GenerateTagN(24) + "@" + p.addr.Addr().String(),
		tag:     sip.GenerateTagN(16),
		expires: account.Expires,
		done:    make(chan struct{}),
	}
	if err := r.send(ctx, op, account.Expires); err != nil {
		return nil, err
	}
	var keep context.Context
	keep, r.stop = context.WithCancel(p.ctx)
	p.mu.Lock()
	previous := p.accounts[account.User]
	closing := p.closing
	if !closing {
		p.accounts[account.User] = r
		p.wg.Go(func() { r.keep(keep) })
	}
	p.mu.Unlock()
	if closing {
		r.stop()
		return nil, fail(CodeClosed, op, r.send(ctx, op, 0), "the phone is closed")
	}
	if previous != nil {
		previous.stop()
	}
	return r, nil
}

// User is the user part of the address of record.
func (r *Registration) User() string { return r.account.User }

// Expires is the lifetime the registrar last granted.
func (r *Registration) Expires() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.expires
}

// Err is the error of the last refresh, nil if it succeeded. After an error the
// refresh is tried again every five seconds.
func (r *Registration) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Unregister removes the binding and returns when the registrar has agreed. A
// registration that was replaced or removed before is left alone.
func (r *Registration) Unregister(ctx context.Context) error {
	r.phone.mu.Lock()
	current := r.phone.accounts[r.account.User] == r
	if current {
		delete(r.phone.accounts, r.account.User)
	}
	r.phone.mu.Unlock()
	if !current {
		return nil
	}
	r.stop()
	return r.send(ctx, "unregister", 0)
}

// keep registers again at half of each lifetime.
func (r *Registration) keep(ctx context.Context) {
	wait := r.Expires() / 2
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		err := r.send(ctx, "register", r.account.Expires)
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		r.err = err
		wait = r.expires / 2
		if err != nil {
			wait = 5 * time.Second
		}
		r.mu.Unlock()
	}
}

// send does one REGISTER; a lifetime of 0 removes the binding.
func (r *Registration) send(ctx context.Context, op string, life time.Duration) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	seconds := int((life + time.Second - 1) / time.Second)
	for range 2 {
		r.cseq++
		req := r.phone.request(sip.REGISTER, r.target, r.callID, r.cseq)
		req.SetDestination(destination(&r.target))
		from := &sip.FromHeader{Address: r.aor}
		from.Params.Add("tag", r.tag)
		req.AppendHeader(from)
		req.AppendHeader(&sip.ToHeader{Address: r.aor})
		req.AppendHeader(r.phone.contact(r.account.User))
		expires := sip.ExpiresHeader(seconds)
		req.AppendHeader(&expires)
		req.SetBody(nil)
		res, err := r.phone.exchange(ctx, op, req, r.cred, func(n uint32) { r.cseq = n })
		if err != nil {
			return err
		}
		if res.IsSuccess() {
			r.granted(res)
			return nil
		}
		if least, ok := number(res.GetHeader("min-expires")); res.StatusCode == 423 && ok && least > seconds && seconds > 0 {
			seconds = least
			continue
		}
		e := fail(CodeRejected, op, nil, "the registrar refused with %d %s", res.StatusCode, res.Reason)
		e.Status = res.StatusCode
		return e
	}
	return fail(CodeRejected, op, nil, "the registrar keeps asking for a longer lifetime")
}

// granted notes the lifetime: of our Contact, else of the Expires header
// (RFC 3261 section 10.2.4).
func (r *Registration) granted(res *sip.Response) {
	seconds, ok := number(res.GetHeader("expires"))
	for _, h := range res.GetHeaders("contact") {
		c, is := h.(*sip.ContactHeader)
		if !is || c.Address.User != r.account.User || c.Address.Port != int(r.phone.addr.Port()) {
			continue
		}
		if v, has := c.Params.Get("expires"); has {
			if n, err := strconv.Atoi(v); err == nil {
				seconds, ok = n, true
			}
		}
	}
	if ok && seconds > 0 {
		r.mu.Lock()
		r.expires = time.Duration(seconds) * time.Second
		r.mu.Unlock()
	}
}

func number(h sip.Header) (int, bool) {
	if h == nil {
		return 0, false
	}
	n, err := strconv.Atoi(h.Value())
	return n, err == nil
}
