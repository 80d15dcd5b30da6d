package sipphone

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func sdp(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

func TestParseSDP(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.0.1:4000")
	tests := []struct {
		name string
		in   []byte
		want description
	}{
		{
			"plain", sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendRecv},
		},
		{
			"bare line feeds", []byte("c=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 8\n"),
			description{addr: addr, codecs: []Codec{PCMA}, direction: sendRecv},
		},
		{
			"telephone events at 96", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 8 0 96", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 telephone-event/8000"),
			description{addr: addr, codecs: []Codec{PCMA, PCMU}, event: 96, direction: sendRecv},
		},
		{
			"wide-band events are not ours", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/48000"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendRecv},
		},
		{
			"media address wins", sdp("c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0", "c=IN IP4 127.0.0.1"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendRecv},
		},
		{
			"held", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 0", "a=sendonly"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendOnly},
		},
		{
			"held for the whole session", sdp("c=IN IP4 127.0.0.1", "a=inactive", "m=audio 4000 RTP/AVP 0"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: inactive},
		},
		{
			"media direction wins", sdp("c=IN IP4 127.0.0.1", "a=inactive", "m=audio 4000 RTP/AVP 0", "a=recvonly"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: recvOnly},
		},
		{
			"held the old way", sdp("c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"),
			description{addr: netip.MustParseAddrPort("0.0.0.0:4000"), codecs: []Codec{PCMU}, direction: inactive},
		},
		{
			"video's direction is its own", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "a=inactive"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendRecv},
		},
		{
			"refused stream first", sdp("c=IN IP4 127.0.0.1", "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 0"),
			description{addr: addr, codecs: []Codec{PCMU}, direction: sendRecv},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseSDP(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.addr != tt.want.addr || !slices.Equal(got.codecs, tt.want.codecs) || got.event != tt.want.event || got.direction != tt.want.direction {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseSDPRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "no audio"},
		{"not a description", []byte("hello world\r\n"), "line 1"},
		{"no connection", sdp("m=audio 4000 RTP/AVP 0"), "no connection address"},
		{"host name", sdp("c=IN IP4 phone.example.org", "m=audio 4000 RTP/AVP 0"), "line 1"},
		{"bad connection", sdp("v=0", "c=IN IP4", "m=audio 4000 RTP/AVP 0"), "line 2"},
		{"bad port", sdp("c=IN IP4 127.0.0.1", "m=audio 70000 RTP/AVP 0"), "line 2"},
		{"negative port", sdp("c=IN IP4 127.0.0.1", "m=audio -1 RTP/AVP 0"), "line 2"},
		{"short media line", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP"), "line 2"},
		{"encrypted only", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/SAVP 0"), "no audio"},
		{"refused", sdp("c=IN IP4 127.0.0.1", "m=audio 0 RTP/AVP 0"), "no audio"},
		{"video only", sdp("c=IN IP4 127.0.0.1", "m=video 4000 RTP/AVP 96"), "no audio"},
		{"opus only", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"), "no codec"},
		{"payload type redefined", sdp("c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 0", "a=rtpmap:0 L16/44100"), "no codec"},
		{"too long", []byte(strings.Repeat("a=x\r\n", 10000)), "16 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSDP(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAnswerRefusesOtherStreams(t *testing.T) {
	offer, err := parseSDP(sdp("c=IN IP4 127.0.0.1", "m=video 4002 RTP/AVP 96", "m=audio 4000 RTP/AVP 0 8", "m=audio 4004 RTP/AVP 0"))
	if err != nil {
		t.Fatal(err)
	}
	answer := description{addr: netip.MustParseAddrPort("127.0.0.1:5000"), codecs: []Codec{PCMU}, direction: sendRecv}.marshal(&offer)
	var media []string
	for line := range strings.Lines(string(answer)) {
		if strings.HasPrefix(line, "m=") {
			media = append(media, strings.TrimSpace(line))
		}
	}
	want := []string{"m=video 0 RTP/AVP 96", "m=audio 5000 RTP/AVP 0", "m=audio 0 RTP/AVP 0"}
	if !slices.Equal(media, want) {
		t.Errorf("media lines %q, want %q", media, want)
	}
}

func FuzzParseSDP(f *testing.F) {
	f.Add(sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly"))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := parseSDP(in)
		if err != nil {
			return
		}
		again, err := parseSDP(d.marshal(&d))
		if err != nil || again.addr != d.addr || again.event != d.event {
			t.Fatalf("wrote %+v, read %+v, %v", d, again, err)
		}
	})
}
