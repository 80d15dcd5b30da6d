package agentdesk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
)

// Bounds of a search.
const (
	queryMax      = 200 // characters
	searchDefault = 20
	searchMost    = 50
)

var searchKinds = []string{"person", "report", "contact", "message"}

// handleSearch is POST: what is looked for is personal data and belongs in no
// address. The consultation is on the trail, without what was typed, before
// anything is shown.
func (s *Server) handleSearch(w http.ResponseWriter, r *http.Request) {
	var in SearchRequest
	if !s.readJSON(w, r, &in) {
		return
	}
	if s.o.Finder == nil {
		s.writeError(w, notHere())
		return
	}
	if err := checkSearch(&in); err != nil {
		s.fail(w, r, err)
		return
	}
	began := time.Now()
	out, err := s.o.Finder.Find(r.Context(), in)
	took := time.Since(began)
	if err == nil {
		err = s.trail(r.Context(), audit.Entry{Operation: audit.Search, Object: "search", Fields: in.Kinds, Outcome: "ok"})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if out.Hits == nil {
		out.Hits = []SearchHit{}
	}
	for i, h := range out.Hits {
		if h.Restricted && !s.mayOpen(r.Context(), cmp.Or(h.Behind, h.Kind+" "+h.ID)) {
			masked := SearchHit{Kind: h.Kind, ID: h.ID, Reference: h.Reference, Restricted: true, Masked: true}
			// What is to be opened, with a reason, to see it.
			if id, ok := strings.CutPrefix(h.Behind, "person "); ok {
				masked.Person = contact.PersonID(id)
			} else if id, ok := strings.CutPrefix(h.Behind, "report "); ok {
				masked.Report = crm.ReportID(id)
			}
			out.Hits[i] = masked
		}
	}
	out.TookMicros = took.Microseconds()
	s.writeJSON(w, http.StatusOK, out)
}

func checkSearch(in *SearchRequest) error {
	in.Query = strings.TrimSpace(in.Query)
	if in.Query == "" {
		return invalid("query", "Type something to look for.")
	}
	if err := line("query", in.Query, queryMax); err != nil {
		return err
	}
	for _, k := range in.Kinds {
		if !slices.Contains(searchKinds, k) {
			return invalid("kinds", "Look for person, report, contact or message.")
		}
	}
	if in.Limit < 0 || in.Limit > searchMost || len(in.Kinds) > len(searchKinds) {
		return invalid("limit", "Ask for at most 50 hits.")
	}
	if in.Limit == 0 {
		in.Limit = searchDefault
	}
	return nil
}
