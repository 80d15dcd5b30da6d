package ivr_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/ivr"
)

// TestBrokenFlows holds every problem of every flow in testdata/broken, with its
// place, against the file .golden beside it; -update rewrites those.
func TestBrokenFlows(t *testing.T) {
	c := catalogue(t, "testdata/prompts/*.yaml")
	only := c.Languages[0].Prompts
	only["only_english"] = "Only in English."
	golden(t, "testdata/broken/*.yaml", func(name string, src []byte) ivr.Problems {
		flow, problems := ivr.Load(name, src, c)
		if flow != nil {
			t.Errorf("%s: a flow was returned", name)
		}
		return problems
	})
}

func TestBrokenPromptFiles(t *testing.T) {
	golden(t, "testdata/broken-prompts/*.yaml", func(name string, src []byte) ivr.Problems {
		files := []ivr.PromptFile{{Name: name, Src: src}}
		if strings.HasPrefix(name, "second") {
			first, err := os.ReadFile("testdata/prompts/en.yaml")
			if err != nil {
				t.Fatal(err)
			}
			files = append([]ivr.PromptFile{{Name: "en.yaml", Src: first}}, files...)
		}
		c, problems := ivr.LoadCatalogue(files)
		if c != nil {
			t.Errorf("%s: a catalogue was returned", name)
		}
		return problems
	})
	if _, problems := ivr.LoadCatalogue(nil); len(problems) != 1 || problems[0].Code != "no_language" {
		t.Errorf("no files at all: %v", problems)
	}
}

func golden(t *testing.T, pattern string, load func(name string, src []byte) ivr.Problems) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			problems := load(filepath.Base(file), src)
			if len(problems) == 0 {
				t.Fatal("no problem was found")
			}
			var got strings.Builder
			for _, p := range problems {
				got.WriteString(p.Code + " " + p.String() + "\n")
			}
			want := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(want, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			b, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(b) {
				t.Errorf("problems:\n%swant:\n%s", got.String(), b)
			}
		})
	}
}

func TestHugeFileIsRefusedUnread(t *testing.T) {
	for name, src := range map[string][]byte{"bytes": make([]byte, 1<<20), "lines": bytes.Repeat([]byte("a: b\n"), 6000)} {
		_, problems := ivr.Load("huge.yaml", src, product(t))
		if len(problems) != 1 || problems[0].Code != "too_large" {
			t.Errorf("%s: problems = %v, want too_large", name, problems)
		}
	}
}

func TestWithoutACatalogueTheRestIsChecked(t *testing.T) {
	flow, problems := ivr.Load("x.yaml", []byte("flow: x\nlanguage: en\nstart: b\nsteps: {a: {say: hello, next: c}}\n"), nil)
	if flow != nil || len(problems) != 2 || problems[0].Code != "unknown_step" || problems[1].Code != "unknown_step" {
		t.Errorf("flow %v, problems %v; want two unknown steps", flow, problems)
	}
	src, err := os.ReadFile("../configs/flows/front-door.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if flow, problems := ivr.Load("x.yaml", src, nil); flow != nil || len(problems) != 0 {
		t.Errorf("flow %v, problems %v; want neither", flow, problems)
	}
}

func TestHashFollowsTheSource(t *testing.T) {
	c := product(t)
	src := "flow: a\nstart: b\nsteps: {b: {route: }}\n"
	one, _ := ivr.Load("one.yaml", []byte(src), c)
	same, _ := ivr.Load("two.yaml", []byte(src), c)
	other, _ := ivr.Load("one.yaml", []byte(src+"# later\n"), c)
	if one.Hash() != same.Hash() || one.Hash() == other.Hash() {
		t.Errorf("hashes %s, %s, %s: want the first two equal and the third not", one.Hash(), same.Hash(), other.Hash())
	}
}

func TestWordsKeepTheFlowsOrderAndStrangers(t *testing.T) {
	f := loadFlow(t, "testdata/flows/desk.yaml", catalogue(t, "testdata/prompts/*.yaml"))
	got := f.Words(map[string]string{"zeal": "much", "card": "4242", "menu": "report", "age": "old"})
	want := []ivr.AnswerLabel{
		{Name: "menu", Value: "report", Question: "Wants", Answer: "To report"},
		{Name: "card", Value: "4242", Question: "Number keyed", Answer: "4242"},
		{Name: "age", Value: "old", Question: "age", Answer: "old"},
		{Name: "zeal", Value: "much", Question: "zeal", Answer: "much"},
	}
	if len(got) != len(want) {
		t.Fatalf("words = %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("word %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestALanguageIsAPromptFile(t *testing.T) {
	files := []ivr.PromptFile{}
	for _, name := range []string{"en", "pl"} {
		src, err := os.ReadFile("testdata/prompts/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, ivr.PromptFile{Name: name, Src: src})
	}
	welsh := strings.NewReplacer("code: en", "code: cy", "name: English", "name: Cymraeg", "english: English",
		"english: Welsh", `key: "1"`, `key: "3"`, "For English, press", "Ar gyfer Cymraeg, pwyswch").Replace(string(files[0].Src))
	c, problems := ivr.LoadCatalogue(append(files, ivr.PromptFile{Name: "cy", Src: []byte(welsh)}))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if text, _ := c.Text(ivr.PromptRef{Name: ivr.LanguageChoice, Language: "cy"}); text != "Ar gyfer Cymraeg, pwyswch 3." {
		t.Errorf("choice = %q", text)
	}
	s := ivr.NewSession(loadFlow(t, "testdata/flows/desk.yaml", c), ivr.Options{})
	s.Step(ivr.Start{})
	s.Step(ivr.PlayDone{ID: 1})
	play, _ := s.Step(ivr.PlayDone{ID: 2})[0].(ivr.Play)
	if len(play.Prompts) != 3 || play.Prompts[2] != (ivr.PromptRef{Name: ivr.LanguageChoice, Language: "cy"}) {
		t.Errorf("offered %v, want three languages with Welsh last", play.Prompts)
	}
	s.Step(ivr.Digit{Key: '3'})
	if s.Language() != "cy" {
		t.Errorf("language = %q after key 3", s.Language())
	}
}

func TestOneLanguageIsNotAskedFor(t *testing.T) {
	f := loadFlow(t, "testdata/flows/desk.yaml", catalogue(t, "testdata/prompts/en.yaml"))
	s := ivr.NewSession(f, ivr.Options{})
	s.Step(ivr.Start{})
	s.Step(ivr.PlayDone{ID: 1})
	play, _ := s.Step(ivr.PlayDone{ID: 2})[0].(ivr.Play)
	if len(play.Prompts) != 1 || play.Prompts[0].Name != "menu" {
		t.Errorf("played %v, want the menu at once", play.Prompts)
	}
}
