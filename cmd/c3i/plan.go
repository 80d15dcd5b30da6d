package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/configs"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

func newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Check, compare, publish and roll back plans",
		Long: `A plan tells which contacts go to which handlers, and how soon. Published plans are
numbered, never change, and carry author, reason and what the checks said; every
step is in an audit trail. The commands work while C3i runs, which puts a plan in
force within a second, and while it does not: then it does so at its next start.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newPlanCheck(), newPlanDiff(), newPlanPublish(), newPlanApprove(), newPlanRollback(), newPlanWithdraw(),
		newPlanList(), newPlanShow(), newPlanAudit(), newPlanPolicy())
	return cmd
}

func newPlanCheck() *cobra.Command {
	var asJSON, users bool
	var traffic, level string
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Say what is wrong with plan files, and where",
		Long: `Checks each file by itself and against the flow and the prompts that the settings
name or that are built in, and prints every problem with file, line and column. A
warning does not keep a plan from being published.

--traffic also checks whether each queue's target for calls can be met, hour by hour
of the week, by Erlang A: with a model profile (a built-in name or a YAML file), or
with journal, the contacts and shifts of the journal's last week. --users also warns
of queues that no user of the installation could serve.

Exits with 0 when each could be published, 1 when one could not.`,
		Example: `  c3i plan check draft.yaml
  c3i plan check drafts/*.yaml --json
  c3i plan check draft.yaml --traffic journal --level 90% --users`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("c3i plan check: give at least one plan file")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := planContent(cmd)
			if err != nil {
				return err
			}
			more, err := furtherChecks(cmd, traffic, level, users)
			if err != nil {
				return err
			}
			all := plan.Problems{}
			var good []string
			for _, name := range args {
				source, err := os.ReadFile(name)
				if err != nil {
					return fmt.Errorf("%s cannot be read: %w", name, bare(err))
				}
				problems := planProblems(name, string(source), text)
				if !problems.HasErrors() {
					doc := document(name, source)
					problems = append(problems, more(doc)...)
					p := doc.Plan(1)
					good = append(good, fmt.Sprintf("%s: good, %d queues, %d rules, %d profiles", name, len(p.Queues), len(p.Rules), len(p.Profiles)))
				}
				all = append(all, problems...)
			}
			if asJSON {
				if err := printJSON(cmd, all); err != nil {
					return err
				}
			} else {
				fmt.Fprint(cmd.OutOrStdout(), all.String())
				for _, line := range good {
					fmt.Fprintln(cmd.OutOrStdout(), line)
				}
			}
			if n := errorsIn(all); n > 0 {
				return fmt.Errorf("%s: not good", amount(n, "error"))
			}
			return nil
		},
		ValidArgsFunction: planFiles,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	cmd.Flags().StringVar(&traffic, "traffic", "", "check targets against this traffic: journal, a built-in profile or a YAML file")
	cmd.Flags().StringVar(&level, "level", "80%", "with --traffic: the share of calls to be answered within the target")
	cmd.Flags().BoolVar(&users, "users", false, "warn of queues that no user could serve")
	complete(cmd, "level", cobra.NoFileCompletions)
	return withSettings(cmd, "flow", "prompts", "data_dir", "redis")
}

func document(name string, source []byte) *plan.Document {
	doc, _ := plan.Parse(name, source)
	return doc
}

func errorsIn(ps plan.Problems) int {
	n := 0
	for _, p := range ps {
		if p.Severity == plan.Error {
			n++
		}
	}
	return n
}

func amount(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// planFiles lets the shell complete plan files.
func planFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// planContent reads the flow and the prompts a plan must fit.
func planContent(cmd *cobra.Command) (*content, error) {
	c, err := settings(cmd)
	if err != nil {
		return nil, err
	}
	t := &content{}
	t.loadPrompts(c)
	if t.catalogue != nil {
		t.loadFlow(c)
	}
	if err := t.err(); err != nil {
		return nil, usageError{fmt.Errorf("flow and prompts must be good before a plan can be checked against them:\n%w", err)}
	}
	return t, nil
}

// withArchive opens the archive of plans, in line with the journal.
func withArchive(cmd *cobra.Command, f func(ctx context.Context, a *release.Archive) error) error {
	c, err := settings(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	client, done, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	a, err := openArchive(ctx, client)
	if err != nil {
		return err
	}
	return told(f(ctx, a))
}

func openArchive(ctx context.Context, client redis.UniversalClient) (*release.Archive, error) {
	a := release.New(client, archiveName, nil)
	list, err := a.List(ctx)
	if err != nil || len(list) > 0 {
		return a, told(err)
	}
	// An installation older than the archive has a plan in its journal.
	version, source, err := journalPlan(ctx, client)
	if err != nil || version == 0 {
		return a, err
	}
	_, err = a.Adopt(ctx, version, source)
	return a, told(err)
}

// told puts the archive's errors into words for the command line.
func told(err error) error {
	var e *release.Error
	if !errors.As(err, &e) || e.Code != release.CodeBadField {
		return err
	}
	flag := map[string]string{"reason": "--reason", "author": "--as", "source": "FILE"}[e.Field]
	return usageError{fmt.Errorf("%s: %s", flag, e.Message)}
}

// person is who decides and why.
type person struct{ as, reason string }

func (p *person) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.reason, "reason", "", "why, in a few words; kept with the plan (required)")
	cmd.Flags().StringVar(&p.as, "as", "", "who does this (default: your user name on this machine)")
	complete(cmd, "reason", cobra.NoFileCompletions)
	complete(cmd, "as", cobra.NoFileCompletions)
}

func (p *person) check() error {
	if strings.TrimSpace(p.reason) == "" {
		return usageError{errors.New("--reason: say why, in a few words: it is kept with the plan")}
	}
	if p.as == "" {
		me, err := user.Current()
		if err != nil {
			return usageError{errors.New("--as: your user name cannot be found out: say who does this")}
		}
		p.as = me.Username
	}
	return nil
}

func versionNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("%q is not the number of a plan version; `c3i plan list` shows them", text)}
	}
	return n, nil
}

// decision is a command about one version.
func decision(use, short, long string, do func(ctx context.Context, a *release.Archive, n int, by, reason string) (release.Release, error)) *cobra.Command {
	var who person
	cmd := &cobra.Command{
		Use: use + " VERSION", Short: short, Long: long, Args: exactlyOne("the number of a plan version"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := versionNumber(args[0])
			if err == nil {
				err = who.check()
			}
			if err != nil {
				return err
			}
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				r, err := do(ctx, a, n, who.as, who.reason)
				return tellRelease(ctx, cmd, a, r, err)
			})
		},
		ValidArgsFunction: completeVersions,
	}
	who.flags(cmd)
	return withData(cmd)
}

func newPlanApprove() *cobra.Command {
	return decision("approve", "Agree to a plan as the second person",
		`Approves a plan version that waits for it, which only somebody other than its author
can do. It is then put in force at its time, or at once.`,
		func(ctx context.Context, a *release.Archive, n int, by, reason string) (release.Release, error) {
			return a.Approve(ctx, n, by, reason)
		})
}

func newPlanRollback() *cobra.Command {
	return decision("rollback", "Put an earlier plan in force again",
		`Publishes the plan of a version that was in force before, anew and under the next
number, at once and without approval. Contacts that wait keep their place.`,
		func(ctx context.Context, a *release.Archive, n int, by, reason string) (release.Release, error) {
			return a.Rollback(ctx, n, by, reason)
		})
}

func newPlanWithdraw() *cobra.Command {
	return decision("withdraw", "Take back a plan that is not in force yet",
		`Makes a draft of a plan version that waits for approval or for its time.
c3i plan publish VERSION sends it on its way again.`,
		func(ctx context.Context, a *release.Archive, n int, by, reason string) (release.Release, error) {
			return a.Withdraw(ctx, n, by, reason)
		})
}

// completeVersions offers the versions when their Redis answers.
func completeVersions(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := settings(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return versionWords(cmd.Context(), c), cobra.ShellCompDirectiveNoFileComp
}

func versionWords(ctx context.Context, c configs.Config) []cobra.Completion {
	var words []cobra.Completion
	_ = withRunning(ctx, c, func(ctx context.Context, client redis.UniversalClient) error {
		list, err := release.New(client, archiveName, nil).List(ctx)
		for _, r := range list {
			words = append(words, cobra.CompletionWithDesc(strconv.Itoa(r.Number), string(r.State)+": "+r.Reason))
		}
		return err
	})
	return words
}

func newPlanPolicy() *cobra.Command {
	var who person
	var approval string
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show or set whether plans need a second person",
		Long: `Without flags, says whether every plan that is published needs a second person's
approval. --approval required or optional changes it for plans made from then on.
A rollback never needs one.`,
		Example: `  c3i plan policy
  c3i plan policy --approval required --reason "Two pairs of eyes"`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if approval != "" && approval != "required" && approval != "optional" {
				return usageError{fmt.Errorf("--approval: %q is neither required nor optional", approval)}
			}
			if approval != "" {
				if err := who.check(); err != nil {
					return err
				}
			}
			return withArchive(cmd, func(ctx context.Context, a *release.Archive) error {
				if approval != "" {
					if err := a.SetPolicy(ctx, release.Policy{Approval: approval == "required"}, who.as, who.reason); err != nil {
						return err
					}
				}
				p, err := a.Policy(ctx)
				if err != nil {
					return err
				}
				word := "optional"
				if p.Approval {
					word = "required"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "approval by a second person: %s\n", word)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&approval, "approval", "", "required or optional (default: leave it)")
	who.flags(cmd)
	cmd.Flags().Lookup("reason").Usage = "why, in a few words (required to change it)"
	complete(cmd, "approval", cobra.FixedCompletions([]cobra.Completion{"required", "optional"}, cobra.ShellCompDirectiveNoFileComp))
	return withData(cmd)
}
