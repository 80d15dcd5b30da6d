package email

import (
	"bytes"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.org/c3i/crm"
)

// headerLimit is how many bytes of a header are read.
const headerLimit = 1 << 20

// field is one header field: its name in small letters and its unfolded value.
type field struct{ name, value string }

// header is the header of a message or part, in the order written.
type header []field

// get returns the first field of that name, given in small letters.
func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) all(name string) []string {
	var out []string
	for _, f := range h {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

// splitHeader reads a header and returns what follows it. Lines that are no
// field are skipped; text that begins without any field has no header at all.
func splitHeader(b []byte) (h header, body []byte) {
	start := b
	read := 0
	var folded []byte // the last field's value, while lines are added to it
	unfold := func() {
		if folded != nil {
			h[len(h)-1].value, folded = string(folded), nil
		}
	}
	defer unfold()
	for len(b) > 0 {
		line, rest := cutLine(b)
		if len(bytes.TrimRight(line, " \t")) == 0 {
			if len(h) == 0 {
				return nil, start
			}
			return h, rest
		}
		read += len(line)
		switch name, value, ok := bytes.Cut(line, []byte(":")); {
		case (line[0] == ' ' || line[0] == '\t') && len(h) > 0:
			if read < headerLimit {
				if folded == nil {
					folded = []byte(h[len(h)-1].value)
				}
				folded = append(append(folded, ' '), bytes.TrimSpace(line)...)
			}
		case ok && isFieldName(bytes.TrimRight(name, " \t")):
			if read < headerLimit {
				unfold()
				h = append(h, field{strings.ToLower(strings.TrimSpace(string(name))), strings.TrimSpace(string(value))})
			}
		case len(h) == 0 && !bytes.HasPrefix(line, []byte("From ")): // an mbox line may stand on top
			return nil, start
		}
		b = rest
	}
	return h, nil
}

func isFieldName(b []byte) bool {
	if len(b) == 0 || len(b) > 200 {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// cutLine returns the first line without its ending, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimRight(b, "\r"), nil
	}
	return bytes.TrimRight(b[:i], "\r"), b[i+1:]
}

var words = mime.WordDecoder{CharsetReader: charsetReader}

// decodeWords decodes a header's encoded words; what cannot be decoded stays as
// it was written. The result is one line of valid text.
func decodeWords(s string) string {
	if d, err := words.DecodeHeader(s); err == nil {
		s = d
	} else if strings.Contains(s, "=?") {
		// One bad word must not spoil the others.
		s = encodedWord.ReplaceAllStringFunc(s, func(w string) string {
			if d, err := words.Decode(w); err == nil {
				return d
			}
			return w
		})
	}
	return oneLine(toText([]byte(s), ""))
}

var encodedWord = regexp.MustCompile(`=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=`)

// oneLine makes control characters, line ends and direction overrides harmless.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(s)
}

// clip shortens text to at most n bytes, at the end of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// addressesListed bounds the addresses read from one field.
const addressesListed = 200

// addresses reads an address list, and from one that breaks the rules what looks
// like addresses.
func addresses(s string) []crm.Mailbox {
	s = clip(s, 64<<10)
	p := mail.AddressParser{WordDecoder: &words}
	list, err := p.ParseList(s)
	var out []crm.Mailbox
	if err == nil {
		for _, a := range list {
			if m := (crm.Mailbox{Name: oneLine(a.Name), Address: canonicalAddress(a.Address)}); m.Address != "" {
				out = append(out, m)
			}
		}
		return out[:min(len(out), addressesListed)]
	}
	for _, found := range looksLikeAddress.FindAllStringIndex(s, addressesListed) {
		m := crm.Mailbox{Address: canonicalAddress(s[found[0]:found[1]])}
		if len(out) == 0 {
			m.Name = strings.Trim(decodeWords(s[:found[0]]), `"'<> `)
		}
		if m.Address != "" {
			out = append(out, m)
		}
	}
	return out
}

var looksLikeAddress = regexp.MustCompile(`[^\s<>()\[\]",;:@]{1,64}@[A-Za-z0-9\pL](?:[A-Za-z0-9\pL.-]{0,250}[A-Za-z0-9\pL])?`)

// canonicalAddress is an address in small letters, or nothing when it is none.
// Nothing that could end a header line or an SMTP command passes.
func canonicalAddress(a string) string {
	a = strings.ToLower(strings.TrimSpace(a))
	local, domain, ok := cutLast(a, "@")
	if !ok || local == "" || domain == "" || len(a) > 254 || !utf8.ValidString(a) {
		return ""
	}
	if strings.ContainsFunc(a, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) || strings.ContainsAny(local, `<>"\,;:()[]@`) || strings.ContainsAny(domain, `<>"\,;:()@`) {
		return ""
	}
	return a
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func domainOf(address string) string {
	_, domain, _ := cutLast(address, "@")
	return domain
}

// messageIDs reads Message-IDs without their brackets; empty ones are no ids.
func messageIDs(s string) []string {
	var out []string
	for _, m := range bracketed.FindAllStringSubmatch(clip(s, 64<<10), 200) {
		if id := oneLine(m[1]); id != "" && id != "@" {
			out = append(out, id)
		}
	}
	return out
}

var bracketed = regexp.MustCompile(`<([^<>\s]{1,990})>`)

// messageID reads the one of Message-ID, which some write without brackets.
func messageID(s string) string {
	if ids := messageIDs(s); len(ids) > 0 {
		return ids[0]
	}
	s = strings.Trim(strings.TrimSpace(s), "<>")
	if s == "" || s == "@" || strings.ContainsAny(s, " \t<>") || len(s) > 990 {
		return ""
	}
	return oneLine(s)
}

// mediaType reads a Content-Type, also one that breaks the rules.
func mediaType(s string) (string, map[string]string) {
	t, params, err := mime.ParseMediaType(s)
	if err == nil && strings.Contains(t, "/") {
		return t, params
	}
	if params == nil {
		params = map[string]string{}
	}
	parts := strings.Split(clip(s, 8<<10), ";")
	t = strings.ToLower(strings.TrimSpace(parts[0]))
	for _, p := range parts[1:] {
		if k, v, ok := strings.Cut(p, "="); ok {
			params[strings.ToLower(strings.TrimSpace(k))] = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	if strings.Count(t, "/") != 1 || strings.ContainsAny(t, " \t\"") {
		t = ""
	}
	return t, params
}

func date(s string) time.Time {
	t, err := mail.ParseDate(s)
	if err != nil {
		return time.Time{}
	}
	return t
}
