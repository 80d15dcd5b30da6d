package asterisk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	"github.com/gorilla/websocket"

	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
)

// call sends one ARI request and decodes the answer into reply when that is not nil.
func call(t *testing.T, p *asterisk.Process, method, path string, body, reply any) (status int) {
	t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(p.Settings().ARIUser, p.Settings().ARIPassword)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if reply != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(data, reply); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, data)
		}
	}
	if resp.StatusCode >= 300 {
		t.Logf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	return resp.StatusCode
}

// until polls Asterisk, which does not tell us of dialplan steps, until ok or ten seconds have gone.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited 10 s for: %s", what)
		}
	}
}

type channel struct {
	Name     string `json:"name"`
	Dialplan struct {
		Context string `json:"context"`
		Exten   string `json:"exten"`
		App     string `json:"app_name"`
	} `json:"dialplan"`
}

// dial makes a call to exten@context whose other half waits in a queue.
func dial(t *testing.T, p *asterisk.Process, context, exten string) {
	t.Helper()
	status := call(t, p, http.MethodPost, "/channels", map[string]any{
		"endpoint": "Local/" + exten + "@" + context, "context": "from-trunk", "extension": "7000", "priority": 1, "timeout": 30,
	}, nil)
	if status != http.StatusOK {
		t.Fatalf("originate to %s@%s: status %d", exten, context, status)
	}
}

// runs lists what the second halves of Local channels, which run the dialplan under test, are doing.
func runs(t *testing.T, p *asterisk.Process) []string {
	t.Helper()
	var channels []channel
	if status := call(t, p, http.MethodGet, "/channels", nil, &channels); status != http.StatusOK {
		t.Fatalf("listing channels: status %d", status)
	}
	var doing []string
	for _, c := range channels {
		if strings.HasSuffix(c.Name, ";2") {
			doing = append(doing, c.Dialplan.Context+" "+c.Dialplan.App)
		}
	}
	return doing
}

func awaitDoing(t *testing.T, p *asterisk.Process, want string) {
	t.Helper()
	var last []string
	defer func() {
		if t.Failed() {
			t.Logf("last seen: %q", last)
		}
	}()
	until(t, want, func() bool {
		last = runs(t, p)
		return len(last) > 0 && last[0] == want
	})
}

// waiting is the extension the far end of a test call waits in.
var waiting = []asterisk.Extension{{Number: "7000", Queue: "park"}}

func TestStartsQuietlyAndStops(t *testing.T) {
	dir := asterisktest.Dir(t)
	s := valid(dir)
	s.HTTPPort, s.SIPPort = 0, 0
	s.ExternalAddress, s.LocalNets = "", nil
	s.Trunks[0].Contact, s.Trunks[0].QualifySeconds = "sip:127.0.0.1:9", 0
	s.Phones[1].Contact = "sip:desk2@127.0.0.1:9"
	p := asterisktest.Start(t, s)

	if got := p.Version().Major; got < asterisk.LeastMajor {
		t.Errorf("version %d", got)
	}
	if p.Settings().HTTPPort == 0 || p.Settings().SIPPort == 0 {
		t.Errorf("ports not chosen: %+v", p.Settings())
	}
	var endpoints []struct {
		Resource string `json:"resource"`
	}
	if status := call(t, p, http.MethodGet, "/endpoints", nil, &endpoints); status != http.StatusOK {
		t.Fatalf("listing endpoints: status %d", status)
	}
	have := map[string]bool{}
	for _, e := range endpoints {
		have[e.Resource] = true
	}
	for _, name := range []string{"exchange", "inbound", "desk1", "desk2"} {
		if !have[name] {
			t.Errorf("endpoint %s was not loaded", name)
		}
	}
	if os.Geteuid() == 0 {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^Uid:\s+0\s`).Match(status) {
			t.Error("Asterisk runs as root")
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Stop returned before the process had ended")
	}
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	if err := p.Stop(ctx); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
	log, err := os.ReadFile(p.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "WARNING") || strings.Contains(line, "ERROR") {
			t.Errorf("logged: %s", line)
		}
	}
}

func TestBrowserPhonesComeAndGo(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{})
	objects := asterisk.BrowserPhone("web-1", "pass-word", "public")
	path := func(o asterisk.Object) string {
		return "/asterisk/config/dynamic/" + o.Class + "/" + o.Type + "/" + o.ID
	}
	for range 2 { // the second time changes nothing
		for _, o := range objects {
			if status := call(t, p, http.MethodPut, path(o), map[string]any{"fields": o.Fields}, nil); status != http.StatusOK {
				t.Fatalf("putting %s: status %d", o.Type, status)
			}
		}
	}
	if status := call(t, p, http.MethodGet, "/endpoints/PJSIP/web-1", nil, nil); status != http.StatusOK {
		t.Errorf("the endpoint is not there: status %d", status)
	}
	var fields []asterisk.Field
	call(t, p, http.MethodGet, path(objects[2]), nil, &fields)
	got := map[string]string{}
	for _, f := range fields {
		got[f.Attribute] = f.Value
	}
	for attribute, want := range map[string]string{
		"media_encryption": "dtls", "ice_support": "true", "rtcp_mux": "true", "use_avpf": "true",
		"allow": "(ulaw|alaw)", "context": "public", "identify_by": "username", "allow_transfer": "false",
	} {
		if got[attribute] != want {
			t.Errorf("%s is %q, want %q", attribute, got[attribute], want)
		}
	}
	for i := len(objects) - 1; i >= 0; i-- {
		if status := call(t, p, http.MethodDelete, path(objects[i]), nil, nil); status != http.StatusNoContent {
			t.Errorf("deleting %s: status %d", objects[i].Type, status)
		}
	}
	if status := call(t, p, http.MethodGet, path(objects[2]), nil, nil); status != http.StatusNotFound {
		t.Errorf("the endpoint is still there: status %d", status)
	}
}

func TestSIPOverWebsocketIsOffered(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{})
	dialer := websocket.Dialer{Subprotocols: []string{"sip"}, HandshakeTimeout: 5 * time.Second}
	conn, resp, err := dialer.DialContext(t.Context(), "ws://"+p.HTTPAddress()+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := conn.Subprotocol(); got != "sip" {
		t.Errorf("subprotocol %q", got)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// application registers C3i's application and returns its events.
func application(t *testing.T, p *asterisk.Process) *websocket.Conn {
	t.Helper()
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(p.Settings().ARIUser, p.Settings().ARIPassword)
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+p.HTTPAddress()+"/ari/events?app=c3i", req.Header)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// arrival waits for the next call and returns its channel and the dialplan's arguments.
func arrival(t *testing.T, conn *websocket.Conn) (id, args string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		var event struct {
			Type    string   `json:"type"`
			Args    []string `json:"args"`
			Channel struct {
				ID string `json:"id"`
			} `json:"channel"`
		}
		if err := conn.ReadJSON(&event); err != nil {
			t.Fatal(err)
		}
		if event.Type == "StasisStart" {
			return event.Channel.ID, strings.Join(event.Args, ",")
		}
	}
}

func TestCallsReachTheApplication(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting})
	conn := application(t, p)
	for _, c := range []struct{ context, exten, want string }{
		{"from-trunk", "101", "inbound,dialled=101,pres="},
		{"from-trunk", "s", "inbound,dialled=,pres="},
		{"public", "101", "inbound,dialled=101,pres="},
	} {
		dial(t, p, c.context, c.exten)
		_, args := arrival(t, conn)
		if !strings.HasPrefix(args, c.want) {
			t.Errorf("%s@%s: arguments %q, want %q…", c.exten, c.context, args, c.want)
		}
		if unverified := strings.HasSuffix(args, ",unverified"); unverified != (c.context == "public") {
			t.Errorf("%s@%s: arguments %q: only a number typed on the call page is unverified", c.exten, c.context, args)
		}
	}
}

// A C3i that stops hands its live calls to the dialplan, and the next one takes them again.
func TestHandedOverCallsAreTakenAgain(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{
		Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting,
		Fallback: asterisk.Fallback{Announcement: "beep", WaitSeconds: 1},
	})
	conn := application(t, p)
	dial(t, p, "from-trunk", "101")
	id, _ := arrival(t, conn)
	status := call(t, p, http.MethodPost, "/channels/"+id+"/continue", map[string]any{"context": "c3i-fallback", "extension": "s", "priority": 1}, nil)
	if status != http.StatusNoContent {
		t.Fatalf("continue: status %d", status)
	}
	awaitDoing(t, p, "c3i-fallback MusicOnHold")
	again, args := arrival(t, conn)
	if again != id || !strings.HasPrefix(args, "inbound,fallback,dialled=101,") {
		t.Errorf("channel %s with %q, want %s with inbound,fallback,dialled=101,…", again, args, id)
	}
}

func TestNobodyElseCanBeDialled(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{
		Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting,
		Phones: []asterisk.Phone{{Name: "desk1", Password: "x"}},
	})
	for _, c := range []struct{ context, exten string }{
		{"public", "999"}, {"public", "desk1"}, {"public", "7000"}, {"handlers", "101"}, {"handlers", "999"}, {"from-trunk", "desk1"}, {"from-trunk", "999"},
	} {
		dial(t, p, c.context, c.exten)
		until(t, c.context+" "+c.exten+" to be refused", func() bool { return len(runs(t, p)) == 0 })
	}
}

// With no C3i the caller hears the announcement, music while it is tried again, the ring group, the apology, and is let go.
func TestFallback(t *testing.T) {
	phone := listen(t)
	p := asterisktest.Start(t, asterisk.Settings{
		Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting,
		Phones: []asterisk.Phone{{Name: "desk1", Contact: "sip:desk1@" + phone.LocalAddr().String()}},
		Fallback: asterisk.Fallback{
			Announcement: "beep", RetrySeconds: 1, WaitSeconds: 1, RingGroup: []string{"PJSIP/desk1"}, RingSeconds: 1, Apology: "beep",
		},
	})
	dial(t, p, "from-trunk", "101")
	awaitDoing(t, p, "c3i-say Playback")
	awaitDoing(t, p, "c3i-fallback MusicOnHold")
	awaitDoing(t, p, "c3i-fallback Dial")
	if got := request(t, phone); !strings.HasPrefix(got, "INVITE sip:desk1@"+phone.LocalAddr().String()) {
		t.Errorf("the ring group's phone got %q", got)
	}
	awaitDoing(t, p, "c3i-say Playback")
	until(t, "the call to end", func() bool { return len(runs(t, p)) == 0 })
}

func TestEmergencyIsDialledAtOnce(t *testing.T) {
	exchange := listen(t)
	p := asterisktest.Start(t, asterisk.Settings{
		Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting,
		Trunks:    []asterisk.Trunk{{Name: "exchange", Contact: "sip:" + exchange.LocalAddr().String()}},
		Emergency: asterisk.Emergency{Destination: "PJSIP/999@exchange", RingSeconds: 1, Message: "beep"},
	})
	dial(t, p, "emergency", "999")
	if got := request(t, exchange); !strings.HasPrefix(got, "INVITE sip:999@"+exchange.LocalAddr().String()) {
		t.Errorf("the exchange got %q", got)
	}
	awaitDoing(t, p, "c3i-say Playback") // nobody answered, and C3i is away
	awaitDoing(t, p, "c3i-fallback MusicOnHold")
}

func TestEmergencyWithoutDestinationSpeaks(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting})
	dial(t, p, "emergency", "112")
	awaitDoing(t, p, "c3i-say Playback")
}

func TestUnplayableSoundBecomesATone(t *testing.T) {
	p := asterisktest.Start(t, asterisk.Settings{
		Queues: []asterisk.Queue{{Name: "park"}}, Extensions: waiting,
		Emergency: asterisk.Emergency{Message: "/nowhere/to/be-found"},
	})
	dial(t, p, "emergency", "999")
	awaitDoing(t, p, "c3i-say Wait")
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	takenUDP := listen(t)
	port := func(a net.Addr) int {
		_, text, _ := net.SplitHostPort(a.String())
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	program := asterisktest.Program(t)
	for _, c := range []struct {
		name    string
		program string
		change  func(t *testing.T, s *asterisk.Settings)
		want    string
	}{
		{"no folder", program, func(_ *testing.T, s *asterisk.Settings) { s.Dir = "" }, "setting Dir must be set"},
		{"no program", "", nil, "no Asterisk program is set"},
		{"missing program", "/nowhere/asterisk", nil, "there is no Asterisk at /nowhere/asterisk: run `scripts/setup run`"},
		{"not Asterisk", "/bin/echo", nil, "/bin/echo cannot be used"},
		{"failing program", "/bin/false", nil, "asking /bin/false for its version"},
		{"too old", "old", nil, "Asterisk 20.6.0 is too old: C3i needs 22 or later"},
		{"ARI port taken", program, func(_ *testing.T, s *asterisk.Settings) { s.HTTPPort = port(taken.Addr()) }, "ARI port " + taken.Addr().String() + " (tcp) is taken"},
		{"SIP port taken", program, func(_ *testing.T, s *asterisk.Settings) { s.SIPPort = port(takenUDP.LocalAddr()) }, "SIP port " + takenUDP.LocalAddr().String() + " (udp) is taken"},
		{"missing modules", program, func(t *testing.T, s *asterisk.Settings) { s.Dirs.Modules = asterisktest.Dir(t) }, "it lacks modules C3i needs: res_"},
		{"secret", program, func(_ *testing.T, s *asterisk.Settings) { s.ARIPassword = "a;b" }, "setting ARIPassword may hold"},
		{"unknown user", program, func(_ *testing.T, s *asterisk.Settings) { s.RunUser = "no-such-user" }, "there is no user no-such-user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := asterisk.Settings{Dir: asterisktest.Dir(t), ARIPassword: "x"}
			if c.change != nil {
				c.change(t, &s)
			}
			if c.program == "old" {
				c.program = filepath.Join(s.Dir, "asterisk")
				if err := os.WriteFile(c.program, []byte("#!/bin/sh\necho Asterisk 20.6.0~dfsg-2\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			p, err := asterisk.Start(t.Context(), c.program, s)
			if err == nil {
				_ = p.Stop(t.Context())
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q in it", err, c.want)
			}
		})
	}
}

func TestStartCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("changed my mind")
	cancel(cause)
	p, err := asterisk.Start(ctx, asterisktest.Program(t), asterisk.Settings{Dir: asterisktest.Dir(t), ARIPassword: "x"})
	if err == nil {
		_ = p.Stop(t.Context())
		t.Fatal("it started")
	}
}

func TestSecondOnTheSameFolders(t *testing.T) {
	dir := asterisktest.Dir(t)
	p, err := asterisk.Start(t.Context(), asterisktest.Program(t), asterisk.Settings{Dir: dir, ARIPassword: "x", EndWithParent: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = asterisk.Start(t.Context(), asterisktest.Program(t), asterisk.Settings{Dir: dir, ARIPassword: "x"})
	var running *asterisk.StillRunningError
	if !errors.As(err, &running) {
		t.Fatalf("got %v, want a StillRunningError", err)
	}
	if running.PID != p.PID() {
		t.Errorf("process %d, want %d", running.PID, p.PID())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := running.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "ended unexpectedly") {
		t.Errorf("the first says %v, want that it ended unexpectedly", err)
	}
	again := asterisktest.Start(t, asterisk.Settings{Dir: dir}) // what the dead one left is in nobody's way
	if again.PID() == p.PID() {
		t.Error("the same process")
	}
}

func TestUnexpectedEndIsReported(t *testing.T) {
	p, err := asterisk.Start(t.Context(), asterisktest.Program(t), asterisk.Settings{Dir: asterisktest.Dir(t), ARIPassword: "x", EndWithParent: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
}

func TestLongFolderNamesStillGiveAControlSocket(t *testing.T) {
	dir := filepath.Join(asterisktest.Dir(t), strings.Repeat("long-name-", 9))
	p := asterisktest.Start(t, asterisk.Settings{Dir: dir})
	run := p.Settings().Dirs.Run
	if len(run) > 90 {
		t.Errorf("run folder %s", run)
	}
	if _, err := os.Stat(filepath.Join(run, "asterisk.ctl")); err != nil {
		t.Error(err)
	}
	gone := func() {
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(run); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary run folder is left: %v", err)
		}
	}
	gone()
	p = asterisktest.Start(t, p.Settings()) // as a supervisor does
	gone()
}

func listen(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// request returns the first line of the next SIP request.
func request(t *testing.T, conn net.PacketConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	n, _, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b[:n]), "\r\n")
	return line
}
