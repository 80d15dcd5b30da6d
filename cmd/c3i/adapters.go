package main

import (
	"context"
	"errors"
	"time"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/ivr"
	"example.org/c3i/ivr/prompts"
	"example.org/c3i/routing"
	"example.org/c3i/routing/live"
	"example.org/c3i/telephony"
)

// directory lets telephony ask the CRM who is calling.
type directory struct{ crm *crm.Store }

func (d directory) Identify(ctx context.Context, id contact.ID, ch contact.Channel, caller contact.Caller, arrival contact.Instant, facts contact.Facts) (contact.Facts, error) {
	return d.crm.Identify(ctx, crm.Arrival{ID: id, Channel: ch, Caller: caller, At: arrival, Facts: facts})
}

// ivrLedger records calls that ended before a queue, so that the next handler
// sees that the caller tried.
type ivrLedger struct {
	crm *crm.Store
	now func() time.Time
}

func (l ivrLedger) EndedInIVR(ctx context.Context, id contact.ID, caller contact.Caller, arrival contact.Instant, ending contact.Ending, language string) error {
	_, err := l.crm.Identify(ctx, crm.Arrival{ID: id, Channel: contact.Phone, Caller: caller, At: arrival, Facts: contact.Facts{Language: language}})
	if err != nil {
		return err
	}
	return l.crm.Ended(ctx, crm.Ending{ID: id, At: contact.At(l.now()), Ending: ending})
}

// deskRouter takes the desks' events to the engine, and answers once the desks
// know what came of them.
type deskRouter struct{ *live.Driver }

const deskSink = "desk"

func (r deskRouter) SubmitWait(ctx context.Context, ev routing.Event) ([]routing.Action, error) {
	actions, err := r.Driver.SubmitWait(ctx, ev)
	if err == nil {
		// The event is taken whatever happens now: an error would have it asked again.
		_ = r.Performed(ctx, deskSink)
	}
	return actions, err
}

// sounds finds prompts for telephony.
func sounds(set *prompts.Set) func(name, language string) (telephony.Media, bool) {
	return func(name, language string) (telephony.Media, bool) {
		uri, ok := set.Media(name, language)
		if !ok {
			return telephony.Media{}, false
		}
		length, _ := set.Length(name, language)
		return telephony.Media{URI: uri, Length: length.Std()}, true
	}
}

// queueViews reads the engine for the desks.
func queueViews(d *live.Driver) func() []agentdesk.QueueView {
	return func() []agentdesk.QueueView {
		var out []agentdesk.QueueView
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := d.View(ctx, func(e *routing.Engine) {
			for _, q := range e.Queues() {
				v := agentdesk.QueueView{
					Queue: q.Queue, Label: q.Label, Open: q.Open, Waiting: q.Waiting,
					OldestArrival: q.OldestArrival, MostDue: q.MostDue,
				}
				for _, c := range q.Channels {
					v.Channels = append(v.Channels, agentdesk.ChannelWaiting(c))
				}
				out = append(out, v)
			}
		})
		if err != nil {
			return nil
		}
		return out
	}
}

// labels puts IVR answers into the words of the flow.
func labels(flow *ivr.Flow) func(contact.Facts) []agentdesk.LabelledAnswer {
	return func(f contact.Facts) []agentdesk.LabelledAnswer {
		var out []agentdesk.LabelledAnswer
		if written := answersInWords(f.Answers); len(written) > 0 {
			return written
		}
		for _, w := range flow.Words(f.Answers) {
			if question, written := writtenQuestion(w.Name); written && w.Question == w.Name {
				w.Question, w.Answer = question, writtenAnswer(w.Answer)
			}
			if w.Question == "" {
				continue
			}
			out = append(out, agentdesk.LabelledAnswer{Question: w.Question, Answer: w.Answer})
		}
		return out
	}
}

// languages lists what the person form offers.
func languages(c *ivr.Catalogue) []routing.Code {
	var out []routing.Code
	for _, l := range c.Languages {
		out = append(out, routing.Code{Code: l.Code, Label: l.English})
	}
	return out
}

// languageCodes lists the languages that are served.
func languageCodes(c *ivr.Catalogue) []string {
	var out []string
	for _, l := range c.Languages {
		out = append(out, l.Code)
	}
	return out
}

// openCalls lists the calls that the engine holds and that have not ended, but for
// those whose caller is to be rung back: they need no line to be kept. What was
// written needs none either: it waits, or is in hand, as before.
func openCalls(e *routing.Engine) []contact.ID {
	awaited := map[contact.ID]bool{}
	for _, c := range e.Callbacks() {
		awaited[c.Contact] = true
	}
	var ids []contact.ID
	add := func(id contact.ID) {
		if !awaited[id] {
			ids = append(ids, id)
		}
	}
	for _, q := range e.Queues() {
		for _, c := range e.Waiting(q.Queue, q.Waiting) {
			if c.Channel == contact.Phone {
				add(c.Contact)
			}
		}
	}
	for _, a := range e.Agents() {
		for _, w := range a.Work {
			if w.Channel == contact.Phone && w.Phase != routing.PhaseWrapUp {
				add(w.Contact)
			}
		}
	}
	return ids
}

// brokenCallbacks takes back what an earlier process had begun for callers who are to
// be rung back: its handlers' phones ring no more. The callers keep their places.
func brokenCallbacks(e *routing.Engine) []routing.Event {
	const cause = "restarted"
	var events []routing.Event
	for _, c := range e.Callbacks() {
		switch c.Phase {
		case routing.PhaseRinging:
			events = append(events, routing.OfferFailed{Offer: c.Offer, Agent: c.Agent, Cause: cause})
		case routing.PhaseCalling:
			events = append(events, routing.ConnectFailed{Contact: c.Contact, Agent: c.Agent, Cause: cause})
		}
	}
	return events
}

// numbers lets telephony keep the numbers of callers who are rung back in the CRM's
// records.
type numbers struct{ crm *crm.Store }

func (n numbers) KeepNumber(ctx context.Context, id contact.ID, number string) error {
	return numberError(n.crm.KeepCallback(ctx, id, number))
}

func (n numbers) NumberFor(ctx context.Context, id contact.ID) (string, error) {
	number, err := n.crm.Callback(ctx, id)
	return number, numberError(err)
}

func numberError(err error) error {
	switch {
	case errors.Is(err, crm.ErrUnsafe):
		return telephony.ErrUnsafeNumber
	case errors.Is(err, crm.ErrNotFound):
		return telephony.ErrNoNumber
	}
	return err
}

// outgoing is nil where callers are not rung back.
func outgoing(c configs.Telephony) func(string) (string, bool) {
	if c.Outgoing == "" {
		return nil
	}
	return c.Dial
}
