package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// loggedError marks what the log has told already, so that standard error stays
// all JSON when the log is.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

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
	var logged loggedError
	if !errors.As(err, &logged) {
		fmt.Fprintf(errOut, "c3i: %v\n", err)
	}
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
		Long: `C3i takes the calls of people who need the police but not at once, and brings
each to the right handler with the caller's history.

To begin: c3i up, then open the page it names. Ctrl-C stops it.

Settings come from a file (--config), the environment (C3I_HTTP_LISTEN) and flags
(--http.listen), the later winning. Exit codes: 0 done, 1 it could not be done,
2 wrong command, flag or setting.`,
		Version:       version,
		Args:          knownCommand,
		RunE:          showHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate("c3i {{.Version}}\n")
	root.PersistentFlags().String("config", os.Getenv("C3I_CONFIG"), "settings file (YAML)")
	complete(root, "config", cobra.FixedCompletions([]cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt))
	root.SetHelpFunc(printHelp)
	root.SetUsageFunc(printUsage)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newUp(), newServe(), newCheck(), newPlan(), newSurge(), newWhy(), newWhatIf(), newUser(), newReplay(), newSimulate(), newInbox(), newAudit(), newRetention(), newSample())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("completion")
	for _, sub := range root.Commands() {
		if sub.Name() == "completion" {
			sub.Short = "Print a script that completes c3i in your shell"
			sub.Long = `Prints a script that lets a shell complete commands, flags, roles, profiles and
users. For bash, put this into ~/.bashrc:

  source <(c3i completion bash)

For fish: c3i completion fish > ~/.config/fish/completions/c3i.fish
For zsh, into a folder of $fpath: c3i completion zsh > _c3i`
			sub.Args, sub.RunE = knownCommand, showHelp
		}
	}
	for _, cmd := range allCommands(root) {
		cmd.InitDefaultHelpFlag()
		cmd.Flags().Lookup("help").Usage = "explain this command"
	}
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = "print the version"
	return root
}

func allCommands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, allCommands(sub)...)
	}
	return all
}

// showHelp is what a command does that only has commands below it.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// knownCommand refuses a command that does not exist, naming the nearest.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names[sub.Name()] = true
		}
	}
	if near := configs.Nearest(args[0], maps.Keys(names)); near != "" {
		return usageError{fmt.Errorf("%s has no command %q: did you mean %q?", cmd.CommandPath(), args[0], near)}
	}
	return usageError{fmt.Errorf("%s has no command %q; there are %s", cmd.CommandPath(), args[0], strings.Join(slices.Sorted(maps.Keys(names)), ", "))}
}

// nothingElse refuses words after a command that takes none.
func nothingElse(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%s takes flags only, not %q", cmd.CommandPath(), args[0])}
}

// flagError names the flag that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		names := map[string]bool{}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names[f.Name] = true })
		name := unknown.GetSpecifiedName()
		if near := configs.Nearest(name, maps.Keys(names)); near != "" && len(name) > 1 {
			return usageError{fmt.Errorf("%s has no flag --%s: did you mean --%s?", cmd.CommandPath(), name, near)}
		}
	}
	return usageError{fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())}
}

// withSettings adds the settings' flags to a command. When sections are given, the
// flags of others are taken but not shown.
func withSettings(cmd *cobra.Command, sections ...string) *cobra.Command {
	fs := pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
	configs.Flags(fs)
	for _, k := range configs.Keys() {
		if f := fs.Lookup(k.Name); f != nil {
			f.Hidden = len(sections) > 0 && !slices.Contains(sections, k.Section()) && !slices.Contains(sections, k.Name)
			cmd.Flags().AddFlag(f)
		}
	}
	cmd.Flags().SortFlags = false
	completeSettings(cmd)
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
		return c, usageError{fmt.Errorf("these settings cannot be used:\n%w", err)}
	}
	return c, nil
}
