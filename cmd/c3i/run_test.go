package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.org/c3i/configs"
	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing/live"
	"example.org/c3i/telephony"
)

func readRun(t *testing.T, data string) runFile {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r runFile
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func get(t *testing.T, url string) (string, int) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp.StatusCode
}

// stopped interrupts c3i and checks that it leaves nothing behind.
func stopped(t *testing.T, p *program, data string) {
	t.Helper()
	p.interrupt()
	if code := p.exit(); code != exitOK {
		t.Errorf("exit code %d: %s", code, p.err)
	}
	if left := running(t, data); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
	if _, err := os.Stat(filepath.Join(data, "run.json")); err == nil {
		t.Error("run.json is still there")
	}
}

func TestUpFromStartToEnd(t *testing.T) {
	data := newFolder(t)
	p := up(t, data, "--log.format", "json")
	r := readRun(t, data)
	if r.PID != p.cmd.Process.Pid || r.SIP == "" {
		t.Errorf("run.json: %+v", r)
	}
	if body, code := get(t, r.HTTP+"/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if body, code := get(t, r.HTTP+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d %s", code, body)
	}
	want := regexp.MustCompile(`(?s)^\nC3i is ready\.\n\n  Desk           http://127\.0\.0\.1:\d+/desk\n  Ring 101       http://127\.0\.0\.1:\d+/call\n` +
		`  Report, track  http://127\.0\.0\.1:\d+/report, http://127\.0\.0\.1:\d+/track\n` +
		`  SIP trunk      sip:101@127\.0\.0\.1:\d+\n  Mail in        smtp://127\.0\.0\.1:\d+ for 101@police\.example\.org\n  Mail out       kept in \S+: no smart host is configured \(mail\.routes\)\n  Data           \S+\n\nFirst sign-ons, .*\n\n` +
		`  manager    \w{4}-\w{4}-\w{4}  Centre manager\n  handler1   \w{4}-\w{4}-\w{4}  Handler 1, profile crime-desk\n.*\nCtrl-C stops it\.\n$`)
	if !want.MatchString(p.out.String()) {
		t.Errorf("announced %q", p.out)
	}

	t.Run("every metric is explained", func(t *testing.T) {
		body, _ := get(t, r.HTTP+"/metrics")
		var names []string
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (c3i_\w+) `).FindAllStringSubmatch(body, -1) {
			names = append(names, m[1])
		}
		if len(names) < 20 {
			t.Fatalf("only %d metrics", len(names))
		}
		doc := manual(t)
		for _, other := range []string{"mail.md", "web.md"} { // as operations.md says
			b, err := os.ReadFile(filepath.Join("..", "..", "docs", other))
			if err != nil {
				t.Fatal(err)
			}
			doc += string(b)
		}
		for _, name := range names {
			if !strings.Contains(doc, "`"+name+"`") {
				t.Errorf("docs/operations.md and what it refers to do not explain %s", name)
			}
		}
	})
	t.Run("a second one on the same folder", func(t *testing.T) {
		second := command(t, upArgs(data)...).begin()
		if code := second.exit(); code != exitFailed {
			t.Errorf("exit code %d", code)
		}
		said := complaint(second.err.String())
		if !regexp.MustCompile(`^c3i: data_dir: another c3i \(process \d+\) uses \S+: stop it, or give this one a folder of its own with --data_dir\n$`).MatchString(said) {
			t.Errorf("said %q", said)
		}
		if body, code := get(t, r.HTTP+"/readyz"); code != http.StatusOK {
			t.Errorf("/readyz: %d %s", code, body)
		}
	})
	t.Run("users while it runs", func(t *testing.T) { checkUsers(t, data, "h4") })
	t.Run("replay while it runs", func(t *testing.T) {
		out, errOut, code := call(t, "replay", "--data_dir", data)
		if code != exitOK || !strings.Contains(out, "the journal gives the same state") {
			t.Errorf("code %d: %s%s", code, out, errOut)
		}
	})
	stopped(t, p, data)
	for line := range strings.Lines(p.err.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	t.Run("users while it does not", func(t *testing.T) { checkUsers(t, data, "h5") })
	t.Run("replay while it does not", func(t *testing.T) {
		out, errOut, code := call(t, "replay", "--data_dir", data, "--json")
		if code != exitOK || !json.Valid([]byte(out)) {
			t.Errorf("code %d: %s%s", code, out, errOut)
		}
	})
	if left := running(t, data); len(left) > 0 {
		t.Errorf("commands left running: %v", left)
	}
}

// checkUsers adds, changes and lists a user on the folder.
func checkUsers(t *testing.T, data, name string) {
	t.Helper()
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"add", name, "--profile", "nobodys"}, 2, `^c3i: --profile: the plan in force has no profile "nobodys"; it has crime-desk, crime-desk-polish or enquiries-bengali\n$`},
		{[]string{"add", name, "--profile", "crime-desk"}, 0, `^` + name + ` may sign on with the one-time password \w{4}-\w{4}-\w{4}\n$`},
		{[]string{"add", name, "--profile", "crime-desk"}, 1, `^c3i: there is a user ` + name + ` already: `},
		{[]string{"disable", name}, 0, name + `: disabled`},
		{[]string{"list"}, 0, `(?m)^` + name + ` .* disabled$`},
		{[]string{"enable", name}, 0, name + `: enabled`},
		{[]string{"reset", name}, 0, name + ` may sign on with the one-time password`},
		{[]string{"reset", "nobodyatall"}, 1, `^c3i: there is no user "nobodyatall"`},
	} {
		out, errOut, code := call(t, append(append([]string{"user"}, tc.args...), "--data_dir", data)...)
		if code != tc.code || !regexp.MustCompile(tc.want).MatchString(out+errOut) {
			t.Errorf("user %v: code %d, %q %q", tc.args, code, out, errOut)
		}
	}
}

func TestInterruptedWhileItStarts(t *testing.T) {
	for name, tc := range map[string]struct {
		folder func(*testing.T) string
		at     string
	}{
		"while prompts are spoken": {func(t *testing.T) string { return filepath.Join(bareFolder(t), "data") }, "speaking the prompts, once"},
		"while Redis starts":       {newFolder, "starting Redis"},
		"while Asterisk starts":    {newFolder, "starting Asterisk"},
		"while routing starts":     {newFolder, "ARI event socket is up"},
	} {
		t.Run(name, func(t *testing.T) {
			data := tc.folder(t)
			p := command(t, upArgs(data)...).begin()
			p.await(p.err, tc.at)
			p.interrupt()
			if code := p.exit(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
			if p.out.String() != "Stopped before C3i was ready; nothing is left running.\n" && !strings.Contains(p.out.String(), "C3i is ready.") {
				t.Errorf("printed %q", p.out)
			}
			if said := complaint(p.err.String()); said != "" || strings.Contains(p.err.String(), "context canceled") {
				t.Errorf("said %q", p.err)
			}
			if strings.Contains(p.err.String(), "\x1b") {
				t.Errorf("coloured though no terminal reads it: %q", p.err)
			}
			if left := running(t, data); len(left) > 0 {
				t.Errorf("left running: %v", left)
			}
		})
	}
}

func TestAPlanGivenIsPublishedAndABrokenOneNever(t *testing.T) {
	src, err := configs.Files.ReadFile("plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := script(t, "")
	write := func(from, to string) {
		if err := os.WriteFile(file, []byte(strings.Replace(string(src), from, to, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data := newFolder(t)
	start := func(said string, args ...string) {
		t.Helper()
		p := up(t, data, append(args, "--log.format", "json")...)
		if !strings.Contains(regexp.MustCompile(`"time":"[^"]*",`).ReplaceAllString(p.err.String(), ""), said) {
			t.Errorf("did not log %s:\n%s", said, p.err)
		}
		stopped(t, p, data)
	}
	write("label: Report a crime", "label: First plan")
	start(`"version":1,"file":"`+file+`","message":"plan published"`, "--plan", file)
	start(`"version":1,"message":"the plan in force stays"`, "--plan", file)
	write("label: Report a crime", "label: Second plan")
	start(`"version":2,"file":"`+file+`","message":"plan published"`, "--plan", file)

	write("queue: crime", "queue: crimes")
	p := command(t, upArgs(data, "--plan", file)...).begin()
	if code := p.exit(); code != exitUsage || !regexp.MustCompile(regexp.QuoteMeta(file)+`:\d+:\d+: error: rules\[1\].queue: queue "crimes" is not known`).MatchString(p.err.String()) {
		t.Errorf("code %d: %s", code, p.err)
	}
	start(`"version":2,"message":"the plan in force stays"`)
}

func TestAKilledOnesProgramsAreEnded(t *testing.T) {
	data := newFolder(t)
	p := up(t, data)
	before := running(t, data)
	delete(before, p.cmd.Process.Pid)
	if len(before) < 2 {
		t.Fatalf("children: %v", before)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.exit()
	for pid := range before {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("process %d did not outlive c3i: %v", pid, err)
		}
	}
	p = up(t, data)
	if !strings.Contains(p.err.String(), "ending the Asterisk that an earlier c3i left behind") {
		t.Errorf("log: %s", p.err)
	}
	if strings.Contains(p.out.String(), "First sign-ons") || !strings.Contains(p.out.String(), "c3i user reset NAME") {
		t.Errorf("the record was lost: %s", p.out)
	}
	after := running(t, data)
	for pid, line := range before {
		if after[pid] == line {
			t.Errorf("still running: %s", line)
		}
	}
	stopped(t, p, data)
}

// tone is a WAV file of one second.
func tone(t *testing.T, name string) {
	t.Helper()
	const rate = 8000
	var pcm []byte
	for i := range rate {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(i)/rate))))
	}
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, uint32(36+len(pcm)))
	b = append(b, "WAVEfmt "...)
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(len(pcm)))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(b, pcm...), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRecordingsReplacePrompts(t *testing.T) {
	data := newFolder(t)
	tone(t, filepath.Join(data, "recordings", "en", "welcome.wav"))
	p := up(t, data)
	if !strings.Contains(p.err.String(), "prompts made texts=1") {
		t.Errorf("log: %s", p.err)
	}
	stopped(t, p, data)

	wrong := filepath.Join(data, "recordings", "en", "welcom.wav")
	tone(t, wrong)
	refused(t, data, command(t, upArgs(data)...), exitFailed, `^c3i: the recording `+regexp.QuoteMeta(wrong)+` replaces nothing: English has no prompt "welcom"\n$`)
}

func TestServeOnARunningRedisAndAsterisk(t *testing.T) {
	redisAddr := redistest.Start(t).Options().Addr
	a := asterisktest.Start(t, asterisk.Settings{})
	cert, key := pair(t)
	data := newFolder(t)
	args := []string{
		"serve", "--data_dir", data, "--http.listen", "127.0.0.1:0", "--mail.smtp_listen", "127.0.0.1:0", "--redis.addrs", redisAddr,
		"--asterisk.url", "http://" + a.HTTPAddress(), "--asterisk.ari_password", a.Settings().ARIPassword,
		"--http.tls_cert", cert, "--http.tls_key", key, "--log.format", "json",
	}
	p := command(t, args...).begin()
	p.await(p.out, "Ctrl-C stops it.")
	r := readRun(t, data)
	if !strings.HasPrefix(r.HTTP, "https://") || r.SIP != "" {
		t.Errorf("run.json: %+v", r)
	}
	if body, code := get(t, r.HTTP+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d %s", code, body)
	}
	// A browser that speaks no TLS makes the server log: JSON as well.
	if _, code := get(t, "http"+strings.TrimPrefix(r.HTTP, "https")); code != http.StatusBadRequest {
		t.Errorf("plain HTTP: %d", code)
	}
	out, errOut, code := call(t, "user", "list", "--redis.addrs", redisAddr)
	if code != exitOK || !strings.Contains(out, "handler1") {
		t.Errorf("user list: %d %s %s", code, out, errOut)
	}
	stopped(t, p, data)
	for line := range strings.Lines(p.err.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	select {
	case <-a.Done():
		t.Error("the Asterisk that was there before was stopped")
	default:
	}
}

// manual is the operations manual.
func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestManualListsEverySetting(t *testing.T) {
	_, doc, _ := strings.Cut(manual(t), "\n## Settings\n")
	doc, _, _ = strings.Cut(doc, "\n## ")
	var rows, keys []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|").FindAllStringSubmatch(doc, -1) {
		rows = append(rows, m[1])
	}
	for _, k := range configs.Keys() {
		keys = append(keys, k.Name)
		row := "| `" + k.Name + "` | " + defaultText(k) + " | " + k.Usage + " |"
		if !strings.Contains(doc, row+"\n") {
			t.Errorf("docs/operations.md lacks the row\n%s", row)
		}
	}
	for _, r := range rows {
		if !slices.Contains(keys, r) {
			t.Errorf("docs/operations.md has a setting %s that there is not", r)
		}
	}
}

// collected keeps what is registered with it.
type collected struct {
	prometheus.Registerer
	all []prometheus.Collector
}

func (c *collected) Register(m prometheus.Collector) error {
	c.all = append(c.all, m)
	return nil
}

func (c *collected) MustRegister(m ...prometheus.Collector) { c.all = append(c.all, m...) }

// TestManualListsEveryMetric includes those that have no value yet, which /metrics
// does not show.
func TestManualListsEveryMetric(t *testing.T) {
	var reg collected
	live.NewMetrics(&reg)
	telephony.NewMetrics(&reg)
	boundConnections(nil, configs.Defaults(), &reg)
	names := map[string]bool{}
	for _, m := range reg.all {
		descs := make(chan *prometheus.Desc, 16)
		m.Describe(descs)
		close(descs)
		for d := range descs {
			names[regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]] = true
		}
	}
	// The desk registers its own as it is made, which needs all of a desk.
	src, err := os.ReadFile(filepath.Join("..", "..", "agentdesk", "metrics.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`Name: "(c3i_\w+)"`).FindAllStringSubmatch(string(src), -1) {
		names[m[1]] = true
	}
	doc := manual(t)
	for name := range names {
		if !strings.Contains(doc, "\n| `"+name+"` | ") {
			t.Errorf("docs/operations.md does not explain %s", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(c3i_\\w+)` \\|").FindAllStringSubmatch(doc, -1) {
		if !names[m[1]] {
			t.Errorf("docs/operations.md explains %s, which there is not", m[1])
		}
	}
}

func TestManualIsNotAheadOfTheProgram(t *testing.T) {
	for _, m := range regexp.MustCompile("`c3i ([a-z]+)").FindAllStringSubmatch(manual(t), -1) {
		if cmd, _, err := newRoot().Find([]string{m[1]}); err != nil || cmd.Name() != m[1] {
			t.Errorf("docs/operations.md names c3i %s, which is no command", m[1])
		}
	}
	var out strings.Builder
	if code := run(context.Background(), []string{"check", "--config", "../../configs/c3i.yaml"}, nil, &out, &out); code != exitOK {
		t.Errorf("the shipped settings: %s", &out)
	}
}
