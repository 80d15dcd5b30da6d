package agentdesk

import (
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Written is what a work item has more when its contact was written.
type Written struct {
	Subject string       `json:"subject"`
	From    crm.Mailbox  `json:"from"`
	Thread  crm.ThreadID `json:"thread,omitempty"`
	// Messages are those of the contact and its thread, oldest first, at most 100:
	// Earlier tells that older ones were left out.
	Messages []Message `json:"messages"`
	Earlier  bool      `json:"earlier,omitempty"`
	// Seen counts the messages among them that joined the contact after it arrived. A
	// request to end the contact says it, and is refused when another has joined.
	Seen int `json:"seen,omitempty"`
	// Draft is the answer being written, by whoever had the contact last.
	Draft *Draft `json:"draft,omitempty"`
	// ReplyTo are those a reply goes to, as the last message in asks; Mailbox is the
	// key of the address it will come from.
	ReplyTo []crm.Mailbox `json:"reply_to,omitempty"`
	Mailbox string        `json:"mailbox,omitempty"`
	// Unsafe is a sentence when the person must not be written to at an address:
	// sending there is refused.
	Unsafe string `json:"unsafe,omitempty"`
	// SpamUntil is set while the contact is marked as spam: until then the mark can
	// be taken back, and then the contact ends.
	SpamUntil contact.Instant `json:"spam_until,omitempty"`
}

// Message is a written message as desks show it.
type Message struct {
	ID        crm.MessageID   `json:"id"`
	Contact   contact.ID      `json:"contact,omitempty"`
	Report    crm.ReportID    `json:"report,omitempty"`
	Channel   contact.Channel `json:"channel"`
	Direction crm.Direction   `json:"direction"`
	At        contact.Instant `json:"at"`
	// Author is the handler who wrote it, AuthorName their name; "system" for an
	// automatic receipt.
	Author     string        `json:"author,omitempty"`
	AuthorName string        `json:"author_name,omitempty"`
	From       crm.Mailbox   `json:"from"`
	To         []crm.Mailbox `json:"to,omitempty"`
	Cc         []crm.Mailbox `json:"cc,omitempty"`
	Subject    string        `json:"subject,omitempty"`
	// Text is at most 20,000 characters, and less of older messages; Shortened tells
	// that there is more: GET /api/messages/{id} gives the Message with all of it.
	Text      string `json:"text"`
	Shortened bool   `json:"shortened,omitempty"`
	// HTMLURL is the cleaned HTML, to be shown in a sandboxed frame; RawURL the
	// message as it came, to be saved. Both are on this origin.
	HTMLURL     string           `json:"html_url,omitempty"`
	RawURL      string           `json:"raw_url,omitempty"`
	Attachments []AttachmentView `json:"attachments,omitempty"`
	Flags       crm.MessageFlags `json:"flags"`
	Auth        crm.Authenticity `json:"auth"`
	Language    string           `json:"language,omitempty"`
	// Delivery is set for a message out.
	Delivery *crm.Delivery `json:"delivery,omitempty"`
}

// AttachmentView is a file that came or went with a message.
type AttachmentView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	// Type is what the content is, Declared what the sender said where that differs.
	Type     string         `json:"type"`
	Declared string         `json:"declared,omitempty"`
	Scan     crm.ScanResult `json:"scan"`
	// URL gives the file; empty when it is quarantined. Preview tells that it may be
	// shown in the page (a raster image, PDF or plain text).
	URL     string `json:"url,omitempty"`
	Preview bool   `json:"preview,omitempty"`
	// Inline is set for images shown within HTML.
	Inline bool `json:"inline,omitempty"`
}

// TriageReason is one thing found in what was written or answered, and the words
// it rests on.
type TriageReason struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
	Quote    string `json:"quote,omitempty"`
}

// Template is an answer prepared in one language.
type Template struct {
	Code     string `json:"code"`
	Language string `json:"language"`
	Label    string `json:"label"`
	Subject  string `json:"subject,omitempty"`
}

// FillTemplateRequest asks for a template's text with its placeholders filled for
// a contact.
type FillTemplateRequest struct {
	Contact  contact.ID `json:"contact"`
	Template string     `json:"template"`
	Language string     `json:"language"`
}

// FillTemplateReply is the text. Missing names the placeholders nothing is known
// for; they stand in the text as [NAME], and sending it so is refused.
type FillTemplateReply struct {
	Subject string   `json:"subject,omitempty"`
	Text    string   `json:"text"`
	Missing []string `json:"missing,omitempty"`
}

// Draft is an answer being written. It belongs to the contact, not to who wrote
// it: it is offered again on return, and to the next handler.
type Draft struct {
	To      []crm.Mailbox `json:"to,omitempty"`
	Cc      []crm.Mailbox `json:"cc,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Text    string        `json:"text"`
	// InReplyTo is the message being answered, empty for a new one.
	InReplyTo crm.MessageID `json:"in_reply_to,omitempty"`
	// Quote adds the answered message's text below.
	Quote    bool   `json:"quote,omitempty"`
	Template string `json:"template,omitempty"`
	Language string `json:"language,omitempty"`
	Mailbox  string `json:"mailbox,omitempty"`
	// Attachments are files given by POST /api/uploads. In a request their IDs
	// suffice.
	Attachments []Upload `json:"attachments,omitempty"`
	// The rest is the server's: Revision rises by one with each save.
	Revision uint64          `json:"revision"`
	SavedAt  contact.Instant `json:"saved_at,omitempty"`
	Author   string          `json:"author,omitempty"`
}

// SaveDraftRequest saves a draft as typed. Base is the revision it was edited
// from; a newer one in the store is a conflict: the Ack's error carries code
// "draft_conflict" and its Reply the newer Draft. An empty draft removes it.
type SaveDraftRequest struct {
	Contact contact.ID `json:"contact"`
	Base    uint64     `json:"base"`
	Draft   Draft      `json:"draft"`
}

// SaveDraftReply gives the new revision. It is sent after the draft is durable.
type SaveDraftReply struct {
	Revision uint64 `json:"revision"`
}

// SendRequest sends a message: an answer when Draft.InReplyTo is set. Key is made
// by the desk once for each message, and sending again with the same key sends
// nothing more and gives the same reply.
type SendRequest struct {
	Key     string     `json:"key"`
	Contact contact.ID `json:"contact"`
	Draft   Draft      `json:"draft"`
}

// SendReply is the message. It is durable: its delivery is told by later deltas.
type SendReply struct {
	Message Message `json:"message"`
}

// Upload is a file given for an answer; POST /api/uploads answers with it.
type Upload struct {
	ID   string         `json:"id"`
	Name string         `json:"name"`
	Size int64          `json:"size"`
	Type string         `json:"type"`
	Scan crm.ScanResult `json:"scan"`
}

// DoneRequest says that the handler has done what a written contact asked, and
// begins wrap-up. contact.close does both in one step.
type DoneRequest struct {
	Contact contact.ID `json:"contact"`
	Seen    int        `json:"seen,omitempty"` // Written.Seen as the handler had it before them
}

// ParkRequest puts a written contact aside, in the same hands: others may then be
// taken, as the capacity for the channel allows.
type ParkRequest struct {
	Contact contact.ID `json:"contact"`
}

// UnparkRequest takes a parked contact up again.
type UnparkRequest struct {
	Contact contact.ID `json:"contact"`
}

// ForwardRequest gives a written contact to another queue. Arrival is kept, and
// the due time counts from it.
type ForwardRequest struct {
	Contact contact.ID      `json:"contact"`
	Queue   routing.QueueID `json:"queue"`
	// Note tells the next handler why; it is added to the contact's note.
	Note string `json:"note,omitempty"`
}

// SpamRequest marks a written contact as spam. It ends with the outcome "spam"
// after Catalogue.SpamGrace; the sender is not blocked.
type SpamRequest struct {
	Contact contact.ID `json:"contact"`
	Seen    int        `json:"seen,omitempty"` // Written.Seen as the handler had it before them
}

// SpamReply tells until when the mark can be taken back.
type SpamReply struct {
	Until contact.Instant `json:"until"`
}

// SpamUndoRequest takes the mark back.
type SpamUndoRequest struct {
	Contact contact.ID `json:"contact"`
}

// LinkRequest says that a contact belongs to a report, given by its id or by any
// of its references as typed.
type LinkRequest struct {
	Contact   contact.ID   `json:"contact"`
	Report    crm.ReportID `json:"report,omitempty"`
	Reference string       `json:"reference,omitempty"`
	// Reason is needed for a restricted report.
	Reason string `json:"reason,omitempty"`
}

// UnlinkRequest takes the contact from its report.
type UnlinkRequest struct {
	Contact contact.ID `json:"contact"`
}

// SplitRequest makes a contact of its own of one message that is about something
// else. The new contact waits in Queue, or in the queue the plan's rules choose.
type SplitRequest struct {
	Contact contact.ID      `json:"contact"`
	Message crm.MessageID   `json:"message"`
	Queue   routing.QueueID `json:"queue,omitempty"`
}

// SplitReply names the new contact.
type SplitReply struct {
	Contact contact.ID `json:"contact"`
}
