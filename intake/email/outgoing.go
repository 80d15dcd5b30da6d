package email

import (
	"errors"
	"fmt"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// AutomaticAuthor is the author of messages that no person wrote.
const AutomaticAuthor = "system"

// Outgoing is a message to be sent.
type Outgoing struct {
	// Contact, Report and Thread are what it belongs to. Without Thread it is that
	// of InReplyTo, else the contact's, else one of its own.
	Contact contact.ID
	Report  crm.ReportID
	Thread  crm.ThreadID
	// From is the name of one of our mailboxes; empty is that InReplyTo came to,
	// else the first.
	From    string
	To, Cc  []crm.Mailbox
	Subject string
	Text    string
	// Attachments lie in the blob store.
	Attachments []crm.Attachment
	// InReplyTo is the message that is answered: it gives subject, threading and,
	// with Quote, the text below the answer.
	InReplyTo crm.MessageID
	Quote     bool
	// Author is the handler, or AutomaticAuthor.
	Author string
	// Template names a template that makes subject and text; Values fill it, and
	// Text is its {text}. Language chooses among its languages.
	Template string
	Values   map[string]string
	Language string
	// Key makes sending idempotent: what has the same key is sent once.
	Key string
}

// ErrUnsafe means that a person said not to be written to there; nothing was kept.
var ErrUnsafe = errors.New("email: it is not safe to write there")

// ErrInvalid means that a field was refused; the text names it.
var ErrInvalid = errors.New("email: invalid")

// What one message may carry.
const (
	recipientsAllowed = 20
	textAllowed       = 256 << 10
	filesAllowed      = 20
	bytesAllowed      = 20 << 20
)

func (o *Outgoing) check() error {
	refuse := func(field, why string) error { return fmt.Errorf("%w: %s: %s", ErrInvalid, field, why) }
	if o.Key == "" || len(o.Key) > 512 {
		return refuse("key", "is needed, so that nothing is sent twice")
	}
	if o.Contact == "" && o.Report == "" {
		return refuse("contact", "say which contact or report it belongs to")
	}
	if len(o.To) == 0 {
		return refuse("to", "name somebody to write to")
	}
	if len(o.To)+len(o.Cc) > recipientsAllowed {
		return refuse("to", fmt.Sprintf("at most %d recipients", recipientsAllowed))
	}
	for name, list := range map[string][]crm.Mailbox{"to": o.To, "cc": o.Cc} {
		for i := range list {
			a := canonicalAddress(list[i].Address)
			if a == "" {
				return refuse(fmt.Sprintf("%s[%d]", name, i), "is not an e-mail address")
			}
			list[i] = crm.Mailbox{Name: clip(oneLine(list[i].Name), 200), Address: a}
		}
	}
	if len(o.Text) > textAllowed {
		return refuse("text", fmt.Sprintf("holds at most %d bytes", textAllowed))
	}
	if strings.TrimSpace(o.Text) == "" && o.Template == "" && len(o.Attachments) == 0 {
		return refuse("text", "there is nothing to send")
	}
	if len(o.Attachments) > filesAllowed {
		return refuse("attachments", fmt.Sprintf("at most %d files", filesAllowed))
	}
	var size int64
	for i, a := range o.Attachments {
		if a.Blob == "" {
			return refuse(fmt.Sprintf("attachments[%d]", i), "was not stored")
		}
		if a.Scan != crm.Clean && a.Scan != crm.NotScanned {
			return refuse(fmt.Sprintf("attachments[%d]", i), "is in quarantine and is not given out")
		}
		size += a.Size
	}
	if size > bytesAllowed {
		return refuse("attachments", fmt.Sprintf("together at most %d MB", bytesAllowed>>20))
	}
	o.Subject = clip(oneLine(o.Subject), 400)
	o.Text = plain(o.Text)
	return nil
}
