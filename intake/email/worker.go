package email

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/triage"
	"example.org/c3i/routing"
)

// Scanner looks for malware; Clamd is one.
type Scanner interface {
	Scan(ctx context.Context, data []byte) crm.ScanResult
}

// WorkerOptions configure a Worker; all but Scanner, Checker, Limits, Languages,
// Now, Log and Metrics are needed.
type WorkerOptions struct {
	Records   Records
	Router    Router
	Blobs     blob.Store
	Threads   *Threads
	Mailboxes Mailboxes
	Outbox    *Outbox
	Scanner   Scanner
	Checker   Checker
	// Largest bounds a message, in bytes.
	Largest int64
	Limits  Limits
	// Languages are those a guess may name; any if empty.
	Languages []string
	Now       func() time.Time
	Log       zerolog.Logger
	Metrics   *Metrics
}

// Worker brings accepted messages into the CRM and routing. It is the inbox's
// worker for e-mail; every step it takes may be repeated.
type Worker struct {
	o    WorkerOptions
	step func(string) error // tests end the process here
}

var _ inbox.Worker = (*Worker)(nil)

// NewWorker makes a Worker.
func NewWorker(o WorkerOptions) *Worker {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if o.Scanner == nil {
		o.Scanner = Clamd{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return &Worker{o: o, step: func(string) error { return nil }}
}

// Work implements inbox.Worker.
func (w *Worker) Work(ctx context.Context, it inbox.Item) error {
	ctx = audit.With(ctx, filing)
	raw, err := w.raw(ctx, it)
	if err != nil {
		return troubleOf(err)
	}
	p := Parse(ctx, raw, w.o.Limits)
	if it.Envelope["from"] == nullSender && p.NoReceipt == "" {
		p.NoReceipt = "null_sender"
	}
	if p.Flags.Unreadable {
		return w.unreadable(ctx, it, errors.New("no header was found"))
	}
	m, err := w.message(ctx, it, raw, p)
	if err != nil {
		return err
	}
	if err := w.step("stored"); err != nil {
		return err
	}
	if p.Report != nil {
		if handled, err := w.bounce(ctx, it, m, p); err != nil || handled {
			return err
		}
	}
	return w.file(ctx, it, m, p)
}

// GiveUp implements inbox.Worker: what could not be worked is a contact like any
// other, with the raw message and without its words.
func (w *Worker) GiveUp(ctx context.Context, it inbox.Item, cause error) error {
	return w.unreadable(audit.With(ctx, filing), it, cause)
}

// filing reads restricted records too: what is written about them, or by the
// people they are of, belongs there like anything else.
var filing = audit.Actor{ID: audit.System.ID, Reason: "To file what was received in writing."}

// troubleOf tells whose trouble a blob store's error is: bytes that are gone or
// damaged stay so, and a person must see the message as far as it is there.
func troubleOf(err error) error {
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrCorrupt) || errors.Is(err, blob.ErrTooLarge) {
		return err
	}
	return inbox.Later(err)
}

func (w *Worker) raw(ctx context.Context, it inbox.Item) ([]byte, error) {
	r, err := w.o.Blobs.Open(ctx, it.Blob)
	if err != nil {
		return nil, fmt.Errorf("email: open the raw message: %w", err)
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(io.LimitReader(r, w.o.Largest+1))
	if err != nil {
		return nil, fmt.Errorf("email: read the raw message: %w", err)
	}
	return raw, nil
}

// message makes the message to be filed, with its files stored and scanned.
func (w *Worker) message(ctx context.Context, it inbox.Item, raw []byte, p Parsed) (crm.Message, error) {
	m := crm.Message{
		ID: crm.MessageID(it.Contact), Channel: contact.Email, Direction: crm.Incoming, At: it.At,
		From: p.From, To: p.To, Cc: p.Cc, Subject: p.Subject, Text: p.Text, Raw: it.Blob, Flags: p.Flags,
		MessageID: p.MessageID, InReplyTo: p.InReplyTo, References: p.References,
	}
	if p.HTML != "" {
		clean := CleanHTML(p.HTML) // longer than what came: characters are escaped
		ref, _, err := w.o.Blobs.Put(ctx, strings.NewReader(clean), int64(len(clean)))
		if err != nil {
			return m, troubleOf(fmt.Errorf("email: keep the HTML: %w", err))
		}
		m.HTML = ref
	}
	for i, f := range p.Files {
		ref, size, err := w.o.Blobs.Put(ctx, bytes.NewReader(f.Data), w.o.Largest)
		if err != nil {
			return m, troubleOf(fmt.Errorf("email: keep an attachment: %w", err))
		}
		scan := w.o.Scanner.Scan(ctx, f.Data)
		w.o.Metrics.scans.WithLabelValues(string(scan)).Inc()
		m.Attachments = append(m.Attachments, crm.Attachment{
			ID: strconv.Itoa(i + 1), Name: f.Name, Blob: ref, Size: size, Declared: f.Declared, Detected: f.Detected,
			ContentID: f.ContentID, Scan: scan,
		})
	}
	e := envelope{remote: net.ParseIP(it.Envelope["remote"]), helo: it.Envelope["helo"], from: it.Envelope["from"]}
	if e.from == nullSender {
		e.from = ""
	}
	m.Auth = w.o.Checker.Check(ctx, raw, p, e)
	return m, nil
}

// nullSender is how an envelope holds the empty sender of bounces.
const nullSender = "<>"

// place is where a message belongs.
type place struct {
	thread  crm.ThreadID
	report  crm.ReportID
	contact contact.ID
	// joins says that the contact is one that has not ended.
	joins bool
	// repeat says that the same message is there already.
	repeat bool
	// unverified says that a reference was quoted by somebody who does not take part.
	unverified bool
}

// file puts a message where it belongs and tells routing of a new contact.
func (w *Worker) file(ctx context.Context, it inbox.Item, m crm.Message, p Parsed) error {
	thread, report, unverified, err := w.thread(ctx, p, m)
	if err != nil {
		return err
	}
	known := thread != ""
	if !known {
		thread = crm.ThreadID(it.Contact)
	}
	at := place{thread: thread, report: report, contact: it.Contact, unverified: unverified}
	if !known {
		return w.arrive(ctx, it, m, p, at, false)
	}
	// One message at a time decides whether the thread has a contact to join.
	return w.o.Threads.locked(ctx, thread, func() error {
		if err := w.join(ctx, it, m, p, &at); err != nil {
			return err
		}
		switch {
		case at.repeat:
			w.o.Metrics.filed.WithLabelValues("repeat").Inc()
			return nil
		case !at.joins:
			return w.arrive(ctx, it, m, p, at, true)
		}
		m.Thread, m.Contact, m.Report = at.thread, at.contact, at.report
		if _, err := w.o.Records.AddMessage(ctx, m); err != nil {
			return fmt.Errorf("email: file the message: %w", err)
		}
		if err := w.step("joined"); err != nil {
			return err
		}
		if open, err := w.joins(ctx, at.contact); err != nil {
			return err
		} else if !open {
			at.contact = it.Contact
			return w.arrive(ctx, it, m, p, at, true)
		}
		w.o.Metrics.filed.WithLabelValues("joined").Inc()
		w.o.Log.Info().Str("contact", string(at.contact)).Msg("an e-mail joined its contact")
		return nil
	})
}

// join finds the contact of a known thread that a message belongs to. One that
// suggests risk is a contact of its own, since routing must see it at once.
func (w *Worker) join(ctx context.Context, it inbox.Item, m crm.Message, p Parsed, at *place) error {
	// What an earlier attempt decided stands.
	before, err := w.o.Records.Message(ctx, m.ID)
	if err == nil {
		at.contact, at.joins = before.Contact, before.Contact != it.Contact
		return nil
	}
	if !errors.Is(err, crm.ErrNotFound) {
		return err
	}
	list, err := w.o.Records.ThreadMessages(ctx, at.thread, 100)
	if err != nil {
		return err
	}
	for _, had := range list {
		if had.Direction == crm.Incoming && m.MessageID != "" && had.MessageID == m.MessageID && had.From.Address == m.From.Address && had.Text == m.Text && len(had.Attachments) == len(m.Attachments) && had.ID != m.ID {
			at.repeat = true // the same message to another of our addresses
			return nil
		}
	}
	if assess(p, true).Risk != triage.NoRisk {
		return nil
	}
	open, ok, err := w.o.Records.OpenContactOf(ctx, at.thread)
	if err != nil {
		return err
	}
	if ok && open != it.Contact {
		at.contact, at.joins = open, true
	}
	return nil
}

// joins asks routing, which alone knows, whether a contact is one that its handler
// will still look at. The message is in it by then, so that they cannot end it
// without having been shown the message.
func (w *Worker) joins(ctx context.Context, id contact.ID) (bool, error) {
	actions, err := w.o.Router.SubmitWait(ctx, routing.MessageJoined{Contact: id})
	if err != nil {
		return false, inbox.Later(fmt.Errorf("email: tell routing of a message that joins: %w", err))
	}
	for _, a := range actions {
		if r, is := a.(routing.Refused); is && r.Event == (routing.MessageJoined{}).Kind() {
			return false, nil
		}
	}
	return true, nil
}

// arrive makes a new contact: the CRM's record, the message, then routing, then
// the receipt. A crash after any of them is made good by doing all again.
func (w *Worker) arrive(ctx context.Context, it inbox.Item, m crm.Message, p Parsed, at place, known bool) error {
	box, _ := w.o.Mailboxes.ByName(it.Envelope["mailbox"])
	found := assess(p, known)
	facts := contact.Facts{Language: w.language(found.Language, box), Answers: answers(box, found, m, at)}
	facts, err := w.o.Records.IdentifyWritten(ctx, crm.WrittenArrival{
		Arrival: crm.Arrival{ID: it.Contact, Channel: contact.Email, At: it.At, Facts: facts},
		Email:   p.From.Address, Subject: m.Subject, Thread: at.thread, Report: at.report,
	})
	if err != nil {
		return fmt.Errorf("email: record the contact: %w", err)
	}
	if err := w.step("identified"); err != nil {
		return err
	}
	m.Contact, m.Thread, m.Report = it.Contact, at.thread, at.report
	had, err := w.o.Records.AddMessage(ctx, m)
	if err == nil && had.Contact != it.Contact { // one that ended as the message came
		_, err = w.o.Records.MoveMessage(ctx, m.ID, it.Contact)
	}
	if err != nil {
		return fmt.Errorf("email: file the message: %w", err)
	}
	if err := w.step("filed"); err != nil {
		return err
	}
	if err := w.submit(ctx, it, facts); err != nil {
		return err
	}
	if err := w.step("submitted"); err != nil {
		return err
	}
	w.o.Metrics.filed.WithLabelValues("contact").Inc()
	if found.Risk != triage.NoRisk {
		w.o.Log.Warn().Str("contact", string(it.Contact)).Str("risk", string(found.Risk)).Msg("an e-mail may be about somebody at risk")
	}
	if known {
		return nil // whoever writes again has a receipt
	}
	return w.receipt(ctx, it, m, p, box, facts)
}

// assess looks at a message's words. The subject of a reply is that of the message
// it answers, which was assessed when it came.
func assess(p Parsed, known bool) triage.Result {
	in := triage.Input{Channel: contact.Email, Subject: WithoutTokens(p.Subject), Text: p.Text, Reply: known}
	if known {
		in.Subject = ""
	}
	return triage.Assess(in)
}

func (w *Worker) submit(ctx context.Context, it inbox.Item, facts contact.Facts) error {
	err := w.o.Router.Submit(ctx, routing.ContactArrived{Contact: it.Contact, Channel: contact.Email, Arrival: it.At, Facts: facts})
	if err != nil {
		return inbox.Later(fmt.Errorf("email: hand the contact to routing: %w", err))
	}
	return nil
}

// language is the guess when it is one that is served, else the mailbox's.
func (w *Worker) language(guess string, box Mailbox) string {
	if guess != "" && (len(w.o.Languages) == 0 || contains(w.o.Languages, guess)) {
		return guess
	}
	return box.Language
}

// answers are what the plan's rules see of an e-mail, as answers.<name>.
func answers(box Mailbox, found triage.Result, m crm.Message, at place) map[string]string {
	a := maps.Clone(box.Answers)
	if a == nil {
		a = map[string]string{}
	}
	maps.Copy(a, found.Answers)
	a["mailbox"] = box.Name
	for name, is := range map[string]bool{
		"automatic": m.Flags.Automatic, "bounce": m.Flags.Bounce, "list": m.Flags.List, "unreadable": m.Flags.Unreadable, "encrypted": m.Flags.Encrypted,
	} {
		if is {
			a[name] = "yes"
		}
	}
	if at.unverified {
		a["reference"] = "unverified"
	}
	if m.Auth.DMARC == "fail" {
		a["sender"] = "unproven"
	}
	return a
}

// thread finds the thread a message belongs to, if its sender takes part in it.
func (w *Worker) thread(ctx context.Context, p Parsed, m crm.Message) (crm.ThreadID, crm.ReportID, bool, error) {
	unverified := false
	tried := map[crm.ThreadID]bool{"": true}
	try := func(id crm.ThreadID) (bool, error) {
		if tried[id] {
			return false, nil
		}
		tried[id] = true
		ok, err := takesPart(ctx, w.o.Records, id, p.From.Address)
		if err == nil && !ok {
			unverified = true
		}
		return ok, err
	}
	var to []string
	for _, b := range append(append([]crm.Mailbox(nil), p.To...), p.Cc...) {
		to = append(to, b.Address)
	}
	to = append(to, p.Delivered...)
	for _, r := range w.o.Threads.Signer.References(p.Subject, to...) {
		id, err := w.o.Threads.Thread(ctx, r)
		if err != nil {
			return "", "", false, err
		}
		if ok, err := try(id); err != nil {
			return "", "", false, err
		} else if ok {
			report, err := w.reportOf(ctx, id)
			return id, report, false, err
		}
	}
	for _, id := range related(p) {
		had, err := w.o.Records.MessageByHeader(ctx, id)
		if errors.Is(err, crm.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", "", false, err
		}
		if had.ID == m.ID {
			// An earlier attempt filed this very message, perhaps as a thread's first.
			if had.Thread == crm.ThreadID(m.ID) {
				return "", "", false, nil
			}
			return had.Thread, had.Report, false, nil
		}
		if ok, err := try(had.Thread); err != nil {
			return "", "", false, err
		} else if ok {
			report, err := w.reportOf(ctx, had.Thread)
			return had.Thread, report, false, err
		}
	}
	return "", "", unverified, nil
}

// related are the Message-IDs that may tell a message's thread, the likeliest
// first: its own, what it answers, and what that answered.
func related(p Parsed) []string {
	var out []string
	seen := map[string]bool{"": true}
	add := func(id string) {
		if !seen[id] && len(out) < 30 {
			seen[id] = true
			out = append(out, id)
		}
	}
	add(p.MessageID)
	for _, id := range p.InReplyTo {
		add(id)
	}
	for i := len(p.References) - 1; i >= 0; i-- {
		add(p.References[i])
	}
	return out
}

// reportOf is the report a thread's newest message belongs to.
func (w *Worker) reportOf(ctx context.Context, thread crm.ThreadID) (crm.ReportID, error) {
	list, err := w.o.Records.ThreadMessages(ctx, thread, 500)
	if err != nil {
		return "", err
	}
	var newest crm.Message
	for _, m := range list {
		if m.Report != "" && m.At >= newest.At {
			newest = m
		}
	}
	return newest.Report, nil
}

// unreadable routes a message nobody could read to a person.
func (w *Worker) unreadable(ctx context.Context, it inbox.Item, cause error) error {
	w.o.Log.Warn().Err(cause).Str("contact", string(it.Contact)).Msg("an e-mail could not be read; a person gets it as it came")
	m := crm.Message{
		ID: crm.MessageID(it.Contact), Contact: it.Contact, Thread: crm.ThreadID(it.Contact), Channel: contact.Email, Direction: crm.Incoming,
		At: it.At, Subject: "This message could not be read", Raw: it.Blob, Flags: crm.MessageFlags{Unreadable: true},
		From: crm.Mailbox{Address: canonicalAddress(it.Envelope["from"])},
		Text: "C3i could not read this message. It was kept as it came.",
	}
	box, _ := w.o.Mailboxes.ByName(it.Envelope["mailbox"])
	facts, err := w.o.Records.IdentifyWritten(ctx, crm.WrittenArrival{
		Arrival: crm.Arrival{ID: it.Contact, Channel: contact.Email, At: it.At, Facts: contact.Facts{
			Language: box.Language, Answers: answers(box, triage.Result{}, m, place{}),
		}},
		Email: m.From.Address, Subject: m.Subject, Thread: m.Thread,
	})
	if err != nil {
		return fmt.Errorf("email: record the contact: %w", err)
	}
	if _, err := w.o.Records.AddMessage(ctx, m); err != nil {
		return fmt.Errorf("email: file the message: %w", err)
	}
	w.o.Metrics.filed.WithLabelValues("unreadable").Inc()
	return w.submit(ctx, it, facts)
}
