package release

import (
	"crypto/sha256"
	"encoding/hex"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

// State is where a release stands.
type State string

// States of a release.
const (
	// Draft is kept but will not be put in force by itself: it was made so,
	// withdrawn, or could not be put in force (see Refused).
	Draft State = "draft"
	// AwaitingApproval waits for a second person.
	AwaitingApproval State = "awaiting_approval"
	// Scheduled is put in force at Due, or as soon as a process runs after it.
	Scheduled State = "scheduled"
	// Published is in force.
	Published State = "published"
	// Superseded was in force once.
	Superseded State = "superseded"
)

// Origin tells how a release came to be.
type Origin string

// Origins of a release.
const (
	FromPerson   Origin = "person"
	FromRollback Origin = "rollback"
	// FromSettings is a plan file that the settings name.
	FromSettings Origin = "settings"
	// FromFirstStart is the plan built in, put in force because there was none.
	FromFirstStart Origin = "first_start"
	// FromJournal was in force before the archive knew of it.
	FromJournal Origin = "journal"
)

// Release is one numbered plan. Number, Source, Hash, Author, Reason, Made,
// Origin, Problems, Base, RollbackOf and RolledBackFrom never change.
type Release struct {
	// Number is the plan's version, from 1.
	Number int    `json:"number"`
	State  State  `json:"state"`
	Origin Origin `json:"origin"`
	// Author is who made it and Reason why, in their words.
	Author string          `json:"author"`
	Reason string          `json:"reason"`
	Made   contact.Instant `json:"made"`
	// Hash is the SHA-256 of Source, in hexadecimal digits.
	Hash string `json:"hash"`
	// Problems is what the checks said when it was made: warnings, and in a draft
	// errors too.
	Problems plan.Problems `json:"problems,omitempty"`
	// Base is the version in force when it was made, 0 if none.
	Base int `json:"base,omitempty"`
	// RollbackOf is the version whose plan this is again, RolledBackFrom the one
	// that was in force when that was asked for; 0 if it is no rollback.
	RollbackOf     int `json:"rollback_of,omitempty"`
	RolledBackFrom int `json:"rolled_back_from,omitempty"`
	// NeedsApproval tells that a second person must agree.
	NeedsApproval  bool            `json:"needs_approval,omitempty"`
	ApprovedBy     string          `json:"approved_by,omitempty"`
	ApprovedAt     contact.Instant `json:"approved_at,omitempty"`
	ApprovalReason string          `json:"approval_reason,omitempty"`
	// Due is when to put it in force at the earliest; zero is at once.
	Due          contact.Instant `json:"due,omitempty"`
	PublishedAt  contact.Instant `json:"published_at,omitempty"`
	SupersededAt contact.Instant `json:"superseded_at,omitempty"`
	// Refused is why it could not be put in force, empty when nothing was wrong.
	Refused string `json:"refused,omitempty"`
	// Source is the text; lists leave it out.
	Source string `json:"source,omitempty"`
}

// Pending tells that the release is on its way to being in force.
func (r Release) Pending() bool { return r.State == AwaitingApproval || r.State == Scheduled }

// Proposal asks for a new release.
type Proposal struct {
	// Name is the file name used in problems.
	Name   string
	Source string
	Author string
	Reason string
	// At is when to put it in force; zero or past is at once.
	At contact.Instant
	// NeedsApproval asks for a second person even where the policy does not.
	NeedsApproval bool
	// Draft keeps it without publishing; such a text may have errors.
	Draft bool
	// Origin is FromPerson when empty.
	Origin Origin
}

// Policy is what the archive asks of every release.
type Policy struct {
	// Approval asks for a second person on every release that a person makes. A
	// rollback needs none: what it puts in force was agreed to once.
	Approval bool `json:"approval"`
}

func hashOf(source string) string {
	h := sha256.Sum256([]byte(source))
	return hex.EncodeToString(h[:])
}
