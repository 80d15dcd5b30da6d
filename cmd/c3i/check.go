package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/c3i/configs"
)

func newCheck() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "check",
		Short: "Check settings, plan, flow and prompts, and say what is wrong where",
		Long: `Checks the settings, and the plan, flow and prompts they name or that are built
in, and these against each other. Prints every problem with file, line and column
on standard output; a warning does not keep C3i from starting.

Exits with 0 when C3i would start with them, 1 when a plan, flow or prompt file is
wrong, 2 when a setting is.`,
		Example: `  c3i check
  c3i check --config /etc/c3i/c3i.yaml --plan draft.yaml`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := cmd.Flags().GetString("config")
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			c, wrong := configs.Load(file, cmd.Flags())
			problems := 0
			if wrong != nil {
				fmt.Fprintln(out, wrong)
				problems = 1 + strings.Count(wrong.Error(), "\n")
			} else if wrong = checkCertificates(c); wrong != nil {
				fmt.Fprintln(out, wrong)
				problems = 1
			}
			t := loadContent(c)
			for _, text := range [][]string{t.warnings, t.problems} {
				for _, line := range text {
					fmt.Fprintln(out, line)
				}
			}
			problems += len(t.problems)
			if problems > 0 {
				err := fmt.Errorf("%d problems", problems)
				if problems == 1 {
					err = fmt.Errorf("1 problem")
				}
				if wrong != nil {
					return usageError{err}
				}
				return err
			}
			p := t.plan.Plan(1)
			from := "the defaults"
			if file != "" {
				from = file
			}
			fmt.Fprintf(out, "settings from %s: good\nplan %s: %d queues, %d rules, %d profiles\nflow %s: good in %d languages\n",
				from, t.plan.Name, len(p.Queues), len(p.Rules), len(p.Profiles), t.flow.Name(), len(t.catalogue.Languages))
			return nil
		},
	})
}
