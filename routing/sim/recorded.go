package sim

import (
	"fmt"
	"math"
	"time"

	"example.org/c3i/contact"
)

// Recorded is arrivals as they were: the same in each replication. What is not
// known of a contact is drawn from laws, anew in each replication.
type Recorded struct {
	what     string
	notes    []string
	from, to contact.Instant
	records  []record
	shifts   []Shift
	profiles []string
	// answering and laws fill in what is not known.
	answering Answering
	hearing   Hearing
	laws      map[contact.Channel]laws
}

// laws are the times of one channel.
type laws struct{ talk, wrapUp, patience Distribution }

// FromTable takes a table's arrivals, with a model's staffing and laws: handling
// times and patience not in the table are drawn from the model's first kind of
// contact on the channel. The period is whole days in the model's zone.
func FromTable(t *Table, m *Model) *Recorded {
	first := t.records[0].at.Time().In(m.location)
	last := t.records[len(t.records)-1].at.Time().In(m.location)
	from := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, m.location)
	to := time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, m.location)
	s := &Recorded{
		what: fmt.Sprintf("table %s: %d contacts", t.name, len(t.records)), from: contact.At(from), to: contact.At(to),
		records: t.records, profiles: m.Profiles(), answering: m.Answering, hearing: m.Hearing, laws: m.laws(),
	}
	s.notes = append([]string{fmt.Sprintf("Arrivals are the table's; staffing, and times the table does not give, are those of the model %s.", m.Name)}, m.notes()...)
	perHour := m.perHour(s.from, s.to)
	for _, p := range s.profiles {
		s.shifts = append(s.shifts, shiftsOf(p, s.from, perHour[p])...)
	}
	return s
}

// laws gives each channel the times of the first kind of contact on it, or of the
// first kind at all.
func (m *Model) laws() map[contact.Channel]laws {
	out := map[contact.Channel]laws{}
	for _, c := range channelList {
		k := m.mix[0]
		for _, x := range m.mix {
			if x.channel == c {
				k = x
				break
			}
		}
		out[c] = laws{k.talk, k.wrapUp, k.patience}
	}
	return out
}

// Describe implements Source.
func (s *Recorded) Describe() (string, []string) { return s.what, s.notes }

// Period implements Source.
func (s *Recorded) Period() (from, to contact.Instant) { return s.from, s.to }

// Profiles implements Source.
func (s *Recorded) Profiles() []string { return s.profiles }

// Outside implements Source.
func (s *Recorded) Outside(seed uint64, replication int) (*Outside, error) {
	dice := newStream(seed, replication)
	out := &Outside{From: s.from, To: s.to, Shifts: s.shifts, Answering: s.answering, Hearing: s.hearing, stream: dice, Arrivals: make([]Arrival, len(s.records))}
	for i, r := range s.records {
		l := s.laws[r.channel]
		a := Arrival{At: r.at, Channel: r.channel, Queue: r.queue, Facts: r.facts, Talk: r.talk, WrapUp: r.wrapUp, Patience: r.patience}
		if math.IsNaN(a.Talk) {
			a.Talk = l.talk.Quantile(dice.uniform(i, forTalk, 0))
		}
		if math.IsNaN(a.WrapUp) {
			a.WrapUp = l.wrapUp.Quantile(dice.uniform(i, forWrapUp, 0))
		}
		if math.IsNaN(a.Patience) {
			a.Patience = beyond(l.patience, r.patienceBeyond, dice.uniform(i, forPatience, 0))
		}
		out.Arrivals[i] = a
	}
	return out, nil
}
