package agentdesk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// sweepEvery is the beat of leases, queue views and session checks. Queue views
// reach a desk at most this often.
const sweepEvery = 250 * time.Millisecond

// Server is the desks' side of C3i: a sink of the engine's actions (Do) and an
// HTTP handler. It is safe for concurrent use.
type Server struct {
	o        Options
	users    *Users
	sessions *sessions
	log      zerolog.Logger
	metrics  *metrics
	now      func() time.Time

	perUser, perAddress, perCaller, perUploader *throttle
	reasons                                     *reasons

	upgrader websocket.Upgrader
	origins  *http.CrossOriginProtection
	handler  http.Handler

	hub     *hub
	history *history
	alerts  *alertBook
	public  *publicCalls
	sip     *sipProxy
	names   nameCache

	// life ends with Close; work outlives requests but not the server.
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup

	sweeping sync.Mutex // one sweep at a time

	closeMu sync.Mutex
	closed  bool
}

// enter counts the caller as work that Close waits for; false once closing.
func (s *Server) enter() bool {
	s.closeMu.Lock()
	defer s.closeMu.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}

// spawn runs f in a goroutine that Close waits for, unless the server is closing.
func (s *Server) spawn(f func()) bool {
	if !s.enter() {
		return false
	}
	go func() {
		defer s.work.Done()
		f()
	}()
	return true
}

// New makes a server that does not run yet: call Run, and serve Handler.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{
		o: o, users: o.Users, sessions: newSessions(o.Redis, o.Users, o), log: o.Log, metrics: m, now: o.Now,
		perUser:    newThrottle(5, 15*time.Second),
		perAddress: newThrottle(30, 2*time.Second),
		perCaller:  newThrottle(5, 20*time.Second),
		// A handler may add a whole message's files at once.
		perUploader: newThrottle(2*attachmentsMax, 3*time.Second),
		reasons:     newReasons(),
		origins:     http.NewCrossOriginProtection(),
	}
	for _, origin := range o.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("agentdesk: origin %q cannot be trusted: write it as https://host: %w", origin, err)
		}
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second, ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10,
		WriteBufferPool: &sync.Pool{}, CheckOrigin: s.originAllowed, Error: s.upgradeError,
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.hub = newHub(s)
	s.history = newHistory(o.Records, o.Log, m)
	s.alerts = newAlertBook(o.Redis, o.Log)
	s.public = newPublicCalls(s)
	if s.sip, err = newSIPProxy(s); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// Handler serves everything: pages, API, websockets, health and metrics.
func (s *Server) Handler() http.Handler { return s.handler }

// Run keeps leases, queue views and history moving until ctx is done. It returns
// nil then; Close must still be called.
func (s *Server) Run(ctx context.Context) error {
	beat := time.NewTicker(sweepEvery)
	defer beat.Stop()
	var others sync.WaitGroup
	others.Go(func() { s.history.run(ctx) })
	others.Go(func() { s.alerts.run(ctx) })
	others.Go(func() {
		// Reading the queues may wait for the router; leases must not.
		beat := time.NewTicker(sweepEvery)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				s.hub.showQueues(s.now())
			}
		}
	})
	others.Go(func() {
		beat := time.NewTicker(viewsRenewed)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				s.renewViews(ctx)
			}
		}
	})
	defer others.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			s.sweep(s.now())
		}
	}
}

// sweep does what is due at now.
func (s *Server) sweep(now time.Time) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	if s.hub.sweep(now) {
		s.perUser.sweep(now)
		s.perAddress.sweep(now)
		s.perCaller.sweep(now)
		s.perUploader.sweep(now)
		s.reasons.sweep(now)
	}
	s.public.sweep(now)
}

// plan is the plan in force, an empty one before the first.
func (s *Server) plan() *routing.Plan {
	if p := s.o.Plan(); p != nil {
		return p
	}
	return &noPlan
}

var noPlan routing.Plan

// Close tells desks that the server goes away, ends every connection, and writes
// what history is still in memory; the error says how much of it could not be
// written before ctx was done. No desk is signed off: handlers keep their state
// and return to the next server.
func (s *Server) Close(ctx context.Context) error {
	s.hub.close()
	s.sip.close()
	s.closeMu.Lock()
	s.closed = true
	s.closeMu.Unlock()
	err := errors.Join(s.history.flush(ctx), s.alerts.flush(ctx))
	s.end()
	s.work.Wait()
	return err
}

// Adopt tells the server, before it serves, which handlers the engine already
// has signed on. Each keeps its state if its desk returns within the lease, and
// leaves routing otherwise.
func (s *Server) Adopt(agents []routing.AgentChanged) {
	for _, a := range agents {
		s.hub.adopt(a)
	}
}

// Dial tells which phone rings for a handler who has been at a desk: the dial
// string of their SIP phone, or "PJSIP/" and the user of their browser phone.
func (s *Server) Dial(agent routing.AgentID) (string, bool) {
	d := s.hub.find(agent)
	if d == nil {
		return "", false
	}
	return d.dial()
}

// PhoneChanged tells whether a SIP phone of a handler's own can be rung. It does
// not block, and phones nobody uses are ignored.
func (s *Server) PhoneChanged(dial string, up bool) {
	for _, d := range s.hub.all() {
		d.phoneChanged(dial, up)
	}
}

// deskOf finds the desk of a user, nil when there is none.
func (s *Server) deskOf(user string) *desk { return s.hub.find(routing.AgentID(user)) }

// signOff ends the desk a session was using.
func (s *Server) signOff(user, token string) {
	if d := s.hub.find(routing.AgentID(user)); d != nil {
		d.signOff(token)
	}
}

func (s *Server) instant() contact.Instant { return contact.At(s.now()) }
