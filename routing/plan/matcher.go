package plan

import (
	"github.com/expr-lang/expr/ast"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// A condition is run for every contact that arrives, against every rule until one
// matches, so it is made into closures over the contact instead of being
// interpreted: a comparison costs a few nanoseconds and allocates nothing.
// TestConditionsMatchAsTheLibraryRunsThem holds them to what the library does.
type (
	truthOf  func(routing.RuleInput) bool
	textOf   func(routing.RuleInput) string
	numberOf func(routing.RuleInput) int
)

// operand is one side of a comparison: exactly one of its functions is set, or
// fraction is for a fixed number that is not whole.
type operand struct {
	truth    truthOf
	text     textOf
	number   numberOf
	fraction *float64
}

// toMatcher makes a tree that passed the white list into a function; false when it
// has a node it does not know.
func toMatcher(n ast.Node) (truthOf, bool) {
	o, known := toOperand(n)
	return o.truth, known && o.truth != nil
}

func toOperand(n ast.Node) (o operand, known bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		v := n.Value
		return operand{truth: func(routing.RuleInput) bool { return v }}, true
	case *ast.StringNode:
		v := n.Value
		return operand{text: func(routing.RuleInput) string { return v }}, true
	case *ast.IntegerNode:
		return fixed(n.Value), true
	case *ast.FloatNode:
		v := n.Value
		return operand{fraction: &v}, true
	case *ast.IdentifierNode:
		return toName(n.Value)
	case *ast.MemberNode:
		return toMember(n)
	case *ast.UnaryNode:
		return toUnary(n)
	case *ast.BinaryNode:
		return toBinary(n)
	}
	return operand{}, false
}

func fixed(v int) operand { return operand{number: func(routing.RuleInput) int { return v }} }

func toName(name string) (operand, bool) {
	read, known := map[string]textOf{
		"channel":  func(in routing.RuleInput) string { return string(in.Channel) },
		"language": func(in routing.RuleInput) string { return in.Facts.Language },
		"dialled":  func(in routing.RuleInput) string { return in.Facts.Dialled },
		"cli":      func(in routing.RuleInput) string { return string(in.Facts.CLI) },
	}[name]
	return operand{text: read}, known
}

var callerOperands = map[string]operand{
	"known":         {truth: func(in routing.RuleInput) bool { return in.Facts.Person != "" }},
	"contacts_30d":  {number: func(in routing.RuleInput) int { return in.Facts.Contacts30d }},
	"open_reports":  {number: func(in routing.RuleInput) int { return in.Facts.OpenReports }},
	"vulnerable":    {truth: func(in routing.RuleInput) bool { return in.Facts.Vulnerable }},
	"repeat_victim": {truth: func(in routing.RuleInput) bool { return in.Facts.RepeatVictim }},
}

var queueFigures = map[string]func(routing.QueueFigures) int{
	"waiting": func(f routing.QueueFigures) int { return f.Waiting },
	"staffed": func(f routing.QueueFigures) int { return f.Staffed },
	// In seconds, rounded up.
	"estimated_wait": func(f routing.QueueFigures) int {
		return int((f.EstimatedWait + contact.Second - 1) / contact.Second)
	},
}

func toMember(n *ast.MemberNode) (operand, bool) {
	property, is := n.Property.(*ast.StringNode)
	if !is {
		return operand{}, false
	}
	if outer, is := n.Node.(*ast.MemberNode); is {
		queue, isName := outer.Property.(*ast.StringNode)
		figure, known := queueFigures[property.Value]
		if !isName || !known {
			return operand{}, false
		}
		id := routing.QueueID(queue.Value)
		return operand{number: func(in routing.RuleInput) int {
			if in.Figures == nil {
				return 0
			}
			return figure(in.Figures(id))
		}}, true
	}
	base, is := n.Node.(*ast.IdentifierNode)
	switch {
	case !is:
		return operand{}, false
	case base.Value == "answers":
		label := property.Value
		return operand{text: func(in routing.RuleInput) string { return in.Facts.Answers[label] }}, true
	case base.Value == "caller":
		o, known := callerOperands[property.Value]
		return o, known
	}
	return operand{}, false
}

func toUnary(n *ast.UnaryNode) (operand, bool) {
	o, known := toOperand(n.Node)
	switch {
	case !known:
		return operand{}, false
	case (n.Operator == "not" || n.Operator == "!") && o.truth != nil:
		inner := o.truth
		return operand{truth: func(in routing.RuleInput) bool { return !inner(in) }}, true
	case n.Operator == "-" && o.number != nil:
		return fixed(-o.number(routing.RuleInput{})), true
	case n.Operator == "-" && o.fraction != nil:
		v := -*o.fraction
		return operand{fraction: &v}, true
	}
	return operand{}, false
}

func toBinary(n *ast.BinaryNode) (operand, bool) {
	if n.Operator == "in" {
		return toIn(n)
	}
	a, known := toOperand(n.Left)
	b, also := toOperand(n.Right)
	if !known || !also {
		return operand{}, false
	}
	var match truthOf
	switch n.Operator {
	case "and", "&&":
		if a.truth != nil && b.truth != nil {
			match = func(in routing.RuleInput) bool { return a.truth(in) && b.truth(in) }
		}
	case "or", "||":
		if a.truth != nil && b.truth != nil {
			match = func(in routing.RuleInput) bool { return a.truth(in) || b.truth(in) }
		}
	default:
		match = toComparison(n.Operator, a, b)
	}
	return operand{truth: match}, match != nil
}

// toComparison is nil for sides that cannot be compared so.
func toComparison(operator string, a, b operand) truthOf {
	switch {
	case a.truth != nil && b.truth != nil:
		switch operator {
		case "==":
			return func(in routing.RuleInput) bool { return a.truth(in) == b.truth(in) }
		case "!=":
			return func(in routing.RuleInput) bool { return a.truth(in) != b.truth(in) }
		}
	case a.text != nil && b.text != nil:
		switch operator {
		case "==":
			return func(in routing.RuleInput) bool { return a.text(in) == b.text(in) }
		case "!=":
			return func(in routing.RuleInput) bool { return a.text(in) != b.text(in) }
		}
	case a.number != nil && b.number != nil:
		return ordered(operator, a.number, b.number)
	case a.isNumber() && b.isNumber():
		return ordered(operator, a.float(), b.float())
	}
	return nil
}

func (o operand) isNumber() bool { return o.number != nil || o.fraction != nil }

func (o operand) float() func(routing.RuleInput) float64 {
	if o.fraction != nil {
		v := *o.fraction
		return func(routing.RuleInput) float64 { return v }
	}
	return func(in routing.RuleInput) float64 { return float64(o.number(in)) }
}

func ordered[N int | float64](operator string, a, b func(routing.RuleInput) N) truthOf {
	switch operator {
	case "==":
		return func(in routing.RuleInput) bool { return a(in) == b(in) }
	case "!=":
		return func(in routing.RuleInput) bool { return a(in) != b(in) }
	case "<":
		return func(in routing.RuleInput) bool { return a(in) < b(in) }
	case "<=":
		return func(in routing.RuleInput) bool { return a(in) <= b(in) }
	case ">":
		return func(in routing.RuleInput) bool { return a(in) > b(in) }
	case ">=":
		return func(in routing.RuleInput) bool { return a(in) >= b(in) }
	}
	return nil
}

// toIn compares with each value of the list.
func toIn(n *ast.BinaryNode) (operand, bool) {
	list, is := n.Right.(*ast.ArrayNode)
	left, known := toOperand(n.Left)
	if !is || !known {
		return operand{}, false
	}
	var values []truthOf
	for _, item := range list.Nodes {
		value, known := toOperand(item)
		if !known {
			return operand{}, false
		}
		same := toComparison("==", left, value)
		if same == nil {
			return operand{}, false
		}
		values = append(values, same)
	}
	return operand{truth: func(in routing.RuleInput) bool {
		for _, same := range values {
			if same(in) {
				return true
			}
		}
		return false
	}}, true
}
