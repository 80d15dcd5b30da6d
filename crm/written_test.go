package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/redistest"
)

func mail(w *world, id contact.ID, from string, thread crm.ThreadID) crm.WrittenArrival {
	return crm.WrittenArrival{
		Arrival: crm.Arrival{ID: id, Channel: contact.Email, At: w.at(), Caller: contact.Caller{CLI: contact.CLIUnavailable}},
		Email:   from, Subject: "About my bicycle", Thread: thread,
	}
}

func message(id crm.MessageID, c contact.ID, thread crm.ThreadID, at contact.Instant) crm.Message {
	return crm.Message{
		ID: id, Contact: c, Thread: thread, Channel: contact.Email, Direction: crm.Incoming, At: at, From: crm.Mailbox{Address: "ada@example.org"},
		Subject: "About my bicycle", Text: "It is red.", MessageID: string(id) + "@example.org",
	}
}

func (w *world) wrote(id contact.ID, from string, thread crm.ThreadID) contact.Facts {
	w.t.Helper()
	f, err := w.IdentifyWritten(w.t.Context(), mail(w, id, from, thread))
	w.must(err)
	return f
}

func TestAWrittenContactIsRecordedOnce(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Emails: []string{"ada@example.org"}, Numbers: []string{"07700 900120"}, Vulnerable: true})
	w.create(crm.Report{Parties: []crm.Party{victim(p)}}, "")
	w.call("call", "07700 900120")
	w.wait(contact.Minute)
	f := w.wrote("e1", "Ada Green <ADA@example.org>", "t1")
	if f.Person != p.ID || !f.Vulnerable || f.Contacts30d != 1 || f.OpenReports != 1 || f.Line == "" {
		t.Errorf("facts = %+v", f)
	}
	other := w.person(crm.Person{Name: "Her sister"})
	w.must(w.Attach(t.Context(), "e1", other.ID))
	// The worker died before it said so, and does it again.
	if again := w.wrote("e1", "ada@example.org", "t1"); !cmp.Equal(again, f) {
		t.Errorf("repeated facts = %+v, want %+v", again, f)
	}
	rec, err := w.Record(t.Context(), "e1")
	w.must(err)
	if rec.Person != other.ID || rec.Email != "ada@example.org" || rec.Subject != "About my bicycle" || rec.Thread != "t1" {
		t.Errorf("record = %+v", rec)
	}
	// Several people with one address: nobody is presumed.
	w.person(crm.Person{Name: "Ben Green", Emails: []string{"ada@example.org"}})
	if f := w.wrote("e2", "ada@example.org", ""); f.Person != "" {
		t.Errorf("facts = %+v", f)
	}
	shown := pop(t, w.Store, "e2", w.wrote("e2", "ada@example.org", ""))
	if len(shown.People) != 2 || len(shown.History) != 1 {
		t.Errorf("pop = %+v", shown)
	}
	if f := w.wrote("e3", "", ""); f.Line != "" || f.Person != "" {
		t.Errorf("an anonymous report is somebody's: %+v", f)
	}
}

func TestWhoeverHadTheThreadIsPreferred(t *testing.T) {
	w := newWorld(t)
	ended := func(id contact.ID, handler string) {
		t.Helper()
		w.must(w.Ended(t.Context(), crm.Ending{ID: id, Queue: "crime", Handler: handler, Answered: w.at(), At: w.at(), Ending: contact.Answered}))
		w.wait(contact.Minute)
	}
	if f := w.wrote("e1", "ada@example.org", "t1"); f.Preferred != "" {
		t.Errorf("nobody had it yet: %+v", f)
	}
	ended("e1", "ann")
	if f := w.wrote("e2", "ada@example.org", "t2"); f.Preferred != "ann" {
		t.Errorf("another matter of the same sender prefers %q", f.Preferred)
	}
	ended("e2", "ben")
	if f := w.wrote("e3", "ada@example.org", "t1"); f.Preferred != "ann" {
		t.Errorf("an answer in the first thread prefers %q", f.Preferred)
	}
	// The owner of the report goes before both, as long as it is open.
	r := w.create(crm.Report{Owner: "cy"}, "")
	about := mail(w, "e4", "ada@example.org", "t1")
	about.Report = r.ID
	f, err := w.IdentifyWritten(t.Context(), about)
	w.must(err)
	if f.Preferred != "cy" || f.OpenReports != 1 {
		t.Errorf("about a report of cy: %+v", f)
	}
}

func TestMessagesJoinContactThreadReportAndPerson(t *testing.T) {
	w := newWorld(t)
	p := w.person(crm.Person{Name: "Ada Green", Emails: []string{"ada@example.org"}})
	w.wrote("e1", "ada@example.org", "t1")
	for i, id := range []crm.MessageID{"m1", "m2"} {
		if _, err := w.AddMessage(t.Context(), message(id, "e1", "t1", w.at().Add(contact.Duration(i)*contact.Second))); err != nil {
			t.Fatal(err)
		}
	}
	r := w.create(crm.Report{Parties: []crm.Party{victim(p)}}, "e1")
	names := func(ms []crm.Message, err error) []crm.MessageID {
		t.Helper()
		w.must(err)
		out := []crm.MessageID{}
		for _, m := range ms {
			out = append(out, m.ID)
		}
		return out
	}
	both := []crm.MessageID{"m1", "m2"}
	for list, got := range map[string][]crm.MessageID{
		"contact": names(w.MessagesOf(t.Context(), "e1")), "thread": names(w.ThreadMessages(t.Context(), "t1", 0)), "report": names(w.ReportMessages(t.Context(), r.ID)),
	} {
		if diff := cmp.Diff(both, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list, diff)
		}
	}
	if got := names(w.ThreadMessages(t.Context(), "t1", 1)); !slices.Equal(got, both[1:]) {
		t.Errorf("newest of the thread = %v", got)
	}
	if m, err := w.MessageByHeader(t.Context(), "m2@example.org"); err != nil || m.ID != "m2" || m.Report != r.ID {
		t.Errorf("by header = %+v, %v", m, err)
	}
	if _, err := w.MessageByHeader(t.Context(), ""); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("an empty Message-ID found a message: %v", err)
	}
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "We have it."}))
	kinds := func(p crm.Person) string {
		t.Helper()
		tl, err := w.PersonTimeline(t.Context(), p.ID, 0, 20)
		w.must(err)
		var out []string
		for _, e := range tl {
			out = append(out, e.Kind)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := kinds(p); got != "contact message message report update" {
		t.Errorf("timeline = %s", got)
	}
	tl, err := w.PersonTimeline(t.Context(), p.ID, 0, 20)
	w.must(err)
	if last := tl[len(tl)-1]; last.Kind != "contact" {
		t.Errorf("the oldest is a %s, want the contact that brought the rest", last.Kind)
	}
	// The contact turns out to be somebody else's: their messages go with it.
	ben := w.person(crm.Person{Name: "Ben White"})
	w.must(w.Attach(t.Context(), "e1", ben.ID))
	if a, b := kinds(p), kinds(ben); a != "report update" || b != "contact message message" {
		t.Errorf("after attaching: %q and %q", a, b)
	}
	// And it belongs to another report.
	second := w.create(crm.Report{}, "")
	w.must(w.LinkContact(t.Context(), "e1", second.ID))
	if a, b := names(w.ReportMessages(t.Context(), r.ID)), names(w.ReportMessages(t.Context(), second.ID)); len(a) != 0 || len(b) != 2 {
		t.Errorf("messages of the reports: %v and %v", a, b)
	}
	if a, b := w.report(r.ID), w.report(second.ID); len(a.Contacts) != 0 || len(b.Contacts) != 1 {
		t.Errorf("contacts of the reports: %v and %v", a.Contacts, b.Contacts)
	}
	w.must(w.UnlinkContact(t.Context(), "e1"))
	if m, err := w.Message(t.Context(), "m1"); err != nil || m.Report != "" || len(w.report(second.ID).Contacts) != 0 {
		t.Errorf("after unlinking: %+v, %v", m, err)
	}
}

func TestTheOpenContactOfAThread(t *testing.T) {
	w := newWorld(t)
	if _, ok, err := w.OpenContactOf(t.Context(), ""); ok || err != nil {
		t.Errorf("no thread has an open contact: %v, %v", ok, err)
	}
	w.wrote("e1", "ada@example.org", "t1")
	w.must(w.Ended(t.Context(), crm.Ending{ID: "e1", At: w.at(), Ending: contact.Answered}))
	if id, ok, err := w.OpenContactOf(t.Context(), "t1"); ok || err != nil {
		t.Errorf("an ended contact is open: %s, %v", id, err)
	}
	w.wait(contact.Minute)
	w.wrote("e2", "ada@example.org", "t1")
	if id, ok, err := w.OpenContactOf(t.Context(), "t1"); !ok || err != nil || id != "e2" {
		t.Errorf("open = %s, %v, %v", id, ok, err)
	}
}

func TestAMessageAddedManyTimesAtOnceIsThereOnce(t *testing.T) {
	w := newWorld(t)
	w.person(crm.Person{Name: "Ada Green", Emails: []string{"ada@example.org"}})
	w.wrote("e1", "ada@example.org", "t1")
	m := message("m1", "e1", "t1", w.at())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := m
			mine.Text = fmt.Sprint("as read by worker ", i)
			if _, err := w.AddMessage(context.Background(), mine); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ms, err := w.MessagesOf(t.Context(), "e1")
	w.must(err)
	rec, err := w.Record(t.Context(), "e1")
	w.must(err)
	if len(ms) != 1 || rec.Messages != 1 {
		t.Errorf("%d messages, the record counts %d", len(ms), rec.Messages)
	}
	if ops := w.trail.of("message", "m1"); len(ops) < 1 || ops[0] != audit.Collect || slices.Contains(ops[1:], audit.Collect) {
		t.Errorf("the trail says %v", ops)
	}
	for name, bad := range map[string]crm.Message{
		"contact": {Direction: crm.Incoming}, "direction": {Contact: "e1"}, "text": {Contact: "e1", Direction: crm.Incoming, Text: "\xff"},
	} {
		if _, err := w.AddMessage(t.Context(), bad); codes(err)[name] == "" {
			t.Errorf("a message without a proper %s: %v", name, err)
		}
	}
}

func TestAnOlderDeliveryStateNeverReplacesANewer(t *testing.T) {
	w := newWorld(t)
	w.wrote("e1", "ada@example.org", "t1")
	_, err := w.AddMessage(t.Context(), message("m1", "e1", "t1", w.at()))
	w.must(err)
	w.must(w.SetDelivery(t.Context(), "m1", crm.Delivery{State: crm.DeliveryDelivered, At: w.at().Add(contact.Second)}))
	w.must(w.SetDelivery(t.Context(), "m1", crm.Delivery{State: crm.DeliverySending, At: w.at()}))
	if m, err := w.Message(t.Context(), "m1"); err != nil || m.Delivery.State != crm.DeliveryDelivered {
		t.Errorf("delivery = %+v, %v", m.Delivery, err)
	}
	if err := w.SetDelivery(t.Context(), "none", crm.Delivery{}); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("delivery of no message: %v", err)
	}
}

// cutOff lets a number of commands through and fails every one after, as a
// process that dies does.
type cutOff struct{ left atomic.Int64 }

var errCut = errors.New("the process died here")

func (c *cutOff) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *cutOff) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.left.Add(-1) < 0 {
			cmd.SetErr(errCut)
			return errCut
		}
		return next(ctx, cmd)
	}
}

func (c *cutOff) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if c.left.Add(-1) < 0 {
			for _, cmd := range cmds {
				cmd.SetErr(errCut)
			}
			return errCut
		}
		return next(ctx, cmds)
	}
}

// A process dies after each number of commands in turn. Another pays what was
// owed, and who was not answered asks again: the result is that of one call.
func TestACrashBetweenAnyTwoStepsDoesNoHarm(t *testing.T) {
	w := newWorld(t)
	hook := &cutOff{}
	one, ok := w.redis.(*redis.Client)
	if !ok {
		t.Fatal("this test needs one server")
	}
	dying := redis.NewClient(one.Options())
	t.Cleanup(func() { _ = dying.Close() })
	hook.left.Store(1 << 40)
	dying.AddHook(hook)
	doomed := w.store(dying)
	acts := map[string]func(s *crm.Store, n int) (again func() error, check func() error){
		"message": func(s *crm.Store, n int) (func() error, func() error) {
			id := contact.ID(fmt.Sprintf("e%d", n))
			m := message(crm.MessageID(fmt.Sprintf("m%d", n)), id, crm.ThreadID(fmt.Sprintf("t%d", n)), w.at())
			arrival := mail(w, id, fmt.Sprintf("p%d@example.org", n), m.Thread)
			p := w.person(crm.Person{Name: "Ada", Emails: []string{arrival.Email}})
			do := func(s *crm.Store) error {
				if _, err := s.IdentifyWritten(context.Background(), arrival); err != nil {
					return err
				}
				_, err := s.AddMessage(context.Background(), m)
				return err
			}
			_ = do(s)
			return func() error { return do(w.Store) }, func() error {
				tl, err := w.PersonTimeline(context.Background(), p.ID, 0, 10)
				rec, err2 := w.Record(context.Background(), id)
				ms, err3 := w.ThreadMessages(context.Background(), m.Thread, 0)
				byHeader, err4 := w.MessageByHeader(context.Background(), m.MessageID)
				if len(tl) != 2 || rec.Messages != 1 || len(ms) != 1 || byHeader.ID != m.ID {
					return fmt.Errorf("%d on the timeline, %d counted, %d in the thread, %+v by header: %w", len(tl), rec.Messages, len(ms), byHeader.ID, errors.Join(err, err2, err3, err4))
				}
				return nil
			}
		},
		"report": func(s *crm.Store, n int) (func() error, func() error) {
			id := crm.ReportID(fmt.Sprintf("R%d", n))
			number := fmt.Sprintf("+447700901%03d", n)
			p := w.person(crm.Person{Name: "Ada", Numbers: []string{number}})
			c := contact.ID(fmt.Sprintf("c%d", n))
			w.call(c, number)
			do := func(s *crm.Store) error {
				_, err := s.CreateReport(context.Background(), crm.Report{ID: id, Parties: []crm.Party{victim(p)}}, c)
				return err
			}
			_ = do(s)
			return func() error { return do(w.Store) }, func() error {
				r := w.report(id)
				rs, err := w.ReportsOf(context.Background(), p.ID)
				ts, err2 := w.Tasks(context.Background(), crm.TaskQuery{Report: id})
				found, err3 := w.ReportByReference(context.Background(), r.IncidentNumber)
				if len(rs) != 1 || len(ts) != 2 || found.ID != id || !slices.Equal(r.Contacts, []contact.ID{c}) || rs[0].Version != r.Version {
					return fmt.Errorf("%d listed, %d tasks, %s found, contacts %v: %w", len(rs), len(ts), found.ID, r.Contacts, errors.Join(err, err2, err3))
				}
				return nil
			}
		},
		"merge": func(s *crm.Store, n int) (func() error, func() error) {
			from, into := fmt.Sprintf("+447700902%03d", n), fmt.Sprintf("+447700903%03d", n)
			a, b := w.person(crm.Person{Name: "A", Numbers: []string{from}}), w.person(crm.Person{Name: "B", Numbers: []string{into}})
			w.call(contact.ID(fmt.Sprintf("x%d", n)), from)
			do := func(s *crm.Store) error { return s.MergePeople(context.Background(), a.ID, b.ID, "same") }
			_ = do(s)
			return func() error { return do(w.Store) }, func() error {
				leads, err := w.ByNumber(context.Background(), from)
				tl, err2 := w.Timeline(context.Background(), b.ID, 0, 5)
				if len(leads) != 1 || leads[0].ID != b.ID || len(leads[0].Merged) != 1 || len(tl) != 1 {
					return fmt.Errorf("leads to %+v, %d on the timeline: %w", leads, len(tl), errors.Join(err, err2))
				}
				return nil
			}
		},
	}
	n := 0
	for name, act := range acts {
		for steps := int64(0); ; steps++ {
			n++
			hook.left.Store(steps)
			again, check := act(doomed, n)
			whole := hook.left.Load() >= 0
			hook.left.Store(1 << 40)
			w.must(w.Settle(t.Context()))
			if err := again(); err != nil {
				t.Fatalf("%s, cut off after %d commands and asked again: %v", name, steps, err)
			}
			if err := check(); err != nil {
				t.Errorf("%s, cut off after %d commands: %v", name, steps, err)
			}
			if owed := w.owed(); owed != 0 {
				t.Errorf("%s, cut off after %d commands: %d notes are left", name, steps, owed)
			}
			if whole {
				break
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d places to die were tried", n)
	}
}

// The whole of a report's life on a server that refuses what a cluster refuses.
func TestTheRecordLivesOnACluster(t *testing.T) {
	w := newWorldOn(t, redistest.Cluster(t))
	a := w.person(crm.Person{GivenName: "Ada", Surname: "Green", DateOfBirth: "1980-01-02", Emails: []string{"ada@example.org"}, Numbers: []string{"07700 900130"}})
	b := w.person(crm.Person{Name: "A. Green", Numbers: []string{"07700 900131"}})
	w.call("c1", "07700 900131")
	w.wait(contact.Minute)
	w.wrote("e1", "ada@example.org", "t1")
	if _, err := w.AddMessage(t.Context(), message("m1", "e1", "t1", w.at())); err != nil {
		t.Fatal(err)
	}
	r := w.create(crm.Report{Parties: []crm.Party{victim(a)}, Place: crm.Place{Premises: "2", Postcode: "SW1A 1AA"}}, "e1")
	w.must2(w.Assess(t.Context(), r.ID, crm.Assessment{ID: "a1", Rationale: "calm", Grade: crm.GradeExtended}))
	w.must2(w.SetGrade(t.Context(), r.ID, crm.GradeExtended, "a1"))
	w.must2(w.Decide(t.Context(), r.ID, crm.Decision{Step: crm.StepRecord}))
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "We have it."}))
	w.must(w.MergePeople(t.Context(), b.ID, a.ID, "same"))
	tl, err := w.PersonTimeline(t.Context(), a.ID, 0, 20)
	w.must(err)
	if len(tl) != 5 {
		t.Errorf("%d entries on the timeline, want call, e-mail, message, report and update", len(tl))
	}
	if ms, err := w.FindPeople(t.Context(), crm.Clues{Name: "Ada Greene", DateOfBirth: "1980-01-02"}); err != nil || len(ms) != 1 {
		t.Errorf("found %+v, %v", ms, err)
	}
	secret, err := w.NewTrackingSecret(t.Context(), r.ID, 0)
	w.must(err)
	if _, _, err := w.Track(t.Context(), r.Reference, secret); err != nil {
		t.Error(err)
	}
	if _, _, err := w.ViewReport(t.Context(), r.ID, "ann"); err != nil {
		t.Error(err)
	}
	if _, err := w.SaveDraft(t.Context(), "ann", "k", 0, json.RawMessage(`"x"`)); err != nil {
		t.Error(err)
	}
	f := w.call("c2", "07700 900131")
	if p := pop(t, w.Store, "c2", f); len(p.Reports) != 1 || p.People[0].ID != a.ID {
		t.Errorf("pop = %+v", p)
	}
	if ts, err := w.Tasks(t.Context(), crm.TaskQuery{Before: w.at().Add(100 * contact.Day)}); err != nil || len(ts) == 0 {
		t.Errorf("tasks = %+v, %v", ts, err)
	}
	w.must(w.SplitPerson(t.Context(), b.ID, "no"))
	w.must(w.UnlinkContact(t.Context(), "e1"))
	if n := w.owed(); n != 0 {
		t.Errorf("%d notes are owed", n)
	}
}

func TestTrackingShowsEachPartyTheirPart(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{
		Summary: "what the victim told", Property: []crm.Property{{Status: "stolen", Category: "bicycle"}}, MO: "lock cut",
		Parties: []crm.Party{
			{Name: "Ada Green", Roles: []crm.PartyRole{crm.RoleVictim, crm.RoleReporter}},
			{Name: "Wilma White", Roles: []crm.PartyRole{crm.RoleWitness}, Statement: "I saw it."},
			{Name: "Somebody", Roles: []crm.PartyRole{crm.RoleSuspect}, Description: "tall"},
		},
	}, "")
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "for all"}))
	w.must2(w.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "for victims", For: []crm.PartyRole{crm.RoleVictim}}))
	secrets := map[int]string{}
	for i := range 2 {
		s, err := w.NewTrackingSecret(t.Context(), r.ID, i)
		w.must(err)
		if len(s) != 14 {
			t.Errorf("secret = %q", s)
		}
		secrets[i] = s
	}
	got, i, err := w.Track(t.Context(), strings.ToLower(r.Reference), strings.ToLower(strings.ReplaceAll(secrets[0], "-", " ")))
	w.must(err)
	if i != 0 || got.Summary == "" || len(got.Updates) != 2 || got.Parties[1].Name != "" || got.Parties[2].Description != "" || got.MO != "" || got.Parties[0].Name != "Ada Green" {
		t.Errorf("victim %d sees %+v", i, got)
	}
	if e := w.trail.last(); e.Operation != audit.Disclose || e.ObjectID != string(r.ID) {
		t.Errorf("the trail says %+v", e)
	}
	got, i, err = w.Track(t.Context(), r.Reference, secrets[1])
	w.must(err)
	if i != 1 || got.Summary != "" || got.Property != nil || len(got.Updates) != 1 || got.Parties[0].Name != "" || got.Parties[1].Statement != "I saw it." {
		t.Errorf("witness %d sees %+v", i, got)
	}
	got.Parties = got.Parties[1:2]
	if _, err := w.SaveReport(t.Context(), got); !errors.Is(err, crm.ErrConflict) {
		t.Errorf("a part was saved in the place of the whole: %v", err)
	}
	other := w.create(crm.Report{}, "")
	for name, try := range map[string][2]string{
		"wrong secret": {r.Reference, "ABCD-EFGH-JKLM"}, "no secret": {r.Reference, ""}, "no report": {"ABC-DEF-GHJ", secrets[0]}, "nonsense": {"x", "y"},
		"another report's": {other.Reference, secrets[0]}, "wrong end": {r.Reference, secrets[0][:13] + "Z"},
	} {
		if name == "wrong end" && strings.HasSuffix(secrets[0], "Z") {
			continue
		}
		got, i, err := w.Track(t.Context(), try[0], try[1])
		if !errors.Is(err, crm.ErrNotFound) || err.Error() != "tracking: "+crm.ErrNotFound.Error() || i != -1 || got.ID != "" {
			t.Errorf("%s: %+v, %d, %v", name, got, i, err)
		}
	}
	// The parties change places: the secret stays with its party.
	edit := w.report(r.ID)
	edit.Parties[0], edit.Parties[1] = edit.Parties[1], edit.Parties[0]
	w.must2(w.SaveReport(t.Context(), edit))
	if got, i, err = w.Track(t.Context(), r.Reference, secrets[0]); err != nil || i != 1 || got.Parties[1].Name != "Ada Green" {
		t.Errorf("after changing places: party %d, %v", i, err)
	}
	// A new secret ends the old one; a party taken off has none.
	fresh, err := w.NewTrackingSecret(t.Context(), r.ID, 1)
	w.must(err)
	if _, _, err := w.Track(t.Context(), r.Reference, secrets[0]); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("the old secret still opens: %v", err)
	}
	edit = w.report(r.ID)
	edit.Parties = edit.Parties[:1]
	w.must2(w.SaveReport(t.Context(), edit))
	if _, _, err := w.Track(t.Context(), r.Reference, fresh); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("a party that was taken off still follows: %v", err)
	}
	if got, i, err := w.Followed(t.Context(), r.ID, w.report(r.ID).Parties[0].ID); err != nil || i != 0 || got.MO != "" {
		t.Errorf("followed by %d: %+v, %v", i, got, err)
	}
	if _, _, err := w.Followed(t.Context(), r.ID, ""); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("followed by nobody: %v", err)
	}
	if kept := w.redis.HGetAll(t.Context(), "{r:"+string(r.ID)+"}:track").Val(); len(kept) == 0 || strings.Contains(fmt.Sprint(kept), strings.ReplaceAll(fresh, "-", "")[2:]) {
		t.Errorf("kept of the secrets: %v", kept)
	}
	if _, err := w.NewTrackingSecret(t.Context(), r.ID, 5); codes(err)["party"] == "" {
		t.Errorf("a secret for no party: %v", err)
	}
}

func TestAPartyChangesTheirOwnPartOnly(t *testing.T) {
	w := newWorld(t)
	r := w.create(crm.Report{Summary: "s", Parties: []crm.Party{{Name: "Ada Green", Roles: []crm.PartyRole{crm.RoleVictim}}, {Name: "Ben", Roles: []crm.PartyRole{crm.RoleWitness}}}}, "")
	mine := r.Parties[0]
	mine.Name, mine.Roles, mine.Statement, mine.WantsSupport, mine.WithdrawnAt = "Eve", []crm.PartyRole{crm.RoleSuspect}, "more", yes(), 1
	got, err := w.SaveParty(t.Context(), r.ID, 0, mine)
	w.must(err)
	kept := w.report(r.ID).Parties[0]
	if kept.Name != "Ada Green" || kept.Roles[0] != crm.RoleVictim || kept.Statement != "more" || kept.WithdrawnAt != w.at() || got.Parties[1].Name != "" {
		t.Errorf("kept %+v, shown %+v", kept, got)
	}
	if !slices.Contains(w.open(r.ID), crm.TaskReview) {
		t.Errorf("nobody is asked to look at the withdrawal: %v", w.open(r.ID))
	}
}

func TestViewersSeeEachOtherUntilTheirLeaseEnds(t *testing.T) {
	w := newWorld(t)
	names := func(vs []crm.Viewer, version uint64, err error) string {
		t.Helper()
		w.must(err)
		if version != 0 {
			t.Errorf("a report that is not there has version %d", version)
		}
		var out []string
		for _, v := range vs {
			out = append(out, v.Agent)
		}
		return strings.Join(out, " ")
	}
	if got := names(w.ViewReport(t.Context(), "R1", "ann")); got != "ann" {
		t.Errorf("viewers = %s", got)
	}
	w.wait(10 * contact.Second)
	if got := names(w.ViewReport(t.Context(), "R1", "ben")); got != "ann ben" {
		t.Errorf("viewers = %s", got)
	}
	w.wait(15 * contact.Second) // ann's lease has ended
	vs, version, err := w.ViewReport(t.Context(), "R1", "ben")
	if got := names(vs, version, err); got != "ben" || vs[0].Since != start.Add(10*contact.Second) || vs[0].Until != w.at().Add(crm.ViewLease) {
		t.Errorf("viewers = %+v", vs)
	}
	w.must(w.LeaveReport(t.Context(), "R1", "ben"))
	if got := names(w.ViewReport(t.Context(), "R1", "eve")); got != "eve" {
		t.Errorf("viewers = %s", got)
	}
}

func TestDraftsAreNeverOverwrittenUnseen(t *testing.T) {
	w := newWorld(t)
	put := func(base uint64, text string) (uint64, error) {
		return w.SaveDraft(t.Context(), "ann", "reply:e1", base, json.RawMessage(text))
	}
	rev, err := put(0, `{"text":"Dear"}`)
	if err != nil || rev != 1 {
		t.Fatalf("first save = %d, %v", rev, err)
	}
	if rev, err := put(0, `{"text":"Dear"}`); err != nil || rev != 1 {
		t.Errorf("the same save again = %d, %v", rev, err)
	}
	if rev, err := put(0, `{"text":"other tab"}`); !errors.Is(err, crm.ErrConflict) || rev != 1 {
		t.Errorf("another tab's = %d, %v", rev, err)
	}
	if rev, err = put(1, `{"text":"Dear Ada,\nthank you"}`); err != nil || rev != 2 {
		t.Errorf("second save = %d, %v", rev, err)
	}
	if body, rev, err := w.Draft(t.Context(), "ann", "reply:e1"); err != nil || rev != 2 || string(body) != `{"text":"Dear Ada,\nthank you"}` {
		t.Errorf("draft = %s, %d, %v", body, rev, err)
	}
	if keys, err := w.Drafts(t.Context(), "ann"); err != nil || !cmp.Equal(keys, map[string]uint64{"reply:e1": 2}) {
		t.Errorf("drafts = %v, %v", keys, err)
	}
	if _, err := put(2, `null`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Draft(t.Context(), "ann", "reply:e1"); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("a forgotten draft: %v", err)
	}
	if _, err := put(2, `"late"`); !errors.Is(err, crm.ErrConflict) {
		t.Errorf("an old tab brought a draft back: %v", err)
	}
	if rev, err := put(0, `"new"`); err != nil || rev != 4 {
		t.Errorf("a new draft = %d, %v", rev, err)
	}
	if _, err := put(4, `{`); codes(err)["body"] != "form" {
		t.Errorf("not JSON: %v", err)
	}
}

func TestWhoWritesIsKnownAsWhoRingsIs(t *testing.T) {
	w := newWorld(t)
	answered := func(id contact.ID, by string) {
		t.Helper()
		w.wait(contact.Minute)
		w.must(w.Ended(t.Context(), crm.Ending{ID: id, Handler: by, Answered: w.at(), At: w.at(), Ending: contact.Answered}))
		w.wait(contact.Minute)
	}
	// An address nobody has: the handler who answered before answers the reply.
	w.wrote("e1", "new@example.org", "t1")
	answered("e1", "ann")
	if f := w.wrote("e2", "new@example.org", "t1"); f.Preferred != "ann" || f.Person != "" || f.UnsafeToCall {
		t.Errorf("of an address: %+v", f)
	}
	// A person who rang: their handler, over all channels, and whether to ring.
	p := w.person(crm.Person{Name: "Ada Green", Emails: []string{"ada@example.org"}, Numbers: []string{"07700 900130"}, Safe: crm.SafeContact{UnsafeNumbers: []string{"07700 900130"}}})
	w.call("c1", "07700 900130")
	answered("c1", "ben")
	if f := w.wrote("e3", "ada@example.org", "t2"); f.Preferred != "ben" || f.Person != p.ID {
		t.Errorf("of a person: %+v", f)
	}
	a := mail(w, "r1", "other@example.org", "t3")
	a.Caller = contact.Caller{CLI: contact.CLIPresented, Number: "07700 900130", Unverified: true}
	f, err := w.IdentifyWritten(t.Context(), a)
	w.must(err)
	if !f.UnsafeToCall || f.Person != "" {
		t.Errorf("a number that must not be rung: %+v", f)
	}
	if rec, err := w.Record(t.Context(), "r1"); err != nil || !rec.Facts.UnsafeToCall {
		t.Errorf("kept as %+v, %v", rec.Facts, err)
	}
	// Somebody who was named is believed, whoever shares the address; so is the
	// handler who is named.
	other := w.person(crm.Person{Name: "Ben Green", Vulnerable: true, Safe: crm.SafeContact{Rule: "never"}})
	a = mail(w, "r2", "ada@example.org", "t4")
	a.Facts.Person, a.Facts.Preferred = other.ID, "owner"
	f, err = w.IdentifyWritten(t.Context(), a)
	w.must(err)
	if f.Person != other.ID || !f.Vulnerable || !f.UnsafeToCall || f.Preferred != "owner" {
		t.Errorf("somebody named: %+v", f)
	}
	a = mail(w, "r3", "", "t5")
	a.Facts.Person = other.ID
	_, err = w.IdentifyWritten(t.Context(), a)
	w.must(err)
	if rec, err := w.Record(t.Context(), "r3"); err != nil || rec.Person != other.ID {
		t.Errorf("named, with no address: %+v, %v", rec, err)
	}
}
