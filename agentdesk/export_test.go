package agentdesk

import (
	"encoding/json"
	"time"

	"example.org/c3i/routing"
)

// Sweep does what the beat of Run does, at an instant of the test's choosing.
func (s *Server) Sweep(now time.Time) {
	s.sweep(now)
	s.hub.showQueues(now)
}

// CheckSessions looks at every desk's session now.
func (s *Server) CheckSessions() {
	for _, d := range s.hub.all() {
		d.checkSession()
	}
}

// Shown is a desk's state and position as the server has them.
func (s *Server) Shown(agent routing.AgentID) (state []byte, seq uint64, live bool) {
	d := s.hub.find(agent)
	if d == nil {
		return nil, 0, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	state, _ = json.Marshal(d.state)
	return state, d.seq, d.live
}

// Spooled is how many endings wait to be written.
func (s *Server) Spooled() int {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return len(s.history.queue)
}

// Names for tests in the package agentdesk_test.
var (
	WhySentence   = whySentence
	SIPFrom       = sipFrom
	DecodeMessage = decodeMessage
	Statuses      = statuses
	Refusals      = refusals
)

// MessageTypes lists every type a desk may send.
func MessageTypes() []string {
	var types []string
	for t := range messageNeeds {
		types = append(types, t)
	}
	return types
}

// Routes lists "METHOD path" of every route.
func (s *Server) Routes() []string {
	var list []string
	for _, r := range s.routeTable() {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// MessageNeeds is what sending a type needs.
func MessageNeeds(kind string) Permission { return messageNeeds[kind] }

// Served tells whether a handler serves a type; ServedCount counts those served.
func Served(kind string) bool { return requestKinds[kind].handle != nil }
func ServedCount() int        { return len(requestKinds) }
