package email

import (
	"time"

	"example.org/c3i/crm"
)

// Parsed is what a message says.
type Parsed struct {
	From       crm.Mailbox
	ReplyTo    []crm.Mailbox
	To, Cc     []crm.Mailbox
	Subject    string
	Date       time.Time
	MessageID  string
	InReplyTo  []string
	References []string
	// Text is what a person reads; of HTML alone its words. HTML is as it came.
	Text string
	HTML string
	// Files are attachments and images shown within HTML.
	Files []File
	Flags crm.MessageFlags
	// NoReceipt says in a code why no automatic receipt may go to the sender; empty
	// when one may.
	NoReceipt string
	// Report is set for a delivery report.
	Report *DeliveryReport
	// Problems says in codes what was odd, for operators and tests.
	Problems []string
	// Results are the Authentication-Results fields, in the order written.
	Results []string
	// Received counts the hops.
	Received int
	// Delivered are the addresses earlier hops delivered to.
	Delivered []string
}

// File is a part of a message that is a file.
type File struct {
	Name string
	// Declared is the type the sender gave, Detected what the content is.
	Declared, Detected string
	ContentID          string
	Inline             bool
	Data               []byte
}

// DeliveryReport is what another mail server says about a message of ours.
type DeliveryReport struct {
	// Original is the Message-ID of the message it is about, empty when not told.
	Original   string
	Recipients []RecipientReport
}

// RecipientReport is the fate of a message for one recipient (RFC 3464).
type RecipientReport struct {
	Address    string
	Action     string // failed, delayed, delivered, relayed, expanded
	Status     string // for example 5.1.1
	Diagnostic string
}
