package crm_test

import (
	"slices"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// setClock moves the world's clock to a civil time in London.
func (w *world) setClock(text string) {
	w.t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	w.must(err)
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	w.must(err)
	w.now.Store(int64(contact.At(at)))
}

func (w *world) tasks(id crm.ReportID, kind string) []crm.Task {
	w.t.Helper()
	ts, err := w.Tasks(w.t.Context(), crm.TaskQuery{Report: id, Kind: kind})
	w.must(err)
	return ts
}

// No clock is without its task, also one that was stopped and starts anew.
func TestAClockThatStartsAnewHasATaskAgain(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada", Numbers: []string{"07700 900130"}})
	w.call("c1", "07700 900130")
	r := w.create(crm.Report{Summary: "x", Parties: []crm.Party{victim(p)}}, "c1")
	grade := func(g crm.Grade) {
		t.Helper()
		r, err := w.Assess(w.as("ann", ""), r.ID, crm.Assessment{Rationale: "so", Grade: g})
		w.must(err)
		_, err = w.SetGrade(w.as("ann", ""), r.ID, g, r.Assessments[len(r.Assessments)-1].ID)
		w.must(err)
	}
	status := func(s crm.ReportStatus) {
		t.Helper()
		w.wait(contact.Hour)
		r := w.report(r.ID)
		r.Status = s
		_, err := w.SaveReport(w.as("ann", ""), r)
		w.must(err)
	}
	due := func(why string) {
		t.Helper()
		got := w.report(r.ID)
		if ts := w.tasks(r.ID, crm.TaskReassess); got.ReassessBy == 0 || len(ts) != 1 || ts[0].Due != got.ReassessBy {
			t.Errorf("%s: the clock runs to %s, tasks %+v", why, got.ReassessBy, ts)
		}
	}
	grade(crm.GradeExtended)
	due("graded")
	for range 3 {
		status(crm.StatusClosed)
		if ts := w.tasks(r.ID, crm.TaskReassess); len(ts) != 0 || w.report(r.ID).ReassessBy != 0 {
			t.Errorf("closed: %+v", ts)
		}
		if ts := w.tasks(r.ID, crm.TaskUpdate); len(ts) != 1 {
			t.Errorf("closed: %d tasks to tell the victim", len(ts))
		}
		_, err := w.Update(w.as("ann", ""), r.ID, crm.PublicUpdate{Text: "closed"})
		w.must(err)
		status(crm.StatusOpen)
		due("reopened")
	}
	grade(crm.GradeReferred)
	if w.report(r.ID).ReassessBy != 0 {
		t.Error("a referred report has a clock")
	}
	w.call("c2", "07700 900130")
	w.must(w.LinkContact(t.Context(), "c2", r.ID))
	due("a new contact")
}

func TestAVictimMayChangeTheirMindAboutSupport(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada"})
	r := w.create(crm.Report{Summary: "x", Parties: []crm.Party{victim(p)}}, "")
	wants := func(v bool, want ...contact.Instant) {
		t.Helper()
		r := w.report(r.ID)
		r.Parties[0].WantsSupport = &v
		_, err := w.SaveParty(w.as("", ""), r.ID, 0, r.Parties[0])
		w.must(err)
		var got []contact.Instant
		for _, t := range w.tasks(r.ID, crm.TaskSupport) {
			got = append(got, t.Due)
		}
		if !slices.Equal(got, want) {
			t.Errorf("wants %v: due %v, want %v", v, got, want)
		}
	}
	wants(false)
	w.wait(10 * contact.Day)
	wants(true, w.at().Add(2*contact.Day))
	asked := w.at()
	w.wait(contact.Hour)
	wants(true, asked.Add(2*contact.Day)) // asking again moves nothing
	wants(false)
	w.wait(contact.Hour)
	wants(true, w.at().Add(2*contact.Day))
	// Who was referred is not referred twice.
	w.must(w.DoneTask(w.as("ann", ""), w.tasks(r.ID, crm.TaskSupport)[0].ID, "referred"))
	wants(true)
}

// Domain: 5 working days, 1 with enhanced rights: of serious crime, of the
// vulnerable. Across weekends, bank holidays, the turn of the year and the nights
// on which the clocks change.
func TestWorkingDaysToTellTheVictim(t *testing.T) {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		now    string
		report crm.Report
		party  crm.Party
		want   string
	}{
		"a plain Monday":                {now: "2026-03-02 10:00", want: "2026-03-09 10:00"},
		"a Saturday":                    {now: "2026-03-07 10:00", want: "2026-03-13 10:00"},
		"over Easter":                   {now: "2026-04-01 16:30", want: "2026-04-10 16:30"},
		"over Christmas and New Year":   {now: "2026-12-23 09:00", want: "2027-01-04 09:00"},
		"a Christmas kept later":        {now: "2027-12-24 09:00", want: "2028-01-05 09:00"},
		"into summer time":              {now: "2026-03-27 01:30", want: "2026-04-07 01:30"},
		"out of summer time":            {now: "2026-10-23 23:30", want: "2026-10-30 23:30"},
		"the last of February":          {now: "2028-02-28 12:00", want: "2028-03-06 12:00"},
		"enhanced rights":               {now: "2026-03-06 10:00", party: crm.Party{EnhancedRights: true}, want: "2026-03-09 10:00"},
		"under 18":                      {now: "2026-03-02 10:00", party: crm.Party{UnderEighteen: true}, want: "2026-03-03 10:00"},
		"a vulnerable victim":           {now: "2026-03-02 10:00", report: crm.Report{Vulnerable: true}, want: "2026-03-03 10:00"},
		"a serious crime":               {now: "2026-05-01 10:00", report: crm.Report{HighHarm: true}, want: "2026-05-05 10:00"},
		"enhanced before a New Year":    {now: "2026-12-31 10:00", party: crm.Party{EnhancedRights: true}, want: "2027-01-04 10:00"},
		"enhanced on a bank holiday":    {now: "2026-08-31 10:00", party: crm.Party{EnhancedRights: true}, want: "2026-09-01 10:00"},
		"enhanced, the clocks go on":    {now: "2026-03-28 01:30", party: crm.Party{EnhancedRights: true}, want: "2026-03-30 01:30"},
		"enhanced, on the night itself": {now: "2026-10-25 01:30", party: crm.Party{EnhancedRights: true}, want: "2026-10-26 01:30"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.setClock(c.now)
			c.report.Summary = "x"
			c.party.Name, c.party.Roles = "Ada", []crm.PartyRole{crm.RoleVictim}
			c.report.Parties = []crm.Party{c.party}
			r := w.create(c.report, "")
			_, err := w.Decide(w.as("ann", ""), r.ID, crm.Decision{Step: crm.StepCRI, Reason: crm.ReasonNotCrime})
			w.must(err)
			ts := w.tasks(r.ID, crm.TaskUpdate)
			if len(ts) != 1 {
				t.Fatalf("tasks: %+v", ts)
			}
			if got := ts[0].Due.Time().In(zone).Format("2006-01-02 15:04"); got != c.want {
				t.Errorf("due %s, want %s", got, c.want)
			}
		})
	}
}

// 24 hours are 24 hours, also in the night on which the clocks change; numbers
// follow the civil day and year.
func TestRecordingClockAcrossTheClockChanges(t *testing.T) {
	for now, number := range map[string]string{
		"2026-03-28 14:00": "/28MAR26", "2026-10-24 14:00": "/24OCT26", "2026-07-01 00:30": "/01JUL26", "2026-12-31 23:59": "/31DEC26", "2028-02-29 12:00": "/29FEB28",
	} {
		w := newWorld(t)
		w.setClock(now)
		r := w.create(crm.Report{Summary: "x"}, "")
		if r.RecordBy != w.at().Add(24*contact.Hour) || w.task(r.ID, crm.TaskRecord).Due != r.RecordBy {
			t.Errorf("%s: record by %s", now, r.RecordBy)
		}
		if got := r.IncidentNumber; len(got) < 9 || got[1:9] != number {
			t.Errorf("%s: incident number %s", now, got)
		}
		r, err := w.Decide(w.as("ann", ""), r.ID, crm.Decision{Step: crm.StepRecord})
		w.must(err)
		if want := "/" + now[2:4]; r.CrimeNumber[7:10] != want || r.RecordBy != 0 {
			t.Errorf("%s: crime number %s, record by %s", now, r.CrimeNumber, r.RecordBy)
		}
	}
}
