package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"example.org/c3i/configs"
)

// redisClient connects to an existing Redis, or with a socket to the private one.
func redisClient(c configs.Redis, socket string) redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs: c.Addrs, MasterName: c.Master, Username: c.Username, Password: c.Password, DB: c.DB,
		Protocol: 3, DisableIdentity: true, ContextTimeoutEnabled: true,
		// The default probes with a command that Redis 7.0 does not have.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DialTimeout:              2 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second,
		PoolSize: 64,
	}
	if socket != "" {
		simple := o.Simple()
		simple.Network, simple.Addr, simple.Username, simple.Password, simple.DB = "unix", socket, "", "", 0
		return redis.NewClient(simple)
	}
	if c.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return redis.NewUniversalClient(o)
}

// checkRedis makes sure that Redis answers, is new enough, and will never throw
// keys away to make room: a live call or a report would be among them.
func checkRedis(ctx context.Context, c redis.UniversalClient, log zerolog.Logger) error {
	if err := c.Ping(ctx).Err(); err != nil {
		var answered redis.Error
		if errors.As(err, &answered) {
			return fmt.Errorf("redis.addrs: Redis refuses us (%w): correct redis.username and redis.password", err)
		}
		return fmt.Errorf("redis.addrs: Redis does not answer: %w; start it, or correct redis.addrs", bareNet(err))
	}
	if info, err := c.Info(ctx, "server").Result(); err == nil {
		if v := field(info, "redis_version:"); v != "" && olderThan7(v) {
			return fmt.Errorf("redis.addrs: Redis %s is too old: C3i needs 7.0 or later", v)
		}
	}
	policy, err := c.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil {
		log.Warn().Err(err).Msg("redis does not tell its eviction policy; make sure that it is noeviction")
		return nil
	}
	if p := policy["maxmemory-policy"]; p != "noeviction" {
		return fmt.Errorf("redis.addrs: Redis may throw keys away (maxmemory-policy %s), and a live call or a report would be among them: "+
			"set maxmemory-policy to noeviction", p)
	}
	return nil
}

func olderThan7(v string) bool {
	major, _, _ := strings.Cut(v, ".")
	return len(major) == 1 && major < "7"
}

func field(text, name string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func findRedis(name string) (string, error) {
	program, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("redis.program: the program %q is missing: install redis-server, name another with --redis.program, or point --redis.addrs at a running Redis", name)
	}
	return program, nil
}

const redisSocket = "redis.sock"

// longestSocket is in bytes; the kernel takes at most 107.
const longestSocket = 100

func redisDir(c configs.Config) string { return filepath.Join(c.DataDir, "redis") }

// privateRedis is the redis-server of `c3i up`.
type privateRedis struct {
	socket string
	cmd    *exec.Cmd
	done   chan struct{}
	log    string
}

// startRedis starts redis-server on a unix socket with its append-only file in
// dir, and returns when it answers.
func startRedis(ctx context.Context, c configs.Redis, dir string) (*privateRedis, error) {
	program, err := findRedis(c.Program)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	p := &privateRedis{socket: filepath.Join(dir, redisSocket), done: make(chan struct{}), log: filepath.Join(dir, "redis.log")}
	if len(p.socket) > longestSocket {
		return nil, fmt.Errorf("%s is too long a path for a socket: choose a shorter --data_dir", p.socket)
	}
	if err := endLeftover(ctx, p.socket); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(program, "--port", "0", "--unixsocket", p.socket, "--unixsocketperm", "600",
		"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", c.Fsync,
		// Records are small hashes with a few long values, which are packed up to this
		// length: a fifth less memory.
		"--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "128",
		"--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", p.log)
	// A group of its own, so that a terminal's Ctrl-C reaches C3i alone.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	client := redisClient(c, p.socket)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for client.Ping(ctx).Err() != nil {
		select {
		case <-p.done:
			return nil, fmt.Errorf("redis-server ended at once; its log %s ends:\n%s", p.log, tailOf(p.log))
		case <-ctx.Done():
			p.stop(context.WithoutCancel(ctx))
			return nil, fmt.Errorf("redis-server did not answer within a minute: %w; its log %s ends:\n%s", ctx.Err(), p.log, tailOf(p.log))
		case <-time.After(10 * time.Millisecond):
		}
	}
	return p, nil
}

// endLeftover ends a redis-server that a killed C3i left on the socket; its file
// is whole, because it is asked to end and not killed.
func endLeftover(ctx context.Context, socket string) error {
	if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	client := redisClient(configs.Redis{}, socket)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if client.Ping(ctx).Err() != nil {
		return nil // only the socket's file is left, which redis-server replaces
	}
	_ = client.Shutdown(ctx).Err() // an answered SHUTDOWN closes the connection, which is an error here
	for client.Ping(ctx).Err() == nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("a redis-server of an earlier c3i still runs on %s and does not end: end it first", socket)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// stop asks redis-server to end and waits; it is killed when ctx ends first,
// which loses nothing that was written.
func (p *privateRedis) stop(ctx context.Context) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func tailOf(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Sprintf("(it cannot be read: %v)", err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
