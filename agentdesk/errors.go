package agentdesk

import (
	"context"
	"errors"
	"net/http"

	"example.org/c3i/crm"
)

// Error gives the sentence for people.
func (e *Error) Error() string { return e.Message }

// Codes of Error that are not the engine's. The table statuses maps each to an
// HTTP status.
const (
	CodeBadRequest     = "bad_request"
	CodeInvalid        = "invalid"
	CodeNotSignedOn    = "not_signed_on"
	CodeWrongPassword  = "wrong_credentials"
	CodeChangePassword = "password_change_required"
	CodeForbidden      = "forbidden"
	CodeCrossOrigin    = "cross_origin"
	CodeNotFound       = "not_found"
	CodeMethod         = "method_not_allowed"
	CodeConflict       = "conflict"
	CodeNoteConflict   = "note_conflict"
	CodeDraftConflict  = "draft_conflict"
	CodeReportConflict = "report_conflict"
	CodePersonConflict = "person_conflict"
	CodeTaskConflict   = "task_conflict"
	CodeReasonRequired = "reason_required"
	CodeUnsafeContact  = "unsafe_contact"
	CodeQuarantined    = "quarantined"
	CodeNotYours       = "not_yours"
	CodeWrongPhase     = "wrong_phase"
	CodeTooLarge       = "too_large"
	CodeTooSlow        = "too_slow"
	CodeTooMany        = "too_many_requests"
	CodeThrottled      = "throttled"
	CodeInternal       = "internal"
	CodeUnavailable    = "unavailable"
)

// statuses maps an error's code to its HTTP status. A code not listed is one of
// the engine's refusals: a conflict with the state of things.
var statuses = map[string]int{
	CodeBadRequest:     http.StatusBadRequest,
	CodeInvalid:        http.StatusUnprocessableEntity,
	CodeNotSignedOn:    http.StatusUnauthorized,
	CodeWrongPassword:  http.StatusUnauthorized,
	CodeChangePassword: http.StatusForbidden,
	CodeForbidden:      http.StatusForbidden,
	CodeCrossOrigin:    http.StatusForbidden,
	CodeNotFound:       http.StatusNotFound,
	CodeMethod:         http.StatusMethodNotAllowed,
	CodeConflict:       http.StatusConflict,
	CodeNoteConflict:   http.StatusConflict,
	CodeDraftConflict:  http.StatusConflict,
	CodeReportConflict: http.StatusConflict,
	CodePersonConflict: http.StatusConflict,
	CodeTaskConflict:   http.StatusConflict,
	CodeReasonRequired: http.StatusForbidden,
	CodeUnsafeContact:  http.StatusConflict,
	CodeQuarantined:    http.StatusForbidden,
	CodeNotYours:       http.StatusForbidden,
	CodeWrongPhase:     http.StatusConflict,
	CodeTooLarge:       http.StatusRequestEntityTooLarge,
	CodeTooSlow:        http.StatusRequestTimeout,
	CodeTooMany:        http.StatusTooManyRequests,
	CodeThrottled:      http.StatusTooManyRequests,
	CodeInternal:       http.StatusInternalServerError,
	CodeUnavailable:    http.StatusServiceUnavailable,
}

func status(code string) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusConflict
}

func invalid(field, message string) *Error {
	return &Error{Code: CodeInvalid, Message: message, Field: field}
}

// asError turns any error into what a desk may be told. What is not one of ours
// is kept from the desk: it may carry addresses or personal data.
func asError(err error) *Error {
	var e *Error
	var field *crm.FieldError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &field):
		return &Error{Code: CodeInvalid, Message: sentenceOf(field.Message), Field: field.Field}
	case errors.Is(err, crm.ErrRestricted):
		return &Error{Code: CodeReasonRequired, Message: "This record is restricted. Say why you need it; the reason is kept.", Field: "reason"}
	case errors.Is(err, crm.ErrNotFound):
		return &Error{Code: CodeNotFound, Message: "There is no such record."}
	case errors.Is(err, crm.ErrConflict):
		return &Error{Code: CodeConflict, Message: "Someone else changed this since you opened it. Look at the newer version and try again."}
	case errors.Is(err, crm.ErrInvalid):
		return &Error{Code: CodeInvalid, Message: "Something in the form cannot be saved as it is. Check it and try again."}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Code: CodeUnavailable, Message: "This is taking too long. Nothing may have been saved: try again in a moment."}
	default:
		return &Error{Code: CodeUnavailable, Message: "The system could not do this just now. Try again in a moment."}
	}
}
