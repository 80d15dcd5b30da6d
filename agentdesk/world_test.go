package agentdesk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse battery"

// world is a desk server on a real Redis, a real CRM and a real engine, on a
// clock of the test's own.
type world struct {
	options agentdesk.Options
	t       *testing.T
	redis   *redistest.Server
	users   *agentdesk.Users
	crm     *crm.Store
	server  *agentdesk.Server
	web     *httptest.Server
	now     atomic.Int64
	router  *router
	phones  *phones
	trail   *audit.Log
	blobs   *blob.Dir
	outbox  *outbox
	made    int
}

// router steps the engine at once and hands its actions to the server, as the
// live driver does, in order.
type router struct {
	w      *world
	mu     sync.Mutex
	engine *routing.Engine
	sink   func(routing.Action)
	events []routing.Event
	// broken makes every event fail, as a router that is away would.
	broken atomic.Bool
	// hook, if set, sees each event before it is stepped.
	hook func(routing.Event)
}

var errAway = errors.New("the router is away")

func (r *router) SubmitWait(_ context.Context, ev routing.Event) ([]routing.Action, error) {
	if r.broken.Load() {
		return nil, errAway
	}
	if r.hook != nil {
		r.hook(ev)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev)
	actions := r.engine.Step(contact.Instant(r.w.now.Load()), ev)
	for _, a := range actions {
		r.sink(a)
	}
	return actions, nil
}

func (r *router) Submit(ctx context.Context, ev routing.Event) error {
	_, err := r.SubmitWait(ctx, ev)
	return err
}

func (r *router) agent(id string) routing.AgentChanged {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, _ := r.engine.Agent(routing.AgentID(id))
	return a
}

func (r *router) queues() []agentdesk.QueueView {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []agentdesk.QueueView
	for _, q := range r.engine.Queues() {
		out = append(out, queueView(q))
	}
	return out
}

// phones hands out numbered credentials.
type phones struct {
	mu        sync.Mutex
	made      int
	fail      error
	withdrawn []string
}

func (p *phones) Provision(_ context.Context, agent routing.AgentID) (agentdesk.PhoneCredentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return agentdesk.PhoneCredentials{}, p.fail
	}
	p.made++
	user := fmt.Sprintf("b%d", p.made)
	return agentdesk.PhoneCredentials{URI: "sip:" + user + "@c3i.invalid", User: user, Password: "secret-" + user}, nil
}

func (p *phones) Withdraw(_ context.Context, agent routing.AgentID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.withdrawn = append(p.withdrawn, string(agent))
	return nil
}

func (p *phones) ProvisionPublic(ctx context.Context, _ string) (agentdesk.PhoneCredentials, error) {
	return p.Provision(ctx, "")
}

func (p *phones) WithdrawPublic(ctx context.Context, user string) error {
	return p.Withdraw(ctx, routing.AgentID(user))
}

func testPlan() *routing.Plan {
	within := map[contact.Channel]contact.Duration{contact.Phone: 30 * contact.Second, contact.Email: contact.Hour, contact.Web: contact.Hour}
	one := map[contact.Channel]int{contact.Phone: 1, contact.Email: 2, contact.Web: 1}
	return &routing.Plan{
		Version: 1,
		Queues: []routing.Queue{
			{ID: "general", Label: "General", AnswerWithin: within},
			{ID: "polish", Label: "Polish", AnswerWithin: within, Needs: []routing.Need{{Skill: "lang.pl", Min: 2}}},
		},
		Rules: []routing.Rule{{Name: "polish speakers", Match: func(in routing.RuleInput) bool { return in.Facts.Language == "pl" }, Queue: "polish"}},
		Profiles: []routing.Profile{
			{Name: "general", Capacity: one},
			{Name: "polish", Skills: []routing.SkillLevel{{Skill: "lang.pl", Level: 3}}, Capacity: one},
		},
		Offer:           routing.OfferPolicy{RingFor: map[contact.Channel]contact.Duration{contact.Phone: 20 * contact.Second}, NoAnswerRest: 30 * contact.Second, DeclineRest: 10 * contact.Second, FailedRest: 5 * contact.Second, AlertAfter: 3},
		WrapUp:          routing.WrapUpPolicy{Limit: contact.Minute, Extension: contact.Minute},
		NotReadyReasons: []routing.Code{{Code: "lunch", Label: "Lunch"}, {Code: "break", Label: "Break"}},
		Outcomes:        []routing.Code{{Code: "replied", Label: "Answered in writing"}, {Code: "advice_given", Label: "Advice given"}, {Code: "report_taken", Label: "Report taken"}},
		ShortAbandon:    5 * contact.Second,
		DefaultQueue:    "general",
	}
}

// newWorld starts everything; change may alter the options before.
func newWorld(t *testing.T, change ...func(*agentdesk.Options)) *world {
	t.Helper()
	w := &world{t: t, redis: redistest.New(t), phones: &phones{}}
	w.now.Store(int64(contact.At(time.Now())))
	rdb := w.redis.Client()
	var err error
	w.users, err = agentdesk.NewUsers(rdb, agentdesk.UsersOptions{Params: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}})
	must(t, err)
	w.trail, err = audit.Open(t.Context(), w.redis.Client(), "test", audit.Clock(w.clock))
	must(t, err)
	w.crm, err = crm.Open(t.Context(), crm.Options{Redis: w.redis.Client(), Region: "GB", Now: w.clock, Audit: w.trail})
	must(t, err)
	w.blobs, err = blob.OpenDir(t.TempDir(), blob.Options{})
	must(t, err)
	w.outbox = &outbox{w: w, sent: map[string]agentdesk.Outgoing{}}
	w.router = &router{w: w, engine: routing.New()}
	plan := testPlan()
	o := agentdesk.Options{
		Messages: w.crm, Reports: w.crm, People: w.crm, Outbox: w.outbox, Blobs: w.blobs, Trail: w.trail, Service: "The Test Service",
		Mailboxes: []agentdesk.Mailbox{{Key: "contact", Label: "Contact", Address: "contact@example.org"}, {Key: "polish", Label: "Polish", Address: "kontakt@example.org"}},
		Redis:     rdb, Users: w.users, Records: w.crm, Router: w.router, Phones: w.phones, PublicPhones: w.phones,
		Plan: func() *routing.Plan { return plan }, Queues: w.router.queues, Now: w.clock, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
		// Most tests move the clock without heartbeats; those of the lease set it to 0.
		Lease:     time.Hour,
		Languages: []routing.Code{{Code: "en", Label: "English"}, {Code: "pl", Label: "Polish"}},
	}
	for _, f := range change {
		f(&o)
	}
	w.options = o
	w.server, err = agentdesk.New(o)
	must(t, err)
	w.router.sink = func(a routing.Action) {
		if err := w.server.Do(context.Background(), a); err != nil {
			t.Errorf("Do(%s): %v", a.ActionKind(), err)
		}
	}
	w.web = httptest.NewServer(w.server.Handler())
	running, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = w.server.Run(running) })
	t.Cleanup(func() {
		stop()
		run.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := w.server.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.web.Close()
	})
	w.submit(routing.PlanPublished{Version: 1, Source: "test", Plan: plan})
	w.submit(routing.HoursChanged{Queue: "general", Open: true})
	w.submit(routing.HoursChanged{Queue: "polish", Open: true})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) clock() time.Time { return contact.Instant(w.now.Load()).Time() }

// advance moves the clock, lets the engine act on its deadlines, and the server
// on its own.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.now.Add(int64(d))
	w.submit(routing.Tick{})
	w.server.Sweep(w.clock())
}

func (w *world) submit(ev routing.Event) {
	w.t.Helper()
	must(w.t, w.router.Submit(w.t.Context(), ev))
}

// add makes a user who need not change the password.
func (w *world) add(name string, change ...func(*agentdesk.UserSpec)) {
	w.t.Helper()
	s := agentdesk.UserSpec{Name: name, Display: "Handler " + name, Role: agentdesk.RoleHandler, Profile: "general", Phone: "PJSIP/" + name, Password: password}
	for _, f := range change {
		f(&s)
	}
	_, err := w.users.Add(w.t.Context(), s)
	must(w.t, err)
}

func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

func (w *world) signOn(name string) *deskclient.Session {
	w.t.Helper()
	s, err := deskclient.SignOn(w.ctx(), w.web.URL, name, password)
	must(w.t, err)
	w.t.Cleanup(s.Close)
	return s
}

// desk signs a user on and opens the desk.
func (w *world) desk(name string, change ...func(*deskclient.Options)) *deskclient.Desk {
	w.t.Helper()
	return w.open(w.signOn(name), change...)
}

func (w *world) open(s *deskclient.Session, change ...func(*deskclient.Options)) *deskclient.Desk {
	w.t.Helper()
	o := deskclient.Options{Stay: true, Heartbeat: -1}
	for _, f := range change {
		f(&o)
	}
	d, err := s.Open(w.ctx(), o)
	must(w.t, err)
	w.t.Cleanup(d.Close)
	return d
}

// ready makes a desk ready and waits until it shows so.
func (w *world) ready(d *deskclient.Desk) {
	w.t.Helper()
	must(w.t, d.Ready(w.ctx()))
	must(w.t, d.Wait(w.ctx(), func(s agentdesk.Desk) bool { return s.Me.State == routing.StateReady }))
}

// call lets somebody ring in: known to the CRM, then to the engine.
func (w *world) call(number string, change ...func(*contact.Facts)) contact.ID {
	w.t.Helper()
	w.made++
	id := contact.ID(fmt.Sprintf("01TESTCONTACT%013d", w.made))
	caller := contact.Caller{Number: number, CLI: contact.CLIPresented, Dialled: "101"}
	if number == "" {
		caller.CLI = contact.CLIWithheld
	}
	facts := contact.Facts{Language: "en", Answers: map[string]string{"menu": "report"}}
	for _, f := range change {
		f(&facts)
	}
	at := contact.Instant(w.now.Load())
	facts, err := w.crm.Identify(w.ctx(), crm.Arrival{ID: id, Channel: contact.Phone, Caller: caller, At: at, Facts: facts})
	must(w.t, err)
	w.submit(routing.ContactArrived{Contact: id, Channel: contact.Phone, Arrival: at, Facts: facts})
	return id
}

// answer takes an offer as the telephone would.
func (w *world) answer(agent string, item agentdesk.WorkItem) {
	w.t.Helper()
	w.submit(routing.OfferAccepted{Offer: item.Offer, Agent: routing.AgentID(agent)})
	w.submit(routing.Connected{Contact: item.Contact, Agent: routing.AgentID(agent)})
}

func ringing(i agentdesk.WorkItem) bool { return i.Phase == routing.PhaseRinging }

func phase(p routing.Phase) func(agentdesk.WorkItem) bool {
	return func(i agentdesk.WorkItem) bool { return i.Phase == p }
}

// popped is a work item the CRM's part has reached.
func popped(i agentdesk.WorkItem) bool { return i.Caller.CLI != "" }

func (w *world) work(d *deskclient.Desk, ok func(agentdesk.WorkItem) bool) agentdesk.WorkItem {
	w.t.Helper()
	item, err := d.WaitWork(w.ctx(), ok)
	must(w.t, err)
	return item
}

// refused checks that err is an Error of the code.
func refused(t testing.TB, err error, code string) *agentdesk.Error {
	t.Helper()
	var e *agentdesk.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v; want one of code %s", err, code)
	}
	if e.Code != code || e.Message == "" {
		t.Fatalf("error = %+v; want code %s and a sentence", e, code)
	}
	return e
}

// eventually waits for a condition that no message announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	beat := time.NewTicker(2 * time.Millisecond)
	defer beat.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("did not happen: %s", what)
		case <-beat.C:
		}
	}
}

var _ redis.UniversalClient = (*redis.Client)(nil)
