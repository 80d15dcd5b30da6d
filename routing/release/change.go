package release

import (
	"context"
	"strings"
	"unicode/utf8"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

// Bounds of what is taken.
const (
	SourceMax = 1 << 20 // bytes of a plan's text
	ReasonMax = 500     // characters
	AuthorMax = 64      // characters
)

func checkWho(by, reason string) error {
	switch {
	case strings.TrimSpace(by) == "" || utf8.RuneCountInString(by) > AuthorMax || !printable(by):
		return badField("author", "The name of who does this is missing or cannot be taken.")
	case strings.TrimSpace(reason) == "":
		return badField("reason", "Say why, in a few words: it is kept with the plan.")
	case utf8.RuneCountInString(reason) > ReasonMax || !printable(reason):
		return badField("reason", "The reason is too long or has characters that cannot be shown: at most 500 characters on one line.")
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func checkSource(source string) error {
	switch {
	case len(source) > SourceMax:
		return badField("source", "The plan is too large: at most 1 MiB.")
	case !utf8.ValidString(source):
		return badField("source", "The plan is not UTF-8 text.")
	}
	return nil
}

// Create archives a new release under the next number, and unless it is a draft
// or awaits approval it is scheduled. A text with errors is taken as a draft
// only. Errors are CodeBadField, CodeBadPlan and CodeNoChange.
func (a *Archive) Create(ctx context.Context, p Proposal) (Release, error) {
	if err := checkWho(p.Author, p.Reason); err != nil {
		return Release{}, err
	}
	if err := checkSource(p.Source); err != nil {
		return Release{}, err
	}
	if p.Origin == "" {
		p.Origin = FromPerson
	}
	if p.Name == "" {
		p.Name = "plan"
	}
	_, problems := plan.Parse(p.Name, []byte(p.Source))
	if problems.HasErrors() && !p.Draft {
		return Release{}, &Error{Code: CodeBadPlan, Field: "source", Message: "The plan has errors and was not published.", Problems: problems}
	}
	var made Release
	err := a.commit(ctx, func(s *shelf) (change, error) {
		now := a.instant()
		current := s.inForce()
		if current.Hash == hashOf(p.Source) && !p.Draft && s.next().Number == 0 {
			return change{}, failf(CodeNoChange, current.Number, "plan version %d, which is in force, is this very text: nothing was published", current.Number)
		}
		made = Release{
			Number: s.last() + 1, Origin: p.Origin, Author: p.Author, Reason: p.Reason, Made: now, Hash: hashOf(p.Source),
			Problems: problems, Base: current.Number, Source: p.Source,
		}
		if p.Draft {
			made.State = Draft
		} else {
			submit(&made, s.policy, p.NeedsApproval, p.At, now)
		}
		c := change{created: made}
		c.add(made, p.Author, ActionMade, p.Reason)
		return c, nil
	})
	return made, err
}

// submit sends a release on its way.
func submit(r *Release, policy Policy, needsApproval bool, at, now contact.Instant) {
	r.NeedsApproval = needsApproval || policy.Approval && r.Origin == FromPerson
	r.Due, r.Refused = max(at, now), ""
	r.State = Scheduled
	if r.NeedsApproval {
		r.State = AwaitingApproval
		if at <= now {
			r.Due = 0
		}
	}
}

// alter changes one release by a rule.
func (a *Archive) alter(ctx context.Context, n int, by, reason string, action Action, rule func(s *shelf, r *Release) error) (Release, error) {
	if err := checkWho(by, reason); err != nil {
		return Release{}, err
	}
	var out Release
	err := a.commit(ctx, func(s *shelf) (change, error) {
		r, err := s.find(n)
		if err != nil {
			return change{}, err
		}
		if err := rule(s, &r); err != nil {
			return change{}, err
		}
		out = r
		var c change
		c.add(r, by, action, reason)
		return c, nil
	})
	return out, err
}

// Submit sends a draft on its way, as Create does with a release that is none.
func (a *Archive) Submit(ctx context.Context, n int, by, reason string, at contact.Instant, needsApproval bool) (Release, error) {
	draft, err := a.Get(ctx, n)
	if err != nil {
		return Release{}, err
	}
	if _, problems := plan.Parse("plan", []byte(draft.Source)); problems.HasErrors() {
		return Release{}, &Error{Code: CodeBadPlan, Release: n, Field: "source", Message: "The plan has errors and was not published.", Problems: problems}
	}
	return a.alter(ctx, n, by, reason, ActionSubmitted, func(s *shelf, r *Release) error {
		if r.State != Draft {
			return failf(CodeWrongState, n, "plan version %d is %s, not a draft", n, inWords(r.State))
		}
		r.ApprovedBy, r.ApprovedAt, r.ApprovalReason = "", 0, ""
		submit(r, s.policy, needsApproval, at, a.instant())
		return nil
	})
}

// Approve is a second person's agreement: the release is scheduled. Errors are
// CodeWrongState and CodeSamePerson; names that differ in case only are the same.
func (a *Archive) Approve(ctx context.Context, n int, by, reason string) (Release, error) {
	return a.alter(ctx, n, by, reason, ActionApproved, func(_ *shelf, r *Release) error {
		if r.State != AwaitingApproval {
			return failf(CodeWrongState, n, "plan version %d is %s and does not wait for approval", n, inWords(r.State))
		}
		if strings.EqualFold(strings.TrimSpace(by), strings.TrimSpace(r.Author)) {
			return failf(CodeSamePerson, n, "plan version %d was made by %s: somebody else must approve it", n, r.Author)
		}
		now := a.instant()
		r.State, r.ApprovedBy, r.ApprovedAt, r.ApprovalReason, r.Due = Scheduled, by, now, reason, max(r.Due, now)
		return nil
	})
}

// Withdraw takes a release that is not in force yet off its way: it is a draft.
func (a *Archive) Withdraw(ctx context.Context, n int, by, reason string) (Release, error) {
	return a.alter(ctx, n, by, reason, ActionWithdrawn, func(_ *shelf, r *Release) error {
		if !r.Pending() {
			return failf(CodeWrongState, n, "plan version %d is %s: only what is not in force yet can be withdrawn", n, inWords(r.State))
		}
		r.State = Draft
		return nil
	})
}

// Rollback publishes anew, at once and under a new number, the plan of a version
// that was in force before. It needs no approval. Errors are CodeWrongState for
// a version that never was in force, CodeNoChange for the one that is, and
// CodeBadPlan when this program no longer takes its text.
func (a *Archive) Rollback(ctx context.Context, n int, by, reason string) (Release, error) {
	if err := checkWho(by, reason); err != nil {
		return Release{}, err
	}
	old, err := a.Get(ctx, n)
	if err != nil {
		return Release{}, err
	}
	_, problems := plan.Parse("plan", []byte(old.Source))
	if problems.HasErrors() {
		return Release{}, &Error{Code: CodeBadPlan, Release: n, Field: "source", Message: "This program no longer takes that plan; nothing was changed.", Problems: problems}
	}
	var made Release
	err = a.commit(ctx, func(s *shelf) (change, error) {
		was, err := s.find(n)
		if err != nil {
			return change{}, err
		}
		current := s.inForce()
		switch {
		case was.State == Published, was.State == Superseded && was.Hash == current.Hash:
			return change{}, failf(CodeNoChange, n, "plan version %d is in force already, as version %d: nothing was changed", n, current.Number)
		case was.State != Superseded:
			return change{}, failf(CodeWrongState, n, "plan version %d is %s and was never in force: only a plan that was can be rolled back to", n, inWords(was.State))
		}
		now := a.instant()
		made = Release{
			Number: s.last() + 1, State: Scheduled, Origin: FromRollback, Author: by, Reason: reason, Made: now, Due: now, Hash: old.Hash,
			Problems: problems, Base: current.Number, RollbackOf: n, RolledBackFrom: current.Number, Source: old.Source,
		}
		c := change{created: made}
		c.add(made, by, ActionMade, reason)
		return c, nil
	})
	return made, err
}

// SetPolicy changes what the archive asks of releases made from now on.
func (a *Archive) SetPolicy(ctx context.Context, p Policy, by, reason string) error {
	if err := checkWho(by, reason); err != nil {
		return err
	}
	return a.commit(ctx, func(*shelf) (change, error) {
		return change{about: []about{{policy: &p, by: by, action: ActionPolicy, reason: reason}}}, nil
	})
}

// By is the name under which the publisher acts in the audit trail.
const By = "c3i"

// markPublished records that a release is in force, and that the one before no
// longer is.
func (a *Archive) markPublished(ctx context.Context, n int) (Release, error) {
	var out Release
	err := a.commit(ctx, func(s *shelf) (change, error) {
		r, err := s.find(n)
		if err != nil {
			return change{}, err
		}
		out = r
		if r.State == Published {
			return change{}, nil
		}
		now := a.instant()
		var c change
		if was := s.inForce(); was.Number > 0 {
			was.State, was.SupersededAt = Superseded, now
			c.add(was, By, ActionSuperseded, "")
		}
		r.State, r.PublishedAt, r.SupersededAt, r.Refused = Published, now, 0, ""
		out = r
		c.add(r, By, ActionPublished, "")
		return c, nil
	})
	return out, err
}

// refuse records why a scheduled release could not be put in force.
func (a *Archive) refuse(ctx context.Context, n int, why string) error {
	return a.commit(ctx, func(s *shelf) (change, error) {
		r, err := s.find(n)
		if err != nil || r.State != Scheduled {
			return change{}, err
		}
		r.State, r.Refused = Draft, why
		var c change
		c.add(r, By, ActionRefused, why)
		return c, nil
	})
}

// Adopt brings the archive in line with the plan that the journal has in force.
// A version the archive does not have is archived under its number; one whose
// number the archive gave to another text is archived under the next and
// scheduled, so that journal and archive agree again. It gives the release that
// has the text.
func (a *Archive) Adopt(ctx context.Context, version int, source string) (Release, error) {
	have, err := a.List(ctx)
	if err != nil {
		return Release{}, err
	}
	for _, r := range have {
		if r.Number == version && r.Hash == hashOf(source) {
			return a.markPublished(ctx, version)
		}
	}
	_, problems := plan.Parse("plan", []byte(source))
	var made Release
	err = a.commit(ctx, func(s *shelf) (change, error) {
		now := a.instant()
		current := s.inForce()
		made = Release{
			Number: version, Origin: FromJournal, Author: By, Made: now, Hash: hashOf(source), Problems: problems, Base: current.Number,
			State: Published, PublishedAt: now, Reason: "in force before the archive knew of it", Source: source,
		}
		var c change
		if version <= s.last() {
			made.Number, made.State, made.PublishedAt, made.Due = s.last()+1, Scheduled, 0, now
		} else if current.Number > 0 {
			current.State, current.SupersededAt = Superseded, now
			c.add(current, By, ActionSuperseded, "")
		}
		c.created = made
		c.add(made, By, ActionMade, made.Reason)
		return c, nil
	})
	return made, err
}

func inWords(s State) string {
	switch s {
	case AwaitingApproval:
		return "awaiting approval"
	case Published:
		return "in force"
	case Draft:
		return "a draft"
	default:
		return string(s)
	}
}
