package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// maxNodes bounds a condition's parse tree.
const maxNodes = 200

// maxCondition bounds a condition's text.
const maxCondition = 4096

// environment is what a condition may name. Field types are the condition
// language's types.
type environment struct {
	Channel  string            `expr:"channel"`
	Language string            `expr:"language"`
	Dialled  string            `expr:"dialled"`
	CLI      string            `expr:"cli"`
	Answers  map[string]string `expr:"answers"`
	Caller   callerView        `expr:"caller"`
	// Queues holds the queues the condition names.
	Queues map[string]queueView `expr:"queues"`
}

type queueView struct {
	Waiting int `expr:"waiting"`
	Staffed int `expr:"staffed"`
	// EstimatedWait is in seconds, rounded up.
	EstimatedWait int `expr:"estimated_wait"`
}

type callerView struct {
	Known        bool `expr:"known"`
	Contacts30d  int  `expr:"contacts_30d"`
	OpenReports  int  `expr:"open_reports"`
	Vulnerable   bool `expr:"vulnerable"`
	RepeatVictim bool `expr:"repeat_victim"`
}

func view(in routing.RuleInput, queues []string) environment {
	f := in.Facts
	e := environment{
		Channel: string(in.Channel), Language: f.Language, Dialled: f.Dialled, CLI: string(f.CLI), Answers: f.Answers,
		Caller: callerView{
			Known: f.Person != "", Contacts30d: f.Contacts30d, OpenReports: f.OpenReports,
			Vulnerable: f.Vulnerable, RepeatVictim: f.RepeatVictim,
		},
	}
	if len(queues) == 0 || in.Figures == nil {
		return e
	}
	e.Queues = make(map[string]queueView, len(queues))
	for _, id := range queues {
		q := in.Figures(routing.QueueID(id))
		e.Queues[id] = queueView{q.Waiting, q.Staffed, int((q.EstimatedWait + contact.Second - 1) / contact.Second)}
	}
	return e
}

// kind is a type of the condition language.
type kind string

const (
	kindText    kind = "text"
	kindNumber  kind = "a number"
	kindTruth   kind = "true or false"
	kindNothing kind = "nil"
	kindCaller  kind = "the caller, of which a detail must be named"
	kindAnswers kind = "the answers, of which one must be named"
	kindList    kind = "a list"
	kindQueues  kind = "the queues, of which one must be named"
	kindQueue   kind = "a queue, of which a figure must be named"
	kindUnknown kind = "" // already reported
)

var names = map[string]kind{
	"channel": kindText, "language": kindText, "dialled": kindText, "cli": kindText,
	"answers": kindAnswers, "caller": kindCaller, "queues": kindQueues,
}

var queueNames = map[string]kind{"waiting": kindNumber, "staffed": kindNumber, "estimated_wait": kindNumber}

var callerNames = map[string]kind{
	"known": kindTruth, "contacts_30d": kindNumber, "open_reports": kindNumber,
	"vulnerable": kindTruth, "repeat_victim": kindTruth,
}

// closed lists the only values some names can have.
var closed = map[string][]string{
	"channel": {string(contact.Phone), string(contact.Email), string(contact.Web)},
	"cli":     {string(contact.CLIPresented), string(contact.CLIWithheld), string(contact.CLIUnavailable)},
}

// fault is one thing wrong with a condition, at a character of its text.
type fault struct {
	from       int
	code       string
	message    string
	suggestion string
}

// condition is a compiled condition.
type condition struct {
	// canonical is the text as the parser understood it: equal conditions have
	// equal canonical texts.
	canonical string
	// terms are its cases, nil when there are too many to take apart.
	terms []term
	apart bool // terms are all its cases
	match func(routing.RuleInput) bool
	// interpret is the same run by the library: what match must agree with.
	interpret func(routing.RuleInput) bool
}

// compileCondition parses, checks against the white list, and compiles. The
// white list is what bounds evaluation: there are no loops, calls or
// allocations that grow, so a condition costs at most its maxNodes nodes.
func compileCondition(text string, queues []string) (c condition, faults []fault) {
	// The library is shielded: a condition is a person's text.
	defer func() {
		if p := recover(); p != nil {
			c, faults = condition{}, []fault{{code: "bad_condition", message: fmt.Sprintf("this condition cannot be read (%v)", p)}}
		}
	}()
	if strings.TrimSpace(text) == "" {
		return c, []fault{{code: "bad_condition", message: "the condition is empty: write true for a rule that always matches"}}
	}
	if len(text) > maxCondition {
		return c, []fault{{code: "bad_condition", message: fmt.Sprintf("the condition is longer than %d characters", maxCondition)}}
	}
	root, err := parseCondition(text)
	if err != nil {
		return c, []fault{fromLibrary(err)}
	}
	w := walker{queues: queues}
	if k := w.walk(root); k != kindTruth && k != kindUnknown {
		w.fault(root, "type_mismatch", "", "a condition must be true or false, this is %s", k)
	}
	if len(w.faults) > 0 {
		return c, w.faults
	}
	program, err := expr.Compile(text, expr.Env(environment{}), expr.AsBool(), expr.Optimize(false),
		expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes))
	if err != nil {
		return c, []fault{fromLibrary(err)}
	}
	c = condition{canonical: root.String(), interpret: interpreter(program, w.used)}
	c.match = c.interpret
	if match, known := toMatcher(root); known {
		c.match = match
	}
	c.terms, c.apart = takeApart(root)
	return c, nil
}

func parseCondition(text string) (ast.Node, error) {
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	expr.DisableAllBuiltins()(config)
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, err
	}
	return tree.Node, nil
}

// interpreter runs the program. It is total: the white list admits nothing that can
// fail for these types, and should the machine fail all the same (it turns its
// own panics into errors) the rule does not match.
func interpreter(program *vm.Program, queues []string) func(routing.RuleInput) bool {
	return func(in routing.RuleInput) bool {
		out, err := expr.Run(program, view(in, queues))
		matched, is := out.(bool)
		return err == nil && is && matched
	}
}

func fromLibrary(err error) fault {
	f := fault{code: "bad_condition", message: err.Error()}
	var at *file.Error
	if errors.As(err, &at) {
		f.from, f.message = at.From, at.Message
	}
	f.message = "the condition cannot be understood: " + f.message
	return f
}

// walker checks a parse tree against the white list and types it.
type walker struct {
	faults []fault
	queues []string // those of the plan
	used   []string // those the condition names
}

func (w *walker) fault(n ast.Node, code, suggestion, format string, args ...any) kind {
	w.faults = append(w.faults, fault{n.Location().From, code, fmt.Sprintf(format, args...), suggestion})
	return kindUnknown
}

func (w *walker) walk(n ast.Node) kind {
	switch n := n.(type) {
	case *ast.NilNode:
		return kindNothing
	case *ast.BoolNode:
		return kindTruth
	case *ast.IntegerNode, *ast.FloatNode:
		return kindNumber
	case *ast.StringNode:
		return kindText
	case *ast.IdentifierNode:
		return w.identifier(n)
	case *ast.MemberNode:
		return w.member(n)
	case *ast.UnaryNode:
		return w.unary(n)
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.ArrayNode:
		return w.fault(n, "not_allowed", "", "a list may only stand after \"in\"")
	case *ast.CallNode, *ast.BuiltinNode:
		return w.fault(n, "not_allowed", "", "functions are not allowed in conditions")
	case *ast.ConditionalNode:
		return w.fault(n, "not_allowed", "", "\"if\" and \"?:\" are not allowed in conditions: use and, or, not")
	}
	return w.fault(n, "not_allowed", "", "this is not allowed in conditions: use comparisons, in, and, or, not")
}

func (w *walker) identifier(n *ast.IdentifierNode) kind {
	if k, is := names[n.Value]; is {
		return k
	}
	known := sortedKeys(names)
	suggestion := nearest(n.Value, known)
	if _, is := callerNames[n.Value]; is {
		suggestion = "caller." + n.Value
	}
	return w.fault(n, "unknown_name", suggestion, "%q is not known in conditions: there are %s", n.Value, strings.Join(known, ", "))
}

func (w *walker) member(n *ast.MemberNode) kind {
	property, is := n.Property.(*ast.StringNode)
	if !is || n.Optional || n.Method {
		return w.fault(n, "not_allowed", "", "only caller.<detail>, answers.<label> and queues.<queue>.<figure> are allowed here")
	}
	base, is := n.Node.(*ast.IdentifierNode)
	if !is {
		switch w.walk(n.Node) {
		case kindUnknown:
			return kindUnknown
		case kindQueue:
			if figure, is := queueNames[property.Value]; is {
				return figure
			}
			known := sortedKeys(queueNames)
			return w.fault(n.Property, "unknown_name", nearest(property.Value, known), "a queue has no %q: there are %s", property.Value, strings.Join(known, ", "))
		}
		return w.fault(n.Property, "unknown_name", "", "%q has nothing to be taken from", property.Value)
	}
	switch k := w.identifier(base); k {
	case kindUnknown:
		return k
	case kindAnswers:
		return kindText
	case kindQueues:
		if !slices.Contains(w.queues, property.Value) {
			return w.fault(n.Property, "unknown_queue", nearest(property.Value, w.queues), "the plan has no queue %q", property.Value)
		}
		if !slices.Contains(w.used, property.Value) {
			w.used = append(w.used, property.Value)
		}
		return kindQueue
	case kindCaller:
		if detail, is := callerNames[property.Value]; is {
			return detail
		}
		known := sortedKeys(callerNames)
		return w.fault(n.Property, "unknown_name", nearest(property.Value, known), "the caller has no %q: there are %s", property.Value, strings.Join(known, ", "))
	default:
		return w.fault(n.Property, "unknown_name", "", "%s is %s and has no %q", base.Value, k, property.Value)
	}
}

func (w *walker) unary(n *ast.UnaryNode) kind {
	switch n.Operator {
	case "not", "!":
		if k := w.walk(n.Node); k != kindTruth && k != kindUnknown {
			return w.fault(n.Node, "type_mismatch", "", "%s needs true or false, this is %s", n.Operator, k)
		}
		return kindTruth
	case "-":
		switch n.Node.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			return kindNumber
		}
	}
	return w.fault(n, "not_allowed", "", "%q is not allowed in conditions", n.Operator)
}

func (w *walker) binary(n *ast.BinaryNode) kind {
	switch n.Operator {
	case "and", "or", "&&", "||":
		for _, side := range []ast.Node{n.Left, n.Right} {
			if k := w.walk(side); k != kindTruth && k != kindUnknown {
				w.fault(side, "type_mismatch", "", "both sides of %s must be true or false, this is %s", n.Operator, k)
			}
		}
		return kindTruth
	case "in":
		return w.in(n)
	case "==", "!=", "<", "<=", ">", ">=":
		return w.compare(n)
	}
	w.walk(n.Left)
	w.walk(n.Right)
	return w.fault(n, "not_allowed", "", "%q is not allowed in conditions", n.Operator)
}

func (w *walker) compare(n *ast.BinaryNode) kind {
	left, right := w.walk(n.Left), w.walk(n.Right)
	if left == kindUnknown || right == kindUnknown {
		return kindTruth
	}
	for _, side := range []struct {
		node ast.Node
		kind kind
	}{{n.Left, left}, {n.Right, right}} {
		switch side.kind {
		case kindNothing:
			w.fault(side.node, "type_mismatch", "", "nothing here is ever nil: what is missing is \"\", 0 or false")
			return kindTruth
		case kindCaller, kindAnswers, kindQueues, kindQueue:
			w.fault(side.node, "type_mismatch", "", "this is %s", side.kind)
			return kindTruth
		}
	}
	if left != right {
		w.fault(n.Right, "type_mismatch", "", "%s cannot be compared with %s", left, right)
		return kindTruth
	}
	if n.Operator != "==" && n.Operator != "!=" && left != kindNumber {
		w.fault(n, "type_mismatch", "", "%s compares numbers, this is %s", n.Operator, left)
		return kindTruth
	}
	w.closedValue(n.Left, n.Right)
	w.closedValue(n.Right, n.Left)
	return kindTruth
}

func (w *walker) in(n *ast.BinaryNode) kind {
	left := w.walk(n.Left)
	list, is := n.Right.(*ast.ArrayNode)
	if !is {
		return w.fault(n.Right, "not_allowed", "", "\"in\" must be followed by a list such as [\"pl\", \"bn\"]")
	}
	if len(list.Nodes) == 0 {
		return w.fault(list, "type_mismatch", "", "the list is empty, so this is never true")
	}
	if left == kindNothing || left == kindCaller || left == kindAnswers || left == kindQueues || left == kindQueue {
		return w.fault(n.Left, "type_mismatch", "", "%s cannot be looked for in a list", left)
	}
	for _, item := range list.Nodes {
		k := literal(item)
		switch {
		case k == kindUnknown:
			w.fault(item, "not_allowed", "", "a list holds fixed values only")
		case left != kindUnknown && k != left:
			w.fault(item, "type_mismatch", "", "%s is looked for in the list, this is %s", left, k)
		default:
			w.closedValue(n.Left, item)
		}
	}
	return kindTruth
}

func literal(n ast.Node) kind {
	switch n := n.(type) {
	case *ast.StringNode:
		return kindText
	case *ast.IntegerNode, *ast.FloatNode:
		return kindNumber
	case *ast.BoolNode:
		return kindTruth
	case *ast.UnaryNode:
		if n.Operator == "-" {
			if k := literal(n.Node); k == kindNumber {
				return k
			}
		}
	}
	return kindUnknown
}

// closedValue reports a value a name can never have.
func (w *walker) closedValue(name, value ast.Node) {
	id, isName := name.(*ast.IdentifierNode)
	text, isText := value.(*ast.StringNode)
	if !isName || !isText {
		return
	}
	if values, is := closed[id.Value]; is && !slices.Contains(values, text.Value) {
		w.fault(value, "unknown_value", nearest(text.Value, values), "%s is never %q: it is one of %s", id.Value, text.Value, strings.Join(values, ", "))
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
