package agentdesk

import (
	"bytes"
	"encoding/json"
	"net/http"

	"example.org/c3i/edge"
)

// handleDesk is GET /ws: one connection of a desk from upgrade to end.
func (s *Server) handleDesk(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "The server is going away."})
		return
	}
	defer s.work.Done()
	token := s.sessions.token(r)
	u, err := s.sessions.touch(r.Context(), token)
	if err == nil && u.OneTime {
		err = allowed(u, MayUseDesk)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	edge.Known(r.Context())
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	s.metrics.connections.Inc()
	defer s.metrics.connections.Dec()
	c := newConn(ws)
	if !hasDesk(u) {
		c.close(CloseForbidden, "Your sign-on has no desk: it has no profile, or its role has none.")
	}
	var d *desk
	defer func() {
		if d != nil {
			d.detach(c)
		}
	}()
	var calls, records lane
	c.run(func(m ClientMessage) {
		if c.isClosing() {
			return
		}
		if d == nil {
			if d = s.hello(c, u, token, m); d == nil {
				c.close(CloseBadFrame, "Begin with a hello that names the tab.")
			}
			return
		}
		d.seen(c)
		rq := &request{s: s, d: d, c: c, u: u, token: token, m: m}
		switch {
		case m.Type == TypeHeartbeat:
			rq.ack(nil, nil)
		case m.Type == TypeHello:
			rq.ack(&Error{Code: CodeBadRequest, Message: "This connection has said hello already."}, nil)
		case !u.Role.May(messageNeeds[m.Type]):
			rq.ack(&Error{Code: CodeForbidden, Message: "Your role may not do this."}, nil)
			s.spawn(func() { s.denied(acting(s.life, u, token), "request", m.Type, CodeForbidden) })
		default:
			l := &calls
			if requestKinds[m.Type].records {
				l = &records
			}
			if !l.run(&s.work, rq.serve) {
				rq.ack(&Error{Code: CodeTooMany, Message: "Too many requests are waiting. Try again in a moment."}, nil)
			}
		}
	})
}

// hello serves the first message; nil means that it was not a hello.
func (s *Server) hello(c *conn, u User, token string, m ClientMessage) *desk {
	var in HelloRequest
	dec := json.NewDecoder(bytes.NewReader(m.Body))
	if m.Type != TypeHello || dec.Decode(&in) != nil || in.Tab == "" || len(in.Tab) > 64 {
		return nil
	}
	for {
		d := s.hub.open(u)
		if d == nil {
			c.close(CloseShutdown, "The server is going away.")
			return nil
		}
		if d.hello(c, u, token, m.ID, in) {
			return d
		}
		select {
		case <-d.forgotten:
		case <-s.life.Done():
			return nil
		}
	}
}

// checkSessions ends the desks whose session has ended, and keeps the others'
// sessions from idling out.
func (s *Server) checkSessions(desks []*desk) {
	s.spawn(func() {
		for _, d := range desks {
			d.checkSession()
		}
	})
}

func (d *desk) checkSession() {
	d.mu.Lock()
	token, connected := d.session, d.conn != nil
	d.mu.Unlock()
	if !connected {
		return
	}
	_, err := d.s.sessions.touch(d.s.life, token)
	if err == nil || asError(err).Code != CodeNotSignedOn {
		return // Redis is away: nobody is thrown out for that
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil || d.session != token {
		return
	}
	d.conn.close(CloseSignedOut, "Your session has ended. Sign on again.")
	d.want.signedOn = false
	d.kickLocked()
}
