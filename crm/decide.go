package crm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/crm/ref"
)

// Steps of the recording decision (domain: the crime recording rules).
const (
	StepConcernsCrime   = "concerns_crime"         // 1: yes or no
	StepBalance         = "balance_of_probability" // 2: yes or no
	StepContrary        = "contrary_evidence"      // 3: credible evidence to the contrary is at hand: yes or no
	StepTraceable       = "victim_traceable"       // 4: traceable, or there is a right to record without: yes or no
	StepConfirms        = "victim_confirms"        // 5: confirms, or need not: yes or no
	StepOtherForce      = "other_force"            // 6: another force is recording: yes or no
	StepException       = "exception"              // 7: an exception such as the schools protocol holds: yes or no
	StepRecord          = "record"                 // 8: recorded as a crime; the crime number is issued
	StepCRI             = "cri"                    // closed as a crime-related incident; the reason says why
	StepReclassify      = "reclassify"             // 9: answer is the new classification; AVI
	StepTransfer        = "transfer"               // 9: answer names the force; AVI
	StepCancel          = "cancel"                 // 9: AVI
	StepOutcome         = "outcome"                // 10: answer is the outcome type, 0 to 22
	ReasonNotCrime      = "not_a_crime"
	ReasonNoBalance     = "not_on_balance_of_probability"
	ReasonContrary      = "contrary_evidence"
	ReasonUntraceable   = "victim_untraceable"
	ReasonDeclines      = "victim_declines"
	ReasonOtherForce    = "other_force_records"
	ReasonException     = "exception_applies"
	ReasonFraudBureau   = "fraud_bureau"
	ReasonDuplicate     = "duplicate"
	ReasonRecordedError = "recorded_in_error"
	ReasonOther         = "other"
)

var questions = []string{StepConcernsCrime, StepBalance, StepContrary, StepTraceable, StepConfirms, StepOtherForce, StepException}

// contradictions are the answers with which nothing may be recorded as a crime.
var contradictions = map[string]string{
	StepConcernsCrime: "no", StepBalance: "no", StepContrary: "yes", StepTraceable: "no", StepConfirms: "no", StepOtherForce: "yes", StepException: "yes",
}

// Steps lists the steps of the decision trail in their order.
func Steps() []string {
	return append(slices.Clone(questions), StepRecord, StepCRI, StepReclassify, StepTransfer, StepCancel, StepOutcome)
}

// Reasons lists the reason codes a cri or cancel decision may give.
func Reasons() []string {
	return []string{
		ReasonNotCrime, ReasonNoBalance, ReasonContrary, ReasonUntraceable, ReasonDeclines, ReasonOtherForce, ReasonException,
		ReasonFraudBureau, ReasonDuplicate, ReasonRecordedError, ReasonOther,
	}
}

// Decide appends a step to the recording decision trail. "record" issues the
// crime number and, like "cri", ends the 24-hour clock; "reclassify", "transfer"
// and "cancel" are for recorded crimes and need additional verifiable
// information. A repeat with the same ID changes nothing.
func (s *Store) Decide(ctx context.Context, id ReportID, dec Decision) (Report, error) {
	dec.Answer, dec.Reason, dec.AVI = strings.TrimSpace(dec.Answer), strings.TrimSpace(dec.Reason), strings.TrimSpace(dec.AVI)
	if err := checkDecision(dec); err != nil {
		return Report{}, err
	}
	if dec.ID == "" {
		dec.ID = s.ids.New()
	}
	dec.By = by(ctx, dec.By)
	return s.change(ctx, id, func(d *reportDocument, a *agenda) error {
		if slices.ContainsFunc(d.Decisions, func(b Decision) bool { return b.ID == dec.ID }) {
			return errUnchanged
		}
		if err := mayDecide(d.Report, dec); err != nil {
			return err
		}
		dec := dec
		dec.At = a.now
		d.Decisions = append(d.Decisions, dec)
		return s.decided(ctx, d, a, dec)
	})
}

// checkDecision holds a decision to what can be said without the report.
func checkDecision(dec Decision) error {
	var f faults
	choice(&f, "step", dec.Step, Steps())
	long(&f, "reason", dec.Reason, MOLimit)
	long(&f, "avi", dec.AVI, MOLimit)
	switch dec.Step {
	case StepRecord:
	case StepCRI, StepCancel:
		// A code, and if need be words after a colon.
		if code, _, _ := strings.Cut(dec.Reason, ":"); !slices.Contains(Reasons(), code) {
			f.add("reason", "choice", "say why: one of %s, and if need be words after a colon", strings.Join(Reasons(), ", "))
		}
	case StepReclassify:
		if !offences.MatchString(dec.Answer) {
			f.add("answer", "form", "give the new Home Office classification, such as 046/00")
		}
	case StepTransfer:
		if dec.Answer == "" {
			f.add("answer", "required", "name the force it is transferred to")
		}
	case StepOutcome:
		if n, err := strconv.Atoi(dec.Answer); err != nil || n < 0 || n > MaxOutcome {
			f.add("answer", "choice", "an outcome type is 0 to %d", MaxOutcome)
		}
	default:
		choice(&f, "answer", dec.Answer, []string{"yes", "no"})
	}
	if dec.AVI == "" && (dec.Step == StepReclassify || dec.Step == StepTransfer || dec.Step == StepCancel) {
		f.add("avi", "avi", "give the additional verifiable information this rests on")
	}
	return f.err()
}

// mayDecide refuses steps that do not fit the trail so far.
func mayDecide(r Report, dec Decision) error {
	var f faults
	switch dec.Step {
	case StepRecord:
		if r.CrimeNumber != "" {
			f.add("step", "decision", "this is recorded already, as %s", r.CrimeNumber)
		}
		for _, q := range questions {
			if said := latest(r, q); said != "" && said == contradictions[q] {
				f.add("step", "contradiction", "the trail says %q to %s: change that answer first", said, strings.ReplaceAll(q, "_", " "))
			}
		}
	case StepCRI:
		if r.CrimeNumber != "" {
			f.add("step", "decision", "this is recorded as %s: it can be cancelled, with additional verifiable information", r.CrimeNumber)
		}
	case StepReclassify, StepTransfer, StepCancel:
		if r.CrimeNumber == "" {
			f.add("step", "decision", "only a recorded crime can be reclassified, transferred or cancelled")
		}
	case StepOutcome:
		if r.CrimeNumber == "" && dec.Answer != "0" {
			f.add("step", "decision", "only a recorded crime has an outcome")
		}
	}
	return f.err()
}

// latest is the last answer the trail has to a question, or "".
func latest(r Report, step string) string {
	for _, d := range slices.Backward(r.Decisions) {
		if d.Step == step {
			return d.Answer
		}
	}
	return ""
}

// decided does what follows from a step.
func (s *Store) decided(ctx context.Context, d *reportDocument, a *agenda, dec Decision) error {
	r := &d.Report
	switch dec.Step {
	case StepRecord:
		if err := s.issue(ctx, r, a); err != nil {
			return err
		}
		people, err := s.partyPeople(ctx, r)
		if err != nil {
			return err
		}
		s.victimTasks(r, a, people)
	case StepCRI:
		r.RecordBy = 0
		a.done(TaskRecord, "", "not a crime: "+dec.Reason)
		s.tellVictims(r, a, dec.ID, "Tell the victim that this is not recorded as a crime, and why.")
	case StepReclassify:
		r.Offence = dec.Answer
		s.tellVictims(r, a, dec.ID, "Tell the victim that the crime was reclassified.")
	case StepTransfer:
		s.tellVictims(r, a, dec.ID, "Tell the victim which force now deals with the crime.")
	case StepCancel:
		s.tellVictims(r, a, dec.ID, "Tell the victim that the crime record was cancelled, and why.")
	case StepOutcome:
		n, err := strconv.Atoi(dec.Answer)
		if err != nil {
			return err
		}
		r.Outcome = n
		if n != 0 {
			s.tellVictims(r, a, dec.ID, "Tell the victim what came of the investigation.")
		}
	}
	return nil
}

// issue makes a report a crime and gives it its number.
func (s *Store) issue(ctx context.Context, r *Report, a *agenda) error {
	year := a.now.Time().In(s.zone).Year()
	serial, err := s.draw(ctx, "crime:"+strconv.Itoa(year), r.ID)
	if err != nil {
		return err
	}
	number := ref.CrimeNumber(serial, year)
	if mine, err := s.claim(ctx, number, r.ID); err != nil {
		return err
	} else if !mine {
		return fmt.Errorf("crm: crime number %s belongs to another report", number)
	}
	r.Kind, r.CrimeNumber, r.RecordBy = KindCrime, number, 0
	a.done(TaskRecord, "", "recorded "+number)
	return nil
}
