package sim

import "math"

// Metric names a figure of a report.
type Metric string

// The figures. Waits are from entering the queue until caller and handler hear
// each other, in seconds.
const (
	Offered      Metric = "offered"
	Answered     Metric = "answered"
	Abandoned    Metric = "abandoned"
	ShortAbandon Metric = "abandoned_short"
	LongAbandon  Metric = "abandoned_long"
	ClosedOut    Metric = "closed"
	FailedCount  Metric = "failed"
	StillOpen    Metric = "still_open"
	ServiceLevel Metric = "service_level"
	AbandonRate  Metric = "abandon_rate"
	ASA          Metric = "asa"
	Wait90       Metric = "wait_p90"
	Wait99       Metric = "wait_p99"
	Longest      Metric = "longest_wait"
	AHT          Metric = "aht"
	Occupancy    Metric = "occupancy"
	Handlers     Metric = "handlers"
	NoAnswers    Metric = "offers_missed"
	Overflowed   Metric = "overflowed"
	Relaxed      Metric = "relaxed"
	Announced    Metric = "announcements"
	FedUp        Metric = "left_when_told"
	PreferredMet Metric = "preferred_met"
)

// Unit says how a figure is written.
type Unit string

// Units.
const (
	Count   Unit = "count"
	Share   Unit = "share"   // 0 … 1
	Seconds Unit = "seconds" // of time
)

// Definition says what a figure is, as printed beside it.
type Definition struct {
	Metric Metric `json:"metric"`
	Label  string `json:"label"`
	Unit   Unit   `json:"unit"`
	// Formula is in words and the symbols of the report's key.
	Formula string `json:"formula"`
	// Better is +1 when more is better, −1 when less is, 0 when neither.
	Better int `json:"better"`
}

// Definitions lists every figure in the order of reports. The service level's
// formula is that of f.
func Definitions(f Formula) []Definition {
	return []Definition{
		{Offered, "Offered", Count, "contacts that reached the queue", 0},
		{Answered, "Answered", Count, "contacts whose caller and handler were connected; written contacts a handler took", 1},
		{Abandoned, "Abandoned", Count, "B = short + long abandons", -1},
		{ShortAbandon, "Short abandons", Count, "left the queue sooner than the plan's short_abandon", 0},
		{LongAbandon, "Long abandons", Count, "left the queue later than that", -1},
		{ClosedOut, "Queue closed", Count, "came while the queue was closed", 0},
		{FailedCount, "Failed", Count, "ended by a technical fault", -1},
		{StillOpen, "Still open", Count, "waiting when the period ended", -1},
		{ServiceLevel, "Service level", Share, f.Name + " = " + f.Text, 1},
		{AbandonRate, "Abandon rate", Share, "B / (A + B)", -1},
		{ASA, "Average speed of answer", Seconds, "sum of waits of those answered / A", -1},
		{Wait90, "Wait, 90th percentile", Seconds, "the wait 90 % of those answered did not exceed", -1},
		{Wait99, "Wait, 99th percentile", Seconds, "the wait 99 % of those answered did not exceed", -1},
		{Longest, "Longest wait", Seconds, "the longest wait of anybody, answered or not, up to the end of the period", -1},
		{AHT, "Average handling time", Seconds, "(talk + wrap-up) / contacts closed", 0},
		{Occupancy, "Occupancy", Share, "time with a contact in hand / time signed on", 0},
		{Handlers, "Handlers", Count, "mean number signed on", 0},
		{NoAnswers, "Offers missed", Count, "offers no handler answered", -1},
		{Overflowed, "Overflowed", Count, "contacts that moved on from the queue their rule chose, counted there", 0},
		{Relaxed, "Answered by others", Count, "answered after a relaxation step had widened who may answer", 0},
		{Announced, "Announcements", Count, "times a caller was told position and wait", 0},
		{FedUp, "Left when told", Count, "hung up because of what they were told, as the profile assumes", -1},
		{PreferredMet, "Preferred handler met", Share, "of those answered who preferred a handler where the plan heeds it", 1},
	}
}

// Formula is one definition of the service level. t is the threshold: the time
// the plan's queue promises for the channel, unless another was asked for.
type Formula struct {
	Name string `json:"name"`
	// Text is the formula in symbols: A answered; At of them within t; B abandoned;
	// Bt of them within t; Bl later; Bs short abandons.
	Text string `json:"text"`
	of   func(s *sums) float64
}

// Formulas lists the definitions of the service level; the first is the default.
func Formulas() []Formula {
	return []Formula{
		{"SL-3", "At / (A + B)", func(s *sums) float64 { return s.within / (s.answered + s.abandoned()) }},
		{"SL-1", "(At + Bt) / (A + B)", func(s *sums) float64 { return (s.within + s.leftWithin) / (s.answered + s.abandoned()) }},
		{"SL-2", "At / A", func(s *sums) float64 { return s.within / s.answered }},
		{"SL-4", "At / (A + Bl)", func(s *sums) float64 { return s.within / (s.answered + s.abandoned() - s.leftWithin) }},
		{"SL-5", "(At + Bs) / (A + B)", func(s *sums) float64 { return (s.within + s.short) / (s.answered + s.abandoned()) }},
	}
}

// sums are one group's totals in one replication.
type sums struct {
	offered, answered, short, long, closed, failed, open float64
	within, leftWithin                                   float64
	waited, worked, handled                              float64
	longest                                              float64
	missed                                               float64
	overflowed, relaxed, told, fedUp                     float64
	preferring, preferred                                float64
	busy, staffed                                        float64
	// span is the time the group's staffed time is spread over; zero leaves
	// occupancy and handlers out.
	span  float64
	waits []float64 // of those answered, in order
}

func (s *sums) abandoned() float64 { return s.short + s.long }

func (s *sums) percentile(p float64) float64 {
	if len(s.waits) == 0 {
		return math.NaN()
	}
	return s.waits[max(0, int(math.Ceil(p*float64(len(s.waits))))-1)]
}

// value works a figure out; NaN when it has no meaning.
func (s *sums) value(m Metric, f Formula) float64 {
	if s == nil {
		s = &sums{}
	}
	switch m {
	case Offered:
		return s.offered
	case Answered:
		return s.answered
	case Abandoned:
		return s.abandoned()
	case ShortAbandon:
		return s.short
	case LongAbandon:
		return s.long
	case ClosedOut:
		return s.closed
	case FailedCount:
		return s.failed
	case StillOpen:
		return s.open
	case ServiceLevel:
		return f.of(s)
	case AbandonRate:
		return s.abandoned() / (s.answered + s.abandoned())
	case ASA:
		return s.waited / s.answered
	case Wait90:
		return s.percentile(0.9)
	case Wait99:
		return s.percentile(0.99)
	case Longest:
		if s.offered == 0 {
			return math.NaN()
		}
		return s.longest
	case AHT:
		return s.worked / s.handled
	case NoAnswers:
		return s.missed
	case Overflowed:
		return s.overflowed
	case Relaxed:
		return s.relaxed
	case Announced:
		return s.told
	case FedUp:
		return s.fedUp
	case PreferredMet:
		return s.preferred / s.preferring
	}
	if s.span <= 0 {
		return math.NaN()
	}
	if m == Occupancy {
		return s.busy / s.staffed
	}
	return s.staffed / s.span
}
