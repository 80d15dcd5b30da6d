package plan

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxTerms bounds the cases a condition is taken apart into; one with more is not
// compared with others.
const maxTerms = 64

// atom is one comparison of a condition: a name and what it must be. What cannot
// be taken apart is an atom whose subject is its text.
type atom struct {
	subject string
	op      string // == != < <= > >=, and "is" or "not" for true and false
	text    string
	number  float64
	numeric bool
}

// term holds when each of its atoms does; a condition when one of its terms does.
type term []atom

// takeApart writes a condition as terms. ok is false when there are too many.
func takeApart(n ast.Node) (terms []term, ok bool) {
	terms, ok = cases(n, false)
	if !ok {
		return nil, false
	}
	return slices.DeleteFunc(terms, term.contradicts), true
}

func cases(n ast.Node, not bool) ([]term, bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value != not {
			return []term{{}}, true
		}
		return nil, true
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return cases(n.Node, !not)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			left, okLeft := cases(n.Left, not)
			right, okRight := cases(n.Right, not)
			if !okLeft || !okRight {
				return nil, false
			}
			if (n.Operator == "or" || n.Operator == "||") != not {
				return bounded(append(slices.Clone(left), right...))
			}
			if len(left)*len(right) > maxTerms {
				return nil, false
			}
			var both []term
			for _, l := range left {
				for _, r := range right {
					both = append(both, slices.Concat(l, r))
				}
			}
			return bounded(both)
		case "in":
			if list, is := n.Right.(*ast.ArrayNode); is {
				return members(n.Left, list, not)
			}
		case "==", "!=", "<", "<=", ">", ">=":
			return []term{{comparison(n, not)}}, true
		}
	}
	return []term{{fact(n.String(), !not)}}, true
}

func bounded(terms []term) ([]term, bool) { return terms, len(terms) <= maxTerms }

func members(name ast.Node, list *ast.ArrayNode, not bool) ([]term, bool) {
	var each []term
	all := term{}
	for _, item := range list.Nodes {
		a, is := literalAtom(name.String(), "==", item)
		if !is {
			return []term{{fact(name.String()+" in "+list.String(), !not)}}, true
		}
		each = append(each, term{a})
		all = append(all, a.negated())
	}
	if not {
		return []term{all}, true
	}
	return bounded(each)
}

func fact(subject string, is bool) atom {
	if is {
		return atom{subject: subject, op: "is"}
	}
	return atom{subject: subject, op: "not"}
}

var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

var opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "is": "not", "not": "is"}

func (a atom) negated() atom {
	a.op = opposite[a.op]
	return a
}

func comparison(n *ast.BinaryNode, not bool) atom {
	a, is := literalAtom(n.Left.String(), n.Operator, n.Right)
	if !is {
		a, is = literalAtom(n.Right.String(), mirrored[n.Operator], n.Left)
	}
	if !is {
		a = fact(n.String(), true)
	}
	if not {
		a = a.negated()
	}
	return a
}

func literalAtom(subject, op string, value ast.Node) (atom, bool) {
	a := atom{subject: subject, op: op, numeric: true}
	switch v := value.(type) {
	case *ast.StringNode:
		a.text, a.numeric = v.Value, false
	case *ast.IntegerNode:
		a.number = float64(v.Value)
	case *ast.FloatNode:
		a.number = v.Value
	case *ast.BoolNode:
		return fact(subject, v.Value == (op == "==")), true
	case *ast.UnaryNode:
		inner, is := literalAtom(subject, op, v.Node)
		if v.Operator != "-" || !is || !inner.numeric {
			return atom{}, false
		}
		a.number = -inner.number
	default:
		return atom{}, false
	}
	return a, true
}

// holds tells whether a number satisfies the atom.
func (a atom) holds(v float64) bool {
	switch a.op {
	case "==":
		return v == a.number
	case "!=":
		return v != a.number
	case "<":
		return v < a.number
	case "<=":
		return v <= a.number
	case ">":
		return v > a.number
	}
	return v >= a.number
}

// implies tells whether b holds whenever a does.
func (a atom) implies(b atom) bool {
	if a == b {
		return true
	}
	if a.subject != b.subject || a.numeric != b.numeric {
		return false
	}
	if !a.numeric {
		return a.op == "==" && b.op == "!=" && a.text != b.text
	}
	switch a.op {
	case "==":
		return b.holds(a.number)
	case "<", "<=":
		switch b.op {
		case "<":
			return a.number < b.number || a.number == b.number && a.op == "<"
		case "<=":
			return a.number <= b.number
		case "!=":
			return a.number < b.number || a.number == b.number && a.op == "<"
		}
	case ">", ">=":
		switch b.op {
		case ">":
			return a.number > b.number || a.number == b.number && a.op == ">"
		case ">=":
			return a.number >= b.number
		case "!=":
			return a.number > b.number || a.number == b.number && a.op == ">"
		}
	}
	return false
}

// contradicts tells whether the term can never hold.
func (t term) contradicts() bool {
	for i, a := range t {
		for _, b := range t[i+1:] {
			if a.implies(b.negated()) || b.implies(a.negated()) {
				return true
			}
		}
	}
	return false
}

// implies tells whether u holds whenever t does.
func (t term) implies(u term) bool {
	for _, b := range u {
		if !slices.ContainsFunc(t, func(a atom) bool { return a.implies(b) }) {
			return false
		}
	}
	return true
}

// coveredBy gives the conditions, by their place, that between them hold whenever
// the terms do; none when they do not.
func coveredBy(terms []term, earlier [][]term) []int {
	var by []int
	for _, t := range terms {
		i := slices.IndexFunc(earlier, func(list []term) bool { return slices.ContainsFunc(list, t.implies) })
		if i < 0 {
			return nil
		}
		if !slices.Contains(by, i) {
			by = append(by, i)
		}
	}
	return by
}
