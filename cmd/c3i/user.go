package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
		Short: "Add, list, disable users and reset their passwords",
		Long: `Users sign on to the desk. A new user gets a one-time password, printed once,
which they change at their first sign-on. The commands work while C3i runs.`,
	}
	cmd.AddCommand(newUserAdd(), newUserList(), newUserDisable(), newUserEnable(), newUserReset())
	return cmd
}

func newUserAdd() *cobra.Command {
	var spec agentdesk.UserSpec
	var role string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user and print the one-time password",
		Example: `  c3i user add h4 --display "Handler 4" --role handler --profile general
  c3i user add h17 --profile general --phone PJSIP/h17`,
		Args: exactlyOne("the sign-on name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Name, spec.Role = args[0], agentdesk.Role(role)
			return withUsers(cmd, func(ctx context.Context, users *agentdesk.Users) error {
				password, err := users.Add(ctx, spec)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s may sign on with the one-time password %s\n", spec.Name, password)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&spec.Display, "display", "", "name shown on screens (default: the sign-on name)")
	cmd.Flags().StringVar(&role, "role", string(agentdesk.RoleHandler), "handler, supervisor or manager")
	cmd.Flags().StringVar(&spec.Profile, "profile", "", "profile of the plan that gives skills and capacity")
	cmd.Flags().StringVar(&spec.Phone, "phone", agentdesk.PhoneBrowser, "browser, or the dial string of a SIP phone such as PJSIP/h17")
	return withSettings(cmd)
}

func newUserList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withUsers(cmd, func(ctx context.Context, users *agentdesk.Users) error {
				all, err := users.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					for i := range all {
						all[i].Hash = ""
					}
					enc := json.NewEncoder(cmd.OutOrStdout())
					enc.SetIndent("", "  ")
					return enc.Encode(all)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tDISPLAY\tROLE\tPROFILE\tPHONE\tSTATE")
				for _, u := range all {
					state := "active"
					switch {
					case u.Disabled:
						state = "disabled"
					case u.OneTime:
						state = "one-time password"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.Display, u.Role, u.Profile, u.Phone, state)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withSettings(cmd)
}

func newUserDisable() *cobra.Command {
	return userSwitch("disable", "Stop a user signing on and end their sessions", true)
}

func newUserEnable() *cobra.Command {
	return userSwitch("enable", "Let a disabled user sign on again", false)
}

func userSwitch(use, short string, disabled bool) *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Args:  exactlyOne("the sign-on name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUsers(cmd, func(ctx context.Context, users *agentdesk.Users) error {
				if err := users.Disable(ctx, args[0], disabled); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %sd\n", args[0], use)
				return nil
			})
		},
	})
}

func newUserReset() *cobra.Command {
	return withSettings(&cobra.Command{
		Use:   "reset NAME",
		Short: "Give a user a new one-time password and end their sessions",
		Args:  exactlyOne("the sign-on name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUsers(cmd, func(ctx context.Context, users *agentdesk.Users) error {
				password, err := users.Reset(ctx, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s may sign on with the one-time password %s\n", args[0], password)
				return nil
			})
		},
	})
}

func exactlyOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("give %s, and nothing else", what)}
		}
		return nil
	}
}

// withUsers opens the users: in the Redis of the settings, else in the private
// one of a running `c3i up`, else in a private one started for the command.
func withUsers(cmd *cobra.Command, f func(context.Context, *agentdesk.Users) error) error {
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
	return f(ctx, users)
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
	release, err := lockFolder(c.DataDir)
	if err != nil {
		// A running `c3i up` holds the folder, and its Redis answers.
		client := redisClient(c.Redis, filepath.Join(dir, redisSocket))
		if pingErr := client.Ping(ctx).Err(); pingErr != nil {
			_ = client.Close()
			return nil, nil, errors.Join(err, fmt.Errorf("its Redis does not answer: %w", pingErr))
		}
		return client, func() { _ = client.Close() }, nil
	}
	if _, err := os.Stat(dir); err != nil {
		release()
		return nil, nil, fmt.Errorf("%s holds no installation yet: run `c3i up` first, or name the right folder with --data_dir", c.DataDir)
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
