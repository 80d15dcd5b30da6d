package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// Action is what was done to a release, the policy or a surge.
type Action string

// Actions of the audit trail.
const (
	ActionMade       Action = "made"
	ActionSubmitted  Action = "submitted" // a draft was given to be published
	ActionApproved   Action = "approved"
	ActionWithdrawn  Action = "withdrawn"
	ActionPublished  Action = "published"
	ActionSuperseded Action = "superseded"
	ActionRefused    Action = "refused" // it could not be put in force
	ActionPolicy     Action = "policy"  // Release is 0
	// Of surges; Release is 0 and Surge names it.
	ActionSurgeOn      Action = "surge_on"
	ActionSurgeOff     Action = "surge_off"
	ActionSurgeApplied Action = "surge_applied" // routing has switched it
)

// Entry is one change in the audit trail.
type Entry struct {
	// Seq counts from 1 without a gap.
	Seq    uint64          `json:"seq"`
	At     contact.Instant `json:"at"`
	By     string          `json:"by"`
	Action Action          `json:"action"`
	// Release and State tell which release was left in which state.
	Release int    `json:"release,omitempty"`
	Surge   string `json:"surge,omitempty"`
	State   State  `json:"state,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Record is the SHA-256 of the stored record as the change left it.
	Record string `json:"record"`
	// Chain is the SHA-256 of the entry before's Chain and this entry's text.
	Chain string `json:"chain,omitempty"`
}

func link(before string, text []byte) string {
	h := sha256.New()
	h.Write([]byte(before))
	h.Write([]byte{'\n'})
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

func parseEntry(m redis.XMessage) (e Entry, text string, err error) {
	text, _ = m.Values["entry"].(string)
	chain, _ := m.Values["chain"].(string)
	seq, err := strconv.ParseUint(strings.TrimSuffix(m.ID, "-0"), 10, 64)
	if err == nil {
		err = json.Unmarshal([]byte(text), &e)
	}
	if err != nil {
		return e, text, failf(CodeDamaged, 0, "audit entry %s cannot be read: %v", m.ID, err)
	}
	if e.Seq != seq {
		return e, text, failf(CodeDamaged, 0, "audit entry %s calls itself %d", m.ID, e.Seq)
	}
	e.Chain = chain
	return e, text, nil
}

const auditPage = 500

// Audit calls f for each entry of the trail from number from on, oldest first,
// until the end or an error, which it returns.
func (a *Archive) Audit(ctx context.Context, from uint64, f func(Entry) error) error {
	return a.entries(ctx, from, func(e Entry, _ string) error { return f(e) })
}

func (a *Archive) entries(ctx context.Context, from uint64, f func(Entry, string) error) error {
	for from = max(from, 1); ; {
		list, err := a.client.XRangeN(ctx, a.audit, strconv.FormatUint(from, 10)+"-0", "+", auditPage).Result()
		if err != nil {
			return fmt.Errorf("release: read the audit trail: %w", err)
		}
		for _, m := range list {
			e, text, err := parseEntry(m)
			if err != nil {
				return err
			}
			if err := f(e, text); err != nil {
				return err
			}
			from = e.Seq + 1
		}
		if len(list) < auditPage {
			return nil
		}
	}
}

// Verify checks the trail's chain from the first entry, that each record is as
// its last entry left it, and that each text has the hash its release tells.
// The error is an *Error of CodeDamaged that names the first thing found.
func (a *Archive) Verify(ctx context.Context) error {
	stored, last, err := a.fetch(ctx)
	if err != nil {
		return err
	}
	want := map[string]string{}
	var seq uint64
	chain := ""
	err = a.entries(ctx, 1, func(e Entry, text string) error {
		if last != nil && e.Seq > last.Seq {
			return nil // made since
		}
		if e.Seq != seq+1 {
			return failf(CodeDamaged, 0, "audit entry %d is followed by %d: entries are missing", seq, e.Seq)
		}
		if link(chain, []byte(text)) != e.Chain {
			return failf(CodeDamaged, 0, "audit entry %d is not the one that was written", e.Seq)
		}
		seq, chain = e.Seq, e.Chain
		want[e.field()] = e.Record
		return nil
	})
	if err != nil {
		return err
	}
	if last != nil && seq != last.Seq {
		return failf(CodeDamaged, 0, "audit entry %d is not in the trail", last.Seq)
	}
	for field, text := range stored {
		if want[field] != hashOf(text) {
			n, _ := strconv.Atoi(field)
			return failf(CodeDamaged, n, "the record of %s is not as its last audit entry left it", field)
		}
		delete(want, field)
	}
	for field := range want {
		return failf(CodeDamaged, 0, "the record of %s is gone", field)
	}
	releases, err := a.List(ctx)
	if err != nil {
		return err
	}
	for _, r := range releases {
		if _, err := a.Get(ctx, r.Number); err != nil {
			return err
		}
	}
	return nil
}
