package agentdesk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"example.org/c3i/crm"
)

// TemplateText is a template with its text. Placeholders are {{reference}} and
// the like: see Placeholders.
type TemplateText struct {
	Template
	Text string
}

// placeholders are what a template may ask for, with what is known of each.
var placeholders = map[string]func(templateFacts) string{
	"reference": func(f templateFacts) string { return f.report.Reference },
	"incident":  func(f templateFacts) string { return f.report.IncidentNumber },
	"crime":     func(f templateFacts) string { return f.report.CrimeNumber },
	"handler":   func(f templateFacts) string { return f.handler },
	"name":      func(f templateFacts) string { return f.person.Name },
	"service":   func(f templateFacts) string { return f.service },
	"date":      func(f templateFacts) string { return f.date },
}

type templateFacts struct {
	report                 crm.Report
	person                 crm.Person
	handler, service, date string
}

// Placeholders lists what a template may ask for.
func Placeholders() []string {
	var names []string
	for name := range placeholders {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// ParseTemplates reads the templates of one language: a YAML list of code, label,
// subject and text. Errors name the template at fault.
func ParseTemplates(language string, text []byte) ([]TemplateText, error) {
	var raw []struct {
		Code    string `yaml:"code"`
		Label   string `yaml:"label"`
		Subject string `yaml:"subject"`
		Text    string `yaml:"text"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("templates %s: %w", language, err)
	}
	var out []TemplateText
	for i, t := range raw {
		where := fmt.Sprintf("templates %s: %s", language, cmp.Or(t.Code, fmt.Sprint("number ", i+1)))
		switch {
		case t.Code == "" || len(t.Code) > 64 || strings.Trim(t.Code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
			return nil, fmt.Errorf("%s: code: write it in a-z, 0-9 and _", where)
		case slices.ContainsFunc(out, func(o TemplateText) bool { return o.Code == t.Code }):
			return nil, fmt.Errorf("%s: code: there are two of that code", where)
		case strings.TrimSpace(t.Label) == "":
			return nil, fmt.Errorf("%s: label: it is missing", where)
		case strings.TrimSpace(t.Text) == "" || len(t.Text) > messageMax:
			return nil, fmt.Errorf("%s: text: it is empty or over %d bytes", where, messageMax)
		case strings.ContainsAny(t.Subject, "\r\n") || utf8.RuneCountInString(t.Subject) > subjectMax:
			return nil, fmt.Errorf("%s: subject: it is over one line or %d characters", where, subjectMax)
		}
		for _, p := range placeholder.FindAllStringSubmatch(t.Subject+"\n"+t.Text, -1) {
			if placeholders[strings.TrimSpace(p[1])] == nil {
				return nil, fmt.Errorf("%s: text: there is no placeholder %q: use one of %s", where, p[1], strings.Join(Placeholders(), ", "))
			}
		}
		out = append(out, TemplateText{Template{Code: t.Code, Language: language, Label: t.Label, Subject: t.Subject}, t.Text})
	}
	return out, nil
}

// fill replaces the placeholders of a text. What is not known stands as [NAME].
func fill(text string, f templateFacts, missing *[]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := strings.TrimSpace(strings.Trim(p, "{}"))
		get := placeholders[name]
		if get == nil {
			return p
		}
		if v := get(f); v != "" {
			return v
		}
		if !slices.Contains(*missing, name) {
			*missing = append(*missing, name)
		}
		return "[" + strings.ToUpper(name) + "]"
	})
}

// unfilled is the first placeholder a text still has in it, empty if none.
func unfilled(text string) string {
	for _, name := range Placeholders() {
		if mark := strings.ToUpper(name); strings.Contains(text, "["+mark+"]") {
			return mark
		}
	}
	return ""
}

func fillTemplate(ctx context.Context, r *request) (any, error) {
	var in FillTemplateRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.s.o.Templates, func(t TemplateText) bool { return t.Code == in.Template && t.Language == in.Language })
	if i < 0 {
		return nil, invalid("template", "Choose one of the templates listed.")
	}
	if err := r.mayWrite(ctx, in.Contact); err != nil {
		return nil, err
	}
	f := templateFacts{handler: r.u.Display, service: r.s.o.Service, date: r.s.now().Format("2 January 2006")}
	rec, err := r.s.o.Records.Record(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	if rec.Report != "" && r.s.o.Reports != nil {
		ctx, err := r.s.because(ctx, r.u, reportObject(string(rec.Report)), "")
		if err != nil {
			return nil, err
		}
		if f.report, err = r.s.o.Reports.Report(ctx, rec.Report); err != nil && !errors.Is(err, crm.ErrRestricted) {
			return nil, err
		}
	}
	if rec.Person != "" {
		if f.person, err = r.s.o.Records.Person(ctx, rec.Person); err != nil && !errors.Is(err, crm.ErrRestricted) {
			return nil, err
		}
	}
	t, out := r.s.o.Templates[i], FillTemplateReply{}
	out.Subject, out.Text = fill(t.Subject, f, &out.Missing), fill(t.Text, f, &out.Missing)
	return out, nil
}

// templateList is what the catalogue shows of the templates.
func (s *Server) templateList() []Template {
	list := make([]Template, 0, len(s.o.Templates))
	for _, t := range s.o.Templates {
		list = append(list, t.Template)
	}
	return list
}
