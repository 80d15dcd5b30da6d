package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// reasonLimit bounds a stated reason on the trail, in bytes.
const reasonLimit = 900

// actor is ctx's actor, with a reason of a length the trail takes.
func actor(ctx context.Context) audit.Actor {
	a := audit.From(ctx)
	if len(a.Reason) > reasonLimit {
		a.Reason = strings.ToValidUTF8(a.Reason[:reasonLimit], "") + "…"
	}
	return a
}

// seen puts consultations on the trail, all or none, before anything is shown. Its
// error means that nothing may be shown.
func (s *Store) seen(ctx context.Context, es ...audit.Entry) error {
	if s.trail == nil {
		return nil
	}
	for i := range es {
		if es[i].Operation == "" {
			es[i].Operation = audit.Consult
		}
		if es[i].Outcome == "" {
			es[i].Outcome = "ok"
		}
		es[i].Actor = actor(ctx)
	}
	if err := s.trail.Append(ctx, es...); err != nil {
		return fmt.Errorf("crm: the trail cannot be written, so nothing is shown: %w", err)
	}
	return nil
}

// open puts the reading of a record on the trail and refuses a restricted one to
// whoever gives no reason.
func (s *Store) opened(ctx context.Context, e audit.Entry, restricted bool) error {
	if !restricted {
		return s.seen(ctx, e)
	}
	if audit.From(ctx).Reason == "" {
		e.Operation, e.Outcome = audit.Denied, "restricted"
		if err := s.seen(ctx, e); err != nil {
			return err
		}
		return fmt.Errorf("%s %s: %w", e.Object, e.ObjectID, ErrRestricted)
	}
	e.Operation = audit.BreakGlass
	return s.seen(ctx, e)
}

// mayOpen tells whether ctx's actor gave a reason.
func mayOpen(ctx context.Context, restricted bool) bool {
	return !restricted || audit.From(ctx).Reason != ""
}

// changed names the top-level JSON fields in which two values differ.
func changed(before, after any) []string {
	fields := func(v any) map[string]json.RawMessage {
		m := map[string]json.RawMessage{}
		b, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return nil
		}
		return m
	}
	was, is := fields(before), fields(after)
	var names []string
	for name, v := range is {
		if !bytes.Equal(v, was[name]) && name != "version" && name != "changed" {
			names = append(names, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// subjects are the data-subject categories of a report's parties.
func subjects(r Report) []audit.Subject {
	var out []audit.Subject
	for _, p := range r.Parties {
		for _, role := range p.Roles {
			s := audit.Witness
			switch role {
			case RoleVictim:
				s = audit.Victim
			case RoleSuspect:
				s = audit.Suspect
			}
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return out
}

func aboutReport(op audit.Operation, r Report, c contact.ID) audit.Entry {
	return audit.Entry{Operation: op, Object: "report", ObjectID: string(r.ID), Subjects: subjects(r), Correlation: c}
}

func aboutPerson(op audit.Operation, id contact.PersonID) audit.Entry {
	return audit.Entry{Operation: op, Object: "person", ObjectID: string(id)}
}

func aboutContact(op audit.Operation, id contact.ID, fields ...string) audit.Entry {
	return audit.Entry{Operation: op, Object: "contact", ObjectID: string(id), Correlation: id, Fields: fields}
}
