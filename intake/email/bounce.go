package email

import (
	"context"
	"errors"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/inbox"
)

// bounce sets the delivery state of the message of ours that a report is about,
// and files the report beside it. handled is false when it is not about anything
// we sent: then it is a message like any other, and gets no receipt.
func (w *Worker) bounce(ctx context.Context, it inbox.Item, m crm.Message, p Parsed) (handled bool, err error) {
	id, ours := w.o.Threads.Signer.Ours(p.Report.Original)
	if !ours {
		return false, nil
	}
	sent, err := w.o.Records.Message(ctx, crm.MessageID(id))
	if errors.Is(err, crm.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	action, detail := p.Report.worst()
	d := sent.Delivery
	switch {
	case action == "failed" || action == "" && p.Flags.Bounce:
		d = crm.Delivery{State: crm.DeliveryPermanent, Detail: detail}
	case action == "delayed" && d.State != crm.DeliveryPermanent:
		d = crm.Delivery{State: crm.DeliveryTemporary, Detail: detail}
	case (action == "delivered" || action == "relayed" || action == "expanded") && d.State != crm.DeliveryPermanent:
		d = crm.Delivery{State: crm.DeliveryDelivered, Detail: detail}
	}
	d.At, d.Attempts = contact.At(w.o.Now()), sent.Delivery.Attempts
	if err := w.o.Records.SetDelivery(ctx, sent.ID, d); err != nil {
		return false, err
	}
	w.o.Outbox.o.Changed(sent.Contact)
	w.o.Metrics.filed.WithLabelValues("bounce").Inc()
	w.o.Log.Info().Str("contact", string(sent.Contact)).Str("state", string(d.State)).Msg("another mail server reported on a message of ours")
	m.Thread, m.Report = sent.Thread, sent.Report
	if d.State == crm.DeliveryPermanent && sent.Author != AutomaticAuthor {
		// Somebody did not get an answer: that is work for a person.
		if err := w.o.Outbox.failed(ctx, sent, "The answer came back: "+nonEmpty(detail, "the other mail server gave no reason")); err != nil {
			return false, err
		}
		open, ok, err := w.o.Records.OpenContactOf(ctx, sent.Thread)
		if err != nil {
			return false, err
		}
		if !ok && sent.Report == "" {
			return true, w.arrive(ctx, it, m, p, place{thread: sent.Thread, contact: it.Contact}, true)
		}
		if ok && open == it.Contact {
			return true, w.arrive(ctx, it, m, p, place{thread: sent.Thread, contact: it.Contact, report: sent.Report}, true)
		}
	}
	m.Contact = sent.Contact
	_, err = w.o.Records.AddMessage(ctx, m)
	return true, err
}
