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
)

// Who was found to be whom is one small graph in one slot: the only truth about
// merges. One script checks and changes it, so merges have an order and of two
// opposite ones the second is refused. People's documents, indexes and timelines
// follow from it and can be made again at any time, which is also how a split
// takes back exactly what a merge brought.

// MergePeople records that from is the person into. From's numbers, addresses and
// history are read at into from then on; nothing of from is lost, and SplitPerson
// undoes it. ErrConflict means that one of them was merged already, for example
// the other way round.
func (s *Store) MergePeople(ctx context.Context, from, into contact.PersonID, reason string) error {
	var f faults
	if from == into || from == "" || into == "" {
		f.add("into", "choice", "choose two different people")
	}
	if strings.TrimSpace(reason) == "" {
		f.add("reason", "required", "say why they are the same person")
	}
	long(&f, "reason", reason, MOLimit)
	if err := f.err(); err != nil {
		return err
	}
	for _, id := range []contact.PersonID{from, into} {
		p, err := s.person(ctx, id)
		if err != nil {
			return err
		}
		restricted, err := s.restricted(ctx, p)
		if err != nil {
			return err
		}
		if !mayOpen(ctx, restricted) {
			return s.opened(ctx, aboutPerson("", id), true)
		}
	}
	m, err := json.Marshal(Merge{Person: from, At: contact.At(s.now()), By: audit.From(ctx).ID, Reason: strings.TrimSpace(reason)})
	if err != nil {
		return fmt.Errorf("crm: merge: %w", err)
	}
	e := aboutPerson(audit.Combine, from)
	e.Fields = []string{"merged_into:" + string(into)}
	return s.write(ctx, owed{Kind: "merge", ID: string(from), Also: string(into), Entry: &e}, func() error {
		done, err := s.eval(ctx, mergeLua, mergeKeys, string(from), string(into), m).Int()
		if err != nil {
			return fmt.Errorf("crm: merge: %w", err)
		}
		if done == 0 {
			return fmt.Errorf("merge %s into %s: one of them is merged already: %w", from, into, ErrConflict)
		}
		return nil
	})
}

// SplitPerson undoes the merge of a person into another: what each had before is
// theirs again, and what was recorded meanwhile stays with the other.
func (s *Store) SplitPerson(ctx context.Context, merged contact.PersonID, reason string) error {
	var f faults
	if strings.TrimSpace(reason) == "" {
		f.add("reason", "required", "say why they are not the same person")
	}
	long(&f, "reason", reason, MOLimit)
	if err := f.err(); err != nil {
		return err
	}
	p, err := s.person(ctx, merged)
	if err != nil {
		return err
	}
	restricted, err := s.restricted(ctx, p)
	if err != nil {
		return err
	}
	if !mayOpen(ctx, restricted) {
		return s.opened(ctx, aboutPerson("", merged), true)
	}
	chain, err := s.chain(ctx, merged)
	if err != nil {
		return err
	}
	if len(chain) < 2 {
		return fmt.Errorf("person %s is not merged: %w", merged, ErrConflict)
	}
	into := string(chain[1])
	e := aboutPerson(audit.Combine, merged)
	e.Purpose, e.Fields = "split", []string{"merged_into:" + into}
	return s.write(ctx, owed{Kind: "merge", ID: string(merged), Also: into, Entry: &e}, func() error {
		split, err := s.eval(ctx, splitLua, mergeKeys, string(merged), into).Int()
		if err != nil {
			return fmt.Errorf("crm: split: %w", err)
		}
		if split == 0 {
			return fmt.Errorf("person %s is not merged: %w", merged, ErrConflict)
		}
		return nil
	})
}

// chain is a person, whom they were merged into, and so on to the one who is not
// merged.
func (s *Store) chain(ctx context.Context, id contact.PersonID) ([]contact.PersonID, error) {
	ids, err := s.eval(ctx, chainLua, mergeKeys[:1], string(id)).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("crm: follow merges: %w", err)
	}
	out := make([]contact.PersonID, len(ids))
	for i, id := range ids {
		out[i] = contact.PersonID(id)
	}
	return out, nil
}

func (s *Store) root(ctx context.Context, id contact.PersonID) (contact.PersonID, error) {
	c, err := s.chain(ctx, id)
	if err != nil {
		return "", err
	}
	return c[len(c)-1], nil
}

// restricted tells whether somebody is opened only for a reason: for their own
// sake, or because whom they were merged into is.
func (s *Store) restricted(ctx context.Context, p Person) (bool, error) {
	if p.Restricted || p.MergedInto == "" {
		return p.Restricted, nil
	}
	root, err := s.root(ctx, p.ID)
	if err != nil {
		return false, err
	}
	into, err := s.person(ctx, root)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return into.Restricted, err
}

// projectMerge makes true for documents, indexes and timelines what the graph
// says of a person: after a merge into also, after a split from them, and after
// either was cut short.
func (s *Store) projectMerge(ctx context.Context, id, also contact.PersonID) error {
	chain, err := s.chain(ctx, id)
	if err != nil {
		return err
	}
	above := chain[1:]
	if also != "" && !slices.Contains(above, also) {
		before, err := s.chain(ctx, also)
		if err != nil {
			return err
		}
		above = slices.Concat(above, before)
	}
	for _, person := range append([]contact.PersonID{id}, above...) {
		if err := s.projectPerson(ctx, person); err != nil {
			return err
		}
	}
	if err := s.moveTimelines(ctx, id, above); err != nil {
		return err
	}
	// What is safe for one is now what is safe for both, and so are their reports.
	for _, person := range append([]contact.PersonID{id}, above...) {
		if err := s.withhold(ctx, person); err != nil {
			return err
		}
	}
	return nil
}

// moveTimelines puts a person's contacts and messages on the timelines of those
// they are merged into now, and takes them off those of others.
func (s *Store) moveTimelines(ctx context.Context, id contact.PersonID, others []contact.PersonID) error {
	for range attempts {
		chain, err := s.chain(ctx, id)
		if err != nil {
			return err
		}
		for _, list := range []func(contact.PersonID) []string{
			func(p contact.PersonID) []string { return timelineKeys(personTag(p)) },
			itemKeys,
		} {
			if err := s.moveTimeline(ctx, list, id, chain, others); err != nil {
				return err
			}
		}
		reports, err := s.redis.ZRange(ctx, personReportKeys(id)[0], 0, -1).Result()
		if err != nil {
			return err
		}
		for _, r := range reports {
			if err := s.projectReport(ctx, ReportID(r)); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		after, err := s.chain(ctx, id)
		if err != nil {
			return err
		}
		if slices.Equal(chain, after) {
			return nil
		}
		others = append(others, chain...)
	}
	return fmt.Errorf("crm: person %s is merged and split too often", id)
}

func (s *Store) moveTimeline(ctx context.Context, list func(contact.PersonID) []string, id contact.PersonID, chain, others []contact.PersonID) error {
	mine := list(id)
	var order *redis.ZSliceCmd
	var entries *redis.MapStringStringCmd
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		order, entries = p.ZRangeWithScores(ctx, mine[0], 0, -1), p.HGetAll(ctx, mine[1])
		return nil
	})
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(order.Val(), 200) {
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, z := range batch {
				member, _ := z.Member.(string)
				if strings.HasPrefix(member, "u:") {
					continue // updates go with their report
				}
				version, text, ok := strings.Cut(entries.Val()[member], " ")
				if !ok || text == "" {
					continue
				}
				for _, to := range chain[1:] {
					p.Eval(ctx, timelinePutLua, list(to), member, int64(z.Score), version, text)
				}
				for _, no := range others {
					if !slices.Contains(chain, no) {
						p.Eval(ctx, timelineDropLua, list(no), member, version)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reconcile makes a person's document say what the graph says: whom they are
// merged into, and what those merged into them brought. It returns the document.
func (s *Store) reconcile(ctx context.Context, id contact.PersonID) (Person, string, error) {
	for range attempts {
		p, changedAt, err := s.personAt(ctx, id)
		if err != nil {
			return p, "", err
		}
		into, below, err := s.merges(ctx, id)
		if err != nil {
			return p, "", err
		}
		next := p
		next.MergedInto, next.Merged = into, slices.Clone(p.Merged)
		var gone []Merge
		for _, m := range p.Merged {
			if !slices.ContainsFunc(below, func(c Merge) bool { return c.Order == m.Order }) {
				gone = append(gone, m)
			}
		}
		if len(gone) > 0 {
			undoSafety(&next)
		}
		for _, m := range gone {
			undo(&next, m)
		}
		for _, m := range below {
			i := slices.IndexFunc(next.Merged, func(c Merge) bool { return c.Order == m.Order })
			if i >= 0 && len(gone) == 0 {
				continue
			}
			other, err := s.person(ctx, m.Person)
			if err != nil {
				return p, "", err
			}
			other = own(other)
			if i < 0 {
				apply(&next, other, m)
				continue
			}
			// What went with one may also be another's.
			i = slices.IndexFunc(next.Merged, func(c Merge) bool { return c.Order == m.Order })
			for _, g := range gone {
				inherit(&next, &next.Merged[i], other, g)
			}
			bringSafety(&next.Safe, &next.Merged[i], other.Safe)
		}
		if len(changed(p, next)) == 0 {
			return p, changedAt, nil
		}
		next.Changed = s.tick(p.Changed)
		if err := s.putPerson(ctx, next, changedAt); errors.Is(err, ErrConflict) {
			continue
		} else if err != nil {
			return p, "", err
		}
		return next, fmt.Sprint(int64(next.Changed)), nil
	}
	return Person{}, "", fmt.Errorf("person %s: %w", id, ErrConflict)
}

// merges reads whom a person is merged into and everybody who is merged into them,
// directly or through others.
func (s *Store) merges(ctx context.Context, id contact.PersonID) (contact.PersonID, []Merge, error) {
	got, err := s.eval(ctx, mergesLua, mergeKeys, string(id)).StringSlice()
	if err != nil {
		return "", nil, fmt.Errorf("crm: follow merges: %w", err)
	}
	var out []Merge
	for _, entry := range got[1:] {
		order, text, _ := strings.Cut(entry, " ")
		var m Merge
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return "", nil, fmt.Errorf("crm: read a merge: %w", err)
		}
		if _, err := fmt.Sscan(order, &m.Order); err != nil {
			return "", nil, fmt.Errorf("crm: read a merge: %w", err)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Merge) int { return int(a.Order) - int(b.Order) }) //nolint:gosec // a count of merges
	return contact.PersonID(got[0]), out, nil
}

// apply adds what another record has and the person has not, and notes it.
func apply(p *Person, other Person, m Merge) {
	m.Numbers = bring(&p.Numbers, other.Numbers)
	m.Emails = bring(&p.Emails, other.Emails)
	m.UnsafeNumbers = bring(&p.Safe.UnsafeNumbers, other.Safe.UnsafeNumbers)
	m.UnsafeEmails = bring(&p.Safe.UnsafeEmails, other.Safe.UnsafeEmails)
	m.Needs = bring(&p.Needs, other.Needs)
	m.Vulnerable = raise(&p.Vulnerable, other.Vulnerable)
	m.RepeatVictim = raise(&p.RepeatVictim, other.RepeatVictim)
	m.Restricted = raise(&p.Restricted, other.Restricted)
	m.NoVoicemail = raise(&p.Safe.NoVoicemail, other.Safe.NoVoicemail)
	bringSafety(&p.Safe, &m, other.Safe)
	p.Merged = append(p.Merged, m)
}

// own is a person without what others merged into them brought.
func own(p Person) Person {
	p.Merged = slices.Clone(p.Merged)
	undoSafety(&p)
	for _, m := range slices.Clone(p.Merged) {
		undo(&p, m)
	}
	return p
}

// inherit lets a merge that stays bring what one that is gone had brought, where
// its person has it too.
func inherit(p *Person, m *Merge, other Person, gone Merge) {
	both := func(has, brought []string) []string {
		return slices.DeleteFunc(slices.Clone(has), func(v string) bool { return !slices.Contains(brought, v) })
	}
	m.Numbers = append(m.Numbers, bring(&p.Numbers, both(other.Numbers, gone.Numbers))...)
	m.Emails = append(m.Emails, bring(&p.Emails, both(other.Emails, gone.Emails))...)
	m.UnsafeNumbers = append(m.UnsafeNumbers, bring(&p.Safe.UnsafeNumbers, both(other.Safe.UnsafeNumbers, gone.UnsafeNumbers))...)
	m.UnsafeEmails = append(m.UnsafeEmails, bring(&p.Safe.UnsafeEmails, both(other.Safe.UnsafeEmails, gone.UnsafeEmails))...)
	m.Needs = append(m.Needs, bring(&p.Needs, both(other.Needs, gone.Needs))...)
	m.Vulnerable = m.Vulnerable || gone.Vulnerable && raise(&p.Vulnerable, other.Vulnerable)
	m.RepeatVictim = m.RepeatVictim || gone.RepeatVictim && raise(&p.RepeatVictim, other.RepeatVictim)
	m.Restricted = m.Restricted || gone.Restricted && raise(&p.Restricted, other.Restricted)
	m.NoVoicemail = m.NoVoicemail || gone.NoVoicemail && raise(&p.Safe.NoVoicemail, other.Safe.NoVoicemail)
}

// bringSafety makes the rule by which somebody is reached as strict as another's:
// of two limited ones, what both allow.
func bringSafety(to *SafeContact, m *Merge, from SafeContact) {
	rule, methods := to.Rule, to.Methods
	switch mine, theirs := strictness(to.Rule), strictness(from.Rule); {
	case theirs > mine:
		rule, methods = from.Rule, slices.Clone(from.Methods)
	case theirs == mine && to.Rule == "limited":
		methods = slices.DeleteFunc(slices.Clone(methods), func(v string) bool { return !slices.Contains(from.Methods, v) })
	}
	if rule == to.Rule && len(methods) == len(to.Methods) {
		return
	}
	m.SafeRule, m.SafeMethods, m.SafeWas, m.MethodsWas = rule, methods, to.Rule, to.Methods
	to.Rule, to.Methods = rule, methods
}

// undoSafety takes back what all merges made of the rule, the last first. A rule
// that somebody set since stays.
func undoSafety(p *Person) {
	for _, m := range slices.Backward(p.Merged) {
		if m.SafeRule == "" {
			continue
		}
		if p.Safe.Rule != m.SafeRule || !slices.Equal(p.Safe.Methods, m.SafeMethods) {
			break
		}
		p.Safe.Rule, p.Safe.Methods = m.SafeWas, m.MethodsWas
	}
	for i := range p.Merged {
		m := &p.Merged[i]
		m.SafeRule, m.SafeMethods, m.SafeWas, m.MethodsWas = "", nil, "", nil
	}
}

// undo takes away what a merge brought, but for the rule: see undoSafety.
func undo(p *Person, m Merge) {
	p.Merged = slices.DeleteFunc(p.Merged, func(c Merge) bool { return c.Order == m.Order })
	p.Numbers = without(p.Numbers, m.Numbers)
	p.Emails = without(p.Emails, m.Emails)
	p.Safe.UnsafeNumbers = without(p.Safe.UnsafeNumbers, m.UnsafeNumbers)
	p.Safe.UnsafeEmails = without(p.Safe.UnsafeEmails, m.UnsafeEmails)
	p.Needs = without(p.Needs, m.Needs)
	p.Vulnerable = p.Vulnerable && !m.Vulnerable
	p.RepeatVictim = p.RepeatVictim && !m.RepeatVictim
	p.Restricted = p.Restricted && !m.Restricted
	p.Safe.NoVoicemail = p.Safe.NoVoicemail && !m.NoVoicemail
}

func bring(to *[]string, from []string) []string {
	var brought []string
	for _, v := range from {
		if !slices.Contains(*to, v) {
			brought = append(brought, v)
		}
	}
	*to = append(slices.Clone(*to), brought...)
	return brought
}

func without(from, what []string) []string {
	out := slices.DeleteFunc(slices.Clone(from), func(v string) bool { return slices.Contains(what, v) })
	if len(out) == 0 {
		return nil
	}
	return out
}

func raise(to *bool, from bool) bool {
	raised := from && !*to
	*to = *to || from
	return raised
}

func strictness(rule string) int { return slices.Index([]string{"", "any", "limited", "never"}, rule) }
