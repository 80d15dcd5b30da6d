package live

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/c3i/routing/journal"
)

func record(seq uint64) journal.Record {
	return journal.Record{Seq: seq, At: 1, Epoch: 3, Kind: "tick", Event: json.RawMessage("{}"), Chain: []byte{1}}
}

func TestSpoolKeepsRecordsInOrder(t *testing.T) {
	dir := t.TempDir()
	s, err := openSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.write([]journal.Record{record(7), record(8)}), s.write([]journal.Record{record(9)}), s.close()); err != nil {
		t.Fatal(err)
	}
	if s, err = openSpool(dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	got, err := s.read()
	if err != nil || len(got) != 3 || got[0].Seq != 7 || got[2].Seq != 9 || got[1].Epoch != 3 {
		t.Fatalf("read %+v, %v", got, err)
	}
	if err := s.reset(); err != nil {
		t.Fatal(err)
	}
	if got, err = s.read(); err != nil || len(got) != 0 {
		t.Fatalf("after reset read %+v, %v", got, err)
	}
}

func TestSpoolDamage(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(string) string
		records int
		damaged bool
	}{
		"last line cut short":   {func(s string) string { return s[:len(s)-5] }, 1, false},
		"a byte changed":        {func(s string) string { return strings.Replace(s, `"seq":2`, `"seq":5`, 1) }, 1, true},
		"not a spool":           {func(string) string { return "hello\n" }, 0, true},
		"empty":                 {func(string) string { return "" }, 0, false},
		"only a line cut short": {func(string) string { return "0000" }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := openSpool(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.write([]journal.Record{record(1), record(2)}), s.close()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, spoolName)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.change(string(b))), 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err = openSpool(dir); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.close() }()
			got, err := s.read()
			var damaged *damagedSpool
			if len(got) != c.records || errors.As(err, &damaged) != c.damaged || !c.damaged && err != nil {
				t.Errorf("read %d records, %v; want %d, damaged %v", len(got), err, c.records, c.damaged)
			}
		})
	}
}
