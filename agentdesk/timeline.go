package agentdesk

import (
	"context"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// timeline reads one page of what happened with a person on every channel.
// Without the CRM's side for people it is their contacts alone.
func (s *Server) timeline(ctx context.Context, p crm.Person, before contact.Instant) (TimelinePage, error) {
	page := TimelinePage{Timeline: []TimelineItem{}}
	names, people := s.names.get(ctx, s), map[contact.PersonID]string{p.ID: p.Name}
	if s.o.People == nil {
		records, err := s.o.Records.Timeline(ctx, p.ID, before, timelinePage)
		if err != nil {
			return page, err
		}
		for _, e := range s.entries(records, people, names) {
			page.Timeline = append(page.Timeline, TimelineItem{At: e.Arrival, Kind: "contact", Contact: &e})
		}
	} else {
		entries, err := s.o.People.PersonTimeline(ctx, p.ID, before, timelinePage)
		if err != nil {
			return page, err
		}
		for _, e := range entries {
			if item, shown := s.timelineItem(ctx, e, people, names); shown {
				page.Timeline = append(page.Timeline, item)
			}
		}
	}
	if n := len(page.Timeline); n == timelinePage {
		page.Before = page.Timeline[n-1].At
	}
	return page, nil
}

func (s *Server) timelineItem(ctx context.Context, e crm.TimelineEntry, people map[contact.PersonID]string, names map[string]string) (TimelineItem, bool) {
	item := TimelineItem{At: e.At}
	switch {
	case e.Contact != nil:
		item.Kind, item.Contact = "contact", &s.entries([]crm.Record{*e.Contact}, people, names)[0]
	case e.Message != nil:
		item.Kind, item.Message = "message", messageLine(*e.Message)
	case e.Update != nil:
		item.Kind, item.Update = "update", &UpdateLine{Report: e.About, By: e.Update.By, Text: e.Update.Text}
		if shown := names[e.Update.By]; shown != "" {
			item.Update.By = shown
		}
	case e.Report != nil:
		sum := s.summaries(ctx, []crm.Report{*e.Report})[0]
		item.Kind, item.Report = "report", &sum
	default:
		return item, false
	}
	return item, true
}

func messageLine(m crm.Message) *MessageLine {
	out := &MessageLine{ID: m.ID, Contact: m.Contact, Channel: m.Channel, Direction: m.Direction, Subject: m.Subject, Attachments: len(m.Attachments)}
	out.Opening, _ = opening(m.Text, openingShown)
	if m.Direction == crm.Outgoing {
		out.State = m.Delivery.State
	}
	return out
}
