package form

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Problem is why an answer was refused.
type Problem struct {
	// Field is the field's name; of a page's own rule the first field it is about.
	Field string
	// Code says what is wrong: missing, choose, too_long, invalid, future, born,
	// order, one_of.
	Code string
	// Most is the bound that was met, when there is one.
	Most int
}

// Decode reads a page's answers from what was posted. Answers that are fine are
// returned beside the problems of those that are not; an optional field left
// empty has the answer "". The zone is where the times are meant.
func (s *Step) Decode(posted url.Values, now time.Time, zone *time.Location) (Answers, []Problem) {
	answers, problems := Answers{}, []Problem(nil)
	for _, f := range s.Fields {
		v, code := f.decode(posted, now.In(zone))
		if code != "" {
			problems = append(problems, Problem{f.Name, code, f.Most})
			continue
		}
		answers[f.Name] = v
	}
	if len(problems) > 0 {
		return answers, problems
	}
	if len(s.OneOf) > 0 && !slices.ContainsFunc(s.OneOf, func(name string) bool { return answers[name] != "" }) {
		problems = append(problems, Problem{Field: s.OneOf[0], Code: "one_of"})
	}
	if s.Span {
		problems = append(problems, span(answers, now, zone)...)
	}
	return answers, problems
}

// Clean makes text fit to keep: valid UTF-8, without control characters and
// without those that turn the direction of what follows; ends of lines are \n,
// and a single line has none.
func Clean(s string, lines bool) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines:
			return r
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

var (
	phoneForm    = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{4,29}$`)
	postcodeForm = regexp.MustCompile(`^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$`)
	plateForm    = regexp.MustCompile(`^[A-Z0-9]{1,11}$`)
	timeForm     = regexp.MustCompile(`^([01]?[0-9]|2[0-3])[:.]?([0-5][0-9])$`)
)

func (f *Field) decode(posted url.Values, now time.Time) (value, code string) {
	switch f.Kind {
	case Files:
		return "", ""
	case Date:
		return f.date(posted, now)
	case Checkboxes:
		return f.boxes(posted[f.Name])
	}
	v := Clean(posted.Get(f.Name), f.Kind == Area)
	if v == "" {
		if f.Optional {
			return "", ""
		}
		return "", "missing"
	}
	if f.Kind != Radios && utf8.RuneCountInString(v) > f.Most {
		return "", "too_long"
	}
	return f.Read(v)
}

// Read checks one value that is not empty and gives it as it is kept, or the
// code of what is wrong. It serves forms and programs alike.
func (f *Field) Read(v string) (value, code string) {
	switch f.Kind {
	case Radios:
		if !slices.Contains(f.Options, v) {
			return "", "choose"
		}
	case Phone:
		if !phoneForm.MatchString(v) {
			return "", "invalid"
		}
	case Email:
		a, err := mail.ParseAddress(v)
		if err != nil || a.Name != "" || a.Address != v || len(v) > 120 || !strings.Contains(v[strings.LastIndexByte(v, '@'):], ".") {
			return "", "invalid"
		}
		return strings.ToLower(v), ""
	case Postcode:
		v = strings.ToUpper(strings.Join(strings.Fields(v), ""))
		if !postcodeForm.MatchString(v) {
			return "", "invalid"
		}
		return v[:len(v)-3] + " " + v[len(v)-3:], ""
	case Plate:
		v = strings.ToUpper(strings.Join(strings.Fields(v), ""))
		if !plateForm.MatchString(v) {
			return "", "invalid"
		}
	case Time:
		m := timeForm.FindStringSubmatch(v)
		if m == nil {
			return "", "invalid"
		}
		return fmt.Sprintf("%02s:%s", m[1], m[2]), ""
	case Money:
		pence, ok := money(v)
		if !ok {
			return "", "invalid"
		}
		return strconv.FormatInt(pence, 10), ""
	case Name:
		// Letters of any script, hyphens, apostrophes, full stops and single spaces.
		v = strings.Join(strings.Fields(v), " ")
		if strings.ContainsFunc(v, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" -'’.\u200c\u200d", r)
		}) {
			return "", "invalid"
		}
	}
	return v, ""
}

// money reads pounds as people write them, in pence; at most a hundred million.
func money(s string) (int64, bool) {
	s = strings.NewReplacer("£", "", ",", "", " ", "", "\u00a0", "").Replace(s)
	pounds, pence, dot := strings.Cut(s, ".")
	if len(pence) > 2 || dot && pence == "" || len(pounds) > 9 || strings.ContainsAny(s, "+-") {
		return 0, false
	}
	for len(pence) < 2 {
		pence += "0"
	}
	n, err := strconv.ParseInt(pounds+pence, 10, 64)
	return n, err == nil && n <= 1e10
}

func (f *Field) boxes(posted []string) (string, string) {
	var chosen []string
	for _, o := range f.Options {
		if slices.Contains(posted, o) {
			chosen = append(chosen, o)
		}
	}
	for _, v := range posted {
		if v != "" && !slices.Contains(f.Options, v) {
			return "", "choose"
		}
	}
	if len(chosen) == 0 {
		if f.Optional {
			return "", ""
		}
		return "", "missing"
	}
	if f.None != "" && len(chosen) > 1 && slices.Contains(chosen, f.None) {
		return "", "none_too"
	}
	return strings.Join(chosen, ","), ""
}

// Parts are the names of a date's three boxes.
func (f *Field) Parts() []string {
	return []string{f.Name + "-day", f.Name + "-month", f.Name + "-year"}
}

func (f *Field) date(posted url.Values, now time.Time) (string, string) {
	var n [3]int
	empty, wrong := 0, false
	for i, part := range f.Parts() {
		v := Clean(posted.Get(part), false)
		if v == "" {
			empty++
			continue
		}
		d, err := strconv.Atoi(digits(v))
		n[i], wrong = d, wrong || err != nil || len(v) > 8
	}
	switch {
	case empty == 3 && f.Optional:
		return "", ""
	case empty == 3:
		return "", "missing"
	case empty > 0 || wrong:
		return "", "invalid"
	}
	return f.Day(n[2], n[1], n[0], now)
}

// digits turns the digits of any script into 0-9.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
			return r
		}
		zero := r
		for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
			zero--
		}
		return '0' + (r - zero)
	}, s)
}

// Day checks a date of three numbers and gives it as YYYY-MM-DD.
func (f *Field) Day(year, month, day int, now time.Time) (string, string) {
	if year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return "", "invalid"
	}
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, now.Location())
	if d.Day() != day {
		return "", "invalid"
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case f.Past && d.After(today):
		return "", "future"
	case f.Born && (!d.Before(today) || d.Before(today.AddDate(-121, 0, 0))):
		return "", "born"
	}
	return d.Format(time.DateOnly), ""
}

// Moment is the time that answers give in a date and a time field; without a
// time it is the beginning of the day, or with end its end.
func Moment(date, clock string, end bool, zone *time.Location) (time.Time, bool) {
	d, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil {
		return time.Time{}, false
	}
	if clock == "" {
		if end {
			return d.AddDate(0, 0, 1).Add(-time.Minute), true
		}
		return d, true
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", date+" "+clock, zone)
	return t, err == nil
}

// span checks from_date, from_time, to_date and to_time together.
func span(a Answers, now time.Time, zone *time.Location) []Problem {
	from, ok := Moment(a["from_date"], a["from_time"], false, zone)
	if !ok {
		return nil
	}
	if from.After(now) {
		return []Problem{{Field: "from_time", Code: "future"}}
	}
	day := a["to_date"]
	if day == "" {
		if a["to_time"] == "" {
			return nil
		}
		day = a["from_date"]
	}
	to, ok := Moment(day, a["to_time"], true, zone)
	switch {
	case !ok:
		return nil
	case to.Before(from):
		return []Problem{{Field: "to_date", Code: "order"}}
	case a["to_time"] != "" && to.After(now):
		return []Problem{{Field: "to_time", Code: "future"}}
	}
	return nil
}
