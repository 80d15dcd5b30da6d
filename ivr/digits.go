package ivr

import "slices"

// checks are the ways to tell a mistyped number. Each takes digits only.
var checks = map[string]func(digits string) bool{
	"none":  func(string) bool { return true },
	"luhn":  luhn,
	"mod97": mod97,
}

func checkNames() []string {
	var out []string
	for name := range checks {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// luhn is the check of ISO/IEC 7812-1 annex B: the last digit checks the rest.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(digits) > 1 && sum%10 == 0
}

// mod97 is MOD 97-10 of ISO/IEC 7064: the last two digits check the rest.
func mod97(digits string) bool {
	rest := 0
	for i := range len(digits) {
		rest = (rest*10 + int(digits[i]-'0')) % 97
	}
	return len(digits) > 2 && rest == 1
}
