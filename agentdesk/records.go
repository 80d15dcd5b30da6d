package agentdesk

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Records is what the desk needs of the CRM. Errors wrap crm.ErrNotFound,
// crm.ErrConflict and crm.ErrInvalid; everything else is taken for the store
// being away.
type Records interface {
	// Pop reads everything a handler sees of a caller; facts are those the contact
	// was identified with.
	Pop(ctx context.Context, id contact.ID, facts contact.Facts) (crm.Pop, error)
	// Record reads one contact; RecordsOf several, those that there are.
	Record(ctx context.Context, id contact.ID) (crm.Record, error)
	RecordsOf(ctx context.Context, ids []contact.ID) ([]crm.Record, error)
	// HandlerOf tells who had a contact last, and Restricted which people and reports
	// are so. They decide what may be done and shown, and are no consultations.
	HandlerOf(ctx context.Context, id contact.ID) (string, error)
	Restricted(ctx context.Context, people []contact.PersonID, reports []crm.ReportID) (map[contact.PersonID]bool, map[crm.ReportID]bool, error)
	// SaveNote stores the note when base is the stored revision, and returns once
	// it is durable; otherwise crm.ErrConflict, and nothing is written.
	SaveNote(ctx context.Context, id contact.ID, base uint64, text, author string) (crm.Note, error)
	// Close records the outcome. Closing again replaces it.
	Close(ctx context.Context, id contact.ID, outcome contact.Outcome, handler string) error
	// SavePerson creates (empty ID) or changes a person.
	SavePerson(ctx context.Context, p crm.Person) (crm.Person, error)
	// Attach records the contact as the person's; an empty person detaches.
	Attach(ctx context.Context, id contact.ID, person contact.PersonID) error
	// Ended records how a contact ended. Repeating it is harmless.
	Ended(ctx context.Context, e crm.Ending) error
	// Person reads one person.
	Person(ctx context.Context, id contact.PersonID) (crm.Person, error)
	// ByNumber lists the people a number, as typed, may belong to.
	ByNumber(ctx context.Context, number string) ([]crm.Person, error)
	// Timeline lists a person's contacts that arrived before an instant (zero for
	// the latest), newest first, at most limit.
	Timeline(ctx context.Context, person contact.PersonID, before contact.Instant, limit int) ([]crm.Record, error)
}

// Router takes the desk's events to the engine.
type Router interface {
	// SubmitWait returns the actions the event caused, after they were released and
	// this server's Do has had them: what a desk is asked next, it knows them for.
	SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error)
	// Submit returns once the event is accepted.
	Submit(ctx context.Context, ev routing.Event) error
}

// PhoneCredentials let one SIP phone register, for a short time.
type PhoneCredentials struct {
	URI       string          // sip:USER@DOMAIN
	User      string          // random, made for this sign-on
	Password  string          // random
	ExpiresAt contact.Instant // zero: until withdrawn
}

// Phones makes the credentials of handlers' browser phones known to the switch.
type Phones interface {
	// Provision makes new credentials, which replace any the handler had.
	Provision(ctx context.Context, agent routing.AgentID) (PhoneCredentials, error)
	// Withdraw makes them useless. Withdrawing what is not there is no error.
	Withdraw(ctx context.Context, agent routing.AgentID) error
}

// SIPPhones knows handlers' SIP phones by dial string, such as PJSIP/h17.
type SIPPhones interface {
	// WatchPhone tells whether the phone can be rung now, and from then on has
	// every change told.
	WatchPhone(ctx context.Context, dial string) (up bool, err error)
}

// PublicPhones makes throw-away credentials for the public call page: an
// endpoint that reaches the front door and nothing else.
type PublicPhones interface {
	// ProvisionPublic makes an endpoint whose calls show number as the caller's,
	// or none when it is empty.
	ProvisionPublic(ctx context.Context, number string) (PhoneCredentials, error)
	WithdrawPublic(ctx context.Context, user string) error
}
