package web

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/edge"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/triage"
	"example.org/c3i/routing"
)

// Router takes events for the engine and returns once they are in the journal.
type Router interface {
	Submit(ctx context.Context, ev routing.Event) error
}

// Mail is one automatic message: a receipt or a one-time code.
type Mail struct {
	Contact  contact.ID
	Report   crm.ReportID
	To       crm.Mailbox
	Subject  string
	Text     string
	Template string // receipt or code
	Language string
	// Key makes sending idempotent: the same key is sent once.
	Key string
}

// ErrNotSent means that a message must not or cannot be sent, and that trying
// again changes nothing: writing there may put somebody at risk, or the address is
// none.
var ErrNotSent = errors.New("web: the message is not to be sent")

// Mailer sends automatic messages; it returns once a message is durable, or
// ErrNotSent.
type Mailer interface {
	Send(ctx context.Context, m Mail) (crm.Message, error)
}

// Partner is a program that may use the API.
type Partner struct {
	// Name is shown to handlers as the source of its reports.
	Name string
	// Key identifies the secret that its requests are signed with.
	Key    string
	Secret string
}

// Options configure a Server.
type Options struct {
	Redis redis.UniversalClient
	// Texts holds form.yaml and one file of words for each language in folder web.
	Texts fs.FS
	// Language is offered when a browser asks for none that is there.
	Language string
	Records  Records
	Blobs    blob.Store
	Inbox    inbox.Acceptor
	Router   Router
	// Mail sends receipts and one-time codes; nil: none are sent or offered.
	Mail Mailer
	// Assess says what an accepted contact may be about.
	Assess   func(triage.Input) triage.Result
	Partners []Partner
	// IDs makes ids; a source of its own if nil.
	IDs *contact.IDs
	// Service is the police service's name in titles, "C3i" if empty.
	Service string
	// Exit is where "exit this page" leads: a page nobody minds being seen on.
	Exit string
	// CallPage tells that /call is served.
	CallPage bool
	// TLS marks cookies Secure; Origins are further ones pages may come from.
	TLS     bool
	Origins []string
	// Proxies may name the address they forward for.
	Proxies edge.Networks
	// Times bound how slowly requests may come in and answers be taken;
	// edge.DefaultTimes when zero.
	Times edge.Times
	// DraftLife is how long an unsent report is kept in a browser that asked for
	// it; SessionLife how long one is kept otherwise.
	DraftLife, SessionLife time.Duration
	// FileMost bounds one file in bytes, FilesMost the number of files.
	FileMost  int64
	FilesMost int
	// FillLeast is the least time in which a person fills the form.
	FillLeast time.Duration
	// Even is how long every answer about a reference takes, right or wrong.
	Even time.Duration
	// Busy is how many reports sent a minute make proof of effort necessary.
	Busy int
	// Zone is where times are meant.
	Zone     *time.Location
	Registry prometheus.Registerer
	Log      zerolog.Logger
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

func (o *Options) defaults() {
	or := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	or(&o.DraftLife, 7*24*time.Hour)
	or(&o.SessionLife, 2*time.Hour)
	or(&o.FillLeast, 15*time.Second)
	or(&o.Even, 500*time.Millisecond)
	if o.Times == (edge.Times{}) {
		o.Times = edge.DefaultTimes
	}
	if o.FileMost == 0 {
		o.FileMost = 25 << 20
	}
	if o.FilesMost == 0 {
		o.FilesMost = 10
	}
	if o.Busy == 0 {
		o.Busy = 60
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.IDs == nil {
		o.IDs = contact.NewIDs(o.Now)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Service == "" {
		o.Service = "C3i"
	}
	if o.Exit == "" {
		o.Exit = "https://www.bbc.co.uk/weather"
	}
	if o.Language == "" {
		o.Language = "en"
	}
	if o.Assess == nil {
		o.Assess = func(triage.Input) triage.Result { return triage.Result{} }
	}
}
