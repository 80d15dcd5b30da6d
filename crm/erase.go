package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
)

// Erasing leaves metadata only: the line in the trail, which is written first, and
// of a contact when it came, on which channel and how it ended, so that counts of
// the past stay true. Everything that goes is found from the record itself, which
// goes last: an erasure that was cut short is finished by a repeat.

// ErrHeld means that a record may not be erased: it, or what it belongs to, is
// under a legal hold or still needed. The error's text says why.
var ErrHeld = errors.New("crm: held")

const holdsKey = "{crm}:holds"

// Hold is a legal hold on one record.
type Hold struct {
	Kind   string          `json:"kind"` // person, report, contact or message
	ID     string          `json:"id"`
	Reason string          `json:"reason"`
	By     string          `json:"by"`
	At     contact.Instant `json:"at"`
}

// SetHold forbids that a record is disposed of; an empty reason lifts the hold.
func (s *Store) SetHold(ctx context.Context, kind, id, reason string) error {
	if !slices.Contains([]string{"person", "report", "contact", "message"}, kind) {
		return &FieldError{"kind", "choice", "choose person, report, contact or message"}
	}
	e := audit.Entry{Operation: audit.Alter, Object: kind, ObjectID: id, Fields: []string{"retention.hold"}}
	if err := s.seen(ctx, e); err != nil {
		return err
	}
	field := kind + ":" + id
	if strings.TrimSpace(reason) == "" {
		return s.redis.HDel(ctx, holdsKey, field).Err()
	}
	text, err := json.Marshal(Hold{Kind: kind, ID: id, Reason: cut(reason, fieldLimit), By: audit.From(ctx).ID, At: contact.At(s.now())})
	if err != nil {
		return err
	}
	return s.redis.HSet(ctx, holdsKey, field, text).Err()
}

// Holds lists the legal holds.
func (s *Store) Holds(ctx context.Context) ([]Hold, error) {
	all, err := s.redis.HGetAll(ctx, holdsKey).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: read holds: %w", err)
	}
	var out []Hold
	for _, text := range all {
		var h Hold
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			return nil, fmt.Errorf("crm: read holds: %w", err)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Hold) int { return strings.Compare(a.Kind+a.ID, b.Kind+b.ID) })
	return out, nil
}

// held refuses when a hold stands on any of these records ("kind:id").
func (s *Store) held(ctx context.Context, records ...string) error {
	vs, err := s.redis.HMGet(ctx, holdsKey, records...).Result()
	if err != nil {
		return fmt.Errorf("crm: read holds: %w", err)
	}
	for i, v := range vs {
		if text, ok := v.(string); ok {
			var h Hold
			if err := json.Unmarshal([]byte(text), &h); err != nil {
				return fmt.Errorf("crm: read holds: %w", err)
			}
			return fmt.Errorf("%s: %w by %s: %s", strings.Replace(records[i], ":", " ", 1), ErrHeld, h.By, h.Reason)
		}
	}
	return nil
}

// EraseMessage erases a message and returns the blobs it named.
func (s *Store) EraseMessage(ctx context.Context, id MessageID) ([]blob.Ref, error) {
	m, err := s.message(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.held(ctx, "message:"+string(id), "contact:"+string(m.Contact), "report:"+string(m.Report)); err != nil {
		return nil, err
	}
	return s.eraseMessage(ctx, m, nil)
}

func (s *Store) eraseMessage(ctx context.Context, m Message, people []string) ([]blob.Ref, error) {
	e := audit.Entry{Operation: audit.Erase, Object: "message", ObjectID: string(m.ID), Correlation: m.Contact}
	if err := s.seen(ctx, e); err != nil {
		return nil, err
	}
	if m.Contact != "" {
		made, err := s.redis.HGet(ctx, contactKey(m.Contact), "made").Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("crm: erase message: %w", err)
		}
		people = append(people, strings.Fields(made)...)
	}
	if err := s.drop(ctx, "message", string(m.ID)); err != nil {
		return nil, err
	}
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, person := range people {
			keys := itemKeys(contact.PersonID(person))
			p.ZRem(ctx, keys[0], "m:"+string(m.ID))
			p.HDel(ctx, keys[1], "m:"+string(m.ID))
		}
		p.ZRem(ctx, threadMessagesKey(m.Thread), string(m.ID))
		p.ZRem(ctx, reportMessagesKey(m.Report), string(m.ID))
		p.ZRem(ctx, contactMessagesKey(m.Contact), string(m.ID))
		if m.MessageID != "" {
			p.Del(ctx, s.headerKey(m.MessageID))
		}
		return nil
	})
	if err == nil {
		err = s.redis.Del(ctx, messageKey(m.ID)).Err()
	}
	if err != nil {
		return nil, fmt.Errorf("crm: erase message: %w", err)
	}
	return m.blobs(), nil
}

// blobs are all a message names.
func (m Message) blobs() []blob.Ref {
	out := []blob.Ref{m.Raw, m.HTML}
	for _, a := range m.Attachments {
		out = append(out, a.Blob)
	}
	return slices.DeleteFunc(out, func(r blob.Ref) bool { return r == "" })
}

// EraseContact erases a contact with its messages, and returns the blobs they
// named. A contact of a report goes with the report: ErrHeld. Erasing again
// changes nothing.
func (s *Store) EraseContact(ctx context.Context, id contact.ID) ([]blob.Ref, error) {
	rec, err := s.record(ctx, id)
	if err != nil {
		return nil, err
	}
	if rec.Report != "" {
		if _, err := s.report(ctx, rec.Report); err == nil {
			return nil, fmt.Errorf("contact %s: %w: it belongs to a report, and goes with it", id, ErrHeld)
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	if err := s.held(ctx, "contact:"+string(id), "person:"+string(rec.Person)); err != nil {
		return nil, err
	}
	return s.eraseContact(ctx, id)
}

func (s *Store) eraseContact(ctx context.Context, id contact.ID) ([]blob.Ref, error) {
	m, err := s.redis.HGetAll(ctx, contactKey(id)).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: erase contact: %w", err)
	}
	if len(m) == 0 || m["erased"] != "" && m["lists"] == "" {
		return nil, nil
	}
	rec, err := decodeRecord(id, m)
	if err != nil {
		return nil, err
	}
	lists := strings.Fields(m["lists"])
	if m["erased"] == "" {
		if err := s.seen(ctx, aboutContact(audit.Erase, id)); err != nil {
			return nil, err
		}
		for _, line := range []string{rec.Facts.Line, s.line(rec.Number), s.mailLine(rec.Email)} {
			if line != "" {
				lists = append(lists, lineTag(line))
			}
		}
		for _, p := range append(strings.Fields(m["made"]), string(rec.Person)) {
			if p != "" {
				lists = append(lists, personTag(contact.PersonID(p)))
			}
		}
		slices.Sort(lists)
		lists = slices.Compact(lists)
		kept := []any{"erased", int64(contact.At(s.now())), "lists", strings.Join(append(lists, "-"), " "), "thread", m["thread"], "v", m["v"]}
		for _, field := range []string{"channel", "arrival", "queue", "handler", "answered", "ended", "ending", "outcome"} {
			if v := m[field]; v != "" {
				kept = append(kept, field, v)
			}
		}
		_, err := s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Del(ctx, contactKey(id))
			p.HSet(ctx, contactKey(id), kept...)
			p.HIncrBy(ctx, contactKey(id), "v", 1)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("crm: erase contact: %w", err)
		}
	}
	return s.eraseCopies(ctx, id, rec.Thread, lists)
}

// eraseCopies takes an erased contact off every list, with its messages.
func (s *Store) eraseCopies(ctx context.Context, id contact.ID, thread ThreadID, lists []string) ([]blob.Ref, error) {
	var blobs []blob.Ref
	var people []string
	for _, tag := range lists {
		if p, ok := strings.CutPrefix(tag, "{p:"); ok {
			people = append(people, strings.TrimSuffix(p, "}"))
		}
	}
	messages, err := s.listed(ctx, contactMessagesKey(id), 0)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		of, err := s.eraseMessage(ctx, m, people)
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, of...)
	}
	if err := s.drop(ctx, "contact", string(id)); err != nil {
		return nil, err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, tag := range lists {
			if tag == "-" {
				continue
			}
			keys := timelineKeys(tag)
			p.ZRem(ctx, keys[0], string(id))
			p.HDel(ctx, keys[1], string(id))
		}
		if thread != "" {
			p.ZRem(ctx, threadContactsKey(thread), string(id))
		}
		p.Del(ctx, contactMessagesKey(id))
		return nil
	})
	if err == nil {
		err = s.redis.HDel(ctx, contactKey(id), "lists", "thread").Err()
	}
	if err != nil {
		return nil, fmt.Errorf("crm: erase contact: %w", err)
	}
	return blobs, nil
}

// EraseReport erases a report with its contacts, messages, tasks and references,
// and returns the blobs they named.
func (s *Store) EraseReport(ctx context.Context, id ReportID) ([]blob.Ref, error) {
	d, err := s.report(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.Retention.Hold {
		return nil, fmt.Errorf("report %s: %w: %s", id, ErrHeld, d.Retention.HoldReason)
	}
	guards := []string{"report:" + string(id)}
	for _, c := range d.Contacts {
		guards = append(guards, "contact:"+string(c))
	}
	for _, p := range d.Parties {
		if p.Person != "" {
			guards = append(guards, "person:"+string(p.Person))
		}
	}
	if err := s.held(ctx, guards...); err != nil {
		return nil, err
	}
	if err := s.seen(ctx, aboutReport(audit.Erase, d.Report, "")); err != nil {
		return nil, err
	}
	var blobs []blob.Ref
	for _, a := range d.Attachments {
		blobs = append(blobs, a.Blob)
	}
	for _, c := range d.Contacts {
		of, err := s.eraseContact(ctx, c)
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, of...)
	}
	messages, err := s.listed(ctx, reportMessagesKey(id), 0)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		of, err := s.eraseMessage(ctx, m, nil)
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, of...)
	}
	if err := s.drop(ctx, "report", string(id)); err != nil {
		return nil, err
	}
	if err := s.eraseReportCopies(ctx, d); err != nil {
		return nil, fmt.Errorf("crm: erase report: %w", err)
	}
	return blobs, nil
}

func (s *Store) eraseReportCopies(ctx context.Context, d reportDocument) error {
	made, err := s.redis.HGet(ctx, reportKey(d.ID), "made").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	targets, err := s.targets(ctx, d)
	if err != nil {
		return err
	}
	tasks, err := s.redis.HKeys(ctx, tasksKey(d.ID)).Result()
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, t := range append(targets, strings.Fields(made)...) {
			switch kind, name, _ := strings.Cut(t, ":"); kind {
			case "p":
				keys := personReportKeys(contact.PersonID(name))
				p.ZRem(ctx, keys[0], string(d.ID))
				p.HDel(ctx, keys[1], string(d.ID))
				p.ZRem(ctx, keys[2], string(d.ID))
				items := itemKeys(contact.PersonID(name))
				for _, u := range d.Updates {
					p.ZRem(ctx, items[0], "u:"+string(d.ID)+":"+u.ID)
					p.HDel(ctx, items[1], "u:"+string(d.ID)+":"+u.ID)
				}
			case "l":
				p.ZRem(ctx, lineReportsKey(name), string(d.ID))
			case "a":
				p.ZRem(ctx, addressReportsKey(name), string(d.ID))
			}
		}
		for _, task := range tasks {
			p.Eval(ctx, taskIndexLua, taskKeys, task, "", "")
		}
		for _, text := range []string{d.Reference, d.IncidentNumber, d.CrimeNumber} {
			if text != "" {
				p.Del(ctx, referenceKey(text))
			}
		}
		for _, key := range []string{tasksKey(d.ID), reportMessagesKey(d.ID), trackKey(d.ID), viewersKey(d.ID)} {
			p.Del(ctx, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.redis.Del(ctx, reportKey(d.ID)).Err()
}

// ErasePerson erases a person, and those merged into them, once no contact and no
// report of theirs is left: ErrHeld before. Somebody merged goes with whom they
// were merged into.
func (s *Store) ErasePerson(ctx context.Context, id contact.PersonID) error {
	p, err := s.person(ctx, id)
	if err != nil {
		return err
	}
	if p.MergedInto != "" {
		return fmt.Errorf("person %s: %w: they are merged into another, and go with them", id, ErrHeld)
	}
	all := []contact.PersonID{id}
	for _, m := range p.Merged {
		all = append(all, m.Person)
	}
	for _, who := range all {
		if err := s.held(ctx, "person:"+string(who)); err != nil {
			return err
		}
		contacts, err := s.redis.ZCard(ctx, timelineKeys(personTag(who))[0]).Result()
		if err != nil {
			return fmt.Errorf("crm: erase person: %w", err)
		}
		reports, err := s.redis.ZCard(ctx, personReportKeys(who)[0]).Result()
		if err != nil {
			return fmt.Errorf("crm: erase person: %w", err)
		}
		if contacts+reports > 0 {
			return fmt.Errorf("person %s: %w: %d contacts and %d reports are theirs", who, ErrHeld, contacts, reports)
		}
	}
	slices.Reverse(all) // whoever names the others goes last
	for _, who := range all {
		if err := s.erasePerson(ctx, who); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func (s *Store) erasePerson(ctx context.Context, id contact.PersonID) error {
	p, err := s.person(ctx, id)
	if err != nil {
		return err
	}
	if err := s.seen(ctx, aboutPerson(audit.Erase, id)); err != nil {
		return err
	}
	made, err := s.redis.HGet(ctx, personKey(id), "made").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("crm: erase person: %w", err)
	}
	if err := s.drop(ctx, "person", string(id)); err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, t := range append(s.personTargets(p), strings.Fields(made)...) {
			if kind, name, _ := strings.Cut(t, ":"); kind == "l" {
				pipe.HDel(ctx, linePeopleKey(name), string(id))
			} else {
				pipe.ZRem(ctx, peopleByKey(name), string(id))
			}
		}
		for _, key := range slices.Concat(timelineKeys(personTag(id)), itemKeys(id), personReportKeys(id)) {
			pipe.Del(ctx, key)
		}
		pipe.HDel(ctx, mergeKeys[0], string(id))
		pipe.HDel(ctx, mergeKeys[2], string(id), ":"+string(id))
		return nil
	})
	if err == nil {
		err = s.redis.Del(ctx, personKey(id)).Err()
	}
	if err != nil {
		return fmt.Errorf("crm: erase person: %w", err)
	}
	return nil
}

// drop makes a record be found no more.
func (s *Store) drop(ctx context.Context, kind, id string) error {
	if s.search == nil {
		return nil
	}
	if err := s.search.Drop(ctx, kind, id); err != nil {
		return fmt.Errorf("crm: erase: %w", err)
	}
	return nil
}
