package agentdesk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
)

// previewed are the types a browser may show in the page: raster images, PDF and
// plain text. Whatever can run a script, SVG and HTML before all, is saved.
func previewed(kind string) bool {
	switch base, _, _ := mime.ParseMediaType(kind); base {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain":
		return true
	}
	return false
}

// fileCSP is the policy of everything people sent us: no script, no network, no
// form, in an origin of its own, and shown by our own pages only.
const fileCSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'none'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'"

// pdfCSP leaves out the sandbox, in which browsers do not show PDF files. Their
// viewer runs nothing of the file's in this origin.
const pdfCSP = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'"

func (s *Server) notFound(w http.ResponseWriter) {
	s.writeError(w, &Error{Code: CodeNotFound, Message: "There is no such record."})
}

// messageFor reads a message for whoever asks, or answers. A message of a contact
// they have in hand is theirs to read; one of a restricted report or person needs
// the reason they gave for it.
func (s *Server) messageFor(w http.ResponseWriter, r *http.Request) (crm.Message, bool) {
	id := r.PathValue("id")
	if s.o.Messages == nil {
		s.writeError(w, notHere())
		return crm.Message{}, false
	}
	if !plainID(id) {
		s.notFound(w)
		return crm.Message{}, false
	}
	ctx, u := r.Context(), userOf(r.Context())
	m, err := s.o.Messages.Message(ctx, crm.MessageID(id))
	if err == nil && m.Report != "" && !s.inHand(u.Name, m.Contact) && s.o.Reports != nil {
		if ctx, err = s.because(ctx, u, reportObject(string(m.Report)), s.headerReason(r)); err == nil {
			_, err = s.o.Reports.Report(ctx, m.Report)
		}
	}
	if err == nil && m.Contact != "" && !s.inHand(u.Name, m.Contact) {
		err = s.mayReadOf(ctx, u, m.Contact, s.headerReason(r))
	}
	if err != nil {
		s.fail(w, r, err)
		return crm.Message{}, false
	}
	return m, true
}

// mayReadOf refuses what a restricted person wrote or was written, unless a reason
// for their record was given.
func (s *Server) mayReadOf(ctx context.Context, u User, id contact.ID, reason string) error {
	rec, err := s.o.Records.Record(ctx, id)
	if errors.Is(err, crm.ErrNotFound) {
		return nil
	}
	if err != nil || rec.Person == "" {
		return err
	}
	hidden, _, err := s.o.Records.Restricted(ctx, []contact.PersonID{rec.Person}, nil)
	if err != nil || !hidden[rec.Person] {
		return err
	}
	if ctx, err = s.because(ctx, u, personObject(string(rec.Person)), reason); err != nil {
		return err
	}
	_, err = s.openPerson(ctx, rec.Person)
	return err
}

func (s *Server) handleMessage(w http.ResponseWriter, r *http.Request) {
	m, ok := s.messageFor(w, r)
	if !ok {
		return
	}
	s.writeJSON(w, http.StatusOK, s.message(m, s.names.get(r.Context(), s), len(m.Text)))
}

// handleMessageHTML gives the cleaned HTML of a message. It is shown in a frame
// that can run and fetch nothing.
func (s *Server) handleMessageHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := s.messageFor(w, r)
	if !ok {
		return
	}
	if m.HTML == "" {
		s.notFound(w)
		return
	}
	s.giveOut(w, r, given{
		object: "message", id: string(m.ID), ref: m.HTML, kind: "text/html; charset=utf-8", inline: true, csp: fileCSP,
		draw: func(ctx context.Context, page []byte) ([]byte, []audit.Entry) {
			page, drawn := s.drawInline(ctx, page, m.Attachments)
			var seen []audit.Entry
			for _, a := range drawn {
				seen = append(seen, audit.Entry{Operation: audit.Consult, Object: "attachment", ObjectID: string(m.ID) + "/" + a.ID, Outcome: "ok"})
			}
			return page, seen
		},
	})
}

// handleMessageRaw gives a message as it came, to be saved. One with something
// quarantined in it is kept as well.
func (s *Server) handleMessageRaw(w http.ResponseWriter, r *http.Request) {
	m, ok := s.messageFor(w, r)
	if !ok {
		return
	}
	switch {
	case m.Raw == "":
		s.notFound(w)
	case slices.ContainsFunc(m.Attachments, quarantined):
		s.refuseQuarantined(w, r, string(m.ID))
	default:
		s.giveOut(w, r, given{object: "message", id: string(m.ID), ref: m.Raw, name: "message.eml", kind: "application/octet-stream", csp: fileCSP})
	}
}

func (s *Server) handleAttachment(w http.ResponseWriter, r *http.Request) {
	m, ok := s.messageFor(w, r)
	if !ok {
		return
	}
	s.giveAttachment(w, r, string(m.ID), m.Attachments)
}

// handleReportAttachment gives a file that came with the report itself.
func (s *Server) handleReportAttachment(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if s.o.Reports == nil {
		s.writeError(w, notHere())
		return
	}
	if !plainID(id) {
		s.notFound(w)
		return
	}
	ctx, err := s.because(r.Context(), userOf(r.Context()), reportObject(id), s.headerReason(r))
	var rep crm.Report
	if err == nil {
		rep, err = s.o.Reports.Report(ctx, crm.ReportID(id))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveAttachment(w, r.WithContext(ctx), id, rep.Attachments)
}

func (s *Server) giveAttachment(w http.ResponseWriter, r *http.Request, of string, all []crm.Attachment) {
	i := slices.IndexFunc(all, func(a crm.Attachment) bool { return a.ID == r.PathValue("aid") })
	if i < 0 {
		s.notFound(w)
		return
	}
	a := all[i]
	if quarantined(a) {
		s.refuseQuarantined(w, r, of+"/"+a.ID)
		return
	}
	g := given{object: "attachment", id: of + "/" + a.ID, ref: a.Blob, name: fileName(a.Name), kind: "application/octet-stream", csp: fileCSP}
	if previewed(a.Detected) {
		g.inline, g.kind = r.URL.Query().Get("save") == "", a.Detected
		if base, _, _ := mime.ParseMediaType(a.Detected); base == "text/plain" {
			g.kind = "text/plain; charset=utf-8"
		} else if base == "application/pdf" {
			g.csp = pdfCSP
		}
	}
	s.giveOut(w, r, g)
}

func (s *Server) refuseQuarantined(w http.ResponseWriter, r *http.Request, id string) {
	s.denied(r.Context(), "attachment", id, CodeQuarantined)
	s.writeError(w, &Error{Code: CodeQuarantined, Message: "The file is in quarantine: the malware scanner did not find it clean. It is not given out."})
}

// given is something about to leave the blobs.
type given struct {
	object, id string
	ref        blob.Ref
	name, kind string
	inline     bool
	csp        string
	// draw, if set, changes what is given out, and says what is given with it.
	draw func(context.Context, []byte) ([]byte, []audit.Entry)
}

// giveOut puts the viewing on the trail and then gives the bytes.
func (s *Server) giveOut(w http.ResponseWriter, r *http.Request, g given) {
	if s.o.Blobs == nil {
		s.writeError(w, notHere())
		return
	}
	f, err := s.o.Blobs.Open(r.Context(), g.ref)
	if errors.Is(err, blob.ErrNotFound) {
		s.writeError(w, &Error{Code: CodeNotFound, Message: "The file was erased or is not kept any more."})
		return
	}
	if err != nil {
		s.fail(w, r, fmt.Errorf("open a file: %w", err))
		return
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	content, seen := io.Reader(f), []audit.Entry{{Operation: audit.Consult, Object: g.object, ObjectID: g.id, Outcome: "ok"}}
	if g.draw != nil && err == nil {
		var page []byte
		if page, err = io.ReadAll(io.LimitReader(f, htmlMax)); err == nil {
			page, more := g.draw(r.Context(), page)
			content, size, seen = bytes.NewReader(page), int64(len(page)), append(seen, more...)
		}
	}
	for _, e := range seen {
		if err == nil {
			err = s.trail(r.Context(), e)
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", g.kind)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Security-Policy", g.csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	disposition := "attachment"
	if g.inline {
		disposition = "inline"
	}
	if g.name != "" {
		disposition = mime.FormatMediaType(disposition, map[string]string{"filename": g.name})
	}
	h.Set("Content-Disposition", disposition)
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, content)
}

// plainID tells whether text can be an id: nothing else is looked up.
func plainID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.") == ""
}

func notHere() *Error {
	return &Error{Code: CodeUnavailable, Message: "This part of the system is not switched on here."}
}
