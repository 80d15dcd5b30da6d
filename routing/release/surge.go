package release

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

// surgePrefix begins the releases' fields that hold surges.
const surgePrefix = "surge:"

// Surge is what was last decided about one of the plan's surges.
type Surge struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	// By, Reason and Decided tell who decided it, why and when.
	By      string          `json:"by"`
	Reason  string          `json:"reason"`
	Decided contact.Instant `json:"decided"`
	// Applied is when routing switched it; zero until it has.
	Applied contact.Instant `json:"applied,omitempty"`
}

// Surges gives what was decided about surges, by name. One that was never
// switched is not among them.
func (a *Archive) Surges(ctx context.Context) ([]Surge, error) {
	s, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	return s.surges, nil
}

// SwitchSurge decides that a surge of the plan in force is to be on or off. The
// running process switches it; until then Applied is zero. Errors are
// CodeBadField, CodeNoChange, and CodeUnknown for a surge the plan does not have.
func (a *Archive) SwitchSurge(ctx context.Context, name string, on bool, by, reason string) (Surge, error) {
	if err := checkWho(by, reason); err != nil {
		return Surge{}, err
	}
	r, ok, err := a.InForce(ctx)
	if err != nil {
		return Surge{}, err
	}
	if !ok {
		return Surge{}, failf(CodeUnknown, 0, "no plan is in force yet, so there are no surges")
	}
	if err := hasSurge(r, name); err != nil {
		return Surge{}, err
	}
	out := Surge{Name: name, On: on, By: by, Reason: reason}
	err = a.commit(ctx, func(s *shelf) (change, error) {
		if s.surge(name).On == on {
			return change{}, failf(CodeNoChange, r.Number, "the surge %s is %s already: nothing was changed", name, onOff(on))
		}
		out.Decided = a.instant()
		return change{about: []about{{surge: &out, by: by, action: surgeAction(on), reason: reason}}}, nil
	})
	return out, err
}

func hasSurge(r Release, name string) error {
	p, problems := plan.Compile("plan", r.Number, []byte(r.Source))
	if p == nil {
		return failf(CodeDamaged, r.Number, "plan version %d, which is in force, cannot be read: %v", r.Number, problems.Err())
	}
	var names []string
	for _, s := range p.Surges {
		if s.Name == name {
			return nil
		}
		names = append(names, s.Name)
	}
	switch near := plan.Nearest(name, names); {
	case len(names) == 0:
		return failf(CodeUnknown, r.Number, "the plan in force, version %d, has no surges", r.Number)
	case near != "":
		return failf(CodeUnknown, r.Number, "the plan in force has no surge %q: did you mean %q?", name, near)
	default:
		return failf(CodeUnknown, r.Number, "the plan in force has no surge %q: it has %s", name, strings.Join(names, ", "))
	}
}

// surge is what was decided about a surge; off, by nobody, if nothing was.
func (s *shelf) surge(name string) Surge {
	for _, x := range s.surges {
		if x.Name == name {
			return x
		}
	}
	return Surge{Name: name}
}

func surgeAction(on bool) Action {
	if on {
		return ActionSurgeOn
	}
	return ActionSurgeOff
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// AwaitSurge waits until routing has switched a surge as last decided, and gives
// it. When ctx ends first the error is ctx's and the surge as last seen.
func (a *Archive) AwaitSurge(ctx context.Context, name string) (Surge, error) {
	var seen Surge
	beat := time.NewTicker(awaitEvery)
	defer beat.Stop()
	for {
		s, err := a.read(ctx)
		if err == nil {
			if seen = s.surge(name); seen.Applied > 0 || seen.Decided == 0 {
				return seen, nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return seen, ctx.Err()
		case err != nil:
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-beat.C:
		}
	}
}

// markSurge records that routing has a surge on or off; by, when not empty, says
// that it is so without anybody's decision, for the reason given.
func (a *Archive) markSurge(ctx context.Context, name string, on bool, by, reason string) error {
	return a.commit(ctx, func(s *shelf) (change, error) {
		x := s.surge(name)
		now := a.instant()
		var c change
		if by != "" {
			if x.On == on && x.Applied > 0 {
				return change{}, nil
			}
			x.On, x.By, x.Reason, x.Decided, x.Applied = on, by, reason, now, now
			c.about = append(c.about, about{surge: &x, by: by, action: surgeAction(on), reason: reason})
			return c, nil
		}
		if x.On != on || x.Applied > 0 {
			return change{}, nil // decided anew meanwhile, or told already
		}
		x.Applied = now
		c.about = append(c.about, about{surge: &x, by: By, action: ActionSurgeApplied})
		return c, nil
	})
}

// adoptSurges brings the record in line with what routing has on when the process
// starts: what was decided meanwhile is left to be applied; else routing is right.
func (a *Archive) adoptSurges(ctx context.Context, on []string) error {
	list, err := a.Surges(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.On && x.Applied > 0 && !slices.Contains(on, x.Name) {
			if err := a.markSurge(ctx, x.Name, false, By, "routing did not have it on when it started"); err != nil {
				return err
			}
		}
	}
	for _, name := range on {
		known := slices.ContainsFunc(list, func(x Surge) bool { return x.Name == name && (x.On || x.Applied == 0) })
		if known {
			continue
		}
		if err := a.markSurge(ctx, name, true, By, "routing had it on when it started"); err != nil {
			return err
		}
	}
	return nil
}
