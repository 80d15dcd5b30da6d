package agentdesk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"slices"
	"sync"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// desk is one handler's desk: what it shows, numbered, and the connection that
// shows it, if any. Everything below mu is owned by it; nothing that can block is
// done while it is held.
type desk struct {
	s     *Server
	agent routing.AgentID
	epoch string

	mu      sync.Mutex
	user    User
	state   Desk
	seq     uint64
	ring    ring
	conn    *conn
	live    bool // conn has been given its snapshot
	tab     string
	session string
	// lastSeen is when the desk last gave a sign of life.
	lastSeen time.Time
	recent   []contact.ID // contacts that left the desk, newest last
	pops     map[contact.ID]context.CancelFunc
	spam     map[contact.ID]*spamMark
	views    map[crm.ReportID]ReportPresence // reports on screen, as last shown

	queuesRaw json.RawMessage // as last sent

	want, told  presence
	reconciling bool
	refused     string // why routing refused the sign-on; tried again under the next plan
	retired     bool   // on its way out of the hub; a hello needs a new desk

	phoneTab     string // the tab the credentials were made for
	phoneUser    string
	provisioning bool
	phoneChanges int  // changes told of the handler's SIP phone
	phoneSaid    bool // the handler knows that there are no credentials

	known     chan struct{} // closed once routing has said something of the handler
	forgotten chan struct{} // closed when a retired desk has left the hub
}

// recentKept is how many contacts a desk may still close after they left it.
const recentKept = 50

func newDesk(s *Server, agent routing.AgentID) *desk {
	d := &desk{s: s, agent: agent, epoch: rand.Text(), known: make(chan struct{}), forgotten: make(chan struct{}), pops: map[contact.ID]context.CancelFunc{}, spam: map[contact.ID]*spamMark{}, views: map[crm.ReportID]ReportPresence{}, lastSeen: s.now()}
	d.state = Desk{
		Me:        Me{Agent: agent, State: routing.StateOffline, Since: s.instant(), Capacity: []ChannelCapacity{}, May: []Permission{}},
		Work:      []WorkItem{},
		Queues:    []QueueView{},
		Catalogue: s.catalogue(s.plan()),
	}
	return d
}

// setUserLocked takes over what the user record says.
func (d *desk) setUserLocked(u User) {
	before := d.user.Phone
	d.user = u
	d.state.Me.Name, d.state.Me.Role, d.state.Me.Profile = u.Display, u.Role, u.Profile
	d.state.Me.May = append([]Permission{}, roles[u.Role]...)
	d.state.Me.Capacity = d.capacityLocked()
	kind := "sip"
	if u.Phone == PhoneBrowser {
		kind = "browser"
	}
	if d.state.Phone.Kind != kind {
		d.state.Phone = PhoneInfo{Kind: kind}
		d.phoneUser, d.phoneTab = "", ""
		d.want.device = kind == "sip" && d.s.o.SIPPhones == nil
	}
	if kind == "sip" && before != u.Phone && d.s.o.SIPPhones != nil {
		d.s.spawn(func() { d.watchPhone(u.Phone) })
	}
}

// watchPhone asks the switch whether a handler's SIP phone can be rung, and to
// be told when that changes, until it has answered once.
func (d *desk) watchPhone(dial string) {
	pause := 100 * time.Millisecond
	for {
		d.mu.Lock()
		changes := d.phoneChanges
		d.mu.Unlock()
		ctx, cancel := context.WithTimeout(d.s.life, d.s.o.RequestTimeout)
		up, err := d.s.o.SIPPhones.WatchPhone(ctx, dial)
		cancel()
		if err == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.phoneChanges == changes { // a change told meanwhile is newer than the answer
				d.phoneChangedLocked(dial, up)
			}
			return
		}
		d.s.log.Warn().Err(err).Str("agent", string(d.agent)).Msg("the switch did not tell whether a phone is there; asking again")
		select {
		case <-d.s.life.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// phoneChanged notes whether the handler's SIP phone can be rung.
func (d *desk) phoneChanged(dial string, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phoneChangedLocked(dial, up)
}

func (d *desk) phoneChangedLocked(dial string, up bool) {
	if d.state.Phone.Kind != "sip" || d.user.Phone != dial {
		return
	}
	d.phoneChanges++
	d.want.device = up
	d.kickLocked()
}

// wireDelta is Delta with the queues already encoded: they are the same for many
// desks.
type wireDelta struct {
	Seq     uint64          `json:"seq"`
	Now     contact.Instant `json:"now"`
	Me      *Me             `json:"me,omitempty"`
	Phone   *PhoneInfo      `json:"phone,omitempty"`
	Work    *[]WorkItem     `json:"work,omitempty"`
	Queues  json.RawMessage `json:"queues,omitempty"`
	Catalog *Catalogue      `json:"catalogue,omitempty"`
	Report  *ReportPresence `json:"report,omitempty"`
	Notice  *Notice         `json:"notice,omitempty"`
}

// publishLocked numbers a delta, keeps it for returning desks and sends it.
func (d *desk) publishLocked(delta wireDelta) {
	d.seq++
	delta.Seq, delta.Now = d.seq, d.s.instant()
	frame, err := json.Marshal(struct {
		Delta wireDelta `json:"delta"`
	}{delta})
	if err != nil {
		d.s.log.Error().Err(err).Msg("a delta could not be written as JSON")
		frame = nil
	}
	d.ring.add(d.seq, frame)
	d.s.metrics.deltas.Inc()
	if d.conn != nil && d.live {
		d.sendLocked(d.conn, frame)
	}
}

func (d *desk) sendLocked(c *conn, frame []byte) {
	if !c.send(frame) {
		d.s.metrics.slow.Inc()
		d.s.log.Warn().Str("agent", string(d.agent)).Msg("desk disconnected: it read too slowly")
	}
}

func (d *desk) publishWorkLocked() { d.publishLocked(wireDelta{Work: &d.state.Work}) }

// helloWait bounds how long a new desk waits for the engine's first word before
// it is shown anyway.
const helloWait = time.Second

// hello binds a connection to the desk, taking it over from another, and brings
// the connection up to date: Ack, then the missed deltas or a snapshot. It reports
// false, having done nothing, when the desk is on its way out of the hub.
func (d *desk) hello(c *conn, u User, session string, id uint64, in HelloRequest) bool {
	d.mu.Lock()
	if d.retired {
		d.mu.Unlock()
		return false
	}
	if old := d.conn; old != nil && old != c {
		if d.tab == in.Tab {
			old.close(1000, "The same tab connected again.")
		} else {
			old.close(CloseTakenOver, "This desk was opened in another tab or on another workstation.")
		}
	}
	d.setUserLocked(u)
	freshPage := in.Epoch == ""
	if freshPage {
		d.views = map[crm.ReportID]ReportPresence{} // a new page has nothing open
	}
	if d.state.Phone.Kind == "browser" && (freshPage || d.tab != in.Tab) {
		d.want.device = false // a page that has just loaded has no phone yet
	}
	if d.state.Phone.Kind == "browser" && d.phoneTab != in.Tab && d.phoneUser != "" {
		// The credentials belong to the other tab; new ones follow as a delta.
		d.state.Phone, d.phoneUser, d.phoneTab = PhoneInfo{Kind: "browser"}, "", ""
		phone := d.state.Phone
		d.live = false
		d.publishLocked(wireDelta{Phone: &phone})
	}
	d.phoneSaid = false
	d.conn, d.live, d.tab, d.session = c, false, in.Tab, session
	d.lastSeen = d.s.now()
	d.want.signedOn, d.want.present, d.want.profile = true, true, u.Profile
	d.kickLocked()
	d.provisionLocked()
	d.mu.Unlock()

	wait := time.NewTimer(helloWait)
	defer wait.Stop()
	select {
	case <-d.known:
	case <-wait.C:
	case <-c.gone:
	}

	views := d.s.hub.currentViews().forProfile(u.Profile)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != c {
		return true
	}
	d.sendLocked(c, ackFrame(id, nil, nil))
	missed, can := d.ring.after(in.Seq, d.seq)
	if in.Epoch == d.epoch && can {
		d.s.metrics.resumes.WithLabelValues("deltas").Inc()
		for _, frame := range missed {
			d.sendLocked(c, frame)
		}
		d.live = true
		d.showQueuesLocked(views)
		return true
	}
	d.s.metrics.resumes.WithLabelValues("snapshot").Inc()
	d.state.Queues, d.queuesRaw = views.list, views.raw
	frame, err := json.Marshal(ServerMessage{Snapshot: &Snapshot{
		Version: ProtocolVersion, Epoch: d.epoch, Seq: d.seq, Desk: d.state, Now: d.s.instant(),
	}})
	if err != nil {
		d.s.log.Error().Err(err).Msg("a snapshot could not be written as JSON")
		return true
	}
	d.sendLocked(c, frame)
	d.live = true
	if d.refused != "" {
		d.sayRefusedLocked()
	}
	return true
}

func ackFrame(id uint64, e *Error, reply any) []byte {
	ack := Ack{ID: id, Error: e}
	if reply != nil {
		ack.Reply, _ = json.Marshal(reply) // replies are plain values of ours
	}
	frame, _ := json.Marshal(ServerMessage{Ack: &ack})
	return frame
}

// seen renews the lease for the connection that holds the desk.
func (d *desk) seen(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != c {
		return
	}
	d.lastSeen = d.s.now()
	if !d.want.present {
		d.want.present = true
		d.kickLocked()
	}
}

// detach forgets a connection that has ended. The lease runs on.
func (d *desk) detach(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == c {
		d.conn, d.live = nil, false
		d.kickLocked()
	}
}

func (d *desk) disconnect(code int, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		d.conn.close(code, reason)
	}
}

// sweep ends the lease of a silent desk, and signs off a handler whose desk has
// been gone for long.
func (d *desk) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone := now.Sub(d.lastSeen)
	if d.want.signedOn && d.want.present && gone >= d.s.o.Lease {
		d.want.present = false
		d.s.metrics.leases.Inc()
		d.s.log.Warn().Str("agent", string(d.agent)).Msg("desk gave no sign of life: it left routing")
		if d.conn != nil {
			d.conn.close(CloseNoHeartbeat, "This desk sent no heartbeat.")
		}
	}
	if d.want.signedOn && d.conn == nil && gone >= d.s.o.AbandonAfter {
		d.want.signedOn = false
	}
	d.kickLocked()
	if d.conn != nil {
		d.provisionLocked()
	}
}

// signOff ends the desk for the session that holds it; another session's
// sign-off leaves it alone unless nobody is connected.
func (d *desk) signOff(session string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil && d.session != session {
		return
	}
	if d.conn != nil {
		d.conn.close(CloseSignedOut, "You have signed off.")
	}
	d.want.signedOn = false
	d.kickLocked()
}

// moveSession follows a session to its new token.
func (d *desk) moveSession(old, token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == old {
		d.session = token
	}
}

// dial tells which phone rings.
func (d *desk) dial() (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.user.Name == "" {
		return "", false
	}
	if d.user.Phone != PhoneBrowser {
		return d.user.Phone, true
	}
	return "PJSIP/" + d.phoneUser, d.phoneUser != ""
}

// showQueues sends the queues when they changed and somebody is looking.
func (d *desk) showQueues(v *queueViews) {
	d.mu.Lock()
	profile, live := d.state.Me.Profile, d.live
	d.mu.Unlock()
	if !live {
		return
	}
	pv := v.forProfile(profile)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live && d.state.Me.Profile == profile {
		d.showQueuesLocked(pv)
	}
}

func (d *desk) showQueuesLocked(pv profileView) {
	if bytes.Equal(pv.raw, d.queuesRaw) {
		return
	}
	d.state.Queues, d.queuesRaw = pv.list, pv.raw
	d.publishLocked(wireDelta{Queues: pv.raw})
}

func (d *desk) planChanged(plan *routing.Plan) {
	c := d.s.catalogue(plan)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.showCapacityLocked()
	if equalJSON(c, d.state.Catalogue) {
		return
	}
	if d.refused != "" {
		d.told = presence{}
		d.kickLocked()
	}
	d.state.Catalogue = c
	d.publishLocked(wireDelta{Catalog: &c})
}

func equalJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func (s *Server) catalogue(plan *routing.Plan) Catalogue {
	return Catalogue{
		PlanVersion: plan.Version,
		// Empty lists, never null, on the wire.
		NotReadyReasons: append([]routing.Code{}, plan.NotReadyReasons...),
		Outcomes:        append([]routing.Code{}, plan.Outcomes...),
		Skills:          append([]routing.Code{}, plan.Skills...),
		Languages:       append([]routing.Code{}, s.o.Languages...),
		ForwardQueues:   forwardQueues(plan),
		Templates:       s.templateList(),
		Mailboxes:       s.mailboxCodes(),
		SpamGrace:       contact.Duration(s.o.SpamGrace),
	}
}

// sipPath is the proxy's address for a tab, so that a tab which lost the desk
// loses its signalling too.
func sipPath(tab string) string { return "/sip?tab=" + url.QueryEscape(tab) }

// hasLocked tells whether a contact is, or lately was, in the handler's hands.
func (d *desk) hasLocked(id contact.ID) bool {
	i := d.knowsLocked(id)
	return (i >= 0 && d.state.Work[i].Phase != routing.PhaseRinging) || slices.Contains(d.recent, id)
}

// knowsLocked finds a contact in hand.
func (d *desk) knowsLocked(id contact.ID) int {
	return slices.IndexFunc(d.state.Work, func(w WorkItem) bool { return w.Contact == id })
}
