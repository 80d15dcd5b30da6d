package agentdesk

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// OutcomeSpam is the outcome a contact marked as spam ends with. A plan lists it
// to give it a label.
const OutcomeSpam = "spam"

// spamMark is a contact marked as spam that has not ended yet. The contact is
// parked meanwhile. A mark lives in memory: after a restart the contact is back
// in hand without it.
type spamMark struct {
	until contact.Instant
	seen  int // messages joined when it was marked
	end   *time.Timer
}

func (w WorkItem) spamUntil() contact.Instant {
	if w.Written == nil {
		return 0
	}
	return w.Written.SpamUntil
}

func spam(ctx context.Context, r *request) (any, error) {
	var in SpamRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	w, err := r.working(in.Contact)
	if err != nil {
		return nil, err
	}
	if until := w.spamUntil(); !until.IsZero() {
		return SpamReply{until}, nil
	}
	if in.Seen < w.Joined {
		return nil, refusal(routing.RefusedUnseen)
	}
	if err := r.s.ask(ctx, routing.ContactParked{Contact: in.Contact, Agent: r.d.agent}); err != nil {
		return nil, err
	}
	until := r.s.instant().Add(contact.Duration(r.s.o.SpamGrace))
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	i := r.d.knowsLocked(in.Contact)
	if i < 0 {
		return nil, notYours()
	}
	mark := &spamMark{until: until, seen: in.Seen}
	mark.end = time.AfterFunc(r.s.o.SpamGrace, func() { r.s.spawn(func() { r.d.endSpam(in.Contact, mark) }) })
	r.d.spam[in.Contact] = mark
	r.d.markLocked(i)
	r.d.publishWorkLocked()
	return SpamReply{until}, nil
}

// markLocked shows what is known of a mark on a work item.
func (d *desk) markLocked(i int) {
	item := &d.state.Work[i]
	if !isWritten(item.Channel) {
		return
	}
	written := Written{Messages: []Message{}}
	if item.Written != nil {
		written = *item.Written // a copy: what was published is not touched
	}
	written.SpamUntil = 0
	if m := d.spam[item.Contact]; m != nil {
		written.SpamUntil = m.until
	}
	item.Written = &written
}

func undoSpam(ctx context.Context, r *request) (any, error) {
	var in SpamUndoRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	if _, err := r.working(in.Contact); err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	mark := r.d.spam[in.Contact]
	if mark == nil {
		r.d.mu.Unlock()
		return nil, &Error{Code: CodeWrongPhase, Message: "That contact is not marked as spam.", Field: "contact"}
	}
	mark.end.Stop()
	delete(r.d.spam, in.Contact)
	if i := r.d.knowsLocked(in.Contact); i >= 0 {
		r.d.markLocked(i)
		r.d.publishWorkLocked()
	}
	r.d.mu.Unlock()
	return nil, r.s.ask(ctx, routing.ContactResumed{Contact: in.Contact, Agent: r.d.agent})
}

// endSpam ends a marked contact unless the mark was taken back. While the CRM or
// routing is away the contact stays, marked, and it is tried again.
func (d *desk) endSpam(id contact.ID, mark *spamMark) {
	for {
		d.mu.Lock()
		still := d.spam[id] == mark
		d.mu.Unlock()
		if !still {
			return
		}
		err := d.s.endAsSpam(d.s.life, d.agent, id, mark.seen)
		if err == nil {
			break
		}
		if unseen := (*Error)(nil); errors.As(err, &unseen) && unseen.Code == routing.RefusedUnseen {
			d.unmark(id, mark)
			return
		}
		d.s.log.Warn().Err(err).Str("contact", string(id)).Msg("a contact marked as spam could not be ended; trying again")
		select {
		case <-d.s.life.Done():
			return
		case <-time.After(popRetry):
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.spam[id] == mark {
		delete(d.spam, id)
	}
}

// unmark takes a mark off that a message which came meanwhile has overtaken: the
// handler finds the contact put aside, with the message in it.
func (d *desk) unmark(id contact.ID, mark *spamMark) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.spam[id] != mark {
		return
	}
	delete(d.spam, id)
	if i := d.knowsLocked(id); i >= 0 {
		d.markLocked(i)
		d.publishWorkLocked()
	}
	d.publishLocked(wireDelta{Notice: &Notice{
		Level: "warning", Code: routing.RefusedUnseen, Text: "A contact marked as spam was written to again, so it has not ended. Look at it.",
	}})
}

// endAsSpam gives an Error with routing.RefusedUnseen when a message came after the
// contact was marked.
func (s *Server) endAsSpam(ctx context.Context, agent routing.AgentID, id contact.ID, seen int) error {
	ctx = acting(ctx, User{Name: string(agent)}, "")
	one, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	if err := s.o.Records.Close(one, id, contact.Outcome{Code: OutcomeSpam}, string(agent)); err != nil {
		return err
	}
	// Any other refusal means that the contact has ended otherwise.
	refused, err := s.submit(ctx, routing.WrapUpDone{Contact: id, Agent: agent, Outcome: OutcomeSpam, Seen: seen})
	if err == nil && refused != nil && refused.Code == routing.RefusedUnseen {
		return refusal(refused.Code)
	}
	return err
}

// endMarked ends what is marked as spam at once, because the handler signs off.
func (d *desk) endMarked() {
	d.mu.Lock()
	marks := map[contact.ID]*spamMark{}
	for id, m := range d.spam {
		if m.end.Stop() {
			marks[id] = m
		}
	}
	d.mu.Unlock()
	for id, m := range marks {
		if err := d.s.endAsSpam(d.s.life, d.agent, id, m.seen); err != nil {
			// It goes back with the others: nothing is lost but the mark.
			d.s.log.Warn().Err(err).Str("contact", string(id)).Msg("a contact marked as spam could not be ended at sign-off")
		}
	}
}

// handBack gives what was written and is in hand back to its queue, because the
// handler signs off: it would wait for them until they come again. The draft goes
// with it.
func (d *desk) handBack() {
	d.endMarked()
	d.mu.Lock()
	work := slices.Clone(d.state.Work)
	d.mu.Unlock()
	for _, w := range work {
		if !isWritten(w.Channel) || w.Phase != routing.PhaseTalking && w.Phase != routing.PhaseParked {
			continue
		}
		back := routing.ContactForwarded{Contact: w.Contact, Agent: d.agent, Queue: w.Queue}
		if !d.s.hasQueue(back.Queue) {
			back.Queue = d.s.plan().DefaultQueue
		}
		// A refusal means that it has ended or gone already.
		if _, err := d.s.submit(d.s.life, back); err != nil {
			d.s.log.Warn().Err(err).Str("contact", string(w.Contact)).Msg("a contact could not be given back at sign-off")
		}
	}
}
