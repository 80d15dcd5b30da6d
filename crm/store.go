package crm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// Options configure a Store.
type Options struct {
	// Redis is a client of a standalone server, Sentinels or a cluster.
	Redis redis.UniversalClient
	// Region is where national numbers are read, for example "GB".
	Region string
	// IDs makes ids of people; a source of its own if nil.
	IDs *contact.IDs
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Audit takes a line for everything that is recorded, changed or looked at;
	// nil keeps no trail.
	Audit audit.Trail
	// Search is told what may be searched for; nil for none.
	Search SearchIndex
	// Zone is the force's civil time, Europe/London if nil.
	Zone *time.Location
	// WorkingDays are those clocks in working days count; EnglandAndWales if nil.
	WorkingDays Calendar
	// Clocks are DefaultClocks where they are zero.
	Clocks Clocks
}

// Store keeps people, lines and contacts in Redis. It is safe for concurrent
// use. A method that returns nil has written durably under Redis's fsync policy.
// Every write may be repeated after an error without doing harm.
type Store struct {
	redis    redis.UniversalClient
	region   string
	ids      *contact.IDs
	now      func() time.Time
	secret   []byte
	trail    audit.Trail
	search   SearchIndex
	zone     *time.Location
	calendar Calendar
	clocks   Clocks
	hashes   chan struct{}
	last     atomic.Int64 // the latest tick
	backlog  backlog
	tidying  tidying
	// forgetters are told of contacts that are erased.
	forgetters []Forgetter
}

// Open prepares the store: it loads the scripts and reads, or the first time
// makes, the key of the line hashes.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		redis: o.Redis, region: o.Region, ids: o.IDs, now: o.Now, trail: o.Audit, search: o.Search, zone: o.Zone, calendar: o.WorkingDays,
		clocks: o.Clocks.orDefault(), hashes: make(chan struct{}, hashesAtOnce), backlog: backlog{wake: make(chan struct{}, 1)},
	}
	if s.zone == nil {
		var err error
		if s.zone, err = time.LoadLocation("Europe/London"); err != nil {
			return nil, fmt.Errorf("crm: open: %w", err)
		}
	}
	if s.calendar == nil {
		s.calendar = EnglandAndWales{}
	}
	if s.ids == nil {
		s.ids = contact.NewIDs(o.Now)
	}
	if s.now == nil {
		s.now = time.Now
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("crm: make the key of the line hashes: %w", err)
	}
	if err := s.redis.SetNX(ctx, secretKey, fresh, 0).Err(); err != nil {
		return nil, fmt.Errorf("crm: open: %w", err)
	}
	secret, err := s.redis.Get(ctx, secretKey).Bytes()
	if err != nil {
		return nil, fmt.Errorf("crm: open: %w", err)
	}
	s.secret = secret
	return s, nil
}

// Identify records that a contact arrived and tells what routing may know of
// the caller: it returns the facts given with Line, Person (when the line
// belongs to exactly one), markers, counts, the handler who last spoke to them and
// whether the line is unsafe to ring filled in. A withheld or unknown
// number is normal and adds nothing. On an error the facts returned are as far
// as they could be filled in, and Run records the arrival later.
func (s *Store) Identify(ctx context.Context, a Arrival) (contact.Facts, error) {
	f, err := s.identify(ctx, a)
	if err != nil {
		s.backlog.add(a)
	}
	return f, err
}

func (s *Store) identify(ctx context.Context, a Arrival) (contact.Facts, error) {
	f := a.Facts
	f.CLI, f.Dialled = a.Caller.CLI, a.Caller.Dialled
	rec := Record{ID: a.ID, Channel: a.Channel, Caller: a.Caller, Arrival: a.At}
	if a.Caller.CLI == contact.CLIPresented {
		rec.Number = Canonical(a.Caller.Number, s.region)
	}
	f.Line = s.line(rec.Number)
	rec.Facts = f
	if err := s.known(ctx, &rec, &f); err != nil {
		return f, fmt.Errorf("crm: identify: %w", err)
	}
	// The record is there; its place on the timelines need not hold the caller up.
	s.later(ctx, a.ID)
	return f, nil
}

// known fills in what the store knows of a caller and writes the contact's
// record: one round trip for a caller nobody knows, two for a person.
func (s *Store) known(ctx context.Context, rec *Record, f *contact.Facts) error {
	since := strconv.FormatInt(milliseconds(rec.Arrival.Add(-30*contact.Day)), 10)
	until := "(" + strconv.FormatInt(milliseconds(rec.Arrival), 10)
	var people *redis.MapStringStringCmd
	var recent *redis.IntCmd
	var last *redis.Cmd
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		if f.Line != "" {
			people = p.HGetAll(ctx, linePeopleKey(f.Line))
			recent = p.ZCount(ctx, lineTag(f.Line)+":order", since, until)
			last = p.Eval(ctx, timelineGetLua, timelineKeys(lineTag(f.Line)), until, lastLooked)
		}
		p.Eval(ctx, recordSetLua, []string{contactKey(rec.ID)}, arrivalFields(*rec)...)
		return nil
	})
	if err != nil || f.Line == "" {
		return err
	}
	f.Contacts30d = int(recent.Val())
	if f.Preferred, err = lastHandler(last, rec.Arrival); err != nil {
		return err
	}
	ps := people.Val()
	if f.UnsafeToCall, err = unsafeFor(rec.Number, ps); err != nil {
		return err
	}
	if len(ps) != 1 { // nobody, or several: then it is asked who it is
		if f.Contacts30d == 0 && !f.UnsafeToCall {
			return nil
		}
		rec.Facts = *f
		return s.eval(ctx, recordSetLua, []string{contactKey(rec.ID)}, factsFields(*rec)...).Err()
	}
	for _, text := range ps {
		var p Person
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return fmt.Errorf("a person of the line cannot be read: %w", err)
		}
		f.Person, f.Vulnerable, f.RepeatVictim = p.ID, p.Vulnerable, p.RepeatVictim
	}
	var theirs, reports *redis.IntCmd
	var lastTheirs *redis.Cmd
	rec.Person, rec.Facts = f.Person, *f
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		theirs = p.ZCount(ctx, personTag(f.Person)+":order", since, until)
		reports = p.ZCard(ctx, openReportsKey(f.Person))
		lastTheirs = p.Eval(ctx, timelineGetLua, timelineKeys(personTag(f.Person)), until, lastLooked)
		p.Eval(ctx, recordSetLua, []string{contactKey(rec.ID)}, factsFields(*rec)...)
		return nil
	})
	if err != nil {
		return err
	}
	f.Contacts30d = max(f.Contacts30d, int(theirs.Val()))
	f.OpenReports = int(reports.Val())
	handler, err := lastHandler(lastTheirs, rec.Arrival)
	if handler != "" {
		f.Preferred = handler
	}
	return err
}

// lastLooked is how many of the latest contacts are looked at for the handler who
// spoke to the caller.
const lastLooked = 5

// lastHandler is who answered the latest contact of a timeline that was answered, in
// the last 30 days; empty if nobody did.
func lastHandler(timeline *redis.Cmd, now contact.Instant) (string, error) {
	records, err := decodeTimeline(timeline)
	if err != nil {
		return "", err
	}
	for _, r := range records {
		if r.Answered != 0 && r.Handler != "" && now.Sub(r.Arrival) <= 30*contact.Day {
			return r.Handler, nil
		}
	}
	return "", nil
}

func factsFields(r Record) []any {
	facts, _ := json.Marshal(r.Facts) // plain strings: cannot fail
	return []any{"person", string(r.Person), "facts", facts}
}

func arrivalFields(r Record) []any {
	caller, _ := json.Marshal(r.Caller) // plain strings: cannot fail
	return append([]any{
		"channel", string(r.Channel), "caller", caller, "number", r.Number, "arrival", int64(r.Arrival),
	}, factsFields(r)...)
}

// Ended records how a contact left the switch.
func (s *Store) Ended(ctx context.Context, e Ending) error {
	err := s.set(ctx, e.ID, aboutContact(audit.Alter, e.ID, "ending"), []any{
		"queue", e.Queue, "handler", e.Handler, "answered", int64(e.Answered), "ended", int64(e.At), "ending", string(e.Ending),
	})
	if err != nil {
		return fmt.Errorf("crm: record the ending: %w", err)
	}
	return nil
}

// Close records the outcome a handler gave. Closing again replaces it.
func (s *Store) Close(ctx context.Context, id contact.ID, o contact.Outcome, handler string) error {
	if o.Code == "" {
		return &FieldError{"outcome.code", "required", "choose an outcome"}
	}
	e := aboutContact(audit.Alter, id, "outcome")
	if err := s.set(ctx, id, e, []any{"outcome", o.Code, "outcome_note", o.Note, "closed_by", handler}); err != nil {
		return fmt.Errorf("crm: close: %w", err)
	}
	return nil
}

// NoteLimit bounds a note, in bytes.
const NoteLimit = 32 << 10

// SaveNote saves the note of a contact, edited from revision base, and returns
// it as kept. ErrConflict means a newer revision exists; the note returned then
// has its number, and nothing was written.
func (s *Store) SaveNote(ctx context.Context, id contact.ID, base uint64, text, author string) (Note, error) {
	if len(text) > NoteLimit {
		return Note{}, &FieldError{"text", "too_long", fmt.Sprintf("a note holds at most %d bytes, this one has %d", NoteLimit, len(text))}
	}
	at := contact.At(s.now())
	var rev uint64
	e := aboutContact(audit.Alter, id, "note")
	err := s.write(ctx, owed{Kind: "contact", ID: string(id), Entry: &e}, func() error {
		res, err := s.eval(ctx, noteSaveLua, []string{contactKey(id)}, base, text, author, int64(at)).Int64Slice()
		if err != nil {
			return fmt.Errorf("crm: save note: %w", err)
		}
		if rev = uint64(res[1]); res[0] == 0 {
			return fmt.Errorf("save note at revision %d, newest is %d: %w", base, rev, ErrConflict)
		}
		return nil
	})
	if err != nil {
		return Note{Revision: rev}, err
	}
	return Note{Text: text, Revision: rev, Author: author, SavedAt: at}, nil
}

// Record reads one contact.
func (s *Store) Record(ctx context.Context, id contact.ID) (Record, error) {
	rec, err := s.record(ctx, id)
	if err != nil {
		return Record{}, err
	}
	return rec, s.seen(ctx, aboutContact("", id))
}

// RecordsOf reads several contacts in the order of ids, those that there are: one
// round trip, and one step of the trail with a line for each, so that who looked at
// a contact is known of all of them or nothing is shown.
func (s *Store) RecordsOf(ctx context.Context, ids []contact.ID) ([]Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds := make([]*redis.MapStringStringCmd, len(ids))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			cmds[i] = p.HGetAll(ctx, contactKey(id))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crm: read contacts: %w", err)
	}
	var out []Record
	var lines []audit.Entry
	for i, c := range cmds {
		if len(c.Val()) == 0 {
			continue
		}
		rec, err := decodeRecord(ids[i], c.Val())
		if err != nil {
			return nil, err
		}
		out, lines = append(out, rec), append(lines, aboutContact("", ids[i]))
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return out, s.seen(ctx, lines...)
}

// HandlerOf tells who had a contact in hand last, for those who decide what somebody
// may do. It shows nothing of the contact, and is no consultation.
func (s *Store) HandlerOf(ctx context.Context, id contact.ID) (string, error) {
	rec, err := s.record(ctx, id)
	return rec.Handler, err
}

// Restricted tells which of some people and reports are restricted, people also by
// whom they were merged into, for those who decide what may be shown. It is no consultation.
func (s *Store) Restricted(ctx context.Context, people []contact.PersonID, reports []ReportID) (map[contact.PersonID]bool, map[ReportID]bool, error) {
	hidden, closed := map[contact.PersonID]bool{}, map[ReportID]bool{}
	known, err := s.people(ctx, people)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range known {
		if hidden[p.ID], err = s.restricted(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	docs := make([]*redis.StringCmd, len(reports))
	if len(reports) > 0 {
		_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range reports {
				docs[i] = p.HGet(ctx, reportKey(id), "doc")
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, nil, fmt.Errorf("crm: read reports: %w", err)
		}
	}
	for i, doc := range docs {
		if doc.Err() != nil {
			continue
		}
		d, err := decodeReport(reports[i], doc.Val())
		if err != nil {
			return nil, nil, err
		}
		closed[d.ID] = d.Restricted
	}
	return hidden, closed, nil
}

func (s *Store) record(ctx context.Context, id contact.ID) (Record, error) {
	m, err := s.redis.HGetAll(ctx, contactKey(id)).Result()
	if err != nil {
		return Record{}, fmt.Errorf("crm: read contact: %w", err)
	}
	if len(m) == 0 {
		return Record{}, fmt.Errorf("contact %s: %w", id, ErrNotFound)
	}
	return decodeRecord(id, m)
}

// Pop reads what a handler sees of a caller, in one round trip beside the line
// in the trail. Facts are those Identify returned; they name the slots to read.
// Should the contact have been attached to another person since, a second round
// trip reads theirs. Of restricted people only what is needed to serve them is
// shown, unless ctx's actor gave a reason.
func (s *Store) Pop(ctx context.Context, id contact.ID, f contact.Facts) (Pop, error) {
	seen := make(chan error, 1)
	if s.trail == nil {
		seen <- nil
	} else {
		go func() { seen <- s.seen(ctx, aboutContact("", id)) }()
	}
	pop, err := s.pop(ctx, id, f)
	if unseen := <-seen; err == nil {
		err = unseen
	}
	if err != nil {
		return Pop{}, err
	}
	owner := slices.IndexFunc(pop.People, func(p Person) bool { return p.ID == pop.Record.Person })
	if owner >= 0 && pop.People[owner].Restricted {
		e := aboutPerson("", pop.Record.Person)
		e.Correlation = id
		if !mayOpen(ctx, true) {
			pop.History, pop.Reports = nil, nil
		} else if err := s.opened(ctx, e, true); err != nil {
			return Pop{}, err
		}
	}
	pop.People = redacted(ctx, pop.People)
	return pop, nil
}

func (s *Store) pop(ctx context.Context, id contact.ID, f contact.Facts) (Pop, error) {
	var (
		rec     *redis.MapStringStringCmd
		people  *redis.MapStringStringCmd
		person  *redis.StringCmd
		history *redis.Cmd
		reports *redis.Cmd
	)
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		rec = p.HGetAll(ctx, contactKey(id))
		if f.Line != "" {
			people = p.HGetAll(ctx, linePeopleKey(f.Line))
		}
		if f.Person != "" {
			person = p.HGet(ctx, personKey(f.Person), "person")
			keys := personReportKeys(f.Person)
			reports = p.Eval(ctx, timelineGetLua, []string{keys[2], keys[1]}, "+inf", ReportsListed)
		}
		if tag := historyTag(f.Person, f.Line); tag != "" {
			history = p.Eval(ctx, timelineGetLua, timelineKeys(tag), "+inf", HistoryListed+1)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Pop{}, fmt.Errorf("crm: screen-pop: %w", err)
	}
	pop := Pop{}
	if pop.Record, err = decodeRecord(id, rec.Val()); err != nil {
		return Pop{}, err
	}
	if now := pop.Record.Person; now != f.Person && len(rec.Val()) > 0 {
		f.Person = now
		return s.pop(ctx, id, f)
	}
	if person != nil && person.Err() == nil {
		if pop.People, err = appendPerson(pop.People, person.Val()); err != nil {
			return Pop{}, err
		}
		if into := pop.People[0].MergedInto; into != "" {
			// The contact is that of somebody merged: their history is read where it is.
			return s.popMerged(ctx, id, f, pop.Record)
		}
	}
	if people != nil {
		if pop.People, err = appendOthers(pop.People, people.Val()); err != nil {
			return Pop{}, err
		}
	}
	if reports != nil {
		if pop.Reports, err = decodeReports(reports); err != nil {
			return Pop{}, err
		}
	}
	if history != nil {
		if pop.History, err = decodeTimeline(history); err != nil {
			return Pop{}, err
		}
		pop.History = slices.DeleteFunc(pop.History, func(r Record) bool { return r.ID == id })
		pop.History = pop.History[:min(len(pop.History), HistoryListed)]
	}
	return pop, nil
}

// popMerged reads a pop for whom the contact's person was merged into.
func (s *Store) popMerged(ctx context.Context, id contact.ID, f contact.Facts, rec Record) (Pop, error) {
	root, err := s.root(ctx, rec.Person)
	if err != nil {
		return Pop{}, err
	}
	var people *redis.MapStringStringCmd
	var reports, history *redis.Cmd
	var person *redis.StringCmd
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		people = p.HGetAll(ctx, linePeopleKey(f.Line))
		person = p.HGet(ctx, personKey(root), "person")
		keys := personReportKeys(root)
		reports = p.Eval(ctx, timelineGetLua, []string{keys[2], keys[1]}, "+inf", ReportsListed)
		history = p.Eval(ctx, timelineGetLua, timelineKeys(personTag(root)), "+inf", HistoryListed+1)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Pop{}, fmt.Errorf("crm: screen-pop: %w", err)
	}
	rec.Person = root
	pop := Pop{Record: rec}
	if pop.People, err = appendPerson(nil, person.Val()); err != nil {
		return Pop{}, err
	}
	if pop.People, err = appendOthers(pop.People, people.Val()); err != nil {
		return Pop{}, err
	}
	if pop.Reports, err = decodeReports(reports); err != nil {
		return Pop{}, err
	}
	if pop.History, err = decodeTimeline(history); err != nil {
		return Pop{}, err
	}
	pop.History = slices.DeleteFunc(pop.History, func(r Record) bool { return r.ID == id })
	pop.History = pop.History[:min(len(pop.History), HistoryListed)]
	return pop, nil
}

func historyTag(person contact.PersonID, line string) string {
	switch {
	case person != "":
		return personTag(person)
	case line != "":
		return lineTag(line)
	}
	return ""
}

// Timeline reads a person's contacts that arrived before an instant (zero: from
// the newest), newest first, at most limit.
func (s *Store) Timeline(ctx context.Context, id contact.PersonID, before contact.Instant, limit int) ([]Record, error) {
	if err := s.openPerson(ctx, id); err != nil {
		return nil, err
	}
	return decodeTimeline(s.eval(ctx, timelineGetLua, timelineKeys(personTag(id)), bound(before), limit))
}

// openPerson puts the reading of a person's records on the trail; whoever is not
// there has none.
func (s *Store) openPerson(ctx context.Context, id contact.PersonID) error {
	p, err := s.person(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	restricted, err := s.restricted(ctx, p)
	if err != nil {
		return err
	}
	return s.opened(ctx, aboutPerson("", id), restricted)
}

func bound(before contact.Instant) string {
	if before == 0 {
		return "+inf"
	}
	return "(" + strconv.FormatInt(milliseconds(before), 10)
}

func milliseconds(i contact.Instant) int64 { return int64(i) / int64(contact.Millisecond) }

// set writes fields of a contact's record, then brings its timelines up to date.
func (s *Store) set(ctx context.Context, id contact.ID, e audit.Entry, fields []any) error {
	return s.write(ctx, owed{Kind: "contact", ID: string(id), Entry: &e}, func() error {
		return s.eval(ctx, recordSetLua, []string{contactKey(id)}, fields...).Err()
	})
}

// refresh copies a contact's record to the timelines it belongs to: that of its
// line, and those of its person and whom they were merged into; its messages go
// with it. Racing refreshes are settled by the record's version; it goes round
// again when the record, or who is merged with whom, changed under its hands.
func (s *Store) refresh(ctx context.Context, id contact.ID) error {
	var mine []string // people on whose timelines this call put the contact
	for range attempts {
		m, err := s.redis.HGetAll(ctx, contactKey(id)).Result()
		if err != nil {
			return err
		}
		if len(m) == 0 {
			return fmt.Errorf("contact %s: %w", id, ErrNotFound)
		}
		rec, err := decodeRecord(id, m)
		if err != nil {
			return err
		}
		var chain []contact.PersonID
		if rec.Person != "" {
			if chain, err = s.chain(ctx, rec.Person); err != nil {
				return err
			}
		}
		want := asTexts(chain)
		old := append(strings.Fields(m["made"]), mine...)
		if all := union(old, want); all != m["made"] {
			noted, err := s.eval(ctx, projectedLua, []string{contactKey(id)}, "v", m["v"], all).Int()
			if err != nil {
				return err
			}
			if noted == 0 {
				continue
			}
		}
		mine = append(mine, want...)
		// A merge put it on further lists since.
		further, err := s.listedWith(ctx, slices.DeleteFunc(slices.Clone(old), func(p string) bool { return slices.Contains(want, p) }))
		if err != nil {
			return err
		}
		if err := s.putRecord(ctx, rec, m["v"], want, asTexts(further)); err != nil {
			return err
		}
		doc := recordDoc(rec)
		if doc.Version, err = strconv.ParseUint(m["v"], 10, 64); err != nil {
			return fmt.Errorf("crm: contact %s: field v: %w", id, err)
		}
		if err := s.find(ctx, doc); err != nil {
			return err
		}
		if len(want) == 0 && len(old) == 0 {
			return nil
		}
		var after []contact.PersonID
		if rec.Person != "" {
			if after, err = s.chain(ctx, rec.Person); err != nil {
				return err
			}
		}
		if slices.Equal(chain, after) {
			last, err := s.eval(ctx, projectedLua, []string{contactKey(id)}, "v", m["v"], union(want, nil)).Int()
			if err != nil || last == 1 {
				return err
			}
		}
	}
	return fmt.Errorf("crm: contact %s changed too often to be listed", id)
}

func (s *Store) putRecord(ctx context.Context, rec Record, version string, want, old []string) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	var messages []redis.Z
	if rec.Messages > 0 && len(want)+len(old) > 0 {
		if messages, err = s.redis.ZRangeWithScores(ctx, contactMessagesKey(rec.ID), 0, -1).Result(); err != nil {
			return err
		}
	}
	// A web report may have both an address, which stands in the facts, and a number.
	lines := slices.DeleteFunc([]string{rec.Facts.Line, s.line(rec.Number)}, func(l string) bool { return l == "" })
	lines = slices.Compact(lines)
	if len(lines) == 0 && len(want)+len(old) == 0 && rec.Thread == "" {
		return nil
	}
	at := milliseconds(rec.Arrival)
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, line := range lines {
			p.Eval(ctx, timelinePutLua, timelineKeys(lineTag(line)), string(rec.ID), at, version, text)
		}
		if rec.Thread != "" {
			p.ZAdd(ctx, threadContactsKey(rec.Thread), redis.Z{Score: float64(at), Member: string(rec.ID)})
		}
		for _, person := range want {
			id := contact.PersonID(person)
			p.Eval(ctx, timelinePutLua, timelineKeys(personTag(id)), string(rec.ID), at, version, text)
			for _, z := range messages {
				member, _ := z.Member.(string)
				item, _ := json.Marshal(item{Kind: "message", Message: MessageID(member)}) // plain strings: cannot fail
				p.Eval(ctx, timelinePutLua, itemKeys(id), "m:"+member, int64(z.Score), version, item)
			}
		}
		for _, person := range old {
			if slices.Contains(want, person) {
				continue
			}
			id := contact.PersonID(person)
			p.Eval(ctx, timelineDropLua, timelineKeys(personTag(id)), string(rec.ID), version)
			for _, z := range messages {
				member, _ := z.Member.(string)
				p.Eval(ctx, timelineDropLua, itemKeys(id), "m:"+member, version)
			}
		}
		return nil
	})
	return err
}

// eval runs a script by its hash and sends the text when the server does not
// have it, for example after a restart.
func (s *Store) eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return redis.NewScript(script).Run(ctx, s.redis, keys, args...)
}

func decodeRecord(id contact.ID, m map[string]string) (Record, error) {
	r := Record{
		ID: id, Channel: contact.Channel(m["channel"]), Number: m["number"], Person: contact.PersonID(m["person"]),
		Queue: m["queue"], Handler: m["handler"], Ending: contact.Ending(m["ending"]), CallbackNumber: m["callback_number"],
		Report: ReportID(m["report"]), Subject: m["subject"], Email: m["email"], Thread: ThreadID(m["thread"]),
	}
	r.Outcome = contact.Outcome{Code: m["outcome"], Note: m["outcome_note"]}
	r.Note = Note{Text: m["note"], Author: m["note_by"]}
	if r.Handler == "" {
		r.Handler = m["closed_by"]
	}
	for field, to := range map[string]*contact.Instant{"arrival": &r.Arrival, "answered": &r.Answered, "ended": &r.Ended, "note_at": &r.Note.SavedAt} {
		if v := m[field]; v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return Record{}, fmt.Errorf("crm: contact %s: field %s: %w", id, field, err)
			}
			*to = contact.Instant(n)
		}
	}
	if v := m["messages"]; v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return Record{}, fmt.Errorf("crm: contact %s: field messages: %w", id, err)
		}
		r.Messages = n
	}
	if v := m["note_rev"]; v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return Record{}, fmt.Errorf("crm: contact %s: field note_rev: %w", id, err)
		}
		r.Note.Revision = n
	}
	for field, to := range map[string]any{"caller": &r.Caller, "facts": &r.Facts} {
		if v := m[field]; v != "" {
			if err := json.Unmarshal([]byte(v), to); err != nil {
				return Record{}, fmt.Errorf("crm: contact %s: field %s: %w", id, field, err)
			}
		}
	}
	return r, nil
}

func decodeTimeline(cmd *redis.Cmd) ([]Record, error) {
	entries, err := cmd.StringSlice()
	if err != nil {
		return nil, fmt.Errorf("crm: read timeline: %w", err)
	}
	var out []Record
	for _, e := range entries {
		_, text, ok := strings.Cut(e, " ")
		if !ok || text == "" {
			continue // the contact was moved to another timeline
		}
		var r Record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, fmt.Errorf("crm: read timeline: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}
