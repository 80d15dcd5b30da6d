package sipphone

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const frameTime = 20 * time.Millisecond

// MediaStats counts the packets of one call.
type MediaStats struct {
	// Sent and Received count RTP packets, telephone events included.
	Sent, Received uint64
	// Dropped counts datagrams that were not usable RTP: malformed, of an
	// unknown payload type, repeated or late.
	Dropped uint64
}

// media is the audio of one call: a socket, a goroutine that reads it and,
// once the far side's address is known, one that sends every 20 ms.
type media struct {
	conn *net.UDPConn
	ear  *ear
	keys *keypad
	done chan struct{}
	wg   *sync.WaitGroup // the phone's

	sent, received, dropped atomic.Uint64
	firstPacket             atomic.Int64 // Unix nanoseconds

	mu      sync.Mutex
	remote  netip.AddrPort
	codec   Codec
	event   uint8 // payload type for sending events, 0 if not agreed
	sending bool
	hz      float64 // 0 is silence
	presses []*press
	started bool
	closed  bool
}

// openMedia binds a socket for RTP on ip. Ports are even where that can be had,
// so that no call's RTCP (RFC 3550 section 11) falls on another call's RTP.
func openMedia(ip netip.Addr, keep time.Duration, wg *sync.WaitGroup) (*media, error) {
	var conn *net.UDPConn
	for attempt := range 16 {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			return nil, err
		}
		if c.LocalAddr().(*net.UDPAddr).Port%2 == 0 || attempt == 15 {
			conn = c
			break
		}
		if err := c.Close(); err != nil {
			return nil, err
		}
	}
	m := &media{conn: conn, ear: newEar(keep), keys: newKeypad(), done: make(chan struct{}), wg: wg}
	wg.Go(m.receive)
	return m, nil
}

func (m *media) addr() netip.AddrPort {
	a := m.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// connect sets where and how to send; the first call starts the sender.
func (m *media) connect(remote netip.AddrPort, codec Codec, event uint8, sending bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remote, m.codec, m.event, m.sending = remote, codec, event, sending
	if !m.started && !m.closed {
		m.started = true
		m.wg.Go(m.send)
	}
}

func (m *media) setSource(hz float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hz = hz
}

func (m *media) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	close(m.done)
	// The reader ends on the error; nothing is lost by a failed close.
	_ = m.conn.Close()
}

// receive reads until the socket closes.
func (m *media) receive() {
	var (
		buf   = make([]byte, 2048)
		pcm   = make([]int16, 0, 2048)
		known bool
		last  rtpPacket
	)
	for {
		n, _, err := m.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		now := time.Now()
		p, err := parseRTP(buf[:n])
		if errors.Is(err, errRTCP) {
			continue
		}
		if err != nil {
			m.dropped.Add(1)
			continue
		}
		if known && p.ssrc == last.ssrc {
			if behind := int16(last.sequence - p.sequence); behind >= 0 && behind < 100 {
				m.dropped.Add(1)
				continue
			}
		}
		m.mu.Lock()
		event := m.event
		m.mu.Unlock()
		switch {
		case p.payload == uint8(PCMU) || p.payload == uint8(PCMA):
			pcm = Codec(p.payload).decode(pcm[:0], p.data)
			m.ear.hear(pcm, now)
		case p.payload == event && event != 0 || event == 0 && p.payload == eventPayload:
			e, err := parseTelephoneEvent(p.data)
			if err != nil {
				m.dropped.Add(1)
				continue
			}
			m.keys.event(e, p.ssrc, p.timestamp, now)
		case p.payload == 13: // comfort noise, RFC 3389: silence
		default:
			m.dropped.Add(1)
			continue
		}
		m.firstPacket.CompareAndSwap(0, now.UnixNano())
		m.received.Add(1)
		known, last = true, p
	}
}

// send writes a packet every 20 ms, catching up when it was kept waiting.
func (m *media) send() {
	var (
		ticker = time.NewTicker(frameTime)
		out    = rtpPacket{ssrc: rand.Uint32(), sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), marker: true}
		voice  oscillator
		pcm    = make([]int16, frameSize)
		body   = make([]byte, 0, frameSize)
		packet = make([]byte, 0, 12+frameSize)
		due    = time.Now()
	)
	defer ticker.Stop()
	defer m.dropPresses()
	for {
		now := time.Now()
		if now.Sub(due) > 5*frameTime {
			missed := int64(now.Sub(due)/frameTime) - 1
			due = due.Add(time.Duration(missed) * frameTime)
			out.timestamp += uint32(missed) * frameSize
			out.marker = true
		}
		for !due.After(now) {
			due = due.Add(frameTime)
			m.mu.Lock()
			remote, codec, event, sending, hz := m.remote, m.codec, m.event, m.sending, m.hz
			var current *press
			if len(m.presses) > 0 {
				current = m.presses[0]
			}
			m.mu.Unlock()
			frame := out
			repeats := 1
			switch {
			case !sending:
				out.timestamp += frameSize
				out.marker = true
				continue
			case current != nil:
				var started, over bool
				frame, started, repeats, over = current.step(frame, event)
				frame.marker = started
				if over {
					m.finishPress(current)
				}
			default:
				if hz > 0 {
					voice.fill(pcm, hz)
					body = codec.encode(body[:0], pcm)
				} else {
					body = body[:0]
					for range frameSize {
						body = append(body, codec.silence())
					}
				}
				frame.payload, frame.data = uint8(codec), body
				out.marker = false
			}
			for range repeats {
				frame.sequence = out.sequence
				packet = appendRTP(packet[:0], frame)
				// A lost packet is a lost packet: the far side may be gone already.
				if _, err := m.conn.WriteToUDPAddrPort(packet, remote); err == nil {
					m.sent.Add(1)
				}
				out.sequence++
			}
			out.timestamp += frameSize
		}
		select {
		case <-ticker.C:
		case <-m.done:
			return
		}
	}
}
