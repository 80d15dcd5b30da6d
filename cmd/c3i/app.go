package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/agentdesk"
	"example.org/c3i/agentdesk/web"
	"example.org/c3i/configs"
	"example.org/c3i/configs/asterisk"
	"example.org/c3i/contact"
	"example.org/c3i/intake/inbox"
	publicweb "example.org/c3i/intake/web"
	"example.org/c3i/ivr"
	"example.org/c3i/ivr/prompts"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/live"
	"example.org/c3i/routing/release"
	"example.org/c3i/telephony"
	"example.org/c3i/telephony/ariswitch"
)

// journalName begins the journal's keys.
const journalName = "journal"

// app is a running C3i. start makes one, stop ends it; in between wait tells
// when it must end.
type app struct {
	c   configs.Config
	log zerolog.Logger

	listener net.Listener
	children *children
	redis    redis.UniversalClient
	driver   *live.Driver
	ctl      *telephony.Controller
	sw       *ariswitch.Switch
	desk     *agentdesk.Server
	http     *http.Server
	kept     *records
	inbox    *inbox.Inbox
	post     *post
	pages    *publicweb.Server
	sip      string
	signOns  []signOn

	life    context.Context
	end     context.CancelFunc
	work    sync.WaitGroup
	failed  chan error
	undo    []func()
	release func()
}

// start starts everything in order. What can be found out beforehand is, before
// any program is started; on an error what was started is ended again.
func start(ctx context.Context, c configs.Config, log zerolog.Logger) (_ *app, err error) {
	a := &app{c: c, log: log, failed: make(chan error, 8)}
	a.life, a.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			a.end()
			for i := len(a.undo) - 1; i >= 0; i-- {
				a.undo[i]()
			}
			a.work.Wait()
		}
	}()

	text := loadContent(c)
	for _, w := range text.warnings {
		a.log.Warn().Msg(w)
	}
	if err := text.err(); err != nil {
		return nil, usageError{fmt.Errorf("C3i does not start with this configuration:\n%w", err)}
	}
	if err := checkCertificates(c); err != nil {
		return nil, err
	}
	if a.release, err = lockFolder(c.DataDir); err != nil {
		return nil, err
	}
	a.undo = append(a.undo, a.release)
	if a.listener, err = listen(c.HTTP); err != nil {
		return nil, err
	}
	a.undo = append(a.undo, func() { _ = a.listener.Close() })
	if len(c.Redis.Addrs) > 0 {
		if err := a.connectRedis(ctx, ""); err != nil {
			return nil, err
		}
	}
	if err := preflight(ctx, c); err != nil {
		return nil, err
	}
	set, err := speak(ctx, c, text.catalogue, a.log)
	if err != nil {
		return nil, err
	}

	a.children = newChildren(a.log)
	a.undo = append(a.undo, func() {
		_ = a.children.stop(context.Background())
		a.children.stopRedis(context.Background())
	})
	if a.redis == nil {
		a.log.Info().Msg("starting Redis")
		socket, err := a.children.startRedis(ctx, c)
		if err != nil {
			return nil, err
		}
		if err := a.connectRedis(ctx, socket); err != nil {
			return nil, err
		}
	}
	ari, err := a.openAsterisk(ctx, set)
	if err != nil {
		return nil, err
	}
	if err := a.wire(ctx, text, set, ari); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *app) connectRedis(ctx context.Context, socket string) error {
	a.redis = redisClient(a.c.Redis, socket)
	a.undo = append(a.undo, func() { _ = a.redis.Close() })
	return checkRedis(ctx, a.redis, a.log)
}

// recordingsDir is where a site puts recordings that replace built-in prompts.
func recordingsDir(c configs.Config) string { return filepath.Join(c.DataDir, "recordings") }

// speak makes sure that every prompt is sound.
func speak(ctx context.Context, c configs.Config, texts *ivr.Catalogue, log zerolog.Logger) (*prompts.Set, error) {
	o := prompts.Options{Dir: c.Prompts.Dir, Cache: filepath.Join(c.DataDir, "sound"), Program: c.Prompts.Espeak, Recordings: recordingsDir(c)}
	if c.Prompts.Dir == "" {
		files, err := promptFiles(c)
		if err != nil {
			return nil, err
		}
		o.Dir, o.Files = "built-in prompts", files
	}
	// Asterisk's own user reads the sound.
	if err := os.MkdirAll(o.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("data_dir: %s cannot be made: %w", o.Cache, bare(err))
	}
	if entries, err := os.ReadDir(o.Cache); err == nil && len(entries) == 0 {
		n := 0
		for _, l := range texts.Languages {
			n += len(l.Prompts)
		}
		log.Info().Int("texts", n).Int("languages", len(texts.Languages)).Msg("speaking the prompts, once")
	}
	set, err := prompts.Build(ctx, o)
	var p *prompts.Error
	if errors.As(err, &p) && p.Code == prompts.CodeNoSynthesiser {
		return nil, fmt.Errorf("prompts.espeak: the program %q does not run: install espeak-ng, or name it with --prompts.espeak", c.Prompts.Espeak)
	}
	if err != nil {
		return nil, err
	}
	if set.Rendered > 0 {
		log.Info().Int("texts", set.Rendered).Msg("prompts made")
	}
	return set, nil
}

// ariAddress is where ARI and the SIP websocket are.
type ariAddress struct{ base, user, password string }

func (a *app) openAsterisk(ctx context.Context, set *prompts.Set) (ariAddress, error) {
	c := a.c.Asterisk
	if c.URL != "" {
		return ariAddress{strings.TrimSuffix(c.URL, "/"), c.ARIUser, c.ARIPassword}, nil
	}
	password := c.ARIPassword
	if password == "" {
		var err error
		if password, err = secret(a.c.DataDir, "ari-password"); err != nil {
			return ariAddress{}, err
		}
	}
	s, err := asteriskSettings(a.c, password, func(prompt string) string {
		path, _ := set.Path(prompt, set.Catalogue.Default())
		return path
	})
	if err != nil {
		return ariAddress{}, err
	}
	a.log.Info().Msg("starting Asterisk")
	p, err := a.children.startAsterisk(ctx, c.Program, s)
	var taken *asterisk.PortTakenError // since preflight looked
	if errors.As(err, &taken) {
		return ariAddress{}, fmt.Errorf("asterisk.%s_listen: %s (%s) is taken by another program: stop it, or choose another address",
			map[bool]string{true: "sip", false: "http"}[taken.Purpose == "SIP"], taken.Address, taken.Network)
	}
	if err != nil {
		return ariAddress{}, err
	}
	a.sip = p.SIPAddress()
	return ariAddress{"http://" + p.HTTPAddress(), c.ARIUser, password}, nil
}

// wire joins the parts: routing between telephony and desks, the CRM beside both.
func (a *app) wire(ctx context.Context, text *content, set *prompts.Set, ari ariAddress) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ids := contact.NewIDs(nil)
	kept, err := openRecords(ctx, a.c, a.redis, ids, func(err error) {
		a.log.Error().Err(err).Msg("the end of the audit trail could not be marked in the data folder")
	})
	if err != nil {
		return err
	}
	a.kept = kept
	a.undo = append(a.undo, func() { _ = kept.close(context.Background()) })
	records := kept.store
	templates, err := answerTemplates(a.c.Desk)
	if err != nil {
		return err
	}
	users, err := agentdesk.NewUsers(a.redis, agentdesk.UsersOptions{})
	if err != nil {
		return err
	}
	spool := filepath.Join(a.c.DataDir, "spool")
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be written: %w", err)
	}
	a.driver, err = live.New(live.Options{
		Store:    journal.NewRedis(a.redis, journalName, journal.Retention{}),
		SpoolDir: spool, Log: a.log.With().Str("part", "routing").Logger(), Metrics: live.NewMetrics(registry),
	})
	if err != nil {
		return err
	}

	phoneMetrics := telephony.NewMetrics(registry)
	a.sw, err = ariswitch.Open(ariswitch.Options{
		URL: ari.base, Username: ari.user, Password: ari.password, App: a.c.Asterisk.App,
		Log: a.log.With().Str("part", "switch").Logger(),
	})
	if err != nil {
		return err
	}
	a.undo = append(a.undo, a.sw.Close)
	phones := newBrowserPhones(a.sw)
	archive := release.New(a.redis, archiveName, nil)
	foresee := newForeseer(&foreseer{
		state: liveState(a.driver), archive: archive, store: journal.NewRedis(a.redis, journalName, journal.Retention{}),
		answers: text.flow.Answers(), problems: a.planProblems(text), budget: forkBudget,
	})
	desk := agentdesk.Options{
		Redis: a.redis, Users: users, Router: deskRouter{a.driver}, Templates: templates,
		Plan: a.driver.Plan, Queues: queueViews(a.driver), Labels: labels(text.flow), Languages: languages(text.catalogue),
		Phones: phones, SIPPhones: a.sw, PublicPhones: publicPhones(a.c.Desk, phones), PublicNumber: a.c.Telephony.Numbers[0],
		PublicCalls: a.c.Desk.PublicCallLimit, SIPUpstream: "ws" + strings.TrimPrefix(ari.base, "http") + "/ws",
		Web: web.Handler(), Registry: registry, Log: a.log.With().Str("part", "desk").Logger(),
		TLS: a.c.HTTP.OverTLS(), Origins: a.c.HTTP.Origins, Proxies: prefixes(a.c.Web.Proxies), Times: requestTimes(a.c.HTTP),
		Plans: planDesk{archive, a.planProblems(text)}, Why: explainer(a.redis), Surges: surgeDesk{archive}, Foresee: foresee,
		SessionIdle: a.c.Desk.SessionIdle, SessionLife: a.c.Desk.SessionMax,
		Ready: []agentdesk.Check{
			{Name: "redis", Ready: func(ctx context.Context) error { return a.redis.Ping(ctx).Err() }},
			{Name: "routing", Ready: func(context.Context) error { return a.driver.Ready() }},
			{Name: "asterisk", Ready: a.switchReady},
		},
	}
	deskRecords(&desk, kept)
	copies := filepath.Join(a.c.DataDir, "inbox")
	if err := os.MkdirAll(copies, 0o700); err != nil {
		return err
	}
	a.inbox = inbox.New(inbox.Options{Redis: a.redis, Copies: copies, Log: a.log.With().Str("part", "inbox").Logger(), Metrics: inbox.NewMetrics(registry)})
	// Nothing is taken or sent before the desk stands.
	changed := func(id contact.ID) { a.desk.ContactChanged(id) }
	if a.post, err = a.openMail(ctx, records, kept.blobs, a.inbox, ids, languageCodes(text.catalogue), changed, registry); err != nil {
		return err
	}
	a.deskMail(&desk)
	a.desk, err = agentdesk.New(desk)
	if err != nil {
		return err
	}
	a.ctl, err = telephony.New(telephony.Options{
		Switch: a.sw, App: a.c.Asterisk.App, Submit: a.driver,
		Directory: directory{records}, Ledger: ivrLedger{records, time.Now}, Phones: a.desk,
		Outgoing: outgoing(a.c.Telephony), Numbers: numbers{records}, CallerNumber: a.c.Telephony.Numbers[0],
		Sessions: telephony.FlowSessions(func() *ivr.Flow { return text.flow }), Prompts: sounds(set), Endpoint: a.desk.PhoneChanged,
		NewID: func() contact.ID { return contact.ID(ids.New()) },
		Log:   a.log.With().Str("part", "telephony").Logger(), Metrics: phoneMetrics,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(a.driver.Attach("telephony", a.ctl), a.driver.Attach(deskSink, a.desk)); err != nil {
		return err
	}
	if err := a.driver.Start(ctx); err != nil {
		return err
	}
	a.undo = append(a.undo, func() { _ = a.driver.Stop(context.Background()) })
	publisher, err := a.beginPlans(ctx, archive, text)
	if err != nil {
		return err
	}
	if err := a.settleRecovered(ctx); err != nil {
		return err
	}
	if a.signOns, err = seedUsers(ctx, users, a.driver.Plan()); err != nil {
		return err
	}

	a.work.Go(func() { records.Run(a.life) })
	a.part("plans", func() error { return publisher.Run(a.life) })
	a.part("telephony", func() error { return a.ctl.Run(a.life) })
	a.part("desk", func() error { return a.desk.Run(a.life) })
	a.work.Go(func() {
		select {
		case <-a.life.Done():
		case <-a.driver.Failed():
			a.failed <- fmt.Errorf("routing: %w", a.driver.Err())
		}
	})
	if err := a.awaitSwitch(ctx); err != nil {
		return err
	}
	a.pages, err = a.openWeb(ctx, webParts{records: records, ids: ids, registry: registry, blobs: kept.blobs, inbox: a.inbox, outbox: a.post.outbox})
	if err != nil {
		return err
	}
	if _, err := a.inbox.Recover(ctx); err != nil {
		return err
	}
	workers := map[inbox.Kind]inbox.Worker{inbox.Email: a.post.worker}
	front := a.beginWeb(a.pages, workers, a.desk.Handler())
	a.beginMail()
	a.work.Go(func() { a.inbox.Run(a.life, workers) })
	a.serve(front, registry)
	return a.writeRunFile()
}

// part runs something that must not end before the process does.
func (a *app) part(name string, run func() error) {
	a.work.Go(func() {
		if err := run(); err != nil {
			a.failed <- fmt.Errorf("%s: %w", name, err)
		}
	})
}

func (a *app) switchReady(context.Context) error {
	if !a.ctl.Ready() {
		return errors.New("the event stream from Asterisk does not stand")
	}
	return nil
}

func (a *app) awaitSwitch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := a.switchReady(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("asterisk: the event stream does not stand: %w; see that ARI is enabled and asterisk.ari_user and ari_password are right", err)
		case failed := <-a.failed:
			return failed
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// settleRecovered closes the calls an earlier process left open: they are gone or
// with the dialplan. Its handlers must show a sign of life.
func (a *app) settleRecovered(ctx context.Context) error {
	var open []contact.ID
	var agents []routing.AgentChanged
	var broken []routing.Event
	err := a.driver.View(ctx, func(e *routing.Engine) {
		open, agents = openCalls(e), e.Agents()
		broken = brokenCallbacks(e)
	})
	if err != nil {
		return err
	}
	if err := a.ctl.Settle(open); err != nil {
		return err
	}
	for _, ev := range broken {
		if err := a.driver.Submit(ctx, ev); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		a.log.Warn().Int("calls", len(open)).Msg("calls of an earlier process were closed as failed")
	}
	a.desk.Adopt(agents)
	return nil
}

// runFile is what scripts read to find a running C3i: run.json in the data folder.
type runFile struct {
	PID  int    `json:"pid"`
	HTTP string `json:"http"`
	SIP  string `json:"sip,omitempty"`
	SMTP string `json:"smtp,omitempty"`
	LMTP string `json:"lmtp,omitempty"`
}

func (a *app) writeRunFile() error {
	b, err := json.MarshalIndent(runFile{os.Getpid(), a.url(), a.sip, a.post.smtp, a.post.lmtp}, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(a.c.DataDir, "run.json")
	a.undo = append(a.undo, func() { _ = os.Remove(name) })
	return os.WriteFile(name, append(b, '\n'), 0o644)
}

func (a *app) url() string {
	return scheme(a.c.HTTP) + "://" + browserHost(a.listener.Addr().String())
}

// wait returns nil when ctx ends, or why C3i cannot go on.
func (a *app) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.failed:
		return err
	}
}

// stop drains and ends everything. It waits for live calls as long as the
// settings say, or until hurry is closed.
func (a *app) stop(ctx context.Context, hurry <-chan struct{}, out io.Writer) error {
	drain, cancel := context.WithTimeout(ctx, a.c.Telephony.Drain)
	defer cancel()
	go func() {
		select {
		case <-hurry:
			cancel()
		case <-drain.Done():
		}
	}()
	n := 0
	for _, calls := range a.ctl.Live() {
		n += calls
	}
	if n > 0 {
		fmt.Fprintf(out, "\nWaiting up to %s for %d live calls; no new ones are taken. Ctrl-C again does not wait.\n", a.c.Telephony.Drain, n)
	}
	var errs []error
	if d := a.ctl.Drain(drain); d.HandedOver+d.Talking > 0 {
		a.log.Warn().Int("handed_over", d.HandedOver).Int("talking", d.Talking).
			Msg("not every call ended: callers who waited went to the dialplan, conversations were left to Asterisk")
	}
	last, cancelLast := context.WithTimeout(ctx, 15*time.Second)
	defer cancelLast()
	a.post.close(last)
	errs = append(errs, a.desk.Close(last))
	_ = a.http.Shutdown(last)
	_ = a.http.Close()
	errs = append(errs, a.driver.Stop(last))
	a.end()
	a.sw.Close()
	a.work.Wait()
	if a.pages != nil {
		a.pages.Wait()
	}
	errs = append(errs, a.kept.close(last))
	errs = append(errs, a.children.stop(last))
	_ = a.redis.Close()
	a.children.stopRedis(last)
	_ = os.Remove(filepath.Join(a.c.DataDir, "run.json"))
	a.release()
	return errors.Join(errs...)
}
