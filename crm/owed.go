package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// A record, its copies on timelines, its search document and its line in the
// trail lie in different slots and stores, and no transaction spans them. So a
// write first notes what it will owe, then writes the record (one atomic step),
// then pays: copies, search, trail. Whatever stops it in between, the note stands
// and Run pays later. Paying is idempotent: copies carry versions and are made
// from the record as it is by then.

// owed is one note.
type owed struct {
	Kind string `json:"kind"` // contact, message, report, task, person or merge
	ID   string `json:"id"`
	// Also is the other person of a merge or split; safety, when what is safe for a
	// person changed; the contact a message was moved from.
	Also string          `json:"also,omitempty"`
	At   contact.Instant `json:"at"`
	// Entry is the line the trail is owed; nil when it has it.
	Entry *audit.Entry `json:"entry,omitempty"`
	// fast makes the copies of what was written just now, where that is cheaper
	// than making them from what is kept.
	fast func(context.Context) error
}

const safety = "safety"

const (
	// owedAge is how long a note may stand before another process may take its
	// writer for dead.
	owedAge   = 10 * contact.Second
	owedEvery = 5 * time.Second
)

// write notes what will be owed, calls do, which must be one atomic step, and
// pays. Its error is do's: once the record is written, nothing that follows may
// make the caller believe that it was not.
func (s *Store) write(ctx context.Context, o owed, do func() error) error {
	note := s.ids.New()
	o.At = contact.At(s.now())
	if o.Entry != nil {
		e := *o.Entry
		e.ID, e.At, e.Actor = note, o.At, actor(ctx)
		if e.Outcome == "" {
			e.Outcome = "ok"
		}
		o.Entry = &e
	}
	if err := s.note(ctx, note, o); err != nil {
		return err
	}
	if err := do(); err != nil {
		if certain(err) {
			_ = s.redis.HDel(ctx, owedKey, note).Err() // or Run finds nothing to do
		}
		return err
	}
	_ = s.pay(ctx, note, o) // what fails is paid by Run
	return nil
}

// certain tells that an error came before anything was written.
func certain(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrRestricted) || errors.Is(err, errUnchanged)
}

func (s *Store) note(ctx context.Context, note string, o owed) error {
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("crm: note what is owed: %w", err)
	}
	if err := s.redis.HSet(ctx, owedKey, note, text).Err(); err != nil {
		return fmt.Errorf("crm: note what is owed: %w", err)
	}
	return nil
}

func (s *Store) pay(ctx context.Context, note string, o owed) error {
	if o.Entry != nil && s.trail != nil {
		if err := s.trail.Append(ctx, *o.Entry); err != nil {
			return fmt.Errorf("crm: append to the trail: %w", err)
		}
	}
	if err := s.project(ctx, o); err != nil {
		if o.Entry != nil {
			o.Entry = nil
			return errors.Join(err, s.note(ctx, note, o))
		}
		return err
	}
	return s.redis.HDel(ctx, owedKey, note).Err()
}

// project makes the copies of a record anew.
func (s *Store) project(ctx context.Context, o owed) error {
	if o.fast != nil {
		return o.fast(ctx)
	}
	var err error
	id := o.ID
	switch o.Kind {
	case "contact":
		err = s.refresh(ctx, contact.ID(id))
	case "message":
		if err = s.projectMessage(ctx, MessageID(id)); err == nil && o.Also != "" {
			err = s.unlist(ctx, MessageID(id), contact.ID(o.Also))
		}
	case "report":
		err = s.projectReport(ctx, ReportID(id))
	case "person":
		if err = s.projectPerson(ctx, contact.PersonID(id)); err == nil && o.Also == safety {
			err = s.withhold(ctx, contact.PersonID(id))
		}
	case "task":
		err = s.projectTask(ctx, id)
	case "merge":
		err = s.projectMerge(ctx, contact.PersonID(id), contact.PersonID(o.Also))
	}
	if errors.Is(err, ErrNotFound) {
		return nil // it was never written
	}
	return err
}

// Owed counts the writes that still owe copies, the search index or the trail
// something. It is near zero; what stays for minutes says that one of them is away.
func (s *Store) Owed(ctx context.Context) (int, error) {
	n, err := s.redis.HLen(ctx, owedKey).Result()
	if err != nil {
		return 0, fmt.Errorf("crm: count what is owed: %w", err)
	}
	return int(n), nil
}

// collect pays what is owed for longer than age, and returns how many notes it
// paid.
func (s *Store) collect(ctx context.Context, age contact.Duration) (int, error) {
	notes, err := s.redis.HGetAll(ctx, owedKey).Result()
	if err != nil {
		return 0, fmt.Errorf("crm: read what is owed: %w", err)
	}
	paid := 0
	var errs []error
	for note, text := range notes {
		var o owed
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			errs = append(errs, fmt.Errorf("crm: a note of what is owed cannot be read: %w", err))
			continue
		}
		if contact.At(s.now()).Sub(o.At) < age {
			continue
		}
		if o.Entry != nil {
			if there, err := s.exists(ctx, o); err != nil || !there {
				if err == nil {
					err = s.redis.HDel(ctx, owedKey, note).Err()
				}
				errs = append(errs, err)
				continue
			}
		}
		if err := s.pay(ctx, note, o); err != nil {
			errs = append(errs, err)
			continue
		}
		paid++
	}
	return paid, errors.Join(errs...)
}

// exists tells whether the record a note is about was ever written. A change that
// was noted and not written of a record that exists is told apart by nothing: the
// trail then has a line too many, never one too few.
func (s *Store) exists(ctx context.Context, o owed) (bool, error) {
	var key string
	switch o.Kind {
	case "contact":
		key = contactKey(contact.ID(o.ID))
	case "message":
		key = messageKey(MessageID(o.ID))
	case "report":
		key = reportKey(ReportID(o.ID))
	case "person", "merge":
		key = personKey(contact.PersonID(o.ID))
	case "task":
		home, _ := taskHome(o.ID)
		return s.redis.HExists(ctx, tasksKey(home), o.ID).Result()
	default:
		return true, nil
	}
	n, err := s.redis.Exists(ctx, key).Result()
	return n > 0, err
}

// swap sets a field of a hash if it holds what is expected, "" for nothing.
func (s *Store) swap(ctx context.Context, key, field, before, after string) (bool, error) {
	n, err := s.eval(ctx, hashSwapLua, []string{key}, field, before, after).Int()
	return n == 1, err
}

func texts(cmd *redis.Cmd) ([]string, error) {
	out, err := cmd.StringSlice()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return out, err
}
