package agentdesk_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/routing"
)

func TestAnEmailIsTakenAnsweredAndClosed(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "My bicycle", "It was stolen last night.")
	offered := w.work(d, func(i agentdesk.WorkItem) bool { return ringing(i) && i.Written != nil && len(i.Written.Messages) == 1 })
	if want := contact.Instant(w.now.Load()).Add(contact.Hour); offered.Due != want {
		t.Errorf("due %v, want %v", offered.Due, want)
	}
	item := w.taken(d, id)
	m := item.Written.Messages[0]
	if item.Written.Subject != "My bicycle" || m.Text != "It was stolen last night." || m.Direction != crm.Incoming {
		t.Fatalf("shown: %+v", item.Written)
	}
	if item.Written.Mailbox != "polish" || len(item.Written.ReplyTo) != 1 || item.Written.ReplyTo[0].Address != "sender@example.org" {
		t.Fatalf("a reply goes to %+v from %q", item.Written.ReplyTo, item.Written.Mailbox)
	}
	must(t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool {
		return slices.Contains(s.Me.Capacity, agentdesk.ChannelCapacity{Channel: contact.Email, Used: 1, Of: 2})
	}))

	answer := agentdesk.Draft{To: item.Written.ReplyTo, Text: "Thank you.", InReplyTo: m.ID, Quote: true}
	sent, err := d.SendMessage(w.ctx(), id, "answer-0001", answer)
	must(t, err)
	if sent.Subject != "Re: My bicycle" || !strings.Contains(sent.Text, "> It was stolen last night.") || sent.Delivery == nil || sent.Author != "anna" {
		t.Fatalf("sent: %+v", sent)
	}
	// The same key sends nothing more.
	again, err := d.SendMessage(w.ctx(), id, "answer-0001", answer)
	must(t, err)
	if out := w.outbox.all(); len(out) != 1 || again.ID != sent.ID || out[0].From != "polish" || out[0].InReplyTo != m.ID {
		t.Fatalf("outbox: %+v, second %s, first %s", out, again.ID, sent.ID)
	}
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Written != nil && len(i.Written.Messages) == 2 })

	// Closing ends it in one step: no wrap-up.
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "replied"}))
	must(t, d.Wait(w.ctx(), none))
	eventually(t, "the ending is written", func() bool { return w.server.Spooled() == 0 })
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Outcome.Code != "replied" || rec.Ending != contact.Answered || rec.Handler != "anna" {
		t.Fatalf("record: %+v", rec)
	}
	for _, ev := range w.router.events {
		if _, is := ev.(routing.ContactReleased); is {
			t.Error("a needless wrap-up was begun")
		}
	}
	if len(w.trailed(audit.Query{Operation: audit.Disclose})) == 0 {
		t.Error("what was sent is not on the trail")
	}
}

func TestACallIsNotAcceptedAtTheDesk(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	w.call("07700 900123")
	refused(t, d.Accept(w.ctx(), w.work(d, ringing).Offer), routing.RefusedNotWritten)
	refused(t, d.Accept(w.ctx(), 99), agentdesk.CodeNotYours)
}

func TestParkResumeAndFinish(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(d, id)
	must(t, d.Park(w.ctx(), id))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Phase == routing.PhaseParked && i.Aside })
	must(t, d.Park(w.ctx(), id)) // asked twice is asked once
	// A call takes them from it, and its end does not bring it back.
	call := w.call("07700 900123")
	w.answer("anna", w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == call && ringing(i) }))
	refused(t, d.Unpark(w.ctx(), id), routing.RefusedPhase)
	w.submit(routing.ContactReleased{Contact: call, Cause: routing.ReleasedByCaller})
	must(t, d.CloseContact(w.ctx(), call, contact.Outcome{Code: "advice_given"}))
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == id && i.Phase == routing.PhaseParked })
	must(t, d.Unpark(w.ctx(), id))
	w.work(d, phase(routing.PhaseTalking))
	must(t, d.Finish(w.ctx(), id))
	w.work(d, phase(routing.PhaseWrapUp))
	refused(t, d.Park(w.ctx(), id), agentdesk.CodeWrongPhase)
	refused(t, d.Finish(w.ctx(), id), agentdesk.CodeWrongPhase)
}

// What joins a contact in hand is seen before the contact ends, however the handler
// ends it, and whatever they press before the message is on their page.
func TestNothingEndsBeforeWhatJoinedItIsSeen(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(d, id)
	w.message(id, "sender@example.org", "One", "And another thing")
	w.submit(routing.MessageJoined{Contact: id})
	stale := map[string]any{
		agentdesk.TypeClose: agentdesk.CloseRequest{Contact: id, Outcome: contact.Outcome{Code: "advice_given"}},
		agentdesk.TypeDone:  agentdesk.DoneRequest{Contact: id},
		agentdesk.TypeSpam:  agentdesk.SpamRequest{Contact: id},
	}
	for kind, body := range stale {
		_, err := d.Send(kind, body).Wait(w.ctx())
		refused(t, err, routing.RefusedUnseen)
	}
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Outcome.Code != "" {
		t.Errorf("an outcome was saved for a contact that goes on: %+v", rec.Outcome)
	}
	shown := w.work(d, func(i agentdesk.WorkItem) bool { return i.Written != nil && i.Written.Seen == 1 })
	if ms := shown.Written.Messages; len(ms) != 2 || ms[0].Text != "And another thing" && ms[1].Text != "And another thing" {
		t.Errorf("the page says it has seen what it does not show: %+v", ms)
	}
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "advice_given"}))
	must(t, d.Wait(w.ctx(), none))
}

// Who writes again while their contact is marked as spam takes the mark off.
func TestSpamWrittenToAgainDoesNotEnd(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.SpamGrace = 300 * time.Millisecond })
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "You have won", "Click here")
	w.taken(d, id)
	_, err := d.Spam(w.ctx(), id)
	must(t, err)
	w.message(id, "sender@example.org", "Sorry", "I am real")
	w.submit(routing.MessageJoined{Contact: id})
	w.work(d, func(i agentdesk.WorkItem) bool {
		return i.Phase == routing.PhaseParked && i.Written != nil && i.Written.SpamUntil.IsZero() && i.Written.Seen == 1
	})
}

func TestForwardKeepsArrivalAndTellsTheNextHandlerWhy(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("piotr", func(s *agentdesk.UserSpec) { s.Profile = "polish" })
	anna := w.desk("anna")
	w.ready(anna)
	id := w.mail("sender@example.org", "Rower", "Ukradziono mi rower.")
	arrived := contact.Instant(w.now.Load())
	w.taken(anna, id)
	_, newer, err := anna.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "Begun by Anna"}, 0)
	must(t, err)
	if newer != nil {
		t.Fatalf("a conflict with %+v", newer)
	}
	w.advance(10 * time.Minute)
	refused(t, anna.Forward(w.ctx(), id, "nowhere", ""), agentdesk.CodeInvalid)
	must(t, anna.Forward(w.ctx(), id, "polish", "It is in Polish."))
	must(t, anna.Wait(w.ctx(), none))

	piotr := w.desk("piotr")
	must(t, piotr.Ready(w.ctx()))
	item := w.taken(piotr, id)
	if item.Arrival != arrived || item.Due != arrived.Add(contact.Hour) {
		t.Errorf("arrived %v due %v, want %v and an hour later", item.Arrival, item.Due, arrived)
	}
	if item.Note.Text != "Forwarded to Polish: It is in Polish." {
		t.Errorf("note %q", item.Note.Text)
	}
	if item.Written.Draft == nil || item.Written.Draft.Text != "Begun by Anna" || item.Written.Draft.Author != "anna" {
		t.Errorf("the draft did not go with it: %+v", item.Written.Draft)
	}
	// Anna may still correct what she recorded of it; she has it no more.
	refused(t, anna.Forward(w.ctx(), id, "general", ""), agentdesk.CodeNotYours)
}

func TestSigningOffGivesBackWhatWasWritten(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	s := w.signOn("anna")
	anna := w.open(s)
	w.ready(anna)
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(anna, id)
	must(t, anna.Park(w.ctx(), id))
	must(t, s.Call(w.ctx(), "POST", "/api/sign-off", nil, nil))
	ben := w.desk("ben")
	must(t, ben.Ready(w.ctx()))
	w.taken(ben, id)
}

func TestSpamEndsAfterAGraceAndCanBeUndone(t *testing.T) {
	const grace = 200 * time.Millisecond
	w := newWorld(t, func(o *agentdesk.Options) { o.SpamGrace = time.Hour })
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "You have won", "Click here")
	w.taken(d, id)
	refused(t, d.UndoSpam(w.ctx(), id), agentdesk.CodeWrongPhase)
	until, err := d.Spam(w.ctx(), id)
	must(t, err)
	marked := w.work(d, func(i agentdesk.WorkItem) bool { return i.Written != nil && !i.Written.SpamUntil.IsZero() })
	if marked.Written.SpamUntil != until || until != contact.Instant(w.now.Load()).Add(contact.Hour) {
		t.Fatalf("marked until %v, told %v", marked.Written.SpamUntil, until)
	}
	if again, err := d.Spam(w.ctx(), id); err != nil || again != until {
		t.Fatalf("marked again: %v %v", again, err)
	}
	refused(t, d.Forward(w.ctx(), id, "polish", ""), agentdesk.CodeWrongPhase)
	must(t, d.UndoSpam(w.ctx(), id))
	w.work(d, func(i agentdesk.WorkItem) bool {
		return i.Phase == routing.PhaseTalking && i.Written.SpamUntil.IsZero()
	})

	// On a server with a short grace it ends.
	w = newWorld(t, func(o *agentdesk.Options) { o.SpamGrace = grace })
	w.add("anna")
	d = w.desk("anna")
	w.ready(d)
	id = w.mail("sender@example.org", "You have won", "Click here")
	w.taken(d, id)
	_, err = d.Spam(w.ctx(), id)
	must(t, err)
	must(t, d.Wait(w.ctx(), none))
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Outcome.Code != agentdesk.OutcomeSpam {
		t.Fatalf("outcome %+v", rec.Outcome)
	}
	// The sender is not blocked: their next message comes.
	next := w.mail("sender@example.org", "Sorry", "I am real")
	w.taken(d, next)
}

func TestSpamOfOneWhoSignsOffEndsAtOnce(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.SpamGrace = time.Hour })
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	id := w.mail("sender@example.org", "You have won", "Click here")
	w.taken(d, id)
	_, err := d.Spam(w.ctx(), id)
	must(t, err)
	must(t, s.Call(w.ctx(), "POST", "/api/sign-off", nil, nil))
	eventually(t, "the contact ended as spam", func() bool {
		rec, err := w.crm.Record(w.ctx(), id)
		return err == nil && rec.Outcome.Code == agentdesk.OutcomeSpam && rec.Ending == contact.Answered
	})
}

func TestSplitMakesAContactOfOneMessageOnce(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "Two things", "The first thing")
	w.taken(d, id)
	only := w.work(d, phase(routing.PhaseTalking)).Written.Messages[0]
	_, err := d.Split(w.ctx(), id, only.ID, "")
	refused(t, err, agentdesk.CodeInvalid)
	second := w.message(id, "sender@example.org", "And also", "The second thing")
	w.server.ContactChanged(id)
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Written != nil && len(i.Written.Messages) == 2 })
	_, err = d.Split(w.ctx(), id, "01NOSUCHMESSAGE", "")
	refused(t, err, agentdesk.CodeInvalid)
	_, err = d.Split(w.ctx(), id, second.ID, "nowhere")
	refused(t, err, agentdesk.CodeInvalid)

	made, err := d.Split(w.ctx(), id, second.ID, "")
	must(t, err)
	again, err := d.Split(w.ctx(), id, second.ID, "")
	must(t, err)
	if made == id || again != made {
		t.Fatalf("split into %s, then %s", made, again)
	}
	item := w.taken(d, made)
	if item.Arrival != second.At || len(item.Written.Messages) != 1 || item.Written.Messages[0].Text != "The second thing" {
		t.Fatalf("split off: arrived %v, %+v", item.Arrival, item.Written)
	}
}

func TestDraftsAreRevisionedAndNeverLost(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	d := w.open(s)
	w.ready(d)
	id := w.mail("sender@example.org", "One", "Text")
	w.taken(d, id)
	one, _, err := d.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "first"}, 0)
	must(t, err)
	two, _, err := d.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "second"}, one)
	must(t, err)
	_, newer, err := d.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "stale"}, one)
	refused(t, err, agentdesk.CodeDraftConflict)
	if newer == nil || newer.Text != "second" || newer.Revision != two {
		t.Fatalf("beside the conflict: %+v", newer)
	}
	// It is there for another tab, which a crash of the first would be.
	d2 := w.open(s)
	w.work(d2, func(i agentdesk.WorkItem) bool {
		return i.Written != nil && i.Written.Draft != nil && i.Written.Draft.Text == "second"
	})
	// Sending drops it; what is drafted next has a later revision.
	_, err = d2.SendMessage(w.ctx(), id, "answer-0001", agentdesk.Draft{To: []crm.Mailbox{{Address: "sender@example.org"}}, Subject: "Hello", Text: "second"})
	must(t, err)
	w.work(d2, func(i agentdesk.WorkItem) bool {
		return i.Written != nil && i.Written.Draft != nil && i.Written.Draft.Text == "" && i.Written.Draft.Revision > two
	})
	if _, _, err = d2.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "third"}, two+1); err != nil {
		t.Fatal(err)
	}
}

func TestBadMessagesNameTheFieldAndSendNothing(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "One", "Text")
	other := w.mail("else@example.org", "Another's", "Text")
	w.taken(d, id)
	to := []crm.Mailbox{{Address: "sender@example.org"}}
	notTheirs, err := w.crm.MessagesOf(w.ctx(), other)
	must(t, err)
	for name, c := range map[string]struct {
		key   string
		draft agentdesk.Draft
		field string
	}{
		"no key":            {"", agentdesk.Draft{To: to, Subject: "S", Text: "T"}, "key"},
		"a key with spaces": {"with a space in it", agentdesk.Draft{To: to, Subject: "S", Text: "T"}, "key"},
		"nobody to send to": {"key-00000001", agentdesk.Draft{Subject: "S", Text: "T"}, "draft.to"},
		"no address":        {"key-00000001", agentdesk.Draft{To: []crm.Mailbox{{Address: "sender"}}, Subject: "S", Text: "T"}, "draft.to"},
		"a header smuggled": {"key-00000001", agentdesk.Draft{To: []crm.Mailbox{{Address: "a@example.org\r\nBcc: b@example.org"}}, Subject: "S", Text: "T"}, "draft.to"},
		"a name smuggled":   {"key-00000001", agentdesk.Draft{To: []crm.Mailbox{{Name: "A\nBcc: b", Address: "a@example.org"}}, Subject: "S", Text: "T"}, "draft.to"},
		"to ourselves":      {"key-00000001", agentdesk.Draft{To: []crm.Mailbox{{Address: "Contact@Example.org"}}, Subject: "S", Text: "T"}, "draft.to"},
		"bad copy":          {"key-00000001", agentdesk.Draft{To: to, Cc: []crm.Mailbox{{Address: "x y@z"}}, Subject: "S", Text: "T"}, "draft.cc"},
		"too many":          {"key-00000001", agentdesk.Draft{To: slices.Repeat(to, 21), Subject: "S", Text: "T"}, "draft.to"},
		"two-line subject":  {"key-00000001", agentdesk.Draft{To: to, Subject: "S\nBcc: b", Text: "T"}, "draft.subject"},
		"no subject":        {"key-00000001", agentdesk.Draft{To: to, Text: "T"}, "draft.subject"},
		"nothing said":      {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: " \n"}, "draft.text"},
		"too long":          {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: strings.Repeat("a", 100_001)}, "draft.text"},
		"unfilled":          {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: "Your reference is [REFERENCE]."}, "draft.text"},
		"another's message": {"key-00000001", agentdesk.Draft{To: to, Text: "T", InReplyTo: notTheirs[0].ID}, "draft.in_reply_to"},
		"no such message":   {"key-00000001", agentdesk.Draft{To: to, Text: "T", InReplyTo: "01NOTHERE"}, "draft.in_reply_to"},
		"no such mailbox":   {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: "T", Mailbox: "chief"}, "draft.mailbox"},
		"no such language":  {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: "T", Language: "xx"}, "draft.language"},
		"no such file":      {"key-00000001", agentdesk.Draft{To: to, Subject: "S", Text: "T", Attachments: []agentdesk.Upload{{ID: "01NOTHERE"}}}, "draft.attachments"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.SendMessage(w.ctx(), id, c.key, c.draft)
			if e := refused(t, err, agentdesk.CodeInvalid); e.Field != c.field {
				t.Errorf("field %q, want %q: %s", e.Field, c.field, e.Message)
			}
		})
	}
	if out := w.outbox.all(); len(out) != 0 {
		t.Fatalf("sent: %+v", out)
	}
}

func TestWhoMustNotBeWrittenToIsNot(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("shared@example.org", "Help", "Please do not answer here")
	w.taken(d, id)
	_, err := d.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Somebody Unsafe", Emails: []string{"shared@example.org"}, Safe: &crm.SafeContact{
		Rule: "limited", Methods: []string{"phone"}, UnsafeEmails: []string{"shared@example.org"}, CoverPhrase: "the library",
	}})
	must(t, err)
	w.work(d, func(i agentdesk.WorkItem) bool { return i.Written != nil && i.Written.Unsafe != "" })
	for _, to := range []string{"shared@example.org", "Shared@Example.org", "elsewhere@example.org"} {
		_, err = d.SendMessage(w.ctx(), id, "key-00000001", agentdesk.Draft{To: []crm.Mailbox{{Address: to}}, Subject: "S", Text: "T"})
		refused(t, err, agentdesk.CodeUnsafeContact)
	}
	if out := w.outbox.all(); len(out) != 0 {
		t.Fatalf("sent: %+v", out)
	}
	// Changing something else keeps what is safe.
	people := w.work(d, func(i agentdesk.WorkItem) bool { return len(i.People) == 1 && i.People[0].Attached }).People
	_, err = d.SavePerson(w.ctx(), id, agentdesk.Person{ID: people[0].ID, Name: "Somebody Else", Emails: people[0].Emails})
	must(t, err)
	p, err := w.crm.Person(w.ctx(), people[0].ID)
	must(t, err)
	if p.Safe.Rule != "limited" || p.Safe.CoverPhrase != "the library" {
		t.Fatalf("what is safe was lost: %+v", p.Safe)
	}
}

// A mark lives in memory. Who marked a contact finds it in hand after a restart,
// parked, without the mark and without an outcome.
func TestSpamThatARestartForgotIsInHandAndUnharmed(t *testing.T) {
	w := newWorld(t, func(o *agentdesk.Options) { o.SpamGrace = time.Hour })
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "Is this spam", "No, it is not")
	w.taken(d, id)
	_, err := d.Spam(w.ctx(), id)
	must(t, err)
	must(t, w.server.Close(w.ctx()))
	w.web.Close()
	w.options.Registry = nil
	w.server, err = agentdesk.New(w.options)
	must(t, err)
	w.web = httptest.NewServer(w.server.Handler())
	w.server.Adopt([]routing.AgentChanged{w.router.agent("anna")})
	again := w.desk("anna")
	w.work(again, func(i agentdesk.WorkItem) bool {
		return i.Contact == id && i.Phase == routing.PhaseParked && i.Written != nil && len(i.Written.Messages) == 1 && i.Written.SpamUntil.IsZero()
	})
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	if rec.Outcome.Code != "" || rec.Ending != "" {
		t.Errorf("the restart ended it: %+v", rec)
	}
	must(t, again.Unpark(w.ctx(), id))
	w.work(again, phase(routing.PhaseTalking))
}

func TestRestrictedPeoplesMessagesNeedAReason(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	w.add("ben")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("hidden@example.org", "Help", "Where I live now")
	item := w.taken(d, id)
	_, err := d.SavePerson(w.ctx(), id, agentdesk.Person{Name: "Somebody Hidden", Emails: []string{"hidden@example.org"}, Restricted: true})
	must(t, err)
	rec, err := w.crm.Record(w.ctx(), id)
	must(t, err)
	url := "/api/messages/" + string(item.Written.Messages[0].ID)
	ben := w.signOn("ben")
	refused(t, ben.Call(w.ctx(), "GET", url, nil, nil), agentdesk.CodeReasonRequired)
	must(t, ben.Call(w.ctx(), "POST", "/api/sign-off", nil, nil))

	// Who has it in hand reads it, and answers once the record is open to them.
	draft := agentdesk.Draft{To: []crm.Mailbox{{Address: "hidden@example.org"}}, Subject: "S", Text: "T"}
	_, err = d.SendMessage(w.ctx(), id, "key-00000001", draft)
	refused(t, err, agentdesk.CodeUnsafeContact)
	_, err = d.OpenPerson(w.ctx(), rec.Person, "To answer their own message.")
	must(t, err)
	_, err = d.SendMessage(w.ctx(), id, "key-00000001", draft)
	must(t, err)
}

// Drafts save themselves while somebody types. What the desk looks up for that is
// no consultation; what is shown is one.
func TestSavingByItselfIsNoConsultation(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	d := w.desk("anna")
	w.ready(d)
	id := w.mail("sender@example.org", "Help", "Text")
	w.taken(d, id)
	must(t, d.CloseContact(w.ctx(), id, contact.Outcome{Code: "replied"}))
	must(t, d.Wait(w.ctx(), none))
	consulted := func() int {
		return len(w.trailed(audit.Query{Operation: audit.Consult, Object: "contact", ObjectID: string(id)}))
	}
	if consulted() == 0 {
		t.Fatal("showing the contact is no consultation")
	}
	// A server that has just started knows no handler's contacts; the record does.
	must(t, w.server.Close(w.ctx()))
	w.web.Close()
	w.options.Registry = nil
	var err error
	w.server, err = agentdesk.New(w.options)
	must(t, err)
	w.web = httptest.NewServer(w.server.Handler())
	again := w.desk("anna")
	before, base := consulted(), uint64(0)
	for range 3 {
		base, _, err = again.SaveDraft(w.ctx(), id, agentdesk.Draft{Text: "words " + string(rune('a'+base))}, base)
		must(t, err)
	}
	if n := consulted() - before; n != 0 {
		t.Errorf("%d consultations of somebody who typed", n)
	}
}
