package agentdesk

import (
	"context"
	"net/http"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Surges switches the overlays of the plan in force. Errors for the asker are
// *Error; others are faults.
type Surges interface {
	// List gives every surge of the plan in force, in its order.
	List(ctx context.Context) ([]Surge, error)
	// Switch decides that a surge is to be on or off. It may wait until routing has
	// switched it, for as long as ctx allows.
	Switch(ctx context.Context, name string, on bool, by, reason string) (Surge, error)
}

// Surge is one of the plan's surges; docs/api.md tells the fields.
type Surge struct {
	Surge  string            `json:"surge"`
	Label  string            `json:"label"`
	Queues []routing.QueueID `json:"queues"`
	// On tells what was decided, Applied since when routing has it so.
	On      bool            `json:"on"`
	By      string          `json:"by,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Decided contact.Instant `json:"decided,omitempty"`
	Applied contact.Instant `json:"applied,omitempty"`
}

// SurgeDecision is the body of POST /api/surges.
type SurgeDecision struct {
	Surge  string `json:"surge"`
	On     *bool  `json:"on"`
	Reason string `json:"reason"`
}

// SurgeList is the body of GET /api/surges.
type SurgeList struct {
	Surges []Surge `json:"surges"`
}

// SurgeAnswer is the body of POST /api/surges.
type SurgeAnswer struct {
	Surge Surge `json:"surge"`
}

func (s *Server) surges(w http.ResponseWriter) (Surges, bool) {
	if s.o.Surges == nil {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "Surges are not switched here."})
	}
	return s.o.Surges, s.o.Surges != nil
}

func (s *Server) handleSurges(w http.ResponseWriter, r *http.Request) {
	surges, ok := s.surges(w)
	if !ok {
		return
	}
	list, err := surges.List(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if list == nil {
		list = []Surge{}
	}
	s.writeJSON(w, http.StatusOK, SurgeList{list})
}

func (s *Server) handleSwitchSurge(w http.ResponseWriter, r *http.Request) {
	surges, ok := s.surges(w)
	if !ok {
		return
	}
	var ask SurgeDecision
	if !s.readJSON(w, r, &ask) {
		return
	}
	switch {
	case ask.Surge == "":
		s.writeError(w, invalid("surge", "Name the surge: GET /api/surges lists them."))
		return
	case ask.On == nil:
		s.writeError(w, invalid("on", "Say true to switch it on, false to switch it off."))
		return
	case strings.TrimSpace(ask.Reason) == "":
		s.writeError(w, invalid("reason", "Say why, in a few words: it is kept in the audit trail."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), planWait)
	defer cancel()
	x, err := surges.Switch(ctx, ask.Surge, *ask.On, userOf(r.Context()).Name, ask.Reason)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, SurgeAnswer{x})
}

// surgeChanged tells every desk: targets and ways of their queues are others now.
func (s *Server) surgeChanged(a routing.SurgeChanged) {
	label := a.Name
	for _, x := range s.plan().Surges {
		if x.Name == a.Name && x.Label != "" {
			label = x.Label
		}
	}
	n := Notice{Level: "info", Code: "surge_off", Text: "The surge “" + label + "” is over: queues are as usual again."}
	if a.On {
		n = Notice{Level: "warning", Code: "surge_on", Text: "The surge “" + label + "” is on: some queues have other targets and ways now."}
	}
	s.notify(n, MayUseDesk)
}

// notify shows a notice on the desks of those who may do p.
func (s *Server) notify(n Notice, p Permission) {
	for _, d := range s.hub.all() {
		d.mu.Lock()
		if d.state.Me.Role.May(p) {
			d.publishLocked(wireDelta{Notice: &n})
		}
		d.mu.Unlock()
	}
}
