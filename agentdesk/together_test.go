package agentdesk_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

func TestTwoOnOnePersonOverwriteNothing(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	anna, id := w.withCall("anna")
	ben := w.desk("ben")
	who, err := anna.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Ada Example", Numbers: []string{"07700 900140"}})
	must(t, err)
	annas, err := anna.OpenPerson(w.ctx(), who, "")
	must(t, err)
	bens, err := ben.OpenPerson(w.ctx(), who, "")
	must(t, err)
	bens.Person.Remarks = "Works nights"
	_, err = ben.SavePerson(w.ctx(), "", bens.Person)
	must(t, err)

	annas.Person.Remarks = "Has a dog"
	ack, err := anna.Send(agentdesk.TypeSavePerson, agentdesk.SavePersonRequest{Person: annas.Person}).Wait(w.ctx())
	refused(t, err, agentdesk.CodePersonConflict)
	var newer agentdesk.GetPersonReply
	must(t, json.Unmarshal(ack.Reply, &newer))
	if newer.Person.Remarks != "Works nights" || newer.Person.Revision == annas.Person.Revision {
		t.Fatalf("beside the conflict: %+v", newer.Person)
	}
	if now, err := anna.OpenPerson(w.ctx(), who, ""); err != nil || now.Person.Remarks != "Works nights" {
		t.Fatalf("kept: %+v, %v", now.Person, err)
	}
	annas.Person.Revision = newer.Person.Revision
	_, err = anna.SavePerson(w.ctx(), "", annas.Person)
	must(t, err)
	// The work item says as what the person was read, so that a form may send it.
	w.work(anna, func(i agentdesk.WorkItem) bool {
		return len(i.People) == 1 && i.People[0].Revision != "" && i.People[0].Revision != newer.Person.Revision
	})
}

func TestTwoOnOneTaskOverwriteNothing(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	anna, id := w.withCall("anna")
	ben := w.desk("ben")
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "Words"})
	must(t, err)
	due := contact.Instant(w.now.Load()).Add(contact.Hour)
	task, err := anna.SaveTask(w.ctx(), crm.Task{Report: made.Report.ID, Text: "Ring back", Due: due, Owner: "ben"})
	must(t, err)
	list, err := ben.Tasks(w.ctx(), "mine")
	must(t, err)
	if len(list) != 1 || list[0].Reference != made.Report.Reference || list[0].Category != "theft" || list[0].Version != task.Version {
		t.Fatalf("ben's list: %+v", list)
	}
	theirs, mine := list[0].Task, task.Task
	theirs.Due = due.Add(contact.Hour)
	_, err = ben.SaveTask(w.ctx(), theirs)
	must(t, err)
	mine.Text = "Write to her"
	ack, err := anna.Send(agentdesk.TypeTaskSave, agentdesk.SaveTaskRequest{Task: mine}).Wait(w.ctx())
	refused(t, err, agentdesk.CodeTaskConflict)
	var newer agentdesk.TaskReply
	must(t, json.Unmarshal(ack.Reply, &newer))
	if newer.Task.Text != "Ring back" || newer.Task.Due != theirs.Due {
		t.Fatalf("beside the conflict: %+v", newer.Task)
	}
	mine = newer.Task.Task
	mine.Text = "Write to her"
	_, err = anna.SaveTask(w.ctx(), mine)
	must(t, err)
	must(t, ben.DoneTask(w.ctx(), task.ID, "done"))
	_, err = anna.SaveTask(w.ctx(), newer.Task.Task)
	refused(t, err, agentdesk.CodeTaskConflict)

	// Of a restricted report the list tells the reference alone.
	rep := made.Report
	rep.Restricted = true
	saved, _, err := anna.SaveReport(w.ctx(), rep)
	must(t, err)
	if list, err = ben.Tasks(w.ctx(), "anyone"); err != nil || len(list) == 0 || list[0].Reference != saved.Report.Reference || list[0].Category != "" {
		t.Fatalf("of a restricted report: %+v, %v", list, err)
	}
}

// What another server, or the public, saves is shown within seconds.
func TestAReportSavedElsewhereIsShown(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	told := make(chan agentdesk.ReportPresence, 100)
	anna, id := w.withCall("anna", func(o *deskclient.Options) {
		o.OnDelta = func(d agentdesk.Delta) {
			if d.Report != nil {
				told <- *d.Report
			}
		}
	})
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "Words", Parties: []crm.Party{{Name: "Ada", Roles: []crm.PartyRole{crm.RoleVictim}}}})
	must(t, err)
	must2(t)(anna.ViewReport(w.ctx(), made.Report.ID))
	_, err = w.crm.SaveParty(w.ctx(), made.Report.ID, 0, crm.Party{ID: made.Report.Parties[0].ID, Statement: "More"})
	must(t, err)
	until(t, told, func(p agentdesk.ReportPresence) bool { return p.Version == made.Report.Version+1 && p.ChangedBy == "" })
}

// Opening a report shows its contacts, and the trail knows it of each: in one step.
func TestOpeningAReportIsAConsultationOfEachOfItsContacts(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	anna, id := w.withCall("anna")
	made, err := anna.CreateReport(w.ctx(), id, crm.Report{Category: "theft", Summary: "Words"})
	must(t, err)
	for n := range 60 {
		c := contact.ID(fmt.Sprintf("more%d", n))
		_, err := w.crm.Identify(w.ctx(), crm.Arrival{ID: c, Channel: contact.Phone, At: contact.Instant(w.now.Load())})
		must(t, err)
		must(t, w.crm.LinkContact(w.ctx(), c, made.Report.ID))
	}
	before := w.trailed(audit.Query{Limit: 1})[0].Seq
	got, err := anna.OpenReport(w.ctx(), made.Report.ID, "")
	must(t, err)
	if len(got.Contacts) != 50 || got.Contacts[0].Contact != "more59" {
		t.Fatalf("%d contacts shown, first %+v", len(got.Contacts), got.Contacts[0])
	}
	seen := map[string]uint64{}
	for _, e := range w.trailed(audit.Query{Actor: "anna", Operation: audit.Consult}) {
		if e.Seq > before && e.Object == "contact" {
			seen[e.ObjectID] = e.Seq
		}
	}
	for _, c := range got.Contacts {
		if seen[string(c.Contact)] == 0 {
			t.Errorf("that contact %s was looked at is on no line", c.Contact)
		}
	}
	if len(seen) != 50 || seen["more10"]-seen["more59"] != 49 {
		t.Errorf("%d contacts were looked at, in lines %v", len(seen), seen)
	}
}

// Who opened restricted people for a reason may merge, split and change them.
func TestRestrictedPeopleAreMergedByWhoOpenedThem(t *testing.T) {
	w := newWorld(t)
	w.add("sue", supervisor)
	sue := w.desk("sue")
	secret, err := w.crm.SavePerson(w.ctx(), crm.Person{Name: "Ada", Restricted: true})
	must(t, err)
	plain, err := w.crm.SavePerson(w.ctx(), crm.Person{Name: "Bea"})
	must(t, err)
	refused(t, sue.MergePeople(w.ctx(), secret.ID, plain.ID, "The same face"), agentdesk.CodeReasonRequired)
	got, err := sue.OpenPerson(w.ctx(), secret.ID, "She is at the counter")
	must(t, err)
	got.Person.Remarks = "At the counter"
	_, err = sue.SavePerson(w.ctx(), "", got.Person)
	must(t, err)
	must(t, sue.MergePeople(w.ctx(), secret.ID, plain.ID, "The same face"))
	_, err = sue.OpenPerson(w.ctx(), plain.ID, "")
	refused(t, err, agentdesk.CodeReasonRequired)
	must(t, sue.SplitPerson(w.ctx(), secret.ID, "Sisters, after all"))
	if got, err = sue.OpenPerson(w.ctx(), plain.ID, ""); err != nil || got.Person.Restricted {
		t.Fatalf("after the split: %+v, %v", got.Person, err)
	}
}
