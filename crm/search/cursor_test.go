package search_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/search"
)

// Lists of many windows, whose numbers stand up to a thousand places from where
// they belong and here and there twice, are intersected in full: dense with dense,
// sparse with dense, and those that meet only at their far ends.
func TestLongListsAreIntersectedInFull(t *testing.T) {
	c := redistest.Start(t)
	r := rand.New(rand.NewPCG(21, 22))
	const most = 1_500_000
	lists := map[string]map[uint32]bool{}
	write := func(key string, numbers []uint32) {
		has := map[uint32]bool{}
		for _, n := range numbers {
			has[n] = true
		}
		lists[key] = has
		for i := 0; i+1000 < len(numbers); i += 1 + r.IntN(2000) { // out of order
			j := i + r.IntN(900)
			numbers[i], numbers[j] = numbers[j], numbers[i]
			i = j
		}
		var b []byte
		for _, n := range numbers {
			b = binary.BigEndian.AppendUint32(b, n)
			if r.IntN(1000) == 0 {
				b = binary.BigEndian.AppendUint32(b, n)
			}
		}
		if err := c.Set(t.Context(), key, b, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	every := func(from, to, step uint32) (out []uint32) {
		for n := from; n <= to; n += 1 + r.Uint32N(2*step) {
			out = append(out, n)
		}
		return out
	}
	write("dense", every(1, most, 3))
	write("other", every(1, most, 4))
	write("sparse", every(1, most, 5000))
	write("few", []uint32{1, 2, 3, 700_000, 700_001, most - 1, most})
	write("low", slices.Concat(every(1, 300, 3), every(most-200_000, most, 2)))
	write("early", every(1, 400_000, 2))
	for _, keys := range [][]string{
		{"dense"},
		{"dense", "other"},
		{"other", "dense"},
		{"sparse", "dense"},
		{"dense", "sparse"},
		{"few", "dense"},
		{"dense", "few"},
		{"low", "early"},
		{"early", "low"},
		{"dense", "other", "sparse"},
		{"early", "dense", "other"},
	} {
		var want []uint32
		for n := range lists[keys[0]] {
			if !slices.ContainsFunc(keys, func(k string) bool { return !lists[k][n] }) {
				want = append(want, n)
			}
		}
		slices.Sort(want)
		slices.Reverse(want)
		got, err := search.Intersect(t.Context(), c, keys...)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %d numbers, %v; want %d", keys, len(got), err, len(want))
		}
	}
}
