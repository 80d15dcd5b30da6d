package crm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// WrittenArrival is what is known of a written contact when it arrives.
type WrittenArrival struct {
	Arrival
	// Email is the sender's address, written in any way; empty when there is none.
	Email   string
	Subject string
	Thread  ThreadID
	Report  ReportID // the report it is about, when it named one
}

// IdentifyWritten records that a written contact arrived and tells what routing
// may know of the sender, as Identify does for a caller: Line is then the hash of
// the address, or of the number when no address was given. A person or preferred
// handler that the arrival's facts name stays. Unlike Identify it
// must be repeated after an error, and may be: a contact recorded before keeps
// what happened to it since, and the facts are those of the first time.
func (s *Store) IdentifyWritten(ctx context.Context, a WrittenArrival) (contact.Facts, error) {
	rec := Record{
		ID: a.ID, Channel: a.Channel, Caller: a.Caller, Arrival: a.At, Subject: cut(a.Subject, fieldLimit), Thread: a.Thread, Facts: a.Facts,
	}
	f := &rec.Facts
	f.CLI, f.Dialled = a.Caller.CLI, a.Caller.Dialled
	rec.Email, _ = CanonicalEmail(a.Email)
	if a.Caller.CLI == contact.CLIPresented {
		rec.Number = Canonical(a.Caller.Number, s.region)
	}
	if f.Line = s.mailLine(rec.Email); f.Line == "" {
		f.Line = s.line(rec.Number)
	}
	before, err := s.redis.HMGet(ctx, contactKey(a.ID), "arrival", "facts").Result()
	if err != nil {
		return *f, fmt.Errorf("crm: identify: %w", err)
	}
	if before[0] == nil {
		if err := s.recordArrival(ctx, &rec, a.Report); err != nil {
			return *f, fmt.Errorf("crm: identify: %w", err)
		}
	} else {
		if text, ok := before[1].(string); ok {
			if err := json.Unmarshal([]byte(text), f); err != nil {
				return *f, fmt.Errorf("crm: identify: %w", err)
			}
		}
		if err := s.refresh(ctx, a.ID); err != nil {
			return *f, fmt.Errorf("crm: identify: %w", err)
		}
	}
	if a.Report != "" {
		rec, err := s.record(ctx, a.ID)
		if err != nil {
			return *f, err
		}
		if rec.Report == "" { // somebody may have moved it since
			if err := s.LinkContact(ctx, a.ID, a.Report); err != nil {
				return *f, err
			}
		}
	}
	return *f, nil
}

// recordArrival fills in what is known of the sender and writes the record, once.
// Whoever owns the report is preferred, then whoever had the thread last, then
// whoever had the sender.
func (s *Store) recordArrival(ctx context.Context, rec *Record, about ReportID) error {
	given := rec.Facts.Preferred
	if err := s.sender(ctx, rec); err != nil {
		return err
	}
	f := &rec.Facts
	thread, err := s.threadHandler(ctx, *rec)
	if err != nil {
		return err
	}
	owner := ""
	if about != "" {
		d, err := s.report(ctx, about)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil && !closed(d.Status) {
			owner, f.OpenReports = d.Owner, max(f.OpenReports, 1)
		}
	}
	f.Preferred = cmp.Or(given, owner, thread, f.Preferred)
	fields := append(arrivalFields(*rec), "subject", rec.Subject, "email", rec.Email, "thread", string(rec.Thread))
	e := aboutContact(audit.Collect, rec.ID)
	return s.write(ctx, owed{Kind: "contact", ID: string(rec.ID), Entry: &e}, func() error {
		return s.eval(ctx, recordArriveLua, []string{contactKey(rec.ID)}, fields...).Err()
	})
}

// threadHandler is who answered the latest contact of a thread, within the last 30
// days.
func (s *Store) threadHandler(ctx context.Context, rec Record) (string, error) {
	if rec.Thread == "" {
		return "", nil
	}
	ids, err := s.redis.ZRevRange(ctx, threadContactsKey(rec.Thread), 0, lastLooked-1).Result()
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		m, err := s.redis.HMGet(ctx, contactKey(contact.ID(id)), "arrival", "handler", "answered").Result()
		if err != nil {
			return "", err
		}
		arrival, _ := m[0].(string)
		at, _ := strconv.ParseInt(arrival, 10, 64)
		handler, _ := m[1].(string)
		if answered, _ := m[2].(string); handler != "" && answered != "" && answered != "0" && rec.Arrival.Sub(contact.Instant(at)) <= 30*contact.Day {
			return handler, nil
		}
	}
	return "", nil
}

// sender fills in what is known of who wrote. Whom the arrival names is believed,
// and so is the handler it names; else it is the one person of the line.
func (s *Store) sender(ctx context.Context, rec *Record) error {
	f := &rec.Facts
	given := f.Preferred
	since := strconv.FormatInt(milliseconds(rec.Arrival.Add(-30*contact.Day)), 10)
	until := "(" + strconv.FormatInt(milliseconds(rec.Arrival), 10)
	// A web report may have an address, which is its line, and a number.
	lines := slices.Compact(slices.DeleteFunc([]string{f.Line, s.line(rec.Number)}, func(l string) bool { return l == "" }))
	people := make([]*redis.MapStringStringCmd, len(lines))
	var recent *redis.IntCmd
	var last *redis.Cmd
	if len(lines) > 0 {
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, line := range lines {
				people[i] = p.HGetAll(ctx, linePeopleKey(line))
			}
			recent = p.ZCount(ctx, lineTag(f.Line)+":order", since, until)
			last = p.Eval(ctx, timelineGetLua, timelineKeys(lineTag(f.Line)), until, lastLooked)
			return nil
		})
		if err != nil {
			return err
		}
		f.Contacts30d = int(recent.Val())
		if f.Preferred, err = lastHandler(last, rec.Arrival); err != nil {
			return err
		}
	}
	for _, of := range people {
		unsafe, err := unsafeFor(rec.Number, of.Val())
		if err != nil {
			return err
		}
		f.UnsafeToCall = f.UnsafeToCall || unsafe
	}
	if f.Person == "" && len(people) > 0 && len(people[0].Val()) == 1 {
		for id := range people[0].Val() {
			f.Person = contact.PersonID(id)
		}
	}
	if f.Person != "" {
		if err := s.senderKnown(ctx, rec, since, until); err != nil {
			return err
		}
	}
	f.Preferred = cmp.Or(given, f.Preferred)
	return nil
}

// senderKnown fills in what is known of the person who wrote.
func (s *Store) senderKnown(ctx context.Context, rec *Record, since, until string) error {
	f := &rec.Facts
	p, err := s.person(ctx, f.Person)
	if err == nil && p.MergedInto != "" {
		if f.Person, err = s.root(ctx, f.Person); err == nil {
			p, err = s.person(ctx, f.Person)
		}
	}
	if errors.Is(err, ErrNotFound) {
		f.Person = "" // erased meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	rec.Person, f.Vulnerable, f.RepeatVictim = f.Person, p.Vulnerable, p.RepeatVictim
	f.UnsafeToCall = f.UnsafeToCall || !p.Safe.mayRing(rec.Number)
	var theirs, reports *redis.IntCmd
	var last *redis.Cmd
	_, err = s.redis.Pipelined(ctx, func(c redis.Pipeliner) error {
		theirs = c.ZCount(ctx, personTag(f.Person)+":order", since, until)
		reports = c.ZCard(ctx, openReportsKey(f.Person))
		last = c.Eval(ctx, timelineGetLua, timelineKeys(personTag(f.Person)), until, lastLooked)
		return nil
	})
	if err != nil {
		return err
	}
	f.Contacts30d, f.OpenReports = max(f.Contacts30d, int(theirs.Val())), int(reports.Val())
	handler, err := lastHandler(last, rec.Arrival)
	f.Preferred = cmp.Or(handler, f.Preferred)
	return err
}
