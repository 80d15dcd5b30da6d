package sim

import "math"

// Every random number of the modelled world is drawn by name: from the seed, the
// replication, the contact's number and what it is for. So whatever a plan does,
// the same contact has the same patience and the same handling time under each
// plan compared (common random numbers), and nothing depends on the order in
// which things happen.

// purpose says what a number is drawn for.
type purpose uint64

const (
	forArrival purpose = iota + 1
	forMix
	forMarkers
	forTalk
	forWrapUp
	forPatience
	forAnswer
	forMiss
	forHearing
	forPreferred
)

// stream is where the numbers of one replication come from.
type stream uint64

func newStream(seed uint64, replication int) stream {
	return stream(mix(mix(seed+0x9e3779b97f4a7c15) ^ uint64(replication)*0xd1342543de82ef95))
}

// uniform is a number in (0, 1), the same for the same contact, purpose and turn
// (an offer's number, where a contact may need several).
func (s stream) uniform(contact int, p purpose, turn int) float64 {
	x := mix(uint64(s) ^ mix(uint64(contact)*0x9e3779b97f4a7c15+uint64(p)<<48+uint64(turn)<<32))
	return (float64(x>>11) + 0.5) / (1 << 53)
}

// mix is the finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// exponential turns a uniform number into an exponential one of mean 1.
func exponential(u float64) float64 { return -math.Log(u) }
