package email

import (
	"context"
	"errors"
	"fmt"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/inbox"
)

// receipt tells a sender that their message arrived, and its reference. It goes
// to no program, list or unsafe address, and to no address of our own.
func (w *Worker) receipt(ctx context.Context, it inbox.Item, m crm.Message, p Parsed, box Mailbox, facts contact.Facts) error {
	why := p.NoReceipt
	if _, ours := w.o.Mailboxes.ByAddress(p.From.Address); why == "" && ours {
		why = "our_own_address"
	}
	if why == "" && !box.Receipt {
		why = "switched_off"
	}
	if why == "" {
		ok, err := w.o.Threads.mayReceive(ctx, p.From.Address, string(it.Contact))
		if err != nil {
			return inbox.Later(err)
		}
		if !ok {
			why = "too_many"
		}
	}
	if why != "" {
		w.o.Metrics.receipts.WithLabelValues(why).Inc()
		return nil
	}
	_, err := w.o.Outbox.Send(ctx, Outgoing{
		Contact: it.Contact, Report: m.Report, Thread: m.Thread, From: box.Name, To: []crm.Mailbox{p.From}, InReplyTo: m.ID,
		Author: AutomaticAuthor, Template: "receipt", Language: facts.Language, Key: "receipt:" + string(it.Contact),
	})
	switch {
	case errors.Is(err, ErrUnsafe):
		w.o.Metrics.receipts.WithLabelValues("unsafe").Inc()
		return nil
	case errors.Is(err, ErrInvalid):
		w.o.Metrics.receipts.WithLabelValues("invalid").Inc()
		return nil // the sender's address is none that can be written to
	case err != nil:
		return inbox.Later(fmt.Errorf("email: send the receipt: %w", err))
	}
	w.o.Metrics.receipts.WithLabelValues("sent").Inc()
	return nil
}
