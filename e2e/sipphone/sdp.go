package sipphone

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// direction is the SDP media direction as seen by whoever wrote the SDP
// (RFC 4566 section 6).
type direction string

const (
	sendRecv direction = "sendrecv"
	sendOnly direction = "sendonly"
	recvOnly direction = "recvonly"
	inactive direction = "inactive"
)

func (d direction) sends() bool    { return d == sendRecv || d == sendOnly }
func (d direction) receives() bool { return d == sendRecv || d == recvOnly }

// directionOf is the direction that sends and receives as told.
func directionOf(sends, receives bool) direction {
	switch {
	case sends && receives:
		return sendRecv
	case sends:
		return sendOnly
	case receives:
		return recvOnly
	}
	return inactive
}

// eventPayload is the dynamic payload type this phone offers for telephone
// events; an answer uses the offerer's number instead.
const eventPayload = 101

// description is the part of a session description the phone acts on: one
// audio stream.
type description struct {
	addr   netip.AddrPort
	codecs []Codec
	// event is the payload type of telephone-event/8000, 0 if absent.
	event     uint8
	direction direction
	id        uint64
	version   uint64
	// streams counts the media sections, for an answer must refuse the others
	// one by one (RFC 3264 section 6).
	streams []string
	// audio is the index in streams of the audio section.
	audio int
}

var (
	errSDPNoAudio = errors.New("no audio stream over RTP/AVP that this phone can use")
	errSDPNoCodec = errors.New("no codec in common: this phone speaks PCMU and PCMA at 8000 Hz")
)

// parseSDP reads a session description. The first usable audio stream counts.
func parseSDP(body []byte) (description, error) {
	d := description{direction: sendRecv, audio: -1}
	if len(body) > 16<<10 {
		return d, errors.New("the session description is over 16 KiB")
	}
	var (
		sessionAddr, mediaAddr netip.Addr
		port                   uint16
		formats                []string
		maps                   = map[string]string{}
		inAudio                bool
		sessionDirection       = sendRecv
		mediaDirection         direction
	)
	for i, raw := range bytes.Split(body, []byte("\n")) {
		line := string(bytes.TrimRight(raw, "\r"))
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return d, fmt.Errorf("session description line %d: not of the form letter=value", i+1)
		}
		value := line[2:]
		switch line[0] {
		case 'c':
			f := strings.Fields(value)
			if len(f) != 3 || f[0] != "IN" {
				return d, fmt.Errorf("session description line %d: bad connection line", i+1)
			}
			host, _, _ := strings.Cut(f[2], "/")
			a, err := netip.ParseAddr(host)
			if err != nil {
				return d, fmt.Errorf("session description line %d: %w", i+1, err)
			}
			switch {
			case len(d.streams) == 0:
				sessionAddr = a
			case inAudio:
				mediaAddr = a
			}
		case 'm':
			f := strings.Fields(value)
			if len(f) < 4 {
				return d, fmt.Errorf("session description line %d: bad media line", i+1)
			}
			d.streams = append(d.streams, value)
			p, err := strconv.ParseUint(f[1], 10, 16)
			if err != nil {
				return d, fmt.Errorf("session description line %d: bad port", i+1)
			}
			inAudio = d.audio < 0 && f[0] == "audio" && f[2] == "RTP/AVP" && p != 0
			if inAudio {
				d.audio, port, formats = len(d.streams)-1, uint16(p), f[3:]
			}
		case 'a':
			switch value {
			case string(sendRecv), string(sendOnly), string(recvOnly), string(inactive):
				if len(d.streams) == 0 {
					sessionDirection = direction(value)
				} else if inAudio {
					mediaDirection = direction(value)
				}
				continue
			}
			if m, ok := strings.CutPrefix(value, "rtpmap:"); ok && inAudio {
				number, encoding, _ := strings.Cut(m, " ")
				maps[number] = strings.ToLower(strings.TrimSpace(encoding))
			}
		}
	}
	if d.audio < 0 {
		return d, errSDPNoAudio
	}
	if !mediaAddr.IsValid() {
		mediaAddr = sessionAddr
	}
	if !mediaAddr.IsValid() {
		return d, errors.New("the session description has no connection address")
	}
	d.direction = sessionDirection
	if mediaDirection != "" {
		d.direction = mediaDirection
	}
	// RFC 2543 hold: the unspecified address asks for silence.
	if mediaAddr.IsUnspecified() {
		d.direction = inactive
	}
	d.addr = netip.AddrPortFrom(mediaAddr.Unmap(), port)
	for _, f := range formats {
		n, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		encoding := maps[f]
		switch {
		case n == 0 && (encoding == "" || strings.HasPrefix(encoding, "pcmu/8000")):
			d.codecs = append(d.codecs, PCMU)
		case n == 8 && (encoding == "" || strings.HasPrefix(encoding, "pcma/8000")):
			d.codecs = append(d.codecs, PCMA)
		case strings.HasPrefix(encoding, "telephone-event/8000") && d.event == 0:
			d.event = uint8(n)
		}
	}
	if len(d.codecs) == 0 {
		return d, errSDPNoCodec
	}
	return d, nil
}

// marshal writes the description. With an offer it answers, each of the offer's
// other streams is refused by port 0.
func (d description) marshal(offer *description) []byte {
	family := "IP4"
	if d.addr.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		d.id, d.version, family, d.addr.Addr(), family, d.addr.Addr())
	audio := func() {
		fmt.Fprintf(&b, "m=audio %d RTP/AVP", d.addr.Port())
		for _, c := range d.codecs {
			fmt.Fprintf(&b, " %d", c)
		}
		if d.event != 0 {
			fmt.Fprintf(&b, " %d", d.event)
		}
		b.WriteString("\r\n")
		for _, c := range d.codecs {
			fmt.Fprintf(&b, "a=rtpmap:%d %s/8000\r\n", c, c)
		}
		if d.event != 0 {
			fmt.Fprintf(&b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", d.event, d.event)
		}
		fmt.Fprintf(&b, "a=ptime:20\r\na=%s\r\n", d.direction)
	}
	if offer == nil {
		audio()
		return []byte(b.String())
	}
	for i, m := range offer.streams {
		if i == offer.audio {
			audio()
			continue
		}
		f := strings.Fields(m)
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", f[0], f[2], f[3])
	}
	return []byte(b.String())
}

// commonCodec picks the first of the codecs preferred that is accepted too.
func commonCodec(preferred, accepted []Codec) (Codec, bool) {
	for _, p := range preferred {
		for _, a := range accepted {
			if p == a {
				return p, true
			}
		}
	}
	return 0, false
}
