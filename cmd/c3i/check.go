package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "check",
		Short: "Check settings, plan, flow and prompts, and say what is wrong where",
		Long: `Checks the settings, and the plan, flow and prompts they name or that are built
in. Prints every problem with file, line and column. Exits with 0 when C3i would
start with them, 1 when a plan, flow or prompt is wrong, 2 when a setting is.`,
		Example: `  c3i check
  c3i check --plan draft.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := settings(cmd)
			if err != nil {
				return err
			}
			t := loadContent(c)
			for _, w := range t.warnings {
				fmt.Fprintln(cmd.OutOrStdout(), w)
			}
			if t.err() != nil {
				for _, p := range t.problems {
					fmt.Fprintln(cmd.OutOrStdout(), p)
				}
				if n := len(t.problems); n != 1 {
					return fmt.Errorf("%d problems", n)
				}
				return errors.New("1 problem")
			}
			p := t.plan.Plan(1)
			fmt.Fprintf(cmd.OutOrStdout(), "settings: good\nplan %s: %d queues, %d rules, %d profiles\nflow %s: good in %d languages\n",
				t.plan.Name, len(p.Queues), len(p.Rules), len(p.Profiles), t.flow.Name(), len(t.catalogue.Languages))
			return nil
		},
	})
}
