package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// writer makes conditions by chance.
type writer struct{ dice *rand.Rand }

func (w writer) pick(list ...string) string { return list[w.dice.IntN(len(list))] }

func (w writer) condition(depth int) string {
	if depth == 0 || w.dice.IntN(4) == 0 {
		return w.comparison()
	}
	switch w.dice.IntN(5) {
	case 0:
		return "not (" + w.condition(depth-1) + ")"
	case 1, 2:
		return "(" + w.condition(depth-1) + " and " + w.condition(depth-1) + ")"
	default:
		return "(" + w.condition(depth-1) + " or " + w.condition(depth-1) + ")"
	}
}

func (w writer) comparison() string {
	text := w.pick("language", "answers.menu")
	number := w.pick("caller.contacts_30d", "caller.open_reports", "queues.desk.waiting")
	switch w.dice.IntN(8) {
	case 0:
		return w.pick("caller.known", "caller.vulnerable", "true", "false")
	case 1:
		return w.pick("caller.known", "caller.vulnerable") + w.pick(" == ", " != ") + w.pick("true", "false")
	case 2:
		return text + w.pick(" in ", " not in ") + w.pick(`["a"]`, `["a", "b"]`, `["b", "c"]`)
	case 3:
		return "language" + w.pick(" == ", " != ") + "answers.menu"
	case 4:
		return number + w.pick(" in ", " not in ") + w.pick("[1]", "[0, 2]", "[-1, 1.5]")
	case 5:
		return text + w.pick(" == ", " != ") + w.pick(`"a"`, `"b"`, `"c"`)
	case 6:
		return w.pick("0", "1", "2", "-1") + w.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + number
	default:
		return number + w.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + w.pick("0", "1", "2", "1.5", "-1")
	}
}

// inputs are all that tell such conditions apart.
func inputs() []routing.RuleInput {
	var list []routing.RuleInput
	for _, language := range []string{"", "a", "b", "c"} {
		for _, menu := range []string{"", "a", "b", "c"} {
			for n := range 4 {
				for m := range 4 {
					for flags := range 4 {
						f := contact.Facts{Language: language, Answers: map[string]string{"menu": menu}, Contacts30d: n, OpenReports: m, Vulnerable: flags&1 != 0}
						if flags&2 != 0 {
							f.Person = "p"
						}
						list = append(list, routing.RuleInput{Channel: contact.Phone, Facts: f, Figures: func(routing.QueueID) routing.QueueFigures {
							return routing.QueueFigures{Waiting: (n + m) % 4}
						}})
					}
				}
			}
		}
	}
	return list
}

// What is said to be covered never matches where the others do not, and what is
// said never to match does not.
func TestCoveredConditionsAreCovered(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := writer{rand.New(rand.NewPCG(seed, 1))}
	all := inputs()
	covered, never := 0, 0
	for range 1500 {
		var conditions []condition
		var texts []string
		for range 4 {
			text := w.condition(2)
			c, faults := compileCondition(text, []string{"desk"})
			if len(faults) > 0 {
				t.Fatalf("%s: %v", text, faults)
			}
			conditions, texts = append(conditions, c), append(texts, text)
		}
		last := conditions[3]
		if !last.apart {
			continue
		}
		var earlier [][]term
		for _, c := range conditions[:3] {
			earlier = append(earlier, c.terms)
		}
		by := coveredBy(last.terms, earlier)
		if len(by) > 0 {
			covered++
		}
		if len(last.terms) == 0 {
			never++
		}
		for _, in := range all {
			if !last.match(in) {
				continue
			}
			if len(last.terms) == 0 {
				t.Fatalf("%s is said never to match, and matches %+v", texts[3], in.Facts)
			}
			if len(by) == 0 {
				break
			}
			some := false
			for _, j := range by {
				some = some || conditions[j].match(in)
			}
			if !some {
				t.Fatalf("%s is said to be covered by %v of %q, and is not for %+v", texts[3], by, texts[:3], in.Facts)
			}
		}
	}
	if covered < 50 || never < 10 {
		t.Errorf("only %d were covered and %d never match: too few to tell", covered, never)
	}
}

// Plain cases are seen.
func TestCoveredConditionsAreSeen(t *testing.T) {
	for _, c := range []struct {
		earlier, later string
		covered        bool
	}{
		{`caller.known`, `caller.known and language == "pl"`, true},
		{`caller.known and language == "pl"`, `caller.known`, false},
		{`caller.contacts_30d >= 3`, `caller.contacts_30d == 4`, true},
		{`caller.contacts_30d > 3`, `caller.contacts_30d >= 3`, false},
		{`language in ["pl", "bn"]`, `language == "bn"`, true},
		{`language != "en"`, `language in ["pl", "bn"]`, true},
		{`not (language == "en")`, `language == "pl"`, true},
		{`channel == "phone"`, `channel != "email"`, false},
		{`caller.known == false`, `not caller.known and caller.vulnerable`, true},
		{`2 <= caller.contacts_30d`, `caller.contacts_30d > 2`, true},
	} {
		a, _ := compileCondition(c.earlier, nil)
		b, _ := compileCondition(c.later, nil)
		if got := len(coveredBy(b.terms, [][]term{a.terms})) > 0; got != c.covered {
			t.Errorf("%s covers %s: %t", c.earlier, c.later, got)
		}
	}
	long := "caller.known"
	for i := range 10 {
		long += fmt.Sprintf(" and (language == %q or caller.open_reports == %d)", fmt.Sprint(i), i)
	}
	if c, _ := compileCondition(long, nil); c.apart {
		t.Error("a condition of a thousand cases was taken apart")
	}
}
