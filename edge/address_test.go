package edge_test

import (
	"net/http"
	"net/netip"
	"testing"

	"example.org/c3i/edge"
)

func TestClientsAreCountedByAddressAndOfIPv6ByTheNetworkTheyAreGiven(t *testing.T) {
	for given, want := range map[string]string{
		"192.0.2.7:4711":              "192.0.2.7",
		"192.0.2.7":                   "192.0.2.7",
		"[::ffff:192.0.2.7]:4711":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:4711": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1":        "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:4711":      "2001:db8:1:3::/64",
		"[fe80::1%eth0]:4711":         "fe80::/64",
		"/run/postfix/lmtp":           "/run/postfix/lmtp",
		"":                            "",
	} {
		if got := edge.Remote(given); got != want {
			t.Errorf("Remote(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestOnlyWhatOurProxiesWroteIsBelieved(t *testing.T) {
	ours := edge.Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ name, peer, forwarded, want string }{
		{"no proxy", "192.0.2.7:1", "198.51.100.1", "192.0.2.7"},
		{"one proxy", "10.0.0.1:1", "192.0.2.7", "192.0.2.7"},
		{"a client that forges what comes before", "10.0.0.1:1", "198.51.100.1, 192.0.2.7", "192.0.2.7"},
		{"two proxies", "[fd00::1]:1", "192.0.2.7, 10.0.0.2", "192.0.2.7"},
		{"IPv6 behind a proxy", "10.0.0.1:1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"IPv4 written as IPv6 behind a proxy", "[::ffff:10.0.0.1]:1", "::ffff:192.0.2.7", "192.0.2.7"},
		{"a proxy that says nothing", "10.0.0.1:1", "", "10.0.0.1"},
		{"a proxy that says something odd", "10.0.0.1:1", "192.0.2.7, unknown", "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := edge.Client(r, ours); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
