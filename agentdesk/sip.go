package agentdesk

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/edge"
	"example.org/c3i/routing"
)

// Limits of the SIP proxy. One SIP message is one frame (RFC 7118 section 5), and
// one of ours with SDP and ICE candidates is a few KiB.
const (
	sipFrameMax   = 64 << 10
	sipPingEvery  = 20 * time.Second
	sipSilence    = 60 * time.Second
	sipPerAgent   = 4
	sipDialWait   = 5 * time.Second
	sipSubproto   = "sip" // RFC 7118 section 4
	sipWrite      = 10 * time.Second
	sipCloseLimit = time.Second
)

// sipProxy carries SIP between browser phones and the switch's websocket. Only a
// signed-on session or a public call's token gets in, and what it sends must be
// from the user whose credentials it was given.
type sipProxy struct {
	s        *Server
	upstream *url.URL
	upgrader websocket.Upgrader
	dialer   *websocket.Dialer

	mu      sync.Mutex
	streams map[*sipStream]struct{}
	closed  bool
}

// sipStream is one proxied connection.
type sipStream struct {
	agent  routing.AgentID
	tab    string
	public string // SIP user of a public call
	down   *websocket.Conn
	up     *websocket.Conn
	// end closes both sides; safe to call more than once.
	end func(code int, reason string)
}

func newSIPProxy(s *Server) (*sipProxy, error) {
	p := &sipProxy{s: s, streams: map[*sipStream]struct{}{}}
	if s.o.SIPUpstream != "" {
		u, err := url.Parse(s.o.SIPUpstream)
		if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
			return nil, fmt.Errorf("agentdesk: Options.SIPUpstream %q is not a websocket's address: write it as ws://127.0.0.1:8088/ws", s.o.SIPUpstream)
		}
		p.upstream = u
	}
	p.upgrader = s.upgrader
	p.upgrader.Subprotocols = []string{sipSubproto}
	p.dialer = &websocket.Dialer{HandshakeTimeout: sipDialWait, Subprotocols: []string{sipSubproto}}
	return p, nil
}

func (s *Server) handleSIP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "The server is going away."})
		return
	}
	defer s.work.Done()
	p := s.sip
	if p.upstream == nil {
		s.writeError(w, &Error{Code: CodeNotFound, Message: "Browser phones are switched off here."})
		return
	}
	st := &sipStream{}
	var user func() string // the SIP user the stream may speak for
	if token := r.URL.Query().Get("token"); token != "" {
		name, ok := s.public.enter(token)
		if !ok {
			s.writeError(w, &Error{Code: CodeNotSignedOn, Message: "This call has expired. Start again."})
			return
		}
		defer s.public.leave(token)
		st.public = name
		user = func() string { return name }
	} else {
		u, err := s.sessions.touch(r.Context(), s.sessions.token(r))
		if err == nil {
			err = allowed(u, MayUseDesk)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		st.agent, st.tab = routing.AgentID(u.Name), r.URL.Query().Get("tab")
		user = func() string { return s.phoneUser(st.agent, st.tab) }
		if user() == "" {
			s.writeError(w, &Error{Code: CodeForbidden, Message: "This page holds no credentials for a browser phone."})
			return
		}
		edge.Known(r.Context())
	}
	if !s.originAllowed(r) {
		s.upgradeError(w, r, http.StatusForbidden, nil)
		return
	}
	up, resp, err := p.dialer.DialContext(r.Context(), p.upstream.String(), nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		s.log.Warn().Err(err).Msg("the switch's SIP websocket cannot be reached")
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "The telephone system cannot be reached just now. Try again in a moment."})
		return
	}
	down, err := p.upgrader.Upgrade(w, r, nil)
	if err != nil {
		_ = up.Close()
		return
	}
	st.up, st.down = up, down
	p.carry(st, user)
}

// phoneUser is the SIP user given to a tab of an agent, empty when the tab no
// longer holds the desk.
func (s *Server) phoneUser(agent routing.AgentID, tab string) string {
	d := s.hub.find(agent)
	if d == nil {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phoneTab != tab {
		return ""
	}
	return d.phoneUser
}

// carry pipes both ways until either side ends.
func (p *sipProxy) carry(st *sipStream, user func() string) {
	var once sync.Once
	done := make(chan struct{})
	st.end = func(code int, reason string) {
		once.Do(func() {
			close(done)
			deadline := time.Now().Add(sipCloseLimit)
			message := websocket.FormatCloseMessage(code, reason)
			for _, ws := range []*websocket.Conn{st.down, st.up} {
				_ = ws.WriteControl(websocket.CloseMessage, message, deadline)
				_ = ws.Close()
			}
		})
	}
	if !p.add(st) {
		st.end(websocket.CloseTryAgainLater, "Too many phones.")
		return
	}
	p.s.metrics.sipConnections.Inc()
	defer func() {
		p.remove(st)
		p.s.metrics.sipConnections.Dec()
	}()
	var both sync.WaitGroup
	both.Go(func() { p.pipe(st, st.up, st.down, nil) })
	both.Go(func() { p.ping(st, done) })
	p.pipe(st, st.down, st.up, user)
	both.Wait()
}

// pipe copies frames one way. With user set, requests must be from that user.
func (p *sipProxy) pipe(st *sipStream, from, to *websocket.Conn, user func() string) {
	alive := func(string) error { return from.SetReadDeadline(time.Now().Add(sipSilence)) }
	from.SetReadLimit(sipFrameMax)
	from.SetPongHandler(alive)
	for {
		_ = alive("")
		kind, frame, err := from.ReadMessage()
		if err != nil {
			st.end(websocket.CloseNormalClosure, "")
			return
		}
		if user != nil && !sipFrom(frame, user()) {
			p.s.metrics.sipRefused.Inc()
			p.s.log.Warn().Str("agent", string(st.agent)).Msg("a browser phone sent SIP in another user's name; its connection was ended")
			st.end(websocket.ClosePolicyViolation, "The message names another user.")
			return
		}
		_ = to.SetWriteDeadline(time.Now().Add(sipWrite))
		if err := to.WriteMessage(kind, frame); err != nil {
			st.end(websocket.CloseGoingAway, "")
			return
		}
	}
}

// ping keeps both sides and what lies between from closing an idle connection.
func (p *sipProxy) ping(st *sipStream, done <-chan struct{}) {
	beat := time.NewTicker(sipPingEvery)
	defer beat.Stop()
	for {
		select {
		case <-done:
			return
		case <-beat.C:
			deadline := time.Now().Add(sipWrite)
			_ = st.down.WriteControl(websocket.PingMessage, nil, deadline)
			_ = st.up.WriteControl(websocket.PingMessage, nil, deadline)
		}
	}
}

func (p *sipProxy) add(st *sipStream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if st.agent != "" {
		n := 0
		for other := range p.streams {
			if other.agent == st.agent {
				n++
			}
		}
		if n >= sipPerAgent {
			return false
		}
	}
	p.streams[st] = struct{}{}
	return true
}

func (p *sipProxy) remove(st *sipStream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, st)
}

// closeWhere ends the streams that match.
func (p *sipProxy) closeWhere(match func(*sipStream) bool, code int, reason string) {
	p.mu.Lock()
	var ending []*sipStream
	for st := range p.streams {
		if match(st) {
			ending = append(ending, st)
		}
	}
	p.mu.Unlock()
	for _, st := range ending {
		st.end(code, reason)
	}
}

// closeAgent ends an agent's streams but those of the tab kept.
func (p *sipProxy) closeAgent(agent routing.AgentID, keep string) {
	p.closeWhere(func(st *sipStream) bool { return st.agent == agent && (keep == "" || st.tab != keep) },
		websocket.ClosePolicyViolation, "Another page holds the desk.")
}

func (p *sipProxy) closeUser(user string) {
	p.closeWhere(func(st *sipStream) bool { return st.public == user }, websocket.ClosePolicyViolation, "The call has expired.")
}

func (p *sipProxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.closeWhere(func(*sipStream) bool { return true }, websocket.CloseGoingAway, "The server is going away.")
}
