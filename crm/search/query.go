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
	looksLimit = 4000
	looksStep  = 64
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
	if len(rs) == 0 {
		return Results{}, nil
	}
	timed, cancel := context.WithTimeout(ctx, x.within)
	defer cancel()
	s := &searching{
		x: x, seen: map[string]bool{}, plans: map[Kind][]plan{},
		reader: reader{ctx: timed, redis: x.redis, lists: map[string]*list{}},
	}
	s.run(kinds, rs)
	if s.err != nil && !(timed.Err() != nil && ctx.Err() == nil) {
		return Results{}, fmt.Errorf("search: query: %w", s.err)
	}
	if timed.Err() != nil {
		if ctx.Err() != nil {
			return Results{}, fmt.Errorf("search: query: %w", ctx.Err())
		}
		s.partial = true
	}
	// The same is gathered whichever page is asked for, so that pages join.
	res := Results{Partial: s.partial, Looked: looked(rs)}
	slices.SortStableFunc(s.hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.When, a.When),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(b.ID, a.ID))
	})
	hits := s.hits[min(skip, len(s.hits)):]
	res.More = s.more
	if len(hits) > limit {
		hits, res.More, res.Next = hits[:limit], true, strconv.Itoa(skip+limit)
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
	x       *Index
	seen    map[string]bool
	hits    []Hit
	plans   map[Kind][]plan
	partial bool
	more    bool // others match beyond DeepLimit
}

// plan is a reading for one kind: for each term the lists it may be found in, by
// the rank they give.
type plan struct {
	reading reading
	terms   [][ranksPlusOne][]string
}

// run goes through the ranks, best first, until enough is found.
func (s *searching) run(kinds []Kind, rs []reading) {
	var keys []string
	for _, k := range kinds {
		for _, r := range rs {
			p := s.plan(k, r)
			s.plans[k] = append(s.plans[k], p)
		}
	}
	s.spell(kinds)
	for _, k := range kinds {
		for _, p := range s.plans[k] {
			for _, t := range p.terms {
				for _, l := range t {
					keys = append(keys, l...)
				}
			}
		}
	}
	s.open(keys)
	for rank := ExactValue; rank < ranksPlusOne; rank++ {
		for _, k := range kinds {
			found := len(s.hits)
			for _, p := range s.plans[k] {
				if s.err == nil && s.ctx.Err() == nil && p.adds(rank) {
					s.walk(k, p, rank, DeepLimit-(len(s.hits)-found))
				}
			}
		}
		if len(s.hits) >= DeepLimit || s.err != nil {
			return
		}
	}
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
			if n := longest(g.field.heads(), len(g.value)); n > 0 && t.last {
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
func (s *searching) spell(kinds []Kind) {
	type lookup struct {
		to   *[]string
		kind Kind
		word string
		lex  lexicon
		term func(string) string
		cmd  *redis.StringSliceCmd
	}
	var ls []lookup
	for _, k := range kinds {
		for _, p := range s.plans[k] {
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

// adds tells whether a rank has lists of its own, without which walking it again
// would find nothing new.
func (p plan) adds(rank Rank) bool {
	for _, t := range p.terms {
		if len(t[rank]) > 0 {
			return true
		}
	}
	return false
}

// walk collects what matches a reading at a rank or better, newest first.
func (s *searching) walk(k Kind, p plan, rank Rank, want int) {
	var every all
	for _, t := range p.terms {
		var u union
		for r := ExactValue; r <= rank; r++ {
			for _, key := range t[r] {
				if l := s.lists[key]; l != nil && len(l.window) > 0 {
					u = append(u, l.again())
				}
			}
		}
		if len(u) == 0 {
			return
		}
		every = append(every, u)
	}
	// The term with the fewest lists first: it most often has the fewest documents.
	slices.SortStableFunc(every, func(a, b source) int { return cmp.Compare(size(a), size(b)) })
	looks := 0
	for n, more := uint32(math.MaxUint32), true; more; {
		if want <= 0 {
			s.more = true
			return
		}
		var batch []uint32
		for len(batch) < looksStep {
			v, ok := every.seek(&s.reader, n)
			if !ok {
				more = false
				break
			}
			batch = append(batch, v)
			if v == 0 {
				more = false
				break
			}
			n = v - 1
		}
		want -= s.look(k, p.reading, rank, batch, want)
		if looks += len(batch); looks >= looksLimit {
			s.partial = true
			return
		}
	}
}

func size(s source) int64 {
	u, _ := s.(union)
	var n int64
	for _, l := range u {
		n += l.lo + int64(len(l.window))*4
	}
	return n
}

// look reads documents and keeps those that do match and are current, at most
// want. It returns how many were new.
func (s *searching) look(k Kind, r reading, rank Rank, numbers []uint32, want int) int {
	if len(numbers) == 0 || s.err != nil {
		return 0
	}
	docs := make([]*redis.StringCmd, len(numbers))
	_, err := s.redis.Pipelined(s.ctx, func(p redis.Pipeliner) error {
		for i, n := range numbers {
			docs[i] = p.Get(s.ctx, docKey(k, n))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		s.err = err
		return 0
	}
	var fits []Hit
	var at []uint32
	for i, c := range docs {
		if c.Err() != nil {
			continue // dropped, or replaced
		}
		d, err := decode([]byte(c.Val()))
		if err != nil {
			s.err = err
			return 0
		}
		if s.seen[string(k)+d.ID] {
			continue
		}
		if matched, ok := s.x.matches(&d, r, rank); ok {
			fits, at = append(fits, Hit{Doc: d.Doc, Rank: rank, Matched: matched}), append(at, numbers[i])
		}
	}
	if len(fits) == 0 {
		return 0
	}
	places := make([]*redis.StringCmd, len(fits))
	_, err = s.redis.Pipelined(s.ctx, func(p redis.Pipeliner) error {
		for i, h := range fits {
			places[i] = p.HGet(s.ctx, bucketKey(k, h.ID), h.ID)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		s.err = err
		return 0
	}
	added := 0
	for i, h := range fits {
		if numbersOf(places[i].Val())[0] != at[i] {
			continue // about to be put, or about to be removed
		}
		if added == want {
			s.more = true
			break
		}
		s.seen[string(k)+h.ID] = true
		s.hits = append(s.hits, h)
		added++
	}
	return added
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
				if v == g.value || rank >= PrefixName && (t.last && strings.HasPrefix(v, g.value) || g.tail && strings.HasSuffix(v, g.value)) {
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
	return &c
}
