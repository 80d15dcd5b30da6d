package sim

import (
	"encoding/json"
	"math"
	"testing"
)

// Quantiles as in every table of Student's t.
func TestStudentT(t *testing.T) {
	for _, c := range []struct {
		degrees int
		p, want float64
	}{{1, 0.975, 12.7062}, {2, 0.975, 4.30265}, {4, 0.95, 2.13185}, {9, 0.975, 2.26216}, {19, 0.995, 2.86093}, {30, 0.975, 2.04227}, {120, 0.975, 1.97993}} {
		near(t, "t", StudentT(c.degrees, c.p), c.want, 1e-4)
	}
	if !math.IsNaN(StudentT(0, 0.975)) {
		t.Error("no degrees of freedom give a quantile")
	}
}

func TestEstimate(t *testing.T) {
	e := estimate([]float64{2, 4, 4, 5, 5, math.NaN()})
	near(t, "mean", e.Mean, 4, 1e-12)
	near(t, "half", e.Half, 2.776445*math.Sqrt(1.5/5), 1e-5)
	if e.N != 5 || !e.Contains(3) || e.Contains(1) || !e.Significant() {
		t.Errorf("%+v", e)
	}
	if one := estimate([]float64{3}); one.Significant() || !math.IsNaN(one.Half) || !one.Known() {
		t.Errorf("one value gives %+v", one)
	}
	if none := estimate([]float64{math.NaN()}); none.Known() {
		t.Errorf("no value gives %+v", none)
	}
	for _, e := range []Estimate{estimate(nil), estimate([]float64{1}), estimate([]float64{1, 3})} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Estimate
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if back.Known() != e.Known() || back.N != e.N || e.Known() && back.Mean != e.Mean {
			t.Errorf("%+v became %+v", e, back)
		}
	}
}

// Remission times of 21 patients on 6-MP (Freireich and others, Blood 21 (1963)
// 699–716), the example of Cox (1972) and of most textbooks, with the survival
// printed there.
func TestKaplanMeierOnAKnownSample(t *testing.T) {
	var obs []Observation
	for _, x := range []float64{6, 6, 6, 7, 10, 13, 16, 22, 23} {
		obs = append(obs, Observation{Time: x})
	}
	for _, x := range []float64{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35} {
		obs = append(obs, Observation{Time: x, Censored: true})
	}
	c := KaplanMeier(obs)
	want := []Step{{6, 0.857, 21, 3}, {7, 0.807, 17, 1}, {10, 0.753, 15, 1}, {13, 0.690, 12, 1}, {16, 0.627, 11, 1}, {22, 0.538, 7, 1}, {23, 0.448, 6, 1}}
	if len(c.Steps) != len(want) {
		t.Fatalf("%d steps, want %d", len(c.Steps), len(want))
	}
	for i, w := range want {
		got := c.Steps[i]
		if got.Time != w.Time || got.AtRisk != w.AtRisk || got.Ended != w.Ended || math.Abs(got.Survival-w.Survival) > 0.0006 {
			t.Errorf("step %d is %+v, published %+v", i, got, w)
		}
	}
	if m, is := c.Median(); !is || m != 23 {
		t.Errorf("median %g", m)
	}
	mean, err := c.ExponentialMean()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "exponential mean", mean, 359.0/9, 1e-9)
	if !c.LastCensored || c.Last != 35 || c.N != 21 || c.Ended != 9 {
		t.Errorf("%+v", c)
	}
	near(t, "restricted mean to 6", c.RestrictedMean(6), 6, 1e-12)
	near(t, "restricted mean to 10", c.RestrictedMean(10), 6+0.857143+3*0.806723, 1e-5)
}

func TestKaplanMeierOddSamples(t *testing.T) {
	if c := KaplanMeier(nil); c.Distribution() != nil || c.Survival(3) != 1 {
		t.Error("nothing was observed")
	}
	all := KaplanMeier([]Observation{{5, true}, {9, true}, {math.NaN(), false}, {-1, false}})
	if _, err := all.ExponentialMean(); err == nil || all.N != 2 {
		t.Errorf("all are censored: %+v", all)
	}
	if _, is := all.Median(); is {
		t.Error("a median is known though nobody left")
	}
	// Censored at the instant another ended counts as at risk.
	if c := KaplanMeier([]Observation{{5, true}, {5, false}}); c.Steps[0].AtRisk != 2 || c.Survival(5) != 0.5 {
		t.Errorf("%+v", c)
	}
}

// Censoring hides the patience of those answered: leaving them out would make
// callers look much less patient than they are.
func TestPatienceIsRecoveredFromBehindTheAnswers(t *testing.T) {
	const mean = 180.0
	dice := newStream(7, 0)
	t.Log("seed 7")
	var obs, naive []Observation
	for i := range 20_000 {
		patience := Exponential(mean).Quantile(dice.uniform(i, forPatience, 0))
		answer := Exponential(60).Quantile(dice.uniform(i, forAnswer, 0))
		o := Observation{Time: math.Min(patience, answer), Censored: answer < patience}
		obs = append(obs, o)
		if !o.Censored {
			naive = append(naive, o)
		}
	}
	c := KaplanMeier(obs)
	m, err := c.ExponentialMean()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean with censoring", m, mean, 8)
	near(t, "survival at 100 s", c.Survival(100), math.Exp(-100/mean), 0.02)
	if wrong, _ := KaplanMeier(naive).ExponentialMean(); wrong > 60 {
		t.Errorf("without censoring the mean is %.0f s: the test shows nothing", wrong)
	}
	near(t, "median drawn from it", c.Distribution().Quantile(0.5), mean*math.Ln2, 8)
}

// The bank day of the Technion study: mean 194 s and median 117 s make mu 4.762
// and sigma 1.006.
func TestLogNormal(t *testing.T) {
	l := LogNormalOf(117, 194)
	near(t, "mu", l.Mu, 4.762, 0.001)
	near(t, "sigma", l.Sigma, 1.006, 0.001)
	near(t, "mean", l.Mean(), 194, 1e-9)
	near(t, "median", l.Quantile(0.5), 117, 1e-9)
	near(t, "97.5 %", l.Quantile(0.975), math.Exp(l.Mu+1.959964*l.Sigma), 0.01)
	fit, err := FitLogNormal([]float64{1, math.E, math.E * math.E, 0, -3})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fitted mu", fit.Mu, 1, 1e-12)
	near(t, "fitted sigma", fit.Sigma, math.Sqrt(2.0/3), 1e-12)
	if _, err := FitLogNormal([]float64{4}); err == nil {
		t.Error("one time was enough")
	}
}

// Quantile and survival of every law agree, and what is left of a time is never
// below what has passed.
func TestLawsAreTheirOwnInverse(t *testing.T) {
	km := KaplanMeier([]Observation{{10, false}, {20, true}, {30, false}, {60, true}}).Distribution()
	for _, d := range []Distribution{Exponential(80), LogNormal{4, 1}, km, EmpiricalOf([]float64{1, 2, 3, 4})} {
		last := 0.0
		for u := 0.01; u < 1; u += 0.01 {
			x := d.Quantile(u)
			if x < last {
				t.Errorf("%s: quantile falls at %.2f", d, u)
			}
			last = x
			if s := d.Survival(x); s > 1-u+1e-9 {
				t.Errorf("%s: survival at the %.2f quantile is %.4f", d, u, s)
			}
			for _, passed := range []float64{0, 5, 70, 400} {
				if got := beyond(d, passed, u); got < passed || math.IsNaN(got) {
					t.Errorf("%s: beyond %g is %g", d, passed, got)
				}
			}
		}
	}
	// An exponential time has no memory.
	near(t, "memory", beyond(Exponential(80), 200, 0.3)-200, Exponential(80).Quantile(0.3), 1e-6)
}

func TestSecondsForPeople(t *testing.T) {
	for s, want := range map[float64]string{0: "0.0 s", 4.25: "4.2 s", 42: "42 s", 120: "2 min", 310: "5 min 10 s", 3600: "1 h", 7380: "2 h 3 min", -60: "−60 s", math.NaN(): "–"} {
		if got := seconds(s); got != want {
			t.Errorf("%g s is written %q, want %q", s, got, want)
		}
	}
}
