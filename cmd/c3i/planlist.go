package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"example.org/c3i/routing/release"
)

func newPlanList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the versions of the plan",
		Long: `Lists every version by number. STATE is draft, awaiting_approval, scheduled,
published (in force) or superseded; SINCE is when it came to be so.`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				list, err := a.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					if list == nil {
						list = []release.Release{}
					}
					return printJSON(cmd, list)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "VERSION\tSTATE\tSINCE\tAUTHOR\tREASON")
				for _, r := range list {
					since := max(r.Made, r.ApprovedAt, r.PublishedAt, r.SupersededAt)
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", r.Number, r.State, clockTime(since), r.Author, r.Reason)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

func newPlanShow() *cobra.Command {
	var asJSON, text bool
	cmd := &cobra.Command{
		Use:   "show VERSION",
		Short: "Show a version of the plan, and what was done to it",
		Long: `Shows who made a version, when and why, what the checks said, and each step it took.
VERSION may be current, for the one in force. --text prints the plan itself.`,
		Example: `  c3i plan show current
  c3i plan show 3 --text > plan.yaml`,
		Args: exactlyOne("the number of a plan version, or current"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				r, err := versionOf(ctx, a, args[0])
				if err != nil {
					return err
				}
				switch {
				case text:
					fmt.Fprint(cmd.OutOrStdout(), r.Source)
					return nil
				case asJSON:
					return printJSON(cmd, r)
				}
				return showRelease(ctx, cmd, a, r)
			})
		},
		ValidArgsFunction: completeVersions,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the text")
	cmd.Flags().BoolVar(&text, "text", false, "print the plan's text alone")
	return withData(cmd)
}

// versionOf reads a version by its number or as "current".
func versionOf(ctx context.Context, a *release.Archive, name string) (release.Release, error) {
	if name == "current" {
		r, ok, err := a.InForce(ctx)
		if err == nil && !ok {
			err = errors.New("no plan is in force yet: the first start of C3i puts one in force")
		}
		return r, err
	}
	n, err := versionNumber(name)
	if err != nil {
		return release.Release{}, err
	}
	return a.Get(ctx, n)
}

func showRelease(ctx context.Context, cmd *cobra.Command, a *release.Archive, r release.Release) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("version", "%d, %s", r.Number, r.State)
	row("author", "%s", r.Author)
	row("reason", "%s", r.Reason)
	row("made", "%s", clockTime(r.Made))
	if r.Base > 0 {
		row("then in force", "version %d", r.Base)
	}
	if r.RollbackOf > 0 {
		row("rollback", "to version %d, from version %d", r.RollbackOf, r.RolledBackFrom)
	}
	if r.ApprovedBy != "" {
		row("approved", "by %s at %s: %s", r.ApprovedBy, clockTime(r.ApprovedAt), r.ApprovalReason)
	}
	if r.Pending() && r.Due > 0 {
		row("due", "%s", clockTime(r.Due))
	}
	if r.PublishedAt > 0 {
		row("in force", "from %s", clockTime(r.PublishedAt))
	}
	if r.SupersededAt > 0 {
		row("until", "%s", clockTime(r.SupersededAt))
	}
	if r.Refused != "" {
		row("refused", "%s", strings.ReplaceAll(r.Refused, "\n", "; "))
	}
	row("sha256", "%s", r.Hash)
	if len(r.Problems) == 0 {
		row("checks", "nothing to say")
	}
	for _, p := range r.Problems {
		row("checks", "%s", p)
	}
	err := a.Audit(ctx, 1, func(e release.Entry) error {
		if e.Release == r.Number {
			row("audit", "%s", auditLine(e))
		}
		return nil
	})
	return errors.Join(err, w.Flush())
}

func auditLine(e release.Entry) string {
	line := fmt.Sprintf("%s %s by %s", clockTime(e.At), e.Action, e.By)
	if e.Reason != "" {
		line += ": " + strings.ReplaceAll(e.Reason, "\n", "; ")
	}
	return line
}

func newPlanAudit() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Prove and print the audit trail of plans",
		Long: `Prints every change of every version: who, what, when, why. Before that the trail is
proved: each entry is chained to the one before, each version is as its last entry
left it, and each text is the one that was archived. Exits with 1 when it is not so.`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				wrong := a.Verify(ctx)
				entries := []release.Entry{}
				err := a.Audit(ctx, 1, func(e release.Entry) error {
					entries = append(entries, e)
					return nil
				})
				if asJSON {
					return errors.Join(wrong, err, printJSON(cmd, entries))
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NO\tVERSION\tWHAT")
				for _, e := range entries {
					version := "-"
					if e.Release > 0 {
						version = strconv.Itoa(e.Release)
					}
					fmt.Fprintf(w, "%d\t%s\t%s\n", e.Seq, version, auditLine(e))
				}
				return errors.Join(wrong, err, w.Flush())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}
