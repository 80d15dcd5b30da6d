package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/c3i/configs"
)

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			dir, err := os.MkdirTemp("", "c3i-")
			if err != nil {
				return err
			}
			e.Defer(func() { _ = os.RemoveAll(dir) })
			e.Setenv("DATA", dir)
			plan, err := configs.Files.ReadFile("plan.yaml")
			if err != nil {
				return err
			}
			for _, name := range []string{"C3I_REDIS_PROGRAM", "C3I_ASTERISK_PROGRAM", "C3I_PROMPTS_ESPEAK"} {
				if v := os.Getenv(name); v != "" {
					e.Setenv(name, v)
				}
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "plan.yaml"), plan, 0o600)
		},
	})
}

// TestHelpReads holds every help text to a golden file, so that each change of it
// is read.
func TestHelpReads(t *testing.T) {
	t.Setenv("C3I_CONFIG", "")
	for _, cmd := range allCommands(newRoot()) {
		if cmd.Parent() != nil && cmd.Parent().Name() == "completion" || cmd.Name() == "help" {
			continue
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		t.Run(name, func(t *testing.T) {
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
			var out, errOut strings.Builder
			if code := run(t.Context(), args, nil, &out, &errOut); code != exitOK || errOut.Len() > 0 {
				t.Fatalf("code %d, %s", code, &errOut)
			}
			got := strings.ReplaceAll(out.String(), configs.Defaults().DataDir, "DATA_DIR")
			file := filepath.Join("testdata", "help", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("help of %s reads\n%s\nnot\n%s", cmd.CommandPath(), got, want)
			}
			for line := range strings.Lines(got) {
				if len(line) > 125 {
					t.Errorf("too wide for a screen: %s", line)
				}
			}
		})
	}
}
