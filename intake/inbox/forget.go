package inbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// Forget erases the content of items in quarantine whose contact is erased: they
// count as worked from then on, so that what came is not taken for new when it
// comes again. It may be repeated.
func (b *Inbox) Forget(ctx context.Context, id contact.ID) error {
	for _, kind := range Kinds() {
		names, err := b.o.Redis.ZRange(ctx, lineKeys(kind)[2], 0, -1).Result()
		if err != nil {
			return fmt.Errorf("inbox: forget: %w", err)
		}
		for _, name := range names {
			if err := b.forget(ctx, kind, name, id); err != nil {
				return fmt.Errorf("inbox: forget: %w", err)
			}
		}
	}
	return nil
}

func (b *Inbox) forget(ctx context.Context, kind Kind, name string, id contact.ID) error {
	kept, err := b.o.Redis.HMGet(ctx, itemKey(name), "item").Result()
	if err != nil {
		return err
	}
	text, ok := kept[0].(string)
	if !ok {
		return nil
	}
	it, err := decode(text, "0")
	if err != nil || it.Contact != id {
		return err
	}
	trace, err := json.Marshal(it.trace())
	if err != nil {
		return err
	}
	_, err = b.o.Redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, itemKey(name), "item", trace, "state", string(done))
		p.HDel(ctx, itemKey(name), "error")
		return nil
	})
	if err != nil {
		return err
	}
	return b.leave(ctx, kind, name, false)
}

// trace is what is kept of an item that was worked. Its key, which may hold an
// address, stands in its name as a hash.
func (it Item) trace() Item {
	left := Item{Kind: it.Kind, Contact: it.Contact, At: it.At}
	if m := it.Envelope["message"]; m != "" {
		left.Envelope = map[string]string{"message": m}
	}
	return left
}
