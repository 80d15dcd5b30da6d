package configs

import (
	"errors"
	"fmt"
	"strings"

	"example.org/c3i/configs/asterisk"
)

// checkSwitch finds settings that Asterisk's configuration cannot hold, each tried
// by itself, so that all are told at once.
func checkSwitch(c *Config) []FieldError {
	if c.Asterisk.URL != "" {
		return nil
	}
	good := func() asterisk.Settings {
		return asterisk.Settings{
			Dir: "/c3i", Dirs: asterisk.DirsUnder("/c3i"), MusicDir: "/c3i", MusicClass: "default", Realm: "c3i",
			HTTPBind: "127.0.0.1", HTTPPort: 1, HTTPSessions: 1, ARIUser: "c3i", ARIPassword: "c3i", App: "c3i",
			SIPBind: "127.0.0.1", SIPPort: 1, RTPStart: 1, RTPEnd: 2, Numbers: []string{"101"},
			Emergency: asterisk.Emergency{RingSeconds: 1, Message: "a"},
			Fallback:  asterisk.Fallback{Announcement: "a", Apology: "a", RetrySeconds: 1, WaitSeconds: 1, RingSeconds: 1},
		}
	}
	var bad []FieldError
	try := func(key string, set func(*asterisk.Settings)) {
		s := good()
		set(&s)
		var invalid *asterisk.InvalidError
		if err := s.Validate(); errors.As(err, &invalid) {
			_, below, list := strings.Cut(invalid.Field, "].")
			if _, element, ok := strings.Cut(below, "["); list && ok {
				key += "." + strings.ToLower(strings.TrimSuffix(below, "["+element)) + "[" + element
			} else if list {
				key += "." + strings.ToLower(below)
			}
			bad = append(bad, FieldError{Key: key, Message: invalid.Reason})
		}
	}
	try("asterisk.ari_user", func(s *asterisk.Settings) { s.ARIUser = c.Asterisk.ARIUser })
	if c.Asterisk.ARIPassword != "" {
		try("asterisk.ari_password", func(s *asterisk.Settings) { s.ARIPassword = c.Asterisk.ARIPassword })
	}
	try("asterisk.external_address", func(s *asterisk.Settings) { s.ExternalAddress = c.Asterisk.ExternalAddress })
	for i, n := range c.Asterisk.LocalNets {
		try(fmt.Sprintf("asterisk.local_nets[%d]", i), func(s *asterisk.Settings) { s.LocalNets = []string{n} })
	}
	for i, t := range c.Asterisk.Trunks {
		try(fmt.Sprintf("asterisk.trunks[%d]", i), func(s *asterisk.Settings) {
			s.Trunks = []asterisk.Trunk{{Name: t.Name, Match: t.Match, Contact: t.Contact, Codecs: t.Codecs}}
		})
	}
	for i, p := range c.Asterisk.Phones {
		try(fmt.Sprintf("asterisk.phones[%d]", i), func(s *asterisk.Settings) {
			s.Phones = []asterisk.Phone{{Name: p.Name, Password: p.Password}}
		})
	}
	for i, n := range c.Telephony.Numbers {
		try(fmt.Sprintf("telephony.numbers[%d]", i), func(s *asterisk.Settings) { s.Numbers = []string{n} })
	}
	try("telephony.emergency", func(s *asterisk.Settings) { s.Emergency.Destination = c.Telephony.Emergency })
	if dial, out := c.Telephony.Dial("+442079460000"); out && c.checkOutgoing() == "" {
		try("telephony.outgoing", func(s *asterisk.Settings) { s.Emergency.Destination = dial })
	}
	for i, d := range c.Telephony.FallbackGroup {
		try(fmt.Sprintf("telephony.fallback_group[%d]", i), func(s *asterisk.Settings) { s.Fallback.RingGroup = []string{d} })
	}
	return bad
}
