package agentdesk

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Limits of one connection.
const (
	outFrames    = 256     // frames waiting to be written, and
	outBytes     = 4 << 20 // their bytes, beyond which the desk is too slow
	writeTimeout = 10 * time.Second
	helloTimeout = 10 * time.Second
	silence      = 60 * time.Second // the transport is given up; the lease is much shorter
	goodbye      = 2 * time.Second  // for the peer to answer our close frame
)

// conn is one websocket of a desk: one goroutine reads, one writes, anybody may
// send. Frames are written in the order of send.
type conn struct {
	ws *websocket.Conn

	mu      sync.Mutex
	out     [][]byte
	bytes   int
	closing *closing
	wake    chan struct{} // capacity 1
	written chan struct{} // closed when the writer has ended
	gone    chan struct{} // closed when the reader has ended
}

type closing struct {
	code   int
	reason string
}

func newConn(ws *websocket.Conn) *conn {
	return &conn{ws: ws, wake: make(chan struct{}, 1), written: make(chan struct{}), gone: make(chan struct{})}
}

// send queues a frame. It reports false when the queue is full: the connection
// then ends with CloseSlow, and what was queued is dropped. It never blocks.
func (c *conn) send(frame []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return true
	}
	if len(c.out) >= outFrames || c.bytes+len(frame) > outBytes {
		c.out, c.bytes = nil, 0
		c.closing = &closing{CloseSlow, "This desk did not read fast enough."}
		c.nudge()
		return false
	}
	c.out = append(c.out, frame)
	c.bytes += len(frame)
	c.nudge()
	return true
}

// close ends the connection with a code once what is queued has been written.
// The first close wins.
func (c *conn) close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing == nil {
		c.closing = &closing{code, reason}
		c.nudge()
	}
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing != nil
}

func (c *conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write is the one writer. It ends with the close frame, an error, or the reader.
func (c *conn) write() {
	defer close(c.written)
	for {
		select {
		case <-c.wake:
		case <-c.gone:
			return
		}
		for {
			c.mu.Lock()
			batch, end := c.out, c.closing
			c.out, c.bytes = nil, 0
			c.mu.Unlock()
			for _, frame := range batch {
				_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
				if err := c.ws.WriteMessage(websocket.TextMessage, frame); err != nil {
					_ = c.ws.Close() // ends the reader too
					return
				}
			}
			if end != nil {
				_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(end.code, end.reason), time.Now().Add(writeTimeout))
				// Closing at once could reset the connection and lose the close frame: the
				// reader waits for the peer's answer first.
				_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(goodbye))
				return
			}
			if len(batch) == 0 {
				break
			}
		}
	}
}

// errFrame is a frame that ends the connection.
type errFrame struct {
	code   int
	reason string
}

func (e *errFrame) Error() string { return e.reason }

// read returns the next message, or an *errFrame for one that must end the
// connection, or the transport's error.
func (c *conn) read(patience time.Duration) (ClientMessage, error) {
	for {
		if !c.isClosing() {
			_ = c.ws.SetReadDeadline(time.Now().Add(patience))
			if c.isClosing() { // the writer may have set the shorter deadline in between
				_ = c.ws.SetReadDeadline(time.Now().Add(goodbye))
			}
		}
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return ClientMessage{}, err
		}
		if c.isClosing() {
			continue
		}
		if kind != websocket.TextMessage {
			return ClientMessage{}, &errFrame{CloseBadFrame, "Send text frames."}
		}
		b, err := io.ReadAll(io.LimitReader(r, MaxFrame+1))
		if err != nil {
			return ClientMessage{}, err
		}
		return decodeMessage(b)
	}
}

// decodeMessage reads one frame of a desk. The error is always an *errFrame.
func decodeMessage(b []byte) (ClientMessage, error) {
	var m ClientMessage
	if len(b) > MaxFrame {
		return m, &errFrame{CloseTooLarge, "The frame is larger than 256 KiB."}
	}
	if !utf8.Valid(b) || json.Unmarshal(b, &m) != nil {
		return m, &errFrame{CloseBadFrame, "The frame is not the JSON of a message."}
	}
	if _, known := messageNeeds[m.Type]; !known {
		return m, &errFrame{CloseBadFrame, "The frame's type is not known."}
	}
	return m, nil
}

// run reads until the connection ends, handing each message to handle, and
// returns once the writer has ended too.
func (c *conn) run(handle func(ClientMessage)) {
	defer func() {
		close(c.gone)
		_ = c.ws.Close()
		<-c.written
	}()
	go c.write()
	patience := helloTimeout
	for {
		m, err := c.read(patience)
		var bad *errFrame
		switch {
		case errors.As(err, &bad):
			c.close(bad.code, bad.reason)
			continue
		case err != nil:
			return
		}
		patience = silence
		handle(m)
	}
}
