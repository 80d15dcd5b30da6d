package release_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/release"
)

// stormy is the shipped plan with surges of its own.
func stormy(t testing.TB, names ...string) string {
	t.Helper()
	before, rest, found := strings.Cut(shipped(t), "\nsurges:\n")
	_, after, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		t.Fatal("the shipped plan no longer has the surges this test replaces")
	}
	var b strings.Builder
	b.WriteString(before + "\nsurges:\n")
	for _, n := range names {
		b.WriteString("  " + n + ": {label: " + n + ", queues: {crime: {answer_within: {phone: 5m}}}}\n")
	}
	return b.String() + "\n" + after
}

// surgesOn are those the engine has on.
func (c *centre) surgesOn() (on []string) {
	c.t.Helper()
	if err := c.driver.View(testContext(c.t), func(e *routing.Engine) { on = slices.Clone(e.SurgesOn()) }); err != nil {
		c.t.Fatal(err)
	}
	return on
}

func (c *centre) surge(name string, on bool) release.Surge {
	c.t.Helper()
	if _, err := c.archive.SwitchSurge(testContext(c.t), name, on, "sup1", "floods"); err != nil {
		c.t.Fatal(err)
	}
	x, err := c.archive.AwaitSurge(testContext(c.t), name)
	if err != nil {
		c.t.Fatal(err)
	}
	return x
}

func TestASurgeIsSwitchedRecordedAndKept(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	ctx := testContext(t)
	c.start(stormy(t, "storm", "crowd"), false)

	for what, tc := range map[string]struct {
		name, by, reason, want, says string
		on                           bool
	}{
		"misspelt":       {name: "strom", on: true, by: "sup1", reason: "x", want: release.CodeUnknown, says: `did you mean "storm"?`},
		"unheard of":     {name: "zzzzzzzz", on: true, by: "sup1", reason: "x", want: release.CodeUnknown, says: "it has storm, crowd"},
		"off already":    {name: "storm", by: "sup1", reason: "x", want: release.CodeNoChange, says: "off already"},
		"without reason": {name: "storm", on: true, by: "sup1", want: release.CodeBadField, says: "Say why"},
		"by nobody":      {name: "storm", on: true, reason: "x", want: release.CodeBadField, says: "name"},
	} {
		_, err := c.archive.SwitchSurge(ctx, tc.name, tc.on, tc.by, tc.reason)
		wantCode(t, what, err, tc.want)
		if err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", what, err)
		}
	}

	if x := c.surge("storm", true); !x.On || x.By != "sup1" || x.Reason != "floods" || x.Applied == 0 {
		t.Errorf("switched on: %+v", x)
	}
	if on := c.surgesOn(); !slices.Equal(on, []string{"storm"}) {
		t.Errorf("routing has %v on", on)
	}

	// It survives a restart, and so does what was decided while nothing ran.
	c.stopRun()
	if _, err := c.archive.SwitchSurge(ctx, "crowd", true, "sup2", "a match"); err != nil {
		t.Fatal(err)
	}
	c.start(stormy(t, "storm", "crowd"), false)
	if on := c.surgesOn(); !slices.Equal(on, []string{"storm", "crowd"}) {
		t.Errorf("after a restart routing has %v on", on)
	}
	c.surge("storm", false)
	if on := c.surgesOn(); !slices.Equal(on, []string{"crowd"}) {
		t.Errorf("routing has %v on", on)
	}

	// A plan without it ends it, and bringing the plan back does not begin it.
	c.await(c.archive.Create(ctx, proposal(stormy(t, "storm"))))
	x, err := c.archive.AwaitSurge(ctx, "crowd")
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for err == nil && x.On { // recorded just after the plan
		select {
		case <-look.C:
			x, err = c.archive.AwaitSurge(ctx, "crowd")
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil || x.By != release.By || !strings.Contains(x.Reason, "does not have it") {
		t.Errorf("a surge the plan lost: %+v, %v", x, err)
	}
	c.await(c.archive.Rollback(ctx, 1, "manager1", "back"))
	if on := c.surgesOn(); len(on) > 0 {
		t.Errorf("routing has %v on", on)
	}

	var trail []string
	if err := c.archive.Audit(ctx, 1, func(e release.Entry) error {
		if e.Surge != "" {
			trail = append(trail, string(e.Action)+" "+e.Surge+" "+e.By)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"surge_on storm sup1", "surge_applied storm c3i", "surge_on crowd sup2", "surge_applied crowd c3i",
		"surge_off storm sup1", "surge_applied storm c3i", "surge_off crowd c3i",
	}
	if !slices.Equal(trail, want) {
		t.Errorf("the trail is %q, want %q", trail, want)
	}
	if err := c.archive.Verify(ctx); err != nil {
		t.Error(err)
	}
	if releases, err := c.archive.List(ctx); err != nil || len(releases) != 3 {
		t.Errorf("%d releases, %v", len(releases), err)
	}
}

// The journal knows a surge the archive lost, and the archive one the journal lost.
func TestSurgesOfALostArchiveOrJournal(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	ctx := testContext(t)
	c.start(stormy(t, "storm"), false)
	c.surge("storm", true)
	c.stopRun()
	client := c.server.Client()
	if err := client.Del(ctx, "{plans}:releases", "{plans}:sources", "{plans}:audit").Err(); err != nil {
		t.Fatal(err)
	}
	c.start(stormy(t, "storm"), false)
	list, err := c.archive.Surges(ctx)
	if err != nil || len(list) != 1 || !list[0].On || list[0].By != release.By {
		t.Errorf("with the archive lost: %+v, %v", list, err)
	}
	c.stopRun()
	keys, err := client.Keys(ctx, "{journal}*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("the journal's keys: %v, %v", keys, err)
	}
	if err := client.Del(ctx, keys...).Err(); err != nil {
		t.Fatal(err)
	}
	c.store = journal.NewRedis(client, "journal", journal.Retention{})
	c.start(stormy(t, "storm"), false)
	if on := c.surgesOn(); !slices.Equal(on, []string{"storm"}) {
		t.Errorf("with the journal lost routing has %v on", on)
	}
}
