package email

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

func charsetReader(name string, r io.Reader) (io.Reader, error) {
	return charset.Reader(strings.ToLower(name), r)
}

// toText makes text of bytes in the charset named. A charset that is not known,
// or that the bytes do not keep to, is replaced by what they look like: UTF-8,
// else Windows-1252, in which any bytes are text.
func toText(b []byte, name string) string {
	name = strings.ToLower(strings.Trim(name, `"' `))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default_charset":
		if utf8.Valid(b) {
			return string(b)
		}
	default:
		if r, err := charset.Reader(name, bytes.NewReader(b)); err == nil {
			if out, err := io.ReadAll(r); err == nil || len(out) > 0 {
				return strings.ToValidUTF8(string(out), "\ufffd")
			}
		}
		if utf8.Valid(b) {
			return string(b)
		}
	}
	if r, err := charset.Reader("windows-1252", bytes.NewReader(b)); err == nil {
		if out, err := io.ReadAll(r); err == nil {
			return strings.ToValidUTF8(string(out), "\ufffd")
		}
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// decodeTransfer undoes a Content-Transfer-Encoding; ok is false when it is not
// known or was broken, and what could be decoded is returned all the same.
func decodeTransfer(b []byte, encoding string) (out []byte, ok bool) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "7bit", "8bit", "binary":
		return b, true
	case "base64":
		return decodeBase64(b)
	case "quoted-printable":
		return decodeQuotedPrintable(b), true
	case "x-uuencode", "uuencode", "x-uue":
		return b, false
	}
	return b, false
}

// decodeBase64 skips what is not of the alphabet and keeps what was complete.
func decodeBase64(b []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(b))
	ok := true
	for _, c := range b {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		case c == '=', c == '\r', c == '\n', c == ' ', c == '\t':
		default:
			ok = false
		}
	}
	if len(clean)%4 == 1 {
		clean, ok = clean[:len(clean)-1], false
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(out, clean)
	return out[:n], ok && err == nil
}

func decodeQuotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		if i+2 < len(b) {
			hi, lo := hexValue(b[i+1]), hexValue(b[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		// A soft line end, perhaps with blanks before it; any other "=" is itself.
		j := i + 1
		for j < len(b) && (b[j] == ' ' || b[j] == '\t') {
			j++
		}
		switch {
		case j >= len(b):
			return out
		case b[j] == '\n':
			i = j
		case b[j] == '\r' && j+1 < len(b) && b[j+1] == '\n':
			i = j + 1
		default:
			out = append(out, '=')
		}
	}
	return out
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
