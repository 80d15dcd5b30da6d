package routing

import "example.org/c3i/contact"

// Gate is a hard condition that removed a handler from the choice.
type Gate string

// Gates, in the order they are tried.
const (
	GateState    Gate = "not_ready"
	GatePresence Gate = "desk_lost"
	GateDevice   Gate = "phone_down"
	GateResting  Gate = "resting"
	GateCapacity Gate = "at_capacity"
	GateSkill    Gate = "skill_missing"
	GateRefused  Gate = "refused_this_contact"
	// GateKept: the contact waits for the handler it prefers.
	GateKept Gate = "kept_for_preferred"
)

// Why explains one offer as data: which rule of which plan brought the contact
// to its queue, how its due time came about, who could have taken it, and what
// kept the others out.
type Why struct {
	PlanVersion int     `json:"plan_version"`
	Rule        string  `json:"rule"`
	Queue       QueueID `json:"queue"`
	// Due time's parts: Arrival + Target − Credit.
	Target contact.Duration `json:"target"`
	Credit contact.Duration `json:"credit"`
	// Needs lists the skills required, in order of name.
	Needs []Need `json:"needs,omitempty"`
	// Step names the relaxation step in force, empty before the first; Needs are
	// then the step's.
	Step string `json:"step,omitempty"`
	// From is the queue the rule chose when the contact has overflowed from it.
	From QueueID `json:"from,omitempty"`
	// KeptFrom is the earlier contact whose arrival this one has: the caller hung up
	// waiting and rang back from the same line, for the same queue, in time.
	KeptFrom contact.ID `json:"kept_from,omitempty"`
	// Surges names the surges that are on, in the plan's order.
	Surges []string `json:"surges,omitempty"`
	// Preferred is the handler the contact prefers, where the queue's plan heeds
	// it; Preference says what came of it.
	Preferred  AgentID    `json:"preferred,omitempty"`
	Preference Preference `json:"preference,omitempty"`
	// Chosen tells what decided among the eligible: "only_one", "preferred", "proficiency",
	// "longest_idle", "id", or "most_due" when a freed handler took the most due
	// of the contacts they may take.
	Chosen string `json:"chosen"`
	// Eligible lists the best candidates in order, the chosen one first, at most
	// WhyListed of them; EligibleCount is how many there were.
	Eligible      []Candidate `json:"eligible,omitempty"`
	EligibleCount int         `json:"eligible_count"`
	// Removed counts signed-on handlers kept out by each gate, in gate order.
	Removed []GateCount `json:"removed,omitempty"`
	// Waiting is how many contacts waited in the queue, this one included.
	Waiting int `json:"waiting"`
}

// Preference says what came of a contact's preferred handler.
type Preference string

// What may come of a preference.
const (
	PreferenceMet     Preference = "met"           // it went to them
	PreferenceWaits   Preference = "waiting"       // it is kept for them for now
	PreferenceRefused Preference = "refused"       // they missed or declined it
	PreferenceAway    Preference = "out_of_reach"  // not signed on, not ready, desk lost or phone down
	PreferenceUnable  Preference = "skill_missing" // they lack a skill or the channel
	PreferenceWaited  Preference = "wait_ran_out"  // in reach and able, but busy too long
)

// WhyListed bounds the candidates listed in a Why.
const WhyListed = 5

// Need is a required skill with the least level that will do.
type Need struct {
	Skill contact.Skill `json:"skill"`
	Min   contact.Level `json:"min"`
}

// Candidate is a handler who could have taken the contact.
type Candidate struct {
	Agent AgentID `json:"agent"`
	// Proficiency is the sum of levels over the needed skills.
	Proficiency int             `json:"proficiency"`
	IdleSince   contact.Instant `json:"idle_since"`
}

// GateCount tells how many handlers one gate removed.
type GateCount struct {
	Gate  Gate `json:"gate"`
	Count int  `json:"count"`
}
