// Package retention disposes of records that need no longer be kept: it finds
// what is past its review, erases it, with the files nothing else names, and
// writes a certificate of what went.
package retention

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
)

// Records is what is disposed of; *crm.Store is one.
type Records interface {
	EachDisposable(ctx context.Context, f func(crm.Disposable) error) error
	EraseReport(ctx context.Context, id crm.ReportID) ([]crm.Gone, error)
	EraseContact(ctx context.Context, id contact.ID) ([]crm.Gone, error)
	ErasePerson(ctx context.Context, id contact.PersonID) ([]crm.Gone, error)
	EraseTask(ctx context.Context, id string) ([]crm.Gone, error)
	// Leaving lists files that erased records named, until Left.
	Leaving(ctx context.Context) ([]blob.Ref, error)
	Left(ctx context.Context, ref blob.Ref) error
	NamedBlobs(ctx context.Context, refs map[blob.Ref]bool) (map[blob.Ref]bool, error)
}

// Files is where records' files lie; *blob.Dir is one.
type Files interface {
	// EraseOlder erases a file that was put before a moment, and tells whether it is
	// gone. One that was put since stays.
	EraseOlder(ctx context.Context, ref blob.Ref, before time.Time) (gone bool, err error)
}

var (
	_ Records = (*crm.Store)(nil)
	_ Files   = (*blob.Dir)(nil)
)

// settling is how long ago a file must have been put to be erased: one that came
// since may be about to be named by a record.
const settling = 24 * time.Hour

// Policy says how long what has no review date of its own is kept.
type Policy struct {
	// Contacts that belong to no report, from their arrival; People with no contact
	// and no report, from their last change; Tasks of no report, from when they were
	// done.
	Contacts, People, Tasks contact.Duration
}

// DefaultPolicy keeps them for two years.
var DefaultPolicy = Policy{Contacts: 2 * 365 * contact.Day, People: 2 * 365 * contact.Day, Tasks: 2 * 365 * contact.Day}

// Job disposes of records.
type Job struct {
	Records Records
	// Blobs holds their files; nil for none.
	Blobs  Files
	Trail  audit.Trail
	Policy Policy
	Now    func() time.Time
}

// Class names records of a kind that are kept for the same reason: "contact",
// "person", "report group 3".
func Class(d crm.Disposable) string {
	if d.Kind == "report" {
		return fmt.Sprintf("report group %d", d.Group)
	}
	return d.Kind
}

// ReviewedByPeople tells records that a job alone never disposes of: reports of
// groups 1 and 2 (public protection and other serious matters). A person looks at
// each and names it.
func ReviewedByPeople(d crm.Disposable) bool { return d.Kind == "report" && d.Group < 3 }

// Due lists what is past its review, held records too, by kind and then oldest
// first.
func (j *Job) Due(ctx context.Context) ([]crm.Disposable, error) {
	now := contact.At(j.Now())
	var out []crm.Disposable
	err := j.Records.EachDisposable(ctx, func(d crm.Disposable) error {
		if d.Review == 0 {
			switch d.Kind {
			case "contact":
				d.Review = d.Since.Add(j.Policy.Contacts)
			case "person":
				d.Review = d.Since.Add(j.Policy.People)
			case "task":
				d.Review = d.Since.Add(j.Policy.Tasks)
			}
		}
		if d.Review != 0 && d.Review <= now {
			out = append(out, d)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b crm.Disposable) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.Review, b.Review), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(out, func(a, b crm.Disposable) bool { return a.Kind == b.Kind && a.ID == b.ID }), err
}

// order disposes of reports with their contacts first, and of people last, when
// nothing of theirs may be left.
func order(kind string) int {
	return slices.Index([]string{"report", "contact", "task", "person"}, kind)
}

// Certificate says what was disposed of, with all that went along: a report's
// contacts, messages and tasks. Hashes are SHA-256 of "kind:id", so that the
// certificate proves that a record went without listing who had one. The trail has
// a line for each, whose reason names the certificate.
type Certificate struct {
	ID       string              `json:"id"`
	By       string              `json:"by"`
	Began    contact.Instant     `json:"began"`
	Ended    contact.Instant     `json:"ended"`
	Disposed map[string][]string `json:"disposed"` // class → hashes
	Files    []blob.Ref          `json:"files,omitempty"`
	// Left counts by reason what was due and stays.
	Left map[string]int `json:"left,omitempty"`
}

// Hash is how a certificate names a record.
func Hash(kind, id string) string {
	h := sha256.Sum256([]byte(kind + ":" + id))
	return hex.EncodeToString(h[:])
}

// Count is how many records went.
func (c Certificate) Count() int {
	n := 0
	for _, hs := range c.Disposed {
		n += len(hs)
	}
	return n
}

// Dispose erases what is due and not held. Records that people review go only when
// they are named by id. On an error the certificate still tells what went; running
// it again goes on, also after a crash. Ended is zero when it did not get to its
// end.
func (j *Job) Dispose(ctx context.Context, named ...string) (Certificate, error) {
	c := Certificate{
		ID: contact.NewIDs(j.Now).New(), By: audit.From(ctx).ID, Began: contact.At(j.Now()), Disposed: map[string][]string{}, Left: map[string]int{},
	}
	due, err := j.Due(ctx)
	if err != nil {
		return c, err
	}
	if actor := audit.From(ctx); actor.Reason == "" {
		actor.Reason = "disposal " + c.ID
		ctx = audit.With(ctx, actor)
	}
	if err := j.note(ctx, c, "began"); err != nil {
		return c, err
	}
	err = j.dispose(ctx, &c, due, named)
	if err == nil && c.Count() > 0 {
		// People of whom nothing was left to wait for.
		if due, err = j.Due(ctx); err == nil {
			people := slices.DeleteFunc(due, func(d crm.Disposable) bool { return d.Kind != "person" || d.Held != "" })
			err = j.dispose(ctx, &c, people, named)
		}
	}
	if err = errors.Join(err, j.eraseFiles(ctx, &c)); err != nil {
		return c, errors.Join(err, j.note(ctx, c, "failed"))
	}
	c.Ended = contact.At(j.Now())
	return c, j.note(ctx, c, "ok")
}

func (j *Job) dispose(ctx context.Context, c *Certificate, due []crm.Disposable, named []string) error {
	for _, d := range due {
		if ReviewedByPeople(d) && !slices.Contains(named, d.ID) {
			c.Left["to be reviewed by a person"]++
			continue
		}
		if d.Held != "" {
			c.Left["held"]++
			continue
		}
		gone, err := j.erase(ctx, d)
		for _, g := range gone {
			class := g.Kind
			if g.Kind == "report" {
				class = Class(d)
			}
			c.Disposed[class] = append(c.Disposed[class], Hash(g.Kind, g.ID))
		}
		switch {
		case errors.Is(err, crm.ErrHeld):
			c.Left["held"]++
		case errors.Is(err, crm.ErrNotFound): // it went with another
		case err != nil:
			return err
		}
	}
	return nil
}

func (j *Job) note(ctx context.Context, c Certificate, outcome string) error {
	if j.Trail == nil {
		return nil
	}
	return j.Trail.Append(ctx, audit.Entry{Operation: audit.Erase, Object: "certificate", ObjectID: c.ID, Outcome: outcome})
}

func (j *Job) erase(ctx context.Context, d crm.Disposable) ([]crm.Gone, error) {
	switch d.Kind {
	case "report":
		return j.Records.EraseReport(ctx, crm.ReportID(d.ID))
	case "contact":
		return j.Records.EraseContact(ctx, contact.ID(d.ID))
	case "task":
		return j.Records.EraseTask(ctx, d.ID)
	}
	return j.Records.ErasePerson(ctx, contact.PersonID(d.ID))
}

// eraseFiles erases the files of erased records that no record names any more,
// also those that an earlier run did not come to. A file that was put again a
// short while ago is left to the next run: what it came with may not name it yet.
func (j *Job) eraseFiles(ctx context.Context, c *Certificate) error {
	if j.Blobs == nil {
		return nil
	}
	list, err := j.Records.Leaving(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	files := map[blob.Ref]bool{}
	for _, r := range list {
		files[r] = true
	}
	before := j.Now().Add(-settling)
	named, err := j.Records.NamedBlobs(ctx, files)
	if err != nil {
		return err
	}
	for _, r := range list {
		if !named[r] {
			gone, err := j.Blobs.EraseOlder(ctx, r, before)
			if err != nil {
				return err
			}
			if !gone {
				c.Left["files put in the last day"]++
				continue
			}
			c.Files = append(c.Files, r)
		}
		if err := j.Records.Left(ctx, r); err != nil {
			return err
		}
	}
	slices.Sort(c.Files)
	return nil
}
