package plan_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"example.org/c3i/routing/plan"
)

func editable(t testing.TB, src string) *plan.Draft {
	t.Helper()
	d, err := plan.Edit([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Edited by nothing, every text stays as it is to the byte.
func TestEditingNothingChangesNothing(t *testing.T) {
	files, _ := filepath.Glob("testdata/broken/*.yaml")
	n := 0
	for _, file := range append(files, "../../configs/plan.yaml") {
		src := readFile(t, file)
		d, err := plan.Edit([]byte(src))
		if err != nil {
			continue // is no YAML
		}
		n++
		if string(d.Bytes()) != src {
			t.Errorf("%s is another text", file)
		}
	}
	if n < 20 {
		t.Errorf("only %d texts could be edited", n)
	}
}

// leaves lists the path of every value in a document that holds no others.
func leaves(v any, at []string) (paths [][]string) {
	switch x := v.(type) {
	case yaml.MapSlice:
		for _, p := range x {
			paths = append(paths, leaves(p.Value, append(slices.Clone(at), fmt.Sprint(p.Key)))...)
		}
	case []any:
		for i, item := range x {
			paths = append(paths, leaves(item, append(slices.Clone(at), strconv.Itoa(i)))...)
		}
	default:
		paths = append(paths, at)
	}
	return paths
}

// One value edited, and only its line differs, by no more than the value.
func TestEditingOneValueChangesOneLine(t *testing.T) {
	src := readFile(t, "../../configs/plan.yaml")
	d := editable(t, src)
	all, err := d.Get()
	if err != nil {
		t.Fatal(err)
	}
	paths := leaves(all, nil)
	if len(paths) < 100 {
		t.Fatalf("only %d values", len(paths))
	}
	values := []any{"another", 7, true, `odd: "text", with {brackets} # and hash`, "no", "12"}
	for i, path := range paths {
		for _, value := range []any{values[i%len(values)]} {
			d := editable(t, src)
			if err := d.Set(value, path...); err != nil {
				t.Fatalf("%v: %v", path, err)
			}
			before, after := strings.Split(src, "\n"), strings.Split(string(d.Bytes()), "\n")
			if len(before) != len(after) {
				t.Fatalf("%v: %d lines became %d", path, len(before), len(after))
			}
			changed := 0
			for i := range before {
				if before[i] == after[i] {
					continue
				}
				changed++
				_, comment, _ := strings.Cut(before[i], " # ")
				if !strings.HasSuffix(after[i], comment) {
					t.Errorf("%v: the comment is gone:\n%s\n%s", path, before[i], after[i])
				}
			}
			if got, err := d.Get(path...); err != nil || fmt.Sprint(got) != fmt.Sprint(value) || changed > 1 {
				t.Fatalf("%v: %d lines changed, it reads %v, %v", path, changed, got, err)
			}
		}
	}
}

// What a console does to a plan, as a diff that a person would have made.
func TestEditsReadLikeAPersons(t *testing.T) {
	src := readFile(t, "../../configs/plan.yaml")
	pairs := func(kv ...any) yaml.MapSlice {
		var m yaml.MapSlice
		for i := 0; i < len(kv); i += 2 {
			m = append(m, yaml.MapItem{Key: kv[i], Value: kv[i+1]})
		}
		return m
	}
	var out strings.Builder
	for _, c := range []struct {
		what string
		do   func(*plan.Draft) error
	}{
		{"another target", func(d *plan.Draft) error { return d.Set("45s", "answer_within", "phone") }},
		{"a queue's own target", func(d *plan.Draft) error { return d.Set("20s", "queues", "crime", "answer_within", "phone") }},
		{"a skill and a queue for it", func(d *plan.Draft) error {
			return errors.Join(d.Set("Bicycle theft", "skills", "report.bicycle"), d.Set(4, "profiles", "crime-desk", "skills", "report.bicycle"),
				d.Set(pairs("label", "Bicycle theft", "needs", pairs("report.bicycle", 2)), "queues", "bicycle"))
		}},
		{"a rule before the second", func(d *plan.Draft) error {
			return d.Insert(pairs("name", "bicycle theft", "when", `answers.menu == "crime" and answers.kind == "bicycle"`, "queue", "crime"), 1, "rules")
		}},
		{"a rule moved up", func(d *plan.Draft) error { return d.Move(4, 1, "rules") }},
		{"a rule gone", func(d *plan.Draft) error { return d.Remove("rules", "0") }},
		{"a queue gone, with its comments", func(d *plan.Draft) error { return d.Remove("queues", "property") }},
		{"a key gone", func(d *plan.Draft) error { return d.Remove("queues", "crime", "wrap_up") }},
		{"a key gone in brackets", func(d *plan.Draft) error { return d.Remove("answer_within", "email") }},
		{"a skill gone in brackets", func(d *plan.Draft) error { return d.Remove("profiles", "crime-desk", "skills", "lang.en") }},
		{"an overflow step more", func(d *plan.Draft) error {
			return d.Insert(pairs("after", "20m", "to", "crime"), 1, "queues", "existing", "overflow")
		}},
		{"another name", func(d *plan.Draft) error { return d.Rename("front-desk", "profiles", "crime-desk") }},
		{"a rota", func(d *plan.Draft) error {
			return d.Set(pairs("crime-desk", "always", "crime-desk-polish", pairs("mon-fri", "08:00-20:00")), "rota")
		}},
		{"the last bank holiday gone", func(d *plan.Draft) error { return d.Remove("holidays", "2027-12-28") }},
		{"no overflow", func(d *plan.Draft) error { return d.Remove("queues", "existing", "overflow", "0") }},
	} {
		d := editable(t, src)
		if err := c.do(d); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		fmt.Fprintf(&out, "%s\n%s\n", c.what, lineDiff(src, string(d.Bytes())))
	}
	if *update {
		if err := os.WriteFile("testdata/edits.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readFile(t, "testdata/edits.txt"), out.String()); diff != "" {
		t.Errorf("-expected +got:\n%s", diff)
	}
}

// lineDiff lists lines that went and came, by the longest common subsequence.
func lineDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	best := make([][]int, len(x)+1)
	for i := range best {
		best[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				best[i][j] = best[i+1][j+1] + 1
			} else {
				best[i][j] = max(best[i+1][j], best[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && best[i+1][j] >= best[i][j+1]:
			fmt.Fprintf(&out, "-%s\n", x[i])
			i++
		default:
			fmt.Fprintf(&out, "+%s\n", y[j])
			j++
		}
	}
	return out.String()
}

// Many edits by chance: each does what it says and nothing else, or says that it
// cannot; and comments go only with what they stand above.
func TestEditsByChance(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 5))
	src := readFile(t, "../../configs/plan.yaml")
	values := []any{"text", 3, false, "a: b", []any{"x", 2}, yaml.MapSlice{{Key: "k", Value: "v"}, {Key: "l", Value: []any{1}}}, yaml.MapSlice{}, []any{}, "two\nlines"}
	done, unclear := 0, 0
	for range 15 {
		d := editable(t, src)
		for range 25 {
			all, err := d.Get()
			if err != nil {
				t.Fatal(err)
			}
			paths := leaves(all, nil)
			path := paths[dice.IntN(len(paths))]
			path = path[:1+dice.IntN(len(path))]
			before := string(d.Bytes())
			value := values[dice.IntN(len(values))]
			var what string
			switch dice.IntN(6) {
			case 0, 1:
				what, err = "set", d.Set(value, path...)
			case 2:
				what, err = "add", d.Set(value, append(slices.Clone(path), "added")...)
			case 3:
				what, err = "remove", d.Remove(path...)
			case 4:
				what, err = "insert", d.Insert(value, 0, path...)
			case 5:
				what, err = "move", d.Move(0, 1, path...)
			}
			var why *plan.EditError
			switch {
			case err == nil:
				done++
				if _, err := plan.Edit(d.Bytes()); err != nil {
					t.Fatalf("%s %v made\n%s", what, path, d.Bytes())
				}
			case !errors.As(err, &why):
				t.Fatalf("%s %v: %v", what, path, err)
			default:
				if why.Code == plan.EditUnclear {
					unclear++
					t.Logf("%s %v %v: %v", what, path, value, err)
				}
				if string(d.Bytes()) != before {
					t.Fatalf("%s %v failed and changed the text", what, path)
				}
			}
		}
	}
	if done < 120 || unclear*20 > done {
		t.Errorf("%d edits were made, %d were unclear", done, unclear)
	}
}

func TestEditsThatCannotBe(t *testing.T) {
	src := readFile(t, "../../configs/plan.yaml")
	for what, c := range map[string]struct {
		do   func(*plan.Draft) error
		code string
	}{
		"no such key":        {func(d *plan.Draft) error { return d.Remove("queues", "fraud") }, plan.EditNoPath},
		"no such item":       {func(d *plan.Draft) error { return d.Set("x", "rules", "99", "name") }, plan.EditNoPath},
		"no list":            {func(d *plan.Draft) error { return d.Insert("x", 0, "queues") }, plan.EditNoPath},
		"under a scalar":     {func(d *plan.Draft) error { return d.Set("x", "time_zone", "name") }, plan.EditNoPath},
		"a name taken":       {func(d *plan.Draft) error { return d.Rename("general", "queues", "crime") }, plan.EditExists},
		"nothing":            {func(d *plan.Draft) error { return d.Set("x") }, plan.EditInvalid},
		"a value of no kind": {func(d *plan.Draft) error { return d.Set(make(chan int), "time_zone") }, plan.EditInvalid},
	} {
		d := editable(t, src)
		var e *plan.EditError
		if err := c.do(d); !errors.As(err, &e) || e.Code != c.code || string(d.Bytes()) != src {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, bad := range []string{"", "- a", "a: [", "a: 1\n---\nb: 2\n"} {
		if _, err := plan.Edit([]byte(bad)); err == nil {
			t.Errorf("%q can be edited", bad)
		}
	}
}

func FuzzEdit(f *testing.F) {
	f.Add("a: {b: 1} # c\nd:\n  - e\n  # f\n  - g: h\n", "d", "1", "x")
	f.Add("a: |\n  text\n  more\nb: 'q'\n", "a", "", "y: z")
	f.Add("k: \"a\\\"b\"\r\nl: [1, 2, [3]]\r\n", "l", "2", "#")
	f.Fuzz(func(t *testing.T, src, key, item, value string) {
		d, err := plan.Edit([]byte(src))
		if err != nil {
			return
		}
		path := []string{key}
		if item != "" {
			path = append(path, item)
		}
		for _, do := range []func() error{
			func() error { return d.Set(value, path...) }, func() error { return d.Insert(value, 0, key) },
			func() error { return d.Move(0, 1, key) }, func() error { return d.Rename(value, path...) }, func() error { return d.Remove(path...) },
		} {
			before := string(d.Bytes())
			if err := do(); err != nil && string(d.Bytes()) != before {
				t.Fatalf("a failed edit changed %q to %q", before, d.Bytes())
			}
			if _, err := d.Get(); err != nil {
				t.Fatalf("%q cannot be read: %v", d.Bytes(), err)
			}
		}
	})
}
