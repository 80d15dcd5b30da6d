package crm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// LinkContact says that a contact belongs to a report, and no longer to another.
// A report that was assessed is then to be assessed again. Linking again changes
// nothing.
func (s *Store) LinkContact(ctx context.Context, id contact.ID, report ReportID) error {
	if _, err := s.report(ctx, report); err != nil {
		return err
	}
	return s.relink(ctx, id, report)
}

// UnlinkContact says that a contact belongs to no report.
func (s *Store) UnlinkContact(ctx context.Context, id contact.ID) error { return s.relink(ctx, id, "") }

func (s *Store) linkOnce(ctx context.Context, id contact.ID, report ReportID) error {
	if id == "" {
		return nil
	}
	return s.relink(ctx, id, report)
}

// relink takes the contact off its report, says on its record where it belongs,
// and adds it there. The record is the truth: whatever stops in between is made
// good by a repeat.
func (s *Store) relink(ctx context.Context, id contact.ID, report ReportID) error {
	for range attempts {
		rec, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		if rec.Report != "" && rec.Report != report {
			if err := s.takeOff(ctx, rec); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		e := aboutContact(audit.Alter, id, "report")
		if rec.Report != report {
			err = s.write(ctx, owed{Kind: "contact", ID: string(id), Entry: &e}, func() error {
				said, err := s.eval(ctx, recordLinkLua, []string{contactKey(id)}, string(rec.Report), string(report)).Int()
				switch {
				case err != nil:
					return fmt.Errorf("crm: link contact: %w", err)
				case said < 0:
					return fmt.Errorf("contact %s: %w", id, ErrNotFound)
				case said == 0:
					return fmt.Errorf("contact %s: %w", id, ErrConflict)
				}
				return nil
			})
			if errors.Is(err, ErrConflict) {
				continue
			}
			if err != nil {
				return err
			}
		}
		if report == "" {
			return nil
		}
		if err := s.addTo(ctx, rec, report); err != nil {
			return err
		}
		// Somebody may have moved it while it was being added.
		now, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		if now.Report == report {
			return nil
		}
		rec.Report = report
		return s.takeOff(ctx, rec)
	}
	return fmt.Errorf("contact %s: %w", id, ErrConflict)
}

func (s *Store) addTo(ctx context.Context, rec Record, report ReportID) error {
	_, err := s.changeAs(ctx, report, true, func(d *reportDocument, a *agenda) error {
		if slices.Contains(d.Contacts, rec.ID) {
			return errUnchanged
		}
		first := len(d.Contacts) == 0
		d.Contacts = append(d.Contacts, rec.ID)
		if line := rec.Facts.Line; line != "" && !slices.Contains(d.Lines, line) {
			d.Lines = append(d.Lines, line)
		}
		if !first {
			s.linkedAgain(d, a, rec.Arrival)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.moveMessages(ctx, rec.ID, "", report)
}

func (s *Store) takeOff(ctx context.Context, rec Record) error {
	_, err := s.changeAs(ctx, rec.Report, true, func(d *reportDocument, _ *agenda) error {
		if !slices.Contains(d.Contacts, rec.ID) {
			return errUnchanged
		}
		d.Contacts = slices.DeleteFunc(d.Contacts, func(c contact.ID) bool { return c == rec.ID })
		return nil
	})
	if err != nil {
		return err
	}
	return s.moveMessages(ctx, rec.ID, rec.Report, "")
}

// moveMessages takes a contact's messages from one report to another.
func (s *Store) moveMessages(ctx context.Context, id contact.ID, from, to ReportID) error {
	messages, err := s.redis.ZRangeWithScores(ctx, contactMessagesKey(id), 0, -1).Result()
	if err != nil || len(messages) == 0 {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, z := range messages {
			member, _ := z.Member.(string)
			if from != "" {
				p.ZRem(ctx, reportMessagesKey(from), member)
			}
			if to != "" {
				p.ZAdd(ctx, reportMessagesKey(to), z)
			}
			p.HSet(ctx, messageKey(MessageID(member)), "report", string(to))
		}
		return nil
	})
	return err
}
