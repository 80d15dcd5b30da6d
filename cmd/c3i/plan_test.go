package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/routing/release"
)

func shippedPlan(t *testing.T) string {
	t.Helper()
	b, err := configs.Files.ReadFile("plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func planFile(t *testing.T, seconds string) string {
	t.Helper()
	text := strings.Replace(shippedPlan(t), "\n  phone: 30s\n", "\n  phone: "+seconds+"\n", 1)
	if text == shippedPlan(t) {
		t.Fatal("the shipped plan no longer has the line this test changes")
	}
	name := filepath.Join(t.TempDir(), "plan-"+seconds+".yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func says(t *testing.T, want string, args ...string) {
	t.Helper()
	out, errOut, code := call(t, args...)
	if code != exitOK || !strings.Contains(out, want) {
		t.Errorf("c3i %s: code %d\n%s%s\nwant %q", strings.Join(args, " "), code, out, errOut, want)
	}
}

// Publishing, rolling back and explaining beside a running C3i, then a start that
// finds what was published while it did not run.
func TestPlansOfARunningC3i(t *testing.T) {
	data := newFolder(t)
	p := up(t, data)
	at := []string{"--data_dir", data}
	do := func(want string, args ...string) {
		t.Helper()
		says(t, want, append(args, at...)...)
	}
	do("1        published", "plan", "list")
	began := time.Now()
	do("plan version 2 is in force\n", "plan", "publish", planFile(t, "40s"), "--as", "manager1", "--reason", "calmer")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("publishing took %s", took)
	}
	do("~ answer_within: phone: 30s → 40s\n", "plan", "diff", "1", "current")
	do("plan version 3 waits for a second person", "plan", "publish", planFile(t, "50s"), "--as", "manager1", "--reason", "calmer still", "--needs-approval")
	do("plan version 3 is in force\n", "plan", "approve", "3", "--as", "manager2", "--reason", "agreed")
	do("plan version 4 is in force\n", "plan", "rollback", "1", "--as", "manager2", "--reason", "people wait too long")
	do("the two are the same text\n", "plan", "diff", "1", "current")
	do("published by c3i", "plan", "audit")
	do("CONTACT", "why", "--list")
	if _, errOut, code := call(t, append(at, "plan", "rollback", "4", "--as", "m", "--reason", "r")...); code != exitFailed ||
		!strings.Contains(errOut, "plan version 4 is in force already") {
		t.Errorf("roll back to what is in force: code %d, %s", code, errOut)
	}
	p.interrupt()
	if code := p.exit(); code != exitOK {
		t.Fatalf("code %d: %s", code, p.err)
	}
	do("plan version 5 is kept; C3i does not run, and puts it in force at its next start", "plan", "publish", planFile(t, "55s"), "--as", "manager1", "--reason", "again")
	p = up(t, data)
	do("5        published", "plan", "list")
	p.interrupt()
	p.exit()
	says(t, "the journal gives the same state", "replay", "--data_dir", data)
}

func TestPlanDeskPutsTheArchiveIntoTheWordsOfTheAPI(t *testing.T) {
	server := redisForTest(t)
	archive := release.New(server, archiveName, nil)
	text := loadContent(configs.Defaults())
	if err := text.err(); err != nil {
		t.Fatal(err)
	}
	a := &app{}
	d := planDesk{archive, a.planProblems(text)}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	code := func(what string, err error, want string) {
		t.Helper()
		e, is := err.(*agentdesk.Error) //nolint:errorlint // the API gets it as it is
		if !is || e.Code != want || !strings.HasSuffix(e.Message, ".") {
			t.Errorf("%s: %#v, want code %s and a sentence", what, err, want)
		}
	}
	_, err := d.Get(ctx, 0)
	code("nothing in force", err, agentdesk.CodeNotFound)
	if _, err := archive.Adopt(ctx, 1, shippedPlan(t)); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Get(ctx, 0); err != nil || r.Version != 1 || r.Source != shippedPlan(t) || r.State != "published" {
		t.Errorf("in force: %v %+v", err, r)
	}
	_, err = d.Get(ctx, 9)
	code("unknown", err, agentdesk.CodeNotFound)
	_, err = d.Publish(ctx, "boss", agentdesk.PlanProposal{Source: shippedPlan(t), Reason: "same"})
	code("the plan in force", err, agentdesk.CodeConflict)
	_, err = d.Publish(ctx, "boss", agentdesk.PlanProposal{Source: shippedPlan(t) + "#", Reason: "two\nlines"})
	code("odd reason", err, agentdesk.CodeInvalid)
	misfit := strings.Replace(shippedPlan(t), "closed_announcement: closed", "closed_announcement: shut", 1)
	for what, source := range map[string]string{"a plan with a mistake": "queues: 1", "a plan that names no prompt there is": misfit} {
		bad, is := func() (*agentdesk.BadPlan, bool) {
			_, err := d.Publish(ctx, "boss", agentdesk.PlanProposal{Source: source, Reason: "r"})
			b, is := err.(*agentdesk.BadPlan) //nolint:errorlint // the API gets it as it is
			return b, is
		}()
		if !is || len(bad.Problems) == 0 {
			t.Errorf("%s was taken", what)
			continue
		}
		if problems, err := d.Check(ctx, source); err != nil || len(problems) != len(bad.Problems) {
			t.Errorf("%s: checked %v, %v", what, problems, err)
		}
	}
	r, err := d.Publish(ctx, "boss", agentdesk.PlanProposal{Source: shippedPlan(t) + "# more\n", Reason: "r", NeedsApproval: true})
	if err != nil || r.State != "awaiting_approval" || r.Author != "boss" {
		t.Errorf("publish: %v %+v", err, r)
	}
	_, err = d.Approve(ctx, r.Version, "boss", "mine")
	code("own approval", err, agentdesk.CodeConflict)
	list, err := d.List(ctx)
	if err != nil || len(list) != 2 {
		t.Errorf("list: %v %v", err, list)
	}
	if b, err := json.Marshal(list); err != nil || strings.Contains(string(b), "time_zone") {
		t.Errorf("a list holds texts, or %v", err)
	}
	_, err = explainer(server)(ctx, "nobody")
	code("unknown contact", err, agentdesk.CodeNotFound)
}

func redisForTest(t *testing.T) redis.UniversalClient {
	t.Helper()
	p, err := startRedis(t.Context(), configs.Defaults().Redis, filepath.Join(bareFolder(t), "redis"))
	if err != nil {
		t.Fatal(err)
	}
	client := redisClient(configs.Defaults().Redis, p.socket)
	t.Cleanup(func() {
		_ = client.Close()
		p.stop(context.Background())
	})
	return client
}

func TestReadTime(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 6, 1, 9, 30, 0, 0, time.UTC) // 10:30 in London
	for text, want := range map[string]string{
		"+90m":                 "2027-06-01T11:00:00Z",
		"10:31":                "2027-06-01T09:31:00Z",
		"10:30":                "2027-06-02T09:30:00Z", // tomorrow
		"2027-12-01T06:00":     "2027-12-01T06:00:00Z",
		"2027-07-01 06:00":     "2027-07-01T05:00:00Z",
		"2027-07-01T06:00:00Z": "2027-07-01T06:00:00Z",
		"soon":                 "",
		"25:00":                "",
		"+":                    "",
		"2027-02-30T06:00":     "",
	} {
		got, err := readTime(text, london, now)
		if want == "" && err == nil || want != "" && (err != nil || got.UTC().Format(time.RFC3339) != want) {
			t.Errorf("%q: %s, %v; want %q", text, got.UTC(), err, want)
		}
	}
}
