package sim

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.6g, published %.6g", what, got, want)
	}
}

// The offered loads for 1 % blocking are those of the published Erlang B tables
// (for example in the ITU-D Teletraffic Engineering Handbook), rounded there to two
// or three decimals.
func TestErlangBTables(t *testing.T) {
	for _, c := range []struct {
		servers int
		load    float64
	}{{1, 0.0101}, {2, 0.153}, {5, 1.36}, {10, 4.46}, {20, 12.03}, {30, 20.34}, {50, 37.90}, {100, 84.06}} {
		near(t, "blocking", ErlangB(c.servers, c.load), 0.01, 0.0001)
	}
	near(t, "one server at one erlang", ErlangB(1, 1), 0.5, 1e-12)
	near(t, "no server", ErlangB(0, 3), 1, 0)
}

// M/M/1 and M/M/2 in closed form, and a tabulated value.
func TestErlangCClosedForms(t *testing.T) {
	for _, rho := range []float64{0.1, 0.5, 0.9, 0.99} {
		near(t, "M/M/1 waits", ErlangC(1, rho), rho, 1e-12)
		near(t, "M/M/2 waits", ErlangC(2, 2*rho), 2*rho*rho/(1+rho), 1e-12)
	}
	near(t, "five servers at three erlangs", ErlangC(5, 3), 0.2362, 0.0001)
	near(t, "overload", ErlangC(3, 3), 1, 0)
	near(t, "overload waits", MMC(1, 4, 3, 20).Within, 0, 0)
}

// Garnett, Mandelbaum and Reiman, "Designing a call center with impatient
// customers", Manufacturing & Service Operations Management 4 (2002) 208–227: 50
// agents, 48 calls a minute, mean service one minute, mean patience two minutes.
// Without impatience calls wait 20.8 s and agents are 96 % busy; with it 3.1 %
// abandon, the mean wait is 3.7 s and agents are 93 % busy.
func TestPublishedErlangAComparison(t *testing.T) {
	c := MMC(0.8, 60, 50, 20)
	near(t, "Erlang C mean wait", c.MeanAnswered, 20.8, 0.05)
	near(t, "Erlang C occupancy", c.Occupancy, 0.96, 0.005)
	a := MMCM(0.8, 60, 120, 50, 20)
	near(t, "Erlang A abandonment", a.Abandon, 0.031, 0.0005)
	near(t, "Erlang A mean wait", a.MeanOffered, 3.7, 0.05)
	near(t, "Erlang A occupancy", a.Occupancy, 0.93, 0.005)
}

// What must hold between the formulas, whatever the numbers.
func TestErlangAInItsLimits(t *testing.T) {
	for _, c := range []struct {
		load    float64
		servers int
	}{{0.5, 1}, {4, 5}, {9, 10}, {45, 50}} {
		patient, forever := MMCM(c.load/60, 60, 1e6, c.servers, 20), MMC(c.load/60, 60, c.servers, 20)
		near(t, "patience without end: service level", patient.Within, forever.Within, 0.001)
		near(t, "patience without end: wait", patient.MeanAnswered, forever.MeanAnswered, 0.02*forever.MeanAnswered+0.01)
		// When patience is as long as service, the number present is Poisson.
		p := MMCM(c.load/60, 60, 60, c.servers, 20)
		below, term := 0.0, math.Exp(-c.load)
		for n := range c.servers {
			below += term
			term *= c.load / float64(n+1)
		}
		near(t, "patience as long as service", p.Wait, 1-below, 1e-9)
		// Flow in equals flow out.
		near(t, "balance", c.load*(1-p.Abandon), p.Occupancy*float64(c.servers), 1e-9)
		// Everybody who does not abandon is answered at last.
		near(t, "answered in the end", MMCM(c.load/60, 60, 60, c.servers, 5000).Within, 1-p.Abandon, 1e-6)
	}
}

func TestErlangAStaffIsTheFewest(t *testing.T) {
	for _, c := range []struct{ rate, service, patience, within, target float64 }{
		{0.2, 300, 180, 20, 0.8}, {0.01, 600, 60, 30, 0.9}, {1.4, 390, 180, 30, 0.95}, {0.2, 300, 0, 20, 0.8},
	} {
		n := ErlangAStaff(c.rate, c.service, c.patience, c.within, c.target, 10_000)
		level := func(k int) float64 {
			if c.patience == 0 {
				return MMC(c.rate, c.service, k, c.within).Within
			}
			return MMCM(c.rate, c.service, c.patience, k, c.within).Within
		}
		if level(n) < c.target || n > 1 && level(n-1) >= c.target {
			t.Errorf("%+v: %d handlers give %.4f, one less %.4f", c, n, level(n), level(n-1))
		}
	}
	if n := ErlangAStaff(0, 300, 60, 20, 0.8, 100); n != 0 {
		t.Errorf("nobody rings, %d handlers", n)
	}
}
