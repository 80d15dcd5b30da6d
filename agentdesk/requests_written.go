package agentdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

func accept(ctx context.Context, r *request) (any, error) {
	var in AcceptRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	i := slices.IndexFunc(r.d.state.Work, func(w WorkItem) bool { return w.Offer == in.Offer && w.Phase == routing.PhaseRinging })
	call := i >= 0 && r.d.state.Work[i].Channel == contact.Phone
	r.d.mu.Unlock()
	switch {
	case i < 0:
		return nil, &Error{Code: CodeNotYours, Message: "That contact is not being offered to you, or no longer.", Field: "offer"}
	case call:
		return nil, &Error{Code: routing.RefusedNotWritten, Message: "Answer the call on your phone.", Field: "offer"}
	}
	return nil, r.s.ask(ctx, routing.OfferAccepted{Offer: in.Offer, Agent: r.d.agent})
}

// isWritten tells whether people write on a channel rather than talk.
func isWritten(c contact.Channel) bool { return c == contact.Email || c == contact.Web }

// working finds a written contact that the handler is at or has parked.
func (r *request) working(id contact.ID) (WorkItem, error) {
	w, mine := r.item(id)
	switch {
	case id == "":
		return w, invalid("contact", "Say which contact.")
	case !mine:
		return w, notYours()
	case !isWritten(w.Channel):
		return w, &Error{Code: routing.RefusedNotWritten, Message: "That contact is a call.", Field: "contact"}
	case w.Phase != routing.PhaseTalking && w.Phase != routing.PhaseParked:
		return w, &Error{Code: CodeWrongPhase, Message: "That can be done only while you have the contact in hand.", Field: "contact"}
	}
	return w, nil
}

func done(ctx context.Context, r *request) (any, error) {
	var in DoneRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if _, err := r.working(in.Contact); err != nil {
		return nil, err
	}
	return nil, r.s.ask(ctx, routing.ContactReleased{Contact: in.Contact, Cause: routing.ReleasedByHandler, Seen: in.Seen})
}

func park(ctx context.Context, r *request) (any, error) {
	var in ParkRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if _, err := r.working(in.Contact); err != nil {
		return nil, err
	}
	return nil, r.s.ask(ctx, routing.ContactParked{Contact: in.Contact, Agent: r.d.agent})
}

func unpark(ctx context.Context, r *request) (any, error) {
	var in UnparkRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if _, err := r.working(in.Contact); err != nil {
		return nil, err
	}
	return nil, r.s.ask(ctx, routing.ContactResumed{Contact: in.Contact, Agent: r.d.agent})
}

func forward(ctx context.Context, r *request) (any, error) {
	var in ForwardRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	w, err := r.working(in.Contact)
	if err != nil {
		return nil, err
	}
	if !r.s.hasQueue(in.Queue) {
		return nil, invalid("queue", "Choose one of the queues listed.")
	}
	if err := text("note", in.Note, forwardNoteMax); err != nil {
		return nil, err
	}
	if !w.spamUntil().IsZero() {
		return nil, &Error{Code: CodeWrongPhase, Message: "The contact is marked as spam. Take that back first.", Field: "contact"}
	}
	// The note is durable before the contact goes: the next handler reads why.
	if note := strings.TrimSpace(in.Note); note != "" {
		if err := r.addToNote(ctx, in.Contact, "Forwarded to "+queueLabel(r.s.plan(), in.Queue)+": "+note); err != nil {
			return nil, err
		}
	}
	return nil, r.s.ask(ctx, routing.ContactForwarded{Contact: in.Contact, Agent: r.d.agent, Queue: in.Queue})
}

// forwardNoteMax bounds the note of a forward, in characters.
const forwardNoteMax = 2000

func (s *Server) hasQueue(id routing.QueueID) bool {
	return slices.ContainsFunc(s.plan().Queues, func(q routing.Queue) bool { return q.ID == id })
}

// addToNote appends a paragraph to a contact's note, whoever changes it meanwhile.
func (r *request) addToNote(ctx context.Context, id contact.ID, paragraph string) error {
	for range 5 {
		rec, err := r.s.o.Records.Record(ctx, id)
		if err != nil {
			return err
		}
		whole := paragraph
		if rec.Note.Text != "" {
			whole = rec.Note.Text + "\n\n" + paragraph
		}
		if len(whole) > noteMax {
			return invalid("note", "The contact's note has no room for it.")
		}
		if _, err = r.s.o.Records.SaveNote(ctx, id, rec.Note.Revision, whole, string(r.d.agent)); !errors.Is(err, crm.ErrConflict) {
			return err
		}
	}
	return crm.ErrConflict
}

func link(ctx context.Context, r *request) (any, error) {
	var in LinkRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	rep, ctx, err := r.openReport(ctx, in.Report, in.Reference, in.Reason)
	if err != nil {
		return nil, err
	}
	if err := r.s.o.Reports.LinkContact(ctx, in.Contact, rep.ID); err != nil {
		return nil, err
	}
	r.d.refresh(in.Contact)
	// Read again: the report now lists the contact.
	if rep, err = r.s.o.Reports.Report(ctx, rep.ID); err != nil {
		return nil, err
	}
	r.s.reportChanged(rep, string(r.d.agent))
	return r.s.wholeReport(ctx, rep)
}

func unlink(ctx context.Context, r *request) (any, error) {
	var in UnlinkRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	if err := r.s.o.Reports.UnlinkContact(ctx, in.Contact); err != nil {
		return nil, err
	}
	r.d.refresh(in.Contact)
	return nil, nil
}

// split makes a contact of one message. Its id is made from the message's, so
// that a split asked for twice is made once.
func split(ctx context.Context, r *request) (any, error) {
	var in SplitRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if _, err := r.working(in.Contact); err != nil {
		return nil, err
	}
	if in.Queue != "" && !r.s.hasQueue(in.Queue) {
		return nil, invalid("queue", "Choose one of the queues listed.")
	}
	all, err := r.s.o.Messages.MessagesOf(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(m crm.Message) bool { return m.ID == in.Message })
	if i < 0 {
		return nil, invalid("message", "That message does not belong to this contact.")
	}
	m := all[i]
	incoming := 0
	for _, o := range all {
		if o.Direction == crm.Incoming {
			incoming++
		}
	}
	switch {
	case m.Direction != crm.Incoming:
		return nil, invalid("message", "Only a message that came in can become a contact of its own.")
	case incoming == 1:
		return nil, invalid("message", "It is the contact's only message. Forward the contact instead.")
	}
	rec, err := r.s.o.Records.Record(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	id := contact.ID(derivedID(m.At, "split contact "+string(m.ID)))
	facts, err := r.s.o.Messages.IdentifyWritten(ctx, crm.WrittenArrival{
		Arrival: crm.Arrival{ID: id, Channel: m.Channel, Caller: rec.Caller, At: m.At, Facts: contact.Facts{Language: m.Language, Answers: r.s.triageAnswers(m)}},
		Email:   m.From.Address, Subject: m.Subject, Thread: crm.ThreadID(id),
	})
	if err != nil {
		return nil, err
	}
	own := m
	own.ID, own.Contact, own.Report, own.Thread = crm.MessageID(derivedID(m.At, "split message "+string(m.ID))), id, "", crm.ThreadID(id)
	// The header's id stays with the original, which answers in the thread refer to.
	own.References = append(slices.Clone(m.References), m.MessageID)
	own.MessageID = ""
	if _, err := r.s.o.Messages.AddMessage(ctx, own); err != nil {
		return nil, err
	}
	err = r.s.ask(ctx, routing.ContactArrived{Contact: id, Channel: m.Channel, Arrival: m.At, Facts: facts, Queue: in.Queue})
	var e *Error
	if errors.As(err, &e) && (e.Code == routing.RefusedDuplicate || e.Code == routing.RefusedContactEnded) {
		err = nil // split before
	}
	if err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	r.d.refresh(in.Contact)
	return SplitReply{Contact: id}, nil
}
