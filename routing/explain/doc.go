// Package explain tells why a contact went where it did: it steps the journal
// again with the engine and puts each decision about the contact into a sentence
// with its data. The same journal gives the same words.
//
// The journal knows handlers by their sign-on names and callers not at all, so
// an explanation holds no caller's number, name or words.
package explain
