package sipphone

import (
	"encoding/binary"
	"errors"
)

// rtpPacket is what the phone reads from an RTP packet (RFC 3550 section 5.1).
type rtpPacket struct {
	marker    bool
	payload   uint8
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	data      []byte
}

var (
	errShortRTP = errors.New("shorter than its headers say")
	errNotRTP   = errors.New("not RTP version 2")
	errRTCP     = errors.New("RTCP")
)

// parseRTP reads one datagram. The packet's data aliases b.
func parseRTP(b []byte) (rtpPacket, error) {
	if len(b) < 12 {
		return rtpPacket{}, errShortRTP
	}
	if b[0]>>6 != 2 {
		return rtpPacket{}, errNotRTP
	}
	// RFC 5761 section 4: these second bytes are RTCP packet types.
	if b[1] >= 192 && b[1] <= 223 {
		return rtpPacket{}, errRTCP
	}
	p := rtpPacket{
		marker:    b[1]&0x80 != 0,
		payload:   b[1] & 0x7F,
		sequence:  binary.BigEndian.Uint16(b[2:]),
		timestamp: binary.BigEndian.Uint32(b[4:]),
		ssrc:      binary.BigEndian.Uint32(b[8:]),
	}
	at := 12 + 4*int(b[0]&0x0F)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return rtpPacket{}, errShortRTP
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		pad := int(b[end-1])
		if pad == 0 {
			return rtpPacket{}, errShortRTP
		}
		end -= pad
	}
	if at > end {
		return rtpPacket{}, errShortRTP
	}
	p.data = b[at:end]
	return p, nil
}

// appendRTP writes the header and data of p to dst.
func appendRTP(dst []byte, p rtpPacket) []byte {
	second := p.payload & 0x7F
	if p.marker {
		second |= 0x80
	}
	dst = append(dst, 0x80, second)
	dst = binary.BigEndian.AppendUint16(dst, p.sequence)
	dst = binary.BigEndian.AppendUint32(dst, p.timestamp)
	dst = binary.BigEndian.AppendUint32(dst, p.ssrc)
	return append(dst, p.data...)
}

// telephoneEvent is the payload of RFC 4733 section 2.3.
type telephoneEvent struct {
	event    uint8
	end      bool
	volume   uint8
	duration uint16
}

func parseTelephoneEvent(b []byte) (telephoneEvent, error) {
	if len(b) < 4 {
		return telephoneEvent{}, errShortRTP
	}
	return telephoneEvent{
		event:    b[0],
		end:      b[1]&0x80 != 0,
		volume:   b[1] & 0x3F,
		duration: binary.BigEndian.Uint16(b[2:]),
	}, nil
}

func appendTelephoneEvent(dst []byte, e telephoneEvent) []byte {
	flags := e.volume & 0x3F
	if e.end {
		flags |= 0x80
	}
	dst = append(dst, e.event, flags)
	return binary.BigEndian.AppendUint16(dst, e.duration)
}

// keys lists the DTMF keys in the order of their event codes (RFC 4733
// section 3.2).
const keys = "0123456789*#ABCD"
