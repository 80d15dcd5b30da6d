// Package asterisk writes the configuration of the Asterisk that carries C3i's calls and runs it.
//
// The templates beside this file are the whole of that configuration: a dialplan that hands each call to C3i
// and looks after callers while C3i is away, SIP for trunks, desk phones and browsers, and ARI on a loopback
// address. [Render] fills them in; [Start] renders, starts Asterisk and waits until ARI answers.
package asterisk

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var templates embed.FS

var parsed = template.Must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
	"hostport": func(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) },
	"join":     strings.Join,
	"escape":   func(value string) string { return strings.ReplaceAll(value, ";", `\;`) },
	"codecs": func(names []string) string {
		if len(names) == 0 {
			return "alaw,ulaw"
		}
		return strings.Join(names, ",")
	},
}).ParseFS(templates, "*.tmpl"))

// Render writes every configuration file for s into dir, which it makes when it is not there. Fields of s left
// zero take the defaults their comments name. Each file appears whole or not at all. The files hold secrets: they
// are readable by their owner alone, or, when s.RunUser is another user than the caller, by that user's group too.
//
// A value that Asterisk would read as something else than it says (a line break or semicolon in a password, say)
// is refused with an [*InvalidError] naming its field, before anything is written.
func Render(dir string, s Settings) error {
	s = s.withDefaults()
	if err := s.Validate(); err != nil {
		return err
	}
	owner, err := ownerFor(s.RunUser)
	if err != nil {
		return err
	}
	if err := owner.mkdir(dir); err != nil {
		return err
	}
	for _, t := range parsed.Templates() {
		name, isFile := strings.CutSuffix(t.Name(), ".tmpl")
		if !isFile {
			continue
		}
		var b bytes.Buffer
		if err := t.Execute(&b, s); err != nil {
			return fmt.Errorf("rendering Asterisk's %s: %w", name, err)
		}
		if err := owner.writeFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces path by way of a temporary file beside it, so that no reader sees half of it.
func (o owner) writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing Asterisk's configuration: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // does nothing after the rename
	_, err = tmp.Write(data)
	if err == nil && o.other {
		if err = tmp.Chown(-1, o.gid); err == nil {
			err = tmp.Chmod(0o640)
		}
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing Asterisk's configuration: %w", err)
	}
	return nil
}
