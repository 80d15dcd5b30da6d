package agentdesk

import (
	"example.org/c3i/contact"
	"example.org/c3i/crm"
)

// SavePersonRequest creates (empty Person.ID) or changes a person and attaches
// the contact to them. Without a contact the person is saved alone. Masked,
// Attached, MergedInto, Certainty and Because are not saved. When somebody else
// saved the person since they were read, as Revision says, the Ack's error carries
// code "person_conflict" and its Reply the newer one, a GetPersonReply.
type SavePersonRequest struct {
	Contact contact.ID `json:"contact,omitempty"`
	Person  Person     `json:"person"`
}

// SavePersonReply gives the person's id.
type SavePersonReply struct {
	Person contact.PersonID `json:"person"`
}

// AttachPersonRequest says which of the people a number may belong to is
// calling; an empty Person detaches.
type AttachPersonRequest struct {
	Contact contact.ID       `json:"contact"`
	Person  contact.PersonID `json:"person"`
}

// Person is a person as desks show and edit them.
type Person struct {
	ID           contact.PersonID `json:"id"`
	Name         string           `json:"name"`
	Numbers      []string         `json:"numbers,omitempty"`
	Language     string           `json:"language,omitempty"`
	Vulnerable   bool             `json:"vulnerable,omitempty"`
	RepeatVictim bool             `json:"repeat_victim,omitempty"`
	Remarks      string           `json:"remarks,omitempty"`
	// GivenName, Surname, DateOfBirth (YYYY-MM-DD), Gender and a way of contact are
	// "4+1".
	GivenName   string      `json:"given_name,omitempty"`
	Surname     string      `json:"surname,omitempty"`
	DateOfBirth string      `json:"date_of_birth,omitempty"`
	Gender      string      `json:"gender,omitempty"`
	Emails      []string    `json:"emails,omitempty"`
	Addresses   []crm.Place `json:"addresses,omitempty"`
	// Needs are communication needs.
	Needs           []string         `json:"needs,omitempty"`
	WrittenLanguage string           `json:"written_language,omitempty"`
	Safe            *crm.SafeContact `json:"safe,omitempty"`
	// Restricted people are opened only for a stated reason. Masked tells that all
	// but the id is withheld until one is given with person.get.
	Restricted bool `json:"restricted,omitempty"`
	Masked     bool `json:"masked,omitempty"`
	// MergedInto names the person this one was found to be.
	MergedInto contact.PersonID `json:"merged_into,omitempty"`
	// Certainty is "certain" or "maybe" where the person was found by something:
	// Because says by what.
	Certainty string   `json:"certainty,omitempty"`
	Because   []string `json:"because,omitempty"`
	// Attached tells that this contact is recorded as theirs.
	Attached bool `json:"attached,omitempty"`
	// Revision says as what the person was read. Sent back with person.save, a newer
	// record is a conflict; without it what is sent replaces what is there.
	Revision string `json:"revision,omitempty"`
}

// FindPeopleRequest asks who somebody may be. At least one clue is needed.
type FindPeopleRequest struct {
	// Contact is the contact it is asked for, for the trail.
	Contact     contact.ID `json:"contact,omitempty"`
	Name        string     `json:"name,omitempty"` // as said, when its parts are not known
	Given       string     `json:"given,omitempty"`
	Surname     string     `json:"surname,omitempty"`
	DateOfBirth string     `json:"date_of_birth,omitempty"` // YYYY-MM-DD
	Numbers     []string   `json:"numbers,omitempty"`
	Emails      []string   `json:"emails,omitempty"`
	Postcode    string     `json:"postcode,omitempty"`
}

// FindPeopleReply lists the people found, the likeliest first, each with its
// Certainty and Because. Restricted people are masked.
type FindPeopleReply struct {
	People []Person `json:"people"`
}

// GetPersonRequest opens one person. A restricted person needs a Reason in words;
// without one the Ack's error carries code "reason_required".
type GetPersonRequest struct {
	Person contact.PersonID `json:"person"`
	Reason string           `json:"reason,omitempty"`
}

// GetPersonReply is the person with their reports, newest first.
type GetPersonReply struct {
	Person  Person          `json:"person"`
	Reports []ReportSummary `json:"reports"`
}

// MergePeopleRequest says that From is the same person as Into. It can be undone
// with SplitPersonRequest.
type MergePeopleRequest struct {
	From   contact.PersonID `json:"from"`
	Into   contact.PersonID `json:"into"`
	Reason string           `json:"reason"`
}

// SplitPersonRequest undoes the merge of Person into another.
type SplitPersonRequest struct {
	Person contact.PersonID `json:"person"`
	Reason string           `json:"reason"`
}

// TimelineItem is one line of a person's timeline over all channels. Exactly one
// of Contact, Message, Report and Update is set, as Kind says.
type TimelineItem struct {
	At      contact.Instant `json:"at"`
	Kind    string          `json:"kind"` // contact, message, report, update
	Contact *HistoryEntry   `json:"contact,omitempty"`
	Message *MessageLine    `json:"message,omitempty"`
	Report  *ReportSummary  `json:"report,omitempty"`
	Update  *UpdateLine     `json:"update,omitempty"`
}

// TimelinePage is the body of GET /api/people/{id}/timeline, newest first.
type TimelinePage struct {
	Timeline []TimelineItem `json:"timeline"`
	// Before is what to ask for next; zero on the last page.
	Before contact.Instant `json:"before,omitempty"`
}

// MessageLine is a message in a list.
type MessageLine struct {
	ID        crm.MessageID   `json:"id"`
	Contact   contact.ID      `json:"contact,omitempty"`
	Channel   contact.Channel `json:"channel"`
	Direction crm.Direction   `json:"direction"`
	Subject   string          `json:"subject,omitempty"`
	// Opening is the beginning of the text, at most 200 characters.
	Opening     string            `json:"opening,omitempty"`
	Attachments int               `json:"attachments,omitempty"`
	State       crm.DeliveryState `json:"state,omitempty"` // of a message out
}

// UpdateLine is a public update in a list.
type UpdateLine struct {
	Report crm.ReportID `json:"report"`
	By     string       `json:"by"`
	Text   string       `json:"text"`
}

// SearchRequest is the body of POST /api/search: what was typed, and the kinds
// wanted ("person", "report", "contact", "message"; empty for all). It is asked
// as the user types; each is a consultation on the audit trail.
type SearchRequest struct {
	Query string   `json:"query"`
	Kinds []string `json:"kinds,omitempty"`
	// Limit is at most 50; 20 when zero.
	Limit int `json:"limit,omitempty"`
}

// SearchReply lists what was found, the likeliest first.
type SearchReply struct {
	Hits []SearchHit `json:"hits"`
	// More tells that there are more than were asked for.
	More bool `json:"more,omitempty"`
	// TookMicros is how long the search took, in microseconds.
	TookMicros int64 `json:"took_micros"`
}

// SearchHit is one thing found. Masked hits show only kind, id, reference and, of
// what stands in a restricted record, that record as Person or Report: it is opened
// with report.get or person.get and a reason.
type SearchHit struct {
	Kind      string `json:"kind"`
	ID        string `json:"id"`
	Title     string `json:"title,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Because says by what it was found: name, sound, number, email, reference,
	// postcode, vehicle, property, born (a date of birth), words.
	Because []string        `json:"because,omitempty"`
	At      contact.Instant `json:"at,omitempty"`
	// Person and Report are those it belongs to.
	Person     contact.PersonID `json:"person,omitempty"`
	Report     crm.ReportID     `json:"report,omitempty"`
	Restricted bool             `json:"restricted,omitempty"`
	Masked     bool             `json:"masked,omitempty"`
	// Behind is the restricted record that a hit belongs to, as "person ID" or
	// "report ID"; empty when the hit is itself the record.
	Behind string `json:"-"`
}
