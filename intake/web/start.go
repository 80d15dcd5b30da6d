package web

import (
	"errors"
	"net/http"
	"time"

	"example.org/c3i/intake/web/form"
)

// start is the start page; a report that was begun in this browser is offered.
func (s *Server) start(w http.ResponseWriter, r *http.Request) error {
	p := s.page(r, "start_title")
	p.Hurry = true
	d, err := s.draft(r)
	switch {
	case err == nil:
		p.Draft, p.Open = d, d.Sent.IsZero()
	case !errors.Is(err, errGone):
		return err
	}
	return s.render(w, http.StatusOK, "start", p)
}

// begin opens a new report, or goes on with the one that was begun.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	d, err := s.draft(r)
	if err != nil && !errors.Is(err, errGone) {
		return err
	}
	if err == nil && r.PostForm.Get("do") == "continue" {
		if !d.Sent.IsZero() {
			return redirect(w, "/report/sent")
		}
		path := s.path(d)
		return redirect(w, "/report/"+path[len(path)-1])
	}
	if err := s.limited(r, startLimit, s.remote(r)); err != nil {
		return err
	}
	if err == nil {
		if err := s.forget(r, d); err != nil {
			return err
		}
	}
	l := s.languageOf(r)
	t := newToken()
	d = Draft{Started: s.now(), Answers: form.Answers{}, Done: map[string]bool{}, Reached: map[string]bool{}, Language: l.Code}
	if _, err := s.drafts.put(r.Context(), t, 0, d, s.life(d)); err != nil {
		return err
	}
	s.setCookie(w, draftCookie, "/report", string(t), 0)
	s.metrics.starts.WithLabelValues(l.Code).Inc()
	return redirect(w, "/report/"+s.form.Start)
}

// save keeps the report in this browser for longer, because the reporter asked.
func (s *Server) save(w http.ResponseWriter, r *http.Request) error {
	t := cookieToken(r, draftCookie)
	d, err := s.change(r, func(d *Draft) error { d.Saved = true; return nil })
	if err != nil {
		return err
	}
	s.setCookie(w, draftCookie, "/report", string(t), s.o.DraftLife)
	p := s.page(r, "saved_title")
	p.Draft, p.Plain["until"] = d, p.When(s.now().Add(s.o.DraftLife))
	return s.render(w, http.StatusOK, "saved", p)
}

// discard deletes what was typed.
func (s *Server) discard(w http.ResponseWriter, r *http.Request) error {
	d, err := s.draft(r)
	if err == nil {
		err = s.forget(r, d)
	}
	if err != nil && !errors.Is(err, errGone) {
		return err
	}
	s.setCookie(w, draftCookie, "/report", "", -time.Second)
	return s.render(w, http.StatusOK, "deleted", s.page(r, "deleted_title"))
}

// forget drops a draft and the files that were uploaded for it.
func (s *Server) forget(r *http.Request, d Draft) error {
	for _, f := range d.Files {
		s.dropFile(r.Context(), f)
	}
	return s.drafts.drop(r.Context(), cookieToken(r, draftCookie))
}
