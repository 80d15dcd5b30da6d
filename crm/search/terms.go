package search

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// field is a kind of value; the letters stand in keys.
type field byte

const (
	number   field = 'p'
	email    field = 'e'
	ref      field = 'r'
	postcode field = 'c'
	vehicle  field = 'm'
	unique   field = 'u'
	born     field = 'b'
)

var allFields = []field{number, email, ref, postcode, vehicle, unique, born}

func (f field) name() Field {
	return map[field]Field{
		number: FieldNumber, email: FieldEmail, ref: FieldRef, postcode: FieldPostcode, vehicle: FieldVehicle, unique: FieldUnique,
		born: FieldBorn,
	}[f]
}

// heads are the lengths of beginnings that are indexed, tails those of endings.
// What was typed beyond is compared with the document itself.
func (f field) heads() []int {
	switch f {
	case number:
		// Those of one exchange share six digits, and may be many: each length has its lists.
		return []int{6, 7, 8, 9, 10, 11}
	case email:
		return []int{3, 6, 10}
	case postcode:
		return []int{3, 4, 5}
	case born:
		return nil
	}
	return []int{4, 6}
}

func (f field) tails() []int {
	switch f {
	case number, unique:
		return []int{4, 6}
	case vehicle:
		return []int{3}
	}
	return nil
}

func (d *Doc) values(f field) []string {
	switch f {
	case number:
		return d.Numbers
	case email:
		return d.Emails
	case ref:
		return d.Refs
	case postcode:
		return d.Postcodes
	case vehicle:
		return d.Vehicles
	case born:
		if d.Born == "" {
			return nil
		}
		return []string{d.Born}
	}
	return d.Uniques
}

// normal gives the form a value is compared in, "" for nothing.
func normal(f field, v string, country string) string {
	switch f {
	case number:
		return international(v, country)
	case email:
		v = strings.ToLower(strings.TrimSpace(v))
		if strings.ContainsAny(v, " \t\n") {
			return ""
		}
		return cutTo(v, 100)
	case born:
		return date(v)
	}
	return cutTo(code(v), 40)
}

// cutTo bounds a value, in bytes.
func cutTo(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// code is a value without spaces and punctuation, in capitals.
func code(v string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, v)
}

// international gives a number's digits with its country code. A national number
// begins with 0 (its trunk prefix) and belongs to the country given; anything
// else stays what it is.
func international(v, country string) string {
	v = strings.TrimSpace(v)
	d := digits(v)
	switch {
	case strings.HasPrefix(v, "+"):
		// +44 (0)20 … is written often.
		if rest, ok := strings.CutPrefix(d, country+"0"); ok && country != "" {
			return country + rest
		}
		return cutTo(d, 20)
	case strings.HasPrefix(d, "00"):
		return cutTo(d[2:], 20)
	case strings.HasPrefix(d, "0") && len(d) > 4:
		return cutTo(country+d[1:], 20)
	}
	return cutTo(d, 20)
}

func digits(v string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v)
}

// countryOf gives a region's country code, "44" for GB.
func countryOf(region string) string {
	if n := phonenumbers.GetCountryCodeForRegion(region); n != 0 {
		return strconv.Itoa(n)
	}
	return ""
}

// Names of terms within a kind. A term's name is what its list is kept under.
func nameTerm(w string) string  { return "n" + w } // a name's word
func beginTerm(w string) string { return "b" + w } // the first two or three letters of one
func soundTerm(w string) string { return "s" + w } // how one sounds
func wordTerm(w string) string  { return "t" + w } // a word of the text

func valueTerm(f field, v string) string {
	// Values share 2^18 lists and are compared afterwards: lists of their own would
	// cost more than they hold.
	h := fnv.New32a()
	_, _ = h.Write([]byte(v))
	return "x" + string(rune(f)) + strconv.FormatUint(uint64(h.Sum32()&(1<<18-1)), 36)
}
func headTerm(f field, v string) string { return "h" + string(rune(f)) + v }
func tailTerm(f field, v string) string { return "l" + string(rune(f)) + v }

// nameWords are the different words of a document's names.
func (d *Doc) nameWords() []string {
	var out []string
	for _, n := range d.Names[:min(len(d.Names), ValuesLimit)] {
		out = append(out, words(cutTo(n, 400))...)
	}
	return distinct(out)
}

// textWords are the different words of a text that are worth finding.
func textWords(text string) []string {
	var out []string
	for _, w := range words(text) {
		if len(w) >= 2 && !stop[w] {
			out = append(out, w)
		}
	}
	out = distinct(out)
	return out[:min(len(out), WordsLimit)]
}

// lexicon is whose beginnings are looked up: words of names, or of texts.
type lexicon byte

const (
	ofNames lexicon = 'n'
	ofTexts lexicon = 't'
)

// terms lists the terms a document is kept under, each once and in order.
func (d *Doc) terms(text []string, country string) []string {
	var out []string
	for _, w := range d.nameWords() {
		out = append(out, nameTerm(w))
		rs := []rune(w)
		for _, n := range []int{2, 3} {
			if len(rs) >= n {
				out = append(out, beginTerm(string(rs[:n])))
			}
		}
		if s := sound(w); s != "" {
			out = append(out, soundTerm(s))
		}
	}
	for _, w := range text {
		out = append(out, wordTerm(w))
	}
	for _, f := range allFields {
		vs := d.values(f)
		for _, v := range vs[:min(len(vs), ValuesLimit)] {
			if v = normal(f, v, country); v == "" {
				continue
			}
			out = append(out, valueTerm(f, v))
			for _, n := range f.heads() {
				if len(v) > n {
					out = append(out, headTerm(f, v[:n]))
				}
			}
			for _, n := range f.tails() {
				if len(v) > n {
					out = append(out, tailTerm(f, v[len(v)-n:]))
				}
			}
		}
	}
	return distinct(out)
}

// spelledFrom is how many letters a word needs to be in a lexicon. Shorter
// beginnings would stand for too many words; those of names have lists of their own.
const spelledFrom = 4

// spelled tells which lexicon a term's word belongs to, if any.
func spelled(term string) (lexicon, string, bool) {
	w := term[1:]
	switch term[0] {
	case 'n':
		return ofNames, w, utf8.RuneCountInString(w) >= spelledFrom
	case 't':
		return ofTexts, w, utf8.RuneCountInString(w) >= spelledFrom && !hasDigit(w)
	}
	return 0, "", false
}
