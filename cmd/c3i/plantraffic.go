package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/sim"
)

// trafficLooked is how much of the journal a plan is checked against.
const trafficLooked = 7 * contact.Day

// furtherChecks makes the checks of good plans that need more than the plan.
func furtherChecks(cmd *cobra.Command, traffic, level string, users bool) (func(*plan.Document) plan.Problems, error) {
	target, err := share(level)
	if err != nil || !(target > 0 && target < 1) {
		return nil, usageError{fmt.Errorf("--level %q: a share between 0%% and 100%% is expected, such as 80%%", level)}
	}
	var week *sim.Traffic
	if traffic != "" && traffic != "journal" {
		m, err := readModel(traffic)
		if err != nil {
			return nil, err
		}
		week = m.Traffic()
	}
	var profiles []string
	if users || traffic == "journal" {
		c, err := settings(cmd)
		if err != nil {
			return nil, err
		}
		client, done, err := openRedis(cmd.Context(), c)
		if err != nil {
			return nil, err
		}
		defer done()
		if traffic == "journal" {
			if week, err = journalTraffic(cmd.Context(), client); err != nil {
				return nil, err
			}
		}
		if users {
			if profiles, err = profilesOfUsers(cmd.Context(), client); err != nil {
				return nil, err
			}
		}
	}
	return func(doc *plan.Document) plan.Problems {
		var out plan.Problems
		if week != nil {
			out = append(out, sim.CheckTargets(doc, week, target)...)
		}
		if users {
			out = append(out, doc.Unstaffed(profiles)...)
		}
		return out
	}, nil
}

// journalTraffic is the journal's last week.
func journalTraffic(ctx context.Context, client redis.UniversalClient) (*sim.Traffic, error) {
	store := journal.NewRedis(client, journalName, journal.Retention{})
	h, err := sim.ReadHistory(ctx, store, contact.At(time.Now()).Add(-trafficLooked), 0)
	if errors.Is(err, sim.ErrEmptyHistory) {
		return nil, errors.New("--traffic journal: no contact arrived in the last week of the journal")
	}
	if err != nil {
		return nil, err
	}
	base, err := readModel(profileForNow)
	if err != nil {
		return nil, err
	}
	return h.Traffic(base), nil
}

// profilesOfUsers lists the profiles of those who may sign on.
func profilesOfUsers(ctx context.Context, client redis.UniversalClient) ([]string, error) {
	users, err := agentdesk.NewUsers(client, agentdesk.UsersOptions{})
	if err != nil {
		return nil, err
	}
	list, err := users.List(ctx)
	if err != nil {
		return nil, err
	}
	var profiles []string
	for _, u := range list {
		if !u.Disabled && u.Profile != "" {
			profiles = append(profiles, u.Profile)
		}
	}
	return profiles, nil
}
