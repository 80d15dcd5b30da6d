package release

import (
	"fmt"

	"example.org/c3i/routing/plan"
)

// Codes of Error; they never change once released.
const (
	CodeBadPlan    = "bad_plan"      // the text has errors, see Problems
	CodeBadField   = "bad_field"     // Field is missing or cannot be taken
	CodeUnknown    = "unknown"       // there is no such release
	CodeWrongState = "wrong_state"   // the release is not at that point
	CodeSamePerson = "same_person"   // who made it cannot approve it
	CodeNoChange   = "no_change"     // that plan is in force already
	CodeDamaged    = "damaged"       // the archive contradicts itself
	CodeBusy       = "too_many_seek" // others kept changing the archive
)

// Error is why the archive did not do what was asked. Nothing was changed then.
type Error struct {
	Code string
	// Message is a sentence for people.
	Message string
	// Field names what was wrong with what was asked: source, reason, author, at.
	Field string
	// Release is the one it is about, 0 if none.
	Release int
	// Problems go with CodeBadPlan.
	Problems plan.Problems
}

// Error gives the sentence, and the problems of a bad plan.
func (e *Error) Error() string {
	if len(e.Problems) > 0 {
		return e.Message + "\n" + e.Problems.Error()
	}
	return e.Message
}

func failf(code string, n int, format string, args ...any) *Error {
	return &Error{Code: code, Release: n, Message: fmt.Sprintf(format, args...)}
}

func badField(field, message string) *Error {
	return &Error{Code: CodeBadField, Field: field, Message: message}
}
