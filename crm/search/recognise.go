package search

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// guess is one thing that a part of a query may be.
type guess struct {
	field field
	value string // normal
	// head and tail: a value may begin so or end so, not only be so.
	head, tail bool
}

// term is a part of a query, which a record must have.
type term struct {
	word    string // "" when it is none
	last    bool   // it may be unfinished
	guesses []guess
}

// reading is one way to read a query: every term must be found.
type reading []term

var (
	postcodeForm = regexp.MustCompile(`^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$`)
	vehicleForm  = regexp.MustCompile(`^([A-Z]{2}[0-9]{2}[A-Z]{3}|[A-Z][0-9]{1,3}[A-Z]{3}|[A-Z]{3}[0-9]{1,3}[A-Z]|[A-Z]{3}[0-9]{4}|[A-Z]{1,3}[0-9]{1,4}|[0-9]{1,4}[A-Z]{1,3})$`)
	// Our receipts are nine letters in groups of three.
	referenceForm = regexp.MustCompile(`^([0-9A-Za-z]{3}-[0-9A-Za-z]{1,3}(-[0-9A-Za-z]{0,3})?|[0-9A-Za-z]{3} [0-9A-Za-z]{3} [0-9A-Za-z]{3}|[A-Za-z]{9})$`)
	dialled       = regexp.MustCompile(`^[+(]?[0-9][0-9 ().+/-]*$`)
	codeForm      = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z/ .-]*$`)
)

// recognise reads a query: whole as a value, then value by value and word by
// word, then as words alone. It takes any text, and what is beyond the limits is
// left out.
func recognise(text, country string) []reading {
	text = strings.ToValidUTF8(text, " ")
	if utf8.RuneCountInString(text) > TextLimit {
		text = string([]rune(text)[:TextLimit])
	}
	unfinished := !strings.HasSuffix(text, " ")
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return nil
	}
	var out []reading
	m := mixed(fields, unfinished, country)
	g := whole(strings.Join(fields, " "), country)
	if told := len(m) == 1 && slices.Equal(m[0].guesses, g); len(g) > 0 && !told {
		out = append(out, reading{{guesses: g, last: true}})
	}
	if len(m) > 0 {
		out = append(out, m)
	}
	if r := plainWords(fields, unfinished); len(r) > 0 {
		out = append(out, r)
	}
	return slices.CompactFunc(out, sameReading)
}

func sameReading(a, b reading) bool {
	return slices.EqualFunc(a, b, func(x, y term) bool {
		return x.word == y.word && x.last == y.last && slices.Equal(x.guesses, y.guesses)
	})
}

// whole tells what a text may be when it is one value.
func whole(s, country string) []guess {
	var out []guess
	add := func(f field, head, tail bool, v string) {
		if v = normal(f, v, country); len(v) >= 3 {
			out = append(out, guess{f, v, head, tail})
		}
	}
	add(born, false, false, s)
	if !strings.Contains(s, " ") && strings.ContainsAny(s, "@._") && strings.IndexFunc(s, isLetter) >= 0 {
		add(email, true, false, s)
		if strings.Contains(s, "@") {
			return out
		}
	}
	d := digits(s)
	if dialled.MatchString(s) && len(d) >= 4 && len(d) <= 20 {
		// Digits without a trunk prefix may be a number's last ones.
		add(number, true, !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "0"), s)
		if strings.HasPrefix(s, "0") && len(d) <= 8 {
			out = append(out, guess{number, d, false, true}) // 0018 ends 020 7946 0018
		}
	}
	c := code(s)
	if len(c) < 3 || len(c) > 40 || !codeForm.MatchString(s) || strings.Count(s, " ") > 4 {
		return out
	}
	if !codeLike(s) {
		return out
	}
	add(ref, len(c) < 9, false, s)
	if !hasDigit(c) {
		return out
	}
	if !strings.ContainsAny(s, "/.") && len(c) <= 8 {
		add(vehicle, len(c) < 7, len(c) <= 4, s)
		add(postcode, !postcodeForm.MatchString(c), false, s)
	}
	add(unique, true, len(c) <= 8, s)
	return out
}

// codeLike tells a code from words: it has a digit, or is grouped as our
// references are, and every part of one that is written in parts has a digit or
// is short.
func codeLike(s string) bool {
	fields := strings.Fields(s)
	if !hasDigit(fields[0]) && !referenceForm.MatchString(s) {
		return false
	}
	return !slices.ContainsFunc(fields[1:], func(f string) bool { return len(f) > 3 && !hasDigit(f) })
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80 }

// mixed reads fields one after the other, joining those that are one value.
func mixed(fields []string, unfinished bool, country string) reading {
	var r reading
	for i := 0; i < len(fields) && len(r) < TermsLimit; {
		n, g := value(fields[i:], country)
		last := unfinished && i+n == len(fields)
		i += n
		if len(g) > 0 {
			t := term{guesses: g, last: last}
			if n == 1 {
				if ws := words(fields[i-1]); len(ws) == 1 {
					t.word = ws[0]
				}
			}
			r = append(r, t)
			continue
		}
		r = append(r, wordsOf(fields[i-1], last)...)
	}
	return sensible(r)
}

// value tells how many fields make one value at their beginning, and what it may
// be; one field and nothing when it is words.
func value(fields []string, country string) (int, []guess) {
	for n := min(4, len(fields)); n >= 2; n-- { // 12 March 1984, 12th of March 1984
		if joined := strings.Join(fields[:n], " "); date(joined) != "" {
			return n, whole(joined, country)
		}
	}
	numeric := 0
	for numeric < len(fields) && dialled.MatchString(fields[numeric]) {
		numeric++
	}
	if numeric > 1 {
		if joined := strings.Join(fields[:numeric], ""); len(digits(joined)) >= 6 && len(digits(joined)) <= 15 {
			return numeric, whole(joined, country)
		}
	}
	for n := min(3, len(fields)); n >= 2; n-- {
		c := strings.ToUpper(strings.Join(fields[:n], ""))
		if hasDigit(fields[0]) && (postcodeForm.MatchString(c) || vehicleForm.MatchString(c)) {
			return n, whole(c, country)
		}
	}
	return 1, whole(fields[0], country)
}

// plainWords reads every field as words.
func plainWords(fields []string, unfinished bool) reading {
	var r reading
	for i, f := range fields {
		if len(r) >= TermsLimit {
			break
		}
		r = append(r, wordsOf(f, unfinished && i == len(fields)-1)...)
	}
	return sensible(r)
}

func wordsOf(s string, unfinished bool) []term {
	var out []term
	ws := words(s)
	for i, w := range ws {
		out = append(out, term{word: w, last: unfinished && i == len(ws)-1})
	}
	return out
}

// sensible leaves out words that are in every text, unless nothing else is left,
// and letters that stand alone.
func sensible(r reading) reading {
	r = r[:min(len(r), TermsLimit)]
	short := func(t term) bool { return len(t.guesses) == 0 && len(t.word) < 2 }
	r = slices.DeleteFunc(r, short)
	telling := slices.DeleteFunc(slices.Clone(r), func(t term) bool { return len(t.guesses) == 0 && !t.last && stop[t.word] })
	if len(telling) > 0 {
		return telling
	}
	return r
}
