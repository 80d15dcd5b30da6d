package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm/blob"
)

// DraftLimit bounds a draft, in bytes.
const DraftLimit = 256 << 10

// draftBlobs are the files that a draft names: every "blob" in it, wherever it
// stands. What a draft holds else is its writer's business.
func draftBlobs(kept string) []blob.Ref {
	_, text, _ := strings.Cut(kept, " ")
	var out []blob.Ref
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, in := range v {
				if text, ok := in.(string); ok && name == "blob" && blob.Ref(text).Valid() {
					out = append(out, blob.Ref(text))
				}
				look(in)
			}
		case []any:
			for _, in := range v {
				look(in)
			}
		}
	}
	var body any
	if json.Unmarshal([]byte(text), &body) == nil { // SaveDraft takes nothing else
		look(body)
	}
	return out
}

// SaveDraft keeps what somebody has not finished, under a key of theirs, written
// from revision base (0 for a new one), and returns its revision. ErrConflict
// means that another tab saved a newer one, whose revision is returned; nothing
// was written. A body of null or none forgets the draft. A repeat with the same
// body is no conflict.
func (s *Store) SaveDraft(ctx context.Context, owner, key string, base uint64, body json.RawMessage) (uint64, error) {
	var f faults
	if owner == "" {
		f.add("owner", "required", "say whose draft it is")
	}
	if key == "" || len(key) > fieldLimit {
		f.add("key", "form", "a key of at most %d bytes", fieldLimit)
	}
	if len(body) > DraftLimit {
		f.add("body", "too_long", "a draft holds at most %d bytes, this one has %d", DraftLimit, len(body))
	}
	text := string(body)
	if text == "null" {
		text = ""
	}
	if text != "" && !json.Valid(body) {
		f.add("body", "form", "a draft is JSON")
	}
	if err := f.err(); err != nil {
		return 0, err
	}
	res, err := s.eval(ctx, draftSaveLua, []string{draftsKey(owner)}, key, strconv.FormatUint(base, 10), text).Int64Slice()
	if err != nil {
		return 0, fmt.Errorf("crm: save draft: %w", err)
	}
	rev := uint64(res[1])
	if res[0] == 0 {
		return rev, fmt.Errorf("draft saved from revision %d, newest is %d: %w", base, rev, ErrConflict)
	}
	return rev, nil
}

// Draft reads a draft and its revision.
func (s *Store) Draft(ctx context.Context, owner, key string) (json.RawMessage, uint64, error) {
	kept, err := s.redis.HGet(ctx, draftsKey(owner), key).Result()
	if errors.Is(err, redis.Nil) {
		return nil, 0, fmt.Errorf("draft: %w", ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("crm: read draft: %w", err)
	}
	number, text, _ := strings.Cut(kept, " ")
	rev, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("crm: read draft: %w", err)
	}
	if text == "" {
		return nil, rev, fmt.Errorf("draft: %w", ErrNotFound)
	}
	return json.RawMessage(text), rev, nil
}

// Drafts lists the keys of somebody's drafts, with their revisions.
func (s *Store) Drafts(ctx context.Context, owner string) (map[string]uint64, error) {
	m, err := s.redis.HGetAll(ctx, draftsKey(owner)).Result()
	if err != nil {
		return nil, fmt.Errorf("crm: list drafts: %w", err)
	}
	out := map[string]uint64{}
	for key, kept := range m {
		number, text, _ := strings.Cut(kept, " ")
		if text == "" {
			continue
		}
		if out[key], err = strconv.ParseUint(number, 10, 64); err != nil {
			return nil, fmt.Errorf("crm: list drafts: %w", err)
		}
	}
	return out, nil
}
