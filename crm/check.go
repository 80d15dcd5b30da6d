package crm

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The checks of a person's "4+1" and of places, from the rules of the national
// minimum data standards: names hold names, a date of birth is a date somebody
// can have, and blank is better than a placeholder.

// titles are no part of a name.
var titles = []string{"mr", "mrs", "miss", "ms", "mx", "dr", "prof", "professor", "rev", "reverend", "sir", "dame", "lord", "lady", "madam", "master", "pc", "sgt", "sergeant", "inspector"}

// placeholders are what is typed to get past a field.
var placeholders = []string{
	"unknown", "not known", "not given", "not stated", "not provided", "none", "no name", "noname", "anonymous", "anon", "na", "nk", "nfa", "tbc", "tba",
	"test", "testing", "asdf", "qwerty", "xx", "xxx", "xxxx", "blank", "nil", "null", "refused", "withheld", "unk", "same", "as above", "see above",
	"name", "surname", "given name", "first name", "last name",
}

// Genders of the national data standard.
var genders = []string{"Male", "Female", "Trans Male", "Trans Female", "Non-Binary", "Intersex", "Not Specified", "Not Known"}

// Genders lists what a person's gender may be recorded as.
func Genders() []string { return slices.Clone(genders) }

const (
	nameLimit  = 100 // characters of one name; the national 35 is applied when exported
	emailLimit = 120
	emailLeast = 5
	oldest     = 120 // years
)

// oneSpaced gives a name with single spaces and the apostrophes and hyphens that
// keyboards and word processors write made one of each.
func oneSpaced(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\u2018', '\u2019', '\u02bc', '`', '\u00b4':
			return '\''
		case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			return '-'
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// checkName holds one name to the rules.
func checkName(f *faults, field, name string) {
	if name == "" {
		return
	}
	if n := utf8.RuneCountInString(name); n > nameLimit {
		f.add(field, "too_long", "at most %d characters, this has %d", nameLimit, n)
		return
	}
	plain := strings.ToLower(strings.Trim(name, " -'"))
	if plain == "" || slices.Contains(placeholders, strings.NewReplacer(".", "", "/", "").Replace(plain)) {
		f.add(field, "placeholder", "leave this empty when the name is not known")
		return
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' && r != '-' && r != '\'' {
			f.add(field, "letters", "a name has letters, spaces, hyphens and apostrophes only")
			return
		}
	}
	first, _, more := strings.Cut(plain, " ")
	if more && slices.Contains(titles, first) || !more && slices.Contains([]string{"mr", "mrs", "miss", "ms", "mx"}, first) {
		f.add(field, "title", "leave out the title")
	}
}

// checkBirth holds a date of birth to the calendar: before today, at most 120
// years ago.
func checkBirth(f *faults, field, date string, today time.Time) {
	if date == "" {
		return
	}
	born, err := time.Parse(time.DateOnly, date)
	if err != nil {
		f.add(field, "form", "write a real date as YYYY-MM-DD")
		return
	}
	day := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case !born.Before(day):
		f.add(field, "future", "a date of birth is before today")
	case born.AddDate(oldest+1, 0, 0).Before(day) || born.AddDate(oldest+1, 0, 0).Equal(day):
		f.add(field, "too_old", "nobody is older than %d", oldest)
	}
}

// Age is a person's age in whole years on a day, or -1 when the date of birth is
// not known.
func (p Person) Age(on time.Time) int {
	born, err := time.Parse(time.DateOnly, p.DateOfBirth)
	if err != nil {
		return -1
	}
	age := on.Year() - born.Year()
	if on.Month() < born.Month() || on.Month() == born.Month() && on.Day() < born.Day() {
		age--
	}
	return age
}

// FourPlusOne names what is missing of the minimum record of a person: given
// name, surname, date of birth, gender, and one way to reach them ("contact").
func (p Person) FourPlusOne() []string {
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"given_name", p.GivenName}, {"surname", p.Surname}, {"date_of_birth", p.DateOfBirth}, {"gender", p.Gender},
	} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if len(p.Numbers)+len(p.Emails)+len(p.Addresses) == 0 {
		missing = append(missing, "contact")
	}
	return missing
}

// CanonicalEmail gives the form an address is stored and compared in: lower
// case, without a display name. It returns false for what is no address.
func CanonicalEmail(address string) (string, bool) {
	s := strings.ToLower(strings.TrimSpace(address))
	s = strings.TrimPrefix(s, "mailto:")
	a, err := mail.ParseAddress(s)
	if err != nil || len(a.Address) < emailLeast || len(a.Address) > emailLimit || strings.ContainsAny(a.Address, " \t\r\n") || !utf8.ValidString(a.Address) {
		return "", false
	}
	return strings.ToLower(a.Address), true
}

// postcodes are the forms of a United Kingdom postcode without its space; which
// districts exist is a directory's to say.
var postcodes = regexp.MustCompile(`^(GIR0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY])[0-9][ABD-HJLNP-UW-Z]{2})$`)

// CanonicalPostcode writes a United Kingdom postcode in capitals with one space.
// It returns false for what does not have the form of one.
func CanonicalPostcode(typed string) (string, bool) {
	s := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '.' {
			return -1
		}
		return r
	}, typed))
	if !postcodes.MatchString(s) {
		return "", false
	}
	return s[:len(s)-3] + " " + s[len(s)-3:], true
}

// checkPlace tidies a place and holds it to its form.
func checkPlace(f *faults, field string, p *Place) {
	for _, part := range []*string{&p.Premises, &p.Street, &p.Town} {
		*part = strings.Join(strings.Fields(*part), " ")
	}
	if p.Postcode = strings.TrimSpace(p.Postcode); p.Postcode != "" {
		code, ok := CanonicalPostcode(p.Postcode)
		if !ok {
			f.add(field+".postcode", "form", "write a full postcode such as SW1A 1AA, or leave it empty")
		} else {
			p.Postcode = code
		}
	}
	if (p.Latitude == nil) != (p.Longitude == nil) {
		f.add(field+".latitude", "required", "give both latitude and longitude, or neither")
	}
	if p.Latitude != nil && !(*p.Latitude >= -90 && *p.Latitude <= 90) {
		f.add(field+".latitude", "form", "from -90 to 90 degrees")
	}
	if p.Longitude != nil && !(*p.Longitude >= -180 && *p.Longitude <= 180) {
		f.add(field+".longitude", "form", "from -180 to 180 degrees")
	}
	if p.PrecisionMetres < 0 {
		f.add(field+".precision_metres", "form", "a distance in metres")
	}
	for name, text := range map[string]string{"text": p.Text, "premises": p.Premises, "street": p.Street, "town": p.Town} {
		if n := utf8.RuneCountInString(text); n > placeLimit {
			f.add(field+"."+name, "too_long", "at most %d characters, this has %d", placeLimit, n)
		}
	}
}

const placeLimit = 300
