package email

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics count what came and went; no label holds anything about anybody.
type Metrics struct {
	received *prometheus.CounterVec
	filed    *prometheus.CounterVec
	receipts *prometheus.CounterVec
	scans    *prometheus.CounterVec
	sent     *prometheus.CounterVec
	imap     *prometheus.GaugeVec
}

// NewMetrics registers the metrics; a nil registerer registers nothing.
func NewMetrics(r prometheus.Registerer) *Metrics {
	f := promauto.With(r)
	return &Metrics{
		received: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_mail_received_total", Help: "Messages handed to C3i, by way (smtp, lmtp, imap) and result: accepted, repeat, refused, later, too_large, cut_off.",
		}, []string{"way", "result"}),
		filed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_mail_filed_total", Help: "What accepted messages became: contact, joined, bounce, repeat, unreadable.",
		}, []string{"as"}),
		receipts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_mail_receipts_total", Help: "Automatic receipts sent, or why none was.",
		}, []string{"result"}),
		scans: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_mail_scans_total", Help: "Attachments by what the scanner said.",
		}, []string{"result"}),
		sent: f.NewCounterVec(prometheus.CounterOpts{
			Name: "c3i_mail_sent_total", Help: "Outgoing messages by the delivery states they went through.",
		}, []string{"state"}),
		imap: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "c3i_mail_imap_up", Help: "1 while a mailbox is being watched, by account.",
		}, []string{"account"}),
	}
}
