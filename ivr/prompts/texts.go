package prompts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"example.org/c3i/ivr"
)

// Texts reads the prompt files (*.yaml) of a directory. Problems in them come
// back as one Error with CodeTexts that lists them all with line and column.
func Texts(dir string) (*ivr.Catalogue, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, &Error{CodeTexts, fmt.Sprintf("the directory name %q cannot be used", dir), err}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, &Error{CodeTexts, fmt.Sprintf("there is no prompt file (*.yaml) in %s", dir), nil}
	}
	var files []ivr.PromptFile
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, &Error{CodeTexts, fmt.Sprintf("the prompt file %s cannot be read", name), err}
		}
		files = append(files, ivr.PromptFile{Name: name, Src: src})
	}
	c, problems := ivr.LoadCatalogue(files)
	if err := problems.Err(); err != nil {
		return nil, &Error{CodeTexts, "the prompt files cannot be used", err}
	}
	return c, nil
}
