package crm

import (
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// folded is a name or address as it is compared: small letters without accents
// and marks, single spaces.
func folded(s string) string {
	t := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	if plain, _, err := transform.String(t, s); err == nil {
		s = plain
	}
	s = strings.ToLower(s)
	s = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ß", "ss", "æ", "ae", "œ", "oe", "þ", "th", "ð", "d", "ı", "i", "'", "", "\u2019", "").Replace(s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

// sounds are spelling rules in the manner of Metaphone for names as they are
// heard on a telephone in Britain: longest first, each to the sound it makes.
var sounds = strings.NewReplacer(
	"tsch", "C", "sch", "S", "tch", "C", "ough", "O", "augh", "OF", "eigh", "E", "igh", "I",
	"cz", "C", "sz", "S", "rz", "S", "ch", "C", "sh", "S", "ph", "f", "th", "T", "gh", "g", "kn", "n", "gn", "n", "wr", "r", "wh", "w", "ck", "k", "dg", "j", "mb", "m",
	"ce", "se", "ci", "si", "cy", "si", "ge", "je", "gi", "ji", "gy", "ji", "qu", "kw", "x", "ks", "tio", "So", "sio", "So",
	"c", "k", "q", "k", "z", "s", "v", "f", "w", "v", "j", "j", "y", "i", "d", "t", "b", "p",
)

// sound is how a name sounds: equal for names that are heard alike, "Smith" and
// "Smyth", "Clark" and "Clarke", "Mohammed" and "Muhamad". The empty sound is no
// sound.
func sound(name string) string {
	var out []string
	for word := range strings.FieldsSeq(folded(name)) {
		out = append(out, soundOf(word))
	}
	return strings.Join(out, " ")
}

func soundOf(word string) string {
	for _, lead := range [][2]string{{"mac", "mk"}, {"mc", "mk"}, {"ps", "s"}, {"pn", "n"}, {"kn", "n"}, {"x", "s"}} {
		if rest, ok := strings.CutPrefix(word, lead[0]); ok && len(rest) > 1 {
			word = lead[1] + rest
			break
		}
	}
	word = sounds.Replace(word)
	var b strings.Builder
	last := rune(0)
	for i, r := range word {
		r = unicode.ToUpper(r)
		switch {
		case r == 'H':
			continue // it joins the letters it stands between
		case strings.ContainsRune("AEIOU", r):
			if i == 0 {
				b.WriteRune('A') // vowels at the start are heard alike
			}
			last = 0
			continue
		case r != last:
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}
