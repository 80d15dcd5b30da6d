package crm

import (
	"context"
	"errors"
	"slices"

	"example.org/c3i/contact"
)

// Clocks are the times within which things must be done. All may be configured;
// docs/records.md names their sources.
type Clocks struct {
	// Record is how soon the recording decision is due.
	Record contact.Duration
	// Charter is how soon a report of a grade is attended; a grade without one has
	// no clock. Past it the report is assessed again.
	Charter map[Grade]contact.Duration
	// Reassess is how soon a report is assessed again after a new contact about it.
	Reassess contact.Duration
	// Support is how soon victims who want it are referred to victim support.
	Support contact.Duration
	// Update and UpdateEnhanced are the working days within which victims are told
	// of a decision.
	Update, UpdateEnhanced int
	// Confirm is how soon victims have a written confirmation of a recorded crime.
	Confirm contact.Duration
	// Retention gives the years until review of each retention group.
	Retention map[int]int
	// Repeat is how far back an earlier report makes one a repeat, in months.
	Repeat int
}

// DefaultClocks are those in force in England and Wales.
func DefaultClocks() Clocks {
	return Clocks{
		Record:   24 * contact.Hour,
		Charter:  map[Grade]contact.Duration{GradeImmediate: 15 * contact.Minute, GradeSignificant: contact.Hour, GradeExtended: 48 * contact.Hour},
		Reassess: 15 * contact.Minute,
		Support:  2 * contact.Day,
		Update:   5, UpdateEnhanced: 1,
		Confirm:   contact.Day,
		Retention: map[int]int{1: 10, 2: 10, 3: 7, 4: 7},
		Repeat:    12,
	}
}

// orDefault fills in what is zero.
func (c Clocks) orDefault() Clocks {
	d := DefaultClocks()
	or := func(v *contact.Duration, d contact.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	or(&c.Record, d.Record)
	or(&c.Reassess, d.Reassess)
	or(&c.Support, d.Support)
	or(&c.Confirm, d.Confirm)
	if c.Charter == nil {
		c.Charter = d.Charter
	}
	if c.Retention == nil {
		c.Retention = d.Retention
	}
	for _, n := range []struct {
		v *int
		d int
	}{{&c.Update, d.Update}, {&c.UpdateEnhanced, d.UpdateEnhanced}, {&c.Repeat, d.Repeat}} {
		if *n.v == 0 {
			*n.v = n.d
		}
	}
	return c
}

func closed(s ReportStatus) bool { return s == StatusClosed || s == StatusWithdrawn }

// victimTasks sets what the Victims' Code asks for of each victim. People are
// those of the parties who are known.
func (s *Store) victimTasks(r *Report, a *agenda, people map[contact.PersonID]Person) {
	for _, p := range r.Parties {
		if !slices.Contains(p.Roles, RoleVictim) || p.WithdrawnAt != 0 {
			continue
		}
		a.due(TaskNeeds, p.ID, "Assess the victim's needs, and agree what happens next and how often they hear from us.", r.Owner, r.Created.Add(s.clocks.Record))
		s.support(r, a, p)
		unsafe := unsafeToWrite(p, people[p.Person])
		if unsafe != "" {
			// Also when it was thought safe before.
			a.done(TaskConfirmation, p.ID, "withheld: "+unsafe)
		}
		if r.Kind != KindCrime {
			continue
		}
		if unsafe == "" {
			a.due(TaskConfirmation, p.ID, "Send the victim a written confirmation with the crime number and whom to contact.", "", a.recorded(r).Add(s.clocks.Confirm))
		} else if !a.has(TaskOther, p.ID) {
			a.due(TaskOther, p.ID, "Tell the victim the crime number in a safe way. Nothing may be sent in writing: "+unsafe+".", r.Owner, a.recorded(r).Add(s.clocks.Confirm))
		}
	}
}

// supportUnwanted is the result of a referral that was withdrawn: it is due again
// when the victim asks again, and no other is.
const supportUnwanted = "the report says: not wanted"

// support sets the clock of the referral: from the report, or from when they asked
// if that was later.
func (s *Store) support(r *Report, a *agenda, p Party) {
	if p.WantsSupport == nil || !*p.WantsSupport {
		a.done(TaskSupport, p.ID, supportUnwanted)
		return
	}
	part := p.ID
	for n := 2; a.tasks[a.id(TaskSupport, part)].Result == supportUnwanted; n++ {
		part = p.ID + "." + itoa(n)
	}
	if a.has(TaskSupport, part) {
		return
	}
	asked := r.Created
	if len(a.before) > 0 { // else it is being created
		asked = a.now
	}
	a.due(TaskSupport, part, "Refer the victim to victim support, as they asked.", "", asked.Add(s.clocks.Support))
}

// recorded is when the crime was recorded: now, when that is just happening.
func (a *agenda) recorded(r *Report) contact.Instant {
	for _, d := range r.Decisions {
		if d.Step == StepRecord {
			return d.At
		}
	}
	return a.now
}

// unsafeToWrite says why a party must not be written to, or "".
func unsafeToWrite(p Party, who Person) string {
	switch {
	case who.Safe.Rule == "never":
		return "they must not be contacted"
	case who.Safe.Rule == "limited" && !slices.Contains(who.Safe.Methods, "email") && !slices.Contains(who.Safe.Methods, "post"):
		return "writing to them is not safe"
	case p.UpdatesBy == "none":
		return "they asked not to be contacted"
	}
	return ""
}

// withhold goes through a person's reports after what is safe for them, or who
// they are, changed: nothing that is now unsafe stays due, and the markers are
// computed anew.
func (s *Store) withhold(ctx context.Context, id contact.PersonID) error {
	reports, err := s.redis.ZRange(ctx, personReportKeys(id)[0], 0, -1).Result()
	if err != nil {
		return err
	}
	for _, r := range reports {
		_, err := s.changeAs(ctx, ReportID(r), true, func(d *reportDocument, a *agenda) error {
			people, err := s.partyPeople(ctx, &d.Report)
			if err != nil {
				return err
			}
			was := d.Report
			if err := s.mark(ctx, d, &was, people); err != nil {
				return err
			}
			s.victimTasks(&d.Report, a, people)
			if changes, err := a.args(); err != nil || len(changes) > 0 {
				return err
			}
			if was.Vulnerable != d.Vulnerable || !slices.Equal(was.RepeatBecause, d.RepeatBecause) {
				return nil
			}
			return errUnchanged
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// tellVictims starts the clock within which victims hear of a decision.
func (s *Store) tellVictims(r *Report, a *agenda, why, text string) {
	for _, p := range r.Parties {
		if !slices.Contains(p.Roles, RoleVictim) || p.WithdrawnAt != 0 || p.UpdatesBy == "none" {
			continue
		}
		days := s.clocks.Update
		if p.EnhancedRights || p.UnderEighteen || r.HighHarm || r.Vulnerable {
			days = s.clocks.UpdateEnhanced
		}
		a.due(TaskUpdate, a.again(TaskUpdate, p.ID+"."+why), text, r.Owner, s.workingDays(a.now, days))
	}
}

// reassess sets the clock for the next assessment from at, or stops it when the
// report is closed or its grade has no charter time.
func (s *Store) reassess(r *Report, a *agenda, at contact.Instant) {
	within, ok := s.clocks.Charter[r.Grade]
	if closed(r.Status) || !ok {
		r.ReassessBy = 0
		a.done(TaskReassess, "", "no longer due")
		return
	}
	s.reassessBy(r, a, at.Add(within), "Assess again (THRIVE): the time for this grade has passed.")
}

// reassessBy sets the clock to an instant. Each assessment starts a task of its
// own, numbered by how many there were, and so does a clock that was stopped and
// starts anew.
func (s *Store) reassessBy(r *Report, a *agenda, by contact.Instant, text string) {
	r.ReassessBy = by
	a.due(TaskReassess, a.again(TaskReassess, itoa(len(r.Assessments))), text, r.Owner, by)
}
