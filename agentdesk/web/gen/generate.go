package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// protocolFiles hold the messages; every struct and constant in them is written,
// with whatever types they reach in the other packages.
const protocolFiles = "agentdesk/protocol*.go"

// packages are the folders whose types the protocol may use, by package name.
var packages = []string{"agentdesk", "routing", "contact", "crm", "crm/blob"}

// renamed avoids names that mean something else in TypeScript.
var renamed = map[string]string{"agentdesk.Error": "ProtocolError", "contact.ID": "ContactID"}

// builtin maps Go types to TypeScript ones.
var builtin = map[string]string{
	"string": "string", "bool": "boolean", "int": "number", "int64": "number", "uint64": "number", "float64": "number", "any": "unknown",
}

// textual are types that marshal themselves to text.
var textual = map[string]bool{"contact.Duration": true}

type declared struct {
	pkg, name string
	spec      *ast.TypeSpec
	doc       string
}

type generator struct {
	fset   *token.FileSet
	types  map[string]declared // "pkg.Name"
	values map[string][]string // named string type → its constants, in source order
	done   map[string]bool
	tsName map[string]string // TypeScript name → Go name, to catch clashes
	out    map[string]string // Go name → its TypeScript
	order  []string
}

// Generate returns the TypeScript for the protocol found below root. The error
// names the Go type that cannot be expressed.
func Generate(root string) ([]byte, error) {
	g := &generator{
		fset: token.NewFileSet(), types: map[string]declared{}, values: map[string][]string{},
		done: map[string]bool{}, tsName: map[string]string{}, out: map[string]string{},
	}
	var protocol []*ast.File
	for _, folder := range packages {
		pkg := path.Base(folder)
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
		if err != nil {
			return nil, err
		}
		sort.Strings(names)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(g.fset, name, nil, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			g.collect(pkg, f)
			isProtocol, err := path.Match(protocolFiles, path.Join(folder, filepath.Base(name)))
			if err != nil {
				return nil, err
			}
			if isProtocol {
				protocol = append(protocol, f)
			}
		}
	}
	if protocol == nil {
		return nil, fmt.Errorf("%s: %w", protocolFiles, os.ErrNotExist)
	}
	var constants strings.Builder
	var decls []ast.Decl
	for _, f := range protocol {
		decls = append(decls, f.Decls...)
	}
	for _, d := range decls {
		decl, is := d.(*ast.GenDecl)
		if !is {
			continue
		}
		for _, s := range decl.Specs {
			switch spec := s.(type) {
			case *ast.TypeSpec:
				if err := g.need("agentdesk", spec.Name.Name); err != nil {
					return nil, err
				}
			case *ast.ValueSpec:
				if decl.Tok == token.CONST {
					if err := g.constants(&constants, spec, decl); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	var b bytes.Buffer
	b.WriteString("// Generated from " + protocolFiles + " by `go generate ./agentdesk/web`; do not edit.\n\n")
	b.WriteString(constants.String())
	for _, name := range g.order {
		b.WriteString("\n" + g.out[name])
	}
	return b.Bytes(), nil
}

// collect notes a file's types and the constants of its named string types.
func (g *generator) collect(pkg string, f *ast.File) {
	for _, d := range f.Decls {
		decl, is := d.(*ast.GenDecl)
		if !is {
			continue
		}
		for _, s := range decl.Specs {
			switch spec := s.(type) {
			case *ast.TypeSpec:
				doc := spec.Doc.Text()
				if doc == "" {
					doc = decl.Doc.Text()
				}
				g.types[pkg+"."+spec.Name.Name] = declared{pkg, spec.Name.Name, spec, doc}
			case *ast.ValueSpec:
				of, is := spec.Type.(*ast.Ident)
				if !is || decl.Tok != token.CONST {
					continue
				}
				for i, v := range spec.Values {
					// A constant that other packages cannot name is no value of theirs.
					if lit, is := v.(*ast.BasicLit); is && lit.Kind == token.STRING && spec.Names[i].IsExported() {
						g.values[pkg+"."+of.Name] = append(g.values[pkg+"."+of.Name], lit.Value)
					}
				}
			}
		}
	}
}

func (g *generator) constants(b *strings.Builder, spec *ast.ValueSpec, decl *ast.GenDecl) error {
	if spec.Type != nil {
		return nil // a value of a named type: part of that type's union
	}
	for i, name := range spec.Names {
		if !name.IsExported() {
			continue
		}
		if i >= len(spec.Values) {
			return fmt.Errorf("%s: constant without a value of its own", name.Name)
		}
		tv, err := types.Eval(g.fset, nil, token.NoPos, types.ExprString(spec.Values[i]))
		if err != nil || tv.Value == nil {
			return fmt.Errorf("%s: not a plain constant: %w", name.Name, err)
		}
		text := tv.Value.ExactString()
		if tv.Value.Kind() == constant.String {
			text = strconv.Quote(constant.StringVal(tv.Value))
		}
		note := oneLine(spec.Comment.Text())
		if note == "" && len(decl.Specs) == 1 {
			note = oneLine(decl.Doc.Text())
		}
		if note != "" {
			fmt.Fprintf(b, "/** %s */\n", note)
		}
		fmt.Fprintf(b, "export const %s = %s;\n", name.Name, text)
	}
	return nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (g *generator) nameOf(full string) string {
	if r, is := renamed[full]; is {
		return r
	}
	return full[strings.IndexByte(full, '.')+1:]
}

// need writes a type once, after the types it uses were asked for.
func (g *generator) need(pkg, name string) error {
	full := pkg + "." + name
	if g.done[full] {
		return nil
	}
	d, known := g.types[full]
	if !known {
		return fmt.Errorf("%s: type not found", full)
	}
	g.done[full] = true
	ts := g.nameOf(full)
	if other, taken := g.tsName[ts]; taken {
		return fmt.Errorf("%s and %s would both be called %s in TypeScript", other, full, ts)
	}
	g.tsName[ts] = full
	g.order = append(g.order, full)
	var b strings.Builder
	doc(&b, "", d.doc)
	switch t := d.spec.Type.(type) {
	case *ast.StructType:
		if err := g.structure(&b, d, ts, t); err != nil {
			return err
		}
	default:
		body, err := g.expr(d.pkg, t)
		if err != nil {
			return fmt.Errorf("%s: %w", full, err)
		}
		if textual[full] {
			body = "string"
		}
		if vs := g.values[full]; len(vs) > 0 {
			body = strings.Join(vs, " | ")
		}
		fmt.Fprintf(&b, "export type %s = %s;\n", ts, body)
	}
	g.out[full] = b.String()
	return nil
}

func (g *generator) structure(b *strings.Builder, d declared, ts string, t *ast.StructType) error {
	var extends []string
	var fields strings.Builder
	for _, f := range t.Fields.List {
		tag := ""
		if f.Tag != nil {
			raw, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				return err
			}
			tag = reflect.StructTag(raw).Get("json")
		}
		if tag == "-" {
			continue
		}
		body, err := g.expr(d.pkg, f.Type)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", d.pkg, d.name, err)
		}
		if len(f.Names) == 0 {
			extends = append(extends, body)
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			return fmt.Errorf("%s.%s.%s has no json name", d.pkg, d.name, f.Names[0].Name)
		}
		optional := ""
		if strings.Contains(options, "omitempty") {
			optional, body = "?", strings.TrimSuffix(body, " | null")
		}
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		doc(&fields, "  ", text)
		fmt.Fprintf(&fields, "  %s%s: %s;\n", name, optional, body)
	}
	fmt.Fprintf(b, "export interface %s", ts)
	if len(extends) > 0 {
		fmt.Fprintf(b, " extends %s", strings.Join(extends, ", "))
	}
	fmt.Fprintf(b, " {\n%s}\n", fields.String())
	return nil
}

// expr gives the TypeScript of a Go type. A slice or map that is not omitempty
// may be null: that is how Go marshals a nil one.
func (g *generator) expr(pkg string, e ast.Expr) (string, error) {
	switch t := e.(type) {
	case *ast.Ident:
		if ts, is := builtin[t.Name]; is {
			return ts, nil
		}
		return g.nameOf(pkg + "." + t.Name), g.need(pkg, t.Name)
	case *ast.SelectorExpr:
		from, is := t.X.(*ast.Ident)
		if !is {
			break
		}
		if from.Name == "json" && t.Sel.Name == "RawMessage" {
			return "unknown", nil
		}
		return g.nameOf(from.Name + "." + t.Sel.Name), g.need(from.Name, t.Sel.Name)
	case *ast.StarExpr:
		return g.expr(pkg, t.X)
	case *ast.ArrayType:
		of, err := g.expr(pkg, t.Elt)
		return of + "[] | null", err
	case *ast.MapType:
		k, err := g.expr(pkg, t.Key)
		if err != nil {
			return "", err
		}
		v, err := g.expr(pkg, t.Value)
		return "Record<" + k + ", " + v + "> | null", err
	}
	return "", fmt.Errorf("cannot be written in TypeScript: %s", types.ExprString(e))
}

func doc(b *strings.Builder, indent, text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		fmt.Fprintf(b, "%s/** %s */\n", indent, lines[0])
		return
	}
	fmt.Fprintf(b, "%s/**\n", indent)
	for _, l := range lines {
		fmt.Fprintf(b, "%s\n", strings.TrimRight(indent+" * "+l, " "))
	}
	fmt.Fprintf(b, "%s */\n", indent)
}
