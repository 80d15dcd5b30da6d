package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

// archiveName begins the keys of the archive of plans.
const archiveName = "plans"

// beginPlans makes sure that a plan is in force and gives what publishes others.
func (a *app) beginPlans(ctx context.Context, archive *release.Archive, text *content) (*release.Publisher, error) {
	p, err := release.NewPublisher(release.PublisherOptions{
		Archive: archive, Router: a.driver, Log: a.log.With().Str("part", "plans").Logger(),
		Check: func(doc *plan.Document) plan.Problems { return crossProblems(doc, text) },
	})
	if err != nil {
		return nil, err
	}
	was := a.driver.Recovered()
	var surges []string
	if err := a.driver.View(ctx, func(e *routing.Engine) { surges = e.SurgesOn() }); err != nil {
		return nil, err
	}
	r, err := p.Begin(ctx, release.Beginning{Version: was.PlanVersion, Source: was.PlanSource, Plan: text.plan, Named: a.c.Plan != "", Surges: surges})
	if err != nil {
		return nil, err
	}
	switch {
	case r.Number == was.PlanVersion:
		a.log.Info().Int("version", r.Number).Msg("the plan in force stays")
	case r.Origin == release.FromSettings || r.Origin == release.FromFirstStart:
		a.log.Info().Int("version", r.Number).Str("file", text.plan.Name).Msg("plan published")
	default:
		a.log.Info().Int("version", r.Number).Str("author", r.Author).Msg("plan published")
	}
	for _, q := range missingQueues(text.flow, a.driver.Plan()) {
		a.log.Warn().Str("queue", q).Msg("the flow names a queue that the plan in force lacks; its rules choose another")
	}
	return p, nil
}

// crossProblems finds what a plan lacks that the flow or the prompts need, and
// the other way round.
func crossProblems(doc *plan.Document, text *content) plan.Problems {
	t := &content{plan: doc, flow: text.flow, catalogue: text.catalogue}
	t.crossCheck()
	var out plan.Problems
	for _, p := range t.problems {
		out = append(out, plan.Problem{Severity: plan.Error, File: doc.Name, Line: 1, Column: 1, Code: "does_not_fit", Message: strings.TrimPrefix(p, doc.Name+": ")})
	}
	return out
}

// planProblems finds everything wrong with a text where C3i runs with the
// content given.
func planProblems(name, source string, text *content) plan.Problems {
	doc, problems := plan.Parse(name, []byte(source))
	if doc != nil {
		problems = append(problems, crossProblems(doc, text)...)
	}
	return problems
}

func (a *app) planProblems(text *content) func(string) plan.Problems {
	return func(source string) plan.Problems { return planProblems("plan", source, text) }
}

// planDesk lets managers use the archive over the HTTP API.
type planDesk struct {
	archive *release.Archive
	check   func(source string) plan.Problems
}

func problemsOf(ps plan.Problems) []agentdesk.PlanProblem {
	var out []agentdesk.PlanProblem
	for _, p := range ps {
		out = append(out, agentdesk.PlanProblem{
			Severity: string(p.Severity), Line: p.Line, Column: p.Column, Path: p.Path, Code: p.Code, Message: p.Message, Suggestion: p.Suggestion,
		})
	}
	return out
}

func releaseOf(r release.Release) agentdesk.PlanRelease {
	return agentdesk.PlanRelease{
		Version: r.Number, State: string(r.State), Origin: string(r.Origin), Author: r.Author, Reason: r.Reason, Made: r.Made, Hash: r.Hash,
		Problems: problemsOf(r.Problems), Base: r.Base, RollbackOf: r.RollbackOf, RolledBackFrom: r.RolledBackFrom,
		NeedsApproval: r.NeedsApproval, ApprovedBy: r.ApprovedBy, ApprovedAt: r.ApprovedAt, ApprovalReason: r.ApprovalReason,
		Due: r.Due, PublishedAt: r.PublishedAt, SupersededAt: r.SupersededAt, Refused: r.Refused, Source: r.Source,
	}
}

// asked puts the archive's errors into those of the API.
func asked(err error) error {
	var e *release.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case release.CodeBadPlan:
		return &agentdesk.BadPlan{Problems: problemsOf(e.Problems)}
	case release.CodeBadField:
		return &agentdesk.Error{Code: agentdesk.CodeInvalid, Message: e.Message, Field: e.Field}
	case release.CodeUnknown:
		return &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: upper(e.Message)}
	case release.CodeWrongState, release.CodeNoChange, release.CodeSamePerson, release.CodeBusy:
		return &agentdesk.Error{Code: agentdesk.CodeConflict, Message: upper(e.Message)}
	}
	return err
}

// upper makes a sentence of the words of an error.
func upper(s string) string {
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	return s + "."
}

func (d planDesk) List(ctx context.Context) ([]agentdesk.PlanRelease, error) {
	list, err := d.archive.List(ctx)
	if err != nil {
		return nil, asked(err)
	}
	var out []agentdesk.PlanRelease
	for _, r := range list {
		out = append(out, releaseOf(r))
	}
	return out, nil
}

func (d planDesk) Get(ctx context.Context, version int) (agentdesk.PlanRelease, error) {
	if version == 0 {
		r, ok, err := d.archive.InForce(ctx)
		if err == nil && !ok {
			err = &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "No plan is in force yet."}
		}
		return releaseOf(r), asked(err)
	}
	r, err := d.archive.Get(ctx, version)
	return releaseOf(r), asked(err)
}

func (d planDesk) Check(_ context.Context, source string) ([]agentdesk.PlanProblem, error) {
	return problemsOf(d.check(source)), nil
}

func (d planDesk) Publish(ctx context.Context, by string, p agentdesk.PlanProposal) (agentdesk.PlanRelease, error) {
	if problems := d.check(p.Source); problems.HasErrors() && !p.Draft {
		return agentdesk.PlanRelease{}, &agentdesk.BadPlan{Problems: problemsOf(problems)}
	}
	return d.settled(ctx)(d.archive.Create(ctx, release.Proposal{
		Source: p.Source, Author: by, Reason: p.Reason, At: p.At, NeedsApproval: p.NeedsApproval, Draft: p.Draft,
	}))
}

func (d planDesk) Approve(ctx context.Context, version int, by, reason string) (agentdesk.PlanRelease, error) {
	return d.settled(ctx)(d.archive.Approve(ctx, version, by, reason))
}

func (d planDesk) Rollback(ctx context.Context, version int, by, reason string) (agentdesk.PlanRelease, error) {
	return d.settled(ctx)(d.archive.Rollback(ctx, version, by, reason))
}

// settled waits until a release that is due has been acted on, or ctx ends: the
// release is kept, and its state tells.
func (d planDesk) settled(ctx context.Context) func(release.Release, error) (agentdesk.PlanRelease, error) {
	return func(r release.Release, err error) (agentdesk.PlanRelease, error) {
		if err != nil {
			return agentdesk.PlanRelease{}, asked(err)
		}
		if seen, err := d.archive.Await(ctx, r.Number); err == nil {
			r = seen
		}
		return releaseOf(r), nil
	}
}

// explainer answers why a contact went where it did. One explanation is worked
// out at a time: each steps the journal.
func explainer(client redis.UniversalClient) func(context.Context, contact.ID) (any, error) {
	one := make(chan struct{}, 1)
	return func(ctx context.Context, id contact.ID) (any, error) {
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		x, err := explain.Contact(ctx, journal.NewRedis(client, journalName, journal.Retention{}), id)
		var unknown *explain.UnknownError
		var old *explain.TooOldError
		switch {
		case errors.As(err, &unknown):
			return nil, &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "The journal knows no such contact."}
		case errors.As(err, &old):
			return nil, &agentdesk.Error{Code: agentdesk.CodeNotFound, Message: "That contact is too long ago: what decided about it is no longer kept."}
		case err != nil:
			return nil, err
		}
		return x, nil
	}
}

// publishWait is how long a command waits for the running process to put a plan
// in force.
const publishWait = 10 * time.Second
