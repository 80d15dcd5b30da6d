package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/intake/inbox"
)

// OutboxOptions configure an Outbox.
type OutboxOptions struct {
	Redis     redis.UniversalClient
	Records   Records
	Blobs     blob.Store
	Threads   *Threads
	Mailboxes Mailboxes
	Templates *Templates
	Transport Transport
	// PlusAddresses puts the reference into the address answers go to as well as
	// into the subject. The mail server must deliver NAME+anything@ as NAME@.
	PlusAddresses bool
	// Backoff tells how long to wait after attempt n; GiveUpAfter attempts a message
	// is given up and a person told. By default that is after about four days.
	Backoff     func(n int) time.Duration
	GiveUpAfter int
	// NewID makes ids of messages.
	NewID func() string
	// Changed is told of contacts a message of which got further on its way.
	Changed func(contact.ID)
	Now     func() time.Time
	Log     zerolog.Logger
	Inbox   inbox.Options // for tests: Poll, Lease and the like
	Metrics *Metrics
}

// Outbox keeps messages until they are sent. A message that Send returned is
// durable: it is sent, or a person is told that it was not. The next mail server
// may get it twice when C3i dies between handing it over and noting so; both
// copies have one Message-ID.
type Outbox struct {
	o     OutboxOptions
	queue *inbox.Inbox
	step  func(string) error // tests end the process here
}

// NewOutbox makes an Outbox.
func NewOutbox(o OutboxOptions) *Outbox {
	if o.Backoff == nil {
		o.Backoff = sendBackoff
	}
	if o.Changed == nil {
		o.Changed = func(contact.ID) {}
	}
	if o.GiveUpAfter == 0 {
		o.GiveUpAfter = 30
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = contact.NewIDs(o.Now).New
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	q := o.Inbox
	q.Redis, q.MaxAttempts, q.Backoff, q.Log = o.Redis, o.GiveUpAfter, o.Backoff, o.Log
	return &Outbox{o: o, queue: inbox.New(q), step: func(string) error { return nil }}
}

// sendBackoff is 10 s, 30 s, 2 min, 8 min, 30 min, 1 h, 2 h and then every 4 hours.
func sendBackoff(n int) time.Duration {
	steps := []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 8 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}
	if n <= len(steps) {
		return steps[max(n, 1)-1]
	}
	return 4 * time.Hour
}

// parcel is what lies in the outbox: the message and how to make its bytes.
type parcel struct {
	Message   crm.Message `json:"message"`
	Mailbox   string      `json:"mailbox"`
	Language  string      `json:"language,omitempty"`
	Reference Reference   `json:"reference"`
}

// Send keeps a message to be sent and returns it once that is durable. A repeat
// with the same Key returns the message of the first time. ErrUnsafe and
// ErrInvalid mean that nothing was kept.
func (b *Outbox) Send(ctx context.Context, o Outgoing) (crm.Message, error) {
	if err := o.check(); err != nil {
		return crm.Message{}, err
	}
	var answered crm.Message
	if o.InReplyTo != "" {
		var err error
		if answered, err = b.o.Records.Message(ctx, o.InReplyTo); err != nil {
			return crm.Message{}, fmt.Errorf("email: read the message that is answered: %w", err)
		}
	}
	for i, m := range slices.Concat(o.To, o.Cc) {
		ok, err := safe(ctx, b.o.Records, m.Address, o.Contact, o.Report)
		if err != nil {
			return crm.Message{}, fmt.Errorf("email: see whether it is safe to write: %w", err)
		}
		if !ok {
			return crm.Message{}, fmt.Errorf("to[%d]: this person said not to be written to there: %w", i, ErrUnsafe)
		}
	}
	box, ok := b.mailbox(o.From, answered)
	if !ok {
		return crm.Message{}, fmt.Errorf("%w: from: %q is none of our mailboxes", ErrInvalid, o.From)
	}
	p, err := b.write(ctx, o, answered, box)
	if err != nil {
		return crm.Message{}, err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return crm.Message{}, fmt.Errorf("email: %w", err)
	}
	it := inbox.Item{
		Key: o.Key, Kind: inbox.Sending, Contact: contact.ID(nonEmpty(string(o.Contact), string(p.Message.ID))), At: p.Message.At,
		Body: body, Envelope: map[string]string{"message": string(p.Message.ID)},
	}
	kept, repeat, err := b.queue.Accept(ctx, it)
	if err != nil {
		return crm.Message{}, fmt.Errorf("email: keep the message to be sent: %w", err)
	}
	if repeat {
		if m, err := b.o.Records.Message(ctx, crm.MessageID(kept.Envelope["message"])); err == nil {
			return m, nil
		}
		// The first time broke off before the CRM had it.
		if err := json.Unmarshal(kept.Body, &p); err != nil {
			return crm.Message{}, fmt.Errorf("email: a kept message cannot be read: %w", err)
		}
	}
	if err := b.step("kept"); err != nil {
		return crm.Message{}, err
	}
	m, err := b.o.Records.AddMessage(ctx, p.Message)
	if err != nil {
		return crm.Message{}, fmt.Errorf("email: file the message: %w", err)
	}
	b.o.Metrics.sent.WithLabelValues("created").Inc()
	return m, nil
}

// mailbox is the one named, else the one the answered message came to.
func (b *Outbox) mailbox(name string, answered crm.Message) (Mailbox, bool) {
	if name == "" {
		for _, to := range slices.Concat(answered.To, answered.Cc) {
			if box, ok := b.o.Mailboxes.ByAddress(to.Address); ok {
				return box, true
			}
		}
	}
	return b.o.Mailboxes.ByName(name)
}

// write makes the message of an Outgoing.
func (b *Outbox) write(ctx context.Context, o Outgoing, answered crm.Message, box Mailbox) (parcel, error) {
	id := crm.MessageID(b.o.NewID())
	thread := o.Thread
	if thread == "" {
		thread = answered.Thread
	}
	if thread == "" && o.Contact != "" {
		rec, err := b.o.Records.Record(ctx, o.Contact)
		if err != nil && !errors.Is(err, crm.ErrNotFound) {
			return parcel{}, fmt.Errorf("email: read the contact: %w", err)
		}
		thread = rec.Thread
	}
	if thread == "" {
		thread = crm.ThreadID(id)
	}
	ref, err := b.o.Threads.Reference(ctx, thread)
	if err != nil {
		return parcel{}, err
	}
	subject, text, language := o.Subject, o.Text, o.Language
	if subject == "" && answered.Subject != "" {
		subject = "Re: " + withoutRe(WithoutTokens(answered.Subject))
	}
	if o.Template != "" {
		values := map[string]string{"reference": ref.String(), "text": strings.TrimSpace(o.Text), "subject": WithoutTokens(answered.Subject), "sender": nonEmpty(box.SenderName, box.Address)}
		for k, v := range o.Values {
			values[k] = v
		}
		var s string
		if s, text, language, err = b.o.Templates.Render(o.Template, values, o.Language, box.Language); err != nil {
			return parcel{}, err
		}
		if o.Subject == "" && o.InReplyTo == "" || o.Template == "receipt" {
			subject = s
		}
	}
	if o.Quote && answered.ID != "" {
		text = strings.TrimRight(text, "\n") + quoted(answered, answered.At.Time())
	}
	subject = strings.TrimSpace(WithoutTokens(nonEmpty(subject, "Message")) + " " + b.o.Threads.Signer.Token(ref))
	m := crm.Message{
		ID: id, Contact: o.Contact, Report: o.Report, Thread: thread, Channel: contact.Email, Direction: crm.Outgoing,
		At: contact.At(b.o.Now()), Author: nonEmpty(o.Author, AutomaticAuthor),
		From: crm.Mailbox{Name: box.SenderName, Address: box.Address}, To: o.To, Cc: o.Cc,
		Subject: subject, Text: text, Attachments: o.Attachments, MessageID: b.o.Threads.Signer.MessageID(string(id), domainOf(box.Address)),
	}
	m.Delivery = crm.Delivery{State: crm.DeliveryCreated, At: m.At}
	if answered.MessageID != "" {
		m.InReplyTo = []string{answered.MessageID}
		m.References = append(slices.Clone(answered.References), answered.MessageID)
		if len(answered.References) == 0 {
			m.References = append(slices.Clone(answered.InReplyTo), answered.MessageID)
		}
	}
	return parcel{Message: m, Mailbox: box.Name, Language: language, Reference: ref}, nil
}

func withoutRe(subject string) string {
	for {
		head, rest, ok := strings.Cut(subject, ":")
		switch strings.ToLower(strings.TrimSpace(head)) {
		case "re", "odp", "aw", "sv":
			if ok {
				subject = strings.TrimSpace(rest)
				continue
			}
		}
		return subject
	}
}

// Run sends what is kept until ctx ends.
func (b *Outbox) Run(ctx context.Context) {
	b.queue.Run(ctx, map[inbox.Kind]inbox.Worker{inbox.Sending: sender{b}})
}

// Pending reads how many messages wait to be sent.
func (b *Outbox) Pending(ctx context.Context) (inbox.Figures, error) {
	return b.queue.Pending(ctx, inbox.Sending)
}

// sender is the inbox's worker for what is to be sent.
type sender struct{ b *Outbox }

func (s sender) Work(ctx context.Context, it inbox.Item) error {
	ctx = audit.With(ctx, audit.System)
	b := s.b
	var p parcel
	if err := json.Unmarshal(it.Body, &p); err != nil {
		return fmt.Errorf("email: a kept message cannot be read: %w", err)
	}
	m, err := b.o.Records.Message(ctx, p.Message.ID)
	if errors.Is(err, crm.ErrNotFound) {
		m, err = b.o.Records.AddMessage(ctx, p.Message) // Send broke off before it
	}
	if err != nil {
		return inbox.Later(fmt.Errorf("email: read the message: %w", err))
	}
	if m.Delivery.State == crm.DeliveryDelivered || m.Delivery.State == crm.DeliveryPermanent {
		return nil // an earlier attempt got there
	}
	attempt := it.Attempts + 1
	set := func(state crm.DeliveryState, detail string, next time.Duration) error {
		d := crm.Delivery{State: state, At: contact.At(b.o.Now()), Attempts: attempt, Detail: clip(oneLine(detail), 500)}
		if next > 0 {
			d.Next = contact.At(b.o.Now().Add(next))
		}
		b.o.Metrics.sent.WithLabelValues(string(state)).Inc()
		if err := b.o.Records.SetDelivery(ctx, m.ID, d); err != nil {
			return inbox.Later(fmt.Errorf("email: note the delivery: %w", err))
		}
		b.o.Changed(m.Contact)
		return nil
	}
	if err := set(crm.DeliverySending, "", 0); err != nil {
		return err
	}
	for _, to := range slices.Concat(m.To, m.Cc) {
		ok, err := safe(ctx, b.o.Records, to.Address, m.Contact, m.Report)
		if err != nil {
			return inbox.Later(err)
		}
		if !ok {
			if err := set(crm.DeliveryPermanent, "Not sent: this person has since said not to be written to there.", 0); err != nil {
				return err
			}
			return b.failed(ctx, m, "Not sent: this person has since said not to be written to at that address.")
		}
	}
	raw, err := b.bytes(ctx, m, p)
	if err != nil {
		return inbox.Later(err)
	}
	from := m.From.Address
	if m.Author == AutomaticAuthor {
		from = "" // nobody answers a receipt, and a bounce of it is nobody's work
	}
	err = b.deliver(ctx, m, from, raw)
	if e := b.step("handed_over"); e != nil {
		return e
	}
	var failure *SendError
	switch {
	case err == nil:
		return set(crm.DeliveryDelivered, b.o.Transport.Says(), 0)
	case errors.As(err, &failure) && failure.Permanent:
		if err := set(crm.DeliveryPermanent, failure.Detail, 0); err != nil {
			return err
		}
		return b.failed(ctx, m, "Not sent: "+failure.Detail)
	case ctx.Err() != nil:
		return err
	}
	detail := err.Error()
	if failure != nil {
		detail = failure.Detail
		if failure.Insecure {
			// Waiting may help; sending in the clear never happens, and a person knows.
			if err := b.failed(ctx, m, "Held back, because the next mail server offers no sufficient encryption: "+failure.Detail); err != nil {
				return err
			}
		}
	}
	if err := set(crm.DeliveryTemporary, detail, b.o.Backoff(attempt)); err != nil {
		return err
	}
	return err
}

func (s sender) GiveUp(ctx context.Context, it inbox.Item, cause error) error {
	ctx = audit.With(ctx, audit.System)
	id := crm.MessageID(it.Envelope["message"])
	m, err := s.b.o.Records.Message(ctx, id)
	if err != nil {
		return err
	}
	if m.Delivery.State == crm.DeliveryDelivered {
		return nil
	}
	detail := nonEmpty(m.Delivery.Detail, cause.Error())
	err = s.b.o.Records.SetDelivery(ctx, id, crm.Delivery{
		State: crm.DeliveryPermanent, At: contact.At(s.b.o.Now()), Attempts: it.Attempts, Detail: clip("Given up: "+oneLine(detail), 500),
	})
	if err != nil {
		return err
	}
	s.b.o.Changed(m.Contact)
	s.b.o.Metrics.sent.WithLabelValues(string(crm.DeliveryPermanent)).Inc()
	return s.b.failed(ctx, m, "Not sent after many attempts: "+detail)
}

// deliver hands a message over for each recipient that has not got it yet, so
// that a retry for one does not send to the others again.
func (b *Outbox) deliver(ctx context.Context, m crm.Message, from string, raw []byte) error {
	key := "{msent:" + string(m.ID) + "}"
	had, err := b.o.Redis.SMembers(ctx, key).Result()
	if err != nil {
		return err
	}
	var left []string
	for _, to := range slices.Concat(m.To, m.Cc) {
		sum := sha256.Sum256([]byte(to.Address))
		if !slices.Contains(had, hex.EncodeToString(sum[:12])) && !slices.Contains(left, to.Address) {
			left = append(left, to.Address)
		}
	}
	var worst error
	for _, group := range byDomain(left) {
		got, err := b.o.Transport.Deliver(ctx, Delivery{ID: string(m.ID), From: from, To: group, Raw: raw})
		for _, to := range got {
			sum := sha256.Sum256([]byte(to))
			if e := b.o.Redis.SAdd(ctx, key, hex.EncodeToString(sum[:12])).Err(); e != nil {
				return e
			}
		}
		worst = graver(worst, err)
	}
	// Also of what is never delivered to everybody: a try comes within hours.
	_ = b.o.Redis.Expire(ctx, key, 30*24*time.Hour).Err()
	return worst
}

// graver keeps the error that says most: what may still succeed is tried again
// before a permanent refusal of another recipient is final.
func graver(a, b error) error {
	var p *SendError
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case errors.As(a, &p) && p.Permanent:
		return b
	}
	return a
}

// byDomain groups recipients by the domain they are at, in order: each domain has
// its own policy.
func byDomain(to []string) [][]string {
	var out [][]string
	at := map[string]int{}
	for _, a := range to {
		d := domainOf(a)
		i, ok := at[d]
		if !ok {
			i = len(out)
			at[d] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], a)
	}
	return out
}

// bytes composes the message; the same each time.
func (b *Outbox) bytes(ctx context.Context, m crm.Message, p parcel) ([]byte, error) {
	d := draft{
		from: m.From, to: m.To, cc: m.Cc, subject: m.Subject, text: m.Text, messageID: m.MessageID, inReplyTo: m.InReplyTo,
		references: m.References, date: m.At.Time(), language: p.Language, automatic: m.Author == AutomaticAuthor,
	}
	if b.o.PlusAddresses {
		local, domain, _ := cutLast(m.From.Address, "@")
		d.replyTo = crm.Mailbox{Name: m.From.Name, Address: local + "+" + b.o.Threads.Signer.Plus(p.Reference) + "@" + domain}
	}
	for _, a := range m.Attachments {
		data, err := b.file(ctx, a)
		if err != nil {
			return nil, err
		}
		d.files = append(d.files, draftFile{a.Name, a.Detected, data})
	}
	return compose(d)
}

func (b *Outbox) file(ctx context.Context, a crm.Attachment) ([]byte, error) {
	r, err := b.o.Blobs.Open(ctx, a.Blob)
	if err != nil {
		return nil, fmt.Errorf("email: open an attachment: %w", err)
	}
	defer func() { _ = r.Close() }()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(r, bytesAllowed+1)); err != nil {
		return nil, fmt.Errorf("email: read an attachment: %w", err)
	}
	return buf.Bytes(), nil
}

// failed makes it a person's task that a message did not get there. An automatic
// receipt that did not is shown on the contact and is nobody's task.
func (b *Outbox) failed(ctx context.Context, m crm.Message, why string) error {
	if m.Author == AutomaticAuthor && m.Report == "" {
		return nil
	}
	mark := "{mtask:" + string(m.ID) + "}"
	if n, err := b.o.Redis.Exists(ctx, mark).Result(); err != nil || n > 0 {
		return err // it is a task already
	}
	now := contact.At(b.o.Now())
	t, err := b.o.Records.SaveTask(ctx, crm.Task{
		Report: m.Report, Kind: "send_failed", Text: clip(oneLine(why), 500), Due: now.Add(4 * contact.Hour), Owner: owner(m),
	})
	if err != nil {
		return fmt.Errorf("email: make a task of it: %w", err)
	}
	// A crash before this makes a second task, which is better than none.
	return b.o.Redis.Set(ctx, mark, t.ID, 90*24*time.Hour).Err()
}

func owner(m crm.Message) string {
	if m.Author == AutomaticAuthor {
		return ""
	}
	return m.Author
}
