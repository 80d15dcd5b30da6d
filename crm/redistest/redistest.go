// Package redistest starts private redis-server children for tests: a real
// server on a unix socket in a folder of its own, ended with the test.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is one private redis-server. Its data survive Stop and Start, because
// the append-only file is fsynced on each write.
type Server struct {
	// Addr is the unix socket's path.
	Addr string

	t    testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
}

// Program names the redis-server to run: $C3I_REDIS_PROGRAM, else the one on PATH.
func Program() string {
	if p := os.Getenv("C3I_REDIS_PROGRAM"); p != "" {
		return p
	}
	return "redis-server"
}

// New starts a server that is stopped when the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	return launch(t, "--port", "0")
}

func launch(t testing.TB, args ...string) *Server {
	t.Helper()
	// A unix socket's path must stay under 108 bytes, which t.TempDir may exceed.
	dir, err := os.MkdirTemp("", "c3i-redis-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: filepath.Join(dir, "s"), t: t, dir: dir, args: args}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test server's folder: %v", err)
		}
	})
	s.Start()
	return s
}

// Start starts a fresh server and returns a client on it. The client is closed
// with the test.
func Start(t testing.TB) *redis.Client {
	t.Helper()
	return New(t).Client()
}

// Client returns a new client, closed with the test.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	c := redis.NewClient(Options(s.Addr))
	s.t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
			s.t.Errorf("close the test client: %v", err)
		}
	})
	return c
}

// Start starts the server again after Stop, on the same data, and returns once
// it answers.
func (s *Server) Start() {
	s.t.Helper()
	cmd := exec.Command(Program(), append(s.args, "--unixsocket", s.Addr, "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always",
		"--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", filepath.Join(s.dir, "log"))...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start %s (run scripts/setup test first): %v", Program(), err)
	}
	s.cmd = cmd
	c := redis.NewClient(Options(s.Addr))
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for c.Ping(ctx).Err() != nil {
		select {
		case <-ctx.Done():
			s.t.Fatalf("redis-server did not answer on %s: %v\n%s", s.Addr, ctx.Err(), s.logTail())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Stop ends the server and waits for it. Data stay for Start.
func (s *Server) Stop() { s.signal(syscall.SIGTERM, true) }

// Kill ends the server as a crash would.
func (s *Server) Kill() { s.signal(syscall.SIGKILL, true) }

// Pause freezes the server: it accepts connections and answers nothing, as a
// stalled disk or host does. Resume lets it go on.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP, false) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT, false) }

func (s *Server) signal(sig syscall.Signal, wait bool) {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("signal redis-server: %v", err)
	}
	if wait {
		// A paused process does not act on SIGTERM until it continues.
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *Server) logTail() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return string(b)
}

// Options are client options that suit Redis 7.0 on a unix socket.
func Options(socket string) *redis.Options {
	return &redis.Options{
		Network: "unix", Addr: socket, Protocol: 3, DisableIdentity: true,
		Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		MaintNotificationsConfig: MaintOff(),
	}
}
