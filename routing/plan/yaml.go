package plan

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"example.org/c3i/contact"
)

// maxSource and maxDepth bound what a plan may cost to read: the YAML parser's
// time and stack grow with the depth of what is nested.
const (
	maxSource = 256 << 10
	maxDepth  = 64
)

// deepest overestimates how deep a text nests: brackets not yet closed, and
// dashes and colons that may each open a block on one line.
func deepest(src []byte) int {
	most, brackets, line := 0, 0, 0
	for i, c := range src {
		switch c {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(0, brackets-1)
		case '-', '?', ':':
			if i+1 < len(src) && (src[i+1] == ' ' || src[i+1] == '\t') {
				line++
			}
		case '\n':
			line = 0
		}
		most = max(most, brackets, line)
	}
	return most
}

// reader walks the YAML tree and collects problems, so that all of them are
// reported and not only the first.
type reader struct {
	file     string
	lines    []string
	problems Problems
	// watch, when set, is told the keys known at each mapping with fixed ones.
	watch func(path string, known []string)
}

// place is where a problem is.
type place struct {
	line, column int
	path         string
}

func (r *reader) add(s Severity, at place, code, suggestion, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		Severity: s, File: r.file, Line: max(1, at.line), Column: max(1, at.column), Path: at.path,
		Code: code, Message: fmt.Sprintf(format, args...), Suggestion: suggestion,
	})
}

func (r *reader) errorf(at place, code, format string, args ...any) {
	r.add(Error, at, code, "", format, args...)
}

func (r *reader) warnf(at place, code, format string, args ...any) {
	r.add(Warning, at, code, "", format, args...)
}

// unknown reports a name that is not one of the known ones.
func (r *reader) unknown(at place, code, what, name string, known []string) {
	suggestion := nearest(name, known)
	list := ""
	if suggestion == "" && len(known) > 0 && len(known) <= 16 {
		list = ": it is one of " + strings.Join(known, ", ")
	}
	r.add(Error, at, code, suggestion, "%s %q is not known%s", what, name, list)
}

// value is one YAML value and where it stands.
type value struct {
	node ast.Node
	at   place
}

// entry is one key of a mapping and its value.
type entry struct {
	key   string
	keyAt place
	value value
}

func position(tok *token.Token) (line, column int) {
	if tok == nil || tok.Position == nil {
		return 1, 1
	}
	return tok.Position.Line, tok.Position.Column
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// root parses the source. It reports false when there is no mapping to read.
func (r *reader) root(src []byte) (root value, ok bool) {
	at := place{line: 1, column: 1}
	if len(src) > maxSource {
		r.errorf(at, "too_large", "the plan is %d bytes: at most %d are read", len(src), maxSource)
		return value{}, false
	}
	if deepest(src) > maxDepth {
		r.errorf(at, "too_deep", "lists or keys are nested more than %d deep: no plan needs that", maxDepth)
		return value{}, false
	}
	file, err := parseYAML(src)
	if err != nil {
		message := err.Error()
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) {
			at.line, at.column = position(syntax.Token)
			message = syntax.Message
		}
		r.errorf(at, "malformed_yaml", "this is not YAML: %s", message)
		return value{}, false
	}
	docs := file.Docs[:0:0]
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	if len(docs) == 0 {
		r.errorf(at, "empty", "the plan is empty")
		return value{}, false
	}
	if len(docs) > 1 {
		at.line, at.column = position(docs[1].Body.GetToken())
		r.errorf(at, "several_documents", "a plan is one YAML document: nothing may follow a second ---")
	}
	root = value{node: docs[0].Body}
	root.at.line, root.at.column = start(docs[0].Body)
	return root, true
}

// parseYAML shields against panics of the parser, for the text is a person's.
func parseYAML(src []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("it cannot be read (%v)", p)
		}
	}()
	return parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
}

// start is where a value begins. A block mapping's own token is its first colon.
func start(n ast.Node) (line, column int) {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return position(v.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return position(v.Key.GetToken())
	}
	return position(n.GetToken())
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// entries reads a mapping in order. Duplicate keys, anchors, merges and complex
// keys are errors: a plan says each thing once and says it where it stands.
func (r *reader) entries(v value) ([]entry, bool) {
	var pairs []*ast.MappingValueNode
	switch n := v.node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.errorf(v.at, "wrong_type", "expected keys and values, found %s", describe(v.node))
		return nil, false
	}
	seen := map[string]place{}
	list := make([]entry, 0, len(pairs))
	for _, p := range pairs {
		line, column := position(p.Key.GetToken())
		at := place{line, column, v.at.path}
		switch p.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode, *ast.NullNode:
		default:
			r.errorf(at, "unsupported_yaml", "merge keys, anchors and complex keys are not used in plans: write the value out")
			continue
		}
		key := p.Key.GetToken().Value
		at.path = under(v.at.path, key)
		if first, again := seen[key]; again {
			r.errorf(at, "duplicate_key", "%q is given twice, first on line %d", key, first.line)
			continue
		}
		seen[key] = at
		e := entry{key: key, keyAt: at, value: value{node: p.Value, at: at}}
		if p.Value == nil {
			r.errorf(at, "missing_value", "%q has no value", key)
			continue
		}
		if n, null := p.Value.(*ast.NullNode); !null || n.GetToken().Value != "" {
			e.value.at.line, e.value.at.column = start(p.Value)
		}
		list = append(list, e)
	}
	return list, true
}

// fields reads a mapping whose keys are fixed, and reports those it does not know.
func (r *reader) fields(v value, known ...string) map[string]entry {
	if r.watch != nil {
		r.watch(v.at.path, known)
	}
	list, _ := r.entries(v)
	m := make(map[string]entry, len(list))
	for _, e := range list {
		if !contains(known, e.key) {
			r.unknown(e.keyAt, "unknown_key", "key", e.key, known)
			continue
		}
		m[e.key] = e
	}
	return m
}

func contains(list []string, s string) bool {
	for _, k := range list {
		if k == s {
			return true
		}
	}
	return false
}

// items reads a list.
func (r *reader) items(v value) []value {
	seq, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.errorf(v.at, "wrong_type", "expected a list, found %s", describe(v.node))
		return nil
	}
	list := make([]value, 0, len(seq.Values))
	for i, n := range seq.Values {
		it := value{node: n, at: place{v.at.line, v.at.column, fmt.Sprintf("%s[%d]", v.at.path, i)}}
		if n == nil {
			r.errorf(it.at, "missing_value", "this item has no value")
			continue
		}
		it.at.line, it.at.column = start(n)
		list = append(list, it)
	}
	return list
}

// text reads words; a number or a truth value is refused because YAML would
// have changed it ("no", "0101").
func (r *reader) text(v value) (string, bool) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	r.errorf(v.at, "wrong_type", "expected text, found %s: put it in quotes if text is meant", describe(v.node))
	return "", false
}

// label reads text that must say something, on one line.
func (r *reader) label(v value) string {
	s, ok := r.text(v)
	if ok && (strings.TrimSpace(s) == "" || strings.ContainsAny(strings.TrimSpace(s), "\r\n")) {
		r.errorf(v.at, "empty_text", "this must be words people can read, on one line")
	}
	return strings.TrimSpace(s)
}

func (r *reader) truth(v value) bool {
	if n, ok := v.node.(*ast.BoolNode); ok {
		return n.Value
	}
	r.errorf(v.at, "wrong_type", "expected true or false, found %s", describe(v.node))
	return false
}

// whole reads a decimal whole number within bounds.
func (r *reader) whole(v value, least, most int, what string) (int, bool) {
	n, ok := v.node.(*ast.IntegerNode)
	if ok {
		i, err := strconv.Atoi(n.GetToken().Value)
		if err == nil && i >= least && i <= most {
			return i, true
		}
	}
	found := describe(v.node)
	if ok {
		found = n.GetToken().Value
	}
	r.errorf(v.at, "out_of_range", "%s must be a whole number from %d to %d, found %s", what, least, most, found)
	return 0, false
}

// span reads a length of time within bounds.
func (r *reader) span(v value, least, most contact.Duration) contact.Duration {
	s, ok := v.node.(*ast.StringNode)
	if !ok {
		if n, zero := v.node.(*ast.IntegerNode); zero && n.GetToken().Value == "0" && least == 0 {
			return 0
		}
		r.errorf(v.at, "bad_duration", "expected a length of time such as 30s, 5m, 4h or 2d, found %s", describe(v.node))
		return least
	}
	d, err := contact.ParseDuration(s.Value)
	if err != nil {
		r.errorf(v.at, "bad_duration", "%s", err)
		return least
	}
	if d < least || d > most {
		r.errorf(v.at, "out_of_range", "%s is outside %s to %s", s.Value, brief(least), brief(most))
		return least
	}
	return d
}

// brief writes a length of time without its zero parts: 24h, not 24h0m0s.
func brief(d contact.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func describe(n ast.Node) string {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.StringNode:
		return "text " + strconv.Quote(clip(v.Value))
	case *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + clip(v.GetToken().Value)
	case *ast.BoolNode:
		return v.GetToken().Value
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which plans do not use"
	case *ast.TagNode:
		return "a tag, which plans do not use"
	}
	return "something else"
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
