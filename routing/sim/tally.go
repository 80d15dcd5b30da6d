package sim

import (
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Group says which contacts a row of a report is about; what is empty is not
// told apart.
type Group struct {
	Queue   routing.QueueID `json:"queue,omitempty"`
	Channel contact.Channel `json:"channel,omitempty"`
	// Hour is the local hour of the day of arrival, −1 for all.
	Hour int `json:"hour"`
}

// result is one replication under one plan.
type result struct {
	groups map[Group]*sums
	effect effect
	// contacts and steps are the work done.
	contacts, steps int
}

// tally adds a world up. Contacts that arrived before the warm-up was over do not
// count.
func (w *world) tally(p *prepared, warm contact.Instant) result {
	type wait struct {
		seconds float64
		visit   int32
	}
	waits := make([]wait, 0, len(w.visits))
	queues := p.plan.Queues
	cells := make([]sums, len(queues)*channelCount*24)
	cell := func(v *visit) *sums {
		return &cells[(int(v.queue)*channelCount+int(v.channel))*24+w.time.hour(max(v.arrived, w.time.from))]
	}
	n := 0
	r := result{groups: map[Group]*sums{}, effect: newEffect(p.plan)}
	r.effect.spent = float64(w.spent)
	for i := range w.visits {
		v := &w.visits[i]
		if !w.counts(v, warm) {
			continue
		}
		n++
		s := cell(v)
		s.offered++
		r.effect.count(w, v)
		if v.moves > 0 {
			home := *v
			home.queue = v.home
			cell(&home).overflowed++
		}
		s.told += float64(v.told)
		if v.step > 0 && v.answered != 0 {
			s.relaxed++
		}
		switch {
		case v.answered == 0 || v.preferred == noPreference:
		case v.preferred == preferenceMet:
			s.preferring, s.preferred = s.preferring+1, s.preferred+1
		default:
			s.preferring++
		}
		if v.fedUp && (v.stage == leftShort || v.stage == leftLong) {
			s.fedUp++
		}
		s.missed += float64(max(0, int(v.offers)-1))
		until := v.over
		if v.answered != 0 {
			until = v.answered
		} else if v.over == 0 {
			until = w.now
		}
		waited := until.Sub(v.arrived).Std().Seconds()
		s.longest = max(s.longest, waited)
		target := p.within[v.queue][v.channel]
		switch {
		case v.answered != 0:
			s.answered++
			s.waited += waited
			if waited <= target {
				s.within++
			}
			waits = append(waits, wait{waited, int32(i)})
			if v.stage == answeredAndOver {
				s.handled++
				s.worked += float64(v.worked)
			}
		case v.stage == leftShort:
			s.short++
		case v.stage == leftLong:
			s.long++
		case v.stage == closedOut:
			s.closed++
		case v.stage == failed:
			s.failed++
		default:
			s.open++
		}
		if (v.stage == leftShort || v.stage == leftLong) && waited <= target {
			s.leftWithin++
		}
	}
	slices.SortFunc(waits, func(a, b wait) int {
		switch {
		case a.seconds < b.seconds:
			return -1
		case a.seconds > b.seconds:
			return 1
		}
		return int(a.visit - b.visit)
	})
	for i := range cells {
		if a := int(cells[i].answered); a > 0 {
			cells[i].waits = make([]float64, 0, a)
		}
	}
	r.contacts, r.steps = n, w.steps
	r.fold(cells, queues)
	// In order of length, so that each group's waits come sorted.
	for _, x := range waits {
		v := &w.visits[x.visit]
		c := cell(v)
		c.waits = append(c.waits, x.seconds)
	}
	r.merge(cells, queues)
	w.clock(&r)
	return r
}

// counts tells whether a visit is in the figures: it came after the warm-up, or
// was here when a fork began and not answered yet.
func (w *world) counts(v *visit, warm contact.Instant) bool {
	if v.resident {
		return v.answered == 0 || v.answered >= w.time.from
	}
	return v.stage != expected && v.queue >= 0 && v.arrived >= warm
}

// groupsOf lists the groups a cell counts in.
func groupsOf(q routing.QueueID, ch contact.Channel, hour int) [7]Group {
	return [7]Group{
		{Hour: -1},
		{Queue: q, Hour: -1},
		{Channel: ch, Hour: -1},
		{Hour: hour},
		{Queue: q, Channel: ch, Hour: -1},
		{Queue: q, Hour: hour},
		{Queue: q, Channel: ch, Hour: hour},
	}
}

func (r *result) each(cells []sums, queues []routing.Queue, fn func(*sums, Group)) {
	for i := range cells {
		if cells[i].offered == 0 && cells[i].overflowed == 0 {
			continue
		}
		q, ch, hour := i/24/channelCount, i/24%channelCount, i%24
		for _, g := range groupsOf(queues[q].ID, channelList[ch], hour) {
			fn(&cells[i], g)
		}
	}
}

func (r *result) fold(cells []sums, queues []routing.Queue) {
	r.groups[Group{Hour: -1}] = &sums{}
	r.each(cells, queues, func(c *sums, g Group) {
		s := r.groups[g]
		if s == nil {
			s = &sums{}
			r.groups[g] = s
		}
		s.offered += c.offered
		s.answered += c.answered
		s.short += c.short
		s.long += c.long
		s.closed += c.closed
		s.failed += c.failed
		s.open += c.open
		s.within += c.within
		s.leftWithin += c.leftWithin
		s.waited += c.waited
		s.worked += c.worked
		s.handled += c.handled
		s.missed += c.missed
		s.overflowed += c.overflowed
		s.relaxed += c.relaxed
		s.told += c.told
		s.fedUp += c.fedUp
		s.preferring += c.preferring
		s.preferred += c.preferred
		s.longest = max(s.longest, c.longest)
	})
}

// merge gives each group the sorted waits of its cells.
func (r *result) merge(cells []sums, queues []routing.Queue) {
	parts := map[Group][][]float64{}
	r.each(cells, queues, func(c *sums, g Group) { parts[g] = append(parts[g], c.waits) })
	for g, list := range parts {
		r.groups[g].waits = mergeSorted(list)
	}
}

// mergeSorted merges sorted lists, two by two.
func mergeSorted(lists [][]float64) []float64 {
	for len(lists) > 1 {
		var next [][]float64
		for i := 0; i+1 < len(lists); i += 2 {
			a, b := lists[i], lists[i+1]
			out := make([]float64, 0, len(a)+len(b))
			for len(a) > 0 && len(b) > 0 {
				if b[0] < a[0] {
					out, b = append(out, b[0]), b[1:]
				} else {
					out, a = append(out, a[0]), a[1:]
				}
			}
			next = append(next, append(append(out, a...), b...))
		}
		if len(lists)%2 == 1 {
			next = append(next, lists[len(lists)-1])
		}
		lists = next
	}
	if len(lists) == 0 {
		return nil
	}
	return lists[0]
}

// clock puts handlers' time into the total and the hours.
func (w *world) clock(r *result) {
	var spans [24]float64
	for n, h := range w.time.hourOf {
		at := w.time.from.Add(contact.Duration(n) * contact.Hour)
		spans[h] += max(0, min(w.time.to, at.Add(contact.Hour)).Sub(max(at, w.time.since)).Std().Seconds())
	}
	total := r.groups[Group{Hour: -1}]
	for h := range 24 {
		total.busy += w.time.busy[h]
		total.staffed += w.time.staffed[h]
		total.span += spans[h]
		if s := r.groups[Group{Hour: h}]; s != nil {
			s.busy, s.staffed, s.span = w.time.busy[h], w.time.staffed[h], spans[h]
		}
	}
}
