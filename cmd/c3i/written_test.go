package main

import (
	"slices"
	"testing"

	"example.org/c3i/agentdesk"
)

func TestAnswersOfWrittenContactsInWords(t *testing.T) {
	got := answersInWords(map[string]string{"mailbox": "lost", "category": "lost_property", "risk": "life", "risk_reasons": "words.suicide"})
	want := []agentdesk.LabelledAnswer{{Question: "Risk", Answer: "to life"}, {Question: "About", Answer: "lost property"}, {Question: "Written to", Answer: "lost"}}
	if !slices.Equal(got, want) {
		t.Errorf("an e-mail's answers are %v, want %v", got, want)
	}
	if got := answersInWords(map[string]string{"menu": "crime"}); got != nil {
		t.Errorf("a call's answers are %v, want the flow's own words", got)
	}
	for _, q := range writtenQuestions {
		if _, known := writtenAnswers[q.name]; !known {
			t.Errorf("desks show %q, of which the plan's check does not know", q.name)
		}
	}
}
