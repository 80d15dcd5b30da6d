package sim

import (
	"encoding/json"
	"math"
)

// Estimate is a mean over replications with its 95 % confidence interval, Mean ±
// Half, by Student's t.
type Estimate struct {
	Mean float64
	// Half is half the interval's width, NaN with fewer than two replications.
	Half float64
	// N is how many replications gave a value.
	N int
}

// estimate leaves out values that are not numbers: a mean wait of nobody.
func estimate(values []float64) Estimate { return estimateAt(values, 0.95) }

func estimateAt(values []float64, confidence float64) Estimate {
	return newEstimator(confidence).of(values)
}

// estimator makes many estimates and works each quantile of Student's t out once.
type estimator struct {
	confidence float64
	quantiles  map[int]float64
}

func newEstimator(confidence float64) *estimator {
	return &estimator{confidence: confidence, quantiles: map[int]float64{}}
}

func (x *estimator) quantile(degrees int) float64 {
	q, is := x.quantiles[degrees]
	if !is {
		q = StudentT(degrees, (1+x.confidence)/2)
		x.quantiles[degrees] = q
	}
	return q
}

func (x *estimator) of(values []float64) Estimate {
	n, sum := 0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			sum += v
		}
	}
	e := Estimate{Mean: math.NaN(), Half: math.NaN(), N: n}
	if n == 0 {
		return e
	}
	e.Mean = sum / float64(n)
	if n < 2 {
		return e
	}
	squares := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			squares += (v - e.Mean) * (v - e.Mean)
		}
	}
	e.Half = x.quantile(n-1) * math.Sqrt(squares/float64(n-1)/float64(n))
	return e
}

// Known tells whether there is a mean at all.
func (e Estimate) Known() bool { return e.N > 0 && !math.IsNaN(e.Mean) }

// Low and High bound the interval; both are NaN with one replication.
func (e Estimate) Low() float64 { return e.Mean - e.Half }

// High is the interval's upper end.
func (e Estimate) High() float64 { return e.Mean + e.Half }

// Contains tells whether a value lies in the interval.
func (e Estimate) Contains(v float64) bool { return v >= e.Low() && v <= e.High() }

// Significant tells whether zero lies outside the interval; false when there is
// none.
func (e Estimate) Significant() bool {
	return !math.IsNaN(e.Half) && (e.Low() > 0 || e.High() < 0)
}

type estimateJSON struct {
	Mean *float64 `json:"mean"`
	Half *float64 `json:"half,omitempty"`
	N    int      `json:"n"`
}

// MarshalJSON writes mean (null when unknown), half (left out when unknown) and n.
func (e Estimate) MarshalJSON() ([]byte, error) {
	out := estimateJSON{N: e.N}
	if e.Known() && !math.IsInf(e.Mean, 0) {
		out.Mean = &e.Mean
	}
	if !math.IsNaN(e.Half) && !math.IsInf(e.Half, 0) {
		out.Half = &e.Half
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Estimate) UnmarshalJSON(b []byte) error {
	var in estimateJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*e = Estimate{Mean: math.NaN(), Half: math.NaN(), N: in.N}
	if in.Mean != nil {
		e.Mean = *in.Mean
	}
	if in.Half != nil {
		e.Half = *in.Half
	}
	return nil
}

// StudentT is the quantile of Student's t with the given degrees of freedom: the
// value not exceeded with probability p, 0.5 ≤ p < 1.
func StudentT(degrees int, p float64) float64 {
	if degrees < 1 || p < 0.5 || p >= 1 {
		return math.NaN()
	}
	low, high := 0.0, 1.0
	for studentUpper(degrees, high) > 1-p {
		high *= 2
	}
	for range 100 {
		middle := (low + high) / 2
		if studentUpper(degrees, middle) > 1-p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// studentUpper is P(T > t) for t ≥ 0: half the regularised incomplete beta
// function at n / (n + t²), parameters n/2 and 1/2.
func studentUpper(degrees int, t float64) float64 {
	n := float64(degrees)
	return incompleteBeta(n/2, 0.5, n/(n+t*t)) / 2
}

// incompleteBeta is the regularised incomplete beta function by its continued
// fraction (DLMF 8.17.22), evaluated by Lentz's method.
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := 0; i <= 300; i++ {
		m := float64(i / 2)
		num := 1.0
		switch {
		case i == 0:
		case i%2 == 0:
			num = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 + num*d
		if math.Abs(d) < tiny {
			d = tiny
		}
		d = 1 / d
		c = 1 + num/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		f *= c * d
		if math.Abs(1-c*d) < 1e-14 {
			break
		}
	}
	return front * (f - 1)
}
