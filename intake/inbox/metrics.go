package inbox

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/redis/go-redis/v9"
)

// Metrics count what was accepted and worked, by kind.
type Metrics struct {
	accepted    *prometheus.CounterVec
	worked      *prometheus.CounterVec
	pending     *prometheus.GaugeVec
	oldest      *prometheus.GaugeVec
	quarantined *prometheus.GaugeVec
	seconds     *prometheus.HistogramVec
}

// NewMetrics registers the metrics; a nil registerer registers nothing.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := promauto.With(r)
	return &Metrics{
		accepted: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_inbox_accepted_total", Help: "Items accepted; result \"repeat\" counts those accepted before.",
		}, []string{"kind", "result"}),
		worked: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_inbox_worked_total", Help: "Attempts to work an item, by result: done, failed, later, quarantined.",
		}, []string{"kind", "result"}),
		pending: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "c3i_inbox_pending", Help: "Items accepted and not yet in routing's hands.",
		}, []string{"kind"}),
		oldest: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "c3i_inbox_oldest_seconds", Help: "Age of the oldest pending item, 0 when there is none.",
		}, []string{"kind"}),
		quarantined: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "c3i_inbox_quarantined", Help: "Items that could not be worked and were handed to a person.",
		}, []string{"kind"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "c3i_inbox_seconds", Help: "From arrival to routing's hands.",
			Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 60, 600, 3600},
		}, []string{"kind"}),
	}
}

func (m *Metrics) done(it Item, now time.Time) {
	m.worked.WithLabelValues(string(it.Kind), "done").Inc()
	m.seconds.WithLabelValues(string(it.Kind)).Observe(now.Sub(it.At.Time()).Seconds())
}

func (m *Metrics) show(kind Kind, f Figures, now time.Time) {
	m.pending.WithLabelValues(string(kind)).Set(float64(f.Pending))
	m.quarantined.WithLabelValues(string(kind)).Set(float64(f.Quarantined))
	age := 0.0
	if f.Oldest != 0 {
		age = now.Sub(f.Oldest.Time()).Seconds()
	}
	m.oldest.WithLabelValues(string(kind)).Set(age)
}

func z(name string, at time.Time) redis.Z {
	return redis.Z{Score: float64(at.UnixMilli()), Member: name}
}
