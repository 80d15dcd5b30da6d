package sample

import (
	"strings"

	"example.org/c3i/crm"
	"example.org/c3i/crm/search"
)

// PersonDoc, ContactDoc and ReportDoc are what is found of each.
func PersonDoc(p crm.Person) search.Doc {
	d := search.Doc{
		Kind: search.Person, ID: string(p.ID), When: p.Created, Person: p.ID, Names: []string{p.Name}, Numbers: p.Numbers, Emails: p.Emails,
		Text: p.Remarks, Restricted: p.Restricted,
	}
	for _, a := range p.Addresses {
		d.Postcodes = append(d.Postcodes, a.Postcode)
	}
	return d
}

// ContactDoc is what is found of a contact.
func ContactDoc(r crm.Record) search.Doc {
	d := search.Doc{
		Kind: search.Contact, ID: string(r.ID), When: r.Arrival, Person: r.Person, Report: string(r.Report),
		Text: strings.Join([]string{r.Subject, r.Note.Text, r.Outcome.Note}, "\n"),
	}
	if r.Number != "" {
		d.Numbers = []string{r.Number}
	}
	if r.Email != "" {
		d.Emails = []string{r.Email}
	}
	return d
}

// ReportDoc is what is found of a report.
func ReportDoc(r crm.Report) search.Doc {
	d := search.Doc{
		Kind: search.Report, ID: string(r.ID), When: r.Created, Report: string(r.ID), Restricted: r.Restricted,
		Postcodes: []string{r.Place.Postcode}, Text: strings.Join([]string{r.Summary, r.MO, r.Place.Text, r.Place.Street, r.Place.Town}, "\n"),
	}
	for _, ref := range []string{r.Reference, r.IncidentNumber, r.CrimeNumber} {
		if ref != "" {
			d.Refs = append(d.Refs, ref)
		}
	}
	for _, p := range r.Parties {
		d.Names = append(d.Names, p.Name)
	}
	for _, p := range r.Property {
		d.Uniques = append(d.Uniques, p.Unique)
		d.Text += "\n" + strings.Join([]string{p.Category, p.Description, p.Make, p.Model, p.Colour}, " ")
	}
	for _, v := range r.Vehicles {
		d.Vehicles = append(d.Vehicles, v.VRM)
		d.Text += "\n" + strings.Join([]string{v.Make, v.Model, v.Colour}, " ")
	}
	return d
}
