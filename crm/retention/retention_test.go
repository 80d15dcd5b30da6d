package retention_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/contact/importrule"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/retention"
	"example.org/c3i/crm/search"
)

func TestImports(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{"contact", "crm", "crm/audit", "crm/blob"}})
}

// office is a store with everything around it, whose clock the test sets.
type office struct {
	redis redis.UniversalClient
	store *crm.Store
	trail *audit.Log
	blobs *blob.Dir
	job   *retention.Job
	now   time.Time
	keys  func() string
}

func open(t *testing.T) *office {
	t.Helper()
	c := redistest.Start(t)
	o := &office{redis: c, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	var err error
	if o.blobs, err = blob.OpenDir(t.TempDir(), blob.Options{Floor: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.blobs.Close() })
	o.connect(t, c)
	o.keys = func() string {
		var all []string
		ks, err := c.Keys(t.Context(), "*").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range ks {
			switch kind, _ := c.Type(t.Context(), k).Result(); kind {
			case "string":
				all = append(all, k, c.Get(t.Context(), k).Val())
			case "hash":
				for f, v := range c.HGetAll(t.Context(), k).Val() {
					all = append(all, k, f, v)
				}
			case "zset":
				all = append(append(all, k), c.ZRange(t.Context(), k, 0, -1).Val()...)
			}
		}
		return strings.Join(all, "\n")
	}
	return o
}

func (o *office) clock() time.Time { return o.now }

// connect opens everything on a Redis.
func (o *office) connect(t *testing.T, c redis.UniversalClient) {
	t.Helper()
	var err error
	if o.trail, err = audit.Open(t.Context(), c, "test", audit.Clock(o.clock)); err != nil {
		t.Fatal(err)
	}
	if o.store, err = o.onto(c); err != nil {
		t.Fatal(err)
	}
	o.job = &retention.Job{Records: o.store, Blobs: o.blobs, Trail: o.trail, Policy: retention.DefaultPolicy, Now: o.clock}
}

// onto opens a store of its own, as another process would.
func (o *office) onto(c redis.UniversalClient) (*crm.Store, error) {
	index, err := search.Open(context.Background(), search.Options{Redis: c, Region: "GB", Within: time.Minute})
	if err != nil {
		return nil, err
	}
	return crm.Open(context.Background(), crm.Options{Redis: c, Region: "GB", Audit: o.trail, Search: crm.Found{Index: index}, Now: o.clock})
}

// fill records a person with a written contact that made a report, and a second
// contact that made none. It returns the blob that only the first names.
func (o *office) fill(t *testing.T) (person contact.PersonID, report crm.ReportID, only, shared blob.Ref) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := o.store.SavePerson(t.Context(), crm.Person{Name: "Zebedee Quillfeather", Numbers: []string{"+447700900123"}, Emails: []string{"zebedee@example.org"}})
	must(err)
	only, _, err = o.blobs.Put(t.Context(), strings.NewReader("the photograph"), 100)
	must(err)
	shared, _, err = o.blobs.Put(t.Context(), strings.NewReader("the leaflet"), 100)
	must(err)
	for _, id := range []contact.ID{"c1", "c2"} {
		_, err = o.store.IdentifyWritten(t.Context(), crm.WrittenArrival{
			Arrival: crm.Arrival{ID: id, Channel: contact.Email, At: contact.At(o.now)}, Email: "zebedee@example.org", Subject: "Marmalade", Thread: crm.ThreadID("t" + id),
		})
		must(err)
		m := crm.Message{
			ID: crm.MessageID("m" + id), Contact: id, Thread: crm.ThreadID("t" + id), Channel: contact.Email, Direction: crm.Incoming, At: contact.At(o.now),
			From: crm.Mailbox{Address: "zebedee@example.org"}, Text: "about the marmalade", MessageID: "h" + string(id),
			Attachments: []crm.Attachment{{ID: "1", Name: "leaflet", Blob: shared}},
		}
		if id == "c1" {
			m.Attachments = append(m.Attachments, crm.Attachment{ID: "2", Name: "photograph", Blob: only})
		}
		_, err = o.store.AddMessage(t.Context(), m)
		must(err)
		must(o.store.Ended(t.Context(), crm.Ending{ID: id, Queue: "crime", Handler: "handler1", Answered: contact.At(o.now), At: contact.At(o.now.Add(time.Minute)), Ending: contact.Answered}))
	}
	begun, _, err := o.blobs.Put(t.Context(), strings.NewReader("a file for an answer that was never sent"), 100)
	must(err)
	for _, id := range []contact.ID{"c1", "c2"} {
		_, err = o.store.SaveNote(t.Context(), id, 0, "Zebedee rang about the marmalade", "handler1")
		must(err)
		_, err = o.store.SaveDraft(t.Context(), string(id), "reply", 0, json.RawMessage(`{"text":"Dear Zebedee","files":[{"id":"9","name":"photograph","blob":"`+string(begun)+`"}]}`))
		must(err)
	}
	r, err := o.store.CreateReport(t.Context(), crm.Report{
		Summary: "A jar of marmalade was taken.", MO: "By the marmalade thief, through the kitchen window.", Answers: map[string]string{"what": "marmalade"},
		Place: crm.Place{Text: "Marmalade Mansions", Premises: "Marmalade Mansions", Postcode: "ZY1 1AA"},
		Parties: []crm.Party{
			{Person: p.ID, Roles: []crm.PartyRole{crm.RoleVictim}, Statement: "My marmalade!"},
			{Name: "Hortensia Quillfeather", Roles: []crm.PartyRole{crm.RoleWitness}, Statement: "I saw the marmalade go."},
		},
		Property:    []crm.Property{{Status: "stolen", Category: "food", Description: "marmalade", Unique: "MARMALADE77"}},
		Attachments: []crm.Attachment{{ID: "1", Name: "photograph", Blob: only}},
	}, "c1")
	must(err)
	_, err = o.store.Update(t.Context(), r.ID, crm.PublicUpdate{Text: "We look for your marmalade."})
	must(err)
	_, err = o.store.NewTrackingSecret(t.Context(), r.ID, 1)
	must(err)
	_, err = o.store.AddReportMessage(t.Context(), r.ID, crm.Message{ID: "mr", Channel: contact.Web, Direction: crm.Incoming, Text: "more about the marmalade"})
	must(err)
	alone, err := o.store.SaveTask(t.Context(), crm.Task{Text: "Ring Zebedee about something else", Due: contact.At(o.now)})
	must(err)
	must(o.store.DoneTask(t.Context(), alone.ID, "Zebedee was not in"))
	_, err = o.store.Assess(t.Context(), r.ID, crm.Assessment{Grade: crm.GradeReferred, Rationale: "no risk"})
	if err != nil {
		t.Logf("assess: %v", err)
	}
	r, err = o.store.Report(t.Context(), r.ID)
	must(err)
	r.Status = crm.StatusWithdrawn
	_, err = o.store.SaveReport(t.Context(), r)
	must(err)
	return p.ID, r.ID, only, shared
}

// nothingLeft looks through all of Redis for what fill told.
func (o *office) nothingLeft(t *testing.T) {
	t.Helper()
	text := strings.ToLower(o.keys())
	for _, word := range []string{"zebedee", "quillfeather", "hortensia", "447700900123", "7700900123", "marmalade", "leaflet", "photograph", "zy1 1aa", "zy11aa", "{d:c", "spt", ":track"} {
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%q is left in Redis: …%s…", word, text[max(0, i-120):min(len(text), i+60)])
		}
	}
}

// dying is a connection that is cut for good after so many commands.
type dying struct{ left int }

var errCut = errors.New("cut off")

func (d *dying) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *dying) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if d.left--; d.left < 0 {
			cmd.SetErr(errCut)
			return errCut
		}
		return next(ctx, cmd)
	}
}

func (d *dying) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if d.left--; d.left < 0 {
			for _, c := range cmds {
				c.SetErr(errCut)
			}
			return errCut
		}
		return next(ctx, cmds)
	}
}

// Wherever an erasure is cut off, running it again ends it: nothing is left, files
// too, and the certificates together name each record that went.
func TestAnErasureThatIsCutOffIsFinishedByTheNext(t *testing.T) {
	o := open(t)
	ctx := audit.With(t.Context(), audit.Actor{ID: "records1"})
	if err := o.redis.ConfigSet(ctx, "appendfsync", "no").Err(); err != nil { // this test's Redis does not die
		t.Fatal(err)
	}
	began := o.now
	var full int
	for cut := 0; ; cut += 5 {
		if err := o.redis.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		o.now = began
		o.connect(t, o.redis)
		person, report, _, _ := o.fill(t)
		o.now = began.AddDate(30, 0, 0)

		once := redis.NewClient(o.redis.(*redis.Client).Options())
		once.AddHook(&dying{left: cut})
		disposed := map[string]bool{}
		add := func(c retention.Certificate) {
			for _, hs := range c.Disposed {
				for _, h := range hs {
					if disposed[h] {
						t.Errorf("cut after %d: a record went twice", cut)
					}
					disposed[h] = true
				}
			}
		}
		was := *o.job
		records, err := o.onto(once)
		if err == nil {
			o.job.Records, o.job.Trail = records, nil
			var c retention.Certificate
			c, err = o.job.Dispose(ctx)
			add(c)
			if (err == nil) != (c.Ended != 0) {
				t.Errorf("cut after %d: ended at %d with %v", cut, c.Ended, err)
			}
		}
		*o.job = was
		if cerr := once.Close(); cerr != nil {
			t.Error(cerr)
		}
		whole := err == nil
		c, err := o.job.Dispose(ctx)
		if err != nil {
			t.Fatalf("cut after %d, again: %v", cut, err)
		}
		add(c)
		o.nothingLeft(t)
		for _, id := range []string{retention.Hash("person", string(person)), retention.Hash("report", string(report)), retention.Hash("contact", "c1"), retention.Hash("contact", "c2"), retention.Hash("message", "mc1"), retention.Hash("message", "mr")} {
			if !disposed[id] {
				t.Errorf("cut after %d: a record is on no certificate", cut)
			}
		}
		if err := o.blobs.Each(ctx, func(i blob.Info) error { t.Errorf("cut after %d: file %s is left", cut, i.Ref); return nil }); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
		if whole {
			full = cut
			break
		}
	}
	t.Logf("the whole takes about %d commands", full)
	if full < 60 {
		t.Errorf("the whole took %d commands: nothing was cut", full)
	}
}

func TestWhatIsPastReviewGoesAndLeavesMetadataOnly(t *testing.T) {
	o := open(t)
	ctx := audit.With(t.Context(), audit.Actor{ID: "records1"})
	_, report, only, shared := o.fill(t)
	if due, err := o.job.Due(ctx); err != nil || len(due) != 0 {
		t.Fatalf("on the day: %v, %v", due, err)
	}
	o.now = o.now.AddDate(3, 0, 0)
	due, err := o.job.Due(ctx)
	if err != nil || len(due) != 2 || due[0].Kind != "contact" || due[0].ID != "c2" || due[1].Kind != "task" {
		t.Fatalf("after three years: %v, %v", due, err)
	}
	c, err := o.job.Dispose(ctx)
	if err != nil || c.By != "records1" || c.Count() != 3 || len(c.Files) != 0 || c.Ended == 0 {
		t.Fatalf("certificate = %+v, %v", c, err)
	}
	if diff := cmp.Diff([]string{retention.Hash("message", "mc2")}, c.Disposed["message"]); diff != "" {
		t.Errorf("messages disposed of (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{retention.Hash("contact", "c2")}, c.Disposed["contact"]); diff != "" {
		t.Errorf("contacts disposed of (-want +got):\n%s", diff)
	}
	if err := o.blobs.Check(ctx, shared); err != nil {
		t.Errorf("a file that another message names went: %v", err)
	}

	o.now = o.now.AddDate(20, 0, 0)
	if c, err = o.job.Dispose(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := o.store.Report(ctx, report); !errors.Is(err, crm.ErrNotFound) {
		t.Errorf("the report is still there: %v", err)
	}
	for class, want := range map[string]int{"report group 3": 1, "contact": 1, "message": 2, "person": 1} {
		if got := len(c.Disposed[class]); got != want {
			t.Errorf("%d of class %s went, want %d: %+v", got, class, want, c)
		}
	}
	if len(c.Files) != 3 {
		t.Errorf("files erased: %v", c.Files)
	}
	for _, f := range []blob.Ref{only, shared} {
		if _, err := o.blobs.Open(ctx, f); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("file %s: %v", f, err)
		}
	}
	o.nothingLeft(t)
	// The ledger keeps that the contact was.
	rec, err := o.store.Record(ctx, "c1")
	if err != nil || rec.Channel != contact.Email || rec.Ending != contact.Answered || rec.Email != "" || rec.Person != "" {
		t.Errorf("the contact's metadata = %+v, %v", rec, err)
	}
	if _, err := o.trail.Verify(ctx); err != nil {
		t.Error(err)
	}
	p, err := o.trail.Read(ctx, audit.Query{Operation: audit.Erase})
	if err != nil || len(p.Entries) < 6 {
		t.Errorf("%d erasures on the trail, %v", len(p.Entries), err)
	}
	if c, err = o.job.Dispose(ctx); err != nil || c.Count() != 0 {
		t.Errorf("a second time: %+v, %v", c, err)
	}
}

func TestALegalHoldKeepsARecordAndWhatItBelongsTo(t *testing.T) {
	o := open(t)
	ctx := audit.With(t.Context(), audit.Actor{ID: "records1"})
	person, report, _, _ := o.fill(t)
	if err := o.store.SetHold(ctx, "person", string(person), "inquiry"); err != nil {
		t.Fatal(err)
	}
	o.now = o.now.AddDate(30, 0, 0)
	c, err := o.job.Dispose(ctx)
	if err != nil || c.Count() != 1 || len(c.Disposed["task"]) != 1 || c.Left["held"] != 2 { // the task names nobody's record
		t.Fatalf("under hold: %+v, %v", c, err)
	}
	if _, err := o.store.EraseReport(ctx, report); !errors.Is(err, crm.ErrHeld) {
		t.Errorf("EraseReport = %v", err)
	}
	if _, err := o.store.EraseContact(ctx, "c1"); !errors.Is(err, crm.ErrHeld) {
		t.Errorf("EraseContact of a report's = %v", err)
	}
	if _, err := o.store.ErasePerson(ctx, person); !errors.Is(err, crm.ErrHeld) {
		t.Errorf("ErasePerson = %v", err)
	}
	if err := o.store.SetHold(ctx, "person", string(person), ""); err != nil {
		t.Fatal(err)
	}
	if c, err = o.job.Dispose(ctx); err != nil || c.Count() < 2 {
		t.Errorf("after the hold: %+v, %v", c, err)
	}
}

func TestSeriousMattersGoOnlyWhenAPersonNamesThem(t *testing.T) {
	o := open(t)
	ctx := audit.With(t.Context(), audit.Actor{ID: "records1"})
	r, err := o.store.CreateReport(ctx, crm.Report{Summary: "x", HighHarm: true, Status: crm.StatusWithdrawn}, "")
	if err != nil {
		t.Fatal(err)
	}
	o.now = o.now.AddDate(60, 0, 0)
	c, err := o.job.Dispose(ctx)
	if err != nil || c.Count() != 0 || c.Left["to be reviewed by a person"] != 1 {
		t.Fatalf("alone: %+v, %v", c, err)
	}
	if c, err = o.job.Dispose(ctx, string(r.ID)); err != nil || len(c.Disposed["report group 2"]) != 1 {
		t.Errorf("named: %+v, %v", c, err)
	}
}
