package deskclient

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Options change how a Desk works; the zero value suits scripts.
type Options struct {
	// Tab is the tab's id; random when empty.
	Tab string
	// Heartbeat is how often a heartbeat is sent; 3 s when zero, never when negative.
	Heartbeat time.Duration
	// Stay tells not to connect again when the connection is lost: Wait and
	// requests then fail with the cause.
	Stay bool
	// OnDelta, if set, is called with each delta after it was applied, in order,
	// on the reading goroutine: it must return at once.
	OnDelta func(agentdesk.Delta)
}

// Desk is one open desk. Its methods are safe for concurrent use.
type Desk struct {
	s *Session
	o Options

	mu      sync.Mutex
	state   agentdesk.Desk
	epoch   string
	seq     uint64
	changed chan struct{} // closed and replaced at each change
	ws      *websocket.Conn
	next    uint64
	waiting map[uint64]*Future
	ended   error
	stats   Stats

	writeMu sync.Mutex
	done    chan struct{}
	stop    chan struct{}
	stopped sync.Once
}

// Stats counts what a desk went through.
type Stats struct {
	Snapshots, Deltas, Connections int
}

// ErrGap means that the server skipped a delta: its promise is broken.
var ErrGap = errors.New("deskclient: a delta is missing")

// CloseError is the server's reason for ending the connection, with one of the
// close codes of docs/api.md.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("deskclient: closed with %d: %s", e.Code, e.Reason)
}

// Open connects the session's desk and returns once it has its first snapshot.
func (s *Session) Open(ctx context.Context, o Options) (*Desk, error) {
	if o.Tab == "" {
		o.Tab = rand.Text()
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 3 * time.Second
	}
	d := &Desk{s: s, o: o, changed: make(chan struct{}), waiting: map[uint64]*Future{}, done: make(chan struct{}), stop: make(chan struct{})}
	ws, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	go d.run(ws) //nolint:gosec // the desk outlives the context that opened it; Close ends it
	if err := d.Wait(ctx, func(agentdesk.Desk) bool { return true }); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// dial connects and sends the hello.
func (d *Desk) dial(ctx context.Context) (*websocket.Conn, error) {
	u := *d.s.base
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	u.Path = "/ws"
	dialer := websocket.Dialer{Jar: d.s.http.Jar, HandshakeTimeout: 30 * time.Second}
	ws, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if err != nil {
		if resp != nil {
			defer func() { _ = resp.Body.Close() }()
			var e agentdesk.ErrorBody
			if json.NewDecoder(resp.Body).Decode(&e) == nil && e.Error.Code != "" {
				return nil, &e.Error
			}
		}
		return nil, err
	}
	d.mu.Lock()
	d.ws = ws
	d.stats.Connections++
	hello := agentdesk.HelloRequest{Tab: d.o.Tab, Epoch: d.epoch, Seq: d.seq}
	d.mu.Unlock()
	d.Send(agentdesk.TypeHello, hello)
	return ws, nil
}

// run reads until the desk ends, connecting again unless told to stay away.
func (d *Desk) run(ws *websocket.Conn) {
	defer close(d.done)
	pause := 20 * time.Millisecond
	for {
		beating := make(chan struct{})
		var beat sync.WaitGroup
		beat.Go(func() { d.beat(beating) })
		err := d.read(ws)
		close(beating)
		beat.Wait()
		_ = ws.Close()
		d.dropRequests(err)
		for {
			if d.o.Stay || final(err) || d.isStopped() {
				d.end(err)
				return
			}
			select {
			case <-d.stop:
				continue
			case <-time.After(pause):
			}
			pause = min(2*pause, 2*time.Second)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			var again error
			ws, again = d.dial(ctx)
			cancel()
			if again == nil {
				pause = 20 * time.Millisecond
				break
			}
			err = again
		}
	}
}

// final reports whether connecting again is no use: the server said so.
func final(err error) bool {
	var c *CloseError
	if errors.As(err, &c) {
		return c.Code >= 4000 && c.Code < 4500
	}
	var e *agentdesk.Error
	return errors.Is(err, ErrGap) || errors.As(err, &e)
}

func (d *Desk) beat(end <-chan struct{}) {
	if d.o.Heartbeat < 0 {
		return
	}
	t := time.NewTicker(d.o.Heartbeat)
	defer t.Stop()
	for {
		select {
		case <-end:
			return
		case <-t.C:
			d.Send(agentdesk.TypeHeartbeat, nil)
		}
	}
}

func (d *Desk) read(ws *websocket.Conn) error {
	for {
		_, frame, err := ws.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return &CloseError{closed.Code, closed.Text}
		case err != nil:
			return err
		}
		var m agentdesk.ServerMessage
		if err := json.Unmarshal(frame, &m); err != nil {
			return fmt.Errorf("deskclient: a frame could not be read: %w", err)
		}
		if err := d.apply(m); err != nil {
			return err
		}
	}
}

// apply takes over one frame.
func (d *Desk) apply(m agentdesk.ServerMessage) error {
	d.mu.Lock()
	switch {
	case m.Ack != nil:
		f := d.waiting[m.Ack.ID]
		delete(d.waiting, m.Ack.ID)
		d.mu.Unlock()
		if f != nil {
			f.finish(*m.Ack, nil)
		}
		return nil
	case m.Snapshot != nil:
		d.state, d.epoch, d.seq = m.Snapshot.Desk, m.Snapshot.Epoch, m.Snapshot.Seq
		d.stats.Snapshots++
	case m.Delta != nil:
		if m.Delta.Seq != d.seq+1 {
			seq := d.seq
			d.mu.Unlock()
			return fmt.Errorf("%w: after %d came %d", ErrGap, seq, m.Delta.Seq)
		}
		d.seq = m.Delta.Seq
		d.stats.Deltas++
		Apply(&d.state, *m.Delta)
	}
	close(d.changed)
	d.changed = make(chan struct{})
	d.mu.Unlock()
	if m.Delta != nil && d.o.OnDelta != nil {
		d.o.OnDelta(*m.Delta)
	}
	return nil
}

// Apply replaces the sections a delta carries.
func Apply(to *agentdesk.Desk, delta agentdesk.Delta) {
	if delta.Me != nil {
		to.Me = *delta.Me
	}
	if delta.Phone != nil {
		to.Phone = *delta.Phone
	}
	if delta.Work != nil {
		to.Work = *delta.Work
	}
	if delta.Queues != nil {
		to.Queues = *delta.Queues
	}
	if delta.Catalog != nil {
		to.Catalogue = *delta.Catalog
	}
}

// State returns what the desk shows. The lists in it must not be changed.
func (d *Desk) State() agentdesk.Desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Position returns the epoch and the number of the last delta.
func (d *Desk) Position() (epoch string, seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epoch, d.seq
}

// Stats returns what the desk went through.
func (d *Desk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Wait returns once ok holds of the state: at once if it does now, else after the
// change that makes it so. It fails when ctx ends or the desk does.
func (d *Desk) Wait(ctx context.Context, ok func(agentdesk.Desk) bool) error {
	for {
		d.mu.Lock()
		state, changed, ended, begun := d.state, d.changed, d.ended, d.epoch != ""
		d.mu.Unlock()
		if begun && ok(state) {
			return nil
		}
		if ended != nil {
			return ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("deskclient: the state waited for did not come: %w", ctx.Err())
		case <-changed:
		case <-d.done:
		}
	}
}

// WaitWork waits for a contact in hand of which ok holds, and returns it.
func (d *Desk) WaitWork(ctx context.Context, ok func(agentdesk.WorkItem) bool) (agentdesk.WorkItem, error) {
	var found agentdesk.WorkItem
	err := d.Wait(ctx, func(s agentdesk.Desk) bool {
		i := slices.IndexFunc(s.Work, ok)
		if i >= 0 {
			found = s.Work[i]
		}
		return i >= 0
	})
	return found, err
}

// Done is closed when the desk has ended; Err then says why.
func (d *Desk) Done() <-chan struct{} { return d.done }

// Err is why the desk ended, nil while it is open.
func (d *Desk) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// Drop cuts the connection as a failing network would.
func (d *Desk) Drop() {
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	_ = ws.NetConn().Close()
}

// Close closes the desk without signing off, and waits for it.
func (d *Desk) Close() {
	d.stopped.Do(func() { close(d.stop) })
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	_ = ws.Close()
	<-d.done
}

func (d *Desk) isStopped() bool {
	select {
	case <-d.stop:
		return true
	default:
		return false
	}
}

func (d *Desk) end(err error) {
	if d.isStopped() || err == nil {
		err = errors.New("deskclient: the desk was closed")
	}
	d.mu.Lock()
	d.ended = err
	d.mu.Unlock()
	d.dropRequests(err)
}

func (d *Desk) dropRequests(err error) {
	d.mu.Lock()
	lost := d.waiting
	d.waiting = map[uint64]*Future{}
	d.mu.Unlock()
	for _, f := range lost {
		f.finish(agentdesk.Ack{}, err)
	}
}

// Future is the answer to a request, when it comes.
type Future struct {
	done chan struct{}
	ack  agentdesk.Ack
	err  error
}

func (f *Future) finish(ack agentdesk.Ack, err error) {
	f.ack, f.err = ack, err
	close(f.done)
}

// Done is closed when the answer is there.
func (f *Future) Done() <-chan struct{} { return f.done }

// Wait returns the Ack. A refusal is an *agentdesk.Error; a lost connection is
// that error, and the request may or may not have been carried out.
func (f *Future) Wait(ctx context.Context) (agentdesk.Ack, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		return agentdesk.Ack{}, ctx.Err()
	}
	if f.err == nil && f.ack.Error != nil {
		return f.ack, f.ack.Error
	}
	return f.ack, f.err
}

// WaitFor is Wait for those who need no reply.
func (f *Future) WaitFor(ctx context.Context) error {
	_, err := f.Wait(ctx)
	return err
}

// Send sends one request. Errors come with the Future.
func (d *Desk) Send(kind string, body any) *Future {
	f := &Future{done: make(chan struct{})}
	m := agentdesk.ClientMessage{Type: kind}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			f.finish(agentdesk.Ack{}, err)
			return f
		}
		m.Body = b
	}
	d.writeMu.Lock()
	defer d.writeMu.Unlock()
	d.mu.Lock()
	if d.ended != nil {
		err := d.ended
		d.mu.Unlock()
		f.finish(agentdesk.Ack{}, err)
		return f
	}
	d.next++
	m.ID = d.next
	d.waiting[m.ID] = f
	ws := d.ws
	d.mu.Unlock()
	frame, err := json.Marshal(m)
	if err == nil {
		_ = ws.SetWriteDeadline(time.Now().Add(10 * time.Second))
		err = ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil {
		d.mu.Lock()
		_, mine := d.waiting[m.ID]
		delete(d.waiting, m.ID)
		d.mu.Unlock()
		if mine {
			f.finish(agentdesk.Ack{}, err)
		}
	}
	return f
}

// do sends a request and waits for its answer, decoding the reply into out.
func (d *Desk) do(ctx context.Context, kind string, body, out any) error {
	ack, err := d.Send(kind, body).Wait(ctx)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(ack.Reply, out)
}

// Ready asks for contacts.
func (d *Desk) Ready(ctx context.Context) error {
	return d.do(ctx, agentdesk.TypeSetState, agentdesk.SetStateRequest{State: routing.StateReady}, nil)
}

// NotReady stops contacts, for one of the plan's reasons.
func (d *Desk) NotReady(ctx context.Context, reason string) error {
	return d.do(ctx, agentdesk.TypeSetState, agentdesk.SetStateRequest{State: routing.StateNotReady, Reason: reason}, nil)
}

// PhoneRegistered tells whether the browser phone is registered.
func (d *Desk) PhoneRegistered(ctx context.Context, yes bool) error {
	return d.do(ctx, agentdesk.TypePhoneState, agentdesk.PhoneStateRequest{Registered: yes}, nil)
}

// Decline refuses an offer.
func (d *Desk) Decline(ctx context.Context, offer routing.OfferID, reason string) error {
	return d.do(ctx, agentdesk.TypeDecline, agentdesk.DeclineRequest{Offer: offer, Reason: reason}, nil)
}

// Control asks for call control; digits are for dtmf.
func (d *Desk) Control(ctx context.Context, id contact.ID, verb routing.Verb, digits string) error {
	return d.do(ctx, agentdesk.TypeControl, agentdesk.ControlRequest{Contact: id, Verb: verb, Digits: digits}, nil)
}

// SaveNote saves a note and returns its new revision.
func (d *Desk) SaveNote(ctx context.Context, id contact.ID, text string, base uint64) (uint64, error) {
	var out agentdesk.SaveNoteReply
	err := d.do(ctx, agentdesk.TypeSaveNote, agentdesk.SaveNoteRequest{Contact: id, Text: text, Base: base}, &out)
	return out.Revision, err
}

// CloseContact gives the outcome and ends wrap-up.
func (d *Desk) CloseContact(ctx context.Context, id contact.ID, o contact.Outcome) error {
	return d.do(ctx, agentdesk.TypeClose, agentdesk.CloseRequest{Contact: id, Outcome: o, Seen: d.seen(id)}, nil)
}

// Extend asks for more wrap-up time.
func (d *Desk) Extend(ctx context.Context, id contact.ID) error {
	return d.do(ctx, agentdesk.TypeExtend, agentdesk.ExtendRequest{Contact: id}, nil)
}

// SavePerson creates or changes a person and attaches the contact to them.
func (d *Desk) SavePerson(ctx context.Context, id contact.ID, p agentdesk.Person) (contact.PersonID, error) {
	var out agentdesk.SavePersonReply
	err := d.do(ctx, agentdesk.TypeSavePerson, agentdesk.SavePersonRequest{Contact: id, Person: p}, &out)
	return out.Person, err
}

// Attach says whose contact it is; an empty person detaches.
func (d *Desk) Attach(ctx context.Context, id contact.ID, person contact.PersonID) error {
	return d.do(ctx, agentdesk.TypeAttachPerson, agentdesk.AttachPersonRequest{Contact: id, Person: person}, nil)
}

// Header is what a websocket of another kind (the SIP proxy) must send to belong
// to this session.
func (s *Session) Header() http.Header {
	h := http.Header{}
	for _, c := range s.http.Jar.Cookies(s.base) {
		h.Add("Cookie", c.Name+"="+c.Value)
	}
	return h
}
