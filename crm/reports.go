package crm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/ref"
)

// reportDocument is a report as it is kept.
type reportDocument struct {
	Report
	// Lines are those its contacts came from.
	Lines []string `json:"lines,omitempty"`
}

// errUnchanged ends a change that turned out to have been made already.
var errUnchanged = errors.New("crm: nothing to change")

func itoa(n int) string { return strconv.Itoa(n) }

// attempts bounds how often a change is tried again because somebody else changed
// the record at the same moment.
const attempts = 64

// CreateReport records a report: it gives it its id (unless preset: then a repeat
// returns what was created the first time), receipt (unless one was given out
// before, is sound and is free), incident number, clocks, tasks and retention. From is the contact it was made in, or empty; the contact
// is linked, and what the report does not say of channel, language and reporter
// is taken from it. What was refused is told field by field.
func (s *Store) CreateReport(ctx context.Context, r Report, from contact.ID) (Report, error) {
	now := contact.At(s.now())
	if r.Created == 0 || r.Created > now {
		r.Created = now
	}
	if err := checkReport(&r, now); err != nil {
		return Report{}, err
	}
	if err := uncreatable(r); err != nil {
		return Report{}, err
	}
	if r.ID == "" {
		r.ID = ReportID(s.ids.New())
	} else if d, err := s.report(ctx, r.ID); err == nil {
		return d.Report, s.linkOnce(ctx, from, r.ID)
	} else if !errors.Is(err, ErrNotFound) {
		return Report{}, err
	}
	d := reportDocument{Report: r}
	if from != "" {
		if err := s.takeFrom(ctx, &d, from); err != nil {
			return Report{}, err
		}
	}
	err := s.create(ctx, &d)
	if errors.Is(err, ErrConflict) { // somebody else created it meanwhile
		if d, err = s.report(ctx, r.ID); err != nil {
			return Report{}, err
		}
	} else if err != nil {
		return Report{}, err
	}
	if err := s.linkOnce(ctx, from, d.ID); err != nil {
		return Report{}, err
	}
	if from != "" {
		if d, err = s.report(ctx, r.ID); err != nil {
			return Report{}, err
		}
	}
	return d.Report, nil
}

// uncreatable refuses what only a report that exists can have.
func uncreatable(r Report) error {
	var f faults
	if r.Grade != "" {
		f.add("grade", "assessment", "a grade needs an assessment made for it")
	}
	if r.Outcome != 0 {
		f.add("outcome_type", "decision", "an outcome is given by a decision")
	}
	return f.err()
}

func (s *Store) create(ctx context.Context, d *reportDocument) error {
	r := &d.Report
	now := contact.At(s.now())
	r.Kind, r.Version, r.Changed = KindIncident, 1, now
	r.Assessments, r.Decisions, r.Updates, r.Contacts, r.CrimeNumber, r.GradedBy = nil, nil, nil, nil, "", ""
	r.RecordBy, r.ReassessBy = r.Created.Add(s.clocks.Record), 0
	s.name(r, nil)
	people, err := s.partyPeople(ctx, r)
	if err != nil {
		return err
	}
	if err := s.mark(ctx, d, nil, people); err != nil {
		return err
	}
	if r.Retention.Group == 0 {
		r.Retention.Group = retentionGroup(*r)
	}
	s.retain(r)
	a, err := newAgenda(r.ID, nil, now, audit.From(ctx).ID)
	if err != nil {
		return err
	}
	a.due(TaskRecord, "", "Decide whether this is recorded as a crime.", "", r.RecordBy)
	s.victimTasks(r, a, people)
	if err := s.number(ctx, r); err != nil {
		return err
	}
	e := aboutReport(audit.Collect, *r, "")
	return s.write(ctx, owed{Kind: "report", ID: string(r.ID), Entry: &e}, func() error { return s.saveReport(ctx, *d, 0, a) })
}

// name gives ids to what has none.
func (s *Store) name(r *Report, was []Party) {
	for i := range r.Parties {
		p := &r.Parties[i]
		known := slices.ContainsFunc(was, func(w Party) bool { return w.ID == p.ID })
		twice := slices.ContainsFunc(r.Parties[:i], func(w Party) bool { return w.ID == p.ID })
		if p.ID == "" || !known || twice {
			p.ID = s.ids.New()
		}
	}
	for i := range r.Property {
		if r.Property[i].ID == "" {
			r.Property[i].ID = s.ids.New()
		}
	}
	for i := range r.Vehicles {
		if r.Vehicles[i].ID == "" {
			r.Vehicles[i].ID = s.ids.New()
		}
	}
}

// takeFrom fills in what the contact knows and the report does not say.
func (s *Store) takeFrom(ctx context.Context, d *reportDocument, from contact.ID) error {
	rec, err := s.record(ctx, from)
	if err != nil {
		return err
	}
	if d.Channel == "" {
		d.Channel = rec.Channel
	}
	if d.Language == "" {
		d.Language = rec.Facts.Language
	}
	if d.Method == "" {
		d.Method = map[contact.Channel]string{contact.Phone: "101_voice", contact.Email: "email", contact.Web: "web_form"}[rec.Channel]
	}
	if rec.Facts.Line != "" {
		d.Lines = []string{rec.Facts.Line}
	}
	if rec.Person != "" && !slices.ContainsFunc(d.Parties, func(p Party) bool { return slices.Contains(p.Roles, RoleReporter) }) {
		root, err := s.root(ctx, rec.Person)
		if err != nil {
			return err
		}
		d.Parties = append(d.Parties, Party{Person: root, Roles: []PartyRole{RoleReporter}})
	}
	return nil
}

// number gives a report its receipt and incident number.
func (s *Store) number(ctx context.Context, r *Report) error {
	day := r.Created.Time().In(s.zone)
	serial, err := s.draw(ctx, "incident:"+day.Format("20060102"), r.ID)
	if err != nil {
		return err
	}
	r.IncidentNumber = ref.IncidentNumber(serial, day.Year(), day.Month(), day.Day())
	if _, err := s.claim(ctx, r.IncidentNumber, r.ID); err != nil {
		return err
	}
	preset := r.Reference
	for range 8 {
		text := preset
		if preset = ""; !ref.Check(text) {
			if text, err = ref.New(rand.Reader); err != nil {
				return err
			}
		}
		mine, err := s.claim(ctx, text, r.ID)
		if err != nil {
			return err
		}
		if mine {
			r.Reference = text
			return nil
		}
	}
	return errors.New("crm: no free receipt was found")
}

// drawnFor is how long the same report draws the same number, in seconds.
const drawnFor = 7 * 24 * 60 * 60

func (s *Store) draw(ctx context.Context, series string, id ReportID) (uint64, error) {
	counter := "{n:" + series + "}"
	n, err := s.eval(ctx, numberDrawLua, []string{counter, counter + ":" + string(id)}, drawnFor).Uint64()
	if err != nil {
		return 0, fmt.Errorf("crm: draw a number: %w", err)
	}
	return n, nil
}

// claim makes a reference lead to a report, and tells whether it does.
func (s *Store) claim(ctx context.Context, text string, id ReportID) (bool, error) {
	if err := s.redis.SetNX(ctx, referenceKey(text), string(id), 0).Err(); err != nil {
		return false, fmt.Errorf("crm: claim a reference: %w", err)
	}
	owner, err := s.redis.Get(ctx, referenceKey(text)).Result()
	if err != nil {
		return false, fmt.Errorf("crm: claim a reference: %w", err)
	}
	return owner == string(id), nil
}

// saveReport writes a report that began from a version, with its tasks: all or
// nothing.
func (s *Store) saveReport(ctx context.Context, d reportDocument, from uint64, a *agenda) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("crm: save report: %w", err)
	}
	tasks, err := a.args()
	if err != nil {
		return fmt.Errorf("crm: save report: %w", err)
	}
	args := append([]any{strconv.FormatUint(from, 10), text}, tasks...)
	saved, err := s.eval(ctx, reportSaveLua, []string{reportKey(d.ID), tasksKey(d.ID)}, args...).Int()
	if err != nil {
		return fmt.Errorf("crm: save report: %w", err)
	}
	if saved == 0 {
		return fmt.Errorf("report %s at version %d: %w", d.ID, from, ErrConflict)
	}
	return nil
}

func (s *Store) report(ctx context.Context, id ReportID) (reportDocument, error) {
	text, err := s.redis.HGet(ctx, reportKey(id), "doc").Result()
	if errors.Is(err, redis.Nil) {
		return reportDocument{}, fmt.Errorf("report %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return reportDocument{}, fmt.Errorf("crm: read report: %w", err)
	}
	return decodeReport(id, text)
}

func decodeReport(id ReportID, text string) (reportDocument, error) {
	var d reportDocument
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, fmt.Errorf("crm: report %s cannot be read: %w", id, err)
	}
	return d, nil
}

// Report reads one report.
func (s *Store) Report(ctx context.Context, id ReportID) (Report, error) {
	d, err := s.report(ctx, id)
	if err != nil {
		return Report{}, err
	}
	if err := s.opened(ctx, aboutReport("", d.Report, ""), d.Restricted); err != nil {
		return Report{}, err
	}
	return d.Report, nil
}

// Label is what a list shows of a report that something else belongs to.
type Label struct {
	Reference string
	Category  string // empty when the report is restricted
}

// Labels reads the labels of reports, of those that there are, in one round trip.
// It shows nothing of what happened and to whom, and is no consultation.
func (s *Store) Labels(ctx context.Context, ids []ReportID) (map[ReportID]Label, error) {
	out := map[ReportID]Label{}
	cmds := map[ReportID]*redis.StringCmd{}
	if len(ids) == 0 {
		return out, nil
	}
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			if cmds[id] == nil {
				cmds[id] = p.HGet(ctx, reportKey(id), "doc")
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("crm: read reports: %w", err)
	}
	for id, c := range cmds {
		if errors.Is(c.Err(), redis.Nil) {
			continue
		}
		d, err := decodeReport(id, c.Val())
		if err != nil {
			return nil, err
		}
		label := Label{Reference: d.Reference}
		if !d.Restricted {
			label.Category = d.Category
		}
		out[id] = label
	}
	return out, nil
}

// ReportByReference reads the report with a receipt, incident number or crime
// number, as somebody typed it.
func (s *Store) ReportByReference(ctx context.Context, typed string) (Report, error) {
	id, err := s.lookUp(ctx, typed)
	if err != nil {
		return Report{}, err
	}
	return s.Report(ctx, id)
}

func (s *Store) lookUp(ctx context.Context, typed string) (ReportID, error) {
	r, err := ref.Parse(typed)
	if err != nil {
		return "", fmt.Errorf("reference: %w", ErrNotFound)
	}
	id, err := s.redis.Get(ctx, referenceKey(r.Text)).Result()
	if errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reference: %w", ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("crm: look a reference up: %w", err)
	}
	return ReportID(id), nil
}

// change reads a report with its tasks, lets f change them and saves both, again
// if somebody else was faster. Unless blind, a restricted report is changed only
// by who gives a reason, because the changed report is shown to them.
func (s *Store) change(ctx context.Context, id ReportID, f func(d *reportDocument, a *agenda) error) (Report, error) {
	return s.changeAs(ctx, id, false, f)
}

func (s *Store) changeAs(ctx context.Context, id ReportID, blind bool, f func(d *reportDocument, a *agenda) error) (Report, error) {
	var last error
	for range attempts {
		var doc *redis.StringCmd
		var tasks *redis.MapStringStringCmd
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			doc, tasks = p.HGet(ctx, reportKey(id), "doc"), p.HGetAll(ctx, tasksKey(id))
			return nil
		})
		if errors.Is(err, redis.Nil) {
			return Report{}, fmt.Errorf("report %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return Report{}, fmt.Errorf("crm: read report: %w", err)
		}
		d, err := decodeReport(id, doc.Val())
		if err != nil {
			return Report{}, err
		}
		if !blind && !mayOpen(ctx, d.Restricted) {
			return Report{}, s.opened(ctx, aboutReport("", d.Report, ""), true)
		}
		before := d.Report
		a, err := newAgenda(id, tasks.Val(), contact.At(s.now()), audit.From(ctx).ID)
		if err != nil {
			return Report{}, err
		}
		// f changes a copy, so that before stays what was read.
		if d, err = decodeReport(id, doc.Val()); err != nil {
			return Report{}, err
		}
		if err := f(&d, a); errors.Is(err, errUnchanged) {
			return before, nil
		} else if err != nil {
			return before, err
		}
		d.Version, d.Changed = before.Version+1, max(a.now, before.Changed+1)
		e := aboutReport(audit.Alter, d.Report, "")
		e.Fields = changed(before, d.Report)
		err = s.write(ctx, owed{Kind: "report", ID: string(id), Entry: &e}, func() error { return s.saveReport(ctx, d, before.Version, a) })
		if err == nil {
			return d.Report, nil
		}
		if !errors.Is(err, ErrConflict) {
			return Report{}, err
		}
		last = err
	}
	return Report{}, last
}

// SaveReport saves an edited report. Its Version must be the one that was read,
// else ErrConflict, with the newest: nobody's change is ever lost unseen. Numbers,
// times, kind, contacts and whatever only grows stay as they are; a grade or an
// outcome that differs is refused, because they have steps of their own.
func (s *Store) SaveReport(ctx context.Context, r Report) (Report, error) {
	if err := checkReport(&r, contact.At(s.now())); err != nil {
		return Report{}, err
	}
	return s.change(ctx, r.ID, func(d *reportDocument, a *agenda) error {
		was := d.Report
		if r.Version != was.Version {
			return fmt.Errorf("report %s was read at version %d, newest is %d: %w", r.ID, r.Version, was.Version, ErrConflict)
		}
		if err := unsavable(r, was); err != nil {
			return err
		}
		next := r
		next.Parties, next.Property, next.Vehicles = slices.Clone(r.Parties), slices.Clone(r.Property), slices.Clone(r.Vehicles)
		next.Kind, next.Created, next.Reference, next.IncidentNumber, next.CrimeNumber = was.Kind, was.Created, was.Reference, was.IncidentNumber, was.CrimeNumber
		next.GradedBy, next.Assessments, next.ReassessBy, next.Decisions, next.RecordBy = was.GradedBy, was.Assessments, was.ReassessBy, was.Decisions, was.RecordBy
		next.Updates, next.Contacts = was.Updates, was.Contacts
		if next.Channel == "" {
			next.Channel = was.Channel
		}
		s.name(&next, was.Parties)
		d.Report = next
		people, err := s.partyPeople(ctx, &d.Report)
		if err != nil {
			return err
		}
		if err := s.mark(ctx, d, &was, people); err != nil {
			return err
		}
		if d.Retention.Group == 0 {
			d.Retention.Group = was.Retention.Group
		}
		if d.Retention.Group != was.Retention.Group {
			d.Retention.Review = 0
		}
		s.retain(&d.Report)
		s.victimTasks(&d.Report, a, people)
		if d.Status == was.Status {
			return nil
		}
		if closed(d.Status) {
			s.reassess(&d.Report, a, a.now)
			s.tellVictims(&d.Report, a, "closed", "Tell the victim that the report is closed and why.")
		} else if closed(was.Status) && d.Grade != "" {
			s.reassess(&d.Report, a, a.now)
		}
		return nil
	})
}

// unsavable refuses changes that have steps of their own.
func unsavable(r, was Report) error {
	var f faults
	if r.Grade != was.Grade {
		f.add("grade", "assessment", "a grade changes only with an assessment made for it")
	}
	if r.Outcome != was.Outcome {
		f.add("outcome_type", "decision", "an outcome is given by a decision")
	}
	if r.Status == StatusClosed && was.Status != StatusClosed && len(was.Assessments) == 0 {
		f.add("status", "assessment", "assess the risk (THRIVE) before closing")
	}
	return f.err()
}

// retentionGroup guesses the group from what is known; a reviewer may change it.
func retentionGroup(r Report) int {
	switch {
	case r.HighHarm:
		return 2
	case r.Category == "lost_property" || r.Category == "found_property":
		return 4
	}
	return 3
}

// retain sets the review date from the group, unless one is set.
func (s *Store) retain(r *Report) {
	if r.Retention.Review == 0 {
		r.Retention.Review = contact.At(r.Created.Time().AddDate(s.clocks.Retention[r.Retention.Group], 0, 0))
	}
}

// partyPeople reads the people who are parties, gives parties without a name
// theirs, and follows merges.
func (s *Store) partyPeople(ctx context.Context, r *Report) (map[contact.PersonID]Person, error) {
	var ids []contact.PersonID
	for _, p := range r.Parties {
		if p.Person != "" {
			ids = append(ids, p.Person)
		}
	}
	people, err := s.people(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := map[contact.PersonID]Person{}
	for _, p := range people {
		id := p.ID
		if p.MergedInto != "" { // what is known of them is kept where they were merged
			root, err := s.root(ctx, id)
			if err != nil {
				return nil, err
			}
			if p, err = s.person(ctx, root); err != nil {
				return nil, err
			}
		}
		out[id] = p
	}
	var f faults
	for i := range r.Parties {
		p := &r.Parties[i]
		if p.Person == "" {
			continue
		}
		who, ok := out[p.Person]
		if !ok {
			f.add(fmt.Sprintf("parties[%d].person", i), "unknown", "there is no such person")
			continue
		}
		if p.Name == "" {
			p.Name = who.Name
		}
	}
	return out, f.err()
}
