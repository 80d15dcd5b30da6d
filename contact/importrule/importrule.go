// Package importrule lets a package state, as a test, what it may import. It
// reads the source with go/parser, so the rule holds on what is written and not
// on what a build happens to link.
package importrule

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Module is the path all packages of ours begin with.
const Module = "example.org/c3i"

// Rule says what the package in the current directory may import in its
// non-test files.
type Rule struct {
	// AllowOurs lists packages of this module by path below the module, for
	// example "contact". A name ending in "/..." allows everything below it.
	AllowOurs []string
	// Forbid maps an import path to the reason it must not be imported.
	Forbid map[string]string
}

// Pure is the reason table for deterministic packages: time arrives as an
// argument, nothing is random, nothing waits.
func Pure() map[string]string {
	const why = "decisions must depend on events alone, so that replay and simulation repeat them"
	forbid := map[string]string{}
	for _, p := range []string{"time", "context", "sync", "sync/atomic", "os", "net", "net/http", "math/rand", "math/rand/v2"} {
		forbid[p] = why
	}
	return forbid
}

// Check fails the test for each import that breaks the rule, naming the file.
func Check(t *testing.T, rule Rule) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		read++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why, bad := rule.Forbid[path]; bad {
				t.Errorf("%s imports %q: %s", name, path, why)
			}
			if ours, is := strings.CutPrefix(path, Module+"/"); is && !allowed(rule.AllowOurs, ours) {
				t.Errorf("%s imports %q: this package may import only %v of ours", name, path, rule.AllowOurs)
			}
		}
	}
	if read == 0 {
		t.Fatal("no source files found: the rule checked nothing")
	}
}

func allowed(list []string, path string) bool {
	for _, a := range list {
		if a == path {
			return true
		}
		if base, is := strings.CutSuffix(a, "/..."); is && (path == base || strings.HasPrefix(path, base+"/")) {
			return true
		}
	}
	return false
}
