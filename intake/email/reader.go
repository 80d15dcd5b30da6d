package email

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// Reader brings the messages of an existing mailbox in, over IMAP. It flags,
// moves and deletes nothing: how far it came is kept in Redis, by UID and
// UIDVALIDITY. When the server numbers messages anew all are read again; those
// accepted before are known by their identity.
type Reader struct {
	Account Account
	Gate    Gate
	Threads *Threads
	// Watch is how long IDLE is trusted before the server must answer and is asked
	// anew; 2 minutes if zero.
	Watch   time.Duration
	Log     zerolog.Logger
	Metrics *Metrics

	dial    func(context.Context, Account) (folder, error)
	retries func(n int) time.Duration
}

// Run reads until ctx ends. A server that is away is tried again, for as long as
// it takes.
func (r *Reader) Run(ctx context.Context) {
	if r.Watch == 0 {
		r.Watch = 2 * time.Minute
	}
	if r.Metrics == nil {
		r.Metrics = NewMetrics(nil)
	}
	if r.dial == nil {
		r.dial = dialIMAP
	}
	if r.retries == nil {
		r.retries = reconnect
	}
	log := r.Log.With().Str("account", r.Account.Name).Logger()
	up := r.Metrics.imap.WithLabelValues(r.Account.Name)
	defer up.Set(0)
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := r.watch(ctx, func() { up.Set(1) })
		up.Set(0)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 5*time.Minute {
			failures = 0
		}
		failures++
		wait := r.retries(failures)
		log.Warn().Err(err).Dur("again_in", wait).Msg("the mailbox cannot be read; trying again")
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// reconnect is 1 s, 2 s, … at most a minute, each with some chance in it.
func reconnect(n int) time.Duration {
	d := min(time.Second<<min(n-1, 6), time.Minute)
	return d/2 + rand.N(d/2+1)
}

// watch reads a connection until it fails.
func (r *Reader) watch(ctx context.Context, up func()) error {
	f, err := r.dial(ctx, r.Account)
	if err != nil {
		return err
	}
	defer f.Close()
	at, err := r.cursor(ctx, f)
	if err != nil {
		return err
	}
	for {
		if err := r.take(ctx, f, &at); err != nil {
			return err
		}
		up()
		if err := f.Wait(ctx, r.Watch); err != nil {
			return err
		}
	}
}

// cursor is how far an account was read.
type cursor struct {
	validity, uid uint32
	// since is when it was first read: older messages are not taken, unless
	// Account.Existing says so.
	since time.Time
	fails int
}

func (r *Reader) key() string { return "{imap:" + r.Account.Name + "}" }

func (r *Reader) cursor(ctx context.Context, f folder) (cursor, error) {
	m, err := r.Threads.redis.HGetAll(ctx, r.key()).Result()
	if err != nil {
		return cursor{}, fmt.Errorf("imap: read the cursor: %w", err)
	}
	c := cursor{validity: number(m["validity"]), uid: number(m["uid"]), fails: int(number(m["fails"]))}
	if s, err := strconv.ParseInt(m["since"], 10, 64); err == nil && s > 0 {
		c.since = time.Unix(s, 0)
	}
	switch {
	case len(m) == 0 && r.Account.Existing:
		c = cursor{validity: f.Validity()}
	case len(m) == 0:
		c = cursor{validity: f.Validity(), since: r.Gate.Now()}
		if n := f.Next(); n > 0 {
			c.uid = n - 1
		}
	case c.validity != f.Validity():
		r.Log.Warn().Str("account", r.Account.Name).Msg("the server numbers its messages anew; all are compared with those accepted")
		c.validity, c.uid = f.Validity(), 0
	default:
		return c, nil
	}
	return c, r.keep(ctx, c)
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// advance never lets another process move the cursor back.
var advance = redis.NewScript(`
local had = redis.call('HMGET', KEYS[1], 'validity', 'uid')
if had[1] == ARGV[1] and tonumber(had[2] or '0') > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'validity', ARGV[1], 'uid', ARGV[2], 'since', ARGV[3], 'fails', ARGV[4])
return 1`)

func (r *Reader) keep(ctx context.Context, c cursor) error {
	since := int64(0)
	if !c.since.IsZero() {
		since = c.since.Unix()
	}
	if err := advance.Run(ctx, r.Threads.redis, []string{r.key()}, c.validity, c.uid, since, c.fails).Err(); err != nil {
		return fmt.Errorf("imap: keep the cursor: %w", err)
	}
	return nil
}

// fetchTries is how often a message that the server does not give out is asked
// for, before a person is told of it instead.
const fetchTries = 5

// take accepts what is new, in order. The cursor follows each acceptance.
func (r *Reader) take(ctx context.Context, f folder, at *cursor) error {
	uids, err := f.After(ctx, at.uid)
	if err != nil {
		return err
	}
	for _, uid := range uids {
		raw, got, err := f.Fetch(ctx, uid, r.Gate.Largest)
		switch {
		case errors.Is(err, errGone):
		case err != nil && at.fails+1 < fetchTries:
			next := *at
			next.fails++
			if ctx.Err() == nil {
				err = errors.Join(err, r.keep(ctx, next))
			}
			return err
		case err != nil:
			r.Log.Error().Err(err).Str("account", r.Account.Name).Uint32("uid", uid).Msg("a message cannot be fetched; a person is told of it")
			raw = fmt.Appendf(nil, "The mail server does not give out message %d of the mailbox %q.\n", uid, r.Account.Name)
			fallthrough
		default:
			if !at.since.IsZero() && !got.IsZero() && got.Before(at.since.Add(-time.Minute)) {
				break
			}
			repeats, err := r.Gate.Take(ctx, bytes.NewReader(raw), []string{r.Account.Mailbox}, map[string]string{"account": r.Account.Name})
			if err != nil {
				r.Metrics.received.WithLabelValues("imap", "later").Inc()
				return err
			}
			r.Metrics.received.WithLabelValues("imap", map[bool]string{true: "repeat", false: "accepted"}[repeats > 0]).Inc()
		}
		at.uid, at.fails = uid, 0
		if err := r.keep(ctx, *at); err != nil {
			return err
		}
	}
	return nil
}
