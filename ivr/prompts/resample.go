package prompts

import "math"

// The kernel is a sinc under a Kaiser window: 32 zero crossings to each side
// and beta 9 keep what would alias about 90 dB down, and pass speech flat up to
// some 80% of the lower Nyquist frequency. It is tabled finely enough for linear
// interpolation to stay below that floor, so any ratio of rates will do.
const (
	kernelCrossings = 32
	kernelSteps     = 512
	kernelBeta      = 9.0
	kernelCutoff    = 0.91
)

// resample changes the rate, with a low-pass filter at the lower of the two
// Nyquist frequencies. The length becomes len × rate / s.rate, rounded up.
func resample(s sound, rate int) sound {
	if rate == s.rate {
		return s
	}
	// Output samples fall on only as many places between input samples as the
	// reduced ratio has, so their weights are worked out once for each place.
	common := gcd(rate, s.rate)
	places, step := rate/common, s.rate/common
	rows := make([]weights, places)
	kernel := makeKernel()
	// Crossings lie one sample of the lower rate apart, widened by the cutoff.
	scale := kernelCutoff * math.Min(1, float64(rate)/float64(s.rate))
	n := (len(s.samples)*rate + s.rate - 1) / s.rate
	out := make([]int16, n)
	for i := range out {
		at := i * step
		row := &rows[at%places]
		if row.w == nil {
			*row = kernel.weights(float64(at%places)/float64(places), scale)
		}
		from := at/places + row.from
		w := row.w[max(0, -from):]
		in := s.samples[min(len(s.samples), max(0, from)):]
		var sum float64
		for j := range min(len(w), len(in)) {
			sum += w[j] * float64(in[j])
		}
		out[i] = clip(sum)
	}
	return sound{rate: rate, samples: out}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// weights are what each input sample counts for one output sample, beginning
// from samples after the one it falls on. They add up to 1.
type weights struct {
	from int
	w    []float64
}

// weights works out those of an output sample that lies part of the way to the
// next input sample.
func (k kernelTable) weights(part, scale float64) weights {
	half := kernelCrossings / scale
	from, to := int(math.Ceil(part-half)), int(math.Floor(part+half))
	w := make([]float64, to-from+1)
	total := 0.0
	for j := range w {
		w[j] = k.at(math.Abs(float64(from+j)-part) * scale)
		total += w[j]
	}
	for j := range w {
		w[j] /= total
	}
	return weights{from, w}
}

type kernelTable []float64

func makeKernel() kernelTable {
	k := make(kernelTable, kernelCrossings*kernelSteps+2)
	for i := range k {
		x := float64(i) / kernelSteps
		if x > kernelCrossings {
			continue
		}
		sinc := 1.0
		if x > 0 {
			sinc = math.Sin(math.Pi*x) / (math.Pi * x)
		}
		edge := x / kernelCrossings
		k[i] = sinc * bessel0(kernelBeta*math.Sqrt(1-edge*edge)) / bessel0(kernelBeta)
	}
	return k
}

// at is the kernel x crossings from its centre.
func (k kernelTable) at(x float64) float64 {
	p := x * kernelSteps
	i := int(p)
	if i+1 >= len(k) {
		return 0
	}
	part := p - float64(i)
	return k[i] + part*(k[i+1]-k[i])
}

// bessel0 is the modified Bessel function of the first kind, order 0, by its
// power series (Abramowitz and Stegun 9.6.12).
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-12; n++ {
		term *= (x / (2 * n)) * (x / (2 * n))
		sum += term
	}
	return sum
}

func clip(v float64) int16 {
	return int16(math.Max(math.MinInt16, math.Min(math.MaxInt16, math.Round(v))))
}
