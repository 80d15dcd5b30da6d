package audit

import (
	"context"

	"example.org/c3i/contact"
)

// Operation is what was done, in the words of section 62 of the Data Protection
// Act 2018, and a few of our own.
type Operation string

// Operations.
const (
	Collect    Operation = "collect" // something was recorded for the first time
	Alter      Operation = "alter"
	Consult    Operation = "consult"  // viewed; Search when it was looked for
	Search     Operation = "search"   // a consultation by search
	Disclose   Operation = "disclose" // sent or shown outside: Recipient says to whom
	Combine    Operation = "combine"  // merged; and split again
	Erase      Operation = "erase"    // metadata only, never what was erased
	SignOn     Operation = "sign_on"
	SignOff    Operation = "sign_off"
	Denied     Operation = "denied"
	Export     Operation = "export"
	Print      Operation = "print"
	BreakGlass Operation = "break_glass" // a restricted record opened for a stated reason
	Configure  Operation = "configure"
)

// Actor is who did it and from where.
type Actor struct {
	// ID is a sign-on name, "system", "public" or "partner:NAME".
	ID   string `json:"id"`
	Role string `json:"role,omitempty"`
	// Workstation and Session are opaque marks, never an address or a token.
	Workstation string `json:"workstation,omitempty"`
	Session     string `json:"session,omitempty"`
	// OnBehalf names whom a supervisor or a program acted for.
	OnBehalf string `json:"on_behalf,omitempty"`
	// Reason is the reason given for a consultation: a code, or words for
	// break-glass.
	Reason string `json:"reason,omitempty"`
}

// System acts when no person does.
var System = Actor{ID: "system"}

// Public is somebody at a public page.
var Public = Actor{ID: "public", Role: "public"}

// Subject is a data-subject category (section 38).
type Subject string

// Categories; one person may be several.
const (
	Suspect   Subject = "suspect"
	Convicted Subject = "convicted"
	Victim    Subject = "victim"
	Witness   Subject = "witness"
)

// Entry is one line of the trail. It names fields and objects and never holds
// their values.
type Entry struct {
	Seq  uint64          `json:"seq"`
	ID   string          `json:"id"` // ULID
	At   contact.Instant `json:"at"`
	Prev string          `json:"prev"` // hash of the entry before, hex; empty for the first
	Hash string          `json:"hash"` // SHA-256 over Prev and everything but Hash, hex

	Actor     Actor     `json:"actor"`
	Operation Operation `json:"operation"`
	// Object is the kind of thing: person, report, contact, message, attachment,
	// search, audit, user, plan. ObjectID is its id.
	Object   string    `json:"object"`
	ObjectID string    `json:"object_id,omitempty"`
	Subjects []Subject `json:"subjects,omitempty"`
	// Fields names what changed, without values.
	Fields []string `json:"fields,omitempty"`
	// Purpose and Recipient go with a disclosure.
	Purpose   string `json:"purpose,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	// Outcome is "ok" or an error code.
	Outcome string `json:"outcome,omitempty"`
	// Correlation is the contact it was done for.
	Correlation contact.ID `json:"correlation,omitempty"`
}

type actorKey struct{}

// With returns a context whose actions are a's.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From tells whose actions a context's are: System when nobody was named.
func From(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return System
}

// Trail takes entries. Append fills in Seq, ID, At, Prev, Hash and, where it is
// zero, Actor from ctx; it returns once the entry is durable. An error means
// that nothing was appended: a caller who must not act unseen must then not act.
type Trail interface {
	Append(ctx context.Context, e ...Entry) error
}
