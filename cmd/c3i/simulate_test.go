package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/configs"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing/sim"
)

// tiny is a profile that takes no time to simulate.
const tiny = `
name: tiny
start: 2026-03-02
per_day: 120
patience: {law: exponential, mean: 3m}
mix: [{share: 1, language: en, answers: {menu: crime}}]
staff: [{profile: crime-desk, per_hour: [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]}]
`

func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSimulateComparesAndWritesEveryForm(t *testing.T) {
	dir := t.TempDir()
	shipped, err := configs.Files.ReadFile("plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	profile := put(t, dir, "tiny.yaml", tiny)
	draft := put(t, dir, "draft.yaml", strings.Replace(string(shipped), "phone: 30s", "phone: 45s", 1))
	page, table := filepath.Join(dir, "out.html"), filepath.Join(dir, "out.csv")
	out, errOut, code := call(t, "simulate", "--compare", draft, "--profile", profile, "--replications", "3", "--seed", "7", "--html", page, "--csv-out", table)
	if code != exitOK || !strings.Contains(errOut, "seed 7\n") || !strings.Contains(out, "DIFFERENCE draft.yaml less plan.yaml") || !strings.Contains(out, "promise different times") {
		t.Fatalf("code %d: %s%s", code, errOut, out)
	}
	for name, want := range map[string]string{page: "</html>", table: "plan,queue,channel,hour,metric,mean,low,high,replications\n"} {
		b, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, _, code := call(t, "simulate", "--compare", draft, "--profile", profile, "--replications", "3", "--seed", "7", "--json")
	var report sim.Report
	if err := json.Unmarshal([]byte(again), &report); err != nil || code != exitOK {
		t.Fatalf("code %d: %v", code, err)
	}
	if len(report.Plans) != 2 || !report.Complete || report.Replications != 3 || report.Plans[0].Total.Figure(sim.Offered).Mean < 60 {
		t.Errorf("%+v", report.Plans[0].Total)
	}
}

func TestSimulateATableAndStaff(t *testing.T) {
	dir := t.TempDir()
	profile := put(t, dir, "tiny.yaml", tiny)
	table := put(t, dir, "calls.csv", "time,answers.menu,handling\n2026-03-02 09:00:00,crime,5m\n2026-03-02 09:01:00,crime,\n")
	out, errOut, code := call(t, "simulate", "--csv", table, "--profile", profile, "--replications", "2")
	if code != exitOK || !strings.Contains(out, "calls.csv: 2 contacts") {
		t.Errorf("code %d: %s%s", code, errOut, out)
	}
	out, errOut, code = call(t, "simulate", "--staff", "--target", "70%", "--profile", profile, "--replications", "2")
	if code != exitOK || !strings.Contains(out, "Erlang A") || !strings.Contains(out, "profile: crime-desk") {
		t.Errorf("code %d: %s%s", code, errOut, out)
	}
}

func TestSimulateSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	profile := put(t, dir, "tiny.yaml", tiny)
	broken := put(t, dir, "broken.yaml", "queues: [")
	table := put(t, dir, "bad.csv", "time,chanel\n")
	wrong := put(t, dir, "wrong.yaml", strings.Replace(tiny, "per_day: 120", "per_day: many", 1))
	empty := redistest.Start(t).Options().Addr
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a profile that is not there":  {[]string{"--profile", "large-force-2014-averge"}, exitUsage, "did you mean large-force-2014-average"},
		"a file that is not there":     {[]string{"--profile", "./none.yaml"}, exitFailed, "none.yaml"},
		"a wrong profile":              {[]string{"--profile", wrong}, exitFailed, "wrong.yaml:4:10"},
		"a broken plan":                {[]string{"--profile", profile, broken}, exitFailed, "broken.yaml:1:"},
		"a wrong table":                {[]string{"--profile", profile, "--csv", table}, exitFailed, "bad.csv:1:6: chanel"},
		"nothing to compare":           {[]string{"--compare"}, exitUsage, "--compare needs a plan"},
		"journal and table":            {[]string{"--journal", "--csv", table}, exitUsage, "exclude each other"},
		"no replication":               {[]string{"--replications", "0"}, exitUsage, "--replications"},
		"unknown formula":              {[]string{"--formula", "SL-9"}, exitUsage, "SL-1, SL-2"},
		"unknown growth":               {[]string{"--growth", "some"}, exitUsage, "--growth"},
		"a target above all":           {[]string{"--profile", profile, "--staff", "--target", "150%"}, exitUsage, "--target"},
		"a day that is none":           {[]string{"--profile", profile, "--from", "soon"}, exitUsage, "not a date"},
		"a journal's beginning":        {[]string{"--journal", "--from", "soon"}, exitUsage, "--from"},
		"an end without a journal":     {[]string{"--to", "2026-03-02"}, exitUsage, "--to goes with --journal"},
		"days of a journal":            {[]string{"--journal", "--days", "2"}, exitUsage, "--days"},
		"a journal with nothing in it": {[]string{"--journal", "--redis.addrs", empty}, exitFailed, "no contact arrived"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errOut, code := call(t, append([]string{"simulate"}, c.args...)...)
			if code != c.code || !strings.Contains(errOut, c.want) || out != "" {
				t.Errorf("code %d, want %d: %s%s", code, c.code, errOut, out)
			}
		})
	}
}
