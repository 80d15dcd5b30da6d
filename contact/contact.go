package contact

// ID identifies one contact: a ULID made by the driver that received it. It is
// the correlation id of every log line and event about the contact.
type ID string

// PersonID identifies a person in the CRM (a ULID). Empty means nobody is known.
type PersonID string

// Channel is how a contact reached us.
type Channel string

// The channels. A queue may set a target and a handler a capacity for each.
const (
	Phone Channel = "phone"
	Email Channel = "email"
	Web   Channel = "web"
)

// Channels lists every channel in a fixed order.
func Channels() []Channel { return []Channel{Phone, Email, Web} }

// Skill names an ability a contact needs and a handler holds, for example
// "lang.pl" or "report.bicycle". The plan declares which names exist.
type Skill string

// Level is a proficiency from 1 (learning) to 5 (expert).
type Level int

// CLI tells how the calling number was presented.
type CLI string

// Presentation of the calling line.
const (
	CLIPresented   CLI = "presented"
	CLIWithheld    CLI = "withheld"
	CLIUnavailable CLI = "unavailable"
)

// Caller is what the network told us about who is calling. It is personal data:
// it goes to the CRM and the handler's screen, never to the journal or the logs.
type Caller struct {
	// Number is as dialled or presented, unparsed; empty unless CLI is presented.
	Number string `json:"number,omitempty"`
	CLI    CLI    `json:"cli"`
	// Unverified tells that the number is what the caller says it is, given on a
	// web page, and not what a network vouches for.
	Unverified bool `json:"unverified,omitempty"`
	// Dialled is the number the caller rang, for example "101".
	Dialled string `json:"dialled,omitempty"`
}

// Facts is what routing may know of a contact: nothing here identifies a person
// to a reader of the journal. Rules are expressions over these fields.
type Facts struct {
	// Language is an ISO 639-1 code chosen or remembered, for example "en".
	Language string `json:"language,omitempty"`
	// Answers holds what the caller chose in the IVR: step id or label → value.
	Answers map[string]string `json:"answers,omitempty"`
	// Dialled is the service number that was rung.
	Dialled string `json:"dialled,omitempty"`
	// CLI is presented, withheld or unavailable.
	CLI CLI `json:"cli,omitempty"`
	// Line is a keyed hash of the calling number, so that the CRM finds the
	// caller's line again without the journal knowing the number.
	Line string `json:"line,omitempty"`
	// Person is whom the CRM takes the caller for, when exactly one fits.
	Person PersonID `json:"person,omitempty"`
	// Contacts30d counts this caller's contacts in the last 30 days.
	Contacts30d int `json:"contacts_30d,omitempty"`
	// OpenReports counts reports not yet closed.
	OpenReports int `json:"open_reports,omitempty"`
	// Vulnerable and RepeatVictim are markers a handler has set on the person.
	Vulnerable   bool `json:"vulnerable,omitempty"`
	RepeatVictim bool `json:"repeat_victim,omitempty"`
	// Preferred is the sign-on name of the handler who should have the contact if
	// they can: whoever spoke to the caller last, or owns the open report.
	Preferred string `json:"preferred,omitempty"`
	// UnsafeToCall marks a line that must not be rung back: whoever answers it may
	// be the one the caller is afraid of.
	UnsafeToCall bool `json:"unsafe_to_call,omitempty"`
}

// Outcome is the disposition a handler gives when closing a contact.
type Outcome struct {
	// Code is one the plan lists, for example "advice_given".
	Code string `json:"code"`
	// Note is free text: personal data, kept in the CRM only.
	Note string `json:"note,omitempty"`
}

// Ending is how a contact left the system. Every contact has exactly one
// (domain.md 3.1); "still open" is the absence of an Ending.
type Ending string

// The endings of the counting ledger.
const (
	IVRContained          Ending = "ivr_contained"
	LeftInIVR             Ending = "left_in_ivr"
	Answered              Ending = "answered"
	AbandonedShort        Ending = "abandoned_short"
	AbandonedAfterMessage Ending = "abandoned_after_message"
	AbandonedInQueue      Ending = "abandoned_in_queue"
	Overflowed            Ending = "overflowed"
	CallbackTaken         Ending = "callback_taken"
	Failed                Ending = "failed"
)
