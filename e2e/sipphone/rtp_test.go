package sipphone

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestParseRTP(t *testing.T) {
	head := func(first, second byte) []byte {
		return []byte{first, second, 0x12, 0x34, 0, 0, 0, 160, 0xDE, 0xAD, 0xBE, 0xEF}
	}
	with := func(b []byte, more ...byte) []byte { return append(b, more...) }
	tests := []struct {
		name string
		in   []byte
		want []byte
		err  error
	}{
		{"plain", with(head(0x80, 0), 1, 2, 3), []byte{1, 2, 3}, nil},
		{"no data", head(0x80, 0), []byte{}, nil},
		{"two contributing sources", with(head(0x82, 0), 0, 0, 0, 1, 0, 0, 0, 2, 9), []byte{9}, nil},
		{"extension", with(head(0x90, 0), 0xBE, 0xDE, 0, 1, 1, 2, 3, 4, 9), []byte{9}, nil},
		{"padding", with(head(0xA0, 0), 9, 9, 0, 0, 3), []byte{9, 9}, nil},
		{"all padding", with(head(0xA0, 0), 0, 2), []byte{}, nil},
		{"empty datagram", nil, nil, errShortRTP},
		{"eleven bytes", head(0x80, 0)[:11], nil, errShortRTP},
		{"version 1", head(0x40, 0), nil, errNotRTP},
		{"a STUN request", []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0}, nil, errNotRTP},
		{"RTCP sender report", head(0x80, 200), nil, errRTCP},
		{"fifteen sources in no bytes", head(0x8F, 0), nil, errShortRTP},
		{"extension cut off", with(head(0x90, 0), 0xBE, 0xDE), nil, errShortRTP},
		{"extension longer than the packet", with(head(0x90, 0), 0xBE, 0xDE, 0xFF, 0xFF), nil, errShortRTP},
		{"padding of nothing", with(head(0xA0, 0), 0), nil, errShortRTP},
		{"padding longer than the packet", with(head(0xA0, 0), 200), nil, errShortRTP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parseRTP(tt.in)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && !bytes.Equal(p.data, tt.want) {
				t.Errorf("data %v, want %v", p.data, tt.want)
			}
		})
	}
}

func FuzzParseRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xFF})
	f.Add([]byte{0xB2, 101, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xFF})
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := parseRTP(in)
		if err != nil {
			return
		}
		if len(p.data) > len(in)-12 {
			t.Fatal("more data than there was")
		}
		again, err := parseRTP(appendRTP(nil, p))
		if err != nil || again.sequence != p.sequence || again.timestamp != p.timestamp || !bytes.Equal(again.data, p.data) {
			t.Fatalf("wrote %+v, read %+v, %v", p, again, err)
		}
	})
}

func TestKeypad(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := newKeypad()
	for _, p := range []struct {
		event    uint8
		ssrc     uint32
		stamp    uint32
		duration uint16
	}{
		{1, 7, 100, 160}, {1, 7, 100, 320}, {1, 7, 100, 320}, {1, 7, 100, 320}, // one press, its end repeated
		{1, 7, 900, 160},                   // the same key again
		{11, 7, 1800, 480},                 // only the end packet got through
		{11, 8, 1800, 160},                 // another source with the same timestamp
		{16, 7, 2000, 160},                 // flash: not a key
		{255, 7, 2100, 160},                // nonsense
		{11, 8, 1800, 80},                  // a late packet does not shorten the press
		{15, 7, 3000, 0}, {0, 7, 4000, 80}, // D and 0
	} {
		k.event(telephoneEvent{event: p.event, duration: p.duration}, p.ssrc, p.stamp, at)
	}
	want := []Digit{
		{'1', at, 40 * time.Millisecond},
		{'1', at, 20 * time.Millisecond},
		{'#', at, 60 * time.Millisecond},
		{'#', at, 20 * time.Millisecond},
		{'D', at, 0},
		{'0', at, 10 * time.Millisecond},
	}
	if len(k.digits) != len(want) {
		t.Fatalf("got %v, want %v", k.digits, want)
	}
	for i := range want {
		if k.digits[i] != want[i] {
			t.Errorf("digit %d is %v, want %v", i, k.digits[i], want[i])
		}
	}
	for i := range uint32(5000) {
		k.event(telephoneEvent{event: 1}, 9, i, at)
	}
	if len(k.digits) > maxDigits {
		t.Errorf("a flood made it remember %d digits", len(k.digits))
	}
}

func TestPressPackets(t *testing.T) {
	p := &press{event: 5, on: 3, off: 2}
	type step struct {
		started  bool
		repeats  int
		over     bool
		end      bool
		duration uint16
		stamp    uint32
	}
	want := []step{
		{true, 1, false, false, 160, 1000},
		{false, 1, false, false, 320, 1000},
		{false, 3, false, true, 480, 1000},
		{false, 0, false, false, 0, 0},
		{false, 0, true, false, 0, 0},
	}
	for i, w := range want {
		frame, started, repeats, over := p.step(rtpPacket{timestamp: 1000 + uint32(i)*frameSize}, 96)
		got := step{started: started, repeats: repeats, over: over}
		if repeats > 0 {
			e, err := parseTelephoneEvent(frame.data)
			if err != nil || e.event != 5 || frame.payload != 96 {
				t.Fatalf("step %d: %+v, %v", i, frame, err)
			}
			got.end, got.duration, got.stamp = e.end, e.duration, frame.timestamp
		}
		if got != w {
			t.Errorf("step %d is %+v, want %+v", i, got, w)
		}
	}
}
