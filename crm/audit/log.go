package audit

import (
	"context"
	_ "embed" // the Lua scripts
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

var (
	//go:embed lua/append.lua
	appendLua string
	//go:embed lua/head.lua
	headLua string
)

// Limits.
const (
	// AppendLimit bounds the entries of one Append, which are appended together
	// or not at all.
	AppendLimit = 1000
	// batch bounds what waiting callers' entries are sent in one step.
	batch = 500
	// tries bounds how often a step is repeated when another process was first or
	// the connection broke.
	tries    = 50
	stepTime = 10 * time.Second
)

// Log is a trail in Redis. It is safe for concurrent use, and several processes
// may append to one. Callers who append at the same time share a round trip, so
// that hundreds of appends a second cost little.
type Log struct {
	redis  redis.UniversalClient
	tag    string
	ids    *contact.IDs
	now    func() time.Time
	anchor func(Anchor)
	every  uint64

	append, headOf *redis.Script

	mu      sync.Mutex
	waiting []*waiter
	running bool

	// Owned by the goroutine that appends.
	head   Anchor
	marked uint64
}

type waiter struct {
	entries []Entry
	taken   bool
	done    chan error
}

// An Option changes how a Log is opened.
type Option func(*Log)

// Clock replaces time.Now.
func Clock(now func() time.Time) Option { return func(l *Log) { l.now = now } }

// AnchorTo hands the chain's end to f after every so many entries appended by
// this process, and on Mark. f must keep it outside Redis; Anchors does.
func AnchorTo(f func(Anchor), every uint64) Option {
	return func(l *Log) { l.anchor, l.every = f, max(every, 1) }
}

// Open opens the trail of a name, which is empty when nobody wrote to it. Names
// keep trails apart that share a Redis.
//
//	{audit:NAME}:entries  stream  N-0 → e: the entry as JSON, h: its hash
//	{audit:NAME}:head     hash    seq and hash of the newest
//	{audit:NAME}:of:OBJECT:ID, :by:ACTOR  lists of entry numbers, for Read
func Open(ctx context.Context, r redis.UniversalClient, name string, options ...Option) (*Log, error) {
	l := &Log{
		redis: r, tag: "{audit:" + name + "}", now: time.Now,
		append: redis.NewScript(appendLua), headOf: redis.NewScript(headLua),
	}
	for _, o := range options {
		o(l)
	}
	l.ids = contact.NewIDs(l.now)
	end, err := l.end(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: open: %w", err)
	}
	l.head, l.marked = end.Anchor, end.Seq
	return l, nil
}

var _ Trail = (*Log)(nil)

func (l *Log) entriesKey() string { return l.tag + ":entries" }
func (l *Log) headKey() string    { return l.tag + ":head" }
func (l *Log) objectKey(object, id string) string {
	return l.tag + ":of:" + object + ":" + id
}
func (l *Log) actorKey(id string) string { return l.tag + ":by:" + id }

// Append implements Trail. An entry that is appended late may bring its ID and the
// time of what it tells. Should the connection break at the wrong moment, an
// entry may be kept although an error is returned: the trail then tells of
// something that was tried.
func (l *Log) Append(ctx context.Context, es ...Entry) error {
	if len(es) == 0 {
		return nil
	}
	if len(es) > AppendLimit {
		return fmt.Errorf("%w: at most %d entries at a time, these are %d", ErrInvalid, AppendLimit, len(es))
	}
	w := &waiter{entries: slices.Clone(es), done: make(chan error, 1)}
	at := contact.At(l.now())
	for i := range w.entries {
		e := &w.entries[i]
		if e.ID == "" {
			e.ID = l.ids.New()
		}
		if e.At == 0 || e.At > at {
			e.At = at
		}
		if e.Actor == (Actor{}) {
			e.Actor = From(ctx)
		}
		if err := check(*e); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	if !l.running {
		l.running = true
		go l.run()
	}
	l.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		if l.withdraw(w) {
			return fmt.Errorf("audit: append: %w", ctx.Err())
		}
		return <-w.done // it is on its way: bounded by stepTime
	}
}

// withdraw takes back what was not sent yet.
func (l *Log) withdraw(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.taken {
		return false
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(o *waiter) bool { return o == w })
	return true
}

// run appends what waits and ends when nothing does.
func (l *Log) run() {
	for {
		ws := l.take()
		if len(ws) == 0 {
			return
		}
		var es []Entry
		for _, w := range ws {
			es = append(es, w.entries...)
		}
		err := l.write(es)
		for _, w := range ws {
			w.done <- err
		}
		if err == nil && l.anchor != nil && l.head.Seq-l.marked >= l.every {
			l.marked = l.head.Seq
			l.anchor(l.head)
		}
	}
}

func (l *Log) take() []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.waiting) && (n == 0 || size+len(l.waiting[n].entries) <= batch) {
		size += len(l.waiting[n].entries)
		l.waiting[n].taken = true
		n++
	}
	ws := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.running = n > 0
	return ws
}

// write appends entries after the newest, whoever wrote that.
func (l *Log) write(es []Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	defer cancel()
	var err error
	for range tries {
		var ok bool
		if ok, err = l.step(ctx, es); ok {
			return nil
		}
		if err != nil && (ctx.Err() != nil || errors.Is(err, ErrInvalid) || isAnswer(err)) {
			break
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	if err == nil {
		err = errors.New("other processes were always first")
	}
	return fmt.Errorf("audit: append: %w", err)
}

// isAnswer tells whether Redis itself refused, which trying again does not mend.
func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

// step tries once to append. When it was not first it learns the new end. A try
// whose answer was lost is recognised by the next, because it has the same hashes.
func (l *Log) step(ctx context.Context, es []Entry) (bool, error) {
	keys := make([]string, 0, 2+2*len(es))
	keys = append(keys, l.entriesKey(), l.headKey())
	args := make([]any, 0, 1+3*len(es))
	args = append(args, l.head.Hash)
	next := l.head
	for _, e := range es {
		e.Seq, e.Prev = next.Seq+1, next.Hash
		body, hash, err := encode(e)
		if err != nil {
			return false, err
		}
		next = Anchor{Seq: e.Seq, Hash: hash, At: e.At}
		keys = append(keys, l.objectKey(e.Object, e.ObjectID), l.actorKey(e.Actor.ID))
		args = append(args, e.Seq, body, hash)
	}
	res, err := l.append.Run(ctx, l.redis, keys, args...).Slice()
	if err != nil {
		return false, err
	}
	if res[0] == int64(1) {
		l.head = next
		return true, nil
	}
	l.head, err = anchorOf(res[1:])
	return false, err
}

func anchorOf(res []any) (Anchor, error) {
	seq, _ := res[0].(string)
	hash, ok := res[1].(string)
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || !ok {
		return Anchor{}, fmt.Errorf("audit: the head of the chain cannot be read: %w", errors.Join(err, ErrBroken))
	}
	return Anchor{Seq: n, Hash: hash}, nil
}

// end is where the chain ends.
type end struct {
	Anchor
	held int64  // entries in the stream
	last uint64 // the newest's number in the stream
}

func (l *Log) end(ctx context.Context) (end, error) {
	res, err := l.headOf.Run(ctx, l.redis, []string{l.entriesKey(), l.headKey()}).Slice()
	if err != nil {
		return end{}, err
	}
	var e end
	if e.Anchor, err = anchorOf(res); err != nil {
		return end{}, err
	}
	e.held, _ = res[2].(int64)
	id, _ := res[3].(string)
	e.last, _ = number(id)
	e.At = contact.At(l.now())
	return e, nil
}

// Head tells where the chain ends now. Kept outside Redis, it proves later that
// nothing up to it was cut off or changed.
func (l *Log) Head(ctx context.Context) (Anchor, error) {
	e, err := l.end(ctx)
	if err != nil {
		return Anchor{}, fmt.Errorf("audit: read the head: %w", err)
	}
	return e.Anchor, nil
}

// Mark hands the chain's end to AnchorTo's function now, for example once an hour
// and when a process ends. It returns the anchor.
func (l *Log) Mark(ctx context.Context) (Anchor, error) {
	a, err := l.Head(ctx)
	if err == nil && l.anchor != nil && a.Seq > 0 {
		l.anchor(a)
	}
	return a, err
}

// number reads an entry's number from its stream id.
func number(id string) (uint64, bool) {
	n, rest, ok := cut(id)
	return n, ok && rest == "0"
}

func cut(id string) (n uint64, rest string, ok bool) {
	for i := range len(id) {
		if id[i] == '-' {
			n, err := strconv.ParseUint(id[:i], 10, 64)
			return n, id[i+1:], err == nil
		}
	}
	return 0, "", false
}

func streamID(n uint64) string { return strconv.FormatUint(n, 10) + "-0" }
