package email

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Records is what e-mail needs of the CRM; *crm.Store is it.
type Records interface {
	ByEmail(ctx context.Context, address string) ([]crm.Person, error)
	Person(ctx context.Context, id contact.PersonID) (crm.Person, error)
	IdentifyWritten(ctx context.Context, a crm.WrittenArrival) (contact.Facts, error)
	Record(ctx context.Context, id contact.ID) (crm.Record, error)
	OpenContactOf(ctx context.Context, thread crm.ThreadID) (contact.ID, bool, error)

	AddMessage(ctx context.Context, m crm.Message) (crm.Message, error)
	MoveMessage(ctx context.Context, id crm.MessageID, to contact.ID) (crm.Message, error)
	Message(ctx context.Context, id crm.MessageID) (crm.Message, error)
	MessageByHeader(ctx context.Context, headerID string) (crm.Message, error)
	ThreadMessages(ctx context.Context, thread crm.ThreadID, limit int) ([]crm.Message, error)
	SetDelivery(ctx context.Context, id crm.MessageID, d crm.Delivery) error

	Report(ctx context.Context, id crm.ReportID) (crm.Report, error)
	SaveTask(ctx context.Context, t crm.Task) (crm.Task, error)
}

// Router takes contacts into routing; the live driver is it.
type Router interface {
	Submit(ctx context.Context, ev routing.Event) error
	// SubmitWait returns the actions the event caused.
	SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error)
}
