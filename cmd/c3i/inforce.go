package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/configs"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/plan"
)

// journalPlan reads the plan in force from the journal: that of the newest
// snapshot or the last published after it. The version is 0 when none was
// published yet.
func journalPlan(ctx context.Context, client redis.UniversalClient) (version int, source string, err error) {
	store := journal.NewRedis(client, journalName, journal.Retention{})
	snap, have, err := journal.Latest(ctx, store)
	if err != nil {
		return 0, "", fmt.Errorf("read the plan in force: %w", err)
	}
	from := uint64(1)
	if have {
		if version, source, err = routing.SnapshotPlan(snap.State); err != nil {
			return 0, "", fmt.Errorf("read the plan in force: %w", err)
		}
		from = snap.Seq + 1
	}
	published := routing.PlanPublished{}.Kind()
	err = store.Read(ctx, from, func(r journal.Record) error {
		if r.Kind != published {
			return nil
		}
		var ev routing.PlanPublished
		if err := json.Unmarshal(r.Event, &ev); err != nil {
			return err
		}
		version, source = ev.Version, ev.Source
		return nil
	})
	if err != nil {
		return 0, "", fmt.Errorf("read the plan in force: %w", err)
	}
	return version, source, nil
}

// planOf is the plan in force, nil when none was published yet.
func planOf(ctx context.Context, client redis.UniversalClient) (*routing.Plan, error) {
	version, source, err := journalPlan(ctx, client)
	if err != nil || version == 0 {
		return nil, err
	}
	return plan.Load(version, source)
}

// checkProfile refuses a profile that the plan in force does not have; before
// there is one, that the plan of the settings does not have.
func checkProfile(ctx context.Context, c configs.Config, client redis.UniversalClient, name string) error {
	if name == "" {
		return nil
	}
	p, err := planOf(ctx, client)
	if err != nil {
		return err
	}
	where := "the plan in force"
	if p == nil {
		t := &content{}
		t.loadPlan(c)
		if t.plan == nil {
			return t.err()
		}
		p, where = t.plan.Plan(1), "the plan "+t.plan.Name
	}
	var names []string
	for _, profile := range p.Profiles {
		if profile.Name == name {
			return nil
		}
		names = append(names, profile.Name)
	}
	return usageError{fmt.Errorf("--profile: %s has no profile %q; it has %s", where, name, list(names))}
}
