// Package profiles holds model profiles for simulations: how many contacts come
// when, how long they take, how long callers wait and who is on duty.
package profiles

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names lists the profiles, in order.
func Names() []string {
	found, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil // only a malformed pattern fails
	}
	for i, f := range found {
		found[i] = strings.TrimSuffix(f, ".yaml")
	}
	return found
}

// Read gives a profile's text by its name.
func Read(name string) ([]byte, error) { return files.ReadFile(name + ".yaml") }
