// Package harness runs the built c3i with its own Redis, Asterisk and browser
// for end-to-end tests. Nothing in it stands in for a real part.
package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// System is a running `c3i up`.
type System struct {
	// URL is the desk's address; SIP the trunk's, SMTP and LMTP the receivers'
	// host:port.
	URL, SIP, SMTP, LMTP string
	// Dir is the data folder.
	Dir string
	// Passwords are those of the first sign-ons, by user.
	Passwords map[string]string

	redisOnce sync.Once
	redis     *redis.Client

	t    testing.TB
	args []string
	race bool
	cmd  *exec.Cmd
	out  *buffer
	done chan struct{}
}

// builds are the programs built so far, by whether they have the race detector.
var builds = map[bool]func() (string, error){false: sync.OnceValues(func() (string, error) { return build(false) }), true: sync.OnceValues(func() (string, error) { return build(true) })}

var buildDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "c3i-e2e-") })

func build(race bool) (string, error) {
	dir, err := buildDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, fmt.Sprintf("c3i-%t", race))
	cmd := exec.Command("go", "build", fmt.Sprintf("-race=%t", race), "-o", program, "./cmd/c3i")
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build c3i: %w\n%s", err, out)
	}
	return program, nil
}

// Program builds c3i once per test process and returns its path. With the race
// detector any race turns into a failing exit code.
func Program(t testing.TB, race bool) string {
	t.Helper()
	program, err := builds[race]()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// Root is the checkout's top folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// RemovePrograms removes what Program built; call it when all tests have ended.
func RemovePrograms() {
	if dir, err := buildDir(); err == nil {
		_ = os.RemoveAll(dir)
	}
}

// Options change what Start runs.
type Options struct {
	// Config is added to the settings file (YAML).
	Config string
	// Args are added to the command line.
	Args []string
	// Race runs a program built with the race detector; it is several times slower.
	Race bool
}

// Start runs `c3i up` on free ports and a folder of its own, and returns when it
// is ready. It is stopped with the test, and a test whose c3i does not stop
// cleanly fails, as does one whose ledger is not even: arrivals are endings and
// open contacts.
func Start(t testing.TB, o Options) *System {
	t.Helper()
	// Short, because sockets lie below it.
	dir, err := os.MkdirTemp("", "c3i-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Asterisk's own user passes through
		t.Fatal(err)
	}
	s := &System{t: t, Dir: filepath.Join(dir, "data"), race: o.Race}
	file := filepath.Join(dir, "c3i.yaml")
	if err := os.WriteFile(file, []byte(o.Config), 0o600); err != nil {
		t.Fatal(err)
	}
	base := 20000 + 400*(os.Getpid()%80)
	s.args = append([]string{
		"up", "--config", file, "--data_dir", s.Dir, "--http.listen", "127.0.0.1:0",
		"--asterisk.http_listen", "127.0.0.1:0", "--asterisk.sip_listen", "127.0.0.1:0", "--mail.smtp_listen", "127.0.0.1:0",
		"--asterisk.rtp_start", fmt.Sprint(base), "--asterisk.rtp_end", fmt.Sprint(base + 399),
		"--telephony.drain", "3s",
	}, o.Args...)
	t.Cleanup(func() {
		s.checkLedger()
		s.Stop()
		if t.Failed() {
			s.keepLogs()
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's folder: %v", err)
		}
	})
	s.borrowSound()
	s.Restart()
	s.lendSound()
	return s
}

// borrowSound gives the data folder the prompts that an earlier system of this
// process has spoken: speaking them takes far longer than all else of a start.
func (s *System) borrowSound() {
	s.t.Helper()
	from := filepath.Join(soundDir(s.t), "sound")
	if _, err := os.Stat(from); err != nil {
		return // the first speaks them
	}
	if err := os.CopyFS(filepath.Join(s.Dir, "sound"), os.DirFS(from)); err != nil {
		s.t.Fatal(err)
	}
}

// lendSound keeps the prompts for the systems that follow.
func (s *System) lendSound() {
	s.t.Helper()
	soundOnce.Do(func() {
		dir := soundDir(s.t)
		err := os.CopyFS(filepath.Join(dir, "copying"), os.DirFS(filepath.Join(s.Dir, "sound")))
		if err == nil {
			err = os.Rename(filepath.Join(dir, "copying"), filepath.Join(dir, "sound"))
		}
		if err != nil {
			s.t.Fatal(err)
		}
	})
}

var soundOnce sync.Once

func soundDir(t testing.TB) string {
	t.Helper()
	dir, err := buildDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Restart starts c3i again after Stop or Kill, on the same data.
func (s *System) Restart() {
	s.t.Helper()
	s.out = &buffer{}
	s.cmd = exec.Command(Program(s.t, s.race), s.args...)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, done := s.cmd, make(chan struct{})
	s.done = done
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	deadline := time.After(3 * time.Minute)
	for !strings.Contains(s.out.String(), "Ctrl-C stops it.") {
		select {
		case <-s.done:
			s.t.Fatalf("c3i up ended:\n%s", s.out)
		case <-deadline:
			s.t.Fatalf("c3i up is not ready:\n%s", s.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	b, err := os.ReadFile(filepath.Join(s.Dir, "run.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var run struct{ HTTP, SIP, SMTP, LMTP string }
	if err := json.Unmarshal(b, &run); err != nil {
		s.t.Fatal(err)
	}
	s.URL, s.SIP, s.SMTP, s.LMTP = run.HTTP, run.SIP, run.SMTP, run.LMTP
	if s.Passwords == nil {
		s.Passwords = map[string]string{}
	}
	for _, m := range regexp.MustCompile(`(?m)^  (manager|handler\d)\s+(\S+)`).FindAllStringSubmatch(s.out.String(), -1) {
		s.Passwords[m[1]] = m[2]
	}
}

// Output is what c3i has printed so far.
func (s *System) Output() string { return s.out.String() }

// Stop ends c3i as Ctrl-C does and waits.
func (s *System) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("interrupt c3i: %v", err)
	}
	select {
	case <-s.done:
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			s.t.Errorf("c3i ended with code %d:\n%s", code, tail(s.out.String(), 4000))
		}
	case <-time.After(60 * time.Second):
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-s.done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-s.done
		}
		s.t.Errorf("c3i did not stop within a minute:\n%s", tail(s.out.String(), 20000))
	}
}

// Kill ends c3i as a crash would; its Redis and Asterisk live on.
func (s *System) Kill() {
	s.t.Helper()
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Command runs another c3i command on the same data and returns what it printed.
func (s *System) Command(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Program(s.t, false), append(args, "--data_dir", s.Dir)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("c3i %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// AddUser adds a user with a password that need not be changed.
func (s *System) AddUser(name, profile, phone string) (password string) {
	s.t.Helper()
	out := s.Command("user", "add", name, "--profile", profile, "--phone", phone)
	m := regexp.MustCompile(`one-time password (\S+)`).FindStringSubmatch(out)
	if m == nil {
		s.t.Fatalf("no password in %q", out)
	}
	password = "three random words"
	s.ChangePassword(name, m[1], password)
	return password
}

// ChangePassword signs on once and replaces a one-time password.
func (s *System) ChangePassword(user, old, next string) {
	s.t.Helper()
	client := &http.Client{Jar: newJar(), Timeout: 20 * time.Second}
	s.post(client, "/api/sign-on", map[string]string{"user": user, "password": old})
	s.post(client, "/api/password", map[string]string{"current": old, "new": next})
}

func (s *System) post(client *http.Client, path string, body any) {
	s.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, s.URL+path, bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", s.URL)
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		s.t.Fatalf("POST %s: %s\n%s", path, resp.Status, text)
	}
}

// Get reads a page or an API answer.
func (s *System) Get(path string) (int, string) {
	s.t.Helper()
	resp, err := http.Get(s.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// Artefact is a path below e2e/artefacts for a picture or recording of the test.
func Artefact(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(Root(), "e2e", "artefacts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

func (s *System) keepLogs() {
	s.t.Logf("c3i printed:\n%s", tail(s.out.String(), 12000))
	if b, err := os.ReadFile(filepath.Join(s.Dir, "asterisk", "log", "messages.log")); err == nil {
		s.t.Logf("asterisk logged:\n%s", tail(string(b), 4000))
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// buffer is what a running program printed.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
