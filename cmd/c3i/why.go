package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"example.org/c3i/contact"
	"example.org/c3i/routing/explain"
	"example.org/c3i/routing/journal"
)

func newWhy() *cobra.Command {
	var list, asJSON bool
	var count int
	var ifs []string
	cmd := &cobra.Command{
		Use:   "why CONTACT",
		Short: "Say why a contact went where it did",
		Long: `Steps the journal again and tells each decision about one contact, live or past, in
order: the rule and plan version that chose its queue, how its due time came about,
each offer with who else could have taken it and what kept the others out, and how
it ended. Nothing is changed, and a running C3i is not disturbed.

For a contact that waits it also tells its place, who could take it, what keeps each
other handler out, and what its age alone will change.

--if tells the same of a contact that might arrive now, from the state routing is in.
It gives what rules may know, named as in conditions: channel, language, dialled, cli,
answers.LABEL, caller.known, caller.contacts_30d, caller.open_reports,
caller.vulnerable, caller.repeat_victim; and queue (named by the flow), preferred (a
handler) and waited (how long ago it reached us). What is left out is not known.

--list lists the contacts that arrived last, with their ids.`,
		Example: `  c3i why --list
  c3i why 01JD4Y6N8ZP3K5V7QX2R9T1B0C
  c3i why 01JD4Y6N8ZP3K5V7QX2R9T1B0C --json
  c3i why --if 'channel=phone language=pl answers.menu=crime'
  c3i why --if channel=phone --if caller.vulnerable=true`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(ifs) > 0 && (list || len(args) > 0):
				return usageError{errors.New("c3i why: give --if alone: it tells of a contact that is not there")}
			case len(ifs) > 0:
				return nil
			case list && len(args) > 0:
				return usageError{errors.New("c3i why: give a contact or --list, not both")}
			case list && count < 1:
				return usageError{errors.New("--count: give how many, at least 1")}
			case !list && len(args) != 1:
				return usageError{errors.New("c3i why: give the contact's id, and nothing else; c3i why --list shows the latest")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := settings(cmd)
			if err != nil {
				return err
			}
			client, done, err := openRedis(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer done()
			store := journal.NewRedis(client, journalName, journal.Retention{})
			if len(ifs) > 0 {
				return whyIf(cmd, c, client, ifs, asJSON)
			}
			if list {
				latest, err := explain.Latest(cmd.Context(), store, count)
				if err != nil {
					return err
				}
				return tellLatest(cmd, latest, asJSON)
			}
			x, err := explain.Contact(cmd.Context(), store, contact.ID(args[0]))
			var unknown *explain.UnknownError
			if errors.As(err, &unknown) {
				return fmt.Errorf("%w; `c3i why --list` shows the latest", err)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, x)
			}
			return tellWhy(cmd, x)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the contacts that arrived last")
	cmd.Flags().StringArrayVar(&ifs, "if", nil, "tell of a contact that might arrive now: NAME=VALUE, several in one or each with its --if")
	cmd.Flags().IntVar(&count, "count", 20, "with --list: how many")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "count", cobra.NoFileCompletions)
	complete(cmd, "if", completeIf)
	return withData(cmd)
}

func tellLatest(cmd *cobra.Command, latest []explain.Brief, asJSON bool) error {
	if asJSON {
		if latest == nil {
			latest = []explain.Brief{}
		}
		return printJSON(cmd, latest)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CONTACT\tCHANNEL\tARRIVED\tQUEUE\tSTATE\tENDING\tHANDLER")
	for _, b := range latest {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.Contact, b.Channel, b.Arrival, orDash(string(b.Queue)), b.State, orDash(string(b.Ending)), orDash(string(b.Agent)))
	}
	return w.Flush()
}

func tellWhy(cmd *cobra.Command, x explain.Explanation) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "contact %s (%s) arrived %s and is %s", x.Contact, x.Channel, x.Arrival, inState(x))
	if x.Partial {
		fmt.Fprint(out, "\nit arrived before the oldest state that is kept: its first steps are missing")
	}
	fmt.Fprint(out, "\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range x.Steps {
		fmt.Fprintf(w, "+%s\t%s\n", s.After.Std().Round(time.Millisecond), s.Text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if x.Now != nil {
		fmt.Fprintln(out)
		for _, line := range x.Now.Text {
			fmt.Fprintln(out, line)
		}
	}
	return nil
}

func inState(x explain.Explanation) string {
	switch x.State {
	case "wrap_up":
		return "in wrap-up"
	case "ended":
		return "over"
	case "refused":
		return "not known to routing, which refused it"
	}
	return x.State
}
