package search

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// wordLimit bounds a word, in characters; the rest of a longer one is ignored.
const wordLimit = 24

// fold gives the form words are compared in: lower case, Latin letters without
// their marks, other scripts as they are.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(strings.ToValidUTF8(s, " "))) {
		switch {
		case r >= 0x300 && r <= 0x36f: // accents of Latin letters
		case plain[r] != "":
			b.WriteString(plain[r])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain spells letters that do not come apart.
var plain = map[rune]string{'ł': "l", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'ı': "i", 'ħ': "h"}

// words splits folded text into words: letters, digits and marks. An apostrophe
// does not end one, so that O'Neill is oneill.
func words(s string) []string {
	var out []string
	var b []rune
	end := func() {
		if len(b) > 0 {
			out = append(out, string(b[:min(len(b), wordLimit)]))
			b = b[:0]
		}
	}
	for _, r := range fold(s) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			b = append(b, r)
		case r == '\'' || r == '\u2019' || r == '\u02bc':
		default:
			end()
		}
	}
	end()
	return out
}

// distinct sorts words and leaves each once.
func distinct(ws []string) []string {
	slices.Sort(ws)
	return slices.Compact(ws)
}

// hasDigit tells a word that may be part of a number or code.
func hasDigit(w string) bool { return strings.IndexFunc(w, unicode.IsDigit) >= 0 }

// stop holds words that are in every text and tell nothing.
var stop = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a an and are as at be been but by for from had has have he her him his i if in is it its
		me my no not of on or our she so that the their them then there they this to up us was we were what when which who will with you your
		i w z na do to nie sie jest ze o`) {
		m[w] = true
	}
	return m
}()
