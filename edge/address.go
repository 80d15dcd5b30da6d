package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Remote is what a client is counted by: its address without a zone, of IPv6 the
// /64, because a subscriber is given at least that much. An IPv4 address counts as
// itself however it is written. address may have a port; what is no address is
// given back as it is.
func Remote(address string) string {
	a, ok := parse(address)
	if !ok {
		return address
	}
	return count(a)
}

func parse(address string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	a, err := netip.ParseAddr(host)
	return a.Unmap().WithZone(""), err == nil
}

func count(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// Networks are addresses that are treated alike.
type Networks []netip.Prefix

// Contains tells whether an address lies in one of the networks.
func (n Networks) Contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Client is what a request is counted by: [Remote] of the peer or, when that is
// one of the proxies, of whom the proxies name in X-Forwarded-For. Names that no
// proxy of ours wrote are not believed.
func Client(r *http.Request, proxies Networks) string {
	a, ok := parse(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && proxies.Contains(a); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		a = next.Unmap().WithZone("")
	}
	return count(a)
}
