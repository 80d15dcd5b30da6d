package inbox

import (
	"context"
	"encoding/json"
	"fmt"

	"example.org/c3i/contact"
)

// Quarantined is an item that could not be worked.
type Quarantined struct {
	Item  Item            `json:"item"`
	Since contact.Instant `json:"since"`
	// Cause is what the last attempt failed with, for operators.
	Cause string `json:"cause"`
}

// Quarantine lists what could not be worked, oldest first: at most limit, all if zero.
func (b *Inbox) Quarantine(ctx context.Context, kind Kind, limit int) ([]Quarantined, error) {
	list, err := b.o.Redis.ZRangeWithScores(ctx, lineKeys(kind)[2], 0, int64(limit)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("inbox: quarantine: %w", err)
	}
	var out []Quarantined
	for _, z := range list {
		name, _ := z.Member.(string)
		m, err := b.o.Redis.HGetAll(ctx, itemKey(name)).Result()
		if err != nil {
			return nil, fmt.Errorf("inbox: quarantine: %w", err)
		}
		q := Quarantined{Since: contact.Instant(z.Score) * contact.Instant(contact.Millisecond), Cause: m["error"]}
		if q.Item, err = decode(m["item"], m["attempts"]); err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

// Kinds are the kinds of item there are.
func Kinds() []Kind { return []Kind{Email, Web, Sending} }

// Find gives the item in quarantine that has a contact's id: what the log names it by.
func (b *Inbox) Find(ctx context.Context, id contact.ID) (Quarantined, error) {
	for _, kind := range Kinds() {
		list, err := b.Quarantine(ctx, kind, 0)
		if err != nil {
			return Quarantined{}, err
		}
		for _, q := range list {
			if q.Item.Contact == id {
				return q, nil
			}
		}
	}
	return Quarantined{}, fmt.Errorf("nothing in quarantine is of contact %s: %w", id, ErrNotFound)
}

// Retry puts a quarantined item in line again, as if it had just been accepted. It
// may be repeated when it was broken off.
func (b *Inbox) Retry(ctx context.Context, kind Kind, key string) error {
	name, keys := nameOf(kind, key), lineKeys(kind)
	// The item comes first: a worker that finds one in line which is in quarantine
	// still takes it out of line.
	text, err := againScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(quarantined), string(accepted)).Text()
	if err != nil {
		return fmt.Errorf("inbox: retry: %w", err)
	}
	listed, err := b.listed(ctx, kind, name)
	if err != nil {
		return err
	}
	if text == "" || !listed {
		return fmt.Errorf("retry: nothing in quarantine has that key: %w", ErrNotFound)
	}
	it, err := decode(text, "0")
	if err != nil {
		return err
	}
	if err := b.step("retried"); err != nil {
		return err
	}
	if err := pendScript.Run(ctx, b.o.Redis, keys[:2], name, b.o.Now().UnixMilli(), milliseconds(it.At)).Err(); err != nil {
		return fmt.Errorf("inbox: retry: %w", err)
	}
	if err := b.o.Redis.ZRem(ctx, keys[2], name).Err(); err != nil {
		return fmt.Errorf("inbox: retry: %w", err)
	}
	return nil
}

// Release takes an item out of quarantine for good: the person who has it has dealt
// with it. Its content is erased here; what was handed to the person stays. The same
// key is not accepted again.
func (b *Inbox) Release(ctx context.Context, q Quarantined) error {
	it := q.Item
	name := nameOf(it.Kind, it.Key)
	trace, err := json.Marshal(Item{Key: it.Key, Kind: it.Kind, Contact: it.Contact, At: it.At})
	if err != nil {
		return err
	}
	listed, err := b.listed(ctx, it.Kind, name)
	if err != nil {
		return err
	}
	ended, err := freeScript.Run(ctx, b.o.Redis, []string{itemKey(name)}, string(quarantined), string(done), trace).Int()
	if err != nil {
		return fmt.Errorf("inbox: release: %w", err)
	}
	if ended == 0 || !listed {
		return fmt.Errorf("release: nothing in quarantine has that key: %w", ErrNotFound)
	}
	return b.leave(ctx, it.Kind, name, false)
}

func (b *Inbox) listed(ctx context.Context, kind Kind, name string) (bool, error) {
	at, err := b.o.Redis.ZMScore(ctx, lineKeys(kind)[2], name).Result()
	if err != nil {
		return false, fmt.Errorf("inbox: quarantine: %w", err)
	}
	return len(at) == 1 && at[0] > 0, nil
}
