package ivr

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"example.org/c3i/contact"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A flow or prompt file has a few kilobytes. The bounds keep the YAML parser,
// whose time grows with the square of some inputs, to a few seconds at worst.
const (
	maxSource = 128 << 10
	maxLines  = 5000
)

// reader turns a YAML tree into values and notes each problem with its place.
type reader struct {
	file     string
	problems Problems
}

// place is a line and column, both from 1.
type place struct{ line, column int }

// field is one entry of a mapping.
type field struct {
	name  string
	at    place
	value ast.Node
}

func (r *reader) report(at place, code, suggestion, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: max(at.line, 1), Column: max(at.column, 1),
		Code: code, Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	})
}

// parse gives the one document's top mapping, or ok false after reporting why
// not.
func (r *reader) parse(src []byte) (top ast.Node, ok bool) {
	if len(src) > maxSource {
		r.report(place{}, "too_large", "", "the file has %d bytes; at most %d are read", len(src), maxSource)
		return nil, false
	}
	if lines := bytes.Count(src, []byte("\n")); lines > maxLines {
		r.report(place{}, "too_large", "", "the file has %d lines; at most %d are read", lines, maxLines)
		return nil, false
	}
	defer func() {
		// The parser's own bugs must not take the process down with a typo.
		if p := recover(); p != nil {
			r.report(place{}, "malformed", "", "the file cannot be read as YAML: %v", p)
			top, ok = nil, false
		}
	}()
	f, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := place{}, err.Error()
		var located yaml.Error
		if errors.As(err, &located) {
			message = located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				at = place{t.Position.Line, t.Position.Column}
			}
		}
		r.report(at, "malformed", "check the indentation and put quotes around * and #", "the file cannot be read as YAML: %s", message)
		return nil, false
	}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d != nil && d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0:
		r.report(place{}, "empty", "", "the file is empty")
		return nil, false
	case 1:
		return bodies[0], true
	}
	r.report(placeOf(bodies[1]), "malformed", "remove the line ---", "the file holds more than one document")
	return nil, false
}

func placeOf(n ast.Node) place {
	if m, is := n.(*ast.MappingNode); is && len(m.Values) > 0 && !m.IsFlowStyle {
		return placeOf(m.Values[0].Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

// fields reads a mapping, reporting keys that come twice. What names the thing
// for the message.
func (r *reader) fields(n ast.Node, what string) ([]field, bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.report(placeOf(n), "wrong_type", "", "%s must be a list of \"name: value\" lines, not %s", what, kindOf(n))
		return nil, false
	}
	var out []field
	seen := map[string]place{}
	for _, v := range values {
		at := placeOf(v.Key)
		name, ok := scalar(v.Key)
		if !ok {
			r.report(at, "malformed", "write the name in full", "%s has a name that is not plain text", what)
			continue
		}
		if first, twice := seen[name]; twice {
			r.report(at, "duplicate", "", "%q is already given on line %d", name, first.line)
			continue
		}
		seen[name] = at
		out = append(out, field{name, at, v.Value})
	}
	return out, true
}

// known reports each field whose name is not allowed.
func (r *reader) known(fs []field, what string, allowed []string) {
	for _, f := range fs {
		if !contains(allowed, f.name) {
			r.report(f.at, "unknown_field", suggest(f.name, allowed), "%s has no field %q", what, f.name)
		}
	}
}

func find(fs []field, name string) (field, bool) {
	for _, f := range fs {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func isNull(n ast.Node) bool {
	_, is := n.(*ast.NullNode)
	return n == nil || is
}

// scalar gives the text of a plain value as written.
func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return strings.TrimSpace(n.GetToken().Value), true
	}
	return "", false
}

func (r *reader) text(f field) string {
	s, ok := scalar(f.value)
	if ok && strings.TrimSpace(s) == "" {
		r.report(valuePlace(f), "wrong_type", "", "%q must not be empty", f.name)
		return ""
	}
	if !ok {
		r.report(valuePlace(f), "wrong_type", "", "%q must be text, not %s", f.name, kindOf(f.value))
		return ""
	}
	return strings.TrimSpace(s)
}

func (r *reader) number(f field, least, most int) int {
	s, _ := scalar(f.value)
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		r.report(valuePlace(f), "out_of_range", "", "%q must be a whole number from %d to %d", f.name, least, most)
		return least
	}
	return n
}

func (r *reader) truth(f field) bool {
	s, _ := scalar(f.value)
	if s != "true" && s != "false" {
		r.report(valuePlace(f), "wrong_type", "", "%q must be true or false", f.name)
	}
	return s == "true"
}

func (r *reader) span(f field, least, most contact.Duration) contact.Duration {
	s, ok := scalar(f.value)
	if !ok {
		s = ""
	}
	d, err := contact.ParseDuration(s)
	switch {
	case err != nil:
		r.report(valuePlace(f), "wrong_type", "", "%q: %v", f.name, err)
	case d < least || d > most:
		r.report(valuePlace(f), "out_of_range", "", "%q must be from %s to %s", f.name, least, most)
	default:
		return d
	}
	return least
}

// key reads one key of a telephone; allowed lists which.
func (r *reader) key(name string, at place, allowed string) (byte, bool) {
	if len(name) != 1 || !strings.Contains(allowed, name) {
		r.report(at, "bad_key", "", "%q is not a key: use one of %s", name, strings.Join(strings.Split(allowed, ""), " "))
		return 0, false
	}
	return name[0], true
}

func valuePlace(f field) place {
	if isNull(f.value) {
		return f.at
	}
	return placeOf(f.value)
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AliasNode, *ast.AnchorNode, *ast.MergeKeyNode:
		return "a YAML anchor or alias (these are not used here)"
	case *ast.TagNode:
		return "a YAML tag (these are not used here)"
	}
	return "a single value"
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
