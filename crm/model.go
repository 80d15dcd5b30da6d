package crm

import "example.org/c3i/contact"

// Person is somebody who has been in touch. One person may have many numbers
// and one number may belong to many people.
type Person struct {
	ID           contact.PersonID `json:"id"`
	Name         string           `json:"name"`
	Numbers      []string         `json:"numbers,omitempty"` // canonical, see Canonical
	Language     string           `json:"language,omitempty"`
	Vulnerable   bool             `json:"vulnerable,omitempty"`
	RepeatVictim bool             `json:"repeat_victim,omitempty"`
	Remarks      string           `json:"remarks,omitempty"`
	Created      contact.Instant  `json:"created"`
	Changed      contact.Instant  `json:"changed"`
}

// Note is a handler's note on a contact. Revision rises by one with each save.
type Note struct {
	Text     string          `json:"text"`
	Revision uint64          `json:"revision"`
	Author   string          `json:"author,omitempty"`
	SavedAt  contact.Instant `json:"saved_at,omitempty"`
}

// Record is all that is kept of one contact.
type Record struct {
	ID      contact.ID      `json:"id"`
	Channel contact.Channel `json:"channel"`
	Caller  contact.Caller  `json:"caller"`
	// Number is the caller's number in canonical form, empty when withheld.
	Number   string           `json:"number,omitempty"`
	Person   contact.PersonID `json:"person,omitempty"`
	Arrival  contact.Instant  `json:"arrival"`
	Facts    contact.Facts    `json:"facts"`
	Queue    string           `json:"queue,omitempty"`
	Handler  string           `json:"handler,omitempty"`
	Answered contact.Instant  `json:"answered,omitempty"`
	Ended    contact.Instant  `json:"ended,omitempty"`
	Ending   contact.Ending   `json:"ending,omitempty"`
	Outcome  contact.Outcome  `json:"outcome"`
	Note     Note             `json:"note"`
}

// Arrival is what is known of a contact when it arrives.
type Arrival struct {
	ID      contact.ID
	Channel contact.Channel
	Caller  contact.Caller
	At      contact.Instant
	Facts   contact.Facts
}

// Ending is what is known when a contact leaves the switch.
type Ending struct {
	ID       contact.ID
	Queue    string
	Handler  string
	Answered contact.Instant
	At       contact.Instant
	Ending   contact.Ending
}

// Pop is what a handler sees of a caller when a contact is offered.
type Pop struct {
	Record Record
	// People are those the number may belong to, the contact's own person first,
	// then by most recent contact.
	People []Person
	// History is earlier contacts of the person, or when nobody is attached of
	// the number, newest first, at most HistoryListed.
	History []Record
}

// HistoryListed bounds the history in a Pop; the rest is read by Timeline.
const HistoryListed = 20
