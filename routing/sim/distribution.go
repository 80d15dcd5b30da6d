package sim

import (
	"fmt"
	"math"
	"sort"
)

// Distribution is a law of times in seconds. Implementations are immutable.
type Distribution interface {
	// Quantile is the time that a share u of all times does not exceed, for u in
	// (0, 1). It may be +Inf.
	Quantile(u float64) float64
	// Survival is the share of times above x.
	Survival(x float64) float64
	// Mean is the mean time, +Inf when some last for ever.
	Mean() float64
	// String names the law and its parameters for people.
	String() string
}

// beyond draws a time known to be above x, from a uniform number: what is left of
// a conversation under way, or of the patience of somebody who already waited x.
func beyond(d Distribution, x, u float64) float64 {
	left := d.Survival(x)
	if left <= 0 {
		return x
	}
	return math.Max(x, d.Quantile(1-left*(1-u)))
}

// Constant is always the same time.
type Constant float64

// Quantile is the time itself.
func (c Constant) Quantile(float64) float64 { return float64(c) }

// Survival is 1 below the time, else 0.
func (c Constant) Survival(x float64) float64 {
	if x < float64(c) {
		return 1
	}
	return 0
}

// Mean is the time itself.
func (c Constant) Mean() float64 { return float64(c) }

// String says the time.
func (c Constant) String() string {
	if math.IsInf(float64(c), 1) {
		return "never"
	}
	return fmt.Sprintf("always %s", seconds(float64(c)))
}

// Never is a time that does not come: callers who wait for ever.
const never = Constant(math.MaxFloat64)

// Exponential is the exponential law with the given mean.
type Exponential float64

// Quantile inverts 1 − exp(−x / mean).
func (e Exponential) Quantile(u float64) float64 { return -float64(e) * math.Log1p(-u) }

// Survival is exp(−x / mean).
func (e Exponential) Survival(x float64) float64 {
	if x <= 0 {
		return 1
	}
	return math.Exp(-x / float64(e))
}

// Mean is the parameter.
func (e Exponential) Mean() float64 { return float64(e) }

// String says the mean.
func (e Exponential) String() string { return "exponential, mean " + seconds(float64(e)) }

// LogNormal is the log-normal law: the logarithm of the seconds is normal.
type LogNormal struct{ Mu, Sigma float64 }

// LogNormalOf gives the law with a median and a mean, mean ≥ median > 0: mu is
// ln(median), sigma² is 2 ln(mean / median).
func LogNormalOf(median, mean float64) LogNormal {
	return LogNormal{Mu: math.Log(median), Sigma: math.Sqrt(math.Max(0, 2*math.Log(mean/median)))}
}

// Quantile is exp(mu + sigma z).
func (l LogNormal) Quantile(u float64) float64 {
	return math.Exp(l.Mu + l.Sigma*math.Sqrt2*math.Erfinv(2*u-1))
}

// Survival is the upper tail.
func (l LogNormal) Survival(x float64) float64 {
	if x <= 0 {
		return 1
	}
	if l.Sigma == 0 {
		return Constant(math.Exp(l.Mu)).Survival(x)
	}
	return 0.5 * math.Erfc((math.Log(x)-l.Mu)/(l.Sigma*math.Sqrt2))
}

// Mean is exp(mu + sigma² / 2).
func (l LogNormal) Mean() float64 { return math.Exp(l.Mu + l.Sigma*l.Sigma/2) }

// String says median, mean and parameters.
func (l LogNormal) String() string {
	return fmt.Sprintf("log-normal, median %s, mean %s (mu %.3f, sigma %.3f)", seconds(math.Exp(l.Mu)), seconds(l.Mean()), l.Mu, l.Sigma)
}

// Empirical follows observed times: a step function of survival, as Kaplan and
// Meier estimate it, with an exponential tail when the last observations were
// censored.
type Empirical struct {
	times []float64 // increasing
	above []float64 // survival just after each time, not increasing
	tail  float64   // mean of the tail beyond the last time, 0 for none
}

// EmpiricalOf is the law that gives each of the times equally often; nil when
// there are none.
func EmpiricalOf(times []float64) *Empirical {
	obs := make([]Observation, len(times))
	for i, t := range times {
		obs[i] = Observation{Time: t}
	}
	curve := KaplanMeier(obs)
	if len(curve.Steps) == 0 {
		return nil
	}
	return curve.Distribution()
}

// Quantile is the first time at which the survival has fallen to 1 − u.
func (e *Empirical) Quantile(u float64) float64 {
	want := 1 - u
	i := sort.Search(len(e.above), func(i int) bool { return e.above[i] <= want })
	if i < len(e.times) {
		return e.times[i]
	}
	last := len(e.times) - 1
	if e.tail <= 0 || e.above[last] <= 0 {
		return e.times[last]
	}
	return e.times[last] - e.tail*math.Log(want/e.above[last])
}

// Survival is the step function, then the tail.
func (e *Empirical) Survival(x float64) float64 {
	i := sort.Search(len(e.times), func(i int) bool { return e.times[i] > x })
	if i == 0 {
		return 1
	}
	last := len(e.times) - 1
	if i <= last || e.tail <= 0 {
		return e.above[i-1]
	}
	return e.above[last] * math.Exp(-(x-e.times[last])/e.tail)
}

// Mean is the area under the survival.
func (e *Empirical) Mean() float64 {
	area, at, s := 0.0, 0.0, 1.0
	for i, t := range e.times {
		area += (t - at) * s
		at, s = t, e.above[i]
	}
	return area + s*e.tail
}

// String says how many steps there are, and the median.
func (e *Empirical) String() string {
	return fmt.Sprintf("as observed (%d steps), median %s", len(e.times), seconds(e.Quantile(0.5)))
}

// seconds writes a time for people: 42 s, 5 min 10 s, 2 h 3 min.
func seconds(s float64) string {
	switch {
	case math.IsNaN(s):
		return "–"
	case math.IsInf(s, 0) || s >= math.MaxFloat64/2:
		return "for ever"
	case s < 0:
		return "−" + seconds(-s)
	case s < 9.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 99.5:
		return fmt.Sprintf("%.0f s", s)
	case s < 3600-0.5:
		whole := int(math.Round(s))
		if whole%60 == 0 {
			return fmt.Sprintf("%d min", whole/60)
		}
		return fmt.Sprintf("%d min %d s", whole/60, whole%60)
	default:
		whole := int(math.Round(s / 60))
		if whole%60 == 0 {
			return fmt.Sprintf("%d h", whole/60)
		}
		return fmt.Sprintf("%d h %d min", whole/60, whole%60)
	}
}
