package ref

import "strings"

// ASN reads an arrest/summons number, as 20 characters or with slashes and its
// serial unpadded ("11/01ZD/01/448754K"), and returns the 20 characters. The
// check letter is that of force, system, year and serial as one number.
func ASN(typed string) (string, error) {
	s := bare(typed)
	if strings.Contains(s, "/") {
		p := strings.Split(s, "/")
		if len(p) != 4 || len(p[0]) != 2 || len(p[1]) != 4 || len(p[2]) != 2 || len(p[3]) < 2 || len(p[3]) > 12 {
			return "", ErrForm
		}
		s = p[0] + p[1] + p[2] + strings.Repeat("0", 12-len(p[3])) + p[3]
	}
	if len(s) != 20 {
		return "", ErrForm
	}
	year, force, unit, system, serial, letter := s[:2], s[2:4], s[4:6], s[6:8], s[8:19], s[19]
	want, ok := letterOf(force + system + year + serial)
	if !ok || strings.Trim(unit, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", ErrForm
	}
	if want != letter {
		return "", ErrLetter
	}
	return s, nil
}

// PNC reads a Police National Computer id ("YYYY/NNNNNNND", leading zeros may be
// left off) and returns the 13 characters. The check letter is that of the
// year's last two digits and the seven digits as one number.
func PNC(typed string) (string, error) {
	year, rest, ok := strings.Cut(bare(typed), "/")
	if !ok || len(year) != 4 || !isDigits(year) || len(rest) < 2 || len(rest) > 8 {
		return "", ErrForm
	}
	serial, letter := rest[:len(rest)-1], rest[len(rest)-1]
	serial = strings.Repeat("0", 7-len(serial)) + serial
	want, ok := letterOf(year[2:] + serial)
	if !ok {
		return "", ErrForm
	}
	if want != letter {
		return "", ErrLetter
	}
	return year + "/" + serial + string(letter), nil
}
