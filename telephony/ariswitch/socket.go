package ariswitch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/telephony"
)

// maxMessage bounds one event; Asterisk's largest are a few kilobytes.
const maxMessage = 1 << 20

// errReplaced ends the socket for good.
var errReplaced = errors.New("replaced by another controller")

// serve keeps the event socket up until the context is done or we are replaced.
func (s *Switch) serve(ctx context.Context) {
	defer s.events.end()
	pause := s.o.RetryFrom
	for ctx.Err() == nil {
		stood, err := s.session(ctx)
		if errors.Is(err, errReplaced) || ctx.Err() != nil {
			return
		}
		if stood {
			pause = s.o.RetryFrom
		}
		s.o.Log.Warn().Err(err).Dur("pause", pause).Msg("ARI event socket is down")
		// Full jitter, so that many controllers do not dial as one.
		wait := pause/2 + rand.N(pause/2+1)
		pause = min(2*pause, s.o.RetryTo)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// session is one connection, from dialling to its end; stood tells that it came
// up.
func (s *Switch) session(ctx context.Context) (stood bool, err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	// The first thing after the socket is a sign that Asterisk answers commands,
	// and the subscriptions that went with the last connection.
	if err := s.resubscribe(ctx); err != nil {
		_ = conn.Close()
		return false, err
	}
	epoch := s.epoch.Add(1)
	emit := func(sent time.Time, b telephony.EventBody) {
		s.events.put(telephony.Event{Epoch: epoch, Sent: sent, Received: s.o.Clock(), Body: b})
	}
	emit(time.Time{}, telephony.Connected{})
	s.o.Log.Info().Uint64("epoch", epoch).Msg("ARI event socket is up")
	defer func() { emit(time.Time{}, telephony.Disconnected{Err: err}) }()

	done := make(chan struct{})
	pinger := make(chan struct{})
	go func() {
		defer close(pinger)
		s.keepAlive(ctx, conn, done)
	}()
	defer func() {
		close(done)
		_ = conn.Close()
		<-pinger
	}()
	conn.SetReadLimit(maxMessage)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(s.o.ReadWithin)) }
	conn.SetPongHandler(alive)
	_ = alive("")
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return true, fmt.Errorf("reading ARI events: %w", err)
		}
		_ = alive("")
		d := decode(data)
		for _, b := range d.bodies {
			if _, replaced := b.(telephony.Replaced); replaced {
				s.o.Log.Error().Msg("another program has registered our ARI application: not fighting for it")
				emit(d.sent, b)
				return true, errReplaced
			}
			emit(d.sent, b)
		}
	}
}

// keepAlive pings, and closes the socket when the context ends so that the
// reader returns.
func (s *Switch) keepAlive(ctx context.Context, conn *websocket.Conn, done <-chan struct{}) {
	t := time.NewTicker(s.o.PingEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
			_ = conn.Close()
			return
		case <-t.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.o.PingEvery)) != nil {
				_ = conn.Close()
				return
			}
		}
	}
}

func (s *Switch) dial(ctx context.Context) (*websocket.Conn, error) {
	q := url.Values{"app": {s.o.App}, "subscribeAll": {strconv.FormatBool(s.o.SubscribeAll)}}
	target := "ws" + strings.TrimPrefix(s.o.URL, "http") + "/ari/events?" + q.Encode()
	d := websocket.Dialer{HandshakeTimeout: 5 * time.Second, ReadBufferSize: 16 << 10}
	h := http.Header{}
	h.Set("Authorization", s.auth)
	conn, resp, err := d.DialContext(ctx, target, h)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusUnauthorized {
				return nil, fmt.Errorf("ARI refused the user or password (status 401): %w", err)
			}
			return nil, fmt.Errorf("dialling ARI events: status %d: %w", resp.StatusCode, err)
		}
		return nil, fmt.Errorf("dialling ARI events: %w", err)
	}
	return conn, nil
}
