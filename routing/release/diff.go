package release

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/diff"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

// Change is one difference between two plans.
type Change struct {
	// Kind is "added", "removed", "changed" or "moved".
	Kind string `json:"kind"`
	// What names the thing: "queue crime", "rule report a crime", "profile …",
	// "skill …", or a section such as "offer".
	What string `json:"what"`
	// Field is the key below it for "changed", for example "answer_within.phone".
	Field string `json:"field,omitempty"`
	// Was and Now are the values as text. For "moved" they are the places among
	// the rules both plans have, counted from 1; for "added" and "removed" what
	// it says.
	Was string `json:"was,omitempty"`
	Now string `json:"now,omitempty"`
}

// String says it in one line.
func (c Change) String() string {
	what := c.What
	if c.Field != "" {
		what += ": " + c.Field
	}
	switch c.Kind {
	case "added":
		return fmt.Sprintf("+ %s: %s", what, c.Now)
	case "removed":
		return fmt.Sprintf("- %s: %s", what, c.Was)
	case "moved":
		return fmt.Sprintf("~ %s: was tried at place %s, now at place %s", what, c.Was, c.Now)
	}
	return fmt.Sprintf("~ %s: %s → %s", what, orNone(c.Was), orNone(c.Now))
}

func orNone(s string) string {
	if s == "" {
		return "(not given)"
	}
	return s
}

// DiffText gives the texts' difference in the unified format, empty when equal.
func DiffText(nameA, a, nameB, b string) string {
	return string(diff.Diff(nameA, []byte(a), nameB, []byte(b)))
}

// singular names one thing of a section that is a mapping of things.
var singular = map[string]string{
	"queues": "queue", "profiles": "profile", "skills": "skill", "holidays": "holiday",
	"not_ready_reasons": "not-ready reason", "outcomes": "outcome",
}

// Diff compares two plans by what they say: comments, layout, the order of keys
// and how a length of time is written do not count; the order of rules does. It
// compares whatever the texts hold, in the order of the newer text; what only the
// older has follows. A text that plan.Parse does not take gives its Problems as
// the error.
func Diff(a, b string) ([]Change, error) {
	was, err := parse(a)
	if err != nil {
		return nil, err
	}
	now, err := parse(b)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, section := range keysOf(now, was) {
		x, y := was.get(section), now.get(section)
		list := isNamedList(x) || isNamedList(y)
		one, things := singular[section]
		switch {
		case list:
			out = append(out, diffRules(strings.TrimSuffix(section, "s"), x, y)...)
		case things && (isMap(x) || x == nil) && (isMap(y) || y == nil):
			out = append(out, diffThings(one, asMap(x), asMap(y))...)
		default:
			out = append(out, diffFields(section, "", x, y)...)
		}
	}
	return out, nil
}

// mapping is a YAML mapping in its order.
type mapping yaml.MapSlice

func parse(text string) (mapping, error) {
	if _, problems := plan.Parse("plan", []byte(text)); problems.HasErrors() {
		return nil, problems
	}
	var m yaml.MapSlice
	if err := yaml.UnmarshalWithOptions([]byte(text), &m, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("release: compare plans: %w", err)
	}
	return mapping(m), nil
}

func (m mapping) get(key string) any {
	for _, item := range m {
		if fmt.Sprint(item.Key) == key {
			if item.Value == nil {
				return ""
			}
			return deep(item.Value)
		}
	}
	return nil
}

func deep(v any) any {
	if m, is := v.(yaml.MapSlice); is {
		return mapping(m)
	}
	return v
}

func isMap(v any) bool { _, is := v.(mapping); return is }

func asMap(v any) mapping { m, _ := v.(mapping); return m }

// keysOf lists the keys of now, then those that only was has.
func keysOf(now, was mapping) []string {
	var keys []string
	seen := map[string]bool{}
	for _, m := range []mapping{now, was} {
		for _, item := range m {
			if k := fmt.Sprint(item.Key); !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	return keys
}

func diffThings(one string, was, now mapping) []Change {
	var out []Change
	for _, k := range keysOf(now, was) {
		x, y := was.get(k), now.get(k)
		what := one + " " + k
		switch {
		case x == nil:
			out = append(out, Change{Kind: "added", What: what, Now: text(y)})
		case y == nil:
			out = append(out, Change{Kind: "removed", What: what, Was: text(x)})
		default:
			out = append(out, diffFields(what, "", x, y)...)
		}
	}
	return out
}

// diffFields compares two values key by key.
func diffFields(what, field string, x, y any) []Change {
	if (isMap(x) || x == nil) && (isMap(y) || y == nil) && (x != nil || y != nil) {
		var out []Change
		for _, k := range keysOf(asMap(y), asMap(x)) {
			below := k
			if field != "" {
				below = field + "." + k
			}
			out = append(out, diffFields(what, below, asMap(x).get(k), asMap(y).get(k))...)
		}
		return out
	}
	if same(x, y) {
		return nil
	}
	return []Change{{Kind: "changed", What: what, Field: field, Was: text(x), Now: text(y)}}
}

// same takes equal lengths of time and numbers to be equal however written.
func same(x, y any) bool {
	a, b := text(x), text(y)
	if a == b {
		return (x == nil) == (y == nil)
	}
	d, err := contact.ParseDuration(a)
	if err != nil {
		return false
	}
	e, err := contact.ParseDuration(b)
	return err == nil && d == e
}

func isNamedList(v any) bool {
	list, is := v.([]any)
	if !is || len(list) == 0 {
		return false
	}
	for _, item := range list {
		if m, is := deep(item).(mapping); !is || m.get("name") == nil {
			return false
		}
	}
	return true
}

type rules struct {
	names []string
	by    map[string]mapping
}

func rulesOf(v any) rules {
	r := rules{by: map[string]mapping{}}
	list, _ := v.([]any)
	for _, item := range list {
		m := asMap(deep(item))
		name := text(m.get("name"))
		r.names = append(r.names, name)
		r.by[name] = m
	}
	return r
}

// diffRules compares rules by name, and the order of those that both have.
func diffRules(one string, x, y any) []Change {
	was, now := rulesOf(x), rulesOf(y)
	var out []Change
	var kept []string
	for i, name := range now.names {
		old, had := was.by[name]
		if !had {
			out = append(out, Change{Kind: "added", What: one + " " + name, Now: fmt.Sprintf("at place %d, %s", i+1, text(without(now.by[name], "name")))})
			continue
		}
		kept = append(kept, name)
		out = append(out, diffFields(one+" "+name, "", old, now.by[name])...)
	}
	before := map[string]int{}
	for _, name := range was.names {
		if _, has := now.by[name]; has {
			before[name] = len(before) + 1
		} else {
			out = append(out, Change{Kind: "removed", What: one + " " + name, Was: text(without(was.by[name], "name"))})
		}
	}
	stay := inOrder(kept, before)
	for i, name := range kept {
		if !stay[name] {
			out = append(out, Change{Kind: "moved", What: one + " " + name, Was: fmt.Sprint(before[name]), Now: fmt.Sprint(i + 1)})
		}
	}
	return out
}

// inOrder picks a longest run of names that keep their order, so that as few as
// possible are said to have moved.
func inOrder(names []string, before map[string]int) map[string]bool {
	length, prev := make([]int, len(names)), make([]int, len(names))
	best := -1
	for i := range names {
		length[i], prev[i] = 1, -1
		for j := range i {
			if before[names[j]] < before[names[i]] && length[j]+1 > length[i] {
				length[i], prev[i] = length[j]+1, j
			}
		}
		if best < 0 || length[i] > length[best] {
			best = i
		}
	}
	stay := map[string]bool{}
	for i := best; i >= 0; i = prev[i] {
		stay[names[i]] = true
	}
	return stay
}

func without(m mapping, key string) mapping {
	var out mapping
	for _, item := range m {
		if fmt.Sprint(item.Key) != key {
			out = append(out, item)
		}
	}
	return out
}

// text writes a value in one line.
func text(v any) string {
	switch v := deep(v).(type) {
	case nil:
		return ""
	case mapping:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, fmt.Sprint(item.Key)+": "+text(item.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, text(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return strings.Join(strings.Fields(v), " ")
	default:
		return fmt.Sprint(v)
	}
}
