package configs

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is how one process is started: addresses, programs and folders. What
// managers tune (queues, rules, hours, wording) is not here but in the plan and
// the flows. Every key may be set in the file, as an environment variable
// (C3I_HTTP_LISTEN for http.listen) or as a flag (--http.listen); flags win over
// the environment, the environment over the file.
type Config struct {
	// DataDir holds everything written to disk: the private Redis' file, the
	// generated Asterisk configuration, spoken prompts, logs.
	DataDir string `mapstructure:"data_dir"`
	// Plan is the YAML file that seeds the plan. Empty is the one built in.
	Plan string `mapstructure:"plan"`
	// Flow is the IVR flow callers meet. Empty is the front door built in.
	Flow string `mapstructure:"flow"`

	HTTP      HTTP      `mapstructure:"http"`
	Redis     Redis     `mapstructure:"redis"`
	Asterisk  Asterisk  `mapstructure:"asterisk"`
	Telephony Telephony `mapstructure:"telephony"`
	Prompts   Prompts   `mapstructure:"prompts"`
	Desk      Desk      `mapstructure:"desk"`
	Mail      Mail      `mapstructure:"mail"`
	Web       Web       `mapstructure:"web"`
	Records   Records   `mapstructure:"records"`
	Log       Log       `mapstructure:"log"`
}

// HTTP is where desks, the public pages and the API are served.
type HTTP struct {
	// Listen is host:port. Anything but loopback wants TLS: browsers give a page
	// the microphone only over TLS or on this machine.
	Listen string `mapstructure:"listen"`
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert string `mapstructure:"tls_cert"`
	TLSKey  string `mapstructure:"tls_key"`
	// Origins lists further origins (https://desk.example.org) pages may come
	// from, when a proxy stands in front.
	Origins []string `mapstructure:"origins"`
	// Connections bounds those at one time; ConnectionsPerAddress those of one
	// address, of IPv6 one /64. This machine and web.proxies are bounded with all
	// others only, and so is who has signed on.
	Connections           int `mapstructure:"connections"`
	ConnectionsPerAddress int `mapstructure:"connections_per_address"`
	// Stall is how long a client may send or take nothing, and how long a whole form
	// may take; UploadMax how long files may.
	Stall     time.Duration `mapstructure:"stall"`
	UploadMax time.Duration `mapstructure:"upload_max"`
}

// OverTLS tells whether every browser comes over TLS: to us, or to a proxy whose
// origins are all https. Cookies are then Secure.
func (h HTTP) OverTLS() bool {
	plain := func(origin string) bool { return !strings.HasPrefix(origin, "https://") }
	return h.TLSCert != "" || len(h.Origins) > 0 && !slices.ContainsFunc(h.Origins, plain)
}

// Redis is where everything is kept.
type Redis struct {
	// Program is the redis-server that `c3i up` starts.
	Program string `mapstructure:"program"`
	// Fsync is the private server's append-only policy. "everysec" survives the
	// death of any process and loses at most a second when the machine loses
	// power; "always" loses nothing and costs a disk flush for each write.
	Fsync string `mapstructure:"fsync"`
	// Addrs points at an existing Redis: one address, the nodes of a cluster, or
	// with Master the Sentinels. Empty means a private server (`c3i up` only).
	Addrs    []string `mapstructure:"addrs"`
	Master   string   `mapstructure:"master"`
	Username string   `mapstructure:"username"`
	Password string   `mapstructure:"password"`
	TLS      bool     `mapstructure:"tls"`
	DB       int      `mapstructure:"db"`
}

// Asterisk is the switch.
type Asterisk struct {
	// Program is the asterisk that `c3i up` starts.
	Program string `mapstructure:"program"`
	// User runs the private Asterisk when c3i itself runs as root.
	User string `mapstructure:"user"`
	// URL points at an existing Asterisk's HTTP server, for example
	// http://10.0.0.5:8088. Empty means a private one (`c3i up` only).
	URL string `mapstructure:"url"`
	// App is the Stasis application.
	App string `mapstructure:"app"`
	// ARIUser and ARIPassword sign in to ARI. `c3i up` makes up a password when
	// none is given.
	ARIUser     string `mapstructure:"ari_user"`
	ARIPassword string `mapstructure:"ari_password"`
	// HTTPListen is where the private Asterisk serves ARI: keep it on loopback.
	HTTPListen string `mapstructure:"http_listen"`
	// SIPListen is where trunks and desk phones reach the private Asterisk.
	SIPListen string `mapstructure:"sip_listen"`
	// RTPStart and RTPEnd bound the media ports.
	RTPStart int `mapstructure:"rtp_start"`
	RTPEnd   int `mapstructure:"rtp_end"`
	// ExternalAddress is told to SIP peers outside LocalNets, behind NAT.
	ExternalAddress string   `mapstructure:"external_address"`
	LocalNets       []string `mapstructure:"local_nets"`
	// Trunks may bring calls in; Phones are handlers' own SIP phones.
	Trunks []Trunk `mapstructure:"trunks"`
	Phones []Phone `mapstructure:"phones"`
}

// Trunk is a carrier or exchange that calls come from, known by its address.
type Trunk struct {
	Name string `mapstructure:"name"`
	// Match lists addresses or networks calls come from.
	Match []string `mapstructure:"match"`
	// Contact is where calls out are sent, for example sip:203.0.113.9:5060.
	Contact string   `mapstructure:"contact"`
	Codecs  []string `mapstructure:"codecs"`
}

// Phone is a SIP desk phone that registers with us. A user whose phone is
// PJSIP/<name> is rung there.
type Phone struct {
	Name     string `mapstructure:"name"`
	Password string `mapstructure:"password"`
}

// Telephony is what callers meet at the edges.
type Telephony struct {
	// Numbers are the service numbers that reach the front door.
	Numbers []string `mapstructure:"numbers"`
	// Emergency is the dial string of the emergency control room, used at once
	// when a caller presses 9. Empty plays "hang up and dial 999".
	Emergency string `mapstructure:"emergency"`
	// Outgoing is the dial string that callers are rung back by, with %s for the
	// number. Empty rings nobody back, whatever the plan says.
	Outgoing string `mapstructure:"outgoing"`
	// FallbackRetry is how long the dialplan retries when C3i is away.
	FallbackRetry time.Duration `mapstructure:"fallback_retry"`
	// FallbackGroup lists dial strings rung together after that.
	FallbackGroup []string `mapstructure:"fallback_group"`
	// Region is the ISO 3166 region national numbers are read in.
	Region string `mapstructure:"region"`
	// Drain is how long a stopping process waits for live calls.
	Drain time.Duration `mapstructure:"drain"`
}

// Prompts is how prompts are spoken.
type Prompts struct {
	// Dir holds prompt files and recordings. Empty is the set built in, with the
	// recordings that are in recordings/ of the data folder.
	Dir string `mapstructure:"dir"`
	// Espeak is the espeak-ng program.
	Espeak string `mapstructure:"espeak"`
}

// Desk bounds desks and public calls.
type Desk struct {
	// SessionIdle and SessionMax end a sign-on.
	SessionIdle time.Duration `mapstructure:"session_idle"`
	SessionMax  time.Duration `mapstructure:"session_max"`
	// PublicCalls switches the public call page; PublicCallLimit caps the calls
	// from it at one time.
	PublicCalls     bool `mapstructure:"public_calls"`
	PublicCallLimit int  `mapstructure:"public_call_limit"`
	// Answers is a folder of prepared answers, LANGUAGE.yaml. Empty are those built in.
	Answers string `mapstructure:"answers"`
}

// Records are people, reports and their clocks.
type Records struct {
	// Holidays are bank holidays proclaimed for one year, MovedHolidays those moved
	// away from their day, as YYYY-MM-DD. All others of England and Wales are known.
	Holidays      []string `mapstructure:"holidays"`
	MovedHolidays []string `mapstructure:"moved_holidays"`
}

// Web is the public report form, the tracking page and the partners' API.
type Web struct {
	// Reports switches them.
	Reports bool `mapstructure:"reports"`
	// Service is the police service's name in titles and e-mails.
	Service string `mapstructure:"service"`
	// Language is offered to browsers that ask for none that is there.
	Language string `mapstructure:"language"`
	// Texts is a folder that holds web/form.yaml and web/LANGUAGE.yaml in the place
	// of those built in.
	Texts string `mapstructure:"texts"`
	// Exit is where "exit this page" leads.
	Exit string `mapstructure:"exit"`
	// SessionLife is how long an unsent report is kept unused; DraftLife how long
	// when the reporter asked the browser to keep it.
	SessionLife time.Duration `mapstructure:"session_life"`
	DraftLife   time.Duration `mapstructure:"draft_life"`
	// FileMB bounds one file, Files the number of files of a report.
	FileMB int `mapstructure:"file_mb"`
	Files  int `mapstructure:"files"`
	// Busy is how many reports a minute make browsers prove an effort.
	Busy int `mapstructure:"busy"`
	// Zone is the time zone people mean.
	Zone string `mapstructure:"zone"`
	// Proxies lists addresses or networks whose X-Forwarded-For is believed.
	Proxies []string `mapstructure:"proxies"`
	// Partners may use the API (file only).
	Partners []Partner `mapstructure:"partners"`
}

// Partner is a program that makes reports for people.
type Partner struct {
	Name   string `mapstructure:"name"`
	Key    string `mapstructure:"key"`
	Secret string `mapstructure:"secret"`
}

// Log is what is written to standard error.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `mapstructure:"level"`
	// Format is console or json.
	Format string `mapstructure:"format"`
}

// FieldError is a setting that cannot be used. Key is its full name.
type FieldError struct {
	Key     string
	Message string
}

// Error gives "key: message".
func (e FieldError) Error() string { return e.Key + ": " + e.Message }

// Validate checks every setting and reports all that cannot be used, in the
// order of the configuration.
func (c *Config) Validate() []FieldError {
	var bad []FieldError
	add := func(key, format string, args ...any) {
		bad = append(bad, FieldError{key, fmt.Sprintf(format, args...)})
	}
	listen := func(key, v string) {
		host, port, err := net.SplitHostPort(v)
		if err != nil || port == "" {
			add(key, "%q is not host:port, for example 127.0.0.1:8080", v)
			return
		}
		if host != "" && host != "localhost" {
			if _, err := netip.ParseAddr(host); err != nil {
				add(key, "%q is not an IP address of this machine", host)
			}
		}
	}
	positive := func(key string, d time.Duration) {
		if d <= 0 {
			add(key, "must be longer than nothing, for example 30s")
		}
	}

	if c.DataDir == "" {
		add("data_dir", "must name a folder")
	} else if !filepath.IsAbs(c.DataDir) {
		add("data_dir", "%q must be an absolute path", c.DataDir)
	}
	listen("http.listen", c.HTTP.Listen)
	if (c.HTTP.TLSCert == "") != (c.HTTP.TLSKey == "") {
		add("http.tls_cert", "give both tls_cert and tls_key, or neither")
	}
	for i, o := range c.HTTP.Origins {
		if !strings.HasPrefix(o, "http://") && !strings.HasPrefix(o, "https://") || strings.Count(o, "/") != 2 {
			add(fmt.Sprintf("http.origins[%d]", i), "%q is not an origin: write https://desk.example.org without a path", o)
		}
	}
	if c.HTTP.Connections < 10 {
		add("http.connections", "must be at least 10")
	}
	if c.HTTP.ConnectionsPerAddress < 1 || c.HTTP.ConnectionsPerAddress > c.HTTP.Connections {
		add("http.connections_per_address", "must be between 1 and http.connections")
	}
	if c.HTTP.Stall < time.Second || c.HTTP.Stall > 10*time.Minute {
		add("http.stall", "must be between 1s and 10m")
	}
	if c.HTTP.UploadMax < c.HTTP.Stall || c.HTTP.UploadMax > 24*time.Hour {
		add("http.upload_max", "must be between http.stall and 24h")
	}
	if c.Redis.Master != "" && len(c.Redis.Addrs) == 0 {
		add("redis.master", "needs redis.addrs to list the Sentinels")
	}
	if c.Redis.Fsync != "everysec" && c.Redis.Fsync != "always" {
		add("redis.fsync", "%q is not one of everysec, always", c.Redis.Fsync)
	}
	if c.Redis.DB < 0 {
		add("redis.db", "must not be negative")
	}
	if c.Asterisk.App == "" || strings.ContainsAny(c.Asterisk.App, " ,;()[]\n") {
		add("asterisk.app", "%q is not a name Asterisk can use: letters, digits and - only", c.Asterisk.App)
	}
	if c.Asterisk.URL != "" {
		if !strings.HasPrefix(c.Asterisk.URL, "http://") && !strings.HasPrefix(c.Asterisk.URL, "https://") {
			add("asterisk.url", "%q must begin with http:// or https://", c.Asterisk.URL)
		}
		if c.Asterisk.ARIPassword == "" {
			add("asterisk.ari_password", "is needed to sign in to the Asterisk at asterisk.url")
		}
	} else {
		listen("asterisk.http_listen", c.Asterisk.HTTPListen)
		listen("asterisk.sip_listen", c.Asterisk.SIPListen)
		if c.Asterisk.RTPStart < 1024 || c.Asterisk.RTPEnd > 65535 || c.Asterisk.RTPEnd-c.Asterisk.RTPStart < 3 {
			add("asterisk.rtp_start", "media ports %d to %d: choose a range of at least four ports within 1024 to 65535", c.Asterisk.RTPStart, c.Asterisk.RTPEnd)
		}
	}
	names := map[string]bool{}
	for i, t := range c.Asterisk.Trunks {
		key := fmt.Sprintf("asterisk.trunks[%d]", i)
		checkName(key+".name", t.Name, names, add)
		if len(t.Match) == 0 {
			add(key+".match", "must list the addresses calls come from")
		}
		for j, m := range t.Match {
			if _, err := netip.ParsePrefix(m); err != nil {
				if _, err := netip.ParseAddr(m); err != nil {
					add(fmt.Sprintf("%s.match[%d]", key, j), "%q is not an address or a network such as 203.0.113.0/24", m)
				}
			}
		}
	}
	for i, p := range c.Asterisk.Phones {
		key := fmt.Sprintf("asterisk.phones[%d]", i)
		checkName(key+".name", p.Name, names, add)
		if len(p.Password) < 12 {
			add(key+".password", "must have at least 12 characters: it guards a phone that can be rung")
		}
	}
	if len(c.Telephony.Numbers) == 0 {
		add("telephony.numbers", "must list at least one service number, for example 101")
	}
	if problem := c.checkOutgoing(); problem != "" {
		add("telephony.outgoing", "%s", problem)
	}
	if c.Telephony.FallbackRetry < time.Second || c.Telephony.FallbackRetry > time.Hour {
		add("telephony.fallback_retry", "must be between 1s and 1h")
	}
	if len(c.Telephony.Region) != 2 {
		add("telephony.region", "%q is not an ISO 3166 region such as GB", c.Telephony.Region)
	}
	positive("telephony.drain", c.Telephony.Drain)
	positive("desk.session_idle", c.Desk.SessionIdle)
	positive("desk.session_max", c.Desk.SessionMax)
	if c.Desk.PublicCallLimit < 1 {
		add("desk.public_call_limit", "must be at least 1; desk.public_calls: false switches the page off")
	}
	c.Mail.check(listen, add)
	checkWeb(c.Web, add)
	dates := func(key string, days []string) {
		for i, day := range days {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				add(fmt.Sprintf("%s[%d]", key, i), "%q is not a date such as 2030-06-03", day)
			}
		}
	}
	dates("records.holidays", c.Records.Holidays)
	dates("records.moved_holidays", c.Records.MovedHolidays)
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.Log.Level) {
		add("log.level", "%q is not one of %s", c.Log.Level, strings.Join(levels, ", "))
	}
	if formats := []string{"console", "json"}; !slices.Contains(formats, c.Log.Format) {
		add("log.format", "%q is not one of %s", c.Log.Format, strings.Join(formats, ", "))
	}
	for _, f := range checkSwitch(c) {
		if !slices.ContainsFunc(bad, func(b FieldError) bool { return strings.HasPrefix(b.Key, tableOf(f.Key)) }) {
			bad = append(bad, f)
		}
	}
	return bad
}

// checkOutgoing says what is wrong with the way out, empty if nothing is.
func (c *Config) checkOutgoing() string {
	dial := c.Telephony.Outgoing
	switch {
	case dial == "":
		return ""
	case strings.Count(dial, "%s") != 1 || strings.Count(dial, "%") != 1:
		return fmt.Sprintf("%q must hold %%s once, where the number goes: PJSIP/%%s@carrier", dial)
	case !strings.Contains(dial, "/"):
		return fmt.Sprintf("%q is not a dial string: write it as PJSIP/%%s@carrier", dial)
	case c.Asterisk.URL != "":
		return "" // another's configuration
	}
	name, trunked := strings.CutPrefix(dial, "PJSIP/%s@")
	if !trunked {
		return ""
	}
	for _, t := range c.Asterisk.Trunks {
		if t.Name != name {
			continue
		}
		if t.Contact == "" {
			return fmt.Sprintf("the trunk %q has no contact: asterisk.trunks must say where its calls out go", name)
		}
		return ""
	}
	return fmt.Sprintf("there is no trunk %q in asterisk.trunks", name)
}

// Dial gives the dial string for a number, false when callers are not rung back.
func (t Telephony) Dial(number string) (string, bool) {
	if t.Outgoing == "" {
		return "", false
	}
	return strings.Replace(t.Outgoing, "%s", number, 1), true
}

// tableOf is the element of a list of tables that a key lies in, or the key.
func tableOf(key string) string {
	if i := strings.Index(key, "]."); i >= 0 {
		return key[:i+1]
	}
	return key
}

func checkName(key, name string, seen map[string]bool, add func(string, string, ...any)) {
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}):
		add(key, "%q is not a name: use a-z, 0-9, - and _", name)
	case seen[name]:
		add(key, "%q is used twice", name)
	}
	seen[name] = true
}
