package agentdesk_test

import (
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

func TestOneCallFromRingToHistory(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	if me := d.State().Me; me.State != routing.StateNotReady || me.Name != "Handler anna" || !me.DeviceUp {
		t.Fatalf("first snapshot shows %+v; want a handler not ready whose own phone is up", me)
	}
	w.ready(d)

	id := w.call("07700 900123")
	item := w.work(d, func(i agentdesk.WorkItem) bool { return ringing(i) && popped(i) })
	if item.Contact != id || item.QueueLabel != "General" || item.Caller.Number != "07700 900123" || len(item.History) != 0 {
		t.Fatalf("ringing contact = %+v", item)
	}
	if len(item.Answers) != 1 || item.Answers[0].Answer != "report" {
		t.Fatalf("answers = %+v", item.Answers)
	}
	if !strings.HasPrefix(item.Why, "Sent to you because ") || item.WhyData.PlanVersion != 1 {
		t.Fatalf("why = %q, %+v", item.Why, item.WhyData)
	}
	w.answer("anna", item)
	w.work(d, phase(routing.PhaseTalking))

	rev, err := d.SaveNote(w.ctx(), id, "Bicycle stolen from outside the station.", 0)
	must(t, err)
	if rev != 1 {
		t.Fatalf("revision = %d, want 1", rev)
	}
	w.work(d, func(i agentdesk.WorkItem) bool {
		return i.Note.Revision == 1 && strings.HasPrefix(i.Note.Text, "Bicycle")
	})
	person, err := d.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Caller One", Numbers: []string{"07700 900123"}, Language: "en"})
	must(t, err)
	w.work(d, func(i agentdesk.WorkItem) bool {
		return len(i.People) == 1 && i.People[0].ID == person && i.People[0].Attached
	})

	refused(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "report_taken"}), agentdesk.CodeWrongPhase)
	w.submit(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByCaller})
	w.work(d, phase(routing.PhaseWrapUp))
	must(t, d.Extend(w.ctx(), id))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Extended })
	refused(t, d.Extend(w.ctx(), id), routing.RefusedExtended)
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "report_taken", Note: "Reference given."}))
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return len(s.Work) == 0 && s.Me.State == routing.StateReady }))
	eventually(t, "the ending is written", func() bool { return w.server.Spooled() == 0 })

	w.advance(time.Minute)
	second := w.call("+447700900123")
	item = w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == second && popped(i) })
	if len(item.People) != 1 || item.People[0].Name != "Caller One" || !item.People[0].Attached {
		t.Fatalf("people = %+v", item.People)
	}
	if len(item.History) != 1 {
		t.Fatalf("history = %+v; want the first call", item.History)
	}
	h := item.History[0]
	want := agentdesk.HistoryEntry{
		Contact: id, Channel: contact.Phone, Arrival: h.Arrival, QueueLabel: "General", Handler: "Handler anna", Ending: contact.Answered,
		Outcome: "report_taken", OutcomeLabel: "Report taken", Note: "Bicycle stolen from outside the station.\n\nReference given.", Person: "Caller One",
	}
	if h != want {
		t.Fatalf("history = %+v\nwant      %+v", h, want)
	}
}

func TestOutcomeIsTakenAfterWrapUpRanOut(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	notices := make(chan agentdesk.Notice, 10)
	d := w.desk("anna", func(o *deskclient.Options) {
		o.OnDelta = func(delta agentdesk.Delta) {
			if delta.Notice != nil {
				notices <- *delta.Notice
			}
		}
	})
	other := w.desk("ben")
	w.ready(d)
	id := w.call("")
	w.answer("anna", w.work(d, ringing))
	w.submit(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByCaller})
	w.work(d, phase(routing.PhaseWrapUp))
	w.now.Add(int64(2 * time.Minute))
	w.submit(routing.Tick{})
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return len(s.Work) == 0 }))
	if n := next(t, notices); n.Code != "wrap_up_timed_out" {
		t.Fatalf("notice = %+v", n)
	}
	refused(t, other.CloseContact(w.ctx(), id, contact.Outcome{Code: "advice_given"}), agentdesk.CodeNotYours)
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "advice_given"}))
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Outcome.Code != "advice_given" {
		t.Fatalf("outcome = %+v", rec.Outcome)
	}
}
