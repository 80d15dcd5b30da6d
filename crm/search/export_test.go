package search

import (
	"context"
	"math"

	"github.com/redis/go-redis/v9"
)

// Sound and Words are how names and texts are compared.
var (
	Sound = sound
	Words = words
	Date  = date
)

// Reading gives what recognise takes a text for, as "field=value" and "word"
// terms; * marks what may be unfinished.
func Reading(text, country string) [][]string {
	var out [][]string
	for _, r := range recognise(text, country) {
		var terms []string
		for _, t := range r {
			s := t.word
			for _, g := range t.guesses {
				s += " " + string(g.field.name()) + "=" + g.value
			}
			if t.last {
				s += "*"
			}
			terms = append(terms, s)
		}
		out = append(out, terms)
	}
	return out
}

// Intersect gives the numbers that all of some lists have, the highest first.
func Intersect(ctx context.Context, c redis.UniversalClient, keys ...string) ([]uint32, error) {
	r := &reader{ctx: ctx, redis: c, lists: map[string]*list{}}
	r.open(keys)
	var every all
	for _, k := range keys {
		every = append(every, union{r.lists[k].again()})
	}
	var out []uint32
	for n := uint32(math.MaxUint32); ; {
		v, ok := every.seek(r, n)
		if !ok || v == 0 {
			return out, r.err
		}
		out, n = append(out, v), v-1
	}
}
