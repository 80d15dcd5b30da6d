package journal

import (
	"context"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

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
	openScript     = script("open")
	appendScript   = script("append")
	snapshotScript = script("snapshot")
)

// maxBatch bounds the records appended by one script call, so that no call
// blocks Redis for long.
const maxBatch = 256

// Redis is a journal in a Redis stream. Record seq has the id "<seq>-0", so that
// Redis itself refuses an append out of order. An append is durable as far as
// Redis's fsync policy goes: with "always" it is on disk when it returns, with
// "everysec" a power cut may take the last second (a killed process takes
// nothing), and the writer puts that second back when it still runs.
//
// The stream is trimmed only when a snapshot is saved, see [Retention]; it is
// never capped by length, so no record needed for recovery can be lost.
type Redis struct {
	client    redis.UniversalClient
	retention Retention
	stream    string
	epoch     string
	snapshots string
}

// NewRedis returns the journal of that name. Its keys, "{name}:stream",
// "{name}:epoch" and "{name}:snapshots", share a hash slot, so it works on
// Redis Cluster. The client remains the caller's to close.
func NewRedis(client redis.UniversalClient, name string, r Retention) *Redis {
	prefix := "{" + name + "}:"
	return &Redis{client: client, retention: r.filled(), stream: prefix + "stream", epoch: prefix + "epoch", snapshots: prefix + "snapshots"}
}

type redisWriter struct {
	j           *Redis
	epoch, last uint64
}

// Open implements Store.
func (j *Redis) Open(ctx context.Context) (Writer, error) {
	got, err := openScript.Run(ctx, j.client, []string{j.stream, j.epoch}).Int64Slice()
	if err != nil {
		return nil, fmt.Errorf("journal: open %s: %w", j.stream, err)
	}
	if len(got) != 2 {
		return nil, fmt.Errorf("journal: open %s: odd answer %v", j.stream, got)
	}
	return &redisWriter{j, uint64(got[0]), uint64(got[1])}, nil
}

// Bounds implements Store.
func (j *Redis) Bounds(ctx context.Context) (Bounds, error) {
	first, err := j.client.XRangeN(ctx, j.stream, "-", "+", 1).Result()
	if err != nil {
		return Bounds{}, fmt.Errorf("journal: read %s: %w", j.stream, err)
	}
	last, err := j.client.XRevRangeN(ctx, j.stream, "+", "-", 1).Result()
	if err != nil {
		return Bounds{}, fmt.Errorf("journal: read %s: %w", j.stream, err)
	}
	if len(first) == 0 || len(last) == 0 {
		return Bounds{}, nil
	}
	a, err := parseID(first[0].ID)
	if err != nil {
		return Bounds{}, err
	}
	b, err := parseID(last[0].ID)
	return Bounds{a, b}, err
}

// Read implements Store. It reads in pages.
func (j *Redis) Read(ctx context.Context, from uint64, fn func(Record) error) error {
	const page = 1000
	for {
		list, err := j.client.XRangeN(ctx, j.stream, strconv.FormatUint(from, 10)+"-0", "+", page).Result()
		if err != nil {
			return fmt.Errorf("journal: read %s from %d: %w", j.stream, from, err)
		}
		for _, m := range list {
			r, err := parseRecord(m)
			if err != nil {
				return err
			}
			if err := fn(r); err != nil {
				return err
			}
			from = r.Seq + 1
		}
		if len(list) < page {
			return nil
		}
	}
}

func parseID(id string) (uint64, error) {
	head, ok := strings.CutSuffix(id, "-0")
	seq, err := strconv.ParseUint(head, 10, 64)
	if !ok || err != nil || seq == 0 {
		return 0, fmt.Errorf("journal: stream entry %q was not written by a journal", id)
	}
	return seq, nil
}

func parseRecord(m redis.XMessage) (Record, error) {
	seq, err := parseID(m.ID)
	if err != nil {
		return Record{}, err
	}
	r := Record{Seq: seq}
	bad := func(field string, err error) (Record, error) {
		return Record{}, fmt.Errorf("journal: record %d: field %q: %w", seq, field, err)
	}
	missing := map[string]bool{"at": true, "epoch": true, "kind": true, "event": true, "chain": true}
	for field, v := range m.Values {
		text, ok := v.(string)
		if !ok {
			return bad(field, errors.New("not text"))
		}
		delete(missing, field)
		switch field {
		case "at":
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return bad(field, err)
			}
			r.At = contact.Instant(n)
		case "epoch":
			if r.Epoch, err = strconv.ParseUint(text, 10, 64); err != nil {
				return bad(field, err)
			}
		case "kind":
			r.Kind = text
		case "event":
			r.Event = json.RawMessage(text)
		case "hash":
			if r.Hash, err = hex.DecodeString(text); err != nil {
				return bad(field, err)
			}
		case "chain":
			if r.Chain, err = hex.DecodeString(text); err != nil {
				return bad(field, err)
			}
		default:
			return bad(field, errors.New("not known to this version"))
		}
	}
	for _, field := range []string{"at", "epoch", "kind", "event", "chain"} {
		if missing[field] {
			return bad(field, errors.New("missing"))
		}
	}
	return r, nil
}

// Snapshots implements Store.
func (j *Redis) Snapshots(ctx context.Context) ([]Snapshot, error) {
	keys, err := j.client.HKeys(ctx, j.snapshots).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: list snapshots: %w", err)
	}
	list := make([]Snapshot, 0, len(keys))
	for _, k := range keys {
		seq, err := strconv.ParseUint(k, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: snapshot %q: %w", k, err)
		}
		list = append(list, Snapshot{Seq: seq})
	}
	sort.Slice(list, func(a, b int) bool { return list[a].Seq < list[b].Seq })
	return list, nil
}

// Snapshot implements Store.
func (j *Redis) Snapshot(ctx context.Context, seq uint64) (Snapshot, error) {
	data, err := j.client.HGet(ctx, j.snapshots, strconv.FormatUint(seq, 10)).Bytes()
	if err != nil {
		return Snapshot{}, fmt.Errorf("journal: read snapshot %d: %w", seq, err)
	}
	var s Snapshot
	if err := strict(data, &s); err != nil {
		return Snapshot{}, fmt.Errorf("journal: snapshot %d cannot be read: %w", seq, err)
	}
	return s, nil
}

func (w *redisWriter) Epoch() uint64 { return w.epoch }
func (w *redisWriter) Last() uint64  { return w.last }

// Append sends batches of at most maxBatch records.
func (w *redisWriter) Append(ctx context.Context, records []Record) error {
	if err := continuous(records); err != nil {
		return err
	}
	for len(records) > 0 {
		n := min(len(records), maxBatch)
		if err := w.appendBatch(ctx, records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (w *redisWriter) appendBatch(ctx context.Context, records []Record) error {
	args := make([]any, 0, 2+6*len(records))
	args = append(args, w.epoch, len(records))
	for _, r := range records {
		args = append(args, strconv.FormatUint(r.Seq, 10), int64(r.At), r.Kind, []byte(r.Event), hex.EncodeToString(r.Chain), hex.EncodeToString(r.Hash))
	}
	got, err := appendScript.Run(ctx, w.j.client, []string{w.j.stream, w.j.epoch, w.j.snapshots}, args...).Int64Slice()
	if err != nil {
		return fmt.Errorf("journal: append to %s: %w", w.j.stream, err)
	}
	switch {
	case len(got) == 2 && got[0] == 0:
		return nil
	case len(got) == 2 && got[0] == 1:
		return ErrFenced
	case len(got) == 2 && got[0] == 2:
		return &GapError{Last: uint64(got[1])}
	}
	return fmt.Errorf("journal: append to %s: odd answer %v", w.j.stream, got)
}

func (w *redisWriter) SaveSnapshot(ctx context.Context, s Snapshot) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("journal: encode snapshot %d: %w", s.Seq, err)
	}
	got, err := snapshotScript.Run(ctx, w.j.client, []string{w.j.stream, w.j.epoch, w.j.snapshots},
		w.epoch, strconv.FormatUint(s.Seq, 10), data, w.j.retention.Snapshots, w.j.retention.Records).Int64()
	if err != nil {
		return fmt.Errorf("journal: save snapshot %d: %w", s.Seq, err)
	}
	if got == 1 {
		return ErrFenced
	}
	return nil
}
