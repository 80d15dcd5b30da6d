package ref

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Errors of Parse, to test for with errors.Is.
var (
	// ErrForm means that what was typed is no reference of any kind.
	ErrForm = errors.New("ref: not a reference")
	// ErrLetter means that it has the form of one and its check letter is wrong:
	// something was misheard or mistyped.
	ErrLetter = errors.New("ref: the check letter does not fit")
)

// Kind says which reference it is.
type Kind string

// Kinds.
const (
	Receipt  Kind = "receipt"  // ABC-DEF-GHJ, given to the public
	Incident Kind = "incident" // 1234/09AUG26K, restarts at 1 each day
	Crime    Kind = "crime"    // 0001234/26K, restarts at 1 each year
)

// Ref is a reference that was read and checked. Text is its one written form,
// the form it is stored and looked up in.
type Ref struct {
	Kind Kind
	Text string
}

var months = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

// CrimeNumber writes the crime number of a serial in a year (the last two digits
// count): seven digits, the year, a check letter.
func CrimeNumber(serial uint64, year int) string {
	digits, yy := fmt.Sprintf("%07d", serial), fmt.Sprintf("%02d", year%100)
	letter, _ := letterOf(yy + digits) // digits: cannot fail
	return digits + "/" + yy + string(letter)
}

// IncidentNumber writes the incident number of a serial on a day: the serial,
// the day and a check letter. The day belongs to it.
func IncidentNumber(serial uint64, year int, month time.Month, day int) string {
	digits := strconv.FormatUint(serial, 10)
	letter, _ := letterOf(fmt.Sprintf("%02d%02d%02d", year%100, month, day) + digits) // digits: cannot fail
	return fmt.Sprintf("%s/%02d%s%02d%c", digits, day, months[month-1], year%100, letter)
}

// Parse reads a reference however it was typed or said: in small letters, with
// or without dashes and spaces, after "CAD", "CRN", "crime number" or a hash, a
// crime number with its force code in front or without leading zeros, and a
// number whose check letter was left off.
func Parse(typed string) (Ref, error) {
	if len(typed) > 64 {
		return Ref{}, ErrForm
	}
	s := bare(typed)
	for _, lead := range []string{"#", "REFERENCE", "REF", "CADNUMBER", "CAD", "CRN", "CRIMENUMBER", "CRIME", "INCIDENTNUMBER", "INCIDENT", "NUMBER", "NO", ":", "#"} {
		if cut, ok := strings.CutPrefix(s, lead); ok && (strings.ContainsAny(cut, "0123456789/:#") || len(cut) > symbols) {
			s = cut
		}
	}
	s = strings.TrimSpace(s)
	if strings.Contains(s, "/") {
		return parseNumber(s)
	}
	if len(s) != symbols+1 || strings.Trim(s, letters) != "" {
		return Ref{}, ErrForm
	}
	if !Check(s) {
		return Ref{}, ErrLetter
	}
	return Ref{Receipt, grouped(s, group)}, nil
}

func parseNumber(s string) (Ref, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 3 && len(parts[0]) == 2 && isDigits(parts[0]) {
		parts = parts[1:] // the force
	}
	if len(parts) != 2 || !isDigits(parts[0]) || len(parts[0]) > 9 {
		return Ref{}, ErrForm
	}
	serial, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil || serial == 0 {
		return Ref{}, ErrForm
	}
	when, letter := parts[1], byte(0)
	if n := len(when); (n == 3 || n == 8) && strings.IndexByte(letters, when[n-1]) >= 0 {
		when, letter = when[:n-1], when[n-1]
	}
	var r Ref
	switch {
	case len(when) == 2 && isDigits(when) && len(parts[0]) <= 7:
		yy, _ := strconv.Atoi(when)
		r = Ref{Crime, CrimeNumber(serial, yy)}
	case len(when) == 7 && isDigits(when[:2]) && isDigits(when[5:]):
		day, _ := strconv.Atoi(when[:2])
		yy, _ := strconv.Atoi(when[5:])
		month := monthOf(when[2:5])
		if month == 0 || time.Date(2000+yy, month, day, 0, 0, 0, 0, time.UTC).Day() != day || day == 0 {
			return Ref{}, ErrForm
		}
		r = Ref{Incident, IncidentNumber(serial, yy, month, day)}
	default:
		return Ref{}, ErrForm
	}
	if letter != 0 && r.Text[len(r.Text)-1] != letter {
		return Ref{}, ErrLetter
	}
	return r, nil
}

func monthOf(name string) time.Month {
	for i, m := range months {
		if m == name {
			return time.Month(i + 1)
		}
	}
	return 0
}
