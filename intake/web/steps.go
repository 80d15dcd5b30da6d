package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/intake/triage"
	"example.org/c3i/intake/web/form"
)

// reach finds the page that was asked for on the draft's way through the form. A
// page that was not come to yet leads to the one that is next.
func (s *Server) reach(d Draft, id string) (step *form.Step, path []string, elsewhere string) {
	path = s.path(d)
	step = s.form.Step(id)
	switch {
	case step == nil:
		return nil, path, ""
	case !d.Sent.IsZero():
		return step, path, "/report/sent"
	case step.Stop == "harm" && !d.Told.IsZero():
		return step, path, ""
	case !slices.Contains(path, id):
		return step, path, "/report/" + path[len(path)-1]
	}
	return step, path, ""
}

// show is one page of the form.
func (s *Server) show(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("step")
	if s.form.Step(id) == nil {
		return &refusal{status: http.StatusNotFound, page: "absent"}
	}
	d, err := s.draft(r)
	if errors.Is(err, errGone) {
		return redirect(w, "/report")
	}
	if err != nil {
		return err
	}
	step, path, elsewhere := s.reach(d, id)
	if elsewhere != "" {
		return redirect(w, elsewhere)
	}
	if !d.Reached[id] {
		d, err = s.change(r, func(d *Draft) error {
			if d.Reached == nil {
				d.Reached = map[string]bool{}
			}
			d.Reached[id] = true
			return nil
		})
		if err != nil {
			return err
		}
		s.metrics.steps.WithLabelValues(id).Inc()
		if step.Stop != "" {
			s.metrics.stops.WithLabelValues(step.Stop).Inc()
		}
	}
	if step.Stop != "" {
		return s.showStop(w, r, d, step, path)
	}
	p := s.stepPage(r, d, path, step)
	value := fromAnswers(step, d.Answers)
	if step.List != "" {
		n := d.Answers.Count(step.List)
		if asked, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil && asked >= 0 && asked < n {
			n = asked
		} else if n >= s.form.Most {
			return redirect(w, "/report/"+p.more(step.List))
		}
		p.Entry = n
		value = fromAnswers(step, d.Answers.Entry(step.List, n))
	}
	if step.More != "" {
		value = func(string) []string { return nil }
	}
	p.fields(step, value, nil)
	return s.render(w, http.StatusOK, templateOf(step), p)
}

// templateOf is the template of a step.
func templateOf(step *form.Step) string {
	switch {
	case step.More != "":
		return "entries"
	case len(step.Fields) == 1 && step.Fields[0].Kind == form.Files:
		return "files"
	}
	return "step"
}

// stepPage begins the page of a step: where back leads, and what it shows beside
// its fields.
func (s *Server) stepPage(r *http.Request, d Draft, path []string, step *form.Step) *page {
	p := s.page(r, "service")
	p.Draft, p.Open, p.Step, p.Files = d, true, step, d.Files
	p.At = "/report/" + step.ID
	from := r.URL.Query().Get("from")
	if r.Method == http.MethodPost {
		from = r.PostForm.Get("from")
	}
	switch i := slices.Index(path, step.ID); {
	case from == form.Check:
		p.From, p.Back = form.Check, "/report/check"
	case i > 0:
		p.Back = "/report/" + path[i-1]
		if prev := s.form.Step(path[i-1]); prev.List != "" {
			p.Back += "?n=0"
		}
	default:
		p.Back = "/report"
	}
	if step.More != "" {
		entryStep := s.listStep(step.More)
		for n := range d.Answers.Count(step.More) {
			p.Entries = append(p.Entries, entryView{n, p.entry(entryStep, d.Answers.Entry(step.More, n))})
		}
		p.Plain["list"] = entryStep.ID
	}
	return p
}

// listStep is the page that fills a list.
func (s *Server) listStep(list string) *form.Step {
	for _, st := range s.form.Steps {
		if st.List == list {
			return st
		}
	}
	return nil
}

// take reads the answers of one page and leads on.
func (s *Server) take(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("step")
	asked := s.form.Step(id)
	if asked == nil {
		return &refusal{status: http.StatusNotFound, page: "absent"}
	}
	if templateOf(asked) == "files" {
		return s.takeFiles(w, r, asked)
	}
	if err := posted(w, r); err != nil {
		return err
	}
	d, err := s.draft(r)
	if errors.Is(err, errGone) {
		return s.expired(w, r, asked)
	}
	if err != nil {
		return err
	}
	step, path, elsewhere := s.reach(d, id)
	if elsewhere != "" {
		return redirect(w, elsewhere)
	}
	if step.Stop != "" {
		return s.takeStop(w, r, d, step)
	}
	if n, ok := strings.CutPrefix(r.PostForm.Get("do"), "remove-"); ok && step.More != "" {
		return s.removeEntry(w, r, step, n)
	}
	answers, problems := step.Decode(r.PostForm, s.now(), s.o.Zone)
	if len(problems) > 0 {
		p := s.stepPage(r, d, path, step)
		p.Entry, _ = strconv.Atoi(r.PostForm.Get("n"))
		p.fields(step, func(name string) []string { return cleaned(r.PostForm[name]) }, problems)
		return s.render(w, http.StatusUnprocessableEntity, templateOf(step), p)
	}
	if step.More != "" && answers["another"] == "yes" && d.Answers.Count(step.More) < s.form.Most {
		return redirect(w, "/report/"+s.listStep(step.More).ID)
	}
	n, err := strconv.Atoi(r.PostForm.Get("n"))
	if err != nil {
		n = s.form.Most
	}
	d, err = s.change(r, func(d *Draft) error {
		if step.List != "" {
			if n < d.Answers.Count(step.List) || d.Answers.Count(step.List) < s.form.Most {
				d.Answers.SetEntry(step.List, n, answers)
			}
		} else {
			for k, v := range answers {
				d.Answers[k] = v
			}
		}
		if step.More != "" {
			d.Answers["another"] = "no"
		}
		d.Done[step.ID] = true
		return nil
	})
	if err != nil {
		return err
	}
	return s.onward(w, r, d, step)
}

// onward leads to the page after step: the check page's changes go back there.
func (s *Server) onward(w http.ResponseWriter, r *http.Request, d Draft, step *form.Step) error {
	if s.riskier(d, step) {
		if _, err := s.tell(r, d); err != nil {
			return err
		}
		return redirect(w, "/report/stop_harm")
	}
	path := s.path(d)
	if r.PostForm.Get("from") == form.Check {
		return redirect(w, "/report/"+path[len(path)-1])
	}
	if i := slices.Index(path, step.ID); i >= 0 && i+1 < len(path) {
		return redirect(w, "/report/"+path[i+1])
	}
	return redirect(w, "/report/"+path[len(path)-1])
}

// riskier tells that what was just written speaks of a risk to life or to a
// child, and nobody has been told yet.
func (s *Server) riskier(d Draft, step *form.Step) bool {
	if !d.Told.IsZero() {
		return false
	}
	var text []string
	for _, f := range step.Fields {
		if f.Kind == form.Area {
			text = append(text, d.Answers[f.Name])
		}
	}
	if strings.Join(text, "") == "" {
		return false
	}
	return s.o.Assess(triage.Input{Channel: channel, Text: strings.Join(text, "\n"), Language: d.Language}).Risk != triage.NoRisk
}

func (s *Server) removeEntry(w http.ResponseWriter, r *http.Request, step *form.Step, which string) error {
	n, err := strconv.Atoi(which)
	if err != nil {
		return redirect(w, "/report/"+step.ID)
	}
	d, err := s.change(r, func(d *Draft) error { d.Answers.DropEntry(step.More, n); return nil })
	if err != nil {
		return err
	}
	if d.Answers.Count(step.More) == 0 {
		return redirect(w, "/report/"+s.listStep(step.More).ID)
	}
	return redirect(w, "/report/"+step.ID)
}

// expired shows what was typed on a page whose report is no longer there, so that
// it can be copied.
func (s *Server) expired(w http.ResponseWriter, r *http.Request, step *form.Step) error {
	p := s.page(r, "problem_expired")
	p.Key = "expired"
	for _, f := range step.Fields {
		if f.Kind != form.Text && f.Kind != form.Area {
			continue
		}
		if v := form.Clean(r.PostForm.Get(f.Name), true); v != "" {
			p.Typed = append(p.Typed, rowView{ID: "typed-" + f.Name, Label: p.Lang.Fields[f.Name].Label, Value: v})
		}
	}
	return s.render(w, http.StatusForbidden, "problem", p)
}

// cleaned makes what was posted fit to be shown again.
func cleaned(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = form.Clean(v, true)
	}
	return out
}
