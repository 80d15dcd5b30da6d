package crm

import (
	"context"
	"crypto/rand"
	_ "embed" // the Lua scripts
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

var (
	//go:embed lua/note_save.lua
	noteSaveLua string
	//go:embed lua/record_set.lua
	recordSetLua string
	//go:embed lua/timeline_put.lua
	timelinePutLua string
	//go:embed lua/timeline_get.lua
	timelineGetLua string
	//go:embed lua/timeline_drop.lua
	timelineDropLua string
	//go:embed lua/person_save.lua
	personSaveLua string
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
}

// Store keeps people, lines and contacts in Redis. It is safe for concurrent
// use. A method that returns nil has written durably under Redis's fsync policy.
// Every write may be repeated after an error without doing harm.
type Store struct {
	redis   redis.UniversalClient
	region  string
	ids     *contact.IDs
	now     func() time.Time
	secret  []byte
	backlog backlog
	tidying tidying
}

// Open prepares the store: it loads the scripts and reads, or the first time
// makes, the key of the line hashes.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{redis: o.Redis, region: o.Region, ids: o.IDs, now: o.Now, backlog: backlog{wake: make(chan struct{}, 1)}}
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
	s.later(a.ID)
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
	if len(ps) != 1 {
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
	var theirs *redis.IntCmd
	var lastTheirs *redis.Cmd
	rec.Person, rec.Facts = f.Person, *f
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		theirs = p.ZCount(ctx, personTag(f.Person)+":order", since, until)
		lastTheirs = p.Eval(ctx, timelineGetLua, timelineKeys(personTag(f.Person)), until, lastLooked)
		p.Eval(ctx, recordSetLua, []string{contactKey(rec.ID)}, factsFields(*rec)...)
		return nil
	})
	if err != nil {
		return err
	}
	f.Contacts30d = max(f.Contacts30d, int(theirs.Val()))
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
	_, err := s.set(ctx, e.ID, []any{
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
		return fmt.Errorf("%w: outcome.code: choose an outcome", ErrInvalid)
	}
	if _, err := s.set(ctx, id, []any{"outcome", o.Code, "outcome_note", o.Note, "closed_by", handler}); err != nil {
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
		return Note{}, fmt.Errorf("%w: text: a note holds at most %d bytes, this one has %d", ErrInvalid, NoteLimit, len(text))
	}
	at := contact.At(s.now())
	res, err := s.eval(ctx, noteSaveLua, []string{contactKey(id)}, base, text, author, int64(at)).Int64Slice()
	if err != nil {
		return Note{}, fmt.Errorf("crm: save note: %w", err)
	}
	rev := uint64(res[1])
	if res[0] == 0 {
		return Note{Revision: rev}, fmt.Errorf("save note at revision %d, newest is %d: %w", base, rev, ErrConflict)
	}
	if err := s.refresh(ctx, id); err != nil {
		return Note{}, fmt.Errorf("crm: save note: %w", err)
	}
	return Note{Text: text, Revision: rev, Author: author, SavedAt: at}, nil
}

// Record reads one contact.
func (s *Store) Record(ctx context.Context, id contact.ID) (Record, error) {
	m, err := s.redis.HGetAll(ctx, contactKey(id)).Result()
	if err != nil {
		return Record{}, fmt.Errorf("crm: read contact: %w", err)
	}
	if len(m) == 0 {
		return Record{}, fmt.Errorf("contact %s: %w", id, ErrNotFound)
	}
	return decodeRecord(id, m)
}

// Pop reads what a handler sees of a caller, in one round trip. Facts are those
// Identify returned; they name the slots to read. Should the contact have been
// attached to another person since, a second round trip reads theirs.
func (s *Store) Pop(ctx context.Context, id contact.ID, f contact.Facts) (Pop, error) {
	var (
		rec     *redis.MapStringStringCmd
		people  *redis.MapStringStringCmd
		person  *redis.StringCmd
		history *redis.Cmd
	)
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		rec = p.HGetAll(ctx, contactKey(id))
		if f.Line != "" {
			people = p.HGetAll(ctx, linePeopleKey(f.Line))
		}
		if f.Person != "" {
			person = p.HGet(ctx, personKey(f.Person), "person")
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
		return s.Pop(ctx, id, f)
	}
	if person != nil && person.Err() == nil {
		if pop.People, err = appendPerson(pop.People, person.Val()); err != nil {
			return Pop{}, err
		}
	}
	if people != nil {
		if pop.People, err = appendOthers(pop.People, people.Val()); err != nil {
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
	bound := "+inf"
	if before != 0 {
		bound = "(" + strconv.FormatInt(milliseconds(before), 10)
	}
	return decodeTimeline(s.eval(ctx, timelineGetLua, timelineKeys(personTag(id)), bound, limit))
}

func milliseconds(i contact.Instant) int64 { return int64(i) / int64(contact.Millisecond) }

// set writes fields of a contact's record, then brings its timelines up to date.
// It returns the record's new version.
func (s *Store) set(ctx context.Context, id contact.ID, fields []any) (int64, error) {
	version, err := s.eval(ctx, recordSetLua, []string{contactKey(id)}, fields...).Int64()
	if err != nil {
		return 0, err
	}
	return version, s.refresh(ctx, id)
}

// refresh copies a contact's record to the timelines it belongs to. Racing
// refreshes are settled by the record's version.
func (s *Store) refresh(ctx context.Context, id contact.ID) error {
	m, err := s.redis.HGetAll(ctx, contactKey(id)).Result()
	if err != nil {
		return err
	}
	rec, err := decodeRecord(id, m)
	if err != nil {
		return err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	var tags []string
	if line := s.line(rec.Number); line != "" {
		tags = append(tags, lineTag(line))
	}
	if rec.Person != "" {
		tags = append(tags, personTag(rec.Person))
	}
	if len(tags) == 0 {
		return nil
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, tag := range tags {
			p.Eval(ctx, timelinePutLua, timelineKeys(tag), string(id), milliseconds(rec.Arrival), m["v"], text)
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
