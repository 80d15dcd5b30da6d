package sipphone

import (
	"errors"
	"fmt"
)

// Code names the kind of an [Error] for programs.
type Code string

// The kinds of error.
const (
	// CodeBadInput: an argument cannot be used; Text names the field.
	CodeBadInput Code = "bad_input"
	// CodeRejected: the far side refused; Status holds its SIP code.
	CodeRejected Code = "rejected"
	// CodeNoResponse: the far side did not answer in the time RFC 3261 allows, or
	// the wait was cut short by its context.
	CodeNoResponse Code = "no_response"
	// CodeWrongState: the call is not in a state where this can be done.
	CodeWrongState Code = "wrong_state"
	// CodeEnded: the call ended before what was waited for happened.
	CodeEnded Code = "ended"
	// CodeNotHeard: the sound or digits waited for did not come in time.
	CodeNotHeard Code = "not_heard"
	// CodeNoMedia: the call has no audio to do this with.
	CodeNoMedia Code = "no_media"
	// CodeClosed: the phone is closed.
	CodeClosed Code = "closed"
	// CodeNetwork: a socket could not be opened, read or written.
	CodeNetwork Code = "network"
	// CodeUnsupported: the far side sent something this phone cannot do.
	CodeUnsupported Code = "unsupported"
)

// Error is every error this package returns.
type Error struct {
	Code Code
	// Op is what was being done, for example "call" or "wait tone".
	Op string
	// Text is a sentence for people.
	Text string
	// Status is the SIP status code of a CodeRejected error, else 0.
	Status int
	// Err is the cause, if there is one.
	Err error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("sipphone: %s: %s", e.Op, e.Text)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause, so errors.Is finds context.Canceled and the like.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first [Error] in err's chain, "" if none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// StatusOf returns the SIP status of the first [Error] in err's chain, 0 if none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

func fail(code Code, op string, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Text: fmt.Sprintf(format, args...), Err: cause}
}
