package ariswitch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"example.org/c3i/telephony"
	"example.org/c3i/telephony/ariswitch"
)

// fakeARI is an ARI server that says what it is told to.
type fakeARI struct {
	*httptest.Server
	t       *testing.T
	sockets chan *websocket.Conn
	dials   atomic.Int32
	// deaf makes sockets that answer nothing, pings included.
	deaf  atomic.Bool
	conns atomic.Int32

	mu    sync.Mutex
	rest  http.HandlerFunc
	asked []string
}

func newFakeARI(t *testing.T) *fakeARI {
	t.Helper()
	f := &fakeARI{t: t, sockets: make(chan *websocket.Conn, 100)}
	up := websocket.Upgrader{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != "c3i" || pass != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/ari/events" {
			f.dials.Add(1)
			if r.URL.Query().Get("app") != "c3i" {
				t.Errorf("query = %s", r.URL.RawQuery)
			}
			c, err := up.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			if !f.deaf.Load() {
				go func() {
					for {
						if _, _, err := c.ReadMessage(); err != nil {
							return
						}
					}
				}()
			}
			f.sockets <- c
			return
		}
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery)
		h := f.rest
		f.mu.Unlock()
		if h != nil {
			h(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	}))
	f.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			f.conns.Add(1)
		}
	}
	f.Start()
	t.Cleanup(func() {
		for {
			select {
			case c := <-f.sockets:
				_ = c.Close()
				continue
			default:
			}
			break
		}
		f.Close()
	})
	return f
}

func (f *fakeARI) handle(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rest = h
}

func (f *fakeARI) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fakeARI) open(change func(*ariswitch.Options)) *ariswitch.Switch {
	f.t.Helper()
	o := ariswitch.Options{
		URL: f.URL, App: "c3i", Username: "c3i", Password: "secret", Log: zerolog.Nop(),
		RetryFrom: 5 * time.Millisecond, RetryTo: 20 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	sw, err := ariswitch.Open(o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(sw.Close)
	return sw
}

func (f *fakeARI) socket() *websocket.Conn {
	f.t.Helper()
	select {
	case c := <-f.sockets:
		f.t.Cleanup(func() { _ = c.Close() })
		return c
	case <-time.After(10 * time.Second):
		f.t.Fatal("nobody dialled")
		return nil
	}
}

func (f *fakeARI) say(c *websocket.Conn, text string) {
	f.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		f.t.Fatal(err)
	}
}

func next(t *testing.T, sw *ariswitch.Switch) telephony.Event {
	t.Helper()
	select {
	case ev, ok := <-sw.Events():
		if !ok {
			t.Fatal("the stream has ended")
		}
		return ev
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
		return telephony.Event{}
	}
}

func expect(t *testing.T, sw *ariswitch.Switch, epoch uint64, want telephony.EventBody) {
	t.Helper()
	ev := next(t, sw)
	if d, is := ev.Body.(telephony.Disconnected); is && d.Err != nil {
		ev.Body = telephony.Disconnected{}
	}
	if ev.Epoch != epoch || ev.Body != want {
		t.Fatalf("epoch %d %+v, want epoch %d %+v", ev.Epoch, ev.Body, epoch, want)
	}
}

func left(i int) string {
	return fmt.Sprintf(`{"type":"StasisEnd","application":"c3i","channel":{"id":"ch-%d"}}`, i)
}

// A reader that does not read loses nothing: neither the socket nor an event.
func TestBurstIsKeptInOrder(t *testing.T) {
	f := newFakeARI(t)
	sw := f.open(nil)
	c := f.socket()
	const n = 20000
	for i := range n {
		f.say(c, left(i))
	}
	expect(t, sw, 1, telephony.Connected{})
	for i := range n {
		expect(t, sw, 1, telephony.ChannelLeft{Channel: telephony.ChannelID(fmt.Sprintf("ch-%d", i))})
	}
	if f.dials.Load() != 1 {
		t.Errorf("dialled %d times", f.dials.Load())
	}
}

func TestReconnectBeginsAnEpochAndRestoresWhatWasLost(t *testing.T) {
	f := newFakeARI(t)
	known := atomic.Bool{}
	f.handle(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/config/dynamic/") && !known.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"state":"online"}`))
	})
	sw := f.open(nil)
	first := f.socket()
	expect(t, sw, 1, telephony.Connected{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := sw.PushEndpoint(ctx, ariswitch.Endpoint{ID: "web-ann", Password: "p", Context: "handlers", WebRTC: true}); err != nil {
		t.Fatal(err)
	}
	if up, err := sw.WatchPhone(ctx, "PJSIP/desk1"); err != nil || !up {
		t.Fatalf("watch = %v, %v", up, err)
	}
	before := len(f.requests())
	_ = first.Close()
	expect(t, sw, 1, telephony.Disconnected{})
	second := f.socket()
	expect(t, sw, 2, telephony.Connected{})
	again := strings.Join(f.requests()[before:], "\n")
	for _, want := range []string{
		"PUT /ari/asterisk/config/dynamic/res_pjsip/auth/web-ann?", "PUT /ari/asterisk/config/dynamic/res_pjsip/aor/web-ann?",
		"PUT /ari/asterisk/config/dynamic/res_pjsip/endpoint/web-ann?", "POST /ari/applications/c3i/subscription?eventSource=deviceState%3APJSIP%2Fdesk1",
	} {
		if !strings.Contains(again, want) {
			t.Errorf("not asked again: %s", want)
		}
	}
	// Asterisk that was only out of reach still has the endpoint.
	known.Store(true)
	before = len(f.requests())
	_ = second.Close()
	expect(t, sw, 2, telephony.Disconnected{})
	f.socket()
	expect(t, sw, 3, telephony.Connected{})
	if again := strings.Join(f.requests()[before:], "\n"); strings.Contains(again, "PUT ") {
		t.Errorf("pushed over what is there:\n%s", again)
	}
}

// One phone that Asterisk will not have must not keep everybody off the line.
func TestPhoneThatCannotBeRestoredIsItsOwnTrouble(t *testing.T) {
	f := newFakeARI(t)
	f.handle(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/config/dynamic/") && r.Method == http.MethodGet:
			w.WriteHeader(http.StatusNotFound)
		case strings.Contains(r.URL.Path, "/config/dynamic/"), strings.Contains(r.URL.Path, "/subscription"):
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(`{}`))
	})
	sw := f.open(nil)
	c := f.socket()
	expect(t, sw, 1, telephony.Connected{})
	if err := sw.PushEndpoint(context.Background(), ariswitch.Endpoint{ID: "odd"}); !errors.Is(err, telephony.ErrRefused) {
		t.Errorf("push = %v", err)
	}
	if _, err := sw.WatchPhone(context.Background(), "PJSIP/odd"); !errors.Is(err, telephony.ErrRefused) {
		t.Errorf("watch = %v", err)
	}
	_ = c.Close()
	expect(t, sw, 1, telephony.Disconnected{})
	f.socket()
	expect(t, sw, 2, telephony.Connected{})
}

func TestReplacedEndsTheStreamWithoutAFight(t *testing.T) {
	f := newFakeARI(t)
	sw := f.open(nil)
	c := f.socket()
	expect(t, sw, 1, telephony.Connected{})
	f.say(c, `{"type":"ApplicationReplaced","application":"c3i"}`)
	f.say(c, left(1))
	expect(t, sw, 1, telephony.Replaced{})
	expect(t, sw, 1, telephony.Disconnected{})
	select {
	case ev, ok := <-sw.Events():
		if ok {
			t.Errorf("after Replaced: %+v", ev)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on")
	}
	if f.dials.Load() != 1 {
		t.Errorf("dialled %d times", f.dials.Load())
	}
}

func TestOddEventsDoNotCostTheSocket(t *testing.T) {
	f := newFakeARI(t)
	sw := f.open(nil)
	c := f.socket()
	expect(t, sw, 1, telephony.Connected{})
	for _, text := range []string{`{"type":"ChannelTransfer"}`, `{"type":"StasisStart","channel":5}`, `not json`, `{}`, `[]`} {
		f.say(c, text)
		if u, is := next(t, sw).Body.(telephony.Unknown); !is || u.Raw != text {
			t.Errorf("%s: %+v", text, u)
		}
	}
	f.say(c, left(1))
	expect(t, sw, 1, telephony.ChannelLeft{Channel: "ch-1"})
}

func TestSilentSocketIsGivenUp(t *testing.T) {
	f := newFakeARI(t)
	f.deaf.Store(true)
	sw := f.open(func(o *ariswitch.Options) { o.PingEvery, o.ReadWithin = 20*time.Millisecond, 80*time.Millisecond })
	f.socket()
	expect(t, sw, 1, telephony.Connected{})
	expect(t, sw, 1, telephony.Disconnected{})
	f.deaf.Store(false)
	f.socket()
	if ev := next(t, sw); ev.Epoch < 2 {
		t.Errorf("%+v", ev)
	}
}

func TestHugeEventIsRefused(t *testing.T) {
	f := newFakeARI(t)
	sw := f.open(nil)
	c := f.socket()
	expect(t, sw, 1, telephony.Connected{})
	_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+strings.Repeat("x", 2<<20)+`"}`))
	expect(t, sw, 1, telephony.Disconnected{})
	f.socket()
	expect(t, sw, 2, telephony.Connected{})
}

func TestWrongPasswordIsTriedAgainAndTold(t *testing.T) {
	f := newFakeARI(t)
	var logs safeBuilder
	sw := f.open(func(o *ariswitch.Options) { o.Password, o.Log = "wrong", zerolog.New(&logs) })
	err := sw.Answer(context.Background(), "x")
	if !errors.Is(err, telephony.ErrRefused) {
		t.Errorf("error = %v", err)
	}
	deadline := time.After(10 * time.Second)
	for !strings.Contains(logs.String(), "refused the user or password") {
		select {
		case <-deadline:
			t.Fatalf("log: %s", logs.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if strings.Contains(logs.String(), "wrong") {
		t.Error("the log holds the password")
	}
}

type safeBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuilder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuilder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		do     func(context.Context, *ariswitch.Switch) error
		want   error
	}{
		{"gone", 404, `{"message":"Channel not found"}`, answer, telephony.ErrNotFound},
		{"state", 409, `{"message":"Channel not in Stasis application"}`, answer, telephony.ErrConflict},
		{"hung up meanwhile", 412, `{"message":"Channel in invalid state"}`, answer, telephony.ErrConflict},
		{"broken", 500, `oops`, answer, telephony.ErrUnavailable},
		{"overloaded", 503, ``, answer, telephony.ErrUnavailable},
		{"malformed", 400, `{"error":"bad"}`, answer, telephony.ErrRefused},
		{"hang-up of what is gone", 404, `{}`, func(ctx context.Context, sw *ariswitch.Switch) error { return sw.Hangup(ctx, "x", 16) }, nil},
		{"bridge of channels that are gone", 400, `{"message":"Channel not found"}`, join, telephony.ErrNotFound},
		{"bridge of channels not ours", 422, `{"message":"Channel not in Stasis application"}`, join, telephony.ErrConflict},
		{"endpoint without a phone", 500, `{"error":"Allocation failed"}`, dial, telephony.ErrUnreachable},
		{"endpoint malformed", 400, `{"message":"Invalid endpoint specified"}`, dial, telephony.ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeARI(t)
			f.handle(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			sw := f.open(nil)
			err := c.do(context.Background(), sw)
			if !errors.Is(err, c.want) {
				t.Fatalf("error = %v, want %v", err, c.want)
			}
			var te *telephony.Error
			if c.want != nil && (!errors.As(err, &te) || te.Status != c.status) {
				t.Errorf("error = %#v", err)
			}
		})
	}
}

func answer(ctx context.Context, sw *ariswitch.Switch) error { return sw.Answer(ctx, "x") }
func join(ctx context.Context, sw *ariswitch.Switch) error   { return sw.AddToBridge(ctx, "b", "x") }

func dial(ctx context.Context, sw *ariswitch.Switch) error {
	return sw.Originate(ctx, telephony.Originate{Channel: "x", Endpoint: "PJSIP/x", Timeout: time.Second})
}

func TestServerThatHangsIsNotWaitedFor(t *testing.T) {
	f := newFakeARI(t)
	f.handle(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	sw := f.open(func(o *ariswitch.Options) { o.Timeout = 50 * time.Millisecond })
	if err := sw.Answer(context.Background(), "x"); !errors.Is(err, telephony.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
}

// Asterisk closes idle connections: a request that meets the close must not fail
// the call.
func TestConnectionClosedUnderARequestIsTriedAgain(t *testing.T) {
	f := newFakeARI(t)
	var once atomic.Bool
	f.handle(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && !once.Swap(true) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	sw := f.open(nil)
	if err := sw.Answer(context.Background(), "x"); err != nil {
		t.Error(err)
	}
}

// What must not happen twice is looked for before it is asked for again.
func TestLostDialAndPlaybackAreLookedForFirst(t *testing.T) {
	for _, there := range []bool{false, true} {
		f := newFakeARI(t)
		var posts atomic.Int32
		f.handle(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost && posts.Add(1) == 1:
				if c, _, err := w.(http.Hijacker).Hijack(); err == nil { //nolint:errcheck // an http1 server's writer is one
					_ = c.Close()
				}
				return
			case r.Method == http.MethodGet && !there && !strings.Contains(r.URL.Path, "/applications/"):
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write([]byte(`{}`))
		})
		sw := f.open(nil)
		want := int32(2)
		if there {
			want = 1
		}
		if err := dial(context.Background(), sw); err != nil || posts.Load() != want {
			t.Errorf("originate, there %v: %v after %d requests, want %d", there, err, posts.Load(), want)
		}
		posts.Store(0)
		if err := sw.Play(context.Background(), "p", "x", []string{"sound:x"}); err != nil || posts.Load() != want {
			t.Errorf("play, there %v: %v after %d requests, want %d", there, err, posts.Load(), want)
		}
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	f := newFakeARI(t)
	f.handle(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "missing") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"message":"` + strings.Repeat("m", 3000) + `"}`))
	})
	sw := f.open(nil)
	expect(t, sw, 1, telephony.Connected{})
	before := f.conns.Load()
	for range 100 {
		_ = sw.CreateBridge(context.Background(), "b")
		_ = sw.Answer(context.Background(), "missing")
	}
	if n := f.conns.Load() - before; n > 1 {
		t.Errorf("200 requests opened %d connections", n)
	}
}

func TestRequestsSayWhatTheyShould(t *testing.T) {
	f := newFakeARI(t)
	var body atomic.Value
	f.handle(func(w http.ResponseWriter, r *http.Request) {
		var v map[string]any
		if json.NewDecoder(r.Body).Decode(&v) == nil {
			body.Store(v)
		}
		_, _ = w.Write([]byte(`{}`))
	})
	sw := f.open(nil)
	expect(t, sw, 1, telephony.Connected{})
	ctx := context.Background()
	before := len(f.requests())
	for _, err := range []error{
		sw.Hangup(ctx, "a/b?c", telephony.CauseUserBusy),
		sw.Continue(ctx, "x", telephony.Location{Context: "emergency", Extension: "999"}),
		sw.Continue(ctx, "x", telephony.Location{}),
		sw.Play(ctx, "p", "x", []string{"sound:/var/lib/a b", "sound:c"}),
		sw.Play(ctx, "p", "x", []string{"sound:again"}),
		sw.AddToBridge(ctx, "b", "x", "y"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"DELETE /ari/channels/a%2Fb%3Fc?reason_code=17",
		"POST /ari/channels/x/continue?context=emergency&extension=999&priority=1",
		"POST /ari/channels/x/continue?",
		"POST /ari/channels/x/play/p?media=sound%3A%2Fvar%2Flib%2Fa+b%2Csound%3Ac",
		"POST /ari/bridges/b/addChannel?channel=x%2Cy",
	}
	if got := f.requests()[before:]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := sw.Originate(ctx, telephony.Originate{
		Channel: "leg", Endpoint: "PJSIP/desk1", CallerNumber: "020<7946>", CallerName: `A "B"`, Timeout: 1500 * time.Millisecond,
		Args: []string{"leg", "id", "7"}, Variables: map[string]string{"X": "1"}, Language: "pl",
	}); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(body.Load())
	const sent = `{"app":"c3i","appArgs":"leg,id,7","callerId":"\"A B\" \u003c0207946\u003e","channelId":"leg","endpoint":"PJSIP/desk1","timeout":2,"variables":{"CHANNEL(language)":"pl","X":"1"}}`
	if string(got) != sent {
		t.Errorf("originate sent\n%s\nwant\n%s", got, sent)
	}
	for _, id := range []string{"", "a/b", "a b", "ä", strings.Repeat("x", 64)} {
		if err := sw.PushEndpoint(ctx, ariswitch.Endpoint{ID: id}); !errors.Is(err, ariswitch.ErrEndpointID) {
			t.Errorf("endpoint %q: %v", id, err)
		}
		if err := sw.RemoveEndpoint(ctx, id); !errors.Is(err, ariswitch.ErrEndpointID) {
			t.Errorf("endpoint %q: %v", id, err)
		}
	}
}

func TestOptionsThatCannotBeUsed(t *testing.T) {
	for _, o := range []ariswitch.Options{
		{}, {URL: "http://127.0.0.1:1", App: "c3i"}, {URL: "127.0.0.1:8088", App: "c3i", Username: "u"}, {URL: "ftp://x", App: "c3i", Username: "u"},
	} {
		if sw, err := ariswitch.Open(o); err == nil {
			sw.Close()
			t.Errorf("%+v was taken", o)
		}
	}
}
