package crm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// Limits on what may be kept of a person.
const (
	NameLimit    = 200  // characters
	RemarksLimit = 4000 // characters
	NumbersLimit = 20
)

// SavePerson creates a person (empty ID) or changes one, and returns them as
// kept: with an id, and numbers and addresses in canonical form. A Changed that
// is not zero must be that of the person as read, else ErrConflict, with the
// newest. What merges keep (MergedInto, Merged) stays as it is. Somebody who was
// merged is not changed: whom they were merged into is, or they are split first.
// Fields that were refused are told one by one, see FieldErrors.
func (s *Store) SavePerson(ctx context.Context, p Person) (Person, error) {
	if err := s.tidy(&p); err != nil {
		return Person{}, err
	}
	if p.ID == "" {
		p.ID, p.Changed = contact.PersonID(s.ids.New()), 0
		return s.addPerson(ctx, p)
	}
	for range attempts {
		was, at, err := s.personAt(ctx, p.ID)
		if errors.Is(err, ErrNotFound) {
			saved, err := s.addPerson(ctx, p)
			if errors.Is(err, ErrConflict) && p.Changed == 0 {
				continue
			}
			return saved, err
		}
		if err != nil {
			return Person{}, err
		}
		restricted, err := s.restricted(ctx, was)
		if err != nil {
			return Person{}, err
		}
		if !mayOpen(ctx, restricted) {
			return Person{}, s.opened(ctx, aboutPerson("", p.ID), true)
		}
		if was.MergedInto != "" {
			return Person{}, &FieldError{"id", "merged", "this record was merged into another: change that one, or split them first"}
		}
		if p.Changed != 0 && p.Changed != was.Changed {
			return was, fmt.Errorf("save person: %w", ErrConflict)
		}
		next := p
		next.Created, next.MergedInto, next.Merged = was.Created, was.MergedInto, was.Merged
		next.Changed = s.tick(was.Changed)
		e := aboutPerson(audit.Alter, p.ID)
		e.Fields = changed(was, next)
		also := ""
		if slices.Contains(e.Fields, "safe") {
			also = safety
		}
		err = s.write(ctx, owed{Kind: "person", ID: string(p.ID), Also: also, Entry: &e}, func() error { return s.putPerson(ctx, next, at) })
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Person{}, err
		}
		return next, nil
	}
	return Person{}, fmt.Errorf("save person: %w", ErrConflict)
}

// addPerson writes somebody new. Nobody else can know them yet, so that their
// indexes are made from what was written.
func (s *Store) addPerson(ctx context.Context, p Person) (Person, error) {
	now := s.tick(0)
	if p.Created == 0 || p.Created > now {
		p.Created = now
	}
	p.Changed, p.MergedInto, p.Merged = now, "", nil
	e := aboutPerson(audit.Collect, p.ID)
	index := func(ctx context.Context) error {
		if err := s.putIndexes(ctx, p, s.personTargets(p), nil); err != nil {
			return err
		}
		return s.find(ctx, personDoc(p))
	}
	err := s.write(ctx, owed{Kind: "person", ID: string(p.ID), Entry: &e, fast: index}, func() error { return s.putPerson(ctx, p, "0") })
	if err != nil {
		return Person{}, err
	}
	return p, nil
}

// putPerson writes a person who was last changed at an instant, "0" for somebody
// new; else ErrConflict.
func (s *Store) putPerson(ctx context.Context, p Person, at string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("crm: save person: %w", err)
	}
	saved, err := s.eval(ctx, personSaveLua, []string{personKey(p.ID)}, at, int64(p.Changed), text, strings.Join(s.personTargets(p), " ")).Int()
	if err != nil {
		return fmt.Errorf("crm: save person: %w", err)
	}
	if saved == 0 {
		return fmt.Errorf("save person: %w", ErrConflict)
	}
	return nil
}

// tick is now, and later than before and than any tick of this process.
func (s *Store) tick(before contact.Instant) contact.Instant {
	for {
		last := s.last.Load()
		next := max(int64(contact.At(s.now())), last+1, int64(before)+1)
		if s.last.CompareAndSwap(last, next) {
			return contact.Instant(next)
		}
	}
}

// personTargets are the indexes a person stands in: "l:LINE" for numbers and
// e-mail addresses, "k:KEY" for what FindPeople looks under. Who is merged is
// looked for by name and birth like others, and stands for whom they were merged
// into; their numbers and addresses are that one's.
func (s *Store) personTargets(p Person) []string {
	var out []string
	if p.MergedInto == "" {
		for _, n := range p.Numbers {
			out = append(out, "l:"+s.line(n))
		}
		for _, e := range p.Emails {
			out = append(out, "l:"+s.mailLine(e))
		}
	}
	for _, k := range s.personKeys(p) {
		out = append(out, "k:"+k)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *Store) putIndexes(ctx context.Context, p Person, want, old []string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, t := range want {
			if kind, name, _ := strings.Cut(t, ":"); kind == "l" {
				pipe.HSet(ctx, linePeopleKey(name), string(p.ID), text)
			} else {
				pipe.ZAdd(ctx, peopleByKey(name), redis.Z{Member: string(p.ID)})
			}
		}
		for _, t := range old {
			if slices.Contains(want, t) {
				continue
			}
			if kind, name, _ := strings.Cut(t, ":"); kind == "l" {
				pipe.HDel(ctx, linePeopleKey(name), string(p.ID))
			} else {
				pipe.ZRem(ctx, peopleByKey(name), string(p.ID))
			}
		}
		return nil
	})
	return err
}

// projectPerson makes a person's document say what the graph of merges says, and
// brings their indexes up to date. It goes round again when they were changed
// under its hands.
func (s *Store) projectPerson(ctx context.Context, id contact.PersonID) error {
	var mine []string
	for range attempts {
		p, at, err := s.reconcile(ctx, id)
		if err != nil {
			return err
		}
		made, err := s.redis.HGet(ctx, personKey(id), "made").Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		want := s.personTargets(p)
		old := append(strings.Fields(made), mine...)
		if all := union(old, want); all != made {
			noted, err := s.eval(ctx, projectedLua, []string{personKey(id)}, "changed", at, all).Int()
			if err != nil {
				return err
			}
			if noted == 0 {
				continue
			}
		}
		mine = append(mine, want...)
		if err := s.putIndexes(ctx, p, want, old); err != nil {
			return err
		}
		if err := s.find(ctx, personDoc(p)); err != nil {
			return err
		}
		last, err := s.eval(ctx, projectedLua, []string{personKey(id)}, "changed", at, strings.Join(want, " ")).Int()
		if err != nil || last == 1 {
			return err
		}
	}
	return fmt.Errorf("crm: person %s changed too often to be indexed", id)
}

// tidy brings what is kept of a person into its form and holds it to the rules.
func (s *Store) tidy(p *Person) error {
	var f faults
	p.Name, p.GivenName, p.Surname = strings.Join(strings.Fields(p.Name), " "), oneSpaced(p.GivenName), oneSpaced(p.Surname)
	if p.Name == "" {
		p.Name = strings.TrimSpace(p.GivenName + " " + p.Surname)
	}
	long(&f, "name", p.Name, NameLimit)
	long(&f, "remarks", p.Remarks, RemarksLimit)
	checkName(&f, "given_name", p.GivenName)
	checkName(&f, "surname", p.Surname)
	p.DateOfBirth = strings.TrimSpace(p.DateOfBirth)
	checkBirth(&f, "date_of_birth", p.DateOfBirth, s.now().In(s.zone))
	if p.Gender != "" {
		choice(&f, "gender", p.Gender, genders)
	}
	p.Safe.UnsafeNumbers = s.canonicalNumbers(&f, "safe.unsafe_numbers", p.Safe.UnsafeNumbers)
	// One marked unsafe stays a number of the person's: the mark is found by it.
	p.Numbers = s.canonicalNumbers(&f, "numbers", slices.Concat(p.Numbers, p.Safe.UnsafeNumbers))
	p.Emails = canonicalEmails(&f, "emails", p.Emails)
	p.Safe.UnsafeEmails = canonicalEmails(&f, "safe.unsafe_emails", p.Safe.UnsafeEmails)
	if len(p.Addresses) > NumbersLimit {
		f.add("addresses", "too_many", "at most %d, these are %d", NumbersLimit, len(p.Addresses))
	}
	p.Addresses = slices.Clone(p.Addresses)
	for i := range p.Addresses {
		checkPlace(&f, fmt.Sprintf("addresses[%d]", i), &p.Addresses[i])
	}
	choice(&f, "safe.rule", p.Safe.Rule, []string{"", "any", "limited", "never"})
	for _, m := range p.Safe.Methods {
		choice(&f, "safe.methods", m, []string{"phone", "email", "post", "sms"})
	}
	long(&f, "safe.times", p.Safe.Times, fieldLimit)
	long(&f, "safe.cover_phrase", p.Safe.CoverPhrase, fieldLimit)
	return f.err()
}

func (s *Store) canonicalNumbers(f *faults, field string, numbers []string) []string {
	var out []string
	for _, n := range numbers {
		if c := Canonical(n, s.region); c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	if len(out) > NumbersLimit {
		f.add(field, "too_many", "at most %d, these are %d", NumbersLimit, len(out))
	}
	return out
}

func canonicalEmails(f *faults, field string, addresses []string) []string {
	var out []string
	for i, a := range addresses {
		if strings.TrimSpace(a) == "" {
			continue
		}
		c, ok := CanonicalEmail(a)
		if !ok {
			f.add(fmt.Sprintf("%s[%d]", field, i), "form", "write an e-mail address such as name@example.org")
		} else if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	if len(out) > NumbersLimit {
		f.add(field, "too_many", "at most %d, these are %d", NumbersLimit, len(out))
	}
	return out
}

// Person reads one person. Somebody who was merged is read as they were kept,
// with MergedInto naming where their records are.
func (s *Store) Person(ctx context.Context, id contact.PersonID) (Person, error) {
	p, err := s.person(ctx, id)
	if err != nil {
		return Person{}, err
	}
	restricted, err := s.restricted(ctx, p)
	if err != nil {
		return Person{}, err
	}
	if err := s.opened(ctx, aboutPerson("", id), restricted); err != nil {
		return Person{}, err
	}
	return p, nil
}

func (s *Store) person(ctx context.Context, id contact.PersonID) (Person, error) {
	p, _, err := s.personAt(ctx, id)
	return p, err
}

// personAt reads a person and when they were last changed, as it is kept.
func (s *Store) personAt(ctx context.Context, id contact.PersonID) (Person, string, error) {
	m, err := s.redis.HMGet(ctx, personKey(id), "person", "changed").Result()
	if err != nil {
		return Person{}, "", fmt.Errorf("crm: read person: %w", err)
	}
	text, ok := m[0].(string)
	if !ok {
		return Person{}, "", fmt.Errorf("person %s: %w", id, ErrNotFound)
	}
	at, _ := m[1].(string)
	var p Person
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Person{}, "", fmt.Errorf("crm: read person: %w", err)
	}
	return p, at, nil
}

// people reads several, those who exist.
func (s *Store) people(ctx context.Context, ids []contact.PersonID) ([]Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds := make([]*redis.StringCmd, len(ids))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			cmds[i] = p.HGet(ctx, personKey(id), "person")
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("crm: read people: %w", err)
	}
	var out []Person
	for _, c := range cmds {
		if c.Err() != nil {
			continue
		}
		if out, err = appendPerson(out, c.Val()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ByNumber finds those a number may belong to, in order of name. The number may
// be written in any way. Restricted people are shown as such and no more.
func (s *Store) ByNumber(ctx context.Context, number string) ([]Person, error) {
	return s.byLine(ctx, s.line(Canonical(number, s.region)))
}

// ByEmail finds those an e-mail address may belong to, as ByNumber does.
func (s *Store) ByEmail(ctx context.Context, address string) ([]Person, error) {
	canonical, ok := CanonicalEmail(address)
	if !ok {
		return nil, nil
	}
	return s.byLine(ctx, s.mailLine(canonical))
}

func (s *Store) byLine(ctx context.Context, line string) ([]Person, error) {
	if line == "" {
		return nil, nil
	}
	m, err := s.redis.HGetAll(ctx, linePeopleKey(line)).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: find by number: %w", err)
	}
	out, err := appendOthers(nil, m)
	if err != nil {
		return nil, err
	}
	e := audit.Entry{Operation: audit.Search, Object: "person"}
	if len(out) == 1 {
		e.ObjectID = string(out[0].ID)
	}
	if err := s.seen(ctx, e); err != nil {
		return nil, err
	}
	return redacted(ctx, out), nil
}

// redacted leaves of restricted people what must be known to serve them, unless
// ctx's actor gave a reason.
func redacted(ctx context.Context, people []Person) []Person {
	for i, p := range people {
		if !mayOpen(ctx, p.Restricted) {
			people[i] = Person{
				ID: p.ID, Restricted: true, Language: p.Language, WrittenLanguage: p.WrittenLanguage, Needs: p.Needs, Safe: p.Safe,
				Vulnerable: p.Vulnerable, RepeatVictim: p.RepeatVictim, MergedInto: p.MergedInto, Created: p.Created, Changed: p.Changed,
			}
		}
	}
	return people
}

// Attach records that a contact was a person's; an empty person detaches it. The
// contact moves from the old person's timeline to the new one's; somebody merged
// stands for whom they were merged into. The number it came from is not added to
// the person: handlers ring in for others.
func (s *Store) Attach(ctx context.Context, id contact.ID, person contact.PersonID) error {
	rec, err := s.record(ctx, id)
	if err != nil {
		return err
	}
	if person != "" {
		if _, err := s.person(ctx, person); err != nil {
			return err
		}
		if person, err = s.root(ctx, person); err != nil {
			return err
		}
	}
	if rec.Person == person {
		return nil
	}
	e := aboutContact(audit.Alter, id, "person")
	err = s.write(ctx, owed{Kind: "contact", ID: string(id), Entry: &e}, func() error {
		return s.eval(ctx, recordSetLua, []string{contactKey(id)}, "person", string(person)).Err()
	})
	if err != nil {
		return fmt.Errorf("crm: attach: %w", err)
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
