package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/audit"
)

// MessageLimit bounds the text of a message, in bytes; the raw message is whole
// in the blob store.
const MessageLimit = 1 << 20

// AddMessage keeps a message and puts it in its contact, thread and report and on
// the timeline of the contact's person. It is idempotent by ID: a repeat returns
// what was kept the first time and makes good what was cut short.
func (s *Store) AddMessage(ctx context.Context, m Message) (Message, error) {
	var f faults
	if m.Contact == "" && m.Report == "" {
		f.add("contact", "required", "say which contact or report it belongs to")
	}
	if m.Direction != Incoming && m.Direction != Outgoing {
		f.add("direction", "choice", "in or out")
	}
	if len(m.Text) > MessageLimit {
		f.add("text", "too_long", "at most %d bytes, this has %d", MessageLimit, len(m.Text))
	}
	if !utf8.ValidString(m.Text) {
		f.add("text", "form", "text is UTF-8")
	}
	if err := f.err(); err != nil {
		return Message{}, err
	}
	if m.ID == "" {
		m.ID = MessageID(s.ids.New())
	}
	if m.At == 0 {
		m.At = contact.At(s.now())
	}
	text, err := json.Marshal(m)
	if err != nil {
		return Message{}, fmt.Errorf("crm: add message: %w", err)
	}
	e := audit.Entry{Operation: audit.Collect, Object: "message", ObjectID: string(m.ID), Correlation: m.Contact}
	fresh := false
	err = s.write(ctx, owed{Kind: "message", ID: string(m.ID), Entry: &e}, func() error {
		if fresh, err = s.redis.HSetNX(ctx, messageKey(m.ID), "doc", text).Result(); err != nil {
			return fmt.Errorf("crm: add message: %w", err)
		}
		if !fresh {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		// Who repeats does so because they do not know how far it came.
		if err = s.projectMessage(ctx, m.ID); err != nil {
			return Message{}, fmt.Errorf("crm: add message: %w", err)
		}
	}
	if err != nil {
		return Message{}, err
	}
	return s.message(ctx, m.ID)
}

// MoveMessage gives a message to another contact of its thread, one that ErrNotFound
// tells is not there. What it belongs to beside stays. Repeating it is harmless.
func (s *Store) MoveMessage(ctx context.Context, id MessageID, to contact.ID) (Message, error) {
	m, err := s.message(ctx, id)
	if err != nil {
		return Message{}, err
	}
	if m.Contact == to {
		return m, nil
	}
	if _, err := s.record(ctx, to); err != nil {
		return Message{}, err
	}
	from := m.Contact
	m.Contact = to
	text, err := json.Marshal(m)
	if err != nil {
		return Message{}, fmt.Errorf("crm: move message: %w", err)
	}
	e := audit.Entry{Operation: audit.Alter, Object: "message", ObjectID: string(id), Fields: []string{"contact"}, Correlation: to}
	err = s.write(ctx, owed{Kind: "message", ID: string(id), Also: string(from), Entry: &e}, func() error {
		moved, err := s.eval(ctx, messageMoveLua, []string{messageKey(id)}, text).Int()
		if err != nil {
			return fmt.Errorf("crm: move message: %w", err)
		}
		if moved == 0 {
			return fmt.Errorf("message %s: %w", id, ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return Message{}, err
	}
	return s.message(ctx, id)
}

// unlist takes a message out of the contact it was moved from.
func (s *Store) unlist(ctx context.Context, id MessageID, from contact.ID) error {
	if err := s.eval(ctx, messageUnlistLua, []string{contactKey(from), contactMessagesKey(from)}, string(id)).Err(); err != nil {
		return err
	}
	return s.refresh(ctx, from)
}

// AddReportMessage keeps a message about a report that came with no contact, as
// AddMessage does.
func (s *Store) AddReportMessage(ctx context.Context, id ReportID, m Message) (Message, error) {
	if _, err := s.report(ctx, id); err != nil {
		return Message{}, err
	}
	m.Report = id
	return s.AddMessage(ctx, m)
}

// projectMessage puts a message where it belongs, by what its contact says now.
func (s *Store) projectMessage(ctx context.Context, id MessageID) error {
	m, err := s.message(ctx, id)
	if err != nil {
		return err
	}
	at := milliseconds(m.At)
	var person contact.PersonID
	if m.Contact != "" {
		err := s.eval(ctx, messageListLua, []string{contactKey(m.Contact), contactMessagesKey(m.Contact)}, string(id), at, string(m.Thread), m.Subject).Err()
		if err != nil {
			return err
		}
		rec, err := s.record(ctx, m.Contact)
		if err != nil {
			return err
		}
		if person = rec.Person; rec.Report != "" {
			m.Report = rec.Report
		}
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		if m.Thread != "" {
			p.ZAdd(ctx, threadMessagesKey(m.Thread), redis.Z{Score: float64(at), Member: string(id)})
		}
		if m.MessageID != "" {
			p.SetNX(ctx, s.headerKey(m.MessageID), string(id), 0)
		}
		if m.Report != "" {
			p.ZAdd(ctx, reportMessagesKey(m.Report), redis.Z{Score: float64(at), Member: string(id)})
			p.HSet(ctx, messageKey(id), "report", string(m.Report))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if m.Contact != "" {
		if err := s.refresh(ctx, m.Contact); err != nil {
			return err
		}
	}
	return s.find(ctx, messageDoc(m, person))
}

func (s *Store) headerKey(header string) string { return "{mh:" + s.hash("header:"+header) + "}" }

// Message reads one message.
func (s *Store) Message(ctx context.Context, id MessageID) (Message, error) {
	m, err := s.message(ctx, id)
	if err != nil {
		return Message{}, err
	}
	return m, s.seen(ctx, audit.Entry{Object: "message", ObjectID: string(id), Correlation: m.Contact})
}

func (s *Store) message(ctx context.Context, id MessageID) (Message, error) {
	ms, err := s.messages(ctx, []string{string(id)})
	if err != nil {
		return Message{}, err
	}
	if len(ms) == 0 {
		return Message{}, fmt.Errorf("message %s: %w", id, ErrNotFound)
	}
	return ms[0], nil
}

// messages reads several in the order of ids, those that exist.
func (s *Store) messages(ctx context.Context, ids []string) ([]Message, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds := make([]*redis.SliceCmd, len(ids))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			cmds[i] = p.HMGet(ctx, messageKey(MessageID(id)), "doc", "report", "delivery")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crm: read messages: %w", err)
	}
	var out []Message
	for _, c := range cmds {
		doc, ok := c.Val()[0].(string)
		if !ok {
			continue
		}
		var m Message
		if err := json.Unmarshal([]byte(doc), &m); err != nil {
			return nil, fmt.Errorf("crm: read message: %w", err)
		}
		if report, ok := c.Val()[1].(string); ok {
			m.Report = ReportID(report)
		}
		if text, ok := c.Val()[2].(string); ok {
			if err := json.Unmarshal([]byte(text), &m.Delivery); err != nil {
				return nil, fmt.Errorf("crm: read message: %w", err)
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// MessagesOf lists the messages of a contact, oldest first.
func (s *Store) MessagesOf(ctx context.Context, id contact.ID) ([]Message, error) {
	out, err := s.listed(ctx, contactMessagesKey(id), 0)
	if err != nil {
		return nil, err
	}
	return out, s.seen(ctx, aboutContact("", id))
}

// ThreadMessages lists the newest messages of a thread, at most limit (0: all),
// oldest first.
func (s *Store) ThreadMessages(ctx context.Context, id ThreadID, limit int) ([]Message, error) {
	out, err := s.listed(ctx, threadMessagesKey(id), limit)
	if err != nil {
		return nil, err
	}
	return out, s.seen(ctx, audit.Entry{Object: "thread", ObjectID: s.hash("thread:" + string(id))})
}

// ReportMessages lists the messages of a report's contacts, oldest first.
func (s *Store) ReportMessages(ctx context.Context, id ReportID) ([]Message, error) {
	d, err := s.report(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.opened(ctx, aboutReport("", d.Report, ""), d.Restricted); err != nil {
		return nil, err
	}
	return s.listed(ctx, reportMessagesKey(id), 0)
}

func (s *Store) listed(ctx context.Context, key string, limit int) ([]Message, error) {
	from := int64(0)
	if limit > 0 {
		from = int64(-limit)
	}
	ids, err := s.redis.ZRange(ctx, key, from, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: list messages: %w", err)
	}
	return s.messages(ctx, ids)
}

// MessageByHeader finds a message by the Message-ID of its header, without
// brackets. The first one that came with an id keeps it.
func (s *Store) MessageByHeader(ctx context.Context, headerID string) (Message, error) {
	if headerID == "" {
		return Message{}, fmt.Errorf("message: %w", ErrNotFound)
	}
	id, err := s.redis.Get(ctx, s.headerKey(headerID)).Result()
	if errors.Is(err, redis.Nil) {
		return Message{}, fmt.Errorf("message: %w", ErrNotFound)
	}
	if err != nil {
		return Message{}, fmt.Errorf("crm: find a message: %w", err)
	}
	return s.Message(ctx, MessageID(id))
}

// SetDelivery records how far an outgoing message got. An older state never
// replaces a newer one.
func (s *Store) SetDelivery(ctx context.Context, id MessageID, d Delivery) error {
	if d.At == 0 {
		d.At = contact.At(s.now())
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("crm: set delivery: %w", err)
	}
	e := audit.Entry{Operation: audit.Alter, Object: "message", ObjectID: string(id), Fields: []string{"delivery"}}
	if d.State == DeliveryDelivered {
		e.Operation, e.Recipient = audit.Disclose, "addressee"
	}
	return s.write(ctx, owed{Kind: "delivery", ID: string(id), Entry: &e}, func() error {
		set, err := s.eval(ctx, deliverySetLua, []string{messageKey(id)}, fmt.Sprintf("%020d", int64(d.At)), text).Int()
		if err != nil {
			return fmt.Errorf("crm: set delivery: %w", err)
		}
		if set == 0 {
			return fmt.Errorf("message %s: %w", id, ErrNotFound)
		}
		return nil
	})
}

// OpenContactOf finds the newest contact of a thread that has not ended.
func (s *Store) OpenContactOf(ctx context.Context, id ThreadID) (contact.ID, bool, error) {
	if id == "" {
		return "", false, nil
	}
	ids, err := s.redis.ZRevRange(ctx, threadContactsKey(id), 0, 19).Result()
	if err != nil {
		return "", false, fmt.Errorf("crm: find a thread's contact: %w", err)
	}
	for _, c := range ids {
		m, err := s.redis.HMGet(ctx, contactKey(contact.ID(c)), "arrival", "ended").Result()
		if err != nil {
			return "", false, fmt.Errorf("crm: find a thread's contact: %w", err)
		}
		if ended, _ := m[1].(string); m[0] != nil && (ended == "" || ended == "0") {
			return contact.ID(c), true, nil
		}
	}
	return "", false, nil
}
