package crm

import "errors"

// Errors callers may test for with errors.Is.
var (
	ErrNotFound = errors.New("crm: not found")
	// ErrConflict means the note or person was changed by someone else since it
	// was read; nothing was written.
	ErrConflict = errors.New("crm: changed by someone else")
	// ErrInvalid means a field was refused; the error's text names it.
	ErrInvalid = errors.New("crm: invalid")
	// ErrUnsafe means a number must not be rung: it is marked so, or is none that is
	// rung.
	ErrUnsafe = errors.New("crm: the number must not be rung")
)
