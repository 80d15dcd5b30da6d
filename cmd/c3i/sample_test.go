package main

import (
	"os"
	"strings"
	"testing"
)

func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var out strings.Builder
	if wantsSample(r, &out) || out.Len() > 0 {
		t.Errorf("a pipe was asked %q", &out)
	}
	if wantsSample(strings.NewReader("y\n"), &out) || wantsSample(nil, &out) || out.Len() > 0 {
		t.Errorf("what is no terminal was asked %q", &out)
	}
}

func TestNoAnswerIsNo(t *testing.T) {
	for answer, want := range map[string]bool{"": false, "\n": false, "n\n": false, "what?\n": false, "y\n": true, " YES \n": true} {
		var out strings.Builder
		if got := askSample(strings.NewReader(answer), &out); got != want || !strings.Contains(out.String(), "[y/N]") {
			t.Errorf("%q: %v after %q", answer, got, &out)
		}
	}
}
