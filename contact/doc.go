// Package contact is the vocabulary every other package shares: what a contact
// is, on which channel it came, from whom, at what instant, and how it ended.
//
// It is a leaf: it imports nothing of ours. All types are plain values that
// marshal to stable JSON, because they are written to the journal and must read
// the same years later.
package contact
