package routing_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

var update = flag.Bool("update", false, "rewrite the results in testdata/*.txt; review them as a diff")

// TestScenarios runs every testdata/*.txt: comments tell the story, commands are
// what happens, and after ---- comes what the engine does. testdata/README.md
// lists the commands.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d scenarios (%v): they are in testdata/*.txt", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { runScenario(t, name) })
	}
}

func runScenario(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &scenario{t: t, file: name, engine: routing.New(), now: began, offers: map[contact.ID]routing.Offer{}}
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i := 0; i < len(lines); {
		if line := strings.TrimSpace(lines[i]); line == "" || strings.HasPrefix(line, "#") {
			out.WriteString(lines[i] + "\n")
			i++
			continue
		}
		first := i
		for i < len(lines) && lines[i] != "----" {
			if strings.TrimSpace(lines[i]) == "" {
				t.Fatalf("%s:%d: a block of commands ends with ----", name, i+1)
			}
			out.WriteString(lines[i] + "\n")
			i++
		}
		s.out.Reset()
		for n := first; n < i; n++ {
			s.line = n + 1
			s.command(lines[n])
		}
		i++
		var want strings.Builder
		for i < len(lines) && lines[i] != "" {
			want.WriteString(lines[i] + "\n")
			i++
		}
		got := s.out.String()
		if got == "" {
			got = "nothing\n"
		}
		if got != want.String() && !*update {
			t.Errorf("%s:%d: %s\ngot:\n%s\nwant:\n%s\nIf the change is meant, run go test ./routing -run Scenarios -update and review the diff.",
				name, first+1, strings.Join(lines[first:min(first+3, len(lines))], "; "), got, want.String())
		}
		out.WriteString("----\n" + got)
	}
	if *update {
		if err := os.WriteFile(name, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type scenario struct {
	t      *testing.T
	file   string
	line   int
	engine *routing.Engine
	plan   *routing.Plan
	now    contact.Instant
	out    strings.Builder
	offers map[contact.ID]routing.Offer // the last offer of each contact
}

func (s *scenario) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s:%d: %s", s.file, s.line, fmt.Sprintf(format, args...))
}

func (s *scenario) say(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *scenario) duration(text string) contact.Duration {
	d, err := contact.ParseDuration(text)
	if err != nil {
		s.fatalf("%v", err)
	}
	return d
}

// step feeds one event and writes the actions. The auditor looks after each, at
// the engine and at a clone, which must hash the same.
func (s *scenario) step(ev routing.Event) {
	s.t.Helper()
	for _, a := range s.engine.Step(s.now, ev) {
		if o, is := a.(routing.Offer); is {
			s.offers[o.Contact] = o
		}
		s.say("%s", telling(a))
	}
	for _, fault := range s.engine.Check() {
		s.t.Errorf("%s:%d: the auditor finds: %s", s.file, s.line, fault)
	}
	clone := s.engine.Clone()
	if clone.Hash() != s.engine.Hash() {
		s.t.Errorf("%s:%d: a clone has another hash", s.file, s.line)
	}
	for _, fault := range clone.Check() {
		s.t.Errorf("%s:%d: the auditor finds in a clone: %s", s.file, s.line, fault)
	}
}

// wait lets time pass as a driver does: it steps at each deadline.
func (s *scenario) wait(d contact.Duration) {
	end := s.now.Add(d)
	for {
		at, some := s.engine.NextDeadline()
		if !some || at > end {
			break
		}
		s.now = at
		s.say("at %s", clock(at))
		s.step(routing.Tick{})
	}
	s.now = end // with a negative d the clock goes back
}

func (s *scenario) command(line string) {
	words := strings.Fields(line)
	if strings.HasPrefix(words[0], "#") {
		return
	}
	if d, is := strings.CutPrefix(words[0], "+"); is {
		s.wait(s.duration(d))
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	verb, args := words[0], words[1:]
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	agent, id := routing.AgentID(arg(0)), contact.ID(arg(1))
	switch verb {
	case "queue", "rule", "profile", "policy":
		s.define(verb, args)
	case "relax", "overflow", "prefer", "announce", "callback", "surge":
		s.course(verb, args)
	case "publish":
		version, err := strconv.Atoi(arg(0))
		if err != nil {
			s.fatalf("publish needs a version")
		}
		s.plan.Version = version
		s.step(routing.PlanPublished{Version: version, Source: "plan " + arg(0), Plan: s.plan})
		s.plan = nil
	case "ask-callback":
		s.step(routing.CallbackAsked{Contact: contact.ID(arg(0))})
	case "not-reached":
		s.step(routing.CallbackFailed{Contact: id, Agent: agent, Cause: arg(2), Final: arg(2) == "unsafe"})
	case "handler-lost":
		s.step(routing.ConnectFailed{Contact: id, Agent: agent, Cause: "handler_gone", CallerHere: arg(2) == "caller-here"})
	case "ring-hours":
		s.step(routing.CallbackHoursChanged{Queue: routing.QueueID(arg(0)), Open: arg(1) == "open"})
	case "surge-on", "surge-off":
		s.step(routing.SurgeSwitched{Name: arg(0), On: verb == "surge-on", By: arg(1)})
	case "open", "close":
		s.step(routing.HoursChanged{Queue: routing.QueueID(arg(0)), Open: verb == "open"})
	case "sign-on":
		s.step(routing.AgentSignedOn{Agent: agent, Profile: arg(1), DeviceUp: arg(2) != "phone-down"})
	case "sign-off":
		s.step(routing.AgentSignedOff{Agent: agent})
	case "ready":
		s.step(routing.AgentReady{Agent: agent})
	case "not-ready":
		s.step(routing.AgentNotReady{Agent: agent, Reason: arg(1)})
	case "desk-lost", "desk-back":
		s.step(routing.AgentPresence{Agent: agent, Up: verb == "desk-back"})
	case "phone-up", "phone-down":
		s.step(routing.DeviceChanged{Agent: agent, Up: verb == "phone-up"})
	case "call", "email", "web", "fax":
		s.step(s.arrival(verb, args))
	case "what-if":
		x, told := s.engine.Explain(s.arrival(arg(0), args[1:]))
		s.explain(x, told)
	case "explain":
		x, told := s.engine.ExplainContact(contact.ID(arg(0)))
		s.explain(x, told)
	case "accept":
		s.step(routing.OfferAccepted{Offer: s.offer(arg(1)), Agent: agent})
	case "decline":
		s.step(routing.OfferDeclined{Offer: s.offer(arg(1)), Agent: agent})
	case "unreachable":
		s.step(routing.OfferFailed{Offer: s.offer(arg(1)), Agent: agent, Cause: "unreachable"})
	case "connected":
		s.step(routing.Connected{Contact: id, Agent: agent})
	case "connect-failed":
		s.step(routing.ConnectFailed{Contact: id, Agent: agent, Cause: "leg_lost"})
	case "gone":
		cause := routing.ReleaseCause(arg(1))
		if cause == "" {
			cause = routing.ReleasedByCaller
		}
		s.step(routing.ContactReleased{Contact: contact.ID(arg(0)), Cause: cause, Seen: s.count(arg(2))})
	case "done":
		s.step(routing.WrapUpDone{Contact: id, Agent: agent, Outcome: arg(2), Seen: s.count(arg(3))})
	case "joined":
		s.step(routing.MessageJoined{Contact: contact.ID(arg(0))})
	case "park":
		s.step(routing.ContactParked{Contact: id, Agent: agent})
	case "resume":
		s.step(routing.ContactResumed{Contact: id, Agent: agent})
	case "forward":
		s.step(routing.ContactForwarded{Contact: id, Agent: agent, Queue: routing.QueueID(arg(2))})
	case "extend":
		s.step(routing.WrapUpExtended{Contact: id, Agent: agent})
	case "ask":
		s.step(routing.ControlAsked{Contact: id, Agent: agent, Verb: routing.Verb(arg(2)), Digits: arg(3)})
	case "did":
		s.step(routing.ControlDone{Contact: id, Agent: agent, Verb: routing.Verb(arg(2)), Cause: arg(3)})
	case "late": // time passes but nobody calls at the deadlines
		s.now = s.now.Add(s.duration(arg(0)))
		s.step(routing.Tick{})
	case "tick":
		s.step(routing.Tick{})
	case "talk": // accept, connected
		s.step(routing.OfferAccepted{Offer: s.offer(arg(1)), Agent: agent})
		s.step(routing.Connected{Contact: id, Agent: agent})
	case "restart":
		s.restart()
	default:
		s.show(verb, args)
	}
}

// offer finds the number of a contact's last offer, or takes "#n" as it is.
func (s *scenario) offer(text string) routing.OfferID {
	if n, is := strings.CutPrefix(text, "#"); is {
		id, err := strconv.ParseUint(n, 10, 64)
		if err != nil {
			s.fatalf("%q is no offer number", text)
		}
		return routing.OfferID(id)
	}
	return s.offers[contact.ID(text)].Offer
}

// count reads a number, 0 where there is none.
func (s *scenario) count(text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		s.fatalf("%q is no number", text)
	}
	return n
}

func (s *scenario) arrival(verb string, args []string) routing.ContactArrived {
	ch := map[string]contact.Channel{"call": contact.Phone, "email": contact.Email, "web": contact.Web, "fax": "fax"}[verb]
	ev := routing.ContactArrived{Channel: ch, Arrival: s.now}
	for i, word := range args {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case i == 0:
			ev.Contact = contact.ID(word)
		case key == "queue":
			ev.Queue = routing.QueueID(value)
		case key == "lang":
			ev.Facts.Language = value
		case key == "line":
			ev.Facts.Line = value
		case key == "prefers":
			ev.Facts.Preferred = value
		case key == "vulnerable":
			ev.Facts.Vulnerable = true
		case key == "unsafe":
			ev.Facts.UnsafeToCall = true
		case key == "waited":
			ev.Arrival = s.now.Add(-s.duration(value))
		default:
			if ev.Facts.Answers == nil {
				ev.Facts.Answers = map[string]string{}
			}
			ev.Facts.Answers[key] = value
		}
	}
	return ev
}

// restart replaces the engine by one restored from its snapshot.
func (s *scenario) restart() {
	snapshot, err := s.engine.Snapshot()
	if err != nil {
		s.fatalf("%v", err)
	}
	version, source, err := routing.SnapshotPlan(snapshot)
	if err != nil {
		s.fatalf("%v", err)
	}
	restored, err := routing.Restore(snapshot, s.engine.PlanInForce())
	if err != nil {
		s.fatalf("%v", err)
	}
	s.say("restored under version %d (%s), same hash: %v", version, source, restored.Hash() == s.engine.Hash())
	s.engine = restored
}

// define adds to the plan that the next publish puts in force:
//
//	queue ID [needs=skill:min,...] [phone=30s] [email=4h] [web=1d] [language] [wrap=30s]
//	rule NAME QUEUE [when=key:value | when=vulnerable] [credit=60s] [class0] [needs=...]
//	profile NAME [skill:level ...] [phone=1] [email=2] [web=2]
//	policy [ring=20s] [no-answer=30s] [decline=10s] [failed=5s] [alert=3] [wrap=30s] [extension=60s] [short=5s]
func (s *scenario) define(kind string, args []string) {
	if s.plan == nil {
		s.plan = &routing.Plan{
			ShortAbandon: 5 * second, WrapUp: routing.WrapUpPolicy{Limit: 30 * second, Extension: 60 * second},
			Offer: routing.OfferPolicy{RingFor: targets(20*second, 20*second, 20*second), NoAnswerRest: 30 * second, DeclineRest: 10 * second, FailedRest: 5 * second},
		}
	}
	p := s.plan
	switch kind {
	case "queue":
		q := routing.Queue{ID: routing.QueueID(args[0]), Label: args[0], AnswerWithin: targets(30*second, 4*contact.Hour, contact.Day), ClosedAnnouncement: args[0] + "_closed"}
		if p.DefaultQueue == "" {
			p.DefaultQueue = q.ID
		}
		for _, word := range args[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "needs":
				q.Needs = s.needs(value)
			case "phone", "email", "web":
				q.AnswerWithin[contact.Channel(key)] = s.duration(value)
			case "language":
				q.LanguageSkill = true
			case "wrap":
				q.WrapUp = &routing.WrapUpPolicy{Limit: s.duration(value)}
			default:
				s.fatalf("queue does not take %q", word)
			}
		}
		p.Queues = append(p.Queues, q)
	case "rule":
		r := routing.Rule{Name: args[0], Queue: routing.QueueID(args[1]), Match: func(routing.RuleInput) bool { return true }}
		for _, word := range args[2:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "when":
				field, wanted, _ := strings.Cut(value, ":")
				if id, least, is := strings.Cut(value, ">"); is {
					limit := s.duration(least)
					r.Match = func(in routing.RuleInput) bool { return in.Figures(routing.QueueID(id)).EstimatedWait > limit }
					break
				}
				r.Match = func(in routing.RuleInput) bool {
					return field == "vulnerable" && in.Facts.Vulnerable || wanted != "" && in.Facts.Answers[field] == wanted
				}
			case "credit":
				r.Credit = s.duration(value)
			case "class0":
				r.Class0 = true
			case "needs":
				r.Needs = s.needs(value)
			default:
				s.fatalf("rule does not take %q", word)
			}
		}
		p.Rules = append(p.Rules, r)
	case "profile":
		def := routing.Profile{Name: args[0], Capacity: map[contact.Channel]int{}}
		for _, word := range args[1:] {
			if list, is := strings.CutPrefix(word, "interruptible="); is {
				def.Interruptible = []contact.Channel{}
				for _, name := range strings.Split(strings.Trim(list, "-"), ",") {
					if name != "" {
						def.Interruptible = append(def.Interruptible, contact.Channel(name))
					}
				}
			} else if key, value, is := strings.Cut(word, "="); is {
				def.Capacity[contact.Channel(key)] = s.number(value)
			} else {
				skill, level, _ := strings.Cut(word, ":")
				def.Skills = append(def.Skills, routing.SkillLevel{Skill: contact.Skill(skill), Level: contact.Level(s.number(level))})
			}
		}
		if len(def.Capacity) == 0 {
			def.Capacity[contact.Phone] = 1
		}
		p.Profiles = append(p.Profiles, def)
	case "policy":
		for _, word := range args {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "ring":
				p.Offer.RingFor = targets(s.duration(value), s.duration(value), s.duration(value))
			case "no-answer":
				p.Offer.NoAnswerRest = s.duration(value)
			case "decline":
				p.Offer.DeclineRest = s.duration(value)
			case "failed":
				p.Offer.FailedRest = s.duration(value)
			case "alert":
				p.Offer.AlertAfter = s.number(value)
			case "wrap":
				p.WrapUp.Limit = s.duration(value)
			case "extension":
				p.WrapUp.Extension = s.duration(value)
			case "ring-back":
				p.RingBackWindow = s.duration(value)
			case "short":
				p.ShortAbandon = s.duration(value)
			default:
				s.fatalf("policy does not take %q", word)
			}
		}
	}
}

func (s *scenario) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.fatalf("%q is not a number", text)
	}
	return n
}

func (s *scenario) needs(text string) (out []routing.Need) {
	for _, one := range strings.Split(text, ",") {
		skill, least, _ := strings.Cut(one, ":")
		out = append(out, routing.Need{Skill: contact.Skill(skill), Min: contact.Level(s.number(least))})
	}
	return out
}
