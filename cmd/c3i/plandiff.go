package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

func newPlanDiff() *cobra.Command {
	var asJSON, text bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Say what differs between two plans",
		Long: `Compares two plans by what they say: queues, rules, profiles, skills and other
sections, added (+), removed (-) or changed (~) field by field, and rules whose place
changed. Comments and layout do not count. A and B are each a file, the number of a
version, or current for the one in force.`,
		Example: `  c3i plan diff current draft.yaml
  c3i plan diff 3 4 --text`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{errors.New("c3i plan diff: give two plans: files, version numbers, or current")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var sources [2]string
			read := func(ctx context.Context, a *release.Archive) error {
				for i, name := range args {
					source, err := planText(ctx, a, name)
					if err != nil {
						return err
					}
					sources[i] = source
				}
				return nil
			}
			var err error
			if archived(args[0]) || archived(args[1]) {
				err = withArchive(cmd, read)
			} else {
				err = read(cmd.Context(), nil)
			}
			if err != nil {
				return err
			}
			return tellDiff(cmd, args, sources, text, asJSON)
		},
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			words := []cobra.Completion{"current"}
			if c, err := settings(cmd); err == nil {
				words = append(words, versionWords(cmd.Context(), c)...)
			}
			return words, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().BoolVar(&text, "text", false, "compare the texts, line by line")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

func archived(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil || name == "current"
}

// planText reads a plan that can be compared: a file, or a version.
func planText(ctx context.Context, a *release.Archive, name string) (string, error) {
	var source string
	if archived(name) {
		r, err := versionOf(ctx, a, name)
		if err != nil {
			return "", err
		}
		source, name = r.Source, fmt.Sprintf("plan version %d", r.Number)
	} else {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("%s cannot be read: %w", name, bare(err))
		}
		source = string(b)
	}
	if _, problems := plan.Parse(name, []byte(source)); problems.HasErrors() {
		return "", fmt.Errorf("only good plans can be compared:\n%w", problems)
	}
	return source, nil
}

func tellDiff(cmd *cobra.Command, names []string, sources [2]string, text, asJSON bool) error {
	out := cmd.OutOrStdout()
	if text && !asJSON {
		fmt.Fprint(out, release.DiffText(names[0], sources[0], names[1], sources[1]))
		return nil
	}
	changes, err := release.Diff(sources[0], sources[1])
	if err != nil {
		return err
	}
	switch {
	case asJSON:
		if changes == nil {
			changes = []release.Change{}
		}
		return printJSON(cmd, changes)
	case sources[0] == sources[1]:
		fmt.Fprintln(out, "the two are the same text")
	case len(changes) == 0:
		fmt.Fprintln(out, "the two say the same; only comments or layout differ (see --text)")
	}
	for _, c := range changes {
		fmt.Fprintln(out, c)
	}
	return nil
}
