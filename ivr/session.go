package ivr

import (
	"slices"
	"strings"

	"example.org/c3i/contact"
)

const (
	// maxAhead bounds the keys kept for later steps; further ones are dropped.
	maxAhead = 32
	// maxTurns bounds the steps entered and prompts repeated in one session. A
	// caller (or a machine) that goes round for longer is routed to a handler.
	maxTurns = 300
)

// Options say what is known of the call when the session begins. Branch steps
// may use it.
type Options struct {
	// Dialled is the service number that was rung.
	Dialled string
	// CLI is how the calling number was presented.
	CLI contact.CLI
	// Failed is a destination that an earlier session transferred the caller to
	// and that did not take them. This one begins where the flow goes on then.
	Failed string
}

// Session is one caller's way through a flow. It is not safe for concurrent
// use: one mailbox per call owns it.
//
// Keys follow these rules, in this order.
//
//   - A key of the whole flow acts at once, also during a message that cannot
//     be interrupted. The one exception is a collect step, where digits are
//     part of the number.
//   - A # straight after the key that decided a step is taken as that key's
//     "enter" and ignored, unless the step it came to gives # a meaning.
//   - A key during a message that can be interrupted stops it, and all such
//     messages after it, and goes to the next step that takes keys. A # only
//     skips the message.
//   - Keys during a message that cannot be interrupted are kept, up to 32, for
//     the next step that takes keys, except a # that comes first; if the step
//     says "type_ahead: false" they are dropped, with any kept before.
//   - A step that has keys kept for it uses them without speaking. A wrong key
//     or number drops the rest of them.
//   - Keys while the caller is told that they have run out of tries are dropped.
type Session struct {
	flow  *Flow
	opts  Options
	state State
	out   []Effect
}

// NewSession makes a session that waits for Start.
func NewSession(flow *Flow, opts Options) *Session {
	return &Session{flow: flow, opts: opts, state: State{
		Flow: flow.hash, Language: flow.language, Answers: map[string]string{},
	}}
}

// Step tells the session what happened and returns what must be done, in order.
// It never fails and never panics: an input that does not fit the state (a key
// after the end, the end of a playback that was stopped) has no effects.
// Between steps a session that has begun and not ended awaits exactly one
// playback or one timer.
func (s *Session) Step(in Input) []Effect {
	s.out = nil
	switch in := in.(type) {
	case Start:
		s.begin(in)
	case HungUp:
		s.hungUp()
	case TransferFailed:
		s.transferFailed()
	case Digit:
		if s.live() && strings.IndexByte(allKeys, in.Key) >= 0 {
			s.pressed(in.Key)
		}
	case PlayDone:
		s.played(in.ID)
	case PlayFailed:
		s.played(in.ID)
	case TimerFired:
		if s.live() && in.ID != 0 && in.ID == s.state.Timer {
			s.state.Timer = 0
			s.timedOut()
		}
	}
	return s.out
}

// Ending is how the session ended.
type Ending string

// The endings of a session. LeftInIVR and IVRContained are endings of the
// contact as well (contact.Ending); Routed and Transferred contacts go on.
const (
	// Open is a session that has not ended.
	Open Ending = ""
	// LeftInIVR: the caller hung up before anything was settled.
	LeftInIVR Ending = Ending(contact.LeftInIVR)
	// IVRContained: the flow ended the call, or the caller hung up during the
	// message of a hangup step.
	IVRContained Ending = Ending(contact.IVRContained)
	// Routed: a Route was sent.
	Routed Ending = "routed"
	// Transferred: a Transfer was sent and has not failed.
	Transferred Ending = "transferred"
)

// Ending tells how the session ended, Open while it has not. Transferred may
// still turn into another after TransferFailed; all others are final.
func (s *Session) Ending() Ending { return s.state.Ending }

// Path lists the steps the caller went through, in order, for the ledger. It
// holds no collected digits.
func (s *Session) Path() []Visit { return slices.Clone(s.state.Path) }

// Language is what the caller chose or is remembered for, else the flow's.
func (s *Session) Language() string { return s.state.Language }

func (s *Session) live() bool { return s.state.Started && s.state.Ending == Open }

func (s *Session) current() *step { return s.flow.steps[s.state.Step] }

func (s *Session) begin(in Start) {
	if s.state.Started || s.state.Ending != Open {
		return
	}
	s.state.Started = true
	s.emit(Answer{})
	if _, known := s.flow.spoken.Language(in.Language); known {
		s.state.Remembered = true
		s.setLanguage(in.Language)
	}
	if st := s.flow.transfer(s.opts.Failed); st != nil {
		s.enter(st.failed.to)
		return
	}
	s.enter(s.flow.start)
}

func (s *Session) hungUp() {
	if s.state.Gone {
		return
	}
	s.state.Gone = true
	if s.state.Ending != Open {
		return
	}
	// The switch ends playbacks with the channel; our timer it knows nothing of.
	s.stopTimer()
	s.state.Play = 0
	s.state.Ending = LeftInIVR
	if s.state.Started {
		if s.current().kind == kindHangup {
			s.state.Ending = IVRContained
		}
		s.left(LeftHungUp)
	}
}

func (s *Session) transferFailed() {
	if s.state.Ending != Transferred || s.state.Gone {
		return
	}
	s.state.Ending = Open
	s.relabel(LeftFailed)
	s.enter(s.current().failed.to)
}

func (s *Session) played(id PlayID) {
	if !s.live() || id == 0 || id != s.state.Play {
		return
	}
	s.state.Play = 0
	s.state.Decided = false
	st := s.current()
	switch {
	case s.state.Leaving:
		s.state.Leaving = false
		s.leave(LeftTooMany, st.tooMany.to)
	case st.kind == kindSay:
		s.leave(LeftDone, st.next.to)
	case st.kind == kindHangup:
		s.finish(IVRContained, Hangup{Reason: HangupFinished})
	default:
		s.startTimer(st.timeout)
	}
}

func (s *Session) timedOut() {
	s.state.Decided = false
	if s.current().kind == kindCollect && s.state.Keyed != "" {
		s.collected()
		return
	}
	s.repeat(promptNoKey)
}

// pressed applies the rules in the comment on Session.
func (s *Session) pressed(key byte) {
	st, decided := s.current(), s.state.Decided
	s.state.Decided = false
	if to, global := s.flow.keys[key]; global && to != st.id && (st.kind != kindCollect || s.state.Leaving || key == '*' || key == '#') {
		s.stopPlay()
		s.stopTimer()
		s.state.Ahead, s.state.Leaving = "", false
		s.leave(LeftGlobal+" "+string(rune(key)), to)
		return
	}
	switch {
	case s.state.Leaving, st.kind == kindHangup:
	case decided && key == '#' && !st.means('#'):
	case st.kind == kindSay && !st.interruptible:
		alone := key == '#' && s.state.Ahead == ""
		if st.typeAhead && !alone && len(s.state.Ahead) < maxAhead {
			s.state.Ahead += string(rune(key))
		}
	case st.kind == kindSay:
		s.stopPlay()
		if key != '#' {
			s.state.Ahead = string(rune(key))
		}
		s.leave(LeftSkipped, st.next.to)
	default:
		s.key(key)
	}
}

// means tells whether the step itself gives the key a meaning.
func (s *step) means(key byte) bool {
	switch s.kind {
	case kindMenu:
		return slices.ContainsFunc(s.keys, func(c choice) bool { return c.key == key })
	case kindCollect:
		return key == s.clear || key == s.end && s.empty.to != ""
	}
	return false
}

// key gives a key to a menu, language or collect step.
func (s *Session) key(key byte) {
	st := s.current()
	switch st.kind {
	case kindMenu:
		for _, c := range st.keys {
			if c.key == key {
				if c.value != "" {
					s.state.Answers[st.answer] = c.value
				}
				s.decide(LeftKey+" "+string(rune(key)), c.next.to)
				return
			}
		}
		s.repeat(promptWrongKey)
	case kindLanguage:
		for _, lang := range s.flow.spoken.Languages {
			if lang.Key == key {
				s.stopPlay()
				s.stopTimer()
				s.setLanguage(lang.Code)
				s.decide(LeftKey+" "+string(rune(key)), st.next.to)
				return
			}
		}
		s.repeat(promptWrongKey)
	case kindCollect:
		s.collect(key)
	}
}

// decide leaves a step because of a key.
func (s *Session) decide(how, to string) {
	s.stopPlay()
	s.stopTimer()
	s.state.Decided = true
	s.leave(how, to)
}

func (s *Session) collect(key byte) {
	st := s.current()
	switch {
	case key == st.clear:
		s.state.Keyed = ""
		s.ask()
	case key == st.end && s.state.Keyed != "":
		s.collected()
	case key == st.end && st.empty.to != "":
		s.decide(LeftEmpty, st.empty.to)
	case key == st.end:
		s.repeat(promptInvalid)
	case key == '*' || key == '#':
		s.listen()
	default:
		s.state.Keyed += string(rune(key))
		if len(s.state.Keyed) >= st.max {
			s.collected()
			return
		}
		s.listen()
	}
}

// listen goes on with a number half keyed: the keys kept, else the next press.
func (s *Session) listen() {
	s.stopPlay()
	s.stopTimer()
	if !s.useAhead() {
		s.startTimer(s.current().between)
	}
}

func (s *Session) collected() {
	st, number := s.current(), s.state.Keyed
	ok := len(number) >= st.min
	if check := checks[st.check]; ok && check != nil {
		ok = check(number)
	}
	if !ok {
		s.repeat(promptInvalid)
		return
	}
	s.state.Keyed = ""
	s.state.Answers[st.answer] = number
	s.decide(LeftKeyed, st.next.to)
}

// repeat counts a try that came to nothing and asks again, or gives the caller
// to the step for those who get no further.
func (s *Session) repeat(why string) {
	s.stopPlay()
	s.stopTimer()
	st := s.current()
	s.state.Keyed, s.state.Ahead = "", ""
	s.state.Tries++
	if s.state.Tries >= st.tries {
		s.state.Leaving = true
		s.play([]prompt{{name: s.flow.prompts[promptTooMany]}}, false)
		return
	}
	s.ask(prompt{name: s.flow.prompts[why]})
}

// ask speaks a step's prompts, after others if any, or uses the keys that were
// pressed ahead.
func (s *Session) ask(first ...prompt) {
	s.stopPlay()
	s.stopTimer()
	if s.tooLong() || s.useAhead() {
		return
	}
	st := s.current()
	list := append(first, st.prompts...)
	if st.kind == kindLanguage {
		for _, lang := range s.flow.spoken.Languages {
			list = append(list, prompt{name: LanguageChoice, language: lang.Code})
		}
	}
	s.play(list, true)
}

// useAhead gives the next key pressed ahead to the current step.
func (s *Session) useAhead() bool {
	for s.state.Ahead != "" {
		key, decided := s.state.Ahead[0], s.state.Decided
		s.state.Ahead, s.state.Decided = s.state.Ahead[1:], false
		if decided && key == '#' && !s.current().means('#') {
			continue
		}
		s.key(key)
		return true
	}
	return false
}

// leave closes the current visit and enters another step.
func (s *Session) leave(how, to string) {
	s.left(how)
	s.enter(to)
}

// enter goes to a step, and on through those that await nothing.
func (s *Session) enter(id string) {
	for {
		st := s.flow.steps[id]
		s.state.Step, s.state.Tries, s.state.Keyed = id, 0, ""
		s.state.Path = append(s.state.Path, Visit{Step: id})
		if s.tooLong() {
			return
		}
		for _, a := range st.set {
			s.state.Answers[a.name] = a.value
		}
		how, next := s.visit(st)
		if next == "" {
			return
		}
		s.left(how)
		id = next
	}
}

// visit begins a step. It names the step to go on to at once, if any.
func (s *Session) visit(st *step) (how, next string) {
	switch st.kind {
	case kindSay:
		if st.interruptible && s.state.Ahead != "" {
			return LeftSkipped, st.next.to
		}
		if !st.interruptible && !st.typeAhead {
			s.state.Ahead = ""
		}
		s.play(st.prompts, st.interruptible)
	case kindLanguage:
		known := s.state.Remembered && !st.ask
		s.state.Remembered = false
		if known || len(s.flow.spoken.Languages) == 1 {
			return LeftDone, st.next.to
		}
		s.ask()
	case kindMenu, kindCollect:
		s.ask()
	case kindBranch:
		return LeftDone, s.branch(st)
	case kindRoute, kindCallback:
		s.routeTo(st.queue, st.kind == kindCallback)
	case kindTransfer:
		s.finish(Transferred, Transfer{Destination: st.destination, Language: s.state.Language, Answers: cloneAnswers(s.state.Answers)})
	case kindHangup:
		if len(st.prompts) == 0 {
			s.finish(IVRContained, Hangup{Reason: HangupFinished})
			return "", ""
		}
		s.play(st.prompts, false)
	}
	return "", ""
}

func (s *Session) branch(st *step) string {
	var value string
	switch st.on {
	case "language":
		value = s.state.Language
	case "dialled":
		value = s.opts.Dialled
	case "cli":
		value = string(s.opts.CLI)
	default:
		value = s.state.Answers[st.on]
	}
	for _, c := range st.cases {
		if c.value == value {
			return c.next.to
		}
	}
	return st.otherwise.to
}

// tooLong counts a turn and routes the call when there were too many.
func (s *Session) tooLong() bool {
	s.state.Turns++
	if s.state.Turns <= maxTurns {
		return false
	}
	s.route("")
	s.relabel(LeftTooLong)
	return true
}

func (s *Session) route(queue string) { s.routeTo(queue, false) }

func (s *Session) routeTo(queue string, callback bool) {
	s.finish(Routed, Route{
		Queue: queue, Callback: callback, Language: s.state.Language,
		Answers: cloneAnswers(s.state.Answers), Labels: s.flow.Words(s.state.Answers),
	})
}

func (s *Session) finish(how Ending, last Effect) {
	s.state.Ending = how
	s.state.Ahead, s.state.Keyed, s.state.Decided = "", "", false
	s.left(LeftFinished)
	s.emit(last)
}

func (s *Session) left(how string) {
	if n := len(s.state.Path); n > 0 && s.state.Path[n-1].Left == "" {
		s.state.Path[n-1].Left = how
	}
}

func (s *Session) relabel(how string) {
	if n := len(s.state.Path); n > 0 {
		s.state.Path[n-1].Left = how
	}
}

func (s *Session) setLanguage(code string) {
	s.state.Language = code
	s.emit(SetLanguage{Code: code})
}

func (s *Session) play(list []prompt, interruptible bool) {
	refs := make([]PromptRef, len(list))
	for i, p := range list {
		refs[i] = PromptRef{Name: p.name, Language: p.language}
		if p.language == "" {
			refs[i].Language = s.state.Language
		}
	}
	s.state.Plays++
	s.state.Play = s.state.Plays
	s.emit(Play{ID: s.state.Play, Prompts: refs, Interruptible: interruptible})
}

func (s *Session) stopPlay() {
	if s.state.Play != 0 {
		s.emit(StopPlay{ID: s.state.Play})
		s.state.Play = 0
	}
}

func (s *Session) startTimer(after contact.Duration) {
	s.state.Timers++
	s.state.Timer = s.state.Timers
	s.emit(StartTimer{ID: s.state.Timer, After: after})
}

func (s *Session) stopTimer() {
	if s.state.Timer != 0 {
		s.emit(StopTimer{ID: s.state.Timer})
		s.state.Timer = 0
	}
}

func (s *Session) emit(e Effect) { s.out = append(s.out, e) }
