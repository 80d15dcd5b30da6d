package web

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/web/form"
)

// showStop is a page that ends the form: in an emergency, or because a person
// must hear of it now. What was written before is passed on at once.
func (s *Server) showStop(w http.ResponseWriter, r *http.Request, d Draft, step *form.Step, path []string) error {
	if step.Stop == "harm" && d.Told.IsZero() && d.Answers["what"] != "" {
		var err error
		if d, err = s.tell(r, d); err != nil {
			return err
		}
	}
	return s.render(w, http.StatusOK, step.Stop, s.stopPage(r, d, step, path))
}

func (s *Server) stopPage(r *http.Request, d Draft, step *form.Step, path []string) *page {
	p := s.page(r, step.Stop+"_title")
	p.Draft, p.Step = d, step
	p.At = "/report/" + step.ID
	// Whoever answered otherwise by mistake can go back; whoever was stopped for
	// what they wrote can go on.
	if i := slices.Index(path, step.ID); i > 0 {
		p.Back = "/report/" + path[i-1]
	} else {
		p.Plain["onward"] = "/report/" + path[len(path)-1]
	}
	return p
}

// tell passes on what was typed so far, once.
func (s *Server) tell(r *http.Request, d Draft) (Draft, error) {
	d, err := s.withIDs(r, d)
	if err != nil {
		return d, err
	}
	attachments, err := s.attachments(r.Context(), d.Files)
	if err != nil {
		return d, err
	}
	own := s.derived(d.IDs.Report, "told")
	answers := d.Answers.Clone()
	if answers["harm"] == "" || answers["harm"] == "none" {
		answers["harm"] = "words"
	}
	err = s.accept(r.Context(), "web:"+string(d.IDs.Report)+":told", submission{
		Kind: kindTold, IDs: *d.IDs, Contact: contact.ID(own), Message: crm.MessageID(own),
		Language: s.languageOf(r).Code, Answers: answers, Attachments: attachments,
	})
	if err != nil {
		return d, err
	}
	return s.change(r, func(d *Draft) error {
		if d.Told.IsZero() {
			d.Told = s.now()
		}
		return nil
	})
}

// takeStop takes a number to ring now.
func (s *Server) takeStop(w http.ResponseWriter, r *http.Request, d Draft, step *form.Step) error {
	if step.Stop != "harm" {
		return redirect(w, "/report/"+step.ID)
	}
	path := s.path(d)
	phone := &form.Field{Name: "call_phone", Kind: form.Phone, Most: 35}
	number := form.Clean(r.PostForm.Get("call_phone"), false)
	name := form.Clean(r.PostForm.Get("call_name"), false)
	about := form.Clean(r.PostForm.Get("call_about"), true)
	number, code := phone.Read(number)
	p := s.stopPage(r, d, step, path)
	bad := func(field, key string) {
		p.Problems = append(p.Problems, problemView{"f-" + field, p.T(key)})
		p.Plain[field+"_error"] = p.T(key)
	}
	if code != "" {
		bad("call_phone", "call_phone_error")
	}
	if utf8.RuneCountInString(name) > 100 {
		bad("call_name", "call_name_error")
	}
	if utf8.RuneCountInString(about) > 1000 {
		bad("call_about", "call_about_error")
	}
	if len(p.Problems) > 0 {
		for _, f := range []string{"call_phone", "call_name", "call_about"} {
			p.Plain[f] = form.Clean(r.PostForm.Get(f), true)
		}
		return s.render(w, http.StatusUnprocessableEntity, "harm", p)
	}
	if r.PostForm.Get("website") != "" {
		// A trap for programs. A person who fell into it still has the call page.
		s.metrics.refused.WithLabelValues("notice_trap").Inc()
		p.Problems = []problemView{{"f-call_phone", p.T("notice_trap")}}
		return s.render(w, http.StatusUnprocessableEntity, "harm", p)
	}
	if err := s.limited(r, sendLimit, s.remote(r)); err != nil {
		return err
	}
	d, err := s.withIDs(r, d)
	if err != nil {
		return err
	}
	own := s.derived(d.IDs.Report, "call back "+number)
	answers := s.form.OnPath(d.Answers, path)
	if answers["harm"] == "" || answers["harm"] == "none" {
		answers["harm"] = "words"
	}
	err = s.accept(r.Context(), "web:"+string(d.IDs.Report)+":call:"+own, submission{
		Kind: kindCallBack, IDs: *d.IDs, Contact: contact.ID(own), Message: crm.MessageID(own),
		Language: s.languageOf(r).Code, Answers: answers, Phone: number, Name: name, Text: about,
	})
	if err != nil {
		return err
	}
	if _, err := s.change(r, func(d *Draft) error {
		d.CallBack = true
		if d.Told.IsZero() {
			d.Told = s.now()
		}
		return nil
	}); err != nil {
		return err
	}
	s.metrics.stops.WithLabelValues("call_back").Inc()
	return redirect(w, "/report/"+step.ID)
}
