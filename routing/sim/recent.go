package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Bounds of what the recent past can tell.
const (
	recentKinds    = 200                 // kinds of contact told apart, the most frequent
	recentContacts = 30                  // fewer tell nothing of the mix
	recentLeast    = 10 * contact.Minute // a shorter time tells nothing of the volume
	recentPatience = 10                  // callers who gave up; fewer tell nothing of patience
)

// Recent makes a model of what comes next: volume, mix, handling times and
// patience of the recent past where it tells enough of them, and the model's where
// it does not. Hours and days keep the model's shape. The volume is that of the
// past scaled to it. h is nil when there is no past; handlers, by profile, are then
// what the volume is scaled to: as many contacts for each as the model has at that
// hour. The new model's Source says which is which.
func (m *Model) Recent(h *History, handlers int, at contact.Instant) *Model {
	n := *m
	n.mix = slices.Clone(m.mix)
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	defer func() { n.Source = strings.Join(said, "; ") }()

	switch {
	case h != nil && h.Contacts > 0 && h.To.Sub(h.From) >= recentLeast:
		n.PerDay = m.PerDay * float64(h.Contacts) / m.expected(h.From, h.To)
		say("volume: %d contacts in the journal's last %s, which is %.1f an hour now", h.Contacts, rough(h.To.Sub(h.From)), n.hourly(at))
	default:
		staffed := 0
		for _, counts := range m.perHour(at, at.Add(1)) {
			staffed += counts[0]
		}
		if staffed > 0 && handlers > 0 {
			n.PerDay = m.PerDay * float64(handlers) / float64(staffed)
			say("volume: the journal tells too little; that of the profile %s for %d handlers, %.1f an hour now", m.Name, handlers, n.hourly(at))
		} else {
			say("volume: the journal tells too little; that of the profile %s", m.Name)
		}
	}
	if h == nil {
		say("mix, handling times and patience: the profile %s", m.Name)
		return &n
	}
	if h.Contacts >= recentContacts {
		n.mix = h.kinds(m)
		say("mix: the journal's")
	} else {
		say("mix: the profile %s, because the journal has only %d contacts", m.Name, h.Contacts)
	}
	n.times(h, m, say)
	if h.Offers >= fewTimes && len(h.AnswerDelay) > 0 {
		n.Answering.Delay = EmpiricalOf(h.AnswerDelay)
		n.Answering.Missed = float64(h.Missed) / float64(h.Offers)
	}
	return &n
}

// times takes handling times and patience from the past where it has enough.
func (m *Model) times(h *History, base *Model, say func(string, ...any)) {
	for _, c := range channelList {
		if len(h.Talk[c]) < fewTimes {
			continue
		}
		law := fitted(h.Talk[c], nil, nil)
		for i := range m.mix {
			if m.mix[i].channel != c {
				continue
			}
			m.mix[i].talk = law
			switch {
			case c != contact.Phone:
				m.mix[i].wrapUp = Constant(0) // their work is measured as one
			case len(h.WrapUp[c]) >= fewTimes:
				m.mix[i].wrapUp = EmpiricalOf(h.WrapUp[c])
			}
		}
		say("handling times, %s: %d in the journal", c, len(h.Talk[c]))
	}
	if len(h.Talk[contact.Phone]) < fewTimes {
		say("handling times of calls: the profile %s, because the journal has only %d", base.Name, len(h.Talk[contact.Phone]))
	}
	if h.Abandoned < recentPatience {
		say("patience: the profile %s, because only %d gave up", base.Name, h.Abandoned)
		return
	}
	law := h.Patience.Distribution()
	for i := range m.mix {
		if m.mix[i].channel == contact.Phone {
			m.mix[i].patience = law
		}
	}
	say("patience: by Kaplan and Meier from the journal, where %d gave up", h.Abandoned)
}

// kinds groups the past's contacts by what rules may know of them.
func (h *History) kinds(m *Model) []mixture {
	type group struct {
		mixture
		n    int
		with [4]int
	}
	groups := map[string]*group{}
	for _, r := range h.records {
		f := r.facts
		var answers strings.Builder
		for _, label := range slices.Sorted(maps.Keys(f.Answers)) {
			fmt.Fprintf(&answers, "%q=%q ", label, f.Answers[label])
		}
		key := fmt.Sprintf("%s %q %q %q %q %s", r.channel, r.queue, f.Language, f.Dialled, f.CLI, &answers)
		g := groups[key]
		if g == nil {
			g = &group{mixture: m.like(r.channel)}
			g.name, g.channel, g.queue = strings.TrimSpace(string(r.channel)+" "+answers.String()), r.channel, r.queue
			for i := range g.facts {
				g.facts[i] = markedFacts(contact.Facts{Language: f.Language, Dialled: f.Dialled, CLI: f.CLI, Answers: f.Answers}, i)
			}
			groups[key] = g
		}
		g.n++
		for i, is := range []bool{f.Vulnerable, f.RepeatVictim, f.OpenReports > 0, f.Contacts30d >= frequent} {
			if is {
				g.with[i]++
			}
		}
	}
	keys := slices.Sorted(maps.Keys(groups))
	slices.SortStableFunc(keys, func(a, b string) int { return groups[b].n - groups[a].n })
	keys = keys[:min(len(keys), recentKinds)]
	total := 0
	for _, k := range keys {
		total += groups[k].n
	}
	mix := make([]mixture, 0, len(keys))
	for _, k := range keys {
		g := groups[k]
		g.share = float64(g.n) / float64(total)
		for i, n := range g.with {
			g.chances[i] = float64(n) / float64(g.n)
		}
		mix = append(mix, g.mixture)
	}
	return mix
}

// like is a kind of the model on the channel, with the hours of all its kinds.
func (m *Model) like(c contact.Channel) mixture {
	k := m.mix[0]
	for _, x := range m.mix {
		if x.channel == c {
			k = x
			break
		}
	}
	k.hours = [24]float64{}
	for _, x := range m.mix {
		for i, share := range x.hours {
			k.hours[i] += x.share * share
		}
	}
	return k
}

// frequent is how many contacts in 30 days the model's frequent callers had.
const frequent = 3

// markedFacts are facts with the markers of a combination.
func markedFacts(f contact.Facts, which int) *contact.Facts {
	f.Vulnerable, f.RepeatVictim = which&1 != 0, which&2 != 0
	if which&4 != 0 {
		f.OpenReports = 1
	}
	if which&8 != 0 {
		f.Contacts30d = frequent
	}
	return &f
}

// expected is how many contacts the model has come in a time.
func (m *Model) expected(from, to contact.Instant) float64 {
	const step = 10 * contact.Minute
	sum := 0.0
	for at := from; at < to; at = at.Add(step) {
		sum += m.hourly(at) * float64(min(step, to.Sub(at))) / float64(contact.Hour)
	}
	return max(sum, 1e-9)
}

// hourly is the model's rate at an instant, in contacts an hour.
func (m *Model) hourly(at contact.Instant) float64 {
	local := m.Zone.Local(at)
	rate := 0.0
	for _, k := range m.mix {
		rate += k.share * k.hours[local.Minute/60]
	}
	return rate * m.PerDay * m.weekday[local.Weekday]
}

// Staffed counts handlers signed on or with a contact in hand who are ready for
// more by themselves.
func Staffed(e *routing.Engine) int {
	n := 0
	for _, a := range e.Agents() {
		if a.Present && (a.State == routing.StateReady || a.State == routing.StateResting || a.Next == routing.StateReady) {
			n++
		}
	}
	return n
}

// rough writes a length of time in whole minutes.
func rough(d contact.Duration) string {
	d = (d + contact.Minute/2) / contact.Minute * contact.Minute
	return strings.TrimSuffix(d.String(), "0s")
}
