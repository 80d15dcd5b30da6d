package prompts

import (
	"fmt"
	"io/fs"
	"path"

	"example.org/c3i/ivr"
)

// Texts reads the prompt files (*.yaml) at the top of a file tree; dir is what
// the tree is called in messages. Problems in the files come back as one Error
// with CodeTexts that lists them all with line and column.
func Texts(files fs.FS, dir string) (*ivr.Catalogue, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) == 0 {
		return nil, &Error{CodeTexts, fmt.Sprintf("there is no prompt file (*.yaml) in %s", dir), err}
	}
	var sources []ivr.PromptFile
	for _, name := range names {
		src, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, &Error{CodeTexts, fmt.Sprintf("the prompt file %s cannot be read", path.Join(dir, name)), err}
		}
		sources = append(sources, ivr.PromptFile{Name: path.Join(dir, name), Src: src})
	}
	c, problems := ivr.LoadCatalogue(sources)
	if err := problems.Err(); err != nil {
		return nil, &Error{CodeTexts, "the prompt files cannot be used", err}
	}
	return c, nil
}
