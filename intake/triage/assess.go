package triage

import (
	"slices"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// TextLimit is how much of a text is looked at, in bytes.
const TextLimit = 256 << 10

// reasonsListed bounds the reasons given, and one per code is enough.
const reasonsListed = 12

// Assess looks for words and answers that suggest risk to life or a child at
// risk. The same input gives the same result. It is made to find too much rather
// than too little: a person decides, and Reasons tell them where to look.
func Assess(in Input) Result {
	text := cut(in.Text, TextLimit)
	if in.Reply {
		text = Fresh(text)
	}
	r := Result{Language: in.Language, Answers: map[string]string{}}
	r.Reasons = append(r.Reasons, fromAnswers(in.Answers)...)
	words := split(in.Subject)
	words = append(words, end)
	words = append(words, split(text)...)
	r.Reasons = append(r.Reasons, fromWords(words)...)
	for _, reason := range r.Reasons {
		r.Risk = graver(r.Risk, levels[reason.Code])
	}
	r.Category = category(words, in.Answers)
	if r.Language == "" {
		r.Language = language(text)
	}
	if r.Risk != NoRisk {
		r.Answers["risk"] = string(r.Risk)
		var codes []string
		for _, reason := range r.Reasons {
			codes = append(codes, reason.Code)
		}
		r.Answers["risk_reasons"] = strings.Join(codes, " ")
	}
	if r.Category != "" {
		r.Answers["category"] = r.Category
	}
	return r
}

func graver(a, b Level) Level {
	if a == RiskToLife || b == RiskToLife {
		return RiskToLife
	}
	if a == ChildAtRisk || b == ChildAtRisk {
		return ChildAtRisk
	}
	return NoRisk
}

// levels maps every code to how much it matters.
var levels = func() map[string]Level {
	m := map[string]Level{}
	for _, r := range rules {
		m[r.code] = r.level
	}
	for _, q := range questions {
		m["answer."+q.code] = q.level
	}
	return m
}()

// question is a form's question one of whose answers matters.
type question struct {
	code     string
	yes      []string
	level    Level
	sentence string
}

// Sentence puts a Reason's code into words for people; empty for a code there is not.
func Sentence(code string) string {
	for _, r := range rules {
		if r.code == code {
			return r.sentence
		}
	}
	for _, q := range questions {
		if "answer."+q.code == code {
			return q.sentence
		}
	}
	return ""
}

var affirmative = []string{"yes", "true", "1"}

var questions = []question{
	{"danger_now", affirmative, RiskToLife, "They answered that somebody is in danger now."},
	{"emergency", affirmative, RiskToLife, "They answered that this is an emergency."},
	{"self_harm", affirmative, RiskToLife, "They answered that somebody may harm themselves."},
	{"threat_to_kill", affirmative, RiskToLife, "They answered that somebody was threatened with death."},
	{"weapon", affirmative, RiskToLife, "They answered that there is a weapon."},
	{"injured_now", affirmative, RiskToLife, "They answered that somebody is hurt and needs help."},
	{"offender_present", affirmative, RiskToLife, "They answered that the offender is still there."},
	{"child_at_risk", affirmative, ChildAtRisk, "They answered that a child is at risk."},
	{"under_eighteen_alone", affirmative, ChildAtRisk, "They answered that they are under 18 and alone."},
}

func fromAnswers(answers map[string]string) []Reason {
	var out []Reason
	for _, q := range questions {
		if slices.Contains(q.yes, strings.ToLower(strings.TrimSpace(answers[q.code]))) {
			out = append(out, Reason{Code: "answer." + q.code, Sentence: q.sentence})
		}
	}
	return out
}

func fromWords(words []word) []Reason {
	var out []Reason
	seen := map[string]bool{}
	for i := range words {
		for _, p := range candidates(words[i].text) {
			if seen[p.rule.code] {
				continue
			}
			end, ok := p.match(words, i)
			if !ok || negated(words, i, end) {
				continue
			}
			seen[p.rule.code] = true
			if len(out) < reasonsListed {
				out = append(out, Reason{Code: p.rule.code, Sentence: p.rule.sentence, Quote: quote(words, i, end)})
			}
		}
	}
	// Gravest first, then in the order written.
	slices.SortStableFunc(out, func(a, b Reason) int {
		return rank(levels[a.Code]) - rank(levels[b.Code])
	})
	return out
}

func rank(l Level) int {
	if l == RiskToLife {
		return 0
	}
	return 1
}

// quote is the passage a match rests on, with a few words around it.
func quote(words []word, from, to int) string {
	s := words[from].sentence
	for n := 0; from > 0 && n < 8 && words[from-1].sentence == s && words[from-1].raw != ""; n++ {
		from--
	}
	for n := 0; to < len(words) && n < 8 && words[to].sentence == s; n++ {
		to++
	}
	var raw []string
	for _, w := range words[from:to] {
		raw = append(raw, w.raw)
	}
	return cut(strings.Join(raw, " "), 240)
}

// language guesses, when there is enough text to be sure.
func language(text string) string {
	letters := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	if letters < 40 {
		return ""
	}
	info := whatlanggo.Detect(cut(text, 8<<10))
	if !info.IsReliable() {
		return ""
	}
	return info.Lang.Iso6391()
}

// cut shortens at the end of a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
