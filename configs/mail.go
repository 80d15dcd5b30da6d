package configs

import (
	"fmt"
	"net"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
)

// Mail is the receipt point for e-mail, and how mail goes out.
type Mail struct {
	// Domain is our name to other mail servers.
	Domain string `mapstructure:"domain"`
	// SMTPListen and LMTPListen are host:port; empty listens nowhere.
	SMTPListen string `mapstructure:"smtp_listen"`
	LMTPListen string `mapstructure:"lmtp_listen"`
	// TLSCert and TLSKey are PEM files for STARTTLS; both or neither.
	TLSCert string `mapstructure:"tls_cert"`
	TLSKey  string `mapstructure:"tls_key"`
	// MaxMB bounds a message, in megabytes (millions of bytes).
	MaxMB int `mapstructure:"max_mb"`
	// Connections bounds those at one time, MessagesPerMinute what one address may
	// send; loopback is not bounded.
	Connections       int `mapstructure:"connections"`
	MessagesPerMinute int `mapstructure:"messages_per_minute"`
	// Mailboxes are the addresses of ours; the first is written from by default.
	Mailboxes []Mailbox `mapstructure:"mailboxes"`
	// IMAP are existing mailboxes that are read.
	IMAP []IMAP `mapstructure:"imap"`
	// Routes are the mail servers that take what is sent. Without one outgoing mail
	// stays in mail/outgoing of the data folder.
	Routes []Route `mapstructure:"routes"`
	// Templates is a folder of wordings. Empty is the set built in.
	Templates string `mapstructure:"templates"`
	// PlusAddresses has answers come to name+reference@.
	PlusAddresses bool `mapstructure:"plus_addresses"`
	// Clamd is host:port or a socket's path; empty scans nothing.
	Clamd string `mapstructure:"clamd"`
	// CheckSenders looks SPF, DKIM and DMARC up in the DNS.
	CheckSenders bool `mapstructure:"check_senders"`
	// TrustedResults names servers whose Authentication-Results are believed.
	TrustedResults []string `mapstructure:"trusted_results"`
}

// Mailbox is one address of ours.
type Mailbox struct {
	Name       string   `mapstructure:"name"`
	Address    string   `mapstructure:"address"`
	Aliases    []string `mapstructure:"aliases"`
	SenderName string   `mapstructure:"sender_name"`
	Language   string   `mapstructure:"language"`
	// Hint is answers.hint for the plan's rules.
	Hint string `mapstructure:"hint"`
	// NoReceipt sends no automatic receipts from here.
	NoReceipt bool `mapstructure:"no_receipt"`
}

// IMAP is an existing mailbox.
type IMAP struct {
	Name     string `mapstructure:"name"`
	Host     string `mapstructure:"host"`
	TLS      string `mapstructure:"tls"`
	Username string `mapstructure:"username"`
	Password string `mapstructure:"password"`
	Folder   string `mapstructure:"folder"`
	Mailbox  string `mapstructure:"mailbox"`
	Existing bool   `mapstructure:"existing"`
}

// Route is how mail for a domain goes out; an empty domain is all others.
type Route struct {
	Domain   string `mapstructure:"domain"`
	Host     string `mapstructure:"host"`
	TLS      string `mapstructure:"tls"`
	Implicit bool   `mapstructure:"implicit"`
	Username string `mapstructure:"username"`
	Password string `mapstructure:"password"`
}

func defaultMail() Mail {
	return Mail{
		Domain: "localhost", SMTPListen: "127.0.0.1:2525", MaxMB: 36, Connections: 100, MessagesPerMinute: 60,
		Mailboxes: []Mailbox{{Name: "101", Address: "101@police.example.org", SenderName: "Police 101", Language: "en"}},
	}
}

// check finds settings that cannot be used.
func (m *Mail) check(listen func(key, v string), add func(key, format string, args ...any)) {
	if m.SMTPListen != "" {
		listen("mail.smtp_listen", m.SMTPListen)
	}
	if m.LMTPListen != "" {
		listen("mail.lmtp_listen", m.LMTPListen)
	}
	if m.Domain == "" || strings.ContainsAny(m.Domain, " \t\r\n") {
		add("mail.domain", "%q is not a host name", m.Domain)
	}
	if (m.TLSCert == "") != (m.TLSKey == "") {
		add("mail.tls_cert", "give both tls_cert and tls_key, or neither")
	}
	if m.MaxMB < 1 || m.MaxMB > 200 {
		add("mail.max_mb", "must be between 1 and 200")
	}
	if m.Connections < 1 {
		add("mail.connections", "must be at least 1")
	}
	if m.MessagesPerMinute < 0 {
		add("mail.messages_per_minute", "must not be negative; 0 is no bound")
	}
	if m.Templates != "" && !filepath.IsAbs(m.Templates) {
		add("mail.templates", "%q must be an absolute path", m.Templates)
	}
	if m.Clamd != "" && !filepath.IsAbs(m.Clamd) && !hostPort(m.Clamd) {
		add("mail.clamd", "%q is neither host:port nor the path of a socket", m.Clamd)
	}
	names, addresses := map[string]bool{}, map[string]bool{}
	if len(m.Mailboxes) == 0 {
		add("mail.mailboxes", "must list at least one address")
	}
	for i, b := range m.Mailboxes {
		key := fmt.Sprintf("mail.mailboxes[%d]", i)
		if !simpleName(b.Name) {
			add(key+".name", "%q is not a name: use a-z, 0-9, - and _", b.Name)
		} else if names[b.Name] {
			add(key+".name", "%q is used twice", b.Name)
		}
		names[b.Name] = true
		for j, a := range append([]string{b.Address}, b.Aliases...) {
			at := key + ".address"
			if j > 0 {
				at = fmt.Sprintf("%s.aliases[%d]", key, j-1)
			}
			if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address != a || parsed.Name != "" {
				add(at, "%q is not an e-mail address", a)
			} else if addresses[strings.ToLower(a)] {
				add(at, "%q is used twice", a)
			}
			addresses[strings.ToLower(a)] = true
		}
		if strings.ContainsAny(b.SenderName, "\r\n") {
			add(key+".sender_name", "must be one line")
		}
	}
	accounts := map[string]bool{}
	for i, a := range m.IMAP {
		key := fmt.Sprintf("mail.imap[%d]", i)
		if !simpleName(a.Name) || accounts[a.Name] {
			add(key+".name", "%q is not a name of its own: use a-z, 0-9, - and _", a.Name)
		}
		accounts[a.Name] = true
		if !hostPort(a.Host) {
			add(key+".host", "%q is not host:port, for example imap.example.org:993", a.Host)
		}
		checkTLSMode(key+".tls", a.TLS, a.Host, []string{"", "implicit", "starttls", "none"}, add)
		if a.Username == "" {
			add(key+".username", "is needed to sign in")
		}
		if !names[a.Mailbox] {
			add(key+".mailbox", "%q is not the name of one of mail.mailboxes", a.Mailbox)
		}
	}
	domains := map[string]bool{}
	for i, r := range m.Routes {
		key := fmt.Sprintf("mail.routes[%d]", i)
		if domains[strings.ToLower(r.Domain)] {
			add(key+".domain", "%q has a route already", r.Domain)
		}
		domains[strings.ToLower(r.Domain)] = true
		if !hostPort(r.Host) {
			add(key+".host", "%q is not host:port, for example smtp.example.org:587", r.Host)
		}
		checkTLSMode(key+".tls", r.TLS, r.Host, []string{"", "verified", "required", "none"}, add)
	}
	if len(m.Routes) > 0 && !domains[""] {
		add("mail.routes", "one route must have no domain: it takes what the others do not")
	}
}

func checkTLSMode(key, mode, host string, allowed []string, add func(string, string, ...any)) {
	if !slices.Contains(allowed, mode) {
		add(key, "%q is not one of %s", mode, strings.Join(allowed[1:], ", "))
	}
	name, _, _ := net.SplitHostPort(host)
	if ip := net.ParseIP(name); mode == "none" && name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		add(key, "none is for a server on this machine only")
	}
}

func hostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && port != ""
}

func simpleName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}
