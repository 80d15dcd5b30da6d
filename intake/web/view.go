package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/c3i/intake/web/form"
)

// page is what every template is given.
type page struct {
	s *Server
	// Lang is the language of the page, Langs all there are.
	Lang  *form.Language
	Langs []*form.Language
	// Title is the key of the heading, or the heading when Key is empty.
	Heading string
	// At is the page's own address, for the switch of language; empty when a
	// switch would lose what was typed.
	At string
	// Back is where the back link leads; empty: none.
	Back string
	// Report tells that the page belongs to a report: it can be left in a hurry.
	Hurry bool
	// Open tells that a report was begun, so that it can be saved for later.
	Open bool

	Problems []problemView
	Fields   []fieldView
	Step     *form.Step
	Token    string // the proof of effort's challenge
	From     string
	Entry    int
	Key      string
	Wait     time.Duration
	Entries  []entryView
	Rows     []rowView
	Files    []File
	Draft    Draft
	Track    *trackView
	Typed    []rowView
	Plain    map[string]string
}

// problemView is one line of the error summary. ID is the control it leads to.
type problemView struct{ ID, Text string }

type optionView struct {
	ID, Value, Text, Hint string
	Chosen                bool
	// Or tells that the choice excludes those above it.
	Or bool
}

type partView struct{ ID, Name, Label, Value, Auto string }

type fieldView struct {
	*form.Field
	// ID is the first control's.
	ID, Label, Hint, Error, Value string
	Heading                       bool // the label is the page's heading
	Chosen                        []optionView
	Parts                         []partView
	// Describe is the ids of hint and error.
	Describe string
}

type entryView struct {
	N    int
	Text string
}

type rowView struct{ ID, Label, Value, Change string }

type languageKey struct{}

// language finds the language of a request: chosen before, else the browser's.
// ?language=pl chooses one and comes back without it.
func (s *Server) language(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Has("language") {
			if code := r.URL.Query().Get("language"); s.texts.Has(code) {
				s.setCookie(w, languageCookie, "/", code, 365*24*time.Hour)
			}
			_ = redirect(w, (&url.URL{Path: r.URL.Path}).String())
			return
		}
		l := s.texts.Match(r.Header.Get("Accept-Language"))
		if c, err := r.Cookie(languageCookie); err == nil && s.texts.Has(c.Value) {
			l = s.texts.Language(c.Value)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), languageKey{}, l)))
	})
}

func (s *Server) languageOf(r *http.Request) *form.Language {
	if l, ok := r.Context().Value(languageKey{}).(*form.Language); ok {
		return l
	}
	return s.texts.Languages[0]
}

// page begins a page whose heading is a text of the pages.
func (s *Server) page(r *http.Request, heading string) *page {
	p := &page{s: s, Lang: s.languageOf(r), Langs: s.texts.Languages, Hurry: true, Plain: map[string]string{}}
	p.Heading = p.Lang.Text(heading)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		p.At = r.URL.Path
	}
	return p
}

// T is a text of the pages.
func (p *page) T(key string, pairs ...string) string { return p.Lang.Text(key, pairs...) }

// Forms are a text's plural forms as JSON, for a script that counts.
func (p *page) Forms(key string, pairs ...string) (string, error) {
	b, err := json.Marshal(p.Lang.Forms(key, pairs...))
	return string(b), err
}

// Paragraphs is a text's parts between empty lines.
func (p *page) Paragraphs(key string, pairs ...string) []string {
	return strings.Split(strings.TrimSpace(p.T(key, pairs...)), "\n\n")
}

// Lines is a text's lines, for lists.
func (p *page) Lines(key string) []string { return strings.Split(strings.TrimSpace(p.T(key)), "\n") }

// Asset is the address of a style sheet or script.
func (p *page) Asset(name string) string { return "/assets/public/" + p.s.assets.names[name] }

// Service, Exit, CallPage, MayMail are settings that pages show.
func (p *page) Service() string { return p.s.o.Service }

// Exit is where "exit this page" leads.
func (p *page) Exit() string { return p.s.o.Exit }

// CallPage tells that /call is served.
func (p *page) CallPage() bool { return p.s.o.CallPage }

// MayMail tells that one-time codes can be sent.
func (p *page) MayMail() bool { return p.s.o.Mail != nil }

// FileMost is the bound of a file in megabytes, FilesMost the number of files.
func (p *page) FileMost() string { return fmt.Sprint(p.s.o.FileMost >> 20) }

// FilesMost is how many files may be added.
func (p *page) FilesMost() string { return fmt.Sprint(p.s.o.FilesMost) }

// Minutes is how long to wait, in whole minutes.
func (p *page) Minutes() string { return fmt.Sprint(int(p.Wait.Minutes()) + 1) }

// Title is the page's title: what is wrong first, then the heading.
func (p *page) Title() string {
	title := p.Heading + " – " + p.T("service")
	if len(p.Problems) > 0 {
		return p.T("error_prefix", "title", title)
	}
	return title
}

// When is a time as people of the language's pages read it.
func (p *page) When(t time.Time) string {
	t = t.In(p.s.o.Zone)
	return p.T("date_time", "day", fmt.Sprint(t.Day()), "month", p.T("month_"+fmt.Sprint(int(t.Month()))), "year", fmt.Sprint(t.Year()), "time", t.Format("15:04"))
}

// Date is a day as people read it.
func (p *page) Date(t time.Time) string {
	return p.T("date", "day", fmt.Sprint(t.Day()), "month", p.T("month_"+fmt.Sprint(int(t.Month()))), "year", fmt.Sprint(t.Year()))
}

// StepText is what the form's page says.
func (p *page) StepText() form.StepText { return p.Lang.Steps[p.Step.ID] }

// fields lays out a step's fields with what was typed and what is wrong.
func (p *page) fields(step *form.Step, value func(name string) []string, problems []form.Problem) {
	p.Step = step
	text := p.Lang.Steps[step.ID]
	p.Heading = text.Title
	for _, f := range step.Fields {
		words := p.Lang.Fields[f.Name]
		v := fieldView{Field: f, ID: "f-" + f.Name, Label: words.Label, Hint: words.Hint}
		if len(step.Fields) == 1 {
			v.Label, v.Heading = text.Title, true
		} else if f.Optional && f.Kind != form.Files {
			v.Label = p.T("optional", "label", v.Label)
		}
		for _, pr := range problems {
			if pr.Field == f.Name {
				v.Error = p.Lang.Sentence(pr)
			}
		}
		if v.Hint != "" {
			v.Describe = v.ID + "-hint"
		}
		if v.Error != "" {
			v.Describe = strings.TrimSpace(v.Describe + " " + v.ID + "-error")
		}
		given := value(f.Name)
		switch f.Kind {
		case form.Radios, form.Checkboxes:
			for i, o := range f.Options {
				ov := optionView{ID: v.ID, Value: o, Text: words.Options[o], Or: o == f.None && f.None != ""}
				if i > 0 {
					ov.ID = v.ID + "-" + o
				}
				for _, g := range given {
					ov.Chosen = ov.Chosen || g == o
				}
				v.Chosen = append(v.Chosen, ov)
			}
		case form.Date:
			for i, part := range f.Parts() {
				unit := []string{"day", "month", "year"}[i]
				pv := partView{ID: v.ID + "-" + unit, Name: part, Label: p.T(unit)}
				if i == 0 {
					pv.ID = v.ID
				}
				if f.Autocomplete == "bday" {
					pv.Auto = "bday-" + unit
				}
				if g := value(part); len(g) > 0 {
					pv.Value = g[0]
				}
				v.Parts = append(v.Parts, pv)
			}
		default:
			if len(given) > 0 {
				v.Value = given[0]
			}
		}
		p.Fields = append(p.Fields, v)
		if v.Error != "" {
			p.Problems = append(p.Problems, problemView{v.ID, v.Error})
		}
	}
}

// fromAnswers gives what was answered as a form would post it.
func fromAnswers(step *form.Step, a form.Answers) func(string) []string {
	parts := map[string]string{}
	for _, f := range step.Fields {
		if d, err := time.Parse(time.DateOnly, a[f.Name]); f.Kind == form.Date && err == nil {
			for i, v := range []int{d.Day(), int(d.Month()), d.Year()} {
				parts[f.Parts()[i]] = fmt.Sprint(v)
			}
		}
	}
	return func(name string) []string {
		if v, ok := parts[name]; ok {
			return []string{v}
		}
		f := stepField(step, name)
		if f == nil {
			return nil
		}
		v := a[name]
		switch f.Kind {
		case form.Checkboxes:
			return strings.Split(v, ",")
		case form.Money:
			return []string{pounds(v)}
		}
		return []string{v}
	}
}

func stepField(step *form.Step, name string) *form.Field {
	for _, f := range step.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// pounds writes pence as pounds.
func pounds(pence string) string {
	if pence == "" {
		return ""
	}
	for len(pence) < 3 {
		pence = "0" + pence
	}
	return strings.TrimSuffix(pence[:len(pence)-2]+"."+pence[len(pence)-2:], ".00")
}

// shown is an answer as people read it.
func (p *page) shown(f *form.Field, value string) string {
	if value == "" {
		return ""
	}
	switch f.Kind {
	case form.Radios, form.Checkboxes:
		var out []string
		for v := range strings.SplitSeq(value, ",") {
			out = append(out, p.Lang.Option(f.Name, v))
		}
		return strings.Join(out, "\n")
	case form.Date:
		if d, err := time.Parse(time.DateOnly, value); err == nil {
			return p.Date(d)
		}
	case form.Money:
		return "£" + pounds(value)
	}
	return value
}

// rows are the answers on the way through the form, with where each is changed.
func (p *page) rows(path []string, a form.Answers, files []File) []rowView {
	var rows []rowView
	for _, id := range path {
		step := p.s.form.Step(id)
		if step == nil || step.More != "" {
			continue
		}
		if step.List != "" {
			for n := range a.Count(step.List) {
				rows = append(rows, rowView{"f-item", p.T("item_n", "n", fmt.Sprint(n+1)), p.entry(step, a.Entry(step.List, n)), "/report/" + p.more(step.List)})
			}
			continue
		}
		for _, f := range step.Fields {
			row := rowView{"f-" + f.Name, p.Lang.Fields[f.Name].Label, p.shown(f, a[f.Name]), "/report/" + id + "?from=check"}
			if f.Kind == form.Files {
				var names []string
				for _, file := range files {
					names = append(names, file.Name)
				}
				row.Value = strings.Join(names, "\n")
			}
			if row.Value == "" {
				if f.Optional && f.Kind != form.Files {
					continue
				}
				row.Value = p.T("nothing")
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// more is the page that shows a list.
func (p *page) more(list string) string {
	for _, s := range p.s.form.Steps {
		if s.More == list {
			return s.ID
		}
	}
	return ""
}

// entry is one entry of a list in a few lines.
func (p *page) entry(step *form.Step, e form.Answers) string {
	var out []string
	for _, f := range step.Fields {
		if v := p.shown(f, e[f.Name]); v != "" {
			if f.Optional {
				v = p.Lang.Fields[f.Name].Label + ": " + v
			}
			out = append(out, v)
		}
	}
	return strings.Join(out, "\n")
}

func loadPages() (*template.Template, error) {
	return template.New("").Funcs(funcs()).ParseFS(templateFiles, "templates/*.html")
}
