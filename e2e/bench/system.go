package main

import (
	"bufio"
	"context"
	_ "embed" // the plan
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alexedwards/argon2id"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/deskclient"
	"example.org/c3i/configs"
	"example.org/c3i/e2e/bench/bareari"
	"example.org/c3i/routing"
)

// system is one of those compared.
type system struct {
	name string
	// controller is the process that decides, 0 when Asterisk itself does.
	controller int
	// redis is the process that keeps its data, 0 for none.
	redis int
	// target is the URI to ring.
	target string
	stop   func() error
}

//go:embed plan.yaml
var planFile []byte

const flowFile = "flows/straight-to-queue.yaml"

// c3i is the built program with every handler's desk signed on.
type c3i struct {
	system
	url      string
	smtp     string
	cmd      *exec.Cmd
	desks    []*deskclient.Desk
	sessions []*deskclient.Session
}

const password = "seven-green-bottles"

// startC3i starts the program against the rig's Asterisk and the Redis given, and
// signs handlers on through the desk's own protocol, each with their SIP phone.
func startC3i(ctx context.Context, program string, r *rig, db *redisServer, handlers int, more ...string) (_ *c3i, err error) {
	data := filepath.Join(r.dir, "c3i")
	plan, flow := filepath.Join(r.dir, "plan.yaml"), filepath.Join(r.dir, "flow.yaml")
	flowText, err := configs.Files.ReadFile(flowFile)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(plan, planFile, 0o644), os.WriteFile(flow, flowText, 0o644)); err != nil {
		return nil, err
	}
	// Checking a password is made slow on purpose; here it would only slow the start.
	users, err := agentdesk.NewUsers(db.client, agentdesk.UsersOptions{
		Params: &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	if err != nil {
		return nil, err
	}
	profiles := []string{"crime-desk", "crime-desk-polish"}
	for i := range handlers {
		_, err := users.Add(ctx, agentdesk.UserSpec{
			Name: phoneName(i), Role: agentdesk.RoleHandler, Profile: profiles[i%len(profiles)],
			Phone: "PJSIP/" + phoneName(i), Password: password,
		})
		if err != nil && !errors.Is(err, agentdesk.ErrUserExists) {
			return nil, err
		}
	}

	log, err := os.Create(filepath.Join(r.dir, "c3i.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	a := r.asterisk.Settings()
	c := &c3i{system: system{name: "C3i", redis: db.pid(), target: r.uri(numberC3i)}}
	args := append([]string{
		"serve", "--data_dir", data, "--plan", plan, "--flow", flow,
		"--http.listen", "127.0.0.1:0", "--redis.addrs", db.socket,
		"--asterisk.url", "http://" + r.asterisk.HTTPAddress(), "--asterisk.app", a.App,
		"--asterisk.ari_user", a.ARIUser, "--log.format", "json",
	}, more...)
	c.cmd = exec.Command(program, args...)
	c.cmd.Env = append(ownSettings(os.Environ()), configs.EnvPrefix+"_ASTERISK_ARI_PASSWORD="+a.ARIPassword)
	c.cmd.Stderr = log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	c.controller, c.stop = c.cmd.Process.Pid, c.close
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close(), errors.New(tailOf(log.Name())))
		}
	}()
	if err := awaitLine(ctx, out, "Ctrl-C stops it.", 60*time.Second); err != nil {
		return nil, fmt.Errorf("c3i serve is not ready: %w", err)
	}
	var run struct{ HTTP, SMTP string }
	b, err := os.ReadFile(filepath.Join(data, "run.json"))
	if err == nil {
		err = json.Unmarshal(b, &run)
	}
	if err != nil {
		return nil, fmt.Errorf("c3i serve does not say where it listens: %w", err)
	}
	c.url, c.smtp = run.HTTP, run.SMTP
	return c, c.signOn(ctx, r, handlers)
}

// ownSettings leaves out whatever would change the settings of the program that is
// measured, but for where its speaker is.
func ownSettings(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		return strings.HasPrefix(e, configs.EnvPrefix+"_") && !strings.HasPrefix(e, configs.EnvPrefix+"_PROMPTS_ESPEAK=")
	})
}

// signOn opens the handlers' desks, a few at a time, and makes them ready.
func (c *c3i) signOn(ctx context.Context, r *rig, handlers int) error {
	c.desks = make([]*deskclient.Desk, handlers)
	c.sessions = make([]*deskclient.Session, handlers)
	errs := make([]error, handlers)
	slots := make(chan struct{}, 8)
	var signing sync.WaitGroup
	for i := range handlers {
		slots <- struct{}{}
		signing.Go(func() {
			defer func() { <-slots }()
			errs[i] = func() (err error) {
				if c.sessions[i], err = deskclient.SignOn(ctx, c.url, phoneName(i), password); err != nil {
					return err
				}
				if c.desks[i], err = c.sessions[i].Open(ctx, deskclient.Options{OnDelta: r.delta}); err != nil {
					return err
				}
				return c.desks[i].Ready(ctx)
			}()
		})
	}
	signing.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sign the handlers on: %w", err)
	}
	return c.awaitReady(ctx, handlers)
}

// awaitReady waits until the first n handlers' desks say that they are ready.
func (c *c3i) awaitReady(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for i := range n {
		err := c.desks[i].Wait(ctx, func(d agentdesk.Desk) bool { return d.Me.State == routing.StateReady && len(d.Work) == 0 })
		if err != nil {
			return fmt.Errorf("handler %s is not ready: %w", phoneName(i), err)
		}
	}
	return nil
}

// staff makes the first n handlers ready and the others not.
func (c *c3i) staff(ctx context.Context, n int) error {
	for i, d := range c.desks {
		var err error
		if i < n {
			err = d.Ready(ctx)
		} else {
			err = d.NotReady(ctx, "break")
		}
		if err != nil {
			return fmt.Errorf("change the state of handler %s: %w", phoneName(i), err)
		}
	}
	return c.awaitReady(ctx, n)
}

// delta sees who is calling on a desk.
func (r *rig) delta(d agentdesk.Delta) {
	t := r.current.Load()
	if t == nil || d.Work == nil {
		return
	}
	at := time.Now()
	for _, w := range *d.Work {
		if len(w.People) > 0 && w.Caller.Number != "" {
			t.popped(w.Caller.Number, at)
		}
	}
}

// metrics saves what the program says of itself.
func (c *c3i) metrics(name string) error {
	resp, err := http.Get(c.url + "/metrics")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}

func (c *c3i) close() error {
	for _, d := range c.desks {
		if d != nil {
			d.Close()
		}
	}
	for _, s := range c.sessions {
		if s != nil {
			s.Close()
		}
	}
	return stopChild(c.cmd, os.Interrupt, 40*time.Second)
}

// startBare starts this program again as the bare controller.
func startBare(ctx context.Context, r *rig, phones int) (*system, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := r.asterisk.Settings()
	options, err := json.Marshal(bareari.Options{
		URL: r.asterisk.URL(), User: a.ARIUser, Password: a.ARIPassword, App: bareApp, Phones: dialStrings(phones),
	})
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(r.dir, "bare.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, bareCommand)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(options)), log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() error { return stopChild(cmd, os.Interrupt, 10*time.Second) }
	if err := awaitLine(ctx, out, "ready", 10*time.Second); err != nil {
		return nil, errors.Join(fmt.Errorf("the bare program is not ready: %w", err), stop(), errors.New(tailOf(log.Name())))
	}
	return &system{name: "bare ARI", controller: cmd.Process.Pid, target: r.uri(numberBare), stop: stop}, nil
}

// bareCommand makes this program the bare controller.
const bareCommand = "bare-ari"

// runBare is the bare controller's process.
func runBare() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o bareari.Options
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return fmt.Errorf("read the options: %w", err)
	}
	o.Ready = func() { fmt.Println("ready") }
	o.Fault = func(err error) { fmt.Fprintln(os.Stderr, err) }
	return bareari.Run(ctx, o)
}

// awaitLine reads a child's output until a line comes; afterwards the rest is
// thrown away, so that the child never waits for a reader.
func awaitLine(ctx context.Context, out io.Reader, line string, within time.Duration) error {
	found := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.TrimSpace(lines.Text()) == line {
				found <- nil
				_, _ = io.Copy(io.Discard, out)
				return
			}
		}
		found <- errors.Join(errors.New("it ended"), lines.Err())
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case err := <-found:
		return err
	case <-timer.C:
		return fmt.Errorf("nothing for %s", within)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
