package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// Router puts a plan in force; live.Driver is one.
type Router interface {
	// SubmitWait has the engine take the event and gives its actions.
	SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error)
	// Plan is the plan in force, nil before the first.
	Plan() *routing.Plan
}

// PublisherOptions say how to publish. Archive and Router are required.
type PublisherOptions struct {
	Archive *Archive
	Router  Router
	// Check finds what is wrong with a plan where it is to run: names that the
	// flow or the prompts lack, for example. An error among the problems keeps it
	// from being put in force. Nil checks the plan alone.
	Check func(*plan.Document) plan.Problems
	// Every is how often the archive is looked at; 250 ms when zero.
	Every time.Duration
	// Log receives what operators should know.
	Log zerolog.Logger
}

// Publisher puts what is due in force, in the process that leads: the one whose
// driver holds the journal. A process that lost the journal publishes nothing,
// because its driver refuses every event. Begin must return before Run.
type Publisher struct {
	o PublisherOptions
	// seen is the audit entry up to which the archive was acted on, due when
	// something becomes due though nothing changes.
	seen uint64
	due  contact.Instant
	told string
}

// submitBound is how long the engine may take to put a plan in force.
const submitBound = 10 * time.Second

// NewPublisher returns a publisher that does nothing yet.
func NewPublisher(o PublisherOptions) (*Publisher, error) {
	if o.Archive == nil || o.Router == nil {
		return nil, errors.New("release: PublisherOptions need an Archive and a Router")
	}
	if o.Every == 0 {
		o.Every = 250 * time.Millisecond
	}
	return &Publisher{o: o}, nil
}

// Beginning is what is known when the process starts.
type Beginning struct {
	// Version and Source are of the plan the journal has in force, 0 and empty for
	// a new journal.
	Version int
	Source  string
	// Plan is the plan that the settings name, or else the one built in.
	Plan *plan.Document
	// Named tells that the settings name it.
	Named bool
	// Surges are those that routing has on.
	Surges []string
}

// Begin brings archive and journal in line and makes sure that a plan is in
// force:
//
//   - The plan the journal has in force stays, and is archived if need be.
//   - With a new journal, the archive's release in force is put in force again.
//   - With neither, what is due in the archive, else Plan, is put in force.
//   - A file that the settings name becomes a release if it is neither in force
//     nor the file that the settings named last. So a changed file is published,
//     and one that is merely still named does not undo what was published since.
//
// It gives the release in force.
func (p *Publisher) Begin(ctx context.Context, b Beginning) (Release, error) {
	a := p.o.Archive
	if b.Version > 0 {
		if _, err := a.Adopt(ctx, b.Version, b.Source); err != nil {
			return Release{}, err
		}
	} else if r, ok, err := a.InForce(ctx); err != nil {
		return Release{}, err
	} else if ok {
		if err := p.submit(ctx, r); err != nil {
			return Release{}, fmt.Errorf("put plan version %d in force again: %w", r.Number, err)
		}
	}
	if err := p.publishDue(ctx); err != nil {
		return Release{}, err
	}
	if p.o.Router.Plan() == nil {
		seed := Proposal{Name: b.Plan.Name, Source: b.Plan.Source, Author: By, Reason: "first start", Origin: FromFirstStart}
		if b.Named {
			seed.Author, seed.Origin = "settings", FromSettings
		}
		if err := p.create(ctx, seed); err != nil {
			return Release{}, err
		}
	} else if b.Named {
		if err := p.named(ctx, b.Plan); err != nil {
			return Release{}, err
		}
	}
	if err := p.beginSurges(ctx, b); err != nil {
		return Release{}, err
	}
	r, ok, err := a.InForce(ctx)
	if err == nil && !ok {
		err = failf(CodeDamaged, 0, "no plan is in force")
	}
	return r, err
}

// named publishes the file that the settings name if it is another than last time.
func (p *Publisher) named(ctx context.Context, doc *plan.Document) error {
	s, err := p.o.Archive.read(ctx)
	if err != nil {
		return err
	}
	hash, last := hashOf(doc.Source), Release{}
	for _, r := range s.releases {
		if r.Origin == FromSettings {
			last = r
		}
	}
	current := s.inForce()
	switch hash {
	case current.Hash:
		return nil
	case last.Hash:
		p.o.Log.Warn().Str("file", doc.Name).Int("was_version", last.Number).Int("version", current.Number).
			Msg("the plan file the settings name has not changed since it was published; the version published after it stays in force")
		return nil
	}
	return p.create(ctx, Proposal{Name: doc.Name, Source: doc.Source, Author: "settings", Reason: "the settings name " + clip(doc.Name), Origin: FromSettings})
}

func clip(s string) string {
	r := []rune(s)
	if len(r) > 200 {
		return "…" + string(r[len(r)-200:])
	}
	return s
}

// create archives a release and puts it in force.
func (p *Publisher) create(ctx context.Context, proposal Proposal) error {
	made, err := p.o.Archive.Create(ctx, proposal)
	if err != nil {
		return err
	}
	if err := p.publishDue(ctx); err != nil {
		return err
	}
	now, err := p.o.Archive.Get(ctx, made.Number)
	if err == nil && now.State != Published && now.State != Superseded {
		err = fmt.Errorf("the plan %s could not be put in force: %s", proposal.Name, now.Refused)
	}
	return err
}

// Run puts releases in force as they become due until ctx ends, and returns nil
// then. What fails because Redis or routing is away is tried again.
func (p *Publisher) Run(ctx context.Context) error {
	beat := time.NewTicker(p.o.Every)
	defer beat.Stop()
	for {
		if err := p.look(ctx); err != nil && ctx.Err() == nil {
			if text := err.Error(); text != p.told { // once, not four times a second
				p.o.Log.Error().Err(err).Msg("plans that are due cannot be put in force now; it is tried again")
				p.told = text
			}
		} else {
			p.told = ""
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = p.o.Archive.endLease(last) // else it runs out by itself
			return nil
		case <-beat.C:
		}
	}
}

// look acts when the archive changed or something became due.
func (p *Publisher) look(ctx context.Context) error {
	seq, err := p.o.Archive.beat(ctx)
	if err != nil {
		return err
	}
	if seq == p.seen && (p.due == 0 || p.due > p.o.Archive.instant()) {
		return nil
	}
	if err := p.publishDue(ctx); err != nil {
		return err
	}
	if err := p.switchSurges(ctx); err != nil {
		p.seen = 0 // look again
		return err
	}
	return nil
}

// beginSurges brings record and routing in line: routing's state is right where
// nothing else was decided, except with a new journal, which gets what was on.
func (p *Publisher) beginSurges(ctx context.Context, b Beginning) error {
	a := p.o.Archive
	if b.Version > 0 {
		if err := a.adoptSurges(ctx, b.Surges); err != nil {
			return err
		}
		return p.switchSurges(ctx)
	}
	list, err := a.Surges(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.On && x.Applied > 0 {
			if err := p.switchSurge(ctx, x); err != nil {
				return err
			}
		}
	}
	return p.switchSurges(ctx)
}

// switchSurges has routing switch what was decided, and records what it did. A
// surge that the plan in force no longer has is off.
func (p *Publisher) switchSurges(ctx context.Context) error {
	list, err := p.o.Archive.Surges(ctx)
	if err != nil {
		return err
	}
	in := p.o.Router.Plan()
	for _, x := range list {
		has := in != nil && slices.ContainsFunc(in.Surges, func(s routing.Surge) bool { return s.Name == x.Name })
		switch {
		case !has && (x.On || x.Applied == 0):
			err = p.o.Archive.markSurge(ctx, x.Name, false, By, "the plan in force does not have it")
		case has && x.Applied == 0:
			err = p.switchSurge(ctx, x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) switchSurge(ctx context.Context, x Surge) error {
	bounded, cancel := context.WithTimeout(ctx, submitBound)
	defer cancel()
	ev := routing.SurgeSwitched{Name: x.Name, On: x.On, By: x.By}
	actions, err := p.o.Router.SubmitWait(bounded, ev)
	if err != nil {
		return fmt.Errorf("surge %s: %w", x.Name, err)
	}
	for _, a := range actions {
		// A former attempt may have got as far as the journal.
		if no, is := a.(routing.Refused); is && no.Event == ev.Kind() && no.Code != routing.RefusedNoChange {
			return p.o.Archive.markSurge(ctx, x.Name, false, By, "routing refused it: "+no.Code)
		}
	}
	p.o.Log.Info().Str("surge", x.Name).Bool("on", x.On).Msg("a surge was switched")
	return p.o.Archive.markSurge(ctx, x.Name, x.On, "", "")
}

// publishDue puts in force, in order, whatever is due.
func (p *Publisher) publishDue(ctx context.Context) error {
	p.seen = 0
	for {
		s, err := p.o.Archive.read(ctx)
		if err != nil {
			return err
		}
		r := s.next()
		if r.Number == 0 || r.Due > p.o.Archive.instant() {
			p.seen, p.due = s.seq, r.Due
			return nil
		}
		if err := p.publish(ctx, r); err != nil {
			return err
		}
	}
}

// publish puts one release in force, or records why it cannot be.
func (p *Publisher) publish(ctx context.Context, r Release) error {
	a := p.o.Archive
	r, err := a.withSource(ctx, r)
	var damaged *Error
	if errors.As(err, &damaged) {
		return a.refuse(ctx, r.Number, damaged.Message)
	}
	if err != nil {
		return err
	}
	// A former attempt may have got as far as the journal.
	if in := p.o.Router.Plan(); in == nil || in.Version != r.Number {
		doc, problems := plan.Parse(fmt.Sprintf("plan version %d", r.Number), []byte(r.Source))
		if doc != nil && p.o.Check != nil {
			problems = append(problems, p.o.Check(doc)...)
		}
		if problems.HasErrors() {
			return p.refuse(ctx, r, problems.Error())
		}
		err := p.submit(ctx, r)
		var refused refusedError
		if errors.As(err, &refused) {
			return p.refuse(ctx, r, err.Error())
		}
		if err != nil {
			return fmt.Errorf("plan version %d: %w", r.Number, err)
		}
	}
	if _, err := a.markPublished(ctx, r.Number); err != nil {
		return err
	}
	p.o.Log.Info().Int("version", r.Number).Str("origin", string(r.Origin)).Msg("a plan was put in force")
	return nil
}

func (p *Publisher) refuse(ctx context.Context, r Release, why string) error {
	p.o.Log.Error().Int("version", r.Number).Str("why", why).Msg("a plan cannot be put in force; the one before stays")
	return p.o.Archive.refuse(ctx, r.Number, why)
}

// refusedError is the engine's no to a plan.
type refusedError struct{ code string }

func (e refusedError) Error() string { return "routing refused the plan: " + e.code }

func (p *Publisher) submit(ctx context.Context, r Release) error {
	ctx, cancel := context.WithTimeout(ctx, submitBound)
	defer cancel()
	ev := routing.PlanPublished{Version: r.Number, Source: r.Source}
	actions, err := p.o.Router.SubmitWait(ctx, ev)
	if err != nil {
		return err
	}
	for _, a := range actions {
		if no, is := a.(routing.Refused); is && no.Event == ev.Kind() {
			return refusedError{no.Code}
		}
	}
	return nil
}
