package plan

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Draft is a plan's text that is edited in place: what is not edited keeps every
// byte, comments and order included. Each edit is proved: the text is read again,
// and if it does not say what was asked for, and else what it said before, nothing
// is changed. A path is a list of keys and, for items of lists, of numbers from 0:
// "rules", "2", "when". A draft need not be a good plan: Parse tells.
type Draft struct{ src string }

// Edit begins to edit a text. It must be YAML with keys and values.
func Edit(src []byte) (*Draft, error) {
	d := &Draft{src: string(src)}
	if _, err := d.tree(); err != nil {
		return nil, err
	}
	return d, nil
}

// Bytes is the text as edited.
func (d *Draft) Bytes() []byte { return []byte(d.src) }

// Codes of EditError.
const (
	EditNoPath  = "no_such_path" // nothing stands there
	EditExists  = "exists"       // a key of that name is there already
	EditUnclear = "unclear"      // the text is written in a way that cannot be edited in place
	EditInvalid = "invalid"      // it is not YAML, or the value cannot be written
)

// EditError says why the text was not changed.
type EditError struct {
	Code string
	Path []string
	// Message is a sentence for people.
	Message string
}

// Error says it for people.
func (e *EditError) Error() string {
	if len(e.Path) == 0 {
		return e.Message
	}
	return strings.Join(e.Path, ".") + ": " + e.Message
}

func editError(code string, path []string, format string, args ...any) *EditError {
	return &EditError{code, path, fmt.Sprintf(format, args...)}
}

// Get gives the value at a path as Go values: strings, numbers, bools, yaml.MapSlice
// and []any.
func (d *Draft) Get(path ...string) (any, error) {
	v, err := decodeOrdered(d.src)
	if err != nil {
		return nil, err
	}
	got, ok := lookUp(v, path)
	if !ok {
		return nil, editError(EditNoPath, path, "nothing stands there")
	}
	return got, nil
}

// Set puts a value at a path. A key that is not there is added at the end of its
// mapping, the mappings above it as well; an item of a list must be there. Values
// are strings, bools, numbers, []any, yaml.MapSlice and maps, whose keys are sorted.
func (d *Draft) Set(value any, path ...string) error {
	value, err := plainValue(value)
	if err != nil || len(path) == 0 {
		return editError(EditInvalid, path, "this value cannot be written there")
	}
	before, err := decodeOrdered(d.src)
	if err != nil {
		return err
	}
	if was, there := lookUp(before, path); there && same(was, value) {
		return nil
	}
	// Missing mappings above are made with what they are to hold.
	at := len(path)
	for at > 1 {
		if _, there := lookUp(before, path[:at-1]); there {
			break
		}
		at--
		value = yaml.MapSlice{{Key: path[at], Value: value}}
	}
	path = path[:at]
	want, ok := withValue(before, path, value)
	if !ok {
		return editError(EditNoPath, path, "a list has no such item, or this is no place for a key")
	}
	return d.change(want, path, func(e *editor) error {
		if _, there := lookUp(before, path); there {
			return e.replace(path, value)
		}
		return e.add(path, value)
	})
}

// Remove takes a key or an item out, with the comments directly above it.
func (d *Draft) Remove(path ...string) error {
	before, err := decodeOrdered(d.src)
	if err != nil {
		return err
	}
	want, ok := without(before, path)
	if !ok {
		return editError(EditNoPath, path, "nothing stands there")
	}
	return d.change(want, path, func(e *editor) error { return e.remove(path) })
}

// Insert puts a value into a list before item i; i may be the list's length.
func (d *Draft) Insert(value any, i int, path ...string) error {
	value, err := plainValue(value)
	if err != nil {
		return editError(EditInvalid, path, "this value cannot be written there")
	}
	before, err := decodeOrdered(d.src)
	if err != nil {
		return err
	}
	got, there := lookUp(before, path)
	items, is := got.([]any)
	if !there || !is || i < 0 || i > len(items) {
		return editError(EditNoPath, path, "there is no list with that place in it")
	}
	want, _ := withValue(before, path, slices.Insert(slices.Clone(items), i, value))
	return d.change(want, path, func(e *editor) error { return e.insert(path, i, len(items), value) })
}

// Move takes item from of a list to place to, with its comments: for the order of
// rules.
func (d *Draft) Move(from, to int, path ...string) error {
	before, err := decodeOrdered(d.src)
	if err != nil {
		return err
	}
	got, there := lookUp(before, path)
	items, is := got.([]any)
	if !there || !is || from < 0 || from >= len(items) || to < 0 || to >= len(items) {
		return editError(EditNoPath, path, "there is no list with those places in it")
	}
	if from == to {
		return nil
	}
	moved := slices.Clone(items)
	moved = slices.Insert(slices.Delete(moved, from, from+1), to, items[from])
	want, _ := withValue(before, path, moved)
	return d.change(want, path, func(e *editor) error { return e.move(path, from, to) })
}

// Rename changes a key; what refers to it stays.
func (d *Draft) Rename(name string, path ...string) error {
	if len(path) == 0 {
		return editError(EditNoPath, path, "nothing stands there")
	}
	before, err := decodeOrdered(d.src)
	if err != nil {
		return err
	}
	last := len(path) - 1
	parent, _ := lookUp(before, path[:last])
	pairs, is := parent.(yaml.MapSlice)
	i := slices.IndexFunc(pairs, func(p yaml.MapItem) bool { return keyText(p.Key) == path[last] })
	if !is || i < 0 {
		return editError(EditNoPath, path, "nothing stands there")
	}
	if slices.ContainsFunc(pairs, func(p yaml.MapItem) bool { return keyText(p.Key) == name }) {
		return editError(EditExists, path, "there is a key %q already", name)
	}
	renamed := slices.Clone(pairs)
	renamed[i].Key = name
	want := any(renamed)
	if last > 0 {
		want, _ = withValue(before, path[:last], renamed)
	}
	return d.change(want, path, func(e *editor) error { return e.rename(path, name) })
}

// change makes an edit and proves it.
func (d *Draft) change(want any, path []string, do func(*editor) error) error {
	root, err := d.tree()
	if err != nil {
		return err
	}
	e := newEditor(d.src, root)
	if err := do(e); err != nil {
		return err
	}
	got, err := decodeOrdered(e.text())
	if err != nil || !same(got, want) {
		return editError(EditUnclear, path, "the text is written in a way that cannot be edited here: edit it by hand")
	}
	d.src = e.text()
	return nil
}

func (d *Draft) tree() (ast.Node, error) {
	r := &reader{file: "plan", lines: strings.Split(d.src, "\n")}
	root, ok := r.root([]byte(d.src))
	if !ok || r.problems.HasErrors() {
		return nil, editError(EditInvalid, nil, "%s", r.problems.Error())
	}
	if !isMapping(root.node) {
		return nil, editError(EditInvalid, nil, "a plan is keys and values")
	}
	return root.node, nil
}

// decodeOrdered reads a text as Go values, mappings in their order.
func decodeOrdered(src string) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = editError(EditInvalid, nil, "this is not YAML that can be read")
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(src), yaml.UseOrderedMap())
	if err := dec.Decode(&v); err != nil {
		return nil, editError(EditInvalid, nil, "this is not YAML: %s", strings.SplitN(err.Error(), "\n", 2)[0])
	}
	return v, nil
}

// plainValue turns a value into what decodeOrdered would give for it.
func plainValue(value any) (any, error) {
	b, err := marshal(value, false)
	if err != nil {
		return nil, err
	}
	return decodeOrdered(string(b))
}

func marshal(value any, flow bool) (b []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it cannot be written as YAML")
		}
	}()
	options := []yaml.EncodeOption{yaml.Indent(2), yaml.IndentSequence(true)}
	if flow {
		options = append(options, yaml.Flow(true))
	}
	b, err = yaml.MarshalWithOptions(value, options...)
	return bytes.TrimRight(b, "\n"), err
}

func keyText(k any) string { return fmt.Sprint(k) }

// lookUp finds what stands at a path.
func lookUp(v any, path []string) (any, bool) {
	for _, key := range path {
		switch x := v.(type) {
		case yaml.MapSlice:
			i := slices.IndexFunc(x, func(p yaml.MapItem) bool { return keyText(p.Key) == key })
			if i < 0 {
				return nil, false
			}
			v = x[i].Value
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// withValue is v with another value at a path; a last key may be new.
func withValue(v any, path []string, value any) (any, bool) {
	if len(path) == 0 {
		return value, true
	}
	switch x := v.(type) {
	case yaml.MapSlice:
		i := slices.IndexFunc(x, func(p yaml.MapItem) bool { return keyText(p.Key) == path[0] })
		x = slices.Clone(x)
		if i < 0 {
			return append(x, yaml.MapItem{Key: path[0], Value: value}), len(path) == 1
		}
		next, ok := withValue(x[i].Value, path[1:], value)
		x[i].Value = next
		return x, ok
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(x) {
			return nil, false
		}
		x = slices.Clone(x)
		next, ok := withValue(x[i], path[1:], value)
		x[i] = next
		return x, ok
	case nil:
		if len(path) == 1 {
			return yaml.MapSlice{{Key: path[0], Value: value}}, true
		}
	}
	return nil, false
}

// without is v with nothing at a path.
func without(v any, path []string) (any, bool) {
	if len(path) == 0 {
		return nil, false
	}
	switch x := v.(type) {
	case yaml.MapSlice:
		i := slices.IndexFunc(x, func(p yaml.MapItem) bool { return keyText(p.Key) == path[0] })
		if i < 0 {
			return nil, false
		}
		x = slices.Clone(x)
		if len(path) == 1 {
			return slices.Delete(x, i, i+1), true
		}
		next, ok := without(x[i].Value, path[1:])
		x[i].Value = next
		return x, ok
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(x) {
			return nil, false
		}
		x = slices.Clone(x)
		if len(path) == 1 {
			return slices.Delete(x, i, i+1), true
		}
		next, ok := without(x[i], path[1:])
		x[i] = next
		return x, ok
	}
	return nil, false
}

// same compares values as decoded: numbers by their text, nothing and empty apart.
func same(a, b any) bool {
	switch x := a.(type) {
	case yaml.MapSlice:
		y, is := b.(yaml.MapSlice)
		if !is || len(x) != len(y) {
			return false
		}
		for i := range x {
			if keyText(x[i].Key) != keyText(y[i].Key) || !same(x[i].Value, y[i].Value) {
				return false
			}
		}
		return true
	case []any:
		y, is := b.([]any)
		return is && slices.EqualFunc(x, y, same)
	}
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a, b) || reflect.TypeOf(a) != reflect.TypeFor[string]() && reflect.TypeOf(b) != reflect.TypeFor[string]() && fmt.Sprint(a) == fmt.Sprint(b)
}
