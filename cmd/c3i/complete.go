package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/routing"
)

// complete tells the shell what a flag can hold. The flag is one that the
// command has.
func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // a flag is misspelt in this package
	}
}

func completeSettings(cmd *cobra.Command) {
	words := map[string][]cobra.Completion{
		"log.level": {"debug", "info", "warn", "error"}, "log.format": {"console", "json"}, "redis.fsync": {"everysec", "always"},
	}
	for _, k := range configs.Keys() {
		if cmd.Flags().Lookup(k.Name) == nil {
			continue
		}
		switch {
		case words[k.Name] != nil:
			complete(cmd, k.Name, cobra.FixedCompletions(words[k.Name], cobra.ShellCompDirectiveNoFileComp))
		case k.Name == "plan" || k.Name == "flow":
			complete(cmd, k.Name, cobra.FixedCompletions([]cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt))
		case k.Name == "data_dir" || k.Name == "prompts.dir":
			complete(cmd, k.Name, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
		case valueName(cmd.Flags().Lookup(k.Name)) == "FILE", valueName(cmd.Flags().Lookup(k.Name)) == "PROGRAM":
		default:
			complete(cmd, k.Name, cobra.NoFileCompletions)
		}
	}
}

// completeProfiles offers the profiles of the plan in force when its Redis
// answers, else of the plan that the settings name.
func completeProfiles(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := settings(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var p *routing.Plan
	_ = withRunning(cmd.Context(), c, func(ctx context.Context, client redis.UniversalClient) error {
		p, err = planOf(ctx, client)
		return err
	})
	if p == nil {
		if doc := loadContent(c).plan; doc != nil {
			p = doc.Plan(1)
		}
	}
	if p == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, profile := range p.Profiles {
		names = append(names, profile.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeUsers offers the users when their Redis answers.
func completeUsers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := settings(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	_ = withRunning(cmd.Context(), c, func(ctx context.Context, client redis.UniversalClient) error {
		users, err := agentdesk.NewUsers(client, agentdesk.UsersOptions{})
		if err != nil {
			return err
		}
		all, err := users.List(ctx)
		for _, u := range all {
			names = append(names, cobra.CompletionWithDesc(u.Name, u.Display))
		}
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

// withRunning uses the Redis of the settings if it answers soon: somebody waits
// with a finger on the tab key.
func withRunning(ctx context.Context, c configs.Config, f func(context.Context, redis.UniversalClient) error) error {
	socket := ""
	if len(c.Redis.Addrs) == 0 {
		socket = filepath.Join(redisDir(c), redisSocket)
	}
	client := redisClient(c.Redis, socket)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return f(ctx, client)
}
