package configs

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/spf13/viper"
)

// places tells where in a file each key stands, by its full name in small
// letters: http.listen, asterisk.trunks[0].match[1].
type places struct {
	file string
	at   map[string]*token.Position
}

// locate puts file, line and column before a problem. A key that is not in the
// file is placed at the nearest above it.
func (p places) locate(f FieldError) error {
	for key := strings.ToLower(f.Key); key != ""; key = above(key) {
		if pos := p.at[key]; pos != nil {
			return fmt.Errorf("%s:%d:%d: %w", p.file, pos.Line, pos.Column, f)
		}
	}
	return f
}

func above(key string) string { return key[:max(0, strings.LastIndexAny(key, ".["))] }

// readFile reads a settings file into v and finds the keys that mean nothing.
func readFile(v *viper.Viper, file string, keys map[string]reflect.Value) (places, []error) {
	p := places{file: file, at: map[string]*token.Position{}}
	src, err := os.ReadFile(file)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return p, []error{fmt.Errorf("%s: the settings file cannot be read: %w", file, err)}
	}
	tree, err := parser.ParseBytes(src, 0)
	if err != nil {
		return p, []error{p.syntax(err)}
	}
	if len(tree.Docs) > 1 {
		return p, []error{fmt.Errorf("%s: holds %d YAML documents; write one", file, len(tree.Docs))}
	}
	var leaves []string
	for _, doc := range tree.Docs {
		switch doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			return p, nil
		case *ast.MappingNode, *ast.MappingValueNode:
			p.visit(doc.Body, "", &leaves)
		default:
			return p, []error{fmt.Errorf("%s:1:1: settings are written as key: value", file)}
		}
	}
	sections := map[string]bool{}
	for key := range keys {
		if section, _, ok := strings.Cut(key, "."); ok {
			sections[section] = true
		}
	}
	var bad []error
	for _, key := range leaves {
		plain, _, _ := strings.Cut(key, "[")
		if _, ok := keys[plain]; ok || slices.ContainsFunc(leaves, func(l string) bool { return l != key && l == plain }) {
			continue
		}
		if sections[key] {
			bad = append(bad, p.locate(FieldError{key, "is a section: write its keys below it, each on a line of its own"}))
			continue
		}
		bad = append(bad, p.locate(FieldError{key, "unknown key" + suggest(key, keys)}))
	}
	v.SetConfigFile(file)
	if err := v.ReadInConfig(); err != nil {
		bad = append(bad, fmt.Errorf("%s: %w", file, err))
	}
	return p, bad
}

func (p places) syntax(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) {
		return fmt.Errorf("%s: %w", p.file, err)
	}
	if t := located.GetToken(); t != nil && t.Position != nil {
		return fmt.Errorf("%s:%d:%d: this is not YAML: %s", p.file, t.Position.Line, t.Position.Column, located.GetMessage())
	}
	return fmt.Errorf("%s: this is not YAML: %s", p.file, located.GetMessage())
}

// visit notes where every key stands, and lists those with values of their own.
func (p places) visit(n ast.Node, prefix string, leaves *[]string) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			p.visit(v, prefix, leaves)
		}
	case *ast.MappingValueNode:
		key := strings.ToLower(strings.TrimPrefix(prefix+"."+n.Key.GetToken().Value, "."))
		p.at[key] = n.Key.GetToken().Position
		switch n.Value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
		case *ast.NullNode: // a section whose keys are all commented out
			return
		default:
			*leaves = append(*leaves, key)
		}
		p.visit(n.Value, key, leaves)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			key := fmt.Sprintf("%s[%d]", prefix, i)
			p.at[key] = v.GetToken().Position
			if m, ok := v.(*ast.MappingNode); ok && len(m.Values) > 0 {
				p.at[key] = m.Values[0].Key.GetToken().Position
			}
			var inner []string // checked when the list is decoded
			p.visit(v, key, &inner)
		}
	}
}
