package agentdesk

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/c3i/contact"
)

// Plans is the archive of plans as managers use it over the API. Errors for the
// asker are *Error or *BadPlan; others are faults.
type Plans interface {
	// List gives every version by number, without texts.
	List(ctx context.Context) ([]PlanRelease, error)
	// Get gives one version with its text; 0 is the one in force.
	Get(ctx context.Context, version int) (PlanRelease, error)
	// Check tells what is wrong with a text here; nothing is kept.
	Check(ctx context.Context, source string) ([]PlanProblem, error)
	// Publish keeps a new version. When it is due at once it may wait until it is
	// in force, for as long as ctx allows.
	Publish(ctx context.Context, by string, p PlanProposal) (PlanRelease, error)
	// Approve is a second person's agreement.
	Approve(ctx context.Context, version int, by, reason string) (PlanRelease, error)
	// Rollback publishes an earlier version's plan anew.
	Rollback(ctx context.Context, version int, by, reason string) (PlanRelease, error)
}

// PlanProblem is one thing wrong with a plan.
type PlanProblem struct {
	Severity   string `json:"severity"` // error or warning
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	Path       string `json:"path"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// BadPlan says that a text was not taken because of its problems.
type BadPlan struct{ Problems []PlanProblem }

// Error says it for people.
func (*BadPlan) Error() string { return "The plan has errors and was not published." }

// PlanRelease is one version of the plan; docs/api.md tells the fields.
type PlanRelease struct {
	Version        int             `json:"version"`
	State          string          `json:"state"`
	Origin         string          `json:"origin"`
	Author         string          `json:"author"`
	Reason         string          `json:"reason"`
	Made           contact.Instant `json:"made"`
	Hash           string          `json:"hash"`
	Problems       []PlanProblem   `json:"problems,omitempty"`
	Base           int             `json:"base,omitempty"`
	RollbackOf     int             `json:"rollback_of,omitempty"`
	RolledBackFrom int             `json:"rolled_back_from,omitempty"`
	NeedsApproval  bool            `json:"needs_approval,omitempty"`
	ApprovedBy     string          `json:"approved_by,omitempty"`
	ApprovedAt     contact.Instant `json:"approved_at,omitempty"`
	ApprovalReason string          `json:"approval_reason,omitempty"`
	Due            contact.Instant `json:"due,omitempty"`
	PublishedAt    contact.Instant `json:"published_at,omitempty"`
	SupersededAt   contact.Instant `json:"superseded_at,omitempty"`
	Refused        string          `json:"refused,omitempty"`
	Source         string          `json:"source,omitempty"`
}

// PlanProposal is the body of POST /api/plans.
type PlanProposal struct {
	Source string `json:"source"`
	Reason string `json:"reason,omitempty"`
	// At is when to put it in force; absent is at once.
	At            contact.Instant `json:"at,omitempty"`
	NeedsApproval bool            `json:"needs_approval,omitempty"`
	// Draft keeps it without publishing.
	Draft bool `json:"draft,omitempty"`
}

// PlanDecision is the body of POST /api/plans/{version}/approve and /rollback.
type PlanDecision struct {
	Reason string `json:"reason"`
}

// PlanList is the body of GET /api/plans.
type PlanList struct {
	// InForce is the version in force, 0 if none.
	InForce int           `json:"in_force"`
	Plans   []PlanRelease `json:"plans"`
}

// PlanAnswer is the body of answers about one version.
type PlanAnswer struct {
	Plan PlanRelease `json:"plan"`
}

// PlanCheck is the body of POST /api/plans?check=true.
type PlanCheck struct {
	// Good tells that none of the problems is an error.
	Good     bool          `json:"good"`
	Problems []PlanProblem `json:"problems"`
}

// PlanErrorBody is ErrorBody with the problems of the plan that was sent.
type PlanErrorBody struct {
	Error    Error         `json:"error"`
	Problems []PlanProblem `json:"problems"`
}

// planBodyMax bounds the body of POST /api/plans: 1 MiB of text as JSON.
const planBodyMax = 3 << 20

// planWait is how long an answer waits for a plan to be in force.
const planWait = 3 * time.Second

// whyTimeout bounds stepping the journal for an explanation.
const whyTimeout = time.Minute

// plans gives the archive, or answers that there is none.
func (s *Server) plans(w http.ResponseWriter) (Plans, bool) {
	if s.o.Plans == nil {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "Plans are not kept here."})
	}
	return s.o.Plans, s.o.Plans != nil
}

// failPlan is fail, with the problems of a bad plan.
func (s *Server) failPlan(w http.ResponseWriter, r *http.Request, err error) {
	var bad *BadPlan
	if !errors.As(err, &bad) {
		s.fail(w, r, err)
		return
	}
	e := Error{Code: CodeInvalid, Message: bad.Error(), Field: "source"}
	s.writeJSON(w, status(e.Code), PlanErrorBody{e, bad.Problems})
}

// planVersion reads the version of the path; anything else is not found.
func planVersion(r *http.Request, current bool) (int, error) {
	text := r.PathValue("version")
	if current && text == "current" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, &Error{Code: CodeNotFound, Message: "There is no such version of the plan."}
	}
	return n, nil
}

func (s *Server) handlePlans(w http.ResponseWriter, r *http.Request) {
	archive, ok := s.plans(w)
	if !ok {
		return
	}
	list, err := archive.List(r.Context())
	if err != nil {
		s.failPlan(w, r, err)
		return
	}
	out := PlanList{Plans: []PlanRelease{}}
	for _, p := range list {
		p.Source = ""
		out.Plans = append(out.Plans, p)
		if p.State == "published" {
			out.InForce = p.Version
		}
	}
	s.writeJSON(w, http.StatusOK, out)
}

func (s *Server) handlePlan(w http.ResponseWriter, r *http.Request) {
	archive, ok := s.plans(w)
	if !ok {
		return
	}
	version, err := planVersion(r, true)
	var p PlanRelease
	if err == nil {
		p, err = archive.Get(r.Context(), version)
	}
	if err != nil {
		s.failPlan(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, PlanAnswer{p})
}

func (s *Server) handlePublishPlan(w http.ResponseWriter, r *http.Request) {
	archive, ok := s.plans(w)
	if !ok {
		return
	}
	only, err := strconv.ParseBool(r.URL.Query().Get("check"))
	if err != nil && r.URL.Query().Has("check") {
		s.writeError(w, invalid("check", "Write check=true, or leave it out."))
		return
	}
	var ask PlanProposal
	if !s.readLongJSON(w, r, &ask, planBodyMax) {
		return
	}
	if only {
		problems, err := archive.Check(r.Context(), ask.Source)
		if err != nil {
			s.failPlan(w, r, err)
			return
		}
		out := PlanCheck{Good: true, Problems: []PlanProblem{}}
		for _, p := range problems {
			out.Good = out.Good && p.Severity != "error"
			out.Problems = append(out.Problems, p)
		}
		s.writeJSON(w, http.StatusOK, out)
		return
	}
	if ask.At < 0 {
		s.writeError(w, invalid("at", "Give an instant in nanoseconds since 1970, or leave it out to publish at once."))
		return
	}
	s.decided(w, r, http.StatusCreated, ask.Reason, func(ctx context.Context, by string) (PlanRelease, error) {
		return archive.Publish(ctx, by, ask)
	})
}

// decided carries out a manager's decision and answers with the version.
func (s *Server) decided(w http.ResponseWriter, r *http.Request, code int, reason string, do func(ctx context.Context, by string) (PlanRelease, error)) {
	if strings.TrimSpace(reason) == "" {
		s.writeError(w, invalid("reason", "Say why, in a few words: it is kept with the plan."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), planWait)
	defer cancel()
	p, err := do(ctx, userOf(r.Context()).Name)
	if err != nil {
		s.failPlan(w, r, err)
		return
	}
	p.Source = ""
	s.writeJSON(w, code, PlanAnswer{p})
}

func (s *Server) handleApprovePlan(w http.ResponseWriter, r *http.Request) {
	if archive, ok := s.plans(w); ok {
		s.decideOn(w, r, http.StatusOK, archive.Approve)
	}
}

func (s *Server) handleRollbackPlan(w http.ResponseWriter, r *http.Request) {
	if archive, ok := s.plans(w); ok {
		s.decideOn(w, r, http.StatusCreated, archive.Rollback)
	}
}

func (s *Server) decideOn(w http.ResponseWriter, r *http.Request, code int, do func(ctx context.Context, version int, by, reason string) (PlanRelease, error)) {
	version, err := planVersion(r, false)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var ask PlanDecision
	if !s.readJSON(w, r, &ask) {
		return
	}
	s.decided(w, r, code, ask.Reason, func(ctx context.Context, by string) (PlanRelease, error) {
		return do(ctx, version, by, ask.Reason)
	})
}

func (s *Server) handleWhy(w http.ResponseWriter, r *http.Request) {
	if s.o.Why == nil {
		s.writeError(w, &Error{Code: CodeUnavailable, Message: "Routing is not explained here."})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), whyTimeout)
	defer cancel()
	why, err := s.o.Why(ctx, contact.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, why)
}
