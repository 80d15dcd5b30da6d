package agentdesk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/edge"
	"example.org/c3i/routing"
)

// Check is one thing /readyz asks. Ready returns nil, or what is missing in a
// sentence without personal data.
type Check struct {
	Name  string
	Ready func(ctx context.Context) error
}

// Options are what a Server works with. Redis, Users, Records, Router, Plan and
// Queues are required; every other field has a sensible zero value.
type Options struct {
	Redis   redis.UniversalClient // sessions
	Users   *Users
	Records Records
	Router  Router
	// Plan gives the plan in force. It is called often and must be cheap; a new
	// pointer means a new plan.
	Plan func() *routing.Plan
	// Queues gives what waits in every queue of the plan, in the plan's order. It
	// is called at most four times a second, whatever the number of desks.
	Queues func() []QueueView
	// Labels puts a contact's IVR answers into words, in the order they were
	// given. Nil shows them as they are, by name.
	Labels func(contact.Facts) []LabelledAnswer
	// Languages lists codes and names for the person form.
	Languages []routing.Code

	// Messages, Reports and People are the CRM's other sides; what is nil is
	// answered as not switched on. One store is all of them.
	Messages Messages
	Reports  Reports
	People   People
	// Outbox sends what handlers write; nil sends nothing.
	Outbox Outbox
	// Finder answers searches; nil finds nothing.
	Finder Finder
	// Blobs keeps files; nil takes and gives none. Scanner looks at what handlers
	// add; nil for none.
	Blobs   Blobs
	Scanner Scanner
	// Trail is the audit trail of what the desk itself does: sign-ons, refusals,
	// files given out. Nil keeps none.
	Trail audit.Trail
	// Mailboxes are those handlers may write from, the first unless said.
	Mailboxes []Mailbox
	// Templates are offered for answers; Service names the service in them.
	Templates []TemplateText
	Service   string
	// Triage says what is found in a message that may matter at once, and
	// TriageAnswers what the plan's rules see of it. Both are pure; nil says nothing.
	Triage        func(crm.Message, contact.Facts) []TriageReason
	TriageAnswers func(crm.Message) map[string]string
	// SpamGrace is how long a mark as spam can be taken back; 30 s when zero.
	SpamGrace time.Duration

	// Plans is the archive of plans; nil answers that there is none.
	Plans Plans
	// Why explains a contact's routing, as JSON will show it; nil explains none.
	// Errors for the asker are *Error.
	Why func(ctx context.Context, id contact.ID) (any, error)

	// Surges switches the plan's surges; nil answers that none is switched here.
	Surges Surges
	// Foresee answers what would happen; nil answers that it is not told here.
	Foresee Foresight

	// Phones provisions browser phones; nil gives desks no browser phone.
	Phones Phones
	// SIPPhones tells whether handlers' own SIP phones can be rung; changes come
	// through Server.PhoneChanged. Nil takes them as always there.
	SIPPhones SIPPhones
	// PublicPhones provisions the public call page; nil switches the page's calls off.
	PublicPhones PublicPhones
	// PublicNumber is what the public page dials; "101" when empty.
	PublicNumber string
	// PublicCalls bounds public calls at one time; 20 when zero.
	PublicCalls int
	// SIPUpstream is the switch's SIP websocket, for example
	// "ws://127.0.0.1:8088/ws"; empty switches /sip off.
	SIPUpstream string

	// Web serves the pages and their files; nil serves none.
	Web http.Handler
	// Ready is what /readyz asks.
	Ready []Check
	// Registry takes the metrics and is served on /metrics; nil makes one.
	Registry *prometheus.Registry
	Log      zerolog.Logger
	// TLS tells that browsers reach the server over TLS: cookies are then Secure.
	TLS bool
	// Origins lists further origins whose pages may use the API and websockets,
	// for example "https://desk.example.org" behind a proxy that changes Host.
	Origins []string
	// Proxies are believed about whom they forward for; sign-ons and public calls
	// are counted by that.
	Proxies edge.Networks
	// Times bound how slowly requests may come in and answers be taken;
	// edge.DefaultTimes when zero.
	Times edge.Times

	// SessionIdle and SessionLife end a session; 30 min and 12 h when zero. An
	// open desk counts as activity.
	SessionIdle, SessionLife time.Duration
	// Lease is how long a desk stays in routing without a sign of life; 8 s.
	Lease time.Duration
	// AbandonAfter signs a handler off whose desk has been gone so long; 30 min.
	AbandonAfter time.Duration
	// PopTimeout bounds one reading of the CRM; 2 s.
	PopTimeout time.Duration
	// RequestTimeout bounds one request of a desk; 5 s.
	RequestTimeout time.Duration
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

func (o *Options) fill() error {
	switch {
	case o.Redis == nil:
		return errors.New("agentdesk: Options.Redis is missing")
	case o.Users == nil:
		return errors.New("agentdesk: Options.Users is missing")
	case o.Records == nil:
		return errors.New("agentdesk: Options.Records is missing")
	case o.Router == nil:
		return errors.New("agentdesk: Options.Router is missing")
	case o.Plan == nil:
		return errors.New("agentdesk: Options.Plan is missing")
	case o.Queues == nil:
		return errors.New("agentdesk: Options.Queues is missing")
	}
	def(&o.PublicNumber, "101")
	def(&o.Times, edge.DefaultTimes)
	def(&o.PublicCalls, 20)
	def(&o.SessionIdle, 30*time.Minute)
	def(&o.SessionLife, 12*time.Hour)
	def(&o.Lease, 8*time.Second)
	def(&o.AbandonAfter, 30*time.Minute)
	def(&o.SpamGrace, 30*time.Second)
	def(&o.PopTimeout, 2*time.Second)
	def(&o.RequestTimeout, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return nil
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
