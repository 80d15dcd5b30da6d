package web

import (
	"net/http"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/intake/web/form"
)

// Draft is a report that was begun and not sent, as one browser keeps it.
type Draft struct {
	Started time.Time       `json:"started"`
	Answers form.Answers    `json:"answers"`
	Done    map[string]bool `json:"done"`
	Reached map[string]bool `json:"reached,omitempty"`
	Files   []File          `json:"files,omitempty"`
	// Saved tells that the reporter asked this browser to keep it.
	Saved bool `json:"saved,omitempty"`
	// IDs are made at the first attempt to send, so that a second sends the same.
	IDs *ids `json:"ids,omitempty"`
	// Sent is when it was accepted; the answers are cleared then.
	Sent time.Time `json:"sent,omitempty"`
	// Told is when the answers were passed on because the form was stopped, with
	// the number of the contact made.
	Told     time.Time `json:"told,omitempty"`
	CallBack bool      `json:"call_back,omitempty"`
	Language string    `json:"language,omitempty"`
	// Receipt tells that a receipt goes out by e-mail.
	Receipt bool `json:"receipt,omitempty"`
	Rated   bool `json:"rated,omitempty"`
	// Anonymous decides what the confirmation says.
	Anonymous bool `json:"anonymous,omitempty"`
}

// ids are what a report is known by, made before it is accepted.
type ids struct {
	Report    crm.ReportID     `json:"report"`
	Contact   contact.ID       `json:"contact"`
	Person    contact.PersonID `json:"person"`
	Message   crm.MessageID    `json:"message"`
	Thread    crm.ThreadID     `json:"thread"`
	Reference string           `json:"reference"`
	Secret    string           `json:"secret"`
}

func (s *Server) newIDs() (*ids, error) {
	ref, secret, err := newReference()
	if err != nil {
		return nil, err
	}
	id := s.o.IDs.New
	return &ids{crm.ReportID(id()), contact.ID(id()), contact.PersonID(id()), crm.MessageID(id()), crm.ThreadID(id()), ref, secret}, nil
}

// path is the way through the form so far.
func (s *Server) path(d Draft) []string {
	return s.form.Path(d.Answers, func(step string) bool { return d.Done[step] })
}

func (s *Server) life(d Draft) time.Duration {
	switch {
	case !d.Sent.IsZero():
		return s.o.SessionLife
	case d.Saved:
		return s.o.DraftLife
	}
	return s.o.SessionLife
}

const (
	draftCookie    = "c3i_report"
	trackCookie    = "c3i_track"
	languageCookie = "c3i_language"
)

func (s *Server) setCookie(w http.ResponseWriter, name, path, value string, life time.Duration) {
	c := &http.Cookie{ //nolint:gosec // Secure wherever the pages are served over TLS; over plain HTTP no browser would send it back
		Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.o.TLS,
	}
	if life != 0 {
		c.MaxAge = int(life.Seconds())
	}
	http.SetCookie(w, c)
}

func cookieToken(r *http.Request, name string) token {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return token(c.Value)
}

// draft is the request's draft; errGone when there is none.
func (s *Server) draft(r *http.Request) (Draft, error) {
	d, _, err := s.drafts.get(r.Context(), cookieToken(r, draftCookie))
	return d, err
}

func (s *Server) change(r *http.Request, change func(*Draft) error) (Draft, error) {
	return s.drafts.update(r.Context(), cookieToken(r, draftCookie), s.life, change)
}
