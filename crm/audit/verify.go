package audit

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/redis/go-redis/v9"
)

// ErrBroken means that the trail is not what was appended; a *Fault tells where.
var ErrBroken = errors.New("audit: the trail is broken")

// FaultKind says what is wrong with a trail.
type FaultKind string

// Kinds of fault.
const (
	Changed   FaultKind = "changed"   // an entry is not what was appended
	Missing   FaultKind = "missing"   // an entry is not there, though later ones are
	Reordered FaultKind = "reordered" // an entry stands in another's place
	Truncated FaultKind = "truncated" // entries were cut off at the end
	Foreign   FaultKind = "foreign"   // an entry was added around the chain
)

// Fault is the first thing wrong with a trail.
type Fault struct {
	Kind FaultKind
	// Seq is the first entry concerned.
	Seq    uint64
	Detail string
}

// Error tells what is wrong in a sentence.
func (f *Fault) Error() string {
	return fmt.Sprintf("entry %d is %s: %s", f.Seq, f.Kind, f.Detail)
}

// Is makes errors.Is(err, ErrBroken) hold.
func (f *Fault) Is(target error) bool { return target == ErrBroken }

// Verified is what was found to be whole.
type Verified struct {
	Entries uint64
	Head    Anchor
	// Anchored is the highest anchor given that the chain agrees with: up to it
	// nothing was changed, left out or cut off since the anchor was written. Later
	// entries agree with each other and with the head kept in Redis.
	Anchored uint64
}

// page is how many entries are read at a time.
const page = 1000

// Verify reads the whole trail and checks each entry's hash, number and place,
// and that it agrees with anchors kept elsewhere. A trail that is not whole gives
// a *Fault that names the first entry concerned. Entries appended meanwhile do no
// harm.
func (l *Log) Verify(ctx context.Context, anchors ...Anchor) (Verified, error) {
	v := Verified{}
	known := append([]Anchor(nil), anchors...)
	sort.Slice(known, func(i, j int) bool { return known[i].Seq < known[j].Seq })
	for {
		at, err := l.end(ctx)
		if err != nil {
			return v, fmt.Errorf("audit: verify: %w", err)
		}
		if v.Entries > 0 && at.Seq < v.Entries {
			return v, &Fault{Truncated, at.Seq + 1, "it was cut off while the trail was read"}
		}
		if known, err = l.walk(ctx, &v, at.Seq, known); err != nil {
			return v, err
		}
		if v.Head.Hash != at.Hash {
			return v, &Fault{Changed, at.Seq, "its hash is not the one kept at the head"}
		}
		now, err := l.end(ctx)
		if err != nil {
			return v, fmt.Errorf("audit: verify: %w", err)
		}
		if now.Seq > at.Seq && now.Seq-at.Seq > page {
			continue // a page and more came meanwhile: read that too
		}
		if now.last > now.Seq || uint64(now.held) > now.Seq {
			return v, &Fault{Foreign, now.Seq + 1, "it is kept beyond the head"}
		}
		if len(known) > 0 && known[0].Seq > now.Seq {
			return v, &Fault{Truncated, now.Seq + 1, fmt.Sprintf("the trail ends before it, and an anchor was written at entry %d", known[0].Seq)}
		}
		return v, nil
	}
}

// walk checks entries after v.Entries up to last and returns the anchors beyond.
func (l *Log) walk(ctx context.Context, v *Verified, last uint64, known []Anchor) ([]Anchor, error) {
	for v.Entries < last {
		from := v.Entries + 1
		msgs, err := l.redis.XRangeN(ctx, l.entriesKey(), streamID(from), streamID(last), page).Result()
		if err != nil {
			return known, fmt.Errorf("audit: verify: %w", err)
		}
		if len(msgs) == 0 {
			return known, &Fault{Truncated, from, fmt.Sprintf("no entry follows, and the head says %d", last)}
		}
		for _, m := range msgs {
			if err := l.follow(v, m); err != nil {
				return known, err
			}
			for len(known) > 0 && known[0].Seq <= v.Entries {
				if known[0].Seq == v.Entries && known[0].Hash != v.Head.Hash {
					return known, &Fault{Changed, v.Entries, "its hash is not the one of an anchor: it, or one before it, was written anew"}
				}
				v.Anchored, known = known[0].Seq, known[1:]
			}
		}
	}
	return known, nil
}

// follow checks that m is the entry after v.Head.
func (l *Log) follow(v *Verified, m redis.XMessage) error {
	want := v.Entries + 1
	n, whole := number(m.ID)
	if !whole {
		return &Fault{Foreign, want, "something that is no entry stands at " + m.ID}
	}
	if n != want {
		return &Fault{Missing, want, fmt.Sprintf("entry %d follows entry %d", n, v.Entries)}
	}
	body, _ := m.Values["e"].(string)
	hash, _ := m.Values["h"].(string)
	if sum([]byte(body)) != hash {
		return &Fault{Changed, want, "its hash does not fit what it says"}
	}
	e, err := decode([]byte(body), hash)
	switch {
	case err != nil:
		return &Fault{Changed, want, err.Error()}
	case e.Seq != want:
		return &Fault{Reordered, want, fmt.Sprintf("it says that it is entry %d", e.Seq)}
	case e.Prev != v.Head.Hash:
		return &Fault{Changed, want, "it follows another entry than the one before it: one of the two was written anew"}
	}
	v.Entries, v.Head = want, Anchor{Seq: want, Hash: hash, At: e.At}
	return nil
}
