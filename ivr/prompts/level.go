package prompts

import "math"

const (
	// speechLevel is the level of the parts in which someone speaks: 20 dB below
	// full scale, a little above the −26 dBov nominal of ITU-T P.56 because
	// announcements are heard in the street.
	speechLevel = -20.0
	// peakLevel is never exceeded, so that nothing distorts in G.711.
	peakLevel = -3.0
	// quiet is how far below the peak sound counts as silence.
	quiet = -45.0

	frameMillis = 10
	leadMillis  = 40
	tailMillis  = 250
)

// trim cuts silence at both ends, leaving a short lead and a breath at the end,
// so that prompts played in a row neither stall nor run together.
func trim(s sound) sound {
	floor := decibels(quiet) * float64(peak(s.samples))
	first, last := -1, -1
	for i, v := range s.samples {
		if math.Abs(float64(v)) > floor {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return s
	}
	lead, tail := leadMillis*s.rate/1000, tailMillis*s.rate/1000
	out := make([]int16, lead+last+1-first+tail)
	copyFrom := first - lead
	for i := range out {
		if j := copyFrom + i; j >= 0 && j < len(s.samples) {
			out[i] = s.samples[j]
		}
	}
	return sound{s.rate, out}
}

// normalise brings speech to speechLevel, or as near as peakLevel allows.
func normalise(s sound) sound {
	top := float64(peak(s.samples))
	level := activeLevel(s)
	if top == 0 || level == 0 {
		return s
	}
	gain := math.Min(decibels(speechLevel)*math.MaxInt16/level, decibels(peakLevel)*math.MaxInt16/top)
	out := make([]int16, len(s.samples))
	for i, v := range s.samples {
		out[i] = clip(float64(v) * gain)
	}
	return sound{s.rate, out}
}

// activeLevel is the root mean square over the frames that are not silence.
func activeLevel(s sound) float64 {
	frame := max(1, frameMillis*s.rate/1000)
	floor := decibels(quiet+15) * float64(peak(s.samples))
	var sum float64
	n := 0
	for i := 0; i < len(s.samples); i += frame {
		part := s.samples[i:min(i+frame, len(s.samples))]
		var energy float64
		for _, v := range part {
			energy += float64(v) * float64(v)
		}
		if math.Sqrt(energy/float64(len(part))) > floor {
			sum += energy
			n += len(part)
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(n))
}

func peak(samples []int16) int {
	top := 0
	for _, v := range samples {
		top = max(top, max(int(v), -int(v)))
	}
	return top
}

func decibels(db float64) float64 { return math.Pow(10, db/20) }
