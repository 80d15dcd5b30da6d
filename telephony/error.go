package telephony

import (
	"errors"
	"fmt"
)

// What a command can come to, for errors.Is.
var (
	// ErrNotFound: the channel, bridge or playback is gone.
	ErrNotFound = errors.New("not found")
	// ErrConflict: its state does not allow the command.
	ErrConflict = errors.New("not possible in its state")
	// ErrUnreachable: the endpoint cannot be dialled.
	ErrUnreachable = errors.New("endpoint cannot be dialled")
	// ErrRefused: the switch does not accept the request: wrong credentials or
	// a malformed one. Repeating it is useless.
	ErrRefused = errors.New("refused by the switch")
	// ErrUnavailable: the switch cannot be reached, failed, or was too slow.
	ErrUnavailable = errors.New("switch unavailable")
)

// Error is a command that the switch did not carry out.
type Error struct {
	// Op is the command, for example "originate".
	Op string
	// Kind is one of the Err values above; errors.Is finds it.
	Kind error
	// Status is the protocol's status code, 0 when there was no answer.
	Status int
	// Message is the switch's own explanation. It may hold personal data.
	Message string
	// Err is the cause, or nil.
	Err error
}

// Error gives the operation and what it came to, without the switch's message.
func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.Error()
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap lets errors.Is see the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// errCode is a short machine code for a cause.
func errCode(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrNotFound):
		return "not_found"
	case errors.Is(err, ErrConflict):
		return "conflict"
	case errors.Is(err, ErrUnreachable):
		return "unreachable"
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrUnavailable):
		return "switch_unavailable"
	default:
		return "error"
	}
}
