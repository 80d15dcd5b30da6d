package sim

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Model is a contact centre in numbers: how many contacts come when, what they
// are about, how long they take and how long callers wait, and who is on duty. It
// is read from YAML and does not change.
type Model struct {
	Name, Label string
	// Source says where the numbers come from, for people.
	Source string
	// Zone is the zone of hours and days; TimeZone its name.
	Zone     contact.Zone
	TimeZone string
	// Start is the first day when nobody says otherwise, as 2006-01-02.
	Start string
	// Days to simulate when nobody says otherwise.
	Days int
	// PerDay is the mean number of contacts a day.
	PerDay    float64
	Answering Answering
	Hearing   Hearing

	weekday [7]float64 // factors with mean 1, 0 is Sunday
	mix     []mixture
	staff   []staffing

	location *time.Location
}

// mixture is one kind of contact.
type mixture struct {
	name    string
	share   float64     // of all contacts
	hours   [24]float64 // sum 1
	channel contact.Channel
	queue   routing.QueueID
	facts   [markers]*contact.Facts
	chances [4]float64
	// preferred is the share that prefers one of the handlers.
	preferred float64
	talk      Distribution
	wrapUp    Distribution
	patience  Distribution
}

// markers is the number of combinations of vulnerable, repeat victim, open report
// and frequent caller.
const markers = 16

type staffing struct {
	profile string
	days    [7]bool
	perHour [24]int
}

const (
	maxProfile = 256 << 10
	maxNesting = 48
	maxPerDay  = 1e7
	maxStaff   = 10_000
)

type modelFile struct {
	Name      string             `yaml:"name"`
	Label     string             `yaml:"label"`
	Source    string             `yaml:"source"`
	TimeZone  string             `yaml:"time_zone"`
	Start     string             `yaml:"start"`
	Days      int                `yaml:"days"`
	PerDay    float64            `yaml:"per_day"`
	Hours     []float64          `yaml:"hours"`
	Weekdays  map[string]float64 `yaml:"weekdays"`
	Talk      *lawFile           `yaml:"talk"`
	WrapUp    *lawFile           `yaml:"wrap_up"`
	Patience  *lawFile           `yaml:"patience"`
	Answering answeringFile      `yaml:"answering"`
	Hearing   hearingFile        `yaml:"announcements"`
	Mix       []mixFile          `yaml:"mix"`
	Staff     []staffFile        `yaml:"staff"`
}

type lawFile struct {
	Law    string    `yaml:"law"`
	Mean   string    `yaml:"mean"`
	Median string    `yaml:"median"`
	Mu     *float64  `yaml:"mu"`
	Sigma  *float64  `yaml:"sigma"`
	Times  []float64 `yaml:"times"`
}

type answeringFile struct {
	Delay   *lawFile `yaml:"delay"`
	Missed  float64  `yaml:"missed"`
	Connect string   `yaml:"connect"`
}

type hearingFile struct {
	Leave     float64 `yaml:"leave"`
	LeaveLong float64 `yaml:"leave_long"`
	Long      string  `yaml:"long"`
	After     string  `yaml:"after"`
}

type mixFile struct {
	Name         string            `yaml:"name"`
	Share        float64           `yaml:"share"`
	Hours        []float64         `yaml:"hours"`
	Channel      string            `yaml:"channel"`
	Queue        string            `yaml:"queue"`
	Language     string            `yaml:"language"`
	Dialled      string            `yaml:"dialled"`
	CLI          string            `yaml:"cli"`
	Answers      map[string]string `yaml:"answers"`
	Vulnerable   float64           `yaml:"vulnerable"`
	RepeatVictim float64           `yaml:"repeat_victim"`
	OpenReport   float64           `yaml:"open_report"`
	Frequent     float64           `yaml:"frequent"`
	Preferred    float64           `yaml:"preferred"`
	Talk         *lawFile          `yaml:"talk"`
	WrapUp       *lawFile          `yaml:"wrap_up"`
	Patience     *lawFile          `yaml:"patience"`
}

type staffFile struct {
	Profile string   `yaml:"profile"`
	Days    []string `yaml:"days"`
	PerHour []int    `yaml:"per_hour"`
}

// modelReader turns the file into a model and remembers where things stand.
type modelReader struct {
	file string
	tree *ast.File
	err  *InputError
}

func (r *modelReader) fail(path, code, format string, args ...any) {
	if r.err != nil {
		return
	}
	e := &InputError{File: r.file, Line: 1, Column: 1, Field: path, Code: code, Text: fmt.Sprintf(format, args...)}
	e.Line, e.Column = r.where(path)
	r.err = e
}

// where finds a key in the file, or the nearest key above it that is there.
func (r *modelReader) where(path string) (line, column int) {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(r.tree); err == nil && node != nil && node.GetToken() != nil && node.GetToken().Position != nil {
				at := node.GetToken().Position
				return at.Line, at.Column
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		path = path[:max(cut, 0)]
	}
	return 1, 1
}

// ParseModel reads a profile strictly; file is used in errors, which are
// *InputError with line and column.
func ParseModel(file string, src []byte) (*Model, error) {
	bad := func(line, column int, code, text string) (*Model, error) {
		return nil, &InputError{File: file, Line: line, Column: column, Code: code, Text: text}
	}
	if len(src) > maxProfile {
		return bad(1, 1, "too_large", fmt.Sprintf("a profile may have at most %d bytes", maxProfile))
	}
	if nesting(src) > maxNesting {
		return bad(1, 1, "too_deep", "brackets or dashes are nested too deep for a profile")
	}
	var f modelFile
	tree, err := decode(src, &f)
	if err != nil {
		return nil, yamlError(file, err)
	}
	if len(tree.Docs) != 1 {
		return bad(1, 1, "two_documents", "one document is expected in a profile")
	}
	r := &modelReader{file: file, tree: tree}
	m := r.model(&f)
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// decode parses and decodes. The YAML library panics on some malformed texts, which
// are mistakes like any other here.
func decode(src []byte, into *modelFile) (tree *ast.File, err error) {
	defer func() {
		if recover() != nil {
			tree, err = nil, errors.New("this is not YAML that can be read")
		}
	}()
	if tree, err = parser.ParseBytes(src, 0); err != nil {
		return nil, err
	}
	return tree, yaml.UnmarshalWithOptions(src, into, yaml.Strict(), yaml.DisallowUnknownField())
}

// nesting overestimates how deep a text nests, because the parser's time grows
// with it.
func nesting(src []byte) int {
	most, open, line := 0, 0, 0
	for i, c := range src {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?', ':':
			if i+1 < len(src) && (src[i+1] == ' ' || src[i+1] == '\t') {
				line++
			}
		case '\n':
			line = 0
		}
		most = max(most, open, line)
	}
	return most
}

func yamlError(file string, err error) error {
	e := &InputError{File: file, Line: 1, Column: 1, Code: "bad_yaml", Text: err.Error()}
	var known yaml.Error
	if errors.As(err, &known) {
		e.Text = known.GetMessage()
		if tok := known.GetToken(); tok != nil && tok.Position != nil {
			e.Line, e.Column = tok.Position.Line, tok.Position.Column
		}
	}
	return e
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (r *modelReader) model(f *modelFile) *Model {
	m := &Model{Name: f.Name, Label: f.Label, Source: strings.TrimSpace(f.Source), Start: f.Start, Days: f.Days, PerDay: f.PerDay, TimeZone: f.TimeZone}
	if m.Name == "" {
		r.fail("name", "missing", "a name is expected")
	}
	if m.Label == "" {
		m.Label = m.Name
	}
	if m.TimeZone == "" {
		m.TimeZone = "Europe/London"
	}
	var err error
	if m.Zone, err = contact.LoadZone(m.TimeZone); err != nil {
		r.fail("time_zone", "bad_zone", "%v", err)
		return nil
	}
	if m.location, err = time.LoadLocation(m.TimeZone); err != nil {
		r.fail("time_zone", "bad_zone", "%v", err)
		return nil
	}
	if _, err := time.Parse(time.DateOnly, m.Start); err != nil {
		r.fail("start", "bad_date", "%q is not a date: one such as 2014-10-31 is expected", m.Start)
	}
	if m.Days == 0 {
		m.Days = 1
	}
	if m.Days < 1 || m.Days > maxDays {
		r.fail("days", "out_of_range", "a number of days from 1 to %d is expected", maxDays)
	}
	if !(m.PerDay > 0 && m.PerDay <= maxPerDay) {
		r.fail("per_day", "out_of_range", "contacts a day are expected, above 0 and at most %.0f", maxPerDay)
	}
	r.weekdays(m, f.Weekdays)
	hours := r.hours("hours", f.Hours)
	talk := r.law("talk", f.Talk, LogNormalOf(240, 300))
	wrapUp := r.law("wrap_up", f.WrapUp, Constant(0))
	patience := r.law("patience", f.Patience, never)
	m.Answering = Answering{Delay: r.law("answering.delay", f.Answering.Delay, Constant(3)), Missed: r.chance("answering.missed", f.Answering.Missed)}
	if s := f.Answering.Connect; s != "" {
		m.Answering.Connect = r.seconds("answering.connect", s)
	}
	m.Hearing = r.hearing(f.Hearing)
	total := 0.0
	for i, x := range f.Mix {
		at := fmt.Sprintf("mix[%d]", i)
		if !(x.Share > 0) || math.IsInf(x.Share, 0) {
			r.fail(at+".share", "out_of_range", "a share above 0 is expected")
			return nil
		}
		total += x.Share
		m.mix = append(m.mix, r.kind(at, x, hours, talk, wrapUp, patience))
	}
	if len(m.mix) == 0 {
		r.fail("mix", "missing", "at least one kind of contact is expected")
	}
	for i := range m.mix {
		m.mix[i].share /= total
	}
	r.staff(m, f.Staff)
	return m
}

const maxDays = 400

func (r *modelReader) hearing(f hearingFile) Hearing {
	h := Hearing{Leave: r.chance("announcements.leave", f.Leave), LeaveLong: r.chance("announcements.leave_long", f.LeaveLong), After: 5}
	if f.Long != "" {
		h.Long = r.seconds("announcements.long", f.Long)
	} else if f.LeaveLong > 0 {
		r.fail("announcements.long", "missing", "the wait from which leave_long counts is expected, such as 10m")
	}
	if f.After != "" {
		h.After = r.seconds("announcements.after", f.After)
	}
	return h
}

func (r *modelReader) weekdays(m *Model, given map[string]float64) {
	for i := range m.weekday {
		m.weekday[i] = 1
	}
	if given == nil {
		return
	}
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.Index(dayNames, name)
		if i < 0 {
			r.fail("weekdays."+name, "unknown_key", "sun, mon, tue, wed, thu, fri or sat is expected")
			return
		}
		if v := given[name]; !(v >= 0 && v < 1e9) {
			r.fail("weekdays."+name, "out_of_range", "a share of 0 or more is expected")
		}
		m.weekday[i] = given[name]
		sum += given[name]
	}
	if len(given) != 7 || sum <= 0 {
		r.fail("weekdays", "missing", "all seven days are expected, not all of them 0")
		return
	}
	for i := range m.weekday {
		m.weekday[i] *= 7 / sum
	}
}

func (r *modelReader) hours(path string, given []float64) (out [24]float64) {
	if given == nil {
		for i := range out {
			out[i] = 1.0 / 24
		}
		return out
	}
	sum := 0.0
	for _, v := range given {
		if !(v >= 0 && v < 1e9) {
			r.fail(path, "out_of_range", "shares of 0 or more are expected")
		}
		sum += v
	}
	if len(given) != 24 || !(sum > 0) {
		r.fail(path, "missing", "24 shares are expected, from midnight, not all of them 0; there are %d", len(given))
		return out
	}
	for i, v := range given {
		out[i] = v / sum
	}
	return out
}

func (r *modelReader) kind(at string, x mixFile, hours [24]float64, talk, wrapUp, patience Distribution) mixture {
	k := mixture{
		name: x.Name, share: x.Share, hours: hours, channel: contact.Channel(x.Channel), queue: routing.QueueID(x.Queue),
		talk: r.law(at+".talk", x.Talk, talk), wrapUp: r.law(at+".wrap_up", x.WrapUp, wrapUp), patience: r.law(at+".patience", x.Patience, patience),
	}
	if x.Hours != nil {
		k.hours = r.hours(at+".hours", x.Hours)
	}
	if x.Channel == "" {
		k.channel = contact.Phone
	}
	if !slices.Contains(channelList, k.channel) {
		r.fail(at+".channel", "unknown_channel", "phone, email or web is expected, not %q", x.Channel)
	}
	k.chances = [4]float64{
		r.chance(at+".vulnerable", x.Vulnerable), r.chance(at+".repeat_victim", x.RepeatVictim),
		r.chance(at+".open_report", x.OpenReport), r.chance(at+".frequent", x.Frequent),
	}
	k.preferred = r.chance(at+".preferred", x.Preferred)
	for i := range k.facts {
		k.facts[i] = markedFacts(contact.Facts{Language: x.Language, Dialled: x.Dialled, CLI: contact.CLI(x.CLI), Answers: x.Answers}, i)
	}
	return k
}

func (r *modelReader) chance(path string, v float64) float64 {
	if !(v >= 0 && v <= 1) {
		r.fail(path, "out_of_range", "a share from 0 to 1 is expected")
		return 0
	}
	return v
}

func (r *modelReader) seconds(path, s string) float64 {
	d, err := contact.ParseDuration(s)
	if err != nil {
		r.fail(path, "bad_duration", "%v", err)
		return 0
	}
	if d < 0 || d > 365*contact.Day {
		r.fail(path, "out_of_range", "a length of time from 0 to 365d is expected")
		return 0
	}
	return d.Std().Seconds()
}

func (r *modelReader) law(path string, f *lawFile, otherwise Distribution) Distribution {
	if f == nil {
		return otherwise
	}
	positive := func(key, s string) float64 {
		if s == "" {
			r.fail(path+"."+key, "missing", "%s is expected: a length of time such as 4m", key)
			return 1
		}
		v := r.seconds(path+"."+key, s)
		if v <= 0 {
			r.fail(path+"."+key, "out_of_range", "a length of time above 0 is expected")
			return 1
		}
		return v
	}
	switch f.Law {
	case "never":
		return never
	case "constant":
		if f.Mean == "" {
			r.fail(path+".mean", "missing", "mean is expected: a length of time such as 30s")
			return otherwise
		}
		return Constant(r.seconds(path+".mean", f.Mean))
	case "exponential":
		return Exponential(positive("mean", f.Mean))
	case "lognormal":
		if f.Mu != nil && f.Sigma != nil {
			if !(math.Abs(*f.Mu) <= 20 && *f.Sigma >= 0 && *f.Sigma <= 5) {
				r.fail(path, "out_of_range", "mu from -20 to 20 and sigma from 0 to 5 are expected")
			}
			return LogNormal{*f.Mu, *f.Sigma}
		}
		median, mean := positive("median", f.Median), positive("mean", f.Mean)
		if mean < median {
			r.fail(path, "out_of_range", "the mean of a log-normal law is not below its median")
			return otherwise
		}
		return LogNormalOf(median, mean)
	case "empirical":
		for _, t := range f.Times {
			if !(t >= 0 && t <= 365*86400) {
				r.fail(path+".times", "out_of_range", "times in seconds are expected, 0 or more")
				return otherwise
			}
		}
		if e := EmpiricalOf(f.Times); e != nil {
			return e
		}
		r.fail(path+".times", "missing", "observed times in seconds are expected")
		return otherwise
	}
	r.fail(path+".law", "unknown_law", "constant, exponential, lognormal, empirical or never is expected, not %q", f.Law)
	return otherwise
}

func (r *modelReader) staff(m *Model, given []staffFile) {
	if len(given) == 0 {
		r.fail("staff", "missing", "at least one profile's handlers by hour are expected")
	}
	for i, x := range given {
		at := fmt.Sprintf("staff[%d]", i)
		s := staffing{profile: x.Profile}
		if x.Profile == "" {
			r.fail(at+".profile", "missing", "a handler profile of the plan is expected")
		}
		for _, d := range x.Days {
			n := slices.Index(dayNames, d)
			if n < 0 {
				r.fail(at+".days", "unknown_key", "sun, mon, tue, wed, thu, fri or sat is expected, not %q", d)
				return
			}
			s.days[n] = true
		}
		if len(x.Days) == 0 {
			s.days = [7]bool{true, true, true, true, true, true, true}
		}
		if len(x.PerHour) != 24 {
			r.fail(at+".per_hour", "missing", "24 numbers are expected, from midnight; there are %d", len(x.PerHour))
			return
		}
		for h, n := range x.PerHour {
			if n < 0 || n > maxStaff {
				r.fail(fmt.Sprintf("%s.per_hour[%d]", at, h), "out_of_range", "a number of handlers from 0 to %d is expected", maxStaff)
			}
			s.perHour[h] = n
		}
		m.staff = append(m.staff, s)
	}
}

// Profiles lists the handler profiles the staffing uses, each once.
func (m *Model) Profiles() []string {
	var list []string
	for _, s := range m.staff {
		if !slices.Contains(list, s.profile) {
			list = append(list, s.profile)
		}
	}
	return list
}

// Location is the zone of the model's hours and days.
func (m *Model) Location() *time.Location { return m.location }
