package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// sampleInputs are contacts that make most conditions come out both ways.
func sampleInputs() []routing.RuleInput {
	figures := func(id routing.QueueID) routing.QueueFigures {
		if id == "desk" {
			return routing.QueueFigures{Waiting: 3, Staffed: 2, EstimatedWait: 90*contact.Second + 1}
		}
		return routing.QueueFigures{}
	}
	return []routing.RuleInput{
		{},
		{Channel: contact.Phone, Figures: figures, Facts: contact.Facts{Language: "en", Person: "p", Contacts30d: 3, OpenReports: 1, Dialled: "101", CLI: contact.CLIPresented}},
		{Channel: contact.Email, Figures: figures, Facts: contact.Facts{Language: "pl", Vulnerable: true, Contacts30d: 2, CLI: contact.CLIWithheld, Answers: map[string]string{"menu": "crime"}}},
		{Channel: contact.Web, Facts: contact.Facts{RepeatVictim: true, OpenReports: 91, Answers: map[string]string{"menu": "", "a b": "x"}}},
	}
}

func agrees(t *testing.T, text string) {
	t.Helper()
	c, faults := compileCondition(text, []string{"desk"})
	if len(faults) > 0 {
		return
	}
	for i, in := range sampleInputs() {
		if got, want := c.match(in), c.interpret(in); got != want {
			t.Fatalf("%q is %v for contact %d: the library says %v", text, got, i, want)
		}
	}
}

// TestConditionsMatchAsTheLibraryRunsThem makes conditions by chance from all the
// language has and compares the closures with the library's own evaluation.
func TestConditionsMatchAsTheLibraryRunsThem(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	g := generator{dice}
	compiled, matched := 0, 0
	for range 4000 {
		text := g.truth(4)
		c, faults := compileCondition(text, []string{"desk"})
		if len(faults) > 0 {
			t.Fatalf("%q is refused: %v", text, faults[0].message)
		}
		compiled++
		if c.match(sampleInputs()[1]) {
			matched++
		}
		agrees(t, text)
	}
	if matched == 0 || matched == compiled {
		t.Errorf("%d of %d conditions match: the test cannot tell them apart", matched, compiled)
	}
}

// Every node the white list admits is made into a closure: nothing is interpreted.
func TestNothingIsInterpreted(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 0))}
	for range 500 {
		text := g.truth(4)
		tree, err := parseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, known := toMatcher(tree); !known {
			t.Fatalf("%q is not made into a function", text)
		}
	}
}

// generator writes conditions.
type generator struct{ dice *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.dice.IntN(len(list))] }

func (g generator) truth(depth int) string {
	if depth == 0 {
		return g.pick("true", "false", "caller.known", "caller.vulnerable", "caller.repeat_victim")
	}
	switch g.dice.IntN(8) {
	case 0:
		return g.pick("not ", "!") + "(" + g.truth(depth-1) + ")"
	case 1, 2:
		return "(" + g.truth(depth-1) + g.pick(" and ", " or ", " && ", " || ") + g.truth(depth-1) + ")"
	case 3:
		return g.text() + g.pick(" in ", " not in ") + fmt.Sprintf("[%s, %s]", g.pick(`"pl"`, `"crime"`, `"101"`), g.pick(`"en"`, `""`))
	case 4:
		return g.number() + g.pick(" in ", " not in ") + fmt.Sprintf("[%s, %s]", g.pick("1", "2.0", "-3"), g.pick("3", "91", "0.5"))
	case 5:
		return g.text() + g.pick(" == ", " != ") + g.pick(g.text(), `"pl"`, `"crime"`, `""`)
	case 6:
		return "(" + g.truth(depth-1) + ")" + g.pick(" == ", " != ") + "(" + g.truth(depth-1) + ")"
	}
	if g.dice.IntN(4) == 0 {
		return "1 < " + g.number() + " <= 4"
	}
	return g.number() + g.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + g.pick(g.number(), "3", "2.5", "-1", "-0.5", "91")
}

func (g generator) text() string {
	return g.pick("language", "dialled", "answers.menu", `answers["a b"]`)
}

func (g generator) number() string {
	return g.pick("caller.contacts_30d", "caller.open_reports", "queues.desk.waiting", "queues.desk.staffed", "queues.desk.estimated_wait")
}

// FuzzMatcher: whatever compiles comes out as the library has it.
func FuzzMatcher(f *testing.F) {
	for _, s := range []string{
		`channel == "phone"`, `caller.contacts_30d >= 3 and not caller.known`, `language in ["pl", "bn"]`, `1 < caller.open_reports < 4`,
		`answers["a b"] != ''`, `queues.desk.estimated_wait > 90.5`, `caller.contacts_30d == 9007199254740993`, `-1 < -2.5e3`, `(1 == 1) == true`,
		`not (channel in ["web"])`, `caller.contacts_30d in [2.0, -3]`,
	} {
		f.Add(s)
	}
	f.Fuzz(agrees)
}
