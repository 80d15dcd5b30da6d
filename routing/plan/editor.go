package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// editor cuts and splices a text at the places its tree tells. It may be wrong
// about odd YAML: who uses it proves the result.
type editor struct {
	src    string
	root   ast.Node
	lines  []string
	starts []int // offset of each line
	cuts   []cut
}

// cut replaces src[from:to].
type cut struct {
	from, to int
	with     string
}

func newEditor(src string, root ast.Node) *editor {
	e := &editor{src: src, root: root, lines: strings.Split(src, "\n")}
	at := 0
	for _, l := range e.lines {
		e.starts = append(e.starts, at)
		at += len(l) + 1
	}
	return e
}

func (e *editor) splice(from, to int, with string) { e.cuts = append(e.cuts, cut{from, to, with}) }

// text is the source with its cuts made.
func (e *editor) text() string {
	slices.SortStableFunc(e.cuts, func(a, b cut) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, c := range e.cuts {
		if c.from < at || c.to < c.from || c.to > len(e.src) {
			return "" // is no plan: the proof fails
		}
		b.WriteString(e.src[at:c.from])
		b.WriteString(c.with)
		at = c.to
	}
	b.WriteString(e.src[at:])
	return b.String()
}

func unclear() error {
	return editError(EditUnclear, nil, "the text is written in a way that cannot be edited here: edit it by hand")
}

// spot is one value and where it hangs.
type spot struct {
	node   ast.Node
	pair   *ast.MappingValueNode // the key's, nil for an item and the root
	seq    *ast.SequenceNode     // the item's list, nil for a key
	index  int
	parent ast.Node // mapping or list, nil for the root
	flow   bool     // the parent is written in brackets
}

func pairsOf(n ast.Node) (pairs []*ast.MappingValueNode, flow bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, n.IsFlowStyle
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, n.IsFlowStyle
	}
	return nil, false
}

func (e *editor) find(path []string) (spot, error) {
	s := spot{node: e.root}
	inFlow := false
	for _, key := range path {
		switch n := s.node.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			pairs, flow := pairsOf(n)
			i := slices.IndexFunc(pairs, func(p *ast.MappingValueNode) bool { return p.Key.GetToken().Value == key })
			if i < 0 {
				return s, unclear()
			}
			inFlow = inFlow || flow
			s = spot{node: pairs[i].Value, pair: pairs[i], index: i, parent: n, flow: inFlow}
		case *ast.SequenceNode:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(n.Values) {
				return s, unclear()
			}
			inFlow = inFlow || n.IsFlowStyle
			s = spot{node: n.Values[i], seq: n, index: i, parent: n, flow: inFlow}
		default:
			return s, unclear()
		}
	}
	return s, nil
}

// offset finds a character of a line in the text.
func (e *editor) offset(line, column int) int {
	if line < 1 || line > len(e.lines) {
		return len(e.src)
	}
	text := e.lines[line-1]
	at := 0
	for range column - 1 {
		if at >= len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return e.starts[line-1] + at
}

func (e *editor) lineOf(offset int) int {
	i, found := slices.BinarySearch(e.starts, offset)
	if found {
		return i + 1
	}
	return i
}

func (e *editor) endOfLine(line int) int {
	return e.starts[line-1] + len(strings.TrimSuffix(e.lines[line-1], "\r"))
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// content tells whether a line holds more than space and a comment.
func content(line string) bool {
	t := strings.TrimSpace(line)
	return t != "" && !strings.HasPrefix(t, "#")
}

// lastLine is the last line of what begins on a line at an indent: those that
// follow deeper in, and the items of a list that is its value at the same indent.
func (e *editor) lastLine(line, indent int, listBelow bool) int {
	last := line
	for l := line + 1; l <= len(e.lines); l++ {
		text := e.lines[l-1]
		if !content(text) {
			continue
		}
		in := indentOf(text)
		dash := strings.HasPrefix(text[in:], "-")
		if in > indent || listBelow && in == indent && dash {
			last = l
			continue
		}
		break
	}
	return last
}

// headLine is the first of the comment lines directly above a line, at its indent.
// A comment that begins the text belongs to the text.
func (e *editor) headLine(line, indent int) int {
	first := line
	for first > 1 {
		above := e.lines[first-2]
		if !strings.HasPrefix(strings.TrimSpace(above), "#") || indentOf(above) != indent {
			break
		}
		first--
	}
	if first == 1 {
		return line
	}
	return first
}

// keyStart is where a pair's key stands.
func (e *editor) keyStart(p *ast.MappingValueNode) (line, at int) {
	l, c := position(p.Key.GetToken())
	return l, e.offset(l, c)
}

// keyEnd is where a pair's key ends, quotes included.
func (e *editor) keyEnd(p *ast.MappingValueNode) int {
	_, at := e.keyStart(p)
	return at + e.scalarLength(at, p.Key.GetToken())
}

// afterColon is where a pair's value may begin.
func (e *editor) afterColon(p *ast.MappingValueNode) int {
	end := e.keyEnd(p)
	colon := strings.IndexByte(e.src[end:], ':')
	if colon < 0 {
		return end
	}
	return end + colon + 1
}

// scalarLength is the length of a scalar that begins at an offset.
func (e *editor) scalarLength(at int, tok *token.Token) int {
	text := e.src[at:]
	switch {
	case strings.HasPrefix(text, `"`):
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	case strings.HasPrefix(text, "'"):
		for i := 1; i < len(text); i++ {
			if text[i] != '\'' {
				continue
			}
			if i+1 < len(text) && text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	case strings.HasPrefix(text, tok.Value):
		return len(tok.Value)
	}
	return 0
}

// bracketLength is the length of a flow collection that begins at an offset.
func (e *editor) bracketLength(at int) int {
	depth := 0
	for i := at; i < len(e.src); i++ {
		switch c := e.src[i]; c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1 - at
			}
		case '"', '\'':
			if strings.ContainsRune("{[,: \n", rune(e.src[i-1])) {
				i += max(0, e.scalarLength(i, &token.Token{})-1)
			}
		case '#':
			if e.src[i-1] == ' ' || e.src[i-1] == '\n' {
				if end := strings.IndexByte(e.src[i:], '\n'); end >= 0 {
					i += end
				}
			}
		}
	}
	return 0
}

// extent is where a value stands. block tells that it is written on lines of its
// own, indent then how far in; an empty value stands behind its colon or dash.
func (e *editor) extent(s spot) (from, to int, block bool, indent int) {
	switch n := s.node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		pairs, flow := pairsOf(n)
		if flow || len(pairs) == 0 {
			l, c := position(n.GetToken())
			from = e.offset(l, c)
			return from, from + e.bracketLength(from), false, 0
		}
		line, at := e.keyStart(pairs[0])
		indent = at - e.starts[line-1]
		last := pairs[len(pairs)-1]
		lastLine, _ := e.keyStart(last)
		_, isList := last.Value.(*ast.SequenceNode)
		return at, e.endOfLine(e.lastLine(lastLine, indent, isList)), true, indent
	case *ast.SequenceNode:
		l, c := position(n.Start)
		from = e.offset(l, c)
		if n.IsFlowStyle {
			return from, from + e.bracketLength(from), false, 0
		}
		indent = c - 1
		return from, e.endOfLine(e.lastLine(e.itemLine(n, len(n.Values)-1), indent, false)), true, indent
	case *ast.LiteralNode:
		l, c := position(n.Start)
		holder := indentOf(e.lines[l-1])
		return e.offset(l, c), e.endOfLine(e.lastLine(l, holder, false)), false, 0
	case *ast.NullNode:
		if n.GetToken().Value == "" || n.GetToken().Type == token.ImplicitNullType {
			if s.pair != nil {
				at := e.afterColon(s.pair)
				return at, at, false, 0
			}
			at := e.dash(s.seq, s.index) + 1
			return at, at, false, 0
		}
	}
	l, c := position(s.node.GetToken())
	from = e.offset(l, c)
	return from, from + e.scalarLength(from, s.node.GetToken()), false, 0
}

// dash is where the dash of an item of a block list stands.
func (e *editor) dash(n *ast.SequenceNode, i int) int {
	line := e.itemLine(n, i)
	_, c := position(n.Start)
	return e.starts[line-1] + c - 1
}

// itemLine is the line an item's dash stands on.
func (e *editor) itemLine(n *ast.SequenceNode, i int) int {
	_, c := position(n.Start)
	line, _ := start(n.Values[i])
	for l := line; l >= 1; l-- {
		text := e.lines[l-1]
		if len(text) >= c && text[c-1] == '-' && (strings.TrimSpace(text[:c-1]) == "" || l == line) {
			return l
		}
	}
	return line
}

// scalar writes a value on one line. In brackets more must be quoted.
func scalar(value any, flow bool) (string, bool) {
	b, err := marshal(value, false)
	if err != nil {
		return "", false
	}
	text := string(b)
	s, isText := value.(string)
	if isText && (strings.ContainsAny(text, "\n\r") || flow && text == s && strings.ContainsAny(s, ",[]{}:#")) {
		quoted, err := json.Marshal(s)
		return string(quoted), err == nil
	}
	return text, !strings.Contains(text, "\n")
}

func isCollection(value any) bool {
	switch value.(type) {
	case yaml.MapSlice, []any:
		return true
	}
	return false
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case yaml.MapSlice:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// inline writes any value on one line.
func inline(value any, flow bool) (string, bool) {
	switch v := value.(type) {
	case yaml.MapSlice:
		parts := make([]string, 0, len(v))
		for _, p := range v {
			key, okKey := scalar(keyText(p.Key), true)
			text, ok := inline(p.Value, true)
			if !ok || !okKey {
				return "", false
			}
			parts = append(parts, key+": "+text)
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	case []any:
		parts := make([]string, 0, len(v))
		for _, x := range v {
			text, ok := inline(x, true)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	}
	return scalar(value, flow)
}

// onLines writes a collection on lines of its own, the first line without its indent.
func onLines(value any, indent int) (string, bool) {
	b, err := marshal(value, false)
	if err != nil || len(b) == 0 {
		return "", false
	}
	lines := strings.Split(string(b), "\n")
	for i := range lines[1:] {
		if lines[i+1] != "" {
			lines[i+1] = strings.Repeat(" ", indent) + lines[i+1]
		}
	}
	return strings.Join(lines, "\n"), true
}

// widest is how long a line with a collection in brackets may get.
const widest = 100

func (e *editor) replace(path []string, value any) error {
	s, err := e.find(path)
	if err != nil {
		return err
	}
	from, to, block, indent := e.extent(s)
	if to < from || to == from && !e.empty(s) {
		return unclear()
	}
	if isCollection(value) && !isEmpty(value) && !s.flow && (block || e.empty(s)) {
		if !block {
			return e.below(s, value)
		}
		_, wasList := s.node.(*ast.SequenceNode)
		if _, isList := value.([]any); isList != wasList && s.pair != nil {
			line, _ := e.keyStart(s.pair)
			indent = indentOf(e.lines[line-1]) + 2
			from = e.starts[e.lineOf(from)-1]
			text, ok := onLines(value, indent)
			if !ok {
				return unclear()
			}
			e.splice(from, to, strings.Repeat(" ", indent)+text)
			return nil
		}
		text, ok := onLines(value, indent)
		if !ok {
			return unclear()
		}
		e.splice(from, to, text)
		return nil
	}
	text, ok := inline(value, s.flow)
	if !ok {
		return unclear()
	}
	if isCollection(value) && !isEmpty(value) && !s.flow && len(text) > widest {
		e.splice(from, to, "")
		return e.below(s, value)
	}
	switch {
	case from == to:
		e.splice(from, to, " "+text)
	case block && s.pair != nil:
		// The lines go, and the value stands behind the colon.
		line := e.lineOf(from)
		after := e.afterColon(s.pair)
		e.splice(after, after, " "+text)
		e.splice(e.starts[line-1], min(to+1, len(e.src)), "")
	default:
		e.splice(from, to, text)
	}
	return nil
}

// empty tells whether nothing, {} or [] stands there.
func (e *editor) empty(s spot) bool {
	switch n := s.node.(type) {
	case *ast.NullNode:
		return n.GetToken().Value == "" || n.GetToken().Type == token.ImplicitNullType
	case *ast.SequenceNode:
		return len(n.Values) == 0
	case *ast.MappingNode:
		return len(n.Values) == 0
	}
	return false
}

// below puts a collection on the lines below its key.
func (e *editor) below(s spot, value any) error {
	if s.pair == nil {
		return unclear()
	}
	line, at := e.keyStart(s.pair)
	indent := at - e.starts[line-1] + 2
	text, ok := onLines(value, indent)
	if !ok {
		return unclear()
	}
	from, to, _, _ := e.extent(s)
	if len(e.cuts) == 0 && to > from {
		e.splice(from, to, "")
	}
	// The space that stood before the value goes with it, unless a comment follows.
	end := e.endOfLine(e.lineOf(to))
	if strings.TrimSpace(e.src[to:end]) == "" && to > from && e.src[from-1] == ' ' {
		e.cuts = nil
		e.splice(from-1, to, "")
	}
	e.splice(end, end, "\n"+strings.Repeat(" ", indent)+text)
	return nil
}

func (e *editor) add(path []string, value any) error {
	last := len(path) - 1
	parent, err := e.find(path[:last])
	if err != nil {
		return err
	}
	pair := yaml.MapSlice{{Key: path[last], Value: value}}
	pairs, flow := pairsOf(parent.node)
	if len(pairs) == 0 {
		if parent.flow || parent.pair == nil {
			from, to, _, _ := e.extent(parent)
			text, ok := inline(pair, true)
			if !ok || to <= from {
				return unclear()
			}
			e.splice(from, to, text)
			return nil
		}
		return e.replace(path[:last], pair)
	}
	if flow || parent.flow {
		text, ok := inline(pair, true)
		if !ok {
			return unclear()
		}
		n := pairs[len(pairs)-1]
		_, end, _, _ := e.extent(spot{node: n.Value, pair: n})
		e.splice(end, end, ", "+text[1:len(text)-1])
		return nil
	}
	_, to, _, indent := e.extent(parent)
	text, ok := e.pairText(pairs, pair, indent)
	if !ok {
		return unclear()
	}
	e.splice(to, to, "\n"+strings.Repeat(" ", indent)+text)
	return nil
}

// pairText writes a new pair like its siblings: in brackets where theirs are.
func (e *editor) pairText(siblings []*ast.MappingValueNode, pair yaml.MapSlice, indent int) (string, bool) {
	value := pair[0].Value
	if isCollection(value) && !isEmpty(value) {
		bracketed := false
		for _, p := range siblings {
			_, flow := pairsOf(p.Value)
			seq, isList := p.Value.(*ast.SequenceNode)
			bracketed = bracketed || flow || isList && seq.IsFlowStyle
		}
		if text, ok := inline(value, true); bracketed && ok && len(text) < widest {
			key, okKey := scalar(keyText(pair[0].Key), false)
			return key + ": " + text, okKey
		}
		return onLines(pair, indent)
	}
	key, okKey := scalar(keyText(pair[0].Key), false)
	text, ok := inline(value, false)
	return key + ": " + text, ok && okKey
}

func (e *editor) remove(path []string) error {
	s, err := e.find(path)
	if err != nil {
		return err
	}
	if s.seq != nil {
		return e.removeItem(path, s)
	}
	pairs, flow := pairsOf(s.parent)
	if len(pairs) == 1 {
		if len(path) == 1 {
			return unclear()
		}
		return e.replace(path[:len(path)-1], yaml.MapSlice{})
	}
	if flow {
		return e.removeFlow(len(pairs), s.index, func(i int) (int, int) {
			_, from := e.keyStart(pairs[i])
			_, to, _, _ := e.extent(spot{node: pairs[i].Value, pair: pairs[i]})
			return from, to
		})
	}
	line, at := e.keyStart(s.pair)
	indent := at - e.starts[line-1]
	if s.index == 0 && indent != indentOf(e.lines[line-1]) {
		// Behind a dash: the next key takes its place.
		_, next := e.keyStart(pairs[1])
		e.splice(at, next, "")
		return nil
	}
	_, isList := s.node.(*ast.SequenceNode)
	e.removeLines(e.headLine(line, indent), e.lastLine(line, indent, isList))
	return nil
}

func (e *editor) removeLines(first, last int) {
	from, to := e.starts[first-1], len(e.src)
	if last < len(e.lines) {
		to = e.starts[last]
	} else if from > 0 {
		from--
	}
	e.splice(from, to, "")
}

func (e *editor) removeFlow(n, i int, at func(int) (int, int)) error {
	from, to := at(i)
	if i > 0 {
		_, from = at(i - 1)
	} else if n > 1 {
		to, _ = at(1)
	}
	e.splice(from, to, "")
	return nil
}

func (e *editor) itemExtent(n *ast.SequenceNode, i int) (int, int) {
	from, to, _, _ := e.extent(spot{node: n.Values[i], seq: n, index: i})
	return from, to
}

func (e *editor) removeItem(path []string, s spot) error {
	if len(s.seq.Values) == 1 {
		return e.replace(path[:len(path)-1], []any{})
	}
	if s.seq.IsFlowStyle {
		return e.removeFlow(len(s.seq.Values), s.index, func(i int) (int, int) { return e.itemExtent(s.seq, i) })
	}
	first, last := e.itemLines(s.seq, s.index)
	e.removeLines(first, last)
	return nil
}

// itemLines are the lines of an item of a block list, its comments included.
func (e *editor) itemLines(n *ast.SequenceNode, i int) (first, last int) {
	line := e.itemLine(n, i)
	_, c := position(n.Start)
	return e.headLine(line, c-1), e.lastLine(line, c-1, false)
}

func (e *editor) insert(path []string, i, n int, value any) error {
	s, err := e.find(path)
	if err != nil {
		return err
	}
	seq, is := s.node.(*ast.SequenceNode)
	if !is {
		return unclear()
	}
	if n == 0 {
		return e.replace(path, []any{value})
	}
	if seq.IsFlowStyle {
		text, ok := inline(value, true)
		if !ok {
			return unclear()
		}
		if i < n {
			from, _ := e.itemExtent(seq, i)
			e.splice(from, from, text+", ")
		} else {
			_, to := e.itemExtent(seq, n-1)
			e.splice(to, to, ", "+text)
		}
		return nil
	}
	_, c := position(seq.Start)
	pad := strings.Repeat(" ", c-1)
	text, ok := e.itemText(seq, value, c+1)
	if !ok {
		return unclear()
	}
	if i < n {
		first, _ := e.itemLines(seq, i)
		at := e.starts[first-1]
		e.splice(at, at, pad+"- "+text+"\n")
		return nil
	}
	_, last := e.itemLines(seq, n-1)
	at := e.endOfLine(last)
	e.splice(at, at, "\n"+pad+"- "+text)
	return nil
}

// itemText writes a new item like the others: in brackets where they are.
func (e *editor) itemText(seq *ast.SequenceNode, value any, indent int) (string, bool) {
	_, bracketed := pairsOf(seq.Values[0])
	text, ok := inline(value, bracketed)
	if !isCollection(value) || isEmpty(value) || bracketed && len(text) < widest {
		return text, ok
	}
	return onLines(value, indent)
}

func (e *editor) move(path []string, from, to int) error {
	s, err := e.find(path)
	if err != nil {
		return err
	}
	seq, is := s.node.(*ast.SequenceNode)
	if !is {
		return unclear()
	}
	type slot struct{ from, to int }
	slots := make([]slot, len(seq.Values))
	for i := range seq.Values {
		if seq.IsFlowStyle {
			slots[i].from, slots[i].to = e.itemExtent(seq, i)
			continue
		}
		first, last := e.itemLines(seq, i)
		slots[i] = slot{e.starts[first-1], e.endOfLine(last)}
	}
	order := make([]int, len(slots))
	for i := range order {
		order[i] = i
	}
	order = slices.Insert(slices.Delete(order, from, from+1), to, from)
	for i, o := range order {
		if i != o {
			if slots[i].to < slots[i].from || slots[o].to < slots[o].from {
				return unclear()
			}
			e.splice(slots[i].from, slots[i].to, e.src[slots[o].from:slots[o].to])
		}
	}
	return nil
}

func (e *editor) rename(path []string, name string) error {
	s, err := e.find(path)
	if err != nil {
		return err
	}
	text, ok := scalar(name, s.flow)
	if !ok || s.pair == nil {
		return unclear()
	}
	_, from := e.keyStart(s.pair)
	e.splice(from, e.keyEnd(s.pair), text)
	return nil
}
