package sim

import (
	"errors"
	"math"
	"sort"
)

// Observation is one time, in seconds, that was seen to its end or only up to
// some point. The patience of a caller who was answered after 40 s is censored:
// it is more than 40 s, and nobody knows how much.
type Observation struct {
	Time     float64
	Censored bool
}

// Step is the survival just after a time at which something ended.
type Step struct {
	Time     float64
	Survival float64
	// AtRisk were still there just before; Ended of them ended.
	AtRisk, Ended int
}

// Curve is a Kaplan–Meier estimate of survival.
type Curve struct {
	Steps []Step
	// N observations, of which Ended were not censored.
	N, Ended int
	// Last is the largest observation, LastCensored whether it was censored.
	Last         float64
	LastCensored bool

	exposure float64
}

// KaplanMeier estimates survival by the product-limit estimator (Kaplan and
// Meier, JASA 53 (1958) 457–481). Something censored at the very time another
// ended counts as still at risk then. Times that are negative or not numbers are
// left out.
func KaplanMeier(observations []Observation) Curve {
	obs := make([]Observation, 0, len(observations))
	for _, o := range observations {
		if o.Time >= 0 && !math.IsInf(o.Time, 0) {
			obs = append(obs, o)
		}
	}
	sort.Slice(obs, func(i, j int) bool { return obs[i].Time < obs[j].Time })
	c := Curve{N: len(obs)}
	s := 1.0
	for i := 0; i < len(obs); {
		t, ended, all := obs[i].Time, 0, 0
		for i+all < len(obs) && obs[i+all].Time == t {
			if !obs[i+all].Censored {
				ended++
			}
			all++
		}
		c.exposure += t * float64(all)
		if ended > 0 {
			atRisk := len(obs) - i
			s *= 1 - float64(ended)/float64(atRisk)
			c.Steps = append(c.Steps, Step{Time: t, Survival: s, AtRisk: atRisk, Ended: ended})
			c.Ended += ended
		}
		c.Last, c.LastCensored = t, ended < all
		i += all
	}
	return c
}

// Survival is the estimated share above x; beyond the last observation it is what
// it was there.
func (c Curve) Survival(x float64) float64 {
	i := sort.Search(len(c.Steps), func(i int) bool { return c.Steps[i].Time > x })
	if i == 0 {
		return 1
	}
	return c.Steps[i-1].Survival
}

// Median is the first time at which survival is at most one half, and false when
// too many observations were censored to tell.
func (c Curve) Median() (float64, bool) {
	for _, s := range c.Steps {
		if s.Survival <= 0.5 {
			return s.Time, true
		}
	}
	return 0, false
}

// RestrictedMean is the mean of the times cut off at limit: the area under the
// curve up to it.
func (c Curve) RestrictedMean(limit float64) float64 {
	area, at, s := 0.0, 0.0, 1.0
	for _, step := range c.Steps {
		if step.Time > limit {
			break
		}
		area += (step.Time - at) * s
		at, s = step.Time, step.Survival
	}
	return area + math.Max(0, limit-at)*s
}

// ErrNothingEnded says that every observation was censored.
var ErrNothingEnded = errors.New("sim: every observation is censored: nothing can be estimated")

// ExponentialMean is the maximum-likelihood mean of an exponential law under
// censoring: all time waited, divided by how many ended.
func (c Curve) ExponentialMean() (float64, error) {
	if c.Ended == 0 {
		return 0, ErrNothingEnded
	}
	return c.exposure / float64(c.Ended), nil
}

// Distribution is the curve as a law to draw from. Where the last observations
// were censored it goes on exponentially, with the mean of ExponentialMean. It is
// nil when nothing ended.
func (c Curve) Distribution() *Empirical {
	if len(c.Steps) == 0 {
		return nil
	}
	e := &Empirical{}
	for _, s := range c.Steps {
		e.times = append(e.times, s.Time)
		e.above = append(e.above, math.Max(0, s.Survival))
	}
	if e.above[len(e.above)-1] > 1e-12 {
		e.tail, _ = c.ExponentialMean()
	}
	return e
}

// ErrTooFew says that a law cannot be fitted to so few times.
var ErrTooFew = errors.New("sim: a log-normal law needs at least two times above zero")

// FitLogNormal is the maximum-likelihood log-normal law of times, which must be
// above zero; others are left out. Sigma is of the sample divided by n.
func FitLogNormal(times []float64) (LogNormal, error) {
	n, sum, squares := 0, 0.0, 0.0
	for _, t := range times {
		if t > 0 && !math.IsInf(t, 0) {
			n++
			sum += math.Log(t)
		}
	}
	if n < 2 {
		return LogNormal{}, ErrTooFew
	}
	mu := sum / float64(n)
	for _, t := range times {
		if t > 0 && !math.IsInf(t, 0) {
			d := math.Log(t) - mu
			squares += d * d
		}
	}
	return LogNormal{Mu: mu, Sigma: math.Sqrt(squares / float64(n))}, nil
}
