package asterisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startLimit is how long Asterisk may take to answer ARI; it takes about a second.
const startLimit = 30 * time.Second

// Process is an Asterisk that [Start] started. Its methods are safe for concurrent use.
type Process struct {
	settings Settings
	version  Version
	cmd      *exec.Cmd
	output   *tail
	done     chan struct{}
	exit     error // set before done is closed

	stopping sync.Once
	stopped  chan struct{} // closed when Stop was asked for
}

// Start renders s and runs program in the foreground with it, in a process group of its own, so that a terminal's
// Ctrl-C reaches C3i alone. It returns when ARI answers. s.Dir must be set; a port 0 becomes a free one
// ([Process.Settings] says which). Cancelling ctx while Start waits stops Asterisk; afterwards ctx has no effect.
//
// Errors say what to do: a [*TooOldError], a [*PortTakenError], a [*StillRunningError], an [*InvalidError], or one
// that ends with the last lines of Asterisk's own log.
func Start(ctx context.Context, program string, s Settings) (*Process, error) {
	if s.Dir == "" {
		return nil, &InvalidError{Field: "Dir", Reason: "must be set"}
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding Asterisk's folder: %w", err)
	}
	s.Dir = dir
	o, err := ownerFor(s.RunUser)
	if err != nil {
		return nil, err
	}
	s.RunUser = o.name
	version, err := o.version(ctx, program)
	if err != nil {
		return nil, err
	}

	locate(program, &s.Dirs)
	s = s.withDefaults()
	p := &Process{version: version, done: make(chan struct{}), stopped: make(chan struct{}), output: &tail{}}
	if err := chooseRun(&s); err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			s.removeTempRun()
		}
	}()
	if err := findRunning(s.Dirs); err != nil {
		return nil, err
	}
	if err := claimPorts(ctx, &s); err != nil {
		return nil, err
	}
	s.MaxFiles = fileLimit()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := Render(s.Dirs.Etc, s); err != nil {
		return nil, err
	}
	for _, dir := range []string{s.Dirs.Lib, s.Dirs.Cache, s.Dirs.Spool, s.Dirs.Run, s.Dirs.Log} {
		if err := o.mkdirOwn(dir); err != nil {
			return nil, err
		}
		if err := o.reach(ctx, dir); err != nil {
			return nil, err
		}
	}
	if err := o.reach(ctx, s.Dirs.Etc); err != nil {
		return nil, err
	}

	p.settings = s
	if err := p.rotateLog(); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(program, "-f", "-C", filepath.Join(s.Dirs.Etc, "asterisk.conf")) // not CommandContext: once up, it outlives ctx
	p.cmd.Dir = s.Dirs.Run
	p.cmd.Env = environment(s.Dirs.Lib)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = 2 * time.Second
	o.apply(p.cmd)
	if s.EndWithParent {
		p.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting Asterisk (%s): %w", program, err)
	}
	started = true
	go p.wait()
	if err := p.awaitReady(ctx); err != nil {
		p.kill()
		<-p.done
		return nil, err
	}
	return p, nil
}

// environment is what Asterisk sees: nothing of C3i's own, which may hold secrets.
func environment(home string) []string {
	env := []string{"HOME=" + home, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	for _, key := range []string{"TZ", "TMPDIR"} {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	return env
}

// chooseRun moves the run folder to a short temporary one when the path of the control socket in it would not fit
// the 107 bytes a socket's path may have.
func chooseRun(s *Settings) error {
	const longest = 107 - len("/asterisk.ctl")
	if len(s.Dirs.Run) <= longest {
		return nil
	}
	dir, err := os.MkdirTemp("", "c3i-asterisk-")
	if err == nil && len(dir) > longest {
		err = errors.Join(fmt.Errorf("%s is too long for a socket's path: set TMPDIR to a shorter one", dir), os.Remove(dir))
	}
	if err != nil {
		return fmt.Errorf("making a short run folder for Asterisk: %w", err)
	}
	s.Dirs.Run, s.tempRun = dir, dir
	return nil
}

func (s Settings) removeTempRun() {
	if s.tempRun != "" {
		_ = os.RemoveAll(s.tempRun) // in the system's temporary folder; nothing depends on it
	}
}

func fileLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Max, 65536))
}

func (p *Process) wait() {
	p.exit = p.cmd.Wait()
	p.settings.removeTempRun()
	close(p.done)
}

// rotateLog puts the last run's log aside, so that what is in the log is this run's.
func (p *Process) rotateLog() error {
	err := os.Rename(p.LogPath(), p.LogPath()+".old")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("putting Asterisk's last log aside: %w", err)
	}
	return nil
}

func (p *Process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	// A client of its own: another's settings of the default transport must not matter here.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if last = p.ping(ctx, client); last == nil {
			return nil
		}
		// Asterisk then neither goes on nor ends.
		if missing := p.missingModules(); missing != "" {
			return fmt.Errorf("starting Asterisk: it lacks modules C3i needs: %s", missing)
		}
		select {
		case <-p.done:
			return fmt.Errorf("starting Asterisk: it ended at once (%w)%s", p.exitError(), p.tail())
		case <-ctx.Done():
			return fmt.Errorf("starting Asterisk: ARI did not answer (%w): %w%s", last, context.Cause(ctx), p.tail())
		case <-tick.C:
		}
	}
}

var requiredModule = regexp.MustCompile(`Failed to load module (\S+)\.so - Required`)

func (p *Process) missingModules() string {
	data, err := os.ReadFile(p.LogPath())
	if err != nil {
		return ""
	}
	var names []string
	for _, m := range requiredModule.FindAllSubmatch(data, -1) {
		names = append(names, string(m[1]))
	}
	return strings.Join(names, ", ")
}

func (p *Process) ping(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+"/asterisk/ping", nil)
	if err != nil {
		return fmt.Errorf("asking ARI: %w", err)
	}
	req.SetBasicAuth(p.settings.ARIUser, p.settings.ARIPassword)
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking ARI: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if err := resp.Body.Close(); err != nil {
		return fmt.Errorf("asking ARI: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ARI answered %s", resp.Status)
	}
	return nil
}

// Settings returns what Asterisk runs with, defaults and chosen ports filled in.
func (p *Process) Settings() Settings { return p.settings }

// Version returns what the program said of itself.
func (p *Process) Version() Version { return p.version }

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// URL returns ARI's address, without a slash at the end: http://127.0.0.1:8088/ari.
func (p *Process) URL() string { return "http://" + p.HTTPAddress() + "/ari" }

// HTTPAddress returns host:port of ARI, and of SIP over websocket at path /ws.
func (p *Process) HTTPAddress() string {
	return net.JoinHostPort(dialable(p.settings.HTTPBind), strconv.Itoa(p.settings.HTTPPort))
}

// SIPAddress returns host:port of SIP over UDP and TCP.
func (p *Process) SIPAddress() string {
	return net.JoinHostPort(dialable(p.settings.SIPBind), strconv.Itoa(p.settings.SIPPort))
}

// LogPath returns the file Asterisk writes warnings and errors to.
func (p *Process) LogPath() string { return filepath.Join(p.settings.Dirs.Log, "messages.log") }

// Done is closed when Asterisk has ended, asked or not; Err then says how.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is nil while Asterisk runs and after a Stop that was obeyed; else it says how it ended, with the last lines
// of its log.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	select {
	case <-p.stopped:
		if p.cmd.ProcessState != nil && p.cmd.ProcessState.Exited() {
			return nil
		}
	default:
	}
	return fmt.Errorf("Asterisk ended unexpectedly (%w)%s", p.exitError(), p.tail())
}

func (p *Process) exitError() error {
	if p.exit == nil {
		return errors.New("exit status 0")
	}
	return p.exit
}

// Stop asks Asterisk to end, which hangs up every call, and waits. When ctx ends first it is killed and the error says so.
// Stopping one that has ended already is no error.
func (p *Process) Stop(ctx context.Context) error {
	p.stopping.Do(func() {
		close(p.stopped)
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	})
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.kill()
		<-p.done
		return fmt.Errorf("stopping Asterisk: it did not end in time and was killed: %w", context.Cause(ctx))
	}
}

func (p *Process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
}

// tail is the end of what Asterisk printed and logged.
func (p *Process) tail() string {
	text := p.output.String()
	if data, err := os.ReadFile(p.LogPath()); err == nil {
		text += "\n" + string(data)
	}
	return tailOf(text)
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - most; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(bytes.TrimSpace(t.buf)), "")
}

// dialable turns "every address" into one that can be dialled.
func dialable(host string) string {
	switch host {
	case "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}
