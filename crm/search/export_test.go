package search

// Sound and Words are how names and texts are compared.
var (
	Sound = sound
	Words = words
	Date  = date
)

// Reading gives what recognise takes a text for, as "field=value" and "word"
// terms; * marks what may be unfinished.
func Reading(text, country string) [][]string {
	var out [][]string
	for _, r := range recognise(text, country) {
		var terms []string
		for _, t := range r {
			s := t.word
			for _, g := range t.guesses {
				s += " " + string(g.field.name()) + "=" + g.value
			}
			if t.last {
				s += "*"
			}
			terms = append(terms, s)
		}
		out = append(out, terms)
	}
	return out
}
