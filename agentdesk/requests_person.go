package agentdesk

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// personOf puts a person into the desk's words; one that is restricted and not
// open is masked.
func personOf(p crm.Person, open bool) Person {
	if p.Restricted && !open {
		return Person{ID: p.ID, Restricted: true, Masked: true}
	}
	out := Person{
		ID: p.ID, Name: p.Name, Numbers: p.Numbers, Language: p.Language,
		Vulnerable: p.Vulnerable, RepeatVictim: p.RepeatVictim, Remarks: p.Remarks,
		GivenName: p.GivenName, Surname: p.Surname, DateOfBirth: p.DateOfBirth, Gender: p.Gender, Emails: p.Emails,
		Addresses: p.Addresses, Needs: p.Needs, WrittenLanguage: p.WrittenLanguage, Restricted: p.Restricted, MergedInto: p.MergedInto,
		Revision: strconv.FormatInt(int64(p.Changed), 10),
	}
	if !emptySafe(p.Safe) {
		safe := p.Safe
		out.Safe = &safe
	}
	return out
}

func emptySafe(s crm.SafeContact) bool {
	return s.Rule == "" && len(s.Methods)+len(s.UnsafeNumbers)+len(s.UnsafeEmails) == 0 && s.Times == "" && s.CoverPhrase == "" && !s.NoVoicemail
}

// seenAs is personOf for whoever acts in ctx.
func (s *Server) seenAs(ctx context.Context, p crm.Person) Person {
	return personOf(p, s.mayOpen(ctx, personObject(string(p.ID))))
}

// stored is a person as the CRM saves them.
func (p Person) stored() crm.Person {
	out := crm.Person{
		ID: p.ID, Name: p.Name, Numbers: p.Numbers, Language: p.Language,
		Vulnerable: p.Vulnerable, RepeatVictim: p.RepeatVictim, Remarks: p.Remarks,
		GivenName: p.GivenName, Surname: p.Surname, DateOfBirth: p.DateOfBirth, Gender: p.Gender, Emails: p.Emails,
		Addresses: p.Addresses, Needs: p.Needs, WrittenLanguage: p.WrittenLanguage, Restricted: p.Restricted,
	}
	if p.Safe != nil {
		out.Safe = *p.Safe
	}
	if changed, err := strconv.ParseInt(p.Revision, 10, 64); err == nil {
		out.Changed = contact.Instant(changed)
	}
	return out
}

// checkPerson bounds a person as sent. What a name or a date may be is the CRM's
// to say.
func (s *Server) checkPerson(p *Person) error {
	p.Name = strings.TrimSpace(p.Name)
	if full := strings.TrimSpace(p.GivenName + " " + p.Surname); p.Name == "" {
		p.Name = full
	}
	if p.Name == "" {
		return invalid("person.name", "Give a name. If it is not known, write how you would recognise them.")
	}
	if err := text("person.remarks", p.Remarks, remarksMax); err != nil {
		return err
	}
	if len(p.Numbers) > numbersMax {
		return invalid("person.numbers", "A person may have at most 20 numbers.")
	}
	if len(p.Emails) > numbersMax {
		return invalid("person.emails", "A person may have at most 20 addresses to write to.")
	}
	if len(p.Addresses) > numbersMax || len(p.Needs) > numbersMax {
		return invalid("person.addresses", "A person may have at most 20 addresses and 20 needs.")
	}
	lines := [][2]string{{"person.name", p.Name}, {"person.given_name", p.GivenName}, {"person.surname", p.Surname}, {"person.gender", p.Gender}, {"person.date_of_birth", p.DateOfBirth}}
	for _, n := range p.Numbers {
		if len(n) > numberMax {
			return invalid("person.numbers", "One of the numbers is too long.")
		}
		lines = append(lines, [2]string{"person.numbers", n})
	}
	for _, e := range p.Emails {
		lines = append(lines, [2]string{"person.emails", e})
	}
	for _, n := range p.Needs {
		lines = append(lines, [2]string{"person.needs", n})
	}
	for _, l := range lines {
		if err := text(l[0], l[1], nameMax); err != nil {
			return err
		}
	}
	for _, l := range []struct{ field, code string }{{"person.language", p.Language}, {"person.written_language", p.WrittenLanguage}} {
		if l.code != "" && !hasCode(s.o.Languages, l.code) {
			return invalid(l.field, "Choose one of the languages listed.")
		}
	}
	if safe := p.Safe; safe != nil {
		if len(safe.Methods)+len(safe.UnsafeNumbers)+len(safe.UnsafeEmails) > 3*numbersMax {
			return invalid("person.safe", "The lists of how to reach them safely are too long.")
		}
		for field, t := range map[string]string{"person.safe.times": safe.Times, "person.safe.cover_phrase": safe.CoverPhrase} {
			if err := text(field, t, remarksMax); err != nil {
				return err
			}
		}
	}
	return nil
}

func findPeople(ctx context.Context, r *request) (any, error) {
	var in FindPeopleRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if len(in.Numbers) > numbersMax || len(in.Emails) > numbersMax {
		return nil, invalid("numbers", "Give at most 20 numbers and 20 addresses.")
	}
	given := false
	for _, c := range slices.Concat([]string{in.Name, in.Given, in.Surname, in.DateOfBirth, in.Postcode}, in.Numbers, in.Emails) {
		if err := line("name", c, addressMax); err != nil {
			return nil, err
		}
		given = given || strings.TrimSpace(c) != ""
	}
	if !given {
		return nil, invalid("name", "Give something to find the person by.")
	}
	found, err := r.s.o.People.FindPeople(ctx, crm.Clues{
		Name: in.Name, Given: in.Given, Surname: in.Surname, DateOfBirth: in.DateOfBirth, Numbers: in.Numbers, Emails: in.Emails, Postcode: in.Postcode,
	})
	if err != nil {
		return nil, err
	}
	out := FindPeopleReply{People: make([]Person, 0, len(found))}
	for _, m := range found {
		p := r.s.seenAs(ctx, m.Person)
		p.Certainty = m.Certainty
		if !p.Masked {
			p.Because = m.Because
		}
		out.People = append(out.People, p)
	}
	return out, nil
}

func getPerson(ctx context.Context, r *request) (any, error) {
	var in GetPersonRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if !plainID(string(in.Person)) {
		return nil, crm.ErrNotFound
	}
	ctx, err := r.s.because(ctx, r.u, personObject(string(in.Person)), in.Reason)
	if err != nil {
		return nil, err
	}
	p, err := r.s.openPerson(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	out := GetPersonReply{Person: personOf(p, true), Reports: []ReportSummary{}}
	if r.s.o.Reports != nil {
		all, err := r.s.o.Reports.ReportsOf(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		if err := r.s.reopenReports(ctx, all); err != nil {
			return nil, err
		}
		out.Reports = r.s.summaries(ctx, all)
	}
	if strings.TrimSpace(in.Reason) != "" {
		r.d.refreshAll() // work shows them now
	}
	return out, nil
}

// openPerson reads a person for whoever acts in ctx; a restricted one only for a
// reason.
func (s *Server) openPerson(ctx context.Context, id contact.PersonID) (crm.Person, error) {
	p, err := s.o.Records.Person(ctx, id)
	if err == nil && p.Restricted && !s.mayOpen(ctx, personObject(string(id))) {
		err = crm.ErrRestricted
	}
	return p, err
}

// openedFor is ctx with the reason for which the restricted ones of some people
// were opened; each of them must have been.
func (s *Server) openedFor(ctx context.Context, people ...contact.PersonID) (context.Context, error) {
	hidden, _, err := s.o.Records.Restricted(ctx, people, nil)
	if err != nil {
		return ctx, err
	}
	with := ctx
	for _, id := range people {
		if !hidden[id] {
			continue
		}
		as, open := s.reopened(ctx, personObject(string(id)))
		if !open {
			_, err := s.o.Records.Person(ctx, id) // the refusal is on the trail
			return ctx, cmp.Or(err, crm.ErrRestricted)
		}
		with = as
	}
	return with, nil
}

func mergePeople(ctx context.Context, r *request) (any, error) {
	var in MergePeopleRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	reason, err := why(in.Reason)
	if err != nil {
		return nil, err
	}
	if !plainID(string(in.From)) || !plainID(string(in.Into)) {
		return nil, crm.ErrNotFound
	}
	if in.From == in.Into {
		return nil, invalid("into", "That is the same record.")
	}
	if ctx, err = r.s.openedFor(ctx, in.From, in.Into); err != nil {
		return nil, err
	}
	if err := r.s.o.People.MergePeople(ctx, in.From, in.Into, reason); err != nil {
		return nil, err
	}
	r.d.refreshAll()
	return nil, nil
}

func splitPerson(ctx context.Context, r *request) (any, error) {
	var in SplitPersonRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	reason, err := why(in.Reason)
	if err != nil {
		return nil, err
	}
	if !plainID(string(in.Person)) {
		return nil, crm.ErrNotFound
	}
	if ctx, err = r.s.openedFor(ctx, in.Person); err != nil {
		return nil, err
	}
	if err := r.s.o.People.SplitPerson(ctx, in.Person, reason); err != nil {
		return nil, err
	}
	r.d.refreshAll()
	return nil, nil
}

// why holds the reason of a merge or split to its bounds.
func why(words string) (string, error) {
	words = strings.TrimSpace(words)
	if len([]rune(words)) < reasonMin {
		return "", invalid("reason", "Say in a few words how you know.")
	}
	return words, text("reason", words, reasonMax)
}
