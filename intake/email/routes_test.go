package email_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"example.org/c3i/crm"
	"example.org/c3i/intake/email"
)

// promising starts a mail server that may promise encryption for the rest of the way.
func (r *relay) promising(t *testing.T, promise bool) (string, *x509.CertPool) {
	t.Helper()
	cert, pool := certificate(t)
	return r.startAs(t, &tls.Config{Certificates: []tls.Certificate{cert}}, func(s *smtp.Server) { s.EnableREQUIRETLS = promise }), pool
}

func TestWhereEncryptionMustLastNothingIsSentWithoutThePromise(t *testing.T) {
	for name, promise := range map[string]bool{"promised": true, "not promised": false} {
		t.Run(name, func(t *testing.T) {
			strict, other := &relay{}, &relay{}
			address, pool := strict.promising(t, promise)
			fallback := other.start(t, nil)
			w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
				o.Transport = email.SmartHost{TLS: &tls.Config{RootCAs: pool}, Routes: []email.Route{
					{Domain: "court.example", Host: address, TLS: email.TLSRequired}, {Host: fallback, TLS: email.TLSNone},
				}}
			})
			d := w.delivered(outgoing(w, "clerk@court.example"))
			tasks, err := w.store.Tasks(t.Context(), crm.TaskQuery{Owner: "handler1"})
			if err != nil {
				t.Fatal(err)
			}
			if len(other.got) != 0 {
				t.Errorf("it went by the other server: %v", other.got)
			}
			if promise {
				if d.State != crm.DeliveryDelivered || len(strict.got) != 1 || !strict.requires || len(tasks) != 0 {
					t.Errorf("%+v; taken for %v, required on %t; tasks %+v", d, strict.got, strict.requires, tasks)
				}
				return
			}
			if d.State != crm.DeliveryPermanent || len(strict.got) != 0 || len(tasks) != 1 || !strings.Contains(d.Detail, "REQUIRETLS") {
				t.Errorf("%+v; taken for %v; tasks %+v", d, strict.got, tasks)
			}
		})
	}
}

func TestMailGoesOutByTheRouteOfItsDomain(t *testing.T) {
	relays := map[string]*relay{"rest": {}, "court.example": {}, ".court.example": {}, "deep.court.example": {}}
	var routes []email.Route
	for domain, r := range relays {
		if domain == "rest" {
			domain = ""
		}
		routes = append(routes, email.Route{Domain: strings.ToUpper(domain), Host: r.start(t, nil), TLS: email.TLSNone})
	}
	w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) { o.Transport = email.SmartHost{Routes: routes} })
	want := map[string][]string{
		"rest":               {"a@example.org", "a@notcourt.example", "a@court.example.com"},
		"court.example":      {"a@court.example", "b@court.example"},
		".court.example":     {"a@north.court.example"},
		"deep.court.example": {"a@deep.court.example"},
	}
	var to []string
	for _, list := range want {
		to = append(to, list...)
	}
	if d := w.delivered(outgoing(w, to...)); d.State != crm.DeliveryDelivered {
		t.Errorf("%+v", d)
	}
	for domain, r := range relays {
		slices.Sort(r.got)
		slices.Sort(want[domain])
		if !slices.Equal(r.got, want[domain]) {
			t.Errorf("the server for %s took mail for %v, want %v", domain, r.got, want[domain])
		}
	}
}

func TestMailToWhereNoRouteLeadsIsATask(t *testing.T) {
	r := &relay{}
	address := r.start(t, nil)
	w := newWorld(t, func(_ *email.WorkerOptions, o *email.OutboxOptions) {
		o.Transport = email.SmartHost{Routes: []email.Route{{Domain: "court.example", Host: address, TLS: email.TLSNone}}}
	})
	d := w.delivered(outgoing(w, "a@example.org"))
	tasks, err := w.store.Tasks(t.Context(), crm.TaskQuery{Owner: "handler1"})
	if d.State != crm.DeliveryPermanent || len(r.got) != 0 || err != nil || len(tasks) != 1 {
		t.Errorf("%+v; taken for %v; tasks %+v, %v", d, r.got, tasks, err)
	}
}
