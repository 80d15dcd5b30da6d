package search

import (
	"regexp"
	"strings"
	"time"
)

// Dates as they are written in Britain, the day first, and as in ISO 8601. Years
// have four digits: of two, nobody can tell the century.
var (
	dayFirst  = regexp.MustCompile(`^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})$`)
	yearFirst = regexp.MustCompile(`^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})$`)
	inWords   = regexp.MustCompile(`^([0-9]{1,2})(?:st|nd|rd|th)?(?: of)?[ -]([a-z]{3,9})\.?,?[ -]([0-9]{4})$`)
	inDigits  = regexp.MustCompile(`^([0-9]{1,2}) ([0-9]{1,2}) ([0-9]{4})$`)
)

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// date reads a date, as YYYYMMDD; "" when a text is none.
func date(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 30 {
		return ""
	}
	var y, m, d string
	switch {
	case dayFirst.MatchString(s):
		f := dayFirst.FindStringSubmatch(s)
		d, m, y = f[1], f[2], f[3]
	case inDigits.MatchString(s):
		f := inDigits.FindStringSubmatch(s)
		d, m, y = f[1], f[2], f[3]
	case yearFirst.MatchString(s):
		f := yearFirst.FindStringSubmatch(s)
		y, m, d = f[1], f[2], f[3]
	case inWords.MatchString(s):
		f := inWords.FindStringSubmatch(s)
		d, y = f[1], f[3]
		for i, name := range months {
			if strings.HasPrefix(name, f[2]) || f[2] == "sept" && name == "september" {
				m = time.Month(i + 1).String()
				break
			}
		}
		t, err := time.Parse("2 January 2006", d+" "+m+" "+y)
		if err != nil {
			return ""
		}
		return t.Format("20060102")
	default:
		return ""
	}
	t, err := time.Parse("2006-1-2", y+"-"+strings.TrimPrefix(m, "0")+"-"+strings.TrimPrefix(d, "0"))
	if err != nil {
		return ""
	}
	return t.Format("20060102")
}
