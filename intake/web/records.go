package web

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// Records is what the public pages and their worker need of the CRM. Each method
// may be repeated after an error without harm.
type Records interface {
	Person(ctx context.Context, id contact.PersonID) (crm.Person, error)
	SavePerson(ctx context.Context, p crm.Person) (crm.Person, error)
	FindPeople(ctx context.Context, c crm.Clues) ([]crm.Match, error)
	IdentifyWritten(ctx context.Context, a crm.WrittenArrival) (contact.Facts, error)
	AddMessage(ctx context.Context, m crm.Message) (crm.Message, error)
	CreateReport(ctx context.Context, r crm.Report, from contact.ID) (crm.Report, error)
	Report(ctx context.Context, id crm.ReportID) (crm.Report, error)
	ReportByReference(ctx context.Context, reference string) (crm.Report, error)
	SaveReport(ctx context.Context, r crm.Report) (crm.Report, error)
	SaveParty(ctx context.Context, id crm.ReportID, party int, p crm.Party) (crm.Report, error)
	LinkContact(ctx context.Context, id contact.ID, report crm.ReportID) error
	// SetTrackingSecret keeps the secret that a party follows the report with.
	SetTrackingSecret(ctx context.Context, id crm.ReportID, party int, secret string) error
	// Track is the report and the party that a reference and a secret open;
	// crm.ErrNotFound whatever was wrong.
	Track(ctx context.Context, reference, secret string) (report crm.Report, party int, err error)
	// Followed is the report again for a party that Track opened it for.
	Followed(ctx context.Context, id crm.ReportID, party string) (report crm.Report, at int, err error)
}

var _ Records = (*crm.Store)(nil)
