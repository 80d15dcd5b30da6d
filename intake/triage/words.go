package triage

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// word is one word of a text, as it is compared and as it was written.
type word struct {
	text, raw string
	// sentence and clause count from the text's beginning.
	sentence, clause int
}

// end stands between two texts: no phrase reaches over it.
var end = word{sentence: -1, clause: -1}

// folds makes Polish comparable whether or not its marks were typed.
var folds = strings.NewReplacer("ą", "a", "ć", "c", "ę", "e", "ł", "l", "ń", "n", "ó", "o", "ś", "s", "ź", "z", "ż", "z")

// split makes words of a text: small letters, without marks and apostrophes, in
// one spelling of each character.
func split(text string) []word {
	text = norm.NFKC.String(strings.ToValidUTF8(text, " "))
	var out []word
	var raw strings.Builder
	sentence, clause := 0, 0
	flush := func() {
		if raw.Len() == 0 {
			return
		}
		w := raw.String()
		raw.Reset()
		if folded := fold(w); folded != "" {
			out = append(out, word{text: folded, raw: w, sentence: sentence, clause: clause})
		}
	}
	blank := false // the line so far is empty
	for _, r := range text {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), r == '\'', r == '’', r == '‘', r == '\u200c', r == '\u200d':
			raw.WriteRune(r)
			blank = false
			continue
		}
		flush()
		switch r {
		case '.', '!', '?', ';', '।', '…':
			sentence++
			clause++
		case ',', ':', '(', ')', '–', '—', '"':
			clause++
		case '\n':
			if blank {
				sentence++
				clause++
			}
			blank = true
		}
	}
	flush()
	return out
}

func fold(w string) string {
	w = strings.Map(func(r rune) rune {
		switch r {
		case '\'', '’', '‘', '\u200c', '\u200d':
			return -1
		}
		return r
	}, strings.ToLower(w))
	return folds.Replace(w)
}

// pattern is a phrase: words one after the other. "a|b" is either, "a*" begins
// with a, ".." is up to three words of any kind.
type pattern struct {
	rule  *rule
	parts [][]string
}

const gap = 3

func compile(r *rule, phrase string) pattern {
	p := pattern{rule: r}
	for _, part := range strings.Fields(norm.NFKC.String(phrase)) {
		var alternatives []string
		for a := range strings.SplitSeq(part, "|") {
			star := strings.HasSuffix(a, "*")
			if a != ".." {
				a = fold(strings.TrimSuffix(a, "*"))
			}
			if star {
				a += "*"
			}
			alternatives = append(alternatives, a)
		}
		p.parts = append(p.parts, alternatives)
	}
	return p
}

// match reports whether the phrase stands at words[i], and where it ends.
func (p pattern) match(words []word, i int) (int, bool) {
	return matchParts(p.parts, words, i, words[i].sentence)
}

func matchParts(parts [][]string, words []word, i, sentence int) (int, bool) {
	for n, part := range parts {
		if part[0] == ".." {
			for skip := 0; skip <= gap; skip++ {
				if e, ok := matchParts(parts[n+1:], words, i+skip, sentence); ok {
					return e, true
				}
			}
			return 0, false
		}
		if i >= len(words) || words[i].sentence != sentence || !one(part, words[i].text) {
			return 0, false
		}
		i++
	}
	return i, i <= len(words)
}

func one(alternatives []string, w string) bool {
	for _, a := range alternatives {
		if stem, star := strings.CutSuffix(a, "*"); a == w || star && strings.HasPrefix(w, stem) {
			return true
		}
	}
	return false
}

// byFirst finds the phrases that may begin with a word, byStem those that begin
// with a stem, by its first character.
var byFirst, byStem = func() (map[string][]pattern, map[rune][]pattern) {
	exact, stems := map[string][]pattern{}, map[rune][]pattern{}
	for i := range rules {
		for _, phrase := range rules[i].phrases {
			p := compile(&rules[i], phrase)
			for _, a := range p.parts[0] {
				if strings.HasSuffix(a, "*") {
					q := p
					q.parts = append([][]string{{a}}, p.parts[1:]...)
					first, _ := utf8.DecodeRuneInString(a)
					stems[first] = append(stems[first], q)
					continue
				}
				exact[a] = append(exact[a], p)
			}
		}
	}
	return exact, stems
}()

func candidates(w string) []pattern {
	if w == "" {
		return nil
	}
	out := byFirst[w]
	first, _ := utf8.DecodeRuneInString(w)
	for _, p := range byStem[first] {
		if strings.HasPrefix(w, strings.TrimSuffix(p.parts[0][0], "*")) {
			out = append(out[:len(out):len(out)], p)
		}
	}
	return out
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(norm.NFKC.String(words)) {
		m[fold(w)] = true
	}
	return m
}

// Words that deny what follows (English, Polish), what takes their force away
// when it comes next ("not only", "nie wiem"), and Bengali words that deny what
// stands before them.
var (
	denies      = set("not never no didn't doesn't isn't wasn't won't hasn't haven't nobody without wouldn't nie nikt nigdy bez")
	nonetheless = set("only sure joking kidding idea know just doubt stop help wiem tylko moge mogę żartuję żartuje wytrzymam")
	deniesLater = set("না নেই নাই নয় নি")
)

// negated reports whether a match is denied in its own clause. Only plain denials
// count: "don't think", "can't stop" and "if" do not.
func negated(words []word, from, to int) bool {
	clause := words[from].clause
	for n := 1; n <= 3 && from-n >= 0 && words[from-n].clause == clause && words[from-n].raw != ""; n++ {
		if denies[words[from-n].text] && !nonetheless[words[from-n+1].text] {
			return true
		}
	}
	last := words[to-1]
	if !unicode.Is(unicode.Bengali, []rune(last.text)[0]) {
		return false
	}
	for n := 0; n < 2 && to+n < len(words) && words[to+n].clause == last.clause && words[to+n].raw != ""; n++ {
		if t := words[to+n].text; deniesLater[t] || strings.HasSuffix(t, "নি") {
			return true
		}
	}
	return false
}
