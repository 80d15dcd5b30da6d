package deskclient

import (
	"context"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// Accept takes an offered written contact.
func (d *Desk) Accept(ctx context.Context, offer routing.OfferID) error {
	return d.do(ctx, agentdesk.TypeAccept, agentdesk.AcceptRequest{Offer: offer}, nil)
}

// Finish ends a written contact and begins wrap-up; CloseContact does both.
func (d *Desk) Finish(ctx context.Context, id contact.ID) error {
	return d.do(ctx, agentdesk.TypeDone, agentdesk.DoneRequest{Contact: id, Seen: d.seen(id)}, nil)
}

// Park puts a written contact aside.
func (d *Desk) Park(ctx context.Context, id contact.ID) error {
	return d.do(ctx, agentdesk.TypePark, agentdesk.ParkRequest{Contact: id}, nil)
}

// Unpark takes a parked contact up again.
func (d *Desk) Unpark(ctx context.Context, id contact.ID) error {
	return d.do(ctx, agentdesk.TypeUnpark, agentdesk.UnparkRequest{Contact: id}, nil)
}

// Forward gives a written contact to another queue.
func (d *Desk) Forward(ctx context.Context, id contact.ID, queue routing.QueueID, note string) error {
	return d.do(ctx, agentdesk.TypeForward, agentdesk.ForwardRequest{Contact: id, Queue: queue, Note: note}, nil)
}

// Spam marks a contact as spam and tells until when that can be undone.
func (d *Desk) Spam(ctx context.Context, id contact.ID) (contact.Instant, error) {
	var out agentdesk.SpamReply
	err := d.do(ctx, agentdesk.TypeSpam, agentdesk.SpamRequest{Contact: id, Seen: d.seen(id)}, &out)
	return out.Until, err
}

// UndoSpam takes the mark back.
func (d *Desk) UndoSpam(ctx context.Context, id contact.ID) error {
	return d.do(ctx, agentdesk.TypeSpamUndo, agentdesk.SpamUndoRequest{Contact: id}, nil)
}

// Split makes a contact of its own of one message.
func (d *Desk) Split(ctx context.Context, id contact.ID, m crm.MessageID, queue routing.QueueID) (contact.ID, error) {
	var out agentdesk.SplitReply
	err := d.do(ctx, agentdesk.TypeSplit, agentdesk.SplitRequest{Contact: id, Message: m, Queue: queue}, &out)
	return out.Contact, err
}

// SendMessage sends a message. The same key again sends nothing more.
func (d *Desk) SendMessage(ctx context.Context, id contact.ID, key string, draft agentdesk.Draft) (agentdesk.Message, error) {
	var out agentdesk.SendReply
	err := d.do(ctx, agentdesk.TypeSend, agentdesk.SendRequest{Key: key, Contact: id, Draft: draft}, &out)
	return out.Message, err
}

// SaveDraft saves a draft edited from a revision and returns its new revision. On
// a conflict (draft_conflict) newer is the draft that is there.
func (d *Desk) SaveDraft(ctx context.Context, id contact.ID, draft agentdesk.Draft, base uint64) (revision uint64, newer *agentdesk.Draft, err error) {
	var out agentdesk.SaveDraftReply
	newer, err = exchange[agentdesk.Draft](ctx, d, agentdesk.TypeSaveDraft, agentdesk.SaveDraftRequest{Contact: id, Base: base, Draft: draft}, &out)
	return out.Revision, newer, err
}

// FillTemplate gives a template's text for a contact.
func (d *Desk) FillTemplate(ctx context.Context, id contact.ID, code, language string) (agentdesk.FillTemplateReply, error) {
	var out agentdesk.FillTemplateReply
	err := d.do(ctx, agentdesk.TypeFillTemplate, agentdesk.FillTemplateRequest{Contact: id, Template: code, Language: language}, &out)
	return out, err
}

// seen is how many messages that joined a contact the desk shows.
func (d *Desk) seen(id contact.ID) int {
	for _, w := range d.State().Work {
		if w.Contact == id && w.Written != nil {
			return w.Written.Seen
		}
	}
	return 0
}
