package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

// leavingKey lists the files that erased records named, until Leaving's reader has
// seen to each: a crash between a record and its files loses none.
const leavingKey = "{crm}:leaving"

// Gone names a record that an erasure took away: kind is person, report, contact,
// message or task.
type Gone struct{ Kind, ID string }

// Forgetter is told of each contact that is erased, before the erasure counts as
// done: it erases what it keeps of it elsewhere. It is told again after a crash.
type Forgetter func(ctx context.Context, id contact.ID) error

// OnErase has others erase what they keep of contacts that this store erases. It
// is to be called before the first erasure.
func (s *Store) OnErase(f ...Forgetter) { s.forgetters = append(s.forgetters, f...) }

// Hold is a legal hold on one record.
type Hold struct {
	Kind   string          `json:"kind"` // person, report, contact or message
	ID     string          `json:"id"`
	Reason string          `json:"reason"`
	By     string          `json:"by"`
	At     contact.Instant `json:"at"`
}

// SetHold forbids that a record is disposed of; an empty reason lifts the hold.
// ErrNotFound means that there is no such record to hold. A hold on somebody also
// keeps those they are merged with.
func (s *Store) SetHold(ctx context.Context, kind, id, reason string) error {
	if !slices.Contains([]string{"person", "report", "contact", "message"}, kind) {
		return &FieldError{"kind", "choice", "choose person, report, contact or message"}
	}
	field, lift := kind+":"+id, strings.TrimSpace(reason) == ""
	if !lift {
		// A slip of the pen must not leave a record unheld.
		key := map[string]string{
			"person": personKey(contact.PersonID(id)), "report": reportKey(ReportID(id)), "contact": contactKey(contact.ID(id)), "message": messageKey(MessageID(id)),
		}[kind]
		n, err := s.redis.Exists(ctx, key).Result()
		if err != nil {
			return fmt.Errorf("crm: hold: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("%s %s: %w", kind, id, ErrNotFound)
		}
	}
	e := audit.Entry{Operation: audit.Alter, Object: kind, ObjectID: id, Fields: []string{"retention.hold"}}
	if err := s.seen(ctx, e); err != nil {
		return err
	}
	if lift {
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

// guard lists what may hold somebody: they and all they are merged with.
func (s *Store) guard(ctx context.Context, id contact.PersonID) ([]string, error) {
	if id == "" {
		return nil, nil
	}
	all, err := s.family(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = "person:" + string(p)
	}
	return out, nil
}

// family is whom somebody was merged into at last, and everybody merged into
// them: one person, as far as anybody knows.
func (s *Store) family(ctx context.Context, id contact.PersonID) ([]contact.PersonID, error) {
	root, err := s.root(ctx, id)
	if err != nil {
		return nil, err
	}
	_, below, err := s.merges(ctx, root)
	if err != nil {
		return nil, err
	}
	out := []contact.PersonID{root}
	for _, m := range below {
		out = append(out, m.Person)
	}
	return out, nil
}

// contactGuards lists what may hold a contact: it, its person and its messages.
func (s *Store) contactGuards(ctx context.Context, id contact.ID, person contact.PersonID) ([]string, error) {
	out, err := s.guard(ctx, person)
	if err != nil {
		return nil, err
	}
	messages, err := s.redis.ZRange(ctx, contactMessagesKey(id), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: read holds: %w", err)
	}
	out = append(out, "contact:"+string(id))
	for _, m := range messages {
		out = append(out, "message:"+m)
	}
	return out, nil
}

// leave notes files that are about to lose a record that names them.
func (s *Store) leave(ctx context.Context, refs []blob.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	zs := make([]redis.Z, len(refs))
	for i, r := range refs {
		zs[i] = redis.Z{Score: float64(milliseconds(contact.At(s.now()))), Member: string(r)}
	}
	if err := s.redis.ZAdd(ctx, leavingKey, zs...).Err(); err != nil {
		return fmt.Errorf("crm: note files to erase: %w", err)
	}
	return nil
}

// Leaving lists the files that erased records named and nobody has seen to yet.
// Whoever erases such a file, or finds that another record names it, says so with
// Left.
func (s *Store) Leaving(ctx context.Context) ([]blob.Ref, error) {
	all, err := s.redis.ZRange(ctx, leavingKey, 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: list files to erase: %w", err)
	}
	out := make([]blob.Ref, len(all))
	for i, r := range all {
		out[i] = blob.Ref(r)
	}
	return out, nil
}

// Left takes a file off the list of Leaving.
func (s *Store) Left(ctx context.Context, ref blob.Ref) error {
	if err := s.redis.ZRem(ctx, leavingKey, string(ref)).Err(); err != nil {
		return fmt.Errorf("crm: note files to erase: %w", err)
	}
	return nil
}

// EraseMessage erases a message.
func (s *Store) EraseMessage(ctx context.Context, id MessageID) ([]Gone, error) {
	m, err := s.message(ctx, id)
	if err != nil {
		return nil, err
	}
	guards := []string{"message:" + string(id), "contact:" + string(m.Contact), "report:" + string(m.Report)}
	if m.Contact != "" {
		rec, err := s.record(ctx, m.Contact)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		theirs, err := s.guard(ctx, rec.Person)
		if err != nil {
			return nil, err
		}
		guards = append(guards, theirs...)
	}
	if err := s.held(ctx, guards...); err != nil {
		return nil, err
	}
	return s.eraseMessage(ctx, m, nil)
}

func (s *Store) eraseMessage(ctx context.Context, m Message, people []contact.PersonID) ([]Gone, error) {
	e := audit.Entry{Operation: audit.Erase, Object: "message", ObjectID: string(m.ID), Correlation: m.Contact}
	if err := s.seen(ctx, e); err != nil {
		return nil, err
	}
	if m.Contact != "" {
		kept, err := s.redis.HMGet(ctx, contactKey(m.Contact), "made", "person").Result()
		if err != nil {
			return nil, fmt.Errorf("crm: erase message: %w", err)
		}
		made, _ := kept[0].(string)
		person, _ := kept[1].(string)
		of, err := s.listedWith(ctx, append(strings.Fields(made), person))
		if err != nil {
			return nil, err
		}
		people = append(people, of...)
	}
	if err := s.drop(ctx, "message", string(m.ID)); err != nil {
		return nil, err
	}
	if err := s.leave(ctx, m.blobs()); err != nil {
		return nil, err
	}
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, person := range people {
			keys := itemKeys(person)
			p.ZRem(ctx, keys[0], "m:"+string(m.ID))
			p.HDel(ctx, keys[1], "m:"+string(m.ID))
		}
		p.ZRem(ctx, threadMessagesKey(m.Thread), string(m.ID))
		return nil
	})
	if err == nil && m.MessageID != "" {
		// Another message may have come with the same id first.
		if owner, oerr := s.redis.Get(ctx, s.headerKey(m.MessageID)).Result(); owner == string(m.ID) {
			err = s.redis.Del(ctx, s.headerKey(m.MessageID)).Err()
		} else if oerr != nil && !errors.Is(oerr, redis.Nil) {
			err = oerr
		}
	}
	if err == nil {
		err = s.redis.Del(ctx, messageKey(m.ID)).Err()
	}
	var gone []Gone
	if err == nil {
		gone = []Gone{{"message", string(m.ID)}}
		// The lists it is found by are last, or a crash would leave it where nobody looks.
		_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.ZRem(ctx, reportMessagesKey(m.Report), string(m.ID))
			p.ZRem(ctx, contactMessagesKey(m.Contact), string(m.ID))
			return nil
		})
	}
	if err != nil {
		return gone, fmt.Errorf("crm: erase message: %w", err)
	}
	return gone, nil
}

// listedWith are some people and all they were merged into: what is on the list of
// one may be on those of the others.
func (s *Store) listedWith(ctx context.Context, people []string) ([]contact.PersonID, error) {
	var out []contact.PersonID
	for _, p := range people {
		if p == "" || slices.Contains(out, contact.PersonID(p)) {
			continue
		}
		chain, err := s.chain(ctx, contact.PersonID(p))
		if err != nil {
			return nil, err
		}
		for _, id := range chain {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out, nil
}

// blobs are all a message names.
func (m Message) blobs() []blob.Ref {
	out := []blob.Ref{m.Raw, m.HTML}
	for _, a := range m.Attachments {
		out = append(out, a.Blob)
	}
	return slices.DeleteFunc(out, func(r blob.Ref) bool { return r == "" })
}

// EraseContact erases a contact with its messages and what somebody began to
// answer. A contact of a report goes with the report: ErrHeld. Erasing again
// changes nothing. On an error what is told has gone nevertheless.
func (s *Store) EraseContact(ctx context.Context, id contact.ID) ([]Gone, error) {
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
	guards, err := s.contactGuards(ctx, id, rec.Person)
	if err != nil {
		return nil, err
	}
	if err := s.held(ctx, guards...); err != nil {
		return nil, err
	}
	return s.eraseContact(ctx, id)
}

func (s *Store) eraseContact(ctx context.Context, id contact.ID) ([]Gone, error) {
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
		people, err := s.listedWith(ctx, append(strings.Fields(m["made"]), string(rec.Person)))
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			lists = append(lists, personTag(p))
		}
		slices.Sort(lists)
		lists = slices.Compact(lists)
		kept := []any{"erased", int64(contact.At(s.now())), "lists", strings.Join(append(lists, "-"), " "), "thread", m["thread"], "v", m["v"]}
		for _, field := range []string{"channel", "arrival", "queue", "handler", "answered", "ended", "ending", "outcome"} {
			if v := m[field]; v != "" {
				kept = append(kept, field, v)
			}
		}
		_, err = s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
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

// eraseCopies takes an erased contact off every list, with its messages and
// drafts.
func (s *Store) eraseCopies(ctx context.Context, id contact.ID, thread ThreadID, lists []string) ([]Gone, error) {
	var gone []Gone
	var people []contact.PersonID
	for _, tag := range lists {
		if p, ok := strings.CutPrefix(tag, "{p:"); ok {
			people = append(people, contact.PersonID(strings.TrimSuffix(p, "}")))
		}
	}
	messages, err := s.listed(ctx, contactMessagesKey(id), 0)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		of, err := s.eraseMessage(ctx, m, people)
		gone = append(gone, of...)
		if err != nil {
			return gone, err
		}
	}
	if err := s.drop(ctx, "contact", string(id)); err != nil {
		return gone, err
	}
	if err := s.eraseDrafts(ctx, string(id)); err != nil {
		return gone, err
	}
	for _, forget := range s.forgetters {
		if err := forget(ctx, id); err != nil {
			return gone, fmt.Errorf("crm: erase contact: %w", err)
		}
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
		return gone, fmt.Errorf("crm: erase contact: %w", err)
	}
	return append(gone, Gone{"contact", string(id)}), nil
}

// eraseDrafts erases what was begun for an owner, and notes its files.
func (s *Store) eraseDrafts(ctx context.Context, owner string) error {
	all, err := s.redis.HVals(ctx, draftsKey(owner)).Result()
	if err != nil {
		return fmt.Errorf("crm: erase drafts: %w", err)
	}
	for _, kept := range all {
		if err := s.leave(ctx, draftBlobs(kept)); err != nil {
			return err
		}
	}
	if err := s.redis.Del(ctx, draftsKey(owner)).Err(); err != nil {
		return fmt.Errorf("crm: erase drafts: %w", err)
	}
	return nil
}

// EraseReport erases a report with its contacts, messages, tasks and references.
// One that is open, or whose review is still to come, is held. On an error what is
// told has gone nevertheless.
func (s *Store) EraseReport(ctx context.Context, id ReportID) ([]Gone, error) {
	d, err := s.report(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.reportHeld(ctx, d); err != nil {
		return nil, err
	}
	if err := s.seen(ctx, aboutReport(audit.Erase, d.Report, "")); err != nil {
		return nil, err
	}
	var gone []Gone
	for _, c := range d.Contacts {
		of, err := s.eraseContact(ctx, c)
		gone = append(gone, of...)
		if err != nil {
			return gone, err
		}
	}
	messages, err := s.listed(ctx, reportMessagesKey(id), 0)
	if err != nil {
		return gone, err
	}
	for _, m := range messages {
		of, err := s.eraseMessage(ctx, m, nil)
		gone = append(gone, of...)
		if err != nil {
			return gone, err
		}
	}
	if err := s.drop(ctx, "report", string(id)); err != nil {
		return gone, err
	}
	var files []blob.Ref
	for _, a := range d.Attachments {
		files = append(files, a.Blob)
	}
	if err := s.leave(ctx, files); err != nil {
		return gone, err
	}
	tasks, err := s.eraseReportCopies(ctx, d)
	gone = append(gone, tasks...)
	if err != nil {
		return gone, fmt.Errorf("crm: erase report: %w", err)
	}
	return append(gone, Gone{"report", string(id)}), nil
}

// reportHeld refuses when a report, or what goes with it, may not go.
func (s *Store) reportHeld(ctx context.Context, d reportDocument) error {
	switch now := contact.At(s.now()); {
	case d.Retention.Hold:
		return fmt.Errorf("report %s: %w: %s", d.ID, ErrHeld, d.Retention.HoldReason)
	case !closed(d.Status):
		return fmt.Errorf("report %s: %w: it is not closed", d.ID, ErrHeld)
	case d.Retention.Review > now:
		return fmt.Errorf("report %s: %w: its review is on %s", d.ID, ErrHeld, d.Retention.Review.Time().In(s.zone).Format(time.DateOnly))
	}
	guards := []string{"report:" + string(d.ID)}
	for _, c := range d.Contacts {
		rec, err := s.record(ctx, c)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		of, err := s.contactGuards(ctx, c, rec.Person)
		if err != nil {
			return err
		}
		guards = append(guards, of...)
	}
	for _, p := range d.Parties {
		of, err := s.guard(ctx, p.Person)
		if err != nil {
			return err
		}
		guards = append(guards, of...)
	}
	messages, err := s.redis.ZRange(ctx, reportMessagesKey(d.ID), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("crm: read holds: %w", err)
	}
	for _, m := range messages {
		guards = append(guards, "message:"+m)
	}
	return s.held(ctx, guards...)
}

func (s *Store) eraseReportCopies(ctx context.Context, d reportDocument) ([]Gone, error) {
	made, err := s.redis.HGet(ctx, reportKey(d.ID), "made").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	targets, err := s.targets(ctx, d)
	if err != nil {
		return nil, err
	}
	tasks, err := s.redis.HKeys(ctx, tasksKey(d.ID)).Result()
	if err != nil {
		return nil, err
	}
	var gone []Gone
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
			gone = append(gone, Gone{"task", task})
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
		return nil, err
	}
	return gone, s.redis.Del(ctx, reportKey(d.ID)).Err()
}

// EraseTask erases a task of no report once it is done: ErrHeld before. Those of a
// report go with it.
func (s *Store) EraseTask(ctx context.Context, id string) ([]Gone, error) {
	home, ok := taskHome(id)
	if !ok || home != "" {
		return nil, fmt.Errorf("task: %w", ErrNotFound)
	}
	tasks, err := s.readTasks(ctx, []string{id})
	if err != nil {
		return nil, fmt.Errorf("crm: erase task: %w", err)
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("task: %w", ErrNotFound)
	}
	if tasks[0].Done == 0 {
		return nil, fmt.Errorf("task %s: %w: it is not done", id, ErrHeld)
	}
	if err := s.seen(ctx, audit.Entry{Operation: audit.Erase, Object: "task", ObjectID: id}); err != nil {
		return nil, err
	}
	err = s.eval(ctx, taskIndexLua, taskKeys, id, "", "").Err()
	if err == nil {
		err = s.redis.HDel(ctx, tasksKey(home), id).Err()
	}
	if err != nil {
		return nil, fmt.Errorf("crm: erase task: %w", err)
	}
	return []Gone{{"task", id}}, nil
}

// ErasePerson erases a person, and those merged into them, once no contact and no
// report of theirs is left: ErrHeld before. Somebody merged goes with whom they
// were merged into. On an error those told have gone nevertheless.
func (s *Store) ErasePerson(ctx context.Context, id contact.PersonID) ([]Gone, error) {
	if _, err := s.person(ctx, id); err != nil {
		return nil, err
	}
	all, err := s.family(ctx, id)
	if err != nil {
		return nil, err
	}
	if all[0] != id {
		return nil, fmt.Errorf("person %s: %w: they are merged into another, and go with them", id, ErrHeld)
	}
	for _, who := range all {
		if err := s.held(ctx, "person:"+string(who)); err != nil {
			return nil, err
		}
		contacts, err := s.redis.ZCard(ctx, timelineKeys(personTag(who))[0]).Result()
		if err != nil {
			return nil, fmt.Errorf("crm: erase person: %w", err)
		}
		reports, err := s.redis.ZCard(ctx, personReportKeys(who)[0]).Result()
		if err != nil {
			return nil, fmt.Errorf("crm: erase person: %w", err)
		}
		if contacts+reports > 0 {
			return nil, fmt.Errorf("person %s: %w: %d contacts and %d reports are theirs", who, ErrHeld, contacts, reports)
		}
	}
	slices.Reverse(all) // whoever names the others goes last
	var gone []Gone
	for _, who := range all {
		if who == id {
			if err := s.forgetMerges(ctx, who); err != nil {
				return gone, err
			}
		}
		err := s.erasePerson(ctx, who)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return gone, err
		}
		if err == nil {
			gone = append(gone, Gone{"person", string(who)})
		}
		if who != id { // after the document: until then the graph tells who goes together
			if err := s.forgetMerges(ctx, who); err != nil {
				return gone, err
			}
		}
	}
	return gone, nil
}

// forgetMerges takes somebody out of the graph of merges.
func (s *Store) forgetMerges(ctx context.Context, id contact.PersonID) error {
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HDel(ctx, mergeKeys[0], string(id))
		p.HDel(ctx, mergeKeys[2], string(id), ":"+string(id))
		return nil
	})
	if err != nil {
		return fmt.Errorf("crm: erase person: %w", err)
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
