package live

import (
	"github.com/prometheus/client_golang/prometheus"

	"example.org/c3i/routing"
)

// Metrics counts what the driver does, for operators.
type Metrics struct {
	events         *prometheus.CounterVec
	actions        *prometheus.CounterVec
	refused        *prometheus.CounterVec
	alerts         *prometheus.CounterVec
	endings        *prometheus.CounterVec
	callbacks      *prometheus.CounterVec
	rejected       prometheus.Counter
	lag            prometheus.Histogram
	appendSeconds  prometheus.Histogram
	appendErrors   prometheus.Counter
	snapshotErrors prometheus.Counter
	unacked        prometheus.Gauge
	stalls         prometheus.Counter
	spoolLength    prometheus.Gauge
	spoolErrors    prometheus.Counter
	sinkLength     *prometheus.GaugeVec
	sinkErrors     *prometheus.CounterVec
	sinkPanics     *prometheus.CounterVec
	audits         prometheus.Counter
	violations     prometheus.Counter
	contacts       *prometheus.GaugeVec
	agents         *prometheus.GaugeVec
}

// NewMetrics makes the collectors and registers them; nil registers nowhere. It
// panics when they are registered already.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	const ns = "c3i"
	const sub = "routing"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
	}
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: ns, Subsystem: sub, Name: name, Help: help,
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		})
	}
	m := &Metrics{
		events:         counters("events_total", "Events stepped, by kind.", "kind"),
		actions:        counters("actions_total", "Actions decided, by kind; offers are kind \"offer\".", "kind"),
		refused:        counters("refused_total", "Events that changed nothing, by event and code.", "event", "code"),
		alerts:         counters("alerts_total", "Alerts for a person's attention, by code.", "code"),
		endings:        counters("contacts_ended_total", "Contacts ended, by ending.", "ending"),
		callbacks:      counters("callbacks_ended_total", "Contacts ended whose caller asked to be rung back, by result.", "result"),
		rejected:       counter("events_rejected_total", "Events that could not be journalled and were not stepped."),
		lag:            seconds("event_release_seconds", "Time from submitting an event to releasing its actions."),
		appendSeconds:  seconds("journal_append_seconds", "Time of one append to the journal."),
		appendErrors:   counter("journal_append_errors_total", "Appends the journal did not take."),
		snapshotErrors: counter("journal_snapshot_errors_total", "Snapshots that were not saved."),
		unacked:        gauge("journal_unacknowledged_records", "Records the journal has not acknowledged."),
		stalls:         counter("journal_stalls_total", "Times the journal did not keep up and records were spooled."),
		spoolLength:    gauge("spool_records", "Records on the spool, waiting for the journal."),
		spoolErrors:    counter("spool_errors_total", "Writes to the spool that failed."),
		sinkLength:     gauges("sink_queue_length", "Actions waiting for a sink.", "sink"),
		sinkErrors:     counters("sink_errors_total", "Actions a sink failed to do.", "sink"),
		sinkPanics:     counters("sink_panics_total", "Panics of a sink.", "sink"),
		audits:         counter("audits_total", "Samples taken by the auditor."),
		violations:     counter("invariant_violations_total", "Broken invariants the auditor found."),
		contacts:       gauges("contacts", "Contacts in hand now, by state.", "state"),
		agents:         gauges("agents", "Handlers now, by state.", "state"),
	}
	if reg != nil {
		reg.MustRegister(m.events, m.actions, m.refused, m.alerts, m.endings, m.callbacks, m.rejected, m.lag, m.appendSeconds, m.appendErrors,
			m.snapshotErrors, m.unacked, m.stalls, m.spoolLength, m.spoolErrors, m.sinkLength, m.sinkErrors, m.sinkPanics,
			m.audits, m.violations, m.contacts, m.agents)
	}
	return m
}

func (m *Metrics) stepped(kind string, actions []routing.Action) {
	m.events.WithLabelValues(kind).Inc()
	for _, a := range actions {
		m.actions.WithLabelValues(a.ActionKind()).Inc()
		switch a := a.(type) {
		case routing.Refused:
			m.refused.WithLabelValues(a.Event, a.Code).Inc()
		case routing.Alert:
			m.alerts.WithLabelValues(a.Code).Inc()
		case routing.Ended:
			m.endings.WithLabelValues(string(a.Ending)).Inc()
			if a.Callback != "" {
				m.callbacks.WithLabelValues(string(a.Callback)).Inc()
			}
		}
	}
}

func (m *Metrics) sample(n routing.Counts) {
	for state, count := range map[string]int{
		"waiting": n.Waiting, "ringing": n.Ringing, "connecting": n.Connecting, "talking": n.Talking, "held": n.Held, "parked": n.Parked, "wrap_up": n.WrapUp,
		"deferred": n.Deferred, "calling": n.Calling,
	} {
		m.contacts.WithLabelValues(state).Set(float64(count))
	}
	for state, count := range map[string]int{
		"ready": n.Ready, "not_ready": n.NotReady, "busy": n.Busy, "resting": n.Resting, "offline": n.Offline,
	} {
		m.agents.WithLabelValues(state).Set(float64(count))
	}
}
