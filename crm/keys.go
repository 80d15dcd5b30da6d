package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"example.org/c3i/contact"
)

// Keys. What is read or written together shares a hash tag, so that each script
// touches one slot of a cluster.
//
//	{c:CONTACT}          hash  one contact's record
//	{c:CONTACT}:messages zset  its messages by time
//	{m:MESSAGE}          hash  one message: doc, report, delivery
//	{mh:HEADER}          string  the message with a Message-ID (hashed)
//	{t:THREAD}:messages, :contacts  zset  what belongs to a conversation
//	{p:PERSON}           hash  one person; what their indexes were last made for
//	{p:PERSON}:order     zset  contacts of the person by arrival
//	{p:PERSON}:entries   hash  their records, as of their versions
//	{p:PERSON}:items:…   the same for messages and updates
//	{p:PERSON}:reports:… the same for reports, as summaries; :open those not closed
//	{l:LINE}:order, :entries  contacts of a calling line or an e-mail address
//	{l:LINE}:people      hash  the people a line may belong to
//	{l:LINE}:reports     zset  reports made from it
//	{k:HASH}:people      zset  people by one of the keys FindPeople looks under
//	{a:HASH}:reports     zset  reports at one address
//	{r:REPORT}           hash  one report; what its copies were last made for
//	{r:REPORT}:tasks     hash  its tasks
//	{r:REPORT}:messages  zset  messages of its contacts
//	{r:REPORT}:track     hash  tracking secrets (hashed) by their first letters
//	{r:REPORT}:viewers   hash  who has it open, until when
//	{ref:REFERENCE}      string  the report with a receipt, incident or crime number
//	{n:SERIES}, {n:SERIES}:REPORT  counter of a day's or year's numbers, and the one a report drew
//	{tasks}:due, :owners, :at  open tasks by due time, by owner, and where they stand in those
//	{merge}:into, :order hash person → whom they were found to be; the number of the last merge
//	{merge}:by           hash  who merged whom when, and why
//	{d:OWNER}            hash  drafts of an owner: of a contact, by its id, what is being answered
//	{crm}:holds          hash  legal holds
//	{crm}:leaving        zset  files of erased records that are still to be seen to
//	{crm}:owed           hash  what writes still owe, see owed.go
//	{crm}:secret         string  key of the hashes
const (
	secretKey = "{crm}:secret"
	owedKey   = "{crm}:owed"
)

func contactKey(id contact.ID) string         { return "{c:" + string(id) + "}" }
func contactMessagesKey(id contact.ID) string { return contactKey(id) + ":messages" }
func personKey(id contact.PersonID) string    { return "{p:" + string(id) + "}" }
func messageKey(id MessageID) string          { return "{m:" + string(id) + "}" }
func reportKey(id ReportID) string            { return "{r:" + string(id) + "}" }
func tasksKey(id ReportID) string             { return reportKey(id) + ":tasks" }
func reportMessagesKey(id ReportID) string    { return reportKey(id) + ":messages" }
func trackKey(id ReportID) string             { return reportKey(id) + ":track" }
func viewersKey(id ReportID) string           { return reportKey(id) + ":viewers" }
func referenceKey(text string) string         { return "{ref:" + text + "}" }
func threadMessagesKey(id ThreadID) string    { return "{t:" + string(id) + "}:messages" }
func threadContactsKey(id ThreadID) string    { return "{t:" + string(id) + "}:contacts" }
func draftsKey(owner string) string           { return "{d:" + owner + "}" }
func linePeopleKey(line string) string        { return "{l:" + line + "}:people" }
func lineReportsKey(line string) string       { return "{l:" + line + "}:reports" }
func timelineKeys(tag string) []string        { return []string{tag + ":order", tag + ":entries"} }
func itemKeys(id contact.PersonID) []string   { return timelineKeys(personTag(id) + ":items") }
func personTag(id contact.PersonID) string    { return "{p:" + string(id) + "}" }
func lineTag(line string) string              { return "{l:" + line + "}" }

func personReportKeys(id contact.PersonID) []string {
	tag := personTag(id) + ":reports"
	return []string{tag + ":order", tag + ":entries", tag + ":open"}
}

func openReportsKey(id contact.PersonID) string { return personReportKeys(id)[2] }

var mergeKeys = []string{"{merge}:into", "{merge}:order", "{merge}:by"}

var taskKeys = []string{"{tasks}:due", "{tasks}:owners", "{tasks}:at"}

// line is the keyed hash that stands for a number wherever the number itself
// has no business to be.
func (s *Store) line(number string) string { return s.hash(number) }

// mailLine is the same for an e-mail address, in canonical form.
func (s *Store) mailLine(address string) string {
	if address == "" {
		return ""
	}
	return s.hash("mailto:" + address)
}

func (s *Store) hash(text string) string {
	if text == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
