package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

func newPlanPublish() *cobra.Command {
	var who person
	var at string
	var needsApproval, draft bool
	cmd := &cobra.Command{
		Use:   "publish FILE",
		Short: "Publish a plan file, or a draft by its number",
		Long: `Checks the plan, keeps it under the next number, and puts it in force: at once, at a
time (--at), or when a second person has approved it (--needs-approval). Contacts
that wait keep their place. A plan with an error is never put in force.

A time is written 2027-03-01T06:00, in the time zone of the plan; 06:00, the next
time it is that; +90m, from now; or with its own zone, 2027-03-01T06:00:00Z.

While C3i runs, waits until the plan is in force and says so. Exits with 1 when it
was refused.`,
		Example: `  c3i plan publish plan.yaml --reason "Bicycle theft has a queue of its own"
  c3i plan publish plan.yaml --reason "Winter hours" --at 2027-10-31T06:00
  c3i plan publish plan.yaml --reason "New opening hours" --needs-approval
  c3i plan publish plan.yaml --reason "An idea" --draft
  c3i plan publish 7 --reason "The draft is good"`,
		Args: exactlyOne("a plan file, or the number of a draft"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.check(); err != nil {
				return err
			}
			if n, err := strconv.Atoi(args[0]); err == nil {
				if draft {
					return usageError{fmt.Errorf("--draft: version %d is kept already", n)}
				}
				return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
					r, err := a.Get(ctx, n)
					if err != nil {
						return err
					}
					due, err := whenDue(at, document("plan", []byte(r.Source)), time.Now())
					if err != nil {
						return err
					}
					r, err = a.Submit(ctx, n, who.as, who.reason, due, needsApproval)
					return tellRelease(ctx, cmd, a, r, err)
				})
			}
			text, err := planContent(cmd)
			if err != nil {
				return err
			}
			source, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("%s cannot be read: %w", args[0], bare(err))
			}
			problems := planProblems(args[0], string(source), text)
			fmt.Fprint(cmd.OutOrStdout(), problems.String())
			if problems.HasErrors() && !draft {
				return fmt.Errorf("%s: %s was not published, nothing was changed", amount(errorsIn(problems), "error"), args[0])
			}
			due, err := whenDue(at, document(args[0], source), time.Now())
			if err != nil {
				return err
			}
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				r, err := a.Create(ctx, release.Proposal{
					Name: args[0], Source: string(source), Author: who.as, Reason: who.reason, At: due, NeedsApproval: needsApproval, Draft: draft,
				})
				return tellRelease(ctx, cmd, a, r, err)
			})
		},
		ValidArgsFunction: planFiles,
	}
	who.flags(cmd)
	cmd.Flags().StringVar(&at, "at", "", "when to put it in force (default: at once)")
	cmd.Flags().BoolVar(&needsApproval, "needs-approval", false, "wait until a second person has approved it")
	cmd.Flags().BoolVar(&draft, "draft", false, "keep it, and do not publish it yet")
	complete(cmd, "at", cobra.NoFileCompletions)
	return withSettings(cmd, "data_dir", "redis", "flow", "prompts")
}

// whenDue reads --at; empty is zero.
func whenDue(at string, doc *plan.Document, now time.Time) (contact.Instant, error) {
	if at == "" {
		return 0, nil
	}
	zone := time.UTC
	if doc != nil {
		if z, err := time.LoadLocation(doc.TimeZone); err == nil {
			zone = z
		}
	}
	due, err := readTime(at, zone, now)
	if err != nil {
		return 0, usageError{fmt.Errorf("--at: %q is not a time: write 2027-03-01T06:00, 06:00, +90m, or 2027-03-01T06:00:00Z", at)}
	}
	if !due.After(now) {
		return 0, usageError{fmt.Errorf("--at: %s is past; leave --at out to publish at once", due.Format(time.RFC3339))}
	}
	return contact.At(due), nil
}

func readTime(at string, zone *time.Location, now time.Time) (time.Time, error) {
	if after, is := strings.CutPrefix(at, "+"); is {
		d, err := contact.ParseDuration(after)
		return now.Add(d.Std()), err
	}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, at, zone); err == nil {
			return t, nil
		}
	}
	clock, err := time.Parse("15:04", at)
	if err != nil {
		return time.Time{}, err
	}
	today := now.In(zone)
	t := time.Date(today.Year(), today.Month(), today.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	if !t.After(now) {
		t = time.Date(today.Year(), today.Month(), today.Day()+1, clock.Hour(), clock.Minute(), 0, 0, zone)
	}
	return t, nil
}

// tellRelease waits for a running process to act on a release and says where it
// stands.
func tellRelease(ctx context.Context, cmd *cobra.Command, a *release.Archive, r release.Release, err error) error {
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	running, err := a.Running(ctx)
	if err != nil {
		return err
	}
	if running {
		wait, cancel := context.WithTimeout(ctx, publishWait)
		defer cancel()
		seen, err := a.Await(wait, r.Number)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("plan version %d is kept, but the running C3i has not put it in force after %s; `c3i plan show %d` tells when it does", r.Number, publishWait, r.Number)
		case err != nil:
			return err
		}
		r = seen
	}
	n := r.Number
	switch r.State {
	case release.Published:
		fmt.Fprintf(out, "plan version %d is in force\n", n)
	case release.Superseded:
		fmt.Fprintf(out, "plan version %d was put in force, and another after it\n", n)
	case release.AwaitingApproval:
		fmt.Fprintf(out, "plan version %d waits for a second person: c3i plan approve %d\n", n, n)
	case release.Draft:
		if r.Refused != "" {
			return fmt.Errorf("plan version %d was not put in force: %s\n%s", n, r.Refused, staysInForce(ctx, a))
		}
		fmt.Fprintf(out, "plan version %d is kept as a draft\n", n)
	case release.Scheduled:
		switch {
		case r.Due > contact.At(time.Now()):
			fmt.Fprintf(out, "plan version %d will be put in force at %s", n, clockTime(r.Due))
			if !running {
				fmt.Fprint(out, ", if C3i runs then, or at its next start")
			}
			fmt.Fprintln(out)
		default:
			fmt.Fprintf(out, "plan version %d is kept; C3i does not run, and puts it in force at its next start\n", n)
		}
	}
	return nil
}

func staysInForce(ctx context.Context, a *release.Archive) string {
	if r, ok, err := a.InForce(ctx); err == nil && ok {
		return fmt.Sprintf("version %d stays in force", r.Number)
	}
	return "nothing was changed"
}

// clockTime writes an instant for people, in the zone of this machine.
func clockTime(i contact.Instant) string {
	if i.IsZero() {
		return "-"
	}
	return i.Time().Local().Format("2006-01-02 15:04:05 MST")
}
