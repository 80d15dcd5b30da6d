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
	// The rest of "4+1": two names, date of birth, gender, and a way of contact.
	GivenName   string   `json:"given_name,omitempty"`
	Surname     string   `json:"surname,omitempty"`
	DateOfBirth string   `json:"date_of_birth,omitempty"` // YYYY-MM-DD
	Gender      string   `json:"gender,omitempty"`
	Emails      []string `json:"emails,omitempty"` // lower case
	Addresses   []Place  `json:"addresses,omitempty"`
	// Needs are communication needs; WrittenLanguage may differ from Language.
	Needs           []string `json:"needs,omitempty"`
	WrittenLanguage string   `json:"written_language,omitempty"`
	// Safe says how they may be reached without putting them at risk.
	Safe SafeContact `json:"safe"`
	// Restricted people are opened only for a stated reason.
	Restricted bool `json:"restricted,omitempty"`
	// MergedInto names the person this one was found to be; their records are read
	// there until a split.
	MergedInto contact.PersonID `json:"merged_into,omitempty"`
	// Merged lists those who were found to be this person, and what each brought:
	// a split takes exactly that away again. The store keeps it; SavePerson ignores it.
	Merged  []Merge         `json:"merged,omitempty"`
	Created contact.Instant `json:"created"`
	Changed contact.Instant `json:"changed"`
}

// Merge is another record that was found to be this person.
type Merge struct {
	Person contact.PersonID `json:"person"`
	// Order rises by one with each merge in the system.
	Order  uint64          `json:"order"`
	At     contact.Instant `json:"at"`
	By     string          `json:"by"`
	Reason string          `json:"reason"`
	// What the other record had and this one had not.
	Numbers       []string `json:"numbers,omitempty"`
	Emails        []string `json:"emails,omitempty"`
	UnsafeNumbers []string `json:"unsafe_numbers,omitempty"`
	UnsafeEmails  []string `json:"unsafe_emails,omitempty"`
	Needs         []string `json:"needs,omitempty"`
	Vulnerable    bool     `json:"vulnerable,omitempty"`
	RepeatVictim  bool     `json:"repeat_victim,omitempty"`
	Restricted    bool     `json:"restricted,omitempty"`
	NoVoicemail   bool     `json:"no_voicemail,omitempty"`
	// SafeRule and SafeMethods are what the merge made of the rule, which is the
	// stricter of two; SafeWas and MethodsWas what they replaced. Empty when it changed
	// nothing.
	SafeRule    string   `json:"safe_rule,omitempty"`
	SafeMethods []string `json:"safe_methods,omitempty"`
	SafeWas     string   `json:"safe_was,omitempty"`
	MethodsWas  []string `json:"methods_was,omitempty"`
}

// SafeContact says how a person may be reached. What it forbids is never done:
// neither a callback nor a written confirmation.
type SafeContact struct {
	// Rule is empty (nothing known), "any", "limited" or "never".
	Rule string `json:"rule,omitempty"`
	// Methods are those allowed when Rule is limited: phone, email, post, sms.
	Methods []string `json:"methods,omitempty"`
	// UnsafeNumbers and UnsafeEmails are never rung or written to.
	UnsafeNumbers []string `json:"unsafe_numbers,omitempty"`
	UnsafeEmails  []string `json:"unsafe_emails,omitempty"`
	// Times and CoverPhrase are for the handler who rings.
	Times       string `json:"times,omitempty"`
	CoverPhrase string `json:"cover_phrase,omitempty"`
	NoVoicemail bool   `json:"no_voicemail,omitempty"`
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
	// CallbackNumber is where the caller asked to be rung back, canonical.
	CallbackNumber string `json:"callback_number,omitempty"`
	// Report is the report the contact belongs to, if any.
	Report ReportID `json:"report,omitempty"`
	// Subject is one line about a written contact, for lists.
	Subject string `json:"subject,omitempty"`
	// Email is a written contact's sender, lower case.
	Email string `json:"email,omitempty"`
	// Thread joins contacts of one written conversation.
	Thread ThreadID `json:"thread,omitempty"`
	// Messages counts what was written in it, in and out.
	Messages int `json:"messages,omitempty"`
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
	// Reports are the person's reports that are not closed, newest first, as
	// ReportsOf gives them, at most ReportsListed.
	Reports []Report
}

// HistoryListed bounds the history in a Pop; the rest is read by Timeline.
const HistoryListed = 20

// ReportsListed bounds the reports in a Pop.
const ReportsListed = 20
