package search

import (
	"context"
	_ "embed" // the Lua scripts
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/remove.lua
	removeLua string
	//go:embed lua/place.lua
	placeLua string
)

// Options configure an Index.
type Options struct {
	// Redis is a client of a standalone server, Sentinels or a cluster.
	Redis redis.UniversalClient
	// Region is where national numbers are read, for example "GB".
	Region string
	// Within bounds the time of a query, after which its answer is Partial; 0
	// stands for DefaultWithin.
	Within time.Duration
}

// DefaultWithin bounds the time of a query.
const DefaultWithin = 250 * time.Millisecond

// Index is the search index. It is safe for concurrent use, by several processes
// too. What Put returned from is found by every process from then on.
type Index struct {
	redis   redis.UniversalClient
	country string
	within  time.Duration
	remove  *redis.Script
	place   *redis.Script
}

// Open prepares the index; there is nothing to load.
//
//	s:K:next        numbers given to documents of kind K
//	s:K:d:N         a document, with its words
//	s:K:i:BUCKET    hash: document's id → its number
//	s:K:t:TERM      string: numbers of the documents with a term
//	s:K:l:LEXICON:… sorted set: words by their first two letters
func Open(ctx context.Context, o Options) (*Index, error) {
	x := &Index{
		redis: o.Redis, country: countryOf(o.Region), within: o.Within,
		remove: redis.NewScript(removeLua), place: redis.NewScript(placeLua),
	}
	if x.within <= 0 {
		x.within = DefaultWithin
	}
	if err := x.redis.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("search: open: %w", err)
	}
	return x, nil
}

func prefix(k Kind) string               { return "s:" + string(rune(k.letter())) + ":" }
func nextKey(k Kind) string              { return prefix(k) + "next" }
func docKey(k Kind, n uint32) string     { return prefix(k) + "d:" + strconv.FormatUint(uint64(n), 36) }
func termKey(k Kind, term string) string { return prefix(k) + "t:" + term }
func bucketKey(k Kind, id string) string { return prefix(k) + "i:" + bucketOf(id) }
func lexiconKey(k Kind, l lexicon, word string) string {
	rs := []rune(word)
	return prefix(k) + "l:" + string(rune(l)) + ":" + string(rs[:min(2, len(rs))])
}

// bucketOf spreads ids over so many hashes that each stays small, and so compact.
func bucketOf(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return strconv.FormatUint(uint64(h.Sum32()&(1<<18-1)), 36)
}

// kept is a document as it is kept.
type kept struct {
	Doc
	Words string `json:"t,omitempty"` // of the text, in order
}

func (k *kept) words() []string { return strings.Fields(k.Words) }

func (x *Index) termsOf(k *kept) []string { return k.terms(k.words(), x.country) }

func keep(d Doc) (kept, error) {
	if d.Kind.letter() == 0 {
		return kept{}, fmt.Errorf("%w: kind: %q is none", ErrInvalid, d.Kind)
	}
	if d.ID == "" || len(d.ID) > 64 {
		return kept{}, fmt.Errorf("%w: id: it must have 1 to 64 bytes", ErrInvalid)
	}
	for _, vs := range []*[]string{&d.Names, &d.Numbers, &d.Emails, &d.Refs, &d.Postcodes, &d.Vehicles, &d.Uniques} {
		*vs = (*vs)[:min(len(*vs), ValuesLimit)]
	}
	k := kept{Doc: d, Words: strings.Join(textWords(cutTo(d.Text, 64<<10)), " ")}
	k.Text = ""
	return k, nil
}

// Put makes a document be found, in place of the one it replaces. It may be
// repeated after an error.
func (x *Index) Put(ctx context.Context, d Doc) error {
	k, err := keep(d)
	if err != nil {
		return err
	}
	for range 20 {
		done, err := x.put(ctx, k)
		if err != nil {
			return fmt.Errorf("search: put: %w", err)
		}
		if done {
			return nil
		}
	}
	return errors.New("search: put: the document was put by others each time")
}

// put is one try. Numbers a document has or is about to have are written down
// before anything is kept under them, so that whatever a crash leaves is found
// and removed by the document's next Put or Drop.
func (x *Index) put(ctx context.Context, k kept) (done bool, err error) {
	value, err := x.redis.HGet(ctx, bucketKey(k.Kind, k.ID), k.ID).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, err
	}
	now := numbersOf(value)
	if now[0] != 0 {
		old, there, err := x.load(ctx, k.Kind, now[0])
		if err != nil {
			return false, err
		}
		if there && k.Version != 0 && old.Version > k.Version {
			return true, nil
		}
		if there && slices.Equal(x.termsOf(&old), x.termsOf(&k)) {
			return x.rewrite(ctx, k, now[0])
		}
	}
	next, err := x.redis.Incr(ctx, nextKey(k.Kind)).Uint64()
	if err != nil {
		return false, err
	}
	n := uint32(next)
	if next > 1<<32-1 {
		return false, errors.New("all numbers of documents are used up: build the index anew")
	}
	if _, _, err := x.placed(ctx, k.Kind, k.ID, "claim", n, 0); err != nil {
		return false, err
	}
	if err := x.write(ctx, k.Kind, []numbered{{n, k}}, false); err != nil {
		return false, err
	}
	ok, others, err := x.placed(ctx, k.Kind, k.ID, "commit", n, now[0])
	if err != nil {
		return false, err
	}
	if !ok {
		return false, x.clean(ctx, k.Kind, k.ID, []uint32{n})
	}
	return true, x.clean(ctx, k.Kind, k.ID, others[1:])
}

// rewrite changes what is kept of a document whose terms stay.
func (x *Index) rewrite(ctx context.Context, k kept, n uint32) (bool, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return false, err
	}
	return x.redis.SetXX(ctx, docKey(k.Kind, n), text, 0).Result()
}

// placed runs place.lua.
func (x *Index) placed(ctx context.Context, k Kind, id, what string, n, after uint32) (bool, []uint32, error) {
	res, err := x.place.Run(ctx, x.redis, []string{bucketKey(k, id)}, id, what, n, after).Slice()
	if err != nil {
		return false, nil, err
	}
	value, _ := res[1].(string)
	return res[0] == int64(1), numbersOf(value), nil
}

// numbersOf reads what place.lua keeps: the current number, 0 for none, then
// others.
func numbersOf(value string) []uint32 {
	out := []uint32{}
	for _, f := range strings.Fields(value) {
		n, err := strconv.ParseUint(f, 10, 32)
		if err != nil {
			continue
		}
		out = append(out, uint32(n))
	}
	if len(out) == 0 {
		return []uint32{0}
	}
	return out
}

// numbered is a document with its number.
type numbered struct {
	n uint32
	k kept
}

// write keeps documents of one kind under their numbers and terms. Fresh ones get
// their place in the same step.
func (x *Index) write(ctx context.Context, kind Kind, ds []numbered, fresh bool) error {
	lists := map[string][]byte{}
	spellings := map[string][]redis.Z{}
	_, err := x.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range ds {
			d := &ds[i]
			text, err := json.Marshal(&d.k)
			if err != nil {
				return err
			}
			p.Set(ctx, docKey(kind, d.n), text, 0)
			for _, t := range x.termsOf(&d.k) {
				if l, w, ok := spelled(t); ok && lists[t] == nil {
					key := lexiconKey(kind, l, w)
					spellings[key] = append(spellings[key], redis.Z{Member: w})
				}
				lists[t] = binary.BigEndian.AppendUint32(lists[t], d.n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = x.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for t, b := range lists {
			p.Append(ctx, termKey(kind, t), string(b))
		}
		for key, zs := range spellings {
			p.ZAddNX(ctx, key, zs...)
		}
		if fresh {
			for _, d := range ds {
				p.HSet(ctx, bucketKey(kind, d.k.ID), d.k.ID, strconv.FormatUint(uint64(d.n), 10))
			}
		}
		return nil
	})
	return err
}

// Fill puts many documents that were never put before, at most BatchLimit, for a
// first filling: it does not look whether they replace any.
func (x *Index) Fill(ctx context.Context, ds []Doc) error {
	if len(ds) > BatchLimit {
		return fmt.Errorf("%w: at most %d documents at a time", ErrInvalid, BatchLimit)
	}
	byKind := map[Kind][]numbered{}
	for _, d := range ds {
		k, err := keep(d)
		if err != nil {
			return err
		}
		byKind[k.Kind] = append(byKind[k.Kind], numbered{k: k})
	}
	for _, kind := range Kinds() {
		of := byKind[kind]
		if len(of) == 0 {
			continue
		}
		last, err := x.redis.IncrBy(ctx, nextKey(kind), int64(len(of))).Uint64()
		if err != nil {
			return fmt.Errorf("search: fill: %w", err)
		}
		if last > 1<<32-1 {
			return errors.New("search: fill: all numbers of documents are used up: build the index anew")
		}
		for i := range of {
			of[i].n = uint32(last) - uint32(len(of)) + uint32(i) + 1
		}
		if err := x.write(ctx, kind, of, true); err != nil {
			return fmt.Errorf("search: fill: %w", err)
		}
	}
	return nil
}

// Drop removes all that is kept of a document: after it, nothing in the index
// tells that it was there. Dropping what is not there is no error.
func (x *Index) Drop(ctx context.Context, kind Kind, id string) error {
	if kind.letter() == 0 {
		return fmt.Errorf("%w: kind: %q is none", ErrInvalid, kind)
	}
	_, numbers, err := x.placed(ctx, kind, id, "withdraw", 0, 0)
	if err == nil {
		err = x.clean(ctx, kind, id, numbers[1:])
	}
	if err != nil {
		return fmt.Errorf("search: drop: %w", err)
	}
	return nil
}

// clean removes what is kept under numbers that a document no longer has.
func (x *Index) clean(ctx context.Context, kind Kind, id string, numbers []uint32) error {
	for _, n := range numbers {
		k, there, err := x.load(ctx, kind, n)
		if err != nil {
			return err
		}
		if there {
			if err := x.unlist(ctx, kind, n, x.termsOf(&k)); err != nil {
				return err
			}
			if err := x.redis.Del(ctx, docKey(kind, n)).Err(); err != nil {
				return err
			}
		}
		if _, _, err := x.placed(ctx, kind, id, "release", n, 0); err != nil {
			return err
		}
	}
	return nil
}

// unlist takes a number off the lists of terms, and words that nobody has any
// more out of the lexicons.
func (x *Index) unlist(ctx context.Context, kind Kind, n uint32, terms []string) error {
	left := make([]*redis.Cmd, len(terms))
	// EvalSha would fail for a script that the server forgot, Eval costs little.
	_, err := x.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, t := range terms {
			left[i] = x.remove.Eval(ctx, p, []string{termKey(kind, t)}, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, t := range terms {
		l, w, ok := spelled(t)
		if size, _ := left[i].Int64(); !ok || size > 0 {
			continue
		}
		if err := x.redis.ZRem(ctx, lexiconKey(kind, l, w), w).Err(); err != nil {
			return err
		}
		// Somebody may have begun to use the word meanwhile.
		used, err := x.redis.Exists(ctx, termKey(kind, t)).Result()
		if err != nil {
			return err
		}
		if used > 0 {
			if err := x.redis.ZAddNX(ctx, lexiconKey(kind, l, w), redis.Z{Member: w}).Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) load(ctx context.Context, kind Kind, n uint32) (kept, bool, error) {
	b, err := x.redis.Get(ctx, docKey(kind, n)).Bytes()
	if errors.Is(err, redis.Nil) {
		return kept{}, false, nil
	}
	if err != nil {
		return kept{}, false, err
	}
	k, err := decode(b)
	return k, err == nil, err
}

func decode(b []byte) (kept, error) {
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return kept{}, fmt.Errorf("search: a document cannot be read: %w", err)
	}
	return k, nil
}
