package explain_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
)

// Each rule of the plan that ships has its story, told from the journal: who comes,
// where they wait, and who takes them.
func TestEveryRuleOfTheShippedPlanHasItsStory(t *testing.T) {
	t.Parallel()
	menu := func(choice string) contact.Facts {
		return contact.Facts{Language: "en", Dialled: "101", Answers: map[string]string{"menu": choice}}
	}
	written := func(name, answer string) contact.Facts {
		return contact.Facts{Language: "en", Answers: map[string]string{name: answer}}
	}
	with := func(f contact.Facts, change func(*contact.Facts)) contact.Facts {
		change(&f)
		return f
	}
	var out strings.Builder
	told := map[string]bool{}
	for _, s := range []struct {
		story string
		facts contact.Facts
		on    contact.Channel
	}{
		{"Somebody pressed 9 for an emergency and could not be put through.", contact.Facts{Language: "en", Answers: map[string]string{"emergency": "not_connected"}}, contact.Phone},
		{"A caller who is marked vulnerable reports a crime.", with(menu("crime"), func(f *contact.Facts) { f.Person, f.Vulnerable = "P", true }), contact.Phone},
		{"A caller reports a crime, in Polish.", with(menu("crime"), func(f *contact.Facts) { f.Language = "pl" }), contact.Phone},
		{"A caller asks about their report.", menu("existing"), contact.Phone},
		{"A caller has lost an umbrella.", menu("property"), contact.Phone},
		{"A caller with an open report asks for a handler.", with(menu("handler"), func(f *contact.Facts) { f.Person, f.OpenReports = "P", 1 }), contact.Phone},
		{"An e-mail has words that suggest somebody may take their own life.", written("risk", "life"), contact.Email},
		{"Somebody reports on the web that a child may be at risk.", written("risk", "child"), contact.Web},
		{"Somebody adds to their report on the web.", written("web", "add"), contact.Web},
		{"Somebody with an open report writes an e-mail about a bicycle.", with(written("category", "bicycle"), func(f *contact.Facts) { f.Person, f.OpenReports = "P", 1 }), contact.Email},
		{"Somebody writes that they found a purse.", written("category", "found_property"), contact.Email},
		{"A stolen bicycle is reported on the web.", written("category", "bicycle"), contact.Web},
		{"A caller has been in touch four times this month.", with(menu("other"), func(f *contact.Facts) { f.Person, f.Contacts30d = "P", 4 }), contact.Phone},
		{"A caller waited through the menu without a word.", contact.Facts{Language: "en"}, contact.Phone},
	} {
		b := newBook(t).opened()
		b.add(routing.HoursChanged{Queue: "property", Open: true})
		b.call("C1", func(ev *routing.ContactArrived) { ev.Facts, ev.Channel = s.facts, s.on })
		b.signOn("h1")
		b.add(routing.AgentSignedOn{Agent: "h2", Profile: "crime-desk-polish", DeviceUp: true}, routing.AgentReady{Agent: "h2"})
		c, here := b.engine.ContactState("C1")
		if !here || c.Phase != routing.PhaseRinging {
			t.Errorf("%s: nobody is offered it: %+v", s.story, c)
			continue
		}
		b.add(routing.OfferAccepted{Offer: c.Offer, Agent: c.Agent}, routing.Connected{Contact: "C1", Agent: c.Agent},
			routing.ContactReleased{Contact: "C1", Cause: routing.ReleasedByCaller}, routing.WrapUpDone{Contact: "C1", Agent: c.Agent, Outcome: "advice_given"})
		told[c.Rule] = true
		x, err := explain.Contact(testContext(t), b.store, "C1")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "# %s\n%s\n", s.story, write(x))
	}
	for _, r := range newBook(t).opened().engine.PlanInForce().Rules {
		if !told[r.Name] {
			t.Errorf("rule %q has no story", r.Name)
		}
	}
	golden(t, "rules.txt", out.String())
}
