package ariswitch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/c3i/telephony"
)

const channelJSON = `{"id":"1.2","name":"PJSIP/trunk-00000001","state":"Ring","caller":{"name":"","number":"02079460101"},"connected":{"name":"","number":""},` +
	`"accountcode":"","dialplan":{"context":"from-trunk","exten":"101","priority":1,"app_name":"Stasis","app_data":"c3i,inbound"},"creationtime":"2026-11-23T04:30:58.123+0000","language":"en"}`

func TestDecode(t *testing.T) {
	const stamp = `"timestamp":"2026-11-23T04:30:58.123+0000","application":"c3i"`
	for _, c := range []struct {
		name, in string
		want     telephony.EventBody
	}{
		{
			"entered", `{"type":"StasisStart",` + stamp + `,"args":["inbound","fallback"],"channel":` + channelJSON + `}`,
			telephony.ChannelEntered{Channel: "1.2", Args: []string{"inbound", "fallback"}, State: telephony.ChannelRing, Number: "02079460101", Dialled: "101"},
		},
		{"left", `{"type":"StasisEnd",` + stamp + `,"channel":` + channelJSON + `}`, telephony.ChannelLeft{Channel: "1.2"}},
		{"destroyed", `{"type":"ChannelDestroyed",` + stamp + `,"cause":17,"cause_txt":"User busy","channel":` + channelJSON + `}`, telephony.ChannelDestroyed{Channel: "1.2", Cause: 17}},
		{"state", `{"type":"ChannelStateChange",` + stamp + `,"channel":` + channelJSON + `}`, telephony.StateChanged{Channel: "1.2", State: "Ring"}},
		{"digit", `{"type":"ChannelDtmfReceived",` + stamp + `,"digit":"#","duration_ms":100,"channel":` + channelJSON + `}`, telephony.DigitReceived{Channel: "1.2", Digit: '#'}},
		{"playback", `{"type":"PlaybackFinished",` + stamp + `,"playback":{"id":"p","state":"done","media_uri":"sound:x","target_uri":"channel:1.2"}}`, telephony.PlaybackFinished{Playback: "p"}},
		{"playback failed", `{"type":"PlaybackFinished",` + stamp + `,"playback":{"id":"p","state":"failed"}}`, telephony.PlaybackFinished{Playback: "p", Failed: true}},
		{"dial", `{"type":"Dial",` + stamp + `,"dialstatus":"BUSY","peer":` + channelJSON + `}`, telephony.DialChanged{Channel: "1.2", Status: "BUSY"}},
		{"phone up", `{"type":"DeviceStateChanged",` + stamp + `,"device_state":{"name":"PJSIP/desk1","state":"NOT_INUSE"}}`, telephony.EndpointChanged{Endpoint: "PJSIP/desk1", Up: true}},
		{"phone down", `{"type":"DeviceStateChanged",` + stamp + `,"device_state":{"name":"PJSIP/desk1","state":"UNAVAILABLE"}}`, telephony.EndpointChanged{Endpoint: "PJSIP/desk1"}},
		{"replaced", `{"type":"ApplicationReplaced",` + stamp + `}`, telephony.Replaced{}},
	} {
		d := decode([]byte(c.in))
		if len(d.bodies) != 1 || !cmp.Equal(d.bodies[0], c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, d.bodies, c.want)
		}
		if d.sent.IsZero() {
			t.Errorf("%s: the switch's time stamp is lost", c.name)
		}
	}
	if d := decode([]byte(`{"type":"ChannelVarset","variable":"X","value":"1"}`)); len(d.bodies) != 0 {
		t.Errorf("noise gave %+v", d.bodies)
	}
}

// odd reads the corpus of odd events: files named by what is odd about them.
func odd(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/odd/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no odd events: %v", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		all[filepath.Base(f)] = b
	}
	return all
}

func TestOddEventsAreKeptAndNameTheirFault(t *testing.T) {
	for name, data := range odd(t) {
		d := decode(data)
		if len(d.bodies) != 1 {
			t.Errorf("%s: %d bodies", name, len(d.bodies))
			continue
		}
		u, is := d.bodies[0].(telephony.Unknown)
		if !is {
			t.Errorf("%s was taken for %+v", name, d.bodies[0])
			continue
		}
		if u.Raw == "" || len(u.Raw) > 2*maxRaw {
			t.Errorf("%s: %d bytes kept", name, len(u.Raw))
		}
		if (u.Err == nil) != strings.HasPrefix(name, "unknown-") {
			t.Errorf("%s: error %v", name, u.Err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range odd(f) {
		f.Add(data)
	}
	f.Add([]byte(`{"type":"StasisStart","args":["inbound"],"channel":` + channelJSON + `}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, b := range decode(data).bodies {
			switch b := b.(type) {
			case telephony.Unknown:
				if len(b.Raw) > 2*maxRaw || !utf8.ValidString(b.Raw) {
					t.Errorf("kept %d bytes", len(b.Raw))
				}
			case telephony.ChannelEntered:
				if b.Channel == "" {
					t.Error("a channel without an id")
				}
			case telephony.ChannelLeft:
				if b.Channel == "" {
					t.Error("a channel without an id")
				}
			case telephony.ChannelDestroyed:
				if b.Channel == "" {
					t.Error("a channel without an id")
				}
			}
		}
	})
}
