package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

func newSurge() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "surge",
		Short: "List the plan's surges and switch them on and off",
		Long: `A surge is a named overlay of the plan: while it is on it replaces targets, overflow
or announcements of the queues it names. Contacts that wait keep their place.
Switching it needs a reason, and is in the audit trail of plans (c3i plan audit).
The commands work while C3i runs, which switches a surge within a second, and while
it does not: then it does so at its next start. A surge that is on stays on over
restarts.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newSurgeList(), newSurgeSwitch(true), newSurgeSwitch(false))
	return cmd
}

func newSurgeList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the surges of the plan in force",
		Long:  `Lists the surges of the plan in force, whether each is on, and who switched it last.`,
		Args:  nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				list, err := surgeDesk{a}.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd, agentdesk.SurgeList{Surges: list})
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "SURGE\tSTATE\tSINCE\tBY\tREASON\tQUEUES")
				for _, s := range list {
					var queues []string
					for _, q := range s.Queues {
						queues = append(queues, string(q))
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Surge, surgeState(s), clockTime(s.Decided), orDash(s.By), orDash(s.Reason), strings.Join(queues, ", "))
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

func surgeState(s agentdesk.Surge) string {
	state := "off"
	if s.On {
		state = "on"
	}
	if s.Decided > 0 && s.Applied == 0 {
		state += " at the next start"
	}
	return state
}

func newSurgeSwitch(on bool) *cobra.Command {
	var who person
	use, short, word := "off NAME", "Switch a surge off", "off"
	if on {
		use, short, word = "on NAME", "Switch a surge on", "on"
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: `Switches a surge of the plan in force ` + word + `. While C3i runs, waits until routing has
switched it and says so.`,
		Example: `  c3i surge ` + word + ` major-incident --reason "Floods in the east"`,
		Args:    exactlyOne("the name of a surge; c3i surge list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.check(); err != nil {
				return err
			}
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				if _, err := a.SwitchSurge(ctx, args[0], on, who.as, who.reason); err != nil {
					return err
				}
				running, err := a.Running(ctx)
				if err != nil {
					return err
				}
				if !running {
					fmt.Fprintf(cmd.OutOrStdout(), "surge %s is to be %s; C3i does not run, and switches it at its next start\n", args[0], word)
					return nil
				}
				wait, cancel := context.WithTimeout(ctx, publishWait)
				defer cancel()
				s, err := a.AwaitSurge(wait, args[0])
				switch {
				case errors.Is(err, context.DeadlineExceeded):
					return fmt.Errorf("surge %s is to be %s, but the running C3i has not switched it after %s; `c3i surge list` tells when it does", args[0], word, publishWait)
				case err != nil:
					return err
				case s.On != on:
					return fmt.Errorf("surge %s was not switched: %s", args[0], s.Reason)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "surge %s is %s\n", args[0], word)
				return nil
			})
		},
		ValidArgsFunction: completeSurges,
	}
	who.flags(cmd)
	cmd.Flags().Lookup("reason").Usage = "why, in a few words; kept in the audit trail (required)"
	return withData(cmd)
}

// completeSurges offers the surges of the plan in force when its Redis answers.
func completeSurges(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := settings(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []cobra.Completion
	_ = withRunning(cmd.Context(), c, func(ctx context.Context, client redis.UniversalClient) error {
		list, err := surgeDesk{release.New(client, archiveName, nil)}.List(ctx)
		for _, s := range list {
			words = append(words, cobra.CompletionWithDesc(s.Surge, s.Label))
		}
		return err
	})
	return words, cobra.ShellCompDirectiveNoFileComp
}

// surgeDesk lets supervisors switch surges over the HTTP API.
type surgeDesk struct{ archive *release.Archive }

// List implements agentdesk.Surges.
func (d surgeDesk) List(ctx context.Context) ([]agentdesk.Surge, error) {
	r, ok, err := d.archive.InForce(ctx)
	if err != nil || !ok {
		return []agentdesk.Surge{}, asked(err)
	}
	p, problems := plan.Compile("plan", r.Number, []byte(r.Source))
	if p == nil {
		return nil, problems
	}
	decided, err := d.archive.Surges(ctx)
	if err != nil {
		return nil, asked(err)
	}
	list := []agentdesk.Surge{}
	for _, s := range p.Surges {
		x := agentdesk.Surge{Surge: s.Name, Label: s.Label}
		for _, q := range s.Queues {
			x.Queues = append(x.Queues, q.Queue)
		}
		for _, known := range decided {
			if known.Name == s.Name {
				x.On, x.By, x.Reason, x.Decided, x.Applied = known.On, known.By, known.Reason, known.Decided, known.Applied
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// Switch implements agentdesk.Surges.
func (d surgeDesk) Switch(ctx context.Context, name string, on bool, by, reason string) (agentdesk.Surge, error) {
	s, err := d.archive.SwitchSurge(ctx, name, on, by, reason)
	if err != nil {
		return agentdesk.Surge{}, asked(err)
	}
	if seen, err := d.archive.AwaitSurge(ctx, name); err == nil {
		s = seen
	}
	list, err := d.List(context.WithoutCancel(ctx))
	for _, x := range list {
		if x.Surge == name {
			return x, err
		}
	}
	return agentdesk.Surge{Surge: name, On: s.On, By: s.By, Reason: s.Reason, Decided: s.Decided, Applied: s.Applied}, err
}
