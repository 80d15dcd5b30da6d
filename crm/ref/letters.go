package ref

import "strings"

// letters are the 23 check letters of police numbers, by remainder: no I, O or
// S, which are taken for 1, 0 and 5.
const letters = "ZABCDEFGHJKLMNPQRTUVWXY"

const base = uint64(len(letters))

// letterOf gives the check letter of a run of digits read as one number.
func letterOf(digits string) (byte, bool) {
	if digits == "" {
		return 0, false
	}
	var rest uint64
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		rest = (rest*10 + uint64(d)) % base
	}
	return letters[rest], true
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// bare is what was typed in capitals, without the spaces and marks people put
// between groups.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\u00a0', '-', '.', '\u2010', '\u2011', '\u2012', '\u2013', '_':
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(s)))
}
