package telephony

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the counters of this package. The zero value is not usable; a nil
// *Metrics counts nothing.
type Metrics struct {
	calls     *prometheus.GaugeVec
	rest      *prometheus.HistogramVec
	restFail  *prometheus.CounterVec
	unknown   *prometheus.CounterVec
	lag       prometheus.Histogram
	mailbox   prometheus.Counter
	watchdogs *prometheus.CounterVec
	verdicts  *prometheus.CounterVec
	legs      *prometheus.CounterVec
	orphans   *prometheus.CounterVec
	leaks     prometheus.Counter
	connected prometheus.Gauge
	ring      prometheus.Histogram
	connect   prometheus.Histogram
}

// NewMetrics makes the counters and registers them; reg may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	fine := []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2, 5}
	m := &Metrics{
		calls:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "c3i_calls", Help: "Calls by state."}, []string{"state"}),
		rest:      prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "c3i_switch_command_seconds", Help: "Time a switch command took, by command.", Buckets: fine}, []string{"op"}),
		restFail:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_switch_command_failures_total", Help: "Switch commands not carried out, by command and cause."}, []string{"op", "cause"}),
		unknown:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_switch_unknown_events_total", Help: "Switch events that were not understood, by type."}, []string{"type"}),
		lag:       prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c3i_switch_event_lag_seconds", Help: "Time from the switch's stamp on an event to its handling.", Buckets: fine}),
		mailbox:   prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_call_mailbox_alarms_total", Help: "Times a call's mailbox grew past its alarm depth."}),
		watchdogs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_call_watchdogs_total", Help: "Watchdogs that fired, by what they watched."}, []string{"watch"}),
		verdicts:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_call_verdicts_total", Help: "Calls ended, by verdict and fault."}, []string{"verdict", "fault"}),
		legs:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_leg_verdicts_total", Help: "Handlers' phones rung, by what became of it."}, []string{"verdict"}),
		orphans:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c3i_orphans_total", Help: "Channels and bridges without a call, released, by kind."}, []string{"kind"}),
		leaks:     prometheus.NewCounter(prometheus.CounterOpts{Name: "c3i_hangup_given_up_total", Help: "Hang-ups that were given up after all tries; the audit takes them on."}),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{Name: "c3i_switch_connected", Help: "1 while the event stream stands."}),
		ring:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c3i_offer_to_dial_seconds", Help: "Time from an offer to the switch having taken the dial command.", Buckets: fine}),
		connect:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c3i_answer_to_connected_seconds", Help: "Time from a handler's answer to caller and handler being joined.", Buckets: fine}),
	}
	for _, s := range States() {
		if s != StateEnded {
			m.calls.WithLabelValues(string(s))
		}
	}
	if reg != nil {
		reg.MustRegister(m.calls, m.rest, m.restFail, m.unknown, m.lag, m.mailbox, m.watchdogs, m.verdicts, m.legs, m.orphans, m.leaks, m.connected, m.ring, m.connect)
	}
	return m
}

// maxTypeLabel bounds the type label of unknown events.
const maxTypeLabel = 40

func (m *Metrics) moved(from, to State) {
	if m == nil {
		return
	}
	if from != "" {
		m.calls.WithLabelValues(string(from)).Dec()
	}
	if to != StateEnded {
		m.calls.WithLabelValues(string(to)).Inc()
	}
}

func (m *Metrics) command(op string, took time.Duration, err error) {
	if m == nil {
		return
	}
	m.rest.WithLabelValues(op).Observe(took.Seconds())
	if err != nil {
		m.restFail.WithLabelValues(op, errCode(err)).Inc()
	}
}

func (m *Metrics) event(now time.Time, ev Event) {
	if m == nil {
		return
	}
	if !ev.Sent.IsZero() {
		m.lag.Observe(max(0, now.Sub(ev.Sent).Seconds()))
	}
	if u, is := ev.Body.(Unknown); is {
		m.unknown.WithLabelValues(typeLabel(u.Type)).Inc()
	}
}

// typeLabel keeps what a broken switch sends from becoming endless labels.
func typeLabel(t string) string {
	if t == "" || len(t) > maxTypeLabel {
		return "other"
	}
	for _, r := range t {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return "other"
		}
	}
	return t
}

func (m *Metrics) alarm() {
	if m != nil {
		m.mailbox.Inc()
	}
}

func (m *Metrics) watchdog(what string) {
	if m != nil {
		m.watchdogs.WithLabelValues(what).Inc()
	}
}

func (m *Metrics) ended(v Verdict) {
	if m != nil {
		m.verdicts.WithLabelValues(v.Code, string(v.Fault)).Inc()
	}
}

func (m *Metrics) leg(code string) {
	if m != nil {
		m.legs.WithLabelValues(code).Inc()
	}
}

func (m *Metrics) orphan(kind string) {
	if m != nil {
		m.orphans.WithLabelValues(kind).Inc()
	}
}

func (m *Metrics) leaked() {
	if m != nil {
		m.leaks.Inc()
	}
}

func (m *Metrics) link(up bool) {
	if m == nil {
		return
	}
	if up {
		m.connected.Set(1)
	} else {
		m.connected.Set(0)
	}
}

func (m *Metrics) rang(d time.Duration) {
	if m != nil {
		m.ring.Observe(d.Seconds())
	}
}

func (m *Metrics) joined(d time.Duration) {
	if m != nil {
		m.connect.Observe(d.Seconds())
	}
}
