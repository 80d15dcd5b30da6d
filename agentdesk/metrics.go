package agentdesk

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	connections    prometheus.Gauge
	deltas         prometheus.Counter
	slow           prometheus.Counter
	leases         prometheus.Counter
	resumes        *prometheus.CounterVec
	signOnFailures *prometheus.CounterVec
	pop            prometheus.Histogram
	popFailures    prometheus.Counter
	spooled        prometheus.Gauge
	sipConnections prometheus.Gauge
	sipRefused     prometheus.Counter
}

// newMetrics registers the desk's metrics. No label carries a person's name,
// number or address.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "c3i_desk_connections", Help: "Desks connected by websocket."}),
		deltas:         prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_desk_deltas_total", Help: "Deltas numbered for desks."}),
		slow:           prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_desk_slow_disconnects_total", Help: "Desks disconnected because they read too slowly."}),
		leases:         prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_desk_leases_expired_total", Help: "Desks that left routing for want of a heartbeat."}),
		resumes:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_desk_hellos_total", Help: "Desks opened, by what they were sent."}, []string{"sent"}),
		signOnFailures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_sign_on_failures_total", Help: "Sign-ons refused, by reason."}, []string{"reason"}),
		pop:            prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c3i_desk_pop_seconds", Help: "From the offer to the caller's record on its way to the desk.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 13)}),
		popFailures:    prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_desk_pop_failures_total", Help: "Readings of the CRM for a desk that failed."}),
		spooled:        prometheus.NewGauge(prometheus.GaugeOpts{Name: "c3i_history_spooled", Help: "Endings of contacts not yet written to the CRM."}),
		sipConnections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "c3i_sip_connections", Help: "SIP websockets open through the proxy."}),
		sipRefused:     prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_sip_refused_total", Help: "SIP messages refused because they named another user."}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.connections, m.deltas, m.slow, m.leases, m.resumes, m.signOnFailures, m.pop, m.popFailures, m.spooled, m.sipConnections, m.sipRefused} {
		errs = append(errs, reg.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("register the desk's metrics: %w", err)
	}
	return m, nil
}
