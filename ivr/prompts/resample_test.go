package prompts

import (
	"math"
	"testing"
)

func tone(rate int, hertz, amplitude float64, seconds float64) sound {
	s := sound{rate: rate, samples: make([]int16, int(seconds*float64(rate)))}
	for i := range s.samples {
		s.samples[i] = clip(amplitude * math.Sin(2*math.Pi*hertz*float64(i)/float64(rate)))
	}
	return s
}

// levels splits the middle of a sound into its part at a frequency and the rest,
// both as root mean squares.
func levels(s sound, hertz float64) (at, rest float64) {
	skip := s.rate / 20
	part := s.samples[skip : len(s.samples)-skip]
	// A whole number of periods makes the correlation exact.
	period := float64(s.rate) / hertz
	n := int(math.Floor(float64(len(part))/period) * period)
	var re, im, total float64
	for i := range n {
		v, a := float64(part[i]), 2*math.Pi*hertz*float64(i)/float64(s.rate)
		re += v * math.Cos(a)
		im += v * math.Sin(a)
		total += v * v
	}
	power := 2 * (re*re + im*im) / float64(n) / float64(n)
	return math.Sqrt(power), math.Sqrt(math.Max(0, total/float64(n)-power))
}

func TestResampleKeepsTones(t *testing.T) {
	const amplitude = 10000.0
	for _, from := range []int{8000, 11025, 16000, 22050, 44100, 48000} {
		for _, to := range []int{8000, 16000} {
			for _, hertz := range []float64{100, 1000, 3000} {
				out := resample(tone(from, hertz, amplitude, 1), to)
				at, rest := levels(out, hertz)
				if gain := at * math.Sqrt2 / amplitude; gain < 0.98 || gain > 1.02 {
					t.Errorf("%d → %d: %v Hz comes out at %.3f of its level", from, to, hertz, gain)
				}
				if rest > amplitude/1000 {
					t.Errorf("%d → %d: %v Hz leaves %.1f besides itself", from, to, hertz, rest)
				}
			}
		}
	}
}

// What 8 kHz cannot carry must vanish, not come back as another tone.
func TestResampleDoesNotAlias(t *testing.T) {
	for _, hertz := range []float64{4200, 5000, 6500, 9000} {
		out := resample(tone(22050, hertz, 10000, 1), 8000)
		if got := peak(out.samples[400 : len(out.samples)-400]); got > 10 {
			t.Errorf("%v Hz is still heard with a peak of %d", hertz, got)
		}
	}
}

func TestResampleLengthAndEdges(t *testing.T) {
	for _, n := range []int{1, 2, 7, 2205} {
		in := sound{rate: 22050, samples: make([]int16, n)}
		for i := range in.samples {
			in.samples[i] = math.MaxInt16
		}
		out := resample(in, 8000)
		if want := (n*8000 + 22049) / 22050; len(out.samples) != want {
			t.Errorf("%d samples became %d, want %d", n, len(out.samples), want)
		}
	}
	same := tone(8000, 440, 1000, 0.1)
	if out := resample(same, 8000); &out.samples[0] != &same.samples[0] {
		t.Error("sound at the right rate was touched")
	}
}

func TestTrimAndNormalise(t *testing.T) {
	rate := 22050
	speech := tone(rate, 300, 2000, 1)
	quietly := sound{rate, append(append(make([]int16, rate), speech.samples...), make([]int16, 2*rate)...)}
	got := trim(quietly)
	want := 1000 + leadMillis + tailMillis
	if millis := len(got.samples) * 1000 / rate; millis < want-20 || millis > want+5 {
		t.Errorf("trimmed to %d ms, want about %d", millis, want)
	}
	for _, amplitude := range []float64{50, 2000, 32000} {
		loud := normalise(tone(rate, 300, amplitude, 1))
		rms := activeLevel(loud)
		if db := 20 * math.Log10(rms/math.MaxInt16); math.Abs(db-speechLevel) > 0.5 {
			t.Errorf("amplitude %v came out at %.1f dB, want %v", amplitude, db, speechLevel)
		}
	}
	click := sound{rate, make([]int16, rate)}
	click.samples[100] = 3000
	if top := peak(normalise(click).samples); float64(top) > decibels(peakLevel)*math.MaxInt16+1 {
		t.Errorf("a click was raised to %d", top)
	}
	silence := sound{rate, make([]int16, 10)}
	if got := normalise(trim(silence)); len(got.samples) != 10 || peak(got.samples) != 0 {
		t.Errorf("silence became %v", got.samples)
	}
}
