package sim

import (
	"fmt"
	"slices"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Modelled is a Model over some days: contacts come as a Poisson process whose
// rate follows the hour and the day.
type Modelled struct {
	model    *Model
	from, to contact.Instant
	days     int
	growth   float64
	rates    []float64 // a second, by hour since from, kinds together
	weights  [][]float64
	shifts   []Shift
	perHour  map[string][]int
	agents   []routing.AgentID // on duty at some time, in order
}

// Modelled takes days days from a date (2006-01-02, the model's own when empty;
// days the model's own when zero), with growth as a share: 0.1 is a tenth more
// contacts.
func (m *Model) Modelled(start string, days int, growth float64) (*Modelled, error) {
	if start == "" {
		start = m.Start
	}
	if days == 0 {
		days = m.Days
	}
	if days < 1 || days > maxDays {
		return nil, fmt.Errorf("sim: %d days cannot be simulated: 1 to %d can", days, maxDays)
	}
	if !(growth > -1 && growth <= 100) {
		return nil, fmt.Errorf("sim: growth %g is not possible: it is a share above -1, for example 0.1 for a tenth more", growth)
	}
	day, err := time.ParseInLocation(time.DateOnly, start, m.location)
	if err != nil {
		return nil, fmt.Errorf("sim: %q is not a date: write it as 2014-10-31", start)
	}
	s := &Modelled{model: m, from: contact.At(day), to: contact.At(day.AddDate(0, 0, days)), days: days, growth: growth}
	s.fillRates()
	s.perHour = m.perHour(s.from, s.to)
	s.shifts = s.shiftsFor(s.perHour)
	s.agents = agentsOf(s.shifts)
	return s, nil
}

// fillRates works out each hour's rate and mix.
func (s *Modelled) fillRates() {
	m := s.model
	for at := s.from; at < s.to; at = at.Add(contact.Hour) {
		local := m.Zone.Local(at)
		rate, weights := 0.0, make([]float64, len(m.mix))
		for i, k := range m.mix {
			weights[i] = k.share * k.hours[local.Minute/60]
			rate += weights[i]
		}
		s.weights = append(s.weights, weights)
		s.rates = append(s.rates, rate*m.PerDay*(1+s.growth)*m.weekday[local.Weekday]/3600)
	}
}

// perHour is the staffing by profile for each hour of a period.
func (m *Model) perHour(from, to contact.Instant) map[string][]int {
	out := map[string][]int{}
	for at := from; at < to; at = at.Add(contact.Hour) {
		local := m.Zone.Local(at)
		for _, p := range m.Profiles() {
			n := 0
			for _, s := range m.staff {
				if s.profile == p && s.days[local.Weekday] {
					n += s.perHour[local.Minute/60]
				}
			}
			out[p] = append(out[p], n)
		}
	}
	return out
}

func (s *Modelled) shiftsFor(perHour map[string][]int) []Shift {
	var shifts []Shift
	for _, p := range s.model.Profiles() {
		shifts = append(shifts, shiftsOf(p, s.from, perHour[p])...)
	}
	return shifts
}

// Describe implements Source.
func (s *Modelled) Describe() (string, []string) {
	m := s.model
	what := fmt.Sprintf("model %s: %s", m.Name, m.Label)
	notes := []string{
		fmt.Sprintf("%.0f contacts a day on average, %d day(s), arrivals by chance (Poisson) at each hour's rate.", m.PerDay*(1+s.growth), s.days),
	}
	if s.growth != 0 {
		notes = append(notes, fmt.Sprintf("Volume changed by %+.1f %%.", 100*s.growth))
	}
	return what, append(notes, m.notes()...)
}

func (m *Model) notes() []string {
	k := m.mix[0]
	of := ""
	if len(m.mix) > 1 {
		of = fmt.Sprintf("The first of %d kinds of contact, %s: ", len(m.mix), k.name)
	}
	notes := []string{
		of + "talk: " + k.talk.String() + "; wrap-up: " + k.wrapUp.String() + "; patience of callers: " + k.patience.String() + ".",
		fmt.Sprintf("Handlers answer an offer after: %s; %.1f %% of offers are missed.", m.Answering.Delay, 100*m.Answering.Missed),
	}
	notes = append(notes, m.Hearing.notes()...)
	if m.Source != "" {
		notes = append(notes, "Where the numbers come from: "+m.Source)
	}
	return notes
}

// Period implements Source.
func (s *Modelled) Period() (from, to contact.Instant) { return s.from, s.to }

// Profiles implements Source.
func (s *Modelled) Profiles() []string { return s.model.Profiles() }

// Outside implements Source.
func (s *Modelled) Outside(seed uint64, replication int) (*Outside, error) {
	dice := newStream(seed, replication)
	out := &Outside{From: s.from, To: s.to, Shifts: s.shifts, Answering: s.model.Answering, Hearing: s.model.Hearing, stream: dice}
	preferring := preferences{}
	total := 0.0
	for _, r := range s.rates {
		total += r * 3600
	}
	out.Arrivals = make([]Arrival, 0, int(total*1.01)+64)
	// A Poisson process of rate one, its clock run at the rate of each hour.
	hour, left, at := 0, 0.0, 0.0
	if len(s.rates) > 0 {
		left = s.rates[0] * 3600
	}
	for i := 0; ; i++ {
		need := exponential(dice.uniform(i, forArrival, 0))
		for hour < len(s.rates) && need > left {
			need -= left
			hour++
			at = float64(hour) * 3600
			if hour < len(s.rates) {
				left = s.rates[hour] * 3600
			}
		}
		if hour >= len(s.rates) {
			break
		}
		at += need / s.rates[hour]
		left -= need
		k := &s.model.mix[pick(s.weights[hour], dice.uniform(i, forMix, 0))]
		when := s.from.Add(span(at))
		if when >= s.to {
			break
		}
		a := k.arrival(dice, i)
		a.At = when
		if k.preferred > 0 && len(s.agents) > 0 && dice.uniform(i, forPreferred, 0) < k.preferred {
			a.Facts = preferring.of(a.Facts, s.agents[int(dice.uniform(i, forPreferred, 1)*float64(len(s.agents)))])
		}
		out.Arrivals = append(out.Arrivals, a)
	}
	return out, nil
}

// preferences keeps facts that differ in the preferred handler alone, each once.
type preferences map[preferring]*contact.Facts

type preferring struct {
	facts *contact.Facts
	agent routing.AgentID
}

func (p preferences) of(f *contact.Facts, agent routing.AgentID) *contact.Facts {
	key := preferring{f, agent}
	if p[key] == nil {
		twin := *f
		twin.Preferred = string(agent)
		p[key] = &twin
	}
	return p[key]
}

// agentsOf lists who works in shifts, in order of id.
func agentsOf(shifts []Shift) []routing.AgentID {
	var list []routing.AgentID
	for _, s := range shifts {
		list = append(list, s.Agent)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// pick chooses by weight.
func pick(weights []float64, u float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	u *= sum
	for i, w := range weights {
		if u < w {
			return i
		}
		u -= w
	}
	return slices.Index(weights, slices.Max(weights))
}

// arrival draws what belongs to one contact of the kind.
func (k *mixture) arrival(dice stream, i int) Arrival {
	which := 0
	for n, chance := range k.chances {
		if chance > 0 && dice.uniform(i, forMarkers, n) < chance {
			which |= 1 << n
		}
	}
	return Arrival{
		Channel: k.channel, Queue: k.queue, Facts: k.facts[which],
		Talk: k.talk.Quantile(dice.uniform(i, forTalk, 0)), WrapUp: k.wrapUp.Quantile(dice.uniform(i, forWrapUp, 0)),
		Patience: k.patience.Quantile(dice.uniform(i, forPatience, 0)),
	}
}
