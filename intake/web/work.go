package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/triage"
	"example.org/c3i/intake/web/form"
	"example.org/c3i/routing"
)

var _ inbox.Worker = (*Server)(nil)

// Work turns an accepted item into a report, a contact and a message, and hands
// the contact to routing. It may be repeated at any point: every id was made
// before the item was accepted.
func (s *Server) Work(ctx context.Context, it inbox.Item) error {
	err := s.work(ctx, it)
	var sub submission
	_ = json.Unmarshal(it.Body, &sub) //nolint:errcheck // only the kind is wanted, for the count
	result := "ok"
	if err != nil {
		result = "failed"
	}
	s.metrics.worked.WithLabelValues(string(sub.Kind), result).Inc()
	for _, own := range []error{errBody, crm.ErrInvalid, crm.ErrNotFound, crm.ErrConflict, crm.ErrRestricted} {
		if errors.Is(err, own) {
			return err // waiting does not help: after some tries a person gets it
		}
	}
	return inbox.Later(err) // trouble of a store or of routing, not of the item
}

// filing is why what was sent is put into restricted records, too.
const filing = "To file what was sent in by the public pages."

var errBody = errors.New("web: the accepted item cannot be read")

func (s *Server) work(ctx context.Context, it inbox.Item) error {
	as := audit.Actor{ID: audit.Public.ID, Role: audit.Public.Role, Reason: filing}
	ctx = audit.With(ctx, as)
	var sub submission
	if err := json.Unmarshal(it.Body, &sub); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if sub.Partner != "" {
		ctx = audit.With(ctx, audit.Actor{ID: "partner:" + sub.Partner, Role: "partner", Reason: filing})
	}
	switch sub.Kind {
	case kindReport, kindTold, kindCallBack:
		return s.workReport(ctx, it, sub)
	case kindAdd, kindWithdraw:
		return s.workMore(ctx, it, sub)
	}
	return fmt.Errorf("%w: it is a %q", errBody, sub.Kind)
}

// GiveUp hands an item that could not be worked to a person: a contact with what
// was written, so that nothing is lost.
func (s *Server) GiveUp(ctx context.Context, it inbox.Item, cause error) error {
	ctx = audit.With(ctx, audit.System)
	var sub submission
	text := string(it.Body)
	if err := json.Unmarshal(it.Body, &sub); err == nil {
		text = s.inWords(sub)
	}
	if sub.Message == "" {
		sub.Message = crm.MessageID(it.Contact)
	}
	s.o.Log.Error().Err(cause).Str("contact", string(it.Contact)).Msg("a web report could not be filed; it goes to a handler as it was written")
	facts, err := s.o.Records.IdentifyWritten(ctx, crm.WrittenArrival{
		Arrival: crm.Arrival{ID: it.Contact, Channel: channel, At: it.At, Caller: contact.Caller{CLI: contact.CLIUnavailable}, Facts: contact.Facts{Language: sub.Language, Answers: map[string]string{"unfiled": "yes"}}},
		Subject: "Web report that could not be filed",
	})
	if err != nil {
		return err
	}
	if _, err := s.o.Records.AddMessage(ctx, crm.Message{
		ID: sub.Message, Contact: it.Contact, Thread: crm.ThreadID(it.Contact), Channel: channel, Direction: crm.Incoming, At: it.At,
		Subject: "Web report that could not be filed", Text: text, Attachments: sub.Attachments, Language: sub.Language,
		Flags: crm.MessageFlags{Unreadable: true},
	}); err != nil {
		return err
	}
	return s.arrive(ctx, it, sub, facts)
}

func (s *Server) workReport(ctx context.Context, it inbox.Item, sub submission) error {
	person, err := s.person(ctx, sub)
	if err != nil {
		return err
	}
	subject := s.subject(sub)
	arrival := crm.WrittenArrival{
		Arrival: crm.Arrival{ID: it.Contact, Channel: channel, At: it.At, Caller: callerOf(sub), Facts: s.facts(sub)},
		Email:   sub.Answers["email"], Subject: subject, Thread: sub.IDs.Thread,
	}
	arrival.Facts.Person = person
	facts, err := s.o.Records.IdentifyWritten(ctx, arrival)
	if err != nil {
		return err
	}
	report, err := s.file(ctx, it, sub, person)
	if err != nil {
		return err
	}
	if err := s.o.Records.SetTrackingSecret(ctx, report.ID, 0, sub.IDs.Secret); err != nil {
		return err
	}
	if err := s.message(ctx, it, sub, subject); err != nil {
		return err
	}
	if err := s.arrive(ctx, it, sub, facts); err != nil {
		return err
	}
	if sub.Kind != kindReport || s.o.Mail == nil || !mayMail(sub.Answers) {
		return nil
	}
	return s.receipt(ctx, it, sub, report)
}

// file creates the report, or fills in the one that was made when the form was
// stopped. What the records refuse is left out of its fields, never out of the
// message, which holds everything as it was written.
func (s *Server) file(ctx context.Context, it inbox.Item, sub submission, person contact.PersonID) (crm.Report, error) {
	want := s.report(it, sub, person)
	have, err := s.o.Records.Report(ctx, sub.IDs.Report)
	if err == nil {
		if sub.Kind == kindReport && have.Answers["stopped"] == "yes" {
			for range 5 {
				if len(have.Parties) > 0 { // the reporter stays who they are: the secret is theirs
					want.Parties[0].ID = have.Parties[0].ID
				}
				want.Version, want.Reference, want.Status, want.HighHarm = have.Version, have.Reference, have.Status, true
				var saved crm.Report
				if saved, err = s.o.Records.SaveReport(ctx, want); err == nil {
					have = saved
					break
				}
				if !errors.Is(err, crm.ErrConflict) {
					break
				}
				if have, err = s.o.Records.Report(ctx, sub.IDs.Report); err != nil {
					return have, err
				}
			}
			if err != nil && !errors.Is(err, crm.ErrInvalid) {
				return have, err
			}
		}
		return have, s.o.Records.LinkContact(ctx, it.Contact, have.ID)
	}
	if !errors.Is(err, crm.ErrNotFound) {
		return have, err
	}
	have, err = s.o.Records.CreateReport(ctx, want, it.Contact)
	if errors.Is(err, crm.ErrInvalid) {
		s.o.Log.Warn().Str("contact", string(it.Contact)).Str("code", "report_fields").Msg("some fields of a web report were refused; it is filed by its text")
		want.Property, want.Vehicles, want.Place, want.From, want.To = nil, nil, crm.Place{Text: want.Place.Text}, 0, 0
		have, err = s.o.Records.CreateReport(ctx, want, it.Contact)
	}
	return have, err
}

func (s *Server) message(ctx context.Context, it inbox.Item, sub submission, subject string) error {
	from := crm.Mailbox{Name: strings.TrimSpace(sub.Answers["given_name"] + " " + sub.Answers["surname"]), Address: sub.Answers["email"]}
	if sub.Name != "" {
		from.Name = sub.Name
	}
	_, err := s.o.Records.AddMessage(ctx, crm.Message{
		ID: sub.Message, Contact: it.Contact, Report: sub.IDs.Report, Thread: sub.IDs.Thread, Channel: channel, Direction: crm.Incoming, At: it.At,
		From: from, Subject: subject, Text: s.inWords(sub), Attachments: sub.Attachments, Language: sub.Language,
	})
	return err
}

// arrive hands the contact to routing, with what triage found.
func (s *Server) arrive(ctx context.Context, it inbox.Item, sub submission, facts contact.Facts) error {
	found := s.triage(sub)
	answers := map[string]string{}
	for _, more := range []map[string]string{facts.Answers, found.Answers} {
		for k, v := range more {
			answers[k] = v
		}
	}
	if found.Risk != triage.NoRisk {
		answers["risk"] = string(found.Risk)
	}
	facts.Answers = answers
	if facts.Language == "" {
		facts.Language = found.Language
	}
	err := s.o.Router.Submit(ctx, routing.ContactArrived{Contact: it.Contact, Channel: channel, Arrival: it.At, Facts: facts})
	if err != nil {
		return fmt.Errorf("web: hand a contact to routing: %w", err)
	}
	return nil
}

// questions are the answers that stop the form in the words of triage.
var questions = map[string]string{"happening_now": "danger_now", "injured": "injured_now", "weapon": "weapon", "child": "child_at_risk"}

// triage says what a submission may be about. Whatever was answered that stops
// the form is a risk to life, or to a child, whatever the words say.
func (s *Server) triage(sub submission) triage.Result {
	answers := map[string]string{"category": categoryOf(sub.Answers)}
	grave := sub.Kind == kindCallBack || sub.Kind == kindTold
	for _, harm := range listed(sub.Answers["harm"]) {
		if q := questions[harm]; q != "" {
			answers[q] = "yes"
		}
		grave = grave || harm != "child"
	}
	found := s.o.Assess(triage.Input{Channel: channel, Text: s.written(sub), Answers: answers, Language: sub.Language})
	if found.Risk == triage.NoRisk && sub.Answers.Has("harm", "child") {
		found.Risk = triage.ChildAtRisk
	}
	if grave {
		found.Risk = triage.RiskToLife
	}
	return found
}

// written is what was written in a submission's own words.
func (s *Server) written(sub submission) string {
	text := []string{sub.Text}
	for _, step := range s.form.Steps {
		for _, f := range step.Fields {
			if f.Kind == form.Area && f.Name != "home" {
				text = append(text, sub.Answers[f.Name])
			}
		}
	}
	return strings.TrimSpace(strings.Join(text, "\n"))
}

// facts is what rules may know of a web contact.
func (s *Server) facts(sub submission) contact.Facts {
	answers := map[string]string{"category": categoryOf(sub.Answers), "web": string(sub.Kind)}
	if sub.Partner != "" {
		answers["partner"] = sub.Partner
	}
	for _, name := range []string{"involved", "harm", "anonymous"} {
		if v := sub.Answers[name]; v != "" {
			answers[name] = v
		}
	}
	return contact.Facts{Language: sub.Language, Answers: answers}
}

// callerOf is the number that was given: nobody has checked it.
func callerOf(sub submission) contact.Caller {
	number := sub.Phone
	if number == "" {
		number = sub.Answers["phone"]
	}
	if number == "" {
		return contact.Caller{CLI: contact.CLIUnavailable}
	}
	return contact.Caller{Number: number, CLI: contact.CLIPresented, Unverified: true}
}

// person finds who is reporting: somebody known for certain, or somebody new.
// Nothing of a known person is changed by what a form says. An anonymous report
// has no person.
func (s *Server) person(ctx context.Context, sub submission) (contact.PersonID, error) {
	a := sub.Answers
	if a["anonymous"] != "no" || a["surname"] == "" || sub.IDs.Person == "" {
		return "", nil
	}
	if p, err := s.o.Records.Person(ctx, sub.IDs.Person); err == nil {
		return p.ID, nil
	} else if !errors.Is(err, crm.ErrNotFound) {
		return "", err
	}
	clues := crm.Clues{Given: a["given_name"], Surname: a["surname"], DateOfBirth: a["born"], Postcode: a["home_postcode"]}
	if a["phone"] != "" {
		clues.Numbers = []string{a["phone"]}
	}
	if a["email"] != "" {
		clues.Emails = []string{a["email"]}
	}
	matches, err := s.o.Records.FindPeople(ctx, clues)
	if err != nil {
		return "", err
	}
	certain := slices.DeleteFunc(matches, func(m crm.Match) bool { return m.Certainty != "certain" })
	if len(certain) == 1 {
		return certain[0].Person.ID, nil
	}
	p := crm.Person{
		ID: sub.IDs.Person, Name: a["given_name"] + " " + a["surname"], GivenName: a["given_name"], Surname: a["surname"],
		DateOfBirth: a["born"], Gender: genders[a["gender"]], Numbers: clues.Numbers, Emails: clues.Emails,
		WrittenLanguage: sub.Language, Language: sub.Language, Needs: listed(a["needs"]), Safe: safeContact(a),
	}
	if a["home"] != "" || a["home_postcode"] != "" {
		p.Addresses = []crm.Place{{Text: a["home"], Postcode: a["home_postcode"], Source: "caller"}}
	}
	saved, err := s.o.Records.SavePerson(ctx, p)
	if errors.Is(err, crm.ErrInvalid) {
		// Better somebody with less than nobody: what was refused is in the message.
		p.Addresses, p.DateOfBirth, p.Gender, p.Needs = nil, "", "", nil
		saved, err = s.o.Records.SavePerson(ctx, p)
	}
	if errors.Is(err, crm.ErrInvalid) {
		return "", nil
	}
	return saved.ID, err
}

// genders are the form's choices in the words of the records.
var genders = map[string]string{
	"female": "Female", "male": "Male", "trans_female": "Trans Female", "trans_male": "Trans Male", "non_binary": "Non-Binary",
	"intersex": "Intersex", "not_specified": "Not Specified",
}

// listed are the boxes that were ticked, without "none".
func listed(boxes string) []string {
	var out []string
	for v := range strings.SplitSeq(boxes, ",") {
		if v != "" && v != "none" {
			out = append(out, v)
		}
	}
	return out
}

func safeContact(a map[string]string) crm.SafeContact {
	safe := crm.SafeContact{Rule: a["safe"]}
	if safe.Rule == "limited" {
		safe.Methods = listed(a["safe_methods"])
		safe.Times, safe.CoverPhrase, safe.NoVoicemail = a["safe_times"], a["safe_phrase"], a["safe_voicemail"] == "no"
	}
	return safe
}

// workMore files what a party added to a report, or that they withdraw.
func (s *Server) workMore(ctx context.Context, it inbox.Item, sub submission) error {
	report, err := s.o.Records.Report(ctx, sub.IDs.Report)
	if err != nil {
		return err
	}
	who := crm.Party{Name: "Somebody who is no longer a party"}
	if sub.Partner != "" {
		who.Name = sub.Partner
	}
	if i := partyOf(report, sub.Party); i >= 0 {
		who = report.Parties[i]
	}
	sub.IDs.Thread = crm.ThreadID(s.derived(report.ID, "thread "+sub.Party))
	subject := s.subject(sub)
	facts := contact.Facts{Language: sub.Language, Person: who.Person, Preferred: report.Owner, Answers: map[string]string{"category": report.Category, "web": string(sub.Kind)}}
	facts, err = s.o.Records.IdentifyWritten(ctx, crm.WrittenArrival{
		Arrival: crm.Arrival{ID: it.Contact, Channel: channel, At: it.At, Caller: contact.Caller{CLI: contact.CLIUnavailable}, Facts: facts},
		Subject: subject, Thread: sub.IDs.Thread, Report: report.ID,
	})
	if err != nil {
		return err
	}
	if facts.Preferred == "" {
		facts.Preferred = report.Owner
	}
	if err := s.o.Records.LinkContact(ctx, it.Contact, report.ID); err != nil {
		return err
	}
	if _, err := s.o.Records.AddMessage(ctx, crm.Message{
		ID: sub.Message, Contact: it.Contact, Report: report.ID, Thread: sub.IDs.Thread, Channel: channel, Direction: crm.Incoming, At: it.At,
		From: crm.Mailbox{Name: who.Name}, Subject: subject, Text: s.inWords(sub), Attachments: sub.Attachments, Language: sub.Language,
	}); err != nil {
		return err
	}
	if i := partyOf(report, sub.Party); sub.Kind == kindWithdraw && i >= 0 && who.WithdrawnAt.IsZero() {
		who.WithdrawnAt = it.At
		if _, err := s.o.Records.SaveParty(ctx, report.ID, i, who); err != nil {
			return err
		}
	}
	return s.arrive(ctx, it, sub, facts)
}

func (s *Server) receipt(ctx context.Context, it inbox.Item, sub submission, report crm.Report) error {
	l := s.texts.Language(sub.Language)
	_, err := s.o.Mail.Send(ctx, Mail{
		Contact: it.Contact, Report: report.ID, Language: l.Code, Template: "receipt",
		To:      crm.Mailbox{Name: sub.Answers["given_name"] + " " + sub.Answers["surname"], Address: sub.Answers["email"]},
		Subject: l.Text("receipt_subject", "service", s.o.Service, "reference", sub.IDs.Reference),
		Text:    l.Text("receipt", "reference", sub.IDs.Reference, "name", sub.Answers["given_name"]),
		Key:     "web-receipt:" + string(sub.IDs.Report),
	})
	if errors.Is(err, ErrNotSent) {
		s.o.Log.Info().Str("contact", string(it.Contact)).Msg("no receipt went out: it is not safe or not possible to write there")
		return nil
	}
	if err != nil {
		return fmt.Errorf("web: send a receipt: %w", err)
	}
	return nil
}
