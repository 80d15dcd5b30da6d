package release_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing/release"
)

// clock is a clock the test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(int64(1_800_000_000 * time.Second))
	return c
}

func (c *clock) now() time.Time           { return contact.Instant(c.at.Load()).Time() }
func (c *clock) instant() contact.Instant { return contact.Instant(c.at.Load()) }
func (c *clock) advance(d time.Duration)  { c.at.Add(int64(d)) }

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func shipped(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../configs/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// variant is the shipped plan with another time to answer a call in.
func variant(t testing.TB, seconds int) string {
	t.Helper()
	text := strings.Replace(shipped(t), "phone: 30s", fmt.Sprintf("phone: %ds", seconds), 1)
	if text == shipped(t) && seconds != 30 {
		t.Fatal("the shipped plan no longer has the line this test changes")
	}
	return text
}

func newArchive(t testing.TB) (*release.Archive, *redis.Client, *clock) {
	t.Helper()
	client, c := redistest.Start(t), newClock()
	return release.New(client, "plans", c.now), client, c
}

func code(err error) string {
	var e *release.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func wantCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("%s: error %v (code %q), want code %q", what, err, code(err), want)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func state(t *testing.T, a *release.Archive, n int, want release.State) release.Release {
	t.Helper()
	r := must[release.Release](t)(a.Get(testContext(t), n))
	if r.State != want {
		t.Errorf("release %d is %s, want %s", n, r.State, want)
	}
	return r
}

func TestCreateRefusesWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	a, _, _ := newArchive(t)
	good := release.Proposal{Name: "p.yaml", Source: shipped(t), Author: "manager1", Reason: "quicker"}
	for name, c := range map[string]struct {
		change func(*release.Proposal)
		code   string
		field  string
	}{
		"no author":         {func(p *release.Proposal) { p.Author = " " }, release.CodeBadField, "author"},
		"long author":       {func(p *release.Proposal) { p.Author = strings.Repeat("a", 65) }, release.CodeBadField, "author"},
		"author in colour":  {func(p *release.Proposal) { p.Author = "\x1b[31mred" }, release.CodeBadField, "author"},
		"no reason":         {func(p *release.Proposal) { p.Reason = "" }, release.CodeBadField, "reason"},
		"reason of lines":   {func(p *release.Proposal) { p.Reason = "a\nb" }, release.CodeBadField, "reason"},
		"long reason":       {func(p *release.Proposal) { p.Reason = strings.Repeat("é", 501) }, release.CodeBadField, "reason"},
		"not text":          {func(p *release.Proposal) { p.Source = "\xff\xfe" }, release.CodeBadField, "source"},
		"too large":         {func(p *release.Proposal) { p.Source = strings.Repeat("#", release.SourceMax+1) }, release.CodeBadField, "source"},
		"draft too large":   {func(p *release.Proposal) { p.Source, p.Draft = strings.Repeat("#", release.SourceMax+1), true }, release.CodeBadField, "source"},
		"empty plan":        {func(p *release.Proposal) { p.Source = "" }, release.CodeBadPlan, "source"},
		"plan with mistake": {func(p *release.Proposal) { p.Source = strings.Replace(p.Source, "queue: crime", "queue: crimes", 1) }, release.CodeBadPlan, "source"},
	} {
		t.Run(name, func(t *testing.T) {
			p := good
			c.change(&p)
			_, err := a.Create(testContext(t), p)
			var e *release.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field || e.Message == "" {
				t.Errorf("error %+v, want code %s, field %s", err, c.code, c.field)
			}
			if c.code == release.CodeBadPlan && (len(e.Problems) == 0 || e.Problems[0].File != "p.yaml") {
				t.Errorf("problems %v do not name the file", e.Problems)
			}
		})
	}
	if list := must[[]release.Release](t)(a.List(testContext(t))); len(list) > 0 {
		t.Errorf("%d releases were kept", len(list))
	}
}

func TestLifeOfARelease(t *testing.T) {
	t.Parallel()
	a, _, c := newArchive(t)
	ctx := testContext(t)
	keep := must[release.Release](t)
	first := keep(a.Adopt(ctx, 1, shipped(t)))
	if first.State != release.Published || first.Number != 1 {
		t.Fatalf("adopted: %+v", first)
	}

	// A second person approves before it is scheduled.
	asked := keep(a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "Manager1", Reason: "calmer", NeedsApproval: true, At: c.instant().Add(contact.Hour)}))
	if asked.State != release.AwaitingApproval || asked.Number != 2 || asked.Base != 1 {
		t.Errorf("made: %+v", asked)
	}
	_, err := a.Approve(ctx, 2, "mANAGER1 ", "mine")
	wantCode(t, "own approval", err, release.CodeSamePerson)
	approved := keep(a.Approve(ctx, 2, "manager2", "agreed"))
	if approved.State != release.Scheduled || approved.Due != asked.Due || approved.ApprovedBy != "manager2" {
		t.Errorf("approved: %+v", approved)
	}
	_, err = a.Approve(ctx, 2, "manager3", "again")
	wantCode(t, "second approval", err, release.CodeWrongState)

	// Approved late, it is due at once and not in the past.
	late := keep(a.Create(ctx, release.Proposal{Source: variant(t, 45), Author: "m1", Reason: "r", NeedsApproval: true, At: c.instant().Add(contact.Minute)}))
	c.advance(2 * time.Minute)
	if late = keep(a.Approve(ctx, late.Number, "m2", "ok")); late.Due != c.instant() {
		t.Errorf("due %s, now %s", late.Due, c.instant())
	}

	// Withdrawn, it is a draft that can be sent on its way again.
	if r := keep(a.Withdraw(ctx, 3, "m1", "not yet")); r.State != release.Draft {
		t.Errorf("withdrawn: %+v", r)
	}
	_, err = a.Withdraw(ctx, 3, "m1", "twice")
	wantCode(t, "withdraw a draft", err, release.CodeWrongState)
	if r := keep(a.Submit(ctx, 3, "m1", "now", 0, false)); r.State != release.Scheduled || r.ApprovedBy != "" {
		t.Errorf("submitted: %+v", r)
	}
	_, err = a.Withdraw(ctx, 1, "m1", "r")
	wantCode(t, "withdraw what is in force", err, release.CodeWrongState)

	// A draft may have errors, and goes nowhere with them.
	bad := keep(a.Create(ctx, release.Proposal{Source: "queues: 1", Author: "m1", Reason: "half", Draft: true}))
	if bad.State != release.Draft || !bad.Problems.HasErrors() {
		t.Errorf("draft: %+v", bad)
	}
	_, err = a.Submit(ctx, bad.Number, "m1", "now", 0, false)
	wantCode(t, "submit a bad draft", err, release.CodeBadPlan)
	_, err = a.Rollback(ctx, bad.Number, "m1", "r")
	wantCode(t, "roll back to a bad draft", err, release.CodeBadPlan)
	_, err = a.Rollback(ctx, 2, "m1", "r")
	wantCode(t, "roll back to what never was in force", err, release.CodeWrongState)
	_, err = a.Rollback(ctx, 1, "m1", "r")
	wantCode(t, "roll back to what is in force", err, release.CodeNoChange)
	for name, f := range map[string]func() error{
		"get":      func() error { _, err := a.Get(ctx, 99); return err },
		"approve":  func() error { _, err := a.Approve(ctx, 99, "m", "r"); return err },
		"withdraw": func() error { _, err := a.Withdraw(ctx, -1, "m", "r"); return err },
		"rollback": func() error { _, err := a.Rollback(ctx, 0, "m", "r"); return err },
	} {
		wantCode(t, name, f(), release.CodeUnknown)
	}
	if err := a.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestPolicyAsksForApprovalOfEverythingButRollbacks(t *testing.T) {
	t.Parallel()
	a, _, _ := newArchive(t)
	ctx := testContext(t)
	keep := must[release.Release](t)
	if err := a.SetPolicy(ctx, release.Policy{Approval: true}, "manager1", "two pairs of eyes"); err != nil {
		t.Fatal(err)
	}
	keep(a.Adopt(ctx, 1, shipped(t)))
	keep(a.Adopt(ctx, 2, variant(t, 40)))
	if r := keep(a.Create(ctx, release.Proposal{Source: variant(t, 50), Author: "m", Reason: "r"})); r.State != release.AwaitingApproval {
		t.Errorf("a release is %s", r.State)
	}
	r := keep(a.Rollback(ctx, 1, "m", "it was better"))
	if r.State != release.Scheduled || r.RollbackOf != 1 || r.RolledBackFrom != 2 || r.Number != 4 || r.Source != shipped(t) {
		t.Errorf("rollback: %+v", r)
	}
	if p := must[release.Policy](t)(a.Policy(ctx)); !p.Approval {
		t.Error("the policy was not kept")
	}
}

func TestAdoptBringsTheArchiveInLineWithTheJournal(t *testing.T) {
	t.Parallel()
	a, _, _ := newArchive(t)
	ctx := testContext(t)
	keep := must[release.Release](t)
	// An installation whose journal began before the archive did.
	if r := keep(a.Adopt(ctx, 7, shipped(t))); r.Number != 7 || r.State != release.Published || r.Origin != release.FromJournal {
		t.Errorf("adopted: %+v", r)
	}
	if r := keep(a.Adopt(ctx, 7, shipped(t))); r.Number != 7 {
		t.Errorf("adopted again: %+v", r)
	}
	// The journal got ahead of the archive: the process died in between.
	next := keep(a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "m", Reason: "r"}))
	keep(a.Adopt(ctx, next.Number, variant(t, 40)))
	state(t, a, 7, release.Superseded)
	state(t, a, 8, release.Published)
	// The archive knows another plan by that number.
	other := keep(a.Adopt(ctx, 8, variant(t, 55)))
	if other.Number != 9 || other.State != release.Scheduled {
		t.Errorf("adopted under a number that is taken: %+v", other)
	}
	state(t, a, 8, release.Published)
	if err := a.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestOnlyOneOfManyApprovalsAndRollbacksWins(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	c := newClock()
	a := release.New(server.Client(), "plans", c.now)
	ctx := testContext(t)
	must[release.Release](t)(a.Adopt(ctx, 1, shipped(t)))
	must[release.Release](t)(a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "m", Reason: "r", NeedsApproval: true}))
	const n = 8
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range n {
		other := release.New(server.Client(), "plans", c.now)
		all.Go(func() {
			_, err := other.Approve(ctx, 2, fmt.Sprintf("manager%d", i), "agreed")
			if err == nil {
				won.Add(1)
			} else if code(err) != release.CodeWrongState {
				t.Errorf("approve: %v", err)
			}
		})
		all.Go(func() {
			if _, err := other.Create(ctx, release.Proposal{Source: variant(t, 100+i), Author: "m", Reason: "r", Draft: true}); err != nil {
				t.Errorf("create: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d approvals won", won.Load())
	}
	list := must[[]release.Release](t)(a.List(ctx))
	if len(list) != n+2 {
		t.Errorf("%d releases, want %d", len(list), n+2)
	}
	for i, r := range list {
		if r.Number != i+1 {
			t.Errorf("number %d at place %d", r.Number, i+1)
		}
	}
	if err := a.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(ctx context.Context, t *testing.T, c *redis.Client) error{
		"text": func(ctx context.Context, t *testing.T, c *redis.Client) error {
			return c.HSet(ctx, "{plans}:sources", "1", variant(t, 99)).Err()
		},
		"author": func(ctx context.Context, t *testing.T, c *redis.Client) error {
			text := c.HGet(ctx, "{plans}:releases", "2").Val()
			return c.HSet(ctx, "{plans}:releases", "2", strings.Replace(text, `"author":"m"`, `"author":"x"`, 1)).Err()
		},
		"text gone": func(ctx context.Context, _ *testing.T, c *redis.Client) error {
			return c.HDel(ctx, "{plans}:sources", "2").Err()
		},
		"record gone": func(ctx context.Context, _ *testing.T, c *redis.Client) error {
			return c.HDel(ctx, "{plans}:releases", "1").Err()
		},
		"entry gone": func(ctx context.Context, _ *testing.T, c *redis.Client) error {
			return c.XDel(ctx, "{plans}:audit", "1-0").Err()
		},
		"entry changed": func(ctx context.Context, t *testing.T, c *redis.Client) error {
			last := c.XRevRangeN(ctx, "{plans}:audit", "+", "-", 1).Val()[0]
			var e map[string]any
			if err := json.Unmarshal([]byte(last.Values["entry"].(string)), &e); err != nil {
				return err
			}
			e["by"] = "somebody"
			b, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if err := c.Del(ctx, "{plans}:copy").Err(); err != nil {
				return err
			}
			for _, m := range c.XRange(ctx, "{plans}:audit", "-", "+").Val() {
				if m.ID == last.ID {
					m.Values["entry"] = string(b)
				}
				if err := c.XAdd(ctx, &redis.XAddArgs{Stream: "{plans}:copy", ID: m.ID, Values: []any{"entry", m.Values["entry"], "chain", m.Values["chain"]}}).Err(); err != nil {
					return err
				}
			}
			return c.Rename(ctx, "{plans}:copy", "{plans}:audit").Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, client, _ := newArchive(t)
			ctx := testContext(t)
			must[release.Release](t)(a.Adopt(ctx, 1, shipped(t)))
			must[release.Release](t)(a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "m", Reason: "r"}))
			if err := a.Verify(ctx); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := tamper(ctx, t, client); err != nil {
				t.Fatal(err)
			}
			wantCode(t, "Verify", a.Verify(ctx), release.CodeDamaged)
		})
	}
}

func TestATextIsNeverReplaced(t *testing.T) {
	t.Parallel()
	a, client, _ := newArchive(t)
	ctx := testContext(t)
	must[release.Release](t)(a.Adopt(ctx, 1, shipped(t)))
	if err := client.HSet(ctx, "{plans}:sources", "2", "left by somebody").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "m", Reason: "r"}); err == nil {
		t.Error("a text was replaced")
	}
	if got := client.HGet(ctx, "{plans}:sources", "2").Val(); got != "left by somebody" {
		t.Errorf("the text is %q", got)
	}
}

func TestAuditTellsWhoDidWhatWhenAndWhy(t *testing.T) {
	t.Parallel()
	a, _, c := newArchive(t)
	ctx := testContext(t)
	made := must[release.Release](t)
	made(a.Adopt(ctx, 1, shipped(t)))
	c.advance(time.Minute)
	made(a.Create(ctx, release.Proposal{Source: variant(t, 40), Author: "manager1", Reason: "calmer", NeedsApproval: true}))
	c.advance(time.Minute)
	made(a.Approve(ctx, 2, "manager2", "agreed"))
	made(a.Withdraw(ctx, 2, "manager1", "not today"))
	var got []string
	err := a.Audit(ctx, 2, func(e release.Entry) error {
		got = append(got, fmt.Sprintf("%d %s %s %d %s: %s", e.Seq, e.By, e.Action, e.Release, e.State, e.Reason))
		if e.At == 0 || e.Chain == "" {
			t.Errorf("entry %+v lacks a time or a chain", e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2 manager1 made 2 awaiting_approval: calmer", "3 manager2 approved 2 scheduled: agreed", "4 manager1 withdrawn 2 draft: not today",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("audit trail:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
