package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

const (
	// spellingsLimit is how many words of a lexicon an unfinished one may stand for.
	spellingsLimit = 64
	// looksLimit bounds the documents looked at for one kind, reading and rank.
	looksLimit = 1000
	// block is how many hits are gathered and put in order of time together.
	block = 50
)

// Query searches. It never fails over what was typed: what cannot be anything
// finds nothing.
func (x *Index) Query(ctx context.Context, q Query) (Results, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = LimitDefault
	}
	limit = min(limit, LimitMost)
	skip, err := parseAfter(q.After)
	if err != nil {
		return Results{}, err
	}
	kinds := q.Kinds
	if len(kinds) == 0 {
		kinds = Kinds()
	}
	for _, k := range kinds {
		if k.letter() == 0 {
			return Results{}, fmt.Errorf("%w: kinds: %q is none", ErrInvalid, k)
		}
	}
	rs := recognise(q.Text, x.country)
	if len(rs) == 0 || skip >= DeepLimit {
		return Results{}, nil
	}
	limit = min(limit, DeepLimit-skip)
	timed, cancel := context.WithTimeout(ctx, x.within)
	defer cancel()
	s := &searching{
		x: x, kinds: kinds, readings: rs, want: (skip + limit + block) / block * block,
		found: map[Kind]*found{}, reader: reader{ctx: timed, redis: x.redis, lists: map[string]*list{}},
	}
	s.run()
	if s.err != nil && (timed.Err() == nil || ctx.Err() != nil) {
		return Results{}, fmt.Errorf("search: query: %w", s.err)
	}
	if timed.Err() != nil {
		if ctx.Err() != nil {
			return Results{}, fmt.Errorf("search: query: %w", ctx.Err())
		}
		s.partial = true
	}
	res := Results{Partial: s.partial, Looked: looked(rs)}
	all := s.merged()
	hits := all[min(skip, len(all)):]
	if res.More = len(hits) > limit; res.More {
		if hits = hits[:limit]; skip+limit < DeepLimit {
			res.Next = strconv.Itoa(skip + limit)
		}
	}
	for i, h := range hits {
		if h.Restricted {
			hits[i] = Hit{Doc: Doc{Kind: h.Kind, ID: h.ID, Restricted: true}, Rank: h.Rank}
		}
	}
	res.Hits = hits
	return res, nil
}

func parseAfter(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || len(s) > 6 {
		return 0, fmt.Errorf("%w: after: it must be what an earlier answer gave as next", ErrInvalid)
	}
	return n, nil
}

func looked(rs []reading) []Field {
	var out []Field
	add := func(f Field) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, r := range rs {
		for _, t := range r {
			for _, g := range t.guesses {
				add(g.field.name())
			}
			if t.word != "" {
				add(FieldName)
				add(FieldText)
			}
		}
	}
	return out
}

// searching is one query under way.
type searching struct {
	reader
	x        *Index
	kinds    []Kind
	readings []reading
	want     int // of each kind, whole blocks
	found    map[Kind]*found
	partial  bool
}

// found is what was found of one kind.
type found struct {
	plans []plan
	hits  []Hit
	ids   map[string]bool
	docs  map[uint32]*kept // those looked at; nil for what is no more
}

// plan is a reading for one kind: for each term the lists it may be found in, by
// the rank they give.
type plan struct {
	reading reading
	terms   [][ranksPlusOne][]string
}

// run goes through the ranks, best first, until enough is found.
func (s *searching) run() {
	for _, k := range s.kinds {
		f := &found{ids: map[string]bool{}, docs: map[uint32]*kept{}}
		for _, r := range s.readings {
			f.plans = append(f.plans, s.plan(k, r))
		}
		s.found[k] = f
	}
	for rank := ExactValue; rank < ranksPlusOne; rank++ {
		if rank == PrefixName {
			s.spell()
		}
		var keys []string
		for _, k := range s.kinds {
			for _, p := range s.found[k].plans {
				for _, t := range p.terms {
					keys = append(keys, t[rank]...)
				}
			}
		}
		s.open(keys)
		total := 0
		for _, k := range s.kinds {
			if s.err == nil && s.ctx.Err() == nil {
				s.walk(k, rank)
			}
			total += len(s.found[k].hits)
		}
		// Who typed a whole value that is somebody's does not mean the beginning of
		// another's.
		if total >= s.want || rank == ExactValue && total > 0 || s.err != nil {
			return
		}
	}
}

// merged puts the hits of all kinds in order: by rank, then newest first. Within a
// kind only whole blocks are put in order of time, so that what comes on a page
// does not depend on how many pages are gathered.
func (s *searching) merged() []Hit {
	var out []Hit
	for rank := ExactValue; rank < ranksPlusOne; rank++ {
		var queues [][]Hit
		for _, k := range s.kinds {
			var q []Hit
			for _, h := range s.found[k].hits {
				if h.Rank == rank {
					q = append(q, h)
				}
			}
			for part := range slices.Chunk(q, block) {
				slices.SortStableFunc(part, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.When, a.When), cmp.Compare(b.ID, a.ID)) })
			}
			queues = append(queues, q)
		}
		for {
			newest := -1
			for i, q := range queues {
				if len(q) > 0 && (newest < 0 || q[0].When > queues[newest][0].When) {
					newest = i
				}
			}
			if newest < 0 {
				break
			}
			out, queues[newest] = append(out, queues[newest][0]), queues[newest][1:]
		}
	}
	return out
}

// plan lists where each term of a reading may be found.
func (s *searching) plan(k Kind, r reading) plan {
	p := plan{reading: r, terms: make([][ranksPlusOne][]string, len(r))}
	for i, t := range r {
		to := &p.terms[i]
		add := func(rank Rank, term string) { to[rank] = append(to[rank], termKey(k, term)) }
		if w := t.word; w != "" {
			add(ExactName, nameTerm(w))
			add(ExactWord, wordTerm(w))
			if n := len([]rune(w)); t.last && (n == 2 || n == 3) {
				add(PrefixName, beginTerm(w))
			}
			if c := spoken(t); c != "" {
				add(SoundsAlike, soundTerm(c))
			}
		}
		for _, g := range t.guesses {
			add(ExactValue, valueTerm(g.field, g.value))
			if n := longest(g.field.heads(), len(g.value)); n > 0 && t.last && g.head {
				add(PrefixName, headTerm(g.field, g.value[:n]))
			}
			if n := longest(g.field.tails(), len(g.value)); n > 0 && g.tail {
				add(PrefixName, tailTerm(g.field, g.value[len(g.value)-n:]))
			}
		}
	}
	return p
}

// spoken is how a term sounds, if enough of it is there to tell.
func spoken(t term) string {
	if len(t.word) < 3 || t.last && len(t.word) < 4 {
		return ""
	}
	return sound(t.word)
}

// longest gives the greatest of lengths not above n, 0 for none.
func longest(lengths []int, n int) int {
	best := 0
	for _, l := range lengths {
		if l <= n {
			best = max(best, l)
		}
	}
	return best
}

// spell looks up what unfinished words may become.
func (s *searching) spell() {
	type lookup struct {
		to   *[]string
		kind Kind
		word string
		lex  lexicon
		term func(string) string
		cmd  *redis.StringSliceCmd
	}
	var ls []lookup
	for _, k := range s.kinds {
		for _, p := range s.found[k].plans {
			for j, t := range p.reading {
				if t.last && utf8.RuneCountInString(t.word) >= spelledFrom {
					ls = append(ls, lookup{&p.terms[j][PrefixName], k, t.word, ofNames, nameTerm, nil},
						lookup{&p.terms[j][PrefixWord], k, t.word, ofTexts, wordTerm, nil})
				}
			}
		}
	}
	if len(ls) == 0 {
		return
	}
	_, s.err = s.redis.Pipelined(s.ctx, func(p redis.Pipeliner) error {
		for i, l := range ls {
			ls[i].cmd = p.ZRangeByLex(s.ctx, lexiconKey(l.kind, l.lex, l.word), &redis.ZRangeBy{
				Min: "[" + l.word, Max: "[" + l.word + "\xff", Count: spellingsLimit + 1,
			})
		}
		return nil
	})
	for _, l := range ls {
		found := l.cmd.Val()
		if len(found) > spellingsLimit {
			found, s.partial = found[:spellingsLimit], true
		}
		for _, w := range found {
			*l.to = append(*l.to, termKey(l.kind, l.term(w)))
		}
	}
}

// source gives what matches a plan at a rank or better, as far as lists tell.
func (s *searching) source(p plan, rank Rank) (source, bool) {
	adds := false
	var every all
	for _, t := range p.terms {
		var u union
		for r := ExactValue; r <= rank; r++ {
			for _, key := range t[r] {
				if l := s.lists[key]; l != nil && len(l.window) > 0 {
					u = append(u, l.again())
					adds = adds || r == rank
				}
			}
		}
		if len(u) == 0 {
			return nil, false
		}
		every = append(every, u)
	}
	// The term with the shortest lists first: it skips the most.
	slices.SortStableFunc(every, func(a, b source) int { return cmp.Compare(size(a), size(b)) })
	return every, adds
}

func size(s source) int64 {
	u, _ := s.(union)
	var n int64
	for _, l := range u {
		n += l.lo + int64(len(l.window))*4
	}
	return n
}

// walk collects what matches any reading at a rank, newest first.
func (s *searching) walk(k Kind, rank Rank) {
	f := s.found[k]
	var matches either
	for _, p := range f.plans {
		if src, adds := s.source(p, rank); adds {
			matches = append(matches, src)
		}
	}
	if len(matches) == 0 {
		return
	}
	looks := 0
	for n, more := uint32(math.MaxUint32), true; more && len(f.hits) < s.want && s.err == nil; {
		if looks >= looksLimit {
			s.partial = true
			return
		}
		var batch []uint32
		for len(batch) < block {
			v, ok := matches.seek(&s.reader, n)
			if !ok || v == 0 {
				more = false
				break
			}
			batch, n = append(batch, v), v-1
		}
		looks += len(batch)
		s.look(k, rank, batch)
	}
}

// look reads documents and keeps those that do match and are current.
func (s *searching) look(k Kind, rank Rank, numbers []uint32) {
	f := s.found[k]
	s.fetch(k, numbers)
	var fits []Hit
	var at []uint32
	for _, n := range numbers {
		d := f.docs[n]
		if s.err != nil || d == nil || f.ids[d.ID] {
			continue
		}
		for _, p := range f.plans {
			if matched, ok := s.x.matches(d, p.reading, rank); ok {
				fits, at = append(fits, Hit{Doc: d.Doc, Rank: rank, Matched: matched}), append(at, n)
				break
			}
		}
	}
	if len(fits) == 0 {
		return
	}
	places := make([]*redis.StringCmd, len(fits))
	_, err := s.redis.Pipelined(s.ctx, func(p redis.Pipeliner) error {
		for i, h := range fits {
			places[i] = p.HGet(s.ctx, bucketKey(k, h.ID), h.ID)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		s.err = err
		return
	}
	for i, h := range fits {
		// Others are about to be put, or about to be removed.
		if numbersOf(places[i].Val())[0] == at[i] && len(f.hits) < s.want {
			f.ids[h.ID] = true
			f.hits = append(f.hits, h)
		}
	}
}

// fetch reads documents that were not read before.
func (s *searching) fetch(k Kind, numbers []uint32) {
	f := s.found[k]
	var fresh []uint32
	for _, n := range numbers {
		if _, read := f.docs[n]; !read {
			fresh = append(fresh, n)
		}
	}
	if len(fresh) == 0 || s.err != nil {
		return
	}
	docs := make([]*redis.StringCmd, len(fresh))
	_, err := s.redis.Pipelined(s.ctx, func(p redis.Pipeliner) error {
		for i, n := range fresh {
			docs[i] = p.Get(s.ctx, docKey(k, n))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		s.err = err
		return
	}
	for i, c := range docs {
		f.docs[fresh[i]] = nil
		if c.Err() != nil {
			continue // dropped, or replaced
		}
		d, err := decode([]byte(c.Val()))
		if err != nil {
			s.err = err
			return
		}
		f.docs[fresh[i]] = &d
	}
}

// matches tells whether a document has every term at a rank or better, and where.
// Lists are shared between values, so that the document has the last word.
func (x *Index) matches(d *kept, r reading, rank Rank) ([]Field, bool) {
	var fields []Field
	add := func(f Field) {
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	names, text := d.nameWords(), d.words()
	for _, t := range r {
		found := false
		if w := t.word; w != "" {
			in := func(ws []string, least Rank, fits func(string) bool, f Field) {
				if rank >= least && slices.ContainsFunc(ws, fits) {
					add(f)
					found = true
				}
			}
			same := func(v string) bool { return v == w }
			in(names, ExactName, same, FieldName)
			in(text, ExactWord, same, FieldText)
			if t.last {
				begins := func(v string) bool { return strings.HasPrefix(v, w) }
				in(names, PrefixName, begins, FieldName)
				in(text, PrefixWord, begins, FieldText)
			}
			if c := spoken(t); c != "" && !found && rank >= SoundsAlike {
				in(names, SoundsAlike, func(v string) bool { return sound(v) == c }, FieldName)
			}
		}
		for _, g := range t.guesses {
			for _, v := range d.values(g.field) {
				v = normal(g.field, v, x.country)
				if v == g.value || rank >= PrefixName && (t.last && g.head && strings.HasPrefix(v, g.value) || g.tail && strings.HasSuffix(v, g.value)) {
					add(g.field.name())
					found = true
					break
				}
			}
		}
		if !found {
			return nil, false
		}
	}
	return fields, true
}

// again is a list to be walked from its newest end by somebody else. It shares
// the window and reads on by itself.
func (l *list) again() *list {
	c := *l
	c.at, c.own = len(c.window), false
	return &c
}
