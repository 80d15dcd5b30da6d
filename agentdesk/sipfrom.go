package agentdesk

import (
	"bytes"
	"strings"
)

// sipFrom reports whether a frame from a browser phone may go on: a keep-alive
// (RFC 7118 section 6), a response, or a request whose From header (and digest
// username, where there is one) is the given user. It reads headers only; the
// switch's own authentication remains the proof.
func sipFrom(frame []byte, user string) bool {
	if user == "" {
		return false
	}
	if len(bytes.Trim(frame, "\r\n")) == 0 {
		return true
	}
	head, _, _ := bytes.Cut(frame, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	if strings.HasPrefix(lines[0], "SIP/2.0 ") {
		return true
	}
	if !strings.HasSuffix(lines[0], " SIP/2.0") {
		return false
	}
	froms := 0
	for _, line := range lines[1:] {
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			return false // folded lines are obsolete, and would hide a header from us
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return false
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "from", "f":
			froms++
			if sipUser(value) != user {
				return false
			}
		case "authorization", "proxy-authorization":
			if u, has := digestUser(value); has && u != user {
				return false
			}
		}
	}
	return froms == 1
}

// sipUser takes the user part out of a From header's value.
func sipUser(value string) string {
	// A display name may hold anything, quoted: the address is after it.
	if i := strings.LastIndex(value, "<"); i >= 0 {
		value = value[i+1:]
	}
	value = strings.TrimSpace(value)
	for _, scheme := range []string{"sip:", "sips:"} {
		if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			user, _, has := strings.Cut(value[len(scheme):], "@")
			if !has {
				return ""
			}
			user, _, _ = strings.Cut(user, ":")
			return user
		}
	}
	return ""
}

// digestUser takes the username out of digest credentials.
func digestUser(value string) (string, bool) {
	lower := strings.ToLower(value)
	i := strings.Index(lower, "username=")
	if i < 0 {
		return "", false
	}
	rest := strings.TrimSpace(value[i+len("username="):])
	if quoted, is := strings.CutPrefix(rest, `"`); is {
		user, _, _ := strings.Cut(quoted, `"`)
		return user, true
	}
	user, _, _ := strings.Cut(rest, ",")
	return strings.TrimSpace(user), true
}
