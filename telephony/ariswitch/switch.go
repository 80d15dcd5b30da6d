package ariswitch

import (
	"context"
	"encoding/base64"
	"net/http"
	"sync"
	"sync/atomic"

	"example.org/c3i/telephony"
)

// Switch is one Asterisk. It dials in the background from Open on and keeps
// trying; Connected on Events says that it is there.
type Switch struct {
	o      Options
	auth   string
	http   *http.Client
	events *stream
	epoch  atomic.Uint64
	// played and dialled were asked for already.
	played, dialled recent

	mu sync.Mutex
	// endpoints were pushed and are pushed again when Asterisk has forgotten them.
	endpoints map[string]Endpoint
	// watched are dial strings whose phone's state is wanted.
	watched map[string]bool

	cancel context.CancelFunc
	closed sync.Once
	work   sync.WaitGroup
}

var _ telephony.Switch = (*Switch)(nil)

// Open begins to connect. The error is about the options; an Asterisk that is
// not there is waited for.
func Open(o Options) (*Switch, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Switch{
		o:      o,
		auth:   "Basic " + base64.StdEncoding.EncodeToString([]byte(o.Username+":"+o.Password)),
		http:   &http.Client{Transport: newTransport(o.Connections)},
		events: newStream(), cancel: cancel,
		endpoints: map[string]Endpoint{}, watched: map[string]bool{},
	}
	s.work.Go(func() { s.serve(ctx) })
	s.work.Go(s.events.run)
	return s, nil
}

// Close ends the event stream and every connection. Calls stay up in Asterisk.
// Closing twice does nothing the second time.
func (s *Switch) Close() {
	s.closed.Do(func() {
		s.cancel()
		close(s.events.quit)
	})
	s.work.Wait()
	s.http.CloseIdleConnections()
}

// Events is the stream of telephony.Switch.
func (s *Switch) Events() <-chan telephony.Event { return s.events.out }

// Backlog is how many events wait to be read.
func (s *Switch) Backlog() int { return s.events.depth() }

// recent remembers the last few thousand ids.
type recent struct {
	mu   sync.Mutex
	set  map[string]bool
	ring [4096]string
	next int
}

// add tells whether id is new.
func (r *recent) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set == nil {
		r.set = map[string]bool{}
	}
	if r.set[id] {
		return false
	}
	delete(r.set, r.ring[r.next])
	r.ring[r.next] = id
	r.set[id] = true
	r.next = (r.next + 1) % len(r.ring)
	return true
}

func (r *recent) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.set, id)
}
