// Package routingbench measures the routing engine: how many events it takes a
// second, with how many handlers, skill profiles and waiting contacts. It is the
// only place around the engine that reads a clock.
package routingbench

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Result is what one run measured.
type Result struct {
	Handlers int `json:"handlers"`
	Profiles int `json:"profiles"`
	// Waiting is how many contacts wait throughout the measured part.
	Waiting int `json:"waiting"`
	// Events is how many were measured, after the warm-up.
	Events          int     `json:"events"`
	EventsPerSecond float64 `json:"events_per_second"`
	NsPerEvent      float64 `json:"ns_per_event"`
	// CPUNsPerEvent is processor time of the whole process, garbage collection
	// included: it holds on a machine that has other work, where NsPerEvent does not.
	CPUNsPerEvent  float64 `json:"cpu_ns_per_event"`
	AllocsPerEvent float64 `json:"allocs_per_event"`
	BytesPerEvent  float64 `json:"bytes_per_event"`
}

// Run drives an engine through at least events events on one goroutine: all
// handlers are busy, waiting contacts wait, and each call that ends is followed
// by an arrival, so that every freed handler chooses among all that wait. One
// caller in ten gives up, one offer in twenty is not answered. What waits relaxes
// twice, overflows and is told its position; one caller in twenty prefers somebody. A call waits 50 s, however
// many wait, so that each takes the same steps.
func Run(handlers, profiles, waiting, events int) Result {
	l := NewLoad(handlers, profiles, waiting)
	l.Drive(max(events/10, 1000))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), processorTime()
	done := l.Drive(events)
	took := time.Since(began)
	cpu = processorTime() - cpu
	runtime.ReadMemStats(&after)
	ns := float64(took.Nanoseconds()) / float64(done)
	return Result{
		Handlers: handlers, Profiles: profiles, Waiting: waiting, Events: done,
		EventsPerSecond: 1e9 / ns, NsPerEvent: ns,
		CPUNsPerEvent:  float64(cpu.Nanoseconds()) / float64(done),
		AllocsPerEvent: float64(after.Mallocs-before.Mallocs) / float64(done),
		BytesPerEvent:  float64(after.TotalAlloc-before.TotalAlloc) / float64(done),
	}
}

// processorTime is what the process has used so far, user and system.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		// It fails only for an argument it does not know.
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Load is a contact centre at work, repeatable from its sizes alone.
type Load struct {
	Engine *routing.Engine
	// Listen is told what each step returns, nil for nobody.
	Listen func([]routing.Action)
	now    contact.Instant
	// pace is the time from one event to the next.
	pace contact.Duration
	// calls are the contacts ringing or in hand, in the order to move on.
	calls []call
	// waiting lists ids that may give up, some of them gone already.
	waiting []contact.ID
	next    int
	// handlers is how many are signed on.
	handlers int
	dice     uint64
	plan     *routing.Plan
}

type call struct {
	contact contact.ID
	agent   routing.AgentID
	offer   routing.OfferID
	phase   int
}

const (
	skills = 40
	queues = 12
	// waitFor is how long a call waits, however many wait: the fewer, the slower
	// they come. So each takes the same steps, and what is compared is what those cost.
	waitFor = 50 * contact.Second
	// eventsPerCall is about how many events there are to one that waits.
	eventsPerCall = 5
)

// NewLoad signs the handlers on, makes them ready and fills the queues.
func NewLoad(handlers, profiles, waiting int) *Load {
	l := &Load{Engine: routing.New(), pace: waitFor / eventsPerCall / contact.Duration(max(waiting, 1)), now: contact.Instant(1_700_000_000 * contact.Second), dice: 1, plan: plan(profiles), handlers: handlers}
	l.step(routing.PlanPublished{Version: 1, Source: "bench", Plan: l.plan})
	for q := range queues {
		l.step(routing.HoursChanged{Queue: queueID(q), Open: true})
	}
	for h := range handlers {
		id := routing.AgentID(fmt.Sprintf("handler%05d", h))
		l.step(routing.AgentSignedOn{Agent: id, Profile: l.plan.Profiles[h%profiles].Name, DeviceUp: true})
		l.step(routing.AgentReady{Agent: id})
	}
	for short := waiting; short > 0; short = waiting - l.Waiting() {
		for range short {
			l.arrive()
		}
	}
	return l
}

// Waiting is how many contacts wait now.
func (l *Load) Waiting() int {
	n := 0
	for _, q := range l.Engine.Queues() {
		n += q.Waiting
	}
	return n
}

// Drive steps at least n events and returns how many.
func (l *Load) Drive(n int) int {
	done := 0
	for done < n {
		if len(l.calls) == 0 {
			l.arrive()
			done++
			continue
		}
		c := l.calls[0]
		l.calls = l.calls[1:]
		done += l.move(c)
	}
	return done
}

// move takes one call a step on.
func (l *Load) move(c call) int {
	switch c.phase {
	case 0:
		if l.roll(20) == 0 {
			l.step(routing.OfferDeclined{Offer: c.offer, Agent: c.agent})
			l.step(routing.AgentReady{Agent: c.agent})
			return 2
		}
		l.step(routing.OfferAccepted{Offer: c.offer, Agent: c.agent})
		// At once, because it must not take longer than routing.ConnectWithin.
		l.step(routing.Connected{Contact: c.contact, Agent: c.agent})
		c.phase++
		l.calls = append(l.calls, c)
		return 2
	case 1:
		l.step(routing.ContactReleased{Contact: c.contact, Cause: routing.ReleasedByCaller})
	default:
		l.step(routing.WrapUpDone{Contact: c.contact, Agent: c.agent, Outcome: "advice_given"})
		l.arrive()
		if l.roll(10) == 0 {
			l.giveUp()
			l.arrive()
			return 4
		}
		return 2
	}
	c.phase++
	l.calls = append(l.calls, c)
	return 1
}

// giveUp makes one waiting caller hang up.
func (l *Load) giveUp() {
	for len(l.waiting) > 0 {
		i := l.roll(len(l.waiting))
		id := l.waiting[i]
		l.waiting[i] = l.waiting[len(l.waiting)-1]
		l.waiting = l.waiting[:len(l.waiting)-1]
		if s, here := l.Engine.ContactState(id); here && s.Phase == routing.PhaseWaiting {
			l.step(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByCaller})
			return
		}
	}
}

func (l *Load) arrive() {
	l.next++
	id := contact.ID(fmt.Sprintf("%026d", l.next))
	language := languages[l.roll(len(languages))]
	ev := routing.ContactArrived{
		Contact: id, Channel: contact.Phone, Arrival: l.now, Queue: queueID(l.roll(queues)),
		Facts: contact.Facts{Language: language, Vulnerable: l.roll(10) == 0, Line: fmt.Sprintf("line%06d", l.roll(100_000))},
	}
	if l.roll(20) == 0 {
		ev.Facts.Preferred = fmt.Sprintf("handler%05d", l.roll(l.handlers))
	}
	l.waiting = append(l.waiting, id)
	l.step(ev)
}

func (l *Load) step(ev routing.Event) {
	l.now = l.now.Add(l.pace)
	list := l.Engine.Step(l.now, ev)
	if l.Listen != nil {
		l.Listen(list)
	}
	for _, a := range list {
		switch o := a.(type) {
		case routing.Offer:
			l.calls = append(l.calls, call{contact: o.Contact, agent: o.Agent, offer: o.Offer})
		case *routing.Offer:
			l.calls = append(l.calls, call{contact: o.Contact, agent: o.Agent, offer: o.Offer})
		}
	}
}

// roll draws from 0 to n-1 (xorshift64: repeatable, and cheap enough not to be
// what is measured).
func (l *Load) roll(n int) int {
	l.dice ^= l.dice << 13
	l.dice ^= l.dice >> 7
	l.dice ^= l.dice << 17
	return int(l.dice % uint64(n))
}

var languages = []string{"en", "en", "en", "en", "en", "en", "pl", "bn"}

func queueID(i int) routing.QueueID { return routing.QueueID(fmt.Sprintf("queue%02d", i)) }

// plan has queues that each need one of the skills, some languages, and profiles
// that hold a few of the skills each.
func plan(profiles int) *routing.Plan {
	within := map[contact.Channel]contact.Duration{contact.Phone: 30 * contact.Second, contact.Email: 4 * contact.Hour, contact.Web: contact.Day}
	p := &routing.Plan{
		Version: 1, DefaultQueue: queueID(0), ShortAbandon: 5 * contact.Second, RingBackWindow: 10 * contact.Second,
		Offer: routing.OfferPolicy{
			RingFor:      map[contact.Channel]contact.Duration{contact.Phone: contact.Hour},
			NoAnswerRest: contact.Minute, DeclineRest: contact.Minute, FailedRest: contact.Minute, AlertAfter: 3,
		},
		WrapUp: routing.WrapUpPolicy{Limit: 24 * contact.Hour},
	}
	for q := range queues {
		p.Queues = append(p.Queues, routing.Queue{
			ID: queueID(q), Label: string(queueID(q)), AnswerWithin: within, LanguageSkill: true,
			Needs: []routing.Need{{Skill: skill(q), Min: 3}},
			Relax: []routing.RelaxStep{
				{Name: "learning", After: 5 * contact.Second, Needs: []routing.Need{{Skill: skill(q), Min: 1}}},
				{Name: "interpreter", After: 20 * contact.Second, Needs: []routing.Need{{Skill: skill(q), Min: 1}}, AnyLanguage: true},
			},
			Overflow:  []routing.OverflowStep{{After: 40 * contact.Second, To: queueID((q + 1) % queues)}},
			Preferred: &routing.PreferredPolicy{Wait: contact.Second},
			Announce:  &routing.AnnouncePolicy{First: 10 * contact.Second, Every: 30 * contact.Second},
		})
		p.Rules = append(p.Rules, routing.Rule{
			Name: "vulnerable to " + string(queueID(q)), Queue: queueID(q), Credit: contact.Minute,
			Match: func(in routing.RuleInput) bool { return in.Facts.Vulnerable }, Needs: []routing.Need{{Skill: skill(queues + q), Min: 1}},
		})
	}
	for i := range profiles {
		def := routing.Profile{Name: fmt.Sprintf("profile%03d", i), Capacity: map[contact.Channel]int{contact.Phone: 1}}
		for s := range skills {
			// Every skill is held by about half of the profiles, at varied levels.
			if (i*7+s*13)%5 < 3 {
				def.Skills = append(def.Skills, routing.SkillLevel{Skill: skill(s), Level: contact.Level(1 + (i+s)%5)})
			}
		}
		def.Skills = append(def.Skills, routing.SkillLevel{Skill: "lang.en", Level: 5})
		if i%3 == 0 {
			def.Skills = append(def.Skills, routing.SkillLevel{Skill: "lang.pl", Level: 3})
		}
		if i%4 == 0 {
			def.Skills = append(def.Skills, routing.SkillLevel{Skill: "lang.bn", Level: 4})
		}
		p.Profiles = append(p.Profiles, def)
	}
	return p
}

func skill(i int) contact.Skill { return contact.Skill(fmt.Sprintf("skill%02d", i)) }
