package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"example.org/c3i/configs"
)

// version is set by the linker for a release.
var version = "development"

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command could not do its work
	exitUsage  = 2 // wrong command, flag or setting
)

// usageError marks mistakes in what was typed or configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errOut, "c3i: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "c3i",
		Short: "Contact centre of a police service, for everything that is not an emergency",
		Long: `C3i takes the calls, e-mails and web reports of people who need the police but
not at once, and brings each to the right handler with the caller's history.

  c3i up       runs everything on this machine: Redis, Asterisk, routing, desks
  c3i serve    the same against a Redis and an Asterisk that are running
  c3i check    says what is wrong with settings, plan and flow

Settings come from a file (--config), the environment (C3I_HTTP_LISTEN) and
flags (--http.listen), the later winning.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("config", os.Getenv("C3I_CONFIG"), "settings file (YAML)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; `c3i --help` lists what can be given", err)}
	})
	root.AddCommand(newUp(), newServe(), newCheck(), newUser(), newReplay())
	return root
}

// withSettings adds the settings' flags to a command.
func withSettings(cmd *cobra.Command) *cobra.Command {
	configs.Flags(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// settings reads the configuration for a command.
func settings(cmd *cobra.Command) (configs.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return configs.Config{}, err
	}
	c, err := configs.Load(file, cmd.Flags())
	if err != nil {
		return c, usageError{err}
	}
	return c, nil
}
