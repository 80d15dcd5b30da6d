package crm

import (
	"example.org/c3i/contact"
	"example.org/c3i/crm/blob"
)

// MessageID identifies one written message (a ULID).
type MessageID string

// ThreadID joins the messages of one conversation: those that answer each other.
type ThreadID string

// Direction tells whether a message came to us or from us.
type Direction string

// Directions.
const (
	Incoming Direction = "in"
	Outgoing Direction = "out"
)

// Mailbox is an e-mail address with the name shown beside it.
type Mailbox struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// ScanResult is what a malware scanner said.
type ScanResult string

// Results of a scan. Whatever is neither Clean nor NotScanned is quarantined: it
// is listed and not given out.
const (
	NotScanned ScanResult = "not_scanned" // no scanner is configured
	Clean      ScanResult = "clean"
	Infected   ScanResult = "infected"
	ScanFailed ScanResult = "scan_failed"
)

// Attachment is a file that came or went with a message.
type Attachment struct {
	ID   string   `json:"id"` // unique within the message
	Name string   `json:"name"`
	Blob blob.Ref `json:"blob"`
	Size int64    `json:"size"`
	// Declared is the type the sender gave, Detected what the content is.
	Declared string `json:"declared,omitempty"`
	Detected string `json:"detected"`
	// ContentID is set for images shown within HTML.
	ContentID string     `json:"content_id,omitempty"`
	Scan      ScanResult `json:"scan"`
}

// MessageFlags say what is odd about a message.
type MessageFlags struct {
	Automatic  bool `json:"automatic,omitempty"` // an auto-reply or a program's
	Bounce     bool `json:"bounce,omitempty"`    // a delivery report
	List       bool `json:"list,omitempty"`
	Encrypted  bool `json:"encrypted,omitempty"`
	Signed     bool `json:"signed,omitempty"`
	Unreadable bool `json:"unreadable,omitempty"` // kept raw, for a person to look at
	Truncated  bool `json:"truncated,omitempty"`  // a limit was met; the raw message is whole
}

// Authenticity is what SPF, DKIM and DMARC say of the sender: "pass", "fail",
// "none", "temperror" and the like (RFC 8601). Empty: not checked.
type Authenticity struct {
	SPF    string `json:"spf,omitempty"`
	DKIM   string `json:"dkim,omitempty"`
	DMARC  string `json:"dmarc,omitempty"`
	Domain string `json:"domain,omitempty"`
}

// DeliveryState is how far an outgoing message got.
type DeliveryState string

// States of delivery.
const (
	DeliveryCreated   DeliveryState = "created"
	DeliverySending   DeliveryState = "sending"
	DeliveryDelivered DeliveryState = "delivered" // taken by the next mail server
	DeliveryTemporary DeliveryState = "temporary_failure"
	DeliveryPermanent DeliveryState = "permanent_failure"
)

// Delivery is the fate of an outgoing message.
type Delivery struct {
	State    DeliveryState   `json:"state"`
	At       contact.Instant `json:"at"`
	Attempts int             `json:"attempts,omitempty"`
	Next     contact.Instant `json:"next,omitempty"`
	// Detail is a sentence for the handler: what the other server said.
	Detail string `json:"detail,omitempty"`
}

// Message is one written message of a contact: an e-mail in or out, or what was
// written in a web form. A message in belongs to the contact it made or joined,
// a message out to the contact it was written in; Report is set when the contact
// belongs to one.
type Message struct {
	ID        MessageID       `json:"id"`
	Contact   contact.ID      `json:"contact"`
	Report    ReportID        `json:"report,omitempty"`
	Thread    ThreadID        `json:"thread"`
	Channel   contact.Channel `json:"channel"`
	Direction Direction       `json:"direction"`
	At        contact.Instant `json:"at"`
	// Author is the handler who wrote it, or "system" for an automatic receipt.
	Author  string    `json:"author,omitempty"`
	From    Mailbox   `json:"from"`
	To      []Mailbox `json:"to,omitempty"`
	Cc      []Mailbox `json:"cc,omitempty"`
	Subject string    `json:"subject,omitempty"`
	// Text is what is read: of an HTML message, its words.
	Text string `json:"text"`
	// HTML is the cleaned HTML, to be shown in a sandbox; empty when there was none.
	HTML blob.Ref `json:"html,omitempty"`
	// Raw is the message as it came.
	Raw         blob.Ref     `json:"raw,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Flags       MessageFlags `json:"flags"`
	Auth        Authenticity `json:"auth"`
	Language    string       `json:"language,omitempty"`
	// MessageID, InReplyTo and References are the header fields, without brackets.
	MessageID  string   `json:"message_id,omitempty"`
	InReplyTo  []string `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`
	Delivery   Delivery `json:"delivery"`
}
