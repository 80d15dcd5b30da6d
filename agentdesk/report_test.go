package agentdesk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/routing"
)

// withCall opens a desk that has a call in hand.
func (w *world) withCall(name string, change ...func(*deskclient.Options)) (*deskclient.Desk, contact.ID) {
	w.t.Helper()
	d := w.desk(name, change...)
	w.ready(d)
	id := w.call("07700 900123")
	w.answer(name, w.work(d, ringing))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Phase == routing.PhaseTalking && popped(i) })
	return d, id
}

func supervisor(s *agentdesk.UserSpec) { s.Role = agentdesk.RoleSupervisor }

func TestAReportIsMadeInACallAndFollowed(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d, id := w.withCall("anna")
	const made = crm.ReportID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	first, err := d.CreateReport(w.ctx(), id, crm.Report{ID: made, Category: "bicycle", Summary: "A blue bicycle was stolen."})
	must(t, err)
	again, err := d.CreateReport(w.ctx(), id, crm.Report{ID: made, Category: "bicycle", Summary: "A blue bicycle was stolen."})
	must(t, err)
	if first.Report.ID != made || again.Report.Reference != first.Report.Reference || first.Report.IncidentNumber == "" || first.Report.Owner != "anna" {
		t.Fatalf("made %+v, then %+v", first.Report, again.Report)
	}
	w.work(d, func(i agentdesk.WorkItem) bool {
		return i.Report != nil && i.Report.ID == made && i.Report.Opening == "A blue bicycle was stolen."
	})
	if len(first.Contacts) != 1 || first.Contacts[0].Contact != id || len(first.Tasks) == 0 {
		t.Fatalf("with it: %+v", first)
	}
	found, err := d.Report(w.ctx(), agentdesk.TypeReportGet, agentdesk.GetReportRequest{Reference: strings.ToLower(first.Report.Reference)})
	must(t, err)
	if found.Report.ID != made {
		t.Fatalf("found %+v", found.Report)
	}

	// Assessed, graded, decided and told of.
	rep, err := d.Report(w.ctx(), agentdesk.TypeReportAssess, agentdesk.AssessRequest{Report: made, Assessment: crm.Assessment{Rationale: "Nobody is at risk.", Grade: crm.GradeExtended}})
	must(t, err)
	assessment := rep.Report.Assessments[0]
	if assessment.By != "anna" || rep.Names["anna"] != "Handler anna" {
		t.Fatalf("assessed by %q, named %v", assessment.By, rep.Names)
	}
	_, err = d.Report(w.ctx(), agentdesk.TypeReportGrade, agentdesk.GradeRequest{Report: made, Grade: crm.GradeImmediate, Assessment: assessment.ID})
	refused(t, err, agentdesk.CodeInvalid)
	rep, err = d.Report(w.ctx(), agentdesk.TypeReportGrade, agentdesk.GradeRequest{Report: made, Grade: crm.GradeExtended, Assessment: assessment.ID})
	must(t, err)
	if rep.Report.Grade != crm.GradeExtended {
		t.Fatalf("graded %q", rep.Report.Grade)
	}
	rep, err = d.Report(w.ctx(), agentdesk.TypeReportDecide, agentdesk.DecideRequest{Report: made, Decision: crm.Decision{Step: crm.StepRecord, Answer: "yes"}})
	must(t, err)
	if rep.Report.CrimeNumber == "" || rep.Report.Kind != crm.KindCrime {
		t.Fatalf("recorded as %+v", rep.Report)
	}
	_, err = d.Report(w.ctx(), agentdesk.TypeReportDecide, agentdesk.DecideRequest{Report: made, Decision: crm.Decision{Step: crm.StepCancel, Reason: crm.ReasonDuplicate, AVI: "seen"}})
	if e := refused(t, err, agentdesk.CodeForbidden); e.Field != "decision.step" {
		t.Errorf("field %q", e.Field)
	}
	rep, err = d.Report(w.ctx(), agentdesk.TypeReportUpdate, agentdesk.UpdateRequest{Report: made, Text: "We are looking into it."})
	must(t, err)
	if len(rep.Report.Updates) != 1 || rep.Report.Updates[0].By != "anna" {
		t.Fatalf("updates %+v", rep.Report.Updates)
	}

	must(t, d.Send(agentdesk.TypeUnlink, agentdesk.UnlinkRequest{Contact: id}).WaitFor(w.ctx()))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Report == nil })
	_, err = d.Report(w.ctx(), agentdesk.TypeLink, agentdesk.LinkRequest{Contact: id, Reference: "nonsense"})
	refused(t, err, agentdesk.CodeNotFound)
	_, err = d.Report(w.ctx(), agentdesk.TypeLink, agentdesk.LinkRequest{Contact: id, Reference: first.Report.Reference})
	must(t, err)
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Report != nil })
	for _, e := range w.trailed(audit.Query{Object: "report", ObjectID: string(made)}) {
		if e.Actor.ID != "anna" || e.Actor.Role != "handler" || e.Actor.Session == "" {
			t.Errorf("on the trail by %+v", e.Actor)
		}
	}
}

func TestTwoOnOneReportSeeEachOtherAndOverwriteNothing(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	told := make(chan agentdesk.ReportPresence, 100)
	watch := func(o *deskclient.Options) {
		o.OnDelta = func(d agentdesk.Delta) {
			if d.Report != nil {
				told <- *d.Report
			}
		}
	}
	anna, id := w.withCall("anna", watch)
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "First words"})
	must(t, err)
	rep := made.Report
	must2(t)(anna.ViewReport(w.ctx(), rep.ID))
	ben := w.desk("ben")
	seen, err := ben.ViewReport(w.ctx(), rep.ID)
	must(t, err)
	if len(seen.Viewers) != 2 || seen.Version != rep.Version {
		t.Fatalf("seen by ben: %+v", seen)
	}
	until(t, told, func(p agentdesk.ReportPresence) bool { return len(p.Viewers) == 2 })

	// Ben saves; Anna is told, and her save shows her both.
	theirs := rep
	theirs.Summary = "Ben's words"
	saved, _, err := ben.SaveReport(w.ctx(), theirs)
	must(t, err)
	until(t, told, func(p agentdesk.ReportPresence) bool {
		return p.Version == saved.Report.Version && p.ChangedBy == "ben"
	})
	mine := rep
	mine.Summary = "Anna's words"
	_, newer, err := anna.SaveReport(w.ctx(), mine)
	refused(t, err, agentdesk.CodeReportConflict)
	if newer == nil || newer.Report.Summary != "Ben's words" {
		t.Fatalf("beside the conflict: %+v", newer)
	}
	mine.Version = newer.Report.Version
	if _, _, err := anna.SaveReport(w.ctx(), mine); err != nil {
		t.Fatal(err)
	}
	must(t, ben.LeaveReport(w.ctx(), rep.ID))
	until(t, told, func(p agentdesk.ReportPresence) bool { return len(p.Viewers) == 1 && p.Viewers[0].Agent == "anna" })
}

func must2(t *testing.T) func(agentdesk.ReportPresence, error) {
	return func(_ agentdesk.ReportPresence, err error) { t.Helper(); must(t, err) }
}

func until[T any](t *testing.T, from <-chan T, ok func(T) bool) {
	t.Helper()
	for {
		select {
		case v := <-from:
			if ok(v) {
				return
			}
		case <-t.Context().Done():
			t.Fatal("did not come")
		}
	}
}

func TestARestrictedReportIsOpenedForAReason(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	anna, id := w.withCall("anna")
	ref, size := w.put("GIF89a a picture")
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "hate", Summary: "Only for those who need it", Restricted: true})
	if err != nil { // whoever makes it still has to say why they read it again
		refused(t, err, agentdesk.CodeReasonRequired)
	}
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	rep := rec.Report
	if rep == "" {
		t.Fatalf("no report was made: %+v", made)
	}
	masked := w.work(anna, func(i agentdesk.WorkItem) bool { return i.Report != nil })
	if !masked.Report.Masked || masked.Report.Opening != "" {
		t.Fatalf("shown: %+v", masked.Report)
	}
	m := w.message(id, "sender@example.org", "Picture", "Here", func(m *crm.Message) {
		m.Report = rep
		m.Attachments = []crm.Attachment{{ID: "a1", Name: "a.gif", Blob: ref, Size: size, Detected: "image/gif", Scan: crm.Clean}}
	})

	s := w.signOn("ben")
	ben := w.open(s)
	_, err = ben.OpenReport(w.ctx(), rep, "")
	refused(t, err, agentdesk.CodeReasonRequired)
	_, err = ben.OpenReport(w.ctx(), rep, "why")
	if e := refused(t, err, agentdesk.CodeInvalid); e.Field != "reason" {
		t.Errorf("field %q", e.Field)
	}
	address := "/api/messages/" + string(m.ID) + "/attachments/a1"
	_, err = s.File(w.ctx(), address, "")
	refused(t, err, agentdesk.CodeReasonRequired)

	open, err := ben.OpenReport(w.ctx(), rep, "The victim rings again about the same man")
	must(t, err)
	if open.Report.Summary != "Only for those who need it" {
		t.Fatalf("opened: %+v", open.Report)
	}
	// The reason holds for what follows, in this session, and is on the trail.
	resp, err := s.File(w.ctx(), address, "")
	must(t, err)
	must(t, resp.Body.Close())
	_, err = w.signOn("anna").File(w.ctx(), address, "")
	if err != nil { // Anna has the contact in hand: it is hers to read
		t.Fatal(err)
	}
	broke := w.trailed(audit.Query{Object: "report", ObjectID: string(rep)})
	if !slices.ContainsFunc(broke, func(e audit.Entry) bool {
		return e.Operation == audit.BreakGlass && e.Actor.ID == "ben" && e.Actor.Reason == "The victim rings again about the same man"
	}) {
		t.Errorf("not on the trail: %+v", broke)
	}
	if !slices.ContainsFunc(broke, func(e audit.Entry) bool { return e.Operation == audit.Denied && e.Actor.ID == "ben" }) {
		t.Errorf("the refusal is not on the trail")
	}
}

func TestTasksAreMineAnyonesOrForSupervisorsAll(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("sue", supervisor)
	anna, id := w.withCall("anna")
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "Words"})
	must(t, err)
	due := contact.Instant(w.now.Load()).Add(contact.Hour)
	for name, c := range map[string]struct {
		task  crm.Task
		field string
	}{
		"no text":    {crm.Task{Report: made.Report.ID, Due: due}, "task.text"},
		"no time":    {crm.Task{Report: made.Report.ID, Text: "Ring back"}, "task.due"},
		"no handler": {crm.Task{Report: made.Report.ID, Text: "Ring back", Due: due, Owner: "nobody"}, "task.owner"},
		"no report":  {crm.Task{Text: "Ring back", Due: due}, "report"},
	} {
		_, err := anna.SaveTask(w.ctx(), c.task)
		if e := refused(t, err, agentdesk.CodeInvalid); e.Field != c.field {
			t.Errorf("%s: field %q", name, e.Field)
		}
	}
	task, err := anna.SaveTask(w.ctx(), crm.Task{Report: made.Report.ID, Text: "Ring back", Kind: crm.TaskOther, Due: due, Owner: "anna"})
	must(t, err)
	mine, err := anna.Tasks(w.ctx(), "mine")
	must(t, err)
	if len(mine) != 1 || mine[0].ID != task.ID {
		t.Fatalf("mine: %+v", mine)
	}
	_, err = anna.Tasks(w.ctx(), "all")
	refused(t, err, agentdesk.CodeForbidden)
	_, err = anna.Tasks(w.ctx(), "theirs")
	refused(t, err, agentdesk.CodeInvalid)
	sue := w.desk("sue")
	all, err := sue.Tasks(w.ctx(), "all")
	must(t, err)
	if !slices.ContainsFunc(all, func(v agentdesk.TaskView) bool { return v.ID == task.ID }) || len(all) < 2 {
		t.Fatalf("all: %+v", all)
	}
	must(t, anna.DoneTask(w.ctx(), task.ID, "Rang back"))
	if mine, err = anna.Tasks(w.ctx(), "mine"); err != nil || len(mine) != 0 {
		t.Fatalf("done, and still mine: %+v %v", mine, err)
	}
}

func TestPeopleAreFoundMergedAndSplit(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("sue", supervisor)
	anna, id := w.withCall("anna")
	one, err := anna.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Ada Example", GivenName: "Ada", Surname: "Example", DateOfBirth: "1980-02-03", Numbers: []string{"07700 900123"}})
	must(t, err)
	two, err := anna.SavePerson(w.ctx(), "", agentdesk.Person{Name: "Ada Exampel", GivenName: "Ada", Surname: "Exampel", Emails: []string{"ada@example.org"}})
	must(t, err)
	found, err := anna.FindPeople(w.ctx(), agentdesk.FindPeopleRequest{Name: "Ada Example", DateOfBirth: "1980-02-03", Numbers: []string{"+447700900123"}})
	must(t, err)
	if len(found) == 0 || found[0].ID != one || found[0].Certainty != "certain" || len(found[0].Because) == 0 {
		t.Fatalf("found %+v", found)
	}
	_, err = anna.FindPeople(w.ctx(), agentdesk.FindPeopleRequest{})
	refused(t, err, agentdesk.CodeInvalid)
	_, err = anna.SavePerson(w.ctx(), "", agentdesk.Person{Name: "Somebody", DateOfBirth: "3080-01-01"})
	if e := refused(t, err, agentdesk.CodeInvalid); e.Field != "person.date_of_birth" {
		t.Errorf("field %q: %s", e.Field, e.Message)
	}

	refused(t, anna.MergePeople(w.ctx(), two, one, "The same e-mail and face"), agentdesk.CodeForbidden)
	sue := w.desk("sue")
	if e := refused(t, sue.MergePeople(w.ctx(), two, one, "same"), agentdesk.CodeInvalid); e.Field != "reason" {
		t.Errorf("field %q", e.Field)
	}
	must(t, sue.MergePeople(w.ctx(), two, one, "The same e-mail and face"))
	got, err := sue.OpenPerson(w.ctx(), one, "")
	must(t, err)
	if !slices.Contains(got.Person.Emails, "ada@example.org") {
		t.Fatalf("merged: %+v", got.Person)
	}
	must(t, sue.SplitPerson(w.ctx(), two, "They are sisters, after all"))
	if got, err = sue.OpenPerson(w.ctx(), one, ""); err != nil || slices.Contains(got.Person.Emails, "ada@example.org") {
		t.Fatalf("split: %+v %v", got.Person, err)
	}
}

func TestTheTimelineIsOfEveryChannel(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	call := w.call("07700 900123")
	w.answer("anna", w.work(d, ringing))
	w.work(d, phase(routing.PhaseTalking))
	person, err := d.SavePerson(w.ctx(), call, agentdesk.Person{Name: "Ada Example", Numbers: []string{"07700 900123"}, Emails: []string{"ada@example.org"}})
	must(t, err)
	_, err = d.CreateReport(w.ctx(), call, crm.Report{Category: "theft", Summary: "Words", Parties: []crm.Party{{Person: person, Name: "Ada Example", Roles: []crm.PartyRole{crm.RoleVictim}}}})
	must(t, err)
	w.mail("ada@example.org", "A photograph", "Here it is.")
	eventually(t, "all of it is on the timeline", func() bool {
		var page agentdesk.TimelinePage
		must(t, s.Call(w.ctx(), "GET", "/api/people/"+string(person)+"/timeline", nil, &page))
		kinds := map[string]int{}
		for _, i := range page.Timeline {
			kinds[i.Kind]++
			if i.Kind == "contact" {
				kinds[string(i.Contact.Channel)]++
			}
		}
		return kinds["phone"] == 1 && kinds["email"] == 1 && kinds["message"] == 1 && kinds["report"] == 1
	})
}

func TestWhatIsNotSwitchedOnSaysSo(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) {
		o.Messages, o.Reports, o.People, o.Outbox, o.Finder, o.Blobs = nil, nil, nil, nil, nil, nil
	})
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	for _, kind := range []string{agentdesk.TypeSend, agentdesk.TypeReportGet, agentdesk.TypeFindPeople, agentdesk.TypeSplit} {
		refused(t, d.Send(kind, struct{}{}).WaitFor(w.ctx()), agentdesk.CodeUnavailable)
	}
	var e *agentdesk.Error
	for _, path := range []string{"/api/messages/01X", "/api/messages/01X/html", "/api/reports/01X/attachments/a"} {
		if err := s.Call(w.ctx(), "GET", path, nil, nil); !errors.As(err, &e) || e.Code != agentdesk.CodeUnavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := s.Call(w.ctx(), "POST", "/api/search", agentdesk.SearchRequest{Query: "x"}, nil); !errors.As(err, &e) || e.Code != agentdesk.CodeUnavailable {
		t.Errorf("search: %v", err)
	}
	if _, err := s.Upload(w.ctx(), "a.txt", []byte("text")); !errors.As(err, &e) || e.Code != agentdesk.CodeUnavailable {
		t.Errorf("upload: %v", err)
	}
}
