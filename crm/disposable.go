package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm/blob"
)

// Disposable is a record as a retention job sees it: no values.
type Disposable struct {
	Kind string // person, report, contact or task
	ID   string
	// Group is a report's MoPI group.
	Group int
	// Since is when keeping began; Review when it is to be looked at, zero when the
	// job's policy says.
	Since, Review contact.Instant
	// Held says why it may not go; empty when it may.
	Held string
}

// EachDisposable calls f with every report, every contact that belongs to none,
// every person with neither and every task of no report that is done, that is not
// erased yet. It reads everything: once a night.
func (s *Store) EachDisposable(ctx context.Context, f func(Disposable) error) error {
	held, err := s.heldRecords(ctx)
	if err != nil {
		return err
	}
	var batch []string
	var failed error
	flush := func() {
		if failed == nil && len(batch) > 0 {
			failed = s.disposables(ctx, batch, held, f)
		}
		batch = batch[:0]
	}
	err = s.eachKey(ctx, func(key string) bool {
		if kind, ok := recordKey(key); ok && strings.Contains("cpr", kind) {
			if batch = append(batch, key); len(batch) == 500 {
				flush()
			}
		}
		return failed == nil
	})
	flush()
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	tasks, err := s.tasksOf(ctx, TaskQuery{Done: true})
	if err != nil {
		return fmt.Errorf("crm: read tasks: %w", err)
	}
	for _, t := range tasks {
		if t.Done == 0 {
			continue
		}
		if err := f(Disposable{Kind: "task", ID: t.ID, Since: t.Done}); err != nil {
			return err
		}
	}
	return nil
}

// heldRecords tells why records are held, as "kind:id": a hold on somebody is one
// on all they are merged with, and one on a message is one on what it belongs to.
func (s *Store) heldRecords(ctx context.Context) (map[string]string, error) {
	holds, err := s.Holds(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string]string{}
	for _, h := range holds {
		held[h.Kind+":"+h.ID] = h.Reason
		switch h.Kind {
		case "person":
			all, err := s.family(ctx, contact.PersonID(h.ID))
			if err != nil {
				return nil, err
			}
			for _, p := range all {
				held["person:"+string(p)] = h.Reason
			}
		case "message":
			m, err := s.message(ctx, MessageID(h.ID))
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			if m.Contact != "" {
				held["contact:"+string(m.Contact)] = h.Reason
			}
			if m.Report != "" {
				held["report:"+string(m.Report)] = h.Reason
			}
		}
	}
	return held, nil
}

// recordKey tells a record's own key, as "{c:ID}", from its lists'.
func recordKey(key string) (kind string, ok bool) {
	if !strings.HasPrefix(key, "{") || !strings.HasSuffix(key, "}") {
		return "", false
	}
	kind, _, ok = strings.Cut(key[1:len(key)-1], ":")
	return kind, ok && len(kind) == 1 && strings.Contains("cprmd", kind)
}

func idOf(key string) string { return key[3 : len(key)-1] }

func (s *Store) disposables(ctx context.Context, keys []string, held map[string]string, f func(Disposable) error) error {
	docs := make([]*redis.SliceCmd, len(keys))
	contacts, reports := make([]*redis.IntCmd, len(keys)), make([]*redis.IntCmd, len(keys))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, k := range keys {
			switch kind, _ := recordKey(k); kind {
			case "c":
				docs[i] = p.HMGet(ctx, k, "arrival", "report", "erased", "lists", "ended", "person")
			case "r":
				docs[i] = p.HMGet(ctx, k, "doc")
			case "p":
				id := contact.PersonID(idOf(k))
				docs[i] = p.HMGet(ctx, k, "person")
				contacts[i], reports[i] = p.ZCard(ctx, timelineKeys(personTag(id))[0]), p.ZCard(ctx, personReportKeys(id)[0])
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("crm: read records: %w", err)
	}
	for i, k := range keys {
		d, ok, err := s.disposable(ctx, k, docs[i].Val(), held)
		if err != nil {
			return err
		}
		if contacts[i] != nil && contacts[i].Val()+reports[i].Val() > 0 {
			ok = false
		}
		if !ok {
			continue
		}
		if reason := held[d.Kind+":"+d.ID]; reason != "" {
			d.Held = reason
		}
		if err := f(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) disposable(ctx context.Context, key string, v []any, held map[string]string) (Disposable, bool, error) {
	text := func(i int) string { t, _ := v[i].(string); return t }
	id := idOf(key)
	switch kind, _ := recordKey(key); kind {
	case "c":
		at, _ := strconv.ParseInt(text(0), 10, 64)
		if text(2) != "" && text(3) == "" || at == 0 || text(4) == "" {
			return Disposable{}, false, nil // erased, never arrived, or still open
		}
		if r := text(1); r != "" {
			if n, err := s.redis.Exists(ctx, reportKey(ReportID(r))).Result(); err != nil || n > 0 {
				return Disposable{}, false, err
			}
		}
		return Disposable{Kind: "contact", ID: id, Since: contact.Instant(at), Held: held["person:"+text(5)]}, true, nil
	case "r":
		var r Report
		if err := json.Unmarshal([]byte(text(0)), &r); err != nil {
			return Disposable{}, false, fmt.Errorf("crm: report %s cannot be read: %w", id, err)
		}
		d := Disposable{Kind: "report", ID: id, Group: r.Retention.Group, Since: r.Created, Review: r.Retention.Review}
		for _, p := range r.Parties {
			if reason := held["person:"+string(p.Person)]; reason != "" && p.Person != "" {
				d.Held = reason
			}
		}
		for _, c := range r.Contacts {
			if reason := held["contact:"+string(c)]; reason != "" {
				d.Held = reason
			}
		}
		if r.Retention.Hold {
			d.Held = r.Retention.HoldReason
			if d.Held == "" {
				d.Held = "a legal hold"
			}
		}
		if !closed(r.Status) {
			d.Held = "the report is not closed"
		}
		return d, true, nil
	}
	var p Person
	if err := json.Unmarshal([]byte(text(0)), &p); err != nil {
		return Disposable{}, false, fmt.Errorf("crm: person %s cannot be read: %w", id, err)
	}
	return Disposable{Kind: "person", ID: id, Since: p.Changed}, p.MergedInto == "", nil
}

// NamedBlobs tells which of some blobs (nil: of all) a record or a draft still
// names.
func (s *Store) NamedBlobs(ctx context.Context, refs map[blob.Ref]bool) (map[blob.Ref]bool, error) {
	named := map[blob.Ref]bool{}
	var failed error
	err := s.eachKey(ctx, func(key string) bool {
		kind, ok := recordKey(key)
		if !ok || kind != "m" && kind != "r" && kind != "d" {
			return true
		}
		name := func(of []blob.Ref) {
			for _, ref := range of {
				if refs == nil || refs[ref] {
					named[ref] = true
				}
			}
		}
		if kind == "d" {
			all, err := s.redis.HVals(ctx, key).Result()
			for _, kept := range all {
				name(draftBlobs(kept))
			}
			failed = err
			return failed == nil
		}
		text, err := s.redis.HGet(ctx, key, "doc").Result()
		if err != nil {
			if !errors.Is(err, redis.Nil) {
				failed = err
			}
			return failed == nil
		}
		var of []blob.Ref
		if kind == "m" {
			var m Message
			failed = json.Unmarshal([]byte(text), &m)
			of = m.blobs()
		} else {
			var r Report
			failed = json.Unmarshal([]byte(text), &r)
			for _, a := range r.Attachments {
				of = append(of, a.Blob)
			}
		}
		name(of)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, fmt.Errorf("crm: look for blobs: %w", err)
	}
	return named, nil
}

// PostponeReview sets when a report is to be looked at again. Why it is kept
// until then stands in the trail as the reason that ctx's actor gives.
func (s *Store) PostponeReview(ctx context.Context, id ReportID, until contact.Instant, group int) (Report, error) {
	if until <= contact.At(s.now()) {
		return Report{}, &FieldError{"until", "form", "a review lies in the future"}
	}
	return s.change(ctx, id, func(d *reportDocument, _ *agenda) error {
		d.Retention.Review = until
		if group != 0 {
			d.Retention.Group = group
		}
		return nil
	})
}
