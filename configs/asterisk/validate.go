package asterisk

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// InvalidError says which field of [Settings] cannot be used and why. It never repeats the value, which may be a secret.
type InvalidError struct {
	Field  string // as in Go: Trunks[0].Name
	Reason string
}

// Error is a sentence for people.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("Asterisk setting %s %s", e.Field, e.Reason)
}

var (
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	numberPattern   = regexp.MustCompile(`^(s|[+]?[0-9*#]{1,32})$`)
	dialPattern     = regexp.MustCompile(`^[A-Za-z0-9]+/[A-Za-z0-9_.+:@=/*#-]{1,200}$`)
	sipURIPattern   = regexp.MustCompile(`^sips?:[A-Za-z0-9_.+*#-]*@?[][A-Za-z0-9_.:-]+(;transport=(udp|tcp|tls|ws))?$`)
	soundPattern    = regexp.MustCompile(`^[\p{L}\p{N}_./+@ -]+$`)
	codecPattern    = regexp.MustCompile(`^(alaw|ulaw|g722|gsm|slin|slin16|opus)$`)
	strategyPattern = regexp.MustCompile(`^(ringall|leastrecent|fewestcalls|random|rrmemory|rrordered|linear|wrandom)$`)
)

// reserved are section names of pjsip.conf that are not phones or trunks.
var reserved = map[string]bool{"global": true, "system": true, "line": true, "transport-udp": true, "transport-tcp": true, "transport-ws": true}

// Validate reports the first field that cannot be used, as an [*InvalidError]; defaults must be filled in already.
func (s Settings) Validate() error {
	c := &checker{names: map[string]string{}}
	for _, d := range []struct{ field, value string }{
		{"Dirs.Etc", s.Dirs.Etc},
		{"Dirs.Lib", s.Dirs.Lib},
		{"Dirs.Cache", s.Dirs.Cache},
		{"Dirs.Spool", s.Dirs.Spool},
		{"Dirs.Run", s.Dirs.Run},
		{"Dirs.Log", s.Dirs.Log},
	} {
		c.folder(d.field, d.value)
	}
	if s.Dirs.Data != "" {
		c.folder("Dirs.Data", s.Dirs.Data)
	}
	if s.Dirs.Modules != "" {
		c.folder("Dirs.Modules", s.Dirs.Modules)
	}
	c.folder("MusicDir", s.MusicDir)
	if s.RunUser != "" {
		c.match("RunUser", s.RunUser, namePattern, "must be a user's name")
		c.require("RunUser", s.RunUser != "root", "must not be root: Asterisk takes traffic from anybody")
	}
	if s.SystemName != "" {
		c.name("SystemName", s.SystemName)
	}
	c.require("MaxFiles", s.MaxFiles >= 0, "must not be negative")

	c.address("HTTPBind", s.HTTPBind)
	c.port("HTTPPort", s.HTTPPort)
	c.require("HTTPSessions", s.HTTPSessions >= 1, "must be at least 1")
	c.name("ARIUser", s.ARIUser)
	c.require("ARIUser", s.ARIUser != "general", "must not be general, which ari.conf keeps for itself")
	c.secret("ARIPassword", s.ARIPassword)
	c.name("App", s.App)
	c.address("SIPBind", s.SIPBind)
	c.port("SIPPort", s.SIPPort)
	c.name("Realm", s.Realm)
	c.port("RTPStart", s.RTPStart)
	c.port("RTPEnd", s.RTPEnd)
	c.require("RTPEnd", s.RTPEnd > s.RTPStart, "must be above RTPStart: each call takes two ports")
	if s.ExternalAddress != "" {
		c.address("ExternalAddress", s.ExternalAddress)
	}
	for i, n := range s.LocalNets {
		c.network(fmt.Sprintf("LocalNets[%d]", i), n)
	}
	for i, n := range s.Numbers {
		c.match(fmt.Sprintf("Numbers[%d]", i), n, numberPattern, "must be digits, with + in front if wanted, or s")
	}

	for i, t := range s.Trunks {
		at := fmt.Sprintf("Trunks[%d]", i)
		c.section(at+".Name", t.Name)
		for j, m := range t.Match {
			c.network(fmt.Sprintf("%s.Match[%d]", at, j), m)
		}
		if t.Contact != "" {
			c.match(at+".Contact", t.Contact, sipURIPattern, "must be a SIP URI such as sip:exchange.example.org:5060")
		}
		c.require(at, t.Contact != "" || len(t.Match) > 0, "needs Match, Contact or both")
		c.require(at+".QualifySeconds", t.QualifySeconds >= 0, "must not be negative")
		c.codecs(at+".Codecs", t.Codecs)
	}
	for i, p := range s.Phones {
		at := fmt.Sprintf("Phones[%d]", i)
		c.section(at+".Name", p.Name)
		if p.Contact != "" {
			c.match(at+".Contact", p.Contact, sipURIPattern, "must be a SIP URI such as sip:desk1@192.0.2.10:5060")
		}
		if p.Password != "" || p.Contact == "" {
			c.secret(at+".Password", p.Password)
		}
		c.require(at+".QualifySeconds", p.QualifySeconds >= 0, "must not be negative")
		c.codecs(at+".Codecs", p.Codecs)
	}

	if s.Emergency.Destination != "" {
		c.dial("Emergency.Destination", s.Emergency.Destination)
	}
	c.seconds("Emergency.RingSeconds", s.Emergency.RingSeconds)
	c.sounds("Emergency.Message", s.Emergency.Message)
	c.sounds("Fallback.Announcement", s.Fallback.Announcement)
	c.sounds("Fallback.Apology", s.Fallback.Apology)
	c.seconds("Fallback.RetrySeconds", s.Fallback.RetrySeconds)
	c.seconds("Fallback.WaitSeconds", s.Fallback.WaitSeconds)
	c.seconds("Fallback.RingSeconds", s.Fallback.RingSeconds)
	for i, d := range s.Fallback.RingGroup {
		c.dial(fmt.Sprintf("Fallback.RingGroup[%d]", i), d)
	}
	c.name("MusicClass", s.MusicClass)
	c.require("MusicClass", s.MusicClass != "general", "must not be general, which musiconhold.conf keeps for itself")

	queues := map[string]bool{}
	for i, q := range s.Queues {
		at := fmt.Sprintf("Queues[%d]", i)
		c.name(at+".Name", q.Name)
		c.require(at+".Name", q.Name != "general" && !queues[q.Name], "is taken")
		queues[q.Name] = true
		c.match(at+".Strategy", q.Strategy, strategyPattern, "must be one of app_queue's strategies")
		c.seconds(at+".TimeoutSeconds", q.TimeoutSeconds)
		c.seconds(at+".RetrySeconds", q.RetrySeconds)
		c.require(at+".WrapUpSeconds", q.WrapUpSeconds >= 0, "must not be negative")
		for j, m := range q.Members {
			c.dial(fmt.Sprintf("%s.Members[%d]", at, j), m)
		}
	}
	numbers := map[string]bool{}
	for _, n := range s.Numbers {
		numbers[n] = true
	}
	for i, x := range s.Extensions {
		at := fmt.Sprintf("Extensions[%d]", i)
		c.match(at+".Number", x.Number, numberPattern, "must be digits")
		c.require(at+".Number", !numbers[x.Number], "is taken")
		numbers[x.Number] = true
		switch {
		case x.Queue != "" && x.App != "":
			c.fail(at, "has both Queue and App; one of them says where the call goes")
		case x.Queue != "":
			c.require(at+".Queue", queues[x.Queue], "names no queue of Queues")
		default:
			c.name(at+".App", x.App)
		}
	}
	return c.err()
}

// checker keeps the first failure.
type checker struct {
	failure *InvalidError
	names   map[string]string
}

func (c *checker) err() error {
	if c.failure == nil {
		return nil
	}
	return c.failure
}

func (c *checker) fail(field, reason string) {
	if c.failure == nil {
		c.failure = &InvalidError{Field: field, Reason: reason}
	}
}

func (c *checker) require(field string, ok bool, reason string) {
	if !ok {
		c.fail(field, reason)
	}
}

func (c *checker) match(field, value string, pattern *regexp.Regexp, reason string) {
	c.require(field, pattern.MatchString(value), reason)
}

func (c *checker) name(field, value string) {
	c.match(field, value, namePattern, "must be 1 to 63 letters, digits, dots, dashes or underscores")
}

// section checks a name that becomes a section of pjsip.conf, where all kinds share one space.
func (c *checker) section(field, value string) {
	c.name(field, value)
	c.require(field, !reserved[value], "is a name pjsip.conf keeps for itself")
	if other, taken := c.names[value]; taken {
		c.fail(field, "is the same as "+other)
	}
	c.names[value] = field
}

// secret allows what Asterisk reads back unchanged and HTTP basic and SIP digest carry.
func (c *checker) secret(field, value string) {
	c.require(field, value != "", "must not be empty")
	c.require(field, len(value) <= 128, "must have at most 128 characters")
	for _, r := range value {
		if r <= ' ' || r > '~' || r == ';' || r == '\\' {
			c.fail(field, "may hold printable ASCII only, without spaces, semicolons and backslashes")
		}
	}
	// "= >" and "=>" both assign, so a leading > would vanish.
	c.require(field, !strings.HasPrefix(value, ">"), "must not begin with >")
}

func (c *checker) folder(field, value string) {
	c.require(field, filepath.IsAbs(value), "must be an absolute path")
	for _, r := range value {
		if unicode.IsControl(r) || r == ';' || r == '\\' {
			c.fail(field, "must not hold control characters, semicolons or backslashes")
		}
	}
	c.require(field, value == strings.TrimSpace(value), "must not begin or end with a space")
	c.require(field, len(value) < 200, "is too long for Asterisk, which takes 200 bytes")
}

func (c *checker) address(field, value string) {
	addr, err := netip.ParseAddr(value)
	c.require(field, err == nil && addr.Zone() == "", "must be an IP address")
}

func (c *checker) network(field, value string) {
	if _, err := netip.ParsePrefix(value); err == nil {
		return
	}
	addr, err := netip.ParseAddr(value)
	c.require(field, err == nil && addr.Zone() == "", "must be an IP address or a network such as 192.0.2.0/24")
}

func (c *checker) port(field string, value int) {
	c.require(field, value >= 1 && value <= 65535, "must be a port from 1 to 65535")
}

func (c *checker) seconds(field string, value int) {
	c.require(field, value >= 1 && value <= 3600, "must be 1 to 3600 seconds")
}

func (c *checker) dial(field, value string) {
	c.match(field, value, dialPattern, "must be a dial string such as PJSIP/999@exchange")
}

// sounds checks what goes into Playback: names or paths joined by "&".
func (c *checker) sounds(field, value string) {
	for _, sound := range strings.Split(value, "&") {
		c.match(field, sound, soundPattern, `must be sound names or paths of letters, digits and ./_-+@, joined by "&"`)
		c.require(field, sound == strings.TrimSpace(sound), "must not begin or end with a space")
	}
}

func (c *checker) codecs(field string, names []string) {
	for i, n := range names {
		c.match(fmt.Sprintf("%s[%d]", field, i), n, codecPattern, "must be of alaw, ulaw, g722, gsm, slin, slin16 and opus")
	}
}
