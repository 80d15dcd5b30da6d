package asterisk

import (
	"path/filepath"
)

// Settings is all that C3i chooses about its Asterisk; the templates read nothing else.
type Settings struct {
	// Dir is the folder under which Dirs lie when they are not given one by one. Start needs it.
	Dir string
	// Dirs are Asterisk's own folders. Empty ones are put under Dir.
	Dirs Dirs
	// RunUser is the user Asterisk runs as when C3i is root; empty means [DefaultRunUser] then.
	// A C3i that is not root leaves it empty: Asterisk runs as the same user.
	RunUser string
	// SystemName prefixes Asterisk's own channel ids; empty means none.
	SystemName string
	// EndWithParent has the kernel kill Asterisk when the process that started it dies: for tests. Otherwise calls
	// outlive a C3i that crashes.
	EndWithParent bool
	// MaxFiles is the limit on open files Asterisk sets for itself; 0 leaves it alone. Start fills it in.
	MaxFiles int

	// HTTPBind and HTTPPort are where ARI and SIP-over-websocket listen. Default 127.0.0.1; ARI's password is
	// all that guards the telephones, so another address is a decision. Start takes port 0 as "any free one".
	HTTPBind string
	HTTPPort int
	// HTTPSessions bounds connections to that port, one per event socket and browser phone. Default 2000.
	HTTPSessions int
	// ARIUser and ARIPassword are what C3i signs on to ARI with. ARIUser defaults to "c3i".
	ARIUser     string
	ARIPassword string
	// App is the name of the Stasis application calls are handed to. Default "c3i".
	App string

	// SIPBind and SIPPort are where SIP listens, UDP and TCP. Default 127.0.0.1. Start takes port 0 as "any free one".
	SIPBind string
	SIPPort int
	// Realm is the digest realm phones see. Default "c3i".
	Realm string
	// RTPStart and RTPEnd bound the UDP ports of speech, both included. Default 16384 to 32766, below the ports
	// the kernel hands out.
	RTPStart, RTPEnd int
	// ExternalAddress is this machine's address as the world outside LocalNets sees it; empty when no
	// translation stands between.
	ExternalAddress string
	// LocalNets are the networks (CIDR) reached without translation.
	LocalNets []string

	// Numbers are the dialled numbers on which C3i answers calls from trunks. Default 101 and s (no number given).
	Numbers []string
	// Trunks are the lines calls come in on.
	Trunks []Trunk
	// Phones are handlers' SIP phones.
	Phones []Phone
	// Emergency is where calls that must not wait go.
	Emergency Emergency
	// Fallback is what callers meet while C3i is away.
	Fallback Fallback

	// MusicClass names the music on hold. Default "default".
	MusicClass string
	// MusicDir holds its audio files. Default: moh in Asterisk's data folder.
	MusicDir string

	// Queues are app_queue queues, for measuring against; C3i itself uses none.
	Queues []Queue
	// Extensions are further numbers trunks can dial, for measuring against.
	Extensions []Extension

	// tempRun is a run folder made because Dirs.Run was too long; an Asterisk started again with the same
	// settings makes it again and removes it in the end.
	tempRun string
}

// Dirs are the folders Asterisk reads and writes.
type Dirs struct {
	Etc   string // configuration; read
	Lib   string // its small database; written
	Cache string // written
	Spool string // recordings; written
	Run   string // control socket and process id; written, and kept short: a socket's path has at most 107 bytes
	Log   string // written
	// Data (sounds, music, documentation) and Modules are the program's own; empty means those it was built with.
	Data    string
	Modules string
}

// DirsUnder puts every folder Asterisk writes under base.
func DirsUnder(base string) Dirs {
	return Dirs{
		Etc:   filepath.Join(base, "etc"),
		Lib:   filepath.Join(base, "lib"),
		Cache: filepath.Join(base, "cache"),
		Spool: filepath.Join(base, "spool"),
		Run:   filepath.Join(base, "run"),
		Log:   filepath.Join(base, "log"),
	}
}

// Trunk is a line on which calls come in from, and may go out to, the telephone network.
type Trunk struct {
	// Name is what dial strings call it: PJSIP/<number>@<Name>.
	Name string
	// Match are the addresses or networks (CIDR) its calls come from. A call from elsewhere is not taken.
	Match []string
	// Contact is the SIP URI outgoing calls are sent to; empty for a line that only brings calls in.
	Contact string
	// QualifySeconds is how often Contact is asked whether it is alive; 0 means never.
	QualifySeconds int
	// Codecs in order of preference. Default alaw, ulaw.
	Codecs []string
}

// Phone is a handler's SIP phone: PJSIP/<Name>. It is rung and rings nobody.
type Phone struct {
	// Name is also its SIP user name.
	Name string
	// Password is what it registers with. It may be empty when Contact is set.
	Password string
	// Contact is the SIP URI of a phone that does not register; empty for one that does.
	Contact string
	// QualifySeconds is how often the phone is asked whether it is alive; 0 means never.
	QualifySeconds int
	// Codecs in order of preference. Default alaw, ulaw.
	Codecs []string
}

// Emergency is where a caller in danger is sent at once.
type Emergency struct {
	// Destination is a dial string such as PJSIP/999@exchange; empty means it counts as not answered.
	Destination string
	// RingSeconds bounds the ringing. Default 120.
	RingSeconds int
	// Message is a sound telling the caller to hang up and dial 999: an absolute path without its extension, or
	// the name of one of Asterisk's own; several are joined by "&". It is heard when nobody answered and C3i, to
	// whom the call then goes back, is away; the fallback follows.
	Message string
}

// Fallback is what callers meet while C3i is away, in this order.
type Fallback struct {
	// Announcement is a sound as in [Emergency].Message, heard first.
	Announcement string
	// RetrySeconds is how long C3i is tried again for, with music in between. Default 30.
	RetrySeconds int
	// WaitSeconds is the music between two tries. Default 3.
	WaitSeconds int
	// RingGroup are dial strings of phones rung together after that; empty means none.
	RingGroup []string
	// RingSeconds bounds that ringing. Default 60.
	RingSeconds int
	// Apology is a sound as above, heard last.
	Apology string
}

// Queue is one app_queue queue.
type Queue struct {
	Name string
	// Strategy as app_queue names it. Default leastrecent, its nearest to longest idle.
	Strategy string
	// Members are dial strings.
	Members []string
	// TimeoutSeconds is how long a member is rung; default 15. RetrySeconds is the pause before all are tried
	// again; default 1, its least. WrapUpSeconds is the rest after a call; default 0.
	TimeoutSeconds, RetrySeconds, WrapUpSeconds int
}

// Extension is a number trunks can dial that leads to a queue or to another Stasis application.
type Extension struct {
	Number string
	// Queue or App, one of them.
	Queue string
	App   string
}

// Transports are the names of the SIP transports, each a section transport-<name> of pjsip.conf.
func (Settings) Transports() []string { return []string{"udp", "tcp", "ws"} }

func (s Settings) withDefaults() Settings {
	under := DirsUnder(s.Dir)
	orElse(&s.Dirs.Etc, under.Etc)
	orElse(&s.Dirs.Lib, under.Lib)
	orElse(&s.Dirs.Cache, under.Cache)
	orElse(&s.Dirs.Spool, under.Spool)
	orElse(&s.Dirs.Run, under.Run)
	orElse(&s.Dirs.Log, under.Log)
	orElse(&s.HTTPBind, "127.0.0.1")
	orElse(&s.HTTPSessions, 2000)
	orElse(&s.ARIUser, "c3i")
	orElse(&s.App, "c3i")
	orElse(&s.SIPBind, "127.0.0.1")
	orElse(&s.Realm, "c3i")
	orElse(&s.RTPStart, 16384)
	orElse(&s.RTPEnd, 32766)
	if len(s.Numbers) == 0 {
		s.Numbers = []string{"101", "s"}
	}
	orElse(&s.Emergency.RingSeconds, 120)
	orElse(&s.Emergency.Message, "cannot-complete-as-dialed&digits/9&digits/9&digits/9")
	orElse(&s.Fallback.Announcement, "one-moment-please")
	orElse(&s.Fallback.RetrySeconds, 30)
	orElse(&s.Fallback.WaitSeconds, 3)
	orElse(&s.Fallback.RingSeconds, 60)
	orElse(&s.Fallback.Apology, "sorry-youre-having-problems&please-try-call-later")
	orElse(&s.MusicClass, "default")
	if s.MusicDir == "" {
		s.MusicDir = defaultMusicDir(s.Dirs.Data)
	}
	queues := append([]Queue(nil), s.Queues...)
	for i := range queues {
		orElse(&queues[i].Strategy, "leastrecent")
		orElse(&queues[i].TimeoutSeconds, 15)
		orElse(&queues[i].RetrySeconds, 1)
	}
	s.Queues = queues
	return s
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
