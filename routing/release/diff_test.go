package release_test

import (
	"strings"
	"testing"

	"example.org/c3i/routing/plan"
	"example.org/c3i/routing/release"
)

func TestDiffSaysWhatChanged(t *testing.T) {
	t.Parallel()
	base := shipped(t)
	swap := func(text, from, to string) string {
		t.Helper()
		if !strings.Contains(text, from) {
			t.Fatalf("the shipped plan no longer has %q", from)
		}
		return strings.Replace(text, from, to, 1)
	}
	existing := "  - name: existing report\n    when: answers.menu == \"existing\"\n    queue: existing\n"
	for name, c := range map[string]struct {
		a, b string
		want []string
	}{
		"nothing":                    {base, base, nil},
		"comments":                   {base, "# new\n" + swap(base, "# The plan: which", "# A plan: which"), nil},
		"duration written otherwise": {base, swap(base, "  limit: 3m", "  limit: 180s"), nil},
		"default":                    {base, swap(base, "answer_within:\n  phone: 30s", "answer_within:\n  phone: 45s"), []string{"~ answer_within: phone: 30s → 45s"}},
		"queue field": {
			base, swap(base, "answer_within: {phone: 3m, email: 1d, web: 1d}", "answer_within: {phone: 2m, email: 1d}"),
			[]string{"~ queue property: answer_within.phone: 3m → 2m", "~ queue property: answer_within.web: 1d → (not given)"},
		},
		"queue and skill added": {
			base, swap(swap(base, "\n  property: Lost and found property\n", "\n  property: Lost and found property\n  bikes: Bicycles\n"),
				"\nqueues:\n", "\nqueues:\n  bikes: {label: Bicycles, needs: {bikes: 1}}\n"),
			[]string{"+ skill bikes: Bicycles", "+ queue bikes: {label: Bicycles, needs: {bikes: 1}}"},
		},
		"rule removed": {base, swap(base, existing, ""), []string{`- rule existing report: {when: answers.menu == "existing", queue: existing}`}},
		"rule added":   {swap(base, existing, ""), base, []string{`+ rule existing report: at place 4, {when: answers.menu == "existing", queue: existing}`}},
		"rule moved":   {base, swap(swap(base, existing, ""), "rules:\n", "rules:\n"+existing), []string{"~ rule existing report: was tried at place 4, now at place 1"}},
		"rule changed": {base, swap(base, "credit: 1m", "credit: 2m"), []string{"~ rule vulnerable caller reports a crime: credit: 1m → 2m"}},
		"holiday":      {base, swap(base, "2026-12-25: closed", "2026-12-25: 10:00-14:00"), []string{"~ holiday 2026-12-25: closed → 10:00-14:00"}},
		"profile":      {base, swap(base, "report.crime: 5, report.existing: 3}", "report.crime: 4, report.existing: 3}"), []string{"~ profile crime-desk: skills.report.crime: 5 → 4"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{c.a, c.b} {
				if _, problems := plan.Parse("p", []byte(text)); problems.HasErrors() {
					t.Fatal(problems)
				}
			}
			changes, err := release.Diff(c.a, c.b)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ch := range changes {
				got = append(got, ch.String())
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			back, err := release.Diff(c.b, c.a)
			if err != nil {
				t.Fatal(err)
			}
			if len(back) != len(changes) {
				t.Errorf("%d changes one way, %d the other", len(changes), len(back))
			}
		})
	}
}

func TestDiffTextIsUnified(t *testing.T) {
	t.Parallel()
	got := release.DiffText("a", "one\ntwo\nthree\n", "b", "one\n2\nthree\n")
	if want := "diff a b\n--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"; got != want {
		t.Errorf("got %q", got)
	}
	if got := release.DiffText("a", "x\n", "b", "x\n"); got != "" {
		t.Errorf("equal texts differ: %q", got)
	}
}

func TestDiffTakesPlansOnly(t *testing.T) {
	t.Parallel()
	good := shipped(t)
	for name, bad := range map[string]string{
		"empty": "", "not a mapping": "- 1", "broken": "a: [", "aliases": "a: &a [x]\nb: *a\n" + good, "not text": "\xff",
	} {
		for _, pair := range [][2]string{{good, bad}, {bad, good}} {
			if changes, err := release.Diff(pair[0], pair[1]); err == nil {
				t.Errorf("%s was compared: %v", name, changes)
			}
		}
	}
}

// Parts of a small plan are changed at random: what plan.Parse takes is compared
// both ways, and with itself.
func FuzzDiff(f *testing.F) {
	f.Add("30s", "true", "label: General", "risk_to_life: true")
	f.Add("1m", "answers.menu == \"x\"", "label: [1]", "needs: {a: 1}")
	f.Add("~", "false", "language_skill: true", "credit: 0s")
	f.Fuzz(func(t *testing.T, within, when, queue, rule string) {
		one := smallPlan("30s", "true", "label: General", "credit: 1s")
		two := smallPlan(within, when, queue, rule)
		if _, problems := plan.Parse("p", []byte(two)); problems.HasErrors() {
			return
		}
		there, err := release.Diff(one, two)
		if err != nil {
			t.Fatal(err)
		}
		back, err := release.Diff(two, one)
		if err != nil || len(back) != len(there) {
			t.Errorf("%d changes one way, %d the other, %v", len(there), len(back), err)
		}
		if same, err := release.Diff(two, two); err != nil || len(same) > 0 {
			t.Errorf("a plan differs from itself: %v, %v", same, err)
		}
	})
}

func smallPlan(within, when, queue, rule string) string {
	return "time_zone: Europe/London\ndefault_queue: general\nmax_credit: 5m\nanswer_within: {phone: " + within + ", email: 4h, web: 4h}\n" +
		"profiles: {desk: {}}\nnot_ready_reasons: {lunch: Lunch}\noutcomes: {advice: Advice}\nqueues:\n  general:\n    " + queue +
		"\nrules:\n  - name: one\n    when: " + when + "\n    queue: general\n    " + rule + "\n"
}
