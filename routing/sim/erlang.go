package sim

import "math"

// ErlangB is the share of arrivals that find all c servers busy when those who
// do leave at once, at an offered load of a erlangs (a ≥ 0, c ≥ 0). It uses the
// recursion B(0) = 1, B(c) = a B(c−1) / (c + a B(c−1)).
func ErlangB(c int, a float64) float64 {
	b := 1.0
	for i := 1; i <= c; i++ {
		b = a * b / (float64(i) + a*b)
	}
	return b
}

// ErlangC is the share of arrivals that must wait in M/M/c, where everybody
// waits for ever: c B / (c − a (1 − B)). It is 1 when a ≥ c, because the queue
// then grows without end.
func ErlangC(c int, a float64) float64 {
	if a >= float64(c) {
		return 1
	}
	b := ErlangB(c, a)
	return float64(c) * b / (float64(c) - a*(1-b))
}

// Queueing is what a queueing formula says of one queue in its steady state.
type Queueing struct {
	// Wait is the share of arrivals that find every server busy.
	Wait float64
	// Answered is the mean wait, in seconds, of those answered; Offered is the
	// mean wait of everybody, those who give up included.
	MeanAnswered, MeanOffered float64
	// Within is the share of all arrivals answered within the threshold (SL-3).
	Within float64
	// Abandon is the share of arrivals that give up.
	Abandon float64
	// Occupancy is the share of its time a server is busy.
	Occupancy float64
}

// MMC solves M/M/c: arrivals a second, mean service in seconds, servers, and the
// threshold of the service level in seconds. Waits are +Inf and the service level
// is 0 when the servers cannot keep up.
func MMC(arrivals, service float64, servers int, threshold float64) Queueing {
	load, c := arrivals*service, float64(servers)
	if load >= c {
		return Queueing{Wait: 1, MeanAnswered: math.Inf(1), MeanOffered: math.Inf(1), Occupancy: 1}
	}
	wait := ErlangC(servers, load)
	drain := (c - load) / service
	return Queueing{
		Wait: wait, MeanAnswered: wait / drain, MeanOffered: wait / drain,
		Within: 1 - wait*math.Exp(-drain*threshold), Occupancy: load / c,
	}
}

// MMCM solves M/M/c+M, Erlang A: as MMC, with callers whose patience is
// exponential with the given mean. The states' probabilities come from the birth
// and death equations; the wait of somebody who finds n waiting follows from the
// n + 1 departures before their turn (Mandelbaum and Zeltyn, "Service engineering
// in action: the Palm/Erlang-A queue", 2007).
func MMCM(arrivals, service, patience float64, servers int, threshold float64) Queueing {
	mu, theta, c := 1/service, 1/patience, float64(servers)
	// Weights relative to the state in which all servers are busy and none waits.
	below, busy := 0.0, 0.0 // Σ weights of states under c, and Σ state × weight
	w := 1.0
	for n := servers; n > 0; n-- {
		w *= float64(n) * mu / arrivals
		below += w
		busy += float64(n-1) * w
		if w < 1e-18*below {
			break
		}
	}
	// The number waiting is bounded where its weight no longer counts.
	weights := []float64{1}
	sum, waiting := 1.0, 0.0
	for n := 1; ; n++ {
		next := weights[n-1] * arrivals / (c*mu + float64(n)*theta)
		weights = append(weights, next)
		sum += next
		waiting += float64(n) * next
		if next < 1e-16*sum && arrivals < c*mu+float64(n)*theta {
			break
		}
	}
	total := below + sum
	q := Queueing{Wait: sum / total, Occupancy: (busy + c*sum) / total / c}
	// Little's law: those who wait give up at rate theta each.
	q.MeanOffered = waiting / total / arrivals
	q.Abandon = theta * q.MeanOffered
	q.Within, q.MeanAnswered = answeredWaits(weights, total, c*mu, theta, threshold)
	q.Within += below / total
	q.MeanAnswered /= 1 - q.Abandon
	return q
}

// answeredWaits gives the share of arrivals that wait and are answered within a
// threshold, and the mean over all arrivals of wait × answered.
//
// Somebody who finds n waiting is answered once n + 1 departures have happened,
// at rates cmu + k theta for k = n … 0 (their own patience apart). Their own
// patience outlasts a wait of x with probability exp(−theta x). By the memoryless
// law this equals a race of rates cmu + (k+1) theta with themselves among those
// who may leave: at each step they survive with (cmu + k theta)/(cmu + (k+1)
// theta). The distribution over time comes from integrating the chain.
func answeredWaits(weights []float64, total, cmu, theta, threshold float64) (within, mean float64) {
	for n, w := range weights {
		if w/total < 1e-15 {
			continue
		}
		survive, steps := 1.0, 0.0
		for k := n; k >= 0; k-- {
			rate := cmu + float64(k+1)*theta
			survive *= (cmu + float64(k)*theta) / rate
			steps += 1 / rate
		}
		mean += w / total * survive * steps
	}
	// P(answered within t | waits): survival of the virtual wait integrated by
	// uniformisation of the chain "how many are before me".
	return uniformised(weights, total, cmu, theta, threshold), mean
}

// uniformised follows one tagged caller: state k is how many are ahead of them in
// the queue, 0 … n; from k the next departure ahead (rate cmu + k theta) moves
// them to k−1, from 0 service begins; they leave themselves at rate theta.
func uniformised(weights []float64, total, cmu, theta, t float64) float64 {
	if t <= 0 {
		return 0
	}
	m := len(weights)
	p := make([]float64, m)
	for n, w := range weights {
		p[n] = w / total
	}
	top := cmu + float64(m)*theta
	jumps := top * t
	answered, within := 0.0, 0.0
	// Poisson weights, begun in the logarithm so that they do not vanish.
	last := int(jumps+12*math.Sqrt(jumps)) + 30
	for j := 0; j <= last; j++ {
		lg, _ := math.Lgamma(float64(j + 1))
		within += math.Exp(-jumps+float64(j)*math.Log(jumps)-lg) * answered
		answered += p[0] * cmu / top
		for k := range m {
			ahead := cmu + float64(k)*theta
			stay := 1 - (ahead+theta)/top
			move := 0.0
			if k+1 < m {
				move = p[k+1] * (cmu + float64(k+1)*theta) / top
			}
			p[k] = p[k]*stay + move
		}
	}
	return within
}

// ErlangAStaff is the fewest servers with which at least the share target of all
// arrivals is answered within the threshold, by Erlang A, or by Erlang C when
// patience is not above zero. It is at most limit.
func ErlangAStaff(arrivals, service, patience, threshold, target float64, limit int) int {
	if arrivals <= 0 || service <= 0 {
		return 0
	}
	enough := func(c int) bool {
		if patience > 0 && patience < 1e7 {
			return MMCM(arrivals, service, patience, c, threshold).Within >= target
		}
		return MMC(arrivals, service, c, threshold).Within >= target
	}
	low, high := 1, max(1, int(arrivals*service)+1)
	for high < limit && !enough(high) {
		low, high = high+1, high+max(1, high/4)
	}
	high = min(high, limit)
	for low < high {
		middle := (low + high) / 2
		if enough(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
