package sipphone

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sines adds up sines of the frequencies, each at -20 dBFS peak.
func sines(n int, hz ...float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		var v float64
		for k, f := range hz {
			v += 3276 * math.Sin(2*math.Pi*f*float64(i)/sampleRate+float64(k))
		}
		pcm[i] = int16(v)
	}
	return pcm
}

func scaled(pcm []int16, by float64) []int16 {
	for i, v := range pcm {
		pcm[i] = int16(float64(v) * by)
	}
	return pcm
}

func noise(n int, amplitude float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(amplitude * r.NormFloat64())
	}
	return pcm
}

// speechLike is a glottal pulse train with vibrato through three resonances,
// with breath noise: voiced speech as far as a tone detector can tell.
func speechLike(n int, pitch float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 2))
	formants := []struct{ hz, bandwidth float64 }{{500, 60}, {1500, 90}, {2500, 120}}
	state := make([][2]float64, len(formants))
	out := make([]float64, n)
	phase, peak := 0.0, 0.0
	for i := range out {
		at := float64(i) / sampleRate
		phase += pitch * (1 + 0.03*math.Sin(2*math.Pi*5*at)) / sampleRate
		x := 0.02 * r.NormFloat64()
		if phase >= 1 {
			phase--
			x++
		}
		for k, f := range formants {
			shift := 1 + 0.2*math.Sin(2*math.Pi*3*at+float64(k))
			radius := math.Exp(-math.Pi * f.bandwidth / sampleRate)
			y := x + 2*radius*math.Cos(2*math.Pi*f.hz*shift/sampleRate)*state[k][0] - radius*radius*state[k][1]
			state[k][0], state[k][1] = y, state[k][0]
			out[i] += y
		}
		peak = max(peak, math.Abs(out[i]))
	}
	pcm := make([]int16, n)
	for i, v := range out {
		pcm[i] = int16(v / peak * 16000)
	}
	return pcm
}

func companded(c Codec, pcm []int16) []int16 {
	return c.decode(nil, c.encode(nil, pcm))
}

func TestHasTone(t *testing.T) {
	const w = toneWindow
	mix := func(a, b []int16) []int16 {
		for i := range a {
			a[i] += b[i]
		}
		return a
	}
	tests := []struct {
		name string
		pcm  []int16
		hz   float64
		want bool
	}{
		{"pure tone", sines(w, 440), 440, true},
		{"pure tone, low", sines(w, 100), 100, true},
		{"pure tone, high", sines(w, 3800), 3800, true},
		{"through µ-law", companded(PCMU, sines(w, 440)), 440, true},
		{"through A-law", companded(PCMA, sines(w, 440)), 440, true},
		{"quiet, -40 dBFS", scaled(sines(w, 1000), 0.14), 1000, true},
		{"clock off by 0.1 %", sines(w, 1001), 1000, true},
		{"noise 10 dB below", mix(sines(w, 1000), noise(w, 730, 1)), 1000, true},
		{"next bin, 20 Hz above", sines(w, 460), 440, false},
		{"next bin, 20 Hz below", sines(w, 420), 440, false},
		{"40 Hz away", sines(w, 480), 440, false},
		{"octave above", sines(w, 880), 440, false},
		{"octave below", sines(w, 440), 880, false},
		{"dual tone, low half", sines(w, 697, 1209), 697, false},
		{"dual tone, high half", sines(w, 697, 1209), 1209, false},
		{"UK dial tone, 350 + 440", sines(w, 350, 440), 440, false},
		{"UK ringing tone, 400 + 450", sines(w, 400, 450), 400, false},
		{"silence", make([]int16, w), 440, false},
		{"too quiet, -60 dBFS", scaled(sines(w, 440), 0.014), 440, false},
		{"constant", func() []int16 {
			p := make([]int16, w)
			for i := range p {
				p[i] = 8000
			}
			return p
		}(), 440, false},
		{"white noise", noise(w, 3000, 2), 440, false},
		{"noise as strong", mix(sines(w, 1000), noise(w, 2316, 3)), 1000, false},
		{"empty", nil, 440, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hasTone(tt.pcm, tt.hz); got != tt.want {
				share, level := ToneShare(tt.pcm, sampleRate, tt.hz)
				t.Errorf("hasTone = %v (share %.2f, level %.0f dBFS), want %v", got, share, level, tt.want)
			}
		})
	}
}

// Ten seconds each of voices and noise must never hold any test tone for 100 ms.
func TestSpeechAndNoiseAreNoTone(t *testing.T) {
	for _, sound := range []struct {
		name string
		pcm  []int16
	}{
		{"low voice", speechLike(10*sampleRate, 110, 1)},
		{"high voice", speechLike(10*sampleRate, 220, 2)},
		{"voice at half the tone", speechLike(10*sampleRate, 500, 3)},
		{"noise", noise(10*sampleRate, 4000, 4)},
	} {
		t.Run(sound.name, func(t *testing.T) {
			for _, hz := range []float64{300, 440, 500, 800, 1000, 1500, 2000} {
				l := &toneListener{hz: hz, need: sampleRate / 10, heard: make(chan struct{})}
				for at := 0; at+frameSize <= len(sound.pcm); at += frameSize {
					frame := sound.pcm[at : at+frameSize]
					if l.hear(frame, dBFS(frame)) {
						t.Fatalf("heard %v Hz for 100 ms at %.2f s", hz, float64(at)/sampleRate)
					}
				}
			}
		})
	}
}

func TestToneListenerNeedsAnUnbrokenRun(t *testing.T) {
	run := func(pieces ...[]int16) bool {
		l := &toneListener{hz: 440, need: 3 * sampleRate / 10, heard: make(chan struct{})}
		var pcm []int16
		for _, p := range pieces {
			pcm = append(pcm, p...)
		}
		for at := 0; at+frameSize <= len(pcm); at += frameSize {
			if l.hear(pcm[at:at+frameSize], 0) {
				return true
			}
		}
		return false
	}
	tone, gap := sines(2400, 440), make([]int16, 800)
	if !run(tone, sines(400, 440)) {
		t.Error("350 ms of tone is not 300 ms of tone")
	}
	if run(tone[:1600], gap, tone[:1600], gap) {
		t.Error("twice 200 ms of tone with a gap passes for 300 ms")
	}
	if run(tone[:2000]) {
		t.Error("250 ms of tone passes for 300 ms")
	}
	if !run(gap, gap, tone, sines(400, 440)) {
		t.Error("tone after silence is not heard")
	}
}

func TestToneShareScale(t *testing.T) {
	if share, level := ToneShare(sines(toneWindow, 1000), sampleRate, 1000); math.Abs(share-1) > 0.01 || math.Abs(level+23) > 0.2 {
		t.Errorf("pure tone at -20 dBFS peak: share %.3f, level %.1f, want 1 and -23", share, level)
	}
	for hz, want := range map[float64]float64{697: 0.5, 1209: 0.5, 941: 0} {
		if share, _ := ToneShare(sines(toneWindow, 697, 1209), sampleRate, hz); math.Abs(share-want) > 0.05 {
			t.Errorf("dual tone at %v Hz: share %.3f, want %.1f", hz, share, want)
		}
	}
	wide := make([]int16, 2400) // 50 ms at 48 kHz
	for i := range wide {
		wide[i] = int16(5000 * math.Sin(2*math.Pi*440*float64(i)/48000))
	}
	if share, _ := ToneShare(wide, 48000, 440); share < 0.95 {
		t.Errorf("tone at 48 kHz: share %.3f, want 1", share)
	}
}

func TestOscillatorIsContinuous(t *testing.T) {
	var o oscillator
	pcm := make([]int16, 0, 800)
	for range 5 {
		frame := make([]int16, frameSize)
		o.fill(frame, 441.7)
		pcm = append(pcm, frame...)
	}
	for i := 1; i < len(pcm); i++ {
		// The steepest step of the sine itself.
		if step := math.Abs(float64(pcm[i]) - float64(pcm[i-1])); step > 10362*2*math.Pi*441.7/sampleRate+2 {
			t.Fatalf("step of %v at sample %d: the phase jumped between frames", step, i)
		}
	}
}
