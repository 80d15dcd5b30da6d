package email_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/email"
)

func TestAnEmailBecomesAContactAndItsSenderGetsAReceipt(t *testing.T) {
	w := newWorld(t)
	person, err := w.store.SavePerson(t.Context(), crm.Person{Name: "Alex Example", Emails: []string{"alex@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	raw := mail("a@example.org", "My bicycle", "My bicycle was stolen from outside the library.")
	w.take(raw)
	w.work()
	list := w.router.contacts()
	if len(list) != 1 {
		t.Fatalf("%d contacts", len(list))
	}
	c := list[0]
	if c.Channel != contact.Email || c.Queue != "" || c.Facts.Person != person.ID || c.Facts.Language != "en" ||
		c.Facts.Answers["mailbox"] != "101" || c.Facts.Answers["category"] != "bicycle" || c.Facts.Answers["risk"] != "" {
		t.Errorf("arrived as %+v", c)
	}
	ms := w.messages(c.Contact)
	if len(ms) != 2 {
		t.Fatalf("%d messages, want the one that came and the receipt", len(ms))
	}
	in, out := ms[0], ms[1]
	if in.Direction != crm.Incoming || in.Text != "My bicycle was stolen from outside the library." || read(t, w.blobs, in.Raw) != raw {
		t.Errorf("filed as %+v", in)
	}
	if out.Author != email.AutomaticAuthor || out.Delivery.State != crm.DeliveryDelivered || out.Thread != in.Thread {
		t.Errorf("receipt %+v", out)
	}
	sent := w.sent()
	if len(sent) != 1 {
		t.Fatalf("%d messages went out", len(sent))
	}
	p := parse(t, sent[0])
	if p.To[0].Address != "alex@example.org" || p.From.Address != "101@police.example.org" || p.InReplyTo[0] != "a@example.org" || p.References[0] != "a@example.org" ||
		!p.Flags.Automatic || len(w.threads.Signer.References(p.Subject)) != 1 || !strings.Contains(p.Text, "999") {
		t.Errorf("went out as\n%s", sent[0])
	}
}

func TestTheReceiptIsInTheSendersLanguage(t *testing.T) {
	w := newWorld(t)
	w.take(mail("pl@example.org", "Rower", "Dzień dobry, wczoraj wieczorem skradziono mi rower spod bloku przy ulicy Kwiatowej, proszę o pomoc w zgłoszeniu.",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"))
	w.work()
	sent := w.sent()
	if len(sent) != 1 || !strings.Contains(parse(t, sent[0]).Text, "Numer referencyjny") || w.router.contacts()[0].Facts.Language != "pl" {
		t.Errorf("went out: %v", sent)
	}
}

func TestTheSameMessageIsTakenOnceAndAnotherWithItsIDIsNot(t *testing.T) {
	w := newWorld(t)
	one := mail("same@example.org", "One", "First")
	w.take(one)
	w.take(one)
	w.take(strings.ReplaceAll(one, "Subject", "Received: by mx2\r\nSubject")) // came over another hop
	w.take(mail("", "No id", "Words"))
	w.take(mail("", "No id", "Words"))
	w.take(mail("", "No id", "Other words"))
	w.work()
	if n := len(w.router.contacts()); n != 3 {
		t.Errorf("%d contacts, want 3", n)
	}
	w.take(mail("same@example.org", "Another", "A broken program uses its ids twice"))
	w.work()
	// It joins the open contact of its id's thread, and is not lost.
	found := 0
	for _, c := range w.router.contacts() {
		for _, m := range w.messages(c.Contact) {
			if m.Text == "A broken program uses its ids twice" {
				found++
			}
		}
	}
	if found != 1 || len(w.router.contacts()) != 3 {
		t.Errorf("the other message is there %d times, in %d contacts", found, len(w.router.contacts()))
	}
}

func TestAnAnswerJoinsItsOpenContactAndMakesANewOneOfTheThreadAfterwards(t *testing.T) {
	w := newWorld(t)
	w.take(mail("t1@example.org", "Theft", "My bag was stolen"))
	w.work()
	first := w.router.contacts()[0]
	reply, err := w.outbox.Send(t.Context(), email.Outgoing{
		Contact: first.Contact, To: []crm.Mailbox{{Address: "alex@example.org"}}, Text: "What was in it?", InReplyTo: w.messages(first.Contact)[0].ID,
		Quote: true, Author: "handler1", Key: "reply-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.outbox.Send(t.Context(), email.Outgoing{
		Contact: first.Contact, To: []crm.Mailbox{{Address: "alex@example.org"}}, Text: "What was in it?", Author: "handler1", Key: "reply-1",
	})
	if err != nil || again.ID != reply.ID {
		t.Fatalf("sent twice under one key: %s and %s, %v", reply.ID, again.ID, err)
	}
	w.work()
	w.take(mail("t2@example.org", "Re: Theft", "My phone", "In-Reply-To: <"+reply.MessageID+">"))
	w.work()
	ms := w.messages(first.Contact)
	if len(w.router.contacts()) != 1 || ms[len(ms)-1].Text != "My phone" {
		t.Fatalf("%d contacts; messages %+v", len(w.router.contacts()), ms)
	}
	w.end(first.Contact)
	w.take(mail("t3@example.org", "Something else "+reply.Subject[strings.Index(reply.Subject, "["):], "And my keys"))
	w.work()
	list := w.router.contacts()
	if len(list) != 2 || w.messages(list[1].Contact)[0].Thread != ms[0].Thread {
		t.Fatalf("%d contacts after the first had ended; want a second of the same thread", len(list))
	}
	sent := w.sent()
	if len(sent) != 2 {
		t.Errorf("%d messages went out, want one receipt and one answer", len(sent))
	}
}

// Routing ends a contact before the CRM hears of it. A message that comes in between
// is a contact of its own, once, whatever the worker meets on the way.
func TestAnAnswerThatComesAsItsContactEndsIsAContactOfItsOwn(t *testing.T) {
	killed := errors.New("killed")
	for _, step := range []string{"", "joined", "identified", "filed", "submitted"} {
		t.Run("killed at "+step, func(t *testing.T) {
			w := newWorld(t)
			w.take(mail("t1@example.org", "Theft", "My bag was stolen"))
			w.work()
			first := w.router.contacts()[0].Contact
			before := len(w.messages(first))
			w.router.over = map[contact.ID]bool{first: true}
			w.take(mail("t2@example.org", "Re: Theft", "My phone", "In-Reply-To: <t1@example.org>"))
			if step != "" {
				healthy := newWorldWorker(w)
				w.worker.CrashAt(step, killed)
				if err := w.worker.Work(t.Context(), pendingItem(t, w)); !errors.Is(err, killed) {
					t.Fatalf("it did not die: %v", err)
				}
				w.worker = healthy
			}
			w.work()
			list := w.router.contacts()
			if len(list) != 2 {
				t.Fatalf("%d contacts arrived, want 2", len(list))
			}
			second := list[1].Contact
			ms := w.messages(second)
			if len(ms) != 1 || ms[0].Text != "My phone" || ms[0].Contact != second || ms[0].Thread != w.messages(first)[0].Thread {
				t.Errorf("the second contact holds %+v", ms)
			}
			if n := len(w.messages(first)); n != before {
				t.Errorf("the first contact holds %d messages, want %d as before", n, before)
			}
			for id, want := range map[contact.ID]int{first: before, second: 1} {
				rec, err := w.store.Record(t.Context(), id)
				if err != nil || rec.Messages != want {
					t.Errorf("the record of %s counts %d messages, want %d (%v)", id, rec.Messages, want, err)
				}
			}
		})
	}
}

func TestWordsOfRiskInAnAnswerAreAContactOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.take(mail("r1@example.org", "Noise", "The neighbours are loud"))
	w.work()
	w.take(mail("r2@example.org", "Re: Noise", "He is here now and he has a knife", "In-Reply-To: <r1@example.org>"))
	w.work()
	list := w.router.contacts()
	if len(list) != 2 || list[1].Facts.Answers["risk"] != "life" {
		t.Errorf("contacts %+v, want a second with the risk", list)
	}
}

// A token or a reference alone opens nothing: not for somebody who takes no part.
func TestForgedReferencesJoinNothing(t *testing.T) {
	w := newWorld(t)
	w.take(mail("v@example.org", "Help", "Please call me"))
	w.work()
	first := w.router.contacts()[0]
	receipt := w.messages(first.Contact)[1]
	for i, forged := range []string{
		mail("f1@evil.example.com", "Re: "+receipt.Subject, "Tell me about it"),
		mail("f2@evil.example.com", "Re: Help", "Tell me about it", "In-Reply-To: <"+receipt.MessageID+">", "References: <v@example.org> <"+receipt.MessageID+">"),
	} {
		w.take(strings.ReplaceAll(forged, "alex@example.org", "stranger@example.com"))
		w.work()
		list := w.router.contacts()
		if len(list) != i+2 {
			t.Fatalf("forged message %d joined a contact", i)
		}
		m := w.messages(list[i+1].Contact)[0]
		if m.Thread == receipt.Thread || list[i+1].Facts.Answers["reference"] != "unverified" {
			t.Errorf("forged message %d: thread %s of %s, answers %v", i, m.Thread, receipt.Thread, list[i+1].Facts.Answers)
		}
	}
	forgedToken := strings.Replace(receipt.Subject, receipt.Subject[len(receipt.Subject)-7:], "000000]", 1)
	if got := w.threads.Signer.References(forgedToken); len(got) != 0 {
		t.Errorf("a made-up signature was believed: %v", got)
	}
}

// libredesk #122: an empty id matched every message, and all mail became one case.
func TestEmptyIDsMatchNothing(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []string{"One", "Two", "Three"} {
		w.take(mail("", subject, subject, "Message-ID: <>", "In-Reply-To: <>", "References: <> <@>"))
	}
	w.work()
	threads := map[crm.ThreadID]bool{}
	for _, c := range w.router.contacts() {
		threads[w.messages(c.Contact)[0].Thread] = true
	}
	if len(w.router.contacts()) != 3 || len(threads) != 3 {
		t.Errorf("%d contacts in %d threads, want 3 in 3", len(w.router.contacts()), len(threads))
	}
}

func TestABounceOfOurAnswerIsShownOnItAndIsAPersonsTask(t *testing.T) {
	w := newWorld(t)
	w.take(mail("b@example.org", "Question", "When do you open?"))
	w.work()
	c := w.router.contacts()[0]
	reply, err := w.outbox.Send(t.Context(), email.Outgoing{
		Contact: c.Contact, To: []crm.Mailbox{{Address: "gone@example.org"}}, Text: "At nine.", Author: "handler1", Key: "k",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.work()
	dsn, err := os.ReadFile("testdata/bounce-dsn.eml")
	if err != nil {
		t.Fatal(err)
	}
	w.take(strings.ReplaceAll(string(dsn), "ours@police.example.org", reply.MessageID))
	w.work()
	m, err := w.store.Message(t.Context(), reply.ID)
	if err != nil || m.Delivery.State != crm.DeliveryPermanent || !strings.Contains(m.Delivery.Detail, "No such user") {
		t.Errorf("delivery %+v, %v", m.Delivery, err)
	}
	tasks, err := w.store.Tasks(t.Context(), crm.TaskQuery{Owner: "handler1"})
	if err != nil || len(tasks) != 1 || tasks[0].Kind != "send_failed" {
		t.Errorf("tasks %+v, %v", tasks, err)
	}
	if n := len(w.router.contacts()); n != 1 {
		t.Errorf("%d contacts: the bounce belongs to the one there is", n)
	}
	// A bounce of what we never sent changes nothing and is a contact like any other.
	w.take(strings.ReplaceAll(string(dsn), "dsn1@", "dsn9@"))
	w.work()
	list := w.router.contacts()
	if len(list) != 2 || list[1].Facts.Answers["bounce"] != "yes" {
		t.Errorf("contacts %+v", list)
	}
}

func TestProgramsListsAndLoopsGetNoReceipt(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{
		"bounce-dsn", "bounce-qmail-without-standard", "out-of-office", "out-of-office-without-standard-header", "mailing-list",
		"reply-loop-our-own-receipt", "no-reply-sender", "web-form-auto-submitted", "no-from", "binary-garbage", "empty-file",
	} {
		raw, err := os.ReadFile("testdata/" + name + ".eml")
		if err != nil {
			t.Fatal(err)
		}
		w.take(string(raw))
	}
	w.take(strings.ReplaceAll(mail("own@example.org", "Me", "x"), "alex@example.org", "101@police.example.org"))
	w.take(mail("lost@example.org", "Umbrella", "I lost my umbrella"), "lost") // receipts are off there
	w.work()
	if sent := w.sent(); len(sent) != 0 {
		t.Errorf("%d receipts went out, the first\n%s", len(sent), sent[0])
	}
	if n := len(w.router.contacts()); n != 13 {
		t.Errorf("%d contacts, want 13: nothing is dropped", n)
	}
}

func TestOneAddressGetsOnlySomeReceiptsADay(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		w.take(mail(id+"@example.org", "Matter "+id, "Words "+id))
		w.work()
	}
	if n := len(w.sent()); n != 4 {
		t.Errorf("%d receipts, want 4", n)
	}
}

func TestAnUnsafeAddressIsNeverWrittenTo(t *testing.T) {
	w := newWorld(t)
	_, err := w.store.SavePerson(t.Context(), crm.Person{
		Name: "Alex Example", Emails: []string{"alex@example.org"}, Safe: crm.SafeContact{Rule: "limited", Methods: []string{"phone"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.take(mail("u@example.org", "Help", "Please do not answer here"))
	w.work()
	if sent := w.sent(); len(sent) != 0 {
		t.Errorf("a receipt went out:\n%s", sent[0])
	}
	_, err = w.outbox.Send(t.Context(), email.Outgoing{
		Contact: w.router.contacts()[0].Contact, To: []crm.Mailbox{{Address: "ALEX@example.org"}}, Text: "Hello", Author: "handler1", Key: "k",
	})
	if !errors.Is(err, email.ErrUnsafe) {
		t.Errorf("Send = %v, want ErrUnsafe", err)
	}
}

func TestWhatCannotBeReadIsFiledRawAndRoutedToAPerson(t *testing.T) {
	w := newWorld(t)
	raw, err := os.ReadFile("testdata/binary-garbage.eml")
	if err != nil {
		t.Fatal(err)
	}
	w.take(string(raw))
	w.work()
	list := w.router.contacts()
	if len(list) != 1 || list[0].Facts.Answers["unreadable"] != "yes" {
		t.Fatalf("contacts %+v", list)
	}
	m := w.messages(list[0].Contact)[0]
	if !m.Flags.Unreadable || read(t, w.blobs, m.Raw) != string(raw) {
		t.Errorf("filed as %+v", m)
	}
}

// A worker that dies after any step leaves work that the next one finishes:
// one contact, one message in, one receipt.
func TestAWorkerKilledAfterAnyStepDoublesNothing(t *testing.T) {
	killed := errors.New("killed")
	for _, step := range []string{"stored", "identified", "filed", "submitted"} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			n := 0
			w.worker.CrashAt(step, killed)
			w.take(mail("k@example.org", "Bicycle", "It was stolen"))
			healthy := newWorldWorker(w)
			err := w.worker.Work(t.Context(), pendingItem(t, w))
			if !errors.Is(err, killed) {
				t.Fatalf("it did not die at %s: %v", step, err)
			}
			w.worker = healthy
			w.work()
			for _, m := range w.messages(w.router.contacts()[0].Contact) {
				if m.Direction == crm.Incoming {
					n++
				}
			}
			if len(w.router.contacts()) != 1 || n != 1 || len(w.sent()) != 1 {
				t.Errorf("%d contacts, %d messages in, %d receipts; want one of each", len(w.router.contacts()), n, len(w.sent()))
			}
		})
	}
}

func TestRoutingThatIsAwayDelaysAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.router.fail = errors.New("away")
	w.take(mail("d@example.org", "Bicycle", "It was stolen"))
	done := time.AfterFunc(100*time.Millisecond, func() {
		w.router.mu.Lock()
		w.router.fail = nil
		w.router.mu.Unlock()
	})
	defer done.Stop()
	w.work()
	if n := len(w.router.contacts()); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

// HTML grows when it is cleaned. A message whose HTML grew beyond a bound was tried
// for ever and never reached anybody.
func TestHTMLThatGrowsIsFiled(t *testing.T) {
	w := newWorld(t, func(o *email.WorkerOptions, _ *email.OutboxOptions) {
		o.Limits = email.DefaultLimits
		o.Limits.HTML = 1 << 10
	})
	w.take(mail("quotes@example.org", "Quotes", strings.Repeat(`"`, 2<<10), "MIME-Version: 1.0", "Content-Type: text/html"))
	w.work()
	list := w.router.contacts()
	if len(list) != 1 {
		t.Fatalf("%d contacts", len(list))
	}
	if m := w.messages(list[0].Contact)[0]; m.Flags.Unreadable || len(read(t, w.blobs, m.HTML)) < 5<<10 {
		t.Errorf("filed as %+v", m)
	}
}

// What was accepted and whose bytes are gone is tried some times, and then a
// person hears of it: trying on would hide it for ever.
func TestAMessageWhoseBytesAreGoneReachesAPerson(t *testing.T) {
	w := newWorld(t)
	w.take(mail("gone@example.org", "Gone", "Words"))
	if err := w.blobs.Erase(t.Context(), pendingItem(t, w).Blob); err != nil {
		t.Fatal(err)
	}
	w.work()
	list := w.router.contacts()
	if len(list) != 1 || list[0].Facts.Answers["unreadable"] != "yes" {
		t.Fatalf("contacts %+v", list)
	}
}

// A record may be restricted after its people began to write.
func TestMailAboutARestrictedRecordIsFiledAndItsRulesHold(t *testing.T) {
	w := newWorld(t)
	victim, err := w.store.SavePerson(t.Context(), crm.Person{Name: "Alex Example", Emails: []string{"alex@example.org"}, Restricted: true})
	if err != nil {
		t.Fatal(err)
	}
	w.take(strings.Replace(mail("r1@example.org", "Help", "Please write to my sister"), "alex@", "other@", 1))
	w.work()
	first := w.router.contacts()[0]
	report, err := w.store.CreateReport(t.Context(), crm.Report{
		Restricted: true, Parties: []crm.Party{{Person: victim.ID, Roles: []crm.PartyRole{crm.RoleVictim}}},
	}, first.Contact)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := w.threads.Reference(t.Context(), w.messages(first.Contact)[0].Thread)
	if err != nil {
		t.Fatal(err)
	}
	w.take(mail("r2@example.org", "About it "+w.threads.Signer.Token(ref), "It is me, the sister"))
	w.work()
	ms := w.messages(first.Contact)
	if last := ms[len(ms)-1]; last.Text != "It is me, the sister" || last.Report != report.ID {
		t.Fatalf("filed as %+v", ms)
	}

	for rule, safe := range map[string]crm.SafeContact{"never": {Rule: "never"}, "limited": {Rule: "limited", Methods: []string{"phone"}}} {
		p, err := w.store.SavePerson(t.Context(), crm.Person{Name: "Sam Example", Emails: []string{rule + "@example.org"}, Restricted: true, Safe: safe})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.outbox.Send(t.Context(), email.Outgoing{Contact: first.Contact, From: "101", To: []crm.Mailbox{{Address: p.Emails[0]}}, Subject: "Hello", Text: "Words", Author: "handler1", Key: "unsafe-" + rule})
		if !errors.Is(err, email.ErrUnsafe) {
			t.Errorf("%s: sent to somebody restricted who must not be written to: %v", rule, err)
		}
	}
	if _, err := w.outbox.Send(t.Context(), email.Outgoing{Contact: first.Contact, Report: report.ID, From: "101", To: []crm.Mailbox{{Address: "alex@example.org"}}, Subject: "Hello", Text: "Words", Author: "handler1", Key: "restricted-1"}); err != nil {
		t.Errorf("somebody restricted who may be written to: %v", err)
	}
}
