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
//	{c:CONTACT}         hash  one contact's record
//	{p:PERSON}          hash  one person
//	{p:PERSON}:order    zset  contacts of the person by arrival
//	{p:PERSON}:entries  hash  their records, as of their versions
//	{l:LINE}:order, :entries  the same for a calling line
//	{l:LINE}:people     hash  the people a line may belong to
//	{crm}:secret        string  key of the line hashes
const secretKey = "{crm}:secret"

func contactKey(id contact.ID) string      { return "{c:" + string(id) + "}" }
func personKey(id contact.PersonID) string { return "{p:" + string(id) + "}" }
func linePeopleKey(line string) string     { return "{l:" + line + "}:people" }
func timelineKeys(tag string) []string     { return []string{tag + ":order", tag + ":entries"} }
func personTag(id contact.PersonID) string { return "{p:" + string(id) + "}" }
func lineTag(line string) string           { return "{l:" + line + "}" }

// line is the keyed hash that stands for a number wherever the number itself
// has no business to be.
func (s *Store) line(number string) string {
	if number == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(number))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
