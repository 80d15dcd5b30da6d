package plan_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

var update = flag.Bool("update", false, "rewrite the expected problems in testdata")

func TestIsPure(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "routing"}, Forbid: importrule.Pure()})
}

// Every broken plan gives exactly the problems beside it, all at once. The files
// beside them are rewritten with -update and reviewed as a diff.
func TestBrokenPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d broken plans, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			src := readFile(t, file)
			doc, problems := plan.Parse(name, []byte(src))
			if (doc == nil) != problems.HasErrors() {
				t.Errorf("a document came: %v; errors: %v", doc != nil, problems.HasErrors())
			}
			if len(problems) == 0 {
				t.Error("nothing wrong was found")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := problems.String()
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readFile(t, golden), got); diff != "" {
				t.Errorf("-expected +got:\n%s", diff)
			}
		})
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func seed(t testing.TB) *routing.Plan {
	t.Helper()
	p, problems := plan.Compile("plan.yaml", 4, []byte(readFile(t, "../../configs/plan.yaml")))
	if len(problems) > 0 {
		t.Fatalf("the plan that ships has problems:\n%s", problems)
	}
	return p
}

func TestTheSeedPlanCompiles(t *testing.T) {
	p := seed(t)
	if p.RingBackWindow != 10*contact.Minute {
		t.Errorf("a place is kept for %s", p.RingBackWindow)
	}
	if p.Version != 4 || p.DefaultQueue != "general" || p.ShortAbandon != 5*contact.Second {
		t.Errorf("plan %+v", p)
	}
	var queues []string
	for _, q := range p.Queues {
		queues = append(queues, string(q.ID))
		for _, c := range contact.Channels() {
			if q.AnswerWithin[c] <= 0 {
				t.Errorf("queue %s has no target for %s", q.ID, c)
			}
		}
	}
	if diff := cmp.Diff([]string{"crime", "existing", "general", "property"}, queues); diff != "" {
		t.Errorf("queues are not in the order of the text:\n%s", diff)
	}
	if got := p.Queues[0].AnswerWithin; got[contact.Phone] != 30*contact.Second || got[contact.Email] != 4*contact.Hour {
		t.Errorf("crime takes the plan's targets: %v", got)
	}
	if got := p.Queues[1].AnswerWithin; got[contact.Phone] != contact.Minute || got[contact.Email] != 4*contact.Hour {
		t.Errorf("existing overrides the phone only: %v", got)
	}
	if w := p.Queues[0].WrapUp; w == nil || w.Limit != 5*contact.Minute {
		t.Errorf("crime's wrap-up is %+v", w)
	}
	want := routing.OfferPolicy{
		RingFor:      map[contact.Channel]contact.Duration{"phone": 20 * contact.Second, "email": 2 * contact.Minute, "web": 2 * contact.Minute},
		NoAnswerRest: 30 * contact.Second, DeclineRest: 10 * contact.Second, FailedRest: 10 * contact.Second, AlertAfter: 3,
	}
	if diff := cmp.Diff(want, p.Offer); diff != "" {
		t.Errorf("offers:\n%s", diff)
	}
	if r := p.Rules[0]; !r.Class0 || r.Queue != "general" || !r.Match(routing.RuleInput{Facts: contact.Facts{Answers: map[string]string{"emergency": "not_connected"}}}) {
		t.Errorf("somebody in danger does not come first: %+v", r)
	}
	profile := routing.Profile{
		Name:     "crime-desk",
		Skills:   []routing.SkillLevel{{Skill: "lang.en", Level: 5}, {Skill: "report.crime", Level: 5}, {Skill: "report.existing", Level: 3}},
		Capacity: map[contact.Channel]int{"phone": 1, "email": 3, "web": 3},
	}
	if diff := cmp.Diff(profile, p.Profiles[0]); diff != "" {
		t.Errorf("profile:\n%s", diff)
	}
}

// route is the first rule that matches, as the engine chooses.
func route(p *routing.Plan, in routing.RuleInput) (queue routing.QueueID, credit contact.Duration) {
	for _, r := range p.Rules {
		if r.Match(in) {
			return r.Queue, r.Credit
		}
	}
	return p.DefaultQueue, 0
}

func TestEveryCallLandsInAnOpenQueueTheSeedHandlersServe(t *testing.T) {
	p := seed(t)
	answers := func(menu string) contact.Facts {
		return contact.Facts{Language: "en", Answers: map[string]string{"menu": menu}}
	}
	for name, c := range map[string]struct {
		facts  contact.Facts
		queue  routing.QueueID
		credit contact.Duration
	}{
		"pressed 9, not connected":    {contact.Facts{Answers: map[string]string{"menu": "crime", "emergency": "not_connected"}}, "general", 0},
		"report a crime":              {answers("crime"), "crime", 0},
		"existing report":             {answers("existing"), "existing", 0},
		"something else":              {answers("other"), "general", 0},
		"asks for a handler":          {answers("handler"), "general", 0},
		"left the menu unanswered":    {contact.Facts{}, "general", 0},
		"an answer nobody thought of": {answers("parking"), "general", 0},
		"vulnerable, crime":           {contact.Facts{Answers: map[string]string{"menu": "crime"}, Vulnerable: true}, "crime", contact.Minute},
		"keeps calling":               {contact.Facts{Contacts30d: 3}, "general", 30 * contact.Second},
		"handler, report open":        {contact.Facts{Answers: map[string]string{"menu": "handler"}, OpenReports: 1}, "existing", 0},
	} {
		t.Run(name, func(t *testing.T) {
			queue, credit := route(p, routing.RuleInput{Channel: contact.Phone, Facts: c.facts})
			if queue != c.queue || credit != c.credit {
				t.Errorf("goes to %s with credit %s, want %s with %s", queue, credit, c.queue, c.credit)
			}
			for _, q := range p.Queues {
				if q.ID == queue && q.Hours != nil {
					t.Errorf("queue %s has opening hours: a first call at night would be turned away", queue)
				}
			}
		})
	}
	// The three seed handlers can serve every queue in one of their languages.
	for _, q := range p.Queues {
		served := false
		for _, pr := range p.Profiles {
			able := pr.Capacity[contact.Phone] > 0
			for _, n := range q.Needs {
				has := false
				for _, s := range pr.Skills {
					has = has || s.Skill == n.Skill && s.Level >= n.Min
				}
				able = able && has
			}
			served = served || able
		}
		if !served {
			t.Errorf("nobody serves %s", q.ID)
		}
	}
}

const small = `time_zone: Europe/London
default_queue: desk
answer_within: {phone: 30s, email: 4h, web: 4h}
not_ready_reasons: {break: Break}
outcomes: {done: Done}
profiles: {all: {}}
queues: {desk: {}}
`

// match compiles one condition in a small plan.
func match(t *testing.T, condition string) func(routing.RuleInput) bool {
	t.Helper()
	src := small + fmt.Sprintf("rules: [{name: r, when: %q, queue: desk}]\n", condition)
	p, problems := plan.Compile("p", 1, []byte(src))
	if problems.HasErrors() {
		t.Fatalf("%s:\n%s", condition, problems)
	}
	return p.Rules[0].Match
}

func TestConditions(t *testing.T) {
	in := routing.RuleInput{Channel: contact.Phone, Facts: contact.Facts{
		Language: "pl", Dialled: "101", CLI: contact.CLIWithheld, Answers: map[string]string{"menu": "crime", "odd label": "x"},
		Person: "01P", Contacts30d: 3, OpenReports: 1, RepeatVictim: true,
	}, Figures: func(id routing.QueueID) routing.QueueFigures {
		if id != "desk" {
			t.Errorf("asked for the figures of %q", id)
		}
		return routing.QueueFigures{Waiting: 4, Staffed: 2, EstimatedWait: 90*contact.Second + 1}
	}}
	for condition, want := range map[string]bool{
		`channel == "phone"`:                             true,
		`channel != "phone"`:                             false,
		`channel in ["email", "web"]`:                    false,
		`language not in ["en", "bn"]`:                   true,
		`dialled == "101" and cli == "withheld"`:         true,
		`dialled == '101' && not (cli == "presented")`:   true,
		`answers.menu == "crime"`:                        true,
		`answers["odd label"] == "x"`:                    true,
		`answers.reference == ""`:                        true,
		`answers.reference != ""`:                        false,
		`caller.known`:                                   true,
		`!caller.vulnerable`:                             true,
		`caller.repeat_victim == true`:                   true,
		`caller.contacts_30d >= 3`:                       true,
		`caller.contacts_30d > 3`:                        false,
		`1 < caller.contacts_30d < 4`:                    true,
		`caller.open_reports in [1, 2]`:                  true,
		`caller.open_reports > -1`:                       true,
		`caller.contacts_30d < 3.5`:                      true,
		`caller.open_reports == 1.0`:                     true,
		`caller.vulnerable or caller.contacts_30d >= 3`:  true,
		`caller.vulnerable and caller.contacts_30d >= 3`: false,
		`"en" == language`:                               false,
		`queues.desk.waiting >= 4`:                       true,
		`queues.desk.staffed in [0, 1]`:                  false,
		`queues.desk.estimated_wait > 90`:                true,
		`queues["desk"].estimated_wait > 91`:             false,
		"channel == \"phone\"\nand\nlanguage == \"pl\"":  true,
		`true`: true,
	} {
		if got := match(t, condition)(in); got != want {
			t.Errorf("%s is %v, want %v", condition, got, want)
		}
	}
	// Total: nothing known of the contact at all.
	for _, condition := range []string{`answers.menu == "crime"`, `caller.known`, `channel in ["phone"]`, `queues.desk.waiting > 0`} {
		if match(t, condition)(routing.RuleInput{}) {
			t.Errorf("%s matches nothing at all", condition)
		}
	}
}

func TestConditionsAreBounded(t *testing.T) {
	long := strings.Repeat("caller.known and ", 150) + "true"
	for name, condition := range map[string]string{
		"too many nodes": long,
		"too long":       strings.Repeat(" ", 5000) + "true",
		"too deep":       strings.Repeat("(", 3000) + "true" + strings.Repeat(")", 3000),
		"many nots":      strings.Repeat("!", 3000) + "true",
	} {
		src := small + fmt.Sprintf("rules: [{name: r, when: %q, queue: desk}]\n", condition)
		if _, problems := plan.Compile("p", 1, []byte(src)); !problems.HasErrors() && name != "too deep" {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLoadKeepsSourceAndIgnoresWarnings(t *testing.T) {
	src := small + "skills: {unused: Nobody}\n"
	doc, problems := plan.Parse("p.yaml", []byte(src))
	if doc == nil || len(problems) != 1 || problems[0].Severity != plan.Warning || problems.Err() != nil {
		t.Fatalf("problems:\n%s", problems)
	}
	if doc.Source != src || doc.TimeZone != "Europe/London" || doc.Skills[0].Label != "Nobody" {
		t.Errorf("document %+v", doc)
	}
	p, err := plan.Load(7, doc.Source)
	if err != nil || p.Version != 7 {
		t.Errorf("load gave %+v, %v", p, err)
	}
	if _, err := plan.Load(7, "queues: ["); err == nil || !strings.Contains(err.Error(), "plan version 7:1:") {
		t.Errorf("a bad source gave %v", err)
	}
	zone, err := plan.Zone(src)
	if err != nil || zone.Local(0).Minute != 60 { // British Standard Time held on 1 January 1970
		t.Errorf("zone at the epoch: %+v, %v", zone.Local(0), err)
	}
}

func TestCallbacksCompile(t *testing.T) {
	src := strings.Replace(small, "queues: {desk: {}}", `queues:
  desk: {callback: {over: 5m, attempts: 2, spacing: 10m, ring: 45s, hours: {mon-fri: "08:00-20:00"}}}
  plain: {callback: {}}
  none: {}
announce: {every: 1m}`, 1)
	p, problems := plan.Compile("p", 1, []byte(src))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	desk := *p.Queues[0].Callback
	if !desk.Hours(contact.Local{Weekday: 1, Minute: 8 * 60}) || desk.Hours(contact.Local{Weekday: 1, Minute: 20 * 60}) {
		t.Error("people may be rung at other hours than the plan says")
	}
	desk.Hours = nil
	if want := (routing.CallbackPolicy{Over: 5 * contact.Minute, Attempts: 2, Spacing: 10 * contact.Minute, RingFor: 45 * contact.Second}); desk.Over != want.Over ||
		desk.Attempts != want.Attempts || desk.Spacing != want.Spacing || desk.RingFor != want.RingFor {
		t.Errorf("callbacks of desk are %+v, want %+v", desk, want)
	}
	plain, want := p.Queues[1].Callback, routing.CallbackDefault()
	if plain == nil || plain.Hours != nil || plain.Over != 0 || plain.Attempts != want.Attempts || plain.Spacing != want.Spacing || plain.RingFor != want.RingFor {
		t.Errorf("callbacks of plain are %+v, want the defaults", plain)
	}
	if p.Queues[2].Callback != nil {
		t.Error("a queue rings back although its plan does not say so")
	}
}

func TestTheCourseOfAContactCompiles(t *testing.T) {
	src := strings.Replace(small, "queues: {desk: {}}", `skills: {crime: Crime, lang.pl: Polish}
queues:
  desk:
    needs: {crime: 3}
    language_skill: true
    preferred: {wait: 30s}
    announce: {every: 1m}
    relax:
      steps:
        - {after: 60s, name: juniors, needs: {crime: 1}}
        - {after: 5m, name: interpreter, needs: {crime: 1}, any_language: true}
      last: interpreter
    overflow: [{after: 10m, to: spare}]
  spare: {overflow: [{after: 10m, to: desk}]}
  silent: {announce: never}
announce: {first: 20s, every: 2m}`, 1)
	p, problems := plan.Compile("p", 1, []byte(src))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	desk := p.Queues[0]
	wantSteps := []routing.RelaxStep{
		{Name: "juniors", After: contact.Minute, Needs: []routing.Need{{Skill: "crime", Min: 1}}},
		{Name: "interpreter", After: 5 * contact.Minute, Needs: []routing.Need{{Skill: "crime", Min: 1}}, AnyLanguage: true},
	}
	if diff := cmp.Diff(wantSteps, desk.Relax); diff != "" {
		t.Errorf("relaxation:\n%s", diff)
	}
	if diff := cmp.Diff([]routing.OverflowStep{{After: 10 * contact.Minute, To: "spare"}}, desk.Overflow); diff != "" {
		t.Errorf("overflow:\n%s", diff)
	}
	for i, want := range []*routing.AnnouncePolicy{{First: contact.Minute, Every: contact.Minute}, {First: 20 * contact.Second, Every: 2 * contact.Minute}, nil} {
		if diff := cmp.Diff(want, p.Queues[i].Announce); diff != "" {
			t.Errorf("announcements of %s:\n%s", p.Queues[i].ID, diff)
		}
	}
	if desk.Preferred == nil || desk.Preferred.Wait != 30*contact.Second || p.Queues[1].Preferred != nil {
		t.Errorf("preferred: %+v and %+v", desk.Preferred, p.Queues[1].Preferred)
	}
}

func TestSurgesCompile(t *testing.T) {
	src := strings.Replace(small, "queues: {desk: {}}", `queues: {desk: {overflow: [{after: 5m, to: spare}]}, spare: {}}
surges:
  flood:
    label: Flood in the county
    queues:
      desk: {answer_within: {phone: 5m}, overflow: [{after: 1m, to: spare}], announce: {every: 30s}}
      spare: {announce: never}
  quiet: {queues: {desk: {overflow: []}}}`, 1)
	p, problems := plan.Compile("p", 1, []byte(src))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	want := []routing.Surge{
		{Name: "flood", Label: "Flood in the county", Queues: []routing.SurgeQueue{
			{
				Queue: "desk", AnswerWithin: map[contact.Channel]contact.Duration{contact.Phone: 5 * contact.Minute},
				Overflow: []routing.OverflowStep{{After: contact.Minute, To: "spare"}},
				Announce: &routing.AnnouncePolicy{First: 30 * contact.Second, Every: 30 * contact.Second},
			},
			{Queue: "spare", Silent: true},
		}},
		{Name: "quiet", Label: "quiet", Queues: []routing.SurgeQueue{{Queue: "desk", Overflow: []routing.OverflowStep{}}}},
	}
	if diff := cmp.Diff(want, p.Surges); diff != "" {
		t.Errorf("surges:\n%s", diff)
	}
}

func TestTooLargeAPlanIsRefused(t *testing.T) {
	_, problems := plan.Parse("p", []byte(strings.Repeat("# padding\n", 40_000)))
	if len(problems) != 1 || problems[0].Code != "too_large" {
		t.Errorf("problems:\n%s", problems)
	}
}

// Deep nesting must not exhaust the stack, nor take long.
func TestDeepNestingIsRefused(t *testing.T) {
	for name, src := range map[string]string{
		"lists":    "queues: " + strings.Repeat("[", 100_000),
		"mappings": "queues: " + strings.Repeat("{a: ", 50_000),
		"dashes":   strings.Repeat("- ", 100_000),
	} {
		if _, problems := plan.Parse("p", []byte(src)); !problems.HasErrors() {
			t.Errorf("%s: accepted", name)
		}
	}
}
