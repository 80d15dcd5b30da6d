package plan

import (
	"fmt"
	"sort"
	"strings"
)

// Severity tells whether a problem keeps a plan from being published.
type Severity string

// Severities. A plan with a warning works, but probably not as meant.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is one thing wrong with a plan.
type Problem struct {
	Severity Severity `json:"severity"`
	// File is the name given to Parse.
	File string `json:"file"`
	// Line and Column count from 1, Column in characters.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is the key, for example "queues.crime.needs".
	Path string `json:"path"`
	// Code is for programs and never changes once released, for example
	// "unknown_skill".
	Code string `json:"code"`
	// Message is a sentence for people.
	Message string `json:"message"`
	// Suggestion is the name that was probably meant, or empty.
	Suggestion string `json:"suggestion,omitempty"`
}

// String gives "plan.yaml:12:7: error: queues.crime: … (did you mean …?)".
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: ", p.File, p.Line, p.Column, p.Severity)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", p.Suggestion)
	}
	return b.String()
}

// Problems are all problems of one plan, in order of line and column.
type Problems []Problem

// HasErrors reports whether any problem is an error.
func (ps Problems) HasErrors() bool {
	for _, p := range ps {
		if p.Severity == Error {
			return true
		}
	}
	return false
}

// Err returns an error that lists every problem, or nil when none is an error.
// errors.As finds the Problems in it.
func (ps Problems) Err() error {
	if !ps.HasErrors() {
		return nil
	}
	return ps
}

// Error lists the problems, one a line.
func (ps Problems) Error() string { return strings.TrimSuffix(ps.String(), "\n") }

// String lists the problems, one a line, each line ended.
func (ps Problems) String() string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String())
		b.WriteByte('\n')
	}
	return b.String()
}

func (ps Problems) sorted() Problems {
	sort.SliceStable(ps, func(i, j int) bool {
		if ps[i].Line != ps[j].Line {
			return ps[i].Line < ps[j].Line
		}
		if ps[i].Column != ps[j].Column {
			return ps[i].Column < ps[j].Column
		}
		return ps[i].Path < ps[j].Path
	})
	return ps
}
