package agentdesk

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Foresight tells what would happen, on a copy of what is going on. Nothing it
// does changes routing. Errors for the asker are *Error; others are faults.
type Foresight interface {
	// Suppose tells what would become of a contact that arrived now, as JSON will
	// show it. The body is what was asked.
	Suppose(ctx context.Context, ask json.RawMessage) (any, error)
	// Fork plays the time to come as things are, and with changes.
	Fork(ctx context.Context, ask ForkQuestion) (any, error)
}

// ForkQuestion is the body of POST /api/fork; docs/api.md tells the fields.
type ForkQuestion struct {
	// Hours to look ahead; 1 when absent, at most 24.
	Hours float64    `json:"hours,omitempty"`
	Moves []ForkMove `json:"moves,omitempty"`
	// SurgesOn and SurgesOff are switched.
	SurgesOn  []string `json:"surges_on,omitempty"`
	SurgesOff []string `json:"surges_off,omitempty"`
	// Plan is a draft's text, Version one that is kept; at most one of them.
	Plan    string `json:"plan,omitempty"`
	Version int    `json:"version,omitempty"`
	// Growth changes the volume to come on both sides, as a share.
	Growth       float64 `json:"growth,omitempty"`
	Replications int     `json:"replications,omitempty"`
	Seed         uint64  `json:"seed,omitempty"`
}

// ForkMove has handlers change to another profile.
type ForkMove struct {
	Count  int               `json:"count,omitempty"`
	Agents []routing.AgentID `json:"agents,omitempty"`
	From   string            `json:"from,omitempty"`
	To     string            `json:"to"`
}

// Bounds of what may be asked.
const (
	forkReplicationsMost = 50
	foreseeTimeout       = 20 * time.Second
)

func (s *Server) foresight(w http.ResponseWriter) (Foresight, bool) {
	if s.o.Foresee == nil {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "What would happen is not told here."})
	}
	return s.o.Foresee, s.o.Foresee != nil
}

func (s *Server) handleSuppose(w http.ResponseWriter, r *http.Request) {
	f, ok := s.foresight(w)
	if !ok {
		return
	}
	var ask json.RawMessage
	if !s.readJSON(w, r, &ask) {
		return
	}
	s.foreseen(w, r, func(ctx context.Context) (any, error) { return f.Suppose(ctx, ask) })
}

func (s *Server) handleFork(w http.ResponseWriter, r *http.Request) {
	f, ok := s.foresight(w)
	if !ok {
		return
	}
	var ask ForkQuestion
	if !s.readLongJSON(w, r, &ask, planBodyMax) {
		return
	}
	if err := ask.check(); err != nil {
		s.writeError(w, err)
		return
	}
	s.foreseen(w, r, func(ctx context.Context) (any, error) { return f.Fork(ctx, ask) })
}

func (q ForkQuestion) check() *Error {
	switch {
	case q.Hours < 0 || q.Hours > float64(contact.Day/contact.Hour):
		return invalid("hours", "Give the hours to look ahead: above 0, at most 24.")
	case q.Plan != "" && q.Version != 0:
		return invalid("version", "Give the text of a plan or the number of a version, not both.")
	case q.Version < 0:
		return invalid("version", "Give the number of a version of the plan.")
	case q.Growth < -1 || q.Growth > 10:
		return invalid("growth", "Give the change of volume as a share from -1 to 10: 0.1 is a tenth more.")
	case q.Replications < 0 || q.Replications > forkReplicationsMost:
		return invalid("replications", "Give from 1 to 50 replications.")
	}
	for _, m := range q.Moves {
		switch {
		case m.To == "":
			return invalid("moves.to", "Say to which profile handlers move.")
		case len(m.Agents) == 0 && m.Count < 1:
			return invalid("moves.count", "Say how many handlers move, or name them in agents.")
		}
	}
	return nil
}

func (s *Server) foreseen(w http.ResponseWriter, r *http.Request, tell func(context.Context) (any, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), foreseeTimeout)
	defer cancel()
	x, err := tell(ctx)
	if err != nil {
		s.failPlan(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, x)
}
