package routing

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
)

// SnapshotFormat is the version of the snapshot's encoding; Restore refuses
// others.
const SnapshotFormat = 1

// image is the engine's primary state; all else is rebuilt from it. Lists are
// sorted, so that equal engines give equal bytes.
type image struct {
	Format    int             `json:"format"`
	Now       contact.Instant `json:"now"`
	Plan      *planImage      `json:"plan,omitempty"`
	LastOffer OfferID         `json:"last_offer"`
	Tally     Tally           `json:"tally"`
	Open      []QueueID       `json:"open"`
	// MayRing lists queues whose callers may be rung back now, in order of id.
	MayRing []QueueID `json:"may_ring,omitempty"`
	// Handling lists queues with a mean handling time, in order of id.
	Handling []handlingImage `json:"handling,omitempty"`
	Handlers []handlerImage  `json:"handlers"`
	Contacts []contactImage  `json:"contacts"`
	// Ended lists remembered ids, oldest first.
	Ended []contact.ID `json:"ended"`
	// Left lists callers whose place is kept, oldest first.
	Left []leaver `json:"left,omitempty"`
}

type planImage struct {
	Version int    `json:"version"`
	Source  string `json:"source"`
	// Surges that are on, in the plan's order.
	Surges []string `json:"surges,omitempty"`
}

type handlingImage struct {
	Queue QueueID `json:"queue"`
	// Mean per channel in nanoseconds, in the order of contact.Channels.
	Mean [channels]int64 `json:"mean"`
}

type handlerImage struct {
	ID         AgentID         `json:"id"`
	Profile    string          `json:"profile"`
	SignedOn   bool            `json:"signed_on,omitempty"`
	Present    bool            `json:"present,omitempty"`
	DeviceUp   bool            `json:"device_up,omitempty"`
	Ready      bool            `json:"ready,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	RestUntil  contact.Instant `json:"rest_until,omitempty"`
	RestReason string          `json:"rest_reason,omitempty"`
	IdleSince  contact.Instant `json:"idle_since"`
	Since      contact.Instant `json:"since"`
	Misses     int             `json:"misses,omitempty"`
	// Work lists contacts offered or in hand, oldest first.
	Work []contact.ID `json:"work,omitempty"`
}

type contactImage struct {
	ID       contact.ID      `json:"id"`
	Channel  contact.Channel `json:"channel"`
	Wanted   QueueID         `json:"wanted,omitempty"`
	Queue    QueueID         `json:"queue"`
	Rule     string          `json:"rule,omitempty"`
	Version  int             `json:"version"`
	Facts    contact.Facts   `json:"facts"`
	Arrival  contact.Instant `json:"arrival"`
	Queued   contact.Instant `json:"queued"`
	Due      contact.Instant `json:"due"`
	Class    uint8           `json:"class"`
	Target   int64           `json:"target"` // nanoseconds
	Credit   int64           `json:"credit"`
	Phase    Phase           `json:"phase,omitempty"`
	Agent    AgentID         `json:"agent,omitempty"`
	Offer    OfferID         `json:"offer,omitempty"`
	Since    contact.Instant `json:"since,omitempty"`
	Until    contact.Instant `json:"until,omitempty"`
	Answered contact.Instant `json:"answered,omitempty"`
	Muted    bool            `json:"muted,omitempty"`
	Extended bool            `json:"extended,omitempty"`
	Aside    bool            `json:"aside,omitempty"`
	Joined   int             `json:"joined,omitempty"`
	Capacity int             `json:"capacity,omitempty"`
	Refusers []AgentID       `json:"refusers,omitempty"`
	Misses   int             `json:"misses,omitempty"`
	// Home is where the rule sent it, when that is not Queue.
	Home     QueueID         `json:"home,omitempty"`
	Moves    int             `json:"moves,omitempty"`
	Step     int             `json:"step,omitempty"`
	Held     bool            `json:"held,omitempty"`
	Spent    bool            `json:"spent,omitempty"`
	KeptFrom contact.ID      `json:"kept_from,omitempty"`
	SayAt    contact.Instant `json:"say_at,omitempty"`
	Told     int             `json:"told,omitempty"`
	ToldWait int64           `json:"told_wait,omitempty"` // nanoseconds
	Back     *callbackImage  `json:"back,omitempty"`
}

type callbackImage struct {
	Asked contact.Instant `json:"asked"`
	Tries int             `json:"tries,omitempty"`
	After contact.Instant `json:"after,omitempty"`
	Here  bool            `json:"here,omitempty"`
}

func (e *Engine) image() image {
	img := image{
		Format: SnapshotFormat, Now: e.now, LastOffer: e.lastOffer, Tally: e.tally, Ended: e.ended.oldestFirst(),
		Left: e.left.list, Open: []QueueID{}, Handlers: make([]handlerImage, 0, len(e.handlers)), Contacts: make([]contactImage, 0, len(e.contacts)),
	}
	if e.plan != nil {
		img.Plan = &planImage{e.plan.version, e.plan.source, e.plan.surges}
		for _, q := range e.plan.queues {
			if q.open {
				img.Open = append(img.Open, q.ID)
			}
			if q.mayRing {
				img.MayRing = append(img.MayRing, q.ID)
			}
			if q.handle != [channels]contact.Duration{} {
				h := handlingImage{Queue: q.ID}
				for ch := range channels {
					h.Mean[ch] = int64(q.handle[ch])
				}
				img.Handling = append(img.Handling, h)
			}
		}
		slices.SortFunc(img.Handling, func(a, b handlingImage) int { return strings.Compare(string(a.Queue), string(b.Queue)) })
		slices.Sort(img.Open)
		slices.Sort(img.MayRing)
	}
	for _, h := range e.sortedHandlers() {
		hi := handlerImage{
			ID: h.id, Profile: h.profile.name, SignedOn: h.signedOn, Present: h.present, DeviceUp: h.deviceUp,
			Ready: h.ready, Reason: h.reason, RestUntil: h.restUntil, RestReason: h.restReason, IdleSince: h.idleSince, Since: h.since, Misses: h.misses,
		}
		for _, c := range h.work {
			hi.Work = append(hi.Work, c.id)
		}
		img.Handlers = append(img.Handlers, hi)
	}
	for _, c := range e.sortedContacts() {
		ci := contactImage{
			ID: c.id, Channel: channelNames[c.channel], Wanted: c.wanted, Queue: c.queue, Rule: c.rule, Version: c.version,
			Facts: c.facts, Arrival: c.arrival, Queued: c.queued, Due: c.due, Class: c.class, Target: int64(c.target), Credit: int64(c.credit),
			Phase: c.phase, Offer: c.offer, Since: c.since, Until: c.until, Answered: c.answered, Muted: c.muted, Extended: c.extended, Aside: c.aside, Joined: c.joined,
			Capacity: c.capacity, Refusers: c.refusers, Misses: c.misses, Home: c.from(), Moves: c.moves, Step: c.step, Held: c.held, Spent: c.spent, KeptFrom: c.keptFrom,
			SayAt: c.sayAt, Told: c.told, ToldWait: int64(c.toldWait),
		}
		if c.handler != nil {
			ci.Agent = c.handler.id
		}
		if b := c.back; b != nil {
			ci.Back = &callbackImage{b.asked, b.tries, b.after, b.here}
		}
		img.Contacts = append(img.Contacts, ci)
	}
	return img
}

// Snapshot writes the whole state as canonical JSON: equal engines give equal
// bytes. It holds the plan's version and source, not the compiled plan. It
// holds what Facts hold and nothing else about people.
func (e *Engine) Snapshot() ([]byte, error) {
	b, err := json.Marshal(e.image())
	if err != nil {
		return nil, fmt.Errorf("routing snapshot: %w", err)
	}
	return b, nil
}

// Hash is the SHA-256 of Snapshot: engines that took the same events have the
// same hash.
func (e *Engine) Hash() [32]byte {
	b, err := e.Snapshot()
	if err != nil {
		// Only values JSON cannot carry would do this, and the image has none.
		panic(err)
	}
	return sha256.Sum256(b)
}

// SnapshotPlan tells which plan a snapshot needs, so that the caller can compile
// it for Restore. Version 0 and no source mean that no plan was in force.
func SnapshotPlan(snapshot []byte) (version int, source string, err error) {
	var img struct {
		Format int        `json:"format"`
		Plan   *planImage `json:"plan"`
	}
	if err := json.Unmarshal(snapshot, &img); err != nil {
		return 0, "", fmt.Errorf("routing snapshot is not readable: %w", err)
	}
	if img.Format != SnapshotFormat {
		return 0, "", fmt.Errorf("routing snapshot has format %d: this program reads format %d", img.Format, SnapshotFormat)
	}
	if img.Plan == nil {
		return 0, "", nil
	}
	return img.Plan.Version, img.Plan.Source, nil
}

// Restore makes the engine a snapshot was taken of. p is the plan compiled from
// the source SnapshotPlan gives, nil when the snapshot has none. A snapshot that
// contradicts itself or the plan is refused with a reason.
func Restore(snapshot []byte, p *Plan) (*Engine, error) {
	if _, _, err := SnapshotPlan(snapshot); err != nil {
		return nil, err
	}
	var img image
	d := json.NewDecoder(bytes.NewReader(snapshot))
	d.DisallowUnknownFields()
	if err := d.Decode(&img); err != nil {
		return nil, fmt.Errorf("routing snapshot is not readable: %w", err)
	}
	e, err := build(img, p)
	if err != nil {
		return nil, fmt.Errorf("routing snapshot: %w", err)
	}
	if faults := e.Check(); len(faults) > 0 {
		return nil, fmt.Errorf("routing snapshot contradicts itself: %s", faults[0])
	}
	return e, nil
}

var errPlanMissing = errors.New("the plan it was taken under is missing or contradicts itself")

// build makes an engine from its primary state.
func build(img image, p *Plan) (*Engine, error) {
	e := New()
	e.now, e.lastOffer, e.tally = img.Now, img.LastOffer, img.Tally
	if len(img.Ended) > EndedRemembered {
		return nil, fmt.Errorf("remembers %d ended contacts: the most is %d", len(img.Ended), EndedRemembered)
	}
	for _, id := range img.Ended {
		e.ended.add(id)
	}
	if len(img.Left) > LeaversRemembered {
		return nil, fmt.Errorf("keeps the place of %d callers: the most is %d", len(img.Left), LeaversRemembered)
	}
	for i, l := range img.Left {
		if l.Line == "" || l.At > img.Now || i > 0 && l.At < img.Left[i-1].At {
			return nil, fmt.Errorf("the place kept for contact %q has no line or is out of order", l.Contact)
		}
		e.left.add(l)
	}
	if img.Plan == nil {
		if len(img.Handlers)+len(img.Contacts)+len(img.Open) > 0 {
			return nil, errPlanMissing
		}
		return e, nil
	}
	var good bool
	if p != nil {
		if on, gone := p.surviving(img.Plan.Surges); len(gone) > 0 || !slices.Equal(on, img.Plan.Surges) {
			return nil, fmt.Errorf("the surges that are on, %q, are not the plan's or not in its order", img.Plan.Surges)
		}
	}
	if e.plan, good = prepare(img.Plan.Version, img.Plan.Source, p, img.Plan.Surges); !good {
		return nil, errPlanMissing
	}
	for _, id := range img.Open {
		q := e.plan.queueOf[id]
		if q == nil {
			return nil, fmt.Errorf("open queue %q is not in the plan", id)
		}
		q.open = true
	}
	for _, id := range img.MayRing {
		q := e.plan.queueOf[id]
		if q == nil {
			return nil, fmt.Errorf("queue %q rings callers back but is not in the plan", id)
		}
		q.mayRing = true
	}
	for _, h := range img.Handling {
		q := e.plan.queueOf[h.Queue]
		if q == nil {
			return nil, fmt.Errorf("queue %q has handling times but is not in the plan", h.Queue)
		}
		for ch, mean := range h.Mean {
			if mean < 0 || contact.Duration(mean) > longest {
				return nil, fmt.Errorf("queue %q has a mean handling time of %d ns", h.Queue, mean)
			}
			q.handle[ch] = contact.Duration(mean)
		}
	}
	for _, ci := range img.Contacts {
		if err := e.buildContact(ci); err != nil {
			return nil, fmt.Errorf("contact %q: %w", ci.ID, err)
		}
	}
	for _, hi := range img.Handlers {
		if err := e.buildHandler(hi); err != nil {
			return nil, fmt.Errorf("handler %q: %w", hi.ID, err)
		}
	}
	for _, ci := range img.Contacts {
		c := e.contacts[ci.ID]
		if (ci.Phase != "" && ci.Phase != PhaseDeferred) != (c.handler != nil) {
			return nil, fmt.Errorf("contact %q: in phase %q but in the work of %q", ci.ID, ci.Phase, ci.Agent)
		}
	}
	// Whatever could be offered was offered before the snapshot was taken.
	e.recheck, e.freed, e.changed = false, nil, nil
	return e, nil
}

func (e *Engine) buildContact(ci contactImage) error {
	ch, known := channelIndex(ci.Channel)
	switch {
	case ci.ID == "" || e.contacts[ci.ID] != nil:
		return errors.New("its id is empty or there twice")
	case !known:
		return fmt.Errorf("channel %q is not known", ci.Channel)
	}
	c := e.seats.next()
	c.id, c.channel, c.wanted, c.queue, c.rule, c.version, c.facts = ci.ID, ch, ci.Wanted, ci.Queue, ci.Rule, ci.Version, ci.Facts
	c.arrival, c.queued, c.due, c.class, c.target, c.credit = ci.Arrival, ci.Queued, ci.Due, ci.Class, contact.Duration(ci.Target), contact.Duration(ci.Credit)
	c.phase, c.offer, c.since, c.answered = ci.Phase, ci.Offer, ci.Since, ci.Answered
	c.muted, c.extended, c.capacity, c.refusers, c.misses = ci.Muted, ci.Extended, ci.Capacity, ci.Refusers, ci.Misses
	c.home, c.moves, c.step, c.held, c.spent = ci.Home, ci.Moves, ci.Step, ci.Held, ci.Spent
	c.keptFrom, c.aside, c.joined = ci.KeptFrom, ci.Aside, ci.Joined
	c.sayAt, c.told, c.toldWait = ci.SayAt, ci.Told, contact.Duration(ci.ToldWait)
	if c.home == "" {
		c.home = c.queue
	}
	if b := ci.Back; b != nil {
		c.back = &callback{asked: b.Asked, tries: b.Tries, after: b.After, here: b.Here}
	}
	e.contacts[c.id] = c
	e.setUntil(c, ci.Until)
	switch c.phase {
	case "", PhaseRinging, PhaseConnecting, PhaseCalling, PhaseDeferred:
		q := e.plan.queueOf[c.queue]
		if q == nil {
			return fmt.Errorf("queue %q is not in the plan", c.queue)
		}
		rule := noRule
		if c.rule != "" {
			var found bool
			if rule, found = e.plan.ruleOf[c.rule]; !found {
				return fmt.Errorf("rule %q is not in the plan", c.rule)
			}
		}
		if home := e.plan.queueOf[c.home]; home == nil || c.moves < 0 || c.moves > len(home.Overflow) || c.step < 0 || c.step > len(q.Relax) {
			return fmt.Errorf("%d moves from queue %q and step %d in queue %q are not in the plan", c.moves, c.home, c.step, c.queue)
		}
		c.line = e.plan.lineFor(q, c.lineRule(rule), ch, c.step, c.facts.Language)
		if c.awaited() {
			e.promised = append(e.promised, c)
		}
	case PhaseTalking, PhaseHeld, PhaseParked, PhaseWrapUp:
	default:
		return fmt.Errorf("phase %q is not known", c.phase)
	}
	switch c.phase {
	case "":
		e.wait(c)
	case PhaseRinging:
		if e.offers[c.offer] != nil {
			return fmt.Errorf("offer %d is there twice", c.offer)
		}
		e.offers[c.offer] = c
		c.line.queue.ringing++
	}
	return nil
}

func (e *Engine) buildHandler(hi handlerImage) error {
	if hi.ID == "" || e.handlers[hi.ID] != nil {
		return errors.New("their id is empty or there twice")
	}
	h := e.newHandler(hi.ID)
	h.profile = e.plan.named[hi.Profile]
	if h.profile == nil {
		h.profile = unskilled(hi.Profile)
	}
	h.signedOn, h.present, h.deviceUp, h.ready, h.reason = hi.SignedOn, hi.Present, hi.DeviceUp, hi.Ready, hi.Reason
	h.idleSince, h.since, h.misses = hi.IdleSince, hi.Since, hi.Misses
	for _, id := range hi.Work {
		c := e.contacts[id]
		if c == nil || c.handler != nil || c.phase == "" || c.phase == PhaseDeferred {
			return fmt.Errorf("contact %q in their work is not there, waits, or is in another's", id)
		}
		c.handler = h
		h.work = append(h.work, c)
	}
	e.setRest(h, hi.RestUntil, hi.RestReason)
	h.shown, h.shownReason = h.state()
	e.handlers[h.id] = h
	e.index(h)
	return nil
}
