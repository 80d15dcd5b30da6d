package ariswitch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Options say where Asterisk is and how to sign in.
type Options struct {
	// URL is Asterisk's HTTP server, for example http://127.0.0.1:8088, without
	// the /ari path.
	URL string
	// App is the Stasis application.
	App string
	// Username and Password are a user of ari.conf.
	Username, Password string
	// SubscribeAll asks for the events of every channel, not only of ours.
	SubscribeAll bool
	// Timeout bounds commands whose context has no deadline. 2 s.
	Timeout time.Duration
	// PingEvery and ReadWithin watch the event socket: a ping is sent this often,
	// and a socket that brings nothing, not even an answer to a ping, for this
	// long is given up. 5 s and 12 s.
	PingEvery, ReadWithin time.Duration
	// RetryFrom and RetryTo bound the pause before dialling again. 100 ms and 5 s.
	RetryFrom, RetryTo time.Duration
	// Connections bounds REST connections. 32; Asterisk allows 100 by default.
	Connections int
	// Clock is time.Now unless given.
	Clock func() time.Time
	Log   zerolog.Logger
}

func (o *Options) check() error {
	if o.URL == "" || o.App == "" || o.Username == "" {
		return errors.New("ariswitch: URL, App and Username are needed")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("ariswitch: URL %q must be http://host:port or https://host:port", o.URL)
	}
	o.URL = strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), "/ari")
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Timeout, 2*time.Second)
	set(&o.PingEvery, 5*time.Second)
	set(&o.ReadWithin, 12*time.Second)
	set(&o.RetryFrom, 100*time.Millisecond)
	set(&o.RetryTo, 5*time.Second)
	if o.Connections <= 0 {
		o.Connections = 32
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return nil
}
