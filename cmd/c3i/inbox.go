package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
	"example.org/c3i/intake/inbox"
)

func newInbox() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "See, try again and let go of mail and reports in quarantine",
		Long: `What came in by mail or by the web and failed eight times is in quarantine, and a
handler has it as an unreadable contact. These commands show what it is and why it
failed, put it in line again, or take it out of quarantine for good. All but the list
leave a line in the audit trail. They work while C3i runs.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newInboxList(), newInboxShow(), newInboxRetry(), newInboxRelease())
	return cmd
}

// withInbox opens the line of what came in. What the command does is done by the
// operator, for the reason given.
func withInbox(cmd *cobra.Command, reason string, f func(context.Context, *inbox.Inbox, *records) error) error {
	return withRecords(cmd, func(ctx context.Context, _ configs.Config, r *records) error {
		actor := audit.From(ctx)
		actor.Reason = reason
		return f(audit.With(ctx, actor), inbox.New(inbox.Options{Redis: r.redis}), r)
	})
}

// noted puts on the trail what an operator did with an item, before it is done: what
// cannot be put there is not done.
func noted(ctx context.Context, r *records, op audit.Operation, q inbox.Quarantined, outcome string) error {
	return r.trail.Append(ctx, audit.Entry{
		Operation: op, Object: "inbox", ObjectID: string(q.Item.Contact), Outcome: outcome, Correlation: q.Item.Contact,
	})
}

// held is an item in quarantine as it is listed: nothing of what somebody wrote.
type held struct {
	ID       contact.ID `json:"id"`
	Kind     inbox.Kind `json:"kind"`
	Since    string     `json:"since"`
	Arrived  string     `json:"arrived"`
	Mailbox  string     `json:"mailbox,omitempty"`
	Attempts int        `json:"attempts"`
	Cause    string     `json:"cause"`
}

func heldOf(q inbox.Quarantined) held {
	return held{
		ID: q.Item.Contact, Kind: q.Item.Kind, Since: q.Since.String(), Arrived: q.Item.At.String(),
		Mailbox: q.Item.Envelope["mailbox"], Attempts: q.Item.Attempts, Cause: maskText(q.Cause),
	}
}

var (
	addressIn = regexp.MustCompile(`[^\s<>"'(,;:]+@[^\s<>"'),;:]+`)
	digitsIn  = regexp.MustCompile(`\+?\d[\d .-]{4,}\d`)
)

// maskText takes addresses and numbers out of a cause.
func maskText(text string) string {
	return digitsIn.ReplaceAllString(addressIn.ReplaceAllString(text, "…@…"), "…")
}

func newInboxList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is in quarantine",
		Long: `Lists what is in quarantine, oldest first. ID is the contact that a handler has it
under, and what the log names it by. Addresses and numbers in causes are left out.`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withInbox(cmd, "", func(ctx context.Context, b *inbox.Inbox, _ *records) error {
				list, err := quarantine(ctx, b)
				if err != nil {
					return err
				}
				all := []held{}
				for _, q := range list {
					all = append(all, heldOf(q))
				}
				if asJSON {
					return printJSON(cmd, all)
				}
				if len(all) == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing is in quarantine")
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tKIND\tSINCE\tMAILBOX\tTRIED\tCAUSE")
				for _, h := range all {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", h.ID, h.Kind, h.Since, orDash(h.Mailbox), h.Attempts, h.Cause)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

// quarantine is everything in quarantine, oldest first.
func quarantine(ctx context.Context, b *inbox.Inbox) ([]inbox.Quarantined, error) {
	var all []inbox.Quarantined
	for _, kind := range inbox.Kinds() {
		list, err := b.Quarantine(ctx, kind, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(x, y inbox.Quarantined) int { return cmp.Compare(x.Since, y.Since) })
	return all, nil
}

func newInboxShow() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one item in quarantine",
		Long: `Shows what is known of an item and what it failed with. Who wrote it and what is said
only for a reason: with --reason the envelope is shown whole, then the mail or report
as it came. The reason is a line in the audit trail.`,
		Example: `  c3i inbox show 01JX…
  c3i inbox show 01JX… --reason "fault 4711: which header cannot be read" > message.eml`,
		Args: exactlyOne("the id that c3i inbox list shows"),
		RunE: func(cmd *cobra.Command, args []string) error {
			reason = strings.TrimSpace(reason)
			if cmd.Flags().Changed("reason") && reason == "" {
				return usageError{errors.New("--reason: say why, in a few words: it is kept in the audit trail")}
			}
			return withInbox(cmd, reason, func(ctx context.Context, b *inbox.Inbox, r *records) error {
				q, err := found(ctx, b, args[0])
				if err != nil {
					return err
				}
				outcome := "masked"
				if reason != "" {
					outcome = "ok"
				}
				if err := noted(ctx, r, audit.Consult, q, outcome); err != nil {
					return err
				}
				return showItem(ctx, cmd, r, q, reason != "")
			})
		},
		ValidArgsFunction: completeHeld,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why you need to see who wrote and what; kept in the audit trail")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return withData(cmd)
}

// showItem writes what is known to standard output or, when the content follows
// there, to standard error.
func showItem(ctx context.Context, cmd *cobra.Command, r *records, q inbox.Quarantined, whole bool) error {
	out := cmd.OutOrStdout()
	if whole {
		out = cmd.ErrOrStderr()
	}
	h, it := heldOf(q), q.Item
	if whole {
		h.Cause = q.Cause
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", string(h.ID)},
		{"kind", string(h.Kind)},
		{"arrived", h.Arrived},
		{"in quarantine since", h.Since},
		{"tried", fmt.Sprint(h.Attempts)},
		{"cause", h.Cause},
	} {
		fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
	}
	for _, k := range slices.Sorted(maps.Keys(it.Envelope)) {
		v := it.Envelope[k]
		if !whole && !slices.Contains([]string{"mailbox", "what"}, k) {
			v = "(hidden)"
		}
		fmt.Fprintf(w, "%s\t%s\n", k, v)
	}
	if it.Blob != "" {
		fmt.Fprintf(w, "content\tblob %s\n", it.Blob)
	} else {
		fmt.Fprintf(w, "content\t%d bytes\n", len(it.Body))
	}
	if err := w.Flush(); err != nil || !whole {
		return err
	}
	if it.Blob == "" {
		_, err := cmd.OutOrStdout().Write(append(withoutSecret(it.Body), '\n'))
		return err
	}
	content, err := r.blobs.Open(ctx, it.Blob)
	if err != nil {
		return err
	}
	_, err = io.Copy(cmd.OutOrStdout(), content)
	return errors.Join(err, content.Close())
}

// withoutSecret leaves out of a report what its reporter follows it with: nobody
// here has a use for it.
func withoutSecret(body []byte) []byte {
	var v map[string]any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	if ids, ok := v["ids"].(map[string]any); ok {
		delete(ids, "secret")
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return body
	}
	return b
}

// found is an item in quarantine by its id.
func found(ctx context.Context, b *inbox.Inbox, id string) (inbox.Quarantined, error) {
	q, err := b.Find(ctx, contact.ID(id))
	if errors.Is(err, inbox.ErrNotFound) {
		return q, fmt.Errorf("%s is not in quarantine; c3i inbox list shows what is", id)
	}
	return q, err
}

func newInboxRetry() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry ID | --all",
		Short: "Put items in line again",
		Long: `Puts an item, or with --all everything in quarantine, in line as if it had just come:
for when the fault is mended. It is worked at once while C3i runs, and else at its next
start. What was handed to a person joins the same contact; nothing is there twice.`,
		Example: `  c3i inbox retry 01JX…
  c3i inbox retry --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) == 0) && len(args) < 2 {
				return nil
			}
			return usageError{errors.New("c3i inbox retry: give the id that c3i inbox list shows, or --all")}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withInbox(cmd, "", func(ctx context.Context, b *inbox.Inbox, r *records) error {
				var list []inbox.Quarantined
				var err error
				if all {
					list, err = quarantine(ctx, b)
				} else {
					var q inbox.Quarantined
					q, err = found(ctx, b, args[0])
					list = []inbox.Quarantined{q}
				}
				if err != nil {
					return err
				}
				for _, q := range list {
					if err := noted(ctx, r, audit.Alter, q, "retry"); err != nil {
						return err
					}
					if err := b.Retry(ctx, q.Item.Kind, q.Item.Key); err != nil {
						return err
					}
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "in line again: %d\n", len(list))
				return err
			})
		},
		ValidArgsFunction: completeHeld,
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything in quarantine")
	return withData(cmd)
}

func newInboxRelease() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "release ID",
		Short: "Take an item out of quarantine for good",
		Long: `Ends an item once the handler who has it has dealt with it: it is not tried again, and
what is kept of it in the inbox is erased. The contact that the handler has stays, with
the mail or report as it came. The reason is a line in the audit trail.`,
		Example: `  c3i inbox release 01JX… --reason "filed by hand as report BCDF-GHJK-M"`,
		Args:    exactlyOne("the id that c3i inbox list shows"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason = strings.TrimSpace(reason); reason == "" {
				return usageError{errors.New("--reason: say why, in a few words: it is kept in the audit trail")}
			}
			return withInbox(cmd, reason, func(ctx context.Context, b *inbox.Inbox, r *records) error {
				q, err := found(ctx, b, args[0])
				if err != nil {
					return err
				}
				if err := noted(ctx, r, audit.Erase, q, "released"); err != nil {
					return err
				}
				if err := b.Release(ctx, q); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is out of quarantine\n", q.Item.Contact)
				return err
			})
		},
		ValidArgsFunction: completeHeld,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the audit trail (required)")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return withData(cmd)
}

// completeHeld offers what is in quarantine when its Redis answers.
func completeHeld(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := settings(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []cobra.Completion
	_ = withRunning(cmd.Context(), c, func(ctx context.Context, client redis.UniversalClient) error {
		list, err := quarantine(ctx, inbox.New(inbox.Options{Redis: client}))
		for _, q := range list {
			ids = append(ids, cobra.CompletionWithDesc(string(q.Item.Contact), string(q.Item.Kind)))
		}
		return err
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}
