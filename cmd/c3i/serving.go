package main

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"example.org/c3i/configs"
	"example.org/c3i/edge"
)

// headerMost bounds a request's header, in bytes; headerTime how long it may take,
// TLS included, and idleTime how long a connection waits for the next request.
const (
	headerMost = 64 << 10
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
)

// requestTimes are how long requests and answers may take. Both handlers, of the
// desk and of the public pages, hold theirs to them.
func requestTimes(c configs.HTTP) edge.Times { return edge.NewTimes(c.Stall, c.UploadMax) }

// boundConnections lets no more of them stand on l than the settings say.
func boundConnections(l net.Listener, c configs.Config, reg prometheus.Registerer) *edge.Listener {
	f := promauto.With(reg)
	refused := f.NewCounterVec(prometheus.CounterOpts{
		Name: "c3i_http_refused_total", Help: "Connections refused because too many stood: all, or those of one address.",
	}, []string{"why"})
	dropped := f.NewCounter(prometheus.CounterOpts{
		Name: "c3i_http_dropped_total", Help: "Idle connections that gave way to new ones.",
	})
	proxies := prefixes(c.Web.Proxies)
	bounded := edge.Listen(l, edge.Limits{
		Connections: c.HTTP.Connections, PerRemote: c.HTTP.ConnectionsPerAddress,
		Exempt:  func(a netip.Addr) bool { return a.IsLoopback() || proxies.Contains(a) },
		Refused: func(why string) { refused.WithLabelValues(why).Inc() }, Dropped: dropped.Inc,
	})
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "c3i_http_connections", Help: "Connections that stand."}, func() float64 { return float64(bounded.Open()) })
	return bounded
}

// newHTTPServer makes the server of desk, public pages and API on l.
func newHTTPServer(h http.Handler, l *edge.Listener) *http.Server {
	return &http.Server{
		Handler: h, ConnContext: edge.Context, ConnState: l.State,
		ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerMost,
		// Over HTTP/2 a client that reads nothing is found by the connection.
		HTTP2: &http.HTTP2Config{SendPingTimeout: idleTime, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second},
	}
}

// serve serves until stop.
func (a *app) serve(h http.Handler, reg prometheus.Registerer) {
	l := boundConnections(a.listener, a.c, reg)
	a.http = newHTTPServer(h, l)
	a.part("http", func() error {
		var err error
		if a.c.HTTP.TLSCert != "" {
			err = a.http.ServeTLS(l, a.c.HTTP.TLSCert, a.c.HTTP.TLSKey)
		} else {
			err = a.http.Serve(l)
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
}
