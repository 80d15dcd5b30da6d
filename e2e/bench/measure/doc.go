// Package measure turns what a benchmark observed into figures: percentiles,
// processor time of processes, and facts about the machine.
package measure
