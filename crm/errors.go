package crm

import (
	"errors"
	"fmt"
)

// Errors callers may test for with errors.Is.
var (
	ErrNotFound = errors.New("crm: not found")
	// ErrConflict means what was saved was changed by someone else since it was
	// read; nothing was written.
	ErrConflict = errors.New("crm: changed by someone else")
	// ErrInvalid means a field was refused; the error's text names it.
	ErrInvalid = errors.New("crm: invalid")
	// ErrRestricted means the record is opened only for a stated reason and none
	// was given. The attempt is in the trail.
	ErrRestricted = errors.New("crm: restricted: a reason is needed")
	// ErrUnsafe means a number must not be rung: it is marked so, or is none that is
	// rung.
	ErrUnsafe = errors.New("crm: the number must not be rung")
)

// FieldError is one field that was refused. It wraps ErrInvalid.
type FieldError struct {
	// Field is the field's JSON name, with a path: "parties[1].name".
	Field string
	// Code is for programs: required, too_long, too_many, form, letters, title,
	// placeholder, future, past, too_old, order, choice, unknown, assessment,
	// decision, avi, contradiction.
	Code string
	// Message is a sentence for the person who filled the field in.
	Message string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Unwrap makes every FieldError an ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

// FieldErrors lists the fields an error refuses, in the order they were checked.
func FieldErrors(err error) []*FieldError {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*FieldError
		for _, e := range many.Unwrap() {
			out = append(out, FieldErrors(e)...)
		}
		return out
	}
	if e, ok := err.(*FieldError); ok { //nolint:errorlint // the chain is walked by hand: errors.As stops at the first
		return []*FieldError{e}
	}
	if next := errors.Unwrap(err); next != nil {
		return FieldErrors(next)
	}
	return nil
}

// faults gathers fields that are refused.
type faults []error

func (f *faults) add(field, code, format string, args ...any) {
	*f = append(*f, &FieldError{field, code, fmt.Sprintf(format, args...)})
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.Join(f...)
}
