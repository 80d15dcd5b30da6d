package search

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Sizes of what is read of a list at once, in bytes.
const (
	firstWindow = 8 << 10
	nextWindow  = 64 << 10 // doubled each time, at most to largeWindow
	largeWindow = 256 << 10
	// overlap is how far a number may stand from its place: processes that put at
	// the same time append in any order.
	overlap = 4 << 10
	probes  = 15
)

// list is one term's document numbers, of which a window is read. It is walked
// downwards, from the newest.
type list struct {
	key    string
	lo     int64 // where the window begins in the list, in bytes
	window []uint32
	// at is where the last answer was: the next stands below as a rule.
	at   int
	next int64 // how much is read next
	own  bool  // the window is not shared with other walks
}

// source gives numbers downwards.
type source interface {
	// seek gives the highest number not above n.
	seek(r *reader, n uint32) (uint32, bool)
}

// reader reads lists for one query.
type reader struct {
	ctx   context.Context
	redis redis.UniversalClient
	lists map[string]*list
	err   error
}

// open reads the newest windows of lists, all in one round trip.
func (r *reader) open(keys []string) {
	keys = slices.DeleteFunc(distinct(keys), func(k string) bool { return r.lists[k] != nil })
	if len(keys) == 0 || r.err != nil {
		return
	}
	tails, sizes := make([]*redis.StringCmd, len(keys)), make([]*redis.IntCmd, len(keys))
	_, r.err = r.redis.Pipelined(r.ctx, func(p redis.Pipeliner) error {
		for i, k := range keys {
			tails[i], sizes[i] = p.GetRange(r.ctx, k, -firstWindow, -1), p.StrLen(r.ctx, k)
		}
		return nil
	})
	if r.err != nil {
		return
	}
	for i, k := range keys {
		l := &list{key: k, next: nextWindow, lo: max(0, sizes[i].Val()-int64(len(tails[i].Val())))}
		l.lo -= l.lo % 4
		l.set(tails[i].Val())
		r.lists[k] = l
	}
}

// set takes a window's bytes.
func (l *list) set(b string) {
	if !l.own {
		l.window, l.own = make([]uint32, 0, len(b)/4), true
	}
	l.window = l.window[:0]
	var last uint32
	ordered := true
	for i := 0; i+4 <= len(b); i += 4 {
		v := uint32(b[i])<<24 | uint32(b[i+1])<<16 | uint32(b[i+2])<<8 | uint32(b[i+3])
		ordered = ordered && v >= last
		last = v
		l.window = append(l.window, v)
	}
	if !ordered {
		slices.Sort(l.window)
	}
	l.at = len(l.window)
}

func (l *list) seek(r *reader, n uint32) (uint32, bool) {
	// Within an overlap of the window's lower end a lower number may be missing.
	for l.lo > 0 && (len(l.window) <= overlap/4 || l.window[min(overlap/4, len(l.window)-1)] > n) && r.err == nil {
		l.back(r, n)
	}
	i := l.below(n) - 1
	if i < 0 || r.err != nil {
		return 0, false
	}
	l.at = i + 1
	return l.window[i], true
}

// below counts the window's numbers not above n: by steps that double downwards
// from the last answer, since what is asked for is near as a rule.
func (l *list) below(n uint32) int {
	w, hi := l.window, min(l.at, len(l.window))
	if hi < len(w) && w[hi] <= n {
		hi = len(w) // somebody walks upwards
	}
	lo := hi
	for step := 1; lo > 0 && w[lo-1] > n; step *= 2 {
		hi, lo = lo-1, max(0, lo-step)
	}
	i, found := slices.BinarySearch(w[lo:hi], n)
	if found {
		i++
	}
	return lo + i
}

// back reads an earlier window that reaches down to n.
func (l *list) back(r *reader, n uint32) {
	// What belongs below the part of the window that is sure may stand this far up.
	hi := l.lo + 2*overlap
	part := l.next
	l.next = min(2*l.next, largeWindow)
	if len(l.window) == 0 || l.lo <= 4*nextWindow {
		l.read(r, max(0, l.lo-part), hi)
		return
	}
	// The list is long: find where n would stand, by several looks at a time, first
	// near the window and ever further from it.
	from, to := int64(0), l.lo
	looks := make([]int64, 0, probes)
	for far := part; far < to && len(looks) < probes; far *= 2 {
		looks = append(looks, (to-far)&^3)
	}
	slices.Reverse(looks)
	for to-from > part && r.err == nil {
		cmds := make([]*redis.StringCmd, len(looks))
		_, r.err = r.redis.Pipelined(r.ctx, func(p redis.Pipeliner) error {
			for i, at := range looks {
				cmds[i] = p.GetRange(r.ctx, l.key, at, at+3)
			}
			return nil
		})
		if r.err != nil {
			return
		}
		low, high := from, to
		for i, c := range cmds {
			v := c.Val()
			if len(v) < 4 || binary.BigEndian.Uint32([]byte(v)) > n {
				high = looks[i]
				break
			}
			low = looks[i]
		}
		from, to = low, high
		looks = looks[:0]
		for i := range int64(probes) {
			looks = append(looks, from+(to-from)/(probes+1)*(i+1)&^3)
		}
	}
	l.read(r, max(0, from-2*overlap), min(hi, to+2*overlap))
}

func (l *list) read(r *reader, lo, hi int64) {
	if r.err != nil {
		return
	}
	lo -= lo % 4
	b, err := r.redis.GetRange(r.ctx, l.key, lo, hi-1).Result()
	if err != nil {
		r.err = err
		return
	}
	if lo >= l.lo {
		lo = 0 // cannot happen; an endless loop would be worse
	}
	l.lo = lo
	l.set(b)
}

// union gives what any of its lists has.
type union []*list

func (u union) seek(r *reader, n uint32) (uint32, bool) {
	var best uint32
	found := false
	for _, l := range u {
		if v, ok := l.seek(r, n); ok && (!found || v > best) {
			best, found = v, true
		}
		if found && best == n {
			break
		}
	}
	return best, found
}

// either gives what any of its sources has.
type either []source

func (e either) seek(r *reader, n uint32) (uint32, bool) {
	var best uint32
	found := false
	for _, s := range e {
		if v, ok := s.seek(r, n); ok && (!found || v > best) {
			best, found = v, true
		}
		if found && best == n {
			break
		}
	}
	return best, found
}

// all gives what every one of its sources has.
type all []source

func (a all) seek(r *reader, n uint32) (uint32, bool) {
	if len(a) == 0 {
		return 0, false
	}
	for agreed := 0; ; {
		for _, s := range a {
			v, ok := s.seek(r, n)
			if !ok || r.err != nil || r.ctx.Err() != nil {
				return 0, false
			}
			if v < n {
				n, agreed = v, 0
			}
			if agreed++; agreed >= len(a) {
				return n, true
			}
		}
	}
}
