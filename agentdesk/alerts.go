package agentdesk

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

//go:embed lua/alert_raise.lua
var alertRaiseLua string

//go:embed lua/alert_ack.lua
var alertAckLua string

// Bounds of alerts.
const (
	alertPage     = 200  // listed at once
	alertsKept    = 1000 // acknowledged ones
	alertNoteMax  = 500  // characters
	alertsUnsaved = 10_000
)

// Alert is something that needs a person's attention; it stands until one
// acknowledges it. docs/api.md tells the fields.
type Alert struct {
	ID      int64           `json:"id"`
	Code    string          `json:"code"`
	Contact contact.ID      `json:"contact,omitempty"`
	Agent   routing.AgentID `json:"agent,omitempty"`
	Queue   routing.QueueID `json:"queue,omitempty"`
	Text    string          `json:"text"`
	// First and Last are when it was raised, Count how often: an alert that stands
	// is not raised a second time.
	First contact.Instant `json:"first"`
	Last  contact.Instant `json:"last"`
	Count int             `json:"count"`
	// AcknowledgedBy, AcknowledgedAt and Note are empty while it stands.
	AcknowledgedBy string          `json:"acknowledged_by,omitempty"`
	AcknowledgedAt contact.Instant `json:"acknowledged_at,omitempty"`
	Note           string          `json:"note,omitempty"`
}

// AlertList is the body of GET /api/alerts.
type AlertList struct {
	// Standing counts all that stand, listed here or not.
	Standing int     `json:"standing"`
	Alerts   []Alert `json:"alerts"`
	// Before asks for the next page, absent on the last.
	Before int64 `json:"before,omitempty"`
}

// AlertAcknowledgement is the body of POST /api/alerts/{id}/ack.
type AlertAcknowledgement struct {
	Note string `json:"note,omitempty"`
}

// AlertAnswer is the body of the answer to it.
type AlertAnswer struct {
	Alert Alert `json:"alert"`
}

type alertAck struct {
	By   string          `json:"by"`
	At   contact.Instant `json:"at"`
	Note string          `json:"note,omitempty"`
}

// alertBook keeps alerts on Redis, in the order they were raised. While Redis is
// away they wait in memory.
type alertBook struct {
	rdb        redis.UniversalClient
	log        zerolog.Logger
	raise, ack *redis.Script

	mu    sync.Mutex
	queue []raised
	wake  chan struct{} // capacity 1
	turn  chan struct{} // held by the one writer
}

type raised struct {
	alert routing.Alert
	at    contact.Instant
}

// Keys share a hash slot.
const (
	alertNumberKey   = "{alerts}:number"
	alertSameKey     = "{alerts}:same"
	alertBodyKey     = "{alerts}:alerts"
	alertSeenKey     = "{alerts}:seen"
	alertStandingKey = "{alerts}:standing"
	alertOverKey     = "{alerts}:over"
	alertAcksKey     = "{alerts}:acks"
)

func newAlertBook(rdb redis.UniversalClient, log zerolog.Logger) *alertBook {
	return &alertBook{
		rdb: rdb, log: log, raise: redis.NewScript(alertRaiseLua), ack: redis.NewScript(alertAckLua),
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
}

// add takes an alert to be kept. It does not wait.
func (b *alertBook) add(a routing.Alert, at contact.Instant) {
	b.mu.Lock()
	if len(b.queue) < alertsUnsaved {
		b.queue = append(b.queue, raised{a, at})
	} else {
		b.log.Error().Str("code", a.Code).Msg("an alert was shown but cannot be kept: too many wait for Redis")
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx is done.
func (b *alertBook) run(ctx context.Context) {
	for {
		_ = b.flush(ctx)
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
	}
}

// flush writes until nothing is left or ctx is done; the error says how many
// alerts were not kept.
func (b *alertBook) flush(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	pause := 50 * time.Millisecond
	for {
		b.mu.Lock()
		left := len(b.queue)
		var next raised
		if left > 0 {
			next = b.queue[0]
		}
		b.mu.Unlock()
		if left == 0 {
			return nil
		}
		err := b.keep(ctx, next)
		if err == nil {
			b.mu.Lock()
			b.queue = b.queue[1:]
			b.mu.Unlock()
			pause = 50 * time.Millisecond
			continue
		}
		b.log.Warn().Err(err).Str("code", next.alert.Code).Msg("an alert could not be kept; trying again")
		select {
		case <-ctx.Done():
			return fmt.Errorf("agentdesk: %d alerts could not be kept: %w", left, errors.Join(ctx.Err(), err))
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func (b *alertBook) keep(ctx context.Context, r raised) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	text, err := json.Marshal(r.alert)
	if err != nil {
		return err
	}
	keys := []string{alertNumberKey, alertSameKey, alertBodyKey, alertSeenKey, alertStandingKey}
	return b.raise.Run(ctx, b.rdb, keys, alertAbout(r.alert), text, int64(r.at)).Err()
}

// alertAbout is what an alert is about: two that agree in it are one.
func alertAbout(a routing.Alert) string {
	return strings.Join([]string{a.Code, string(a.Contact), string(a.Agent), string(a.Queue)}, "\x1f")
}

// list gives a page of alerts, newest first: those that stand, or those over.
func (b *alertBook) list(ctx context.Context, standing bool, before int64) (AlertList, error) {
	out := AlertList{Alerts: []Alert{}}
	from := "+inf"
	if before > 0 {
		from = "(" + strconv.FormatInt(before, 10)
	}
	key := alertOverKey
	if standing {
		key = alertStandingKey
	}
	var count *redis.IntCmd
	var page *redis.StringSliceCmd
	_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		count = p.ZCard(ctx, alertStandingKey)
		page = p.ZRevRangeByScore(ctx, key, &redis.ZRangeBy{Min: "-inf", Max: from, Count: alertPage + 1})
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("list alerts: %w", err)
	}
	out.Standing = int(count.Val())
	ids := page.Val()
	more := len(ids) > alertPage
	if more {
		ids = ids[:alertPage]
	}
	if out.Alerts, err = b.read(ctx, ids); err != nil {
		return out, err
	}
	if more && len(out.Alerts) > 0 {
		out.Before = out.Alerts[len(out.Alerts)-1].ID
	}
	return out, nil
}

// read gives those of the ids that are kept, in their order.
func (b *alertBook) read(ctx context.Context, ids []string) ([]Alert, error) {
	out := []Alert{}
	if len(ids) == 0 {
		return out, nil
	}
	var bodies, seen, acks *redis.SliceCmd
	_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		bodies, seen, acks = p.HMGet(ctx, alertBodyKey, ids...), p.HMGet(ctx, alertSeenKey, ids...), p.HMGet(ctx, alertAcksKey, ids...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	for i, id := range ids {
		body, have := bodies.Val()[i].(string)
		if !have {
			continue // forgotten since
		}
		var raw routing.Alert
		if err := json.Unmarshal([]byte(body), &raw); err != nil {
			return nil, fmt.Errorf("alert %s cannot be read: %w", id, err)
		}
		n, _ := strconv.ParseInt(id, 10, 64)
		a := Alert{ID: n, Code: raw.Code, Contact: raw.Contact, Agent: raw.Agent, Queue: raw.Queue, Text: raw.Text}
		if text, is := seen.Val()[i].(string); is {
			if _, err := fmt.Sscan(text, &a.First, &a.Last, &a.Count); err != nil {
				return nil, fmt.Errorf("alert %s cannot be read: %w", id, err)
			}
		}
		if text, is := acks.Val()[i].(string); is {
			var k alertAck
			if err := json.Unmarshal([]byte(text), &k); err != nil {
				return nil, fmt.Errorf("alert %s cannot be read: %w", id, err)
			}
			a.AcknowledgedBy, a.AcknowledgedAt, a.Note = k.By, k.At, k.Note
		}
		out = append(out, a)
	}
	return out, nil
}

// acknowledge ends an alert. Errors for the asker are *Error.
func (b *alertBook) acknowledge(ctx context.Context, id int64, k alertAck) (Alert, error) {
	name := strconv.FormatInt(id, 10)
	list, err := b.read(ctx, []string{name})
	if err != nil {
		return Alert{}, err
	}
	if len(list) == 0 {
		return Alert{}, &Error{Code: CodeNotFound, Message: "There is no such alert."}
	}
	a := list[0]
	text, err := json.Marshal(k)
	if err != nil {
		return Alert{}, err
	}
	about := alertAbout(routing.Alert{Code: a.Code, Contact: a.Contact, Agent: a.Agent, Queue: a.Queue})
	keys := []string{alertSameKey, alertBodyKey, alertSeenKey, alertStandingKey, alertOverKey, alertAcksKey}
	done, err := b.ack.Run(ctx, b.rdb, keys, name, about, text, alertsKept).Int()
	if err != nil {
		return Alert{}, fmt.Errorf("acknowledge an alert: %w", err)
	}
	if done == 0 {
		return Alert{}, &Error{Code: CodeConflict, Message: "Somebody acknowledged this alert already."}
	}
	a.AcknowledgedBy, a.AcknowledgedAt, a.Note = k.By, k.At, k.Note
	return a, nil
}

func (s *Server) handleAlerts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	standing := true
	switch q.Get("state") {
	case "", "standing":
	case "acknowledged":
		standing = false
	default:
		s.writeError(w, invalid("state", "Write state=standing or state=acknowledged."))
		return
	}
	var before int64
	if q.Has("before") {
		n, err := strconv.ParseInt(q.Get("before"), 10, 64)
		if err != nil || n < 1 {
			s.writeError(w, invalid("before", "Write the number that the page before gave."))
			return
		}
		before = n
	}
	list, err := s.alerts.list(r.Context(), standing, before)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, list)
}

func (s *Server) handleAcknowledgeAlert(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		s.writeError(w, &Error{Code: CodeNotFound, Message: "There is no such alert."})
		return
	}
	var ask AlertAcknowledgement
	if !s.readJSON(w, r, &ask) {
		return
	}
	if utf8.RuneCountInString(ask.Note) > alertNoteMax {
		s.writeError(w, invalid("note", "The note is too long: at most 500 characters."))
		return
	}
	a, err := s.alerts.acknowledge(r.Context(), id, alertAck{By: userOf(r.Context()).Name, At: s.instant(), Note: strings.TrimSpace(ask.Note)})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, AlertAnswer{a})
}
