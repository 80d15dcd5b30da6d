package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Columns lists the columns a table of arrivals may have besides
// answers.<label>. Only time is needed.
func Columns() []string {
	return []string{
		"time", "channel", "queue", "language", "dialled", "cli", "contacts_30d", "open_reports",
		"vulnerable", "repeat_victim", "handling", "wrap_up", "patience",
	}
}

// record is one contact read from a table or a journal: what is not known of it
// is NaN.
type record struct {
	at             contact.Instant
	channel        contact.Channel
	queue          routing.QueueID
	facts          *contact.Facts
	talk, wrapUp   float64
	patience       float64
	patienceBeyond float64 // at least this, when patience is not known
	line           int     // in the table
}

// Table is a list of arrivals, in order of time.
type Table struct {
	name    string
	records []record
}

// Len is the number of contacts.
func (t *Table) Len() int { return len(t.records) }

const maxRows = 5_000_000

// ParseCSV reads a table of arrivals strictly: comma-separated, a first line that
// names the columns, and for each contact a line with its time (RFC 3339, or
// 2006-01-02 15:04:05 in the zone). Lengths of time are 30s, 5m or plain seconds;
// handling is conversation and wrap-up together, wrap_up its last part. An empty
// field is not known and will be drawn. Errors are *InputError with line and
// column.
func ParseCSV(name string, r io.Reader, location *time.Location) (*Table, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	t := &Table{name: name}
	bad := func(err error) error {
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			text := syntax.Err.Error()
			if errors.Is(err, csv.ErrFieldCount) {
				text = "this line has another number of fields than the first line names"
			}
			return &InputError{File: name, Line: syntax.Line, Column: syntax.Column, Code: "bad_csv", Text: text}
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, &InputError{File: name, Line: 1, Column: 1, Code: "empty", Text: "a first line with the names of the columns is expected"}
	}
	if err != nil {
		return nil, bad(err)
	}
	columns := slices.Clone(head)
	columns[0] = strings.TrimPrefix(columns[0], "\ufeff")
	for i, c := range columns {
		fail := func(code, text string) error {
			line, column := in.FieldPos(i)
			return &InputError{File: name, Line: line, Column: column, Field: c, Code: code, Text: text}
		}
		if label, is := strings.CutPrefix(c, "answers."); !slices.Contains(Columns(), c) && (!is || label == "") {
			return nil, fail("unknown_column", "no such column is known: expected are "+strings.Join(Columns(), ", ")+" and answers.<label>")
		}
		if slices.Index(columns, c) != i {
			return nil, fail("twice", "this column is named twice")
		}
	}
	if !slices.Contains(columns, "time") {
		return nil, &InputError{File: name, Line: 1, Column: 1, Field: "time", Code: "missing", Text: "a column time is expected"}
	}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad(err)
		}
		if len(t.records) == maxRows {
			return nil, &InputError{File: name, Line: maxRows + 2, Code: "too_large", Text: fmt.Sprintf("at most %d contacts are read", maxRows)}
		}
		row := record{channel: contact.Phone, facts: &contact.Facts{}, talk: math.NaN(), wrapUp: math.NaN(), patience: math.NaN()}
		row.line, _ = in.FieldPos(0)
		for i, value := range fields {
			if code, text := row.set(columns[i], strings.TrimSpace(value), location); code != "" {
				line, column := in.FieldPos(i)
				return nil, &InputError{File: name, Line: line, Column: column, Field: columns[i], Code: code, Text: text}
			}
		}
		t.records = append(t.records, row)
	}
	for i := range t.records {
		if code, text := t.records[i].split(); code != "" {
			return nil, &InputError{File: name, Line: t.records[i].line, Field: "handling", Code: code, Text: text}
		}
	}
	if len(t.records) == 0 {
		return nil, &InputError{File: name, Line: 1, Column: 1, Code: "empty", Text: "the table holds no contact"}
	}
	slices.SortStableFunc(t.records, func(a, b record) int { return int(max(-1, min(1, int64(a.at-b.at)))) })
	if first, last := t.records[0], t.records[len(t.records)-1]; last.at.Sub(first.at) > maxDays*contact.Day {
		return nil, &InputError{
			File: name, Line: last.line, Field: "time", Code: "out_of_range",
			Text: fmt.Sprintf("all contacts are expected within %d days; the first is at %s", maxDays, first.at),
		}
	}
	return t, nil
}

// split takes the wrap-up out of the handling time, of which it is the end.
func (r *record) split() (code, text string) {
	switch {
	case math.IsNaN(r.talk):
	case math.IsNaN(r.wrapUp):
		r.wrapUp = 0
	case r.wrapUp > r.talk:
		return "out_of_range", "the handling time is expected to include the wrap-up and is shorter"
	default:
		r.talk -= r.wrapUp
	}
	return "", ""
}

// set takes one field over; a code says what is wrong with it.
func (r *record) set(column, value string, location *time.Location) (code, text string) {
	if len(value) > 200 {
		return "too_long", "at most 200 bytes are expected"
	}
	if column == "time" {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			at, err = time.ParseInLocation(time.DateTime, value, location)
		}
		if err != nil || at.Year() < 1990 || at.Year() > 2100 {
			return "bad_time", fmt.Sprintf("%q is not a time: one such as 2014-10-31T18:05:00Z or 2014-10-31 18:05:00 is expected, from 1990 to 2100", value)
		}
		r.at = contact.At(at)
		return "", ""
	}
	if value == "" {
		return "", ""
	}
	f := r.facts
	switch column {
	case "channel":
		r.channel = contact.Channel(value)
		if !slices.Contains(channelList, r.channel) {
			return "unknown_channel", fmt.Sprintf("phone, email or web is expected, not %q", value)
		}
	case "queue":
		r.queue = routing.QueueID(value)
	case "language":
		f.Language = value
	case "dialled":
		f.Dialled = value
	case "cli":
		f.CLI = contact.CLI(value)
		if !slices.Contains([]contact.CLI{contact.CLIPresented, contact.CLIWithheld, contact.CLIUnavailable}, f.CLI) {
			return "unknown_cli", fmt.Sprintf("presented, withheld or unavailable is expected, not %q", value)
		}
	case "contacts_30d":
		return number(value, &f.Contacts30d)
	case "open_reports":
		return number(value, &f.OpenReports)
	case "vulnerable":
		return yesNo(value, &f.Vulnerable)
	case "repeat_victim":
		return yesNo(value, &f.RepeatVictim)
	case "handling":
		return length(value, &r.talk)
	case "wrap_up":
		return length(value, &r.wrapUp)
	case "patience":
		return length(value, &r.patience)
	default:
		label, _ := strings.CutPrefix(column, "answers.")
		if f.Answers == nil {
			f.Answers = map[string]string{}
		}
		f.Answers[label] = value
	}
	return "", ""
}

func number(value string, into *int) (code, text string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return "bad_number", fmt.Sprintf("a whole number of 0 or more is expected, not %q", value)
	}
	*into = n
	return "", ""
}

func yesNo(value string, into *bool) (code, text string) {
	switch value {
	case "true", "yes", "1":
		*into = true
	case "false", "no", "0":
	default:
		return "bad_value", fmt.Sprintf("true or false is expected, not %q", value)
	}
	return "", ""
}

func length(value string, into *float64) (code, text string) {
	s, err := strconv.ParseFloat(value, 64)
	if err != nil {
		d, derr := contact.ParseDuration(value)
		if derr != nil {
			return "bad_duration", fmt.Sprintf("a length of time such as 30s, 5m or plain seconds is expected, not %q", value)
		}
		s = d.Std().Seconds()
	}
	if !(s >= 0 && s <= 365*86400) {
		return "out_of_range", "a length of time from 0 to 365 days is expected"
	}
	*into = s
	return "", ""
}
