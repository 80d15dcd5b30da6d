package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Verify and read the trail of who saw and changed records",
		Long: `Every record that is made, changed, viewed, searched for, disclosed, combined or
erased leaves a line in the trail, which names what was done and never what it said.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newAuditVerify(), newAuditRead())
	return cmd
}

func newAuditVerify() *cobra.Command {
	var file string
	var given []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that no line of the trail was changed, left out, moved or cut off",
		Long: `Reads the whole trail and checks each line's hash, number and place, and that it
agrees with the anchors: the newest number and hash, which C3i writes to the file
audit-anchors in the data folder and to its log. Up to the newest anchor it is
proved that nothing was cut off or written anew, if the anchors were kept where
nobody who can write to Redis can write. Names the first line that is not whole.`,
		Example: `  c3i audit verify
  c3i audit verify --anchors /mnt/vault/audit-anchors`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				known := r.anchors
				if file != "" {
					var err error
					if known, err = audit.OpenAnchors(file); err != nil {
						return err
					}
				}
				anchors, err := known.Read()
				if err != nil {
					return err
				}
				for _, line := range given {
					a, err := audit.ParseAnchor(line)
					if err != nil {
						return usageError{fmt.Errorf("--anchor: %w", err)}
					}
					anchors = append(anchors, a)
				}
				v, err := r.trail.Verify(ctx, anchors...)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd, v)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d lines, each whole and in its place; %d of them up to an anchor\n", v.Entries, v.Anchored)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&file, "anchors", "", "file of anchors (default: audit-anchors in the data folder)")
	cmd.Flags().StringArrayVar(&given, "anchor", nil, "an anchor, as the log gives it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "anchor", cobra.NoFileCompletions)
	return withData(cmd)
}

func newAuditRead() *cobra.Command {
	var q audit.Query
	var operation, from, to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "read",
		Short: "Read the trail, newest first",
		Long: `Reads lines of the trail, newest first, narrowed as the flags say. That it was read
is itself a line in the trail.`,
		Example: `  c3i audit read --object report --id 01JX…
  c3i audit read --actor handler1 --from 2026-03-02 --operation search`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q.Operation = audit.Operation(operation)
			var err error
			if q.From, err = moment("--from", from); err != nil {
				return err
			}
			if q.To, err = moment("--to", to); err != nil {
				return err
			}
			if q.Limit < 1 || q.Limit > audit.ReadLimit {
				return usageError{fmt.Errorf("--limit: from 1 to %d", audit.ReadLimit)}
			}
			return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
				p, err := r.trail.Read(ctx, q)
				if errors.Is(err, audit.ErrInvalid) {
					return usageError{errors.New("--id: name the kind of record with --object")}
				}
				if err != nil {
					return err
				}
				if asJSON {
					if p.Entries == nil {
						p.Entries = []audit.Entry{}
					}
					return printJSON(cmd, p.Entries)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "LINE\tAT\tWHO\tDID\tWHAT\tFIELDS\tOUTCOME")
				for _, e := range p.Entries {
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At, e.Actor.ID, e.Operation,
						strings.TrimSpace(e.Object+" "+e.ObjectID), orDash(strings.Join(e.Fields, ",")), orDash(e.Outcome))
				}
				if err := w.Flush(); err != nil {
					return err
				}
				if p.Next > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "there is more: --before %d\n", p.Next)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&q.Object, "object", "", "kind of record: person, report, contact, message, user, audit …")
	cmd.Flags().StringVar(&q.ObjectID, "id", "", "the record's id, with --object")
	cmd.Flags().StringVar(&q.Actor, "actor", "", "who did it: a sign-on name, system, public or operator")
	cmd.Flags().StringVar(&operation, "operation", "", "what was done: consult, search, alter, disclose, erase …")
	cmd.Flags().StringVar(&from, "from", "", "not before this day or time, as 2026-03-02 or 2026-03-02T09:00:00Z")
	cmd.Flags().StringVar(&to, "to", "", "before this day or time")
	cmd.Flags().Uint64Var(&q.Before, "before", 0, "lines with lower numbers only, to read on")
	cmd.Flags().IntVar(&q.Limit, "limit", 100, "lines to show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, f := range []string{"object", "id", "actor", "operation", "from", "to", "before", "limit"} {
		complete(cmd, f, cobra.NoFileCompletions)
	}
	return withData(cmd)
}

// moment reads a day or a time.
func moment(flag, text string) (contact.Instant, error) {
	if text == "" {
		return 0, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return contact.At(t), nil
		}
	}
	return 0, usageError{fmt.Errorf("%s: %q is neither a day, as 2026-03-02, nor a time, as 2026-03-02T09:00:00Z", flag, text)}
}
