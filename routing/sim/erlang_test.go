package sim

import (
	"math"
	"math/big"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.6g, expected %.6g", what, got, want)
	}
}

// Values the makers of a calculator publish: 15 lines at 1 % blocking carry 8.108
// erlangs (https://erlang.com/calculatormanual/howmuchtrafficcanatrunkgrouphandle.htm),
// and 1,200 calls of 100 s an hour need 45 lines for at most 1 %, by the answer in
// their forum on trunk engineering of 5 December 2001.
func TestErlangBAsPublished(t *testing.T) {
	near(t, "15 lines at 8.108 erlangs", ErlangB(15, 8.108), 0.01, 0.000005)
	if ErlangB(45, 1200.0/36) > 0.01 || ErlangB(44, 1200.0/36) <= 0.01 {
		t.Errorf("45 lines block %.5f, 44 %.5f: 45 should be the fewest at 1 %%", ErlangB(45, 1200.0/36), ErlangB(44, 1200.0/36))
	}
	near(t, "no server", ErlangB(0, 3), 1, 0)
}

// The sums that define Erlang B and C, in exact fractions: no recursion, no
// rounding.
func TestErlangBAndCFromTheirDefinitions(t *testing.T) {
	for _, c := range []struct {
		servers   int
		num, over int64 // the load as a fraction
	}{{1, 1, 1}, {1, 1, 2}, {2, 6, 5}, {5, 3, 1}, {5, 4, 1}, {10, 8, 1}, {20, 17, 1}, {30, 203, 10}, {50, 45, 1}, {50, 48, 1}, {160, 156, 1}} {
		a := big.NewRat(c.num, c.over)
		load, _ := a.Float64()
		term, sum := big.NewRat(1, 1), new(big.Rat)
		for n := range c.servers {
			sum.Add(sum, term)
			term.Mul(term, new(big.Rat).Quo(a, big.NewRat(int64(n+1), 1)))
		}
		// term is a^c/c!, sum that of all below.
		blocked, _ := new(big.Rat).Quo(term, new(big.Rat).Add(sum, term)).Float64()
		if near(t, "Erlang B", ErlangB(c.servers, load), blocked, 1e-12*blocked); load >= float64(c.servers) {
			continue
		}
		full := big.NewRat(int64(c.servers), 1)
		tail := new(big.Rat).Mul(term, new(big.Rat).Quo(full, new(big.Rat).Sub(full, a)))
		waits, _ := new(big.Rat).Quo(tail, new(big.Rat).Add(sum, tail)).Float64()
		near(t, "Erlang C", ErlangC(c.servers, load), waits, 1e-12*waits)
	}
	near(t, "overload", ErlangC(3, 3), 1, 0)
	near(t, "overload waits", MMC(1, 4, 3, 20).Within, 0, 0)
}

// M/M/1 and M/M/2 in closed form.
func TestErlangCClosedForms(t *testing.T) {
	for _, rho := range []float64{0.1, 0.5, 0.9, 0.99} {
		near(t, "M/M/1 waits", ErlangC(1, rho), rho, 1e-12)
		near(t, "M/M/2 waits", ErlangC(2, 2*rho), 2*rho*rho/(1+rho), 1e-12)
	}
}

// Erlang A found another way: the balance equations of "how many are here" solved in
// big floats from the bottom up, and the fate of a caller who waits by integrating
// the differential equations of "how many are before me" in small steps.
func TestErlangAFromItsMarkovChain(t *testing.T) {
	for _, c := range erlangACases {
		rate := c.load / c.service
		got, want := MMCM(rate, c.service, c.patience, c.servers, c.t), chainOfErlangA(rate, c.service, c.patience, c.servers, c.t)
		near(t, "waits", got.Wait, want.Wait, 1e-9)
		near(t, "abandonment", got.Abandon, want.Abandon, 1e-9)
		near(t, "occupancy", got.Occupancy, want.Occupancy, 1e-9)
		near(t, "wait of all", got.MeanOffered, want.MeanOffered, 1e-6)
		near(t, "answered within", got.Within, want.Within, 1e-5)
		near(t, "wait of those answered", got.MeanAnswered, want.MeanAnswered, 1e-3*want.MeanAnswered+1e-4)
	}
}

func chainOfErlangA(rate, service, patience float64, servers int, within float64) Queueing {
	const precision, most = 200, 600
	number := func(v float64) *big.Float { return big.NewFloat(v).SetPrec(precision) }
	p := []*big.Float{number(1)}
	sum := number(1)
	for n := 1; n <= servers+most; n++ {
		out := float64(min(n, servers))/service + float64(max(0, n-servers))/patience
		next := new(big.Float).Quo(new(big.Float).Mul(p[n-1], number(rate)), number(out))
		p = append(p, next)
		sum.Add(sum, next)
	}
	share := make([]float64, len(p))
	for n := range p {
		share[n], _ = new(big.Float).Quo(p[n], sum).Float64()
	}
	var q Queueing
	waiting := 0.0
	for n, s := range share {
		q.Occupancy += s * float64(min(n, servers)) / float64(servers)
		if n >= servers {
			q.Wait += s
			waiting += s * float64(n-servers)
		}
	}
	q.MeanOffered = waiting / rate
	q.Abandon = waiting / patience / rate
	// ahead[k] is the share of all arrivals with k before them in the queue.
	ahead := share[servers : servers+most]
	mu, theta := float64(servers)/service, 1/patience
	q.Within = 1 - q.Wait
	slope := func(a, d []float64) (answered float64) {
		for k := range a {
			d[k] = -a[k] * (mu + float64(k+1)*theta)
			if k+1 < len(a) {
				d[k] += a[k+1] * (mu + float64(k+1)*theta)
			}
		}
		return a[0] * mu
	}
	// Runge and Kutta, in steps small beside the fastest rate that carries weight.
	top := 0
	for k, s := range ahead {
		if s > 1e-14 {
			top = k + 1
		}
	}
	a := append([]float64(nil), ahead[:top]...)
	step := 0.25 / (mu + float64(top+1)*theta)
	d := [4][]float64{make([]float64, top), make([]float64, top), make([]float64, top), make([]float64, top)}
	b := make([]float64, top)
	counted, total, moment := within, 0.0, 0.0
	for at := 0.0; at < 60/theta && top > 0; {
		h := step
		if at < counted && at+h > counted {
			h = counted - at
		}
		f0 := slope(a, d[0])
		move := func(by []float64, h float64) {
			for k := range b {
				b[k] = a[k] + h*by[k]
			}
		}
		move(d[0], h/2)
		f1 := slope(b, d[1])
		move(d[1], h/2)
		f2 := slope(b, d[2])
		move(d[2], h)
		f3 := slope(b, d[3])
		left := 0.0
		for k := range a {
			a[k] += h / 6 * (d[0][k] + 2*d[1][k] + 2*d[2][k] + d[3][k])
			left += a[k]
		}
		answered := h / 6 * (f0 + 2*f1 + 2*f2 + f3)
		if at < counted {
			q.Within += answered
		}
		total += answered
		moment += h / 6 * (f0*at + 2*(f1+f2)*(at+h/2) + f3*(at+h))
		at += h
		if left < 1e-12 {
			break
		}
	}
	q.MeanAnswered = moment / (1 - q.Wait + total)
	return q
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
