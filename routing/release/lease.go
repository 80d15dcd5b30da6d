package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// leaseFor is how long a publisher counts as running without a sign of life.
const leaseFor = 3 * time.Second

// Running tells whether a process runs that puts due releases in force, as of at
// most three seconds ago.
func (a *Archive) Running(ctx context.Context) (bool, error) {
	n, err := a.client.Exists(ctx, a.running).Result()
	if err != nil {
		return false, fmt.Errorf("release: ask for a running publisher: %w", err)
	}
	return n == 1, nil
}

// awaitEvery is how often Await looks.
const awaitEvery = 50 * time.Millisecond

// Await waits until a release that is due is no longer only scheduled, and gives
// it as it is then. A release that is not due, awaits approval or is in force is
// given at once. When ctx ends first the error is ctx's and the release as last
// seen.
func (a *Archive) Await(ctx context.Context, n int) (Release, error) {
	var seen Release
	beat := time.NewTicker(awaitEvery)
	defer beat.Stop()
	for {
		s, err := a.read(ctx)
		var r Release
		if err == nil {
			r, err = s.find(n)
		}
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return seen, err
		}
		if seen = r; r.State != Scheduled || r.Due > a.instant() {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-beat.C:
		}
	}
}

// beat renews the lease and gives the number of the last audit entry.
func (a *Archive) beat(ctx context.Context) (uint64, error) {
	var last *redis.XMessageSliceCmd
	_, err := a.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, a.running, int64(contact.At(a.now())), leaseFor)
		last = p.XRevRangeN(ctx, a.audit, "+", "-", 1)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("release: look for changes: %w", err)
	}
	list := last.Val()
	if len(list) == 0 {
		return 0, nil
	}
	e, _, err := parseEntry(list[0])
	return e.Seq, err
}

func (a *Archive) endLease(ctx context.Context) error {
	if err := a.client.Del(ctx, a.running).Err(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("release: end the publisher's lease: %w", err)
	}
	return nil
}
