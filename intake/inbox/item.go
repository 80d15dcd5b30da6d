package inbox

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm/blob"
)

// Kind says who works an item.
type Kind string

// Kinds.
const (
	Email Kind = "email"
	Web   Kind = "web"
	// Sending is for what is to be sent: the outbox keeps its messages likewise.
	Sending Kind = "sending"
)

// Item is one thing received. Its content lies in a blob, or in Body when it is
// small.
type Item struct {
	// Key makes acceptance idempotent: the same key is accepted once. For e-mail it
	// is the mailbox and Message-ID, else a hash of the content; for the web the
	// submission's own key. Of a worked item it is not kept.
	Key  string `json:"key"`
	Kind Kind   `json:"kind"`
	// Contact is the id the item's contact will have, made before it is accepted.
	Contact contact.ID      `json:"contact"`
	At      contact.Instant `json:"at"`
	Blob    blob.Ref        `json:"blob,omitempty"`
	Body    []byte          `json:"body,omitempty"`
	// Envelope holds what the transport knew: "mailbox", "from", "to", "remote". Of a
	// worked item only "message" is kept.
	Envelope map[string]string `json:"envelope,omitempty"`
	// Attempts counts how often it was worked without success.
	Attempts int `json:"attempts,omitempty"`
}

// Acceptor takes items.
type Acceptor interface {
	// Accept returns once the item is durable. When an item with the same key was
	// accepted before it returns that one, and duplicate true.
	Accept(ctx context.Context, it Item) (kept Item, duplicate bool, err error)
}
