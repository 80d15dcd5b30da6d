package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/web/form"
)

const channel = contact.Web

// kind says what an accepted item asks for.
type kind string

const (
	kindReport   kind = "report"    // a whole report
	kindTold     kind = "told"      // what was typed before the form was stopped
	kindCallBack kind = "call_back" // ring me now
	kindAdd      kind = "add"       // more about a report
	kindWithdraw kind = "withdraw"
)

// submission is the body of an accepted item.
type submission struct {
	Kind kind `json:"kind"`
	IDs  ids  `json:"ids"`
	// Contact and Message are this item's own; those of IDs are the whole report's.
	Contact contact.ID    `json:"contact"`
	Message crm.MessageID `json:"message"`
	// Language is the language it was written in.
	Language    string           `json:"language"`
	Answers     form.Answers     `json:"answers,omitempty"`
	Attachments []crm.Attachment `json:"attachments,omitempty"`
	// Text is what was written to be added.
	Text string `json:"text,omitempty"`
	// Phone and Name are of a person to ring.
	Phone string `json:"phone,omitempty"`
	Name  string `json:"name,omitempty"`
	// Party is the id of the party who added something.
	Party string `json:"party,omitempty"`
	// Partner and External say which program sent it, and what it calls it.
	Partner  string `json:"partner,omitempty"`
	External string `json:"external,omitempty"`
}

// accept makes a submission durable. The same key is accepted once.
func (s *Server) accept(ctx context.Context, key string, sub submission) error {
	body, err := json.Marshal(sub)
	if err != nil {
		return err
	}
	_, _, err = s.o.Inbox.Accept(ctx, inbox.Item{
		Key: key, Kind: inbox.Web, Contact: sub.Contact, At: contact.At(s.now()), Body: body,
		Envelope: map[string]string{"what": string(sub.Kind)},
	})
	if err != nil {
		return fmt.Errorf("web: accept what was sent: %w", err)
	}
	return nil
}

// withIDs gives a draft its ids before anything of it is accepted.
func (s *Server) withIDs(r *http.Request, d Draft) (Draft, error) {
	if d.IDs != nil {
		return d, nil
	}
	fresh, err := s.newIDs()
	if err != nil {
		return d, err
	}
	return s.change(r, func(d *Draft) error {
		if d.IDs == nil {
			d.IDs = fresh
		}
		return nil
	})
}
