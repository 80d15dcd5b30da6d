package crm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// Limits on what may be kept of a person.
const (
	NameLimit    = 200  // characters
	RemarksLimit = 4000 // characters
	NumbersLimit = 20
)

// SavePerson creates a person (empty ID) or changes one, and returns them as
// kept: with an id, and numbers in canonical form. A Changed that is not zero
// must be that of the person as read, else ErrConflict.
func (s *Store) SavePerson(ctx context.Context, p Person) (Person, error) {
	if err := s.tidy(&p); err != nil {
		return Person{}, err
	}
	base := ""
	if p.Changed != 0 {
		base = fmt.Sprint(int64(p.Changed))
	}
	now := contact.At(s.now())
	if p.ID == "" {
		p.ID, p.Created, base = contact.PersonID(s.ids.New()), now, ""
	}
	p.Changed = now
	text, err := json.Marshal(p)
	if err != nil {
		return Person{}, fmt.Errorf("crm: save person: %w", err)
	}
	res, err := s.eval(ctx, personSaveLua, []string{personKey(p.ID)}, base, int64(now), text).Slice()
	if err != nil {
		return Person{}, fmt.Errorf("crm: save person: %w", err)
	}
	if res[0] == int64(0) {
		return Person{}, fmt.Errorf("save person: %w", ErrConflict)
	}
	var before Person
	if old, ok := res[1].(string); ok && old != "" {
		if err := json.Unmarshal([]byte(old), &before); err != nil {
			return Person{}, fmt.Errorf("crm: save person: %w", err)
		}
	}
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, n := range before.Numbers {
			if !slices.Contains(p.Numbers, n) {
				pipe.HDel(ctx, linePeopleKey(s.line(n)), string(p.ID))
			}
		}
		for _, n := range p.Numbers {
			pipe.HSet(ctx, linePeopleKey(s.line(n)), string(p.ID), text)
		}
		return nil
	})
	if err != nil {
		return Person{}, fmt.Errorf("crm: save person: %w", err)
	}
	return p, nil
}

func (s *Store) tidy(p *Person) error {
	p.Name = strings.Join(strings.Fields(p.Name), " ")
	if n := utf8.RuneCountInString(p.Name); n > NameLimit {
		return fmt.Errorf("%w: name: at most %d characters, this has %d", ErrInvalid, NameLimit, n)
	}
	if n := utf8.RuneCountInString(p.Remarks); n > RemarksLimit {
		return fmt.Errorf("%w: remarks: at most %d characters, these have %d", ErrInvalid, RemarksLimit, n)
	}
	tidied := func(given []string) (numbers []string) {
		for _, n := range given {
			if c := Canonical(n, s.region); c != "" && !slices.Contains(numbers, c) {
				numbers = append(numbers, c)
			}
		}
		return numbers
	}
	// One marked unsafe stays a number of the person's: the mark is found by it.
	p.Safe.UnsafeNumbers = tidied(p.Safe.UnsafeNumbers)
	numbers := tidied(slices.Concat(p.Numbers, p.Safe.UnsafeNumbers))
	if len(numbers) > NumbersLimit {
		return fmt.Errorf("%w: numbers: at most %d, these are %d", ErrInvalid, NumbersLimit, len(numbers))
	}
	p.Numbers = numbers
	return nil
}

// Person reads one person.
func (s *Store) Person(ctx context.Context, id contact.PersonID) (Person, error) {
	text, err := s.redis.HGet(ctx, personKey(id), "person").Result()
	if errors.Is(err, redis.Nil) {
		return Person{}, fmt.Errorf("person %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Person{}, fmt.Errorf("crm: read person: %w", err)
	}
	var p Person
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Person{}, fmt.Errorf("crm: read person: %w", err)
	}
	return p, nil
}

// ByNumber finds those a number may belong to, in order of name. The
// number may be written in any way.
func (s *Store) ByNumber(ctx context.Context, number string) ([]Person, error) {
	n := Canonical(number, s.region)
	if n == "" {
		return nil, nil
	}
	m, err := s.redis.HGetAll(ctx, linePeopleKey(s.line(n))).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: find by number: %w", err)
	}
	return appendOthers(nil, m)
}

// Attach records that a contact was a person's; an empty person detaches it. The
// contact moves from the old person's timeline to the new one's. The number it
// came from is not added to the person: handlers ring in for others.
func (s *Store) Attach(ctx context.Context, id contact.ID, person contact.PersonID) error {
	rec, err := s.Record(ctx, id)
	if err != nil {
		return err
	}
	if person != "" {
		if _, err := s.Person(ctx, person); err != nil {
			return err
		}
	}
	version, err := s.set(ctx, id, []any{"person", string(person)})
	if err != nil {
		return fmt.Errorf("crm: attach: %w", err)
	}
	if old := rec.Person; old != "" && old != person {
		if err := s.eval(ctx, timelineDropLua, timelineKeys(personTag(old)), string(id), version).Err(); err != nil {
			return fmt.Errorf("crm: attach: %w", err)
		}
	}
	return nil
}

func appendPerson(to []Person, text string) ([]Person, error) {
	var p Person
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("crm: read person: %w", err)
	}
	return append(to, p), nil
}

// appendOthers adds people not listed yet, in order of name, then id.
func appendOthers(to []Person, byID map[string]string) ([]Person, error) {
	var others []Person
	for id, text := range byID {
		if slices.ContainsFunc(to, func(p Person) bool { return string(p.ID) == id }) {
			continue
		}
		var err error
		if others, err = appendPerson(others, text); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(others, func(a, b Person) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	})
	return append(to, others...), nil
}
