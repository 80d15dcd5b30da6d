package crm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

func TestAReportHasNumbersClocksAndTasks(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Numbers: []string{"07700 900100"}, Vulnerable: true})
	w.call("c1", "07700 900100")
	r := w.create(crm.Report{Category: "bicycle", Summary: "Bicycle taken from a rack.", Parties: []crm.Party{
		{Person: p.ID, Roles: []crm.PartyRole{crm.RoleVictim, crm.RoleReporter}, WantsSupport: yes()},
	}}, "c1")
	if r.Version != 2 || r.Kind != crm.KindIncident || r.CrimeNumber != "" || r.Status != crm.StatusNew { // created, then linked
		t.Errorf("report = %+v", r)
	}
	if r.RecordBy != r.Created.Add(24*contact.Hour) || r.ReassessBy != 0 {
		t.Errorf("record by %s, reassess by %s", r.RecordBy, r.ReassessBy)
	}
	if r.Channel != contact.Phone || r.Method != "101_voice" || r.Language != "en" || !r.Vulnerable || r.Parties[0].Name != "Ada Green" {
		t.Errorf("what the contact and the person say was not taken: %+v", r)
	}
	if want := []contact.ID{"c1"}; !slices.Equal(r.Contacts, want) {
		t.Errorf("contacts = %v", r.Contacts)
	}
	if r.Retention.Group != 3 || r.Retention.Review != contact.At(r.Created.Time().AddDate(7, 0, 0)) {
		t.Errorf("retention = %+v", r.Retention)
	}
	if diff := cmp.Diff([]string{crm.TaskNeeds, crm.TaskRecord, crm.TaskSupport}, w.open(r.ID)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if due := w.task(r.ID, crm.TaskSupport).Due; due != r.Created.Add(2*contact.Day) {
		t.Errorf("support referral due %s", due)
	}
	if !strings.HasPrefix(r.IncidentNumber, "1/02MAR26") {
		t.Errorf("first incident number of the day = %s", r.IncidentNumber)
	}
	for _, typed := range []string{r.Reference, strings.ToLower(strings.ReplaceAll(r.Reference, "-", " ")), r.IncidentNumber, "CAD 1/02mar26"} {
		if got, err := w.ReportByReference(t.Context(), typed); err != nil || got.ID != r.ID {
			t.Errorf("ReportByReference(%q) = %s, %v", typed, got.ID, err)
		}
	}
	for _, typed := range []string{"", "nothing", "2/02MAR26", "ABC-DEF-GHJ"} {
		if _, err := w.ReportByReference(t.Context(), typed); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("ReportByReference(%q): %v", typed, err)
		}
	}
	w.wait(contact.Day)
	if second := w.create(crm.Report{}, ""); !strings.HasPrefix(second.IncidentNumber, "1/03MAR26") {
		t.Errorf("first incident number of the next day = %s", second.IncidentNumber)
	}
	f := w.call("c2", "07700 900100")
	if f.OpenReports != 1 {
		t.Errorf("routing is told of %d open reports, want 1", f.OpenReports)
	}
	pop := pop(t, w.Store, "c2", f)
	if len(pop.Reports) != 1 || pop.Reports[0].ID != r.ID || pop.Reports[0].Summary != r.Summary {
		t.Errorf("reports at the screen-pop = %+v", pop.Reports)
	}
	if d, ok := w.index.doc("report", string(r.ID)); !ok || !slices.Contains(d.References, r.Reference) || !strings.Contains(d.Words, "Bicycle") {
		t.Errorf("search was told %+v", d)
	}
}

func TestCreatingTwiceWithOneIDMakesOneReport(t *testing.T) {
	w := newWorld(t)
	w.call("c1", "07700 900101")
	var wg sync.WaitGroup
	got := make([]crm.Report, 8)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = w.CreateReport(w.as("ann", ""), crm.Report{ID: "R1", Summary: "once"}, "c1"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kept := w.report("R1")
	for _, g := range got {
		if g.Reference != kept.Reference || g.IncidentNumber != kept.IncidentNumber {
			t.Errorf("one creation returned %s %s, kept is %s %s", g.Reference, g.IncidentNumber, kept.Reference, kept.IncidentNumber)
		}
	}
	if len(kept.Contacts) != 1 {
		t.Errorf("contacts = %v", kept.Contacts)
	}
	if next := w.create(crm.Report{}, ""); !strings.HasPrefix(next.IncidentNumber, "2/") {
		t.Errorf("the next incident is %s: a number was lost", next.IncidentNumber)
	}
}

func TestEveryFieldThatIsWrongIsNamed(t *testing.T) {
	w := newWorld(t)
	far := 200.0
	_, err := w.CreateReport(t.Context(), crm.Report{
		Status: "done", Offence: "46", From: w.at().Add(contact.Hour), To: w.at().Add(-contact.Hour),
		Place: crm.Place{Postcode: "nowhere", Latitude: &far}, Grade: crm.GradeImmediate,
		Parties:  []crm.Party{{Name: "Ada"}, {Roles: []crm.PartyRole{crm.RoleSuspect}}, {Roles: []crm.PartyRole{"king"}, UpdatesBy: "pigeon"}},
		Property: []crm.Property{{Status: "sold"}, {Status: "stolen", Unique: "490154203237519", UniqueType: "imei"}},
		Vehicles: []crm.Vehicle{{Status: "stolen", VRM: "AB12-CDE"}},
	}, "")
	want := map[string]string{
		"status": "choice", "offence_code": "form", "from": "future", "to": "order", "place.postcode": "form",
		"parties[0].roles": "required", "parties[1].description": "required", "parties[2].roles": "choice", "parties[2].updates_by": "choice",
		"property[0].status": "choice", "property[1].unique": "form", "vehicles[0].vrm": "form", "place.latitude": "form",
	}
	if diff := cmp.Diff(want, codes(err)); diff != "" || !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("refused fields (-want +got):\n%s\n%v", diff, err)
	}
	if _, err := w.CreateReport(t.Context(), crm.Report{Grade: crm.GradeImmediate, Outcome: 1}, ""); codes(err)["grade"] != "assessment" || codes(err)["outcome_type"] != "decision" {
		t.Errorf("a report was created with a grade and an outcome: %v", err)
	}
	if _, err := w.CreateReport(t.Context(), crm.Report{Parties: []crm.Party{{Person: "nobody", Roles: []crm.PartyRole{crm.RoleVictim}}}}, ""); codes(err)["parties[0].person"] != "unknown" {
		t.Errorf("a party nobody knows: %v", err)
	}
}

// Two handlers have one report open. Each adds a line to the summary as often as
// it takes; if one save were lost, a line would be missing.
func TestTwoHandlersNeverLoseAnUpdate(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{Summary: "start"}, "")
	const each = 15
	var wg sync.WaitGroup
	for _, who := range []string{"ann", "ben"} {
		wg.Go(func() {
			mine, err := w.Report(w.as(who, ""), r.ID)
			for i := 0; i < each; {
				if err != nil {
					t.Error(err)
					return
				}
				edit := mine
				edit.Summary += fmt.Sprintf("\n%s %d", who, i)
				var saved crm.Report
				if saved, err = w.SaveReport(w.as(who, ""), edit); err == nil {
					i++
				} else if errors.Is(err, crm.ErrConflict) {
					if saved.Version <= mine.Version {
						t.Errorf("a conflict at version %d returned version %d as the newest", mine.Version, saved.Version)
					}
					err = nil
				}
				mine = saved
			}
		})
		// Meanwhile things are appended.
		wg.Go(func() {
			for i := range each {
				if _, err := w.Update(w.as(who, ""), r.ID, crm.PublicUpdate{Text: fmt.Sprint("update ", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := w.report(r.ID)
	if lines := strings.Count(got.Summary, "\n"); lines != 2*each {
		t.Errorf("%d of %d lines were kept", lines, 2*each)
	}
	if len(got.Updates) != 2*each || got.Version != uint64(1+4*each) {
		t.Errorf("%d updates, version %d", len(got.Updates), got.Version)
	}
}

func TestSavingLeavesAloneWhatHasStepsOfItsOwn(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{Summary: "s"}, "")
	if _, err := w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "We are looking into it."}); err != nil {
		t.Fatal(err)
	}
	r = w.report(r.ID)
	edit := r
	edit.Updates, edit.Reference, edit.CrimeNumber, edit.Kind, edit.RecordBy, edit.Created = nil, "X", "Y", crm.KindCrime, 0, 1
	edit.Summary = "changed"
	got, err := w.SaveReport(w.as("ann", ""), edit)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Updates) != 1 || got.Reference != r.Reference || got.CrimeNumber != "" || got.Kind != crm.KindIncident || got.RecordBy != r.RecordBy || got.Created != r.Created {
		t.Errorf("saved = %+v", got)
	}
	if e := w.trail.last(); e.Operation != audit.Alter || !slices.Equal(e.Fields, []string{"summary"}) || e.Actor.ID != "ann" {
		t.Errorf("the trail says %+v", e)
	}
	edit = got
	edit.Grade, edit.Outcome, edit.Status = crm.GradeExtended, 18, crm.StatusClosed
	_, err = w.SaveReport(t.Context(), edit)
	if diff := cmp.Diff(map[string]string{"grade": "assessment", "outcome_type": "decision", "status": "assessment"}, codes(err)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if _, err := w.SaveReport(t.Context(), crm.Report{ID: "none", Version: 1}); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("saving what is not there: %v", err)
	}
}

func TestAGradeNeedsAnAssessmentMadeForIt(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{}, "")
	assess := func(id string, g crm.Grade) {
		t.Helper()
		_, err := w.Assess(w.as("ann", ""), r.ID, crm.Assessment{ID: id, Rationale: "because", Grade: g})
		w.must(err)
	}
	refused := func(g crm.Grade, by string) {
		t.Helper()
		if _, err := w.SetGrade(t.Context(), r.ID, g, by); codes(err)["grade"] != "assessment" {
			t.Errorf("grade %s by %q: %v", g, by, err)
		}
	}
	refused(crm.GradeExtended, "a1")
	assess("a1", crm.GradeExtended)
	refused(crm.GradeImmediate, "a1")
	got, err := w.SetGrade(t.Context(), r.ID, crm.GradeExtended, "a1")
	w.must(err)
	if got.Grade != crm.GradeExtended || got.ReassessBy != w.at().Add(48*contact.Hour) || got.Status != crm.StatusOpen {
		t.Errorf("graded = %+v", got)
	}
	// A repeat of the same step is no error and no change.
	if again, err := w.SetGrade(t.Context(), r.ID, crm.GradeExtended, "a1"); err != nil || again.Version != got.Version {
		t.Errorf("repeated: version %d, %v", again.Version, err)
	}
	w.wait(contact.Hour)
	assess("a2", crm.GradeImmediate)
	assess("a3", crm.GradeSignificant)
	refused(crm.GradeImmediate, "a2")
	got, err = w.SetGrade(t.Context(), r.ID, crm.GradeSignificant, "a3")
	w.must(err)
	refused(crm.GradeExtended, "a1")
	if got.ReassessBy != w.at().Add(contact.Hour) || len(got.Assessments) != 3 || got.Assessments[0].Reason != "first" {
		t.Errorf("re-graded = %+v", got)
	}
	if ts, err := w.Tasks(t.Context(), crm.TaskQuery{Report: r.ID, Kind: crm.TaskReassess}); err != nil || len(ts) != 1 || ts[0].Due != got.ReassessBy {
		t.Errorf("open tasks to assess again = %+v, %v", ts, err)
	}
	// Once assessed, the clock's task is done; the next starts.
	assess("a4", crm.GradeReferred)
	got, err = w.SetGrade(t.Context(), r.ID, crm.GradeReferred, "a4")
	w.must(err)
	if got.ReassessBy != 0 || slices.Contains(w.open(r.ID), crm.TaskReassess) {
		t.Errorf("a referred report still has a clock: %s, %v", got.ReassessBy, w.open(r.ID))
	}
	if _, err := w.Assess(t.Context(), r.ID, crm.Assessment{Grade: "Q", Threat: crm.Strand{Level: "dire"}}); len(codes(err)) != 3 {
		t.Errorf("a bad assessment: %v", err)
	}
}

func TestANewContactAsksForANewAssessment(t *testing.T) {
	w := newWorld(t)
	w.call("c1", "07700 900102")
	r := w.create(crm.Report{}, "c1")
	if _, err := w.Assess(t.Context(), r.ID, crm.Assessment{ID: "a1", Rationale: "calm", Grade: crm.GradeReferred}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SetGrade(t.Context(), r.ID, crm.GradeReferred, "a1"); err != nil {
		t.Fatal(err)
	}
	w.wait(contact.Hour)
	w.call("c2", "07700 900102")
	w.must(w.LinkContact(t.Context(), "c2", r.ID))
	got := w.report(r.ID)
	if got.ReassessBy != w.at().Add(15*contact.Minute) || !slices.Contains(w.open(r.ID), crm.TaskReassess) {
		t.Errorf("reassess by %s, open %v", got.ReassessBy, w.open(r.ID))
	}
	w.must(w.LinkContact(t.Context(), "c2", r.ID))
	if again := w.report(r.ID); again.Version != got.Version {
		t.Error("linking again changed the report")
	}
}

func TestTheRecordingDecision(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Emails: []string{"ada@example.org"}})
	r := w.create(crm.Report{Category: "theft", Parties: []crm.Party{victim(p)}}, "")
	decide := func(d crm.Decision) error {
		_, err := w.Decide(w.as("ann", ""), r.ID, d)
		return err
	}
	for _, bad := range []struct {
		d     crm.Decision
		field string
	}{
		{crm.Decision{Step: "guess"}, "step"},
		{crm.Decision{Step: crm.StepBalance, Answer: "perhaps"}, "answer"},
		{crm.Decision{Step: crm.StepCRI, Reason: "dunno"}, "reason"},
		{crm.Decision{Step: crm.StepCancel, Reason: crm.ReasonDuplicate}, "avi"},
		{crm.Decision{Step: crm.StepCancel, Reason: crm.ReasonDuplicate, AVI: "log"}, "step"},
		{crm.Decision{Step: crm.StepOutcome, Answer: "23"}, "answer"},
		{crm.Decision{Step: crm.StepOutcome, Answer: "18"}, "step"},
	} {
		if err := decide(bad.d); codes(err)[bad.field] == "" {
			t.Errorf("%+v: %v, want %s refused", bad.d, err, bad.field)
		}
	}
	w.must(decide(crm.Decision{Step: crm.StepConcernsCrime, Answer: "yes"}))
	w.must(decide(crm.Decision{Step: crm.StepBalance, Answer: "no", Reason: "unclear yet"}))
	if err := decide(crm.Decision{Step: crm.StepRecord}); codes(err)["step"] != "contradiction" {
		t.Errorf("recorded against the trail: %v", err)
	}
	w.must(decide(crm.Decision{Step: crm.StepBalance, Answer: "yes", Reason: "CCTV"}))
	w.must(decide(crm.Decision{ID: "d1", Step: crm.StepRecord}))
	w.must(decide(crm.Decision{ID: "d1", Step: crm.StepRecord})) // a repeat
	got := w.report(r.ID)
	if got.Kind != crm.KindCrime || !strings.HasPrefix(got.CrimeNumber, "0000001/26") || got.RecordBy != 0 || len(got.Decisions) != 4 {
		t.Errorf("recorded = %+v", got)
	}
	if done := w.task(r.ID, crm.TaskRecord); done.Done == 0 || done.DoneBy != "ann" {
		t.Errorf("task = %+v", done)
	}
	if byCrime, err := w.ReportByReference(t.Context(), "1/26"); err != nil || byCrime.ID != r.ID {
		t.Errorf("by crime number: %s, %v", byCrime.ID, err)
	}
	if !slices.Contains(w.open(r.ID), crm.TaskConfirmation) {
		t.Errorf("no written confirmation is due: %v", w.open(r.ID))
	}
	w.must(decide(crm.Decision{Step: crm.StepReclassify, Answer: "046/00", AVI: "shop's CCTV"}))
	w.must(decide(crm.Decision{Step: crm.StepOutcome, Answer: "18"}))
	if got = w.report(r.ID); got.Offence != "046/00" || got.Outcome != 18 {
		t.Errorf("decided = %s, %d", got.Offence, got.Outcome)
	}
	// Monday 2 March: five working days end on Monday 9 March.
	if due := w.task(r.ID, crm.TaskUpdate).Due; due != w.at().Add(7*contact.Day) {
		t.Errorf("victim to be told by %s", due)
	}
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "For witnesses.", For: []crm.PartyRole{crm.RoleWitness}}))
	if !slices.Contains(w.open(r.ID), crm.TaskUpdate) {
		t.Error("telling witnesses ended the task of telling the victim")
	}
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "The investigation is complete."}))
	if slices.Contains(w.open(r.ID), crm.TaskUpdate) {
		t.Errorf("the victim was told, and is still to be: %v", w.open(r.ID))
	}
	second := w.create(crm.Report{}, "")
	w.must2(w.Decide(t.Context(), second.ID, crm.Decision{Step: crm.StepCRI, Reason: crm.ReasonNotCrime + ": lost, not stolen"}))
	if cri := w.report(second.ID); cri.RecordBy != 0 || cri.Kind != crm.KindIncident {
		t.Errorf("cri = %+v", cri)
	}
}

func (w *world) must2(_ crm.Report, err error) { w.t.Helper(); w.must(err) }

func TestVictimsClocksKeepToWorkingDays(t *testing.T) {
	w := newWorld(t)
	// Thursday 2 April 2026, before Good Friday and Easter Monday.
	w.now.Store(int64(contact.At(time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC))))
	p := w.person(crm.Person{Name: "Ada Green"})
	enhanced := victim(p)
	enhanced.EnhancedRights = true
	for _, c := range []struct {
		party crm.Party
		want  time.Time
	}{
		{victim(p), time.Date(2026, 4, 13, 9, 0, 0, 0, time.UTC)},
		{enhanced, time.Date(2026, 4, 7, 9, 0, 0, 0, time.UTC)},
	} {
		r := w.create(crm.Report{Parties: []crm.Party{c.party}}, "")
		w.must2(w.Decide(t.Context(), r.ID, crm.Decision{Step: crm.StepCRI, Reason: crm.ReasonNotCrime}))
		if due := w.task(r.ID, crm.TaskUpdate).Due; due != contact.At(c.want) {
			t.Errorf("enhanced %v: due %s, want %s", c.party.EnhancedRights, due, c.want)
		}
	}
}

func TestNothingIsWrittenToWhomItWouldPutAtRisk(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		safe crm.SafeContact
		by   string
		send bool
	}{
		"nothing known":  {crm.SafeContact{}, "", true},
		"never":          {crm.SafeContact{Rule: "never"}, "", false},
		"phone only":     {crm.SafeContact{Rule: "limited", Methods: []string{"phone"}}, "", false},
		"e-mail allowed": {crm.SafeContact{Rule: "limited", Methods: []string{"email"}}, "", true},
		"asked not to":   {crm.SafeContact{}, "none", false},
	} {
		p := w.person(crm.Person{Name: "Ada Green", Safe: c.safe})
		party := victim(p)
		party.UpdatesBy = c.by
		r := w.create(crm.Report{Parties: []crm.Party{party}}, "")
		w.must2(w.Decide(t.Context(), r.ID, crm.Decision{Step: crm.StepRecord}))
		if got := slices.Contains(w.open(r.ID), crm.TaskConfirmation); got != c.send {
			t.Errorf("%s: a written confirmation is due: %v, want %v", name, got, c.send)
		}
		if !c.send && !slices.Contains(w.open(r.ID), crm.TaskOther) {
			t.Errorf("%s: nobody is asked to tell them in a safe way", name)
		}
	}
	// Safe when recorded, unsafe later: saving the report withholds it.
	p := w.person(crm.Person{Name: "Eve Brown"})
	r := w.create(crm.Report{Parties: []crm.Party{victim(p)}}, "")
	w.must2(w.Decide(t.Context(), r.ID, crm.Decision{Step: crm.StepRecord}))
	p.Safe.Rule = "never"
	w.person(p)
	if slices.Contains(w.open(r.ID), crm.TaskConfirmation) {
		t.Error("a confirmation is still due to somebody who must not be written to")
	}
}

func TestRepeatsAreSeenByNumberPersonAndAddress(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green"})
	home := crm.Place{Premises: "Flat 2", Street: "12 High Street", Postcode: "sw1a1aa"}
	w.call("c1", "07700 900103")
	first := w.create(crm.Report{Parties: []crm.Party{victim(p)}, Place: home}, "c1")
	if first.RepeatVictim || first.RepeatBecause != nil || first.Place.Postcode != "SW1A 1AA" {
		t.Errorf("the first report is marked %v at %q", first.RepeatBecause, first.Place.Postcode)
	}
	w.wait(contact.Hour)
	w.call("c2", "07700 900103")
	for name, c := range map[string]struct {
		r    crm.Report
		from contact.ID
		want []string
	}{
		"number":       {crm.Report{}, "c2", []string{crm.RepeatNumber}},
		"person":       {crm.Report{Parties: []crm.Party{victim(p)}}, "", []string{crm.RepeatPerson}},
		"address":      {crm.Report{Place: crm.Place{Premises: "flat 2", Postcode: "SW1A 1AA"}}, "", []string{crm.RepeatAddress}},
		"neighbour":    {crm.Report{Place: crm.Place{Premises: "Flat 3", Postcode: "SW1A 1AA"}}, "", nil},
		"street":       {crm.Report{Place: crm.Place{Postcode: "SW1A 1AA"}}, "", nil},
		"as a suspect": {crm.Report{Parties: []crm.Party{{Person: p.ID, Roles: []crm.PartyRole{crm.RoleSuspect}}}}, "", nil},
		"told":         {crm.Report{RepeatVictim: true}, "", []string{crm.RepeatTold}},
	} {
		r := w.create(c.r, c.from)
		if !slices.Equal(r.RepeatBecause, c.want) || r.RepeatVictim != (len(c.want) > 0) {
			t.Errorf("%s: repeat because %v, want %v", name, r.RepeatBecause, c.want)
		}
	}
	w.now.Store(int64(contact.At(w.at().Time().AddDate(1, 0, 1))))
	if r := w.create(crm.Report{Parties: []crm.Party{victim(p)}}, ""); r.RepeatVictim {
		t.Errorf("a report after more than twelve months is marked %v", r.RepeatBecause)
	}
}

func TestAReportFollowsItsParties(t *testing.T) {
	w := newWorld(t)
	ada, ben := w.person(crm.Person{Name: "Ada Green"}), w.person(crm.Person{Name: "Ben White"})
	r := w.create(crm.Report{Parties: []crm.Party{victim(ada)}}, "")
	count := func(p crm.Person) int {
		t.Helper()
		rs, err := w.ReportsOf(t.Context(), p.ID)
		w.must(err)
		return len(rs)
	}
	if count(ada) != 1 || count(ben) != 0 {
		t.Fatalf("ada has %d, ben %d", count(ada), count(ben))
	}
	edit := w.report(r.ID)
	edit.Parties = []crm.Party{victim(ben)}
	w.must2(w.SaveReport(t.Context(), edit))
	if count(ada) != 0 || count(ben) != 1 {
		t.Errorf("after the change ada has %d, ben %d", count(ada), count(ben))
	}
	w.must2(w.Assess(t.Context(), r.ID, crm.Assessment{Rationale: "low", Grade: crm.GradeReferred}))
	edit = w.report(r.ID)
	edit.Status = crm.StatusClosed
	w.must2(w.SaveReport(t.Context(), edit))
	w.person(crm.Person{ID: ben.ID, Name: "Ben White", Numbers: []string{"07700 900104"}})
	if f := w.call("c1", "07700 900104"); f.OpenReports != 0 || count(ben) != 1 {
		t.Errorf("a closed report counts as open: %d, listed %d", f.OpenReports, count(ben))
	}
}

func TestARestrictedReportIsOpenedForAReasonOnly(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Numbers: []string{"07700 900105"}})
	r := w.create(crm.Report{Restricted: true, Summary: "secret", Parties: []crm.Party{victim(p)}}, "")
	if _, err := w.Report(w.as("ann", ""), r.ID); !errors.Is(err, crm.ErrRestricted) {
		t.Fatalf("read without a reason: %v", err)
	}
	if e := w.trail.last(); e.Operation != audit.Denied || e.Actor.ID != "ann" || e.ObjectID != string(r.ID) {
		t.Errorf("the trail says %+v", e)
	}
	for name, do := range map[string]func() error{
		"save": func() error { _, err := w.SaveReport(w.as("ann", ""), r); return err },
		"assess": func() error {
			_, err := w.Assess(w.as("ann", ""), r.ID, crm.Assessment{Rationale: "x", Grade: "R"})
			return err
		},
		"messages": func() error { _, err := w.ReportMessages(w.as("ann", ""), r.ID); return err },
	} {
		if err := do(); !errors.Is(err, crm.ErrRestricted) {
			t.Errorf("%s without a reason: %v", name, err)
		}
	}
	if got, err := w.Report(w.as("ann", "caller on the line"), r.ID); err != nil || got.Summary != "secret" {
		t.Errorf("read for a reason: %v", err)
	}
	if e := w.trail.last(); e.Operation != audit.BreakGlass || e.Actor.Reason == "" {
		t.Errorf("the trail says %+v", e)
	}
	pop := pop(t, w.Store, "c1", w.call("c1", "07700 900105"))
	if len(pop.Reports) != 1 || pop.Reports[0].Summary != "" || len(pop.Reports[0].Parties) != 0 {
		t.Errorf("the screen-pop tells of a restricted report: %+v", pop.Reports)
	}
}

func TestWhatIsLookedAtIsOnTheTrailOrNotShown(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Numbers: []string{"07700 900106"}})
	f := w.call("c1", "07700 900106")
	r := w.create(crm.Report{}, "c1")
	if diff := cmp.Diff([]audit.Operation{audit.Collect, audit.Alter}, w.trail.of("report", string(r.ID))); diff != "" {
		t.Errorf("creating is on the trail (-want +got):\n%s", diff)
	}
	w.report(r.ID)
	if ops := w.trail.of("report", string(r.ID)); ops[len(ops)-1] != audit.Consult {
		t.Errorf("a view is not on the trail: %v", ops)
	}
	w.trail.stop(errors.New("the trail is away"))
	for name, look := range map[string]func() error{
		"report": func() error { _, err := w.Report(t.Context(), r.ID); return err },
		"person": func() error { _, err := w.Person(t.Context(), p.ID); return err },
		"number": func() error { _, err := w.ByNumber(t.Context(), "07700 900106"); return err },
		"pop":    func() error { _, err := w.Pop(t.Context(), "c1", f); return err },
		"find":   func() error { _, err := w.FindPeople(t.Context(), crm.Clues{Name: "Ada Green"}); return err },
	} {
		if look() == nil {
			t.Errorf("%s was shown and is not on the trail", name)
		}
	}
	// What is written is written; the trail is owed its line.
	edit := r
	edit.Summary = "changed"
	if _, err := w.SaveReport(w.as("ann", ""), edit); err != nil {
		t.Fatal(err)
	}
	if n := w.owed(); n != 1 {
		t.Errorf("%d notes are owed, want 1", n)
	}
	w.trail.stop(nil)
	w.must(w.Settle(t.Context()))
	if e := w.trail.last(); e.Operation != audit.Alter || e.Actor.ID != "ann" || w.owed() != 0 {
		t.Errorf("the trail says %+v, %d owed", e, w.owed())
	}
	if v, err := w.trail.log.Verify(t.Context()); err != nil || v.Entries == 0 {
		t.Errorf("the chain = %+v, %v", v, err)
	}
}

func TestASearchIndexThatWasAwayIsToldLater(t *testing.T) {
	w := newWorld(t)
	w.index.away(true)
	r := w.create(crm.Report{Summary: "a red bicycle"}, "")
	p := w.person(crm.Person{Name: "Ada Green"})
	w.index.away(false)
	w.must(w.Settle(t.Context()))
	for kind, id := range map[string]string{"report": string(r.ID), "person": string(p.ID)} {
		if _, ok := w.index.doc(kind, id); !ok {
			t.Errorf("the index was never told of the %s", kind)
		}
	}
	if ops := w.trail.of("report", string(r.ID)); len(ops) != 1 {
		t.Errorf("the trail has %v for one creation", ops)
	}
}

func TestTasks(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{}, "")
	late, err := w.SaveTask(w.as("ann", ""), crm.Task{Report: r.ID, Kind: "call_back", Text: "Ring back.", Due: w.at().Add(-contact.Minute), Owner: "ann"})
	w.must(err)
	loose, err := w.SaveTask(w.as("ann", ""), crm.Task{Kind: "send_failed", Text: "A message was not sent.", Due: w.at().Add(contact.Hour)})
	w.must(err)
	list := func(q crm.TaskQuery) []string {
		t.Helper()
		ts, err := w.Tasks(t.Context(), q)
		w.must(err)
		out := []string{}
		for _, x := range ts {
			out = append(out, x.Kind)
		}
		return out
	}
	for name, c := range map[string]struct {
		q    crm.TaskQuery
		want []string
	}{
		"all":     {crm.TaskQuery{}, []string{"call_back", "send_failed", crm.TaskRecord}},
		"mine":    {crm.TaskQuery{Owner: "ann"}, []string{"call_back"}},
		"nobody":  {crm.TaskQuery{Unowned: true}, []string{"send_failed", crm.TaskRecord}},
		"late":    {crm.TaskQuery{Before: w.at()}, []string{"call_back"}},
		"kind":    {crm.TaskQuery{Kind: "send_failed"}, []string{"send_failed"}},
		"report":  {crm.TaskQuery{Report: r.ID}, []string{"call_back", crm.TaskRecord}},
		"limited": {crm.TaskQuery{Limit: 1}, []string{"call_back"}},
	} {
		if diff := cmp.Diff(c.want, list(c.q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	late.Owner = "ben"
	if _, err := w.SaveTask(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if len(list(crm.TaskQuery{Owner: "ann"})) != 0 || len(list(crm.TaskQuery{Owner: "ben"})) != 1 {
		t.Error("a task did not move to its new owner")
	}
	w.must(w.DoneTask(w.as("ben", ""), late.ID, "no answer"))
	w.must(w.DoneTask(w.as("ann", ""), late.ID, "again"))
	w.must(w.DoneTask(t.Context(), loose.ID, "sent"))
	if got := list(crm.TaskQuery{}); len(got) != 1 {
		t.Errorf("open tasks = %v", got)
	}
	if done := w.task(r.ID, "call_back"); done.DoneBy != "ben" || done.Result != "no answer" {
		t.Errorf("done = %+v", done)
	}
	if _, err := w.SaveTask(t.Context(), late); !errors.Is(err, crm.ErrConflict) {
		t.Errorf("a done task was changed: %v", err)
	}
	// The clock's own task keeps its time.
	clock := w.task(r.ID, crm.TaskRecord)
	clock.Due, clock.Owner = clock.Due.Add(contact.Day), "ann"
	if got, err := w.SaveTask(t.Context(), clock); err != nil || got.Due != r.RecordBy || got.Owner != "ann" {
		t.Errorf("clock's task = %+v, %v", got, err)
	}
	for _, id := range []string{"", "x", "none.task", string(r.ID) + ".none"} {
		if err := w.DoneTask(t.Context(), id, ""); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("DoneTask(%q): %v", id, err)
		}
	}
}
