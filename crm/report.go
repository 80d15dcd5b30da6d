package crm

import (
	"example.org/c3i/contact"
)

// ReportID identifies a report (a ULID). It is never shown to the public.
type ReportID string

// ReportKind says which record a report is. Every report is an incident; it
// becomes a crime when the recording decision says so.
type ReportKind string

// Kinds.
const (
	KindIncident ReportKind = "incident"
	KindCrime    ReportKind = "crime"
)

// Grade is the response grade (domain: I, S, E, R). It cannot change without an
// assessment made for the change.
type Grade string

// Grades.
const (
	GradeImmediate   Grade = "I"
	GradeSignificant Grade = "S"
	GradeExtended    Grade = "E"
	GradeReferred    Grade = "R"
)

// PartyRole is what somebody is to a report.
type PartyRole string

// Roles; one person may have several.
const (
	RoleReporter PartyRole = "reporter"
	RoleVictim   PartyRole = "victim"
	RoleWitness  PartyRole = "witness"
	RoleSuspect  PartyRole = "suspect"
)

// Party is a person's part in a report.
type Party struct {
	// ID is unique within the report and given by the store; tracking secrets
	// belong to it, so parties may change places.
	ID     string           `json:"id,omitempty"`
	Person contact.PersonID `json:"person,omitempty"` // empty: described, not identified
	Name   string           `json:"name"`
	Roles  []PartyRole      `json:"roles"`
	// Description is for a suspect or missing person nobody can name.
	Description string `json:"description,omitempty"`
	// Statement is what a witness added; it is shown to nobody but handlers and them.
	Statement      string          `json:"statement,omitempty"`
	Relationship   string          `json:"relationship,omitempty"` // to the suspect
	WantsSupport   *bool           `json:"wants_support,omitempty"`
	ConsentContact *bool           `json:"consent_contact,omitempty"`
	UpdatesBy      string          `json:"updates_by,omitempty"` // email, phone, post or none
	UnderEighteen  bool            `json:"under_eighteen,omitempty"`
	EnhancedRights bool            `json:"enhanced_rights,omitempty"`
	WithdrawnAt    contact.Instant `json:"withdrawn_at,omitempty"`
}

// Property is a thing stolen, damaged, lost or found.
type Property struct {
	ID          string `json:"id"`
	Status      string `json:"status"` // stolen, damaged, lost, found, recovered, returned
	Category    string `json:"category"`
	Description string `json:"description,omitempty"`
	Make        string `json:"make,omitempty"`
	Model       string `json:"model,omitempty"`
	Colour      string `json:"colour,omitempty"`
	ValuePence  int64  `json:"value_pence,omitempty"`
	// Unique is a serial, IMEI, frame or account number, UniqueType says which.
	Unique     string `json:"unique,omitempty"`
	UniqueType string `json:"unique_type,omitempty"`
}

// Vehicle is a vehicle stolen, damaged or involved.
type Vehicle struct {
	ID     string `json:"id"`
	Status string `json:"status"` // stolen, damaged, involved
	VRM    string `json:"vrm,omitempty"`
	VIN    string `json:"vin,omitempty"`
	Make   string `json:"make,omitempty"`
	Model  string `json:"model,omitempty"`
	Colour string `json:"colour,omitempty"`
}

// Place is where it happened. Latitude and Longitude are WGS 84 degrees.
type Place struct {
	Text      string   `json:"text,omitempty"`
	Premises  string   `json:"premises,omitempty"`
	Street    string   `json:"street,omitempty"`
	Town      string   `json:"town,omitempty"`
	Postcode  string   `json:"postcode,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
	// PrecisionMetres is the radius the place is known to; 0 when unknown.
	PrecisionMetres int    `json:"precision_metres,omitempty"`
	Source          string `json:"source,omitempty"` // caller, map, postcode, handset
}

// Strand is one letter of THRIVE.
type Strand struct {
	Level string `json:"level"` // none, low, medium, high, not_known
	Text  string `json:"text,omitempty"`
}

// Assessment is one THRIVE assessment. The series is append-only.
type Assessment struct {
	ID            string          `json:"id"`
	At            contact.Instant `json:"at"`
	By            string          `json:"by"`
	Contact       contact.ID      `json:"contact,omitempty"` // during which it was made
	Threat        Strand          `json:"threat"`
	Harm          Strand          `json:"harm"`
	Risk          Strand          `json:"risk"`
	Investigation Strand          `json:"investigation"`
	Vulnerability Strand          `json:"vulnerability"`
	Engagement    Strand          `json:"engagement"`
	Prevention    Strand          `json:"prevention"`
	Intervention  Strand          `json:"intervention"`
	Rationale     string          `json:"rationale"`
	ChecksDone    []string        `json:"checks_done,omitempty"`
	// Grade is the grade this assessment supports.
	Grade Grade `json:"grade"`
	// Reason says why it was made: first, changed_circumstances, overdue, new_contact, grade_change.
	Reason string `json:"reason"`
}

// Decision is one step of the recording decision trail.
type Decision struct {
	ID     string          `json:"id"`
	At     contact.Instant `json:"at"`
	By     string          `json:"by"`
	Step   string          `json:"step"`   // domain.md section 6: concerns_crime, balance_of_probability, … record, cri, reclassify, transfer, cancel, outcome
	Answer string          `json:"answer"` // yes, no, or the step's own
	Reason string          `json:"reason,omitempty"`
	// AVI is the additional verifiable information a reclassification, transfer or
	// cancellation rests on.
	AVI string `json:"avi,omitempty"`
}

// Task is something to be done by a time.
type Task struct {
	ID string `json:"id"`
	// Version rises by one with each change.
	Version uint64          `json:"version,omitempty"`
	Report  ReportID        `json:"report"`
	Kind    string          `json:"kind"` // record_decision, re_thrive, written_confirmation, support_referral, update_victim, call_back, send_failed, review, other
	Text    string          `json:"text"`
	Created contact.Instant `json:"created"`
	Due     contact.Instant `json:"due"`
	Owner   string          `json:"owner,omitempty"` // a handler, or empty for anybody
	Done    contact.Instant `json:"done,omitempty"`
	DoneBy  string          `json:"done_by,omitempty"`
	Result  string          `json:"result,omitempty"`
}

// Retention is how long a record is kept and why.
type Retention struct {
	Group  int             `json:"group"` // MoPI group 1 to 4
	Review contact.Instant `json:"review"`
	Hold   bool            `json:"hold,omitempty"`
	// HoldReason says why nothing may be disposed of.
	HoldReason string `json:"hold_reason,omitempty"`
}

// ReportStatus is where a report stands, for staff; the public sees it in words.
type ReportStatus string

// Statuses.
const (
	StatusNew       ReportStatus = "new"       // nobody has looked at it yet
	StatusAssessing ReportStatus = "assessing" // a handler is on it
	StatusOpen      ReportStatus = "open"      // being dealt with
	StatusWaiting   ReportStatus = "waiting"   // for information from somebody
	StatusClosed    ReportStatus = "closed"
	StatusWithdrawn ReportStatus = "withdrawn"
)

// PublicUpdate is something said to those who follow a report.
type PublicUpdate struct {
	ID   string          `json:"id,omitempty"`
	At   contact.Instant `json:"at"`
	By   string          `json:"by"`
	Text string          `json:"text"`
	// For limits it to some roles; empty is everybody who may track it.
	For []PartyRole `json:"for,omitempty"`
}

// Report is what is known of one crime or incident: many contacts may belong to
// it. Assessments, Decisions, Updates and Contacts only grow; SaveReport ignores
// what it is given for them and they have methods of their own.
type Report struct {
	ID      ReportID        `json:"id"`
	Version uint64          `json:"version"` // rises by one with each change
	Kind    ReportKind      `json:"kind"`
	Created contact.Instant `json:"created"`
	Changed contact.Instant `json:"changed"`
	// Reference is the public receipt: eight symbols and a check letter, grouped.
	// IncidentNumber and CrimeNumber are the force's; the second is empty until
	// the crime is recorded.
	Reference      string `json:"reference"`
	IncidentNumber string `json:"incident_number"`
	CrimeNumber    string `json:"crime_number,omitempty"`

	Status     ReportStatus    `json:"status"`
	Owner      string          `json:"owner,omitempty"`
	Channel    contact.Channel `json:"channel"`                // of the first contact
	Method     string          `json:"method,omitempty"`       // of reporting: domain.md 4.3 code
	Category   string          `json:"category"`               // theft, bicycle, vehicle, damage, lost_property, found_property, asb, hate, other …
	Opening    string          `json:"opening_code,omitempty"` // NSIR-style mnemonic
	Closing    string          `json:"closing_code,omitempty"`
	Offence    string          `json:"offence_code,omitempty"` // Home Office classification NNN/NN
	Outcome    int             `json:"outcome_type"`           // Home Office 0 to 22
	Hate       []string        `json:"hate,omitempty"`         // monitored strands
	Restricted bool            `json:"restricted,omitempty"`   // opened only for a stated reason
	Marking    string          `json:"marking,omitempty"`

	Summary string          `json:"summary"`
	MO      string          `json:"mo,omitempty"`
	From    contact.Instant `json:"from,omitempty"` // when it happened, or began
	To      contact.Instant `json:"to,omitempty"`
	Exact   bool            `json:"exact,omitempty"`
	Place   Place           `json:"place"`
	// Answers holds what was asked in a form, by question code.
	Answers map[string]string `json:"answers,omitempty"`

	Parties     []Party      `json:"parties,omitempty"`
	Property    []Property   `json:"property,omitempty"`
	Vehicles    []Vehicle    `json:"vehicles,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`

	Grade Grade `json:"grade,omitempty"`
	// GradedBy is the assessment the grade rests on.
	GradedBy    string       `json:"graded_by,omitempty"`
	Assessments []Assessment `json:"assessments,omitempty"`
	// ReassessBy is when the next THRIVE assessment is due; zero when none is.
	ReassessBy contact.Instant `json:"reassess_by,omitempty"`
	Decisions  []Decision      `json:"decisions,omitempty"`
	// RecordBy is 24 hours after the report (HOCR); zero once decided.
	RecordBy contact.Instant `json:"record_by,omitempty"`

	Language     string   `json:"language,omitempty"`
	Needs        []string `json:"needs,omitempty"` // communication needs
	Vulnerable   bool     `json:"vulnerable,omitempty"`
	RepeatVictim bool     `json:"repeat_victim,omitempty"`
	// RepeatBecause says over what the repeat was seen: number, person, address.
	RepeatBecause []string `json:"repeat_because,omitempty"`
	HighHarm      bool     `json:"high_harm,omitempty"`

	Updates   []PublicUpdate `json:"updates,omitempty"`
	Contacts  []contact.ID   `json:"contacts,omitempty"`
	Retention Retention      `json:"retention"`
}
