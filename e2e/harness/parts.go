package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm/redistest"
)

// Await asks until ok holds and fails the test when it does not within the limit.
func Await(t testing.TB, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.After(limit)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", limit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// client gives up on what does not answer; a part may be frozen.
var client = &http.Client{Timeout: 5 * time.Second}

// ARI is an Asterisk's REST interface, asked behind C3i's back.
type ARI struct {
	// URL ends in /ari.
	URL, User, Password string
}

// ARI is that of the private Asterisk.
func (s *System) ARI() ARI {
	s.t.Helper()
	conf, err := os.ReadFile(filepath.Join(s.Dir, "asterisk", "etc", "http.conf"))
	if err != nil {
		s.t.Fatal(err)
	}
	port := regexp.MustCompile(`(?m)^bindport\s*=\s*(\d+)`).FindSubmatch(conf)
	if port == nil {
		s.t.Fatalf("no port in http.conf:\n%s", conf)
	}
	password, err := os.ReadFile(filepath.Join(s.Dir, "ari-password"))
	if err != nil {
		s.t.Fatal(err)
	}
	return ARI{"http://" + net.JoinHostPort("127.0.0.1", string(port[1])) + "/ari", "c3i", strings.TrimSpace(string(password))}
}

// Get reads one resource.
func (a ARI) Get(path string, into any) error {
	req, err := http.NewRequest(http.MethodGet, a.URL+path, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(a.User, a.Password)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// Left lists the channels and bridges there are, in words.
func (a ARI) Left() ([]string, error) {
	var channels []struct{ ID, Name, State string }
	if err := a.Get("/channels", &channels); err != nil {
		return nil, err
	}
	var bridges []struct{ ID string }
	if err := a.Get("/bridges", &bridges); err != nil {
		return nil, err
	}
	var left []string
	for _, c := range channels {
		left = append(left, fmt.Sprintf("channel %s (%s, %s)", c.ID, c.Name, c.State))
	}
	for _, b := range bridges {
		left = append(left, "bridge "+b.ID)
	}
	return left, nil
}

// AwaitEmpty waits until there is no channel and no bridge.
func (a ARI) AwaitEmpty(t testing.TB) {
	t.Helper()
	var left []string
	var err error
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if left, err = a.Left(); err == nil && len(left) == 0 {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Errorf("leaked: %s (%v)", strings.Join(left, ", "), err)
}

// Redis is a client of the private Redis, the same each time and closed with the
// test.
func (s *System) Redis() *redis.Client {
	s.t.Helper()
	s.redisOnce.Do(func() {
		s.redis = redis.NewClient(redistest.Options(filepath.Join(s.Dir, "redis", "redis.sock")))
		s.t.Cleanup(func() { _ = s.redis.Close() })
	})
	return s.redis
}

// RedisPID is the process id of the private Redis.
func (s *System) RedisPID() int {
	s.t.Helper()
	info, err := s.Redis().Info(context.Background(), "server").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(info)
	if m == nil {
		s.t.Fatalf("no process id in %q", info)
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// AsteriskPID is the process id of the private Asterisk.
func (s *System) AsteriskPID() int {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, "asterisk", "run", "asterisk.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// Signal sends a signal to one of the parts.
func (s *System) Signal(pid int, sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		s.t.Fatalf("signal %d: %v", pid, err)
	}
}

// Processes lists the processes whose command line names the data folder.
func (s *System) Processes() []string {
	s.t.Helper()
	var out []string
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err == nil && bytes.Contains(line, []byte(s.Dir)) {
			out = append(out, filepath.Base(filepath.Dir(name))+": "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return out
}

// Interrupt asks c3i to stop, as Ctrl-C does, and does not wait.
func (s *System) Interrupt() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatalf("interrupt c3i: %v", err)
	}
}

// Exited is closed when c3i has ended.
func (s *System) Exited() <-chan struct{} { return s.done }

// AwaitExit waits until c3i has ended by itself, after Interrupt, and returns its
// exit code.
func (s *System) AwaitExit(limit time.Duration) int {
	s.t.Helper()
	select {
	case <-s.done:
		code := s.cmd.ProcessState.ExitCode()
		s.cmd = nil
		return code
	case <-time.After(limit):
		s.t.Fatalf("c3i did not end within %s:\n%s", limit, tail(s.out.String(), 8000))
		return -1
	}
}

// Ready asks /readyz; the text says what is not ready.
func (s *System) Ready() (bool, string) {
	resp, err := client.Get(s.URL + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp.StatusCode == http.StatusOK, b.String()
}

// AwaitReady waits until /readyz says so.
func (s *System) AwaitReady(want bool, limit time.Duration) {
	s.t.Helper()
	var said string
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		var ready bool
		if ready, said = s.Ready(); ready == want {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	s.t.Fatalf("/readyz did not become %t within %s: %s", want, limit, said)
}

// Metric sums a metric over its labels; those given must be in the line.
func (s *System) Metric(name string, labels ...string) float64 {
	s.t.Helper()
	code, text := s.Get("/metrics")
	if code != http.StatusOK {
		s.t.Fatalf("/metrics: %d", code)
	}
	sum, found := 0.0, false
lines:
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || !strings.HasPrefix(rest, "{") && !strings.HasPrefix(rest, " ") {
			continue
		}
		found = true
		for _, l := range labels {
			if !strings.Contains(rest, l) {
				continue lines
			}
		}
		fields := strings.Fields(rest)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			s.t.Fatalf("/metrics: %q: %v", line, err)
		}
		sum += v
	}
	if !found {
		s.t.Fatalf("/metrics has no %s", name)
	}
	return sum
}

// AwaitNoCalls waits until neither the gauge of calls nor Asterisk knows of any.
func (s *System) AwaitNoCalls(a ARI) {
	s.t.Helper()
	a.AwaitEmpty(s.t)
	Await(s.t, "no calls in c3i_calls", 10*time.Second, func() bool { return s.Metric("c3i_calls") == 0 })
}
