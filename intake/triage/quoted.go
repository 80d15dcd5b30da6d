package triage

import (
	"regexp"
	"strings"
)

// Lines below which a mail program puts what is being answered.
var (
	attribution = regexp.MustCompile(`(?i)^\s*(>\s*)?(on|w dniu|dnia|am|le|el|il)\b.{4,200}(wrote|pisze|napisał\(a\)|napisał|napisała|schrieb.*|a écrit|escribió|ha scritto)\s*:\s*$`)
	attributes  = regexp.MustCompile(`(?i)(wrote|pisze|napisał\(a\)|napisał|napisała|লিখেছেন)\s*:\s*$`)
	separator   = regexp.MustCompile(`(?i)^\s*(-{2,}\s*(original message|reply message|oryginalna wiadomość|wiadomość oryginalna|মূল বার্তা)\s*-{2,}|_{20,})\s*$`)
	outlook     = regexp.MustCompile(`(?i)^\s*\*?(from|od|থেকে)\s*:\*?\s+\S`)
	outlookNext = regexp.MustCompile(`(?i)^\s*\*?(sent|date|wysłano|data|পাঠানো|তারিখ)\s*:`)
)

// Fresh is what is new in the text of a reply: without lines quoted with ">" and
// without what a mail program copies below the answer. When nothing would remain,
// all of it is new: somebody may have written between the lines.
func Fresh(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var kept []string
	lastMark := -1
	for i, line := range lines {
		if marked(line) {
			lastMark = i
		}
	}
loop:
	for i, line := range lines {
		switch {
		case marked(line), introduces(lines, i):
			continue
		case i > lastMark && copyBegins(lines, i):
			break loop
		}
		kept = append(kept, line)
	}
	fresh := strings.TrimSpace(strings.Join(kept, "\n"))
	if fresh == "" {
		return text
	}
	return fresh
}

// introduces reports whether a line says who wrote the ">" lines right below it.
func introduces(lines []string, i int) bool {
	if len(lines[i]) > lineLooked || !attributes.MatchString(lines[i]) {
		return false
	}
	for _, next := range lines[i+1:] {
		if next = strings.TrimSpace(next); next != "" {
			return strings.HasPrefix(next, ">")
		}
	}
	return false
}

func marked(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " \t"), ">") }

// copyBegins reports whether an unmarked copy of the earlier message begins at
// line i. It is asked only below the last marked line: where there are marks, only
// they tell what is old.
func copyBegins(lines []string, i int) bool {
	line := lines[i]
	if len(line) > lineLooked {
		return false
	}
	begins := separator.MatchString(line) || attribution.MatchString(line)
	if !begins && outlook.MatchString(line) {
		for _, next := range lines[i+1 : min(i+4, len(lines))] {
			begins = begins || outlookNext.MatchString(next)
		}
	}
	return begins
}

// lineLooked is the length up to which a line may be one of a mail program.
const lineLooked = 400
