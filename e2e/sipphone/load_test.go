package sipphone_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
)

// inviteTimes is an OnInvite that notes when each call arrived and answers.
type inviteTimes struct {
	mu      sync.Mutex
	arrived map[string]time.Time
	users   map[string]int
}

func (it *inviteTimes) handle(ctx context.Context, in *sipphone.IncomingCall) {
	it.mu.Lock()
	it.arrived[in.ID()] = in.Times().Invite
	it.users[in.ToUser]++
	it.mu.Unlock()
	sipphone.AutoAnswer(0)(ctx, in)
}

func TestTwoHundredCallsAtOnce(t *testing.T) {
	ctx := testContext(t)
	it := &inviteTimes{arrived: map[string]time.Time{}, users: map[string]int{}}
	handlers := mustListen(t, sipphone.Options{NoMedia: true, OnInvite: it.handle})
	callers := mustListen(t, sipphone.Options{NoMedia: true})
	calls := make([]*sipphone.Call, 200)
	for i := range calls {
		c, err := callers.Call(ctx, handlers.URI(fmt.Sprintf("handler%d", i)), sipphone.CallOptions{From: fmt.Sprintf("02079460%03d", i)})
		must(t, err)
		calls[i] = c
	}
	for _, c := range calls {
		must(t, c.WaitAnswered(ctx))
	}
	if callers.Calls() != 200 || handlers.Calls() != 200 {
		t.Errorf("%d and %d calls are up, want 200", callers.Calls(), handlers.Calls())
	}
	it.mu.Lock()
	if len(it.users) != 200 {
		t.Errorf("%d identities were called, want 200", len(it.users))
	}
	it.mu.Unlock()
	for _, c := range calls {
		must(t, c.Hangup(ctx))
	}
	if n := callers.Calls(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

func TestTwentyCallsWithAudioAtOnce(t *testing.T) {
	ctx := testContext(t)
	handlers := mustListen(t, sipphone.Options{OnInvite: func(ctx context.Context, in *sipphone.IncomingCall) {
		sipphone.AutoAnswer(20*time.Millisecond)(ctx, in)
		_ = in.SendTone(800)
	}})
	callers := mustListen(t, sipphone.Options{})
	errs := make(chan error)
	for i := range 20 {
		go func() {
			errs <- func() error {
				c, err := callers.Call(ctx, handlers.URI(fmt.Sprintf("handler%d", i)), sipphone.CallOptions{})
				if err != nil {
					return err
				}
				if err := c.WaitAnswered(ctx); err != nil {
					return err
				}
				if err := c.WaitTone(ctx, 800, 200*time.Millisecond); err != nil {
					return err
				}
				return c.Hangup(ctx)
			}()
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkCallsPerSecond places calls at 50 per second to 200 identities that
// answer at once, both phones in this process, and reports how late the INVITE
// and the answer are.
func BenchmarkCallsPerSecond(b *testing.B) {
	ctx := b.Context()
	it := &inviteTimes{arrived: map[string]time.Time{}, users: map[string]int{}}
	handlers, err := sipphone.Listen(ctx, sipphone.Options{NoMedia: true, OnInvite: it.handle})
	if err != nil {
		b.Fatal(err)
	}
	defer handlers.Close()
	callers, err := sipphone.Listen(ctx, sipphone.Options{NoMedia: true})
	if err != nil {
		b.Fatal(err)
	}
	defer callers.Close()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	var (
		done    sync.WaitGroup
		mu      sync.Mutex
		invites []time.Duration
		answers []time.Duration
	)
	for n := 0; b.Loop(); n++ {
		<-ticker.C
		c, err := callers.Call(ctx, handlers.URI(fmt.Sprintf("handler%d", n%200)), sipphone.CallOptions{})
		if err != nil {
			b.Fatal(err)
		}
		done.Go(func() {
			if err := c.WaitAnswered(ctx); err != nil {
				b.Error(err)
				return
			}
			times := c.Times()
			it.mu.Lock()
			arrived := it.arrived[c.ID()]
			it.mu.Unlock()
			mu.Lock()
			invites = append(invites, arrived.Sub(times.Invite))
			answers = append(answers, times.Answered.Sub(times.Invite))
			mu.Unlock()
			if err := c.Hangup(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	done.Wait()
	for name, d := range map[string][]time.Duration{"invite": invites, "answer": answers} {
		slices.Sort(d)
		b.ReportMetric(float64(d[len(d)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(d[len(d)*99/100].Microseconds()), name+"-p99-µs")
	}
}
