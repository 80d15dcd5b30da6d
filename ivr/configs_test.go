package ivr_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"example.org/c3i/ivr"
)

// catalogue loads prompt files, those of the product unless others are named.
func catalogue(t testing.TB, pattern string) *ivr.Catalogue {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no prompt files match %s: %v", pattern, err)
	}
	var files []ivr.PromptFile
	for _, n := range names {
		src, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, ivr.PromptFile{Name: filepath.Base(n), Src: src})
	}
	c, problems := ivr.LoadCatalogue(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func product(t testing.TB) *ivr.Catalogue { return catalogue(t, "../configs/prompts/*.yaml") }

func loadFlow(t testing.TB, path string, c *ivr.Catalogue) *ivr.Flow {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, problems := ivr.Load(filepath.Base(path), src, c)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestShippedFlowsLoad(t *testing.T) {
	c := product(t)
	front := loadFlow(t, "../configs/flows/front-door.yaml", c)
	if got := front.Destinations(); !slices.Equal(got, []string{"emergency"}) {
		t.Errorf("destinations = %v, want emergency", got)
	}
	if got := front.Answers()["menu"]; !slices.Equal(got, []string{"crime", "existing", "other", "handler"}) {
		t.Errorf("answers of menu = %v", got)
	}
	straight := loadFlow(t, "../configs/flows/straight-to-queue.yaml", c)
	if front.Hash() == straight.Hash() || front.Hash() == "" {
		t.Errorf("hashes %q and %q do not tell the flows apart", front.Hash(), straight.Hash())
	}
}

// Every prompt is in every language, so that nobody hears a mixture.
func TestShippedLanguagesAreComplete(t *testing.T) {
	c := product(t)
	if len(c.Languages) < 3 {
		t.Fatalf("%d languages, want English, Polish and Bengali", len(c.Languages))
	}
	for _, name := range c.Names() {
		for _, l := range c.Languages {
			if l.Prompts[name] == "" {
				t.Errorf("prompt %q is missing in %s", name, l.English)
			}
		}
	}
}
