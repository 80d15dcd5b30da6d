package agentdesk

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.org/c3i/routing"
)

// hub knows every desk of this server. Each desk is owned by its own lock; the
// hub's lock is never taken while a desk's is held.
type hub struct {
	s *Server

	mu     sync.Mutex
	desks  map[routing.AgentID]*desk
	agents map[routing.AgentID]routing.AgentChanged
	closed bool

	checked time.Time // when sessions were last looked at; the sweep's own

	viewing     sync.Mutex // one look at the queues at a time; guards what follows
	plan        *routing.Plan
	viewedAt    time.Time
	queuesDirty atomic.Bool
	views       atomic.Pointer[queueViews]
}

func newHub(s *Server) *hub {
	return &hub{s: s, desks: map[routing.AgentID]*desk{}, agents: map[routing.AgentID]routing.AgentChanged{}}
}

func (h *hub) find(agent routing.AgentID) *desk {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.desks[agent]
}

// open finds or makes the desk of a user. It returns nil once the hub is closed.
func (h *hub) open(u User) *desk {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	agent := routing.AgentID(u.Name)
	d := h.desks[agent]
	if d == nil {
		d = newDesk(h.s, agent)
		h.desks[agent] = d
	}
	return d
}

// adopt makes a desk for a handler the engine already has.
func (h *hub) adopt(a routing.AgentChanged) {
	if a.State == routing.StateOffline {
		return
	}
	h.mu.Lock()
	d := newDesk(h.s, a.Agent)
	h.desks[a.Agent] = d
	h.agents[a.Agent] = a
	h.mu.Unlock()
	d.adopt(a)
}

// drop forgets a desk nobody uses.
func (h *hub) drop(d *desk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.desks[d.agent] == d {
		delete(h.desks, d.agent)
	}
}

func (h *hub) all() []*desk {
	h.mu.Lock()
	defer h.mu.Unlock()
	desks := make([]*desk, 0, len(h.desks))
	for _, d := range h.desks {
		desks = append(desks, d)
	}
	return desks
}

// noteAgent keeps the state of every handler, for supervisors.
func (h *hub) noteAgent(a routing.AgentChanged) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.State == routing.StateOffline {
		delete(h.agents, a.Agent)
		return
	}
	h.agents[a.Agent] = a
}

// agentList lists signed-on handlers in order of id.
func (h *hub) agentList() []routing.AgentChanged {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]routing.AgentChanged, 0, len(h.agents))
	for _, a := range h.agents {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b routing.AgentChanged) int { return cmp.Compare(a.Agent, b.Agent) })
	return list
}

// viewsEvery renews queue views even when no action says so: hours change by
// the clock.
const viewsEvery = time.Second

// sessionsEvery is how often the session behind each open desk is checked and
// kept from idling out.
const sessionsEvery = 30 * time.Second

// sweep does what is due on the desks. It reports true when the slower checks
// are due too.
func (h *hub) sweep(now time.Time) (slow bool) {
	desks := h.all()
	for _, d := range desks {
		d.sweep(now)
	}
	if now.Sub(h.checked) < sessionsEvery {
		return false
	}
	first := h.checked.IsZero()
	h.checked = now
	if !first {
		h.s.checkSessions(desks)
	}
	return true
}

// showQueues sends each desk the queues it may serve, and the plan's wording, if
// they changed.
func (h *hub) showQueues(now time.Time) {
	h.viewing.Lock()
	defer h.viewing.Unlock()
	plan := h.s.plan()
	planChanged := plan != h.plan
	h.plan = plan
	if planChanged {
		for _, d := range h.all() {
			d.planChanged(plan)
		}
	}
	if !h.queuesDirty.Swap(false) && !planChanged && now.Sub(h.viewedAt) < viewsEvery {
		return
	}
	h.viewedAt = now
	list := h.s.o.Queues()
	if list == nil {
		return // not known just now: what desks show stays
	}
	v := newQueueViews(plan, list)
	h.views.Store(v)
	for _, d := range h.all() {
		d.showQueues(v)
	}
}

// currentViews returns what the last sweep saw, or looks now if there was none.
func (h *hub) currentViews() *queueViews {
	if v := h.views.Load(); v != nil && v.plan == h.s.plan() {
		return v
	}
	return newQueueViews(h.s.plan(), h.s.o.Queues())
}

// close ends every connection.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, d := range h.all() {
		d.disconnect(CloseShutdown, "The server is going away.")
	}
}

// queueViews is what waits, and the part of it each profile sees, encoded once
// for all desks of the profile. It is immutable but for the cache.
type queueViews struct {
	plan *routing.Plan
	all  []QueueView

	mu        sync.Mutex
	byProfile map[string]profileView
}

type profileView struct {
	list []QueueView
	raw  json.RawMessage
}

func newQueueViews(plan *routing.Plan, all []QueueView) *queueViews {
	return &queueViews{plan: plan, all: all, byProfile: map[string]profileView{}}
}

// forProfile gives the queues a profile can serve: all skills the queue itself
// needs are held at the level or above.
func (v *queueViews) forProfile(name string) profileView {
	v.mu.Lock()
	defer v.mu.Unlock()
	if pv, have := v.byProfile[name]; have {
		return pv
	}
	pv := profileView{list: []QueueView{}}
	serves := servedBy(v.plan, name)
	for _, q := range v.all {
		if serves[q.Queue] {
			pv.list = append(pv.list, q)
		}
	}
	pv.raw, _ = json.Marshal(pv.list) // plain values always marshal
	v.byProfile[name] = pv
	return pv
}

func servedBy(plan *routing.Plan, profile string) map[routing.QueueID]bool {
	serves := map[routing.QueueID]bool{}
	for _, p := range plan.Profiles {
		if p.Name != profile {
			continue
		}
		for _, q := range plan.Queues {
			serves[q.ID] = holds(p, q.Needs)
		}
	}
	return serves
}

func holds(p routing.Profile, needs []routing.Need) bool {
	for _, n := range needs {
		if !slices.ContainsFunc(p.Skills, func(s routing.SkillLevel) bool { return s.Skill == n.Skill && s.Level >= n.Min }) {
			return false
		}
	}
	return true
}
