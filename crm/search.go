package crm

import (
	"context"
	"strings"

	"example.org/c3i/contact"
)

// SearchDoc is what is to be found of a record. Putting one again replaces it.
type SearchDoc struct {
	Kind string // person, report, contact or message
	ID   string
	At   contact.Instant // when it began, for order
	// Version rises with each change: of two copies the higher is the newer.
	Version uint64
	// Person and Report tell where a contact or message belongs.
	Person contact.PersonID
	Report ReportID

	Names      []string // of people, as written
	Numbers    []string // canonical
	Emails     []string // lower case
	References []string // as written
	Postcodes  []string
	VRMs       []string // without spaces
	Uniques    []string // serial, IMEI, frame numbers
	Born       string   // YYYY-MM-DD
	// Title is one line for lists.
	Title string
	// Words is the narrative.
	Words string
	// Restricted records may be found to exist and are not shown without a reason.
	Restricted bool
}

// SearchIndex takes what may be searched for. It is told after the write and may
// fail: the write stands, and Run tells it again.
type SearchIndex interface {
	Put(ctx context.Context, doc SearchDoc) error
	Drop(ctx context.Context, kind, id string) error
}

// titleLimit bounds a Title, in characters.
const titleLimit = 120

func (s *Store) find(ctx context.Context, doc SearchDoc) error {
	if s.search == nil {
		return nil
	}
	return s.search.Put(ctx, doc)
}

func personDoc(p Person) SearchDoc {
	d := SearchDoc{
		Kind: "person", ID: string(p.ID), At: p.Created, Version: uint64(p.Changed), //nolint:gosec // after 1970
		Person: p.ID, Names: []string{p.Name}, Numbers: p.Numbers, Emails: p.Emails,
		Born: p.DateOfBirth, Words: p.Remarks, Restricted: p.Restricted,
	}
	if full := strings.TrimSpace(p.GivenName + " " + p.Surname); full != "" && full != p.Name {
		d.Names = append(d.Names, full)
	}
	for _, a := range p.Addresses {
		if a.Postcode != "" {
			d.Postcodes = append(d.Postcodes, a.Postcode)
		}
	}
	return d
}

func reportDoc(r Report) SearchDoc {
	d := SearchDoc{
		Kind: "report", ID: string(r.ID), At: r.Created, Version: r.Version, Report: r.ID, Restricted: r.Restricted,
		Words: strings.Join([]string{r.Summary, r.MO, r.Place.Text, r.Place.Street, r.Place.Town}, "\n"),
	}
	d.Title, _, _ = strings.Cut(strings.TrimSpace(r.Summary), "\n")
	d.Title = cut(d.Title, titleLimit)
	for _, ref := range []string{r.Reference, r.IncidentNumber, r.CrimeNumber} {
		if ref != "" {
			d.References = append(d.References, ref)
		}
	}
	if r.Place.Postcode != "" {
		d.Postcodes = []string{r.Place.Postcode}
	}
	for _, p := range r.Parties {
		if p.Name != "" {
			d.Names = append(d.Names, p.Name)
		}
		d.Words += "\n" + p.Description
	}
	for _, p := range r.Property {
		if p.Unique != "" {
			d.Uniques = append(d.Uniques, p.Unique)
		}
		d.Words += "\n" + strings.Join([]string{p.Category, p.Description, p.Make, p.Model, p.Colour}, " ")
	}
	for _, v := range r.Vehicles {
		if v.VRM != "" {
			d.VRMs = append(d.VRMs, v.VRM)
		}
		if v.VIN != "" {
			d.Uniques = append(d.Uniques, v.VIN)
		}
		d.Words += "\n" + strings.Join([]string{v.Make, v.Model, v.Colour}, " ")
	}
	return d
}

func recordDoc(r Record) SearchDoc {
	d := SearchDoc{
		Kind: "contact", ID: string(r.ID), At: r.Arrival, Person: r.Person, Report: r.Report, Title: cut(r.Subject, titleLimit),
		Words: strings.Join([]string{r.Subject, r.Note.Text, r.Outcome.Note}, "\n"),
	}
	if r.Number != "" {
		d.Numbers = []string{r.Number}
	}
	if r.Email != "" {
		d.Emails = []string{r.Email}
	}
	return d
}

func messageDoc(m Message, person contact.PersonID) SearchDoc {
	d := SearchDoc{
		Kind: "message", ID: string(m.ID), At: m.At, Person: person, Report: m.Report, Title: cut(m.Subject, titleLimit), Words: m.Subject + "\n" + m.Text,
	}
	for _, b := range append([]Mailbox{m.From}, m.To...) {
		if a, ok := CanonicalEmail(b.Address); ok {
			d.Emails = append(d.Emails, a)
		}
		if b.Name != "" {
			d.Names = append(d.Names, b.Name)
		}
	}
	return d
}
