package agentdesk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

// Bounds of a message a handler writes.
const (
	recipientsMax  = 20
	subjectMax     = 300      // characters
	messageMax     = 100_000  // bytes
	attachmentsMax = 20       // files
	attachAllMax   = 18 << 20 // bytes of all files: 25 MB once encoded
	keyMax         = 64
)

// checkDraft tidies a draft as typed. What is unfinished is taken; what cannot
// be kept names its field.
func (s *Server) checkDraft(d *Draft) error {
	if len(d.To)+len(d.Cc) > recipientsMax {
		return invalid("draft.to", "A message may go to at most "+strconv.Itoa(recipientsMax)+" addresses.")
	}
	for field, list := range map[string][]crm.Mailbox{"draft.to": d.To, "draft.cc": d.Cc} {
		for _, m := range list {
			if err := line(field, m.Name, nameMax); err != nil {
				return err
			}
			if err := line(field, m.Address, addressMax); err != nil {
				return err
			}
		}
	}
	if err := line("draft.subject", d.Subject, subjectMax); err != nil {
		return err
	}
	if err := text("draft.text", d.Text, messageMax); err != nil {
		return err
	}
	if len(d.Text) > messageMax {
		return invalid("draft.text", "A message holds at most 100,000 bytes. Send the rest as a file.")
	}
	if len(d.Attachments) > attachmentsMax {
		return invalid("draft.attachments", "A message may have at most 20 files.")
	}
	if d.Language != "" && !hasCode(s.o.Languages, d.Language) {
		return invalid("draft.language", "Choose one of the languages listed.")
	}
	if d.Mailbox != "" && !slices.ContainsFunc(s.o.Mailboxes, func(m Mailbox) bool { return m.Key == d.Mailbox }) {
		return invalid("draft.mailbox", "Choose one of the addresses listed to write from.")
	}
	for field, v := range map[string]string{"draft.template": d.Template, "draft.in_reply_to": string(d.InReplyTo)} {
		if err := line(field, v, 64); err != nil {
			return err
		}
	}
	return nil
}

// addressMax bounds an address, in characters.
const addressMax = 254

// line is text without line breaks.
func line(field, s string, most int) error {
	if strings.ContainsAny(s, "\r\n\t") {
		return invalid(field, "Write this in one line.")
	}
	return text(field, s, most)
}

func saveDraft(ctx context.Context, r *request) (any, error) {
	var in SaveDraftRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := r.s.checkDraft(&in.Draft); err != nil {
		return nil, err
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	before, err := r.s.readDraft(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	stored := storedDraft{Draft: in.Draft}
	if stored.Files, err = r.files(ctx, in.Draft.Attachments, before); err != nil {
		return nil, err
	}
	stored.Attachments = uploadsOf(stored.Files)
	stored.Author, stored.SavedAt = string(r.d.agent), r.s.instant()
	revision, err := r.s.putDraft(ctx, in.Contact, in.Base, stored)
	if errors.Is(err, crm.ErrConflict) {
		newest, rerr := r.s.readDraft(ctx, in.Contact)
		if rerr != nil || newest == nil {
			return nil, errors.Join(err, rerr)
		}
		r.d.refresh(in.Contact)
		return newest.Draft, &Error{Code: CodeDraftConflict, Message: "The draft was changed elsewhere since you opened it. Your text is kept here; compare it with the newer one.", Field: "base"}
	}
	if err != nil {
		return nil, err
	}
	stored.Revision = revision
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	// The Ack goes first: the page knows its own text before the delta repeats it.
	r.ack(nil, SaveDraftReply{Revision: revision})
	r.acked = true
	r.d.showDraftLocked(in.Contact, &stored.Draft)
	return nil, nil
}

func (s *Server) putDraft(ctx context.Context, id contact.ID, base uint64, d storedDraft) (uint64, error) {
	d.Revision = 0 // the store counts
	var body json.RawMessage
	if !d.empty() {
		var err error
		if body, err = json.Marshal(d); err != nil {
			return 0, err
		}
	}
	return s.o.Messages.SaveDraft(ctx, string(id), draftKey, base, body)
}

// showDraftLocked shows a draft on the work item it belongs to.
func (d *desk) showDraftLocked(id contact.ID, draft *Draft) {
	i := d.knowsLocked(id)
	if i < 0 || d.state.Work[i].Written == nil {
		return
	}
	written := *d.state.Work[i].Written // a copy: what was published is not touched
	if old := written.Draft; old != nil && old.Revision > draft.Revision {
		return
	}
	written.Draft = draft
	d.state.Work[i].Written = &written
	d.publishWorkLocked()
}

// recipients holds addresses to their form and to the people behind them.
func (s *Server) recipients(ctx context.Context, field string, list []crm.Mailbox) ([]crm.Mailbox, error) {
	out := make([]crm.Mailbox, 0, len(list))
	for _, m := range list {
		address := strings.TrimSpace(m.Address)
		if _, ok := crm.CanonicalEmail(address); !ok || strings.ContainsAny(address, " \"<>,;:") {
			return nil, invalid(field, "One of the addresses is not an e-mail address.")
		}
		for _, box := range s.o.Mailboxes {
			if strings.EqualFold(box.Address, address) {
				return nil, invalid(field, "That is one of our own addresses. Forward the contact instead.")
			}
		}
		people, err := s.o.Messages.ByEmail(ctx, address)
		if err != nil {
			return nil, err
		}
		if why := unsafeToWrite(people, address); why != "" {
			return nil, &Error{Code: CodeUnsafeContact, Message: why + " Look at how they can be reached safely.", Field: field}
		}
		out = append(out, crm.Mailbox{Name: m.Name, Address: address})
	}
	return out, nil
}

func sendMessage(ctx context.Context, r *request) (any, error) {
	var in SendRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if n := len(in.Key); n < 8 || n > keyMax || strings.ContainsFunc(in.Key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, invalid("key", "The key is 8 to 64 visible characters, made once for each message.")
	}
	d := in.Draft
	if err := r.s.checkDraft(&d); err != nil {
		return nil, err
	}
	switch {
	case len(d.To) == 0:
		return nil, invalid("draft.to", "Give at least one address to send to.")
	case strings.TrimSpace(d.Text) == "":
		return nil, invalid("draft.text", "Write the message first.")
	}
	if left := unfilled(d.Subject + "\n" + d.Text); left != "" {
		return nil, invalid("draft.text", "Replace ["+left+"] first.")
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	rec, err := r.s.o.Records.Record(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	out := Outgoing{
		Contact: in.Contact, Report: rec.Report, Thread: rec.Thread, From: d.Mailbox, Subject: strings.TrimSpace(d.Subject), Text: d.Text,
		InReplyTo: d.InReplyTo, Author: string(r.d.agent), Template: d.Template, Language: d.Language,
		// A key is the handler's own: nobody can get at another's message with it.
		Key: "desk:" + string(r.d.agent) + ":" + string(in.Contact) + ":" + in.Key,
	}
	if out.To, err = r.s.recipients(ctx, "draft.to", d.To); err != nil {
		return nil, err
	}
	if out.Cc, err = r.s.recipients(ctx, "draft.cc", d.Cc); err != nil {
		return nil, err
	}
	if why, err := r.unsafeContact(ctx, rec); err != nil || why != "" {
		if err == nil {
			err = &Error{Code: CodeUnsafeContact, Message: why + " Look at how they can be reached safely.", Field: "draft.to"}
		}
		return nil, err
	}
	if err := r.answers(ctx, &out, rec, d.Quote); err != nil {
		return nil, err
	}
	if out.From == "" && len(r.s.o.Mailboxes) > 0 {
		out.From = r.s.o.Mailboxes[0].Key
	}
	before, err := r.s.readDraft(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	if out.Attachments, err = r.files(ctx, d.Attachments, before); err != nil {
		return nil, err
	}
	sent, err := r.s.send(ctx, out)
	if err != nil {
		return nil, err
	}
	r.dropDraft(ctx, in.Contact, before)
	r.d.refresh(in.Contact)
	return SendReply{Message: r.s.message(sent, r.s.names.get(ctx, r.s), textShown)}, nil
}

// send puts the disclosure on the trail and the message into the outbox.
func (s *Server) send(ctx context.Context, out Outgoing) (crm.Message, error) {
	fields := []string{"text"}
	if len(out.Attachments) > 0 {
		fields = append(fields, "attachments")
	}
	err := s.trail(ctx, audit.Entry{
		Operation: audit.Disclose, Object: "contact", ObjectID: string(out.Contact), Fields: fields,
		Purpose: "reply", Recipient: fmt.Sprintf("%d e-mail addresses", len(out.To)+len(out.Cc)), Correlation: out.Contact, Outcome: "ok",
	})
	if err != nil {
		return crm.Message{}, err
	}
	return s.o.Outbox.Send(ctx, out)
}

// unsafeContact tells why the person a contact is recorded for must not be
// written to.
func (r *request) unsafeContact(ctx context.Context, rec crm.Record) (string, error) {
	if rec.Person == "" {
		return "", nil
	}
	ctx, _ = r.s.reopened(ctx, personObject(string(rec.Person)))
	p, err := r.s.o.Records.Person(ctx, rec.Person)
	if errors.Is(err, crm.ErrRestricted) {
		// Whoever may not see the record must not write past what it forbids.
		return "This person's record is restricted: open it for a reason first.", nil
	}
	if err != nil {
		return "", err
	}
	return unsafeToWrite([]crm.Person{p}, rec.Email), nil
}

// answers fills in what comes from the message that is answered.
func (r *request) answers(ctx context.Context, out *Outgoing, rec crm.Record, quote bool) error {
	if out.InReplyTo == "" {
		if out.Subject == "" {
			return invalid("draft.subject", "Give a subject.")
		}
		return nil
	}
	m, err := r.s.o.Messages.Message(ctx, out.InReplyTo)
	if errors.Is(err, crm.ErrNotFound) || err == nil && m.Contact != rec.ID && (rec.Thread == "" || m.Thread != rec.Thread) {
		return invalid("draft.in_reply_to", "The message to answer does not belong to this contact.")
	}
	if err != nil {
		return err
	}
	if out.Subject == "" {
		out.Subject = replySubject(m.Subject)
	}
	if out.From == "" {
		out.From = r.s.mailboxFor(m)
	}
	if quote {
		out.Text = strings.TrimRight(out.Text, "\n") + "\n\n" + quoted(m)
	}
	return nil
}

// replySubject is a subject with one "Re:" before it.
func replySubject(s string) string {
	s = strings.TrimSpace(s)
	for len(s) >= 3 && strings.EqualFold(s[:3], "re:") {
		s = strings.TrimSpace(s[3:])
	}
	if s == "" {
		return "Re: your message"
	}
	s, _ = opening(s, subjectMax-4)
	return "Re: " + s
}

// quoteMax bounds what is quoted of a message, in bytes.
const quoteMax = 30_000

// quoted is a message's text as a reply repeats it.
func quoted(m crm.Message) string {
	who := m.From.Name
	if who == "" {
		who = m.From.Address
	}
	text, more := opening(strings.TrimSpace(m.Text), quoteMax)
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s:\n", m.At.Time().UTC().Format("2 January 2006 15:04 MST"), who)
	for l := range strings.Lines(text) {
		b.WriteString("> " + strings.TrimRight(l, "\r\n") + "\n")
	}
	if more {
		b.WriteString("> …\n")
	}
	return b.String()
}

// dropDraft forgets the draft of a message that was sent. One that somebody
// changed meanwhile stays; one that cannot be dropped is offered again, no worse.
func (r *request) dropDraft(ctx context.Context, id contact.ID, before *storedDraft) {
	if before == nil || before.empty() {
		return
	}
	revision, err := r.s.putDraft(ctx, id, before.Revision, storedDraft{})
	if err != nil {
		if !errors.Is(err, crm.ErrConflict) {
			r.s.log.Warn().Err(err).Str("contact", string(id)).Msg("the draft of a message that was sent could not be dropped")
		}
		return
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.d.showDraftLocked(id, &Draft{Revision: revision})
}
