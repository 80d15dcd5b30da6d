package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/c3i/intake/web/form"
)

// check shows all answers before they are sent.
func (s *Server) check(w http.ResponseWriter, r *http.Request) error {
	d, err := s.draft(r)
	if errors.Is(err, errGone) {
		return redirect(w, "/report")
	}
	if err != nil {
		return err
	}
	path := s.path(d)
	if !d.Sent.IsZero() {
		return redirect(w, "/report/sent")
	}
	if last := path[len(path)-1]; last != form.Check {
		return redirect(w, "/report/"+last)
	}
	if !d.Reached[form.Check] {
		if d, err = s.change(r, func(d *Draft) error { d.Reached[form.Check] = true; return nil }); err != nil {
			return err
		}
		s.metrics.steps.WithLabelValues(form.Check).Inc()
	}
	return s.render(w, http.StatusOK, "check", s.checkPage(r, d, path, s.challenge()))
}

func (s *Server) checkPage(r *http.Request, d Draft, path []string, challenge string) *page {
	p := s.page(r, "check_title")
	p.Draft, p.Open, p.Token, p.Files = d, true, challenge, d.Files
	p.At = "/report/check"
	p.Back = "/report/" + path[len(path)-2]
	p.Rows = p.rows(path, s.form.OnPath(d.Answers, path), d.Files)
	return p
}

// submit sends the report. It is made once however often it is sent: by a double
// click, after going back, or from two tabs.
func (s *Server) submit(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	d, err := s.draft(r)
	if err != nil {
		return err
	}
	path := s.path(d)
	if !d.Sent.IsZero() {
		return redirect(w, "/report/sent")
	}
	if last := path[len(path)-1]; last != form.Check {
		return redirect(w, "/report/"+last)
	}
	notice, wait, err := s.human(r.Context(), r, d.Started)
	if err != nil {
		return err
	}
	if notice != "" {
		s.metrics.refused.WithLabelValues(notice).Inc()
		challenge := r.PostForm.Get("challenge")
		if notice != "notice_busy" || wait == slowPath {
			challenge = s.challenge()
		}
		p := s.checkPage(r, d, path, challenge)
		p.Plain["notice"] = p.T(notice, "seconds", seconds(wait))
		p.Problems = []problemView{{"send", p.Plain["notice"]}}
		return s.render(w, http.StatusUnprocessableEntity, "check", p)
	}
	if err := s.limited(r, sendLimit, s.remote(r)); err != nil {
		return err
	}
	if err := s.limited(r, everyone, ""); err != nil {
		return err
	}
	if _, err := s.limits.take(r.Context(), s.busyLimit(), ""); err != nil {
		return err
	}
	if d, err = s.withIDs(r, d); err != nil {
		return err
	}
	attachments, err := s.attachments(r.Context(), d.Files)
	if err != nil {
		return err
	}
	answers := s.form.OnPath(d.Answers, path)
	err = s.accept(r.Context(), "web:"+string(d.IDs.Report), submission{
		Kind: kindReport, IDs: *d.IDs, Contact: d.IDs.Contact, Message: d.IDs.Message,
		Language: s.languageOf(r).Code, Answers: answers, Attachments: attachments,
	})
	if err != nil {
		return err
	}
	first := false
	files := d.Files
	_, err = s.change(r, func(d *Draft) error {
		first = d.Sent.IsZero()
		d.Sent, d.Answers, d.Done, d.Files, d.Saved = s.now(), form.Answers{}, nil, nil, false
		d.Receipt = s.o.Mail != nil && mayMail(answers)
		d.Anonymous = answers["anonymous"] == "yes"
		return nil
	})
	if err != nil {
		return err
	}
	if first {
		for _, f := range files {
			s.dropFile(r.Context(), f)
		}
		s.metrics.sent.WithLabelValues(answers["category"], s.languageOf(r).Code).Inc()
		s.metrics.duration.Observe(s.now().Sub(d.Started).Seconds())
		for _, q := range []string{"before", "otherwise"} {
			s.metrics.takeUp.WithLabelValues(q, answers[q]).Inc()
		}
	}
	return redirect(w, "/report/sent")
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix((d + time.Second).Truncate(time.Second).String(), "s")
}

// mayMail tells that the reporter gave an e-mail address and that writing there
// puts nobody at risk.
func mayMail(a form.Answers) bool {
	return a["email"] != "" && (a["safe"] == "any" || a["safe"] == "limited" && a.Has("safe_methods", "email"))
}

// sent is the confirmation. It can be shown again until the session ends.
func (s *Server) sent(w http.ResponseWriter, r *http.Request) error {
	d, err := s.draft(r)
	if errors.Is(err, errGone) {
		return redirect(w, "/report")
	}
	if err != nil {
		return err
	}
	if d.Sent.IsZero() {
		path := s.path(d)
		return redirect(w, "/report/"+path[len(path)-1])
	}
	p := s.page(r, "sent_title")
	p.Draft = d
	return s.render(w, http.StatusOK, "sent", p)
}

// ratings are the opinions one may have of the service.
var ratings = []string{"5", "4", "3", "2", "1"}

// rate counts an opinion. Nothing else of it is kept.
func (s *Server) rate(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	rating := r.PostForm.Get("rating")
	first := false
	_, err := s.change(r, func(d *Draft) error {
		if first = slices.Contains(ratings, rating) && !d.Rated; first {
			d.Rated = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if first {
		s.metrics.rating.WithLabelValues(rating).Inc()
	}
	return redirect(w, "/report/sent")
}
