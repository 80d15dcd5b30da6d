package ivr

import (
	"strconv"

	"example.org/c3i/contact"
)

// Prompts that tell waiting callers where they stand. Each is a whole sentence, so
// that every language says it as it is said there.
const (
	promptLonger = "wait_longer"
	// PromptCallbackOffer offers to be rung back: press 1.
	PromptCallbackOffer = "callback_offer"
	// PromptCallbackTaken confirms it and says goodbye; PromptCallbackRefused says
	// that it cannot be, and that the place is kept.
	PromptCallbackTaken   = "callback_taken"
	PromptCallbackRefused = "callback_refused"
)

// exactPositions is the last position said exactly; further ones are said as more
// than one of roundPositions.
const exactPositions = 20

var (
	roundPositions = []int{100, 50, 20}
	roundMinutes   = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 45, 60}
)

// Announcement lists the prompts that tell a waiting caller their position and
// expected wait; a wait of zero is not spoken of. What is said for a smaller number
// is never more than for a larger one.
func Announcement(position int, wait contact.Duration, longer, callback bool) []string {
	var out []string
	if position > 0 {
		out = append(out, positionPrompt(position))
	}
	if wait > 0 {
		out = append(out, waitPrompt(wait))
	}
	if longer {
		out = append(out, promptLonger)
	}
	if callback {
		out = append(out, PromptCallbackOffer)
	}
	return out
}

func positionPrompt(n int) string {
	if n <= exactPositions {
		return "position_" + strconv.Itoa(n)
	}
	for _, round := range roundPositions {
		if n > round {
			return "position_over_" + strconv.Itoa(round)
		}
	}
	return "position_over_" + strconv.Itoa(exactPositions)
}

func waitPrompt(wait contact.Duration) string {
	for _, m := range roundMinutes {
		if wait <= contact.Duration(m)*contact.Minute {
			return "wait_" + strconv.Itoa(m)
		}
	}
	return "wait_over_" + strconv.Itoa(roundMinutes[len(roundMinutes)-1])
}

// AnnouncementPrompts lists every prompt that Announcement may name, but for the
// offer of a callback.
func AnnouncementPrompts() []string {
	var out []string
	for n := 1; n <= exactPositions; n++ {
		out = append(out, positionPrompt(n))
	}
	for _, round := range roundPositions {
		out = append(out, positionPrompt(round+1))
	}
	for _, m := range roundMinutes {
		out = append(out, waitPrompt(contact.Duration(m)*contact.Minute))
	}
	return append(out, waitPrompt(contact.Day), promptLonger)
}
