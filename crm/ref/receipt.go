package ref

import (
	"fmt"
	"io"
	"strings"
)

// Symbols of a receipt before its check letter, and of one group as written.
const (
	symbols = 8
	group   = 3
)

// New draws a public receipt from r, which must be a cryptographic source: eight
// letters and a check letter in groups of three, for example "KDA-TRM-HXB". It
// fails only when r does.
func New(r io.Reader) (string, error) {
	text, err := draw(r, symbols)
	if err != nil {
		return "", fmt.Errorf("ref: draw a receipt: %w", err)
	}
	return grouped(text+string(receiptLetter(text)), group), nil
}

// Secret draws a secret of twelve letters in groups of four, about 54 bits. It
// has no check letter: a secret is never told that it is nearly right.
func Secret(r io.Reader) (string, error) {
	text, err := draw(r, 12)
	if err != nil {
		return "", fmt.Errorf("ref: draw a secret: %w", err)
	}
	return grouped(text, 4), nil
}

// Plain is a typed secret in the form it is compared in: capitals without
// spaces and dashes.
func Plain(typed string) string { return bare(typed) }

// Check tells whether a receipt, written in any way, has the right check letter.
// It finds every single wrong letter and every two that changed places.
func Check(typed string) bool {
	s := bare(typed)
	if len(s) != symbols+1 || strings.Trim(s, letters) != "" {
		return false
	}
	return receiptLetter(s[:symbols]) == s[symbols]
}

// receiptLetter weighs the letters 2 to 9: 23 is prime and the weights differ
// from each other and from the check letter's own, so that no single change and
// no exchange leaves the sum as it was.
func receiptLetter(text string) byte {
	sum := 0
	for i := range len(text) {
		sum += (i + 2) * strings.IndexByte(letters, text[i])
	}
	return letters[sum%len(letters)]
}

// draw takes letters without bias: bytes past the last whole multiple of 23 are
// thrown away.
func draw(r io.Reader, n int) (string, error) {
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", err
		}
		if top := 256 - 256%len(letters); int(b[0]) < top {
			out = append(out, letters[int(b[0])%len(letters)])
		}
	}
	return string(out), nil
}

func grouped(s string, n int) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && i%n == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
