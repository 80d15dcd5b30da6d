package crm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/ref"
)

// Filling a store with many records at once, for samples and for taking over what
// another system kept. It writes what the everyday methods would have written, a
// batch in a few round trips instead of a record in ten, and keeps no line in the
// trail for each: whoever fills says so there once.

// SearchFiller is a SearchIndex that takes many new documents at once.
type SearchFiller interface {
	Fill(ctx context.Context, docs []SearchDoc) error
}

// FillLimit is how many records one call takes.
const FillLimit = 1000

// FillPeople adds people who were never there, under the ids they have.
func (s *Store) FillPeople(ctx context.Context, ps []Person) error {
	err := s.fill(ctx, len(ps), func(pipe redis.Pipeliner, i int) (SearchDoc, error) {
		p := ps[i]
		if p.ID == "" {
			return SearchDoc{}, &FieldError{"id", "required", "people are filled in with their ids"}
		}
		if err := s.tidy(&p); err != nil {
			return SearchDoc{}, err
		}
		text, err := json.Marshal(p)
		if err != nil {
			return SearchDoc{}, err
		}
		targets := s.personTargets(p)
		pipe.HSet(ctx, personKey(p.ID), "person", text, "changed", int64(p.Changed), "made", strings.Join(targets, " "))
		for _, t := range targets {
			if kind, name, _ := strings.Cut(t, ":"); kind == "l" {
				pipe.HSet(ctx, linePeopleKey(name), string(p.ID), text)
			} else {
				pipe.ZAdd(ctx, peopleByKey(name), redis.Z{Member: string(p.ID)})
			}
		}
		return personDoc(p), nil
	})
	if err != nil {
		return fmt.Errorf("crm: fill in people: %w", err)
	}
	return nil
}

// fill has each of n records written and then sends all of them to Redis, and what
// is to be found to the index meanwhile. Nothing is sent when one is refused.
func (s *Store) fill(ctx context.Context, n int, write func(pipe redis.Pipeliner, i int) (SearchDoc, error)) error {
	pipe := s.redis.Pipeline()
	docs := make([]SearchDoc, n)
	for i := range n {
		var err error
		if docs[i], err = write(pipe, i); err != nil {
			return err
		}
	}
	found := make(chan error, 1)
	go func() { found <- s.findAll(ctx, docs) }()
	_, err := pipe.Exec(ctx)
	return errors.Join(err, <-found)
}

// FillContacts adds contacts that were never there, as they ended. Their people
// must be none that was merged.
func (s *Store) FillContacts(ctx context.Context, rs []Record) error {
	err := s.fill(ctx, len(rs), func(pipe redis.Pipeliner, i int) (SearchDoc, error) {
		r := rs[i]
		if r.ID == "" {
			return SearchDoc{}, &FieldError{"id", "required", "contacts are filled in with their ids"}
		}
		if r.Facts.Line = s.mailLine(r.Email); r.Facts.Line == "" {
			r.Facts.Line = s.line(r.Number)
		}
		text, err := json.Marshal(r)
		if err != nil {
			return SearchDoc{}, err
		}
		pipe.HSet(ctx, contactKey(r.ID), filledFields(r)...)
		at := float64(milliseconds(r.Arrival))
		var tags []string
		for _, line := range slices.Compact([]string{r.Facts.Line, s.line(r.Number)}) {
			if line != "" {
				tags = append(tags, lineTag(line))
			}
		}
		if r.Person != "" {
			tags = append(tags, personTag(r.Person))
		}
		for _, tag := range tags {
			keys := timelineKeys(tag)
			pipe.ZAdd(ctx, keys[0], redis.Z{Score: at, Member: string(r.ID)})
			pipe.HSet(ctx, keys[1], string(r.ID), "1 "+string(text))
		}
		return recordDoc(r), nil
	})
	if err != nil {
		return fmt.Errorf("crm: fill in contacts: %w", err)
	}
	return nil
}

// filledFields are those of a contact's hash.
func filledFields(r Record) []any {
	fields := append(arrivalFields(r), "v", 1, "made", string(r.Person))
	text := func(name, v string) {
		if v != "" {
			fields = append(fields, name, v)
		}
	}
	text("queue", r.Queue)
	text("handler", r.Handler)
	text("ending", string(r.Ending))
	text("outcome", r.Outcome.Code)
	text("outcome_note", r.Outcome.Note)
	text("subject", r.Subject)
	text("email", r.Email)
	text("report", string(r.Report))
	if r.Answered != 0 {
		fields = append(fields, "answered", int64(r.Answered))
	}
	if r.Ended != 0 {
		fields = append(fields, "ended", int64(r.Ended))
	}
	if r.Outcome.Code != "" {
		fields = append(fields, "closed_by", r.Handler)
	}
	if r.Note.Revision > 0 {
		fields = append(fields, "note", r.Note.Text, "note_rev", r.Note.Revision, "note_by", r.Note.Author, "note_at", int64(r.Note.SavedAt))
	}
	return fields
}

// FillReports adds reports that were never there, each made in the contact beside
// it, and gives them their numbers. The contacts are filled in by FillContacts and
// name the reports already.
func (s *Store) FillReports(ctx context.Context, rs []Report, from []Record) error {
	if len(rs) != len(from) {
		return &FieldError{"from", "form", "one contact for each report"}
	}
	serials, err := s.incidentSerials(ctx, rs)
	if err != nil {
		return fmt.Errorf("crm: fill in reports: %w", err)
	}
	now := contact.At(s.now())
	err = s.fill(ctx, len(rs), func(pipe redis.Pipeliner, i int) (SearchDoc, error) {
		r := rs[i]
		if r.ID == "" {
			return SearchDoc{}, &FieldError{"id", "required", "reports are filled in with their ids"}
		}
		if err := checkReport(&r, now); err != nil {
			return SearchDoc{}, err
		}
		day := r.Created.Time().In(s.zone)
		r.IncidentNumber = ref.IncidentNumber(serials[i], day.Year(), day.Month(), day.Day())
		var err error
		if r.Reference, err = ref.New(rand.Reader); err != nil {
			return SearchDoc{}, err
		}
		r.Version = 1
		s.name(&r, nil)
		if r.Retention.Group == 0 {
			r.Retention.Group = retentionGroup(r)
		}
		s.retain(&r)
		d := reportDocument{Report: r}
		line := s.mailLine(from[i].Email)
		if line == "" {
			line = s.line(from[i].Number)
		}
		if line != "" {
			d.Lines = []string{line}
		}
		return reportDoc(r), s.fillReport(ctx, pipe, d)
	})
	if err != nil {
		return fmt.Errorf("crm: fill in reports: %w", err)
	}
	return nil
}

func (s *Store) fillReport(ctx context.Context, pipe redis.Pipeliner, d reportDocument) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	summary, err := json.Marshal(d.summary())
	if err != nil {
		return err
	}
	at := redis.Z{Score: float64(milliseconds(d.Created)), Member: string(d.ID)}
	var targets []string
	for _, p := range d.Parties {
		if p.Person == "" || slices.Contains(targets, "p:"+string(p.Person)) {
			continue
		}
		targets = append(targets, "p:"+string(p.Person))
		keys := personReportKeys(p.Person)
		pipe.ZAdd(ctx, keys[0], at)
		pipe.HSet(ctx, keys[1], string(d.ID), "1 "+string(summary))
		if !closed(d.Status) {
			pipe.ZAdd(ctx, keys[2], at)
		}
	}
	for _, line := range d.Lines {
		targets = append(targets, "l:"+line)
		pipe.ZAdd(ctx, lineReportsKey(line), at)
	}
	if a := s.address(d.Place); a != "" {
		targets = append(targets, "a:"+a)
		pipe.ZAdd(ctx, addressReportsKey(a), at)
	}
	slices.Sort(targets)
	pipe.HSet(ctx, reportKey(d.ID), "doc", text, "v", 1, "made", strings.Join(targets, " "))
	pipe.Set(ctx, referenceKey(d.Reference), string(d.ID), 0)
	pipe.Set(ctx, referenceKey(d.IncidentNumber), string(d.ID), 0)
	return nil
}

// incidentSerials draws the day's next numbers for reports.
func (s *Store) incidentSerials(ctx context.Context, rs []Report) ([]uint64, error) {
	byDay := map[string][]int{}
	for i, r := range rs {
		key := "{n:incident:" + r.Created.Time().In(s.zone).Format("20060102") + "}"
		byDay[key] = append(byDay[key], i)
	}
	out := make([]uint64, len(rs))
	for _, key := range slices.Sorted(maps.Keys(byDay)) {
		of := byDay[key]
		last, err := s.redis.IncrBy(ctx, key, int64(len(of))).Uint64()
		if err != nil {
			return nil, err
		}
		for n, i := range of {
			out[i] = last - uint64(len(of)) + uint64(n) + 1
		}
	}
	return out, nil
}

func (s *Store) findAll(ctx context.Context, docs []SearchDoc) error {
	if all, ok := s.search.(SearchFiller); ok {
		return all.Fill(ctx, docs)
	}
	for _, d := range docs {
		if err := s.find(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Empty tells whether nobody and nothing was recorded yet.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	empty := true
	err := s.eachKey(ctx, func(key string) bool {
		for _, kind := range []string{"{p:", "{c:", "{r:", "{m:"} {
			if strings.HasPrefix(key, kind) {
				empty = false
			}
		}
		return empty
	})
	return empty, err
}

// eachKey calls f with every key of the store, some twice, until it returns false.
func (s *Store) eachKey(ctx context.Context, f func(string) bool) error {
	scan := func(ctx context.Context, c redis.Cmdable) error {
		for cursor := uint64(0); ; {
			keys, next, err := c.Scan(ctx, cursor, "{*", 1000).Result()
			if err != nil {
				return fmt.Errorf("crm: list records: %w", err)
			}
			for _, k := range keys {
				if !f(k) {
					return nil
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := s.redis.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return scan(ctx, c) })
	}
	return scan(ctx, s.redis)
}
