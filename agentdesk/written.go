package agentdesk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// Bounds of what one work item shows of what was written.
const (
	messagesListed = 100     // messages
	textShown      = 20_000  // characters of one message
	textAll        = 120_000 // bytes of all messages of a contact, the newest first
	openingShown   = 200     // characters of a text in a list
)

// writtenPop is what the CRM knows of a written contact beyond a Pop.
type writtenPop struct {
	messages []crm.Message
	earlier  bool
	draft    *Draft
	unsafe   string
}

// readWritten reads the messages of a contact and its thread, and its draft.
func (s *Server) readWritten(ctx context.Context, pop crm.Pop) (*writtenPop, error) {
	if s.o.Messages == nil {
		return &writtenPop{}, nil
	}
	rec := pop.Record
	all, err := s.o.Messages.MessagesOf(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	if rec.Thread != "" {
		thread, err := s.o.Messages.ThreadMessages(ctx, rec.Thread, messagesListed+1)
		if err != nil {
			return nil, err
		}
		for _, m := range thread {
			if !slices.ContainsFunc(all, func(o crm.Message) bool { return o.ID == m.ID }) {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b crm.Message) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	w := &writtenPop{messages: all, earlier: len(all) > messagesListed}
	if w.earlier {
		w.messages = all[len(all)-messagesListed:]
	}
	stored, err := s.readDraft(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	if stored != nil {
		w.draft = &stored.Draft
	}
	w.unsafe = unsafeToWrite(pop.People, rec.Email)
	return w, nil
}

// unsafeToWrite says in a sentence that one of the people must not be written to
// at an address, empty when they may.
func unsafeToWrite(people []crm.Person, address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	for _, p := range people {
		switch safe := p.Safe; {
		case slices.ContainsFunc(safe.UnsafeEmails, func(a string) bool { return strings.EqualFold(a, address) }):
			return "It is not safe to write to this person at that address."
		case safe.Rule == "never":
			return "It is not safe to contact this person."
		case safe.Rule == "limited" && !slices.Contains(safe.Methods, "email"):
			return "It is not safe to write to this person by e-mail."
		}
	}
	return ""
}

// showWritten puts what was written into a work item.
func (s *Server) showWritten(item *WorkItem, rec crm.Record, w *writtenPop, names map[string]string) {
	shown := Written{Subject: rec.Subject, From: crm.Mailbox{Address: rec.Email}, Thread: rec.Thread, Earlier: w.earlier, Draft: w.draft, Unsafe: w.unsafe}
	shown.SpamUntil = item.spamUntil()
	shown.Messages = s.messages(w.messages, names)
	item.Triage = nil
	for i, m := range w.messages {
		if m.Direction != crm.Incoming || m.Contact != rec.ID {
			continue
		}
		if shown.Subject == "" {
			shown.Subject = m.Subject
		}
		if shown.From.Name == "" && strings.EqualFold(m.From.Address, shown.From.Address) || shown.From.Address == "" {
			shown.From = m.From
		}
		shown.ReplyTo = []crm.Mailbox{w.messages[i].From}
		shown.Mailbox = s.mailboxFor(m)
		if s.o.Triage != nil {
			item.Triage = append(item.Triage, s.o.Triage(m, rec.Facts)...)
		}
	}
	if shown.Mailbox == "" && len(s.o.Mailboxes) > 0 {
		shown.Mailbox = s.o.Mailboxes[0].Key
	}
	if item.Written != nil && item.Written.Draft != nil && (shown.Draft == nil || shown.Draft.Revision < item.Written.Draft.Revision) {
		shown.Draft = item.Written.Draft // saved while this was being read
	}
	item.Written = &shown
}

// mailboxFor is the key of the mailbox a message came to, empty if none of ours.
func (s *Server) mailboxFor(m crm.Message) string {
	for _, to := range slices.Concat(m.To, m.Cc) {
		for _, box := range s.o.Mailboxes {
			if strings.EqualFold(box.Address, to.Address) {
				return box.Key
			}
		}
	}
	return ""
}

func (s *Server) triageAnswers(m crm.Message) map[string]string {
	if s.o.TriageAnswers == nil {
		return nil
	}
	return s.o.TriageAnswers(m)
}

// messages puts messages into the desk's words. The texts of the newest are shown
// first, as far as there is room.
func (s *Server) messages(all []crm.Message, names map[string]string) []Message {
	out := make([]Message, len(all))
	room := textAll
	for i := len(all) - 1; i >= 0; i-- {
		out[i] = s.message(all[i], names, min(textShown, max(room, openingShown)))
		room -= len(out[i].Text)
	}
	return out
}

// message puts a message into the desk's words, with at most most characters of
// its text.
func (s *Server) message(m crm.Message, names map[string]string, most int) Message {
	base := "/api/messages/" + url.PathEscape(string(m.ID))
	out := Message{
		ID: m.ID, Contact: m.Contact, Report: m.Report, Channel: m.Channel, Direction: m.Direction, At: m.At,
		Author: m.Author, AuthorName: names[m.Author], From: m.From, To: m.To, Cc: m.Cc, Subject: m.Subject,
		Flags: m.Flags, Auth: m.Auth, Language: m.Language,
	}
	out.Text, out.Shortened = opening(m.Text, most)
	if m.HTML != "" {
		out.HTMLURL = base + "/html"
	}
	if m.Raw != "" {
		out.RawURL = base + "/raw"
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, attachmentView(a, base))
	}
	if m.Direction == crm.Outgoing {
		out.Delivery = &m.Delivery
	}
	return out
}

func attachmentView(a crm.Attachment, base string) AttachmentView {
	v := AttachmentView{ID: a.ID, Name: a.Name, Size: a.Size, Type: a.Detected, Scan: a.Scan, Inline: a.ContentID != ""}
	if !strings.EqualFold(a.Declared, a.Detected) {
		v.Declared = a.Declared
	}
	if !quarantined(a) {
		v.URL, v.Preview = base+"/attachments/"+url.PathEscape(a.ID), previewed(a.Detected)
	}
	return v
}

// opening is the beginning of a text, at most most characters, and whether there
// is more.
func opening(text string, most int) (string, bool) {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text, false
	}
	n := 0
	for i := range text {
		if n == most {
			return text[:i], true
		}
		n++
	}
	return text, false
}

// storedDraft is a draft as the CRM keeps it: with the files' places.
type storedDraft struct {
	Draft
	Files []crm.Attachment `json:"files,omitempty"`
}

// draftKey names a contact's one draft among what the CRM keeps for it.
const draftKey = "reply"

// readDraft reads the draft of a contact, nil when there is none.
func (s *Server) readDraft(ctx context.Context, id contact.ID) (*storedDraft, error) {
	body, revision, err := s.o.Messages.Draft(ctx, string(id), draftKey)
	if errors.Is(err, crm.ErrNotFound) && revision == 0 {
		return nil, nil
	}
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return nil, err
	}
	var d storedDraft // one that was dropped still has its revision
	if len(body) > 0 {
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, err
		}
	}
	d.Revision = revision
	return &d, nil
}

// empty tells whether there is nothing in a draft that would be missed.
func (d Draft) empty() bool {
	return strings.TrimSpace(d.Text) == "" && len(d.Attachments) == 0
}

// ContactChanged reads a contact anew for the desk that has it: a message joined
// it, or a delivery got further. It does not block.
func (s *Server) ContactChanged(id contact.ID) {
	for _, d := range s.hub.all() {
		d.refresh(id)
	}
}
