package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
)

func newUser() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Add, list, disable and enable users, and reset their passwords",
		Long: `Users sign on to the desk. A new user gets a one-time password, printed once,
which they change at their first sign-on. The commands work while C3i runs, and
while it does not.`,
		Args: knownCommand,
		RunE: showHelp,
	}
	cmd.AddCommand(newUserAdd(), newUserList(), newUserDisable(), newUserEnable(), newUserReset())
	return cmd
}

func newUserAdd() *cobra.Command {
	var spec agentdesk.UserSpec
	var role string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user and print the one-time password",
		Long: `Adds a user and prints the one-time password they sign on with first. It is shown
only now; c3i user reset makes another.

A handler needs a profile, which gives skills and capacity; it must be one of the
plan in force. A supervisor or manager may have one, to take contacts as well.`,
		Example: `  c3i user add h4 --display "Handler 4" --profile crime-desk
  c3i user add h17 --profile crime-desk --phone PJSIP/h17
  c3i user add sup1 --role supervisor`,
		Args: exactlyOne("the sign-on name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Name, spec.Role = args[0], agentdesk.Role(role)
			return withUsers(cmd, func(ctx context.Context, c configs.Config, client redis.UniversalClient, users *agentdesk.Users) error {
				if spec.Role == agentdesk.RoleHandler && spec.Profile == "" {
					return usageError{errors.New("--profile: a handler needs one; c3i user add --help tells what it is")}
				}
				if err := checkProfile(ctx, c, client, spec.Profile); err != nil {
					return err
				}
				password, err := users.Add(ctx, spec)
				if errors.Is(err, agentdesk.ErrUserExists) {
					return fmt.Errorf("there is a user %s already: choose another name, or give them a new password with `c3i user reset %s`", spec.Name, spec.Name)
				}
				var bad *agentdesk.Error
				if errors.As(err, &bad) && bad.Field != "" {
					at := "--" + bad.Field
					if bad.Field == "name" {
						at = "NAME"
					}
					return usageError{fmt.Errorf("%s: %s", at, bad.Message)}
				}
				if err != nil {
					return err
				}
				return tellPassword(cmd, asJSON, spec.Name, password)
			})
		},
	}
	cmd.Flags().StringVar(&spec.Display, "display", "", "name shown on screens (default: the sign-on name)")
	cmd.Flags().StringVar(&role, "role", string(agentdesk.RoleHandler), "handler, supervisor or manager")
	cmd.Flags().StringVar(&spec.Profile, "profile", "", "profile of the plan that gives skills and capacity")
	cmd.Flags().StringVar(&spec.Phone, "phone", agentdesk.PhoneBrowser, "browser, or the dial string of a SIP phone such as PJSIP/h17")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "role", cobra.FixedCompletions([]cobra.Completion{
		string(agentdesk.RoleHandler), string(agentdesk.RoleSupervisor), string(agentdesk.RoleManager),
	}, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "profile", completeProfiles)
	complete(cmd, "phone", cobra.FixedCompletions([]cobra.Completion{agentdesk.PhoneBrowser, "PJSIP/"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	complete(cmd, "display", cobra.NoFileCompletions)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return withData(cmd)
}

// tellPassword prints a one-time password: it is not kept anywhere.
func tellPassword(cmd *cobra.Command, asJSON bool, name, password string) error {
	if asJSON {
		return printJSON(cmd, struct {
			Name     string `json:"name"`
			Password string `json:"one_time_password"`
		}{name, password})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s may sign on with the one-time password %s\n", name, password)
	return nil
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// listedUser is a user as `c3i user list --json` gives it.
type listedUser struct {
	Name    string         `json:"name"`
	Display string         `json:"display"`
	Role    agentdesk.Role `json:"role"`
	Profile string         `json:"profile,omitempty"`
	Phone   string         `json:"phone"`
	// State is active, disabled or one-time password.
	State string `json:"state"`
}

func newUserList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Long: `Lists users in order of name. STATE is active, disabled, or one-time password when
the user has not yet chosen one of their own.`,
		Args: nothingElse,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withUsers(cmd, func(ctx context.Context, _ configs.Config, _ redis.UniversalClient, users *agentdesk.Users) error {
				all, err := users.List(ctx)
				if err != nil {
					return err
				}
				listed := []listedUser{}
				for _, u := range all {
					state := "active"
					switch {
					case u.Disabled:
						state = "disabled"
					case u.OneTime:
						state = "one-time password"
					}
					listed = append(listed, listedUser{u.Name, u.Display, u.Role, u.Profile, u.Phone, state})
				}
				if asJSON {
					return printJSON(cmd, listed)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tDISPLAY\tROLE\tPROFILE\tPHONE\tSTATE")
				for _, u := range listed {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.Display, u.Role, orDash(u.Profile), u.Phone, u.State)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newUserDisable() *cobra.Command {
	return userSwitch("disable", "Stop a user signing on and end their sessions", true)
}

func newUserEnable() *cobra.Command {
	return userSwitch("enable", "Let a disabled user sign on again", false)
}

func userSwitch(use, short string, disabled bool) *cobra.Command {
	return withData(&cobra.Command{
		Use:               use + " NAME",
		Short:             short,
		Args:              exactlyOne("the sign-on name"),
		ValidArgsFunction: completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUsers(cmd, func(ctx context.Context, _ configs.Config, _ redis.UniversalClient, users *agentdesk.Users) error {
				if err := users.Disable(ctx, args[0], disabled); err != nil {
					return unknownUser(ctx, users, args[0], err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %sd\n", args[0], use)
				return nil
			})
		},
	})
}

// unknownUser names the user that was probably meant.
func unknownUser(ctx context.Context, users *agentdesk.Users, name string, err error) error {
	if !errors.Is(err, agentdesk.ErrNoUser) {
		return err
	}
	names := map[string]bool{}
	if all, err := users.List(ctx); err == nil {
		for _, u := range all {
			names[u.Name] = true
		}
	}
	if near := configs.Nearest(name, maps.Keys(names)); near != "" {
		return fmt.Errorf("there is no user %q: did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no user %q; `c3i user list` shows who there is", name)
}

func newUserReset() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "reset NAME",
		Short:             "Give a user a new one-time password and end their sessions",
		Args:              exactlyOne("the sign-on name"),
		ValidArgsFunction: completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUsers(cmd, func(ctx context.Context, _ configs.Config, _ redis.UniversalClient, users *agentdesk.Users) error {
				password, err := users.Reset(ctx, args[0])
				if err != nil {
					return unknownUser(ctx, users, args[0], err)
				}
				return tellPassword(cmd, asJSON, args[0], password)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withData(cmd)
}

// withData adds the settings of commands that only read and write the record.
func withData(cmd *cobra.Command) *cobra.Command { return withSettings(cmd, "data_dir", "redis") }

func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s: give %s, and nothing else", cmd.CommandPath(), what)}
		}
		return nil
	}
}

// withUsers opens the users: in the Redis of the settings, else in the private
// one of a running `c3i up`, else in a private one started for the command.
func withUsers(cmd *cobra.Command, f func(context.Context, configs.Config, redis.UniversalClient, *agentdesk.Users) error) error {
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
	users, err := agentdesk.NewUsers(client, agentdesk.UsersOptions{})
	if err != nil {
		return err
	}
	return f(ctx, c, client, users)
}

// openRedis connects to the data of an installation whether or not it runs.
func openRedis(ctx context.Context, c configs.Config) (redis.UniversalClient, func(), error) {
	if len(c.Redis.Addrs) > 0 {
		client := redisClient(c.Redis, "")
		if err := checkRedis(ctx, client, zerolog.Nop()); err != nil {
			_ = client.Close()
			return nil, nil, err
		}
		return client, func() { _ = client.Close() }, nil
	}
	dir := redisDir(c)
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, fmt.Errorf("%s holds no installation yet: run `c3i up` first, or name the right folder with --data_dir", c.DataDir)
	}
	release, err := lockFolder(c.DataDir)
	if err != nil {
		// A running `c3i up` holds the folder, and its Redis answers.
		client := redisClient(c.Redis, filepath.Join(dir, redisSocket))
		if client.Ping(ctx).Err() != nil {
			_ = client.Close()
			return nil, nil, fmt.Errorf("%w; it may be starting or stopping, then try again in a moment", err)
		}
		return client, func() { _ = client.Close() }, nil
	}
	private, err := startRedis(ctx, c.Redis, dir)
	if err != nil {
		release()
		return nil, nil, err
	}
	client := redisClient(c.Redis, private.socket)
	return client, func() {
		_ = client.Close()
		private.stop(context.WithoutCancel(ctx))
		release()
	}, nil
}
