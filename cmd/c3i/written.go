package main

import (
	"strings"

	"example.org/c3i/agentdesk"
)

// writtenQuestions are the answers that contacts in writing bring along, in the
// order they are shown: what was found in them, asked in a form, or known of where
// they came in.
var writtenQuestions = []struct{ name, question string }{
	{"risk", "Risk"},
	{"category", "About"},
	{"involved", "How involved"},
	{"harm", "Said of harm"},
	{"anonymous", "Anonymous"},
	{"mailbox", "Written to"},
	{"hint", "Mailbox is for"},
	{"web", "Came by"},
	{"partner", "Through"},
	{"risk_reasons", ""}, // shown with their words, as what was found
	{"sender", "Sender"},
	{"reference", "Reference"},
	{"automatic", ""}, // shown with the message, like the next two
	{"bounce", ""},
	{"list", ""},
	{"unreadable", "Could not be read"},
	{"encrypted", "Encrypted"},
	{"unfiled", "Could not be filed"},
}

var writtenWords = map[string]string{
	"life": "to life", "child": "a child", "lost_property": "lost property", "found_property": "found property", "asb": "anti-social behaviour",
	"hate": "hate incident", "report": "a report on the web", "add": "more about a report", "withdraw": "withdraws a report", "call_back": "asked to be rung back", "told": "stopped in the form", "unproven": "not proved",
}

// answersInWords puts the answers of a contact in writing into words; nothing for
// a call.
func answersInWords(answers map[string]string) []agentdesk.LabelledAnswer {
	if answers["mailbox"] == "" && answers["web"] == "" {
		return nil
	}
	var out []agentdesk.LabelledAnswer
	for _, q := range writtenQuestions {
		value := answers[q.name]
		if value == "" || q.question == "" {
			continue
		}
		out = append(out, agentdesk.LabelledAnswer{Question: q.question, Answer: writtenAnswer(value)})
	}
	return out
}

// writtenQuestion gives the words for one such answer's name; empty words mean that
// it is shown elsewhere.
func writtenQuestion(name string) (question string, written bool) {
	for _, q := range writtenQuestions {
		if q.name == name {
			return q.question, true
		}
	}
	return "", false
}

func writtenAnswer(value string) string {
	if word := writtenWords[value]; word != "" {
		return word
	}
	return strings.ReplaceAll(value, "_", " ")
}
