package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/c3i/configs"
	"example.org/c3i/configs/asterisk"
	"example.org/c3i/ivr/prompts"
)

var update = flag.Bool("update", false, "write the golden files")

// asProgram makes the test program behave as c3i.
const asProgram = "C3I_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(mainCode())
	}
	if os.Getenv(asterisk.ProgramVariable) == "" {
		if p, err := asterisk.FindProgram(); err == nil {
			_ = os.Setenv(asterisk.ProgramVariable, p)
		}
	}
	testscript.Main(cleaning{m}, map[string]func(){"c3i": func() { os.Exit(mainCode()) }})
}

// cleaning removes what the tests share when they have all run.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	code := c.M.Run()
	if dir, err := shared(); err == nil {
		_ = os.RemoveAll(dir)
	}
	return code
}

// shared holds this program where every user may run it, and the sound of the
// built-in prompts.
var shared = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "c3i-cli-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "c3i"), self, 0o755)
})

var spoken = sync.OnceValues(func() (string, error) {
	dir, err := shared()
	if err != nil {
		return "", err
	}
	files, err := fs.Sub(configs.Files, "prompts")
	if err != nil {
		return "", err
	}
	sound := filepath.Join(dir, "sound")
	_, err = prompts.Build(context.Background(), prompts.Options{Files: files, Cache: sound, Program: os.Getenv("C3I_PROMPTS_ESPEAK")})
	return sound, err
})

// newFolder makes a data folder, with the prompts spoken, that Asterisk's user can
// reach and whose path is short enough for sockets.
func newFolder(t *testing.T) string {
	t.Helper()
	sound, err := spoken()
	if err != nil {
		t.Fatal(err)
	}
	dir := bareFolder(t)
	data := filepath.Join(dir, "data")
	err = filepath.WalkDir(sound, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(data, "sound", strings.TrimPrefix(path, sound))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return os.Link(path, to)
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func bareFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c3i-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// program is a running c3i.
type program struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err *output
	done     chan struct{}
}

// output collects what a program prints.
type output struct {
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) next() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String(), o.changed
}

// command prepares c3i; the caller may change it before it is begun.
func command(t *testing.T, args ...string) *program {
	t.Helper()
	dir, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: exec.Command(filepath.Join(dir, "c3i"), args...), out: newOutput(), err: newOutput(), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p
}

func (p *program) begin() *program {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	p.t.Cleanup(func() {
		select {
		case <-p.done:
			return
		default:
		}
		_ = p.cmd.Process.Signal(syscall.SIGINT)
		p.exit()
	})
	return p
}

// exit waits until the program has ended and gives its code.
func (p *program) exit() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(90 * time.Second):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.done
		p.t.Fatalf("c3i did not end:\n%s\n%s", p.out, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// await waits for text among what the program prints.
func (p *program) await(o *output, text string) {
	p.t.Helper()
	limit := time.After(90 * time.Second)
	for {
		have, changed := o.next()
		if strings.Contains(have, text) {
			return
		}
		select {
		case <-changed:
		case <-p.done:
			if !strings.Contains(o.String(), text) {
				p.t.Fatalf("c3i ended without saying %q:\n%s\n%s", text, p.out, p.err)
			}
			return
		case <-limit:
			p.t.Fatalf("c3i did not say %q:\n%s\n%s", text, p.out, p.err)
		}
	}
}

func (p *program) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// call runs c3i to its end.
func call(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	p := command(t, args...).begin()
	code = p.exit()
	return p.out.String(), p.err.String(), code
}

// upArgs are `c3i up` on free ports.
func upArgs(data string, more ...string) []string {
	base := 30000 + 100*(os.Getpid()%20)
	return append([]string{
		"up", "--data_dir", data, "--http.listen", "127.0.0.1:0", "--asterisk.http_listen", "127.0.0.1:0", "--asterisk.sip_listen", "127.0.0.1:0", "--mail.smtp_listen", "127.0.0.1:0",
		"--asterisk.rtp_start", fmt.Sprint(base), "--asterisk.rtp_end", fmt.Sprint(base + 99), "--telephony.drain", "1s",
	}, more...)
}

func up(t *testing.T, data string, more ...string) *program {
	t.Helper()
	p := command(t, upArgs(data, more...)...).begin()
	p.await(p.out, "Ctrl-C stops it.")
	return p
}

// running lists the processes, by id, that were started with a folder.
func running(t *testing.T, folder string) map[int]string {
	t.Helper()
	found := map[int]string{}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		b, err := os.ReadFile(name)
		if err == nil && bytes.Contains(b, []byte(folder)) {
			var pid int
			if _, err := fmt.Sscanf(name, "/proc/%d/cmdline", &pid); err != nil {
				t.Fatal(err)
			}
			found[pid] = strings.ReplaceAll(string(b), "\x00", " ")
		}
	}
	return found
}
