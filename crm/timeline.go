package crm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// TimelineEntry is one thing in a person's history, on any channel. Exactly one
// of the pointers is set, by Kind: contact, message, report or update.
type TimelineEntry struct {
	Kind    string          `json:"kind"`
	At      contact.Instant `json:"at"`
	Contact *Record         `json:"contact,omitempty"`
	Message *Message        `json:"message,omitempty"`
	Report  *Report         `json:"report,omitempty"` // a summary, at its creation
	Update  *PublicUpdate   `json:"update,omitempty"`
	// About is the report an update is of.
	About ReportID `json:"about,omitempty"`
}

// item is a message or update on a person's timeline.
type item struct {
	Kind    string        `json:"kind"`
	Message MessageID     `json:"message,omitempty"`
	Report  ReportID      `json:"report,omitempty"`
	Update  *PublicUpdate `json:"update,omitempty"`
}

// PersonTimeline reads a person's history over all channels before an instant
// (zero: from the newest), newest first, at most limit. Of restricted reports it
// says only that they are there.
func (s *Store) PersonTimeline(ctx context.Context, id contact.PersonID, before contact.Instant, limit int) ([]TimelineEntry, error) {
	if err := s.openPerson(ctx, id); err != nil {
		return nil, err
	}
	var contacts, reports, items *redis.Cmd
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		contacts = p.Eval(ctx, timelineGetLua, timelineKeys(personTag(id)), bound(before), limit)
		reports = p.Eval(ctx, timelineGetLua, personReportKeys(id)[:2], bound(before), limit)
		items = p.Eval(ctx, timelineGetLua, itemKeys(id), bound(before), limit)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crm: read timeline: %w", err)
	}
	var out []TimelineEntry
	records, err := decodeTimeline(contacts)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		out = append(out, TimelineEntry{Kind: "contact", At: r.Arrival, Contact: &r})
	}
	summaries, err := decodeReports(reports)
	if err != nil {
		return nil, err
	}
	for _, r := range summaries {
		out = append(out, TimelineEntry{Kind: "report", At: r.Created, Report: &r})
	}
	var messages []string
	err = eachEntry(items, func(text string) error {
		var i item
		if err := json.Unmarshal([]byte(text), &i); err != nil {
			return err
		}
		if i.Kind == "message" {
			messages = append(messages, string(i.Message))
		} else if i.Update != nil {
			out = append(out, TimelineEntry{Kind: "update", At: i.Update.At, Update: i.Update, About: i.Report})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("crm: read timeline: %w", err)
	}
	written, err := s.messages(ctx, messages)
	if err != nil {
		return nil, err
	}
	for _, m := range written {
		out = append(out, TimelineEntry{Kind: "message", At: m.At, Message: &m})
	}
	slices.SortStableFunc(out, func(a, b TimelineEntry) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(rank[a.Kind], rank[b.Kind]))
	})
	return out[:min(len(out), limit)], nil
}

// rank orders what happened at the same instant, last first: a contact comes
// before the message and the report it brought.
var rank = map[string]int{"update": 0, "report": 1, "message": 2, "contact": 3}
