package sim

import "fmt"

// InputError says what is wrong with a file of arrivals or a profile, and where.
type InputError struct {
	File string
	// Line and Column count from 1; Column is 0 when the whole line is meant.
	Line, Column int
	// Field is the column's name or the key.
	Field string
	// Code is for programs and never changes once released.
	Code string
	// Text is a sentence for people that says what was expected.
	Text string
}

// Error gives "file:line:column: field: text".
func (e *InputError) Error() string {
	where := fmt.Sprintf("%s:%d", e.File, e.Line)
	if e.Column > 0 {
		where = fmt.Sprintf("%s:%d", where, e.Column)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return where + ": " + e.Text
}
