package agentdesk

import (
	"net/http"
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// PeopleList is the body of GET /api/people.
type PeopleList struct {
	People []Person `json:"people"`
}

// QueueList is the body of GET /api/queues.
type QueueList struct {
	Queues []QueueView `json:"queues"`
}

// AgentList is the body of GET /api/agents.
type AgentList struct {
	Agents []AgentView `json:"agents"`
}

// AgentView is one signed-on handler as supervisors see them.
type AgentView struct {
	Name string `json:"name"`
	routing.AgentChanged
}

func (s *Server) handlePeople(w http.ResponseWriter, r *http.Request) {
	number := strings.TrimSpace(r.URL.Query().Get("number"))
	if number == "" || len(number) > numberMax {
		s.writeError(w, invalid("number", "Give a telephone number."))
		return
	}
	people, err := s.o.Records.ByNumber(r.Context(), number)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := PeopleList{People: []Person{}}
	for _, p := range people {
		out.People = append(out.People, s.seenAs(r.Context(), p))
	}
	s.writeJSON(w, http.StatusOK, out)
}

// personID reads the id of the path; anything that cannot be one is not found.
func personID(r *http.Request) (contact.PersonID, error) {
	id := r.PathValue("id")
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-'
	}) {
		return "", crm.ErrNotFound
	}
	return contact.PersonID(id), nil
}

func (s *Server) handlePerson(w http.ResponseWriter, r *http.Request) {
	id, err := personID(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	ctx, err := s.because(r.Context(), userOf(r.Context()), personObject(string(id)), s.headerReason(r))
	var p crm.Person
	if err == nil {
		p, err = s.openPerson(ctx, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, personOf(p, true))
}

// timelinePage is how many entries one page lists.
const timelinePage = 50

func (s *Server) handleTimeline(w http.ResponseWriter, r *http.Request) {
	id, err := personID(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var before int64
	if text := r.URL.Query().Get("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before <= 0 {
			s.writeError(w, invalid("before", "before is an instant: nanoseconds since 1970, as the last page gave it."))
			return
		}
	}
	ctx, err := s.because(r.Context(), userOf(r.Context()), personObject(string(id)), s.headerReason(r))
	var p crm.Person
	if err == nil {
		p, err = s.openPerson(ctx, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.timeline(ctx, p, contact.Instant(before))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, http.StatusOK, page)
}

func (s *Server) handleQueues(w http.ResponseWriter, r *http.Request) {
	u := userOf(r.Context())
	views := s.hub.currentViews()
	out := QueueList{Queues: views.all}
	if !u.Role.May(MaySeeAgents) {
		out.Queues = views.forProfile(u.Profile).list
	}
	if out.Queues == nil {
		out.Queues = []QueueView{}
	}
	s.writeJSON(w, http.StatusOK, out)
}

func (s *Server) handleAgents(w http.ResponseWriter, r *http.Request) {
	names := s.names.get(r.Context(), s)
	out := AgentList{Agents: []AgentView{}}
	for _, a := range s.hub.agentList() {
		name := names[string(a.Agent)]
		if name == "" {
			name = string(a.Agent)
		}
		out.Agents = append(out.Agents, AgentView{Name: name, AgentChanged: a})
	}
	s.writeJSON(w, http.StatusOK, out)
}
