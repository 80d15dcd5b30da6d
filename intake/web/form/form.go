package form

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is how a field is asked.
type Kind string

// Kinds of field.
const (
	Radios     Kind = "radios"
	Checkboxes Kind = "checkboxes"
	Text       Kind = "text"
	Area       Kind = "area"
	Date       Kind = "date" // day, month and year in three boxes
	Time       Kind = "time" // 24 hours, as in 17:30
	Phone      Kind = "phone"
	Email      Kind = "email"
	Postcode   Kind = "postcode"
	Money      Kind = "money" // pounds, kept in pence
	Name       Kind = "name"
	Plate      Kind = "plate" // a vehicle's registration mark
	Files      Kind = "files"
)

// kinds is every kind, and whether its value is one of its options.
var kinds = map[Kind]bool{
	Radios: true, Checkboxes: true, Text: false, Area: false, Date: false, Time: false, Phone: false,
	Email: false, Postcode: false, Money: false, Name: false, Plate: false, Files: false,
}

// Check is where every way through the form ends that does not stop: the page
// that shows all answers.
const Check = "check"

// Field is one thing that is asked.
type Field struct {
	Name     string
	Kind     Kind
	Optional bool
	// Options are the choices of radios and checkboxes, in order. None is the one
	// of the checkboxes that excludes the others.
	Options []string
	None    string
	// Most bounds the answer in characters.
	Most int
	// Autocomplete is the HTML attribute of that name (WCAG 1.3.5).
	Autocomplete string
	// Past refuses days that have not come yet; Born those no living person was
	// born on.
	Past, Born bool
}

// Rule leads from one page to another when each field of When holds one of the
// values listed.
type Rule struct {
	When map[string][]string
	Go   string
}

// Step is one page.
type Step struct {
	ID     string
	Fields []*Field
	Next   []Rule
	// Stop ends the form here without a report: "emergency" or "harm".
	Stop string
	// List names the list an answer of this page is one entry of. More names the
	// list this page shows, with a way back to add to it.
	List, More string
	// OneOf lists fields of which at least one is needed.
	OneOf []string
	// Span tells that the page asks from when to when.
	Span bool
	// Why tells that the page says why the question is asked.
	Why bool
}

// Form is the whole graph. It does not change once loaded.
type Form struct {
	Start string
	Steps []*Step
	// Most bounds the entries of a list.
	Most int

	byID   map[string]*Step
	fields map[string]*Field
}

// Step is the page with an id, nil if there is none.
func (f *Form) Step(id string) *Step { return f.byID[id] }

// Field is the field with a name, nil if there is none.
func (f *Form) Field(name string) *Field { return f.fields[name] }

// Answers are what was answered, by field; entries of a list are
// LIST.N.FIELD. Checkboxes are joined by commas.
type Answers map[string]string

// Has tells whether a field holds a value, among others for checkboxes.
func (a Answers) Has(field, value string) bool {
	return slices.Contains(strings.Split(a[field], ","), value)
}

// Clone copies a.
func (a Answers) Clone() Answers { return maps.Clone(a) }

// entryKey is the key of a list entry's field.
func entryKey(list string, n int, field string) string {
	return list + "." + strconv.Itoa(n) + "." + field
}

// Count is how many entries a list has: they are numbered from nought without gaps.
func (a Answers) Count(list string) int {
	n := 0
	for key := range a {
		rest, ok := strings.CutPrefix(key, list+".")
		if !ok {
			continue
		}
		i, _, _ := strings.Cut(rest, ".")
		if v, err := strconv.Atoi(i); err == nil {
			n = max(n, v+1)
		}
	}
	return n
}

// Entry is one entry of a list, by field.
func (a Answers) Entry(list string, n int) Answers {
	out := Answers{}
	prefix := list + "." + strconv.Itoa(n) + "."
	for key, v := range a {
		if field, ok := strings.CutPrefix(key, prefix); ok {
			out[field] = v
		}
	}
	return out
}

// SetEntry replaces one entry of a list, or adds it at the end.
func (a Answers) SetEntry(list string, n int, entry Answers) {
	n = min(max(n, 0), a.Count(list))
	prefix := list + "." + strconv.Itoa(n) + "."
	maps.DeleteFunc(a, func(k, _ string) bool { return strings.HasPrefix(k, prefix) })
	a[entryKey(list, n, "")] = "entry" // an entry without answers counts too
	for field, v := range entry {
		if field != "" {
			a[entryKey(list, n, field)] = v
		}
	}
}

// DropEntry removes one entry of a list and closes the gap.
func (a Answers) DropEntry(list string, n int) {
	count := a.Count(list)
	if n < 0 || n >= count {
		return
	}
	var keep []Answers
	for i := range count {
		if i != n {
			keep = append(keep, a.Entry(list, i))
		}
	}
	maps.DeleteFunc(a, func(k, _ string) bool { return strings.HasPrefix(k, list+".") })
	for i, e := range keep {
		a.SetEntry(list, i, e)
	}
}

// Follow is the page after s, given the answers. The last rule always matches.
func (s *Step) Follow(a Answers) string {
	for _, r := range s.Next {
		if r.holds(a) {
			return r.Go
		}
	}
	return ""
}

func (r Rule) holds(a Answers) bool {
	for field, values := range r.When {
		if !slices.ContainsFunc(values, func(v string) bool { return a.Has(field, v) }) {
			return false
		}
	}
	return true
}

// Path is the pages from the start, as far as they were answered: each page but
// the last was, and the last is the one to answer next, a stop, or Check. done
// tells whether a page was answered.
func (f *Form) Path(a Answers, done func(step string) bool) []string {
	var path []string
	for at := f.Start; ; {
		path = append(path, at)
		s := f.byID[at]
		if s == nil || s.Stop != "" || len(path) > len(f.Steps) {
			return path
		}
		if s.List != "" {
			if a.Count(s.List) == 0 {
				return path
			}
		} else if !done(at) {
			return path
		}
		at = s.Follow(a)
	}
}

// OnPath keeps of the answers those that belong to the pages of a path: what was
// answered on a way not taken in the end is no part of a report.
func (f *Form) OnPath(a Answers, path []string) Answers {
	keep := Answers{}
	for _, id := range path {
		s := f.byID[id]
		if s == nil {
			continue
		}
		if s.List != "" {
			for k, v := range a {
				if strings.HasPrefix(k, s.List+".") && !strings.HasSuffix(k, ".") {
					keep[k] = v
				}
			}
			continue
		}
		for _, field := range s.Fields {
			if v, ok := a[field.Name]; ok {
				keep[field.Name] = v
			}
		}
	}
	return keep
}
