package search_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/crm/search"
)

func TestSound(t *testing.T) {
	for _, same := range [][]string{
		{"smith", "smyth", "smithe"},
		{"stephen", "steven", "stefan"},
		{"catherine", "katherine", "kathryn"},
		{"philip", "filip", "phillip"},
		{"mohammed", "muhammad", "mohamed", "mahamad"},
		{"kowalski", "kovalsky"},
		{"clark", "clarke"},
		{"thompson", "tompson"},
		{"wright", "right"},
		{"knight", "night"},
		{"begum", "begam"},
		{"macdonald", "mcdonald"},
		{"shaun", "shawn"},
		{"patel", "pattel"},
		{"wojcik", "vojcik"},
		{"reid", "reed", "read"},
		{"hussain", "hussein"},
		{"chaudhry", "choudhury"},
	} {
		for _, n := range same[1:] {
			if search.Sound(n) != search.Sound(same[0]) {
				t.Errorf("%s sounds %q, %s %q", same[0], search.Sound(same[0]), n, search.Sound(n))
			}
		}
	}
	for _, other := range [][2]string{{"smith", "jones"}, {"patel", "taylor"}, {"khan", "singh"}, {"kowalski", "nowak"}, {"brown", "green"}} {
		if search.Sound(other[0]) == search.Sound(other[1]) {
			t.Errorf("%s sounds like %s", other[0], other[1])
		}
	}
	for _, none := range []string{"", "a", "রহিমা", "x1"} {
		if s := search.Sound(none); s != "" {
			t.Errorf("%q sounds %q", none, s)
		}
	}
}

func TestRecognise(t *testing.T) {
	for text, want := range map[string][][]string{
		"smith":              {{"smith*"}},
		"smith ":             {{"smith"}},
		"the smith":          {{"smith*"}},
		"john smith-jones":   {{"john", "smith", "jones*"}},
		"020 7946 0018":      {{" number=442079460018 reference=02079460018 unique=02079460018*"}, {"020", "7946", "0018*"}},
		"a@example.org":      {{" email=a@example.org*"}, {"example", "org*"}},
		"smith zz1 2ab":      {{"smith", " reference=ZZ12AB vehicle=ZZ12AB postcode=ZZ12AB unique=ZZ12AB*"}, {"smith", "zz1", "2ab*"}},
		"7K3M-92QX-R stolen": {{" reference=7K3M92QXR unique=7K3M92QXR", "stolen*"}, {"7k3m", "92qx", "stolen*"}},
		"KDA-TRM-HXB":        {{" reference=KDATRMHXB*"}, {"kda", "trm", "hxb*"}},
		"":                   nil,
		"...":                nil,
	} {
		if diff := cmp.Diff(want, search.Reading(text, "44")); diff != "" {
			t.Errorf("%q reads (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzRecognise: any text is read within the limits.
func FuzzRecognise(f *testing.F) {
	for _, s := range []string{
		"smith", "020 7946 0018", "+44 (0)20", "a@b.c", "AB12 CDE", "zz1 2ab", "7K3M-92QX-R", "0001234/26", "O’Neill", "রহিমা", "\xff", "ŁÓDŹ", "1 2 3 4 5 6 7 8 9 10",
		"ﬁ", "İ", "a\u0301\u0302", "--", "@", "00", "+", "//", "٠١٢٣",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rs := search.Reading(text, "44")
		if len(rs) > 3 {
			t.Errorf("%d readings", len(rs))
		}
		for _, r := range rs {
			if len(r) == 0 || len(r) > search.TermsLimit {
				t.Errorf("a reading of %d terms", len(r))
			}
			for _, term := range r {
				if len(term) > 2000 || !utf8.ValidString(term) {
					t.Errorf("term %q", term)
				}
			}
		}
		search.Words(text)
	})
}
