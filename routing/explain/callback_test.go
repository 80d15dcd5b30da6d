package explain_test

import (
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/explain"
)

// A callback is told from the announcement that offered it to its result: each attempt,
// and why it was made when it was.
func TestCallbacksAreTold(t *testing.T) {
	t.Parallel()
	b := newBook(t).opened()
	b.add(routing.CallbackHoursChanged{Queue: "crime", Open: true})
	b.signOn("h1")
	b.call("C0")
	b.add(routing.OfferAccepted{Offer: 1, Agent: "h1"}, routing.Connected{Contact: "C0", Agent: "h1"})
	b.call("C2", func(ev *routing.ContactArrived) { ev.Facts.Line = "other" })
	b.call("C1")
	b.at = b.at.Add(30 * contact.Second)
	b.add(routing.Tick{}, routing.CallbackAsked{Contact: "C1"}, routing.CallbackAsked{Contact: "C1"})
	b.at = b.at.Add(10 * contact.Second)
	b.add(routing.Tick{}, routing.ContactReleased{Contact: "C2", Cause: routing.ReleasedByCaller},
		routing.ContactReleased{Contact: "C0", Cause: routing.ReleasedByCaller}, routing.WrapUpDone{Contact: "C0", Agent: "h1", Outcome: "advice_given"},
		routing.OfferAccepted{Offer: 2, Agent: "h1"}, routing.CallbackFailed{Contact: "C1", Agent: "h1", Cause: "no_answer"})
	b.at = b.at.Add(5 * contact.Minute)
	b.add(routing.Tick{}, routing.OfferAccepted{Offer: 3, Agent: "h1"}, routing.Connected{Contact: "C1", Agent: "h1"},
		routing.ContactReleased{Contact: "C1", Cause: routing.ReleasedByCaller})
	x, err := explain.Contact(testContext(t), b.store, "C1")
	if err != nil {
		t.Fatal(err)
	}
	rest := write(x)
	for _, want := range []string{
		"number 2 in the queue, about 10m0s, and offered to be rung back",
		"The caller asked to be rung back. It keeps its place in the queue Report a crime (crime).",
		"Callback asked changed nothing: no change.",
		"The caller is to be rung back.",
		"h1 took offer 2 and holds the line; the caller is rung, attempt 1, for up to 30s.",
		"The caller was rung for h1 and not reached (no answer).",
		"h1 was let go: the caller was not reached.",
		"attempt 2",
		"The caller and h1 were connected.",
		"It counts as callback taken (answered)",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is not told, or not in its place, in\n%s", want, write(x))
		}
		rest = after
	}
}
