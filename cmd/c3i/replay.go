package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/replay"
)

func newReplay() *cobra.Command {
	var o replay.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Step the journal again and prove that it gives the same state",
		Long: `Reads the journal from its first record, or from a snapshot, steps the engine
through every event and compares each state hash with the one recorded. Nothing is
changed, and a running C3i is not disturbed. Exits with 1 when a state differs,
naming the record.`,
		Example: `  c3i replay
  c3i replay --snapshot 12000 --until 15000 --json`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := settings(cmd)
			if err != nil {
				return err
			}
			client, done, err := openRedis(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer done()
			report, err := replay.Replay(cmd.Context(), journal.NewRedis(client, journalName, journal.Retention{}), o)
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(cmd, report); err != nil {
					return err
				}
			} else {
				fmt.Fprint(cmd.OutOrStdout(), report)
			}
			if report.Problem != nil {
				return errors.New("the journal does not give the recorded state")
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&o.Snapshot, "snapshot", 0, "begin after the snapshot of this record (default: at the first record)")
	cmd.Flags().Uint64Var(&o.Until, "until", 0, "stop after this record (default: the last)")
	cmd.Flags().IntVar(&o.CheckEvery, "check-every", 100, "let the auditor look at the state every so many events (0: never)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}
