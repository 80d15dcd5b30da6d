package agentdesk

import (
	"context"
	"encoding/json"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
)

// Messages is what the desk needs of the CRM for written contacts. Errors are as
// those of Records.
type Messages interface {
	// Message reads one message.
	Message(ctx context.Context, id crm.MessageID) (crm.Message, error)
	// MessagesOf lists a contact's messages, oldest first.
	MessagesOf(ctx context.Context, id contact.ID) ([]crm.Message, error)
	// ThreadMessages lists the newest messages of a thread, at most limit, oldest
	// first.
	ThreadMessages(ctx context.Context, id crm.ThreadID, limit int) ([]crm.Message, error)
	// AddMessage records a message; the same id again changes nothing.
	AddMessage(ctx context.Context, m crm.Message) (crm.Message, error)
	// IdentifyWritten records a written contact and fills in what is known of who
	// wrote.
	IdentifyWritten(ctx context.Context, a crm.WrittenArrival) (contact.Facts, error)
	// ByEmail lists the people an address may belong to.
	ByEmail(ctx context.Context, address string) ([]crm.Person, error)
	// SaveDraft keeps a draft when base is the stored revision, and returns once it
	// is durable; otherwise crm.ErrConflict.
	SaveDraft(ctx context.Context, owner, key string, base uint64, body json.RawMessage) (revision uint64, err error)
	// Draft reads a draft; crm.ErrNotFound or revision 0 when there is none.
	Draft(ctx context.Context, owner, key string) (body json.RawMessage, revision uint64, err error)
}

// Outgoing is a message to send.
type Outgoing struct {
	Contact contact.ID
	Report  crm.ReportID
	Thread  crm.ThreadID
	// From is the key of the mailbox it comes from.
	From        string
	To, Cc      []crm.Mailbox
	Subject     string
	Text        string
	Attachments []crm.Attachment
	// InReplyTo is the message it answers, empty for a new one.
	InReplyTo crm.MessageID
	// Author is the handler's sign-on name.
	Author   string
	Template string
	Language string
	// Key makes sending idempotent.
	Key string
}

// Outbox sends messages.
type Outbox interface {
	// Send returns once the message is durable; it is sent from then on, whatever
	// happens. The same Key again sends nothing more and gives the same message.
	Send(ctx context.Context, out Outgoing) (crm.Message, error)
}

// Scanner looks for malware. What it cannot look at is crm.ScanFailed.
type Scanner interface {
	Scan(ctx context.Context, content []byte) crm.ScanResult
}

// Blobs keeps the bytes of attachments and messages.
type Blobs = blob.Store

// Mailbox is an address handlers may write from.
type Mailbox struct {
	Key     string
	Label   string
	Address string
}
