package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"example.org/c3i/configs/asterisk"
	"example.org/c3i/e2e/sipphone"
)

// Numbers that can be rung, each leading to one system.
const (
	numberC3i      = "101"
	numberBare     = "102"
	numberQueue    = "103" // app_queue over all phones
	numberFewQueue = "104" // app_queue over the backlog's phones
)

const bareApp = "bare"

// rig is what all systems share: one Asterisk, the handlers' phones and the
// callers.
type rig struct {
	dir      string
	asterisk *asterisk.Process
	handlers *sipphone.Phone
	callers  *sipphone.Phone
	current  atomic.Pointer[trial]
}

// phoneName is the n-th handler's phone and the handler's sign-on name.
func phoneName(n int) string { return fmt.Sprintf("h%04d", n) }

func dialStrings(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "PJSIP/" + phoneName(i)
	}
	return out
}

// newRig starts Asterisk with phones that need not register, and with the two
// queues of app_queue.
func newRig(ctx context.Context, dir string, handlers, few int) (_ *rig, err error) {
	r := &rig{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	r.handlers, err = sipphone.Listen(ctx, sipphone.Options{NoMedia: true, OnInvite: r.invited})
	if err != nil {
		return nil, err
	}
	if r.callers, err = sipphone.Listen(ctx, sipphone.Options{NoMedia: true}); err != nil {
		return nil, err
	}
	program, err := asterisk.FindProgram()
	if err != nil {
		return nil, err
	}
	s := asterisk.Settings{
		Dir: filepath.Join(dir, "asterisk"), ARIPassword: rand.Text(), EndWithParent: true,
		Numbers: []string{numberC3i},
		Trunks:  []asterisk.Trunk{{Name: "exchange", Match: []string{"127.0.0.1/32"}}},
		Queues: []asterisk.Queue{
			{Name: "all", Strategy: "leastrecent", Members: dialStrings(handlers)},
			{Name: "few", Strategy: "leastrecent", Members: dialStrings(few)},
		},
		Extensions: []asterisk.Extension{
			{Number: numberBare, App: bareApp}, {Number: numberQueue, Queue: "all"}, {Number: numberFewQueue, Queue: "few"},
		},
	}
	for i := range handlers {
		s.Phones = append(s.Phones, asterisk.Phone{Name: phoneName(i), Contact: r.handlers.URI(phoneName(i))})
	}
	if r.asterisk, err = asterisk.Start(ctx, program, s); err != nil {
		return nil, err
	}
	return r, r.answerAtOnce(ctx, program, numberQueue, numberFewQueue)
}

// answerAtOnce makes the dialplan answer queues' callers without waiting for
// their speech. Answer() waits up to half a second for it, and the benchmark's
// callers send none: left alone, that would count against app_queue.
func (r *rig) answerAtOnce(ctx context.Context, program string, numbers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, n := range numbers {
		command := "dialplan add extension " + n + ",1,Answer(0,i) into from-trunk replace"
		cmd := exec.CommandContext(ctx, program, "-C", filepath.Join(r.asterisk.Settings().Dirs.Etc, "asterisk.conf"), "-rx", command)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Answer(0,i)") {
			return fmt.Errorf("change how Asterisk answers %s: %w: %s", n, err, out)
		}
	}
	return nil
}

// invited hands a ringing phone to the trial that runs.
func (r *rig) invited(ctx context.Context, in *sipphone.IncomingCall) {
	if t := r.current.Load(); t != nil {
		t.invited(ctx, in)
		return
	}
	_ = in.Reject(480) // nobody is being measured
}

func (r *rig) uri(number string) string { return "sip:" + number + "@" + r.asterisk.SIPAddress() }

// settle waits until no call is left, so that one trial does not burden the next.
func (r *rig) settle(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for quiet := 0; quiet < 10; quiet++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline:
			return fmt.Errorf("calls do not end: %d callers and %d handlers are still in one", r.callers.Calls(), r.handlers.Calls())
		case <-tick.C:
		}
		if r.callers.Calls()+r.handlers.Calls() > 0 {
			quiet = 0
		}
	}
	return nil
}

func (r *rig) close() error {
	var errs []error
	for _, p := range []*sipphone.Phone{r.callers, r.handlers} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if r.asterisk != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		errs = append(errs, r.asterisk.Stop(ctx))
	}
	return errors.Join(errs...)
}

// redisServer is a private Redis with the settings `c3i up` gives its own.
type redisServer struct {
	socket string
	cmd    *exec.Cmd
	client *redis.Client
}

func startRedis(ctx context.Context, dir string) (*redisServer, error) {
	dir = filepath.Join(dir, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	program := os.Getenv("C3I_REDIS_PROGRAM")
	if program == "" {
		program = "redis-server"
	}
	s := &redisServer{socket: filepath.Join(dir, "s")}
	s.cmd = exec.Command(program, "--port", "0", "--unixsocket", s.socket, "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec", "--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "128", "--maxmemory-policy", "noeviction",
		"--daemonize", "no", "--logfile", filepath.Join(dir, "log"))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (scripts/setup says where to get it): %w", program, err)
	}
	s.client = clientOf(s.socket)
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.client.Ping(waiting).Err()
		if err == nil {
			return s, nil
		}
		select {
		case <-tick.C:
		case <-waiting.Done():
			return nil, errors.Join(fmt.Errorf("redis-server does not answer: %w", err), s.stop())
		}
	}
}

func clientOf(socket string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: socket, Protocol: 3, DisableIdentity: true, PoolSize: 64,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

func (s *redisServer) pid() int { return s.cmd.Process.Pid }

func (s *redisServer) stop() error {
	_ = s.client.Close()
	return stopChild(s.cmd, syscall.SIGTERM, 20*time.Second)
}

// stopChild asks a child to end, and makes it end after the time given.
func stopChild(cmd *exec.Cmd, sig os.Signal, within time.Duration) error {
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	killed := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !killed.Stop() {
		return fmt.Errorf("%s did not end within %s and was killed", filepath.Base(cmd.Path), within)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, is := exit.Sys().(syscall.WaitStatus); is && status.Signal() == sig {
			return nil // as it was told
		}
	}
	return err
}

// temporary makes the folder everything is written to. Asterisk may run as
// another user and must be able to enter it.
func temporary() (string, error) {
	dir, err := os.MkdirTemp("", "c3i-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// tailOf is the end of a file, for an error message.
func tailOf(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		return err.Error()
	}
	const most = 3000
	return string(b[max(0, len(b)-most):])
}
