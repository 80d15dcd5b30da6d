package plan

import (
	"fmt"
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Document is a plan as read: its text and what it says. It is immutable.
type Document struct {
	// Name is the file name given to Parse.
	Name string
	// Source is the text exactly as given: it is what gets journalled.
	Source string
	// TimeZone is the IANA name of the zone opening hours are in.
	TimeZone string
	// Skills lists the declared skills with their labels, in order of the text.
	Skills []routing.Code
	// Holidays lists the plan's special dates, in order.
	Holidays []string

	zone contact.Zone
	plan routing.Plan
	rota []duty // nil when the plan has none
	// queueAt is where each queue stands in the text.
	queueAt map[string]place
}

// QueueWarning makes a warning about a queue, at its place in the text, for checks
// that need more than the plan.
func (d *Document) QueueWarning(id routing.QueueID, code, format string, args ...any) Problem {
	at := d.queueAt[string(id)]
	return Problem{
		Severity: Warning, File: d.Name, Line: max(1, at.line), Column: max(1, at.column), Path: at.path, Code: code, Message: fmt.Sprintf(format, args...),
	}
}

// Unstaffed warns of queues whose calls never come within reach of a handler of one
// of the profiles given: those of the people who may sign on.
func (d *Document) Unstaffed(profiles []string) Problems {
	b := &builder{doc: d}
	var out Problems
	for _, q := range d.plan.Queues {
		able := b.reaches(q, "", nil, b.takesCalls)
		if able && !b.reaches(q, "", nil, func(p routing.Profile) bool { return b.takesCalls(p) && slices.Contains(profiles, p.Name) }) {
			out = append(out, d.QueueWarning(q.ID, "no_user_serves", "no user has a profile that can take calls of this queue, whatever its steps"))
		}
	}
	return out
}

// Zone is the zone the plan's opening hours are in.
func (d *Document) Zone() contact.Zone { return d.zone }

// Plan returns the compiled plan under a version number. The lists and
// functions in it are shared and must not be changed.
func (d *Document) Plan(version int) *routing.Plan {
	p := d.plan
	p.Version, p.Skills = version, d.Skills
	return &p
}

// Parse reads a plan and reports all that is wrong with it. The document is nil
// when any problem is an error. name is used in the problems only.
func Parse(name string, src []byte) (*Document, Problems) {
	b := newBuilder(name, src)
	b.read(src)
	problems := b.r.problems.sorted()
	if problems.HasErrors() {
		return nil, problems
	}
	return b.doc, problems
}

// Compile is Parse followed by Plan.
func Compile(name string, version int, src []byte) (*routing.Plan, Problems) {
	doc, problems := Parse(name, src)
	if doc == nil {
		return nil, problems
	}
	return doc.Plan(version), problems
}

// Load compiles a published plan again from its journalled source. Warnings are
// ignored; the error is Problems.
func Load(version int, source string) (*routing.Plan, error) {
	p, problems := Compile(fmt.Sprintf("plan version %d", version), version, []byte(source))
	return p, problems.Err()
}

// Zone tells the time zone of a plan's opening hours, from its source.
func Zone(source string) (contact.Zone, error) {
	doc, problems := Parse("plan", []byte(source))
	if doc == nil {
		return contact.Zone{}, problems.Err()
	}
	return doc.zone, nil
}
