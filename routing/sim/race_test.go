//go:build race

package sim

// raced tells that the race detector is on, which makes a run some ten times
// slower: tests then simulate less and their intervals are wider.
const raced = true
