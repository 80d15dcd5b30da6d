package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// Query says which entries to read. What is left zero does not narrow.
type Query struct {
	// Object with ObjectID, or Actor, are looked up; anything else is searched for
	// from the newest entry on.
	Object, ObjectID string
	Actor            string
	Operation        Operation
	// From and To bound the time: From ≤ At < To.
	From, To contact.Instant
	// Before reads on from an earlier answer: entries with lower numbers only.
	Before uint64
	// Limit is at most ReadLimit, and that when zero.
	Limit int
}

// Page is an answer of Read.
type Page struct {
	// Entries are newest first.
	Entries []Entry
	// Next, when not zero, is what Before must be to read on. A page may be short,
	// even empty, and have a Next: so much was looked through at once.
	Next uint64
}

// Limits of Read.
const (
	ReadLimit = 1000
	// scanLimit bounds the entries looked through for one page.
	scanLimit = 200_000
	// clockSlack is how far clocks of processes that share a trail may differ.
	clockSlack = 10 * contact.Minute
)

// Read reads entries, newest first. That it was read is appended to the trail
// first, and when that fails nothing is returned. Hashes are not checked: Verify
// does.
func (l *Log) Read(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 || q.Limit > ReadLimit {
		q.Limit = ReadLimit
	}
	if q.ObjectID != "" && q.Object == "" {
		return Page{}, fmt.Errorf("%w: object: name the kind of thing the id is of", ErrInvalid)
	}
	reading := Entry{Operation: Consult, Object: "audit", ObjectID: q.ObjectID, Fields: q.filters()}
	if err := l.Append(ctx, reading); err != nil {
		return Page{}, err
	}
	var p Page
	var err error
	switch {
	case q.ObjectID != "":
		p, err = l.listed(ctx, q, l.objectKey(q.Object, q.ObjectID))
	case q.Actor != "":
		p, err = l.listed(ctx, q, l.actorKey(q.Actor))
	default:
		p, err = l.scanned(ctx, q)
	}
	if err != nil {
		return Page{}, fmt.Errorf("audit: read: %w", err)
	}
	return p, nil
}

// filters names what a query narrows by.
func (q Query) filters() []string {
	var f []string
	for name, set := range map[string]bool{
		"object": q.Object != "", "object_id": q.ObjectID != "", "actor": q.Actor != "", "operation": q.Operation != "",
		"from": q.From != 0, "to": q.To != 0,
	} {
		if set {
			f = append(f, name)
		}
	}
	slices.Sort(f)
	return f
}

func (q Query) takes(e Entry) bool {
	return (q.Object == "" || e.Object == q.Object) && (q.ObjectID == "" || e.ObjectID == q.ObjectID) &&
		(q.Actor == "" || e.Actor.ID == q.Actor) && (q.Operation == "" || e.Operation == q.Operation) &&
		e.At >= q.From && (q.To == 0 || e.At < q.To) && (q.Before == 0 || e.Seq < q.Before)
}

// over tells that every entry from e back is too old.
func (q Query) over(e Entry) bool { return e.At < q.From.Add(-clockSlack) }

// listed reads the entries whose numbers a list holds.
func (l *Log) listed(ctx context.Context, q Query, key string) (Page, error) {
	const step = 500
	var p Page
	for seen := 0; seen < scanLimit; seen += step {
		// Entries appended meanwhile move the window back, which shows some again.
		numbers, err := l.redis.LRange(ctx, key, int64(-seen-step), int64(-seen-1)).Result()
		if err != nil {
			return p, err
		}
		cmds, err := l.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, n := range slices.Backward(numbers) {
				if v, err := strconv.ParseUint(n, 10, 64); err != nil || q.Before != 0 && v >= q.Before {
					continue
				}
				pipe.XRange(ctx, l.entriesKey(), n+"-0", n+"-0")
			}
			return nil
		})
		if err != nil {
			return p, err
		}
		for _, c := range cmds {
			x, ok := c.(*redis.XMessageSliceCmd)
			if !ok || len(x.Val()) == 0 {
				continue
			}
			if more, err := p.add(q, x.Val()[0]); err != nil || !more {
				return p, err
			}
			p.Next, _ = number(x.Val()[0].ID)
		}
		if len(numbers) < step {
			p.Next = 0
			return p, nil
		}
	}
	return p, nil
}

// scanned looks through the trail from its end.
func (l *Log) scanned(ctx context.Context, q Query) (Page, error) {
	var p Page
	to := "+"
	if q.Before > 0 {
		to = "(" + streamID(q.Before)
	}
	for range scanLimit / page {
		msgs, err := l.redis.XRevRangeN(ctx, l.entriesKey(), to, "-", page).Result()
		if err != nil {
			return p, err
		}
		for _, m := range msgs {
			if more, err := p.add(q, m); err != nil || !more {
				return p, err
			}
		}
		if len(msgs) < page {
			p.Next = 0
			return p, nil
		}
		to = "(" + msgs[len(msgs)-1].ID
		p.Next, _ = number(msgs[len(msgs)-1].ID)
	}
	return p, nil
}

// add takes an entry if the query does, and tells whether to go on.
func (p *Page) add(q Query, m redis.XMessage) (more bool, err error) {
	body, _ := m.Values["e"].(string)
	hash, _ := m.Values["h"].(string)
	e, err := decode([]byte(body), hash)
	if err != nil {
		return false, fmt.Errorf("entry %s: %w", m.ID, err)
	}
	if q.over(e) {
		p.Next = 0
		return false, nil
	}
	if n := len(p.Entries); !q.takes(e) || n > 0 && e.Seq >= p.Entries[n-1].Seq {
		return true, nil
	}
	if len(p.Entries) == q.Limit {
		p.Next = p.Entries[len(p.Entries)-1].Seq
		return false, nil
	}
	p.Entries = append(p.Entries, e)
	return true, nil
}
