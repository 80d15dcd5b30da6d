package web

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count; no label carries anything a reporter typed.
type metrics struct {
	starts   *prometheus.CounterVec
	steps    *prometheus.CounterVec
	sent     *prometheus.CounterVec
	stops    *prometheus.CounterVec
	refused  *prometheus.CounterVec
	takeUp   *prometheus.CounterVec
	rating   *prometheus.CounterVec
	follow   *prometheus.CounterVec
	uploads  *prometheus.CounterVec
	api      *prometheus.CounterVec
	worked   *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		starts:  vec("c3i_web_starts_total", "Web reports begun, by language.", "language"),
		steps:   vec("c3i_web_steps_total", "Pages of the form shown to a reporter for the first time: the drop-out by page.", "step"),
		sent:    vec("c3i_web_sent_total", "Web reports sent, by category and language.", "category", "language"),
		stops:   vec("c3i_web_stops_total", "Forms stopped, by why.", "stop"),
		refused: vec("c3i_web_refused_total", "Requests refused for now, by limit or proof.", "why"),
		takeUp:  vec("c3i_web_take_up_total", "Answers to the channel questions of reports sent.", "question", "answer"),
		rating:  vec("c3i_web_rating_total", "Opinions given after a report was sent.", "rating"),
		follow:  vec("c3i_web_follow_total", "What people did at the tracking pages.", "what"),
		uploads: vec("c3i_web_uploads_total", "Files uploaded, by what became of them.", "result"),
		api:     vec("c3i_web_api_total", "Requests to the partners' API, by operation and status.", "operation", "status"),
		worked:  vec("c3i_web_worked_total", "Accepted items worked, by kind and result.", "kind", "result"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "c3i_web_fill_seconds", Help: "From beginning a report to sending it.", Buckets: prometheus.ExponentialBuckets(30, 2, 10),
		}),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.starts, m.steps, m.sent, m.stops, m.refused, m.takeUp, m.rating, m.follow, m.uploads, m.api, m.worked, m.duration} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}
