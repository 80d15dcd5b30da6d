package agentdesk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/routing"
)

func queueView(q routing.QueueStatus) agentdesk.QueueView {
	v := agentdesk.QueueView{Queue: q.Queue, Label: q.Label, Open: q.Open, Waiting: q.Waiting, OldestArrival: q.OldestArrival, MostDue: q.MostDue}
	for _, c := range q.Channels {
		v.Channels = append(v.Channels, agentdesk.ChannelWaiting(c))
	}
	return v
}

// outbox keeps what is sent in the CRM, as the real one does, and delivers
// nothing.
type outbox struct {
	w    *world
	mu   sync.Mutex
	sent map[string]agentdesk.Outgoing
	fail error
}

func (o *outbox) Send(ctx context.Context, out agentdesk.Outgoing) (crm.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return crm.Message{}, o.fail
	}
	o.sent[out.Key] = out
	sum := sha256.Sum256([]byte(out.Key))
	return o.w.crm.AddMessage(ctx, crm.Message{
		ID: crm.MessageID(hex.EncodeToString(sum[:13])), Contact: out.Contact, Report: out.Report, Thread: out.Thread, Channel: contact.Email, Direction: crm.Outgoing,
		At: contact.Instant(o.w.now.Load()), Author: out.Author, From: crm.Mailbox{Address: "contact@example.org"}, To: out.To, Cc: out.Cc,
		Subject: out.Subject, Text: out.Text, Attachments: out.Attachments, Delivery: crm.Delivery{State: crm.DeliveryCreated},
	})
}

func (o *outbox) all() []agentdesk.Outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []agentdesk.Outgoing
	for _, out := range o.sent {
		list = append(list, out)
	}
	return list
}

// mail lets somebody write: recorded in the CRM, then sent to the engine.
func (w *world) mail(from, subject, text string, change ...func(*crm.Message)) contact.ID {
	w.t.Helper()
	w.made++
	id := contact.ID(fmt.Sprintf("01TESTCONTACT%013d", w.made))
	at := contact.Instant(w.now.Load())
	facts, err := w.crm.IdentifyWritten(w.ctx(), crm.WrittenArrival{
		Arrival: crm.Arrival{ID: id, Channel: contact.Email, Caller: contact.Caller{CLI: contact.CLIUnavailable}, At: at, Facts: contact.Facts{Language: "en"}},
		Email:   from, Subject: subject, Thread: crm.ThreadID("thread-" + string(id)),
	})
	must(w.t, err)
	w.message(id, from, subject, text, change...)
	w.submit(routing.ContactArrived{Contact: id, Channel: contact.Email, Arrival: at, Facts: facts})
	return id
}

// message records one message of a contact.
func (w *world) message(id contact.ID, from, subject, text string, change ...func(*crm.Message)) crm.Message {
	w.t.Helper()
	w.made++
	m := crm.Message{
		ID: crm.MessageID(fmt.Sprintf("01TESTMESSAGE%013d", w.made)), Contact: id, Thread: crm.ThreadID("thread-" + string(id)), Channel: contact.Email,
		Direction: crm.Incoming, At: contact.Instant(w.now.Load() - int64(time.Hour) + int64(w.made)), From: crm.Mailbox{Name: "Sender", Address: from},
		To: []crm.Mailbox{{Address: "kontakt@example.org"}}, Subject: subject, Text: text, MessageID: fmt.Sprintf("%d@mail.example.org", w.made),
	}
	for _, f := range change {
		f(&m)
	}
	m, err := w.crm.AddMessage(w.ctx(), m)
	must(w.t, err)
	return m
}

func (w *world) put(content string) (blob.Ref, int64) {
	w.t.Helper()
	ref, size, err := w.blobs.Put(w.ctx(), bytes.NewReader([]byte(content)), 1<<20)
	must(w.t, err)
	return ref, size
}

// taken gives a handler an e-mail that is on their desk with all that is known.
func (w *world) taken(d *deskclient.Desk, id contact.ID) agentdesk.WorkItem {
	w.t.Helper()
	item := w.work(d, func(i agentdesk.WorkItem) bool { return i.Contact == id && ringing(i) })
	must(w.t, d.Accept(w.ctx(), item.Offer))
	return w.work(d, func(i agentdesk.WorkItem) bool {
		return i.Contact == id && i.Phase == routing.PhaseTalking && i.Written != nil && len(i.Written.Messages) > 0
	})
}

// trailed reads what is on the trail of an object, newest first.
func (w *world) trailed(q audit.Query) []audit.Entry {
	w.t.Helper()
	page, err := w.trail.Read(audit.With(w.ctx(), audit.System), q)
	must(w.t, err)
	return page.Entries
}

func none(d agentdesk.Desk) bool { return len(d.Work) == 0 }
