package sipphone_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// registrar is a small SIP server that keeps bindings behind a digest challenge,
// and challenges calls to itself before it refuses them with 404.
type registrar struct {
	addr     string
	password string

	mu       sync.Mutex
	least    int // shortest lifetime in seconds
	grant    int // lifetime granted, 0 for what was asked
	bindings map[string]string
	seen     chan string // one line per REGISTER that was let in
	invites  chan bool   // whether each INVITE proved the password
}

func mustServe(t *testing.T, set ...func(*registrar)) *registrar {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	quiet := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet)),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)))
	must(t, err)
	srv, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	must(t, err)
	r := &registrar{
		addr: conn.LocalAddr().String(), password: "open sesame",
		bindings: map[string]string{}, seen: make(chan string, 1000), invites: make(chan bool, 1000),
	}
	for _, f := range set {
		f(r)
	}
	srv.OnRegister(r.register)
	srv.OnInvite(func(req *sip.Request, tx sip.ServerTransaction) {
		if !r.proven(req, "Proxy-Authorization") {
			r.invites <- false
			r.challenge(req, tx, 407, "Proxy-Authenticate")
			return
		}
		r.invites <- true
		_ = tx.Respond(sip.NewResponseFromRequest(req, 404, "Not Found", nil))
	})
	srv.OnAck(func(*sip.Request, sip.ServerTransaction) {})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.ServeUDP(conn)
	}()
	t.Cleanup(func() {
		_ = ua.Close()
		_ = conn.Close()
		<-served
	})
	return r
}

func (r *registrar) challenge(req *sip.Request, tx sip.ServerTransaction, status int, header string) {
	res := sip.NewResponseFromRequest(req, status, "Who Are You", nil)
	res.AppendHeader(sip.NewHeader(header, `Digest realm="test", nonce="`+req.CallID().Value()+`", algorithm=MD5, qop="auth"`))
	_ = tx.Respond(res)
}

var digestField = regexp.MustCompile(`(\w+)="?([^",]+)"?`)

// proven checks RFC 2617 section 3.2.2 by hand.
func (r *registrar) proven(req *sip.Request, header string) bool {
	h := req.GetHeader(header)
	if h == nil {
		return false
	}
	f := map[string]string{}
	for _, m := range digestField.FindAllStringSubmatch(h.Value(), -1) {
		f[m[1]] = m[2]
	}
	sum := func(s string) string {
		b := md5.Sum([]byte(s))
		return hex.EncodeToString(b[:])
	}
	ha1 := sum(f["username"] + ":test:" + r.password)
	ha2 := sum(string(req.Method) + ":" + f["uri"])
	want := sum(ha1 + ":" + f["nonce"] + ":" + f["nc"] + ":" + f["cnonce"] + ":" + f["qop"] + ":" + ha2)
	return f["nonce"] == req.CallID().Value() && f["response"] == want
}

func (r *registrar) register(req *sip.Request, tx sip.ServerTransaction) {
	if !r.proven(req, "Authorization") {
		r.challenge(req, tx, 401, "WWW-Authenticate")
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seconds, _ := strconv.Atoi(req.GetHeader("expires").Value())
	if seconds > 0 && seconds < r.least {
		res := sip.NewResponseFromRequest(req, 423, "Interval Too Brief", nil)
		res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(r.least)))
		_ = tx.Respond(res)
		return
	}
	if r.grant > 0 && seconds > 0 {
		seconds = r.grant
	}
	user, contact := req.To().Address.User, req.Contact().Address
	if seconds == 0 {
		delete(r.bindings, user)
	} else {
		r.bindings[user] = contact.String()
	}
	r.seen <- fmt.Sprintf("%s %d", user, seconds)
	res := sip.NewResponseFromRequest(req, 200, "OK", nil)
	res.AppendHeader(sip.NewHeader("Contact", fmt.Sprintf("<%s>;expires=%d", contact.String(), seconds)))
	_ = tx.Respond(res)
}

func (r *registrar) binding(user string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bindings[user]
}

func (r *registrar) wantSeen(t *testing.T, ctx context.Context, want string) {
	t.Helper()
	select {
	case got := <-r.seen:
		if got != want {
			t.Errorf("registrar saw %q, want %q", got, want)
		}
	case <-ctx.Done():
		t.Errorf("registrar never saw %q", want)
	}
}

func (r *registrar) account(user string) sipphone.Account {
	return sipphone.Account{User: user, Password: r.password, Registrar: "sip:" + r.addr}
}

func TestRegister(t *testing.T) {
	ctx, r, p := testContext(t), mustServe(t), mustListen(t, sipphone.Options{})
	reg, err := p.Register(ctx, r.account("handler1"))
	must(t, err)
	r.wantSeen(t, ctx, "handler1 3600")
	if got := r.binding("handler1"); got != p.URI("handler1") {
		t.Errorf("bound to %q, want %q", got, p.URI("handler1"))
	}
	if reg.Expires() != time.Hour {
		t.Errorf("expires in %v, want 1h", reg.Expires())
	}
	must(t, reg.Unregister(ctx))
	r.wantSeen(t, ctx, "handler1 0")
	if got := r.binding("handler1"); got != "" {
		t.Errorf("still bound to %q", got)
	}
	must(t, reg.Unregister(ctx))
}

func TestRegisterWrongPassword(t *testing.T) {
	ctx, r, p := testContext(t), mustServe(t), mustListen(t, sipphone.Options{})
	account := r.account("handler1")
	account.Password = "guess"
	_, err := p.Register(ctx, account)
	wantCode(t, err, sipphone.CodeRejected)
	if sipphone.StatusOf(err) != 401 {
		t.Errorf("status %d, want 401", sipphone.StatusOf(err))
	}
}

func TestRegisterTakesTheLifetimeAskedOfIt(t *testing.T) {
	ctx, r := testContext(t), mustServe(t, func(r *registrar) { r.least = 90 })
	p := mustListen(t, sipphone.Options{})
	account := r.account("handler1")
	account.Expires = 30 * time.Second
	reg, err := p.Register(ctx, account)
	must(t, err)
	r.wantSeen(t, ctx, "handler1 90")
	if reg.Expires() != 90*time.Second {
		t.Errorf("expires in %v, want 90s", reg.Expires())
	}
}

func TestRegisterIsKeptAliveAndRemovedByClose(t *testing.T) {
	ctx, r := testContext(t), mustServe(t, func(r *registrar) { r.grant = 1 })
	p, err := sipphone.Listen(ctx, sipphone.Options{})
	must(t, err)
	_, err = p.Register(ctx, r.account("handler1"))
	must(t, err)
	for range 3 {
		r.wantSeen(t, ctx, "handler1 1")
	}
	must(t, p.Close())
	if got := r.binding("handler1"); got != "" {
		t.Errorf("still bound to %q after Close", got)
	}
}

func TestRegisterManyIdentities(t *testing.T) {
	ctx, r, p := testContext(t), mustServe(t), mustListen(t, sipphone.Options{})
	errs := make(chan error)
	for i := range 200 {
		go func() {
			_, err := p.Register(ctx, r.account(fmt.Sprintf("handler%d", i)))
			errs <- err
		}()
	}
	for range 200 {
		must(t, <-errs)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bindings) != 200 {
		t.Errorf("%d identities are bound, want 200", len(r.bindings))
	}
}

func TestCallAnswersChallenge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options sipphone.CallOptions
		status  int
		proofs  []bool
	}{
		{"with the right password", sipphone.CallOptions{From: "handler1", Password: "open sesame"}, 404, []bool{false, true}},
		{"with a wrong password, twice and no more", sipphone.CallOptions{From: "handler1", Password: "guess"}, 407, []bool{false, false, false}},
		{"with none", sipphone.CallOptions{From: "handler1"}, 407, []bool{false}},
		{"with the account's", sipphone.CallOptions{From: "registered"}, 404, []bool{false, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, r, p := testContext(t), mustServe(t), mustListen(t, sipphone.Options{})
			_, err := p.Register(ctx, r.account("registered"))
			must(t, err)
			c, err := p.Call(ctx, "sip:101@"+r.addr, tt.options)
			must(t, err)
			wantEnd(t, ctx, c, sipphone.PeerRejected, tt.status)
			for _, want := range tt.proofs {
				if got := <-r.invites; got != want {
					t.Errorf("proof %v, want %v", got, want)
				}
			}
			if len(r.invites) > 0 {
				t.Errorf("%d INVITEs too many", len(r.invites))
			}
		})
	}
}
