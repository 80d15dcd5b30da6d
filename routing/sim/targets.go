package sim

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
	"example.org/c3i/routing/plan"
)

// Traffic is a week of contacts and of handlers on duty, by hour of the week.
type Traffic struct {
	// What says where it is from.
	What  string
	kinds []mixture
	hours [168]trafficHour // 0 is Monday 00:00 to 01:00
}

// trafficHour is one hour of the week.
type trafficHour struct {
	rate  []float64 // contacts an hour, by kind; nil when nothing is known of the hour
	staff map[string]float64
}

// Traffic is the model's week.
func (m *Model) Traffic() *Traffic {
	t := &Traffic{What: "the profile " + m.Name, kinds: m.mix}
	for i := range t.hours {
		day, hour := (i/24+1)%7, i%24
		h := trafficHour{rate: make([]float64, len(m.mix)), staff: map[string]float64{}}
		for k, x := range m.mix {
			h.rate[k] = x.share * x.hours[hour] * m.PerDay * m.weekday[day]
		}
		for _, s := range m.staff {
			if s.days[day] {
				h.staff[s.profile] += float64(s.perHour[hour])
			}
		}
		t.hours[i] = h
	}
	return t
}

// Traffic is the past's week: what came and who was on duty in each hour of the
// week, on average over the weeks it has. Times it does not tell are the model's.
func (h *History) Traffic(m *Model) *Traffic {
	n := m.Recent(h, 0, h.To)
	t := &Traffic{What: fmt.Sprintf("the journal from %s to %s, %d contacts", h.From, h.To, h.Contacts), kinds: n.mix}
	const step = contact.Minute
	var came, seen [168]float64 // contacts; hours looked at
	staff := [168]map[string]float64{}
	hourOf := func(at contact.Instant) int {
		local := m.Zone.Local(at)
		return (local.Weekday+6)%7*24 + local.Minute/60
	}
	for at := h.From; at < h.To; at = at.Add(step) {
		seen[hourOf(at)] += float64(min(step, h.To.Sub(at))) / float64(contact.Hour)
	}
	for _, r := range h.records {
		came[hourOf(r.at)]++
	}
	for _, s := range h.shifts {
		for at := s.From; at < s.To; at = at.Add(step) {
			i := hourOf(at)
			if staff[i] == nil {
				staff[i] = map[string]float64{}
			}
			staff[i][s.Profile] += float64(min(step, s.To.Sub(at))) / float64(contact.Hour)
		}
	}
	for i := range t.hours {
		if seen[i] < 0.5 {
			continue // half an hour of it tells nothing
		}
		x := trafficHour{rate: make([]float64, len(n.mix)), staff: map[string]float64{}}
		for k, kind := range n.mix {
			x.rate[k] = kind.share * came[i] / seen[i]
		}
		for p, hours := range staff[i] {
			x.staff[p] = hours / seen[i]
		}
		t.hours[i] = x
	}
	return t
}

// callStream is the calls of one queue in one hour: calls an hour, and for them
// together handling time and patience, in seconds.
type callStream struct{ rate, work, patience float64 }

func (s *callStream) add(o callStream) {
	if o.rate <= 0 {
		return
	}
	sum := s.rate + o.rate
	s.work = (s.work*s.rate + o.work*o.rate) / sum
	s.patience = (s.patience*s.rate + o.patience*o.rate) / sum
	s.rate = sum
}

// CheckTargets warns of queues whose target for calls the traffic cannot meet: in
// some hours fewer than the share level of the calls would be answered within it,
// by Erlang A, even if every handler on duty who has what the queue needs took
// nothing else. All queues together are looked at in the same way, with the longest
// of their targets. What it warns of is therefore certain within the formula; what
// it does not warn of may still fail: simulate to find out.
func CheckTargets(doc *plan.Document, t *Traffic, level float64) plan.Problems {
	p := doc.Plan(1)
	shares := t.routed(p)
	var out plan.Problems
	type worst struct {
		failed [168]bool
		share  float64
		text   string
	}
	found := make(map[routing.QueueID]*worst)
	note := func(id routing.QueueID, hour int, s callStream, servers int, target, within float64) {
		w := found[id]
		if w == nil {
			w = &worst{share: math.Inf(1)}
			found[id] = w
		}
		w.failed[hour] = true
		if within < w.share {
			var one [168]bool
			one[hour] = true
			w.share = within
			w.text = fmt.Sprintf("the worst is %s: %.0f calls an hour of %s each for %s, %.0f %% within %s",
				plan.WeekText(one), s.rate, seconds(s.work), handlersText(servers), 100*within, seconds(target))
		}
	}
	const together = routing.QueueID("")
	var busiest routing.QueueID
	most := 0.0
	for hour, h := range t.hours {
		if h.rate == nil {
			continue
		}
		local := contact.Local{Weekday: (hour/24 + 1) % 7, Minute: hour % 24 * 60}
		var all callStream
		longest, everybody := 0.0, 0.0
		for _, profile := range p.Profiles {
			if profile.Capacity[contact.Phone] > 0 {
				everybody += h.staff[profile.Name]
			}
		}
		for _, q := range p.Queues {
			if q.Hours != nil && !q.Hours(local) {
				continue
			}
			var s callStream
			for k, x := range t.kinds {
				if x.channel == contact.Phone {
					s.add(callStream{h.rate[k] * shares[k][q.ID], x.talk.Mean() + x.wrapUp.Mean(), x.patience.Mean()})
				}
			}
			if s.rate <= 0 {
				continue
			}
			if load := s.rate * s.work; load > most {
				most, busiest = load, q.ID
			}
			able := 0.0
			for _, profile := range p.Profiles {
				if profile.Capacity[contact.Phone] > 0 && has(profile, q.Needs) {
					able += h.staff[profile.Name]
				}
			}
			target := q.AnswerWithin[contact.Phone].Std().Seconds()
			if within := s.within(able, target); within < level {
				note(q.ID, hour, s, int(able), target, within)
			}
			all.add(s)
			longest = max(longest, target)
		}
		if within := all.within(everybody, longest); all.rate > 0 && within < level {
			note(together, hour, all, int(everybody), longest, within)
		}
	}
	for _, q := range p.Queues {
		if w := found[q.ID]; w != nil {
			out = append(out, doc.QueueWarning(q.ID, "target_unmet",
				"%.0f %% of calls within the target cannot be met %s, even if whoever can took nothing else; %s (%s)", 100*level, plan.WeekText(w.failed), w.text, t.What))
		}
	}
	if w := found[together]; w != nil {
		out = append(out, doc.QueueWarning(busiest, "targets_unmet_together",
			"all calls together: %.0f %% within the longest target cannot be met %s by all handlers on duty, so some queue's must fail; %s (%s)", 100*level, plan.WeekText(w.failed), w.text, t.What))
	}
	return out
}

func handlersText(n int) string {
	if n == 1 {
		return "1 handler"
	}
	return fmt.Sprintf("%d handlers", n)
}

// within is the share answered within a target by so many handlers.
func (s callStream) within(handlers, target float64) float64 {
	servers := int(math.Round(handlers))
	switch {
	case s.rate <= 0:
		return 1
	case servers < 1:
		return 0
	case s.patience > 1e6:
		return MMC(s.rate/3600, s.work, servers, target).Within
	}
	return MMCM(s.rate/3600, s.work, s.patience, servers, target).Within
}

// routed gives for each kind the share of its contacts that each queue gets, with
// queues taken as empty.
func (t *Traffic) routed(p *routing.Plan) []map[routing.QueueID]float64 {
	out := make([]map[routing.QueueID]float64, len(t.kinds))
	for k, x := range t.kinds {
		out[k] = map[routing.QueueID]float64{}
		for which, facts := range x.facts {
			chance := 1.0
			for n, c := range x.chances {
				if which&(1<<n) != 0 {
					chance *= c
				} else {
					chance *= 1 - c
				}
			}
			if chance > 0 {
				out[k][queueFor(p, x.channel, *facts, x.queue)] += chance
			}
		}
	}
	return out
}

func queueFor(p *routing.Plan, c contact.Channel, facts contact.Facts, named routing.QueueID) routing.QueueID {
	if slices.ContainsFunc(p.Queues, func(q routing.Queue) bool { return q.ID == named }) {
		return named
	}
	for _, r := range p.Rules {
		if r.Match(routing.RuleInput{Channel: c, Facts: facts}) {
			return r.Queue
		}
	}
	return p.DefaultQueue
}

func has(p routing.Profile, needs []routing.Need) bool {
	for _, n := range needs {
		if !slices.ContainsFunc(p.Skills, func(s routing.SkillLevel) bool { return s.Skill == n.Skill && s.Level >= n.Min }) {
			return false
		}
	}
	return true
}

// OnDuty lists the profiles the traffic has on duty at some hour.
func (t *Traffic) OnDuty() []string {
	names := map[string]bool{}
	for _, h := range t.hours {
		for p, n := range h.staff {
			if n > 0 {
				names[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
