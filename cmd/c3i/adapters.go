package main

import (
	"context"
	"time"

	"example.org/c3i/agentdesk"
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
		for _, w := range flow.Words(f.Answers) {
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

// openCalls lists the calls that the engine holds and that have not ended. What
// was written needs no line: it waits, or is in hand, as before.
func openCalls(e *routing.Engine) []contact.ID {
	var ids []contact.ID
	for _, q := range e.Queues() {
		for _, c := range e.Waiting(q.Queue, q.Waiting) {
			if c.Channel == contact.Phone {
				ids = append(ids, c.Contact)
			}
		}
	}
	for _, a := range e.Agents() {
		for _, w := range a.Work {
			if w.Channel == contact.Phone && w.Phase != routing.PhaseWrapUp {
				ids = append(ids, w.Contact)
			}
		}
	}
	return ids
}
