package email

import (
	"context"
	"errors"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

// MaySend reports whether a person's own rules allow writing to an address.
func MaySend(p crm.Person, address string) bool {
	s := p.Safe
	for _, unsafe := range s.UnsafeEmails {
		if strings.EqualFold(strings.TrimSpace(unsafe), address) {
			return false
		}
	}
	theirs := slices.ContainsFunc(p.Emails, func(e string) bool { return strings.EqualFold(e, address) })
	switch {
	case !theirs:
		return true // the rule is about this person's own mail
	case s.Rule == "never":
		return false
	case s.Rule == "limited":
		return slices.Contains(s.Methods, "email")
	}
	return true
}

var looking = audit.Actor{ID: audit.System.ID, Reason: "To see whether it is safe to write to them."}

// safe checks an address against everybody who has it, the person of the contact
// and the people of the report. On an error nothing is known, and nothing is sent.
// Restricted people are looked at for their rules, and nothing of them is shown.
func safe(ctx context.Context, r Records, address string, id contact.ID, report crm.ReportID) (bool, error) {
	ctx = audit.With(ctx, looking)
	people, err := r.ByEmail(ctx, address)
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return false, err
	}
	var ids []contact.PersonID
	if id != "" {
		rec, err := r.Record(ctx, id)
		if err != nil && !errors.Is(err, crm.ErrNotFound) {
			return false, err
		}
		ids = append(ids, rec.Person)
	}
	if report != "" {
		rep, err := r.Report(ctx, report)
		if err != nil && !errors.Is(err, crm.ErrNotFound) {
			return false, err
		}
		for _, party := range rep.Parties {
			ids = append(ids, party.Person)
		}
	}
	for _, person := range ids {
		if person == "" || slices.ContainsFunc(people, func(p crm.Person) bool { return p.ID == person }) {
			continue
		}
		p, err := r.Person(ctx, person)
		if errors.Is(err, crm.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		people = append(people, p)
	}
	for _, p := range people {
		if !MaySend(p, address) {
			return false, nil
		}
	}
	return true, nil
}
