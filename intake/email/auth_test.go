package email_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"example.org/c3i/crm"
	"example.org/c3i/intake/email"
)

// sign signs a message as a domain's mail server does.
func sign(t *testing.T, key ed25519.PrivateKey, domain, raw string) string {
	t.Helper()
	var out strings.Builder
	if err := dkim.Sign(&out, strings.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: key}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatSPFDKIMAndDMARCSayIsShownToTheHandler(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, wrongKey, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	published := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	resolver := names{
		"example.org":                  "v=spf1 ip4:192.0.2.7 -all",
		"s1._domainkey.example.org":    published,
		"_dmarc.example.org":           "v=DMARC1; p=reject",
		"sub.example.org":              "v=spf1 ip4:192.0.2.7 -all",
		"strict.example.net":           "v=spf1 ip4:192.0.2.7 -all",
		"_dmarc.strict.example.net":    "v=DMARC1; p=reject; aspf=s; adkim=s",
		"other.example.com":            "v=spf1 ip4:192.0.2.7 -all",
		"s1._domainkey.example.com":    published,
		"broken.example.com":           "SERVFAIL",
		"s1._domainkey.broken.example": "SERVFAIL",
		"_dmarc.broken.example":        "v=DMARC1; p=reject",
		"_dmarc.dark.example":          "SERVFAIL",
	}.start(t)
	from := func(address string) string {
		return strings.Replace(mail("auth-"+address, "My bicycle", "It was blue."), "alex@example.org", address, 1)
	}
	own := from("alex@example.org")
	for _, c := range []struct {
		name                 string
		raw                  string
		remote, sender, helo string
		spf, dkim, dmarc     string
	}{
		{"all is well", sign(t, key, "example.org", own), "192.0.2.7", "alex@example.org", "", "pass", "pass", "pass"},
		{"the address alone", own, "192.0.2.7", "alex@example.org", "", "pass", "none", "pass"},
		{"forwarded: the signature alone", sign(t, key, "example.org", own), "198.51.100.1", "alex@example.org", "", "fail", "pass", "pass"},
		{"altered on the way", strings.Replace(sign(t, key, "example.org", own), "blue", "red!", 1), "198.51.100.1", "alex@example.org", "", "fail", "fail", "fail"},
		{"signed with another key", sign(t, wrongKey, "example.org", own), "198.51.100.1", "alex@example.org", "", "fail", "fail", "fail"},
		{"forged", own, "198.51.100.1", "alex@example.org", "", "fail", "none", "fail"},
		{"another's good signature and address", sign(t, key, "example.com", own), "192.0.2.7", "evil@other.example.com", "", "pass", "pass", "fail"},
		{"below the domain with the policy", from("alex@sub.example.org"), "192.0.2.7", "alex@sub.example.org", "", "pass", "none", "pass"},
		{"a strict policy", sign(t, key, "example.org", from("alex@strict.example.net")), "192.0.2.7", "alex@example.org", "", "pass", "pass", "fail"},
		{"no policy, no record", from("alex@nowhere.example"), "192.0.2.7", "alex@nowhere.example", "", "none", "none", "none"},
		{"a bounce, by the name in its greeting", own, "192.0.2.7", "<>", "example.org", "pass", "none", "pass"},
		{"handed over by a server of ours", sign(t, key, "example.org", own), "", "alex@example.org", "", "", "pass", "pass"},
		{"their name server is away", sign(t, key, "broken.example", from("alex@broken.example")), "198.51.100.1", "alex@example.org", "", "fail", "temperror", "temperror"},
		{"another's name server is away", sign(t, key, "broken.example", own), "198.51.100.1", "evil@broken.example.com", "", "temperror", "temperror", "fail"},
		{"the policy cannot be found out", from("alex@dark.example"), "192.0.2.7", "alex@dark.example", "", "none", "none", "temperror"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *email.WorkerOptions, _ *email.OutboxOptions) {
				o.Checker = email.Checker{DNS: resolver, Time: 20 * time.Second}
			})
			envelope := map[string]string{"from": c.sender, "helo": c.helo}
			if c.remote != "" {
				envelope["remote"] = c.remote
			}
			if _, err := w.gate.Take(t.Context(), strings.NewReader(c.raw), []string{"101"}, envelope); err != nil {
				t.Fatal(err)
			}
			w.work()
			arrived := w.router.contacts()[0]
			got := w.messages(arrived.Contact)[0].Auth
			if got.SPF != c.spf || got.DKIM != c.dkim || got.DMARC != c.dmarc {
				t.Errorf("spf %s, dkim %s, dmarc %s; want %s, %s, %s", got.SPF, got.DKIM, got.DMARC, c.spf, c.dkim, c.dmarc)
			}
			if unproven := arrived.Facts.Answers["sender"] == "unproven"; unproven != (c.dmarc == "fail") {
				t.Errorf("rules see sender %q, and DMARC is %s", arrived.Facts.Answers["sender"], c.dmarc)
			}
		})
	}
}

// Of a server that is believed a second field counted too: what a sender wrote below.
func TestOfATrustedServerOnlyTheTopmostResultsAreBelieved(t *testing.T) {
	resolver := names{"_dmarc.example.org": "v=DMARC1; p=reject"}.start(t)
	for _, c := range []struct {
		name   string
		fields []string
		want   crm.Authenticity
	}{
		{"all said", []string{"mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"}, crm.Authenticity{SPF: "pass", DKIM: "pass", DMARC: "pass"}},
		{"a forged one below", []string{"mx.example.net; spf=fail smtp.mailfrom=example.org; dkim=fail header.d=example.org; dmarc=fail header.from=example.org", "mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"}, crm.Authenticity{SPF: "fail", DKIM: "fail", DMARC: "fail"}},
		{"a field for each", []string{"mx.example.net; dmarc=pass header.from=example.org", "mx.example.net; dkim=fail header.d=example.com; dkim=pass header.d=example.org", "mx.example.net; spf=pass smtp.mailfrom=example.org"}, crm.Authenticity{SPF: "pass", DKIM: "pass", DMARC: "pass"}},
		{"a server nobody trusts", []string{"mx.example.com; dmarc=pass header.from=example.org"}, crm.Authenticity{SPF: "", DKIM: "none", DMARC: "fail"}},
		// DMARC is then worked out from what they found.
		{"a signature, and nothing about DMARC", []string{"mx.example.net; spf=fail smtp.mailfrom=example.org; dkim=pass header.d=example.org"}, crm.Authenticity{SPF: "fail", DKIM: "pass", DMARC: "pass"}},
		{"another's signature, and nothing about DMARC", []string{"mx.example.net; spf=fail smtp.mailfrom=example.org; dkim=pass header.d=example.com"}, crm.Authenticity{SPF: "fail", DKIM: "pass", DMARC: "fail"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *email.WorkerOptions, _ *email.OutboxOptions) {
				o.Checker = email.Checker{DNS: resolver, Trusted: []string{"mx.example.net"}, Time: 20 * time.Second}
			})
			var more []string
			for _, f := range c.fields {
				more = append(more, "Authentication-Results: "+f)
			}
			w.take(mail("trusted@example.org", "x", "x", more...))
			w.work()
			got := w.messages(w.router.contacts()[0].Contact)[0].Auth
			c.want.Domain = "example.org"
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
