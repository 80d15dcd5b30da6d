package plan

import (
	"fmt"

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
