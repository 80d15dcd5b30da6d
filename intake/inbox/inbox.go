package inbox

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
)

//go:embed lua/*.lua
var scripts embed.FS

func script(name string) *redis.Script {
	text, err := scripts.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // embedded: cannot be absent in a binary that was built
	}
	return redis.NewScript(string(text))
}

var (
	acceptScript = script("accept")
	pendScript   = script("pend")
	claimScript  = script("claim")
	beginScript  = script("begin")
	settleScript = script("settle")
	leaveScript  = script("leave")
	againScript  = script("again")
	freeScript   = script("release")
)

// Errors to test for with errors.Is.
var (
	// ErrInvalid means that an item cannot be accepted; the text names the field.
	ErrInvalid = errors.New("inbox: invalid")
	// ErrNotFound means that no such item is known.
	ErrNotFound = errors.New("inbox: not found")
)

// BodyLimit bounds Item.Body, in bytes; what is larger belongs into a blob.
const BodyLimit = 1 << 20

// Options configure an Inbox. Only Redis is needed.
type Options struct {
	Redis redis.UniversalClient
	// Copies is a folder on local disk for what comes from outside, which is kept
	// there for a minute beside Redis, and is in both before Accept returns: see
	// Recover. It must exist and belong to this inbox alone. Empty keeps none.
	Copies string
	// Parallel is how many items of one kind are worked at a time by one process;
	// 4 if zero.
	Parallel int
	// MaxAttempts is how often an item is tried before it is quarantined; 8 if zero.
	MaxAttempts int
	// Backoff tells how long to wait after attempt n, which counts from 1.
	Backoff func(n int) time.Duration
	// Lease is how long an item is hidden from other processes while it is worked.
	// It is renewed; it matters when a process dies. 1 minute if zero.
	Lease time.Duration
	// Timeout bounds one attempt; 5 minutes if zero.
	Timeout time.Duration
	// Poll is how often the line is looked at for what other processes accepted;
	// 1 second if zero. What this process accepts is worked at once.
	Poll time.Duration
	// Now is the clock; time.Now if nil.
	Now     func() time.Time
	Log     zerolog.Logger
	Metrics *Metrics
}

// Inbox keeps items in Redis. Each item is one hash in a slot of its own, each
// kind's line one slot, so it runs on a cluster. It is safe for concurrent use,
// by several processes too.
//
//	{in:NAME}            hash  one item: item, state, attempts, error
//	{inbox:KIND}:due     zset  names in line, by when they are to be worked
//	{inbox:KIND}:arrived zset  the same names, by arrival
//	{inbox:KIND}:quarantine zset names that could not be worked
//
// An item that was worked leaves its hash without content behind, so that the
// same key is never accepted twice.
type Inbox struct {
	o      Options
	wake   map[Kind]chan struct{}
	step   func(string) error // tests end the process here
	copies *copies
}

var _ Acceptor = (*Inbox)(nil)

// New makes an Inbox.
func New(o Options) *Inbox {
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 8
	}
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	b := &Inbox{
		o: o, step: func(string) error { return nil },
		wake: map[Kind]chan struct{}{Email: make(chan struct{}, 1), Web: make(chan struct{}, 1), Sending: make(chan struct{}, 1)},
	}
	if o.Copies != "" {
		b.copies = &copies{dir: o.Copies, now: o.Now}
	}
	return b
}

// backoff is 1 s, 4 s, 16 s, … at most 15 minutes.
func backoff(n int) time.Duration {
	d := time.Second
	for range min(n, 10) - 1 {
		d *= 4
	}
	return min(d, 15*time.Minute)
}

// state is how far an item is.
type state string

const (
	accepted    state = "accepted"
	givingUp    state = "giving_up"
	done        state = "done"
	quarantined state = "quarantined"
)

// nameOf is what stands for a key in Redis: keys may hold addresses.
func nameOf(kind Kind, key string) string {
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + key))
	return hex.EncodeToString(sum[:20])
}

func itemKey(name string) string { return "{in:" + name + "}" }

func lineKeys(kind Kind) []string {
	tag := "{inbox:" + string(kind) + "}"
	return []string{tag + ":due", tag + ":arrived", tag + ":quarantine"}
}

// Accept implements Acceptor. An error means that the sender must not be told
// that the item was accepted; it may be there nevertheless, and sending it again
// is harmless.
func (b *Inbox) Accept(ctx context.Context, it Item) (Item, bool, error) {
	if err := it.check(); err != nil {
		return Item{}, false, err
	}
	if _, ok := b.wake[it.Kind]; !ok {
		return Item{}, false, fmt.Errorf("%w: kind: %q is not a kind of item", ErrInvalid, it.Kind)
	}
	it.Attempts = 0
	if b.copies != nil && it.Kind != Sending {
		if err := b.copies.put(it); err != nil {
			return Item{}, false, err
		}
	}
	return b.accept(ctx, it)
}

func (b *Inbox) accept(ctx context.Context, it Item) (Item, bool, error) {
	text, err := json.Marshal(it)
	if err != nil {
		return Item{}, false, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	name := nameOf(it.Kind, it.Key)
	now := b.o.Now().UnixMilli()
	// Both writes succeed before anybody is told. The place in line comes first, so
	// whatever is kept is worked; a name without an item is an acceptance that was
	// never confirmed, which workers leave alone for a while and then forget.
	var answer *redis.Cmd
	_, err = b.o.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		pendScript.Eval(ctx, p, lineKeys(it.Kind)[:2], name, now, milliseconds(it.At))
		answer = acceptScript.Eval(ctx, p, []string{itemKey(name)}, text, string(accepted))
		return nil
	})
	if err != nil {
		return Item{}, false, fmt.Errorf("inbox: accept: %w", err)
	}
	kept, err := answer.Slice()
	if err != nil {
		return Item{}, false, fmt.Errorf("inbox: accept: %w", err)
	}
	select {
	case b.wake[it.Kind] <- struct{}{}:
	default:
	}
	if n, _ := kept[0].(int64); n == 1 {
		b.o.Metrics.accepted.WithLabelValues(string(it.Kind), "new").Inc()
		return it, false, nil
	}
	b.o.Metrics.accepted.WithLabelValues(string(it.Kind), "repeat").Inc()
	before, _ := kept[1].(string)
	var first Item
	if err := json.Unmarshal([]byte(before), &first); err != nil {
		return Item{}, false, fmt.Errorf("inbox: accept: the item kept before cannot be read: %w", err)
	}
	return first, true, nil
}

func (it Item) check() error {
	switch {
	case it.Key == "":
		return fmt.Errorf("%w: key: must not be empty", ErrInvalid)
	case it.Contact == "":
		return fmt.Errorf("%w: contact: must be made before acceptance", ErrInvalid)
	case it.At == 0:
		return fmt.Errorf("%w: at: must be set", ErrInvalid)
	case len(it.Body) > BodyLimit:
		return fmt.Errorf("%w: body: holds at most %d bytes, this one has %d", ErrInvalid, BodyLimit, len(it.Body))
	}
	return nil
}

func milliseconds(i contact.Instant) int64 { return int64(i) / int64(contact.Millisecond) }

// Figures say how the line of one kind stands.
type Figures struct {
	// Pending counts items accepted and not yet worked; Oldest is the arrival of
	// the one that has waited longest, zero when there is none.
	Pending int             `json:"pending"`
	Oldest  contact.Instant `json:"oldest,omitempty"`
	// Quarantined counts items that could not be worked and were handed to a person.
	Quarantined int `json:"quarantined"`
}

// Pending reads the figures of a kind in one round trip.
func (b *Inbox) Pending(ctx context.Context, kind Kind) (Figures, error) {
	keys := lineKeys(kind)
	var pending, bad *redis.IntCmd
	var oldest *redis.ZSliceCmd
	_, err := b.o.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		pending, bad = p.ZCard(ctx, keys[0]), p.ZCard(ctx, keys[2])
		oldest = p.ZRangeWithScores(ctx, keys[1], 0, 0)
		return nil
	})
	if err != nil {
		return Figures{}, fmt.Errorf("inbox: figures: %w", err)
	}
	f := Figures{Pending: int(pending.Val()), Quarantined: int(bad.Val())}
	if z := oldest.Val(); len(z) > 0 {
		f.Oldest = contact.Instant(z[0].Score) * contact.Instant(contact.Millisecond)
	}
	return f, nil
}

func decode(text, attempts string) (Item, error) {
	var it Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		return Item{}, fmt.Errorf("inbox: an item cannot be read: %w", err)
	}
	it.Attempts, _ = strconv.Atoi(attempts)
	return it, nil
}
