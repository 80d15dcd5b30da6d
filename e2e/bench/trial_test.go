package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/c3i/e2e/sipphone"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// phonesFor opens the two ends of a trial with nothing between them.
func phonesFor(t *testing.T, tr *trial) (callers, handlers *sipphone.Phone) {
	t.Helper()
	ctx := testContext(t)
	handlers, err := sipphone.Listen(ctx, sipphone.Options{NoMedia: true, OnInvite: tr.invited})
	must(t, err)
	callers, err = sipphone.Listen(ctx, sipphone.Options{NoMedia: true})
	must(t, err)
	t.Cleanup(func() {
		must(t, callers.Close())
		must(t, handlers.Close())
	})
	return callers, handlers
}

func mustTrial(t *testing.T, l load) *trial {
	t.Helper()
	tr, err := newTrial(l)
	must(t, err)
	return tr
}

func TestATrialSeesEveryCallServed(t *testing.T) {
	tr := mustTrial(t, load{rate: 10, calls: 5, hold: 10 * time.Millisecond, patience: 20 * time.Second})
	callers, handlers := phonesFor(t, tr)
	tr.load.target = handlers.URI("h0000")
	o, err := tr.run(testContext(t), callers)
	must(t, err)
	if len(o.faults) > 0 || len(o.rings) != 5 || len(o.frees) != 0 {
		t.Errorf("%d rings, %d frees, faults %q", len(o.rings), len(o.frees), o.faults)
	}
	for _, d := range o.rings {
		if d <= 0 || d > 5*time.Second {
			t.Errorf("a phone rang %v after the caller's INVITE", d)
		}
	}
	if o.took < 400*time.Millisecond {
		t.Errorf("five calls at ten a second took %v", o.took)
	}
}

func TestATrialSeesAPhoneRungDuringACall(t *testing.T) {
	tr := mustTrial(t, load{rate: 100, calls: 2, hold: 500 * time.Millisecond, patience: 20 * time.Second})
	callers, handlers := phonesFor(t, tr)
	tr.load.target = handlers.URI("h0000")
	o, err := tr.run(testContext(t), callers)
	must(t, err)
	if !slices.Contains(o.faults, "a phone was rung during a call") || !slices.Contains(o.faults, "a caller was not answered") {
		t.Errorf("faults %q", o.faults)
	}
}

func TestATrialSeesACallerNobodyServes(t *testing.T) {
	tr := mustTrial(t, load{rate: 100, calls: 1, hold: time.Millisecond, patience: 50 * time.Millisecond})
	ctx := testContext(t)
	silent, err := sipphone.Listen(ctx, sipphone.Options{NoMedia: true}) // takes calls and does not answer
	must(t, err)
	callers, _ := phonesFor(t, tr)
	tr.load.target = silent.URI("h0000")
	o, err := tr.run(ctx, callers)
	must(t, err)
	must(t, silent.Close())
	if !slices.Contains(o.faults, "a caller was not answered") || len(o.rings) != 0 {
		t.Errorf("%d rings, faults %q", len(o.rings), o.faults)
	}
}

func TestFreeingCountsOnlyInABacklog(t *testing.T) {
	now := time.Now()
	tests := map[string]struct {
		placed, backlog int
		want            int
	}{
		"a backlog":          {placed: 4, backlog: 2, want: 1},
		"too short a one":    {placed: 2, backlog: 2, want: 0},
		"not being measured": {placed: 4, backlog: 0, want: 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := mustTrial(t, load{rate: 1, calls: 4, backlog: test.backlog})
			tr.placed = test.placed
			if f := tr.rang(now, "h0000", callerNumber(0)); f != "" {
				t.Fatal(f)
			}
			tr.free("h0000", true)
			if f := tr.rang(now.Add(time.Hour), "h0000", callerNumber(1)); f != "" {
				t.Fatal(f)
			}
			if len(tr.frees) != test.want {
				t.Errorf("counted %v, want %d", tr.frees, test.want)
			}
		})
	}
}

func TestRingsThatMustNotBe(t *testing.T) {
	now := time.Now()
	tr := mustTrial(t, load{rate: 1, calls: 3})
	if f := tr.rang(now, "h0000", callerNumber(0)); f != "" {
		t.Fatal(f)
	}
	tests := map[string]struct{ phone, number, want string }{
		"unknown caller":     {"h0001", "07700900999", "for nobody"},
		"phone in a call":    {"h0000", callerNumber(1), "during a call"},
		"caller served":      {"h0001", callerNumber(0), "second phone"},
		"another free phone": {"h0002", callerNumber(2), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := tr.rang(now, test.phone, test.number)
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPopCountsOncePerCaller(t *testing.T) {
	now := time.Now()
	tr := mustTrial(t, load{rate: 1, calls: 1})
	tr.calls[callerNumber(0)].sent = now
	tr.popped("07700900999", now)
	tr.popped(callerNumber(0), now.Add(time.Second))
	tr.popped(callerNumber(0), now.Add(time.Minute))
	if o := tr.results(); len(o.pops) != 1 || o.pops[0] != time.Second {
		t.Errorf("pops %v", o.pops)
	}
}

func TestHoldVariesByAFifth(t *testing.T) {
	tr := mustTrial(t, load{rate: 1, calls: callerNumbers, hold: time.Second})
	seen := map[time.Duration]bool{}
	for i := range callerNumbers {
		d := tr.holdOf(callerNumber(i))
		if d < 800*time.Millisecond || d > 1200*time.Millisecond {
			t.Fatalf("caller %d is held %v", i, d)
		}
		seen[d] = true
	}
	if len(seen) < 200 {
		t.Errorf("only %d different lengths", len(seen))
	}
}

func TestCallersHaveNumbersOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for i := range callerNumbers {
		seen[callerNumber(i)] = true
	}
	if len(seen) != callerNumbers {
		t.Errorf("%d numbers for %d callers", len(seen), callerNumbers)
	}
	if _, err := newTrial(load{rate: 1, calls: callerNumbers + 1}); err == nil {
		t.Error("more callers than numbers were accepted")
	}
}
