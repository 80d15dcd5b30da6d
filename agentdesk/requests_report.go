package agentdesk

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

// Bounds of a report as a desk may send it; the CRM has its own rules for what is
// in it.
const (
	narrativeMax = 20_000 // characters of summary, statement, rationale …
	listMax      = 100    // parties, things, vehicles, answers
	referenceMax = 40     // characters of a reference as typed
	contactsRead = 50     // contacts of a report that are shown
	reportsShown = 10     // of a person, with a contact
)

// openReport reads a report by id or reference, for the reason given now or
// before. The context it returns acts with that reason.
func (r *request) openReport(ctx context.Context, id crm.ReportID, reference, reason string) (crm.Report, context.Context, error) {
	reference = strings.TrimSpace(reference)
	switch {
	case id != "" && !plainID(string(id)):
		return crm.Report{}, ctx, crm.ErrNotFound
	case id == "" && reference == "":
		return crm.Report{}, ctx, invalid("report", "Say which report.")
	case len(reference) > referenceMax:
		return crm.Report{}, ctx, invalid("reference", "That is no reference of ours.")
	}
	object := reportObject(string(id))
	if id == "" {
		object = reportObject("by " + reference)
	}
	ctx, err := r.s.because(ctx, r.u, object, reason)
	if err != nil {
		return crm.Report{}, ctx, err
	}
	var rep crm.Report
	if id != "" {
		rep, err = r.s.o.Reports.Report(ctx, id)
	} else if rep, err = r.s.o.Reports.ReportByReference(ctx, reference); errors.Is(err, crm.ErrNotFound) {
		return rep, ctx, &Error{Code: CodeNotFound, Message: "There is no report of that reference.", Field: "reference"}
	}
	if err != nil {
		return rep, ctx, err
	}
	if id == "" && strings.TrimSpace(reason) != "" {
		// From now on it is known by its id.
		ctx, err = r.s.because(ctx, r.u, reportObject(string(rep.ID)), reason)
	}
	return rep, ctx, err
}

// wholeReport reads what belongs to a report.
func (s *Server) wholeReport(ctx context.Context, rep crm.Report) (ReportReply, error) {
	names := s.names.get(ctx, s)
	out := ReportReply{Report: rep, Messages: []Message{}, Tasks: []crm.Task{}, Files: []AttachmentView{}, Contacts: []HistoryEntry{}, Names: map[string]string{}}
	all, err := s.o.Reports.ReportMessages(ctx, rep.ID)
	if err != nil {
		return out, err
	}
	if len(all) > messagesListed {
		all = all[len(all)-messagesListed:]
	}
	out.Messages = s.messages(all, names)
	tasks, err := s.o.Reports.Tasks(ctx, crm.TaskQuery{Report: rep.ID, Done: true})
	if err != nil {
		return out, err
	}
	for _, done := range []bool{false, true} {
		for _, t := range tasks {
			if (t.Done != 0) == done {
				out.Tasks = append(out.Tasks, t)
			}
		}
	}
	for _, a := range rep.Attachments {
		out.Files = append(out.Files, attachmentView(a, "/api/reports/"+url.PathEscape(string(rep.ID))))
	}
	newest := slices.Clone(rep.Contacts)
	slices.Reverse(newest)
	records, err := s.o.Records.RecordsOf(ctx, newest[:min(len(newest), contactsRead)])
	if err != nil {
		return out, err
	}
	out.Contacts = s.entries(records, nil, names)
	for _, name := range namedIn(rep) {
		if shown := names[name]; shown != "" {
			out.Names[name] = shown
		}
	}
	return out, nil
}

// namedIn lists the handlers a report names.
func namedIn(rep crm.Report) []string {
	all := []string{rep.Owner}
	for _, a := range rep.Assessments {
		all = append(all, a.By)
	}
	for _, d := range rep.Decisions {
		all = append(all, d.By)
	}
	for _, u := range rep.Updates {
		all = append(all, u.By)
	}
	return all
}

func summaryOf(rep crm.Report, open bool) ReportSummary {
	out := ReportSummary{ID: rep.ID, Kind: rep.Kind, Reference: rep.Reference, Status: rep.Status, Restricted: rep.Restricted, Created: rep.Created}
	if rep.Restricted && !open {
		out.Masked = true
		return out
	}
	out.IncidentNumber, out.CrimeNumber, out.Category, out.Grade, out.Owner = rep.IncidentNumber, rep.CrimeNumber, rep.Category, rep.Grade, rep.Owner
	out.Changed, out.RecordBy, out.ReassessBy = rep.Changed, rep.RecordBy, rep.ReassessBy
	out.Opening, _ = opening(rep.Summary, openingShown)
	return out
}

// summaries puts reports into a list, masking those no reason was given for.
func (s *Server) summaries(ctx context.Context, all []crm.Report) []ReportSummary {
	out := make([]ReportSummary, 0, len(all))
	for _, rep := range all {
		out = append(out, summaryOf(rep, s.mayOpen(ctx, reportObject(string(rep.ID)))))
	}
	return out
}

// checkReport bounds a report as sent. The rules of its fields are the CRM's.
func checkReport(rep crm.Report) error {
	for _, n := range []int{len(rep.Parties), len(rep.Property), len(rep.Vehicles), len(rep.Answers), len(rep.Hate), len(rep.Needs)} {
		if n > listMax {
			return invalid("report", "A list in the report has over 100 entries.")
		}
	}
	texts := map[string]string{"report.summary": rep.Summary, "report.mo": rep.MO, "report.place.text": rep.Place.Text}
	for i, p := range rep.Parties {
		at := "report.parties[" + strconv.Itoa(i) + "]."
		texts[at+"name"], texts[at+"description"], texts[at+"statement"] = p.Name, p.Description, p.Statement
	}
	for i, p := range rep.Property {
		texts["report.property["+strconv.Itoa(i)+"].description"] = p.Description
	}
	for code, a := range rep.Answers {
		texts["report.answers."+code] = a
	}
	for field, t := range texts {
		if err := text(field, t, narrativeMax); err != nil {
			return err
		}
	}
	return nil
}

// theirs clears what the server keeps and no desk may set.
func theirs(rep crm.Report) crm.Report {
	rep.Assessments, rep.Decisions, rep.Updates, rep.Contacts, rep.Attachments = nil, nil, nil, nil, nil
	rep.Retention = crm.Retention{}
	return rep
}

func createReport(ctx context.Context, r *request) (any, error) {
	var in CreateReportRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := checkReport(in.Report); err != nil {
		return nil, err
	}
	if in.Report.ID != "" && !isULID(string(in.Report.ID)) {
		return nil, invalid("report.id", "The id of a new report is a ULID.")
	}
	if in.Contact != "" {
		if err := r.mayWrite(ctx, in.Contact); err != nil {
			return nil, err
		}
	}
	rep := theirs(in.Report)
	rep.Reference, rep.IncidentNumber, rep.CrimeNumber, rep.Created, rep.Grade = "", "", "", 0, ""
	if rep.Owner == "" {
		rep.Owner = string(r.d.agent)
	}
	made, err := r.s.o.Reports.CreateReport(ctx, rep, in.Contact)
	if err != nil {
		return nil, underReport(err)
	}
	if in.Contact != "" {
		r.d.refresh(in.Contact)
	}
	return r.s.wholeReport(ctx, made)
}

// underReport names the field of a report as the desk sent it.
func underReport(err error) error {
	var f *crm.FieldError
	if errors.As(err, &f) {
		return &Error{Code: CodeInvalid, Message: sentenceOf(f.Message), Field: "report." + f.Field}
	}
	return err
}

func getReport(ctx context.Context, r *request) (any, error) {
	var in GetReportRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	rep, ctx, err := r.openReport(ctx, in.Report, in.Reference, in.Reason)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Reason) != "" {
		r.d.refreshAll() // lists show it now
	}
	return r.s.wholeReport(ctx, rep)
}

func saveReport(ctx context.Context, r *request) (any, error) {
	var in SaveReportRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := checkReport(in.Report); err != nil {
		return nil, err
	}
	before, ctx, err := r.openReport(ctx, in.Report.ID, "", in.Reason)
	if err != nil {
		return nil, err
	}
	// What a desk does not set is as it was.
	rep := in.Report
	rep.Assessments, rep.Decisions, rep.Updates, rep.Contacts = before.Assessments, before.Decisions, before.Updates, before.Contacts
	rep.Attachments, rep.Retention, rep.Grade = before.Attachments, before.Retention, before.Grade
	rep.Reference, rep.IncidentNumber, rep.CrimeNumber = before.Reference, before.IncidentNumber, before.CrimeNumber
	rep.Created, rep.Kind, rep.RecordBy, rep.ReassessBy = before.Created, before.Kind, before.RecordBy, before.ReassessBy
	saved, err := r.s.o.Reports.SaveReport(ctx, rep)
	if errors.Is(err, crm.ErrConflict) {
		return r.reportConflict(ctx, rep.ID, err)
	}
	if err != nil {
		return nil, underReport(err)
	}
	if ctx, err = r.restricting(ctx, saved); err != nil {
		return nil, err
	}
	return r.changedReport(ctx, saved)
}

// restricting lets whoever restricted a report just now go on with it.
func (r *request) restricting(ctx context.Context, rep crm.Report) (context.Context, error) {
	if !rep.Restricted || audit.From(ctx).Reason != "" {
		return ctx, nil
	}
	return r.s.because(ctx, r.u, reportObject(string(rep.ID)), "Restricted this report")
}

// reportConflict answers with the newer report beside the error.
func (r *request) reportConflict(ctx context.Context, id crm.ReportID, err error) (any, error) {
	newest, rerr := r.s.o.Reports.Report(ctx, id)
	if rerr != nil {
		return nil, errors.Join(err, rerr)
	}
	whole, rerr := r.s.wholeReport(ctx, newest)
	if rerr != nil {
		return nil, errors.Join(err, rerr)
	}
	return whole, &Error{
		Code: CodeReportConflict, Field: "report.version",
		Message: "The report was changed by somebody else since you opened it. What you wrote is kept here; compare it with the newer one.",
	}
}

// changedReport tells all who have the report on screen, and answers with it.
func (r *request) changedReport(ctx context.Context, rep crm.Report) (any, error) {
	r.s.reportChanged(rep, string(r.d.agent))
	for _, id := range rep.Contacts {
		r.d.refresh(id)
	}
	return r.s.wholeReport(ctx, rep)
}

func assess(ctx context.Context, r *request) (any, error) {
	var in AssessRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	a := in.Assessment
	for field, t := range map[string]string{
		"rationale": a.Rationale, "threat": a.Threat.Text, "harm": a.Harm.Text, "risk": a.Risk.Text, "investigation": a.Investigation.Text,
		"vulnerability": a.Vulnerability.Text, "engagement": a.Engagement.Text, "prevention": a.Prevention.Text, "intervention": a.Intervention.Text,
	} {
		if err := text("assessment."+field, t, narrativeMax); err != nil {
			return nil, err
		}
	}
	if len(a.ChecksDone) > listMax {
		return nil, invalid("assessment.checks_done", "At most 100 checks can be listed.")
	}
	if a.Contact != "" {
		if err := r.mayWrite(ctx, a.Contact); err != nil {
			return nil, err
		}
	}
	_, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	if a.ID != "" && !isULID(a.ID) {
		return nil, invalid("assessment.id", "The id is a ULID, or left out.")
	}
	a.At, a.By = 0, string(r.d.agent)
	rep, err := r.s.o.Reports.Assess(ctx, in.Report, a)
	if err != nil {
		return nil, under("assessment", err)
	}
	return r.changedReport(ctx, rep)
}

// under names the field of a part of a request.
func under(part string, err error) error {
	var f *crm.FieldError
	if errors.As(err, &f) {
		return &Error{Code: CodeInvalid, Message: sentenceOf(f.Message), Field: part + "." + strings.TrimPrefix(f.Field, part+".")}
	}
	return err
}

// sentenceOf makes a sentence of a fault's words.
func sentenceOf(words string) string {
	if words == "" {
		return "This cannot be saved as it is."
	}
	s := strings.ToUpper(words[:1]) + words[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func setGrade(ctx context.Context, r *request) (any, error) {
	var in GradeRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if !slices.Contains([]crm.Grade{crm.GradeImmediate, crm.GradeSignificant, crm.GradeExtended, crm.GradeReferred}, in.Grade) {
		return nil, invalid("grade", "Choose one of the grades I, S, E or R.")
	}
	if in.Assessment == "" || len(in.Assessment) > 64 {
		return nil, invalid("assessment", "A grade rests on an assessment: make one first.")
	}
	_, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	rep, err := r.s.o.Reports.SetGrade(ctx, in.Report, in.Grade, in.Assessment)
	if err != nil {
		return nil, err
	}
	return r.changedReport(ctx, rep)
}

// guardedSteps undo or move what was recorded; not every role may.
var guardedSteps = []string{"reclassify", "transfer", "cancel"}

func decide(ctx context.Context, r *request) (any, error) {
	var in DecideRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	d := in.Decision
	for field, t := range map[string]string{"reason": d.Reason, "avi": d.AVI, "answer": d.Answer, "step": d.Step} {
		if err := text("decision."+field, t, narrativeMax); err != nil {
			return nil, err
		}
	}
	if slices.Contains(guardedSteps, d.Step) && !r.u.Role.May(MayCancelReports) {
		r.s.denied(ctx, "report", string(in.Report), CodeForbidden)
		return nil, &Error{Code: CodeForbidden, Message: "Your role may not reclassify, transfer or cancel what was recorded.", Field: "decision.step"}
	}
	_, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	if d.ID != "" && !isULID(d.ID) {
		return nil, invalid("decision.id", "The id is a ULID, or left out.")
	}
	d.At, d.By = 0, string(r.d.agent)
	rep, err := r.s.o.Reports.Decide(ctx, in.Report, d)
	if err != nil {
		return nil, under("decision", err)
	}
	return r.changedReport(ctx, rep)
}

// updateMax bounds a public update, in characters.
const updateMax = 2000

func updatePublic(ctx context.Context, r *request) (any, error) {
	var in UpdateRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Text) == "" {
		return nil, invalid("text", "Write what those who follow the report should know.")
	}
	if err := text("text", in.Text, updateMax); err != nil {
		return nil, err
	}
	for _, role := range in.For {
		if role != crm.RoleReporter && role != crm.RoleVictim && role != crm.RoleWitness {
			return nil, invalid("for", "An update is for the reporter, victims or witnesses.")
		}
	}
	_, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	rep, err := r.s.o.Reports.Update(ctx, in.Report, crm.PublicUpdate{By: string(r.d.agent), Text: in.Text, For: in.For})
	if err != nil {
		return nil, err
	}
	return r.changedReport(ctx, rep)
}

func newSecret(ctx context.Context, r *request) (any, error) {
	var in SecretRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	rep, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	if in.Party < 0 || in.Party >= len(rep.Parties) {
		return nil, invalid("party", "The report has no such party.")
	}
	secret, err := r.s.o.Reports.NewTrackingSecret(ctx, in.Report, in.Party)
	if err != nil {
		return nil, err
	}
	return SecretReply{Secret: secret}, nil
}

// refreshAll reads the CRM again for everything in hand.
func (d *desk) refreshAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.state.Work {
		d.popLocked(w.Contact, w.Facts)
	}
}

// readReports reads the report a contact belongs to and those of its person.
func (s *Server) readReports(ctx context.Context, pop crm.Pop) (own *crm.Report, all []crm.Report, err error) {
	if s.o.Reports == nil {
		return nil, nil, nil
	}
	if person := pop.Record.Person; person != "" {
		if all, err = s.o.Reports.ReportsOf(ctx, person); err != nil {
			return nil, nil, err
		}
		all = all[:min(len(all), reportsShown)]
		if err := s.reopenReports(ctx, all); err != nil {
			return nil, nil, err
		}
	}
	id := pop.Record.Report
	if id == "" {
		return nil, all, nil
	}
	if i := slices.IndexFunc(all, func(r crm.Report) bool { return r.ID == id }); i >= 0 {
		return &all[i], all, nil
	}
	as, _ := s.reopened(ctx, reportObject(string(id)))
	rep, err := s.o.Reports.Report(as, id)
	switch {
	case errors.Is(err, crm.ErrRestricted):
		return &crm.Report{ID: id, Restricted: true}, all, nil
	case errors.Is(err, crm.ErrNotFound):
		return nil, all, nil
	case err != nil:
		return nil, nil, err
	}
	return &rep, all, nil
}
