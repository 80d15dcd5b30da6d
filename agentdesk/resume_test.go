package agentdesk_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// A desk whose connection is cut at random, while its state keeps changing, ends
// up showing exactly what the server has; the client fails on any gap in the
// numbers.
func TestNoDeltaIsLostOverRandomDisconnects(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s, func(o *deskclient.Options) { o.Stay = false })
	w.ready(d)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 120 {
		// The engine's word, not the client's, which may be behind.
		var item agentdesk.WorkItem
		if work := w.router.agent("anna").Work; len(work) > 0 {
			item.Work = work[0]
		}
		switch phase := item.Phase; {
		case phase == "" && r.IntN(2) == 0:
			w.call(fmt.Sprintf("020 7946 0%03d", r.IntN(5)))
		case phase == routing.PhaseRinging:
			w.answer("anna", item)
		case phase == routing.PhaseTalking && r.IntN(2) == 0:
			w.submit(routing.ContactReleased{Contact: item.Contact, Cause: routing.ReleasedByCaller})
		case phase == routing.PhaseWrapUp:
			w.submit(routing.WrapUpDone{Contact: item.Contact, Agent: "anna", Outcome: "advice_given"})
		default:
			must(t, w.server.Do(w.ctx(), routing.AgentChanged{Agent: "anna", State: routing.StateNotReady, Reason: fmt.Sprint(i), Work: w.router.agent("anna").Work}))
		}
		if r.IntN(4) == 0 {
			d.Drop()
		}
		if i%10 == 9 {
			settle(t, w, d)
		}
	}
	settle(t, w, d)
	if d.Stats().Connections < 5 {
		t.Fatalf("only %d connections: the test did not test", d.Stats().Connections)
	}
	if st := d.Stats(); st.Snapshots != 1 {
		t.Errorf("%d snapshots over %d connections; the ring should have carried all of it", st.Snapshots, st.Connections)
	}
}

func current(d *deskclient.Desk) routing.Phase {
	if work := d.State().Work; len(work) > 0 {
		return work[0].Phase
	}
	return ""
}

// settle waits until the client shows what the server has.
func settle(t *testing.T, w *world, d *deskclient.Desk) {
	t.Helper()
	var mine, theirs []byte
	eventually(t, "the desk shows what the server has", func() bool {
		if err := d.Err(); err != nil {
			t.Fatalf("the desk ended: %v", err)
		}
		var seq uint64
		var live bool
		theirs, seq, live = w.server.Shown("anna")
		mine, _ = json.Marshal(d.State())
		_, at := d.Position()
		return live && at == seq && string(mine) == string(theirs)
	})
}

func TestTooOldAPositionGetsASnapshot(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s, func(o *deskclient.Options) { o.Stay = false })
	d.Drop()
	for i := range 300 { // more than the ring holds
		must(t, w.server.Do(w.ctx(), routing.AgentChanged{Agent: "anna", State: routing.StateNotReady, Reason: fmt.Sprint(i)}))
	}
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Me.Reason == "299" }))
	settle(t, w, d)
}

func TestPositionOfAnotherEpochGetsASnapshot(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	for name, body := range map[string]string{
		"another epoch":  `{"tab":"t1","epoch":"made-up","seq":0}`,
		"the future":     `{"tab":"t1","epoch":"EPOCH","seq":999999}`,
		"no position":    `{"tab":"t1"}`,
		"no epoch":       `{"tab":"t1","seq":1}`,
		"largest number": `{"tab":"t1","epoch":"EPOCH","seq":18446744073709551615}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := w.open(s, func(o *deskclient.Options) { o.Tab = "t1" })
			epoch, _ := d.Position()
			ws, _, err := w.raw(s, nil)
			must(t, err)
			must(t, ws.WriteMessage(1, []byte(`{"id":1,"type":"hello","body":`+replace(body, "EPOCH", epoch)+`}`)))
			var ack, next agentdesk.ServerMessage
			must(t, ws.ReadJSON(&ack))
			must(t, ws.ReadJSON(&next))
			if ack.Ack == nil || ack.Ack.ID != 1 || next.Snapshot == nil || next.Snapshot.Version != agentdesk.ProtocolVersion {
				t.Fatalf("got %+v, %+v", ack, next)
			}
		})
	}
}

func replace(s, old, with string) string {
	for i := 0; i+len(old) <= len(s); i++ {
		if s[i:i+len(old)] == old {
			return s[:i] + with + s[i+len(old):]
		}
	}
	return s
}

func TestRecordsAwayHoldNoCallAndLoseNoEnding(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	w.call("07700 900123")
	first := w.work(d, func(i agentdesk.WorkItem) bool { return ringing(i) && popped(i) })
	w.redis.Stop()

	w.answer("anna", first)
	w.work(d, phase(routing.PhaseTalking))
	_, err := d.SaveNote(w.ctx(), first.Contact, "typed while the store is away", 0)
	refused(t, err, agentdesk.CodeUnavailable)
	must(t, d.Control(w.ctx(), first.Contact, routing.VerbHold, ""))
	w.submit(routing.ContactReleased{Contact: first.Contact, Cause: routing.ReleasedByCaller})
	w.work(d, phase(routing.PhaseWrapUp))
	refused(t, d.CloseContact(w.ctx(), first.Contact, contact.Outcome{Code: "advice_given"}), agentdesk.CodeUnavailable)
	if current(d) != routing.PhaseWrapUp {
		t.Fatal("wrap-up ended although the outcome was not saved")
	}
	if w.server.Spooled() != 1 {
		t.Fatalf("%d endings wait, want 1", w.server.Spooled())
	}
	w.submit(routing.WrapUpDone{Contact: first.Contact, Agent: "anna"})
	// A call that arrives now rings all the same, and says what is missing.
	w.submit(routing.ContactArrived{Contact: "01LATE", Channel: contact.Phone, Arrival: contact.Instant(w.now.Load()), Facts: contact.Facts{CLI: contact.CLIWithheld}})
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == "01LATE" && ringing(i) })
	w.work(d, func(i agentdesk.WorkItem) bool { return i.PopError != "" })

	w.redis.Start()
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == "01LATE" && i.PopError == "" })
	eventually(t, "the ending is written", func() bool { return w.server.Spooled() == 0 })
	rec, err := w.crm.Record(w.ctx(), first.Contact)
	must(t, err)
	if rec.Ending != contact.Answered || rec.Handler != "anna" || rec.Queue != "general" {
		t.Fatalf("record = %+v", rec)
	}
	must(t, d.CloseContact(w.ctx(), first.Contact, contact.Outcome{Code: "advice_given"}))
}

func TestNoteConflictShowsTheNewerNote(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.call("")
	w.answer("anna", w.work(d, ringing))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Phase == routing.PhaseTalking && popped(i) })
	_, err := w.crm.SaveNote(w.ctx(), id, 0, "from elsewhere", "ben")
	must(t, err)
	_, err = d.SaveNote(w.ctx(), id, "mine", 0)
	refused(t, err, agentdesk.CodeNoteConflict)
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Note.Text == "from elsewhere" && i.Note.Revision == 1 })
	rev, err := d.SaveNote(w.ctx(), id, "mine and theirs", 1)
	must(t, err)
	if rev != 2 {
		t.Fatalf("revision = %d", rev)
	}
}
