package crm

import (
	"context"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

var (
	levels = []string{"", "none", "low", "medium", "high", "not_known"}
	why    = []string{"first", "changed_circumstances", "overdue", "new_contact", "grade_change"}
)

// Assess appends a THRIVE assessment to a report and starts the clock for the
// next. A repeat with the same ID changes nothing. The grade stays as it is until
// SetGrade rests it on an assessment.
func (s *Store) Assess(ctx context.Context, id ReportID, a Assessment) (Report, error) {
	var f faults
	a.Rationale = strings.TrimSpace(a.Rationale)
	if a.Rationale == "" {
		f.add("rationale", "required", "say why, in a sentence others can follow")
	}
	long(&f, "rationale", a.Rationale, SummaryLimit)
	choice(&f, "grade", a.Grade, grades)
	if a.Reason != "" {
		choice(&f, "reason", a.Reason, why)
	}
	for _, st := range []struct {
		name string
		Strand
	}{
		{"threat", a.Threat},
		{"harm", a.Harm},
		{"risk", a.Risk},
		{"investigation", a.Investigation},
		{"vulnerability", a.Vulnerability},
		{"engagement", a.Engagement},
		{"prevention", a.Prevention},
		{"intervention", a.Intervention},
	} {
		choice(&f, st.name+".level", st.Level, levels)
		long(&f, st.name+".text", st.Text, MOLimit)
	}
	if err := f.err(); err != nil {
		return Report{}, err
	}
	if a.ID == "" {
		a.ID = s.ids.New()
	}
	a.By = by(ctx, a.By)
	return s.change(ctx, id, func(d *reportDocument, ag *agenda) error {
		if slices.ContainsFunc(d.Assessments, func(b Assessment) bool { return b.ID == a.ID }) {
			return errUnchanged
		}
		a := a
		a.At = ag.now
		if a.Reason == "" {
			a.Reason = "changed_circumstances"
			if len(d.Assessments) == 0 {
				a.Reason = "first"
			}
		}
		d.Assessments = append(d.Assessments, a)
		if d.Status == StatusNew {
			d.Status = StatusAssessing
		}
		ag.done(TaskReassess, "", "assessed "+a.ID)
		// Until the grade follows, the shorter of the two times holds.
		within, ok := s.clocks.Charter[a.Grade]
		if now, also := s.clocks.Charter[d.Grade]; also && (!ok || now < within) {
			within, ok = now, true
		}
		if !ok || closed(d.Status) {
			d.ReassessBy = 0
			return nil
		}
		s.reassessBy(&d.Report, ag, a.At.Add(within), "Assess again (THRIVE): the time for this grade has passed.")
		return nil
	})
}

// SetGrade gives a report the grade of an assessment, which must be the newest
// and not have served for a grade before. A repeat changes nothing.
func (s *Store) SetGrade(ctx context.Context, id ReportID, g Grade, assessmentID string) (Report, error) {
	var f faults
	choice(&f, "grade", g, grades)
	if err := f.err(); err != nil {
		return Report{}, err
	}
	return s.change(ctx, id, func(d *reportDocument, a *agenda) error {
		if d.Grade == g && d.GradedBy == assessmentID {
			return errUnchanged
		}
		var f faults
		i := slices.IndexFunc(d.Assessments, func(a Assessment) bool { return a.ID == assessmentID })
		switch {
		case i < 0:
			f.add("grade", "assessment", "a grade needs an assessment made for it, and this report has no such assessment")
		case d.GradedBy == assessmentID:
			f.add("grade", "assessment", "that assessment has served for a grade already: make one for the change")
		case i != len(d.Assessments)-1:
			f.add("grade", "assessment", "there is a newer assessment")
		case d.Assessments[i].Grade != g:
			f.add("grade", "assessment", "the assessment supports grade %s", d.Assessments[i].Grade)
		}
		if err := f.err(); err != nil {
			return err
		}
		d.Grade, d.GradedBy = g, assessmentID
		if d.Status == StatusNew || d.Status == StatusAssessing {
			d.Status = StatusOpen
		}
		s.reassess(&d.Report, a, d.Assessments[i].At)
		return nil
	})
}

// by is who acts: whom the caller names, else ctx's actor.
func by(ctx context.Context, named string) string {
	if named != "" {
		return named
	}
	return audit.From(ctx).ID
}

// Update appends something said to those who follow a report, and ends the task
// of telling the victims when they are among them. A repeat with the same ID
// changes nothing.
func (s *Store) Update(ctx context.Context, id ReportID, u PublicUpdate) (Report, error) {
	var f faults
	u.Text = strings.TrimSpace(u.Text)
	if u.Text == "" {
		f.add("text", "required", "write what is to be told")
	}
	long(&f, "text", u.Text, MOLimit)
	for _, role := range u.For {
		choice(&f, "for", role, roles)
		if role == RoleSuspect {
			f.add("for", "choice", "suspects do not follow a report")
		}
	}
	if err := f.err(); err != nil {
		return Report{}, err
	}
	if u.ID == "" {
		u.ID = s.ids.New()
	}
	u.By = by(ctx, u.By)
	return s.change(ctx, id, func(d *reportDocument, a *agenda) error {
		if slices.ContainsFunc(d.Updates, func(v PublicUpdate) bool { return v.ID == u.ID }) {
			return errUnchanged
		}
		u := u
		u.At = a.now
		d.Updates = append(d.Updates, u)
		if len(u.For) == 0 || slices.Contains(u.For, RoleVictim) {
			a.done(TaskUpdate, "", "told by update "+u.ID)
		}
		return nil
	})
}

// linkedAgain starts the clock for a new assessment because of a new contact.
func (s *Store) linkedAgain(d *reportDocument, a *agenda, at contact.Instant) {
	if len(d.Assessments) == 0 || closed(d.Status) {
		return
	}
	due := max(at, a.now).Add(s.clocks.Reassess)
	if d.ReassessBy != 0 && d.ReassessBy < due {
		due = d.ReassessBy
	}
	s.reassessBy(&d.Report, a, due, "Assess again (THRIVE): there was a new contact about this.")
}
