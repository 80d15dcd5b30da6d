// Package triage says what a written contact may be about: pure, explained, and
// shared by all channels. It never decides anything a plan's rule does not.
package triage

import "example.org/c3i/contact"

// Input is what is known of a contact before anybody has read it.
type Input struct {
	Channel contact.Channel
	Subject string
	Text    string
	// Answers are form answers by question code.
	Answers map[string]string
	// Language is the language chosen or set for the address, empty when not known.
	Language string
	// Reply says that the text answers what we have: quoted earlier text was
	// assessed when it came and is not assessed again. Leave it false for a
	// forwarded message and for the first of a thread, where what is quoted is news.
	Reply bool
}

// Level says how much it may matter at once.
type Level string

// Levels, as the plan's rules see them in answers.risk.
const (
	NoRisk      Level = ""
	ChildAtRisk Level = "child"
	RiskToLife  Level = "life"
)

// Reason is one thing that was found, and where.
type Reason struct {
	Code string `json:"code"` // for example "words.suicide", "answer.weapon"
	// Sentence is for people.
	Sentence string `json:"sentence"`
	// Quote is the passage it rests on: personal data, for the desk only.
	Quote string `json:"quote,omitempty"`
}

// Result is what triage found. Answers go into the contact's facts for the
// plan's rules: risk ("life", "child"), risk_reasons (codes, with spaces between)
// and category. They hold nothing of the text.
type Result struct {
	Risk    Level
	Reasons []Reason
	// Language is a guess where Input had none, and only when it is sure.
	Language string
	Category string
	Answers  map[string]string
}
