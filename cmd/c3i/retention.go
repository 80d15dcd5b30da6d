package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/retention"
	"example.org/c3i/intake/inbox"
)

func newRetention() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "List, review, hold and dispose of records past their review date",
		Long: `Records are kept for as long as their class says and then reviewed. Disposing erases
them with their files and leaves metadata only: lines in the trail, that a contact
came and how it ended, and a certificate.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newRetentionDue(), newRetentionReview(), newRetentionHold(), newRetentionDispose())
	return cmd
}

func retentionJob(r *records) *retention.Job {
	r.store.OnErase(inbox.New(inbox.Options{Redis: r.redis}).Forget, agentdesk.ForgetNotes(r.redis))
	return &retention.Job{Records: r.store, Blobs: r.blobs, Trail: r.trail, Policy: retention.DefaultPolicy, Now: time.Now}
}

func newRetentionDue() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "due",
		Short: "List what is past its review date",
		Long: `Lists reports past their review, contacts of no report after two years, people with
neither after two years, and done tasks of no report after two years. HELD says why a
record stays.`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				due, err := retentionJob(r).Due(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					if due == nil {
						due = []crm.Disposable{}
					}
					return printJSON(cmd, due)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "CLASS\tID\tSINCE\tREVIEW\tHELD")
				for _, d := range due {
					held := d.Held
					if held == "" && retention.ReviewedByPeople(d) {
						held = "to be reviewed by a person"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", retention.Class(d), d.ID, day(d.Since), day(d.Review), orDash(held))
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

func day(i contact.Instant) string { return i.Time().Format(time.DateOnly) }

func newRetentionReview() *cobra.Command {
	var until, reason string
	var group int
	cmd := &cobra.Command{
		Use:   "review REPORT",
		Short: "Keep a report until another review",
		Long: `Records that a report was reviewed and is kept: until when, and why. The reason is a
line in the trail.`,
		Example: `  c3i retention review 01JX… --until 2032-03-02 --reason "pattern of harassment"`,
		Args:    exactlyOne("the report's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := moment("--until", until)
			if err != nil {
				return err
			}
			if to == 0 || reason == "" {
				return usageError{errors.New("--until and --reason: say until when the report is kept, and why")}
			}
			if group < 0 || group > 4 {
				return usageError{errors.New("--group: from 1 to 4")}
			}
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				actor := audit.From(ctx)
				actor.Reason = reason
				rep, err := r.store.PostponeReview(audit.With(ctx, actor), crm.ReportID(args[0]), to, group)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is kept until its review on %s\n", rep.ID, day(rep.Retention.Review))
				return nil
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&until, "until", "", "day of the next review")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is kept")
	cmd.Flags().IntVar(&group, "group", 0, "change the group too: 1 to 4")
	for _, f := range []string{"until", "reason", "group"} {
		complete(cmd, f, cobra.NoFileCompletions)
	}
	return withData(cmd)
}

func newRetentionHold() *cobra.Command {
	var reason string
	var lift, list bool
	cmd := &cobra.Command{
		Use:   "hold [KIND ID]",
		Short: "Forbid that a record is disposed of, or allow it again",
		Long: `A legal hold on a person, report, contact or message keeps it, and what it belongs
to, whatever its review date says. A hold on a person keeps all they are merged with.
--list shows the holds there are.`,
		Example: `  c3i retention hold person 01JX… --reason "public inquiry"
  c3i retention hold person 01JX… --lift
  c3i retention hold --list`,
		Args: func(_ *cobra.Command, args []string) error {
			if list && len(args) == 0 || !list && len(args) == 2 {
				return nil
			}
			return usageError{errors.New("c3i retention hold: give the kind of record and its id, or --list")}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !list && lift == (reason != "") {
				return usageError{errors.New("--reason: say why the record is held, or --lift the hold")}
			}
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				if list {
					holds, err := r.store.Holds(ctx)
					if err != nil {
						return err
					}
					w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
					fmt.Fprintln(w, "KIND\tID\tSINCE\tBY\tREASON")
					for _, h := range holds {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Kind, h.ID, day(h.At), h.By, h.Reason)
					}
					return w.Flush()
				}
				if err := r.store.SetHold(ctx, args[0], args[1], reason); err != nil {
					return err
				}
				done := "held"
				if lift {
					done = "no longer held"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", args[0], args[1], done)
				return nil
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why it is held")
	cmd.Flags().BoolVar(&lift, "lift", false, "lift the hold")
	cmd.Flags().BoolVar(&list, "list", false, "list the holds")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return withData(cmd)
}

func newRetentionDispose() *cobra.Command {
	var yes bool
	var file string
	cmd := &cobra.Command{
		Use:   "dispose [REPORT…]",
		Short: "Erase what is past its review date, with a certificate",
		Long: `Erases what c3i retention due lists and nothing holds. Reports of groups 1 and 2 go
only when they are named. The certificate says what classes went, how many, by whom
and when, with a hash for each record, and is written also when something failed;
--certificate writes it to a file. A file that came again in the last day is left to
the next run. This cannot be undone, so --yes is needed.`,
		Example: `  c3i retention dispose --yes --certificate disposal-2026-03.json`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return usageError{errors.New("--yes: erasing cannot be undone; c3i retention due shows what would go")}
			}
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) (err error) {
				c, err := retentionJob(r).Dispose(ctx, args...)
				// What went is certified also when not all could go.
				if file != "" {
					text, jerr := json.MarshalIndent(c, "", "  ")
					if werr := errors.Join(jerr, os.WriteFile(file, append(text, '\n'), 0o600)); werr != nil {
						err, file = errors.Join(err, werr), ""
					}
				}
				if file == "" {
					return errors.Join(err, printJSON(cmd, c))
				}
				if err != nil {
					return fmt.Errorf("%w\nsome records may be gone: the certificate is %s; run it again to go on", err, file)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d records and %d files are gone; the certificate is %s\n", c.Count(), len(c.Files), file)
				return nil
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "erase")
	cmd.Flags().StringVar(&file, "certificate", "", "file to write the certificate to")
	return withData(cmd)
}
