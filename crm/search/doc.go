// Package search finds people, reports, contacts and messages by whatever
// somebody has of them: a name or how it sounds, a number or its last digits, an
// address, a reference, a postcode, a vehicle, a serial number, or words of what
// was told. It answers while the query is being typed.
//
// The index lives in Redis, beside what it finds: for each term a string of
// document numbers, four bytes each, which the asking process reads from the
// newest end and intersects. Nothing is kept in a process, so any number of desks
// share it and none has to load it.
package search
