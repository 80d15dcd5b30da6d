package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/contact/importrule"
)

func TestImportsNothingOfOurs(t *testing.T) {
	importrule.Check(t, importrule.Rule{AllowOurs: []string{}})
}

func TestProtocolIsCurrent(t *testing.T) {
	want, err := Generate("../../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../src/protocol.gen.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("src/protocol.gen.ts is out of date: run go generate ./agentdesk/web")
	}
}

func TestGenerate(t *testing.T) {
	write := func(t *testing.T, protocol string) string {
		root := t.TempDir()
		for name, text := range map[string]string{
			"agentdesk/protocol.go": protocol,
			"routing/a.go":          "package routing\n// State is a state.\ntype State string\nconst (\n\tA State = \"a\"\n\tB State = \"b\"\n)\ntype Base struct{ N int `json:\"n\"` }\ntype Error struct{ C string `json:\"c\"` }\n",
			"contact/a.go":          "package contact\ntype Instant int64\ntype Duration int64\n",
		} {
			p := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	for _, c := range []struct {
		name, source string
		want         []string
		err          string
	}{
		{"constants", "const Max = 64 << 10\nconst T = \"x\" // a type", []string{"export const Max = 65536;", "/** a type */\nexport const T = \"x\";"}, ""},
		{"union of another package", "type M struct { S routing.State `json:\"s\"` }", []string{"export type State = \"a\" | \"b\";", "  s: State;"}, ""},
		{"nil slices are null, absent ones absent", "type M struct { A []string `json:\"a\"`\nB []string `json:\"b,omitempty\"` }", []string{"  a: string[] | null;", "  b?: string[];"}, ""},
		{"embedding", "type M struct { routing.Base }", []string{"export interface M extends Base {", "  n: number;"}, ""},
		{"spans are text", "type M struct { D contact.Duration `json:\"d\"` }", []string{"export type Duration = string;"}, ""},
		{"unnamed field", "type M struct { D int }", nil, "M.D has no json name"},
		{"unknown type", "type M struct { D routing.Nope `json:\"d\"` }", nil, "routing.Nope: type not found"},
		{"not data", "type M struct { F func() `json:\"f\"` }", nil, "cannot be written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Generate(write(t, "package agentdesk\n"+c.source+"\n"))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error = %v; want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(string(out), w) {
					t.Errorf("missing %q in:\n%s", w, out)
				}
			}
		})
	}
}
