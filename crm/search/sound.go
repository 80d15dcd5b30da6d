package search

import "strings"

// sound gives a key that names spelled differently and sounding alike share, or
// "" for what is no name in Latin letters. It keeps the consonants and whether
// the name begins with a vowel: Smith and Smyth, Stephen and Steven, Kowalski and
// Kovalsky, Mohammed and Muhammad.
func sound(word string) string {
	if len(word) < 2 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	s := soundAlike.Replace("^" + word + "$")
	s = strings.Trim(s, "^$")
	var out []byte
	for i := range len(s) {
		c := s[i]
		switch c {
		case 'a', 'e', 'i', 'o', 'u', 'y', 'h', 'w':
			if i == 0 {
				out = append(out, begins(c))
			}
			continue
		case 'b', 'p':
			c = 'p'
		case 'd', 't':
			c = 't'
		case 'c', 'q', 'k':
			c = 'k'
		case 'v', 'f':
			c = 'f'
		case 'z', 's':
			c = 's'
		}
		if len(out) == 0 || out[len(out)-1] != c {
			out = append(out, c)
		}
	}
	if len(out) > 8 {
		out = out[:8]
	}
	return string(out)
}

// begins is what a first letter that is not a consonant proper counts as.
func begins(c byte) byte {
	switch c {
	case 'h':
		return 'h'
	case 'w':
		return 'f' // Wojcik is Vojcik to many
	}
	return 'a'
}

// soundAlike spells sounds one way; ^ and $ are a name's ends. Longer ones first.
var soundAlike = strings.NewReplacer(
	"^kn", "^n", "^gn", "^n", "^pn", "^n", "^wr", "^r", "^ps", "^s", "^rh", "^r", "^wh", "^w", "^mc", "^mak", "^ch", "^x", "^x", "^s",
	"tch", "x", "sch", "x", "szcz", "x", "cz", "x", "sz", "x", "sh", "x", "ch", "x", "dz", "x",
	"ough", "o", "augh", "a", "eigh", "a", "igh", "i", "ght", "t", "gh", "g",
	"ph", "f", "ck", "k", "cq", "k", "dge", "j", "dg", "j", "mb$", "m$", "th", "t", "kh", "k", "bh", "b", "dh", "d",
	"ps", "s", "ce", "se", "ci", "si", "cy", "si", "ge", "je", "gi", "ji",
	"wa", "va", "we", "ve", "wi", "vi", "wo", "vo", "wu", "vu", "wy", "vi", "x", "ks", "j$", "i$",
)
