package crm

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Canonical gives the form a number is stored and compared in: E.164 where the
// number can be read as one in the region (an ISO 3166 code), else what was
// given without spaces and punctuation. Nothing is refused: short codes such as
// 101 and 999 stay as they are, and the drama numbers that Ofcom reserves are
// read like any other although no registry calls them valid.
func Canonical(number, region string) string {
	s := strings.TrimSpace(number)
	s = strings.TrimPrefix(s, "tel:")
	bare := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '(', ')', '/', '\u00a0', '\t':
			return -1
		}
		return r
	}, s)
	if bare == "" || len(strings.TrimPrefix(bare, "+")) <= 6 || strings.IndexFunc(bare, notDialable) >= 0 {
		return strings.ToLower(bare)
	}
	parsed, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return bare
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}

func notDialable(r rune) bool { return (r < '0' || r > '9') && r != '+' }
