package sim

import (
	"fmt"
	"math"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Arrival is one contact that comes from outside, with what belongs to it
// whatever the plan does.
type Arrival struct {
	// At is when it reaches the queue.
	At      contact.Instant
	Channel contact.Channel
	// Queue is named by what sent the contact; the plan's rules choose when empty.
	Queue routing.QueueID
	// Facts are shared and must not be changed.
	Facts *contact.Facts
	// Talk and WrapUp are seconds of work; a written contact takes their sum.
	Talk, WrapUp float64
	// Patience is how many seconds the caller waits for an answer; writers wait
	// for ever.
	Patience float64
}

// Shift is a time in which one handler takes contacts.
type Shift struct {
	Agent    routing.AgentID
	Profile  string
	From, To contact.Instant
}

// Outside is everything of one replication that does not depend on the plan. It
// is read by several runs at once and must not be changed.
type Outside struct {
	From, To contact.Instant
	// Arrivals are in order of At.
	Arrivals []Arrival
	Shifts   []Shift
	// Answering is how handlers answer offers.
	Answering Answering
	// Hearing is how callers take what they are told while they wait.
	Hearing Hearing
	stream  stream
}

// Hearing is how callers take the announcement of their position and wait: some hang
// up there and then, others because the wait they are told is long. The zero value
// is callers on whom it makes no impression. It is an assumption: nobody knows it
// of a plan that was not in force.
type Hearing struct {
	// Leave is the share who hang up at an announcement, LeaveLong that at one of a
	// wait of Long (seconds) or more, or of one that takes longer than was said.
	Leave, LeaveLong, Long float64
	// After is how many seconds they listen first.
	After float64
}

// share is how many of those who hear an announcement hang up.
func (h Hearing) share(a *routing.Announce) float64 {
	if a.Longer || a.Wait.Std().Seconds() >= h.Long {
		return max(h.Leave, h.LeaveLong)
	}
	return h.Leave
}

func (h Hearing) notes() []string {
	if h.Leave == 0 && h.LeaveLong == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Of callers told their position %.1f %% hang up, of those told %s or more, or that it takes longer than was said, %.1f %%.",
		100*h.Leave, seconds(h.Long), 100*max(h.Leave, h.LeaveLong))}
}

// Answering is how handlers answer what is offered to them.
type Answering struct {
	// Delay is the time until an offer is accepted.
	Delay Distribution
	// Missed is the share of offers nobody answers.
	Missed float64
	// Connect is the time until caller and handler hear each other.
	Connect float64
}

// Source says what comes from outside.
type Source interface {
	// Describe tells people what it is, in a line, and what was assumed.
	Describe() (what string, notes []string)
	// Period is the time simulated.
	Period() (from, to contact.Instant)
	// Outside makes a replication. The same seed and replication give the same.
	// It is called by several goroutines at once.
	Outside(seed uint64, replication int) (*Outside, error)
	// Profiles lists the handler profiles the shifts use.
	Profiles() []string
}

// shiftsOf turns numbers of handlers by hour into shifts: handler k of a profile
// works in the hours that have at least k.
func shiftsOf(profile string, from contact.Instant, perHour []int) []Shift {
	var shifts []Shift
	most := 0
	for _, n := range perHour {
		most = max(most, n)
	}
	for k := range most {
		agent := routing.AgentID(profile + "-" + digits(k+1, 4))
		for h := 0; h < len(perHour); h++ {
			if perHour[h] <= k {
				continue
			}
			end := h
			for end < len(perHour) && perHour[end] > k {
				end++
			}
			shifts = append(shifts, Shift{
				Agent: agent, Profile: profile,
				From: from.Add(contact.Duration(h) * contact.Hour), To: from.Add(contact.Duration(end) * contact.Hour),
			})
			h = end
		}
	}
	return shifts
}

// digits writes n with leading zeros.
func digits(n, width int) string {
	b := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}

// span turns seconds into a duration, at least 0 and bounded so that sums do not
// overflow.
func span(s float64) contact.Duration {
	const most = 50 * 365 * 86400.0
	if !(s > 0) {
		return 0
	}
	return contact.Duration(math.Min(s, most) * 1e9)
}
