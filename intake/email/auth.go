package email

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/authres"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/publicsuffix"

	"example.org/c3i/crm"
)

// Resolver looks up names. *net.Resolver is one.
type Resolver interface {
	spf.DNSResolver
}

// Checker says what SPF, DKIM and DMARC say of a sender. What a trusted mail
// server in front of us found is taken from its Authentication-Results; the rest
// is checked here. It is shown to handlers and decides nothing.
type Checker struct {
	// Trusted names the servers (authserv-id) whose Authentication-Results are
	// believed. They must strip such fields that come from outside (RFC 8601).
	Trusted []string
	// DNS resolves names; nil checks nothing here.
	DNS Resolver
	// Time bounds the look-ups for one message.
	Time time.Duration
}

// envelope is what the SMTP session knew.
type envelope struct {
	remote net.IP // nil when a server of ours handed the message over
	helo   string
	from   string
}

// Check never fails: what cannot be found out is left empty or "temperror".
func (c Checker) Check(ctx context.Context, raw []byte, p Parsed, e envelope) crm.Authenticity {
	a := crm.Authenticity{Domain: domainOf(p.From.Address)}
	signed := c.trusted(p.Results, &a)
	var unsure []string // domains whose signature could not be looked up
	if c.DNS == nil || a.Domain == "" {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, max(c.Time, 100*time.Millisecond))
	defer cancel()
	lookupTXT := func(name string) ([]string, error) { return c.DNS.LookupTXT(ctx, name) }
	spfDomain := domainOf(e.from)
	if a.SPF == "" && e.remote != nil {
		sender := e.from
		if sender == "" {
			sender, spfDomain = "postmaster@"+e.helo, e.helo
		}
		result, _ := spf.CheckHostWithSender(e.remote, e.helo, sender, spf.WithContext(ctx), spf.WithResolver(c.DNS))
		a.SPF = string(result)
	}
	if a.DKIM == "" {
		list, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookupTXT, MaxVerifications: 5})
		a.DKIM = "none"
		for _, v := range list {
			switch {
			case v.Err == nil:
				a.DKIM = "pass"
				signed = append(signed, strings.ToLower(v.Domain))
			case a.DKIM == "pass":
			case dkim.IsTempFail(v.Err):
				a.DKIM = "temperror"
				unsure = append(unsure, strings.ToLower(v.Domain))
			default:
				a.DKIM = "fail"
			}
		}
		if err != nil && len(list) == 0 {
			a.DKIM = "permerror"
		}
	}
	if a.DMARC == "" {
		a.DMARC = c.dmarc(a, spfDomain, signed, unsure, lookupTXT)
	}
	return a
}

func (c Checker) dmarc(a crm.Authenticity, spfDomain string, signed, unsure []string, lookupTXT func(string) ([]string, error)) string {
	record, err := dmarc.LookupWithOptions(a.Domain, &dmarc.LookupOptions{LookupTXT: lookupTXT})
	if org := organisational(a.Domain); errors.Is(err, dmarc.ErrNoPolicy) && org != a.Domain {
		record, err = dmarc.LookupWithOptions(org, &dmarc.LookupOptions{LookupTXT: lookupTXT})
	}
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
		return "none"
	case dmarc.IsTempFail(err):
		return "temperror"
	case err != nil:
		return "permerror"
	}
	aligned := func(d string, mode dmarc.AlignmentMode) bool {
		d = strings.ToLower(d)
		if mode == dmarc.AlignmentStrict {
			return d == a.Domain
		}
		return d != "" && organisational(d) == organisational(a.Domain)
	}
	if a.SPF == "pass" && aligned(spfDomain, record.SPFAlignment) {
		return "pass"
	}
	for _, d := range signed {
		if aligned(d, record.DKIMAlignment) {
			return "pass"
		}
	}
	// Somebody else's name server that does not answer excuses nothing.
	if a.SPF == "temperror" && aligned(spfDomain, record.SPFAlignment) {
		return "temperror"
	}
	for _, d := range unsure {
		if aligned(d, record.DKIMAlignment) {
			return "temperror"
		}
	}
	return "fail"
}

// organisational is the domain somebody registered, for example example.co.uk.
func organisational(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// trusted reads the results of servers we believe: of each method those of the
// topmost field that has it, because a server may write a field for each and what
// stands below may be what the sender wrote. It gives the domains whose signature
// they found good.
func (c Checker) trusted(fields []string, a *crm.Authenticity) (signed []string) {
	for _, f := range fields {
		id, results, err := authres.Parse(f)
		if err != nil || !contains(c.Trusted, id) {
			continue
		}
		above := *a
		for _, r := range results {
			switch r := r.(type) {
			case *authres.SPFResult:
				a.SPF = nonEmpty(a.SPF, string(r.Value))
			case *authres.DKIMResult:
				if above.DKIM != "" {
					continue
				}
				if a.DKIM == "" || r.Value == authres.ResultPass {
					a.DKIM = string(r.Value)
				}
				if r.Value == authres.ResultPass {
					signed = append(signed, strings.ToLower(nonEmpty(r.Domain, domainOf(r.Identifier))))
				}
			case *authres.DMARCResult:
				a.DMARC = nonEmpty(a.DMARC, string(r.Value))
			}
		}
	}
	return signed
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}
