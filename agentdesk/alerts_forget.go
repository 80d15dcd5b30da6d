package agentdesk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// ForgetNotes erases what was written when alerts about a contact that is erased
// were acknowledged. That there was an alert, and who acknowledged it when, stays.
func ForgetNotes(rdb redis.UniversalClient) crm.Forgetter {
	return func(ctx context.Context, id contact.ID) error {
		acks, err := rdb.HGetAll(ctx, alertAcksKey).Result()
		if err != nil || len(acks) == 0 {
			return err
		}
		for alert, text := range acks {
			var k alertAck
			if err := json.Unmarshal([]byte(text), &k); err != nil {
				return fmt.Errorf("alert %s cannot be read: %w", alert, err)
			}
			if k.Note == "" {
				continue
			}
			body, err := rdb.HMGet(ctx, alertBodyKey, alert).Result()
			if err != nil {
				return err
			}
			var about routing.Alert
			if raw, ok := body[0].(string); ok {
				if err := json.Unmarshal([]byte(raw), &about); err != nil {
					return fmt.Errorf("alert %s cannot be read: %w", alert, err)
				}
			}
			if about.Contact != id {
				continue
			}
			k.Note = ""
			short, err := json.Marshal(k)
			if err == nil {
				err = rdb.HSet(ctx, alertAcksKey, alert, short).Err()
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}
