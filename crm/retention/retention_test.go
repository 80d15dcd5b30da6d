package retention_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	store *crm.Store
	trail *audit.Log
	blobs *blob.Dir
	index *search.Index
	job   *retention.Job
	now   time.Time
	keys  func() string
}

func open(t *testing.T) *office {
	t.Helper()
	c := redistest.Start(t)
	o := &office{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return o.now }
	var err error
	if o.trail, err = audit.Open(t.Context(), c, "test", audit.Clock(clock)); err != nil {
		t.Fatal(err)
	}
	if o.blobs, err = blob.OpenDir(t.TempDir(), blob.Options{Floor: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.blobs.Close() })
	if o.index, err = search.Open(t.Context(), search.Options{Redis: c, Region: "GB", Within: time.Minute}); err != nil {
		t.Fatal(err)
	}
	o.store, err = crm.Open(t.Context(), crm.Options{Redis: c, Region: "GB", Audit: o.trail, Search: crm.Found{Index: o.index}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	o.job = &retention.Job{Records: o.store, Blobs: o.blobs, Trail: o.trail, Policy: retention.DefaultPolicy, Now: clock}
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
	r, err := o.store.CreateReport(t.Context(), crm.Report{Summary: "A jar of marmalade was taken."}, "c1")
	must(err)
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

func TestWhatIsPastReviewGoesAndLeavesMetadataOnly(t *testing.T) {
	o := open(t)
	ctx := audit.With(t.Context(), audit.Actor{ID: "records1"})
	_, report, only, shared := o.fill(t)
	if due, err := o.job.Due(ctx); err != nil || len(due) != 0 {
		t.Fatalf("on the day: %v, %v", due, err)
	}
	o.now = o.now.AddDate(3, 0, 0)
	due, err := o.job.Due(ctx)
	if err != nil || len(due) != 1 || due[0].Kind != "contact" || due[0].ID != "c2" {
		t.Fatalf("after three years: %v, %v", due, err)
	}
	c, err := o.job.Dispose(ctx)
	if err != nil || c.By != "records1" || c.Count() != 1 || len(c.Files) != 0 {
		t.Fatalf("certificate = %+v, %v", c, err)
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
	if len(c.Disposed["report group 3"]) != 1 || len(c.Disposed["person"])+len(c.Disposed["report group 3"]) == 0 {
		t.Errorf("certificate = %+v", c)
	}
	if len(c.Files) != 2 {
		t.Errorf("files erased: %v", c.Files)
	}
	for _, f := range []blob.Ref{only, shared} {
		if _, err := o.blobs.Open(ctx, f); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("file %s: %v", f, err)
		}
	}
	if _, err = o.job.Dispose(ctx); err != nil { // people, now that nothing of theirs is left
		t.Fatal(err)
	}
	text := strings.ToLower(o.keys())
	for _, word := range []string{"zebedee", "quillfeather", "447700900123", "marmalade", "leaflet", "photograph"} {
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%q is left in Redis: …%s…", word, text[max(0, i-120):min(len(text), i+60)])
		}
	}
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
	if err != nil || c.Count() != 0 || c.Left["held"] != 2 {
		t.Fatalf("under hold: %+v, %v", c, err)
	}
	if _, err := o.store.EraseReport(ctx, report); !errors.Is(err, crm.ErrHeld) {
		t.Errorf("EraseReport = %v", err)
	}
	if _, err := o.store.EraseContact(ctx, "c1"); !errors.Is(err, crm.ErrHeld) {
		t.Errorf("EraseContact of a report's = %v", err)
	}
	if err := o.store.ErasePerson(ctx, person); !errors.Is(err, crm.ErrHeld) {
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
