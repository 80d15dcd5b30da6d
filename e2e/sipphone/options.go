package sipphone

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// Options shape a [Phone]. The zero value listens on 127.0.0.1 at a free port.
type Options struct {
	// BindAddr is the UDP address for SIP, "127.0.0.1:0" if empty. It must name
	// an address of this machine, not 0.0.0.0: RTP is bound to the same one and
	// both are told to the far side.
	BindAddr string
	// UserAgent is the User-Agent header, "c3i-sipphone" if empty.
	UserAgent string
	// Codecs is what to offer and accept, most wanted first; PCMU, PCMA if empty.
	Codecs []Codec
	// NoMedia makes every call one without audio, as if [CallOptions.NoMedia]
	// and [AnswerOptions.NoMedia] were set.
	NoMedia bool
	// MaxRecording bounds the audio kept of each call; 5 minutes if 0.
	MaxRecording time.Duration
	// OnInvite, if set, is called for each new incoming call in a goroutine of
	// its own, which the phone waits for when it closes; ctx ends then. The call
	// does not end when OnInvite returns. [AutoAnswer] makes one.
	// If nil, calls come out of [Phone.Incoming].
	OnInvite func(ctx context.Context, call *IncomingCall)
	// Logger gets the SIP library's messages, which hold numbers and names;
	// nothing is logged if nil.
	Logger *slog.Logger
}

// Account is an identity to register (RFC 3261 section 10).
type Account struct {
	// User is the user part of the address of record and of the Contact.
	User string
	// AuthUser is the digest user name, User if empty.
	AuthUser string
	Password string
	// Registrar is its URI, for example "sip:127.0.0.1:5060". Its host is the
	// domain of the address of record.
	Registrar string
	// Expires is the lifetime asked for, 1 hour if 0; rounded up to seconds.
	Expires time.Duration
}

// CallOptions say who is calling and how. The zero value calls as "anonymous"
// in name only: From is sip:phone@<bind address>.
type CallOptions struct {
	// From is the user part of the From header, usually a number; "phone" if empty.
	From string
	// FromHost is its host (a name or IPv4 address), the phone's own if empty.
	FromHost string
	// DisplayName is the name in From and P-Asserted-Identity.
	DisplayName string
	// Asserted is the user part of a P-Asserted-Identity header (RFC 3325);
	// none is sent if empty.
	Asserted string
	// Withheld hides From as RFC 3323 says (Anonymous, anonymous.invalid) and
	// adds "Privacy: id". Asserted is still sent, as a trusted trunk does.
	Withheld bool
	// AuthUser and Password answer a 401 or 407. If both are empty, those of
	// the account registered with From as its User are used.
	AuthUser, Password string
	// Headers are added to the INVITE as they are.
	Headers []Header
	// NoMedia makes a call without audio: SDP names a socket nobody reads.
	NoMedia bool
}

// Header is one SIP header field.
type Header struct{ Name, Value string }

// AnswerOptions shape an answer.
type AnswerOptions struct {
	// NoMedia answers without audio: SDP names a socket nobody reads.
	NoMedia bool
}

// AutoAnswer returns an [Options.OnInvite] that rings, waits for after and
// answers. It rejects nothing and ignores callers who give up meanwhile.
func AutoAnswer(after time.Duration) func(context.Context, *IncomingCall) {
	return func(ctx context.Context, call *IncomingCall) {
		if call.Ring() != nil {
			return
		}
		if after > 0 {
			timer := time.NewTimer(after)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-call.Ended():
				return
			case <-ctx.Done():
				return
			}
		}
		// A call that cannot be answered any more has ended, with its reason in End.
		_ = call.Answer(ctx, AnswerOptions{})
	}
}

// checkUser accepts the user part of a SIP URI (RFC 3261 section 25.1) without
// escapes, which covers numbers, names and extensions.
func checkUser(op, field, user string) error {
	for _, r := range user {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune("-_.!~*'()&=+$,;?/#", r):
		default:
			return fail(CodeBadInput, op, nil, "%s holds %q, which a SIP user may not", field, r)
		}
	}
	return nil
}

// checkHost accepts a host name or an IPv4 address, without a port.
func checkHost(op, field, host string) error {
	for _, r := range host {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '.':
		default:
			return fail(CodeBadInput, op, nil, "%s holds %q, which a host name may not", field, r)
		}
	}
	return nil
}

// checkText refuses what would break out of a header field.
func checkText(op, field, text string) error {
	for _, r := range text {
		if r < ' ' || r == 0x7F {
			return fail(CodeBadInput, op, nil, "%s holds the control character %q", field, r)
		}
	}
	return nil
}

// quoted escapes a display name for between quotation marks.
func quoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
}

func checkHeader(op string, h Header) error {
	if h.Name == "" {
		return fail(CodeBadInput, op, nil, "Headers holds a header without a name")
	}
	for _, r := range h.Name {
		if r <= ' ' || r >= 0x7F || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) {
			return fail(CodeBadInput, op, nil, "header name %q holds %q", h.Name, r)
		}
	}
	return checkText(op, "header "+h.Name, h.Value)
}
