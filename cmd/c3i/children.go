package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/configs"
	"example.org/c3i/configs/asterisk"
)

// children are the programs `c3i up` started. Each that ends unasked is started
// again, after a pause that grows while it keeps ending.
type children struct {
	log    zerolog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	redis    *privateRedis
	asterisk *asterisk.Process
}

func newChildren(log zerolog.Logger) *children {
	ctx, cancel := context.WithCancel(context.Background())
	return &children{log: log, ctx: ctx, cancel: cancel}
}

func (k *children) startRedis(ctx context.Context, c configs.Config) (socket string, err error) {
	p, err := startRedis(ctx, c.Redis, redisDir(c))
	if err != nil {
		return "", err
	}
	k.redis = p
	k.keep("redis-server", p.done, func() (<-chan struct{}, error) {
		p, err := startRedis(k.ctx, c.Redis, redisDir(c))
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		k.redis = p
		k.mu.Unlock()
		return p.done, nil
	})
	return p.socket, nil
}

func (k *children) startAsterisk(ctx context.Context, program string, s asterisk.Settings) (*asterisk.Process, error) {
	p, err := asterisk.Start(ctx, program, s)
	var running *asterisk.StillRunningError
	if errors.As(err, &running) {
		k.log.Warn().Int("pid", running.PID).Msg("ending the Asterisk that an earlier c3i left behind")
		if err := running.Stop(ctx); err != nil {
			return nil, err
		}
		p, err = startOnceFree(ctx, program, s)
	}
	if err != nil {
		return nil, err
	}
	k.asterisk = p
	again := p.Settings() // with the ports that were chosen
	k.keep("asterisk", p.Done(), func() (<-chan struct{}, error) {
		p, err := asterisk.Start(k.ctx, program, again)
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		k.asterisk = p
		k.mu.Unlock()
		return p.Done(), nil
	})
	return p, nil
}

// startOnceFree starts Asterisk after another one ended on the same ports, which
// the kernel frees a moment after the process has gone from its lists.
func startOnceFree(ctx context.Context, program string, s asterisk.Settings) (*asterisk.Process, error) {
	for until := time.Now().Add(5 * time.Second); ; {
		p, err := asterisk.Start(ctx, program, s)
		var taken *asterisk.PortTakenError
		if !errors.As(err, &taken) || time.Now().After(until) {
			return p, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// keep starts a program again whenever it ends, until stop.
func (k *children) keep(name string, done <-chan struct{}, again func() (<-chan struct{}, error)) {
	k.work.Go(func() {
		pause := 200 * time.Millisecond
		for {
			began := time.Now()
			select {
			case <-k.ctx.Done():
				return
			case <-done:
			}
			if time.Since(began) > time.Minute {
				pause = 200 * time.Millisecond
			}
			for {
				k.log.Error().Str("program", name).Dur("pause", pause).Msg("a program ended unasked and is started again")
				select {
				case <-k.ctx.Done():
					return
				case <-time.After(pause):
				}
				pause = min(2*pause, 10*time.Second)
				var err error
				if done, err = again(); err == nil {
					break
				}
				k.log.Error().Err(err).Str("program", name).Msg("it could not be started")
			}
		}
	})
}

// stop ends what was started, Asterisk first: Redis must outlive what writes.
func (k *children) stop(ctx context.Context) error {
	k.cancel()
	k.work.Wait()
	var err error
	if k.asterisk != nil {
		err = k.asterisk.Stop(ctx)
	}
	return err
}

func (k *children) stopRedis(ctx context.Context) {
	if k.redis != nil {
		k.redis.stop(ctx)
	}
}

// asteriskSettings turns ours into those of the private Asterisk.
func asteriskSettings(c configs.Config, password string, sound func(prompt string) string) (asterisk.Settings, error) {
	httpHost, httpPort, err := splitPort("asterisk.http_listen", c.Asterisk.HTTPListen)
	if err != nil {
		return asterisk.Settings{}, err
	}
	sipHost, sipPort, err := splitPort("asterisk.sip_listen", c.Asterisk.SIPListen)
	if err != nil {
		return asterisk.Settings{}, err
	}
	s := asterisk.Settings{
		Dir: filepath.Join(c.DataDir, "asterisk"), RunUser: c.Asterisk.User,
		HTTPBind: httpHost, HTTPPort: httpPort, ARIUser: c.Asterisk.ARIUser, ARIPassword: password, App: c.Asterisk.App,
		SIPBind: sipHost, SIPPort: sipPort, RTPStart: c.Asterisk.RTPStart, RTPEnd: c.Asterisk.RTPEnd,
		ExternalAddress: c.Asterisk.ExternalAddress, LocalNets: c.Asterisk.LocalNets,
		Numbers:   append(c.Telephony.Numbers[:len(c.Telephony.Numbers):len(c.Telephony.Numbers)], "s"),
		Emergency: asterisk.Emergency{Destination: c.Telephony.Emergency, Message: sound("emergency_failed")},
		Fallback: asterisk.Fallback{
			Announcement: sound("fallback"), Apology: sound("fallback_failed"),
			RetrySeconds: int(c.Telephony.FallbackRetry / time.Second), RingGroup: c.Telephony.FallbackGroup,
		},
	}
	if os.Geteuid() != 0 {
		s.RunUser = ""
	}
	for _, t := range c.Asterisk.Trunks {
		s.Trunks = append(s.Trunks, asterisk.Trunk{Name: t.Name, Match: t.Match, Contact: t.Contact, Codecs: t.Codecs})
	}
	for _, p := range c.Asterisk.Phones {
		s.Phones = append(s.Phones, asterisk.Phone{Name: p.Name, Password: p.Password})
	}
	return s, nil
}

func splitPort(key, addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		return "", 0, fmt.Errorf("%s: %q is not host:port: %w", key, addr, err)
	}
	return host, port, nil
}

// secret is the password kept in a file of the data folder, made the first time.
func secret(dir, name string) (string, error) {
	file := filepath.Join(dir, name)
	b, err := os.ReadFile(file)
	if err == nil && len(strings.TrimSpace(string(b))) >= 16 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	raw := make([]byte, 20)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a password: %w", err)
	}
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write %s: %w", file, err)
	}
	return text, nil
}
