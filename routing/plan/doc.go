// Package plan reads what managers tune: it turns a YAML plan into the compiled
// [routing.Plan] the engine works with, and reports everything that is wrong
// with it at once, each problem with line, column, key and, where a name looks
// misspelt, a suggestion.
//
// The package is pure: it reads no clock and no file. A plan is identified by
// its source text, which is journalled, so compiling the same text gives the
// same decisions in replay and simulation.
package plan
