package sipphone

import "math"

const (
	sampleRate = 8000
	frameSize  = sampleRate / 50 // 20 ms

	// A window of 50 ms under a Hann taper gives a main lobe 40 Hz to either
	// side; a tone 8 Hz off still scores 0.8, one 20 Hz off 0.25.
	toneWindow = sampleRate / 20
	toneHop    = toneWindow / 2

	// toneShare is the least part of a window's energy that must sit at the
	// frequency. Two equal tones score 0.5 each, so neither passes alone.
	toneShare = 0.8

	// loudLevel, in dBFS, parts sound from silence. G.711 idle noise is below
	// -66 and comfort noise usually below -50; a telephone tone is above -25.
	loudLevel = -45.0
)

// ToneShare returns which part (0 to 1) of the energy in pcm lies at hz,
// by Goertzel's algorithm under a Hann window, and the level of pcm in dBFS
// (a full-scale square wave is 0; nothing at all is -200). A pure tone scores
// close to 1. pcm should hold 50 ms or more, sampled at rate per second; the
// selectivity is the reciprocal of its length.
func ToneShare(pcm []int16, rate int, hz float64) (share, level float64) {
	n := len(pcm)
	if n == 0 || rate <= 0 {
		return 0, -200
	}
	level = dBFS(pcm)
	coefficient := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2, energy, sum, sumSquares float64
	for i, v := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
		x := float64(v) * w
		s1, s2 = x+coefficient*s1-s2, s1
		energy += x * x
		sum += w
		sumSquares += w * w
	}
	if energy == 0 {
		return 0, level
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return min(1, power*2*sumSquares/(sum*sum*energy)), level
}

// dBFS is the root mean square of pcm relative to full scale.
func dBFS(pcm []int16) float64 {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return -200
	}
	return 10 * math.Log10(sum/float64(len(pcm))/(32768*32768))
}

// hasTone says whether a window holds the tone and little else.
func hasTone(pcm []int16, hz float64) bool {
	share, level := ToneShare(pcm, sampleRate, hz)
	return share >= toneShare && level >= loudLevel
}

// oscillator makes a sine wave of continuous phase at -10 dBFS peak.
type oscillator struct {
	phase float64
}

func (o *oscillator) fill(pcm []int16, hz float64) {
	const amplitude = 10362
	step := 2 * math.Pi * hz / sampleRate
	for i := range pcm {
		pcm[i] = int16(amplitude * math.Sin(o.phase))
		o.phase += step
	}
	o.phase = math.Mod(o.phase, 2*math.Pi)
}
